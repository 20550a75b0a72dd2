//! # device/cpu/rows: kernels in which each row is worked on until it is done
//!
//! **In:** a loop nest whose inner points are reduced, reached by the result, reduced again, stored: softmax, a layer's normalisation,
//! their gradients. **Out:** its outputs. **Above:** `cpu`. **Below:** `interpreter`.
//!
//! Softmax needs each number three times: for the row's maximum, for the sum of the exponentials, for the quotient. As three kernels
//! it reads 64 MiB three times from memory. But a row of 4,096 numbers is only 16 KiB: so a block here is a whole row (or several short ones),
//! and the program runs over it from the first instruction to the last while it is in cache. The exponentials that were summed are
//! still there when they are divided.
//!
//! ```text
//!             row                          a block: row, or rows
//!     ┌───────────────────┐
//!     │ x                 │  load          inner instructions run over all points of the block,
//!     │       └─▶ max     │  reduce        outer ones over one number for each row
//!     │ x − max ◀─┘       │  spread
//!     │ eˣ⁻ᵐᵃˣ            │
//!     │       └─▶ sum     │  reduce
//!     │ y = …/sum ◀┘      │  spread, store
//!     └───────────────────┘
//! ```
//!
//! Laws:
//! 1. Threads get whole rows, and a row's sum is computed in one order: results don't depend on the number of threads.
//! 2. The schedule makes such kernels only of rows that fit (see `schedule::rows`).

use super::alu::{self, Register};
use super::blocks::run;
use super::interpreter::{Frame, Interpreter, Span, outputs_beyond_caches, width};
use super::number::Number;
use super::simd::{Hot, Isa};
use super::strip::{Part, STRIP, is_sum, parts};
use super::threads::{GRAIN, parallel};
use crate::device::{Args, Program};
use crate::dtype::{DType, with_dtype};
use crate::kernel::{Inst, Kernel, Level, Nest, Reg};
use crate::ops::ReduceOps;
use crate::shape::view::numel;

/// Sums of rows of so many numbers are added up strip by strip: then a block is one row, and what is summed need not be written down for it.
const LONG_SUM: usize = 4096;

/// A part of the program.
enum Step {
    /// instructions of one level, one after the other
    Run(Level, Vec<Part>),
    /// each row to one number
    Reduce(Reg, ReduceOps, Reg),
    /// the lanes of the row's sum, which a strip has added up, to one number
    Join(Reg),
    /// each row's number to all its points
    Spread(Reg, Reg),
    /// to an output
    Store(Reg, usize, Level),
}

/// A kernel of rows, ready to run.
pub struct Rows {
    kernel: Kernel,
    interpreter: Interpreter,
    steps: Vec<Step>,
    /// how many rows there are
    count: usize,
    /// points of a row
    length: usize,
    /// if a row has several parts, with other numbers for each, so many points are in one
    row: usize,
    /// which outputs are written past the caches
    beyond_caches: Vec<bool>,
}

impl Rows {
    /// Prepares a kernel for which [`Nest::has_rows`] holds.
    pub fn new(kernel: Kernel) -> Rows {
        let nest = kernel.nest();
        let (count, length) = (numel(&nest.outer), numel(&nest.reduced).max(1));
        let mut steps: Vec<Step> = Vec::new();
        let mut open: (Level, Vec<Reg>) = (Level::Free, Vec::new());
        let close = |open: &mut (Level, Vec<Reg>), steps: &mut Vec<Step>| {
            let regs = std::mem::take(&mut open.1);
            if !regs.is_empty() {
                steps.push(Step::Run(open.0, parts(nest, &regs)));
            }
        };
        let mut sums: Vec<Reg> = Vec::new();
        for (reg, line) in nest.lines.iter().enumerate() {
            let step = match line.inst {
                Inst::Reduce(..) if length >= LONG_SUM && is_sum(nest, reg) => {
                    if open.0 != Level::Inner {
                        close(&mut open, &mut steps);
                    }
                    open.0 = Level::Inner;
                    open.1.push(reg);
                    sums.push(reg);
                    Step::Join(reg)
                }
                Inst::Reduce(op, src) => Step::Reduce(reg, op, src),
                Inst::Spread(src) => Step::Spread(reg, src),
                Inst::Store { output, src } => Step::Store(src, output, line.level),
                _ if line.level == Level::Free => continue,
                _ => {
                    if open.0 != line.level {
                        close(&mut open, &mut steps);
                    }
                    open.0 = line.level;
                    open.1.push(reg);
                    continue;
                }
            };
            close(&mut open, &mut steps);
            steps.push(step);
        }
        close(&mut open, &mut steps);
        let single: Vec<Part> = (0..nest.lines.len()).map(Part::One).collect();
        let order: Vec<&Part> = steps
            .iter()
            .flat_map(|step| match step {
                Step::Run(_, parts) => &parts[..],
                Step::Reduce(reg, ..) | Step::Spread(reg, _) => &single[*reg..=*reg],
                Step::Join(_) | Step::Store(..) => &[],
            })
            .collect();
        let interpreter = Interpreter::for_rows(&kernel, &order, length, &sums);
        Rows {
            row: interpreter.rows(nest, Level::Inner, true).unwrap_or(0),
            interpreter,
            steps,
            count,
            length,
            beyond_caches: outputs_beyond_caches(&kernel),
            kernel,
        }
    }

