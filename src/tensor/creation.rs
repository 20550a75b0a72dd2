//! # tensor/creation: tensors from nothing but a shape
//!
//! **In:** a shape and perhaps a number. **Out:** a tensor on the default device. **Above:** the user. **Below:** [`LazyBuffer`].
//!
//! Laws:
//! 1. Nothing here takes memory: a constant is one number in the graph, and `arange` is every element's own position. Kernels that
//!    use them compute them on the way.
//! 2. float32 is the default. A fill value or a range has the dtype of its numbers: float32 for fractional ones, int32 for whole
//!    ones, bool for truth values. Any other is a `cast` away, which costs nothing either.
//!
//! ```
//! use teenygrad::{DType, Tensor};
//! let causal = Tensor::arange(3).reshape([3, 1]).ge(Tensor::arange(3)); // row ≥ column
//! assert_eq!(causal.to_vec::<u8>(), [1, 0, 0, 1, 1, 0, 1, 1, 1]);
//! assert_eq!(Tensor::zeros([2, 2]).cast(DType::Uint8).nbytes(), 4);
//! ```

use super::Tensor;
use super::operand::Operand;
use crate::device::Device;
use crate::dtype::{DType, Scalar};
use crate::error::fail;
use crate::lazy::LazyBuffer;
use crate::ops::LoadOps;
use crate::shape::args::Shape;

/// The dtype of a number that nobody gave one: law 2.
fn dtype_of(number: Scalar) -> DType {
    match number {
        Scalar::Bool(_) => DType::Bool,
        Scalar::Int(_) => DType::Int32,
        Scalar::Float(_) => DType::Float32,
    }
}

impl Tensor {
    // ---- Constants ---------------------------------------------------

    /// Memory whose contents nobody has decided yet, float32: for something that will be assigned. (It holds zeros, but ask
    /// [`Tensor::zeros`] if you mean them.)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::empty([2, 3]).shape(), [2, 3]);
    /// ```
    #[track_caller]
    pub fn empty(shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into().sizes("empty");
        Tensor::from_lazy(LazyBuffer::loadop(
            LoadOps::Empty,
            &shape,
            DType::Float32,
            Device::DEFAULT(),
        ))
    }

    /// One number, everywhere.
    /// ```
    /// # use teenygrad::{DType, Tensor};
    /// assert_eq!(Tensor::full([2], 1.5).to_vec::<f32>(), [1.5, 1.5]);
    /// assert_eq!(Tensor::full([2], 7).dtype(), DType::Int32);
    /// ```
    /// # Panics
    /// As everything here: if a size is negative.
    #[track_caller]
    pub fn full(shape: impl Into<Shape>, value: impl Into<Scalar>) -> Tensor {
        Tensor::filled("full", shape.into(), value.into())
    }

    #[track_caller]
    fn filled(op: &str, shape: Shape, value: Scalar) -> Tensor {
        let shape = shape.sizes(op);
        Tensor::from_lazy(LazyBuffer::full(
            &shape,
            value,
            dtype_of(value),
            Device::DEFAULT(),
        ))
    }

