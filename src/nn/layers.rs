//! # nn/layers: layers that own their weights
//!
//! **In:** sizes. **Out:** a layer: tensors that an optimizer trains, and a `forward`. Names, arguments and initial values are tinygrad's (and so
//! PyTorch's, but for Embedding). **Below:** [`crate::tensor`]; there is no math of its own here.
//!
//! ```
//! use teenygrad::{Tensor, nn::layers::Linear};
//! let layer = Linear::new(3, 2, true);
//! assert_eq!(layer.weight.shape(), [2, 3]);
//! assert_eq!(layer.forward(&Tensor::ones([5, 3])).shape(), [5, 2]);
//! ```

use crate::error::fail;
use crate::tensor::Tensor;
use crate::tensor::conv::Conv;

/// Uniform in ±1/√inputs, which keeps the variance of what comes in: the usual start of a layer's weight and bias.
fn uniform(shape: &[usize], inputs: usize) -> Tensor {
    let bound = 1.0 / (inputs.max(1) as f64).sqrt();
    Tensor::uniform(shape, -bound, bound)
}

/// y = x · weightᵀ + bias.
pub struct Linear {
    /// `[out, in]`
    pub weight: Tensor,
    /// `[out]`
    pub bias: Option<Tensor>,
}

impl Linear {
    /// From `inputs` to `outputs` features.
    pub fn new(inputs: usize, outputs: usize, bias: bool) -> Linear {
        Linear {
            weight: uniform(&[outputs, inputs], inputs),
            bias: bias.then(|| uniform(&[outputs], inputs)),
        }
    }

    /// […, in] → […, out]
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        x.linear(&self.weight.t(), self.bias.as_ref())
    }
}

/// A convolution over as many axes as its kernel has: [`Tensor::conv2d_with`].
pub struct Convolution {
    /// `[out, in / groups, kernel…]`, of a transposed one `[in, out / groups, kernel…]`
    pub weight: Tensor,
    /// `[out]`
    pub bias: Option<Tensor>,
    /// stride, padding, …
    pub options: Conv,
    /// whether it is a transposed one
    pub transposed: bool,
}

impl Convolution {
    /// From `inputs` to `outputs` channels, in so many groups (which the options have to name too).
    /// ```
    /// use teenygrad::{Tensor, nn::layers::Convolution, tensor::conv::Conv};
    /// let layer = Convolution::new(3, 8, &[3, 3], 1, true, Conv::default().padding(1));
    /// assert_eq!(layer.forward(&Tensor::ones([2, 3, 5, 5])).shape(), [2, 8, 5, 5]);
    /// ```
    pub fn new(
        inputs: usize,
        outputs: usize,
        kernel: &[usize],
        groups: usize,
        bias: bool,
        options: Conv,
    ) -> Convolution {
        let shape = [&[outputs, inputs / groups.max(1)], kernel].concat();
        let reach = shape[1..].iter().product();
        Convolution {
            weight: uniform(&shape, reach),
            bias: bias.then(|| uniform(&[outputs], reach)),
            options,
            transposed: false,
        }
    }

    /// The same for a transposed convolution: [`Tensor::conv_transpose2d_with`].
    pub fn transposed(
        inputs: usize,
        outputs: usize,
        kernel: &[usize],
        groups: usize,
        bias: bool,
        options: Conv,
    ) -> Convolution {
        let reach = inputs * kernel.iter().product::<usize>();
        Convolution {
            weight: uniform(
                &[&[inputs, outputs / groups.max(1)], kernel].concat(),
                reach,
            ),
            bias: bias.then(|| uniform(&[outputs], reach)),
            options,
            transposed: true,
        }
    }

    /// [n, in, H…] → [n, out, O…]
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let options = self.options.clone();
        if self.transposed {
            x.conv_transpose2d_with(&self.weight, self.bias.as_ref(), options)
        } else {
            x.conv2d_with(&self.weight, self.bias.as_ref(), options)
        }
    }
}

