//! # kernel: the one intermediate language between the graph and the machine
//!
//! **In:** what [`crate::schedule`] has decided to compute in one go. **Out:** a [`Kernel`] that an engine runs and DEBUG prints.
//!
//! A kernel is a loop nest with a straight-line program in it. There are no branches, no pointers and no instruction sets here, so
//! that a person can read one and a GPU could run one:
//!
//! ```text
//! for o in outer:                        every element of the output
//!     for r in reduced:                  nothing to do if the kernel doesn't reduce
//!         inner instructions             load, multiply, … at the point (o, r)
//!         acc = acc ∘ value              Reduce
//!     outer instructions                 bias, relu, … at the point o: the epilogue
//!     store
//! ```
//!
//! If a row of inner points fits into cache, more can be done with it than one reduction: a [`Inst::Spread`] brings a row's sum back to
//! each of the row's points, where it is subtracted, multiplied, reduced again, stored. Softmax is one such kernel, and reads its input once.
//! `DEBUG=4` prints it, here for 2×3:
//!
//! ```text
//! kernel rows_2_3
//!   for [2], reducing [3]
//!       %0 = load in0 [2, 3] strides [3, 1]    : float32
//!     %1 = reduce Max %0                       : float32
//!       %2 = spread %1                         : float32
//!       %3 = Sub %0 %2                         : float32
//!       …                                      e to the power of it: %6
//!     %7 = reduce Sum %6                       : float32
//!       %8 = spread %7                         : float32
//!       …                                      %6 by %8: %10
//!       store out0 %10                         : float32
//! ```
//!
//! Laws, which [`Kernel::verify`] checks:
//! 1. Static single assignment: instruction i writes register i and reads earlier ones only.
//! 2. Inner instructions read inner or level-free registers; outer ones read outer ones, level-free ones, and results of Reduce. Only
//!    Reduce leads from the inner loop to the outer one, and only Spread back.
//! 3. A load's view has the space of its level, and stays inside its buffer wherever its bounds hold.
//! 4. Operands' dtypes agree as [`crate::ops`] wants them.
//! 5. Every output is stored exactly once, in row-major order of its level's space (`outer`, or `outer` and then `reduced`).
//! 6. Constants are parameters, not part of the program: a kernel stays the same when the learning rate changes.
//!
//! Three things that no loop nest of this form says have a body of their own: running sums, scattered additions, and copies between devices.

mod peephole;

use crate::dtype::DType;
use crate::ops::{BinaryOps, ReduceOps, TernaryOps, UnaryOps};
use crate::shape::view::{View, numel};
use std::fmt;

/// A register: the number of the instruction that writes it.
pub type Reg = usize;

/// Which loop an instruction sits in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Level {
    /// the same at every point: a constant
    Free,
    /// at each point of `outer × reduced`
    Inner,
    /// once for each point of `outer`
    Outer,
}

/// One instruction. Views are boxed, as most instructions have none, and programs are written and moved around before they run.
#[derive(Clone, PartialEq, Debug)]
pub enum Inst {
    /// the element of an input that a view shows; 0 where a bound is broken
    Load {
        /// which input
        input: usize,
        /// from the level's space into the input's memory
        view: Box<View>,
    },
    /// a number that the launch brings
    Const {
        /// which parameter
        param: usize,
    },
    /// the address that a view gives, as int64; 0 where a bound is broken
    Iota {
        /// from the level's space to positions
        view: Box<View>,
    },
    /// a uniform random number, by key and position; 0 where a bound is broken
    Rand {
        /// which parameter is the key
        param: usize,
        /// from the level's space to positions
        view: Box<View>,
    },
    /// whether all bounds of a view hold
    Valid {
        /// of whose strides nothing is used
        view: Box<View>,
    },
    /// the element of an input at an index that is data: address = view + index · stride, 0 unless 0 ≤ index < size
    Gather {
        /// which input
        input: usize,
        /// where index 0 is
        view: Box<View>,
        /// how far apart two indices are
        stride: isize,
        /// the first index that is too large
        size: usize,
        /// the int64 register that holds the index
        index: Reg,
    },
    /// element-wise, one operand
    Unary(UnaryOps, Reg),
    /// element-wise, two operands
    Binary(BinaryOps, Reg, Reg),
    /// element-wise, three operands
    Ternary(TernaryOps, Reg, Reg, Reg),
    /// over all of `reduced`: from an inner register to an outer one
    Reduce(ReduceOps, Reg),
    /// an outer register's value at each of the point's inner points
    Spread(Reg),
    /// to an output, at the row-major position of its level's point
    Store {
        /// which output
        output: usize,
        /// what
        src: Reg,
    },
}

