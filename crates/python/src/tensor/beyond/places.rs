//! # tensor/beyond/places: elements at places that are data
//!
//! **In:** calls from Python with positions, labels or masks, or for them. **Out:** calls of the library. **Above:** [`beyond`](super).
//!
//! Positions that are returned are int32. What has to know values, for its shape or for an order, computes them at once.

use super::whole;
use crate::args::{Given, Number, Sizes, Value};
use crate::guard::{computed, guard};
use crate::tensor::{PyTensor, functional, record};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use teenygrad::tensor::operand::Operand;
use teenygrad::tensor::scatter::Join;
use teenygrad::{DType, Tensor};

#[pymethods]
impl PyTensor {
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
    /// Elements of src put at places that are data: y[…, index[…, i, …], …] = src[…, i, …] along dim. reduce="add" adds them, "multiply"
    /// multiplies by them.
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
        let put = match reduce {
            None => Tensor::scatter,
            Some("add") => Tensor::scatter_add,
            Some("multiply") => |x: &Tensor, dim: isize, index: &Tensor, src: &Tensor| {
                x.scatter_reduce(dim, index, src, Join::Prod, true)
            },
            Some(other) => {
                return Err(PyTypeError::new_err(format!(
                    "scatter: reduce is None, \"add\" or \"multiply\", not {other:?}"
                )));
            }
        };
        guard(|| {
            let src = match src.beside(&self.0) {
                Operand::Tensor(src) => src,
                Operand::Number(number) => index.detach().cast(self.0.dtype()).full_like(number),
            };
            put(&self.0, dim, &index, &src)
        })
        .map(PyTensor)
    }
    /// Elements of src joined at places that are data: the "sum", "prod", "mean", "amax" or "amin" of all src[…, i, …] with
    /// index[…, i, …] = j goes to y[…, j, …] along dim. With include_self, the element that was there is one of them.
    ///
    /// >>> Tensor([5, 5, 5]).scatter_reduce(0, Tensor([0, 0, 2]), Tensor([1, 9, 3]), "amax").tolist()
    /// [9.0, 5.0, 5.0]
    #[pyo3(signature = (dim, index, src, reduce, include_self=true))]
    fn scatter_reduce(
        &self,
        py: Python<'_>,
        dim: isize,
        index: Given,
        src: Given,
        reduce: &str,
        include_self: bool,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let join = match reduce {
            "sum" => Join::Sum,
            "prod" => Join::Prod,
            "mean" => Join::Mean,
            "amax" => Join::Max,
            "amin" => Join::Min,
            other => {
                return Err(PyRuntimeError::new_err(format!(
                    "reduce={other:?} must be one of 'sum', 'prod', 'mean', 'amax', 'amin'"
                )));
            }
        };
        let index = whole(index);
        guard(|| {
            self.0
                .scatter_reduce(dim, &index, &src.0, join, include_self)
        })
        .map(PyTensor)
    }
    /// The way back of max_pool2d(return_indices=True): each element at its place, zeros elsewhere.
    #[pyo3(signature = (indices, kernel_size=None, stride=None, dilation=None, padding=None, output_size=None), text_signature = "($self, indices, kernel_size=(2, 2), stride=None, dilation=1, padding=0, output_size=None)")]
    #[allow(clippy::too_many_arguments)]
    fn max_unpool2d(
        &self,
        py: Python<'_>,
        indices: Given,
        kernel_size: Option<Sizes>,
        stride: Option<Sizes>,
        dilation: Option<Sizes>,
        padding: Option<Sizes>,
        output_size: Option<Sizes>,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let (kernel, options) = (
            functional::kernel(kernel_size),
            functional::pool(stride, dilation, padding, false),
        );
        guard(|| {
            self.0
                .max_unpool2d(&indices.0, kernel, options, output_size.map(Into::into))
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
    /// The elements where the mask is true, as one axis; with a size so many, filled up with fill_value. Computes the mask.
    #[pyo3(signature = (mask, size=None, fill_value=None), text_signature = "($self, mask, size=None, fill_value=0)")]
    fn masked_select(
        &self,
        py: Python<'_>,
        mask: Given,
        size: Option<usize>,
        fill_value: Option<Number>,
    ) -> PyResult<PyTensor> {
        record(py)?;
        let fill = fill_value.map_or(0.into(), |number| number.0);
        computed(py, || match size {
            None => self.0.masked_select(&mask.0),
            Some(size) => self.0.masked_select_sized(&mask.0, size, fill),
        })
        .map(PyTensor)
    }
    /// The positions of the elements that are not zero, int32, one a row: (count, ndim). Computes the elements.
    ///
    /// >>> Tensor([[1, 0], [0, 2]]).nonzero().tolist()
    /// [[0, 0], [1, 1]]
    #[pyo3(signature = (size=None, fill_value=None), text_signature = "($self, size=None, fill_value=0)")]
    fn nonzero(
        &self,
        py: Python<'_>,
        size: Option<usize>,
        fill_value: Option<Number>,
    ) -> PyResult<PyTensor> {
        let fill = fill_value.map_or(0.into(), |number| number.0);
        computed(py, || {
            let found = self.0.nonzero().cast(DType::Int32);
            let [rows, axes] = found.shape()[..] else {
                return found;
            };
            match size {
                None => found,
                Some(size) => found
                    .shrink_to([rows.min(size), axes])
                    .pad_to([size, axes], fill),
            }
        })
        .map(PyTensor)
    }
}
