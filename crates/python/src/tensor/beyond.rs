//! # tensor/beyond: what tinygrad's API has and the original's has not
//!
//! **Law:** where a name is in both, the original's meaning wins (and stands in another file).

use super::math::paired;
use super::{PyTensor, methods, record};
use crate::args::{Along, Given, Sizes, Type, Value};
use crate::guard::{computed, guard};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use teenygrad::tensor::losses::Reduction;
use teenygrad::tensor::operand::Operand;
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

/// The result of a reduction without keepdim, with the reduced axes back at size 1 if asked for.
fn kept(x: &Tensor, result: Tensor, axis: &Option<Along>, keepdim: bool) -> Tensor {
    if !keepdim {
        return result;
    }
    let mut shape = x.shape();
    let rank = shape.len() as isize;
    match axis {
        Some(Along(Some(axes))) => axes
            .iter()
            .for_each(|axis| shape[axis.rem_euclid(rank) as usize] = 1),
        _ => shape.fill(1),
    }
    result.reshape(shape)
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
    /// The self-normalising elu.
    selu () () => |x| x.selu();
    /// relu6(x + 3) / 6.
    hardsigmoid () () => |x| x.hardsigmoid();
    /// Whether it is not a number, as bool.
    isnan () () => |x| x.isnan();
    /// Whether it is infinite, as bool.
    isinf () () => |x| x.isinf();
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

    /// The product.
    prod (axis=None, keepdim=false) (axis: Option<Along>, keepdim: bool) => |x| {
        let result = x.prod(copied(&axis));
        kept(x, result, &axis, keepdim)
    };
    /// Whether any element is true (not zero), as bool.
    any (axis=None, keepdim=false) (axis: Option<Along>, keepdim: bool) => |x| {
        let result = x.any(copied(&axis));
        kept(x, result, &axis, keepdim)
    };
    /// Whether all elements are true (not zero), as bool.
    all (axis=None, keepdim=false) (axis: Option<Along>, keepdim: bool) => |x| {
        let result = x.all(copied(&axis));
        kept(x, result, &axis, keepdim)
    };
    /// How many elements are not zero.
    count_nonzero (axis=None) (axis: Option<Along>) => |x| x.count_nonzero(copied(&axis));
    /// Running products along an axis.
    cumprod (axis=0) (axis: isize) => |x| if x.ndim() == 0 { x.clone() } else { x.cumprod(axis) };
    /// The largest so far, along an axis.
    cummax (axis=0) (axis: isize) => |x| if x.ndim() == 0 { x.clone() } else { x.cummax(axis) };

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
    /// The diagonal of the first two axes.
    diagonal (dim1=0, dim2=1) (dim1: isize, dim2: isize) => |x| x.diagonal(dim1, dim2);
    /// A matrix with these elements on its diagonal.
    diag () () => |x| x.diag();

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
    /// self & x, of bool tensors.
    __and__ => |x, y| x & y;
    /// self | x, of bool tensors.
    __or__ => |x, y| x | y;
    /// self ^ x, of bool tensors.
    __xor__ => |x, y| x.ne(y);
}

#[pymethods]
impl PyTensor {
    /// not self, of a bool tensor.
    fn __invert__(&self, py: Python<'_>) -> PyResult<PyTensor> {
        record(py)?;
        guard(|| !&self.0).map(PyTensor)
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

    // ---- Elements at places that are data ----------------------------

    /// A 1 at each class among zeros: integers of any shape to (…, num_classes); without a number of classes, as many as there are.
    ///
    /// >>> Tensor([2, 0]).one_hot(3).tolist()
    /// [[0, 0, 1], [1, 0, 0]]
    #[pyo3(signature = (num_classes=-1))]
    fn one_hot(&self, py: Python<'_>, num_classes: isize) -> PyResult<PyTensor> {
        let x = whole(Given(self.0.clone()));
        computed(py, || {
            let classes = usize::try_from(num_classes)
                .unwrap_or_else(|_| x.max(()).item::<i64>() as usize + 1);
            x.one_hot(classes)
        })
        .map(PyTensor)
    }
    /// Elements of src put at places that are data: y[…, index[…, i, …], …] = src[…, i, …] along dim. reduce="add" adds them.
    #[pyo3(signature = (dim, index, src, reduce=None))]
    fn scatter(
        &self,
        py: Python<'_>,
        dim: isize,
        index: Given,
        src: Value,
        reduce: Option<&str>,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let index = whole(index);
        let add = match reduce {
            None => false,
            Some("add") => true,
            Some(other) => {
                return Err(PyValueError::new_err(format!(
                    "scatter: reduce is None or \"add\", not {other:?}"
                )));
            }
        };
        guard(|| {
            let src = match src.beside(&self.0) {
                Operand::Tensor(src) => src,
                Operand::Number(number) => index.detach().cast(self.0.dtype()).full_like(number),
            };
            if add {
                self.0.scatter_add(dim, &index, &src)
            } else {
                self.0.scatter(dim, &index, &src)
            }
        })
        .map(PyTensor)
    }
    /// The elements along an axis in order, and the positions that they had, int32. Computes the order.
    #[pyo3(signature = (dim=-1, descending=false))]
    fn sort(&self, py: Python<'_>, dim: isize, descending: bool) -> PyResult<(PyTensor, PyTensor)> {
        record(py)?;
        let (values, places) = computed(py, || self.0.sort(dim, descending))?;
        Ok((PyTensor(values), PyTensor(places.cast(DType::Int32))))
    }
    /// The positions along an axis that put its elements in order, int32. Computes the order.
    #[pyo3(signature = (dim=-1, descending=false))]
    fn argsort(&self, py: Python<'_>, dim: isize, descending: bool) -> PyResult<PyTensor> {
        computed(py, || self.0.argsort(dim, descending).cast(DType::Int32)).map(PyTensor)
    }
    /// The k largest (or smallest) elements along an axis, the first of them first, and their positions, int32. Computes the order.
    #[pyo3(signature = (k, dim=-1, largest=true, sorted_=true))]
    fn topk(
        &self,
        py: Python<'_>,
        k: usize,
        dim: isize,
        largest: bool,
        sorted_: bool,
    ) -> PyResult<(PyTensor, PyTensor)> {
        record(py)?;
        let _ = sorted_;
        let (values, places) = computed(py, || self.0.topk(k, dim, largest))?;
        Ok((PyTensor(values), PyTensor(places.cast(DType::Int32))))
    }
    /// The elements where the mask is true, as one axis. Computes the mask.
    fn masked_select(&self, py: Python<'_>, mask: Given) -> PyResult<PyTensor> {
        record(py)?;
        computed(py, || self.0.masked_select(&mask.0)).map(PyTensor)
    }

    // ---- Sums of products, losses ------------------------------------

    /// The sum of products that a formula describes: Tensor.einsum("ij,jk->ik", a, b).
    #[staticmethod]
    #[pyo3(signature = (formula, *operands))]
    fn einsum(py: Python<'_>, formula: &str, operands: Vec<Given>) -> PyResult<PyTensor> {
        record(py)?;
        let all: Vec<&Tensor> = operands.iter().map(|given| &given.0).collect();
        guard(|| Tensor::einsum(formula, &all)).map(PyTensor)
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
