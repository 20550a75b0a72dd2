//! # device/cpu/special/scan: running sums and maxima
//!
//! **In:** an array and one of its axes. **Out:** for each element, the sum (or maximum) of those up to it along the axis. **Above:** `special`.
//! **Below:** `alu`, `simd`.
//!
//! Law: a row is added up from left to right, float32 in float64.

use super::{COLUMNS, Special, around};
use crate::device::Args;
use crate::device::cpu::alu;
use crate::device::cpu::interpreter::width;
use crate::device::cpu::lanes::{Floats, Vector};
use crate::device::cpu::simd::{Hot, Isa, turn, vectorize};
use crate::device::cpu::threads::{GRAIN, parallel};
use crate::device::cpu::walk::Walk;
use crate::dtype::DType;
use crate::ops::ReduceOps;
use crate::shape::view::View;
use std::ops::Range;

/// So many rows are scanned side by side.
const ABREAST: usize = 4;

impl Special {
    /// The array is [before, axis, after]. If `after` is wide, a block of columns runs down the axis together, adding rows; if there is
    /// nothing after, each row is summed as it is read.
    pub(super) fn scan(&self, view: &View, axis: usize, op: ReduceOps, args: &Args) {
        let dtype = self.kernel.outputs[0].dtype;
        let (before, length, after) = around(&view.shape, axis);
        let walk = Walk::new(view, view.shape.len());
        let blocks = after.div_ceil(COLUMNS);
        // A thread's share: some rows' worth at least, so that short scans are not drowned in tasks.
        let lines = before * blocks;
        let together = (GRAIN / (length * after.min(COLUMNS)).max(1)).clamp(1, lines.max(1));
        if after == 1 {
            let together = together.next_multiple_of(ABREAST);
            return parallel(lines.div_ceil(together), |task| {
                let (mut line, end) = (task * together, ((task + 1) * together).min(lines));
                while line + ABREAST <= end {
                    self.scan_rows::<ABREAST>(&walk, line * length, length, op, args);
                    line += ABREAST;
                }
                (line..end)
                    .for_each(|line| self.scan_rows::<1>(&walk, line * length, length, op, args));
            });
        }
        parallel(lines.div_ceil(together), |task| {
            let mut running = vec![0u64; COLUMNS];
            let mut row = vec![0u64; COLUMNS];
            for line in task * together..((task + 1) * together).min(lines) {
                let (outer, column) = (line / blocks, line % blocks * COLUMNS);
                let n = COLUMNS.min(after - column);
                let (running, row): (*mut u8, *mut u8) =
                    (running.as_mut_ptr().cast(), row.as_mut_ptr().cast());
                // SAFETY: both scratch rows have room for COLUMNS values of 8 bytes.
                unsafe { alu::fill(dtype, op.identity(dtype.compute()), running, n) };
                for i in 0..length {
                    let at = (outer * length + i) * after + column;
                    self.fetch(&walk, 0, at, n, row, args);
                    // SAFETY: rows of n values; the output has `before · length · after` elements, and this line's are this task's.
                    unsafe {
                        alu::reduce_rows(op, dtype, &[row.cast_const()], n, running);
                        alu::store(
                            dtype,
                            running,
                            args.outputs[0].add(at * dtype.itemsize()),
                            n,
                        );
                    }
                }
            }
        });
    }

