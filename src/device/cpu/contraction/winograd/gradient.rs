//! # device/cpu/contraction/winograd/gradient: what windows of 3 × 3 are to learn, with a quarter of the multiplications
//!
//! **In:** the two views of a contraction that sums an image times a gradient, shifted by a window of 3 × 3. **Out:** its output, the filters'
//! gradient. **Above:** [`Contraction`](super::super::Contraction), which asks whether this pays. **Below:** `turned` and the micro-kernel.
//!
//! The convolution of a tile is Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A, see [`winograd`](super). It is linear in the filter g, and the gradient of
//! g is the same steps from the end to the beginning, each matrix turned. With e for the gradient of the tile:
//!
//! ```text
//!   image     ─▶ patch d, 6 × 6 ─▶ V = Bᵀ d B   [36, tile, channel] ─┐
//!                                                                   ├─▶ M[p, filter, channel] = Σ_tile E[p, tile, filter] · V[p, tile, channel]
//!   gradient  ─▶ tile e,  4 × 4 ─▶ E = A e Aᵀ   [36, tile, filter]  ─┘                        │
//!                                                                                  dW = Gᵀ M G, 3 × 3, once for all tiles
//! ```
//!
//! So this is F(3 × 3, 4 × 4): 36 multiplications for a tile, channel and filter instead of 144; and what is added up are *tiles*, of
//! which there are many. Each of the 36 is a product of matrices whose steps are tiles: a step's channels are the kernel's wide
//! side, its filters the narrow one, and the transforms store both the way kernels read them (see [`turned`]).
//!
//! **How it is cut up.** A task has some rows of tiles, and blocks of at most 64 channels and 64 filters, so that its M (590 KB) and
//! some tiles' V and E stay in the L2 cache. Its M becomes a part of the sum of the *gradients* in the end, 9 numbers instead of
//! 36, and these parts are added up in their order. A task has so many tiles that this end takes little of its time.
//!
//! **What to expect.** Cycles for a tile, with vectors of 16, C channels and O filters: 36 · C · O / 16 for the products, and a quarter as much
//! for sums that are loaded and stored after so few steps. For each vector of channels or filters, 36 vectors are stored at half a vector a cycle,
//! and the rest is some 140 multiply-adds and as many permutations: 460 together, most of it channel by channel, so 29 for each. Dots of
//! lines take 144 · C · O / 16, an eighth more, and half a cycle for the end of a line. Hence 16 and 16: 2700 → 720 + 920, 1.6 times as fast;
//! 64 and 64: 43,000 → 11,500 + 3700, **2.8 times**. Measured, in ms on one thread (AMD Zen 4, AVX-512):
//!
//! ```text
//!   images      channels, filters    dots of lines    so
//!   64×32×32        16 × 16               3.9         2.1
//!   64×16×16        32 × 32               3.9         1.8
//!   64×8×8          64 × 64               3.7         1.4
//!   8×56×56         64 × 64              21.2         8.4
//!   128×11×11        8 × 16               0.94        0.45
//!   64×32×32        16 × 8                1.89        1.40
//!   32×56×56         8 × 8                1.52        1.67     (left to the lines)
//! ```
//!
//! The largest error, over the root mean square of the results, of normally distributed numbers:
//!
//! ```text
//!   places summed up                       64        2048      32,768
//!   dots, or tiles of packed numbers       2.8e-7    5.7e-7    1.1e-6     (SSE2: 5.8e-7   2.0e-6   2.6e-6)
//!   so                                     1.6e-6    3.0e-6    2.2e-6     (SSE2: 1.5e-6   2.5e-6   3.1e-6)
//! ```
//!
//! So it costs one bit to two and a half of 24, for the reasons that [`winograd`](super) tells of, and `WINO=0` turns it off, too.
//!
//! Laws: those of [`contraction`](super::super). How it is cut up depends on the sizes and on the vectors' length alone.

pub(in crate::device::cpu) mod turned;

