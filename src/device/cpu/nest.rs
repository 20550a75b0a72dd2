//! # device/cpu/nest: how the loops of a kernel are run
//!
//! **In:** a loop nest. **Out:** its outputs. **Above:** `cpu`. **Below:** `interpreter` (what happens at the points), `contraction` (sums of products).
//!
//! A nest without reductions is one long line of points, cut into blocks, the blocks dealt out to threads. For a reduction there is a choice:
//!
//! ```text
//!               reduced →                 along: one output at a time, a block of what it sums.
//!            ┌───────────────┐                   Good if the summed elements lie side by side (a row's sum).
//!    outer   │ →→→→→→→→→→→→→ │            across: a block of outputs at a time, adding one row after the other.
//!      ↓     │ →→→→→→→→→→→→→ │                   Good if neighbouring outputs' elements lie side by side (a column's sum),
//!            └───────────────┘                   or if there is little to sum for each (a 2×2 window).
//! ```
//!
//! `choose` compares what the loads of each would cost, `reduce` has both loops, `in_place` those of sums over memory as it is. If there are
//! few outputs and much to sum, the sum itself is cut into pieces of a fixed size, whose partial sums are added in order: so that all threads
//! have work and the result is the same for any number.
//!
//! Accuracy: within a block sums are pairwise or in many lanes; at most 256 rows, or 64 blocks, are added up one after the other before they
//! join a larger sum. The error grows with the logarithm of the length, not with the length.

mod choose;
mod in_place;
mod in_turn;
mod partial;
mod reduce;

use self::choose::{order, product};
use self::in_place::are_in_place;
use self::in_turn::{InTurn, in_turn};
use self::partial::Partial;
use super::alu;
use super::contraction::Contraction;
use super::interpreter::{Frame, Interpreter, Span, outputs_beyond_caches};
use super::strip::is_sum;
use super::threads::{GRAIN, parallel};
use super::walk::{Walk, simplify};
use crate::device::memory::Memory;
use crate::device::{Args, Program};
use crate::dtype::DType;
use crate::kernel::{Inst, Kernel, Level, Nest, Reg};
use crate::ops::{BinaryOps, ReduceOps};
use crate::shape::view::numel;
use std::ops::Range;

/// So many rows are added up in order before they join a larger sum.
const ROWS: usize = 256;

/// Sums over rows are worked on so many columns at a time: 16 KiB of f32 of each row.
const COLUMNS: usize = 4096;

/// Rows of so many points are blocks of their own: memory can be read where it is, which is worth a block's overhead.
const LONG_ROW: usize = 256;
/// Likewise, where rows are only parts of what is reduced: there a block of several can be one.
const LONG_PART: usize = 1024;

/// Sums of fewer numbers than this are computed block by block: a strip's lanes have to be added up, too.
const LONG_SUM: usize = 1024;

/// Element-wise tasks begin at multiples of this.
const SHARE: usize = 512;

/// Which loop is the innermost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Order {
    Along,
    Across,
}

/// A loop nest, ready to run.
pub struct LoopNest {
    kernel: Kernel,
    outer: Vec<usize>,
    reduced: Vec<usize>,
    interpreter: Interpreter,
    /// (register, what it reduces with, what it reduces)
    reductions: Vec<(Reg, ReduceOps, Reg)>,
    order: Order,
    contraction: Option<Product>,
    gathers: bool,
    /// points of a row, across whose end no block should reach
    stretch_row: Option<usize>,
    /// which outputs are written past the caches
    beyond_caches: Vec<bool>,
    /// for each reduction the factors, if it is a sum of products that nothing else reads: these need not be written down
    factors: Vec<Option<(Reg, Reg)>>,
    /// which reductions are sums that strips add up
    in_strips: Vec<bool>,
    /// whether what is reduced lies in memory
    in_place: bool,
    /// the loads of sums whose numbers lie between each other's
    in_turn: Option<InTurn>,
    /// whether blocks may be several rows: those of the outer, of the reduced space
    several_rows: [bool; 2],
}

/// A sum of products that the contraction room computes.
struct Product {
    contraction: Contraction,
    a: usize,
    b: usize,
    /// the register of the sum
    sum: Reg,
    dtype: DType,
}