    fn nest(&self) -> &Nest {
        self.kernel.nest()
    }

    /// Points of a level that belong to some rows: (first, how many).
    fn points(&self, level: Level, row: usize, rows: usize) -> (usize, usize) {
        match level {
            Level::Inner => (row * self.length, rows * self.length),
            Level::Outer | Level::Free => (row, rows),
        }
    }

    /// The whole program, for `rows` rows from `row` on.
    fn block(&self, row: usize, rows: usize, args: &Args, frame: &mut Frame) {
        let nest = self.nest();
        let place = |output: usize, level: Level| {
            let at = self.points(level, row, rows).0 * self.kernel.outputs[output].dtype.itemsize();
            args.outputs[output].wrapping_add(at)
        };
        for step in &self.steps {
            if let Step::Store(src, output, level) = *step
                && nest.lines[src].level == level
            {
                // Law of kernels that reduce: no output lies in an input's memory.
                let past_caches = self.beyond_caches[output];
                self.interpreter
                    .aim(nest, src, place(output, level), None, past_caches, frame);
            }
        }
        for step in &self.steps {
            match step {
                Step::Run(level, parts) => {
                    let (start, len) = self.points(*level, row, rows);
                    let span = Span {
                        along_outer: true,
                        start,
                        len,
                        fixed: &[],
                        lines: 1,
                        row: if *level == Level::Inner { self.row } else { 0 },
                    };
                    // SAFETY: the kernel is verified and `args` are its own; at most a block's points; in the program's order.
                    unsafe { self.interpreter.run(nest, parts, &span, args, frame) };
                }
                Step::Reduce(reg, op, src) => {
                    let dtype = nest.lines[*reg].dtype;
                    let size = width(dtype);
                    frame.reset(*reg);
                    let (from, to) = (frame.registers[*src], frame.registers[*reg]);
                    // SAFETY: `src` holds a block's points and `reg` has room for a number for each of its rows.
                    unsafe {
                        if self.length < SHORT {
                            reduce_short(*op, dtype, from, self.length, rows, to);
                            continue;
                        }
                        alu::fill(dtype, op.identity(dtype.compute()), to, rows);
                        if rows == 1 {
                            alu::reduce_block(*op, dtype, from, self.length, to);
                            continue;
                        }
                        let first = from.cast_const();
                        let line = |i: usize| first.wrapping_add(i * self.length * size);
                        let lines: Vec<*const u8> = (0..rows).map(line).collect();
                        alu::reduce_lines(*op, dtype, &lines, self.length, (to, rows));
                    }
                }
                Step::Join(reg) => {
                    frame.reset(*reg);
                    let (dtype, to) = (nest.lines[*reg].dtype, frame.registers[*reg]);
                    // SAFETY: the register has room for a number; the row has just been added up.
                    unsafe {
                        alu::fill(dtype, ReduceOps::Sum.identity(dtype.compute()), to, 1);
                        self.interpreter.join_lanes(nest, *reg, frame, to);
                    }
                }
                Step::Spread(reg, src) => {
                    // In registers, a half is a float already.
                    let dtype = nest.lines[*reg].dtype.compute();
                    frame.reset(*reg);
                    let (from, to) = (frame.registers[*src], frame.registers[*reg]);
                    let length = match self.interpreter.is_repeated(*reg) {
                        true => STRIP,
                        false => self.length,
                    };
                    // SAFETY: `src` holds a number for each row, `reg` has room for a block's points, or one strip for one row.
                    unsafe {
                        with_dtype!(dtype, T => spread::<T>(from.cast(), rows, to.cast(), length))
                    };
                }
                Step::Store(src, output, level) => {
                    let dtype = self.kernel.outputs[*output].dtype;
                    let to = place(*output, *level);
                    if frame.registers[*src] != to {
                        let len = self.points(*level, row, rows).1;
                        // SAFETY: the register holds the level's points, and the output has room for all of them.
                        unsafe {
                            match self.beyond_caches[*output] {
                                true => alu::stream(dtype, frame.registers[*src], to, len),
                                false => alu::store(dtype, frame.registers[*src], to, len),
                            }
                        };
                    }
                }
            }
        }
    }
}

