//! # teenygrad+: the deep-learning framework that people read, in Rust
//!
//! A tensor library with automatic differentiation on a lazy graph, small enough to read in a weekend and fast enough to use. This
//! page is the map of the house. Start where you like; the data goes in one direction:
//!
//! ```text
//!  your program
//!     │ builds                      tensor/     what you touch; every method is a composition, no math of its own
//!     ▼
//!  Tensor ── records ──▶ Function   mlops/      the differentiable functions: forward and backward side by side
//!     │                             tensor/autograd   the walk back
//!     ▼
//!  LazyBuffer graph                 lazy        a node remembers an op and computes nothing
//!     │ schedule                    shape/      views: movement is arithmetic on a few numbers
//!     ▼
//!  Kernels: fused loop nests        schedule/   which nodes become memory, which live in registers
//!     │ realize                     kernel      the small language that engines run
//!     ▼                             realize     kernels in order, memory planned
//!  Device                           device/     reference (the definition), cpu (fused, blocked, parallel)
//! ```
//!
//! ## Reading order
//!
//! 1. [`dtype`], [`ops`]: the types of elements and the closed list of primitive ops, each with its meaning for one element.
//! 2. [`shape`]: how a view finds an element, and why reshape, permute, pad and sliding windows copy nothing.
//! 3. [`lazy`]: the graph, and why movements are kept as a list.
//! 4. [`mlops`]: calculus: each function with its derivation.
//! 5. [`tensor`]: the API, and [`tensor::autograd`], the chain rule as a walk over a graph.
//! 6. [`schedule`] and [`kernel`]: from many nodes to few kernels. [`realize`]: who owns memory, and until when.
//! 7. [`device::reference`], the definition; then [`device::cpu`], the same fast.
//! 8. [`nn`]: optimizers, layers, data sets, weights on disk. [`viz`]: pictures of all these graphs.
//!
//! ## In one minute
//!
//! ```
//! use teenygrad::Tensor;
//! use teenygrad::nn::optim::{Optimizer, SGD};
//!
//! // y = 2x + 1, learned from four points.
//! let x = Tensor::from([[0.0], [1.0], [2.0], [3.0]]);
//! let y = Tensor::from([[1.0], [3.0], [5.0], [7.0]]);
//! let (w, b) = (Tensor::zeros([1, 1]), Tensor::zeros([1]));
//! let mut optimizer = SGD::new([&w, &b], 0.1);
//! for _ in 0..200 {
//!     let loss = (x.matmul(&w) + &b - &y).square().mean(());
//!     optimizer.zero_grad();
//!     loss.backward();
//!     optimizer.step();
//! }
//! assert!((w.item::<f32>() - 2.0).abs() < 1e-2 && (b.item::<f32>() - 1.0).abs() < 2e-2);
//! ```
//!
//! `DEBUG=1` to `5` in the environment tells more and more of what happens: totals, kernels, decisions, programs, graphs. `VIZ=folder` draws it
//! ([`viz`]).

#![warn(missing_docs)]

pub mod device;
pub mod dtype;
pub mod error;
pub mod helpers;
pub mod interrupt;
pub mod kernel;
pub mod lazy;
pub mod mlops;
pub mod nn;
pub mod ops;
pub mod realize;
pub mod schedule;
pub mod shape;
pub mod tensor;
pub mod viz;

pub use device::Device;
pub use dtype::{DType, Element, Scalar, dtypes};
pub use error::{Error, Result};
pub use tensor::Tensor;

/// The README's examples are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