/// An instruction with its result's dtype and its loop.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// what to do
    pub inst: Inst,
    /// dtype of the result (for a store, of what is stored)
    pub dtype: DType,
    /// in which loop
    pub level: Level,
}

/// A loop nest and the program in it.
#[derive(Clone, PartialEq, Debug)]
pub struct Nest {
    /// the outputs' index space
    pub outer: Vec<usize>,
    /// the space that each output element sums (or maximises) over; empty if the kernel doesn't reduce
    pub reduced: Vec<usize>,
    /// the program
    pub lines: Vec<Line>,
}

/// What a kernel does with its buffers.
#[derive(Clone, PartialEq, Debug)]
pub enum Body {
    /// a loop nest
    Nest(Nest),
    /// running reduction of input 0 along an axis of the view's shape
    Scan {
        /// how the input is seen
        view: View,
        /// which axis runs
        axis: usize,
        /// sum or max
        op: ReduceOps,
    },
    /// zeros, then each value (input 0) added at its index (input 1) along an axis, in row-major order of the values
    Scatter {
        /// how the values are seen
        values: View,
        /// how the int64 index is seen; same shape
        index: View,
        /// which axis the index replaces
        axis: usize,
        /// how long that axis is in the output
        size: usize,
    },
    /// input 0 as it is, from another device
    Copy,
}

/// A buffer that a kernel reads or writes, as far as the kernel knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot {
    /// type of the elements
    pub dtype: DType,
    /// how many
    pub len: usize,
}

/// Something that an engine can run. See the module's header.
#[derive(Clone, PartialEq, Debug)]
pub struct Kernel {
    /// a short name from its shape: `r_128_10_784` sums 784 products for each of 128×10 outputs
    pub name: String,
    /// what it reads
    pub inputs: Vec<Slot>,
    /// what it writes
    pub outputs: Vec<Slot>,
    /// how many numbers it is given
    pub params: usize,
    /// what it does
    pub body: Body,
}

/// How much a kernel computes and moves, to compare with what a machine can do.
#[derive(Clone, Copy, Default, Debug)]
pub struct Cost {
    /// arithmetic operations
    pub flops: u64,
    /// bytes of all inputs and outputs, each counted once
    pub bytes: u64,
}

impl Inst {
    /// The registers that it reads. No vector: register allocation asks this of every instruction of a new kernel.
    pub fn reads(&self) -> impl Iterator<Item = Reg> + Clone + use<> {
        let reads = match *self {
            Inst::Load { .. }
            | Inst::Const { .. }
            | Inst::Iota { .. }
            | Inst::Rand { .. }
            | Inst::Valid { .. } => [None; 3],
            Inst::Gather { index: a, .. }
            | Inst::Unary(_, a)
            | Inst::Reduce(_, a)
            | Inst::Spread(a)
            | Inst::Store { src: a, .. } => [Some(a), None, None],
            Inst::Binary(_, a, b) => [Some(a), Some(b), None],
            Inst::Ternary(_, a, b, c) => [Some(a), Some(b), Some(c)],
        };
        reads.into_iter().flatten()
    }

    /// The view that it looks through, if it does.
    pub fn view(&self) -> Option<&View> {
        match self {
            Inst::Load { view, .. }
            | Inst::Iota { view }
            | Inst::Rand { view, .. }
            | Inst::Valid { view }
            | Inst::Gather { view, .. } => Some(view),
            Inst::Const { .. }
            | Inst::Unary(..)
            | Inst::Binary(..)
            | Inst::Ternary(..)
            | Inst::Reduce(..)
            | Inst::Spread(_)
            | Inst::Store { .. } => None,
        }
    }

