//! # tensor: Python's `Tensor`
//!
//! **In:** calls from Python. **Out:** calls of the library's `Tensor`. This file has what is special: construction, data in and out,
//! properties; [`indexing`] has what stands between brackets. All other methods are lines of tables:
//!
//! | file | for |
//! |---|---|
//! | [`creation`] | `zeros`, `rand`, … |
//! | [`math`] | functions of one and two tensors, operators |
//! | [`movement`] | `reshape`, `pad`, `cat`, … |
//! | [`reduce`] | `sum`, `softmax`, … |
//! | [`functional`] | `conv2d`, losses, … |
//! | [`beyond`] | what tinygrad has besides |
//!
//! A line of a table: the docstring; the name; the arguments as Python's `help` shows them (spelled out in brackets where a default is
//! more than a literal); the same with their Rust types; the work.
//!
//! ```text
//! /// x where x > 0, else neg_slope · x.
//! leakyrelu (neg_slope = 0.01) (neg_slope: f64) => |x| x.leakyrelu(neg_slope);
//! ```
//!
//! Laws:
//! 1. The class attributes `Tensor.no_grad`, `Tensor.training` and `Tensor.default_type` are Python's: plain attributes that programs set, and
//!    that hold for all threads. The methods here look at them and tell the library, whose modes are each thread's own.
//! 2. Python's object is a handle: two objects may be handles of one tensor (`x.grad` gives a new one each time), and are then equal
//!    as keys of dicts.

mod beyond;
mod creation;
mod functional;
mod indexing;
mod math;
mod movement;
mod reduce;

use crate::args::{Given, Place, Type, Value, is_sequence, scalar, unexpected};
use crate::guard::{computed, guard};
use crate::lazy::PyLazyBuffer;
use crate::memory;
use pyo3::exceptions::{PyAssertionError, PyBufferError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt, PyTuple};
use teenygrad::{DType, Scalar, Tensor};

/// An n-dimensional array on a lazy graph: operations are recorded, and computed when a value is wanted.
///
/// Tensor(data, device=None, dtype=None, requires_grad=None)
///
/// data is a number, a (nested) list, bytes, a NumPy array, a LazyBuffer, or None for no elements. Numbers and lists become
/// Tensor.default_type (float32) if no dtype is given; arrays keep theirs; bytes are uint8.
/// requires_grad is True, False, or None for "unset", which becomes True when the tensor is put into an optimizer.
///
/// >>> x = Tensor([[1, 2], [3, 4]], requires_grad=True)
/// >>> loss = (x * x).sum().backward()
/// >>> x.grad.tolist()
/// [[2.0, 4.0], [6.0, 8.0]]
#[pyclass(frozen, subclass, name = "Tensor", module = "teenygrad.tensor")]
pub struct PyTensor(pub Tensor);

impl From<Tensor> for PyTensor {
    fn from(tensor: Tensor) -> PyTensor {
        PyTensor(tensor)
    }
}

// ---- Modes -----------------------------------------------------------

/// Law 1, for what records graphs.
pub fn record(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<PyTensor>();
    Tensor::set_no_grad(class.getattr(intern!(py, "no_grad"))?.is_truthy()?);
    Ok(())
}

/// Law 1, for what differs in training.
pub fn training(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<PyTensor>();
    Tensor::set_training(class.getattr(intern!(py, "training"))?.is_truthy()?);
    record(py)
}

/// The dtype of numbers that nobody gave one.
fn default_type(py: Python<'_>) -> PyResult<DType> {
    let class = py.get_type::<PyTensor>();
    Ok(class
        .getattr(intern!(py, "default_type"))?
        .extract::<Type>()?
        .0)
}

/// What creation functions take besides: where, what, and whether a gradient is wanted.
struct Options {
    device: Option<Place>,
    dtype: Option<Type>,
    requires_grad: Option<bool>,
}

impl Options {
    /// A fresh tensor, finished.
    fn apply(&self, tensor: Tensor) -> Tensor {
        let dtype = self.dtype.map_or(tensor.dtype(), |dtype| dtype.0);
        let device = self.device.map_or(tensor.device(), |device| device.0);
        let tensor = tensor.cast(dtype).to(device);
        if self.requires_grad.is_some() {
            tensor.set_requires_grad(self.requires_grad);
        }
        tensor
    }
}

