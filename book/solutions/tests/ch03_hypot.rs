//! # The backward of a length
//!
//! `Hypot` is the length of an arrow with the legs a and b: y = √(a² + b²). It has two inputs, so that its backward gives two gradients. An
//! input whose gradient nobody needs gets `None`: then its part of the graph isn't even built. Derive ∂y/∂a, see how short it becomes when y
//! is in it, and write the backward.

use teenygrad::Tensor;
use teenygrad::lazy::LazyBuffer;
use teenygrad::mlops::Function;
use teenygrad::ops::{BinaryOps, UnaryOps};

/// y = √(a² + b²).
#[derive(Default)]
pub struct Hypot {
    saved: Option<(LazyBuffer, LazyBuffer, LazyBuffer)>,
}

impl Function for Hypot {
    fn name(&self) -> &'static str {
        "Hypot"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        let (a, b) = (&inputs[0], &inputs[1]);
        let squares = [a, b].map(|x| x.e(BinaryOps::Mul, &[x]));
        let y = squares[0].e(BinaryOps::Add, &[&squares[1]]);
        let y = y.e(UnaryOps::Sqrt, &[]);
        self.saved = Some((a.clone(), b.clone(), y.clone()));
        y
    }
    fn backward(&self, dy: &LazyBuffer, needs: &[bool]) -> Vec<Option<LazyBuffer>> {
        let (a, b, y) = self.saved.as_ref().expect("forward runs first");
        // ∂y/∂a = a / y and ∂y/∂b = b / y
        let share = |x: &LazyBuffer| x.e(BinaryOps::Div, &[y]).e(BinaryOps::Mul, &[dy]);
        vec![needs[0].then(|| share(a)), needs[1].then(|| share(b))]
    }
}

/// √(a² + b²), of two tensors of one shape.
pub fn hypot(a: &Tensor, b: &Tensor) -> Tensor {
    Tensor::apply(Hypot::default(), &[a, b])
}

#[cfg(test)]
#[path = "../../exercises/checks/ch03_hypot.rs"]
mod checks;
