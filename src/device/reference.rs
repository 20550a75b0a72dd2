//! # device/reference: the definition, executed
//!
//! **In:** a kernel. **Out:** its outputs, computed one element at a time, in the most obvious way. Every value is a [`Scalar`], every
//! op is [`crate::ops`]'s `eval`, every address is [`View::address`]; sums are accumulated in float64 and rounded once.
//!
//! This device never fuses (each node of the graph is a kernel of its own), so comparing another device with it tests that device's
//! kernels *and* the scheduler's fusion.

use super::{Args, Engine, Param, Program, random};
use crate::dtype::{DType, Element, Scalar, with_dtype};
use crate::kernel::{Body, Inst, Kernel, Level, Nest};
use crate::ops::ReduceOps;
use crate::shape::view::{View, indices, numel};

/// The reference device's engine.
pub struct Reference;

impl Engine for Reference {
    fn fuses(&self) -> bool {
        false
    }
    fn compile(&self, kernel: Kernel) -> Box<dyn Program> {
        Box::new(Interpreter { kernel })
    }
}

struct Interpreter {
    kernel: Kernel,
}

impl Program for Interpreter {
    fn kernel(&self) -> &Kernel {
        &self.kernel
    }
    fn strategy(&self) -> String {
        "element by element".to_string()
    }
    fn run(&self, args: &Args) {
        match &self.kernel.body {
            Body::Nest(nest) => self.nest(nest, args),
            Body::Scan { view, axis, op } => self.scan(view, *axis, *op, args),
            Body::Scatter {
                values,
                index,
                axis,
                size,
            } => self.scatter(values, index, *axis, *size, args),
            Body::Copy => {
                for i in 0..self.kernel.outputs[0].len {
                    self.write(args, 0, i, self.read(args, 0, i));
                }
            }
        }
    }
}

impl Interpreter {
    fn read(&self, args: &Args, input: usize, at: usize) -> Scalar {
        let slot = self.kernel.inputs[input];
        assert!(
            at < slot.len,
            "{}: reads in{input} at {at} of {}",
            self.kernel.name,
            slot.len
        );
        // SAFETY: `at` is inside the buffer, which holds elements of the slot's dtype (the law of Args).
        with_dtype!(slot.dtype, T => unsafe { *args.inputs[input].cast::<T>().add(at) }.into())
    }

    fn write(&self, args: &Args, output: usize, at: usize, value: Scalar) {
        let slot = self.kernel.outputs[output];
        assert!(
            at < slot.len,
            "{}: writes out{output} at {at} of {}",
            self.kernel.name,
            slot.len
        );
        // SAFETY: as in `read`.
        with_dtype!(slot.dtype, T => unsafe { *args.outputs[output].cast::<T>().add(at) = T::from_scalar(value) });
    }

    fn nest(&self, nest: &Nest, args: &Args) {
        let mut registers = vec![Scalar::Int(0); nest.lines.len()];
        for (position, o) in indices(&nest.outer).enumerate() {
            let mut sums: Vec<Scalar> = nest
                .lines
                .iter()
                .map(|line| match line.inst {
                    Inst::Reduce(op, _) => op.identity(accumulator(line.dtype)),
                    _ => Scalar::Int(0),
                })
                .collect();
            for r in indices(&nest.reduced) {
                let point = [&o[..], &r].concat();
                self.level(nest, Level::Inner, &point, args, &mut registers);
                for (sum, line) in sums.iter_mut().zip(&nest.lines) {
                    if let Inst::Reduce(op, src) = line.inst {
                        *sum = op
                            .combine()
                            .eval(*sum, registers[src], accumulator(line.dtype));
                    }
                }
            }
            for (reg, line) in nest.lines.iter().enumerate() {
                if matches!(line.inst, Inst::Reduce(..)) {
                    registers[reg] = sums[reg].cast(line.dtype);
                }
            }
            self.level(nest, Level::Outer, &o, args, &mut registers);
            for line in &nest.lines {
                if let Inst::Store { output, src } = line.inst {
                    self.write(args, output, position, registers[src]);
                }
            }
        }
    }