/// Methods of a tensor that give a tensor: see the header of this file.
macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident $signature:tt $([$text:literal])? ($($arg:ident: $type:ty),*) => |$x:ident| $body:expr;)*) => {
        #[pymethods]
        impl PyTensor {$(
            $(#[$doc])*
            #[pyo3(signature = $signature $(, text_signature = $text)?)]
            #[allow(clippy::too_many_arguments)] // as many as Python's method has
            pub(in crate::tensor) fn $name(&self, py: Python<'_> $(, $arg: $type)*) -> PyResult<PyTensor> {
                $crate::tensor::record(py)?;
                let $x = &self.0;
                $crate::guard::guard(|| $body).map(PyTensor)
            }
        )*}
    };
}
use methods;

// ---- Construction ----------------------------------------------------

fn construct(data: &Bound<'_, PyAny>, dtype: Option<DType>) -> PyResult<Tensor> {
    let py = data.py();
    let wanted = || dtype.map_or_else(|| default_type(py), Ok);
    if let Ok(lazy) = data.cast::<PyLazyBuffer>() {
        let lazy = lazy.get().0.clone();
        if dtype.is_some_and(|dtype| dtype != lazy.dtype()) {
            return Err(PyAssertionError::new_err(
                "dtype doesn't match, and casting isn't supported",
            ));
        }
        return Ok(Tensor::from_lazy(lazy));
    }
    if let Some(number) = scalar(data)? {
        let dtype = wanted()?;
        return guard(|| Tensor::full((), number).cast(dtype));
    }
    if data.is_none() {
        let dtype = wanted()?;
        return guard(|| Tensor::zeros(0).cast(dtype));
    }
    if let Ok(bytes) = data.cast::<PyBytes>() {
        let dtype = dtype.unwrap_or(DType::Uint8);
        return guard(|| Tensor::from_bytes(bytes.as_bytes(), -1, dtype));
    }
    if let Ok(tensor) = data.cast::<PyTensor>() {
        let tensor = &tensor.get().0;
        return guard(|| {
            Tensor::from_lazy(tensor.cast(dtype.unwrap_or(tensor.dtype())).lazydata())
        });
    }
    if is_sequence(data) {
        return memory::from_object(data, Some(wanted()?));
    }
    if data.hasattr("__array__")? || data.hasattr("__array_interface__")? {
        return memory::from_object(data, dtype);
    }
    Err(unexpected(
        "a number, a list, bytes, an array, a LazyBuffer or None",
        data,
    ))
}

#[pymethods]
impl PyTensor {
    #[new]
    #[pyo3(signature = (data=None, device=None, dtype=None, requires_grad=None))]
    fn new(
        data: Option<Bound<'_, PyAny>>,
        device: Option<Place>,
        dtype: Option<Type>,
        requires_grad: Option<bool>,
        py: Python<'_>,
    ) -> PyResult<PyTensor> {
        let data = data.unwrap_or_else(|| py.None().into_bound(py));
        let tensor = construct(&data, dtype.map(|dtype| dtype.0))?;
        guard(|| {
            Options {
                device,
                dtype: None,
                requires_grad,
            }
            .apply(tensor)
        })
        .map(PyTensor)
    }

    // ---- What it is --------------------------------------------------

