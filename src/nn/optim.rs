//! # nn/optim: from gradients to better parameters
//!
//! **In:** parameters, whose gradients a backward has left in them. **Out:** the parameters with new values, after each `step`.
//!
//! A loop around an optimizer always looks like this:
//!
//! ```
//! use teenygrad::Tensor;
//! use teenygrad::nn::optim::{Optimizer, SGD};
//! let w = Tensor::from([5.0]);
//! let mut optimizer = SGD::new([&w], 0.25);
//! for _ in 0..2 {
//!     optimizer.zero_grad();
//!     let loss = (&w - 1.0).square().sum(());     // smallest at w = 1
//!     loss.backward();                            // dw = 2 · (w − 1)
//!     optimizer.step();                           // w ← w − ¼ · dw = (w + 1) / 2
//! }
//! assert_eq!(w.to_vec::<f32>(), [2.0]);           // 5 → 3 → 2
//! ```
//!
//! Laws:
//! 1. A parameter is a leaf that needs a gradient. "Unset" becomes true; tensors that said no are buffers, which are realized along
//!    with the rest (running means, say). A tensor that is given twice counts once.
//! 2. Nothing is skipped in silence: a parameter without a gradient at `step` panics with its position.
//! 3. A step is one realization. Per parameter it is one chain of element-wise arithmetic over one shape, so that gradient, moments
//!    and parameter are read once and written once by one kernel.
//! 4. What changes from step to step (the learning rate, the corrections 1 − βᵗ) is computed here, in float64, and enters the graph as
//!    a constant. A plan knows constants only as parameters ([`crate::schedule`], law 3), so each step's graph finds the plan of the
//!    step before.
//! 5. State is kept, and arithmetic done, in float32 for the half types: in float16 a square of 10⁻⁴ is 0, and a root of it divides.
//!
//! Of a parameter p with gradient g all of them make
//!
//! ```text
//!   SGD     b ← μ·b + g                                       p ← p − lr · b
//!   Adam    m ← β₁·m + (1−β₁)·g    v ← β₂·v + (1−β₂)·g²       p ← p − lr · u,      u = m̂ / (√v̂ + ε)
//!   AdamW   the same                                          p ← p − lr · (u + wd·p)
//!   LAMB    the same                                          p ← p − lr · r · (u + wd·p),   r = ‖p‖ / ‖u + wd·p‖
//! ```

use crate::dtype::DType;
use crate::error::fail;
use crate::tensor::Tensor;
use std::borrow::Borrow;

// ---- What all have in common -----------------------------------------

/// The tensors of an optimizer and its learning rate: [`Optimizer::group`].
pub struct Group {
    params: Vec<Tensor>,
    /// where each parameter stood in the list that the optimizer was given
    positions: Vec<usize>,
    buffers: Vec<Tensor>,
    pub(super) lr: f64,
}

impl Group {
    /// Sorts tensors into parameters and buffers: law 1.
    ///
    /// # Panics
    /// If a parameter has been computed from others: its new values would have nothing to do with those, and the next backward would
    /// run into the last one's freed graph. Also if it is not of floats.
    #[track_caller]
    pub fn new(tensors: impl IntoIterator<Item = impl Borrow<Tensor>>, lr: f64) -> Group {
        let mut group = Group {
            params: Vec::new(),
            positions: Vec::new(),
            buffers: Vec::new(),
            lr,
        };
        for (position, tensor) in tensors.into_iter().enumerate() {
            let tensor = tensor.borrow();
            if group
                .params
                .iter()
                .chain(&group.buffers)
                .any(|known| known.is_same(tensor))
            {
                continue;
            }
            if tensor.needs_grad() == Some(false) {
                group.buffers.push(tensor.clone());
                continue;
            }
            if tensor.made_by().is_some() {
                fail!(State: "optimizer", "tensor {position} of shape {:?} has been computed from others that require a gradient", tensor.shape();
                    "tensor.detach().requires_grad(true) is a parameter of its own");
            }
            tensor.set_requires_grad(Some(true));
            group.params.push(tensor.clone());
            group.positions.push(position);
        }
        group
    }

    /// What is trained: see [`Optimizer::params`].
    pub fn params(&self) -> &[Tensor] {
        &self.params
    }

    /// What is realized along: see [`Optimizer::buffers`].
    pub fn buffers(&self) -> &[Tensor] {
        &self.buffers
    }

    /// A tensor of zeros beside each parameter, in the dtype of law 5.
    pub(super) fn zeros(&self) -> Vec<Tensor> {
        self.params
            .iter()
            .map(|p| p.detach().cast(state_dtype(p)).zeros_like())
            .collect()
    }