impl LoopNest {
    /// Chooses how to run a kernel whose body is a nest.
    pub fn new(kernel: Kernel) -> LoopNest {
        let nest = kernel.nest();
        let (mut outer, mut reduced) = (nest.outer.clone(), nest.reduced.clone());
        let mut walks: Vec<Option<Box<Walk>>> = nest
            .lines
            .iter()
            .map(|line| {
                line.inst
                    .view()
                    .map(|view| Box::new(Walk::new(view, nest.outer.len())))
            })
            .collect();
        simplify(
            &mut walks
                .iter_mut()
                .flatten()
                .map(Box::as_mut)
                .collect::<Vec<_>>(),
            &mut outer,
            &mut reduced,
        );
        let reductions: Vec<_> = nest
            .lines
            .iter()
            .enumerate()
            .filter_map(|(reg, line)| match line.inst {
                Inst::Reduce(op, src) => Some((reg, op, src)),
                _ => None,
            })
            .collect();
        let order = order(nest, &walks, &outer, &reduced);
        let contraction = match reductions[..] {
            [(sum, ReduceOps::Sum, src)] => product(&kernel, nest, sum, src),
            _ => None,
        };
        let gathers = nest
            .lines
            .iter()
            .any(|line| matches!(line.inst, Inst::Gather { .. }));
        let factors_of = |&(_, op, src): &(Reg, ReduceOps, Reg)| match nest.lines[src].inst {
            Inst::Binary(BinaryOps::Mul, a, b) if op == ReduceOps::Sum && order == Order::Along => {
                let reads = nest.lines.iter().flat_map(|line| line.inst.reads());
                (reads.filter(|&read| read == src).count() == 1).then_some((a, b))
            }
            _ => None,
        };
        let mut factors: Vec<_> = reductions.iter().map(factors_of).collect();
        let in_place = are_in_place(nest, &walks, order, &reductions, &factors);
        // What is computed, or gathered from here and there, is added up while it is still in registers.
        let by_strips = !in_place && contraction.is_none() && order == Order::Along;
        let long = by_strips && numel(&reduced) >= LONG_SUM;
        let in_strips = reductions
            .iter()
            .map(|&(reg, ..)| long && is_sum(nest, reg));
        let in_strips: Vec<bool> = in_strips.collect();
        // The interpreter leaves these products out, and keeps their factors instead.
        for (factors, _) in factors
            .iter_mut()
            .zip(&in_strips)
            .filter(|(_, strip)| **strip)
        {
            *factors = None;
        }
        let products = reductions.iter().zip(&factors);
        let products: Vec<(Reg, [Reg; 2])> = products
            .filter_map(|(&(_, _, src), factors)| factors.map(|(a, b)| (src, [a, b])))
            .collect();
        let sums = reductions.iter().zip(&in_strips);
        let sums: Vec<Reg> = sums
            .filter_map(|(&(reg, ..), &strip)| strip.then_some(reg))
            .collect();
        let all = !sums.is_empty() && sums.len() == reductions.len();
        let in_turn = all
            .then(|| in_turn(nest, &walks, (&outer, &reduced)))
            .flatten();
        let interpreter = Interpreter::new(&kernel, walks, &products, &sums);
        let in_turn = in_turn.filter(|turn| turn.fits(&interpreter));
        // Of a contraction only the epilogue is run in blocks, and its loads often go on from row to row, as those of an optimizer do.
        let stretch_row = match contraction.is_some() {
            true => interpreter.outer_row(nest),
            false => outer.last().copied().filter(|_| outer.len() > 1),
        };
        let several_rows =
            [(&outer, Level::Outer), (&reduced, Level::Inner)].map(|(sizes, level)| {
                let row = interpreter.rows(nest, level, level == Level::Outer);
                sizes.len() > 1 && row.is_some() && row.as_ref() == sizes.last()
            });
        LoopNest {
            stretch_row,
            outer,
            reduced,
            interpreter,
            reductions,
            order,
            contraction,
            gathers,
            factors,
            in_strips,
            in_place,
            in_turn,
            several_rows,
            beyond_caches: outputs_beyond_caches(&kernel),
            kernel,
        }
    }

    fn nest(&self) -> &Nest {
        self.kernel.nest()
    }

    // ---- The loops ---------------------------------------------------

    /// The outputs of a range of outer points. `sums` tells where finished reductions are, if they were computed before.
    fn outputs(&self, range: Range<usize>, args: &Args, sums: Option<&Partial>) {
        let mut frame = self.frame(args, range.len());
        let mut at = range.start;
        while at < range.end {
            let len = self.stretch(at, range.end);
            match sums {
                Some(sums) => sums.point_registers(self, &mut frame, at),
                None => self.reduce(at, len, 0..numel(&self.reduced), args, &mut frame),
            }
            self.epilogue(at, len, args, &mut frame);
            at += len;
        }
    }

    fn frame(&self, args: &Args, points: usize) -> Frame {
        // In the inner loop a block is filled up with several lines, so its constants must be there for all of it.
        let points = if self.reductions.is_empty() {
            points
        } else {
            usize::MAX
        };
        self.interpreter
            .frame(&self.kernel, self.nest(), args, points)
    }

