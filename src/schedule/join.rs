//! # schedule/join: what both ways of joining kernels ask
//!
//! **In:** kernels in order, two of which may become one. **Out:** whether they may, and where the joined one goes. **Above:** `group`, `rows`.

use super::graph::Graph;
use super::lower::Lowered;
use crate::kernel::{Inst, Nest, Reg};
use crate::ops::{BinaryOps, ReduceOps};

/// Whether both run on one device, which can do more than one thing in a kernel.
pub fn is_possible(graph: &Graph, earlier: &Lowered, later: &Lowered) -> bool {
    let device = |kernel: &Lowered| graph.nodes[kernel.outputs[0]].node.device();
    device(earlier) == device(later) && device(later).engine().fuses()
}

/// Where the kernel at `at`, joined with one that comes after all of `placed`, goes once it is taken out: to its own place if all that
/// the later one reads is there by then, else to the end, if nothing in between reads what the earlier one writes.
pub fn position(placed: &[Lowered], at: usize, later: &Lowered) -> Option<usize> {
    let between = &placed[at + 1..];
    let reads = |kernel: &Lowered, from: &Lowered| {
        let mut inputs = kernel.inputs.iter();
        inputs.any(|input| from.outputs.contains(input))
    };
    let reads_between = between.iter().any(|kernel| reads(later, kernel));
    let read_between = || between.iter().any(|kernel| reads(kernel, &placed[at]));
    match (reads_between, reads_between && read_between()) {
        (false, _) => Some(at),
        (true, false) => Some(placed.len() - 1),
        (true, true) => None,
    }
}

/// Whether it sums products whose factors are each used again and again: such a kernel is better left to the contraction.
pub fn contracts(nest: &Nest) -> bool {
    let repeats = |mut reg: Reg| {
        while let Inst::Unary(_, src) = nest.lines[reg].inst {
            reg = src;
        }
        let Some(view) = nest.lines[reg].inst.view() else {
            return false;
        };
        (0..nest.outer.len()).any(|axis| nest.outer[axis] > 1 && view.strides[axis] == 0)
    };
    nest.lines.iter().any(|line| match line.inst {
        Inst::Reduce(ReduceOps::Sum, product) => match nest.lines[product].inst {
            Inst::Binary(BinaryOps::Mul, a, b) => repeats(a) && repeats(b),
            _ => false,
        },
        _ => false,
    })
}