    /// All instructions of one level, at one point.
    fn level(
        &self,
        nest: &Nest,
        level: Level,
        point: &[usize],
        args: &Args,
        registers: &mut [Scalar],
    ) {
        let zero = |dtype: DType| Scalar::Int(0).cast(dtype);
        for (reg, line) in nest.lines.iter().enumerate() {
            if line.level != level && line.level != Level::Free {
                continue;
            }
            let dtype_of = |reg: usize| nest.lines[reg].dtype;
            registers[reg] = match &line.inst {
                Inst::Load { input, view } => view
                    .address(point)
                    .map_or(zero(line.dtype), |at| self.read(args, *input, at)),
                Inst::Const { param } => match args.params[*param] {
                    Param::Const(value) => value.cast(line.dtype),
                    Param::Key(_) => unreachable!("a constant is no key"),
                },
                Inst::Iota { view } => Scalar::Int(view.address(point).unwrap_or(0) as i128),
                Inst::Rand { param, view } => match args.params[*param] {
                    Param::Key(key) => view.address(point).map_or(zero(line.dtype), |at| {
                        random::uniform(key, at as u64).into()
                    }),
                    Param::Const(_) => unreachable!("a key is no constant"),
                },
                Inst::Valid { view } => Scalar::Bool(view.address(point).is_some()),
                Inst::Gather {
                    input,
                    view,
                    stride,
                    size,
                    index,
                } => {
                    let index = registers[*index].as_i128();
                    match view.address(point) {
                        Some(start) if (0..*size as i128).contains(&index) => self.read(
                            args,
                            *input,
                            (start as isize + stride * index as isize) as usize,
                        ),
                        _ => zero(line.dtype),
                    }
                }
                Inst::Unary(op, a) => op.eval(registers[*a], dtype_of(*a)),
                Inst::Binary(op, a, b) => op.eval(registers[*a], registers[*b], dtype_of(*a)),
                Inst::Ternary(op, a, b, c) => {
                    op.eval(registers[*a], registers[*b], registers[*c], dtype_of(*b))
                }
                Inst::Spread(_) => unreachable!("{}: nothing is fused here", self.kernel.name),
                Inst::Reduce(..) | Inst::Store { .. } => continue,
            };
        }
    }

    fn scan(&self, view: &View, axis: usize, op: ReduceOps, args: &Args) {
        let dtype = self.kernel.outputs[0].dtype;
        let step: usize = view.shape[axis + 1..].iter().product();
        let mut running =
            vec![op.identity(accumulator(dtype)); numel(&view.shape) / view.shape[axis].max(1)];
        for (position, index) in indices(&view.shape).enumerate() {
            // The running value belongs to the line through this element: its position without the axis.
            let line = position / (step * view.shape[axis]) * step + position % step;
            let x = view
                .address(&index)
                .map_or(Scalar::Int(0).cast(dtype), |at| self.read(args, 0, at));
            running[line] = op.combine().eval(running[line], x, accumulator(dtype));
            self.write(args, 0, position, running[line].cast(dtype));
        }
    }

    fn scatter(&self, values: &View, index: &View, axis: usize, size: usize, args: &Args) {
        let dtype = self.kernel.outputs[0].dtype;
        let mut shape = values.shape.clone();
        shape[axis] = size;
        let out = View::contiguous(&shape);
        let mut sums = vec![Scalar::Int(0).cast(accumulator(dtype)); numel(&shape)];
        for mut at in indices(&values.shape) {
            let read = |view: &View, input| {
                view.address(&at)
                    .map_or(Scalar::Int(0), |a| self.read(args, input, a))
            };
            let (value, place) = (read(values, 0), read(index, 1).as_i128());
            if (0..size as i128).contains(&place) {
                at[axis] = place as usize;
                let sum = &mut sums[out.address(&at).expect("no bounds")];
                *sum = ReduceOps::Sum
                    .combine()
                    .eval(*sum, value, accumulator(dtype));
            }
        }
        for (position, sum) in sums.into_iter().enumerate() {
            self.write(args, 0, position, sum.cast(dtype));
        }
    }
}

/// Floats are summed in float64; integers wrap alike whether at each step or at the end.
fn accumulator(dtype: DType) -> DType {
    if dtype.is_float() {
        DType::Float64
    } else {
        dtype
    }
}