use super::super::blocking::{ENOUGH_TASKS, LEAST_WORK, MOST_PARTIAL};
use super::super::finish::add_up;
use super::super::scratch::{Raw, Source, for_each, piece, reserve, with_scratch, with_workspace};
use super::super::{Axes, Finish, InstructionSet, Level, Real};
use super::run::{APART, panels, stretches};
use super::sliding::{Sliding, output};
use super::transforms::{Gradient, Image, PRODUCTS, SIDE, Strip, WINDOW};
use crate::device::cpu::lanes::MOST_LANES;
use crate::device::cpu::microkernel::{MOST_COLUMNS, Tile};
use crate::shape::view::View;
use std::ops::Range;
use turned::{Factors, Windows, room};

/// Bytes that transformed patches and tiles take together, about, and how many tiles that is at least and at most.
const BYTES: usize = 384 << 10;
const TILES: Range<usize> = 16..64;
/// Channels, and filters, of a task, at most.
const MOST_SIDE: usize = 64;
/// Tiles that a task has, at least, if there are so many; and at most, so that its sums lose no more digits than pairwise ones of all would.
const LEAST_TILES: usize = 64;
const MOST_TILES: usize = 512;
/// Cycles that it takes to transform a tile's patch, or the tile itself, for a vector of channels, and a vector of sums.
const TILE_CYCLES: usize = 460;
const SUM_CYCLES: usize = 350;

/// A plan: see the [module](self). The tiled view is the gradient, the one with windows is the output.
#[derive(Clone, Debug)]
pub(in crate::device::cpu::contraction) struct FilterGradient {
    sliding: Sliding,
    blocks: Blocks,
}

/// How it is cut up: channels, filters and rows of tiles of a task, and tiles that are transformed at a time.
#[derive(Clone, Debug)]
struct Blocks {
    channels: usize,
    filters: usize,
    rows: usize,
    tiles: usize,
}

impl FilterGradient {
    /// A plan, if the views have this form and it takes less than so many cycles.
    pub fn new<T: Real>(
        set: &InstructionSet<T>,
        cycles: usize,
        [outer, reduced]: [&[usize]; 2],
        views: [&View; 2],
    ) -> Option<FilterGradient> {
        let windows = outer.iter().filter(|&&size| size == WINDOW).count();
        if windows < 2 || crate::helpers::getenv("WINO", 1) == 0 {
            return None;
        }
        let plan = FilterGradient::of(set, [outer, reduced], views)?;
        let own = plan.cycles(set);
        (own + own / 9 < cycles).then_some(plan)
    }

    /// A plan, if the views have this form.
    pub(super) fn of<T: Real>(
        set: &InstructionSet<T>,
        [outer, reduced]: [&[usize]; 2],
        views: [&View; 2],
    ) -> Option<FilterGradient> {
        let sliding = Sliding::of_either(views, |image, gradient, swapped| {
            let Axes { batch, m, n, k } = Axes::classify(outer, reduced, image, gradient);
            let along = |&x: &usize| image.strides[x] == 1 && gradient.strides[x] == 1;
            let column = k.iter().copied().find(along)?;
            if !batch.is_empty() {
                return None;
            }
            let windows = output(outer, reduced);
            Sliding::find(
                [&k, &n, &m],
                column,
                image,
                gradient.clone(),
                windows,
                swapped,
            )
        })?;
        let blocks = Blocks::new(set.lanes, sliding.counts(), sliding.size);
        Some(FilterGradient { sliding, blocks })
    }

    /// Cycles that this takes, about.
    fn cycles<T: Real>(&self, set: &InstructionSet<T>) -> usize {
        let [images, channels, filters] = self.sliding.counts();
        let [rows, columns] = self.sliding.grid();
        let tiles = images * rows * columns;
        let vectors = |count: usize| count.div_ceil(set.lanes);
        let channel_blocks = channels.div_ceil(self.blocks.channels);
        let filter_blocks = filters.div_ceil(self.blocks.filters);
        // Most of a transform is done channel by channel.
        let transforms = channels * filter_blocks + filters * channel_blocks;
        let products = PRODUCTS * vectors(channels) * filters;
        let ends = (images * rows).div_ceil(self.blocks.rows) * vectors(channels) * filters;
        // A quarter for loading and storing the sums of so few steps.
        tiles * (products + products / 4 + TILE_CYCLES * transforms / set.lanes) + ends * SUM_CYCLES
    }

    /// Bytes of its tables.
    pub fn bytes(&self) -> usize {
        self.sliding.bytes()
    }