    /// Each parameter's values and gradient in the dtype of law 5, cut off from the graph.
    ///
    /// # Panics
    /// Law 2.
    #[track_caller]
    pub(super) fn values_and_grads(&self) -> Vec<(Tensor, Tensor)> {
        let mut pairs = Vec::with_capacity(self.params.len());
        for (p, position) in self.params.iter().zip(&self.positions) {
            let Some(grad) = p.grad() else {
                fail!(State: "step", "parameter {position} of shape {:?} has no gradient", p.shape();
                    "does the loss depend on it, and has backward run since zero_grad? A tensor that is not trained is a buffer: requires_grad(false)");
            };
            let dtype = state_dtype(p);
            pairs.push((p.detach().cast(dtype), grad.detach().cast(dtype)));
        }
        pairs
    }

    /// Gives the parameters their new values, and computes them together with all state: law 3.
    pub(super) fn finish(&self, new: Vec<Tensor>, state: &[&[Tensor]]) {
        for (p, new) in self.params.iter().zip(new) {
            p.assign(&new.cast(p.dtype()));
        }
        let state = state.iter().flat_map(|tensors| tensors.iter());
        let all: Vec<&Tensor> = self
            .params
            .iter()
            .chain(state)
            .chain(&self.buffers)
            .collect();
        Tensor::corealize(&all);
    }
}

/// Law 5.
fn state_dtype(p: &Tensor) -> DType {
    p.dtype().compute()
}

/// Something that improves parameters step by step.
pub trait Optimizer {
    /// The tensors and the learning rate.
    fn group(&self) -> &Group;

    /// The same, to be changed.
    fn group_mut(&mut self) -> &mut Group;

    /// Moves every parameter against its gradient, and computes all new values.
    ///
    /// # Panics
    /// If a parameter has no gradient.
    #[track_caller]
    fn step(&mut self);

    /// What is trained: in the order given, without repetitions and without [`Optimizer::buffers`].
    fn params(&self) -> &[Tensor] {
        &self.group().params
    }

    /// What is not trained but realized along.
    fn buffers(&self) -> &[Tensor] {
        &self.group().buffers
    }

    /// What is kept from step to step, by the names of the formulas above, with a tensor for each parameter.
    /// ```
    /// # use teenygrad::Tensor;
    /// # use teenygrad::nn::optim::{Adam, Optimizer, SGD};
    /// let w = Tensor::from([1.0]);
    /// assert!(SGD::new([&w], 0.1).state().is_empty());
    /// let names: Vec<&str> = Adam::new([&w], 0.1).state().iter().map(|(name, _)| *name).collect();
    /// assert_eq!(names, ["m", "v"]);
    /// ```
    fn state(&self) -> Vec<(&'static str, &[Tensor])>;

    /// The learning rate.
    fn lr(&self) -> f64 {
        self.group().lr
    }

    /// Another learning rate, from the next step on.
    fn set_lr(&mut self, lr: f64) {
        self.group_mut().lr = lr;
    }

    /// Forgets the parameters' gradients: they would add up otherwise.
    fn zero_grad(&self) {
        for p in self.params() {
            p.zero_grad();
        }
    }

    /// Computes parameters and buffers now, together. A step does; before the first step it is a way to have initial values ready.
    fn realize(&self) {
        let all: Vec<&Tensor> = self.params().iter().chain(self.buffers()).collect();
        Tensor::corealize(&all);
    }
}

// ---- Stochastic gradient descent -------------------------------------

/// Stochastic gradient descent, with momentum if asked for:
///
/// **g ← g + wd·p, b ← μ·b + g, p ← p − lr · b**, and with Nesterov's look ahead p ← p − lr · (g + μ·b).
///
/// b starts as 0, so that it is g after the first step, as in PyTorch. (Polyak 1964 for the momentum; Sutskever et al., *On the
/// importance of initialization and momentum in deep learning*, 2013, for Nesterov's in this form.)
/// ```
/// # use teenygrad::Tensor;
/// # use teenygrad::nn::optim::{Optimizer, SGD};
/// let w = Tensor::from([1.0]);
/// let mut optimizer = SGD::new([&w], 0.5).momentum(0.5);
/// for _ in 0..2 {
///     optimizer.zero_grad();
///     (&w * 2.0).sum(()).backward();       // g = 2, always
///     optimizer.step();
/// }
/// assert_eq!(w.to_vec::<f32>(), [-1.5]);   // b: 2, 3    w: 1 − 0.5·2 − 0.5·3
/// ```
pub struct SGD {
    group: Group,
    momentum: f64,
    weight_decay: f64,
    nesterov: bool,
    b: Vec<Tensor>,
}

impl SGD {
    /// Without momentum or weight decay. The original's default learning rate is 0.001.
    ///
    /// # Panics
    /// If a tensor is no parameter and no buffer: see [`Group::new`].
    #[track_caller]
    pub fn new(params: impl IntoIterator<Item = impl Borrow<Tensor>>, lr: f64) -> SGD {
        SGD {
            group: Group::new(params, lr),
            momentum: 0.0,
            weight_decay: 0.0,
            nesterov: false,
            b: Vec::new(),
        }
    }

