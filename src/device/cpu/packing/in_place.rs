//! # device/cpu/packing/in_place: not packing at all
//!
//! **In:** an [`Operand`] whose rows come in runs. **Out:** where a kernel finds its vectors. **Above:** [`contraction`](crate::device::cpu::contraction), which
//! decides. **Below:** [`microkernel`](crate::device::cpu::microkernel).
//!
//! A panel is worth its stores if many columns use it. A 3 × 3 window over an image of 16 channels stores each number nine times, and
//! then multiplies each by 16: packing took as long as a third of the arithmetic. But the image is there already: at each step the
//! panel's rows are an image's line, shifted. So the kernel loads them from there, with a mask for what a bound forbids and up to
//! three loads where a vector holds pieces of several lines:
//!
//! ```text
//!  lines of 12 numbers, a window of 3, step kx = 1 for rows 0 … 15:
//!   a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 a11          from a1: lanes 0 … 9
//!   b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 b10 b11          from b1: lanes 10 … 15
//! ```
//!
//! The loads hide behind the multiply-adds (32 × 8: two loads and 8 broadcasts for 16), unless they wait for memory, and nothing that walks
//! through memory in order is there for the processor to foresee. So the kernel asks for the next panel's numbers while it multiplies this one's.
//!
//! **Tried and lost:** in place whatever the columns (with 64 of them, a vector of two runs is loaded six times; packed, once: 59 instead of 68
//! GFLOP/s); with few steps (the output is written in worse order: 24 instead of 39). With many columns it is better to stage
//! ([`staged`](super::staged)): masks alone cost a tenth of the kernel's time.

use super::{Method, Operand, Piece, Steps, bits};
use crate::device::cpu::microkernel::{InstructionSet, Real};
use std::ops::Range;

/// The most runs that are loaded into one vector where they are, and how short these may be: with 8 numbers or more, 16 lanes touch no more than 3.
pub(in crate::device::cpu) const MOST_PIECES: usize = 3;
const LEAST_IN_PLACE: usize = 8;

/// A panel of rows that nobody has packed: where its vectors are to be loaded from at each step.
pub(in crate::device::cpu) struct InPlace<'a, T> {
    /// for each vector, the address that lane 0 would have in each of its runs, without the step's contribution …
    pub from: [[*const T; MOST_PIECES]; 2],
    /// … and the lanes that the run has
    pub lanes: [[u32; MOST_PIECES]; 2],
    /// the most runs that a vector has, or 0 if each has one whose surplus lanes may be loaded too, at every step
    pub pieces: usize,
    /// from these rows to the next ones, which a kernel asks for while it multiplies these: nobody else sees that they will be needed
    pub ahead: isize,
    /// contribution of each step to the address
    pub steps: &'a [isize],
    /// for each step, the rows that keep all bounds
    pub masks: &'a [u32],
}

impl Operand {
    /// If a kernel could load the rows from where they are, instead of from a panel, as they come in runs of which a vector holds a few: the
    /// length of the shortest run.
    pub(in crate::device::cpu) fn in_place(&self) -> Option<usize> {
        if self.method != Method::Runs {
            return None;
        }
        let all = 0..self.address.rows.count();
        let shortest = self.runs(all).map(|run| run.2).min();
        shortest.filter(|&run| run >= LEAST_IN_PLACE)
    }

    /// The rows of a panel where they are, for the steps that were prepared.
    pub(in crate::device::cpu) fn locate<'a, T: Real>(
        &self,
        set: &InstructionSet<T>,
        source: *const T,
        steps: &'a mut Steps,
        rows: Range<usize>,
    ) -> InPlace<'a, T> {
        if self.bounds.is_empty() {
            let all = bits(0, rows.len());
            steps.masks.clear();
            steps.masks.resize(steps.address.values.len(), all);
        } else {
            self.mask(steps, rows.clone());
        }
        let all = &self.address.rows;
        let next = rows.end.min(all.count() - 1);
        let ahead = all.at(next) - all.at(rows.start);
        steps.pieces.clear();
        self.cut(set.lanes, rows, &mut steps.pieces);
        InPlace {
            ahead,
            ..InPlace::new(source, &steps.pieces, &steps.address.values, &steps.masks)
        }
    }
}

impl<'a, T> InPlace<'a, T> {
    /// Whole vectors, one after the other.
    pub(super) fn whole(start: *const T, lanes: usize, steps: &'a [isize]) -> InPlace<'a, T> {
        InPlace {
            ahead: 0,
            from: std::array::from_fn(|vector| [start.wrapping_add(vector * lanes); MOST_PIECES]),
            lanes: [[0; MOST_PIECES]; 2],
            pieces: 0,
            steps,
            masks: &[],
        }
    }

    /// From pieces in the order of their vectors.
    pub(super) fn new(
        source: *const T,
        pieces: &[Piece],
        steps: &'a [isize],
        masks: &'a [u32],
    ) -> InPlace<'a, T> {
        let mut found = InPlace {
            ahead: 0,
            from: [[source; MOST_PIECES]; 2],
            lanes: [[0; MOST_PIECES]; 2],
            pieces: 1,
            steps,
            masks,
        };
        let mut counts = [0; 2];
        for piece in pieces {
            let count = &mut counts[piece.vector];
            if *count == 0 {
                // What is not needed is not looked at, but it should be nearby all the same: processors take their time over
                // a load with an address that isn't there, even if it loads nothing.
                found.from[piece.vector] = [source.wrapping_offset(piece.from); MOST_PIECES];
            }
            found.from[piece.vector][*count] = source.wrapping_offset(piece.from);
            found.lanes[piece.vector][*count] = piece.mask;
            *count += 1;
            found.pieces = found.pieces.max(*count);
        }
        found
    }
}
