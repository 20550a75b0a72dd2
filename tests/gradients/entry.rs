//! An entry of the list of gradients: what is differentiated, and where.
//!
//! **In:** a name, the inputs' shapes, and what is computed of them. **Out:** an [`Entry`] for [`check`](super::check::check), by
//! [`entry()`] or, for a method of one tensor, [`unary_entry`].
//! Its law: an entry's inputs are all that it differentiates; other tensors in it are constants, on the device of its inputs
//! ([`integers`]).

use teenygrad::Tensor;

type Build = Box<dyn Fn(&[Tensor]) -> Tensor>;

/// One use of a function or a method, and where to look at its slope.
pub struct Entry {
    /// the function's or the method's name
    pub name: &'static str,
    /// which of its uses
    pub what: String,
    /// shapes of the inputs that are differentiated
    pub inputs: Vec<Vec<usize>>,
    /// where their values lie
    pub range: (f64, f64),
    /// h, and the relative error that is allowed
    pub accuracy: (f64, f64),
    pub build: Build,
}

impl Entry {
    pub fn within(mut self, low: f64, high: f64) -> Entry {
        self.range = (low, high);
        self
    }
    /// For what is computed in float32 on the way: a longer step, and a coarser eye.
    pub fn single_precision(mut self) -> Entry {
        self.accuracy = (1.0 / 64.0, 1e-4);
        self
    }
}

/// The uses of one function or method.
pub fn entry(
    name: &'static str,
    what: impl Into<String>,
    inputs: &[&[usize]],
    build: impl Fn(&[Tensor]) -> Tensor + 'static,
) -> Entry {
    let inputs = inputs.iter().map(|shape| shape.to_vec()).collect();
    Entry {
        name,
        what: what.into(),
        inputs,
        range: (-2.0, 2.0),
        accuracy: (1e-5, 1e-6),
        build: Box::new(build),
    }
}

/// An element-wise method of one tensor.
pub fn unary_entry(name: &'static str, build: fn(&Tensor) -> Tensor) -> Entry {
    entry(name, "", &[&[3, 4]], move |x| build(&x[0]))
}

/// Integers on the device of `like`.
pub fn integers<const N: usize>(like: &Tensor, values: [i64; N]) -> Tensor {
    Tensor::from(values).to(like.device()).requires_grad(false)
}