    /// R rows, an element of each after the other: an addition takes four cycles until the next one can use its result, in which three
    /// other rows get on. Long float32 rows are where rounding piles up, so they are added in float64.
    fn scan_rows<const R: usize>(
        &self,
        walk: &Walk,
        start: usize,
        length: usize,
        op: ReduceOps,
        args: &Args,
    ) {
        let dtype = self.kernel.outputs[0].dtype;
        let mut memory = [[0u64; COLUMNS]; R];
        let mut sums = [op.identity(DType::Float64).as_f64(); R];
        let mut running = [0u64; R];
        for sum in &mut running {
            let identity = op.identity(dtype.compute());
            // SAFETY: eight bytes have room for one value of any dtype.
            unsafe { alu::fill(dtype, identity, std::ptr::from_mut(sum).cast(), 1) };
        }
        let past_caches = self.past_caches;
        for at in (0..length).step_by(COLUMNS) {
            let n = COLUMNS.min(length - at);
            let first = |r: usize| start + r * length + at;
            let rows: [*mut u8; R] = memory.each_mut().map(|row| row.as_mut_ptr().cast());
            let to = |r: usize| args.outputs[0].wrapping_add(first(r) * dtype.itemsize());
            if dtype == DType::Float32 {
                let from = std::array::from_fn(|r| {
                    let from = self.stretch(walk, first(r), n, args);
                    from.unwrap_or_else(|| {
                        self.fetch(walk, 0, first(r), n, rows[r], args);
                        rows[r]
                    })
                });
                vectorize(Running {
                    from: from.map(<*const u8>::cast),
                    to: std::array::from_fn(|r| to(r).cast()),
                    n,
                    op,
                    sums: &mut sums,
                    past_caches,
                });
                continue;
            }
            for (r, row) in rows.into_iter().enumerate() {
                self.fetch(walk, 0, first(r), n, row, args);
            }
            // SAFETY: the blocks hold n values of the dtype's register type; the output's rows belong to this task.
            unsafe {
                match dtype.compute() {
                    DType::Float32 => {
                        let rows = rows.map(<*mut u8>::cast::<f32>);
                        let from = rows.map(<*mut f32>::cast_const);
                        running_floats(from, rows, 0..n, op, &mut sums, |x| x as f32)
                    }
                    DType::Float64 => {
                        let rows = rows.map(<*mut u8>::cast::<f64>);
                        let from = rows.map(<*mut f64>::cast_const);
                        running_floats(from, rows, 0..n, op, &mut sums, |x| x)
                    }
                    _ => {
                        for (row, sum) in rows.into_iter().zip(&mut running) {
                            for i in 0..n {
                                let value = row.add(i * width(dtype));
                                let sum = std::ptr::from_mut(sum).cast::<u8>();
                                alu::reduce_rows(op, dtype, &[value.cast_const()], 1, sum);
                                std::ptr::copy_nonoverlapping(sum, value, width(dtype));
                            }
                        }
                    }
                }
                for (r, row) in rows.into_iter().enumerate() {
                    alu::store(dtype, row, to(r), n);
                }
            }
        }
    }

    /// Where some consecutive elements of the input's view are, if they lie side by side.
    fn stretch(&self, walk: &Walk, start: usize, n: usize, args: &Args) -> Option<*const u8> {
        let mut stretch = None;
        walk.outer.runs(&walk.start, &walk.limits, start, n, |run| {
            if run.len == n && run.stride == 1 {
                stretch = run.address;
            }
        });
        let size = self.kernel.inputs[0].dtype.itemsize() as isize;
        stretch.map(|address| args.inputs[0].wrapping_offset(address * size))
    }
}

// ---- Running sums ------------------------------------------------------

/// The larger; NaN if either is.
#[inline(always)]
fn larger(sum: f64, x: f64) -> f64 {
    match x.is_nan() || sum.is_nan() {
        true => f64::NAN,
        false => sum.max(x),
    }
}

/// For each row, its running sum (or maximum), of some columns.
///
/// # Safety
/// The columns can be read at `from` and written at `to`, which may be the same.
#[inline(always)]
unsafe fn running_floats<T: Copy + Into<f64>, const R: usize>(
    from: [*const T; R],
    to: [*mut T; R],
    columns: Range<usize>,
    op: ReduceOps,
    sums: &mut [f64; R],
    narrow: impl Fn(f64) -> T,
) {
    for i in columns {
        for ((from, to), sum) in from.into_iter().zip(to).zip(&mut *sums) {
            // SAFETY: i is one of the columns.
            let value = unsafe { from.add(i).read_unaligned().into() };
            *sum = match op {
                ReduceOps::Sum => *sum + value,
                ReduceOps::Max => larger(*sum, value),
            };
            // SAFETY: as above.
            unsafe { to.add(i).write_unaligned(narrow(*sum)) };
        }
    }
}

/// Columns that go from memory to memory together: a cache line of each row.
const LINE: usize = 16;

/// The running sums of float32 rows, by vectors. Four rows make one: a tile of 4 × 4 numbers is turned, so that its columns are vectors, which
/// are added one after the other, and turned back. (4,096 rows of as many numbers: 12.6 ms one number at a time, by way of a block; 3.4 so.)
struct Running<'a, const R: usize> {
    from: [*const f32; R],
    to: [*mut f32; R],
    n: usize,
    op: ReduceOps,
    sums: &'a mut [f64; R],
    past_caches: bool,
}

