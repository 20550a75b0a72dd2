//! # device/cpu/nest/in_place: sums of what lies in memory
//!
//! **In:** reductions of loads, each of whose lines is one stretch of memory. **Out:** their sums. **Above:** `nest`. **Below:** `alu::reduce`.
//!
//! Where nothing is computed before the sum, a block of points is memory itself, and there is nothing for the interpreter to do but to find it. At
//! 27 GB a second, a row of 4,096 numbers is read in 600 ns; a third as long went by from the end of one row to the first load of the next.
//! So all blocks of all lines of a task are found first, and then read without a break.
//!
//! Law: the order of additions is that of the loops in `nest`: blocks of a line one after the other, groups of [`ROWS`] rows.

use super::{LoopNest, Order, ROWS};
use crate::device::Args;
use crate::device::cpu::alu::{self, Source};
use crate::device::cpu::interpreter::{Frame, is_stretch};
use crate::device::cpu::walk::Walk;
use crate::kernel::{Level, Nest, Reg};
use crate::ops::ReduceOps;
use std::ops::Range;

/// Whether reductions, each of them with its factors if it sums products, read nothing but stretches of memory, in this order.
pub(super) fn are_in_place(
    nest: &Nest,
    walks: &[Option<Box<Walk>>],
    order: Order,
    reductions: &[(Reg, ReduceOps, Reg)],
    factors: &[Option<(Reg, Reg)>],
) -> bool {
    let stretch = |reg: Reg| {
        walks[reg].as_deref().is_some_and(|walk| {
            let axes = match order {
                Order::Along => &walk.reduced,
                Order::Across => &walk.outer,
            };
            is_stretch(&nest.lines[reg], walk, &axes.merged())
        })
    };
    let mut read = reductions
        .iter()
        .zip(factors)
        .flat_map(|(&(_, _, src), factors)| {
            let (a, b) = factors.unwrap_or((src, src));
            [a, b]
        });
    let factored = |reg: Reg| {
        let mut sums = reductions.iter().zip(factors);
        sums.any(|(&(_, _, src), factors)| src == reg && factors.is_some())
    };
    let mut inner = (0..nest.lines.len())
        .filter(|&reg| nest.lines[reg].level == Level::Inner && !factored(reg));
    inner.all(stretch) && read.all(stretch)
}

impl LoopNest {
    /// As [`LoopNest::reduce_along`]: each output's line to a number.
    pub(super) fn lines_in_place(
        &self,
        at: usize,
        len: usize,
        range: Range<usize>,
        args: &Args,
        frame: &Frame,
    ) {
        let (nest, block) = (self.nest(), self.interpreter.block);
        let (whole, rest) = (range.len() / block, range.len() % block);
        for (&(reg, op, src), factors) in self.reductions.iter().zip(&self.factors) {
            let (dtype, sums) = (nest.lines[reg].dtype, frame.registers[reg]);
            // The whole blocks of all lines, one block after the other, and then what is left of each line.
            let lines = |reg: Reg| {
                let size = nest.lines[reg].dtype.itemsize();
                let first =
                    self.interpreter
                        .stretches(nest, reg, false, range.start, at..at + len, args);
                let first = &first;
                let block_of = |i: usize| {
                    first
                        .iter()
                        .map(move |line| line.wrapping_add(i * block * size))
                };
                let blocks: Vec<*const u8> = (0..whole).flat_map(block_of).collect();
                [(blocks, block), (block_of(whole).collect(), rest)]
            };
            let sources = |lines: Vec<*const u8>| -> Vec<Source<u8>> {
                lines.into_iter().map(Source::block).collect()
            };
            // SAFETY: the kernel is verified, so its lines are inside their arrays: `range` for each of `len` outputs, as many as the register
            // has room for.
            unsafe {
                match *factors {
                    Some((a, b)) => {
                        for ((a, n), (b, _)) in lines(a).into_iter().zip(lines(b)) {
                            alu::dot_lines(dtype, &sources(a), &sources(b), n, (sums, len));
                        }
                    }
                    None => {
                        for (lines, n) in lines(src) {
                            alu::reduce_lines(op, dtype, &lines, n, (sums, len));
                        }
                    }
                }
            }
        }
    }

    /// As [`LoopNest::reduce_across`]: rows side by side.
    pub(super) fn rows_in_place(
        &self,
        at: usize,
        len: usize,
        range: Range<usize>,
        args: &Args,
        frame: &Frame,
    ) {
        let nest = self.nest();
        let one_group = range.len() <= ROWS;
        let mut near = vec![0u64; if one_group { 0 } else { len }];
        for &(reg, op, src) in &self.reductions {
            let (dtype, sums) = (nest.lines[reg].dtype, frame.registers[reg]);
            for group in range.clone().step_by(ROWS) {
                let points = group..(group + ROWS).min(range.end);
                let rows = self
                    .interpreter
                    .stretches(nest, src, true, at, points, args);
                // SAFETY: the kernel is verified, so its rows are inside their arrays: `len` points from `at` on. The register has room for as
                // many sums, and so have eight bytes for each of them, whatever the dtype.
                unsafe {
                    if one_group {
                        alu::reduce_rows(op, dtype, &rows, len, sums);
                        continue;
                    }
                    let near: *mut u8 = near.as_mut_ptr().cast();
                    alu::fill(dtype, op.identity(dtype.compute()), near, len);
                    alu::reduce_rows(op, dtype, &rows, len, near);
                    alu::reduce_rows(op, dtype, &[near.cast_const()], len, sums);
                }
            }
        }
    }
}
