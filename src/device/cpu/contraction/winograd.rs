//! # device/cpu/contraction/winograd: windows of 3 × 3 with a quarter of the multiplications
//!
//! **In:** the two views of a contraction, one of which slides a window of 3 × 3 over the other's rows and columns. **Out:** its output.
//! **Above:** [`Contraction`](super::Contraction), which asks whether this pays. **Below:** [`run`], `transforms` and the micro-kernel.
//!
//! A convolution multiplies polynomials: one's coefficients are a line of the image, the other's are a filter's. A polynomial of five
//! coefficients is known as well by its values at six points, and *values* are multiplied one by one. So instead of sliding the filter over the
//! line, evaluate both at six points, multiply six times, and find the four results that lie between. That is Winograd's minimal filtering
//! F(4, 3) (Winograd 1980, "Arithmetic complexity of computations"): six multiplications for four results of a filter of three, instead
//! of twelve. In two directions, one after the other, it is F(4 × 4, 3 × 3) (Lavin & Gray 2015, "Fast algorithms for convolutional
//! neural networks", arXiv 1509.09308): 36 instead of 144.
//!
//! ```text
//!  image                    patch d, 6 × 6            V = Bᵀ d B
//!   ┌──┬──┬──┬─ ┐            ┌ ─ ─ ─ ┐                 36 numbers ─┐
//!   │  │  │  │               ╎ ┌───┐ ╎                             │   M = Σ U ⊙ V          Y = Aᵀ M A
//!   ├──┼──┼──┼─    tiles of  ╎ │4×4│ ╎  overlap by 2               ├─▶ 36 products, each ─▶ 4 × 4 results
//!   │  │  │  │       4 × 4   ╎ └───┘ ╎                             │   a sum over channels
//!   └──┴──┴──┴─              └ ─ ─ ─ ┘   filter g, 3 × 3           │
//!                                        U = G g Gᵀ  36 numbers ───┘
//! ```
//!
//! Summed over channels, each of the 36 is a product of matrices, filters × channels times channels × tiles, and these are what the
//! micro-kernel is for. All transforms are linear, so they need additions, and multiplications by constants, alone; that they are few compared with
//! the products is what channels are needed for on both sides. The gradient of the image is the same thing: the gradient of the output
//! is slid over the filters turned around, which is a view with negative strides, and these are all that a view is asked for here.
//!
//! **The points** are 0, ±¾, ±3/2 and ∞. A polynomial's value at a large point is a small difference of large numbers, so where they are
//! decides how exact the results are; 0, ±1, ±2, ∞ are in most textbooks, and lose four times as much (Barabasz et al. 2018, "Error analysis and
//! improving the accuracy of Winograd convolution for deep neural networks"). All constants of A and B are exact in f32 with the points chosen.
//! The largest error, over the root mean square of the results, of normally distributed numbers, each operation rounded by itself:
//!
//! ```text
//!   channels      one product after the other     0 ±1 ±2 ∞      0 ±1 ±½ ∞      0 ±¾ ±3/2 ∞
//!      16                 1.1e-6                    1.0e-5         1.1e-5         2.7e-6
//!      64                 3.0e-6                    1.3e-5         1.8e-5         5.6e-6
//!     512                 8.1e-6                    8.8e-5         4.8e-5         1.3e-5
//! ```
//!
//! So it costs about one bit of 24. (Measured here, with fused multiply-adds: 2.7e-6, 5.1e-6 and 5.5e-6, see the tests.) But the error is relative to the largest number of a *patch*, not of the window: beside a number
//! that is a million times as large as the others, these others' results lose six digits, and an infinity makes all results of its patch NaN.
//! Who can't have that sets `WINO=0` in the environment, and all windows are slid.
//!
//! **How it is cut up.** A task owns rows of tiles, whole images if it can, so that their results are few long stretches of the output. It
//! transforms as many tiles at a time as leave V and M in the L2 cache: 36 · (64 channels + 64 filters) · 16 tiles · 4 bytes = 295 KB;
//! 448 KiB and four vectors of tiles at most. More channels than 128 are added in several rounds; more filters than 128 are done one block
//! after the other, with the patches transformed anew for each if there are several rounds. U is made before, once for all tasks.
//!
//! **What to expect.** Cycles for 16 tiles with vectors of 16, C channels and O filters: 36 · C · O for the products; for the transforms, 36
//! vectors of patches are stored at half a vector a cycle (72), fetched from L2 at half a line a cycle and as many evicted (144), and computed by
//! some 120 multiply-adds and 70 permutations meanwhile: about 300 were measured, 700 where images don't fit into any cache, and as many for
//! the results. The window slid takes 144 · C · O, and with few filters the loads cost as much again: each row is a piece of its own, loaded for
//! each place of the window. Hence 16 channels: 36,864 → 9,216 + 9,600, **twice as fast**; 64: 590,000 → 147,000 + 38,000, **three times**.
//! Measured, in ms on one thread (AMD Zen 4):
//!
//! ```text
//!   images      channels     slid    so         slid with AVX2, so      with SSE2, so
//!   64×32×32    16 → 16      3.43    1.54          –       1.67         11.5    4.19
//!   64×8×8      64 → 64      2.97    1.01         4.32     1.16         12.1    2.98
//!   4×14×14     256 → 256    8.83    4.10          –       6.76         39.8    14.0
//!   1×14×14     64 → 64      0.183   0.094        0.263    0.159        0.649   0.354
//!   8×56×56     64 → 64      18.1    7.3
//!   128×13×13   16 → 8       1.26    0.62
//!   128×28×28   8 → 8        1.85    1.54
//!   64×32×32    3 → 16       0.96    1.04   (so it is slid)
//! ```
//!
//! **Tried and lost:** V and M as large as 900 KB (a tenth slower); the image's rows without asking for the next channel's while this one's are
//! worked on (4 to 10 % slower: each channel is another place in memory); U with a few numbers to spare in each row, for kernels that reach
//! beyond the last filter (a tenth slower with 64: it no longer fits beside V and M).
//!
//! Laws: those of [`contraction`](super). A result depends on its patch and on the filters alone: not on where blocks and tasks begin.

