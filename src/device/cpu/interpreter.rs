//! # device/cpu/interpreter: a kernel's program, a block of points at a time
//!
//! **In:** the straight-line program of a loop nest, and which points. **Out:** its registers, filled for these points. **Above:** `nest`,
//! which decides which points. **Below:** `walk` (where they are in memory), `alu` (one op over one block).
//!
//! An interpreter that decides what to do for each *element* spends ten times longer deciding than doing. One that decides for each
//! *array* writes every intermediate result to memory. In between lies the block: the decision is paid once for a thousand elements, and
//! the intermediate results, 4 KiB each, never leave the first-level cache. Analytical databases run queries this way; no compiler is needed.
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

use super::alu::{self, CHUNK, Source};
use super::panel::{Columns, Panel};
use super::simd::{Hot, Isa, vectorize};
use super::table::{Bring, Table};
use super::walk::{Axes, Base, Run, Walk};
use crate::device::random::uniform;
use crate::device::{Args, Param};
use crate::dtype::DType;
use crate::kernel::{Inst, Kernel, Level, Line, Nest, Reg};
use crate::ops::UnaryOps;
use std::cell::RefCell;
use std::ops::Range;

/// Points in a block, if few registers are alive at once; with many, down to an eighth of that.
const BLOCK: usize = 4096;
/// Points left free between two registers' blocks. Blocks exactly 4 KiB apart would share the few cache lines that a processor keeps for
/// addresses with equal low bits, and a load would have to wait for every store that looks like one to its own address.
const STAGGER: usize = 32;
/// Cache lines of the next block to ask for after each instruction.
const PACE: usize = 24;
/// What a block's registers may take, in bytes. More than the first-level cache's 32 KiB, as most inputs have a place here and do not use it,
/// and since longer blocks let the processor read ahead for longer: an Adam step took 21 ms with 28 KiB, 17 with 56.
const NEAR: usize = 56 << 10;

/// A loop nest's program with a place for each register.
pub struct Interpreter {
    /// points in a block
    pub block: usize,
    /// instructions of the inner loop, in order
    pub inner: Vec<Reg>,
    /// instructions of the outer loop, in order; no stores, no reductions
    pub outer: Vec<Reg>,
    /// (register, output)
    pub stores: Vec<(Reg, usize)>,
    walks: Vec<Option<Walk>>,
    /// each walk's outer and reduced space, merged for running along it, and its table if it has short rows
    lines: Vec<Option<[Running; 2]>>,
    /// registers after which nothing is read from memory: these may go to an output that lies in the memory of an input
    late: Vec<bool>,
    /// constants that are only ever operands: one chunk of each is enough
    repeated: Vec<bool>,
    /// whether there is enough to compute for the next block's memory to arrive meanwhile
    paced: bool,
    /// bytes from the frame's start to each register's block
    offsets: Vec<usize>,
    bytes: usize,
}

/// A space as one walk runs along it, with its table if it has short rows, or its columns if these are the kernel's rows.
struct Running {
    axes: Axes,
    table: Option<Table>,
    columns: Option<Columns>,
}

/// The registers of one thread, for one task.
pub struct Frame {
    /// for each register that reads columns as rows, those it has read
    panels: Vec<Panel>,
    /// memory that the next block will read: (from, bytes)
    ahead: Vec<(*mut u8, usize)>,
    _memory: Room,
    /// where each register's block is now: in `memory`, or directly in an input
    pub registers: Vec<*mut u8>,
    own: Vec<*mut u8>,
}

impl Frame {
    /// Asks for some of the next block's memory, so that it arrives while this block is computed. A few cache lines after each instruction:
    /// all at once, they would only wait for each other.
    fn look_ahead(&mut self) {
        let mut lines = PACE;
        while lines > 0
            && let Some((from, bytes)) = self.ahead.pop()
        {
            let now = bytes.min(lines * 64);
            prefetch(from, now);
            lines -= now.div_ceil(64);
            if now < bytes {
                self.ahead.push((from.wrapping_add(now), bytes - now));
            }
        }
    }

    /// Lets a register be its own block again.
    pub fn reset(&mut self, reg: Reg) {
        self.registers[reg] = self.own[reg];
    }
}

/// A frame's memory: cache lines that a thread keeps for its next frame. An epilogue gets a frame for every few rows of a product, and to
/// fill one with zeros takes longer than that many rows.
pub(super) struct Room(Vec<[u64; 8]>);

thread_local! {
    static IDLE: RefCell<Vec<Vec<[u64; 8]>>> = const { RefCell::new(Vec::new()) };
}

