//! # args: what Python programs write, as what the library takes
//!
//! **In:** Python objects. **Out:** the library's argument types, or a TypeError that names what came. **Above:** every method.
//!
//! | Python | type here |
//! |---|---|
//! | `zeros(2, 3)`, `zeros((2, 3))`, `zeros([2, 3])` | [`Sizes`] |
//! | `sum()`, `sum(0)`, `sum((0, -1))` | [`Along`] |
//! | `shrink(((0, 2), None))`, `pad((1, 1, 2, 2))` | [`Pairs`] |
//! | `x + 1`, `x + t`, `x + array` | [`Value`] |
//! | `dtypes.float32`, `"float32"`, `numpy.float32` | [`Type`] |
//! | `"CPU"`, `None` | [`Place`] |

use crate::memory;
use crate::tensor::PyTensor;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyTuple};
use teenygrad::shape::args::{Axes, Shape};
use teenygrad::tensor::operand::Operand;
use teenygrad::{DType, Device, Scalar, Tensor};

/// Whether it is a list or a tuple.
pub fn is_sequence(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>()
}

/// A TypeError that tells what came instead.
pub fn unexpected(what: &str, object: &Bound<'_, PyAny>) -> PyErr {
    let class = object.get_type();
    match class.name() {
        Ok(name) => PyTypeError::new_err(format!("expected {what}, got {name}")),
        Err(error) => error,
    }
}

// ---- Shapes and axes -------------------------------------------------

/// Numbers one by one, or in one list or tuple: the original's `argfix`.
pub struct Sizes(pub Vec<isize>);

impl<'py> FromPyObject<'_, 'py> for Sizes {
    type Error = PyErr;
    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Sizes> {
        if !is_sequence(&object) {
            return Ok(Sizes(vec![object.extract()?]));
        }
        if object.len()? == 1 {
            let first = object.get_item(0)?;
            if is_sequence(&first) || first.hasattr("__iter__")? {
                return Ok(Sizes(first.extract()?));
            }
        }
        Ok(Sizes(object.extract()?))
    }
}

impl Sizes {
    /// `f(shape, *args)`: the original's way to write "a shape, or its numbers".
    pub fn joined(first: &Bound<'_, PyAny>, rest: &Bound<'_, PyTuple>) -> PyResult<Sizes> {
        let Sizes(mut sizes) = first.extract()?;
        sizes.extend(rest.extract::<Vec<isize>>()?);
        Ok(Sizes(sizes))
    }
}

impl From<Sizes> for Shape {
    fn from(sizes: Sizes) -> Shape {
        Shape(sizes.0)
    }
}
impl From<Sizes> for Axes {
    fn from(sizes: Sizes) -> Axes {
        Axes(Some(sizes.0))
    }
}

/// None for all axes, a number, or several.
pub struct Along(pub Option<Vec<isize>>);

impl<'py> FromPyObject<'_, 'py> for Along {
    type Error = PyErr;
    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Along> {
        if object.is_none() {
            return Ok(Along(None));
        }
        let Sizes(axes) = object.extract()?;
        Ok(Along(Some(axes)))
    }
}

impl Along {
    /// The axes of x that are meant. A single number passes for one that has an axis, as in PyTorch.
    pub fn of(axis: Option<Along>, x: &Tensor) -> Along {
        match axis {
            Some(Along(Some(axes)))
                if x.ndim() == 0 && axes.iter().all(|at| [0, -1].contains(at)) =>
            {
                Along(None)
            }
            Some(axis) => axis,
            None => Along(None),
        }
    }
}

/// What is done along an axis, done to a tensor that may be a single number: it passes for one that has an axis.
pub fn lined(x: &Tensor, run: impl Fn(&Tensor) -> Tensor) -> Tensor {
    match x.ndim() {
        0 => run(&x.reshape([1])).reshape(()),
        _ => run(x),
    }
}

impl From<Along> for Axes {
    fn from(along: Along) -> Axes {
        Axes(along.0)
    }
}

/// A pair of numbers or None for each axis: ranges, or widths. Flat numbers are pairs too, of the last axis first, as in PyTorch.
pub enum Pairs {
    Each(Vec<Option<(isize, isize)>>),
    Flat(Vec<isize>),
}

