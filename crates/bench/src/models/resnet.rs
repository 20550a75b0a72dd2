//! # models/resnet: a residual network for small pictures
//!
//! **In:** pictures `[n, 3, 32, 32]`. **Out:** logits `[n, 10]`.
//!
//! The arrangement is that of the CIFAR networks in He et al., *Deep Residual Learning for Image Recognition*, 2015: a stem, three stages
//! whose pictures halve and whose channels double, the average over what is left of the picture, a matrix.

use super::Weights;
use teenygrad::Tensor;
use teenygrad::tensor::conv::Conv;

/// How much of the running means is replaced at each step.
const MOMENTUM: f64 = 0.1;

/// A convolution without bias, then a batch norm.
struct ConvNorm {
    weight: Tensor,
    stride: usize,
    gain: Tensor,
    bias: Tensor,
    running_mean: Tensor,
    running_variance: Tensor,
}

impl ConvNorm {
    fn new(weights: &mut Weights, from: usize, to: usize, kernel: usize, stride: usize) -> Self {
        ConvNorm {
            weight: weights.uniform(&[to, from, kernel, kernel], from * kernel * kernel),
            stride,
            gain: weights.constant(&[to], 1.0),
            bias: weights.constant(&[to], 0.0),
            running_mean: weights.buffer(&[to], 0.0),
            running_variance: weights.buffer(&[to], 1.0),
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let kernel = self.weight.shape()[2];
        let options = Conv::default().stride(self.stride).padding(kernel / 2);
        let x = x.conv2d_with(&self.weight, None, options);
        // Over all but the channels: [n, c, h, w] → [c]
        let axes = [0, 2, 3];
        let mean = x.mean(axes);
        let variance = x.var_with(axes, false, 0);
        self.remember(&mean, &variance, x.numel() / mean.numel());
        let invstd = (variance + 1e-5).rsqrt();
        x.batchnorm(Some(&self.gain), Some(&self.bias), &mean, &invstd)
    }

    /// Moves the running averages, which a trained network uses, towards this batch. The variance there is over n − 1.
    fn remember(&self, mean: &Tensor, variance: &Tensor, n: usize) {
        let blend = |old: &Tensor, new: Tensor| {
            old.assign(&(old * (1.0 - MOMENTUM) + new.detach() * MOMENTUM));
        };
        blend(&self.running_mean, mean.clone());
        blend(
            &self.running_variance,
            variance * (n as f64 / (n as f64 - 1.0)),
        );
    }
}

/// relu(norm(conv(relu(norm(conv(x))))) + x), with a 1×1 convolution on x where its shape changes.
struct Block {
    first: ConvNorm,
    second: ConvNorm,
    shortcut: Option<ConvNorm>,
}

impl Block {
    fn new(weights: &mut Weights, from: usize, to: usize, stride: usize) -> Block {
        Block {
            first: ConvNorm::new(weights, from, to, 3, stride),
            second: ConvNorm::new(weights, to, to, 3, 1),
            shortcut: (from != to).then(|| ConvNorm::new(weights, from, to, 1, stride)),
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let y = self.second.forward(&self.first.forward(x).relu());
        let x = match &self.shortcut {
            Some(shortcut) => shortcut.forward(x),
            None => x.clone(),
        };
        (x + y).relu()
    }
}

/// The whole network.
pub struct ResNet {
    stem: ConvNorm,
    blocks: Vec<Block>,
    head: Tensor,
    bias: Tensor,
}

impl ResNet {
    /// Stages of these numbers of channels, two blocks each.
    pub fn new(weights: &mut Weights, stages: &[usize]) -> ResNet {
        let stem = ConvNorm::new(weights, 3, stages[0], 3, 1);
        let (mut blocks, mut from) = (Vec::new(), stages[0]);
        for &to in stages {
            let stride = if to == from { 1 } else { 2 };
            blocks.push(Block::new(weights, from, to, stride));
            blocks.push(Block::new(weights, to, to, 1));
            from = to;
        }
        ResNet {
            stem,
            blocks,
            head: weights.uniform(&[from, 10], from),
            bias: weights.constant(&[10], 0.0),
        }
    }

    pub fn forward(&self, x: &Tensor) -> Tensor {
        let mut x = self.stem.forward(x).relu();
        for block in &self.blocks {
            x = block.forward(&x);
        }
        // [n, c, h, w] → [n, c]
        x.mean([2, 3]).linear(&self.head, Some(&self.bias))
    }
}
