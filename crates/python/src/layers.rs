//! # layers: the library's layers, for Python classes that hold their tensors
//!
//! **In:** the tensors of a layer of `teenygrad.nn` and an input. **Out:** initial tensors, and what the layer makes of the input. The
//! attributes are Python's, so that programs can replace them and walk through them; the layer is the library's.

use crate::args::{Given, Sizes};
use crate::guard::guard;
use crate::tensor::{PyTensor, record, training};
use pyo3::prelude::*;
use teenygrad::Tensor;
use teenygrad::nn::layers::{
    BatchNorm, Convolution, Embedding, GroupNorm, LSTMCell, LayerNorm, Linear, RMSNorm,
};
use teenygrad::tensor::conv::Conv;

type Weights = (Option<PyTensor>, Option<PyTensor>);

fn pair(weight: Option<Tensor>, bias: Option<Tensor>) -> Weights {
    (weight.map(PyTensor), bias.map(PyTensor))
}

fn given(tensor: Option<Given>) -> Option<Tensor> {
    tensor.map(|tensor| tensor.0)
}

fn sizes(shape: Sizes) -> Vec<usize> {
    shape
        .0
        .into_iter()
        .map(|size| size.max(0) as usize)
        .collect()
}

#[pyfunction]
fn linear_init(inputs: usize, outputs: usize, bias: bool) -> PyResult<Weights> {
    let layer = guard(|| Linear::new(inputs, outputs, bias))?;
    Ok(pair(Some(layer.weight), layer.bias))
}

#[pyfunction]
fn linear(py: Python<'_>, x: Given, weight: Given, bias: Option<Given>) -> PyResult<PyTensor> {
    record(py)?;
    guard(|| {
        Linear {
            weight: weight.0,
            bias: given(bias),
        }
        .forward(&x.0)
    })
    .map(PyTensor)
}

#[pyfunction]
fn conv_init(
    inputs: usize,
    outputs: usize,
    kernel: Sizes,
    groups: usize,
    bias: bool,
    transposed: bool,
) -> PyResult<Weights> {
    let kernel = sizes(kernel);
    let make = if transposed {
        Convolution::transposed
    } else {
        Convolution::new
    };
    let layer = guard(|| make(inputs, outputs, &kernel, groups, bias, Conv::default()))?;
    Ok(pair(Some(layer.weight), layer.bias))
}

#[pyfunction]
fn batchnorm_init(channels: usize, affine: bool, track: bool) -> PyResult<(Weights, Weights)> {
    let layer = guard(|| BatchNorm::new(channels, 0.0, affine, track, 0.0))?;
    Ok((
        pair(layer.weight, layer.bias),
        pair(layer.running_mean, layer.running_var),
    ))
}

#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn batchnorm(
    py: Python<'_>,
    x: Given,
    weight: Option<Given>,
    bias: Option<Given>,
    mean: Option<Given>,
    var: Option<Given>,
    eps: f64,
    momentum: f64,
) -> PyResult<PyTensor> {
    training(py)?;
    let layer = BatchNorm {
        weight: given(weight),
        bias: given(bias),
        running_mean: given(mean),
        running_var: given(var),
        eps,
        momentum,
    };
    guard(|| layer.forward(&x.0)).map(PyTensor)
}

#[pyfunction]
fn layernorm_init(shape: Sizes, affine: bool) -> PyResult<Weights> {
    let shape = sizes(shape);
    let layer = guard(|| LayerNorm::new(&shape, 0.0, affine))?;
    Ok(pair(layer.weight, layer.bias))
}

#[pyfunction]
fn layernorm(
    py: Python<'_>,
    x: Given,
    weight: Option<Given>,
    bias: Option<Given>,
    shape: Sizes,
    eps: f64,
) -> PyResult<PyTensor> {
    record(py)?;
    let layer = LayerNorm {
        weight: given(weight),
        bias: given(bias),
        shape: sizes(shape),
        eps,
    };
    guard(|| layer.forward(&x.0)).map(PyTensor)
}

#[pyfunction]
fn groupnorm(
    py: Python<'_>,
    x: Given,
    weight: Option<Given>,
    bias: Option<Given>,
    groups: usize,
    eps: f64,
) -> PyResult<PyTensor> {
    record(py)?;
    let layer = GroupNorm {
        weight: given(weight),
        bias: given(bias),
        groups,
        eps,
    };
    guard(|| layer.forward(&x.0)).map(PyTensor)
}

#[pyfunction]
fn rmsnorm(py: Python<'_>, x: Given, weight: Option<Given>, eps: f64) -> PyResult<PyTensor> {
    record(py)?;
    guard(|| {
        RMSNorm {
            weight: given(weight),
            eps,
        }
        .forward(&x.0)
    })
    .map(PyTensor)
}

#[pyfunction]
fn embedding_init(vocabulary: usize, features: usize) -> PyResult<PyTensor> {
    guard(|| Embedding::new(vocabulary, features).weight).map(PyTensor)
}

#[pyfunction]
fn embedding(py: Python<'_>, index: Given, weight: Given) -> PyResult<PyTensor> {
    record(py)?;
    let index = if index.0.is_floating_point() {
        index.0.cast(teenygrad::DType::Int64)
    } else {
        index.0
    };
    guard(|| Embedding { weight: weight.0 }.forward(&index)).map(PyTensor)
}

#[pyfunction]
fn lstm_init(inputs: usize, hidden: usize, bias: bool) -> PyResult<(Weights, Weights)> {
    let cell = guard(|| LSTMCell::new(inputs, hidden, bias))?;
    Ok((
        pair(Some(cell.weight_ih), Some(cell.weight_hh)),
        pair(cell.bias_ih, cell.bias_hh),
    ))
}

#[pyfunction]
fn lstm(
    py: Python<'_>,
    x: Given,
    weights: (Given, Given),
    biases: (Option<Given>, Option<Given>),
    hc: Option<(Given, Given)>,
) -> PyResult<(PyTensor, PyTensor)> {
    record(py)?;
    let cell = LSTMCell {
        weight_ih: weights.0.0,
        weight_hh: weights.1.0,
        bias_ih: given(biases.0),
        bias_hh: given(biases.1),
    };
    let (h, c) = guard(|| cell.forward(&x.0, hc.map(|(h, c)| (h.0, c.0))))?;
    Ok((PyTensor(h), PyTensor(c)))
}

/// Adds the functions, as a module of their own: `teenygrad._teenygrad.layers`.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let layers = PyModule::new(module.py(), "layers")?;
    layers.add_function(wrap_pyfunction!(linear_init, &layers)?)?;
    layers.add_function(wrap_pyfunction!(linear, &layers)?)?;
    layers.add_function(wrap_pyfunction!(conv_init, &layers)?)?;
    layers.add_function(wrap_pyfunction!(batchnorm_init, &layers)?)?;
    layers.add_function(wrap_pyfunction!(batchnorm, &layers)?)?;
    layers.add_function(wrap_pyfunction!(layernorm_init, &layers)?)?;
    layers.add_function(wrap_pyfunction!(layernorm, &layers)?)?;
    layers.add_function(wrap_pyfunction!(groupnorm, &layers)?)?;
    layers.add_function(wrap_pyfunction!(rmsnorm, &layers)?)?;
    layers.add_function(wrap_pyfunction!(embedding_init, &layers)?)?;
    layers.add_function(wrap_pyfunction!(embedding, &layers)?)?;
    layers.add_function(wrap_pyfunction!(lstm_init, &layers)?)?;
    layers.add_function(wrap_pyfunction!(lstm, &layers)?)?;
    module.add_submodule(&layers)
}