    /// What runs, in words.
    pub fn describe(&self) -> String {
        let [images, channels, filters] = self.sliding.counts();
        let [rows, columns] = self.sliding.size;
        let Blocks { tiles, .. } = self.blocks;
        format!(
            "[{channels} × {filters}] of {images}×{rows}×{columns}, winograd 3×3 of 4×4, {tiles} tiles at a time"
        )
    }
}

impl Blocks {
    /// A function of the sizes and of the vectors' length only.
    fn new(lanes: usize, [images, channels, filters]: [usize; 3], size: [usize; 2]) -> Blocks {
        let even = |count: usize| count.div_ceil(count.div_ceil(MOST_SIDE));
        let outputs = channels * filters * WINDOW * WINDOW;
        let blocks = channels.div_ceil(MOST_SIDE) * filters.div_ceil(MOST_SIDE);
        let (channels, filters) = (even(channels), even(filters));
        let row = PRODUCTS * (channels.next_multiple_of(lanes) + filters.next_multiple_of(lanes));
        let [rows, columns] = size.map(|size| size.div_ceil(SIDE));
        let all = images * rows;
        let tiles = all * columns;
        let parts = (tiles / LEAST_TILES).clamp(1, ENOUGH_TASKS.div_ceil(blocks));
        let parts = parts.max(tiles.div_ceil(MOST_TILES));
        let parts = parts.min(1 + MOST_PARTIAL / outputs).min(all);
        Blocks {
            channels,
            filters,
            rows: all.div_ceil(parts),
            tiles: (BYTES / size_of::<f32>() / row).clamp(TILES.start, TILES.end),
        }
    }
}

// ---- Running ---------------------------------------------------------

impl FilterGradient {
    /// Computes the output.
    ///
    /// # Safety
    /// As [`Contraction::run`](super::super::Contraction::run); the processor has the level.
    pub unsafe fn run<T: Real>(
        &self,
        level: Level,
        sources: [Source<T>; 2],
        out: *mut T,
        finish: Option<Finish>,
    ) {
        let [a, b] = sources;
        let sources = if self.sliding.swapped {
            [&b, &a]
        } else {
            [&a, &b]
        };
        let set = T::instruction_set(level);
        let [images, channels, filters] = self.sliding.counts();
        let [rows, columns] = self.sliding.grid();
        let all = images * rows;
        let outputs = channels * filters * WINDOW * WINDOW;
        let parts = all.div_ceil(self.blocks.rows);
        let channel_blocks = channels.div_ceil(self.blocks.channels);
        let blocks = channel_blocks * filters.div_ceil(self.blocks.filters);
        let parallel = all * columns * PRODUCTS * channels * filters >= 2 * LEAST_WORK;
        let out = Raw(out);
        with_scratch((parts - 1) * outputs, |partial: Raw<T>| {
            for_each(parts * blocks, parallel, |task| {
                let (part, block) = (task / blocks, task % blocks);
                let some = Part {
                    rows: piece(part, self.blocks.rows, all),
                    channels: piece(block % channel_blocks, self.blocks.channels, channels),
                    filters: piece(block / channel_blocks, self.blocks.filters, filters),
                    out: match part {
                        0 => out.add(0),
                        _ => partial.add((part - 1) * outputs),
                    },
                };
                // SAFETY: the caller's promises; each part has a sum of its own, and each block other elements of it.
                unsafe { self.compute(set, sources, &some) };
            });
            add_up(out, partial, parts, outputs, parallel, finish);
        });
    }

