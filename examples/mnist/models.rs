//! # models: the networks
//!
//! **In:** images, float32 `[n, 784]` with pixels from 0 to 255. **Out:** `[n, 10]`, the logarithm of each digit's probability.
//!
//! A model is plain data: tensors with names, and a function that uses them. The library has no class for it to inherit from.

use teenygrad::Tensor;

/// What training needs to know of a network.
pub trait Model {
    /// Images `[n, 784]` to log-probabilities `[n, 10]`.
    fn forward(&self, x: &Tensor) -> Tensor;

    /// What is trained, under the names that a file of weights has.
    fn weights(&self) -> Vec<(&'static str, &Tensor)>;
}

/// The original's network: twice a convolution, a rectifier and a pooling, then a matrix. No biases.
///
/// ```text
/// [n, 1, 28, 28] ─conv 3×3─▶ [n, c1, 26, 26] ─max 2×2─▶ [n, c1, 13, 13]
///                ─conv 3×3─▶ [n, c2, 11, 11] ─max 2×2─▶ [n, c2, 5, 5] ─matrix─▶ [n, 10]
/// ```
pub struct TinyConvNet {
    c1: Tensor,
    c2: Tensor,
    l1: Tensor,
}

impl TinyConvNet {
    /// With these numbers of channels; the original's are 8 and 16.
    pub fn new(channels1: usize, channels2: usize) -> TinyConvNet {
        TinyConvNet {
            c1: Tensor::scaled_uniform([channels1, 1, 3, 3]),
            c2: Tensor::scaled_uniform([channels2, channels1, 3, 3]),
            l1: Tensor::scaled_uniform([channels2 * 5 * 5, 10]),
        }
    }
}

impl Model for TinyConvNet {
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = x.reshape([-1, 1, 28, 28]);
        let x = x.conv2d(&self.c1, None).relu().max_pool2d(2);
        let x = x.conv2d(&self.c2, None).relu().max_pool2d(2);
        x.flatten(1).dot(&self.l1).log_softmax(-1)
    }

    fn weights(&self) -> Vec<(&'static str, &Tensor)> {
        vec![("c1", &self.c1), ("c2", &self.c2), ("l1", &self.l1)]
    }
}

/// A perceptron with one hidden layer: `[n, 784] → [n, hidden] → [n, 10]`. No biases.
pub struct Mlp {
    l1: Tensor,
    l2: Tensor,
}

impl Mlp {
    /// With so many hidden units.
    pub fn new(hidden: usize) -> Mlp {
        Mlp {
            l1: Tensor::scaled_uniform([784, hidden]),
            l2: Tensor::scaled_uniform([hidden, 10]),
        }
    }
}

impl Model for Mlp {
    fn forward(&self, x: &Tensor) -> Tensor {
        x.dot(&self.l1).relu().dot(&self.l2).log_softmax(-1)
    }

    fn weights(&self) -> Vec<(&'static str, &Tensor)> {
        vec![("l1", &self.l1), ("l2", &self.l2)]
    }
}

#[cfg(test)]
mod tests {
    use crate::options::Network;
    use clap::ValueEnum;
    use teenygrad::Tensor;

    #[test]
    fn every_network_gives_probabilities() {
        for network in Network::value_variants() {
            Tensor::manual_seed(1);
            let out = network.build().forward(&(Tensor::rand([3, 784]) * 255));
            assert_eq!(out.shape(), [3, 10]);
            for sum in out.exp().sum(1).to_vec::<f32>() {
                assert!((sum - 1.0).abs() < 1e-5, "{network}: {sum}");
            }
        }
    }

    #[test]
    fn the_numbers_of_weights_are_known() {
        let count = |network: Network| {
            network
                .build()
                .weights()
                .iter()
                .map(|(_, w)| w.numel())
                .sum::<usize>()
        };
        assert_eq!(count(Network::Tinyconv), 8 * 9 + 16 * 8 * 9 + 400 * 10);
        assert_eq!(count(Network::Bigconv), 32 * 9 + 64 * 32 * 9 + 1600 * 10);
        assert_eq!(count(Network::Mlp), 784 * 128 + 128 * 10);
    }
}
