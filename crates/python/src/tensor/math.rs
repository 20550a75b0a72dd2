//! # tensor/math: functions of one and of two tensors
//!
//! **Law:** the other side of an operator may be a number, an array or a list, on either side.

use super::{PyTensor, methods, record};
use crate::args::{Given, Type, Value};
use crate::guard::{guard, raise};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use teenygrad::tensor::operand::Operand;
use teenygrad::tensor::{bits, math};
use teenygrad::{DType, Tensor};

// ---- Two operands ----------------------------------------------------

fn power(a: Operand, b: Operand) -> Tensor {
    match (a, b) {
        (Operand::Tensor(base), exponent) => base.pow(exponent),
        (base, Operand::Tensor(exponent)) => exponent.rpow(base),
        (base, exponent) => Tensor::full((), 1).mul(base).pow(exponent),
    }
}

fn product(a: Operand, b: Operand) -> Tensor {
    match a {
        Operand::Tensor(a) => a.matmul(b),
        Operand::Number(number) => Tensor::full((), number).matmul(b),
    }
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident $($forward:ident $backward:ident)? => |$a:ident, $b:ident| $body:expr;)*) => {
        #[pymethods]
        impl PyTensor {$(
            $(#[$doc])*
            #[pyo3(signature = (x, reverse=false))]
            fn $name(&self, py: Python<'_>, x: Value, reverse: bool) -> PyResult<PyTensor> {
                record(py)?;
                guard(|| {
                    let (left, right) = (Operand::from(&self.0), x.beside(&self.0));
                    let ($a, $b) = if reverse { (right, left) } else { (left, right) };
                    $body
                }).map(PyTensor)
            }
            $(
                fn $forward(&self, py: Python<'_>, x: Value) -> PyResult<PyTensor> {
                    self.$name(py, x, false)
                }
                fn $backward(&self, py: Python<'_>, x: Value) -> PyResult<PyTensor> {
                    self.$name(py, x, true)
                }
            )?
        )*}
    };
}

binary! {
    /// self + x. Shapes broadcast: sizes are compared from the last axis on, and must be equal or 1.
    ///
    /// >>> (Tensor([[1], [2]]) + Tensor([10, 20])).tolist()
    /// [[11.0, 21.0], [12.0, 22.0]]
    add __add__ __radd__ => |a, b| math::add_counted(a, b);
    /// self - x, or x - self with reverse=True.
    sub __sub__ __rsub__ => |a, b| math::sub_counted(a, b);
    /// self * x, element by element.
    mul __mul__ __rmul__ => |a, b| math::mul(a, b);
    /// self ** x. Whole powers of negative numbers are right, others NaN; 0 ** 0 is 1.
    pow => |a, b| power(a, b);
    /// self // x, rounded down.
    floordiv __floordiv__ __rfloordiv__ => |a, b| math::floor_div(a, b);
    /// self % x, with the sign of x: what is left by //.
    r#mod __mod__ __rmod__ => |a, b| math::remainder(a, b);
    /// self & x: the bits that both have, of integers or truth values.
    ///
    /// >>> (Tensor([12, 10], dtype=dtypes.int32) & 6).tolist()
    /// [4, 2]
    bitwise_and __and__ __rand__ => |a, b| bits::bitwise_and(a, b);
    /// self | x: the bits that either has.
    bitwise_or __or__ __ror__ => |a, b| bits::bitwise_or(a, b);
    /// self ^ x: the bits that one has and the other has not.
    bitwise_xor __xor__ __rxor__ => |a, b| bits::bitwise_xor(a, b);
    /// self << x: the bits moved up by x places, of integers.
    lshift __lshift__ __rlshift__ => |a, b| bits::lshift(a, b);
    /// self >> x: the bits moved down by x places, of integers.
    ///
    /// >>> (Tensor([16, -5], dtype=dtypes.int32) >> 1).tolist()
    /// [8, -3]
    rshift __rshift__ __rrshift__ => |a, b| bits::rshift(a, b);
}

