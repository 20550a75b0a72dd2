//! # device/cpu/nest/reduce: the two loops around what is reduced
//!
//! **In:** outer points and a range of reduced points. **Out:** the reductions' registers. **Above:** `nest`, whose header says which loop is
//! taken when; `in_place` has both once more, for where nothing is computed. **Below:** `interpreter`, `alu::reduce`.

use super::{COLUMNS, LONG_PART, LoopNest, ROWS, whole_rows, within_row};
use crate::device::Args;
use crate::device::cpu::alu;
use crate::device::cpu::interpreter::{Frame, Span, width};
use crate::device::cpu::walk::unravel_into;
use crate::kernel::Reg;
use std::ops::Range;

impl LoopNest {
    /// One output after the other: blocks of what it sums.
    pub(super) fn reduce_along(
        &self,
        at: usize,
        len: usize,
        range: Range<usize>,
        args: &Args,
        frame: &mut Frame,
    ) {
        let mut fixed = vec![0; self.outer.len()];
        for output in 0..len {
            unravel_into(at + output, &self.outer, &mut fixed);
            let mut start = range.start;
            while start < range.end {
                let most = self.interpreter.block.min(range.end - start);
                let n = match self.several_rows[1] {
                    true => whole_rows(&self.reduced, start, most),
                    false => within_row(&self.reduced, LONG_PART, start, most),
                };
                let span = Span {
                    along_outer: false,
                    start,
                    len: n,
                    fixed: &fixed,
                    lines: 1,
                    row: self.row(1),
                };
                // SAFETY: as in `epilogue`; the inner instructions read inner registers and constants only.
                unsafe {
                    self.interpreter
                        .run(self.nest(), &self.interpreter.inner, &span, args, frame)
                };
                for (i, &(reg, op, src)) in self.reductions.iter().enumerate() {
                    let dtype = self.nest().lines[reg].dtype;
                    let sum = frame.registers[reg].wrapping_add(output * width(dtype));
                    let source = |reg: Reg| self.interpreter.source(reg, frame);
                    // SAFETY: `src`, or its factors, hold n values, or a strip has added them up; `sum` is one of the block's.
                    unsafe {
                        match self.factors[i] {
                            _ if self.in_strips[i] => {
                                self.interpreter.join_lanes(self.nest(), reg, frame, sum)
                            }
                            Some((a, b)) => {
                                alu::dot_lines(dtype, &[source(a)], &[source(b)], n, (sum, 1))
                            }
                            None => alu::reduce_block(op, dtype, frame.registers[src], n, sum),
                        }
                    };
                }
                start += n;
            }
        }
    }

    /// All outputs together: row after row of what they sum.
    pub(super) fn reduce_across(
        &self,
        at: usize,
        len: usize,
        range: Range<usize>,
        args: &Args,
        frame: &mut Frame,
    ) {
        // Short rows are worked on together; long ones can be memory itself, if they come one at a time.
        let rows = match len {
            COLUMNS.. => 1,
            _ => (self.interpreter.block / len).max(1),
        };
        let rank = self.reduced.len();
        let mut fixed = vec![0; rank * rows];
        // Sums of at most ROWS rows, which then join the larger sum. Of few rows these are the sums: of a 2×2 window, say.
        let most = ROWS.max(rows);
        let is_few = range.len() <= most;
        let own = if is_few { 0 } else { len };
        let mut near: Vec<Vec<u64>> = self.reductions.iter().map(|_| vec![0; own]).collect();
        let places = near.iter_mut().zip(&self.reductions);
        let sums: Vec<*mut u8> = places
            .map(|(near, &(reg, ..))| match is_few {
                true => frame.registers[reg],
                false => near.as_mut_ptr().cast(),
            })
            .collect();
        let mut group = range.start;
        while group < range.end {
            let group_end = (group + most).min(range.end);
            if !is_few {
                for (&sums, &(reg, op, _)) in sums.iter().zip(&self.reductions) {
                    let dtype = self.nest().lines[reg].dtype;
                    // SAFETY: eight bytes each are room enough for any dtype.
                    unsafe { alu::fill(dtype, op.identity(dtype.compute()), sums, len) };
                }
            }
            let mut start = group;
            while start < group_end {
                let lines = rows.min(group_end - start);
                for row in 0..lines {
                    unravel_into(
                        start + row,
                        &self.reduced,
                        &mut fixed[row * rank..(row + 1) * rank],
                    );
                }
                let span = Span {
                    along_outer: true,
                    start: at,
                    len,
                    fixed: &fixed[..rank * lines],
                    lines,
                    row: 0,
                };
                // SAFETY: as in `epilogue`; lines · len is at most a block, or one line of at most a block.
                unsafe {
                    self.interpreter
                        .run(self.nest(), &self.interpreter.inner, &span, args, frame)
                };
                for (&sums, &(reg, op, src)) in sums.iter().zip(&self.reductions) {
                    let dtype = self.nest().lines[reg].dtype;
                    let first = frame.registers[src].cast_const();
                    let line = |row: usize| first.wrapping_add(row * len * width(dtype));
                    let lines: Vec<*const u8> = (0..lines).map(line).collect();
                    // SAFETY: each line holds `len` values, and so do the sums.
                    unsafe { alu::reduce_rows(op, dtype, &lines, len, sums) };
                }
                start += lines;
            }
            if !is_few {
                for (&sums, &(reg, op, _)) in sums.iter().zip(&self.reductions) {
                    let dtype = self.nest().lines[reg].dtype;
                    // SAFETY: both hold `len` values.
                    unsafe {
                        let near = [sums.cast_const()];
                        alu::reduce_rows(op, dtype, &near, len, frame.registers[reg])
                    };
                }
            }
            group = group_end;
        }
    }
}
