//! # lazy: Python's `LazyBuffer`
//!
//! **In:** what a `Function` written in Python does with its inputs. **Out:** longer lazy graphs.
//!
//! Laws:
//! 1. As in the original, operands of different dtypes are cast to the higher one, and a comparison gives numbers of its operands' dtype,
//!    0 and 1 (a Tensor's comparison gives bool).
//! 2. `r` takes the shape that is to be reached, in which the reduced axes have size 1.

use crate::args::{Number, Place, Sizes, Type, unexpected};
use crate::guard::{computed, guard};
use crate::memory;
use pyo3::exceptions::{PyAssertionError, PyNotImplementedError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use teenygrad::lazy::{LazyBuffer, Op};
use teenygrad::ops::{BinaryOps, LoadOps, ReduceOps, TernaryOps, UnaryOps};
use teenygrad::{DType, Tensor};

/// A lazily computed array, seen through a view: what forward and backward of a Function get and give.
///
/// >>> x = LazyBuffer.fromCPU(numpy.array([1.0, 4.0]))
/// >>> x.e(UnaryOps.SQRT).e(BinaryOps.ADD, x.const(1)).toCPU().tolist()
/// [2.0, 3.0]
#[pyclass(frozen, name = "LazyBuffer", module = "teenygrad.lazy")]
#[derive(Clone)]
pub struct PyLazyBuffer(pub LazyBuffer);

impl<'py> FromPyObject<'_, 'py> for PyLazyBuffer {
    type Error = PyErr;
    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<PyLazyBuffer> {
        match object.cast::<PyLazyBuffer>() {
            Ok(buffer) => Ok(buffer.get().clone()),
            Err(_) => Err(unexpected("a LazyBuffer", &object)),
        }
    }
}

/// `<LB (2, 3) dtypes.float32>`, as in the original.
pub fn describe(buffer: &LazyBuffer) -> String {
    let sizes: Vec<String> = buffer.shape().iter().map(usize::to_string).collect();
    let comma = if sizes.len() == 1 { "," } else { "" };
    format!(
        "<LB ({}{comma}) dtypes.{}>",
        sizes.join(", "),
        buffer.dtype()
    )
}

/// The name of an enum's member, or a string.
fn name(op: &Bound<'_, PyAny>) -> PyResult<String> {
    match op.getattr("name") {
        Ok(name) => name.extract(),
        Err(_) => op.extract(),
    }
}

/// The op that a member of `teenygrad.ops` stands for.
fn elementwise(op: &Bound<'_, PyAny>) -> PyResult<Op> {
    Ok(match name(op)?.as_str() {
        "NOOP" => UnaryOps::Noop.into(),
        "EXP2" => UnaryOps::Exp2.into(),
        "LOG2" => UnaryOps::Log2.into(),
        "SIN" => UnaryOps::Sin.into(),
        "SQRT" => UnaryOps::Sqrt.into(),
        "RECIP" => UnaryOps::Recip.into(),
        "NEG" => UnaryOps::Neg.into(),
        "ADD" => BinaryOps::Add.into(),
        "SUB" => BinaryOps::Sub.into(),
        "MUL" => BinaryOps::Mul.into(),
        "DIV" => BinaryOps::Div.into(),
        "MAX" => BinaryOps::Max.into(),
        "MOD" => BinaryOps::Mod.into(),
        "CMPLT" => BinaryOps::Cmplt.into(),
        "MULACC" => TernaryOps::Mulacc.into(),
        "WHERE" => TernaryOps::Where.into(),
        other => {
            return Err(PyNotImplementedError::new_err(format!(
                "{other} is no element-wise operation"
            )));
        }
    })
}

