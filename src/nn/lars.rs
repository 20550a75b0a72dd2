//! # nn/lars: steps that are measured by the layer, or made of orthogonal matrices
//!
//! **In:** parameters with gradients, as in [`optim`](super::optim). **Out:** the parameters with new values. **Laws:** those of `optim`.
//!
//! LARS and Muon are stochastic gradient descent with one thing more, and share their code. Of a parameter p with gradient g:
//!
//! ```text
//!   LARS   g ← r · lr · (g + wd·p)     b ← μ·b + g     p ← p − b,                  r = c · ‖p‖ / (‖g‖ + wd·‖p‖)
//!   Muon   b ← μ·b + g                 u ← g + μ·b     p ← p − lr · (orthogonal(u) + wd·p)
//! ```

use super::optim::{Group, Optimizer};
use crate::tensor::Tensor;
use std::borrow::Borrow;

/// The coefficients of Muon's polynomial: 3.4445·x − 4.775·x³ + 2.0315·x⁵ pushes everything between 0 and 1 towards 1, small numbers fast.
pub const MUON: [f64; 3] = [3.4445, -4.775, 2.0315];

/// Layer-wise adaptive rate scaling: the step of a parameter is measured by its size, as the table above says; r is 1 where a norm is 0. (You et
/// al., *Large Batch Training of Convolutional Networks*, 2017.) With [`LARS::muon`] it is Muon.
/// ```
/// # use teenygrad::Tensor;
/// # use teenygrad::nn::{lars::LARS, optim::Optimizer};
/// let w = Tensor::from([3.0, 4.0]); // ‖w‖ = 5
/// let mut optimizer = LARS::new([&w], 1.0).weight_decay(0.0).trust(0.1);
/// (&w * &Tensor::from([2.0, 0.0])).sum(()).backward(); // ‖g‖ = 2
/// optimizer.step();                                    // r = 0.1 · 5 / 2
/// assert_eq!(w.to_vec::<f32>(), [2.5, 4.0]);
/// ```
pub struct LARS {
    group: Group,
    momentum: f64,
    weight_decay: f64,
    nesterov: bool,
    trust: f64,
    /// whether the learning rate is in the momentum, so that a new rate changes new gradients only
    classic: bool,
    /// whether the decay is part of the gradient; else it is beside the step
    decay_first: bool,
    /// the coefficients of the polynomial that makes matrices orthogonal, and how often it is applied
    orthogonal: Option<(Vec<f64>, usize)>,
    b: Vec<Tensor>,
}