    /// With momentum μ: a step goes on where the last ones went. Usually 0.9.
    #[must_use]
    pub fn momentum(mut self, momentum: f64) -> SGD {
        self.momentum = momentum;
        self.b = if momentum == 0.0 {
            Vec::new()
        } else {
            self.group.zeros()
        };
        self
    }

    /// With a pull of `wd`·p towards 0, added to the gradient.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> SGD {
        self.weight_decay = weight_decay;
        self
    }

    /// With the gradient seen from where the momentum will have led.
    #[must_use]
    pub fn nesterov(mut self, nesterov: bool) -> SGD {
        self.nesterov = nesterov;
        self
    }
}

impl Optimizer for SGD {
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
        let mut new = Vec::with_capacity(pairs.len());
        for (i, (p, g)) in pairs.into_iter().enumerate() {
            let mut direction = if self.weight_decay == 0.0 {
                g
            } else {
                &g + &p * self.weight_decay
            };
            if let Some(b) = self.b.get(i) {
                b.assign(&(b * self.momentum + &direction));
                direction = if self.nesterov {
                    direction + b * self.momentum
                } else {
                    b.detach()
                };
            }
            new.push(&p - direction * self.group.lr);
        }
        self.group.finish(new, &[&self.b]);
    }
}

// ---- The family of Adam ----------------------------------------------

/// What Adam, AdamW and LAMB share: running means m of the gradient and v of its square, each of its own memory.
///
/// Both start at 0, and after t steps of decay β lack a share of βᵗ: m̂ = m / (1 − β₁ᵗ) and v̂ = v / (1 − β₂ᵗ) make up for it.
struct Moments {
    group: Group,
    b1: f64,
    b2: f64,
    eps: f64,
    weight_decay: f64,
    /// LAMB's r, or 1
    layerwise: bool,
    t: i32,
    m: Vec<Tensor>,
    v: Vec<Tensor>,
}

impl Moments {
    #[track_caller]
    fn new(group: Group, eps: f64, weight_decay: f64, layerwise: bool) -> Moments {
        let (m, v) = (group.zeros(), group.zeros());
        Moments {
            group,
            b1: 0.9,
            b2: 0.999,
            eps,
            weight_decay,
            layerwise,
            t: 0,
            m,
            v,
        }
    }

    #[track_caller]
    fn step(&mut self) {
        let pairs = self.group.values_and_grads();
        self.t += 1;
        // m̂ = m / c₁ and √v̂ = √v / c₂, so m̂ / (√v̂ + ε) = m · (c₂ / c₁) / (√v + ε · c₂), as the paper has it at the end of its section 2: what is
        // the same for all elements is computed once. So is the rate, unless the update has to be known without it.
        let c1 = 1.0 - self.b1.powi(self.t);
        let c2 = (1.0 - self.b2.powi(self.t)).sqrt();
        let lr = self.group.lr;
        let early = if self.layerwise { 1.0 } else { lr };
        let mut new = Vec::with_capacity(pairs.len());
        for (i, (p, g)) in pairs.into_iter().enumerate() {
            let (m, v) = (&self.m[i], &self.v[i]);
            m.assign(&(m * self.b1 + &g * (1.0 - self.b1)));
            v.assign(&(v * self.b2 + &g * &g * (1.0 - self.b2)));
            let mut update = m * (early * c2 / c1) / (v.sqrt() + self.eps * c2);
            if self.weight_decay != 0.0 {
                update += &p * (early * self.weight_decay);
            }
            if self.layerwise {
                update *= trust_ratio(&p, &update) * lr;
            }
            new.push(&p - update);
        }
        self.group.finish(new, &[&self.m, &self.v]);
    }
}

/// ‖p‖ / ‖update‖, and 1 where one of them is 0: a layer of zeros must be able to leave 0. Shape `[]`.
fn trust_ratio(p: &Tensor, update: &Tensor) -> Tensor {
    let norm = |x: &Tensor| x.square().sum(()).sqrt();
    let (r1, r2) = (norm(p), norm(update));
    (r1.gt(0) & r2.gt(0)).where_(&r1 / &r2, 1)
}