/// Batch normalisation: (x − mean) / √(variance + eps) for each channel, times weight plus bias. (Ioffe & Szegedy, 2015)
///
/// In training mean and variance are the batch's, and flow into the running ones; otherwise they are the running ones.
pub struct BatchNorm {
    /// `[channels]`
    pub weight: Option<Tensor>,
    /// `[channels]`
    pub bias: Option<Tensor>,
    /// `[channels]`, if running statistics are kept
    pub running_mean: Option<Tensor>,
    /// `[channels]`, if running statistics are kept
    pub running_var: Option<Tensor>,
    /// what keeps the division finite
    pub eps: f64,
    /// the share of a batch in the running statistics
    pub momentum: f64,
}

impl BatchNorm {
    /// For so many channels.
    pub fn new(
        channels: usize,
        eps: f64,
        affine: bool,
        track_running_stats: bool,
        momentum: f64,
    ) -> BatchNorm {
        let buffer = |value: f64| Tensor::full(channels, value).requires_grad(false);
        BatchNorm {
            weight: affine.then(|| Tensor::ones(channels)),
            bias: affine.then(|| Tensor::zeros(channels)),
            running_mean: track_running_stats.then(|| buffer(0.0)),
            running_var: track_running_stats.then(|| buffer(1.0)),
            eps,
            momentum,
        }
    }

    /// [n, channels, …] → the same shape.
    /// ```
    /// use teenygrad::{Tensor, nn::layers::BatchNorm};
    /// let layer = BatchNorm::new(1, 0.0, true, true, 0.5);
    /// let x = Tensor::from([[1.0], [3.0]]);
    /// let _train = Tensor::train(true);
    /// assert_eq!(layer.forward(&x).to_vec::<f32>(), [-1.0, 1.0]);            // mean 2, variance 1
    /// assert_eq!(layer.running_mean.unwrap().to_vec::<f32>(), [1.0]);        // ½ · 0 + ½ · 2
    /// assert_eq!(layer.running_var.unwrap().to_vec::<f32>(), [1.5]);         // ½ · 1 + ½ · 2, the variance of a sample
    /// ```
    /// # Panics
    /// If there are fewer than two axes or another number of channels.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let shape = x.shape();
        if shape.len() < 2 {
            fail!("batchnorm", "shape {shape:?} is not [n, channels, …]");
        }
        let (mean, variance) = match (&self.running_mean, &self.running_var) {
            (Some(mean), Some(variance)) if !Tensor::training() => (mean.clone(), variance.clone()),
            running => {
                let rest: Vec<usize> = (0..shape.len()).filter(|&axis| axis != 1).collect();
                let count = rest.iter().map(|&axis| shape[axis]).product::<usize>() as f64;
                let mean = x.mean(rest.clone());
                let variance = x.var_with(rest, false, 0);
                if let ((Some(running_mean), Some(running_var)), true) =
                    (running, Tensor::training())
                {
                    let flow = |old: &Tensor, new: Tensor| {
                        let new = new.detach().cast(old.dtype());
                        old.assign(
                            &(old.detach() * (1.0 - self.momentum) + new * self.momentum).detach(),
                        );
                    };
                    flow(running_mean, mean.clone());
                    flow(running_var, variance.mul(count / (count - 1.0).max(1.0)));
                }
                (mean, variance)
            }
        };
        x.batchnorm(
            self.weight.as_ref(),
            self.bias.as_ref(),
            &mean,
            &variance.add(self.eps).rsqrt(),
        )
    }
}

/// Layer normalisation over the last axes, times weight plus bias. (Ba et al., 2016)
pub struct LayerNorm {
    /// the shape of the last axes
    pub weight: Option<Tensor>,
    /// the shape of the last axes
    pub bias: Option<Tensor>,
    /// the sizes of the axes that are normalised, the last ones
    pub shape: Vec<usize>,
    /// what keeps the division finite
    pub eps: f64,
}

impl LayerNorm {
    /// Over last axes of these sizes.
    pub fn new(shape: &[usize], eps: f64, affine: bool) -> LayerNorm {
        LayerNorm {
            weight: affine.then(|| Tensor::ones(shape)),
            bias: affine.then(|| Tensor::zeros(shape)),
            shape: shape.to_vec(),
            eps,
        }
    }

