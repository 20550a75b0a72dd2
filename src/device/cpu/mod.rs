//! # device/cpu: the engine for this machine's processor
//!
//! **In:** kernels. **Out:** programs that run in blocks that stay in cache, on all threads, with the widest vectors that the processor has.
//!
//! ```text
//! Kernel ─┬─ Nest ── nest ─┬─ sum of products ─▶ contraction ─▶ packing, microkernel
//!         │                └─ everything else ─▶ interpreter ─▶ walk, table, panel (where), alu (what) ─▶ number, blocks, math, simd
//!         │                                                  └─▶ strip (several f32 instructions in one pass) ─▶ lanes, simd
//!         ├─ Nest with rows ─ rows ─▶ interpreter
//!         └─ Scan, Scatter, Copy ─▶ special
//! ```

pub mod alu;
pub mod blocks;
pub mod contraction;
pub mod interpreter;
pub mod lanes;
pub mod math;
pub mod microkernel;
pub mod nest;
pub mod number;
pub mod packing;
pub mod panel;
pub mod roofline;
pub mod rows;
pub mod simd;
pub mod special;
pub mod strip;
pub mod table;
pub mod threads;
pub mod walk;

use super::{Engine, Program, Roof};
use crate::kernel::{Body, Kernel};

/// The CPU's engine.
pub struct Cpu;

impl Engine for Cpu {
    fn fuses(&self) -> bool {
        true
    }
    fn roof(&self) -> Option<Roof> {
        Some(roofline::measured())
    }
    fn compile(&self, kernel: Kernel) -> Box<dyn Program> {
        match &kernel.body {
            Body::Nest(nest) if nest.has_rows() => Box::new(rows::Rows::new(kernel)),
            Body::Nest(_) => Box::new(nest::LoopNest::new(kernel)),
            Body::Scan { .. } | Body::Scatter { .. } | Body::Copy => {
                Box::new(special::Special::new(kernel))
            }
        }
    }
}
