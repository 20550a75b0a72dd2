//! # tensor/beyond: what tinygrad's API has and the original's has not
//!
//! **In:** calls from Python. **Out:** calls of the library. **Beside:** `places`, which has those that find, choose, sort or put elements
//! at places that are data.
//!
//! **Law:** where a name is in both, the original's meaning wins (and stands in another file).

mod places;

use super::functional::typed;
use super::math::paired;
use super::{PyTensor, methods, record};
use crate::args::{Along, Given, Sizes, Type, Value, is_sequence, lined};
use crate::guard::{computed, guard};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::collections::BTreeMap;
use teenygrad::tensor::losses::Reduction;
use teenygrad::{DType, Tensor};

pub fn reduction(name: &str) -> PyResult<Reduction> {
    match name {
        "mean" => Ok(Reduction::Mean),
        "sum" => Ok(Reduction::Sum),
        "none" => Ok(Reduction::None),
        other => Err(PyValueError::new_err(format!(
            "reduction {other:?} is none of \"mean\", \"sum\" and \"none\""
        ))),
    }
}

/// Labels and positions that are numbers of the default dtype: Tensor([0, 2]) is of floats.
pub fn whole(x: Given) -> Tensor {
    if x.0.is_floating_point() {
        x.0.cast(DType::Int64)
    } else {
        x.0
    }
}

fn copied(axis: &Option<Along>) -> Along {
    Along(axis.as_ref().and_then(|axis| axis.0.clone()))
}

