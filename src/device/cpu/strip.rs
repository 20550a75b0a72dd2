//! # device/cpu/strip: several instructions in one pass
//!
//! **In:** the instructions of a loop. **Out:** the same in parts: single instructions, and *strips*, each of which is several
//! element-wise f32 instructions that go over memory once. **Above:** `interpreter`. **Below:** `strip::machine`.
//!
//! One instruction after the other over a whole block has a price: each reads its operands from the first-level cache and writes its
//! result back, and memory is read by only a few of them, which wait for it while the others have nothing to read. Adam's eleven
//! instructions took three times as long that way as one loop that does all of it. So 128 numbers, a strip, go through all instructions at once,
//! and then the next 128: what an instruction hands to the next one stays in vector registers, and memory is read evenly, which
//! is what the processor's prefetching is made for. The price here is one decision for each instruction and *strip*: a jump, about as long as two
//! vector operations. (In a trial, 10 million parameters of Adam took 16 ms block by block, 9.1 with strips of 64 numbers, 7.9 with 128,
//! and 7.4 as one compiled loop.)
//!
//! ```text
//!  block by block                                   strip by strip
//!    %2 = Mul %0 %1      ████████████████▶            %2 █▶      █▶
//!    %3 = Mulacc …       ████████████████▶            %3 █▶      █▶     …
//!    %4 = Sqrt %3        ████████████████▶            %4 █▶      █▶
//! ```
//!
//! Laws:
//! 1. A strip's instructions keep their order, so a value is read before the memory that it lies in may be written (see
//!    [`Interpreter::aim`](super::interpreter::Interpreter::aim)).
//! 2. Instructions that cannot be in a strip run before it, unless they read one of its values; so parts are in an order that respects all reads.
//! 3. A value that nothing outside of its strip reads has no block, at most a place for one strip.
//! 4. A sum may be in a strip, too: the strip adds to its lanes, so that what is summed need not be written down at all. The lanes begin as
//!    zeros in each block; whoever runs the strip adds them up.

pub mod machine;
#[cfg(test)]
mod tests;

pub use machine::{Place, STRIP, Step};

use super::alu;
use super::interpreter::width;
use super::simd::vectorize;
use crate::dtype::DType;
use crate::kernel::{Inst, Nest, Reg};
use crate::ops::{BinaryOps, ReduceOps, TernaryOps, UnaryOps};
use machine::{Op, Run};

/// Instructions that run together.
#[derive(Clone, Debug)]
pub enum Part {
    /// one, over the whole block
    One(Reg),
    /// several, strip by strip
    Strip(Strip),
}

/// Several element-wise f32 instructions, as steps of the accumulator machine.
#[derive(Clone, Debug)]
pub struct Strip {
    /// what to do, and its operands x and y
    steps: Vec<(Op, Option<Operand>, Option<Operand>)>,
    /// its instructions
    pub regs: Vec<Reg>,
    /// those whose values are read outside
    pub results: Vec<Reg>,
    /// those of the others that have to be in memory for a while
    pub kept: Vec<Reg>,
    /// what it reads from outside
    pub reads: Vec<Reg>,
    /// sums whose lanes it adds to
    pub sums: Vec<Reg>,
}

/// A register in a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operand {
    /// which one
    pub reg: Reg,
    /// bytes of a number
    pub size: usize,
    /// whether it is one of the strip's own instructions
    pub inside: bool,
    /// whether it has a place for one strip only
    pub kept: bool,
    /// whether it is a sum, of which there are lanes
    pub sum: bool,
}

impl Part {
    /// The instructions in it, in order.
    pub fn regs(&self) -> &[Reg] {
        match self {
            Part::One(reg) => std::slice::from_ref(reg),
            Part::Strip(strip) => &strip.regs,
        }
    }
}

/// Whether an instruction can be in a strip.
fn fits(nest: &Nest, reg: Reg) -> bool {
    // Halves are f32 in registers.
    let float = |reg: Reg| nest.lines[reg].dtype.compute() == DType::Float32;
    match nest.lines[reg].inst {
        Inst::Unary(UnaryOps::Cast(DType::Float32), a) => {
            float(a) || nest.lines[a].dtype == DType::Bool
        }
        Inst::Unary(op, a) => match op {
            UnaryOps::Exp2 | UnaryOps::Log2 | UnaryOps::Sqrt | UnaryOps::Recip | UnaryOps::Neg => {
                float(a)
            }
            // A sine asks of the whole block whether all of it is small.
            UnaryOps::Sin | UnaryOps::Noop | UnaryOps::Cast(_) | UnaryOps::Bitcast(_) => false,
        },
        Inst::Binary(op, a, _) => match op {
            BinaryOps::Add
            | BinaryOps::Sub
            | BinaryOps::Mul
            | BinaryOps::Div
            | BinaryOps::Max
            | BinaryOps::Cmplt
            | BinaryOps::Cmpne => float(a),
            BinaryOps::Mod
            | BinaryOps::Pow
            | BinaryOps::And
            | BinaryOps::Or
            | BinaryOps::Xor
            | BinaryOps::Shl
            | BinaryOps::Shr => false,
        },
        Inst::Ternary(TernaryOps::Mulacc | TernaryOps::Where, _, b, _) => float(b),
        Inst::Reduce(ReduceOps::Sum, a) => float(a),
        Inst::Load { .. }
        | Inst::Const { .. }
        | Inst::Iota { .. }
        | Inst::Rand { .. }
        | Inst::Valid { .. }
        | Inst::Gather { .. }
        | Inst::Reduce(ReduceOps::Max, _)
        | Inst::Spread(_)
        | Inst::Store { .. } => false,
    }
}

