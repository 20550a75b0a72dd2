//! # kernel/peephole: small repairs of a finished program
//!
//! **In:** a loop nest. **Out:** one that computes the same bits with fewer instructions.

use super::{Inst, Line, Nest, Reg};
use crate::ops::{BinaryOps, TernaryOps};

impl Inst {
    /// The same instruction, reading other registers.
    pub(crate) fn renumber(&mut self, new: impl Fn(Reg) -> Reg) {
        match self {
            Inst::Load { .. }
            | Inst::Const { .. }
            | Inst::Iota { .. }
            | Inst::Rand { .. }
            | Inst::Valid { .. } => {}
            Inst::Gather { index: a, .. }
            | Inst::Unary(_, a)
            | Inst::Reduce(_, a)
            | Inst::Spread(a)
            | Inst::Store { src: a, .. } => *a = new(*a),
            Inst::Binary(_, a, b) => (*a, *b) = (new(*a), new(*b)),
            Inst::Ternary(_, a, b, c) => (*a, *b, *c) = (new(*a), new(*b), new(*c)),
        }
    }
}

impl Nest {
    /// Leaves out the stores of outputs that are not kept (the others are renumbered), and what only these needed.
    pub(crate) fn keep_outputs(&mut self, kept: &[usize]) {
        let mut needed = vec![false; self.lines.len()];
        for (reg, line) in self.lines.iter().enumerate().rev() {
            if let Inst::Store { output, .. } = line.inst {
                needed[reg] = kept.contains(&output);
            }
            if needed[reg] {
                line.inst.reads().for_each(|read| needed[read] = true);
            }
        }
        let mut new = vec![0; self.lines.len()];
        let mut rest: Vec<Line> = Vec::new();
        for (reg, mut line) in std::mem::take(&mut self.lines).into_iter().enumerate() {
            if !needed[reg] {
                continue;
            }
            line.inst.renumber(|read| new[read]);
            if let Inst::Store { output, .. } = &mut line.inst {
                let position = kept.iter().position(|kept| kept == output);
                *output = position.expect("only stores of kept outputs are needed");
            }
            new[reg] = rest.len();
            rest.push(line);
        }
        self.lines = rest;
    }

    /// A product that only a sum reads becomes part of it: a·b + c in one instruction, rounded twice as before. In a block interpreter, that
    /// is one round trip through the first-level cache less. Sums of products stay as they are: they are contractions.
    pub(crate) fn join_multiply_adds(&mut self, outputs: usize) {
        let mut readers = vec![0; self.lines.len()];
        let reads = self.lines.iter().flat_map(|line| line.inst.reads());
        reads.for_each(|read| readers[read] += 1);
        let mut any = false;
        for reg in 0..self.lines.len() {
            let line = &self.lines[reg];
            let Inst::Binary(BinaryOps::Add, x, y) = line.inst else {
                continue;
            };
            let product = |reg: Reg| match self.lines[reg].inst {
                Inst::Binary(BinaryOps::Mul, a, b) if readers[reg] == 1 => Some((a, b)),
                _ => None,
            };
            let joined = match (product(x), product(y)) {
                _ if !line.dtype.is_float() => continue,
                (Some((a, b)), _) => Inst::Ternary(TernaryOps::Mulacc, a, b, y),
                (None, Some((a, b))) => Inst::Ternary(TernaryOps::Mulacc, a, b, x),
                (None, None) => continue,
            };
            self.lines[reg].inst = joined;
            any = true;
        }
        if !any {
            return;
        }
        self.keep_outputs(&(0..outputs).collect::<Vec<_>>());
    }
}

#[cfg(test)]
mod tests {
    use crate::Tensor;
    use crate::kernel::{Body, Inst};
    use crate::schedule::plan;

    #[test]
    fn a_product_that_only_a_sum_reads_is_part_of_it() {
        let [a, b, c] = [2.0f32, 3.0, 4.0].map(|x| Tensor::from([x; 70]).realize());
        let count = |tensor: &Tensor| {
            let plan = plan(&[tensor.lazydata()]);
            let kernel = plan.kernels().next().unwrap();
            kernel.verify().unwrap();
            let Body::Nest(nest) = &kernel.body else {
                unreachable!()
            };
            let arithmetic = |line: &&crate::kernel::Line| {
                matches!(
                    line.inst,
                    Inst::Unary(..) | Inst::Binary(..) | Inst::Ternary(..)
                )
            };
            nest.lines.iter().filter(arithmetic).count()
        };
        for (tensor, instructions, value) in [
            (&a * &b + &c, 1, 10.0),
            (&c + &a * &b, 1, 10.0),
            (&a * &b + &c * &c, 2, 22.0),
            ((&a * &b + &c) * (&a * &b), 3, 60.0), // the product has another reader
        ] {
            assert_eq!(count(&tensor), instructions);
            assert_eq!(tensor.to_vec::<f32>(), [value; 70]);
        }
    }
}