impl<'py> FromPyObject<'_, 'py> for Pairs {
    type Error = PyErr;
    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Pairs> {
        if !is_sequence(&object) {
            return Err(unexpected("a pair (or None) for each axis", &object));
        }
        let items: Vec<Bound<'_, PyAny>> = object.extract()?;
        if !items.is_empty() && items.iter().all(|item| item.is_instance_of::<PyInt>()) {
            return Ok(Pairs::Flat(object.extract()?));
        }
        let mut pairs = Vec::with_capacity(items.len());
        for item in &items {
            pairs.push(if item.is_none() {
                None
            } else {
                Some((item.get_item(0)?.extract()?, item.get_item(1)?.extract()?))
            });
        }
        Ok(Pairs::Each(pairs))
    }
}

impl Pairs {
    /// One pair for each of `ndim` axes.
    pub fn for_axes(self, ndim: usize) -> Vec<Option<(isize, isize)>> {
        match self {
            Pairs::Each(pairs) => pairs,
            Pairs::Flat(flat) => {
                let mut pairs: Vec<_> = flat
                    .chunks(2)
                    .map(|p| Some((p[0], *p.last().unwrap_or(&0))))
                    .collect();
                while pairs.len() < ndim {
                    pairs.push(None);
                }
                pairs.reverse();
                pairs
            }
        }
    }
}

/// Pairs that cannot be negative.
pub fn unsigned(pairs: Vec<Option<(isize, isize)>>) -> PyResult<Vec<Option<(usize, usize)>>> {
    let checked = |(a, b): (isize, isize)| match (usize::try_from(a), usize::try_from(b)) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        _ => Err(PyValueError::new_err(format!(
            "({a}, {b}): numbers below 0 mean nothing here"
        ))),
    };
    pairs
        .into_iter()
        .map(|pair| pair.map(checked).transpose())
        .collect()
}

// ---- Numbers and tensors ---------------------------------------------

/// A Python number as a scalar, if it is one.
pub fn scalar(object: &Bound<'_, PyAny>) -> PyResult<Option<Scalar>> {
    if let Ok(number) = object.cast::<PyFloat>() {
        return Ok(Some(number.value().into()));
    }
    if let Ok(truth) = object.cast::<PyBool>() {
        return Ok(Some(truth.is_true().into()));
    }
    if object.is_instance_of::<PyInt>() {
        return Ok(Some(match object.extract::<i64>() {
            Ok(number) => number.into(),
            // Beyond int64 only uint64 counts exactly; what is larger still is as good as a float.
            Err(_) => match object.extract::<u64>() {
                Ok(number) => number.into(),
                Err(_) => object.extract::<f64>()?.into(),
            },
        }));
    }
    Ok(None)
}

/// A number that is wanted as such.
pub struct Number(pub Scalar);

impl<'py> FromPyObject<'_, 'py> for Number {
    type Error = PyErr;
    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Number> {
        match scalar(&object)? {
            Some(number) => Ok(Number(number)),
            // NumPy's numbers, and tensors of one element
            None if object.hasattr("item")? => match scalar(&object.call_method0("item")?)? {
                Some(number) => Ok(Number(number)),
                None => Err(unexpected("a number", &object)),
            },
            None => Err(unexpected("a number", &object)),
        }
    }
}

/// The other side of an operator: a tensor or a number; arrays and lists become tensors.
pub enum Value {
    Tensor(Tensor),
    Number(Scalar),
    /// an array or a list: its dtype gives way to a float tensor's that it meets, as in the original
    Array(Tensor),
}

impl<'py> FromPyObject<'_, 'py> for Value {
    type Error = PyErr;
    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Value> {
        if let Ok(tensor) = object.cast::<PyTensor>() {
            return Ok(Value::Tensor(tensor.get().0.clone()));
        }
        if let Some(number) = scalar(&object)? {
            return Ok(Value::Number(number));
        }
        if is_sequence(&object) || object.hasattr("__array__")? {
            if object.hasattr("shape")? && object.getattr("shape")?.len()? == 0 {
                return Ok(Value::Number(object.extract::<Number>()?.0));
            }
            return Ok(Value::Array(memory::from_object(&object, None)?));
        }
        Err(unexpected("a tensor or a number", &object))
    }
}