impl LARS {
    /// With μ = 0.9, wd = 10⁻⁴ and c = 0.001.
    ///
    /// # Panics
    /// If a tensor is no parameter and no buffer: see [`Group::new`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item = impl Borrow<Tensor>>, lr: f64) -> LARS {
        let group = Group::new(params, lr);
        LARS {
            b: group.zeros(),
            group,
            momentum: 0.9,
            weight_decay: 1e-4,
            nesterov: false,
            trust: 0.001,
            classic: true,
            decay_first: true,
            orthogonal: None,
        }
    }

    /// Muon, for matrices: the momentum made orthogonal by five steps of [`Tensor::newton_schulz`], so that all directions of a matrix learn
    /// alike; μ = 0.95 with Nesterov's look ahead, and wd = 0.1. (Jordan et al., *Muon: An optimizer for hidden layers*, 2024.)
    /// ```
    /// # use teenygrad::Tensor;
    /// # use teenygrad::nn::{lars::LARS, optim::Optimizer};
    /// let w = Tensor::zeros([2, 2]);
    /// let mut optimizer = LARS::muon([&w], 0.1);
    /// (&w * &Tensor::from([[100.0, 0.0], [0.0, 1.0]])).sum(()).backward();
    /// optimizer.step(); // both directions move by about 0.1
    /// let w = w.to_vec::<f32>();
    /// assert!((w[0] + 0.1).abs() < 0.04 && (w[3] + 0.1).abs() < 0.06);
    /// ```
    /// # Panics
    /// As [`LARS::new`].
    #[track_caller]
    pub fn muon(params: impl IntoIterator<Item = impl Borrow<Tensor>>, lr: f64) -> LARS {
        LARS {
            momentum: 0.95,
            weight_decay: 0.1,
            nesterov: true,
            trust: 0.0,
            classic: false,
            decay_first: false,
            orthogonal: Some((MUON.to_vec(), 5)),
            ..LARS::new(params, lr)
        }
    }

    /// With momentum μ, or without any if it is 0.
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> LARS {
        self.momentum = momentum;
        self.b = if momentum == 0.0 {
            Vec::new()
        } else {
            self.group.zeros()
        };
        self
    }
    /// With a pull of `wd`·p towards 0.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> LARS {
        self.weight_decay = weight_decay;
        self
    }
    /// Whether the decay is part of the gradient. Of LARS it is, of Muon it isn't.
    #[must_use]
    pub fn decay_first(mut self, decay_first: bool) -> LARS {
        self.decay_first = decay_first;
        self
    }
    /// With the gradient seen from where the momentum will have led.
    #[must_use]
    pub fn nesterov(mut self, nesterov: bool) -> LARS {
        self.nesterov = nesterov;
        self
    }
    /// With this c; for 0, steps are not measured (r = 1).
    #[must_use]
    pub fn trust(mut self, trust: f64) -> LARS {
        self.trust = trust;
        self
    }
    /// Whether the learning rate is in the momentum (b ← μ·b + lr·g), as in LARS, or outside of it (p ← p − lr·b).
    #[must_use]
    pub fn classic(mut self, classic: bool) -> LARS {
        self.classic = classic;
        self
    }
    /// With so many steps of [`Tensor::newton_schulz`] with these coefficients, or without for none.
    #[must_use]
    pub fn orthogonal(mut self, coefficients: &[f64], steps: usize) -> LARS {
        self.orthogonal = (!coefficients.is_empty()).then(|| (coefficients.to_vec(), steps));
        self
    }

    /// r, shape `[]`, or None for 1.
    fn measured(&self, p: &Tensor, g: &Tensor) -> Option<Tensor> {
        let norm = |x: &Tensor| x.square().sum(()).sqrt();
        let (r1, r2) = (norm(p), norm(g));
        let ratio = &r1 * self.trust / (&r2 + &r1 * self.weight_decay);
        (self.trust != 0.0).then(|| (r1.gt(0) & r2.gt(0)).where_(ratio, 1))
    }
}

impl Optimizer for LARS {
    fn group(&self) -> &Group {
        &self.group
    }
    fn group_mut(&mut self) -> &mut Group {
        &mut self.group
    }
    fn state(&self) -> Vec<(&'static str, &[Tensor])> {
        if self.b.is_empty() {
            return Vec::new();
        }
        vec![("b", &self.b)]
    }

    #[track_caller]
    fn step(&mut self) {
        let pairs = self.group.values_and_grads();
        let lr = self.group.lr;
        let mut new = Vec::with_capacity(pairs.len());
        for (i, (p, g)) in pairs.into_iter().enumerate() {
            let ratio = self.measured(&p, &g);
            let scaled = |g: Tensor| ratio.as_ref().map_or(g.clone(), |ratio| &g * ratio) * lr;
            let mut direction = g;
            if self.decay_first && self.weight_decay != 0.0 {
                direction += &p * self.weight_decay;
            }
            if self.classic {
                direction = scaled(direction);
            }
            if let Some(b) = self.b.get(i) {
                b.assign(&(b * self.momentum + &direction));
                direction = if self.nesterov {
                    direction + b * self.momentum
                } else {
                    b.detach()
                };
            }
            if let Some((coefficients, steps)) = &self.orthogonal {
                let shape = direction.shape();
                // A convolution's weight is a matrix with a row for each output channel.
                let matrix = direction.reshape([shape.first().copied().unwrap_or(1) as isize, -1]);
                direction = matrix
                    .newton_schulz(*steps, coefficients, 1e-7)
                    .reshape(shape);
            }
            if !self.classic {
                direction = scaled(direction);
            }
            if !self.decay_first && self.weight_decay != 0.0 {
                direction += &p * (self.weight_decay * lr);
            }
            new.push(&p - direction);
        }
        self.group.finish(new, &[&self.b]);
    }
}
