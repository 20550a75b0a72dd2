//! # device/cpu/contraction/blocking: how large the pieces are
//!
//! **In:** the [`Extents`] of a problem. **Out:** its [`Blocking`]. **Above:** the plan. **Law:** a function of the sizes and of the
//! instruction set only. The number of threads is not asked for, because another cut is another order of adding, and then other last bits.
//!
//! Where each size comes from (f32, AVX-512, a core with 32 KiB of L1 cache and 1 MiB of L2 cache):
//!
//! ```text
//! depth ≤ 512   a narrow panel of 12 columns takes 12 · 512 · 4 = 24 KiB. With the wide panels that pass by that is more than L1 holds, but all
//!               of it is read in order, so the processor fetches it from L2 in time: a kernel is as fast with 55 KiB of panels as with
//!               15. What depth saves is the output: it is read and written once in so many steps, from L3 or from memory.
//! wide block    ≤ 384 KiB packed: a third of L2, read again for every narrow panel (128 bytes in 24 cycles, of 32 a cycle). As much if staged,
//!               of which a vector is read at a time. Whole images if possible: nothing is staged twice then
//! tasks         at least 16, if that leaves half a million multiply-adds (5 µs) to each: more would not pay for being passed around
//! ```

use super::{InstructionSet, Real};
use crate::device::cpu::packing::{Reach, few_pieces};

/// Steps of K that are packed and multiplied at a time, at most, in bytes of a row.
pub(super) const DEPTH_BYTES: usize = 512 * 4;
/// Bytes of packed or staged wide operand that a task holds: together with what streams by, they stay in the L2 cache.
pub(super) const WIDE_BYTES: usize = 384 << 10;
/// Columns that a task packs for itself, at most.
pub(super) const MOST_LOCAL_COLUMNS: usize = 512;
/// Steps of K that a staged block has at least, for the sake of as many rows as a window reaches beyond them: with fewer, tiles of the output
/// would be loaded and stored too often.
const LEAST_DEPTH: usize = 64;
/// Numbers of the narrow operand that are packed for all tasks at a time, at most.
pub(super) const MOST_SHARED: usize = 4 << 20;
/// Numbers in all partial sums together, at most.
pub(super) const MOST_PARTIAL: usize = 4 << 20;
/// Tasks that a large problem should give, so that several threads share them evenly …
pub(super) const ENOUGH_TASKS: usize = 16;
/// … and multiply-adds below which another task does not pay.
pub(super) const LEAST_WORK: usize = 1 << 19;
/// Numbers that one task of the simpler kinds (adding partial sums, converting, finishing) takes care of.
pub(super) const CHUNK: usize = 1 << 14;

/// Stretches of the output that are shorter than this are not worth finishing each by itself: starting on one costs as much as
/// some hundred numbers, and fetching these from the next cache costs less.
pub(super) const SHORT: usize = 512;

/// How a contraction is cut up. It depends on the sizes and on the instruction set, never on the number of threads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Blocking {
    /// rows of a wide panel, one or two vectors
    pub wide_panel: usize,
    /// columns of a narrow panel
    pub narrow_panel: usize,
    /// rows and columns of a task; multiples of the panels
    pub wide_block: usize,
    pub narrow_block: usize,
    /// steps of K from one packing to the next
    pub depth: usize,
    /// steps of K of a task; less than all of K if partial sums are added up afterwards
    pub chunk: usize,
    /// batches that one task does, one after the other
    pub batches: usize,
    /// whether the narrow operand is packed once for all tasks
    pub shared: bool,
}

/// The extents of a contraction's four kinds of axes, with the wide side and the narrow side already told apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extents {
    pub batch: usize,
    pub wide: usize,
    pub narrow: usize,
    pub k: usize,
}