/// Python's `pow` has a third argument, for whole numbers; a tensor has no use for it, and must not drop it in silence.
fn without_modulo(modulo: Option<Bound<'_, PyAny>>) -> PyResult<()> {
    match modulo {
        None => Ok(()),
        Some(_) => Err(PyTypeError::new_err(
            "pow: a tensor's power takes no modulo",
        )),
    }
}

#[pymethods]
impl PyTensor {
    /// self / x, the true quotient: integers give float32. rounding_mode "trunc" cuts it towards zero, "floor" rounds it down.
    ///
    /// >>> Tensor([1, 6], dtype=dtypes.int32).div(4).tolist()
    /// [0.25, 1.5]
    #[pyo3(signature = (x, reverse=false, rounding_mode=None))]
    fn div(
        &self,
        py: Python<'_>,
        x: Value,
        reverse: bool,
        rounding_mode: Option<&str>,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let divide = match rounding_mode {
            None => math::div,
            Some("floor") => math::floor_div,
            Some("trunc") => math::idiv,
            Some(other) => {
                return Err(PyValueError::new_err(format!(
                    "rounding_mode {other:?} is none of None, \"trunc\" and \"floor\""
                )));
            }
        };
        guard(|| {
            let (left, right) = (Operand::from(&self.0), x.beside(&self.0));
            if reverse {
                divide(right, left)
            } else {
                divide(left, right)
            }
        })
        .map(PyTensor)
    }
    fn __truediv__(&self, py: Python<'_>, x: Value) -> PyResult<PyTensor> {
        self.div(py, x, false, None)
    }
    fn __rtruediv__(&self, py: Python<'_>, x: Value) -> PyResult<PyTensor> {
        self.div(py, x, true, None)
    }
    /// The matrix product self @ x: (…, m, k) @ (…, k, n) gives (…, m, n); the axes in front broadcast. x @ self with reverse=True. With a
    /// dtype, both are cast to it first.
    ///
    /// >>> (Tensor([[1, 2], [3, 4]]) @ Tensor([1, 1])).tolist()
    /// [3.0, 7.0]
    #[pyo3(signature = (x, reverse=false, dtype=None))]
    fn matmul(
        &self,
        py: Python<'_>,
        x: Value,
        reverse: bool,
        dtype: Option<Type>,
    ) -> PyResult<PyTensor> {
        record(py)?;
        guard(|| {
            let this = self.0.cast(dtype.map_or(self.0.dtype(), |dtype| dtype.0));
            let other = match (x.beside(&this), dtype) {
                (Operand::Tensor(other), Some(dtype)) => other.cast(dtype.0).into(),
                (other, _) => other,
            };
            if reverse {
                product(other, this.into())
            } else {
                product(this.into(), other)
            }
        })
        .map(PyTensor)
    }
    fn __matmul__(&self, py: Python<'_>, x: Value) -> PyResult<PyTensor> {
        self.matmul(py, x, false, None)
    }
    fn __rmatmul__(&self, py: Python<'_>, x: Value) -> PyResult<PyTensor> {
        self.matmul(py, x, true, None)
    }
    fn __pow__(
        &self,
        py: Python<'_>,
        x: Value,
        modulo: Option<Bound<'_, PyAny>>,
    ) -> PyResult<PyTensor> {
        without_modulo(modulo)?;
        self.pow(py, x, false)
    }
    fn __rpow__(
        &self,
        py: Python<'_>,
        x: Value,
        modulo: Option<Bound<'_, PyAny>>,
    ) -> PyResult<PyTensor> {
        without_modulo(modulo)?;
        self.pow(py, x, true)
    }
}