impl Room {
    /// Its first whole cache line. (The vector is aligned to 8 bytes only.)
    pub fn start(&mut self) -> *mut u8 {
        let start = self.0.as_mut_ptr().cast::<u8>();
        start.wrapping_add(start.align_offset(64))
    }

    /// At least so many lines, the first of which may be cut. What is in them is left over from earlier.
    pub fn new(lines: usize) -> Room {
        let mut memory = IDLE.with_borrow_mut(Vec::pop).unwrap_or_default();
        if memory.len() < lines {
            memory = vec![[0; 8]; lines];
        }
        Room(memory)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.0);
        // A thread that is ending has no place for it any more.
        let _ = IDLE.try_with(|idle| idle.borrow_mut().push(memory));
    }
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
}

/// Bytes of one element in a register.
pub fn width(dtype: DType) -> usize {
    dtype.compute().itemsize()
}

impl Interpreter {
    /// Sorts instructions by loop and gives each register a place. `products` are not computed; their factors stay until the end instead.
    pub fn new(nest: &Nest, walks: Vec<Option<Walk>>, products: &[(Reg, [Reg; 2])]) -> Interpreter {
        let of = |level: Level| {
            let matches = |reg: &Reg| {
                let line = &nest.lines[*reg];
                line.level == level && !matches!(line.inst, Inst::Store { .. } | Inst::Reduce(..))
            };
            (0..nest.lines.len()).filter(matches).collect::<Vec<Reg>>()
        };
        let (free, inner, outer) = (of(Level::Free), of(Level::Inner), of(Level::Outer));
        let stores = nest.lines.iter().filter_map(|line| match line.inst {
            Inst::Store { output, src } => Some((src, output)),
            _ => None,
        });
        let stores: Vec<(Reg, usize)> = stores.collect();
        let reductions =
            (0..nest.lines.len()).filter(|&reg| matches!(nest.lines[reg].inst, Inst::Reduce(..)));
        // Law 3: places for keeps first, then each loop from there on.
        let mut plan = Places::new(nest);
        let repeated = only_operands(nest);
        let (chunks, blocks): (Vec<Reg>, Vec<Reg>) =
            free.into_iter().partition(|&reg| repeated[reg]);
        for reg in blocks.into_iter().chain(reductions) {
            plan.take(reg, width(nest.lines[reg].dtype));
        }
        let kept = plan.bytes;
        let inner: Vec<Reg> = (inner.into_iter())
            .filter(|reg| products.iter().all(|(product, _)| product != reg))
            .collect();
        plan.assign(nest, &inner, |reg| {
            let reduced = |line: &Line| matches!(line.inst, Inst::Reduce(_, src) if src == reg);
            nest.lines.iter().any(reduced)
                || products.iter().any(|(_, factors)| factors.contains(&reg))
        });
        let after_inner = plan.bytes;
        (plan.bytes, plan.idle) = (kept, Vec::new());
        plan.assign(nest, &outer, |reg| {
            stores.iter().any(|&(src, _)| src == reg)
        });
        plan.bytes = after_inner.max(plan.bytes);
        let block = block_for(plan.bytes);
        Interpreter {
            inner,
            outer,
            stores,
            ..Interpreter::with_places(nest, walks, plan, repeated, &chunks, block)
        }
    }

    /// For a kernel of rows: every instruction runs along its own level's whole space. A block is `rows` rows of `length` points, as many as
    /// fit; registers of the inner level have room for all of its points.
    pub fn for_rows(nest: &Nest, length: usize) -> Interpreter {
        let walks = nest.lines.iter().map(|line| {
            let view = line.inst.view()?;
            Some(Walk::new(view, view.shape.len()))
        });
        let mut plan = Places::new(nest);
        let mut chunks = Vec::new();
        let mut repeated = only_operands(nest);
        for (reg, line) in nest.lines.iter().enumerate() {
            match line.level {
                Level::Inner => {}
                Level::Free if repeated[reg] => chunks.push(reg),
                _ if matches!(line.inst, Inst::Store { .. }) => {}
                Level::Free | Level::Outer => plan.take(reg, width(line.dtype)),
            }
        }
        let all: Vec<Reg> = (0..nest.lines.len()).collect();
        plan.assign(nest, &all, |_| false);
        let rows = (block_for(plan.bytes) / length).max(1);
        for (reg, line) in nest.lines.iter().enumerate() {
            // A row's sum is one number for all of a block's points if the block is one row.
            if rows == 1 && matches!(line.inst, Inst::Spread(_)) {
                repeated[reg] = read_by_operands_only(nest, reg);
            }
        }
        Interpreter::with_places(
            nest,
            walks.collect(),
            plan,
            repeated,
            &chunks,
            rows * length,
        )
    }

