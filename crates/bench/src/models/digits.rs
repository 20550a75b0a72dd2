//! # models/digits: networks that read handwritten digits
//!
//! **In:** images `[n, 784]`. **Out:** logits `[n, 10]`. No biases.

use super::Weights;
use teenygrad::Tensor;

/// One hidden layer: `[n, 784] → [n, 128] → [n, 10]`.
pub struct Mlp {
    l1: Tensor,
    l2: Tensor,
}

impl Mlp {
    pub fn new(weights: &mut Weights) -> Mlp {
        Mlp {
            l1: weights.uniform(&[784, 128], 784),
            l2: weights.uniform(&[128, 10], 128),
        }
    }

    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.matmul(&self.l1).relu().matmul(&self.l2)
    }
}

/// Twice a convolution, a rectifier and a pooling, then a matrix.
///
/// ```text
/// [n, 1, 28, 28] ─conv 3×3─▶ [n, c1, 26, 26] ─max 2×2─▶ [n, c1, 13, 13]
///                ─conv 3×3─▶ [n, c2, 11, 11] ─max 2×2─▶ [n, c2, 5, 5] ─matrix─▶ [n, 10]
/// ```
pub struct ConvNet {
    c1: Tensor,
    c2: Tensor,
    l1: Tensor,
}

impl ConvNet {
    pub fn new(weights: &mut Weights, channels1: usize, channels2: usize) -> ConvNet {
        ConvNet {
            c1: weights.uniform(&[channels1, 1, 3, 3], 9),
            c2: weights.uniform(&[channels2, channels1, 3, 3], channels1 * 9),
            l1: weights.uniform(&[channels2 * 25, 10], channels2 * 25),
        }
    }

    pub fn forward(&self, x: &Tensor) -> Tensor {
        let x = x.reshape([-1, 1, 28, 28]);
        let x = x.conv2d(&self.c1, None).relu().max_pool2d(2);
        let x = x.conv2d(&self.c2, None).relu().max_pool2d(2);
        x.flatten(1).matmul(&self.l1)
    }
}