    fn is_arithmetic(&self) -> bool {
        matches!(
            self,
            Inst::Unary(..) | Inst::Binary(..) | Inst::Ternary(..) | Inst::Reduce(..)
        )
    }
}

impl Nest {
    /// The index space of a level.
    pub fn space(&self, level: Level) -> Vec<usize> {
        match level {
            Level::Inner => [&self.outer[..], &self.reduced].concat(),
            Level::Free | Level::Outer => self.outer.clone(),
        }
    }

    /// Whether inner points are more than steps of a reduction: stored, or reached by an outer value.
    pub fn has_rows(&self) -> bool {
        let of_rows = |line: &Line| match line.inst {
            Inst::Spread(_) => true,
            Inst::Store { .. } => line.level == Level::Inner,
            _ => false,
        };
        self.lines.iter().any(of_rows)
    }

    /// Whether any instruction reduces.
    pub fn reduces(&self) -> bool {
        self.lines
            .iter()
            .any(|line| matches!(line.inst, Inst::Reduce(..)))
    }
}

impl Kernel {
    /// The loop nest of a kernel that is known to be one.
    pub(crate) fn nest(&self) -> &Nest {
        match &self.body {
            Body::Nest(nest) => nest,
            Body::Scan { .. } | Body::Scatter { .. } | Body::Copy => {
                unreachable!("{}: no loop nest", self.name)
            }
        }
    }

    /// The cost of one run.
    pub fn cost(&self) -> Cost {
        let bytes = self
            .inputs
            .iter()
            .chain(&self.outputs)
            .map(|slot| (slot.len * slot.dtype.itemsize()) as u64)
            .sum();
        let flops = match &self.body {
            Body::Nest(nest) => {
                let (outer, reduced) = (numel(&nest.outer) as u64, numel(&nest.reduced) as u64);
                let count = |line: &Line| {
                    let points = match (line.level, &line.inst) {
                        (Level::Inner, _) | (_, Inst::Reduce(..)) => outer * reduced,
                        (Level::Outer, _) => outer,
                        (Level::Free, _) => 0,
                    };
                    match line.inst {
                        Inst::Ternary(TernaryOps::Mulacc, ..) => 2 * points,
                        _ => points,
                    }
                };
                nest.lines
                    .iter()
                    .filter(|line| line.inst.is_arithmetic())
                    .map(count)
                    .sum()
            }
            Body::Scan { .. } => self.outputs[0].len as u64,
            Body::Scatter { values, .. } => values.numel() as u64,
            Body::Copy => 0,
        };
        Cost { flops, bytes }
    }

    /// (input, output): outputs that may be written into the memory of an input as large. That is so in element-wise kernels that read
    /// the input only at the very place that they are about to write, and don't copy it as it is. First the pairs of which the output is computed
    /// after the input's last use, and soon after: it can then be computed right there.
    pub fn in_place(&self) -> Vec<(usize, usize)> {
        let Body::Nest(nest) = &self.body else {
            return vec![];
        };
        if nest.reduces() {
            return vec![];
        }
        let reads_elsewhere = |input: usize| {
            nest.lines
                .iter()
                .enumerate()
                .any(|(reg, line)| match &line.inst {
                    Inst::Load { input: i, view } if *i == input => {
                        let stored = nest
                            .lines
                            .iter()
                            .any(|l| matches!(l.inst, Inst::Store { src, .. } if src == reg));
                        !view.is_contiguous() || view.numel() != self.inputs[input].len || stored
                    }
                    Inst::Gather { input: i, .. } => *i == input,
                    _ => false,
                })
        };
        let is_load = |reg: Reg, from: usize| matches!(nest.lines[reg].inst, Inst::Load { input, .. } if input == from);
        let last_use = |input: usize| {
            let uses = |line: &Line| line.inst.reads().any(|read| is_load(read, input));
            nest.lines.iter().rposition(uses).unwrap_or(0)
        };
        let computed = |output: usize| {
            let of_it = |line: &Line| match line.inst {
                Inst::Store { output: o, src } if o == output => Some(src),
                _ => None,
            };
            nest.lines.iter().find_map(of_it).unwrap_or(0)
        };
        let bytes = |slot: &Slot| slot.len * slot.dtype.itemsize();
        let mut pairs = Vec::new();
        for input in (0..self.inputs.len()).filter(|&input| !reads_elsewhere(input)) {
            for output in 0..self.outputs.len() {
                if bytes(&self.inputs[input]) == bytes(&self.outputs[output]) {
                    let wait = computed(output).checked_sub(last_use(input));
                    pairs.push((wait.unwrap_or(usize::MAX), input, output));
                }
            }
        }
        pairs.sort();
        let pairs = pairs.into_iter();
        pairs.map(|(_, input, output)| (input, output)).collect()
    }

