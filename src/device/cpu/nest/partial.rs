//! # device/cpu/nest/partial: the pieces of a long sum
//!
//! **In:** for each reduction, sums over pieces of the reduced space. **Out:** their total, added in the order of the pieces.

use super::LoopNest;
use crate::device::cpu::alu;
use crate::device::cpu::interpreter::{Frame, width};
use crate::device::memory::Memory;
use crate::kernel::Reg;
use crate::ops::ReduceOps;

/// For each reduction and each piece of the reduced space, the sums of all outputs.
pub(super) struct Partial {
    /// one a reduction, [pieces, outputs]
    sums: Vec<Memory>,
    outputs: usize,
    pieces: usize,
}

impl Partial {
    pub fn new(nest: &LoopNest, outputs: usize, pieces: usize) -> Partial {
        let size = |&(reg, _, _): &(Reg, ReduceOps, Reg)| {
            pieces * outputs * width(nest.nest().lines[reg].dtype)
        };
        Partial {
            sums: nest
                .reductions
                .iter()
                .map(|reduction| Memory::new(size(reduction)))
                .collect(),
            outputs,
            pieces,
        }
    }

    /// Where the sum of an output over a piece is.
    pub fn place(&self, nest: &LoopNest, reduction: usize, piece: usize, at: usize) -> *mut u8 {
        let width = width(nest.nest().lines[nest.reductions[reduction].0].dtype);
        self.sums[reduction]
            .as_ptr()
            .wrapping_add((piece * self.outputs + at) * width)
    }

    /// Copies a block's sums out of their registers.
    pub fn keep(&self, nest: &LoopNest, piece: usize, at: usize, len: usize, frame: &Frame) {
        for (reduction, &(reg, _, _)) in nest.reductions.iter().enumerate() {
            let bytes = len * width(nest.nest().lines[reg].dtype);
            // SAFETY: the place has room for outputs − at ≥ len values, and belongs to this piece and block alone.
            unsafe {
                std::ptr::copy_nonoverlapping(
                    frame.registers[reg],
                    self.place(nest, reduction, piece, at),
                    bytes,
                )
            };
        }
    }

    /// Adds all pieces to the first, in order.
    pub fn join(&self, nest: &LoopNest) {
        for (reduction, &(reg, op, _)) in nest.reductions.iter().enumerate() {
            let piece = |piece: usize| self.place(nest, reduction, piece, 0);
            let others = (1..self.pieces).map(|other| piece(other).cast_const());
            let (others, dtype) = (others.collect::<Vec<_>>(), nest.nest().lines[reg].dtype);
            // SAFETY: each holds `outputs` values, and all tasks have ended.
            unsafe { alu::reduce_rows(op, dtype, &others, self.outputs, piece(0)) };
        }
    }

    /// Lets the reductions' registers be the joined sums from `at` on.
    pub fn point_registers(&self, nest: &LoopNest, frame: &mut Frame, at: usize) {
        for (reduction, &(reg, _, _)) in nest.reductions.iter().enumerate() {
            frame.registers[reg] = self.place(nest, reduction, 0, at);
        }
    }
}
