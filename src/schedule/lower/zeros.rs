//! # schedule/lower/zeros: what is known of the zeros around
//!
//! **In:** instructions over padded views. **Out:** which of them need no mask, and no bound.

use crate::kernel::{Inst, Line, Reg};
use crate::ops::{BinaryOps, ReduceOps, UnaryOps};
use crate::shape::view::{Bound, View, numel};

/// Whether an instruction gives 0 when all that it reads is 0, as loads are outside of their bounds.
pub(super) fn keeps_zero(inst: &Inst) -> bool {
    match inst {
        Inst::Load { .. }
        | Inst::Iota { .. }
        | Inst::Rand { .. }
        | Inst::Valid { .. }
        | Inst::Gather { .. } => true,
        Inst::Unary(op, _) => match op {
            UnaryOps::Noop
            | UnaryOps::Cast(_)
            | UnaryOps::Bitcast(_)
            | UnaryOps::Sin
            | UnaryOps::Sqrt
            | UnaryOps::Neg => true,
            UnaryOps::Exp2 | UnaryOps::Log2 | UnaryOps::Recip => false,
        },
        Inst::Binary(op, ..) => match op {
            BinaryOps::Add
            | BinaryOps::Sub
            | BinaryOps::Mul
            | BinaryOps::Max
            | BinaryOps::Cmplt
            | BinaryOps::Cmpne
            | BinaryOps::And
            | BinaryOps::Or
            | BinaryOps::Xor
            | BinaryOps::Shl
            | BinaryOps::Shr => true,
            BinaryOps::Div | BinaryOps::Mod | BinaryOps::Pow => false,
        },
        Inst::Ternary(..) => true, // 0·0 + 0, and 0 whichever is chosen
        Inst::Const { .. } | Inst::Reduce(..) | Inst::Spread(_) | Inst::Store { .. } => false,
    }
}

/// In a sum of products, a bound that both factors have is needed by one of them only: 0 · x is 0. The other is freed of it if its
/// addresses stay inside its memory without. It is freed that has nothing else to do with an axis of the bound: so the weights of
/// a convolution do not depend on where the window's margin lies, which is what makes them one small matrix instead of one for each
/// position.
pub(super) fn share_bounds(lines: &mut [Line], len: impl Fn(usize) -> usize) {
    let behind_casts = |lines: &[Line], mut reg: Reg| {
        while let Inst::Unary(UnaryOps::Cast(_), src) = lines[reg].inst {
            reg = src;
        }
        reg
    };
    for reg in 0..lines.len() {
        let Inst::Reduce(ReduceOps::Sum, product) = lines[reg].inst else {
            continue;
        };
        let Inst::Binary(BinaryOps::Mul, a, b) = lines[product].inst else {
            continue;
        };
        let (a, b) = (behind_casts(lines, a), behind_casts(lines, b));
        for (free, keep) in [(a, b), (b, a)] {
            let (Inst::Load { input, view }, Inst::Load { view: other, .. }) =
                (&lines[free].inst, &lines[keep].inst)
            else {
                continue;
            };
            let used_once = lines
                .iter()
                .filter(|line| line.inst.reads().any(|read| read == free))
                .count()
                == 1;
            let native = |bound: &Bound, to: &View| {
                (0..to.shape.len()).all(|axis| bound.coefs[axis] == 0 || to.strides[axis] != 0)
            };
            let mut freed = View::clone(view);
            freed.bounds.retain(|bound| {
                !other.bounds.contains(bound) || (native(bound, view) && !native(bound, other))
            });
            if free == keep || !used_once || numel(&view.shape) == 0 || freed == **view {
                continue;
            }
            // The bounds that are left may be what keeps it inside: tap 2·t + phase of a strided window exists if it is below the kernel's size.
            let inside = freed
                .reach(1 << 14)
                .is_some_and(|reach| reach.start >= 0 && reach.end <= len(*input) as isize);
            if inside && let Inst::Load { view, .. } = &mut lines[free].inst {
                **view = freed;
            }
        }
    }
}