/// Whether a reduction is a sum that a strip can add up.
pub fn is_sum(nest: &Nest, reg: Reg) -> bool {
    matches!(nest.lines[reg].inst, Inst::Reduce(..)) && fits(nest, reg)
}

/// Instructions of one loop, given in order, as parts.
pub fn parts(nest: &Nest, regs: &[Reg]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut open: Vec<Reg> = Vec::new();
    let close = |open: &mut Vec<Reg>, parts: &mut Vec<Part>| {
        if !open.is_empty() {
            parts.push(Part::Strip(Strip::new(nest, std::mem::take(open))));
        }
    };
    for &reg in regs {
        if fits(nest, reg) {
            open.push(reg);
            continue;
        }
        // Law 2.
        if nest.lines[reg]
            .inst
            .reads()
            .any(|read| open.contains(&read))
        {
            close(&mut open, &mut parts);
        }
        parts.push(Part::One(reg));
    }
    close(&mut open, &mut parts);
    parts
}

// ---- From instructions to steps ----------------------------------------

/// Writes steps, and remembers what the accumulator holds and which values were read from memory.
struct Writer {
    steps: Vec<(Op, Option<Reg>, Option<Reg>)>,
    holds: Option<Reg>,
    /// for each register
    read: Vec<bool>,
}

impl Writer {
    fn new(nest: &Nest, count: usize) -> Writer {
        Writer {
            steps: Vec::with_capacity(2 * count),
            holds: None,
            read: vec![false; nest.lines.len()],
        }
    }

    fn step(&mut self, op: Op, x: Option<Reg>, y: Option<Reg>) {
        for reg in x.into_iter().chain(y) {
            self.read[reg] = true;
        }
        self.steps.push((op, x, y));
    }

    /// Brings a value into the accumulator.
    fn load(&mut self, reg: Reg) {
        if self.holds != Some(reg) {
            self.step(Op::Load, Some(reg), None);
            self.holds = Some(reg);
        }
    }

    /// One instruction: its result is in the accumulator afterwards, or, if it is a truth, in memory.
    fn instruction(&mut self, nest: &Nest, reg: Reg) {
        let held = |writer: &Writer, reg: Reg| writer.holds == Some(reg);
        match nest.lines[reg].inst {
            Inst::Unary(UnaryOps::Cast(_), a) if nest.lines[a].dtype == DType::Bool => {
                self.step(Op::Truth, Some(a), None);
            }
            Inst::Unary(op, a) => {
                self.load(a);
                match op {
                    UnaryOps::Exp2 => self.step(Op::Exp2, None, None),
                    UnaryOps::Log2 => self.step(Op::Log2, None, None),
                    UnaryOps::Sqrt => self.step(Op::Sqrt, None, None),
                    UnaryOps::Recip => self.step(Op::Recip, None, None),
                    UnaryOps::Neg => self.step(Op::Neg, None, None),
                    // From a half: it is a float already.
                    UnaryOps::Cast(_) => {}
                    UnaryOps::Sin | UnaryOps::Noop | UnaryOps::Bitcast(_) => {
                        unreachable!("{op:?} fits into no strip")
                    }
                }
            }
            Inst::Binary(op, a, b) => {
                // (acc op b, a op acc)
                let (forth, back) = match op {
                    BinaryOps::Add => (Op::Add, Op::Add),
                    BinaryOps::Sub => (Op::Sub, Op::SubFrom),
                    BinaryOps::Mul => (Op::Mul, Op::Mul),
                    BinaryOps::Div => (Op::Div, Op::DivInto),
                    BinaryOps::Max => (Op::Max, Op::MaxOf),
                    BinaryOps::Cmplt => (Op::Less, Op::Greater),
                    BinaryOps::Cmpne => (Op::Differs, Op::Differs),
                    BinaryOps::Mod
                    | BinaryOps::Pow
                    | BinaryOps::And
                    | BinaryOps::Or
                    | BinaryOps::Xor
                    | BinaryOps::Shl
                    | BinaryOps::Shr => unreachable!("{op:?} fits into no strip"),
                };
                let truth = nest.lines[reg].dtype == DType::Bool;
                let to = truth.then_some(reg);
                if held(self, b) && a != b {
                    self.step(back, Some(a), to);
                } else {
                    self.load(a);
                    self.step(forth, Some(b), to);
                }
                if truth {
                    return; // the accumulator is as before
                }
            }
            Inst::Ternary(TernaryOps::Mulacc, a, b, c) => {
                if held(self, c) && a != c && b != c {
                    self.step(Op::AddMul, Some(a), Some(b));
                } else if held(self, b) {
                    self.step(Op::MulAdd, Some(a), Some(c));
                } else {
                    self.load(a);
                    self.step(Op::MulAdd, Some(b), Some(c));
                }
            }
            Inst::Ternary(TernaryOps::Where, condition, a, b) => {
                if held(self, b) && a != b {
                    self.step(Op::SelectElse, Some(condition), Some(a));
                } else {
                    self.load(a);
                    self.step(Op::SelectThen, Some(condition), Some(b));
                }
            }
            Inst::Reduce(_, a) => {
                self.load(a);
                self.step(Op::SumUp, Some(reg), None);
                return; // the accumulator is as before
            }
            ref inst => unreachable!("{inst:?} fits into no strip"),
        }
        self.holds = Some(reg);
    }
}