macro_rules! adaptive {
    ($(#[$doc:meta])* $name:ident, eps $eps:literal, weight_decay $weight_decay:literal, layerwise $layerwise:literal) => {
        $(#[$doc])*
        pub struct $name {
            moments: Moments,
        }

        impl $name {
            /// With the defaults above. The original's default learning rate is 0.001.
            ///
            /// # Panics
            /// If a tensor is no parameter and no buffer: see [`Group::new`].
            #[track_caller]
            pub fn new(params: impl IntoIterator<Item = impl Borrow<Tensor>>, lr: f64) -> $name {
                $name { moments: Moments::new(Group::new(params, lr), $eps, $weight_decay, $layerwise) }
            }

            /// How much of the running means of g and of g² stays at each step.
            #[must_use]
            pub fn betas(mut self, b1: f64, b2: f64) -> $name {
                (self.moments.b1, self.moments.b2) = (b1, b2);
                self
            }

            /// What keeps the division by √v̂ finite.
            #[must_use]
            pub fn eps(mut self, eps: f64) -> $name {
                self.moments.eps = eps;
                self
            }

            /// Steps that have been made.
            pub fn steps(&self) -> usize {
                self.moments.t as usize
            }
        }

        impl Optimizer for $name {
            fn group(&self) -> &Group {
                &self.moments.group
            }
            fn group_mut(&mut self) -> &mut Group {
                &mut self.moments.group
            }
            fn state(&self) -> Vec<(&'static str, &[Tensor])> {
                vec![("m", &self.moments.m), ("v", &self.moments.v)]
            }
            #[track_caller]
            fn step(&mut self) {
                self.moments.step();
            }
        }
    };
}

adaptive! {
    /// Adam: **p ← p − lr · m̂ / (√v̂ + ε)** with β₁ = 0.9, β₂ = 0.999 and ε = 10⁻⁸. (Kingma & Ba, *Adam: A Method for Stochastic
    /// Optimization*, 2014)
    ///
    /// The first step moves every element by lr, whatever the size of its gradient: m̂ = g and √v̂ = |g|.
    /// ```
    /// # use teenygrad::Tensor;
    /// # use teenygrad::nn::optim::{Adam, Optimizer};
    /// let w = Tensor::from([1.0, 1.0]);
    /// let mut optimizer = Adam::new([&w], 0.5);
    /// (&w * &Tensor::from([1000.0, -4.0])).sum(()).backward();
    /// optimizer.step();
    /// let w = w.to_vec::<f32>(); // 1 − 0.5, 1 + 0.5
    /// assert!((w[0] - 0.5).abs() < 1e-6 && (w[1] - 1.5).abs() < 1e-6);
    /// ```
    Adam, eps 1e-8, weight_decay 0.0, layerwise false
}

adaptive! {
    /// Adam with weight decay of its own: **p ← p − lr · (m̂ / (√v̂ + ε) + wd·p)**, wd = 0.01. The decay doesn't pass through the
    /// moments, which would scale it down where gradients are large. (Loshchilov & Hutter, *Decoupled Weight Decay Regularization*, 2017)
    /// ```
    /// # use teenygrad::Tensor;
    /// # use teenygrad::nn::optim::{AdamW, Optimizer};
    /// let w = Tensor::from([1.0]);
    /// let mut optimizer = AdamW::new([&w], 0.5).weight_decay(0.5);
    /// w.sum(()).backward();
    /// optimizer.step();
    /// assert!((w.item::<f32>() - 0.25).abs() < 1e-6); // 1 − 0.5 · (1 + 0.5 · 1)
    /// ```
    AdamW, eps 1e-8, weight_decay 0.01, layerwise false
}

adaptive! {
    /// AdamW whose step is measured by the layer: **p ← p − lr · r · u with u = m̂ / (√v̂ + ε) + wd·p and r = ‖p‖ / ‖u‖**, so that a
    /// parameter changes by the share lr of its size. r is 1 where a norm is 0. ε = 10⁻⁶ and wd = 0. (You et al., *Large Batch
    /// Optimization for Deep Learning: Training BERT in 76 minutes*, 2019)
    /// ```
    /// # use teenygrad::Tensor;
    /// # use teenygrad::nn::optim::{LAMB, Optimizer};
    /// let w = Tensor::from([3.0, 4.0]); // ‖w‖ = 5
    /// let mut optimizer = LAMB::new([&w], 0.1);
    /// (&w * &Tensor::from([7.0, 0.0])).sum(()).backward();
    /// optimizer.step(); // u = [1, 0], r = 5
    /// let w = w.to_vec::<f32>();
    /// assert!((w[0] - 2.5).abs() < 1e-5 && w[1] == 4.0); // 3 − 0.1 · 5 · 1
    /// ```
    LAMB, eps 1e-6, weight_decay 0.0, layerwise true
}

// Adam itself has none: its authors' would be SGD's, added to the gradient.

impl AdamW {
    /// With a pull of `wd`·p towards 0 beside Adam's step.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> AdamW {
        self.moments.weight_decay = weight_decay;
        self
    }
}

impl LAMB {
    /// With a pull of `wd`·p towards 0 beside Adam's step, before both are measured.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> LAMB {
        self.moments.weight_decay = weight_decay;
        self
    }
}

#[cfg(test)]
mod tests;