    /// Computes a part of the sums.
    ///
    /// # Safety
    /// As [`FilterGradient::run`]; nobody else uses these elements of the part's output meanwhile.
    unsafe fn compute<T: Real>(
        &self,
        set: &InstructionSet<T>,
        [image, gradient]: [&Source<T>; 2],
        part: &Part<T>,
    ) {
        let columns = self.sliding.grid()[1];
        let all = part.rows.start * columns..part.rows.end * columns;
        let tiles = self.blocks.tiles.min(all.len());
        let channels = &self.sliding.channels[0][part.channels.clone()];
        let filters = &self.sliding.filters[0][part.filters.clone()];
        let wide = channels.len().next_multiple_of(MOST_LANES);
        // The last kernel's columns may reach beyond the filters.
        let reach = panels(set, filters.len()).map(|(first, columns)| first + columns);
        let narrow = reach.max().unwrap_or(0).next_multiple_of(MOST_LANES);
        let (v_step, e_step) = (tiles * wide + APART, tiles * narrow + APART);
        let m_step = narrow * wide + APART;
        let [room_step, room_size] = room(tiles.min(columns));
        with_workspace(|workspace| {
            let needed = room_size + PRODUCTS * (v_step + e_step + m_step);
            let room: Raw<T> = reserve(&mut workspace.packed, needed);
            let v = room.add(room_size);
            let e = v.add(PRODUCTS * v_step);
            let m = e.add(PRODUCTS * e_step);
            let (mut patches, mut strips) = (Vec::new(), Vec::new());
            for first in all.clone().step_by(tiles) {
                let some = first..(first + tiles).min(all.end);
                self.locate(&some, &mut patches, &mut strips);
                let of =
                    |from: &Source<T>, channels, strips, to: Raw<T>, step, tile_step| Factors {
                        from: from.at(0),
                        channels,
                        strips,
                        room: room.0,
                        room_step,
                        to: to.0,
                        step,
                        tile_step,
                    };
                // SAFETY: strips tell of what keeps all bounds, which is in the image and in the gradient; all room has just been reserved.
                unsafe {
                    (set.factors[0])(&of(image, channels, &patches, v, v_step, wide));
                    (set.factors[1])(&of(gradient, filters, &strips, e, e_step, narrow));
                }
                let places: [isize; MOST_COLUMNS] = std::array::from_fn(|n| (n * wide) as isize);
                for product in 0..PRODUCTS {
                    for (f, count) in panels(set, filters.len()) {
                        let (_, kernels) = set.at_least(count);
                        for c in (0..channels.len()).step_by(2 * set.lanes) {
                            let left = (channels.len() - c).min(2 * set.lanes);
                            let tile = Tile {
                                depth: some.len(),
                                wide: v.add(product * v_step + c).0,
                                wide_step: wide,
                                narrow: e.add(product * e_step + f).0,
                                narrow_step: narrow,
                                out: m.add(product * m_step + f * wide + c).0,
                                columns: places.as_ptr(),
                                accumulate: first > all.start,
                            };
                            // SAFETY: V and E hold these tiles' factors, in rows of whole vectors and of a kernel's columns; M is ours.
                            unsafe { kernels[left.div_ceil(set.lanes) - 1](&tile) };
                        }
                    }
                }
            }
            let call = Windows {
                sums: m.0,
                step: m_step,
                filter_step: wide,
                out: part.out.0,
                filters: &self.sliding.filters[1][part.filters.clone()],
                channels: &self.sliding.channels[1][part.channels.clone()],
                window: &self.sliding.window,
            };
            // SAFETY: all tiles have been added up; the elements are ours (the caller's promise).
            unsafe { (set.windows)(&call) };
        });
    }

    /// Looks up where some tiles' patches and they themselves are. Tiles are counted along rows, down columns and through the images.
    fn locate(&self, tiles: &Range<usize>, patches: &mut Vec<Strip>, strips: &mut Vec<Strip>) {
        let [rows, columns] = self.sliding.grid();
        let [valid_y, valid_x] = &self.sliding.valid;
        let [height, width] = self.sliding.size.map(|size| 0..size);
        patches.clear();
        strips.clear();
        for (row, column, count) in stretches(tiles, columns) {
            let (image, at) = (row / rows, [row % rows * SIDE, column * SIDE]);
            let [of_image, of_gradient] =
                [0, 1].map(|side| self.sliding.images[side][image] + at[1] as isize);
            let [step, gradient_step] = self.sliding.row_steps;
            let valid = [valid_y, valid_x];
            patches.push(Strip::new::<Image>(of_image, at, count, step, valid));
            let all = [&height, &width];
            strips.push(Strip::new::<Gradient>(
                of_gradient,
                at,
                count,
                gradient_step,
                all,
            ));
        }
    }
}

/// Rows of tiles, counted through all images, channels and filters, and where their sums go.
struct Part<T> {
    rows: Range<usize>,
    channels: Range<usize>,
    filters: Range<usize>,
    out: Raw<T>,
}
