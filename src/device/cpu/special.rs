//! # device/cpu/special: running sums, scattered additions, copies
//!
//! The three kernels that are no loop nest of independent points: here the order matters.
//!
//! Law: the order is that of the elements' positions, whatever the number of threads. Threads share the work along axes on which nothing
//! depends on anything: a scan's other axes, a scatter's other axes.

use super::alu::{self, Register};
use super::interpreter::width;
use super::number::Number;
use super::threads::{GRAIN, parallel};
use super::walk::Walk;
use crate::device::{Args, Program};
use crate::dtype::{DType, with_dtype};
use crate::kernel::{Body, Kernel};
use crate::ops::ReduceOps;
use crate::shape::view::View;

/// So many rows are scanned side by side.
const ABREAST: usize = 4;
/// So many columns are worked on side by side.
const COLUMNS: usize = 512;

/// A kernel that is no loop nest.
pub struct Special {
    /// what to do
    pub kernel: Kernel,
}

impl Program for Special {
    fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    fn strategy(&self) -> String {
        match &self.kernel.body {
            Body::Scan { .. } => "scan".to_string(),
            Body::Scatter { .. } => "scatter".to_string(),
            Body::Copy | Body::Nest(_) => "copy".to_string(),
        }
    }

    fn run(&self, args: &Args) {
        match &self.kernel.body {
            Body::Scan { view, axis, op } => self.scan(view, *axis, *op, args),
            Body::Scatter {
                values,
                index,
                axis,
                size,
            } => self.scatter(values, index, *axis, *size, args),
            Body::Copy => {
                let bytes = self.kernel.outputs[0].len * self.kernel.outputs[0].dtype.itemsize();
                // SAFETY: both buffers have so many bytes, and they are different buffers.
                unsafe { std::ptr::copy_nonoverlapping(args.inputs[0], args.outputs[0], bytes) };
            }
            Body::Nest(_) => unreachable!("{}: a loop nest", self.kernel.name),
        }
    }
}

impl Special {
    /// The array is [before, axis, after]. If `after` is wide, a block of columns runs down the axis together, adding rows; if there is
    /// nothing after, each row is summed as it is read.
    fn scan(&self, view: &View, axis: usize, op: ReduceOps, args: &Args) {
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
                        alu::reduce_rows(op, dtype, row, n, running);
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
        for at in (0..length).step_by(COLUMNS) {
            let n = COLUMNS.min(length - at);
            let rows: [*mut u8; R] = memory.each_mut().map(|row| row.as_mut_ptr().cast());
            for (r, row) in rows.into_iter().enumerate() {
                self.fetch(walk, 0, start + r * length + at, n, row, args);
            }
            // SAFETY: the blocks hold n values of the dtype's register type; the output's rows belong to this task.
            unsafe {
                match dtype.compute() {
                    DType::Float32 => {
                        running_floats(rows.map(<*mut u8>::cast::<f32>), n, op, &mut sums, |x| {
                            x as f32
                        })
                    }
                    DType::Float64 => {
                        running_floats(rows.map(<*mut u8>::cast::<f64>), n, op, &mut sums, |x| x)
                    }
                    _ => {
                        for (row, sum) in rows.into_iter().zip(&mut running) {
                            for i in 0..n {
                                let value = row.add(i * width(dtype));
                                let sum = std::ptr::from_mut(sum).cast::<u8>();
                                alu::reduce_rows(op, dtype, value, 1, sum);
                                std::ptr::copy_nonoverlapping(sum, value, width(dtype));
                            }
                        }
                    }
                }
                for (r, row) in rows.into_iter().enumerate() {
                    let to = (start + r * length + at) * dtype.itemsize();
                    alu::store(dtype, row, args.outputs[0].add(to), n);
                }
            }
        }
    }

    /// Some consecutive elements of an input's view, as a register block.
    fn fetch(&self, walk: &Walk, input: usize, start: usize, n: usize, dst: *mut u8, args: &Args) {
        let dtype = self.kernel.inputs[input].dtype;
        walk.outer.runs(&walk.start, &walk.limits, start, n, |run| {
            let to = dst.wrapping_add(run.at * width(dtype));
            // SAFETY: `dst` has room for n values, and a run's addresses are inside the input (verified).
            unsafe {
                match run.address {
                    Some(address) => {
                        let from = args.inputs[input].offset(address * dtype.itemsize() as isize);
                        alu::load(dtype, from, run.stride, to, run.len);
                    }
                    None => std::ptr::write_bytes(to, 0, run.len * width(dtype)),
                }
            }
        });
    }