    fn with_places(
        nest: &Nest,
        walks: Vec<Option<Walk>>,
        plan: Places,
        repeated: Vec<bool>,
        chunks: &[Reg],
        block: usize,
    ) -> Interpreter {
        // In whole cache lines.
        let room = (block + STAGGER).next_multiple_of(64);
        let mut offsets: Vec<usize> = plan.offsets.iter().map(|&offset| offset * room).collect();
        let mut bytes = plan.bytes * room;
        for &reg in chunks {
            offsets[reg] = bytes;
            bytes += CHUNK * width(nest.lines[reg].dtype);
        }
        let running = |(walk, line): (&Option<Walk>, &Line)| {
            // Halves are widened while they are loaded, a run at a time.
            let tabulate = matches!(line.inst, Inst::Load { .. } | Inst::Valid { .. })
                && line.dtype.compute() == line.dtype;
            let prepare = |axes: &Axes| {
                let merged = axes.merged();
                Running {
                    table: if tabulate { Table::new(&merged) } else { None },
                    columns: match line.inst {
                        Inst::Load { .. } if tabulate => Columns::new(&merged),
                        _ => None,
                    },
                    axes: merged,
                }
            };
            walk.as_ref()
                .map(|walk| [prepare(&walk.outer), prepare(&walk.reduced)])
        };
        let lines = walks.iter().zip(&nest.lines).map(running).collect();
        Interpreter {
            block,
            inner: Vec::new(),
            outer: Vec::new(),
            stores: Vec::new(),
            walks,
            lines,
            late: after_all_reads(nest),
            paced: nest
                .lines
                .iter()
                .filter(|line| {
                    matches!(
                        line.inst,
                        Inst::Unary(..) | Inst::Binary(..) | Inst::Ternary(..)
                    )
                })
                .count()
                >= 6,
            repeated,
            offsets,
            bytes,
        }
    }

    /// Whether a register is one chunk, which is read again and again.
    pub fn is_repeated(&self, reg: Reg) -> bool {
        self.repeated[reg]
    }

    /// Bytes of its tables.
    pub fn bytes(&self) -> usize {
        let lines = self.lines.iter().flatten().flatten();
        lines
            .filter_map(|running| running.table.as_ref())
            .map(Table::bytes)
            .sum()
    }

    /// Points that should be computed by one task, as they are read together: 1 if nothing reads columns as rows.
    pub fn together(&self) -> usize {
        let outer = self.lines.iter().flatten().map(|[outer, _]| outer);
        let columns = outer.filter_map(|running| running.columns);
        columns.map(|columns| columns.points()).max().unwrap_or(1)
    }

    /// Registers for one task; constants are filled in, for blocks of at most `points`.
    pub fn frame(&self, kernel: &Kernel, nest: &Nest, args: &Args, points: usize) -> Frame {
        let mut memory = Room::new(self.bytes.div_ceil(64) + 1);
        let start = memory.start();
        let own: Vec<*mut u8> = self
            .offsets
            .iter()
            .map(|&offset| start.wrapping_add(offset))
            .collect();
        for (reg, line) in nest.lines.iter().enumerate() {
            if let Inst::Const { param } = line.inst {
                let Param::Const(value) = args.params[param] else {
                    unreachable!("{}: a constant is no key", kernel.name)
                };
                let points = if self.repeated[reg] {
                    CHUNK
                } else {
                    self.block.min(points)
                };
                // SAFETY: the register has room for a chunk, or for `self.block` values.
                unsafe { alu::fill(line.dtype, value, own[reg], points) };
            }
        }
        Frame {
            ahead: Vec::new(),
            panels: nest.lines.iter().map(|_| Panel::default()).collect(),
            _memory: memory,
            registers: own.clone(),
            own,
        }
    }

    /// Lets a register that will be stored be computed where it is to be stored, if that is possible. `shared`: whether the output lies in
    /// memory that the kernel reads.
    pub fn aim(&self, nest: &Nest, reg: Reg, to: *mut u8, shared: bool, frame: &mut Frame) {
        let Line { inst, dtype, level } = &nest.lines[reg];
        let computed = *level != Level::Free && !matches!(inst, Inst::Reduce(..) | Inst::Spread(_));
        if computed && dtype.compute() == *dtype && (!shared || self.late[reg]) {
            frame.own[reg] = to;
        }
    }