    /// Checks the laws of the module's header; says which one is broken, and where.
    pub fn verify(&self) -> Result<(), String> {
        match &self.body {
            Body::Nest(nest) => self.verify_nest(nest),
            Body::Scan { view, axis, .. } => {
                check(self.inputs.len() == 1 && self.outputs.len() == 1, || {
                    "a scan has one input and one output".into()
                })?;
                check(*axis < view.shape.len(), || {
                    format!("scan along axis {axis} of {:?}", view.shape)
                })?;
                check(self.outputs[0].len == view.numel(), || {
                    "a scan's output is as long as its input's view".into()
                })?;
                inside(view, self.inputs[0].len)
            }
            Body::Scatter {
                values,
                index,
                axis,
                ..
            } => {
                check(self.inputs.len() == 2 && self.outputs.len() == 1, || {
                    "a scatter has two inputs and one output".into()
                })?;
                check(
                    values.shape == index.shape && *axis < values.shape.len(),
                    || "one index for each value".into(),
                )?;
                check(self.inputs[1].dtype == DType::Int64, || {
                    "an index is int64".into()
                })?;
                inside(values, self.inputs[0].len)?;
                inside(index, self.inputs[1].len)
            }
            Body::Copy => check(self.inputs == self.outputs, || {
                "a copy's input and output are alike".into()
            }),
        }
    }

    fn verify_nest(&self, nest: &Nest) -> Result<(), String> {
        let mut stored = vec![0; self.outputs.len()];
        for (reg, line) in nest.lines.iter().enumerate() {
            let at = |what: &str| format!("%{reg} {:?}: {what}", line.inst);
            let reads = line.inst.reads();
            check(reads.clone().all(|read| read < reg), || {
                at("reads a register that is not written yet")
            })?; // law 1
            for read in reads {
                let from = &nest.lines[read];
                check(!matches!(from.inst, Inst::Store { .. }), || {
                    at("reads a store")
                })?;
                let wanted = match line.inst {
                    Inst::Reduce(..) => Level::Inner,
                    Inst::Spread(_) => Level::Outer,
                    _ => line.level,
                };
                check(from.level == Level::Free || from.level == wanted, || {
                    at("reads a register of another level")
                })?; // law 2
            }
            if let Some(view) = line.inst.view() {
                check(view.shape == nest.space(line.level), || {
                    at("its view has another space")
                })?; // law 3
            }
            let dtype = |reg: Reg| nest.lines[reg].dtype;
            let right = match &line.inst {
                // law 3 and 4
                Inst::Load { input, view } => {
                    inside(view, self.inputs[*input].len).map_err(|e| at(&e))?;
                    line.dtype == self.inputs[*input].dtype
                }
                Inst::Const { param } | Inst::Rand { param, .. } => *param < self.params,
                Inst::Iota { .. } => line.dtype == DType::Int64,
                Inst::Valid { .. } => line.dtype == DType::Bool,
                Inst::Gather { input, index, .. } => {
                    dtype(*index) == DType::Int64 && line.dtype == self.inputs[*input].dtype
                }
                Inst::Unary(op, a) => line.dtype == op.result(dtype(*a)),
                Inst::Binary(op, a, b) => {
                    dtype(*a) == dtype(*b) && line.dtype == op.result(dtype(*a))
                }
                Inst::Ternary(TernaryOps::Where, a, b, c) => {
                    dtype(*a) == DType::Bool && dtype(*b) == dtype(*c) && line.dtype == dtype(*b)
                }
                Inst::Ternary(TernaryOps::Mulacc, a, b, c) => {
                    [*a, *b, *c].iter().all(|&r| dtype(r) == line.dtype)
                }
                Inst::Reduce(_, a) => line.level == Level::Outer && line.dtype == dtype(*a),
                Inst::Spread(a) => line.level == Level::Inner && line.dtype == dtype(*a),
                Inst::Store { output, src } => {
                    stored[*output] += 1;
                    dtype(*src) == self.outputs[*output].dtype
                        && numel(&nest.space(line.level)) == self.outputs[*output].len
                }
            };
            check(right, || at("dtypes, levels or sizes are wrong"))?;
        }
        check(stored.iter().all(|&times| times == 1), || {
            format!("outputs are stored {stored:?} times, not once each")
        }) // law 5
    }
}

