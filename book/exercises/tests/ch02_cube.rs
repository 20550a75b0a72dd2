//! # The backward of a cube
//!
//! `Cube` is a differentiable function, y = x³. Its forward is there. Write its backward: from `dy`, the gradient of the loss with
//! respect to y, make the gradient with respect to x. It needs the derivative of x³, and x itself, which the forward has saved.

use teenygrad::Tensor;
use teenygrad::lazy::LazyBuffer;
use teenygrad::mlops::Function;
use teenygrad::ops::BinaryOps;

/// y = x³.
#[derive(Default)]
pub struct Cube {
    x: Option<LazyBuffer>,
}

impl Function for Cube {
    fn name(&self) -> &'static str {
        "Cube"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        let x = &inputs[0];
        self.x = Some(x.clone());
        x.e(BinaryOps::Mul, &[x]).e(BinaryOps::Mul, &[x])
    }
    fn backward(&self, dy: &LazyBuffer, _needs: &[bool]) -> Vec<Option<LazyBuffer>> {
        let _x = self.x.as_ref().expect("forward runs first");
        let _ = dy;
        todo!("the gradient with respect to x: one entry, as there is one input")
    }
}

/// x³ as a method would write it.
pub fn cube(x: &Tensor) -> Tensor {
    Tensor::apply(Cube::default(), &[x])
}

#[cfg(test)]
#[path = "../checks/ch02_cube.rs"]
mod checks;