methods! {
    // ---- Element by element ------------------------------------------

    /// The logarithm to base 10.
    log10 () () => |x| x.log10();
    /// log(1 + x), exact for small x.
    log1p () () => |x| x.log1p();
    /// exp(x) - 1, exact for small x.
    expm1 () () => |x| x.expm1();
    /// log(sigmoid(x)).
    logsigmoid () () => |x| x.logsigmoid();
    /// The error function.
    erf () () => |x| x.erf();
    /// The arc sine.
    asin () () => |x| x.asin();
    /// The arc cosine.
    acos () () => |x| x.acos();
    /// The arc tangent.
    atan () () => |x| x.atan();
    /// The self-normalising elu: gamma · elu(x, alpha).
    selu (alpha=None, gamma=None) ["($self, alpha=1.67326, gamma=1.0507)"] (alpha: Option<f64>, gamma: Option<f64>) => |x| match (alpha, gamma) {
        (None, None) => x.selu(),
        (alpha, gamma) => x.selu_with(alpha.unwrap_or(1.67326), gamma.unwrap_or(1.0507)),
    };
    /// alpha · x + beta, but at least 0 and at most 1: with the defaults, relu6(x + 3) / 6.
    hardsigmoid (alpha=None, beta=None) ["($self, alpha=1/6, beta=0.5)"] (alpha: Option<f64>, beta: Option<f64>) => |x| match (alpha, beta) {
        (None, None) => x.hardsigmoid(),
        (alpha, beta) => x.hardsigmoid_with(alpha.unwrap_or(1.0 / 6.0), beta.unwrap_or(0.5)),
    };
    /// Whether it is not a number, as bool.
    isnan () () => |x| x.isnan();
    /// Whether it is infinite (above, below, or both), as bool.
    isinf (detect_positive=true, detect_negative=true) (detect_positive: bool, detect_negative: bool) => |x| x.isinf_with(detect_positive, detect_negative);
    /// Whether it is neither infinite nor NaN, as bool.
    isfinite () () => |x| x.isfinite();
    /// Whether it is false (zero), as bool.
    logical_not () () => |x| x.logical_not();
    /// Whether both are nearly equal, as bool: |self - other| <= atol + rtol · |other|.
    isclose (other, rtol=1e-5, atol=1e-8, equal_nan=false) (other: Given, rtol: f64, atol: f64, equal_nan: bool) => |x| x.isclose(&other.0, rtol, atol, equal_nan);
    /// self + weight · (end - self).
    lerp (end, weight) (end: Given, weight: Value) => |x| x.lerp(&end.0, weight.beside(x));
    /// value where the mask is true, this tensor elsewhere.
    ///
    /// >>> Tensor([1.0, -2.0]).masked_fill(Tensor([1.0, -2.0]) < 0, 0).tolist()
    /// [1.0, 0.0]
    masked_fill (mask, value) (mask: Given, value: Value) => |x| x.masked_fill(&mask.0, value.beside(x));

    // ---- Many to one -------------------------------------------------

    /// The product. Integers below 32 bits are multiplied, and returned, in 32 bits; with a dtype, all is cast to it first.
    prod (axis=None, keepdim=false, dtype=None) (axis: Option<Along>, keepdim: bool, dtype: Option<Type>) => |x| {
        let x = typed(x, dtype);
        let axis = Along::of(axis, &x);
        let product = if keepdim { x.prod_keepdim(axis) } else { x.prod(axis) };
        product.cast(dtype.map_or(product.dtype(), |dtype| dtype.0))
    };
    /// How many elements are not zero.
    count_nonzero (axis=None) (axis: Option<Along>) => |x| x.count_nonzero(Along::of(axis, x));
    /// Running products along an axis.
    cumprod (axis=0) (axis: isize) => |x| lined(x, |x| x.cumprod(axis));
    /// log of the running sum of exp(x), along an axis.
    logcumsumexp (axis=0) (axis: isize) => |x| lined(x, |x| x.logcumsumexp(axis));
    /// x / max(norm, eps) along an axis, with the p-norm.
    normalize (p=2.0, dim=1, eps=1e-12) (p: f64, dim: isize, eps: f64) => |x| x.normalize(p, dim, eps);
    /// softmax of -x.
    softmin (axis=-1, dtype=None) (axis: isize, dtype: Option<Type>) => |x| lined(&typed(x, dtype), |x| x.neg().softmax(axis));

    // ---- Elsewhere ---------------------------------------------------

    /// The axes from start_dim to end_dim as one.
    flatten (start_dim=0, end_dim=-1) (start_dim: isize, end_dim: isize) => |x| x.flatten_range(start_dim, end_dim);
    /// One axis as several of these sizes, of which one may be -1.
    unflatten (dim, sizes) (dim: isize, sizes: Sizes) => |x| x.unflatten(dim, sizes);
    /// An axis at another place.
    movedim (source, destination) (source: isize, destination: isize) => |x| x.movedim(source, destination);
    /// Elements pushed along axes, those that fall off one end coming back at the other.
    ///
    /// >>> Tensor([1, 2, 3]).roll(1, 0).tolist()
    /// [3.0, 1.0, 2.0]
    roll (shifts, dims=None) (shifts: Sizes, dims: Option<Sizes>) => |x| match dims {
        Some(dims) => x.roll(shifts, dims),
        None => x.flatten(0).roll(shifts, 0).reshape(x.shape()),
    };
    /// Every element so many times in a row, along an axis (None: of the flattened tensor).
    repeat_interleave (repeats, dim=None) (repeats: usize, dim: Option<isize>) => |x| match dim {
        Some(dim) => x.repeat_interleave(repeats, dim),
        None => x.flatten(0).repeat_interleave(repeats, 0),
    };
    /// Overlapping pieces of an axis, step apart, each of size elements in a new last axis.
    unfold (dim, size, step) (dim: isize, size: usize, step: usize) => |x| x.unfold(dim, size, step);
    /// The diagonal of two axes, or with an offset one above (or below) it.
    ///
    /// >>> Tensor([[1, 2, 3], [4, 5, 6]]).diagonal(1).tolist()
    /// [2.0, 6.0]
    diagonal (offset=0, dim1=0, dim2=1) (offset: isize, dim1: isize, dim2: isize) => |x| x.diagonal_at(offset, dim1, dim2);
    /// A matrix with these elements on its diagonal.
    diag () () => |x| x.diag();

    /// n times X = c0·X + c1·(X Xᵀ)X + c2·(X Xᵀ)²X … from X / (norm + eps) on, of matrices: towards the orthogonal one near it.
    newton_schulz (steps, params, eps=1e-7) (steps: usize, params: Vec<f64>, eps: f64) => |x| x.newton_schulz(steps, &params, eps);

    // ---- Layers, other sizes -----------------------------------------

    /// The last axes at other sizes: mode "linear", "nearest" or "nearest-exact".
    interpolate (size, mode="linear", align_corners=false) (size: Sizes, mode: &str, align_corners: bool) => |x| x.interpolate(size, mode, align_corners);
}

paired! {
    /// log(exp(self) + exp(x)), without overflow.
    logaddexp => |x, y| x.logaddexp(y);
    /// self == x, as bool.
    eq => |x, y| x.eq(y);
    /// self != x, as bool.
    ne => |x, y| x.ne(y);
    /// The remainder of self / x with self's sign, as in C; % has x's.
    fmod => |x, y| x.modulo(y);
    /// This tensor's size with x's sign.
    copysign => |x, y| x.copysign(y);
}