fn check(right: bool, message: impl FnOnce() -> String) -> Result<(), String> {
    if right { Ok(()) } else { Err(message()) }
}

/// Law 3, decided cheaply: the box of all indices, or else, if bounds cut it, the indices that these allow, if they are few.
fn inside(view: &View, len: usize) -> Result<(), String> {
    let Some((low, high)) = view.extent() else {
        return Ok(());
    };
    let fits = |low: isize, high: isize| 0 <= low && high < len as isize;
    let valid = || view.reach(4096);
    check(
        fits(low, high)
            || valid().is_none_or(|range| range.start >= 0 && range.end <= len as isize),
        || format!("{view:?} reaches from {low} to {high} in a buffer of {len}"),
    )
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "kernel {}", self.name)?;
        for (i, slot) in self.inputs.iter().enumerate() {
            writeln!(f, "  in{i}: {} × {}", slot.dtype, slot.len)?;
        }
        for (i, slot) in self.outputs.iter().enumerate() {
            writeln!(f, "  out{i}: {} × {}", slot.dtype, slot.len)?;
        }
        let Body::Nest(nest) = &self.body else {
            return writeln!(f, "  {:?}", self.body);
        };
        writeln!(f, "  for {:?}, reducing {:?}", nest.outer, nest.reduced)?;
        for (reg, line) in nest.lines.iter().enumerate() {
            let indent = if line.level == Level::Inner {
                "      "
            } else {
                "    "
            };
            let text = match &line.inst {
                Inst::Load { input, view } => format!("%{reg} = load in{input} {view:?}"),
                Inst::Const { param } => format!("%{reg} = param {param}"),
                Inst::Iota { view } => format!("%{reg} = iota {view:?}"),
                Inst::Rand { param, view } => format!("%{reg} = rand key {param} {view:?}"),
                Inst::Valid { view } => format!("%{reg} = valid {view:?}"),
                Inst::Gather {
                    input,
                    view,
                    stride,
                    size,
                    index,
                } => {
                    format!(
                        "%{reg} = gather in{input} {view:?} + %{index} · {stride}, %{index} < {size}"
                    )
                }
                Inst::Unary(op, a) => format!("%{reg} = {op:?} %{a}"),
                Inst::Binary(op, a, b) => format!("%{reg} = {op:?} %{a} %{b}"),
                Inst::Ternary(op, a, b, c) => format!("%{reg} = {op:?} %{a} %{b} %{c}"),
                Inst::Reduce(op, a) => format!("%{reg} = reduce {op:?} %{a}"),
                Inst::Spread(a) => format!("%{reg} = spread %{a}"),
                Inst::Store { output, src } => format!("store out{output} %{src}"),
            };
            writeln!(f, "{indent}{text}  : {}", line.dtype)?;
        }
        Ok(())
    }
}
