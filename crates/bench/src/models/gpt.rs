//! # models/gpt: a decoder-only transformer
//!
//! **In:** numbers of tokens, int32 `[batch, time]`. **Out:** for each position the logits of the next token, `[batch, time, vocabulary]`.
//!
//! The arrangement is that of GPT-2 (Radford et al., *Language Models are Unsupervised Multitask Learners*, 2019): positions are
//! learned, norms come first in each block, and the hidden layer is four times as wide.

use super::Weights;
use teenygrad::Tensor;

/// Sizes of a [`Gpt`].
#[derive(Clone, Copy)]
pub struct Sizes {
    pub layers: usize,
    pub width: usize,
    pub heads: usize,
    pub context: usize,
    pub vocabulary: usize,
}

/// x @ weight + bias.
struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    fn new(weights: &mut Weights, from: usize, to: usize) -> Linear {
        Linear {
            weight: weights.uniform(&[from, to], from),
            bias: weights.constant(&[to], 0.0),
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight, Some(&self.bias))
    }
}

/// Layer norm of the last axis, with a gain and a bias for each feature.
struct Norm {
    gain: Tensor,
    bias: Tensor,
}

impl Norm {
    fn new(weights: &mut Weights, width: usize) -> Norm {
        Norm {
            gain: weights.constant(&[width], 1.0),
            bias: weights.constant(&[width], 0.0),
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        x.layernorm(-1, 1e-5) * &self.gain + &self.bias
    }
}

/// x + attention(norm(x)), then x + perceptron(norm(x)).
struct Block {
    heads: usize,
    norm1: Norm,
    /// queries, keys and values at once
    qkv: Linear,
    joined: Linear,
    norm2: Norm,
    hidden: Linear,
    out: Linear,
}

impl Block {
    fn new(weights: &mut Weights, width: usize, heads: usize) -> Block {
        Block {
            heads,
            norm1: Norm::new(weights, width),
            qkv: Linear::new(weights, width, 3 * width),
            joined: Linear::new(weights, width, width),
            norm2: Norm::new(weights, width),
            hidden: Linear::new(weights, width, 4 * width),
            out: Linear::new(weights, 4 * width, width),
        }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let x = x + self.attention(&self.norm1.forward(x));
        let hidden = self.hidden.forward(&self.norm2.forward(&x)).gelu();
        &x + self.out.forward(&hidden)
    }

    fn attention(&self, x: &Tensor) -> Tensor {
        let [batch, time, width] = x.shape()[..] else {
            unreachable!("the embeddings have three axes")
        };
        // [b, t, 3·w] → [b, t, 3, h, e] → [3, b, h, t, e]
        let qkv = self
            .qkv
            .forward(x)
            .reshape([batch, time, 3, self.heads, width / self.heads])
            .permute([2, 0, 3, 1, 4]);
        let (q, k, v) = (qkv.get(0), qkv.get(1), qkv.get(2));
        let heads = q.scaled_dot_product_attention(&k, &v, None, 0.0, true);
        // [b, h, t, e] → [b, t, h, e] → [b, t, w]
        self.joined
            .forward(&heads.permute([0, 2, 1, 3]).reshape([batch, time, width]))
    }
}

/// The whole network.
pub struct Gpt {
    tokens: Tensor,
    positions: Tensor,
    blocks: Vec<Block>,
    norm: Norm,
    head: Tensor,
}

impl Gpt {
    pub fn new(weights: &mut Weights, sizes: Sizes) -> Gpt {
        let width = sizes.width;
        Gpt {
            tokens: weights.uniform(&[sizes.vocabulary, width], width),
            positions: weights.uniform(&[sizes.context, width], width),
            blocks: (0..sizes.layers)
                .map(|_| Block::new(weights, width, sizes.heads))
                .collect(),
            norm: Norm::new(weights, width),
            head: weights.uniform(&[width, sizes.vocabulary], width),
        }
    }

    pub fn forward(&self, ids: &Tensor) -> Tensor {
        // [b, t] → [b, t, w]; positions [t, w] are the same for all of the batch
        let mut x = self.tokens.get(ids) + &self.positions;
        for block in &self.blocks {
            x = block.forward(&x);
        }
        self.norm.forward(&x).matmul(&self.head)
    }
}