impl Value {
    /// As an operand beside `x`.
    pub fn beside(self, x: &Tensor) -> Operand {
        match self {
            Value::Tensor(tensor) => tensor.into(),
            Value::Number(number) => Operand::Number(number),
            Value::Array(tensor) if x.is_floating_point() => tensor.cast(x.dtype()).into(),
            Value::Array(tensor) => tensor.into(),
        }
    }

    /// As a tensor like `x`.
    pub fn tensor_like(self, x: &Tensor) -> Tensor {
        match self.beside(x) {
            Operand::Tensor(tensor) => tensor,
            Operand::Number(number) => Tensor::full((), number).cast(x.dtype()),
        }
    }
}

/// A tensor that is wanted as such.
pub struct Given(pub Tensor);

impl<'py> FromPyObject<'_, 'py> for Given {
    type Error = PyErr;
    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Given> {
        match object.cast::<PyTensor>() {
            Ok(tensor) => Ok(Given(tensor.get().0.clone())),
            Err(_) if is_sequence(&object) || object.hasattr("__array__")? => {
                Ok(Given(memory::from_object(&object, None)?))
            }
            Err(_) => Err(unexpected("a Tensor", &object)),
        }
    }
}

// ---- Dtypes and devices ----------------------------------------------

/// The dtype objects of `teenygrad.helpers`, in the order of [`DType::ALL`].
static DTYPES: PyOnceLock<Vec<Py<PyAny>>> = PyOnceLock::new();

/// Called by `teenygrad.helpers`, which makes them.
#[pyfunction]
pub fn register_dtypes(py: Python<'_>, objects: Vec<Py<PyAny>>) {
    let _ = DTYPES.set(py, objects);
}

/// Name, priority and size of each dtype, for `teenygrad.helpers`.
#[pyfunction]
pub fn dtype_table() -> Vec<(&'static str, usize, usize)> {
    DType::ALL
        .iter()
        .map(|dtype| (dtype.name(), dtype.priority(), dtype.itemsize()))
        .collect()
}

/// The dtype of an operation between the two, by their names.
#[pyfunction]
pub fn promote(a: Type, b: Type) -> Type {
    Type(a.0.promote(b.0))
}

/// A dtype, as Python's object of it or its name.
#[derive(Clone, Copy)]
pub struct Type(pub DType);

impl<'py> FromPyObject<'_, 'py> for Type {
    type Error = PyErr;
    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Type> {
        let named = object.getattr(pyo3::intern!(object.py(), "name"));
        let name: String = match named.or_else(|_| object.getattr("__name__")) {
            Ok(name) => name.extract()?,
            Err(_) => object
                .extract()
                .map_err(|_| unexpected("a dtype", &object))?,
        };
        // NumPy's truth values are called bool_ before NumPy 2.
        DType::from_name(name.trim_end_matches('_'))
            .map(Type)
            .ok_or_else(|| PyTypeError::new_err(format!("{name} is no dtype of a tensor")))
    }
}

impl<'py> IntoPyObject<'py> for Type {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;
    fn into_pyobject(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if DTYPES.get(py).is_none() {
            py.import("teenygrad.helpers")?;
        }
        let objects = DTYPES
            .get(py)
            .expect("teenygrad.helpers has registered them");
        Ok(objects[self.0.priority()].bind(py).clone())
    }
}

/// A device by name, or None for the default one.
#[derive(Clone, Copy)]
pub struct Place(pub Device);

impl<'py> FromPyObject<'_, 'py> for Place {
    type Error = PyErr;
    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Place> {
        if object.is_none() {
            return Ok(Place(Device::DEFAULT()));
        }
        let name: String = object.extract()?;
        // "CPU:0" is the first, and here the only, CPU.
        let name = name.strip_suffix(":0").unwrap_or(&name);
        Device::canonicalize(name)
            .map(Place)
            .map_err(crate::guard::failure)
    }
}

impl<'py> IntoPyObject<'py> for Place {
    type Target = pyo3::types::PyString;
    type Output = Bound<'py, Self::Target>;
    type Error = std::convert::Infallible;
    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(match self.0 {
            Device::CPU => pyo3::intern!(py, "CPU").clone(),
            Device::REFERENCE => pyo3::intern!(py, "REFERENCE").clone(),
        })
    }
}

/// The canonical name of a device.
#[pyfunction]
#[pyo3(signature = (device=None))]
pub fn canonicalize(device: Option<Place>) -> Place {
    device.unwrap_or(Place(Device::DEFAULT()))
}