    /// How many points from `at` on make a block: not across the end of a long row, so that loads can be memory itself.
    fn stretch(&self, at: usize, end: usize) -> usize {
        let most = self.interpreter.block.min(end - at);
        // A gather looks ahead to the next row, so it had better be in the same block.
        if self.gathers {
            return most;
        }
        match (self.several_rows[0], self.stretch_row) {
            (true, _) => whole_rows(&self.outer, at, most),
            (false, Some(row)) if row >= LONG_ROW => most.min(row - at % row),
            (false, _) => most,
        }
    }

    /// The outer instructions and the stores, for a block of outer points whose reductions are in their registers.
    fn epilogue(&self, at: usize, len: usize, args: &Args, frame: &mut Frame) {
        let span = Span {
            along_outer: true,
            start: at,
            len,
            fixed: &[],
            lines: 1,
            row: self.row(0),
        };
        let place = |output: usize| {
            let dtype = self.kernel.outputs[output].dtype;
            args.outputs[output].wrapping_add(at * dtype.itemsize())
        };
        let until = |output: usize| {
            let sums = self.contraction.is_some();
            self.interpreter
                .read_until(args.outputs[output], args, sums)
        };
        for &(src, output) in &self.interpreter.stores {
            let until = until(output);
            let past_caches = self.beyond_caches[output] && until.is_none();
            if self.nest().lines[src].dtype == self.kernel.outputs[output].dtype {
                self.interpreter
                    .aim(self.nest(), src, place(output), until, past_caches, frame);
            }
        }
        // SAFETY: the kernel is verified and `args` are its own; at most `block` points; inputs of outer instructions have been written.
        unsafe {
            self.interpreter
                .run(self.nest(), &self.interpreter.outer, &span, args, frame)
        };
        for &(src, output) in &self.interpreter.stores {
            let dtype = self.kernel.outputs[output].dtype;
            let to = place(output);
            if frame.registers[src] != to {
                // SAFETY: the output has room for all outer points; stores come after all loads of the block, so an output may lie
                // in the memory of an input.
                unsafe {
                    match self.beyond_caches[output] && until(output).is_none() {
                        true => alu::stream(dtype, frame.registers[src], to, len),
                        false => alu::store(dtype, frame.registers[src], to, len),
                    }
                };
            }
        }
    }

    /// All reductions for outer points `at..at + len` over a range of reduced points, into their registers.
    fn reduce(&self, at: usize, len: usize, range: Range<usize>, args: &Args, frame: &mut Frame) {
        if self.reductions.is_empty() {
            return;
        }
        for &(reg, op, _) in &self.reductions {
            let dtype = self.nest().lines[reg].dtype;
            frame.reset(reg);
            // SAFETY: a register's block has room for a block's points.
            unsafe {
                alu::fill(
                    dtype,
                    op.identity(dtype.compute()),
                    frame.registers[reg],
                    len,
                )
            };
        }
        match (self.order, self.in_place) {
            (Order::Along, false) => self.reduce_along(at, len, range, args, frame),
            (Order::Along, true) => self.lines_in_place(at, len, range, args, frame),
            (Order::Across, false) => self.reduce_across(at, len, range, args, frame),
            (Order::Across, true) => self.rows_in_place(at, len, range, args, frame),
        }
    }

    /// Points of a row of the outer, or the reduced, space, if blocks may be several rows.
    fn row(&self, space: usize) -> usize {
        let sizes = [&self.outer, &self.reduced][space];
        match self.several_rows[space] {
            true => sizes.last().copied().unwrap_or(0),
            false => 0,
        }
    }

    // ---- Who does what -----------------------------------------------

    fn run_nest(&self, args: &Args) {
        let (outputs, length) = (numel(&self.outer), numel(&self.reduced).max(1));
        let grain = (GRAIN / length).max(1);
        // Outputs a task: a grain's worth of points.
        let per_task = match (self.reductions.is_empty(), self.order) {
            // In equal shares, a multiple of four of them, so that a few threads end at the same time; and whole panels.
            (true, _) => {
                let shares = outputs.div_ceil(grain).next_multiple_of(4);
                let share = outputs.div_ceil(shares).next_multiple_of(SHARE);
                share.next_multiple_of(self.interpreter.together())
            }
            (false, Order::Along) => grain,
            // Columns side by side: a page of each row at least, or memory would be read in scraps.
            (false, Order::Across) => grain.max(COLUMNS),
        };
        let tasks = outputs.div_ceil(per_task);
        let pieces = if self.reductions.is_empty() || tasks >= 8 {
            1
        } else {
            (outputs * length / GRAIN).clamp(1, 64).min(length / 64 + 1)
        };
        if pieces == 1 {
            return parallel(tasks, |task| {
                self.outputs(
                    task * per_task..((task + 1) * per_task).min(outputs),
                    args,
                    None,
                )
            });
        }
        // Few outputs, much to sum: pieces of the sum, then the sum of the pieces in order.
        let partial = Partial::new(self, outputs, pieces);
        let piece_length = length.div_ceil(pieces);
        parallel(tasks * pieces, |task| {
            let (task, piece) = (task / pieces, task % pieces);
            let range = task * per_task..((task + 1) * per_task).min(outputs);
            let over = (piece * piece_length).min(length)..((piece + 1) * piece_length).min(length);
            let mut frame = self.frame(args, usize::MAX);
            let mut at = range.start;
            while at < range.end {
                let len = self.stretch(at, range.end);
                self.reduce(at, len, over.clone(), args, &mut frame);
                partial.keep(self, piece, at, len, &frame);
                at += len;
            }
        });
        partial.join(self);
        self.outputs(0..outputs, args, Some(&partial));
    }

