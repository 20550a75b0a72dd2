//! # device/cpu/interpreter: a kernel's program, a block of points at a time
//!
//! **In:** the straight-line program of a loop nest, and which points. **Out:** its registers, filled for these points. **Above:** `nest`,
//! which decides which points. **Below:** `walk` (where they are in memory), `alu` (one op over one block).
//!
//! An interpreter that decides what to do for each *element* spends ten times longer deciding than doing. One that decides for each
//! *array* writes every intermediate result to memory. In between lies the block: the decision is paid once for a thousand elements or more,
//! and the intermediate results never leave the near caches. Analytical databases run queries this way; no compiler is needed.
//!
//! ```text
//! relu(a·x + b):      a block of %0 ← load a          (no copy if it lies contiguously: the register then *is* the memory)
//!                     a block of %1 ← load x
//!                     a block of %2 ← mul %0 %1
//!                     …                               then the next block
//! ```
//!
//! Here is what runs a program. `plan` makes an interpreter of a kernel; `places` has the blocks that registers share, `frame` one task's
//! memory for them; `bring` has the instructions for which it matters where the points are.
//!
//! Laws:
//! 1. Registers of f16 and bf16 hold f32, those of bool bytes 0 or 1; see `alu`.
//! 2. A register's block is given to another register when its last reader has run.
//! 3. Registers of level `Free` (constants) and of reductions keep their blocks for the whole kernel.
//! 4. Element-wise f32 instructions run strip by strip (see `strip`); what does not leave a strip has no block.

mod bring;
mod frame;
mod places;
mod plan;
#[cfg(test)]
mod tests;

pub(super) use bring::{is_in_rows, is_stretch};
pub use frame::Frame;
pub(super) use frame::Room;

use super::alu::{self, Source};
use super::panel::Columns;
use super::strip::{Operand, Part, Place, STRIP, Strip};
use super::table::Table;
use super::walk::{Axes, Walk};
use crate::device::{Args, Param};
use crate::dtype::DType;
use crate::kernel::{Inst, Kernel, Level, Line, Nest, Reg};
use crate::ops::{ReduceOps, UnaryOps};

/// More bytes than a third-level cache holds for a core or two.
const BEYOND: u64 = 48 << 20;

/// A loop nest's program with a place for each register; `plan` makes it.
pub struct Interpreter {
    /// points in a block
    pub block: usize,
    /// instructions of the inner loop, in order
    pub inner: Vec<Part>,
    /// instructions of the outer loop, in order; no stores, no reductions
    pub outer: Vec<Part>,
    /// (register, output); a float32 register whose output is of a half type is rounded as it is stored
    pub stores: Vec<(Reg, usize)>,
    walks: Vec<Option<Box<Walk>>>,
    /// each walk's outer and reduced space, merged for running along it, and its table if it has short rows; boxed, as most instructions have none
    lines: Vec<Option<Box<[Running; 2]>>>,
    /// when the instruction of each register of the outer loop runs
    when: Vec<usize>,
    /// when each input is read for the last time in the outer loop, and then when the reductions are
    last_reads: Vec<usize>,
    /// results that are stored as they are computed, and not read again
    streamable: Vec<bool>,
    /// constants that are only ever operands: one strip of each is enough
    repeated: Vec<bool>,
    /// loads that are only ever operands: where they show one number, one strip is enough
    repeatable: Vec<bool>,
    /// loads that only strips read
    in_strips: Vec<bool>,
    /// indices of gathers that are the same along each row: only the first of a row is there
    first_of_row: Vec<bool>,
    /// elements of each input
    lengths: Vec<usize>,
    /// bytes from the frame's start to each register's block
    offsets: Vec<usize>,
    /// likewise to the lanes of each sum that strips add up
    lanes: Vec<usize>,
    bytes: usize,
}

/// A space as one walk runs along it, with its table if it has short rows, or its columns if these are the kernel's rows.
struct Running {
    axes: Axes,
    table: Option<Table>,
    columns: Option<Columns>,
}

/// The points of a block: a line of one space for each of some fixed points of the other.
pub struct Span<'a> {
    /// whether the line runs over the outer space
    pub along_outer: bool,
    /// first point of the line
    pub start: usize,
    /// points in the line
    pub len: usize,
    /// the fixed points, one after the other, each with as many numbers as its space has axes
    pub fixed: &'a [usize],
    /// how many fixed points
    pub lines: usize,
    /// points of a row, if the line is whole rows
    pub row: usize,
}

