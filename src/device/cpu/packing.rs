//! # device/cpu/packing: operands, from wherever a view says they are, into the order in which a kernel eats them
//!
//! **In:** a buffer and an `Operand`: where its elements are, for each row, step of K and batch. **Out:** panels.
//! **Above:** [`contraction`](super::contraction). **Below:** [`microkernel`](super::microkernel), which also compiles `fill` for
//! the processor at hand.
//!
//! A kernel wants to walk straight through memory: all numbers of step 0, then all of step 1, … A *panel* is that order, for as many
//! rows (or columns: this file calls both rows) as a kernel has:
//!
//! ```text
//!  operand, seen as a matrix (rows × K)         panels of 4 rows, as they lie in memory
//!   r0  a0 a1 a2 …                               a0 b0 c0 d0 │ a1 b1 c1 d1 │ a2 b2 c2 d2 │ …
//!   r1  b0 b1 b2 …                               e0 f0 g0 h0 │ e1 f1 g1 h1 │ …
//!   r2  c0 c1 c2 …
//!   r3  d0 d1 d2 …                               (the last panel may lack rows; those places hold anything, and
//!   r4  e0 e1 e2 …                                what the kernel makes of them is not stored)
//! ```
//!
//! There is no matrix, of course. There is a view with any number of axes, some of which are rows and some K. But a view's address
//! is a sum over its axes, so it splits into **`address[r, k] = batch + rows[r] + steps[k]`**, and each part is a small table
//! (`Affine`). The value of a bound (see [`shape::view`](crate::shape::view)) is such a sum too. That is all that matmul, convolution
//! and its two gradients have to do with each other, and it is enough: none of them is mentioned below.
//!
//! Filling a panel costs one load and one store a number, against the few multiply-adds which that number takes part in: for 8
//! output channels a number is worth half a cycle of arithmetic. So *how* it is copied decides the speed. The ways, chosen by the strides:
//!
//! - **runs**: among the rows are runs of neighbours in memory (an image's line, under a sliding window). They are found once a panel and then
//!   copied at each step in chunks of constant size, which may read over the run's end; the next run overwrites the surplus.
//! - **runs of every second** number, under a window with stride 2: two vectors are loaded and every second number kept.
//! - **transposed**: the neighbours are along K. Blocks of 16 (a vector of) rows × 4 steps are turned in registers. A run that is no multiple
//!   of 4 does its last steps twice rather than one by one.
//! - **gathered**: no neighbours anywhere; one number at a time.
//!
//! Or it isn't copied at all: runs can be loaded where they are, which is better if few columns want them (`packing::in_place`). And what
//! windows share is copied once for each place in a line, not for each place (`packing::staged`).
//!
//! Laws:
//! 1. Nothing outside of the readable range is touched, and a number that breaks a bound is packed as 0 whatever memory holds there
//!    (it may be read if it is in range: a comparison with a mask is cheaper than a branch). A panel that comes too close to
//!    an end of the buffer is gathered with a look at each number.
//! 2. Packing changes no value, so the way chosen cannot change a result.

mod affine;
mod fill;
mod in_place;
mod staged;

use super::microkernel::{InstructionSet, Real};
use crate::shape::view::View;
pub(super) use affine::Affine;
use fill::Piece;
pub(super) use fill::{Panel, fill};
pub(super) use in_place::{InPlace, MOST_PIECES};
pub(super) use staged::{Reach, Staged, few_pieces};
use std::ops::Range;

/// The most rows that a panel has: two vectors of 16.
pub(super) const MOST_ROWS: usize = 32;

// ---- Operands --------------------------------------------------------

/// How the elements of a panel are found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    /// load runs of rows, several into one vector
    Runs,
    /// the same where rows are next to neighbours: of twice as many numbers every second one is kept
    Alternate,
    /// turn blocks of rows that are contiguous along K
    Transposed,
    /// one by one
    Gathered,
    /// one by one, and only where the mask allows it
    Guarded,
}

/// A function of row, step and batch: the address, or the value of a bound.
#[derive(Clone, Debug)]
struct Separated {
    rows: Affine,
    steps: Affine,
    batches: Vec<isize>,
}

impl Separated {
    /// The smallest and the largest contribution of some rows.
    fn reach(&self, rows: Range<usize>) -> (isize, isize) {
        let (mut low, mut high) = (isize::MAX, isize::MIN);
        for (_, start, length) in self.rows.stretches(rows) {
            let end = start + (length as isize - 1) * self.rows.step;
            (low, high) = (low.min(start).min(end), high.max(start).max(end));
        }
        (low, high)
    }
}