// ---- Rows of a few numbers ---------------------------------------------

/// Rows below this length are reduced side by side. One at a time, each would wait for its additions, and for a call.
const SHORT: usize = 32;
/// So many of them.
const ABREAST: usize = 16;

struct Short<T> {
    op: ReduceOps,
    from: *const T,
    length: usize,
    rows: usize,
    to: *mut T,
}

impl<T: Number> Short<T> {
    /// Each row from left to right: so few numbers need no better order.
    ///
    /// # Safety
    /// As for [`reduce_short`].
    #[inline(always)]
    unsafe fn fold(&self, start: T, f: impl Fn(T, T) -> T) {
        for first in (0..self.rows).step_by(ABREAST) {
            let mut sums = [start; ABREAST];
            // At the end the last row stands in for those that are not there.
            let rows: [*const T; ABREAST] = std::array::from_fn(|r| {
                let row = (first + r).min(self.rows - 1);
                self.from.wrapping_add(row * self.length)
            });
            for i in 0..self.length {
                for (sum, row) in sums.iter_mut().zip(rows) {
                    // SAFETY: the caller's; i < length.
                    *sum = f(*sum, unsafe { row.add(i).read_unaligned() });
                }
            }
            for (r, &sum) in sums.iter().enumerate().take(self.rows - first) {
                // SAFETY: the caller's; first + r < rows.
                unsafe { self.to.add(first + r).write_unaligned(sum) };
            }
        }
    }
}

impl<T: Number> Hot for Short<T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // SAFETY: `reduce_short`'s caller's.
        unsafe {
            match self.op {
                ReduceOps::Sum => self.fold(T::ZERO, T::add),
                ReduceOps::Max => self.fold(T::LOWEST, T::max),
            }
        }
    }
}

/// Each of some rows to one number.
///
/// # Safety
/// At `from` lie `rows` · `length` numbers of `dtype`'s register type; `to` has room for `rows` of them.
unsafe fn reduce_short(
    op: ReduceOps,
    dtype: DType,
    from: *const u8,
    length: usize,
    rows: usize,
    to: *mut u8,
) {
    with_dtype!(dtype, T => {
        let (from, to) = (from.cast::<Register<T>>(), to.cast());
        run(Register::<T>::HOT, Short { op, from, length, rows, to })
    })
}

/// Each of some numbers `length` times.
///
/// # Safety
/// `from` holds `rows` numbers, and `to` has room for `length` times as many.
unsafe fn spread<T: Copy>(from: *const T, rows: usize, to: *mut T, length: usize) {
    for row in 0..rows {
        // SAFETY: the caller's.
        unsafe {
            let number = from.add(row).read_unaligned();
            (0..length).for_each(|i| to.add(row * length + i).write_unaligned(number));
        }
    }
}

impl Program for Rows {
    fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    fn bytes(&self) -> usize {
        self.interpreter.bytes()
    }

    fn strategy(&self) -> String {
        format!("rows, {} at a time", self.interpreter.block / self.length)
    }

    fn run(&self, args: &Args) {
        let together = self.interpreter.block / self.length;
        let per_task = (GRAIN / self.length).max(1).next_multiple_of(together);
        parallel(self.count.div_ceil(per_task), |task| {
            let rows = task * per_task..((task + 1) * per_task).min(self.count);
            let mut frame = self
                .interpreter
                .frame(&self.kernel, self.nest(), args, usize::MAX);
            for row in rows.clone().step_by(together) {
                self.block(row, together.min(rows.end - row), args, &mut frame);
            }
        });
    }
}
