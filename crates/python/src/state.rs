//! # state: weights on disk, and the data set
//!
//! **In:** named tensors, paths. **Out:** files in the safetensors format, and tensors from them.

use crate::args::Given;
use crate::guard::{computed, failure};
use crate::tensor::PyTensor;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use teenygrad::nn::{datasets, state};

/// Writes named tensors into a safetensors file. The old file, if any, is replaced at once or not at all.
#[pyfunction]
#[pyo3(signature = (tensors, fn_, metadata=None))]
fn safe_save(
    py: Python<'_>,
    tensors: BTreeMap<String, Given>,
    fn_: PathBuf,
    metadata: Option<Bound<'_, PyAny>>,
) -> PyResult<()> {
    let _ = metadata;
    computed(py, || {
        state::safe_save(tensors.iter().map(|(name, tensor)| (name, &tensor.0)), &fn_)
    })?
    .map_err(failure)
}

/// All tensors of a safetensors file, by name.
#[pyfunction]
fn safe_load(py: Python<'_>, fn_: PathBuf) -> PyResult<BTreeMap<String, PyTensor>> {
    let loaded = computed(py, || state::safe_load(&fn_))?.map_err(failure)?;
    Ok(loaded
        .into_iter()
        .map(|(name, tensor)| (name, PyTensor(tensor)))
        .collect())
}

/// MNIST as (X_train, Y_train, X_test, Y_test): uint8 images (60000, 28, 28) and labels (60000,), and 10,000 more.
#[pyfunction]
fn mnist(py: Python<'_>) -> PyResult<(PyTensor, PyTensor, PyTensor, PyTensor)> {
    let data = computed(py, datasets::mnist)?.map_err(failure)?;
    let ((x, y), (u, v)) = (data.train(), data.test());
    Ok((PyTensor(x), PyTensor(y), PyTensor(u), PyTensor(v)))
}

/// Adds the functions.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(safe_save, module)?)?;
    module.add_function(wrap_pyfunction!(safe_load, module)?)?;
    module.add_function(wrap_pyfunction!(mnist, module)?)
}
