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
//! Laws:
//! 1. Registers of f16 and bf16 hold f32, those of bool bytes 0 or 1; see `alu`.
//! 2. A register's block is given to another register when its last reader has run.
//! 3. Registers of level `Free` (constants) and of reductions keep their blocks for the whole kernel.
//! 4. Element-wise f32 instructions run strip by strip (see `strip`); what does not leave a strip has no block.

mod bring;
mod frame;
mod places;
#[cfg(test)]
mod tests;

pub(super) use bring::{is_in_rows, is_stretch};
pub use frame::Frame;
pub(super) use frame::Room;

use super::alu::{self, Source};
use super::panel::Columns;
use super::strip::{Operand, Part, Place, STRIP, Strip, parts};
use super::table::Table;
use super::walk::{Axes, Walk};
use crate::device::{Args, Param};
use crate::dtype::DType;
use crate::kernel::{Inst, Kernel, Level, Line, Nest, Reg};
use crate::ops::{ReduceOps, UnaryOps};
use places::{
    Places, block_for, block_of_rows, in_strips, last_reads, only_operands, read_by_operands_only,
    repeatable, rounded_by_store, streamable,
};

/// Points left free between two registers' blocks. Blocks exactly 4 KiB apart would share the few cache lines that a processor keeps for
/// addresses with equal low bits, and a load would have to wait for every store that looks like one to its own address.
const STAGGER: usize = 32;
/// Rows of so many points are blocks of their own.
const LONG: usize = 1024;
/// More bytes than a third-level cache holds for a core or two.
const BEYOND: u64 = 48 << 20;

/// A loop nest's program with a place for each register.
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

/// Registers that need a place for one strip.
fn kept<'a>(parts: impl Iterator<Item = &'a Part>) -> impl Iterator<Item = Reg> {
    parts.flat_map(|part| {
        match part {
            Part::One(_) => &[],
            Part::Strip(strip) => &strip.kept[..],
        }
        .iter()
        .copied()
    })
}

/// Bytes of one element in a register.
pub fn width(dtype: DType) -> usize {
    dtype.compute().itemsize()
}

impl Interpreter {
    /// Sorts instructions by loop and gives each register a place. `products` are not computed; their factors stay until the end instead.
    /// `sums` are added up by strips of the inner loop.
    pub fn new(
        kernel: &Kernel,
        walks: Vec<Option<Box<Walk>>>,
        products: &[(Reg, [Reg; 2])],
        sums: &[Reg],
    ) -> Interpreter {
        let nest = kernel.nest();
        let of = |level: Level| {
            let matches = |reg: &Reg| match nest.lines[*reg].inst {
                Inst::Store { .. } => false,
                Inst::Reduce(..) => level == Level::Inner && sums.contains(reg),
                _ => nest.lines[*reg].level == level,
            };
            (0..nest.lines.len()).filter(matches).collect::<Vec<Reg>>()
        };
        let (free, inner, outer) = (of(Level::Free), of(Level::Inner), of(Level::Outer));
        let stores = nest.lines.iter().filter_map(|line| match line.inst {
            Inst::Store { output, src } => Some((src, output)),
            _ => None,
        });
        let mut stores: Vec<(Reg, usize)> = stores.collect();
        let mut outer = outer;
        if let [(src, _)] = &mut stores[..]
            && let Some(wide) = rounded_by_store(nest, *src)
        {
            outer.retain(|reg| reg != src);
            *src = wide;
        }
        let reductions =
            (0..nest.lines.len()).filter(|&reg| matches!(nest.lines[reg].inst, Inst::Reduce(..)));
        // Law 3: places for keeps first, then each loop from there on.
        let in_rows = |(walk, line): (&Option<Box<Walk>>, &Line)| {
            let walk = walk.as_deref().filter(|_| line.level == Level::Inner);
            !sums.is_empty() && walk.is_some_and(|walk| bring::is_in_rows(walk, &walk.reduced))
        };
        let in_rows = walks.iter().zip(&nest.lines).map(in_rows).collect();
        let mut plan = Places::new(nest, in_rows);
        let repeated = only_operands(nest);
        let (mut strips, blocks): (Vec<Reg>, Vec<Reg>) =
            free.into_iter().partition(|&reg| repeated[reg]);
        for reg in blocks.into_iter().chain(reductions) {
            plan.take(reg, width(nest.lines[reg].dtype));
        }
        let for_keeps = plan.bytes;
        let inner: Vec<Reg> = (inner.into_iter())
            .filter(|reg| products.iter().all(|(product, _)| product != reg))
            .collect();
        let (inner, outer) = (parts(nest, &inner), parts(nest, &outer));
        strips.extend(kept(inner.iter().chain(&outer)));
        // What is reduced after the loop's instructions. (A list, as kernels of thousands of instructions ask for each of them.)
        let mut reduced = vec![false; nest.lines.len()];
        for (sum, line) in nest.lines.iter().enumerate() {
            if let Inst::Reduce(_, src) = line.inst
                && !sums.contains(&sum)
            {
                reduced[src] = true;
            }
        }
        for &reg in products.iter().flat_map(|(_, factors)| factors) {
            reduced[reg] = true;
        }
        plan.assign(nest, &inner, |reg| reduced[reg]);
        let after_inner = plan.bytes;
        (plan.bytes, plan.idle) = (for_keeps, Vec::new());
        plan.assign(nest, &outer, |reg| {
            stores.iter().any(|&(src, _)| src == reg)
        });
        plan.bytes = after_inner.max(plan.bytes);
        let block = block_for(plan.bytes);
        plan.finish(nest);
        Interpreter {
            inner,
            outer,
            stores,
            ..Interpreter::with_places(kernel, walks, plan, repeated, (&strips, sums), block)
        }
        .in_order(nest)
    }