    /// […, shape…] → the same shape.
    /// ```
    /// use teenygrad::{Tensor, nn::layers::LayerNorm};
    /// let y = LayerNorm::new(&[2], 0.0, true).forward(&Tensor::from([[1.0, 3.0]]));
    /// assert_eq!(y.to_vec::<f32>(), [-1.0, 1.0]);
    /// ```
    /// # Panics
    /// If the last axes have other sizes.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let shape = x.shape();
        if !shape.ends_with(&self.shape) {
            fail!(
                "layernorm",
                "last dimensions of {shape:?} must match {:?}",
                self.shape
            );
        }
        let axes: Vec<usize> = (shape.len() - self.shape.len()..shape.len()).collect();
        scaled(
            x.layernorm(axes, self.eps),
            self.weight.as_ref(),
            self.bias.as_ref(),
        )
    }
}

/// Group normalisation: over all elements of each group of channels, then times weight plus bias by channel. (Wu & He, 2018)
/// With as many groups as channels it is instance normalisation.
pub struct GroupNorm {
    /// `[channels]`
    pub weight: Option<Tensor>,
    /// `[channels]`
    pub bias: Option<Tensor>,
    /// how many groups
    pub groups: usize,
    /// what keeps the division finite
    pub eps: f64,
}

impl GroupNorm {
    /// So many channels in so many groups.
    pub fn new(groups: usize, channels: usize, eps: f64, affine: bool) -> GroupNorm {
        GroupNorm {
            weight: affine.then(|| Tensor::ones(channels)),
            bias: affine.then(|| Tensor::zeros(channels)),
            groups,
            eps,
        }
    }

    /// [n, channels, …] → the same shape.
    /// ```
    /// use teenygrad::{Tensor, nn::layers::GroupNorm};
    /// let y = GroupNorm::new(2, 4, 0.0, true).forward(&Tensor::from([[1.0, 3.0, 10.0, 20.0]]));
    /// assert_eq!(y.to_vec::<f32>(), [-1.0, 1.0, -1.0, 1.0]);
    /// ```
    /// # Panics
    /// If the channels cannot be cut into the groups.
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let shape = x.shape();
        if shape.len() < 2 || self.groups == 0 || !shape[1].is_multiple_of(self.groups) {
            fail!(
                "groupnorm",
                "the channels of shape {shape:?} cannot be cut into {} groups",
                self.groups
            );
        }
        let rows = [shape[0] as isize, self.groups as isize, -1];
        let y = x.reshape(rows).layernorm(-1, self.eps).reshape(&shape);
        // [c] → [c, 1, …]: broadcasting aligns at the end
        let mut across = vec![1; shape.len() - 1];
        across[0] = shape[1];
        let across = |tensor: &Tensor| tensor.reshape(&across);
        scaled(
            y,
            self.weight.as_ref().map(across).as_ref(),
            self.bias.as_ref().map(across).as_ref(),
        )
    }
}

/// y = x / √(mean(x²) + eps) along the last axis, times weight. (Zhang & Sennrich, *Root Mean Square Layer Normalization*, 2019)
pub struct RMSNorm {
    /// `[features]`
    pub weight: Option<Tensor>,
    /// what keeps the division finite
    pub eps: f64,
}

impl RMSNorm {
    /// For so many features.
    pub fn new(features: usize, eps: f64, affine: bool) -> RMSNorm {
        RMSNorm {
            weight: affine.then(|| Tensor::ones(features)),
            eps,
        }
    }

    /// […, features] → the same shape.
    /// ```
    /// use teenygrad::{Tensor, nn::layers::RMSNorm};
    /// assert_eq!(RMSNorm::new(2, 0.0, true).forward(&Tensor::from([[3.0, -3.0]])).to_vec::<f32>(), [1.0, -1.0]);
    /// ```
    #[track_caller]
    pub fn forward(&self, x: &Tensor) -> Tensor {
        let wide = x.cast(x.dtype().compute());
        let y = wide
            .mul(wide.square().mean_keepdim(-1).add(self.eps).rsqrt())
            .cast(x.dtype());
        scaled(y, self.weight.as_ref(), None)
    }
}

/// A row of a table for each number.
pub struct Embedding {
    /// `[vocabulary, features]`
    pub weight: Tensor,
}

impl Embedding {
    /// So many rows of so many features.
    pub fn new(vocabulary: usize, features: usize) -> Embedding {
        Embedding {
            weight: Tensor::glorot_uniform([vocabulary, features]),
        }
    }