/// Reductions that answer a question.
macro_rules! truths {
    ($($(#[$doc:meta])* $name:ident $keepdim:ident;)*) => {
        methods! {$(
            $(#[$doc])*
            $name (axis=None, keepdim=false) (axis: Option<Along>, keepdim: bool) => |x| {
                let axis = Along::of(axis, x);
                if keepdim { x.$keepdim(axis) } else { x.$name(axis) }
            };
        )*}
    };
}
truths! {
    /// Whether any element is true (not zero), as bool.
    any any_keepdim;
    /// Whether all elements are true (not zero), as bool.
    all all_keepdim;
}

/// Running extremes, and where they were found.
macro_rules! running {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        #[pymethods]
        impl PyTensor {$(
            $(#[$doc])*
            #[pyo3(signature = (axis=0))]
            fn $name(&self, py: Python<'_>, axis: isize) -> PyResult<(PyTensor, PyTensor)> {
                record(py)?;
                guard(|| {
                    let x = self.0.reshape(if self.0.ndim() == 0 { vec![1] } else { self.0.shape() });
                    let extremes = x.$name(axis);
                    let places = x.cum_positions(&extremes, axis).cast(DType::Int32);
                    let back = |y: Tensor| PyTensor(y.reshape(self.0.shape()));
                    (back(extremes), back(places))
                })
            }
        )*}
    };
}
running! {
    /// The largest so far along an axis, and the positions where they were found (of ties the first), int32.
    cummax;
    /// The smallest so far along an axis, and the positions where they were found (of ties the first), int32.
    cummin;
}

#[pymethods]
impl PyTensor {
    /// All bits turned, of integers; of truth values, "not".
    fn bitwise_not(&self, py: Python<'_>) -> PyResult<PyTensor> {
        record(py)?;
        guard(|| self.0.bitwise_not()).map(PyTensor)
    }
    fn __invert__(&self, py: Python<'_>) -> PyResult<PyTensor> {
        self.bitwise_not(py)
    }
    /// |x|.
    fn __abs__(&self, py: Python<'_>) -> PyResult<PyTensor> {
        record(py)?;
        guard(|| self.0.abs()).map(PyTensor)
    }
    /// Whether all elements of both are nearly equal. Computes them.
    #[pyo3(signature = (other, rtol=1e-5, atol=1e-8, equal_nan=false))]
    fn allclose(
        &self,
        py: Python<'_>,
        other: Given,
        rtol: f64,
        atol: f64,
        equal_nan: bool,
    ) -> PyResult<bool> {
        computed(py, || {
            self.0
                .isclose(&other.0, rtol, atol, equal_nan)
                .all(())
                .item::<bool>()
        })
    }

    // ---- Pieces ------------------------------------------------------

    /// Cut along an axis into pieces of these sizes; one number is the size of all pieces but perhaps the last.
    ///
    /// >>> [piece.tolist() for piece in Tensor([1, 2, 3]).split(2)]
    /// [[1.0, 2.0], [3.0]]
    #[pyo3(signature = (sizes, dim=0))]
    fn split<'py>(
        &self,
        py: Python<'py>,
        sizes: Sizes,
        dim: isize,
    ) -> PyResult<Bound<'py, PyTuple>> {
        record(py)?;
        let pieces = guard(|| self.0.split(sizes, dim))?;
        PyTuple::new(
            py,
            pieces
                .into_iter()
                .map(|piece| Bound::new(py, PyTensor(piece)).expect("memory for a handle")),
        )
    }
    /// Each tensor of one axis along its own axis of a common grid.
    #[pyo3(signature = (*args, indexing="ij"))]
    fn meshgrid(
        &self,
        py: Python<'_>,
        args: Vec<Given>,
        indexing: &str,
    ) -> PyResult<Vec<PyTensor>> {
        record(py)?;
        let mut all = vec![&self.0];
        all.extend(args.iter().map(|given| &given.0));
        guard(|| Tensor::meshgrid(&all, indexing))
            .map(|grid| grid.into_iter().map(PyTensor).collect())
    }
    /// steps numbers from start to stop, both included.
    #[staticmethod]
    #[pyo3(signature = (start, stop, steps, *, dtype=None))]
    fn linspace(
        py: Python<'_>,
        start: f64,
        stop: f64,
        steps: usize,
        dtype: Option<Type>,
    ) -> PyResult<PyTensor> {
        let dtype = dtype.map_or_else(|| super::default_type(py), |dtype| Ok(dtype.0))?;
        guard(|| Tensor::linspace(start, stop, steps).cast(dtype)).map(PyTensor)
    }
    /// The numbers 0 … n - 1 in random order; int32 if no dtype is given.
    #[staticmethod]
    #[pyo3(signature = (n, *, dtype=None))]
    fn randperm(py: Python<'_>, n: usize, dtype: Option<Type>) -> PyResult<PyTensor> {
        let dtype = dtype.map_or(DType::Int32, |dtype| dtype.0);
        computed(py, || Tensor::rand(n).argsort(0, false).cast(dtype)).map(PyTensor)
    }

    // ---- Several results ---------------------------------------------

    /// Q and R with Q @ R = this matrix, Q's columns orthonormal and R zero below its diagonal. Computes the values; no gradient.
    fn qr(&self, py: Python<'_>) -> PyResult<(PyTensor, PyTensor)> {
        let (q, r) = computed(py, || self.0.qr())?;
        Ok((PyTensor(q), PyTensor(r)))
    }
    /// U, S and Vᵀ with U @ diag(S) @ Vᵀ = this matrix, and S falling. Computes the values; no gradient.
    #[pyo3(signature = (full_matrices=true))]
    fn svd(&self, py: Python<'_>, full_matrices: bool) -> PyResult<(PyTensor, PyTensor, PyTensor)> {
        let (u, s, v) = computed(py, || self.0.svd(full_matrices))?;
        Ok((PyTensor(u), PyTensor(s), PyTensor(v)))
    }
    /// The standard deviation and the mean.
    #[pyo3(signature = (axis=None, keepdim=false, correction=1))]
    fn std_mean(
        &self,
        py: Python<'_>,
        axis: Option<Along>,
        keepdim: bool,
        correction: usize,
    ) -> PyResult<(PyTensor, PyTensor)> {
        let again = copied(&axis);
        Ok((
            self.std(py, axis, keepdim, correction)?,
            self.mean(py, Some(again), keepdim)?,
        ))
    }
    /// The variance and the mean.
    #[pyo3(signature = (axis=None, keepdim=false, correction=1))]
    fn var_mean(
        &self,
        py: Python<'_>,
        axis: Option<Along>,
        keepdim: bool,
        correction: usize,
    ) -> PyResult<(PyTensor, PyTensor)> {
        let again = copied(&axis);
        Ok((
            self.var(py, axis, keepdim, correction)?,
            self.mean(py, Some(again), keepdim)?,
        ))
    }

    // ---- Formulas, losses --------------------------------------------

    /// The same elements under axes that a formula names, sizes by name: x.rearrange("b (h w) c -> b c h w", h=4).
    ///
    /// >>> Tensor([[1, 2, 3, 4]]).rearrange("a (b c) -> b (a c)", b=2).tolist()
    /// [[1.0, 2.0], [3.0, 4.0]]
    #[pyo3(signature = (formula, **sizes))]
    fn rearrange(
        &self,
        py: Python<'_>,
        formula: &str,
        sizes: Option<BTreeMap<String, usize>>,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let sizes = sizes.unwrap_or_default();
        guard(|| {
            let sizes: Vec<(&str, usize)> = sizes.iter().map(|(k, v)| (k.as_str(), *v)).collect();
            self.0.rearrange(formula, &sizes)
        })
        .map(PyTensor)
    }
    /// The sum of products that a formula describes: Tensor.einsum("ij,jk->ik", a, b). With a dtype, all are cast to it first.
    #[staticmethod]
    #[pyo3(signature = (formula, *operands, dtype=None))]
    fn einsum(
        py: Python<'_>,
        formula: &str,
        operands: Vec<Bound<'_, PyAny>>,
        dtype: Option<Type>,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let operands: Vec<Given> = match &operands[..] {
            [list] if is_sequence(list) => list.extract()?,
            all => all
                .iter()
                .map(|one| one.extract())
                .collect::<PyResult<_>>()?,
        };
        guard(|| {
            let cast = |x: &Given| x.0.cast(dtype.map_or(x.0.dtype(), |dtype| dtype.0));
            let all: Vec<Tensor> = operands.iter().map(cast).collect();
            Tensor::einsum(formula, &all.iter().collect::<Vec<_>>())
        })
        .map(PyTensor)
    }
    /// The cross entropy of logits (n, classes, …) with labels (n, …), or with probabilities of the logits' shape.
    #[pyo3(signature = (Y, reduction="mean", label_smoothing=0.0))]
    #[allow(non_snake_case)]
    fn cross_entropy(
        &self,
        py: Python<'_>,
        Y: Given,
        reduction: &str,
        label_smoothing: f64,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let how = self::reduction(reduction)?;
        let y = if Y.0.shape() == self.0.shape() {
            Y.0
        } else {
            whole(Y)
        };
        guard(|| self.0.cross_entropy(&y, how, label_smoothing)).map(PyTensor)
    }
    /// Minus the log probability of each label's class: of log probabilities (n, classes, …) and labels (n, …).
    #[pyo3(signature = (Y, weight=None, ignore_index=None, reduction="mean"))]
    #[allow(non_snake_case)]
    fn nll_loss(
        &self,
        py: Python<'_>,
        Y: Given,
        weight: Option<Given>,
        ignore_index: Option<i64>,
        reduction: &str,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let how = self::reduction(reduction)?;
        let y = whole(Y);
        guard(|| {
            self.0.nll_loss(
                &y,
                weight.as_ref().map(|weight| &weight.0),
                ignore_index,
                how,
            )
        })
        .map(PyTensor)
    }
}