impl<const R: usize> Running<'_, R> {
    /// All whole lines.
    ///
    /// # Safety
    /// `n` numbers can be read at each of `from`, and written at each of `to`; the level is one of this processor's.
    #[inline(always)]
    unsafe fn lines<I: Isa>(&mut self, f: impl Fn(f64, f64) -> f64) {
        let lanes = I::Floats::LANES;
        let past_caches = self.past_caches && self.to.iter().all(|to| to.align_offset(64) == 0);
        let mut sums = *self.sums;
        let lines = (0..self.n / LINE).map(|line| line * LINE);
        for (at, four) in lines.flat_map(|at| (0..R).step_by(4).map(move |four| (at, four))) {
            let mut line = [[0.0f32; LINE]; 4];
            for tile in (0..LINE).step_by(4) {
                let number = |r: usize| self.from[four + r].wrapping_add(at + tile);
                // SAFETY: four numbers of a line of n.
                let columns = unsafe { turn(std::array::from_fn(number)) };
                let mut done = [[0.0f32; 4]; 4];
                for (done, column) in done.iter_mut().zip(columns) {
                    for r in 0..4 {
                        sums[four + r] = f(sums[four + r], column[r].into());
                        done[r] = sums[four + r] as f32;
                    }
                }
                // SAFETY: four numbers in each of four arrays.
                let rows = unsafe { turn(done.each_ref().map(|column| column.as_ptr())) };
                for (line, row) in line.iter_mut().zip(rows) {
                    line[tile..tile + 4].copy_from_slice(&row);
                }
            }
            for (line, to) in line.iter().zip(&self.to[four..]) {
                for i in (0..LINE).step_by(lanes) {
                    // SAFETY: so many numbers of a line of n, which is aligned if it goes past the caches.
                    unsafe {
                        let numbers = I::Floats::load(line.as_ptr().add(i));
                        match past_caches {
                            true => numbers.stream(to.add(at + i)),
                            false => numbers.store(to.add(at + i)),
                        }
                    }
                }
            }
        }
        *self.sums = sums;
        if past_caches {
            alu::fence();
        }
    }
}

impl<const R: usize> Hot for Running<'_, R> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(mut self) {
        // Rows that do not come in fours go one number at a time, and so does what is less than a line.
        let whole = if R.is_multiple_of(4) {
            self.n - self.n % LINE
        } else {
            0
        };
        // SAFETY: `scan_rows` gives n numbers of each row, and room for as many.
        unsafe {
            if whole > 0 {
                match self.op {
                    ReduceOps::Sum => self.lines::<I>(|sum, x| sum + x),
                    ReduceOps::Max => self.lines::<I>(larger),
                }
            }
            let (from, to) = (self.from, self.to);
            running_floats(from, to, whole..self.n, self.op, self.sums, |x| x as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::cpu::simd::{Level, at_level};

    /// Rows of numbers whose sums have to be rounded, with a NaN and an infinity here and there.
    fn rows(n: usize, count: usize) -> Vec<Vec<f32>> {
        let number = |r: usize, i: usize| match (r * 31 + i * 17) % 97 {
            96 if r == 1 => f32::NAN,
            95 if r == 2 => f32::INFINITY,
            k => (k as f32 - 40.0) * 0.37,
        };
        (0..count)
            .map(|r| (0..n).map(|i| number(r, i)).collect())
            .collect()
    }

    fn check<const R: usize>(n: usize, offset: usize, op: ReduceOps, past_caches: bool) {
        let from = rows(n, R);
        let mut to = vec![vec![[77.0f32; 16]; n / 16 + 4]; R];
        // From the beginning of a cache line, or not.
        let places: [*mut f32; R] = std::array::from_fn(|r| {
            let first = to[r].as_mut_ptr().cast::<f32>();
            first.wrapping_add(first.align_offset(64) + offset)
        });
        let start = op.identity(DType::Float64).as_f64();
        let mut sums = [start; R];
        let from_places = std::array::from_fn(|r| from[r].as_ptr());
        vectorize(Running {
            from: from_places,
            to: places,
            n,
            op,
            sums: &mut sums,
            past_caches,
        });
        for (r, row) in from.iter().enumerate() {
            let mut sum = start;
            for (i, &x) in row.iter().enumerate() {
                sum = match op {
                    ReduceOps::Sum => sum + f64::from(x),
                    ReduceOps::Max => larger(sum, x.into()),
                };
                // SAFETY: n numbers have been written there.
                let found = unsafe { *places[r].add(i) };
                let same = found.to_bits() == (sum as f32).to_bits();
                assert!(
                    same || (found.is_nan() && sum.is_nan()),
                    "{op:?}: row {r} at {i} of {n}"
                );
            }
            assert!(sums[r] == sum || (sums[r].is_nan() && sum.is_nan()));
            let written = to[r]
                .as_flattened()
                .iter()
                .filter(|&&x| x.to_bits() != 77.0f32.to_bits());
            assert!(written.count() <= n);
        }
    }

    #[test]
    fn running_sums_by_vectors_are_those_of_one_number_after_the_other() {
        for level in Level::available() {
            at_level(level, || {
                for (n, offset) in [
                    (1, 0),
                    (15, 0),
                    (16, 0),
                    (16, 3),
                    (100, 0),
                    (512, 0),
                    (512, 4),
                ] {
                    for (op, past) in [
                        (ReduceOps::Sum, false),
                        (ReduceOps::Sum, true),
                        (ReduceOps::Max, true),
                    ] {
                        check::<4>(n, offset, op, past);
                        check::<1>(n, offset, op, past);
                    }
                }
            });
        }
    }
}