    /// Where it lives: "CPU", or "REFERENCE" for the slow engine that defines what is right.
    #[getter]
    fn device(&self) -> Place {
        Place(self.0.device())
    }
    /// Elements along each axis, as a tuple.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.shape())
    }
    /// Type of the elements, one of `dtypes`.
    #[getter]
    fn dtype(&self) -> Type {
        Type(self.0.dtype())
    }
    /// The number of axes.
    #[getter]
    fn ndim(&self) -> usize {
        self.0.ndim()
    }
    /// The transpose: the first two axes exchanged.
    #[getter(T)]
    fn transposed(&self, py: Python<'_>) -> PyResult<PyTensor> {
        record(py)?;
        guard(|| self.0.t()).map(PyTensor)
    }
    /// The number of elements.
    fn numel(&self) -> usize {
        self.0.numel()
    }
    /// Bytes that one element takes.
    fn element_size(&self) -> usize {
        self.0.element_size()
    }
    /// Bytes that all elements take.
    fn nbytes(&self) -> usize {
        self.0.nbytes()
    }
    /// Whether the elements are floats.
    fn is_floating_point(&self) -> bool {
        self.0.is_floating_point()
    }
    /// The shape, or the size of one axis: x.size() is x.shape, x.size(-1) is x.shape[-1].
    #[pyo3(signature = (dim=None))]
    fn size<'py>(&self, py: Python<'py>, dim: Option<isize>) -> PyResult<Bound<'py, PyAny>> {
        match dim {
            None => Ok(self.shape(py)?.into_any()),
            Some(dim) => self.shape(py)?.as_any().get_item(dim),
        }
    }

    fn __len__(&self) -> PyResult<usize> {
        self.0
            .shape()
            .first()
            .copied()
            .ok_or_else(|| PyTypeError::new_err("len() of a 0-d tensor"))
    }
    /// As in the original: a tensor is there, hence true. (x.item() is the value of a tensor of one element.)
    fn __bool__(&self) -> bool {
        true
    }
    fn __hash__(&self) -> usize {
        self.0.id()
    }
    fn __repr__(&self) -> String {
        let buffer = |tensor: &Tensor| crate::lazy::describe(&tensor.lazydata());
        let grad = self
            .0
            .grad()
            .map_or("None".to_string(), |grad| buffer(&grad));
        format!(
            "<Tensor {} on {} with grad {grad}>",
            buffer(&self.0),
            self.0.device()
        )
    }

    /// For pickle and copy.deepcopy: the values, not the graph.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let arguments = (
            self.numpy(py)?,
            self.device(),
            self.dtype(),
            self.requires_grad(),
        );
        (py.get_type::<PyTensor>(), arguments).into_pyobject(py)
    }

    // ---- Autograd ----------------------------------------------------

    /// The gradient that backward() has left here, or None.
    #[getter]
    fn grad(&self) -> Option<PyTensor> {
        self.0.grad().map(PyTensor)
    }
    #[setter]
    fn set_grad(&self, grad: Option<Given>) {
        self.0.set_grad(grad.map(|grad| grad.0));
    }
    /// True, False, or None for "unset", which becomes True when the tensor is put into an optimizer.
    #[getter]
    fn requires_grad(&self) -> Option<bool> {
        self.0.needs_grad()
    }
    #[setter]
    fn set_requires_grad(&self, required: Option<bool>) -> PyResult<()> {
        guard(|| self.0.set_requires_grad(required))
    }
    /// Sets requires_grad and gives the tensor back.
    #[pyo3(signature = (requires_grad=true))]
    fn requires_grad_(
        slf: Bound<'_, Self>,
        requires_grad: Option<bool>,
    ) -> PyResult<Bound<'_, Self>> {
        slf.get().set_requires_grad(requires_grad)?;
        Ok(slf)
    }
    /// The lazy graph's node, and the view of it, that hold this tensor's values.
    #[getter]
    fn lazydata(&self) -> PyLazyBuffer {
        PyLazyBuffer(self.0.lazydata())
    }
    #[setter]
    fn set_lazydata(&self, lazydata: &Bound<'_, PyLazyBuffer>) {
        self.0.set_lazydata(lazydata.get().0.clone());
    }
    /// What made this tensor: None, or the function's name and the tensors it was applied to.
    #[getter]
    fn _ctx(&self) -> Option<(&'static str, Vec<PyTensor>)> {
        let (name, parents) = self.0.made_by()?;
        Some((name, parents.into_iter().map(PyTensor).collect()))
    }
    /// All tensors that this one was computed from by functions that record gradients, itself last: each after its own parents.
    fn deepwalk(&self) -> Vec<PyTensor> {
        self.0.deepwalk().into_iter().map(PyTensor).collect()
    }
    /// Computes the gradient of this scalar with respect to all tensors that it came from and that require one, and adds it to their
    /// grad. Lazily: nothing runs until a gradient's values are wanted. Frees the graph that it walks.
    ///
    /// >>> x = Tensor([3.0], requires_grad=True)
    /// >>> loss = (x * x).sum().backward()
    /// >>> x.grad.item()
    /// 6.0
    ///
    /// A tensor of more elements than one needs gradient, the gradient of whatever comes after it.
    #[pyo3(signature = (gradient=None))]
    fn backward(slf: Bound<'_, Self>, gradient: Option<Given>) -> PyResult<Bound<'_, Self>> {
        guard(|| match gradient {
            None => slf.get().0.backward(),
            Some(gradient) => slf.get().0.mul(gradient.0.detach()).sum(()).backward(),
        })?;
        Ok(slf)
    }

    /// The gradients of this scalar with respect to some tensors that it came from and that require one, as a list; their grad stays as it
    /// is, and so does the graph. A tensor of more elements than one needs gradient, the gradient of whatever comes after it.
    ///
    /// >>> x = Tensor([3.0], requires_grad=True)
    /// >>> [grad.tolist() for grad in (x * x).sum().gradient(x)]
    /// [[6.0]]
    #[pyo3(signature = (*targets, gradient=None))]
    fn gradient(&self, targets: Vec<Given>, gradient: Option<Given>) -> PyResult<Vec<PyTensor>> {
        guard(|| {
            let targets: Vec<&Tensor> = targets.iter().map(|target| &target.0).collect();
            let seed = gradient.as_ref().map(|gradient| &gradient.0);
            self.0.gradient(&targets, seed)
        })
        .map(|grads| grads.into_iter().map(PyTensor).collect())
    }
    /// tinygrad's name of requires_grad_.
    #[pyo3(signature = (is_param=true))]
    fn is_param_(slf: Bound<'_, Self>, is_param: bool) -> PyResult<Bound<'_, Self>> {
        PyTensor::requires_grad_(slf, Some(is_param))
    }
    /// tinygrad's name of requires_grad: whether it is True.
    #[getter]
    fn is_param(&self) -> bool {
        self.0.needs_grad() == Some(true)
    }

    // ---- Making it so ------------------------------------------------

    /// Computes several tensors together.
    #[staticmethod]
    fn corealize(py: Python<'_>, lst: &Bound<'_, PyAny>) -> PyResult<()> {
        let tensors: Vec<Tensor> = lst
            .try_iter()?
            .map(|item| Ok(item?.extract::<Given>()?.0))
            .collect::<PyResult<_>>()?;
        computed(py, || {
            Tensor::corealize(&tensors.iter().collect::<Vec<_>>())
        })
    }
    /// Computes the values now (and those of the tensors given along), and gives the tensor back.
    #[pyo3(signature = (*lst))]
    fn realize<'py>(
        slf: Bound<'py, Self>,
        py: Python<'py>,
        lst: Vec<Given>,
    ) -> PyResult<Bound<'py, Self>> {
        let this = slf.get().0.clone();
        computed(py, || {
            let mut all = vec![&this];
            all.extend(lst.iter().map(|given| &given.0));
            Tensor::corealize(&all);
        })?;
        Ok(slf)
    }
    /// Gives this tensor the values of x (a tensor, an array, a list or a number) and gives it back. Shape and device must be the same;
    /// another dtype is cast. Whoever computes with the old values, even later, gets the old values.
    fn assign<'py>(slf: Bound<'py, Self>, x: Value) -> PyResult<Bound<'py, Self>> {
        let this = &slf.get().0;
        guard(|| {
            let x = x.tensor_like(this);
            this.assign(&x.cast(this.dtype()));
        })?;
        Ok(slf)
    }
    /// tinygrad's assign: shows x's values from now on.
    fn replace<'py>(slf: Bound<'py, Self>, x: Value) -> PyResult<Bound<'py, Self>> {
        PyTensor::assign(slf, x)
    }
    /// The same values in memory of their own; gradients flow through.
    fn clone(&self, py: Python<'_>) -> PyResult<PyTensor> {
        record(py)?;
        guard(|| self.0.contiguous()).map(PyTensor)
    }
    /// The same values, cut off from the graph that made them: no gradient goes further back than here.
    fn detach(&self) -> PyTensor {
        PyTensor(self.0.detach())
    }
    /// The same values on another device. Gradients come back from there.
    #[pyo3(signature = (device=None))]
    fn to(&self, device: Option<Place>) -> PyResult<PyTensor> {
        guard(|| device.map_or_else(|| self.0.clone(), |device| self.0.to(device.0))).map(PyTensor)
    }
    /// Moves this tensor, and its gradient, to another device.
    fn to_(&self, device: Place) -> PyResult<()> {
        guard(|| self.0.to_(device.0))
    }
    /// The same values on the CPU.
    fn cpu(&self, py: Python<'_>) -> PyResult<PyTensor> {
        record(py)?;
        guard(|| self.0.to(teenygrad::Device::CPU)).map(PyTensor)
    }

    // ---- Data out ----------------------------------------------------

    /// The values as a NumPy array that shows the tensor's own memory (bfloat16, which NumPy doesn't have, as float32).
    ///
    /// >>> Tensor.eye(2).numpy()
    /// array([[1., 0.],
    ///        [0., 1.]], dtype=float32)
    pub fn numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        memory::to_array(py, &self.0)
    }
    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let array = self.numpy(py)?;
        let array = match dtype {
            Some(dtype) if !array.getattr("dtype")?.eq(&dtype)? => {
                return array.call_method1("astype", (dtype,));
            }
            _ => array,
        };
        if copy == Some(true) {
            array.call_method0("copy")
        } else {
            Ok(array)
        }
    }
    /// NumPy's arrays and numbers leave operators with a tensor to the tensor.
    #[classattr]
    fn __array_priority__() -> f64 {
        1000.0
    }
    /// The values as nested lists of Python's numbers; a number for a tensor without axes.
    ///
    /// >>> Tensor.arange(4).reshape(2, 2).tolist()
    /// [[0.0, 1.0], [2.0, 3.0]]
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.numpy(py)?.call_method0("tolist")
    }
    /// The one element of a tensor that has one, as a number of Python's.
    ///
    /// >>> Tensor([1, 2, 3]).sum().item()
    /// 6.0
    fn item<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let number = computed(py, || match self.0.dtype() {
            DType::Bool => Scalar::from(self.0.item::<bool>()),
            DType::Uint64 => self.0.item::<u64>().into(),
            dtype if dtype.is_int() => self.0.item::<i64>().into(),
            _ => self.0.item::<f64>().into(),
        })?;
        Ok(match number {
            Scalar::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
            Scalar::Int(number) => match i64::try_from(number) {
                Ok(number) => number.into_pyobject(py)?.into_any(),
                Err(_) => (number as u64).into_pyobject(py)?.into_any(),
            },
            Scalar::Float(number) => number.into_pyobject(py)?.into_any(),
        })
    }
    fn __float__(&self, py: Python<'_>) -> PyResult<f64> {
        computed(py, || self.0.item::<f64>())
    }
    fn __int__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.get_type::<PyInt>().call1((self.item(py)?,))
    }
    /// The elements' bytes: little-endian, row-major.
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let bytes = PyBytes::new(py, &computed(py, || self.0.to_bytes())?);
        py.import("builtins")?.call_method1("memoryview", (bytes,))
    }
    /// For `torch.from_dlpack(t)` and its kin: a capsule of the tensor's own memory.
    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<Bound<'py, PyAny>>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if stream.is_some() {
            return Err(PyBufferError::new_err(
                "a CPU has no streams: stream must be None",
            ));
        }
        if dl_device.is_some_and(|(kind, _)| kind != memory::CPU) {
            return Err(PyBufferError::new_err(
                "the tensor is on the CPU, DLPack's device (1, 0)",
            ));
        }
        let versioned = max_version.is_some_and(|(major, _)| major >= 1);
        memory::to_dlpack(py, &self.0, versioned, copy == Some(true))
    }
    fn __dlpack_device__(&self) -> (i32, i32) {
        (memory::CPU, 0)
    }
    /// A tensor with a copy of the elements of anything that has `__dlpack__`: PyTorch's tensors, NumPy's arrays, …
    #[staticmethod]
    fn from_dlpack(x: &Bound<'_, PyAny>) -> PyResult<PyTensor> {
        memory::from_dlpack(x).map(PyTensor)
    }

    // ---- Types -------------------------------------------------------

    /// The elements as another dtype. Integers wrap; floats that become integers are cut towards zero and saturate.
    fn cast(&self, py: Python<'_>, dtype: Type) -> PyResult<PyTensor> {
        record(py)?;
        guard(|| self.0.cast(dtype.0)).map(PyTensor)
    }
    /// The elements' bits read as another dtype of the same size. No gradient.
    fn bitcast(&self, dtype: Type) -> PyResult<PyTensor> {
        guard(|| self.0.bitcast(dtype.0)).map(PyTensor)
    }
}

/// Adds the class.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyTensor>()
}