/// The axes of the loop space, by the part that each plays for an operand.
pub(super) struct Roles<'a> {
    /// size of each axis
    pub sizes: &'a [usize],
    /// the axes that are counted as rows, as K and as batches
    pub rows: &'a [usize],
    pub steps: &'a [usize],
    pub batches: &'a [usize],
}

/// Where an operand's elements are, as a matrix of rows × steps for each batch.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    address: Separated,
    /// value and size of each bound
    bounds: Vec<(Separated, usize)>,
    method: Method,
}

impl Operand {
    /// Separates a view's address and bounds.
    pub fn new(view: &View, roles: &Roles) -> Operand {
        let functions: Vec<&[isize]> = std::iter::once(&view.strides[..])
            .chain(view.bounds.iter().map(|bound| &bound.coefs[..]))
            .collect();
        let offsets =
            std::iter::once(view.offset).chain(view.bounds.iter().map(|bound| bound.offset));
        let rows = Affine::tabulate(roles.rows, roles.sizes, &functions);
        let steps = Affine::tabulate(roles.steps, roles.sizes, &functions);
        let batches = Affine::tabulate(roles.batches, roles.sizes, &functions);
        let batch_count: usize = roles
            .batches
            .iter()
            .map(|&axis| roles.sizes[axis])
            .product();
        let mut parts = rows.into_iter().zip(steps).zip(batches).zip(offsets).map(
            |(((rows, steps), batch), offset)| {
                let mut batches = Vec::with_capacity(batch_count);
                batch.append(0..batch_count, offset, &mut batches);
                Separated {
                    rows,
                    steps,
                    batches,
                }
            },
        );
        let address = parts.next().expect("a view has an address");
        let bounds = parts
            .zip(view.bounds.iter().map(|bound| bound.size))
            .collect();
        let run = |part: &Affine, step| if part.step == step { part.inner } else { 1 };
        // Long runs of rows are best: they need no turning. Very short ones lose to turning, if K offers a block's worth.
        let alternate = run(&address.rows, 2);
        let method = match (run(&address.rows, 1).max(alternate), run(&address.steps, 1)) {
            (rows, steps @ 4..) if rows < 8 && rows < steps => Method::Transposed,
            (rows @ 3.., _) if rows == alternate => Method::Alternate,
            (3.., _) => Method::Runs,
            _ => Method::Gathered,
        };
        Operand {
            address,
            bounds,
            method,
        }
    }

    /// Bytes of its tables.
    pub fn bytes(&self) -> usize {
        let functions = std::iter::once(&self.address).chain(self.bounds.iter().map(|(f, _)| f));
        let bytes = |f: &Separated| f.rows.bytes() + f.steps.bytes() + size_of_val(&f.batches[..]);
        functions.map(bytes).sum()
    }

