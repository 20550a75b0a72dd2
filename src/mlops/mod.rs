//! # mlops: the differentiable functions, forward and backward side by side
//!
//! **In:** [`LazyBuffer`]s from `tensor`. **Out:** longer graphs: a forward builds the result, a backward builds the gradients of the
//! inputs from the gradient of the result. Nothing is computed here. **Above:** `tensor`. **Below:** `lazy`.
//!
//! Every gradient in the system comes from one of these functions by the chain rule: what the tensor room composes needs no
//! derivative of its own. In the order of the original: [`unary`], [`binary`], [`ternary`], [`reduce`], [`movement`], and [`indexing`] for
//! the two primitives that it lacks.
//!
//! Reading a backward: `dy` is the gradient of the loss with respect to the result, ∂L/∂y, with y's shape. The function returns
//! ∂L/∂x = ∂L/∂y · ∂y/∂x for each input x that needs it, with x's shape.
//!
//! Laws:
//! 1. `forward` sees each input once and keeps only what `backward` uses.
//! 2. `backward` returns one entry an input, of that input's shape and dtype; `None` where there is no gradient to speak of.
//! 3. Every function here stands in the list of the gradient test (`tests/gradients`); a meta-test compares the two.

pub mod binary;
pub mod indexing;
pub mod movement;
pub mod reduce;
pub mod ternary;
pub mod unary;

use crate::lazy::LazyBuffer;

/// One differentiable function, applied once: its parameters, and what the backward remembers of the forward.
pub trait Function: Send + Sync {
    /// The name that graphs and error messages show.
    fn name(&self) -> &'static str;

    /// The result for these inputs.
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer;

    /// The gradients of the inputs, given that of the result. `needs[i]` tells whether anyone wants the i-th.
    fn backward(&self, dy: &LazyBuffer, needs: &[bool]) -> Vec<Option<LazyBuffer>>;
}

/// The names of all functions, for the meta-test of law 3.
pub const FUNCTIONS: [&str; 35] = [
    "Contiguous",
    "ContiguousBackward",
    "Cast",
    "ToDevice",
    "Zero",
    "Neg",
    "Sin",
    "Relu",
    "Log",
    "Exp",
    "Sqrt",
    "Sigmoid",
    "Less",
    "NotEqual",
    "Bits",
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "Mod",
    "Maximum",
    "Where",
    "Sum",
    "Max",
    "CumSum",
    "Expand",
    "Reshape",
    "Permute",
    "Pad",
    "Shrink",
    "Flip",
    "Window",
    "Gather",
    "Scatter",
];

/// What a forward has saved; there whenever a backward runs.
fn saved(buffer: &Option<LazyBuffer>) -> &LazyBuffer {
    buffer.as_ref().expect("forward has run before backward")
}
