//! # tensor/indexing: what stands between brackets
//!
//! **In:** integers, slices, None, `...`, lists, arrays and tensors of integers. **Out:** the library's `Index`es.

use super::{PyTensor, record};
use crate::args::{Value, is_sequence, unexpected};
use crate::guard::guard;
use crate::memory;
use pyo3::prelude::*;
use pyo3::types::{PyEllipsis, PySlice, PyTuple};
use teenygrad::tensor::index::{Index, Slice};
use teenygrad::tensor::operand::Operand;

#[pymethods]
impl PyTensor {
    /// x[…] with integers, slices of any step, None, ..., lists and tensors of integers, as in NumPy.
    fn __getitem__(&self, py: Python<'_>, index: &Bound<'_, PyAny>) -> PyResult<PyTensor> {
        record(py)?;
        let indices = indices(index)?;
        guard(|| self.0.get(indices)).map(PyTensor)
    }
    /// x[…] = value, in this tensor and no other; value is broadcast and cast.
    fn __setitem__(&self, py: Python<'_>, index: &Bound<'_, PyAny>, value: Value) -> PyResult<()> {
        record(py)?;
        let indices = indices(index)?;
        guard(|| {
            let value: Operand = value.beside(&self.0);
            self.0.set(indices, value);
        })
    }
}

/// What stands between brackets.
fn indices(object: &Bound<'_, PyAny>) -> PyResult<Vec<Index>> {
    match object.cast::<PyTuple>() {
        Ok(tuple) => tuple.iter().map(|item| index(&item)).collect(),
        Err(_) => Ok(vec![index(object)?]),
    }
}

fn index(object: &Bound<'_, PyAny>) -> PyResult<Index> {
    if object.is_none() {
        return Ok(Index::NewAxis);
    }
    if object.is_instance_of::<PyEllipsis>() {
        return Ok(Index::Ellipsis);
    }
    if let Ok(slice) = object.cast::<PySlice>() {
        let part = |name| -> PyResult<Option<isize>> {
            let part = slice.getattr(name)?;
            if part.is_none() {
                Ok(None)
            } else {
                part.extract().map(Some)
            }
        };
        return Ok(Index::Slice(Slice {
            start: part("start")?,
            stop: part("stop")?,
            step: part("step")?.unwrap_or(1),
        }));
    }
    if let Ok(tensor) = object.cast::<PyTensor>() {
        return Ok(Index::Tensor(tensor.get().0.clone()));
    }
    if let Ok(place) = object.extract::<isize>() {
        return Ok(Index::At(place));
    }
    if let Ok(list) = object.extract::<Vec<isize>>() {
        return Ok(Index::List(list));
    }
    if is_sequence(object) || object.hasattr("__array__")? {
        return Ok(Index::Tensor(memory::from_object(object, None)?));
    }
    Err(unexpected(
        "an integer, a slice, None, ..., a list or a tensor as an index",
        object,
    ))
}
