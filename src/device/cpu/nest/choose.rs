//! # device/cpu/nest/choose: which loop is the innermost, and what is a contraction
//!
//! **In:** a loop nest with its walks. **Out:** decisions that depend on shapes alone, made once for each kernel.

use super::{Order, Product};
use crate::device::cpu::contraction::Contraction;
use crate::device::cpu::walk::Walk;
use crate::dtype::DType;
use crate::kernel::{Inst, Kernel, Level, Nest, Reg};
use crate::ops::{BinaryOps, UnaryOps};
use crate::shape::view::numel;

/// Compares the loads of both orders, in nanoseconds a point, roughly: neighbours in memory are cheap, spaced ones dear, and each row has
/// to be started.
pub(super) fn order(
    nest: &Nest,
    walks: &[Option<Box<Walk>>],
    outer: &[usize],
    reduced: &[usize],
) -> Order {
    let (Some(&row_outer), Some(&row_reduced)) = (outer.last(), reduced.last()) else {
        return if reduced.is_empty() {
            Order::Across
        } else {
            Order::Along
        };
    };
    let cost = |row: usize, stride: isize| {
        let each = match stride {
            0 => 0.05,
            1 => 0.1,
            _ => 0.6,
        };
        each + 12.0 / row as f64
    };
    let inner = (0..nest.lines.len()).filter(|&reg| nest.lines[reg].level == Level::Inner);
    let (mut along, mut across) = (0.0, 0.0);
    let mut lines = 0;
    for reg in inner {
        lines += 1;
        if let Some(walk) = &walks[reg] {
            along += cost(
                row_reduced,
                walk.reduced.strides.last().copied().unwrap_or(0),
            );
            across += cost(row_outer, walk.outer.strides.last().copied().unwrap_or(0));
        }
    }
    // Each instruction costs some nanoseconds a block, and along the reduced axes a block is no longer than these.
    along += 15.0 * lines as f64 / numel(reduced).min(1024) as f64;
    across += 15.0 * lines as f64
        / numel(outer).clamp(1, 1024) as f64
        / (1024 / numel(outer).clamp(1, 1024)) as f64;
    if along <= across {
        Order::Along
    } else {
        Order::Across
    }
}

/// The sum of products of two loads (perhaps widened from a half type), if it is worth a contraction.
pub(super) fn product(kernel: &Kernel, nest: &Nest, sum: Reg, src: Reg) -> Option<Product> {
    let Inst::Binary(BinaryOps::Mul, a, b) = nest.lines[src].inst else {
        return None;
    };
    let load = |reg: Reg| match &nest.lines[reg].inst {
        Inst::Load { input, view } => Some((*input, view, nest.lines[reg].dtype)),
        Inst::Unary(UnaryOps::Cast(DType::Float32), from) => match &nest.lines[*from].inst {
            Inst::Load { input, view } if nest.lines[*from].dtype.compute() == DType::Float32 => {
                Some((*input, view, nest.lines[*from].dtype))
            }
            _ => None,
        },
        _ => None,
    };
    let ((a, a_view, a_dtype), (b, b_view, b_dtype)) = (load(a)?, load(b)?);
    let dtype = nest.lines[sum].dtype.compute();
    let right = matches!(dtype, DType::Float32 | DType::Float64)
        && a_dtype.compute() == dtype
        && b_dtype.compute() == dtype;
    if !right || !Contraction::is_worthwhile(&nest.outer, &nest.reduced, a_view, b_view) {
        return None;
    }
    let contraction =
        Contraction::new(&nest.outer, &nest.reduced, a_view, a_dtype, b_view, b_dtype);
    debug_assert!(kernel.inputs.len() > a.max(b));
    Some(Product {
        contraction,
        a,
        b,
        sum,
        dtype,
    })
}