    /// A contraction, with the epilogue run over each stretch of outputs as soon as its sums are final.
    fn run_product(&self, product: &Product, args: &Args) {
        let outputs = numel(&self.outer);
        // The sums go where an output will be, if one has their dtype; its epilogue then works in place.
        let fits = |slot: &crate::kernel::Slot| slot.dtype == product.dtype;
        let home = self.kernel.outputs.iter().position(fits);
        let own = home
            .is_none()
            .then(|| Memory::new(outputs * product.dtype.itemsize()));
        let sums = Address(
            own.as_ref()
                .map_or_else(|| args.outputs[home.unwrap_or(0)], |memory| memory.as_ptr()),
        );
        let only_stores = self.interpreter.outer.is_empty()
            && home.is_some()
            && self.interpreter.stores.len() == 1;
        let finish = |range: Range<usize>| {
            let mut frame = self.frame(args, range.len());
            let mut at = range.start;
            while at < range.end {
                let len = self.stretch(at, range.end);
                frame.registers[product.sum] = sums.at(at * product.dtype.itemsize());
                self.epilogue(at, len, args, &mut frame);
                at += len;
            }
        };
        let (a, b) = (args.inputs[product.a], args.inputs[product.b]);
        let len = |input: usize| self.kernel.inputs[input].len;
        let (a_len, b_len, contraction) = (len(product.a), len(product.b), &product.contraction);
        // SAFETY: the buffers are as long as the kernel says and the views inside of them (verified); `sums` has room for all outputs.
        unsafe {
            match only_stores {
                true => contraction.run(a, a_len, b, b_len, sums.at(0)),
                false => contraction.run_with(a, a_len, b, b_len, sums.at(0), &finish),
            }
        };
    }
}

/// How many of at most so many points from `at` on lie in one row, if rows are that long.
fn within_row(sizes: &[usize], long: usize, at: usize, most: usize) -> usize {
    match sizes {
        [_, .., row] if *row >= long => most.min(row - at % row),
        _ => most,
    }
}

/// Likewise, how many make up whole rows of one group of rows, or the rest of a row.
fn whole_rows(sizes: &[usize], at: usize, most: usize) -> usize {
    let [.., group, row] = *sizes else {
        return most;
    };
    if !at.is_multiple_of(row) || most < row {
        return most.min(row - at % row);
    }
    (most / row).min(group - at / row % group) * row
}

impl Program for LoopNest {
    fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    fn bytes(&self) -> usize {
        let contraction = self.contraction.as_ref();
        self.interpreter.bytes() + contraction.map_or(0, |product| product.contraction.bytes())
    }

    fn strategy(&self) -> String {
        match (&self.contraction, self.reductions.is_empty(), self.order) {
            (Some(product), _, _) => product.contraction.describe(),
            (None, true, _) => "blocks".to_string(),
            (None, false, Order::Along) if self.in_turn.is_some() => "blocks in turn".to_string(),
            (None, false, Order::Along) => "blocks along".to_string(),
            (None, false, Order::Across) => "blocks across".to_string(),
        }
    }

    fn run(&self, args: &Args) {
        match &self.contraction {
            Some(product) => self.run_product(product, args),
            None => match &self.in_turn {
                Some(turn) => self.sums_in_turn(turn, args),
                None => self.run_nest(args),
            },
        }
    }
}

/// An address that threads may share; who writes where is the sharer's business.
#[derive(Clone, Copy)]
struct Address(*mut u8);

// SAFETY: an address alone does nothing; each use says why its place is its own.
unsafe impl Send for Address {}
// SAFETY: as above.
unsafe impl Sync for Address {}

impl Address {
    fn at(self, bytes: usize) -> *mut u8 {
        self.0.wrapping_add(bytes)
    }
}