#[pymethods]
impl PyLazyBuffer {
    /// The whole array, without movement.
    #[getter]
    fn base(&self) -> PyLazyBuffer {
        PyLazyBuffer(self.0.base())
    }
    /// Type of the elements.
    #[getter]
    fn dtype(&self) -> Type {
        Type(self.0.dtype())
    }
    /// Elements along each axis.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.shape())
    }
    /// Where it lives.
    #[getter]
    fn device(&self) -> Place {
        Place(self.0.device())
    }
    /// The array as memory (with a method toCPU()) if it has been computed, else None.
    #[getter]
    fn realized(&self) -> Option<PyLazyBuffer> {
        self.0.realized().map(|_| self.clone())
    }
    /// The values as a NumPy array. Computes them.
    #[allow(non_snake_case)]
    fn toCPU<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        memory::to_array(py, &Tensor::from_lazy(self.0.clone()))
    }
    fn __repr__(&self) -> String {
        describe(&self.0)
    }
    /// The kernels that would run to compute this, as text.
    #[pyo3(signature = (seen=None))]
    fn schedule(&self, seen: Option<Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
        let _ = seen;
        guard(|| {
            self.0
                .schedule()
                .kernels()
                .map(|kernel| kernel.name.to_string())
                .collect()
        })
    }
    /// Computes the values now, and gives the buffer back.
    fn realize<'py>(slf: Bound<'py, Self>, py: Python<'py>) -> PyResult<Bound<'py, Self>> {
        let buffer = slf.get().0.clone();
        computed(py, || teenygrad::realize::run(&[buffer]))?;
        Ok(slf)
    }
    /// Whether it is a number everywhere that is known without computing.
    fn is_unrealized_contiguous_const(&self) -> bool {
        self.0.is_unrealized_contiguous_const()
    }
    /// The same elements on another device.
    fn copy_to_device(&self, device: Place) -> PyLazyBuffer {
        PyLazyBuffer(self.0.copy_to_device(device.0))
    }
    /// A copy of a NumPy array.
    #[staticmethod]
    #[allow(non_snake_case)]
    fn fromCPU(x: &Bound<'_, PyAny>) -> PyResult<PyLazyBuffer> {
        Ok(PyLazyBuffer(memory::from_object(x, None)?.lazydata()))
    }
    /// An array without sources: LoadOps.EMPTY, CONST (arg is the number) or RAND (arg is the seed).
    #[staticmethod]
    #[pyo3(signature = (op, shape, dtype, device=None, arg=None, src=None))]
    fn loadop(
        op: &Bound<'_, PyAny>,
        shape: Sizes,
        dtype: Type,
        device: Option<Place>,
        arg: Option<Number>,
        src: Option<PyLazyBuffer>,
    ) -> PyResult<PyLazyBuffer> {
        let device = device.map_or_else(teenygrad::Device::DEFAULT, |device| device.0);
        let arg = arg.map(|number| number.0);
        let op = name(op)?;
        guard(|| {
            let shape = teenygrad::shape::args::Shape(shape.0).sizes("loadop");
            match (op.as_str(), src) {
                ("EMPTY", _) => Ok(LazyBuffer::loadop(LoadOps::Empty, &shape, dtype.0, device)),
                ("CONST", _) => Ok(LazyBuffer::full(
                    &shape,
                    arg.unwrap_or(0.into()),
                    dtype.0,
                    device,
                )),
                ("RAND", _) => {
                    let seed = arg.map_or(0, |seed| seed.as_i128()) as u64;
                    let key = [seed as u32, (seed >> 32) as u32];
                    Ok(LazyBuffer::rand(&shape, key, device).cast(dtype.0, false))
                }
                ("CONTIGUOUS", Some(source)) => Ok(source.0.contiguous()),
                ("FROM", Some(source)) => Ok(source.0.copy_to_device(device)),
                (other, _) => Err(PyNotImplementedError::new_err(format!("loadop of {other}"))),
            }
        })?
        .map(PyLazyBuffer)
    }
    /// The same elements lying in memory in row-major order.
    fn contiguous(&self) -> PyLazyBuffer {
        PyLazyBuffer(self.0.contiguous())
    }
    /// A number everywhere, with this one's shape and dtype.
    fn r#const(&self, x: Number) -> PyLazyBuffer {
        PyLazyBuffer(self.0.const_like(x.0))
    }
    /// As another dtype; with bitcast the same bits read anew.
    #[pyo3(signature = (dtype, bitcast=false))]
    fn cast(&self, dtype: Type, bitcast: bool) -> PyResult<PyLazyBuffer> {
        guard(|| PyLazyBuffer(self.0.cast(dtype.0, bitcast)))
    }
    /// An operation of teenygrad.ops element by element, of this buffer and others of its shape.
    #[pyo3(signature = (op, *srcs))]
    fn e(&self, op: &Bound<'_, PyAny>, srcs: Vec<PyLazyBuffer>) -> PyResult<PyLazyBuffer> {
        let op = elementwise(op)?;
        guard(|| {
            let choice = op == Op::Ternary(TernaryOps::Where);
            let first = (!choice).then(|| self.0.dtype());
            let dtypes = first
                .into_iter()
                .chain(srcs.iter().map(|source| source.0.dtype()));
            let dtype = dtypes.reduce(DType::promote).unwrap_or(self.0.dtype());
            let this = self.0.cast(if choice { DType::Bool } else { dtype }, false);
            let others: Vec<LazyBuffer> = srcs
                .iter()
                .map(|source| source.0.cast(dtype, false))
                .collect();
            let compares = op == Op::Binary(BinaryOps::Cmplt);
            let result = this.e(op, &others.iter().collect::<Vec<_>>());
            PyLazyBuffer(if compares {
                result.cast(dtype, false)
            } else {
                result
            })
        })
    }
    /// ReduceOps.SUM or MAX along the axes whose size is 1 in new_shape.
    fn r(&self, op: &Bound<'_, PyAny>, new_shape: Sizes) -> PyResult<PyLazyBuffer> {
        let op = match name(op)?.as_str() {
            "SUM" => ReduceOps::Sum,
            "MAX" => ReduceOps::Max,
            other => {
                return Err(PyNotImplementedError::new_err(format!(
                    "{other} is no reduction"
                )));
            }
        };
        if new_shape.0.len() != self.0.shape().len() {
            return Err(PyAssertionError::new_err(
                "reduce shapes must have same dimensions",
            ));
        }
        guard(|| PyLazyBuffer(self.0.r(op, &reduced(self.0.shape(), &new_shape.0))))
    }

    // ---- Movement ----------------------------------------------------

    /// The same elements, counted differently.
    fn reshape(&self, arg: Sizes) -> PyResult<PyLazyBuffer> {
        let arg = sizes(arg)?;
        guard(|| PyLazyBuffer(self.0.reshape(&arg)))
    }
    /// Axes of size 1 repeated.
    fn expand(&self, arg: Sizes) -> PyResult<PyLazyBuffer> {
        let arg = sizes(arg)?;
        guard(|| PyLazyBuffer(self.0.expand(&arg)))
    }
    /// Of each axis the elements from start up to stop.
    fn shrink(&self, arg: Vec<(usize, usize)>) -> PyResult<PyLazyBuffer> {
        guard(|| PyLazyBuffer(self.0.shrink(&arg)))
    }
    /// Axes in another order.
    fn permute(&self, arg: Sizes) -> PyResult<PyLazyBuffer> {
        let arg = sizes(arg)?;
        guard(|| PyLazyBuffer(self.0.permute(&arg)))
    }
    /// Zeros around: so many before and after along each axis.
    fn pad(&self, arg: Vec<(usize, usize)>) -> PyResult<PyLazyBuffer> {
        guard(|| PyLazyBuffer(self.0.pad(&arg)))
    }
    /// Every n-th element of each axis, backwards for negative n.
    fn stride(&self, arg: Sizes) -> PyResult<PyLazyBuffer> {
        guard(|| PyLazyBuffer(self.0.stride(&arg.0)))
    }
}

fn sizes(arg: Sizes) -> PyResult<Vec<usize>> {
    let size = |size| {
        usize::try_from(size).map_err(|_| PyValueError::new_err(format!("a size of {size}")))
    };
    arg.0.into_iter().map(size).collect()
}

/// The axes along which a shape goes to size 1.
pub fn reduced(from: &[usize], to: &[isize]) -> Vec<usize> {
    (0..from.len())
        .filter(|&axis| from[axis] as isize != to[axis])
        .collect()
}

/// Adds the class.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyLazyBuffer>()
}
