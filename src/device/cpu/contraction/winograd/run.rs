//! # device/cpu/contraction/winograd/run: a plan of tiles, carried out
//!
//! **In:** [`Winograd`] and memory. **Out:** the output. **Above:** [`Contraction::run`](super::super::Contraction::run). **Below:** `transforms` and the
//! kernels.
//!
//! Three buffers, each a stack of 36 matrices: U, [channels × filters], made once for all tasks; V, [channels × tiles], and M, [filters ×
//! tiles], which each thread has for the tiles at hand. A kernel's wide side are tiles, its narrow side are filters; both are read from
//! where the transforms wrote them, with no packing in between.
//!
//! **Law:** rows of tiles are shared out by the sizes alone.

use super::super::blocking::{CHUNK, LEAST_WORK};
use super::super::finish::join;
use super::super::scratch::{Raw, Source, for_each, piece, reserve, with_scratch, with_workspace};
use super::super::{Finish, Level, Real};
use super::transforms::{Filters, Image, PATCH, PRODUCTS, Patches, Results, SIDE, Spot, Strip};
use super::{Blocks, Winograd};
use crate::device::cpu::lanes::MOST_LANES;
use crate::device::cpu::microkernel::{InstructionSet, MOST_COLUMNS, Tile};
use std::ops::Range;

/// The 36 matrices of a stack are this much farther apart than they are large, so that they are not rivals for the same places of the
/// cache, where a vector is written to each of them in turn.
pub(super) const APART: usize = 16;

impl Winograd {
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
        let (image, weights) = if self.sliding.swapped { (b, a) } else { (a, b) };
        let set = T::instruction_set(level);
        let [images, channels, filters] = self.sliding.counts();
        let [rows, columns] = self.sliding.grid();
        let all_rows = images * rows;
        let Blocks {
            rows: most_rows,
            filters: most_filters,
            channels: most_channels,
            ..
        } = self.blocks;
        let blocks = filters.div_ceil(most_filters);
        // The last kernel's columns may reach beyond the filters, and filters are transformed in whole vectors.
        let reach = panels(set, most_filters).map(|(first, columns)| first + columns);
        let width = reach.max().unwrap_or(0).next_multiple_of(MOST_LANES);
        let parallel = all_rows * columns * PRODUCTS * channels * filters >= 2 * LEAST_WORK;
        let transformed = blocks * PRODUCTS * channels * width;
        with_scratch(transformed, |u: Raw<T>| {
            let large = parallel && transformed >= 4 * CHUNK;
            for_each(blocks * channels, large, |task| {
                let (block, channel) = (task / channels, task % channels);
                let call = Filters {
                    weights: weights.at(self.sliding.channels[1][channel]),
                    filters: &self.sliding.filters[1][piece(block, most_filters, filters)],
                    window: &self.sliding.window,
                    to: u.add((block * PRODUCTS * channels + channel) * width).0,
                    step: channels * width,
                };
                // SAFETY: the weights have no bounds, so all of them exist; each channel of a block has rows of U to itself.
                unsafe { (set.filters)(&call) };
            });
            let job = Job {
                set,
                plan: self,
                image,
                u,
                width,
                out: Raw(out),
            };
            // Channels of several rounds are transformed again for each block of filters, which may be another task then.
            let parts = if channels > most_channels { blocks } else { 1 };
            for_each(all_rows.div_ceil(most_rows) * parts, parallel, |task| {
                let part = Part {
                    rows: piece(task / parts, most_rows, all_rows),
                    filters: match parts {
                        1 => 0..filters,
                        _ => piece(task % parts, most_filters, filters),
                    },
                };
                // SAFETY: the parts of different tasks don't overlap in the output, and U is done.
                unsafe { job.compute(&part) };
                if let Some(finish) = finish {
                    self.stretches(&part).into_iter().for_each(finish);
                }
            });
        });
    }

    /// The stretches of the output that a part covers, as long as possible.
    fn stretches(&self, part: &Part) -> Vec<Range<usize>> {
        let rows = self.sliding.grid()[0];
        let [height, width] = self.sliding.size;
        let mut stretches: Vec<Range<usize>> = Vec::new();
        let mut first = part.rows.start;
        while first < part.rows.end {
            let image = first / rows;
            let end = part.rows.end.min((image + 1) * rows);
            let row = |tile: usize| ((tile - image * rows) * SIDE).min(height);
            for filter in &self.sliding.filters[0][part.filters.clone()] {
                for y in row(first)..row(end) {
                    let at = self.sliding.images[1][image]
                        + filter
                        + y as isize * self.sliding.row_steps[1];
                    stretches.push(at as usize..at as usize + width);
                }
            }
            first = end;
        }
        join(stretches)
    }
}