impl Blocking {
    pub fn new<T: Real>(
        set: &InstructionSet<T>,
        size: Extents,
        staged: Option<StagedBlock>,
    ) -> Blocking {
        let Extents {
            batch,
            wide,
            narrow,
            k,
        } = size;
        let mut wide_panel = if wide <= set.lanes {
            set.lanes
        } else {
            2 * set.lanes
        };
        // 16 columns are better done as 8 + 8 than as 12 + 4 …
        let most = set.most_columns();
        let mut narrow_panel = set.at_least(narrow.div_ceil(narrow.div_ceil(most))).0;
        // … and best as 16 × 16, if the other side is loaded from where it is: half as many loads of that one. Where there is no such kernel, one
        // vector has too few columns to hide the time that an addition takes.
        let single = set.in_place[0][0].0;
        if staged.is_some()
            && single > most
            && narrow.next_multiple_of(single) <= narrow.next_multiple_of(narrow_panel)
        {
            (wide_panel, narrow_panel) = (set.lanes, single);
        }
        let depth = match staged {
            Some(StagedBlock { depth, .. }) => depth,
            None => k.div_ceil(k.div_ceil(DEPTH_BYTES / size_of::<T>())),
        };
        let work = batch * wide * narrow * k;
        let tasks = (work / LEAST_WORK).clamp(1, ENOUGH_TASKS);
        let wanted = tasks.div_ceil(batch);
        let rows = match staged {
            Some(StagedBlock { rows, .. }) => rows,
            None => WIDE_BYTES / size_of::<T>() / depth,
        };
        let most_wide = (rows / wide_panel).max(1) * wide_panel;
        let mut blocking = Blocking {
            wide_panel,
            narrow_panel,
            wide_block: wide.next_multiple_of(wide_panel),
            narrow_block: narrow
                .min(MOST_LOCAL_COLUMNS)
                .next_multiple_of(narrow_panel),
            depth,
            chunk: k,
            batches: 1,
            shared: false,
        };
        let chunks = wanted
            .min(k / (2 * depth))
            .min(MOST_PARTIAL / (batch * wide * narrow).max(1));
        if wide <= most_wide && wanted <= narrow.div_ceil(96).max(1) {
            // All rows at once; several tasks along the columns, if any.
            let columns = narrow.div_ceil(wanted).min(MOST_LOCAL_COLUMNS);
            blocking.narrow_block = columns.next_multiple_of(narrow_panel);
            blocking.batches = (LEAST_WORK * batch / work.max(1)).clamp(1, batch);
        } else if chunks > wide.div_ceil(wide_panel) {
            // A small output with a long K (the gradient of a convolution's weights): partial sums.
            blocking.chunk = k.div_ceil(depth).div_ceil(chunks) * depth;
        } else {
            let blocks = wide
                .div_ceil(most_wide)
                .max(wanted.min(wide.div_ceil(wide_panel)));
            let multiple = staged.map_or(1, |staged| staged.multiple).max(wide_panel);
            blocking.wide_block = wide.div_ceil(blocks).next_multiple_of(multiple);
            blocking.shared = blocking.wide_block < wide;
            if blocking.shared {
                blocking.narrow_block = narrow.next_multiple_of(narrow_panel);
            }
        }
        blocking
    }
}

/// How much of an operand is staged at a time, see [`Staged`](crate::device::cpu::packing::Staged).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct StagedBlock {
    /// steps of K, in whole units
    depth: usize,
    /// rows, at most
    rows: usize,
    /// and a multiple of these
    multiple: usize,
}

impl StagedBlock {
    /// As deep as a packed block, if so many rows fit then that most of what is staged is not what windows reach beyond them.
    pub fn new<T: Real>(
        set: &InstructionSet<T>,
        size: Extents,
        reach: Reach,
    ) -> Option<StagedBlock> {
        let Reach {
            unit,
            planes,
            image,
            beyond,
        } = reach;
        let units = size.k / unit;
        let deepest = DEPTH_BYTES / size_of::<T>() / unit;
        if deepest == 0 || beyond > image || !few_pieces(set.lanes, image) {
            return None;
        }
        (units.div_ceil(deepest)..=units)
            .map(|blocks| {
                let units = units.div_ceil(blocks);
                let room = WIDE_BYTES / size_of::<T>() / (units * planes);
                let rows = room.saturating_sub(2 * beyond) * image / (image + beyond);
                // Whole images if possible: nothing is staged twice, and a task's results are few long stretches of the output.
                let whole = rows >= image && image.is_multiple_of(2 * set.lanes);
                let multiple = if whole { image } else { 1 };
                StagedBlock {
                    depth: units * unit,
                    rows: rows / multiple * multiple,
                    multiple,
                }
            })
            .take_while(|block| block.depth >= LEAST_DEPTH.min(size.k))
            .find(|block| block.rows >= size.wide.min((2 * beyond).max(4 * set.lanes)))
    }
}

/// Cycles that the kernels take for one step of K, if `wide` numbers are the rows and `narrow` the columns: one multiply-add or
/// two loads a cycle, and at least the four cycles after which a sum can be added to again.
pub(super) fn cost<T: Real>(set: &InstructionSet<T>, wide: usize, narrow: usize) -> usize {
    let (rows, columns) = (2 * set.lanes, set.most_columns());
    let (last_rows, last_columns) = (wide % rows, narrow % columns);
    let mut cycles = 0;
    for (vectors, down) in [
        (2, wide / rows),
        (last_rows.div_ceil(set.lanes), (last_rows > 0) as usize),
    ] {
        for (columns, across) in [
            (columns, narrow / columns),
            (set.at_least(last_columns).0, (last_columns > 0) as usize),
        ] {
            cycles += down
                * across
                * (vectors * columns)
                    .max((vectors + columns).div_ceil(2))
                    .max(4);
        }
    }
    cycles
}