pub(super) mod gradient;
mod run;
mod sliding;
#[cfg(test)]
pub(in crate::device::cpu::contraction) mod tests;
pub(in crate::device::cpu) mod transforms;

use super::blocking::{ENOUGH_TASKS, cost};
use super::plan::FEW_COLUMNS;
use super::{Axes, InstructionSet, Real};
use crate::shape::view::View;
use sliding::{Sliding, output};
use transforms::{PRODUCTS, SIDE, WINDOW};

/// Bytes that transformed patches and their products take together, and vectors of tiles, at most.
const BYTES: usize = 448 << 10;
const MOST_VECTORS: usize = 4;
/// Channels, and filters, that are multiplied at a time, at most.
const MOST_DEPTH: usize = 128;
/// Tiles that a task has, at most.
const MOST_TILES: usize = 256;
/// Cycles that it takes to transform a vector of patches or of results (300 in the caches, 700 if most is in memory), and one of filters.
const TILE_CYCLES: usize = 450;
const FILTER_CYCLES: usize = 600;
/// Cycles that it takes to load a piece of a row where a window is slid.
const PIECE_CYCLES: usize = 3;

/// A plan: see the [module](self). The tiled view is the output, the one with windows are the weights.
#[derive(Clone, Debug)]
pub(super) struct Winograd {
    sliding: Sliding,
    blocks: Blocks,
}

/// How it is cut up.
#[derive(Clone, Debug)]
struct Blocks {
    /// tiles that are transformed at a time, a multiple of a vector
    tiles: usize,
    /// rows of tiles of a task
    rows: usize,
    /// channels, and filters, that are multiplied at a time
    channels: usize,
    filters: usize,
}

impl Winograd {
    /// A plan, if the views have this form and it pays.
    pub fn new<T: Real>(
        set: &InstructionSet<T>,
        [outer, reduced]: [&[usize]; 2],
        views: [&View; 2],
    ) -> Option<Winograd> {
        let windows = reduced.iter().filter(|&&size| size == WINDOW).count();
        if windows < 2 || crate::helpers::getenv("WINO", 1) == 0 {
            return None;
        }
        let plan = Winograd::of(set, [outer, reduced], views)?;
        plan.pays(set).then_some(plan)
    }

