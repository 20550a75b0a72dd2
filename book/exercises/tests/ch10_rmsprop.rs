//! # An optimizer of your own
//!
//! RMSprop (Hinton, 2012) stands between momentum and Adam: it has Adam's running mean of squares, and no mean of the gradient itself.
//!
//! v ← ρ·v + (1−ρ)·g²,    w ← w − η · g / (√v + ε)
//!
//! Write its step. `w.grad()` is the gradient; `detach()` cuts a tensor off from the graph of gradients; `w.assign(&new)` gives w new values;
//! `Tensor::corealize(&[…])` computes several tensors together.

use teenygrad::Tensor;

pub struct RMSprop {
    params: Vec<Tensor>,
    v: Vec<Tensor>,
    lr: f64,
    rho: f64,
    eps: f64,
}

impl RMSprop {
    pub fn new(params: &[&Tensor], lr: f64, rho: f64) -> RMSprop {
        for param in params {
            param.set_requires_grad(Some(true));
        }
        RMSprop {
            params: params.iter().map(|&param| param.clone()).collect(),
            v: params
                .iter()
                .map(|param| param.detach().zeros_like())
                .collect(),
            lr,
            rho,
            eps: 1e-8,
        }
    }

    pub fn zero_grad(&self) {
        for param in &self.params {
            param.zero_grad();
        }
    }

    pub fn step(&mut self) {
        let _ = (self.rho, self.lr, self.eps, &self.v);
        todo!(
            "for each parameter: the new v, then the new w; assign both, and realize them together"
        )
    }
}

#[cfg(test)]
#[path = "../checks/ch10_rmsprop.rs"]
mod checks;