    /// How it is packed, in a word.
    pub fn method(&self) -> &'static str {
        match self.method {
            Method::Runs => "in runs",
            Method::Alternate => "in runs of every second",
            Method::Transposed => "transposed",
            Method::Gathered | Method::Guarded => "gathered",
        }
    }

    /// Looks up what all panels of a range of K share.
    pub fn prepare(&self, batch: usize, range: Range<usize>, steps: &mut Steps) {
        steps.key.clear();
        steps.runs.clear();
        let mut next = isize::MIN;
        for (k, start, length) in self.address.steps.stretches(range.clone()) {
            // Stretches that were cut for the sake of the other operand, or of a bound, are one to this one.
            match steps.runs.last_mut() {
                Some((_, run)) if start == next => *run += length,
                _ => steps.runs.push((k - range.start, length)),
            }
            next = start + length as isize * self.address.steps.step;
        }
        steps.address.look_up(
            &self.address.steps,
            range.clone(),
            self.address.batches[batch],
        );
        steps
            .bounds
            .resize_with(self.bounds.len(), Default::default);
        for ((bound, _), values) in self.bounds.iter().zip(&mut steps.bounds) {
            values.look_up(&bound.steps, range.clone(), bound.batches[batch]);
        }
    }

    /// Packs some rows for the steps that were prepared: number (r, k) goes to `to[k · width + r]`.
    ///
    /// # Safety
    /// The processor has the instruction set. `source` points at the buffer's element 0, and the elements in `readable` may be read.
    /// `to` has room for `width` numbers for each step, and for whole vectors behind the last one's if `width` is no panel's. At most `width` rows and
    /// at most [`MOST_ROWS`].
    #[allow(clippy::too_many_arguments)]
    pub unsafe fn pack<T: Real>(
        &self,
        set: &InstructionSet<T>,
        source: *const T,
        readable: &Range<isize>,
        steps: &mut Steps,
        rows: Range<usize>,
        to: *mut T,
        width: usize,
    ) {
        let count = rows.len();
        debug_assert!(count <= width && count <= MOST_ROWS);
        let masked = !self.bounds.is_empty() && self.mask(steps, rows.clone());
        let by_runs = matches!(self.method, Method::Runs | Method::Alternate);
        let step = self.address.rows.step;
        let mut addresses = [0; MOST_ROWS];
        let (mut low, mut high) = (isize::MAX, isize::MIN);
        for (row, start, length) in self.runs(rows.clone()) {
            let at = row - rows.start;
            for (j, address) in addresses[at..at + length].iter_mut().enumerate() {
                *address = start + j as isize * step;
            }
            let end = start + (length as isize - 1) * step;
            (low, high) = (low.min(start).min(end), high.max(start).max(end));
        }
        steps.pieces.clear();
        if by_runs {
            self.cut(set.lanes, rows, &mut steps.pieces);
        }
        let faultless = set.faultless && self.method == Method::Runs;
        if !faultless {
            // Whole vectors are read, whatever the mask (two for each, where only every second number is wanted).
            low = steps
                .pieces
                .iter()
                .fold(low, |low, piece| low.min(piece.from));
            high = steps.pieces.iter().fold(high, |high, piece| {
                high.max(piece.from + set.lanes as isize * step - 1)
            });
        }
        let (low, high) = (low + steps.address.low, high + steps.address.high);
        let safe = (low >= readable.start && high < readable.end) || faultless;
        let first = addresses[0];
        addresses[count..].fill(first); // rows that a block of four has too many: anything readable
        let panel = Panel {
            source,
            to,
            width,
            count,
            addresses: &addresses,
            pieces: &steps.pieces,
            steps: &steps.address.values,
            step_runs: &steps.runs,
            masks: if masked { &steps.masks } else { &[] },
            method: if safe { self.method } else { Method::Guarded },
        };
        // SAFETY: the caller's promises, and every address that the method touches has just been checked (or will be, if guarded).
        unsafe { (set.fill)(&panel) }
    }

    /// The evenly spaced runs among some rows, as long as they are in memory: (row, address, length).
    /// Stretches that were cut for the sake of a bound are one: an image's lines, if windows neither skip nor leave any of its numbers.
    fn runs(&self, rows: Range<usize>) -> impl Iterator<Item = (usize, isize, usize)> {
        let step = self.address.rows.step;
        let mut stretches = self.address.rows.stretches(rows).peekable();
        std::iter::from_fn(move || {
            let (row, start, mut length) = stretches.next()?;
            while let Some((_, _, more)) =
                stretches.next_if(|(_, next, _)| *next == start + length as isize * step)
            {
                length += more;
            }
            Some((row, start, length))
        })
    }

    /// Cuts runs where a vector ends.
    fn cut(&self, lanes: usize, rows: Range<usize>, pieces: &mut Vec<Piece>) {
        let step = self.address.rows.step;
        for (row, start, length) in self.runs(rows.clone()) {
            let at = row - rows.start;
            let (mut lane, end) = (at, at + length);
            while lane < end {
                let vector = lane / lanes;
                let until = end.min((vector + 1) * lanes);
                pieces.push(Piece {
                    vector,
                    from: start + ((vector * lanes) as isize - at as isize) * step,
                    mask: bits(lane - vector * lanes, until - vector * lanes),
                });
                lane = until;
            }
        }
    }

    /// Fills `steps.masks`: bit r of mask k tells whether number (r, k) keeps all bounds. Answers whether any breaks one.
    ///
    /// A bound's value is rows[r] + steps[k], and there are few different steps[k] (a window of 3 × 3 has 3 for each of its axes), so the rows are
    /// compared once for each value between the smallest and the largest and then looked up.
    fn mask(&self, steps: &mut Steps, rows: Range<usize>) -> bool {
        let Steps {
            address,
            bounds,
            masks,
            table,
            key,
            next_key,
            ..
        } = steps;
        let full = bits(0, rows.len());
        let depth = address.values.len();
        // Many panels are alike: the same part of a line, and away from the first and the last one. Then the masks are as they were.
        next_key.clear();
        next_key.push(rows.len() as isize);
        for ((bound, size), steps) in self.bounds.iter().zip(&*bounds) {
            let (low, high) = bound.reach(rows.clone());
            if steps.low + low < 0 || steps.high + high >= *size as isize {
                let stretches = bound.rows.stretches(rows.clone());
                next_key.extend(stretches.flat_map(|(_, start, length)| [start, length as isize]));
            }
            next_key.push(isize::MIN);
        }
        if next_key == key {
            return masks.iter().any(|&mask| mask != full);
        }
        std::mem::swap(key, next_key);
        masks.clear();
        masks.resize(depth, full);
        for ((bound, size), steps) in self.bounds.iter().zip(bounds) {
            let step = bound.rows.step;
            // Most steps lie so far inside that no row can leave: only the others are compared row by row.
            let (low, high) = bound.reach(rows.clone());
            let inside = |from: isize, to: isize| from + low >= 0 && to + high < *size as isize;
            if inside(steps.low, steps.high) {
                continue;
            }
            let keeps = |value: isize| {
                if inside(value, value) {
                    return full;
                }
                let stretches = bound.rows.stretches(rows.clone());
                let kept = |(row, start, length)| {
                    kept(start + value, step, length, *size as isize) << (row - rows.start)
                };
                stretches.map(kept).fold(0, |mask, bits| mask | bits)
            };
            if steps.high - steps.low < depth as isize {
                table.clear();
                table.extend((steps.low..=steps.high).map(keeps));
                for (mask, value) in masks.iter_mut().zip(&steps.values) {
                    *mask &= table[(value - steps.low) as usize];
                }
            } else {
                for (mask, &value) in masks.iter_mut().zip(&steps.values) {
                    *mask &= keeps(value);
                }
            }
        }
        masks.iter().any(|&mask| mask != full)
    }
}