    /// integers […] → […, features]
    /// ```
    /// use teenygrad::{Tensor, nn::layers::Embedding};
    /// let layer = Embedding { weight: Tensor::from([[1, 2], [3, 4]]) };
    /// assert_eq!(layer.forward(&Tensor::from([1, 1, 0])).to_vec::<i32>(), [3, 4, 3, 4, 1, 2]);
    /// ```
    #[track_caller]
    pub fn forward(&self, index: &Tensor) -> Tensor {
        self.weight.get(index)
    }
}

/// A cell of a long short-term memory: it reads one input a step, and passes a hidden state h and a memory c on to itself. (Hochreiter &
/// Schmidhuber, *Long Short-Term Memory*, 1997; with Gers's gate that forgets.)
///
/// ```text
/// i, f, g, o = x·Wᵢₕᵀ + bᵢₕ + h·Wₕₕᵀ + bₕₕ       four quarters
/// c ← σ(f)·c + σ(i)·tanh(g)                      what is kept, and what is new
/// h ← σ(o)·tanh(c)                               what is shown
/// ```
pub struct LSTMCell {
    /// `[4 · hidden, in]`
    pub weight_ih: Tensor,
    /// `[4 · hidden, hidden]`
    pub weight_hh: Tensor,
    /// `[4 · hidden]`
    pub bias_ih: Option<Tensor>,
    /// `[4 · hidden]`
    pub bias_hh: Option<Tensor>,
}

impl LSTMCell {
    /// From `inputs` features, with `hidden` features of state.
    pub fn new(inputs: usize, hidden: usize, bias: bool) -> LSTMCell {
        LSTMCell {
            weight_ih: uniform(&[4 * hidden, inputs], hidden),
            weight_hh: uniform(&[4 * hidden, hidden], hidden),
            bias_ih: bias.then(|| Tensor::zeros(4 * hidden)),
            bias_hh: bias.then(|| Tensor::zeros(4 * hidden)),
        }
    }

    /// [n, in] and the (h, c) of the step before, [n, hidden] each (zeros if not given) → the new (h, c).
    /// ```
    /// use teenygrad::{Tensor, nn::layers::LSTMCell};
    /// let cell = LSTMCell {
    ///     weight_ih: Tensor::zeros([4, 1]), weight_hh: Tensor::zeros([4, 1]), bias_ih: None, bias_hh: None,
    /// };
    /// let before = (Tensor::from([[0.0]]), Tensor::from([[2.0]]));
    /// let (h, c) = cell.forward(&Tensor::from([[7.0]]), Some(before));
    /// assert_eq!(c.item::<f32>(), 1.0);                                // σ(0) · 2
    /// assert!((h.item::<f32>() - 0.5 * 1f32.tanh()).abs() < 1e-6);     // σ(0) · tanh 1
    /// ```
    /// # Panics
    /// If shapes don't fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor, state: Option<(Tensor, Tensor)>) -> (Tensor, Tensor) {
        let (rows, wide) = (x.shape(), self.weight_hh.shape());
        if rows.len() != 2 {
            fail!("LSTMCell", "shape {rows:?} is not [n, inputs]");
        }
        let (h, c) = state.unwrap_or_else(|| {
            let zeros = Tensor::zeros([rows[0], wide[1]])
                .cast(x.dtype())
                .to(x.device());
            (zeros.clone(), zeros)
        });
        let gates = x
            .linear(&self.weight_ih.t(), self.bias_ih.as_ref())
            .add(h.linear(&self.weight_hh.t(), self.bias_hh.as_ref()));
        let [i, f, g, o] = &gates.chunk(4, 1)[..] else {
            fail!(
                "LSTMCell",
                "gates of shape {:?} are not four of a size",
                gates.shape()
            );
        };
        let c = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
        (o.sigmoid().mul(c.tanh()), c)
    }
}

/// x · weight + bias, as far as they are there.
#[track_caller]
fn scaled(x: Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>) -> Tensor {
    let x = weight.map_or(x.clone(), |weight| x.mul(weight));
    bias.map_or(x.clone(), |bias| x.add(bias))
}
