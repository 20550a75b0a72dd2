//! # tensor/operand: what can stand on the other side of an operator
//!
//! **In:** two things, each a tensor or a number. **Out:** two tensors of one dtype, shape and device, ready for an mlop.
//!
//! A tensor is cast to the promoted dtype and broadcast to the common shape, which is a reshape (axes of size 1 in front) and an expand,
//! and copies nothing. A number (weakly typed, see [`crate::dtype`]) becomes a constant of that dtype and shape.
//!
//! Every operator comes through here, so it is quick when there is nothing to do: each tensor is looked at once, as it is behind a lock.
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
use std::borrow::Cow;

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
    /// As a tensor of this dtype; a number has the empty shape.
    pub(crate) fn into_tensor(self, dtype: DType, device: Device) -> Tensor {
        match self {
            Operand::Tensor(tensor) => tensor.cast(dtype),
            Operand::Number(value) => constant(value, &[], dtype, device),
        }
    }

    /// The array of a tensor.
    fn array(&self) -> Option<LazyBuffer> {
        match self {
            Operand::Tensor(tensor) => Some(tensor.lazydata()),
            Operand::Number(_) => None,
        }
    }

    fn device(&self) -> Option<Device> {
        match self {
            Operand::Tensor(tensor) => Some(tensor.device()),
            Operand::Number(_) => None,
        }
    }
}

/// A number everywhere, without a gradient.
fn constant(value: Scalar, shape: &[usize], dtype: DType, device: Device) -> Tensor {
    let tensor = Tensor::from_lazy(LazyBuffer::full(shape, value, dtype, device));
    tensor.state().requires_grad = Some(false);
    tensor
}

/// The dtype of an operation between arrays and numbers. The arrays promote first, as numbers are weak: each takes the dtype that it
/// meets, unless it is fractional and that one is not.
fn common_dtype<'a, 'n>(
    arrays: impl Iterator<Item = &'a LazyBuffer>,
    numbers: impl Iterator<Item = &'n Scalar> + Clone,
) -> DType {
    let alone = || match numbers.clone().any(|n| matches!(n, Scalar::Float(_))) {
        true => DType::Float32,
        false => DType::Int32,
    };
    let strong = arrays.map(LazyBuffer::dtype).reduce(DType::promote);
    let strong = strong.unwrap_or_else(alone);
    numbers.fold(strong, |dtype, number| match number {
        Scalar::Float(_) if !dtype.is_float() => DType::Float32,
        Scalar::Int(_) if dtype == DType::Bool => DType::Int32,
        _ => dtype,
    })
}

/// All operands as tensors of one dtype (`adjust` may raise it), one shape and one device.
#[track_caller]
pub(crate) fn unify<const N: usize>(
    op: &str,
    operands: [Operand; N],
    adjust: impl Fn(DType) -> DType,
) -> [Tensor; N] {
    let known = operands.each_ref().map(Operand::array);
    let arrays = || known.iter().flatten();
    let numbers = operands.iter().filter_map(|operand| match operand {
        Operand::Number(number) => Some(number),
        Operand::Tensor(_) => None,
    });
    let dtype = adjust(common_dtype(arrays(), numbers));
    let device = one_device(op, arrays().map(LazyBuffer::device));
    let shape = common_shape(op, arrays().map(LazyBuffer::shape));
    let mut known = known.iter();
    operands.map(|operand| match (operand, known.next()) {
        (Operand::Number(value), _) => constant(value, &shape, dtype, device),
        (Operand::Tensor(tensor), Some(Some(array)))
            if array.dtype() == dtype && array.shape() == &*shape =>
        {
            tensor
        }
        (Operand::Tensor(tensor), _) => tensor.cast(dtype).broadcast_to(&shape),
    })
}

/// The device of an operation between several operands: that of its tensors, which must be one.
#[track_caller]
pub(crate) fn common_device(op: &str, operands: &[Operand]) -> Device {
    one_device(op, operands.iter().filter_map(Operand::device))
}

#[track_caller]
fn one_device(op: &str, mut devices: impl Iterator<Item = Device>) -> Device {
    let device = devices.next().unwrap_or_else(Device::DEFAULT);
    if let Some(other) = devices.find(|&other| other != device) {
        fail!(op, "one tensor is on {device}, another on {other}"; "move one of them with to()");
    }
    device
}

/// The shape that all of these broadcast to.
#[track_caller]
fn common_shape<'a>(op: &str, mut shapes: impl Iterator<Item = &'a [usize]>) -> Cow<'a, [usize]> {
    let mut shape = Cow::Borrowed(shapes.next().unwrap_or(&[]));
    for other in shapes {
        if *shape == *other {
            continue;
        }
        match broadcast(&shape, other) {
            Some(common) => shape = Cow::Owned(common),
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
    shape
}

/// Tensors expanded to their common shape.
#[track_caller]
pub(crate) fn broadcast_all<const N: usize>(op: &str, tensors: [Tensor; N]) -> [Tensor; N] {
    let arrays = tensors.each_ref().map(Tensor::lazydata);
    let shape = common_shape(op, arrays.iter().map(LazyBuffer::shape));
    tensors.map(|tensor| tensor.broadcast_to(&shape))
}

impl Tensor {
    /// This tensor under a larger shape that it broadcasts to.
    pub(crate) fn broadcast_to(&self, shape: &[usize]) -> Tensor {
        let array = self.lazydata();
        let own = array.shape();
        if own == shape {
            return self.clone();
        }
        let mut aligned = vec![1; shape.len() - own.len()];
        aligned.extend(own);
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