    /// The values are [before, axis, after], the output [before, size, after]. Each task owns some columns of one `before` (or all of several),
    /// and goes down the axis in order: what is added to one place is always added in the same order.
    fn scatter(&self, values: &View, index: &View, axis: usize, size: usize, args: &Args) {
        let dtype = self.kernel.outputs[0].dtype;
        let (before, length, after) = around(&values.shape, axis);
        let (walk, index) = (
            Walk::new(values, values.shape.len()),
            Walk::new(index, index.shape.len()),
        );
        let columns = (after.div_ceil(8)).clamp(64, COLUMNS);
        let blocks = after.div_ceil(columns);
        // If the columns are all there are, rows lie one after the other, and several come at a time.
        let at_once = if blocks == 1 {
            (columns / after.max(1)).max(1)
        } else {
            1
        };
        let work = length.max(size) * columns.min(after);
        let together = match blocks {
            1 => (GRAIN / work.max(1)).clamp(1, before.max(1)),
            _ => 1,
        };
        // Halves and small integers are added up in a wider type, as in every sum.
        let sum_dtype = dtype.sum_dtype().compute();
        let item = sum_dtype.itemsize();
        parallel(before.div_ceil(together) * blocks, |task| {
            let (first, column) = (task / blocks * together, task % blocks * columns);
            let n = columns.min(after - column);
            let mut value = vec![0u64; columns];
            let mut wide = vec![0u64; columns];
            let mut place = vec![0i64; columns];
            let mut sums = vec![0u64; size * n];
            let value: *mut u8 = value.as_mut_ptr().cast();
            let wide: *mut u8 = wide.as_mut_ptr().cast();
            for outer in first..(first + together).min(before) {
                sums.fill(0);
                let sums: *mut u8 = sums.as_mut_ptr().cast();
                for i in (0..length).step_by(at_once) {
                    let at = (outer * length + i) * after + column;
                    let rows = at_once.min(length - i);
                    self.fetch(&walk, 0, at, rows * n, value, args);
                    self.fetch(&index, 1, at, rows * n, place.as_mut_ptr().cast(), args);
                    // SAFETY: all blocks have room for `columns` ≥ rows · n values of 8 bytes; `sums` has size · n places.
                    unsafe {
                        alu::cast(dtype, sum_dtype, value, wide, rows * n);
                        for (row, places) in place[..rows * n].chunks_exact(n).enumerate() {
                            let wide = wide.add(row * n * item);
                            add_row(sum_dtype, wide, places, size, sums);
                        }
                    }
                }
                // Row after row; or all at once, if a row of the output is no longer than a row of the sums.
                let (rows, long) = if blocks == 1 {
                    (1, size * n)
                } else {
                    (size, n)
                };
                for (p, part) in
                    (0..rows).flat_map(|p| (0..long).step_by(columns).map(move |part| (p, part)))
                {
                    let at = outer * size * after + p * after + column + part;
                    let n = columns.min(long - part);
                    // SAFETY: the sums have `rows · long` values; the output's columns of these rows are this task's alone.
                    unsafe {
                        let from = sums.add((p * long + part) * item);
                        alu::cast(sum_dtype, dtype, from, value, n);
                        alu::store(dtype, value, args.outputs[0].add(at * dtype.itemsize()), n);
                    }
                }
            }
        });
    }
}

/// Adds each number to its column of the row of `sums` that its place names, if there is one.
///
/// # Safety
/// `values` are as many as `places`, and `sums` have `size` rows of as many, all of `dtype`'s register type.
unsafe fn add_row(dtype: DType, values: *const u8, places: &[i64], size: usize, sums: *mut u8) {
    let n = places.len();
    let inside = |p: i64| 0 <= p && p < size as i64;
    // SAFETY: the caller's; only places inside are used.
    unsafe {
        if n >= 8 && places.iter().all(|&p| p == places[0]) {
            if inside(places[0]) {
                let to = sums.add(places[0] as usize * n * width(dtype));
                alu::reduce_rows(ReduceOps::Sum, dtype, values, n, to);
            }
            return;
        }
        with_dtype!(dtype, T => {
            let (values, sums) = (values.cast::<Register<T>>(), sums.cast::<Register<T>>());
            for (j, &p) in places.iter().enumerate().filter(|&(_, &p)| inside(p)) {
                let sum = sums.add(p as usize * n + j);
                sum.write_unaligned(Number::add(sum.read_unaligned(), values.add(j).read_unaligned()));
            }
        })
    }
}

/// A shape as [before, axis, after].
fn around(shape: &[usize], axis: usize) -> (usize, usize, usize) {
    (
        shape[..axis].iter().product(),
        shape[axis],
        shape[axis + 1..].iter().product(),
    )
}

/// Replaces each value by the running sum (or maximum) of its row up to it.
///
/// # Safety
/// `rows` point to n values each.
unsafe fn running_floats<T: Copy + Into<f64>, const R: usize>(
    rows: [*mut T; R],
    n: usize,
    op: ReduceOps,
    sums: &mut [f64; R],
    narrow: impl Fn(f64) -> T,
) {
    let larger = |sum: f64, x: f64| match x.is_nan() || sum.is_nan() {
        true => f64::NAN,
        false => sum.max(x),
    };
    for i in 0..n {
        for (row, sum) in rows.into_iter().zip(&mut *sums) {
            // SAFETY: i < n.
            let value = unsafe { &mut *row.add(i) };
            *sum = match op {
                ReduceOps::Sum => *sum + (*value).into(),
                ReduceOps::Max => larger(*sum, (*value).into()),
            };
            *value = narrow(*sum);
        }
    }
}
