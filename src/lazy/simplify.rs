//! # lazy/simplify: what needs no node
//!
//! **In:** an element-wise op and its operands. **Out:** what is the same and known already: a constant, or one of the operands.
//! **Above:** [`lazy`](super), whose law 3 this is for these ops.
//!
//! Law: only what is exact for every value, NaN and infinity included. (So `x · 0` stays.)

use super::{LazyBuffer, Op};
use crate::dtype::{DType, Scalar};
use crate::ops::{BinaryOps, TernaryOps, UnaryOps};

impl LazyBuffer {
    /// The same as this op of `self` and `others`, without a node for it, if there is such a thing.
    pub(super) fn simplify(&self, op: &Op, others: &[&LazyBuffer]) -> Option<LazyBuffer> {
        let a = self.as_const();
        let known = |value: Scalar, dtype| {
            Some(LazyBuffer::full(self.shape(), value, dtype, self.device()))
        };
        match (op, others) {
            (Op::Unary(UnaryOps::Noop), []) => Some(self.clone()),
            (Op::Unary(UnaryOps::Cast(to) | UnaryOps::Bitcast(to)), []) if *to == self.dtype() => {
                Some(self.clone())
            }
            (Op::Unary(op), []) => known(op.eval(a?, self.dtype()), op.result(self.dtype())),
            (Op::Binary(op), [other]) => {
                let b = other.as_const();
                if let (Some(a), Some(b)) = (a, b) {
                    return known(op.eval(a, b, self.dtype()), op.result(self.dtype()));
                }
                let is = |constant: Option<Scalar>, number: f64| {
                    constant.is_some_and(|c| c.as_f64() == number)
                };
                match op {
                    BinaryOps::Add if is(b, 0.0) => Some(self.clone()),
                    BinaryOps::Add if is(a, 0.0) => Some((*other).clone()),
                    BinaryOps::Mul if is(b, 1.0) => Some(self.clone()),
                    BinaryOps::Mul if is(a, 1.0) => Some((*other).clone()),
                    BinaryOps::Sub if is(b, 0.0) => Some(self.clone()),
                    BinaryOps::Div if is(b, 1.0) && self.dtype() != DType::Bool => {
                        Some(self.clone())
                    }
                    BinaryOps::Div => {
                        let reciprocal = exact_reciprocal(b?, self.dtype())?;
                        let (device, dtype) = (self.device(), self.dtype());
                        let factor = LazyBuffer::full(self.shape(), reciprocal, dtype, device);
                        Some(self.e(BinaryOps::Mul, &[&factor]))
                    }
                    BinaryOps::Add
                    | BinaryOps::Sub
                    | BinaryOps::Mul
                    | BinaryOps::Max
                    | BinaryOps::Mod
                    | BinaryOps::Pow
                    | BinaryOps::Cmplt
                    | BinaryOps::Cmpne
                    | BinaryOps::And
                    | BinaryOps::Or
                    | BinaryOps::Xor
                    | BinaryOps::Shl
                    | BinaryOps::Shr => None,
                }
            }
            (Op::Ternary(TernaryOps::Where), [b, c]) => match (a, b.as_const(), c.as_const()) {
                (Some(a), _, _) => Some(if a.is_true() { *b } else { *c }.clone()),
                (None, Some(Scalar::Bool(true)), Some(Scalar::Bool(false))) => Some(self.clone()),
                _ => None,
            },
            _ => None,
        }
    }
}

/// 1/c if multiplying by it gives the very bits of dividing by c: for powers of two, which only move the exponent. A division takes a processor
/// ten times as long, and attention divides by √64.
fn exact_reciprocal(c: Scalar, dtype: DType) -> Option<Scalar> {
    // Neither the number nor its reciprocal may be subnormal.
    let most = match dtype {
        DType::Float16 => 14,
        DType::BFloat16 | DType::Float32 | DType::Float64 => 126,
        DType::Bool
        | DType::Int8
        | DType::Uint8
        | DType::Int16
        | DType::Uint16
        | DType::Int32
        | DType::Uint32
        | DType::Int64
        | DType::Uint64 => return None,
    };
    let c = c.as_f64();
    let is_power = c.to_bits() << 12 == 0;
    let in_range = (f64::powi(2.0, -most)..=f64::powi(2.0, most)).contains(&c.abs());
    (is_power && in_range).then_some(Scalar::Float(1.0 / c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tensor;

    #[test]
    fn division_by_a_power_of_two_has_the_bits_of_a_division() {
        let numbers = [1.0, -3.3, 0.1, 1e-40, -1e38, f32::INFINITY, 5e-45];
        for c in [
            8.0,
            -0.25,
            f32::powi(2.0, 126),
            f32::powi(2.0, -126),
            3.0,
            f32::powi(2.0, 127),
        ] {
            let quotients = (Tensor::from(&numbers[..]) / c).to_vec::<f32>();
            let expected = numbers.map(|x| x / c);
            assert_eq!(quotients, expected, "by {c}");
        }
        assert!(exact_reciprocal(Scalar::Float(3.0), DType::Float32).is_none());
        assert!(exact_reciprocal(Scalar::Float(0.0), DType::Float32).is_none());
        assert!(exact_reciprocal(Scalar::Float(8.0), DType::Int32).is_none());
        assert!(exact_reciprocal(Scalar::Float(32768.0), DType::Float16).is_none());
    }
}