    /// Notes when memory is read for the last time.
    fn in_order(mut self, nest: &Nest) -> Interpreter {
        (self.when, self.last_reads) = last_reads(nest, &self.outer);
        self.streamable = streamable(nest, &self.outer);
        let parts: Vec<&Part> = self.inner.iter().chain(&self.outer).collect();
        self.in_strips = in_strips(nest, &parts);
        self
    }

    /// For a kernel of rows, whose instructions run in the order of these parts: each along its own level's whole space. A block is `rows` rows
    /// of `length` points, as many as fit; registers of the inner level have room for all of its points.
    /// With sums that strips add up, a block is one row.
    pub fn for_rows(kernel: &Kernel, order: &[&Part], length: usize, sums: &[Reg]) -> Interpreter {
        let nest = kernel.nest();
        let walks = nest.lines.iter().map(|line| {
            let view = line.inst.view()?;
            Some(Box::new(Walk::new(view, view.shape.len())))
        });
        let in_rows = |(walk, line): (&Option<Box<Walk>>, &Line)| {
            let walk = walk.as_deref().filter(|_| line.level == Level::Inner);
            !sums.is_empty() && walk.is_some_and(|walk| bring::is_in_rows(walk, &walk.outer))
        };
        let walks: Vec<Option<Box<Walk>>> = walks.collect();
        let in_rows = walks.iter().zip(&nest.lines).map(in_rows).collect();
        let mut plan = Places::new(nest, in_rows);
        let mut strips: Vec<Reg> = kept(order.iter().copied()).collect();
        let mut repeated = only_operands(nest);
        for (reg, line) in nest.lines.iter().enumerate() {
            match line.level {
                Level::Inner if matches!(line.inst, Inst::Spread(_)) => {
                    plan.take(reg, width(line.dtype))
                }
                Level::Inner => {}
                Level::Free if repeated[reg] => strips.push(reg),
                _ if matches!(line.inst, Inst::Store { .. }) => {}
                Level::Free | Level::Outer => plan.take(reg, width(line.dtype)),
            }
        }
        let stored = |reg: Reg| {
            let stores = |line: &Line| matches!(line.inst, Inst::Store { src, .. } if src == reg);
            nest.lines.iter().any(stores)
        };
        plan.assign(nest, order, stored);
        let points = if length < LONG {
            block_of_rows(plan.bytes)
        } else {
            block_for(plan.bytes)
        };
        let rows = match sums {
            [] => (points / length).max(1),
            _ => 1,
        };
        plan.finish(nest);
        for (reg, line) in nest.lines.iter().enumerate() {
            // A row's sum is one number for all of a block's points if the block is one row.
            if rows == 1 && matches!(line.inst, Inst::Spread(_)) {
                repeated[reg] = read_by_operands_only(nest, reg);
            }
        }
        Interpreter::with_places(
            kernel,
            walks,
            plan,
            repeated,
            (&strips, sums),
            rows * length,
        )
        .streaming(nest, order)
    }

    fn streaming(mut self, nest: &Nest, order: &[&Part]) -> Interpreter {
        self.streamable = streamable(nest, order);
        self.in_strips = in_strips(nest, order);
        self
    }

    fn with_places(
        kernel: &Kernel,
        walks: Vec<Option<Box<Walk>>>,
        plan: Places,
        repeated: Vec<bool>,
        (strips, sums): (&[Reg], &[Reg]),
        block: usize,
    ) -> Interpreter {
        let nest = kernel.nest();
        // In whole cache lines.
        let room = (block + STAGGER).next_multiple_of(64);
        let mut offsets: Vec<usize> = plan.offsets.iter().map(|&offset| offset * room).collect();
        let mut bytes = plan.bytes * room;
        for &reg in strips {
            offsets[reg] = bytes;
            bytes += STRIP * width(nest.lines[reg].dtype);
        }
        let mut lanes = vec![0; nest.lines.len()];
        for &reg in sums {
            lanes[reg] = bytes;
            bytes += STRIP * width(nest.lines[reg].dtype);
        }
        let running = |(walk, line): (&Option<Box<Walk>>, &Line)| {
            // Halves are widened while they are loaded, a run at a time.
            let tabulate = matches!(line.inst, Inst::Load { .. } | Inst::Valid { .. })
                && line.dtype.compute() == line.dtype;
            let prepare = |walk: &Walk, axes: &Axes| {
                let merged = axes.merged();
                let table = || Table::new(&merged, &walk.start, &walk.limits);
                Running {
                    table: tabulate.then(table).flatten(),
                    columns: match line.inst {
                        Inst::Load { .. } if tabulate => Columns::new(&merged),
                        _ => None,
                    },
                    axes: merged,
                }
            };
            walk.as_ref()
                .map(|walk| Box::new([prepare(walk, &walk.outer), prepare(walk, &walk.reduced)]))
        };
        let lines: Vec<_> = walks.iter().zip(&nest.lines).map(running).collect();
        Interpreter {
            block,
            inner: Vec::new(),
            outer: Vec::new(),
            stores: Vec::new(),
            walks,
            when: Vec::new(),
            last_reads: Vec::new(),
            streamable: Vec::new(),
            repeated,
            repeatable: repeatable(nest),
            in_strips: Vec::new(),
            first_of_row: bring::first_of_row(nest, &lines),
            lengths: kernel.inputs.iter().map(|input| input.len).collect(),
            lines,
            offsets,
            lanes,
            bytes,
        }
    }

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
