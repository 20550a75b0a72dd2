//! # device/cpu/special: running sums, scattered additions, copies
//!
//! The three kernels that are no loop nest of independent points: here the order matters.
//!
//! Law: the order is that of the elements' positions, whatever the number of threads. Threads share the work along axes on which nothing
//! depends on anything: a scan's other axes, a scatter's other axes.

mod scan;

use super::alu::{self, Register};
use super::interpreter::{outputs_beyond_caches, width};
use super::number::Number;
use super::threads::{GRAIN, parallel};
use super::walk::Walk;
use crate::device::{Args, Program};
use crate::dtype::{DType, with_dtype};
use crate::kernel::{Body, Kernel};
use crate::ops::ReduceOps;
use crate::shape::view::View;

/// So many columns are worked on side by side.
const COLUMNS: usize = 512;

/// A kernel that is no loop nest.
pub struct Special {
    /// what to do
    kernel: Kernel,
    /// whether the output is written past the caches
    past_caches: bool,
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
    /// Prepares a kernel that is no loop nest.
    pub fn new(kernel: Kernel) -> Special {
        Special {
            past_caches: outputs_beyond_caches(&kernel).contains(&true),
            kernel,
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
                alu::reduce_rows(ReduceOps::Sum, dtype, &[values], n, to);
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