    /// A plan, if the views have this form.
    fn of<T: Real>(
        set: &InstructionSet<T>,
        [outer, reduced]: [&[usize]; 2],
        views: [&View; 2],
    ) -> Option<Winograd> {
        let sliding = Sliding::of_either(views, |image, weights, swapped| {
            let Axes { batch, m, n, k } = Axes::classify(outer, reduced, image, weights);
            // The columns are the output's innermost axis.
            let column = *m.last()?;
            let innermost = (0..outer.len()).rev().find(|&axis| outer[axis] != 1);
            if !batch.is_empty() || innermost != Some(column) {
                return None;
            }
            let tiled = output(outer, reduced);
            Sliding::find([&m, &n, &k], column, image, tiled, weights.clone(), swapped)
        })?;
        let blocks = Blocks::new(set.lanes, sliding.counts(), sliding.size);
        Some(Winograd { sliding, blocks })
    }

    /// Whether this takes less time than sliding the window: a tenth less at least, as the counting is rough.
    fn pays<T: Real>(&self, set: &InstructionSet<T>) -> bool {
        let [images, channels, filters] = self.sliding.counts();
        let [rows, columns] = self.sliding.grid();
        let vectors = (images * rows * columns).div_ceil(set.lanes);
        let products = PRODUCTS * channels * filters;
        // An eighth for beginning and ending a tile of so few steps.
        let cycles = vectors * (products + products / 8 + TILE_CYCLES * (channels + filters))
            + channels * filters.div_ceil(set.lanes) * FILTER_CYCLES;
        let [height, width] = self.sliding.size;
        let wide = images * height * width;
        // Numbers that are not packed are loaded in pieces, vectors and ends of rows, again for each panel of filters.
        let pieces = match filters < FEW_COLUMNS {
            true => wide / set.lanes + wide / width,
            false => wide / set.lanes,
        };
        let loads = PIECE_CYCLES * pieces * filters.div_ceil(set.most_columns());
        let slid = (cost(set, wide, filters) + loads) * WINDOW * WINDOW * channels;
        cycles + cycles / 9 < slid
    }

    /// Bytes of its tables.
    pub fn bytes(&self) -> usize {
        self.sliding.bytes()
    }

    /// What runs, in words.
    pub fn describe(&self) -> String {
        let [images, channels, filters] = self.sliding.counts();
        let [rows, columns] = self.sliding.size;
        let tiles = self.blocks.tiles;
        format!(
            "{images}×{rows}×{columns}×[{channels} × {filters}], winograd 4×4 of 3×3, {tiles} tiles at a time"
        )
    }
}

impl Blocks {
    /// A function of the sizes and of the vectors' length only.
    fn new(lanes: usize, [images, channels, filters]: [usize; 3], size: [usize; 2]) -> Blocks {
        let even = |count: usize| count.div_ceil(count.div_ceil(MOST_DEPTH));
        let (channels, filters) = (even(channels), even(filters));
        let most = BYTES / size_of::<f32>() / (PRODUCTS * (channels + filters));
        let tiles = (most / lanes).clamp(1, MOST_VECTORS) * lanes;
        let [rows, columns] = size.map(|size| size.div_ceil(SIDE));
        let all = images * rows;
        // Half a vector for the beginning of a task, and as much again for stretches of the output that are no whole images.
        let cost = |&each: &usize| {
            let vectors = (each * columns).div_ceil(lanes);
            let breaks = !each.is_multiple_of(rows) && !rows.is_multiple_of(each);
            all.div_ceil(each) * (2 * vectors + 1 + breaks as usize)
        };
        let most = (all / ENOUGH_TASKS).max(2 * lanes / columns);
        let most = most.min(MOST_TILES / columns).clamp(1, all);
        Blocks {
            tiles,
            rows: (1..=most).rev().min_by_key(cost).unwrap_or(1),
            channels,
            filters,
        }
    }
}