impl Strip {
    fn new(nest: &Nest, regs: Vec<Reg>) -> Strip {
        let among = |regs: &[Reg]| {
            let mut among = vec![false; nest.lines.len()];
            regs.iter().for_each(|&reg| among[reg] = true);
            among
        };
        let (ours, mut read_outside) = (among(&regs), among(&[]));
        for (reader, line) in nest.lines.iter().enumerate() {
            if !ours[reader] {
                line.inst.reads().for_each(|read| read_outside[read] = true);
            }
        }
        let is_float = |reg: Reg| nest.lines[reg].dtype != DType::Bool;
        let is_sum = |reg: Reg| matches!(nest.lines[reg].inst, Inst::Reduce(..));
        // Every value is stored at first. Stores that nobody reads are left out later.
        let mut writer = Writer::new(nest, regs.len());
        for &reg in &regs {
            writer.instruction(nest, reg);
            if is_float(reg) && !is_sum(reg) {
                writer.steps.push((Op::Store, Some(reg), None));
            }
        }
        let Writer { steps, read, .. } = writer;
        let (sums, values): (Vec<Reg>, Vec<Reg>) = regs.iter().partition(|&&reg| is_sum(reg));
        let (results, inside): (Vec<Reg>, Vec<Reg>) =
            values.iter().partition(|&&reg| read_outside[reg]);
        let kept = |reg: &Reg| !is_float(*reg) || read[*reg];
        let kept: Vec<Reg> = inside.into_iter().filter(kept).collect();
        let are_kept = among(&kept);
        let operand = |reg: Reg| Operand {
            reg,
            size: width(nest.lines[reg].dtype),
            inside: ours[reg],
            kept: are_kept[reg],
            sum: ours[reg] && is_sum(reg),
        };
        let counts = |&(op, x, _): &(Op, Option<Reg>, Option<Reg>)| {
            op != Op::Store || x.is_some_and(|reg| read_outside[reg] || read[reg])
        };
        let steps: Vec<_> = (steps.into_iter().filter(counts))
            .map(|(op, x, y)| (op, x.map(operand), y.map(operand)))
            .collect();
        let operands = steps.iter().flat_map(|&(_, x, y)| x.into_iter().chain(y));
        let outside = operands.filter(|operand| !operand.inside);
        Strip {
            reads: outside.map(|operand| operand.reg).collect(),
            steps,
            results,
            kept,
            sums,
            regs,
        }
    }

    /// Whether one of its results is read inside, from memory.
    pub fn reads_back(&self, reg: Reg) -> bool {
        let is = |operand: Option<Operand>| operand.is_some_and(|operand| operand.reg == reg);
        let reads = |&(op, x, y): &(Op, Option<Operand>, Option<Operand>)| {
            (op != Op::Store && is(x)) || is(y)
        };
        self.steps.iter().any(reads)
    }

    /// Runs it over `rows` rows of `n` numbers. `place` tells where a register is, and whether it goes past the caches; `steps` is room to work in.
    ///
    /// Results of several rows lie side by side; what they are made of may lie further apart, or be another number in each row, as a channel's mean is.
    /// Going to the next row costs next to nothing; another block would cost as much as some hundred numbers.
    ///
    /// # Safety
    /// In each row, `n` numbers can be read, or of results written, at the place of each register that moves, and a strip (or n numbers, if these
    /// are fewer, but no less than a vector register has) at each other one. Two places that
    /// overlap are the same place, and then none of the strip's instructions reads it after another has written it (law 1), but as its result.
    pub unsafe fn run(
        &self,
        (rows, n): (usize, usize),
        place: impl Fn(Operand) -> (Place, bool),
        steps: &mut Vec<Step>,
    ) {
        let operand = |reg: Option<Operand>| reg.map_or((Place::NONE, false), &place);
        steps.clear();
        let mut streams = false;
        for &(op, x, y) in &self.steps {
            let ((x, past_caches), (y, _)) = (operand(x), operand(y));
            let aligned = x.at.align_offset(64) == 0 && (rows == 1 || x.row % 64 == 0);
            let stream = op == Op::Store && past_caches && aligned;
            streams |= stream;
            let op = if stream { Op::Stream } else { op };
            steps.push(Step { op, x, y });
        }
        vectorize(Run { steps, rows, n });
        if streams {
            alu::fence();
        }
    }
}
