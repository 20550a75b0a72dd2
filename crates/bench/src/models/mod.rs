//! # models: the networks of the training steps
//!
//! Written as a user would write them: plain structs of tensors, and functions that use them. `peers/` has the same networks elsewhere,
//! with the same weights.

pub mod digits;
pub mod gpt;
pub mod resnet;

use crate::case::Setup;
use teenygrad::Tensor;

/// Weights, one after the other, each from a seed of its own.
pub struct Weights {
    setup: Setup,
    seed: u32,
    made: Vec<Tensor>,
}

impl Weights {
    /// None yet.
    pub fn new(setup: Setup) -> Weights {
        Weights {
            setup,
            seed: 100,
            made: Vec::new(),
        }
    }

    /// Uniform in ±1/√fan_in.
    pub fn uniform(&mut self, shape: &[usize], fan_in: usize) -> Tensor {
        self.seed += 1;
        self.kept(
            self.setup
                .numbers(self.seed, shape, (1.0 / fan_in as f32).sqrt()),
        )
    }

    /// One number everywhere.
    pub fn constant(&mut self, shape: &[usize], value: f32) -> Tensor {
        self.kept(self.setup.constant(shape, value))
    }

    /// One number everywhere, in a tensor that is not trained.
    pub fn buffer(&mut self, shape: &[usize], value: f32) -> Tensor {
        self.kept(self.setup.constant(shape, value).requires_grad(false))
    }

    /// All that were made: what an optimizer wants.
    pub fn all(&self) -> &[Tensor] {
        &self.made
    }

    fn kept(&mut self, tensor: Tensor) -> Tensor {
        self.made.push(tensor.clone());
        tensor
    }
}