/// So many filters as the columns of kernels: the first of each, and how many there are. 16 are better done as 8 + 8 than as 12 + 4.
pub(super) fn panels<T>(
    set: &InstructionSet<T>,
    filters: usize,
) -> impl Iterator<Item = (usize, usize)> {
    let panels = filters.div_ceil(set.most_columns());
    let each = set.at_least(filters.div_ceil(panels)).0;
    let columns = move |first| set.at_least(each.min(filters - first)).0;
    (0..filters)
        .step_by(each)
        .map(move |first| (first, columns(first)))
}

/// Tiles, counted along rows, as stretches of rows: the row, the first one's column, and how many there are.
pub(super) fn stretches(
    tiles: &Range<usize>,
    columns: usize,
) -> impl Iterator<Item = (usize, usize, usize)> {
    let rows = tiles.start / columns..tiles.end.div_ceil(columns);
    let Range { start, end } = *tiles;
    rows.map(move |row| {
        let first = start.max(row * columns);
        let count = end.min((row + 1) * columns) - first;
        (row, first - row * columns, count)
    })
}

/// Rows of tiles, counted through all images, and filters, in whole blocks.
struct Part {
    rows: Range<usize>,
    filters: Range<usize>,
}

/// What all tasks of one run have in common.
struct Job<'a, T: 'static> {
    set: &'static InstructionSet<T>,
    plan: &'a Winograd,
    image: Source<T>,
    /// [block of filters, product, channel, filter], with so many filters in a row
    u: Raw<T>,
    width: usize,
    out: Raw<T>,
}

/// Where V and M are: [product, channel, tile] and [product, filter, tile].
struct Stacks<T> {
    v: Raw<T>,
    v_step: usize,
    m: Raw<T>,
    m_step: usize,
    /// tiles in a row
    tiles: usize,
}

/// Where some tiles' patches and results are.
#[derive(Default)]
struct Places {
    strips: Vec<Strip>,
    columns: Vec<usize>,
    spots: Vec<Spot>,
}