/// Methods of a tensor and another operand, of whatever kind.
macro_rules! paired {
    ($($(#[$doc:meta])* $name:ident => |$x:ident, $y:ident| $body:expr;)*) => {
        #[pymethods]
        impl PyTensor {$(
            $(#[$doc])*
            fn $name(&self, py: Python<'_>, x: Value) -> PyResult<PyTensor> {
                record(py)?;
                guard(|| {
                    let $x = &self.0;
                    let $y = x.beside($x);
                    $body
                }).map(PyTensor)
            }
        )*}
    };
}

pub(super) use paired;

paired! {
    /// The larger of both, element by element; NaN if either is. At a tie, half of the gradient goes to each.
    maximum => |x, y| x.maximum(y);
    /// The smaller of both, element by element; NaN if either is.
    minimum => |x, y| x.minimum(y);
    /// The quotient cut towards zero; integers stay integers.
    ///
    /// >>> Tensor([7, -7], dtype=dtypes.int32).idiv(2).tolist()
    /// [3, -3]
    idiv => |x, y| x.idiv(y);
    /// self < x, as bool.
    __lt__ => |x, y| x.lt(y);
    /// self > x, as bool.
    __gt__ => |x, y| x.gt(y);
    /// self <= x, as bool.
    __le__ => |x, y| x.le(y);
    /// self >= x, as bool.
    __ge__ => |x, y| x.ge(y);
    /// self == x, element by element, as bool.
    __eq__ => |x, y| x.eq(y);
    /// self != x, element by element, as bool.
    __ne__ => |x, y| x.ne(y);
}

#[pymethods]
impl PyTensor {
    fn __neg__(&self, py: Python<'_>) -> PyResult<PyTensor> {
        self.neg(py)
    }
    /// input where this is true (not zero), other elsewhere; all three broadcast.
    ///
    /// >>> x = Tensor([-2.0, 3.0])
    /// >>> (x < 0).where(0, x).tolist()
    /// [0.0, 3.0]
    #[pyo3(name = "where")]
    fn choose(&self, py: Python<'_>, input: Value, other: Value) -> PyResult<PyTensor> {
        record(py)?;
        guard(|| {
            // A number or an array beside a tensor; two of them are of no particular dtype.
            let like = match (&input, &other) {
                (Value::Tensor(x), _) | (_, Value::Tensor(x)) => x.clone(),
                _ => Tensor::zeros(()),
            };
            self.0.where_(input.beside(&like), other.beside(&like))
        })
        .map(PyTensor)
    }
}

// ---- One operand -----------------------------------------------------

/// As the original's maximum and then minimum: a lower bound above the upper one has no say.
fn clipped(x: &Tensor, min: Option<f64>, max: Option<f64>) -> Tensor {
    if min.is_none() && max.is_none() {
        raise(PyRuntimeError::new_err(
            "clip: at least one of min_ and max_ must not be None",
        ));
    }
    let max = max.unwrap_or(f64::INFINITY);
    x.clip(min.unwrap_or(f64::NEG_INFINITY).min(max), max)
}

methods! {
    /// -x; of a truth value, 0 or -1.
    neg () () => |x| math::neg_counted(x);
    /// The same values, written out in row-major order if they don't lie so already.
    contiguous () () => |x| x.contiguous();
    /// The same values; their gradient will be written out.
    contiguous_backward () () => |x| x.contiguous_backward();
    /// The natural logarithm.
    log () () => |x| x.log();
    /// The logarithm to base 2.
    log2 () () => |x| x.log2();
    /// e to the power of x.
    exp () () => |x| x.exp();
    /// 2 to the power of x.
    exp2 () () => |x| x.exp2();
    /// max(x, 0).
    ///
    /// >>> Tensor([-1.0, 2.0]).relu().tolist()
    /// [0.0, 2.0]
    relu () () => |x| x.relu();
    /// 1 / (1 + exp(-x)).
    sigmoid () () => |x| x.sigmoid();
    /// The square root; NaN below 0.
    sqrt () () => |x| x.sqrt();
    /// 1 / sqrt(x).
    rsqrt () () => |x| x.rsqrt();
    /// The sine of x, in radians.
    sin () () => |x| x.sin();
    /// The cosine of x, in radians.
    cos () () => |x| x.cos();
    /// The tangent of x, in radians.
    tan () () => |x| x.tan();
    /// x cut to a whole number, towards zero. The gradient is 0.
    trunc () () => |x| x.trunc();
    /// The least whole number that is not below x.
    ceil () () => |x| x.ceil();
    /// The largest whole number that is not above x.
    floor () () => |x| x.floor();
    /// The nearest whole number, halves to the even one.
    round () () => |x| x.round();
    /// x².
    square () () => |x| x.square();
    /// x, but at least min_ and at most max_; None is no bound. Where min_ is above max_, max_ wins.
    clip (min_=None, max_=None) (min_: Option<f64>, max_: Option<f64>) => |x| clipped(x, min_, max_);
    /// As clip.
    clamp (min_=None, max_=None) (min_: Option<f64>, max_: Option<f64>) => |x| clipped(x, min_, max_);
    /// |x|.
    abs () () => |x| x.abs();
    /// -1, 0 or 1. The gradient is 0.
    sign () () => |x| x.sign();
    /// 1 / x.
    reciprocal () () => |x| x.reciprocal();
    /// x above 0, alpha · (exp(x) - 1) below.
    elu (alpha=1.0) (alpha: f64) => |x| x.elu(alpha);
    /// x above 0, alpha · (exp(x / alpha) - 1) below.
    celu (alpha=1.0) (alpha: f64) => |x| x.celu(alpha);
    /// x · sigmoid(x).
    swish () () => |x| x.swish();
    /// x · sigmoid(x).
    silu () () => |x| x.silu();
    /// min(max(x, 0), 6).
    relu6 () () => |x| x.relu6();
    /// x · relu6(x + 3) / 6.
    hardswish () () => |x| x.hardswish();
    /// The hyperbolic tangent.
    tanh () () => |x| x.tanh();
    /// The hyperbolic sine.
    sinh () () => |x| x.sinh();
    /// The hyperbolic cosine.
    cosh () () => |x| x.cosh();
    /// The inverse of tanh.
    atanh () () => |x| x.atanh();
    /// The inverse of sinh.
    asinh () () => |x| x.asinh();
    /// The inverse of cosh.
    acosh () () => |x| x.acosh();
    /// x, but at least min_val and at most max_val.
    hardtanh (min_val=-1.0, max_val=1.0) (min_val: f64, max_val: f64) => |x| x.hardtanh(min_val, max_val);
    /// x · Φ(x), in its tanh form x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))), or with approximate="none" by the error function.
    gelu (approximate="tanh") (approximate: &str) => |x| if approximate == "none" { x.gelu_erf() } else { x.gelu() };
    /// x · sigmoid(1.702 x).
    quick_gelu () () => |x| x.quick_gelu();
    /// x above 0, neg_slope · x below.
    leakyrelu (neg_slope=0.01) (neg_slope: f64) => |x| x.leakyrelu(neg_slope);
    /// x above 0, neg_slope · x below: tinygrad's name of leakyrelu.
    leaky_relu (neg_slope=0.01) (neg_slope: f64) => |x| x.leakyrelu(neg_slope);
    /// x · tanh(softplus(x)).
    mish () () => |x| x.mish();
    /// log(1 + exp(beta · x)) / beta.
    softplus (beta=1.0) (beta: f64) => |x| x.softplus(beta);
    /// x / (1 + |x|).
    softsign () () => |x| x.softsign();
    /// As float32.
    float () () => |x| x.float();
    /// As float16.
    half () () => |x| x.half();
    /// As float64.
    double () () => |x| x.cast(DType::Float64);
    /// As int32.
    int () () => |x| x.cast(DType::Int32);
    /// As int16.
    short () () => |x| x.cast(DType::Int16);
    /// As int64.
    long () () => |x| x.cast(DType::Int64);
    /// As bfloat16.
    bfloat16 () () => |x| x.cast(DType::BFloat16);
    /// As bool: anything but 0 is true.
    bool () () => |x| x.cast(DType::Bool);
    /// As other's dtype.
    type_as (other) (other: Given) => |x| x.cast(other.0.dtype());
    /// As the dtype: NumPy's name of cast.
    astype (dtype) (dtype: Type) => |x| x.cast(dtype.0);
}