/// Which outputs are written past the caches: large ones of kernels that touch more than any cache holds.
pub fn outputs_beyond_caches(kernel: &Kernel) -> Vec<bool> {
    let much = kernel.cost().bytes >= BEYOND;
    let large =
        |slot: &crate::kernel::Slot| (slot.len * slot.dtype.itemsize()) as u64 >= BEYOND / 4;
    (kernel.outputs.iter())
        .map(|slot| much && large(slot))
        .collect()
}

/// Bytes of one element in a register.
pub fn width(dtype: DType) -> usize {
    dtype.compute().itemsize()
}

impl Interpreter {
    /// Whether a register is one strip, which is read again and again.
    pub fn is_repeated(&self, reg: Reg) -> bool {
        self.repeated[reg]
    }

    /// Bytes of its tables.
    pub fn bytes(&self) -> usize {
        let lines = self.lines.iter().flatten().flat_map(|lines| lines.iter());
        lines
            .filter_map(|running| running.table.as_ref())
            .map(Table::bytes)
            .sum()
    }

    /// Points that should be computed by one task, as they are read together: 1 if nothing reads columns as rows.
    pub fn together(&self) -> usize {
        let outer = self.lines.iter().flatten().map(|lines| &lines[0]);
        let columns = outer.filter_map(|running| running.columns);
        columns.map(|columns| columns.points()).max().unwrap_or(1)
    }

    /// The shortest stretch of outer points after which an instruction of the outer loop begins a new row, if one does.
    pub fn outer_row(&self, nest: &Nest) -> Option<usize> {
        let of_outer = |(_, line): &(_, &Line)| line.level == Level::Outer;
        let lines = self.lines.iter().zip(&nest.lines).filter(of_outer);
        let axes = lines.filter_map(|(walk, _)| Some(&walk.as_deref()?[0].axes));
        let rows = axes.filter(|axes| axes.sizes.len() > 1);
        rows.filter_map(|axes| axes.sizes.last().copied()).min()
    }

    /// Registers for one task; constants are filled in, for blocks of at most `points`.
    pub fn frame(&self, kernel: &Kernel, nest: &Nest, args: &Args, points: usize) -> Frame {
        let mut memory = Room::new(self.bytes.div_ceil(64) + 1);
        let start = memory.start();
        let at = |offset: &usize| start.wrapping_add(*offset);
        let own: Vec<*mut u8> = self.offsets.iter().map(at).collect();
        let lanes = self.lanes.iter().map(at).collect();
        for (reg, line) in nest.lines.iter().enumerate() {
            if let Inst::Const { param } = line.inst {
                let Param::Const(value) = args.params[param] else {
                    unreachable!("{}: a constant is no key", kernel.name)
                };
                let points = if self.repeated[reg] {
                    STRIP
                } else {
                    self.block.min(points)
                };
                // SAFETY: the register has room for a strip, or for `self.block` values.
                unsafe { alu::fill(line.dtype, value, own[reg], points) };
            }
        }
        Frame::new(memory, own, lanes, self.repeated.clone())
    }

    /// When the memory that lies at an address is read for the last time, if it is an input's. Of a contraction's output the sums are read.
    pub fn read_until(&self, at: *mut u8, args: &Args, sums: bool) -> Option<usize> {
        let inputs = args.inputs.iter().zip(&self.last_reads);
        let same = inputs.filter(|(input, _)| **input == at.cast_const());
        let sums = self.last_reads.last().filter(|_| sums);
        same.map(|(_, last)| last).chain(sums).copied().max()
    }

    /// Lets a register that will be stored be computed where it is to be stored, if that is possible: not before `until`, when the memory
    /// there is read for the last time. `past_caches`: it should not stay in the caches.
    pub fn aim(
        &self,
        nest: &Nest,
        reg: Reg,
        to: *mut u8,
        until: Option<usize>,
        past_caches: bool,
        frame: &mut Frame,
    ) {
        let Line { inst, dtype, level } = &nest.lines[reg];
        let computed = *level != Level::Free && !matches!(inst, Inst::Reduce(..) | Inst::Spread(_));
        let early = until.is_some_and(|until| self.when[reg] < until);
        if computed && dtype.compute() == *dtype && !early && (!past_caches || self.streamable[reg])
        {
            frame.own[reg] = to;
            frame.past_caches[reg] = past_caches;
        }
    }

    /// Adds the lanes of a sum, as the last block has left them, to a number.
    ///
    /// # Safety
    /// A strip has added them up, and `sum` is a value of the register's dtype.
    pub unsafe fn join_lanes(&self, nest: &Nest, reg: Reg, frame: &Frame, sum: *mut u8) {
        // SAFETY: the caller's; the lanes are a strip of f32, which is what a half is in a register, too.
        unsafe {
            alu::reduce_block(
                ReduceOps::Sum,
                nest.lines[reg].dtype,
                frame.lanes[reg],
                STRIP,
                sum,
            )
        }
    }