    /// A register as an operand.
    pub fn source(&self, reg: Reg, frame: &Frame) -> Source<u8> {
        let at = frame.registers[reg].cast_const();
        match self.repeated[reg] {
            true => Source::repeated(at),
            false => Source::block(at),
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
        regs: &[Reg],
        span: &Span,
        args: &Args,
        frame: &mut Frame,
    ) {
        let n = span.len * span.lines;
        for &reg in regs {
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
            if self.paced {
                frame.look_ahead();
            }
        }
    }

    /// The instructions that depend on where the points are.
    ///
    /// # Safety
    /// As for [`Interpreter::run`].
    unsafe fn bring(&self, nest: &Nest, reg: Reg, span: &Span, args: &Args, frame: &mut Frame) {
        let line = &nest.lines[reg];
        let walk = self.walks[reg]
            .as_ref()
            .expect("every instruction with a view has a walk");
        let [outer, reduced] = self.lines[reg].as_ref().expect("as many as walks");
        let (running, others) = if span.along_outer {
            (outer, &walk.reduced)
        } else {
            (reduced, &walk.outer)
        };
        let (axes, table) = (&running.axes, &running.table);
        let rank = others.sizes.len();
        frame.reset(reg);
        for row in 0..span.lines {
            let fixed = if span.fixed.is_empty() {
                &[][..]
            } else {
                &span.fixed[row * rank..(row + 1) * rank]
            };
            let base = others.shifted(&walk.start, fixed);
            if let Inst::Load { input, .. } = line.inst
                && span.lines == 1
                && line.dtype.compute() == line.dtype
                && let Some(address) = direct(axes, &base, &walk.limits, span)
            {
                // The register is the memory itself. It is only ever read through this pointer.
                let size = line.dtype.itemsize();
                let memory = args.inputs[input]
                    .cast_mut()
                    .wrapping_offset(address * size as isize);
                frame.registers[reg] = memory;
                if self.paced && span.along_outer {
                    // What was not asked for during a block is being read by now.
                    if frame.ahead.len() > nest.lines.len() {
                        frame.ahead.clear();
                    }
                    frame
                        .ahead
                        .push((memory.wrapping_add(span.len * size), span.len * size));
                }
                return;
            }
            let dst = frame.own[reg].wrapping_add(row * span.len * width(line.dtype));
            if let (Inst::Load { input, .. }, Some(columns)) = (&line.inst, running.columns)
                && span.lines == 1
                && span.fixed.is_empty()
            {
                let (memory, range) = (args.inputs[*input], span.start..span.start + span.len);
                let (place, panel) = ((axes, &base), &mut frame.panels[reg]);
                // SAFETY: as the caller promises; elements are moved as bits of their size.
                frame.registers[reg] = unsafe {
                    match line.dtype.itemsize() {
                        1 => columns.bring::<u8>(memory, place, range, panel, dst),
                        2 => columns.bring::<u16>(memory, place, range, panel, dst),
                        4 => columns.bring::<u32>(memory, place, range, panel, dst),
                        _ => columns.bring::<u64>(memory, place, range, panel, dst),
                    }
                };
                return;
            }
            if let Some(table) = table {
                let what = match line.inst {
                    Inst::Load { input, .. } => Bring::Element(args.inputs[input], line.dtype),
                    _ => Bring::Valid,
                };
                // SAFETY: as the caller promises; `dst` has room for the line.
                unsafe {
                    table.bring(
                        what,
                        axes,
                        &base,
                        &walk.limits,
                        span.start..span.start + span.len,
                        dst,
                    )
                };
                continue;
            }
            axes.runs(&base, &walk.limits, span.start, span.len, |run| {
                let to = dst.wrapping_add(run.at * width(line.dtype));
                // SAFETY: as the caller promises; `to` is inside the register's block.
                unsafe {
                    bring_run(
                        nest,
                        reg,
                        run,
                        to,
                        args,
                        frame,
                        row * span.len + run.at..(row + 1) * span.len,
                    )
                }
            });
        }
    }
}

/// For each register whether no later instruction reads memory, be it by itself or through a register that is memory.
fn after_all_reads(nest: &Nest) -> Vec<bool> {
    let memory = |reg: Reg| {
        matches!(
            nest.lines[reg].inst,
            Inst::Load { .. } | Inst::Gather { .. } | Inst::Reduce(..)
        )
    };
    let reads = |reg: &Reg| memory(*reg) || nest.lines[*reg].inst.reads().any(memory);
    let is_store = |reg: &Reg| matches!(nest.lines[*reg].inst, Inst::Store { .. });
    let last = (0..nest.lines.len())
        .rev()
        .filter(|reg| !is_store(reg))
        .find(reads);
    (0..nest.lines.len())
        .map(|reg| last.is_none_or(|last| reg >= last))
        .collect()
}

/// Which registers are constants that only element-wise ops with several operands read.
fn only_operands(nest: &Nest) -> Vec<bool> {
    let constant = |reg: Reg| matches!(nest.lines[reg].inst, Inst::Const { .. });
    (0..nest.lines.len())
        .map(|reg| constant(reg) && read_by_operands_only(nest, reg))
        .collect()
}

fn read_by_operands_only(nest: &Nest, reg: Reg) -> bool {
    let users = nest
        .lines
        .iter()
        .filter(|line| line.inst.reads().any(|read| read == reg));
    users
        .into_iter()
        .all(|line| matches!(line.inst, Inst::Binary(..) | Inst::Ternary(..)))
}

/// How many points make a block, if each takes so many bytes of registers.
fn block_for(bytes_per_point: usize) -> usize {
    let fits = NEAR / bytes_per_point.max(1);
    let power = (fits + 1).next_power_of_two() / 2; // the largest that is not more
    power.clamp(BLOCK / 8, BLOCK)
}

/// Whether all numbers are the same.
struct AllEqual<'a>(&'a [i64]);