impl<T: Real> Job<'_, T> {
    /// Computes a part of the output.
    ///
    /// # Safety
    /// Nobody else uses it meanwhile; U holds the factors of all filters.
    unsafe fn compute(&self, part: &Part) {
        let [_, channels, filters] = self.plan.sliding.counts();
        let columns = self.plan.sliding.grid()[1];
        let Blocks {
            tiles: most_tiles,
            channels: most_channels,
            filters: most_filters,
            ..
        } = self.plan.blocks;
        let all = part.rows.start * columns..part.rows.end * columns;
        let tiles = most_tiles.min(all.len().next_multiple_of(self.set.lanes));
        let (v_step, m_step) = (most_channels * tiles + APART, self.width * tiles + APART);
        // A strip has a column of tiles more than tiles, and a vector may reach beyond the last one.
        let room_step = 2 * SIDE * tiles + 2 * MOST_LANES;
        with_workspace(|workspace| {
            let needed = PATCH * room_step + PRODUCTS * (v_step + m_step);
            let room: Raw<T> = reserve(&mut workspace.packed, needed);
            let v = room.add(PATCH * room_step);
            let m = v.add(PRODUCTS * v_step);
            let stacks = Stacks {
                v,
                v_step,
                m,
                m_step,
                tiles,
            };
            let mut places = Places::default();
            for first in all.clone().step_by(tiles) {
                let some = first..(first + tiles).min(all.end);
                self.plan.locate(&some, self.set.lanes, &mut places);
                for block in part.filters.clone().step_by(most_filters) {
                    let filters = block..(block + most_filters).min(filters);
                    for channel in (0..channels).step_by(most_channels) {
                        let round = channel..(channel + most_channels).min(channels);
                        if block == part.filters.start || round.len() < channels {
                            let call = Patches {
                                image: self.image.at(0),
                                channels: &self.plan.sliding.channels[0][round.clone()],
                                strips: &places.strips,
                                places: &places.columns,
                                room: room.0,
                                room_step,
                                to: stacks.v.0,
                                step: v_step,
                                channel_step: tiles,
                            };
                            // SAFETY: strips tell of what keeps all bounds, which is in the image; room has just been reserved.
                            unsafe { (self.set.patches)(&call) };
                        }
                        // SAFETY: V and U hold the factors of these, and M is ours.
                        unsafe { self.multiply(&stacks, &round, &filters, some.len()) };
                    }
                    let call = Results {
                        sums: stacks.m.0,
                        step: m_step,
                        filter_step: tiles,
                        tiles: &places.spots,
                        out: self.out.0,
                        filters: &self.plan.sliding.filters[0][filters],
                        row_step: self.plan.sliding.row_steps[1],
                    };
                    // SAFETY: all channels have been added up; these tiles and filters are the part's.
                    unsafe { (self.set.results)(&call) };
                }
            }
        });
    }

    /// M = U V for some channels (or M += U V, if these are not the first) and a block of filters.
    ///
    /// # Safety
    /// U and V hold these channels' factors; M has room for whole vectors of tiles and for a kernel's columns of filters.
    unsafe fn multiply(
        &self,
        stacks: &Stacks<T>,
        channels: &Range<usize>,
        filters: &Range<usize>,
        tiles: usize,
    ) {
        let [_, all_channels, _] = self.plan.sliding.counts();
        let lanes = self.set.lanes;
        let block = filters.start / self.plan.blocks.filters;
        let columns: [isize; MOST_COLUMNS] = std::array::from_fn(|n| (n * stacks.tiles) as isize);
        for product in 0..PRODUCTS {
            let u = ((block * PRODUCTS + product) * all_channels + channels.start) * self.width;
            let v = stacks.v.add(product * stacks.v_step);
            let m = stacks.m.add(product * stacks.m_step);
            for (f, count) in panels(self.set, filters.len()) {
                let (_, kernels) = self.set.at_least(count);
                for t in (0..tiles).step_by(2 * lanes) {
                    let vectors = (tiles - t).min(2 * lanes).div_ceil(lanes);
                    let tile = Tile {
                        depth: channels.len(),
                        wide: v.add(t).0,
                        wide_step: stacks.tiles,
                        narrow: self.u.add(u + f).0,
                        narrow_step: self.width,
                        out: m.add(f * stacks.tiles + t).0,
                        columns: columns.as_ptr(),
                        accumulate: channels.start > 0,
                    };
                    // SAFETY: the caller's promises.
                    unsafe { kernels[vectors - 1](&tile) };
                }
            }
        }
    }
}

impl Winograd {
    /// Looks up where some tiles' patches and results are. Tiles are counted along rows, down columns and through the images.
    fn locate(&self, tiles: &Range<usize>, lanes: usize, places: &mut Places) {
        let [rows, columns] = self.sliding.grid();
        let [valid_y, valid_x] = &self.sliding.valid;
        let Places {
            strips,
            columns: firsts,
            spots,
        } = places;
        strips.clear();
        firsts.clear();
        spots.clear();
        let mut to = 0;
        for (row, column, count) in stretches(tiles, columns) {
            let (image, y) = (row / rows, row % rows * SIDE);
            let x = column * SIDE;
            let start = self.sliding.images[0][image] + x as isize;
            let valid = [valid_y, valid_x];
            strips.push(Strip {
                to,
                ..Strip::new::<Image>(start, [y, x], count, self.sliding.row_steps[0], valid)
            });
            let out = self.sliding.images[1][image] + y as isize * self.sliding.row_steps[1];
            for i in 0..count {
                firsts.push(to + i * SIDE);
                spots.push(Spot {
                    at: out + (x + i * SIDE) as isize,
                    rows: (self.sliding.size[0] - y).min(SIDE),
                    columns: (self.sliding.size[1] - x - i * SIDE).min(SIDE),
                });
            }
            to += (count + 1) * SIDE;
        }
        firsts.resize(firsts.len().next_multiple_of(lanes), 0);
    }
}