    /// A register as an operand.
    pub fn source(&self, reg: Reg, frame: &Frame) -> Source<u8> {
        let at = frame.registers[reg].cast_const();
        match frame.repeated[reg] {
            true => Source::repeated(at),
            false => Source::block(at),
        }
    }

    /// Runs a strip's instructions over rows of `n` points.
    ///
    /// # Safety
    /// Registers that the strip reads hold as many, or are memory, row by row, or a strip that is read again and again; its sums have lanes.
    pub unsafe fn run_strip(&self, strip: &Strip, (rows, n): (usize, usize), frame: &mut Frame) {
        let mut steps = std::mem::take(&mut frame.steps);
        let place = |operand: Operand| {
            let Operand { reg, size, .. } = operand;
            let at = match operand.inside {
                _ if operand.sum => frame.lanes[reg],
                true => frame.own[reg],
                false => frame.registers[reg],
            };
            let wrap = match operand.kept || frame.repeated[reg] {
                _ if operand.sum => Place::LANES,
                true => Place::STAYS,
                false => Place::MOVES,
            };
            let row = match frame.rows[reg] {
                Some(row) if operand.sum || !operand.inside => row,
                _ if wrap != Place::MOVES => 0,
                _ => (n * size) as isize,
            };
            let place = Place {
                at,
                wrap,
                size,
                row,
            };
            (place, frame.past_caches[reg])
        };
        // SAFETY: the caller's; results have room for all points; `aim` sees to it that nothing is read where a result has been written.
        unsafe { strip.run((rows, n), place, &mut steps) };
        frame.steps = steps;
        for &reg in &strip.results {
            frame.registers[reg] = frame.own[reg];
        }
    }

    /// Runs instructions over a block.
    ///
    /// # Safety
    /// `args` are the kernel's, its views are inside its buffers, the span has at most `self.block` points, and the registers that the
    /// instructions read have been written for as many points.
    pub unsafe fn run(
        &self,
        nest: &Nest,
        parts: &[Part],
        span: &Span,
        args: &Args,
        frame: &mut Frame,
    ) {
        let n = span.len * span.lines;
        let in_rows = |reg: &Reg, frame: &Frame| frame.rows[*reg].is_some();
        for part in parts {
            let reg = match part {
                Part::One(reg) => *reg,
                Part::Strip(strip) => {
                    let rows = match strip.reads.iter().any(|reg| in_rows(reg, frame)) {
                        true => n / span.row,
                        false => 1,
                    };
                    for &sum in &strip.sums {
                        // SAFETY: there is room for a strip of f32.
                        unsafe { frame.lanes[sum].write_bytes(0, STRIP * size_of::<f32>()) };
                    }
                    // SAFETY: registers have room for n points, or for a strip (law 4).
                    unsafe { self.run_strip(strip, (rows, n / rows), frame) };
                    continue;
                }
            };
            let line = &nest.lines[reg];
            let (r, dst) = (&frame.registers, frame.own[reg]);
            let dtype_of = |reg: Reg| nest.lines[reg].dtype;
            let source = |reg: Reg| self.source(reg, frame);
            // SAFETY: registers are blocks of their dtype with room for n points; sources and destinations are different blocks, or the
            // same one for elements of one size (law 2, `Places::assign`); loads are inside (the kernel's law 3).
            unsafe {
                match &line.inst {
                    Inst::Unary(UnaryOps::Cast(to), a) => {
                        alu::cast(dtype_of(*a), *to, r[*a], dst, n)
                    }
                    Inst::Unary(UnaryOps::Bitcast(to), a) => {
                        alu::bitcast(dtype_of(*a), *to, r[*a], dst, n)
                    }
                    Inst::Unary(op, a) => alu::unary(*op, dtype_of(*a), r[*a], dst, n),
                    Inst::Binary(op, a, b) => {
                        alu::binary(*op, dtype_of(*a), source(*a), source(*b), dst, n)
                    }
                    Inst::Ternary(op, a, b, c) => {
                        let (a, x, y) = (source(*a), source(*b), source(*c));
                        alu::ternary(*op, dtype_of(*b), a, x, y, dst, n)
                    }
                    Inst::Load { .. }
                    | Inst::Iota { .. }
                    | Inst::Rand { .. }
                    | Inst::Valid { .. }
                    | Inst::Gather { .. } => {
                        self.bring(nest, reg, span, args, frame);
                        continue;
                    }
                    Inst::Const { .. }
                    | Inst::Reduce(..)
                    | Inst::Spread(_)
                    | Inst::Store { .. } => continue,
                }
            }
            frame.registers[reg] = dst;
        }
    }
}
