//! # function: differentiable functions written in Python, and the library's own by name
//!
//! **In:** an object with `forward` and `backward` on LazyBuffers, and the tensors to apply it to. **Out:** a tensor that remembers it.

use crate::args::{Given, Sizes, Type};
use crate::guard::{guard, raise};
use crate::lazy::{PyLazyBuffer, reduced};
use crate::tensor::{PyTensor, record};
use pyo3::exceptions::{PyNotImplementedError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::sync::Mutex;
use teenygrad::lazy::LazyBuffer;
use teenygrad::mlops::{self, Function};
use teenygrad::{DType, Tensor};

/// A function whose forward and backward are Python's.
struct Written {
    context: Py<PyAny>,
    keywords: Option<Py<PyDict>>,
    dtypes: Vec<DType>,
}

impl Written {
    fn run_forward(&self, inputs: &[LazyBuffer]) -> PyResult<LazyBuffer> {
        Python::attach(|py| {
            let inputs = PyTuple::new(
                py,
                inputs.iter().map(|input| {
                    Bound::new(py, PyLazyBuffer(input.clone())).expect("memory for a handle")
                }),
            )?;
            let keywords = self.keywords.as_ref().map(|keywords| keywords.bind(py));
            let result = self
                .context
                .bind(py)
                .call_method("forward", inputs, keywords)?;
            Ok(result.extract::<PyLazyBuffer>()?.0)
        })
    }

    fn run_backward(&self, dy: &LazyBuffer) -> PyResult<Vec<Option<LazyBuffer>>> {
        Python::attach(|py| {
            let result = self
                .context
                .bind(py)
                .call_method1("backward", (PyLazyBuffer(dy.clone()),))?;
            let grads: Vec<Option<PyLazyBuffer>> = match self.dtypes.len() {
                1 if !result.is_instance_of::<PyTuple>() => vec![result.extract()?],
                _ => result.extract()?,
            };
            if grads.len() != self.dtypes.len() {
                let class = self.context.bind(py).get_type().name()?;
                return Err(PyRuntimeError::new_err(format!(
                    "{class}.backward gave {} gradients for {} inputs",
                    grads.len(),
                    self.dtypes.len()
                )));
            }
            let grads = grads.into_iter().zip(&self.dtypes);
            Ok(grads
                .map(|(grad, &dtype)| grad.map(|grad| grad.0.cast(dtype, false)))
                .collect())
        })
    }
}

impl Function for Written {
    fn name(&self) -> &'static str {
        "Function"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.dtypes = inputs.iter().map(LazyBuffer::dtype).collect();
        self.run_forward(inputs)
            .unwrap_or_else(|error| raise(error))
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        self.run_backward(dy).unwrap_or_else(|error| raise(error))
    }
}

/// What `Function.apply` does: context.forward on the tensors' LazyBuffers, and the note by which gradients find context.backward.
#[pyfunction]
fn apply_function(
    py: Python<'_>,
    context: Py<PyAny>,
    tensors: Vec<Given>,
    keywords: Option<Py<PyDict>>,
) -> PyResult<PyTensor> {
    record(py)?;
    let written = Written {
        context,
        keywords,
        dtypes: Vec::new(),
    };
    guard(|| {
        let inputs: Vec<&Tensor> = tensors.iter().map(|tensor| &tensor.0).collect();
        Tensor::apply(written, &inputs)
    })
    .map(PyTensor)
}

/// One of the library's functions, applied once: what the classes of `teenygrad.mlops` are made of.
#[pyclass(frozen, module = "teenygrad._teenygrad")]
struct Mlop {
    function: Mutex<Box<dyn Function>>,
}

#[pymethods]
impl Mlop {
    #[new]
    fn new(name: &str, x: PyLazyBuffer, arg: Option<Bound<'_, PyAny>>) -> PyResult<Mlop> {
        let needed = || {
            arg.clone()
                .ok_or_else(|| PyRuntimeError::new_err(format!("{name} needs an argument")))
        };
        let sizes = || -> PyResult<Vec<usize>> {
            Ok(needed()?
                .extract::<Sizes>()?
                .0
                .into_iter()
                .map(|size| size as usize)
                .collect())
        };
        let pairs = || -> PyResult<Vec<(usize, usize)>> { needed()?.extract() };
        let axes = || -> PyResult<Vec<usize>> {
            Ok(reduced(x.0.shape(), &needed()?.extract::<Sizes>()?.0))
        };
        let function: Box<dyn Function> = match name {
            "Contiguous" => Box::new(mlops::unary::Contiguous),
            "ContiguousBackward" => Box::new(mlops::unary::ContiguousBackward),
            "Cast" => Box::new(mlops::unary::Cast::new(needed()?.extract::<Type>()?.0)),
            "Zero" => Box::new(mlops::unary::Zero),
            "Neg" => Box::new(mlops::unary::Neg),
            "Sin" => Box::new(mlops::unary::Sin::default()),
            "Relu" => Box::new(mlops::unary::Relu::default()),
            "Log" => Box::new(mlops::unary::Log::default()),
            "Exp" => Box::new(mlops::unary::Exp::default()),
            "Sqrt" => Box::new(mlops::unary::Sqrt::default()),
            "Sigmoid" => Box::new(mlops::unary::Sigmoid::default()),
            "Less" => Box::new(mlops::binary::Less),
            "Add" => Box::new(mlops::binary::Add),
            "Sub" => Box::new(mlops::binary::Sub),
            "Mul" => Box::new(mlops::binary::Mul::default()),
            "Div" => Box::new(mlops::binary::Div::default()),
            "Where" => Box::new(mlops::ternary::Where::default()),
            "Sum" => Box::new(mlops::reduce::Sum::new(axes()?)),
            "Max" => Box::new(mlops::reduce::Max::new(axes()?)),
            "Expand" => Box::new(mlops::movement::Expand::new(sizes()?)),
            "Reshape" => Box::new(mlops::movement::Reshape::new(sizes()?)),
            "Permute" => Box::new(mlops::movement::Permute::new(sizes()?)),
            "Pad" => Box::new(mlops::movement::Pad::new(pairs()?)),
            "Shrink" => Box::new(mlops::movement::Shrink::new(pairs()?)),
            "Flip" => Box::new(mlops::movement::Flip::new(sizes()?)),
            other => {
                return Err(PyNotImplementedError::new_err(format!(
                    "there is no function {other}"
                )));
            }
        };
        Ok(Mlop {
            function: Mutex::new(function),
        })
    }

    #[pyo3(signature = (*x))]
    fn forward(&self, x: Vec<PyLazyBuffer>) -> PyResult<PyLazyBuffer> {
        let inputs: Vec<LazyBuffer> = x.into_iter().map(|x| x.0).collect();
        guard(|| PyLazyBuffer(self.lock().forward(&inputs)))
    }

    fn backward(&self, dy: PyLazyBuffer, needs: Vec<bool>) -> PyResult<Vec<Option<PyLazyBuffer>>> {
        guard(|| {
            self.lock()
                .backward(&dy.0, &needs)
                .into_iter()
                .map(|grad| grad.map(PyLazyBuffer))
                .collect()
        })
    }
}

impl Mlop {
    fn lock(&self) -> std::sync::MutexGuard<'_, Box<dyn Function>> {
        self.function
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Adds what `teenygrad.tensor` and `teenygrad.mlops` need.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Mlop>()?;
    module.add_function(wrap_pyfunction!(apply_function, module)?)
}
