//! # tensor/bits: logic of truth values, and of the bits of integers
//!
//! **In:** bool tensors or tensors of integers, and numbers. **Out:** `&`, `|`, `^`, `!`, `<<`, `>>`, which [`operators`](super::operators) writes
//! as such. **Below:** [`Bits`].
//!
//! Laws:
//! 1. A truth value is one bit: the same functions are its logic.
//! 2. Floats are refused. Nothing here has a gradient.
//!
//! ```
//! use teenygrad::Tensor;
//! let x = Tensor::from([0b1100, 0b1010]);
//! assert_eq!((&x & 0b0110).to_vec::<i32>(), [0b0100, 0b0010]);
//! assert_eq!((x.gt(10) | x.lt(5)).to_vec::<bool>(), [true, false]);
//! ```

use super::Tensor;
use super::operand::{Operand, unify};
use crate::dtype::DType;
use crate::error::fail;
use crate::mlops::binary::Bits;
use crate::ops::BinaryOps;

/// Both sides with one dtype that has bits.
#[track_caller]
fn bits(op: &str, function: BinaryOps, a: Operand, b: Operand) -> Tensor {
    // Moved by a place, a truth value is a number.
    let moves = matches!(function, BinaryOps::Shl | BinaryOps::Shr);
    let [a, b] = unify(op, [a, b], |dtype| match dtype {
        DType::Bool if moves => DType::Int32,
        dtype => dtype,
    });
    if a.is_floating_point() {
        fail!(Type: op, "the two sides make {}, and a float has no bits to work on", a.dtype(); "compare first (x.ne(0) is true where x is not 0), or cast to an integer type");
    }
    Tensor::apply(Bits(function), &[&a, &b])
}

// As free functions of two operands, because an operator may have its number on the left.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident $sign:literal $function:ident;)*) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name(a: Operand, b: Operand) -> Tensor {
            bits($sign, BinaryOps::$function, a, b)
        }
    )*};
}
functions! {
    /// The bits that both have; either side may be a number.
    bitwise_and "&" And;
    /// The bits that either has; either side may be a number.
    bitwise_or "|" Or;
    /// The bits that one has and the other has not; either side may be a number.
    bitwise_xor "^" Xor;
    /// a's bits moved up by b places; either side may be a number.
    lshift "<<" Shl;
    /// a's bits moved down by b places; either side may be a number.
    rshift ">>" Shr;
}

impl Tensor {
    /// The bits that both have; of truth values, "and".
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([12, 10]).bitwise_and(6).to_vec::<i32>(), [4, 2]);
    /// ```
    /// # Panics
    /// As all functions here: if the shapes don't broadcast, or one side is of floats.
    #[track_caller]
    pub fn bitwise_and(&self, x: impl Into<Operand>) -> Tensor {
        bitwise_and(self.into(), x.into())
    }

    /// The bits that either has; of truth values, "or".
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([12, 10]).bitwise_or(3).to_vec::<i32>(), [15, 11]);
    /// ```
    #[track_caller]
    pub fn bitwise_or(&self, x: impl Into<Operand>) -> Tensor {
        bitwise_or(self.into(), x.into())
    }

    /// The bits that one has and the other has not; of truth values, "either, but not both".
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([12, 10]).bitwise_xor(10).to_vec::<i32>(), [6, 0]);
    /// ```
    #[track_caller]
    pub fn bitwise_xor(&self, x: impl Into<Operand>) -> Tensor {
        bitwise_xor(self.into(), x.into())
    }

    /// All bits turned, −1 − x; of truth values, "not".
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([5u8]).bitwise_not().to_vec::<u8>(), [250]);
    /// assert_eq!(Tensor::from([true, false]).bitwise_not().to_vec::<bool>(), [false, true]);
    /// ```
    /// # Panics
    /// For floats.
    #[track_caller]
    pub fn bitwise_not(&self) -> Tensor {
        // −1 is all bits in every integer type, signed or not.
        match self.dtype() {
            DType::Bool => bits("!", BinaryOps::Xor, self.into(), true.into()),
            _ => bits("!", BinaryOps::Xor, self.into(), (-1).into()),
        }
    }

    /// The bits moved up by so many places, x · 2ⁿ; what leaves the dtype is lost. Truth values become int32.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 3]).lshift(&Tensor::from([4, 1])).to_vec::<i32>(), [16, 6]);
    /// ```
    #[track_caller]
    pub fn lshift(&self, x: impl Into<Operand>) -> Tensor {
        lshift(self.into(), x.into())
    }

    /// The bits moved down by so many places, ⌊x / 2ⁿ⌋. Truth values become int32.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([16, -5]).rshift(1).to_vec::<i32>(), [8, -3]);
    /// ```
    #[track_caller]
    pub fn rshift(&self, x: impl Into<Operand>) -> Tensor {
        rshift(self.into(), x.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::{DType, Tensor};

    #[test]
    fn logic_of_truth_values() {
        let a = Tensor::from([true, true, false]);
        let b = Tensor::from([true, false, false]);
        assert_eq!((&a & &b).to_vec::<bool>(), [true, false, false]);
        assert_eq!((&a | &b).to_vec::<bool>(), [true, true, false]);
        assert_eq!((&a ^ &b).to_vec::<bool>(), [false, true, false]);
        assert_eq!((!&b).to_vec::<bool>(), [false, true, true]);
        assert_eq!((&a << 2).to_vec::<i32>(), [4, 4, 0]);
    }

    #[test]
    fn bits_of_integers_of_every_width() {
        for dtype in DType::ALL.into_iter().filter(|dtype| dtype.is_int()) {
            let (a, b) = (
                Tensor::from([100, 7, 0]).cast(dtype),
                Tensor::from([3, 5, 1]).cast(dtype),
            );
            assert_eq!((&a & &b).dtype(), dtype);
            assert_eq!((&a & &b).to_vec::<i64>(), [0, 5, 0]);
            assert_eq!((&a | &b).to_vec::<i64>(), [103, 7, 1]);
            assert_eq!((&a ^ &b).to_vec::<i64>(), [103, 2, 1]);
            assert_eq!((&a >> &b).to_vec::<i64>(), [12, 0, 0]);
            assert_eq!((&a ^ &(!&a)).add(1).to_vec::<i64>(), [0, 0, 0]); // all bits, and one more
            assert_eq!((&b << 2).to_vec::<i64>(), [12, 20, 4]);
        }
    }

    #[test]
    #[should_panic(expected = "&: the two sides make float32")]
    fn bits_of_floats_are_refused() {
        let _ = Tensor::from([1.0]) & Tensor::from([true]);
    }
}
