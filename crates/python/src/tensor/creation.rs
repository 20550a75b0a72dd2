//! # tensor/creation: tensors from a shape
//!
//! **Law:** the dtype is the one that was asked for, else `Tensor.default_type`; for whole random numbers, int32.

use super::{Options, PyTensor, default_type, record};
use crate::args::{Number, Place, Sizes, Type};
use crate::guard::guard;
use pyo3::prelude::*;
use teenygrad::{DType, Tensor};

/// `name {more: Type = default, …} dtype => |shape| work;`: the arguments are `*shape`, then those in braces, then what all creations take.
/// "default" for the dtype is `Tensor.default_type`.
macro_rules! creations {
    (@dtype default, $py:expr) => { default_type($py)? };
    (@dtype $dtype:ident, $py:expr) => { DType::$dtype };
    ($($(#[$doc:meta])* $name:ident {$($arg:ident: $type:ty = $default:tt),*} $dtype:ident => |$shape:ident| $body:expr;)*) => {
        #[pymethods]
        impl PyTensor {$(
            $(#[$doc])*
            #[staticmethod]
            #[pyo3(signature = (*shape, $($arg = $default,)* device=None, dtype=None, requires_grad=None))]
            fn $name(py: Python<'_>, shape: Sizes, $($arg: $type,)* device: Option<Place>, dtype: Option<Type>, requires_grad: Option<bool>) -> PyResult<PyTensor> {
                record(py)?;
                let dtype = Some(match dtype {
                    Some(dtype) => dtype,
                    None => Type(creations!(@dtype $dtype, py)),
                });
                let $shape = shape;
                guard(|| Options { device, dtype, requires_grad }.apply($body)).map(PyTensor)
            }
        )*}
    };
}

creations! {
    /// Memory whose contents nobody has decided yet, for something that will be assigned.
    ///
    /// >>> Tensor.empty(2, 3).shape
    /// (2, 3)
    empty {} default => |shape| Tensor::empty(shape);
    /// 0, everywhere.
    ///
    /// >>> Tensor.zeros(2, 2).tolist()
    /// [[0.0, 0.0], [0.0, 0.0]]
    zeros {} default => |shape| Tensor::zeros(shape);
    /// 1, everywhere.
    ///
    /// >>> Tensor.ones((2,), dtype=dtypes.int32).tolist()
    /// [1, 1]
    ones {} default => |shape| Tensor::ones(shape);
    /// Uniform in [0, 1).
    rand {} default => |shape| Tensor::rand(shape);
    /// Normal with mean 0 and standard deviation 1.
    randn {} default => |shape| Tensor::randn(shape);
    /// Whole numbers from low up to but without high, each as likely as any other; int32.
    randint {low: isize = 0, high: isize = 10} Int32 => |shape| Tensor::randint(shape, low, high);
    /// Normal with this mean and standard deviation.
    normal {mean: f64 = 0.0, std: f64 = 1.0} default => |shape| Tensor::normal(shape, mean, std);
    /// Uniform in [low, high).
    uniform {low: f64 = 0.0, high: f64 = 1.0} default => |shape| Tensor::uniform(shape, low, high);
    /// Uniform in [-1, 1), divided by the square root of the number of elements.
    scaled_uniform {} default => |shape| Tensor::scaled_uniform(shape);
    /// Uniform in ±√(6 / (shape[0] + prod(shape[1:]))): Glorot & Bengio, 2010.
    glorot_uniform {} default => |shape| Tensor::glorot_uniform(shape);
    /// Uniform in ±√3 · √(2 / (1 + a²)) / √prod(shape[1:]): He et al., 2015.
    kaiming_uniform {a: f64 = 0.01} default => |shape| Tensor::kaiming_uniform_with(shape, a);
    /// Normal with standard deviation √(2 / (1 + a²)) / √prod(shape[1:]): He et al., 2015.
    kaiming_normal {a: f64 = 0.01} default => |shape| Tensor::kaiming_normal_with(shape, a);
}

#[pymethods]
impl PyTensor {
    /// Starts the generator of random numbers anew. Each thread has its own, which starts with the seed 0.
    #[staticmethod]
    #[pyo3(signature = (seed=0))]
    fn manual_seed(seed: i64) {
        Tensor::manual_seed(seed as u64);
    }

    /// One number, everywhere.
    ///
    /// >>> Tensor.full((2, 2), 7).tolist()
    /// [[7.0, 7.0], [7.0, 7.0]]
    #[staticmethod]
    #[pyo3(signature = (shape, fill_value, *, device=None, dtype=None, requires_grad=None))]
    fn full(
        py: Python<'_>,
        shape: Sizes,
        fill_value: Number,
        device: Option<Place>,
        dtype: Option<Type>,
        requires_grad: Option<bool>,
    ) -> PyResult<PyTensor> {
        let dtype = Some(Type(
            dtype.map_or_else(|| default_type(py), |dtype| Ok(dtype.0))?,
        ));
        guard(|| {
            Options {
                device,
                dtype,
                requires_grad,
            }
            .apply(Tensor::full(shape, fill_value.0))
        })
        .map(PyTensor)
    }

    /// start, start + step, … up to but without stop; arange(stop) starts at 0.
    ///
    /// >>> Tensor.arange(5, 0, -2).tolist()
    /// [5.0, 3.0, 1.0]
    #[staticmethod]
    #[pyo3(signature = (start, stop=None, step=None, *, device=None, dtype=None, requires_grad=None), text_signature = "(start, stop=None, step=1, *, device=None, dtype=None, requires_grad=None)")]
    #[allow(clippy::too_many_arguments)]
    fn arange(
        py: Python<'_>,
        start: Number,
        stop: Option<Number>,
        step: Option<Number>,
        device: Option<Place>,
        dtype: Option<Type>,
        requires_grad: Option<bool>,
    ) -> PyResult<PyTensor> {
        let dtype = dtype.map_or_else(|| default_type(py), |dtype| Ok(dtype.0))?;
        let (start, stop) = match stop {
            Some(stop) => (start.0, stop.0),
            None => (0.into(), start.0),
        };
        let step = step.map_or(1.into(), |step| step.0);
        guard(|| {
            Options {
                device,
                dtype: None,
                requires_grad,
            }
            .apply(Tensor::arange_as(start, stop, step, dtype))
        })
        .map(PyTensor)
    }

    /// The identity matrix of shape (dim, dim), or (dim, m).
    ///
    /// >>> Tensor.eye(2).tolist()
    /// [[1.0, 0.0], [0.0, 1.0]]
    #[staticmethod]
    #[pyo3(signature = (dim, m=None, *, device=None, dtype=None, requires_grad=None))]
    fn eye(
        py: Python<'_>,
        dim: usize,
        m: Option<usize>,
        device: Option<Place>,
        dtype: Option<Type>,
        requires_grad: Option<bool>,
    ) -> PyResult<PyTensor> {
        let dtype = Some(Type(
            dtype.map_or_else(|| default_type(py), |dtype| Ok(dtype.0))?,
        ));
        guard(|| {
            let columns = m.unwrap_or(dim);
            let square = Tensor::eye(dim.max(columns));
            let cut = square.shrink(&[(0, dim), (0, columns)]);
            Options {
                device,
                dtype,
                requires_grad,
            }
            .apply(cut)
        })
        .map(PyTensor)
    }
}

/// `name(fill)`: like another tensor.
macro_rules! alike {
    ($($(#[$doc:meta])* $name:ident ($($arg:ident: $type:ty),*) => |$x:ident| $body:expr;)*) => {
        #[pymethods]
        impl PyTensor {$(
            $(#[$doc])*
            #[pyo3(signature = ($($arg,)* *, device=None, dtype=None, requires_grad=None))]
            fn $name(&self, py: Python<'_>, $($arg: $type,)* device: Option<Place>, dtype: Option<Type>, requires_grad: Option<bool>) -> PyResult<PyTensor> {
                record(py)?;
                let $x = &self.0;
                guard(|| Options { device, dtype, requires_grad }.apply($body)).map(PyTensor)
            }
        )*}
    };
}

alike! {
    /// One number, everywhere, with this tensor's shape, dtype and device.
    full_like(fill_value: Number) => |x| x.full_like(fill_value.0);
    /// 0, everywhere, with this tensor's shape, dtype and device.
    zeros_like() => |x| x.zeros_like();
    /// 1, everywhere, with this tensor's shape, dtype and device.
    ones_like() => |x| x.ones_like();
    /// Memory whose contents nobody has decided yet, with this tensor's shape, dtype and device.
    empty_like() => |x| Tensor::empty(x.shape()).cast(x.dtype()).to(x.device());
    /// Uniform in [0, 1), with this tensor's shape, dtype and device.
    rand_like() => |x| Tensor::rand(x.shape()).cast(x.dtype()).to(x.device());
    /// Normal with mean 0 and standard deviation 1, with this tensor's shape, dtype and device.
    randn_like() => |x| Tensor::randn(x.shape()).cast(x.dtype()).to(x.device());
}

super::methods! {
    /// Draws positions along the last axis, each as likely as its weight says: from weights (n,) or (rows, n) to int32 positions
    /// (num_samples,) or (rows, num_samples).
    multinomial (num_samples=1, replacement=false) (num_samples: usize, replacement: bool) => |x| x.multinomial(num_samples, replacement);
}