impl Hot for AllEqual<'_> {
    type Out = bool;
    #[inline(always)]
    fn run<I: Isa>(self) -> bool {
        // Without an early end the loop has no branch, and eight numbers go at once.
        self.0
            .iter()
            .fold(0, |differences, &i| differences | (i ^ self.0[0]))
            == 0
    }
}

/// Asks for memory before it is needed. Wherever the address leads, nothing happens but that it may be in cache soon.
pub(super) fn prefetch(from: *const u8, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..bytes).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch touches no memory that the program can see, and cannot fail.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(line).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, bytes);
}

/// The address of a line that is one stretch of memory.
fn direct(axes: &Axes, base: &Base, limits: &[isize], span: &Span) -> Option<isize> {
    let last = axes.sizes.len().checked_sub(1)?;
    let row = axes.sizes[last];
    if !limits.is_empty()
        || (axes.strides[last] != 1 && span.len > 1)
        || span.start % row + span.len > row
    {
        return None;
    }
    let mut address = None;
    axes.runs(base, limits, span.start, span.len, |run| {
        address = run.address
    });
    address
}

/// One run of a load, a position, a random number, a condition or a gather.
///
/// # Safety
/// As for [`Interpreter::run`]; `to` has room for the run, which begins at the first of the line's points in `rest`.
unsafe fn bring_run(
    nest: &Nest,
    reg: Reg,
    run: Run,
    to: *mut u8,
    args: &Args,
    frame: &Frame,
    rest: Range<usize>,
) {
    let (at, left) = (rest.start, rest.len());
    let line = &nest.lines[reg];
    let Run {
        len,
        address,
        stride,
        ..
    } = run;
    // SAFETY: see above; an address that a run gives is valid (the kernel's law 3).
    unsafe {
        let Some(address) = address else {
            // Outside of a bound: zeros, whatever the instruction. All-zero bytes are 0 in every dtype.
            return std::ptr::write_bytes(to, 0, len * width(line.dtype));
        };
        let size = line.dtype.itemsize() as isize;
        match &line.inst {
            Inst::Load { input, .. } => {
                let from = args.inputs[*input].wrapping_offset(address * size);
                // A run of a few numbers is over before a call to `alu` would have begun.
                if len <= 4 && line.dtype == DType::Float32 {
                    for j in 0..len {
                        *to.cast::<f32>().add(j) = *from.cast::<f32>().offset(stride * j as isize);
                    }
                    return;
                }
                alu::load(line.dtype, from, stride, to, len)
            }
            Inst::Iota { .. } => alu::iota(address as i64, stride as i64, to, len),
            Inst::Valid { .. } => std::ptr::write_bytes(to, 1, len),
            Inst::Rand { param, .. } => {
                let Param::Key(key) = args.params[*param] else {
                    unreachable!("a key is no constant")
                };
                for j in 0..len {
                    to.cast::<f32>()
                        .add(j)
                        .write(uniform(key, (address + stride * j as isize) as u64));
                }
            }
            Inst::Gather {
                input,
                stride: step,
                size: count,
                index,
                ..
            } => {
                let index =
                    std::slice::from_raw_parts(frame.registers[*index].cast::<i64>().add(at), len);
                let memory = args.inputs[*input];
                let place = |j: usize| {
                    memory.wrapping_offset(
                        (address + stride * j as isize + step * index[j] as isize) * size,
                    )
                };
                let inside = |i: i64| 0 <= i && i < *count as i64;
                // A row of an embedding has one index for all of its elements: then it is one load.
                if vectorize(AllEqual(index)) && inside(index[0]) {
                    if len < left && stride == 1 {
                        // The next row's index is known already, and where it leads is nowhere near.
                        let next = *index.as_ptr().add(len);
                        prefetch(
                            memory.wrapping_offset((address + step * next as isize) * size),
                            len * size as usize,
                        );
                    }
                    return alu::load(line.dtype, place(0), stride, to, len);
                }
                for (j, &i) in index.iter().enumerate() {
                    let to = to.add(j * width(line.dtype));
                    match inside(i) {
                        true => alu::load(line.dtype, place(j), 1, to, 1),
                        false => std::ptr::write_bytes(to, 0, width(line.dtype)),
                    }
                }
            }
            Inst::Const { .. }
            | Inst::Unary(..)
            | Inst::Binary(..)
            | Inst::Ternary(..)
            | Inst::Reduce(..)
            | Inst::Spread(_)
            | Inst::Store { .. } => {
                unreachable!("{:?} depends on no place", line.inst)
            }
        }
    }
}