    /// 0, everywhere, float32.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::zeros([1, 2]).to_vec::<f32>(), [0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>) -> Tensor {
        Tensor::filled("zeros", shape.into(), 0.0.into())
    }

    /// 1, everywhere, float32.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::ones(()).item::<f32>(), 1.0);
    /// ```
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>) -> Tensor {
        Tensor::filled("ones", shape.into(), 1.0.into())
    }

    /// One number, everywhere, with this tensor's shape, dtype and device.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1u8, 2]).full_like(7).to_vec::<u8>(), [7, 7]);
    /// ```
    pub fn full_like(&self, value: impl Into<Scalar>) -> Tensor {
        Tensor::from_lazy(self.lazydata().const_like(value))
    }

    /// 0, everywhere, with this tensor's shape, dtype and device.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 2]).zeros_like().to_vec::<i32>(), [0, 0]);
    /// ```
    pub fn zeros_like(&self) -> Tensor {
        self.full_like(0)
    }

    /// 1, everywhere, with this tensor's shape, dtype and device.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([5, 2]).ones_like().to_vec::<i32>(), [1, 1]);
    /// ```
    pub fn ones_like(&self) -> Tensor {
        self.full_like(1)
    }

    // ---- Positions ---------------------------------------------------

    /// 0, 1, 2, … up to but without `stop`.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::arange(4).to_vec::<i32>(), [0, 1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn arange(stop: impl Into<Scalar>) -> Tensor {
        Tensor::arange_with(0, stop, 1)
    }

    /// start, start + step, start + 2·step, … up to but without `stop`: ⌈(stop − start) / step⌉ numbers, or none if that is negative.
    /// int32 if all three are whole numbers, else float32. The i-th is start + i·step, computed in int64 or float64 and rounded once, so
    /// that no error adds up.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::arange_with(5, 0, -2).to_vec::<i32>(), [5, 3, 1]);
    /// assert_eq!(Tensor::arange_with(0.5, 2, 0.5).to_vec::<f32>(), [0.5, 1.0, 1.5]);
    /// ```
    /// # Panics
    /// If the step is 0, the number of elements is not finite, or whole numbers don't fit into int32.
    #[track_caller]
    pub fn arange_with(
        start: impl Into<Scalar>,
        stop: impl Into<Scalar>,
        step: impl Into<Scalar>,
    ) -> Tensor {
        Tensor::range(start.into(), stop.into(), step.into(), None)
    }

    /// As [`Tensor::arange_with`], of a dtype: each number is computed in int64 or float64 and cast once.
    /// ```
    /// # use teenygrad::{DType, Tensor};
    /// let x = Tensor::arange_as(0, 3_000_000_000i64, 1_000_000_000, DType::Int64);
    /// assert_eq!(x.to_vec::<i64>(), [0, 1_000_000_000, 2_000_000_000]);
    /// ```
    /// # Panics
    /// If the step is 0 or the number of elements is not finite.
    #[track_caller]
    pub fn arange_as(
        start: impl Into<Scalar>,
        stop: impl Into<Scalar>,
        step: impl Into<Scalar>,
        dtype: DType,
    ) -> Tensor {
        Tensor::range(start.into(), stop.into(), step.into(), Some(dtype))
    }

    #[track_caller]
    fn range(start: Scalar, stop: Scalar, step: Scalar, wanted: Option<DType>) -> Tensor {
        if step.as_f64() == 0.0 {
            fail!(
                "arange",
                "a step of 0 never gets from {} to {}",
                start.as_f64(),
                stop.as_f64()
            );
        }
        let fractional = [start, stop, step].into_iter().any(Scalar::is_float);
        let count = if fractional {
            let count = ((stop.as_f64() - start.as_f64()) / step.as_f64()).ceil();
            if !count.is_finite() {
                fail!(
                    "arange",
                    "from {} to {} in steps of {} are {count} numbers",
                    start.as_f64(),
                    stop.as_f64(),
                    step.as_f64()
                );
            }
            count.max(0.0) as usize
        } else {
            let (start, stop, step) = (start.as_i128(), stop.as_i128(), step.as_i128());
            // The distance rounded up to whole steps, whichever way they go.
            let count = ((stop - start + step - step.signum()) / step).max(0);
            let last = start + (count - 1).max(0) * step;
            let narrow = |end: i128| i32::try_from(end).is_ok();
            if wanted.is_none() && !(narrow(start) && narrow(last)) {
                fail!("arange", "{start} to {last} do not fit into int32"; "with fractional numbers the range is one of float32");
            }
            count as usize
        };
        let (exact, dtype) = if fractional {
            (DType::Float64, DType::Float32)
        } else {
            (DType::Int64, DType::Int32)
        };
        Tensor::positions(&[count])
            .cast(exact)
            .mul(Operand::Number(step))
            .add(Operand::Number(start))
            .cast(wanted.unwrap_or(dtype))
    }

    /// Every element's own position in row-major order, int64.
    pub(crate) fn positions(shape: &[usize]) -> Tensor {
        Tensor::from_lazy(LazyBuffer::iota(shape, Device::DEFAULT()))
    }

    /// The identity matrix [dim, dim]: 1 on the diagonal, else 0, float32.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::eye(2).to_vec::<f32>(), [1.0, 0.0, 0.0, 1.0]);
    /// ```
    pub fn eye(dim: usize) -> Tensor {
        let (row, column) = (Tensor::positions(&[dim, 1]), Tensor::positions(&[1, dim]));
        row.eq(&column).cast(DType::Float32)
    }
}
