//! # tensor/operand: what can stand on the other side of an operator
//!
//! **In:** two things, each a tensor or a number. **Out:** two tensors of one dtype, shape and device, ready for an mlop.
//!
//! Three steps: a number becomes a constant (weakly typed, see [`crate::dtype`]); both are cast to the promoted dtype; both are
//! broadcast to the common shape, which is a reshape (axes of size 1 in front) and an expand, and copies nothing.
//!
//! A whole number takes the dtype of the tensor that it meets, and wraps if it doesn't fit: 300 added to uint8 is 44 added to uint8.
//! (Comparisons are the exception: there both sides become wide enough to be told apart.)

use super::Tensor;
use crate::device::Device;
use crate::dtype::{DType, Scalar};
use crate::error::fail;
use crate::lazy::LazyBuffer;
use crate::mlops::movement::{Expand, Reshape};
use crate::shape::args::broadcast;

/// A tensor or a number: the argument type of every binary method.
#[derive(Clone)]
pub enum Operand {
    /// a tensor
    Tensor(Tensor),
    /// a number, weakly typed
    Number(Scalar),
}

impl From<&Tensor> for Operand {
    fn from(tensor: &Tensor) -> Operand {
        Operand::Tensor(tensor.clone())
    }
}
impl From<Tensor> for Operand {
    fn from(tensor: Tensor) -> Operand {
        Operand::Tensor(tensor)
    }
}
impl From<&Operand> for Operand {
    fn from(operand: &Operand) -> Operand {
        operand.clone()
    }
}

macro_rules! numbers {
    ($($t:ty),*) => {$(
        impl From<$t> for Operand {
            fn from(number: $t) -> Operand { Operand::Number(number.into()) }
        }
    )*};
}
numbers!(
    bool,
    i8,
    u8,
    i16,
    u16,
    i32,
    u32,
    i64,
    u64,
    isize,
    usize,
    f32,
    f64,
    half::f16,
    half::bf16
);

impl Operand {
    /// The dtype that a number takes when it meets `dtype`: that one, unless it is fractional and `dtype` is not.
    fn dtype_with(&self, dtype: DType) -> DType {
        match self {
            Operand::Tensor(tensor) => tensor.dtype().promote(dtype),
            Operand::Number(Scalar::Float(_)) if !dtype.is_float() => DType::Float32,
            Operand::Number(Scalar::Int(_)) if dtype == DType::Bool => DType::Int32,
            Operand::Number(_) => dtype,
        }
    }

    /// As a tensor of this dtype; a number has the empty shape.
    pub(crate) fn into_tensor(self, dtype: DType, device: Device) -> Tensor {
        match self {
            Operand::Tensor(tensor) => tensor.cast(dtype),
            Operand::Number(value) => {
                let tensor = Tensor::from_lazy(LazyBuffer::full(&[], value, dtype, device));
                tensor.state().requires_grad = Some(false);
                tensor
            }
        }
    }

    fn device(&self) -> Option<Device> {
        match self {
            Operand::Tensor(tensor) => Some(tensor.device()),
            Operand::Number(_) => None,
        }
    }
}

/// The dtype of an operation between several operands: numbers are weak, so the tensors promote first.
fn common_dtype(operands: &[Operand]) -> DType {
    let tensors = operands.iter().filter_map(|operand| match operand {
        Operand::Tensor(tensor) => Some(tensor.dtype()),
        Operand::Number(_) => None,
    });
    let numbers_alone = match operands
        .iter()
        .any(|o| matches!(o, Operand::Number(Scalar::Float(_))))
    {
        true => DType::Float32,
        false => DType::Int32,
    };
    let strong = tensors.reduce(DType::promote).unwrap_or(numbers_alone);
    operands
        .iter()
        .fold(strong, |dtype, operand| operand.dtype_with(dtype))
}

/// All operands as tensors of one dtype (`at_least` may raise it), one shape and one device.
#[track_caller]
pub(crate) fn unify<const N: usize>(
    op: &str,
    operands: [Operand; N],
    adjust: impl Fn(DType) -> DType,
) -> [Tensor; N] {
    let dtype = adjust(common_dtype(&operands));
    let device = common_device(op, &operands);
    let tensors = operands.map(|operand| operand.into_tensor(dtype, device));
    broadcast_all(op, tensors)
}

/// The device of an operation between several operands: that of its tensors, which must be one.
#[track_caller]
pub(crate) fn common_device(op: &str, operands: &[Operand]) -> Device {
    let mut devices = operands.iter().filter_map(Operand::device);
    let device = devices.next().unwrap_or_else(Device::DEFAULT);
    if let Some(other) = devices.find(|&other| other != device) {
        fail!(op, "one tensor is on {device}, another on {other}"; "move one of them with to()");
    }
    device
}

/// Tensors expanded to their common shape.
#[track_caller]
pub(crate) fn broadcast_all<const N: usize>(op: &str, tensors: [Tensor; N]) -> [Tensor; N] {
    let mut shape = tensors[0].shape();
    for tensor in &tensors[1..] {
        let other = tensor.shape();
        match broadcast(&shape, &other) {
            Some(common) => shape = common,
            None => {
                let rank = shape.len().max(other.len());
                let from_end = (1..=shape.len().min(other.len())).find(|&i| {
                    let (a, b) = (shape[shape.len() - i], other[other.len() - i]);
                    a != b && a != 1 && b != 1
                });
                let from_end = from_end.expect("two shapes that don't broadcast differ somewhere");
                fail!(op, "shapes {shape:?} and {other:?} do not broadcast: axis {} has sizes {} and {}", rank - from_end,
                    shape[shape.len() - from_end], other[other.len() - from_end]; "sizes are compared from the last axis on, and must be equal or 1");
            }
        }
    }
    tensors.map(|tensor| tensor.broadcast_to(&shape))
}

impl Tensor {
    /// This tensor under a larger shape that it broadcasts to.
    pub(crate) fn broadcast_to(&self, shape: &[usize]) -> Tensor {
        let own = self.shape();
        if own == shape {
            return self.clone();
        }
        let mut aligned = vec![1; shape.len() - own.len()];
        aligned.extend(&own);
        let reshaped = if aligned == own {
            self.clone()
        } else {
            Tensor::apply(Reshape::new(aligned.clone()), &[self])
        };
        if aligned == shape {
            reshaped
        } else {
            Tensor::apply(Expand::new(shape.to_vec()), &[&reshaped])
        }
    }
}