/// Register allocation by linear scan: a place is idle again after its register's last use.
struct Places {
    /// bytes a point, before each register's place
    offsets: Vec<usize>,
    bytes: usize,
    /// (bytes of an element, offset)
    idle: Vec<(usize, usize)>,
}

impl Places {
    fn new(nest: &Nest) -> Places {
        Places {
            offsets: vec![0; nest.lines.len()],
            bytes: 0,
            idle: Vec::new(),
        }
    }

    fn take(&mut self, reg: Reg, width: usize) {
        let reuse = self.idle.iter().rposition(|&(w, _)| w == width);
        self.offsets[reg] = match reuse {
            Some(position) => self.idle.remove(position).1,
            None => {
                // Times the block's length, a multiple of 64, every place begins at a cache line.
                self.bytes += width;
                self.bytes - width
            }
        };
    }

    fn assign(&mut self, nest: &Nest, order: &[Reg], live_to_the_end: impl Fn(Reg) -> bool) {
        // Of a kernel of rows all instructions are in the order, but only the inner ones share places.
        let rows = nest.has_rows();
        let shares = |reg: Reg| {
            let line = &nest.lines[reg];
            !rows || (line.level == Level::Inner && !matches!(line.inst, Inst::Store { .. }))
        };
        // For each instruction, the registers of this loop that it is the last to read, found from the end.
        let mut dying: Vec<[Option<Reg>; 3]> = vec![[None; 3]; order.len()];
        let mut alive: Vec<bool> = vec![false; nest.lines.len()]; // read further on, or not of this loop
        alive.iter_mut().enumerate().for_each(|(reg, alive)| {
            *alive = order.binary_search(&reg).is_err() || live_to_the_end(reg) || !shares(reg)
        });
        for (dying, &reg) in dying.iter_mut().zip(order).rev() {
            for (slot, read) in dying.iter_mut().zip(nest.lines[reg].inst.reads()) {
                if !std::mem::replace(&mut alive[read], true) {
                    *slot = Some(read);
                }
            }
        }
        for (dying, &reg) in dying.iter().zip(order) {
            // An op may write over an operand of its own width that is read for the last time. Not so if it reads it again and again: a
            // gather needs its index while it writes, and a spread number may be one chunk for all of the block.
            let (held, freed): (Vec<Reg>, Vec<Reg>) =
                dying.iter().flatten().partition(|&&source| {
                    matches!(nest.lines[reg].inst, Inst::Gather { .. })
                        || matches!(nest.lines[source].inst, Inst::Spread(_))
                });
            let place = |plan: &Places, source: Reg| {
                (width(nest.lines[source].dtype), plan.offsets[source])
            };
            for source in freed {
                self.idle.push(place(self, source));
            }
            if shares(reg) {
                self.take(reg, width(nest.lines[reg].dtype));
            }
            for source in held {
                self.idle.push(place(self, source));
            }
        }
    }
}