/// Ones from bit `low` up to, not including, bit `high`.
fn bits(low: usize, high: usize) -> u32 {
    if low < high {
        (u32::MAX >> (32 - (high - low))) << low
    } else {
        0
    }
}

/// Bit j tells whether 0 ≤ start + j · step < size, for j below `length`.
fn kept(start: isize, step: isize, length: usize, size: isize) -> u32 {
    let clamp = |j: isize| j.clamp(0, length as isize) as usize;
    match step {
        0 => bits(
            0,
            if (0..size).contains(&start) {
                length
            } else {
                0
            },
        ),
        1 => bits(clamp(-start), clamp(size - start)),
        -1 => bits(clamp(start - size + 1), clamp(start + 1)),
        _ => (0..length).fold(0, |mask, j| {
            mask | ((0..size).contains(&(start + j as isize * step)) as u32) << j
        }),
    }
}

/// What one function contributes at each step of a range of K.
#[derive(Default)]
struct Values {
    values: Vec<isize>,
    /// smallest and largest
    low: isize,
    high: isize,
}

impl Values {
    fn look_up(&mut self, affine: &Affine, range: Range<usize>, base: isize) {
        (self.low, self.high) = (isize::MAX, isize::MIN);
        for (_, start, length) in affine.stretches(range.clone()) {
            let (first, last) = (
                base + start,
                base + start + (length as isize - 1) * affine.step,
            );
            self.low = self.low.min(first).min(last);
            self.high = self.high.max(first).max(last);
        }
        self.values.clear();
        affine.append(range, base, &mut self.values);
    }
}

/// A range of K as one operand sees it, and what else is needed to pack its panels. Reused from task to task.
#[derive(Default)]
pub(super) struct Steps {
    /// contribution of each step to the address, with the batch's
    address: Values,
    /// where steps are evenly spaced in memory: (first, how many)
    runs: Vec<(usize, usize)>,
    /// contribution of each step to the value of each bound
    bounds: Vec<Values>,
    /// scratch of [`Operand::mask`], [`Operand::pack`] and [`Operand::locate`]
    masks: Vec<u32>,
    table: Vec<u32>,
    pieces: Vec<Piece>,
    /// what the masks were made of, and what the next ones would be
    key: Vec<isize>,
    next_key: Vec<isize>,
}
