//! # tensor/reduce: many to one
//!
//! **Law:** axis is None for all axes, a number, or several; with keepdim the reduced axes stay with size 1.

use super::functional::typed;
use super::{PyTensor, methods, record};
use crate::args::{Along, Type, lined};
use crate::guard::guard;
use pyo3::prelude::*;
use teenygrad::DType;

/// Reductions that the library has in two forms, as a method and as its `_keepdim`; then what is done with the result.
macro_rules! reductions {
    ($($(#[$doc:meta])* $name:ident $keepdim:ident $(as $dtype:ident)?;)*) => {
        #[pymethods]
        impl PyTensor {$(
            $(#[$doc])*
            #[pyo3(signature = (axis=None, keepdim=false))]
            pub(in crate::tensor) fn $name(&self, py: Python<'_>, axis: Option<Along>, keepdim: bool) -> PyResult<PyTensor> {
                record(py)?;
                let axis = Along::of(axis, &self.0);
                guard(|| {
                    let result = if keepdim { self.0.$keepdim(axis) } else { self.0.$name(axis) };
                    $(let result = result.cast(DType::$dtype);)?
                    result
                }).map(PyTensor)
            }
        )*}
    };
}

reductions! {
    /// The largest element. Ties share the gradient.
    max max_keepdim;
    /// The smallest element.
    min min_keepdim;
    /// The average.
    mean mean_keepdim;
    /// log(sum(exp(x))), without overflow.
    logsumexp logsumexp_keepdim;
    /// The position of the largest element (of ties, the first) along one axis, or in all of the tensor; int32.
    argmax argmax_keepdim as Int32;
    /// The position of the smallest element (of ties, the first) along one axis, or in all of the tensor; int32.
    argmin argmin_keepdim as Int32;
}

methods! {
    /// The sum. Integers below 32 bits are summed, and returned, in 32 bits; with a dtype, all is cast to it first.
    ///
    /// >>> Tensor([[1, 2], [3, 4]]).sum(axis=0).tolist()
    /// [4.0, 6.0]
    sum (axis=None, keepdim=false, dtype=None, *, acc_dtype=None) (axis: Option<Along>, keepdim: bool, dtype: Option<Type>, acc_dtype: Option<Type>) => |x| {
        let dtype = dtype.or(acc_dtype);
        let x = typed(x, dtype);
        let axis = Along::of(axis, &x);
        let sum = if keepdim { x.sum_keepdim(axis) } else { x.sum(axis) };
        sum.cast(dtype.map_or(sum.dtype(), |dtype| dtype.0))
    };
    /// The standard deviation; correction=1 is that of a sample, 0 that of all there is.
    std (axis=None, keepdim=false, correction=1) (axis: Option<Along>, keepdim: bool, correction: usize) => |x| x.std_with(Along::of(axis, x), keepdim, correction);
    /// The variance; correction=1 is that of a sample, 0 that of all there is.
    var (axis=None, keepdim=false, correction=1) (axis: Option<Along>, keepdim: bool, correction: usize) => |x| x.var_with(Along::of(axis, x), keepdim, correction);
    /// exp(x) / sum(exp(x)) along an axis. With a dtype, x is cast to it first.
    softmax (axis=-1, dtype=None) (axis: isize, dtype: Option<Type>) => |x| lined(&typed(x, dtype), |x| x.softmax(axis));
    /// The logarithm of softmax, without the loss of digits. With a dtype, x is cast to it first.
    log_softmax (axis=-1, dtype=None) (axis: isize, dtype: Option<Type>) => |x| lined(&typed(x, dtype), |x| x.log_softmax(axis));
    /// Running sums along an axis.
    ///
    /// >>> Tensor([1, 2, 3]).cumsum().tolist()
    /// [1.0, 3.0, 6.0]
    cumsum (axis=0) (axis: isize) => |x| lined(x, |x| x.cumsum(axis));
}
