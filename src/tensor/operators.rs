//! # tensor/operators: + − · / % and their kin
//!
//! **In:** tensors, references to them and numbers, on either side of an operator. **Out:** what the method of the same meaning in
//! [`math`] gives: `&x + 1` is `x.add(1)`. Nothing is decided here. **Above:** the user. **Below:** `math`.
//!
//! | operator | method | |
//! |---|---|---|
//! | `a + b` `a - b` `a * b` | `add` `sub` `mul` | broadcast, promoted |
//! | `a / b` | `div` | true division: integers give float32 |
//! | `a % b` | `modulo` | the remainder, with a's sign |
//! | `-a` | `neg` | |
//! | `!a` `a & b` <code>a &#124; b</code> `a ^ b` `a << b` `a >> b` | `bitwise_not` … `rshift` | of bools and integers: [`bits`](super::bits) |
//! | `a += b` … | | `a = &a + b` |
//!
//! Laws:
//! 1. An operator takes its tensors by value or by reference; neither is changed, and a value is only a handle.
//! 2. An assigning operator binds the *variable* to a new tensor, connected to the old one in the graph, as Python's does for the
//!    original. Other handles of the old tensor don't notice. To change the values behind all handles there is
//!    [`Tensor::assign`].
//! 3. On the left of an operator a number is an `f64` or an `i32`. That is what literals are, and it is all that Rust's inference
//!    allows: with a second float type on the left, `(1.0 - &x).sum(())` would ask for a type annotation. On the right, and in
//!    methods, it is any number.
//!
//! ```
//! use teenygrad::Tensor;
//! let x = Tensor::from([1.0, 2.0, 4.0]);
//! assert_eq!((1.0 - &x / 2).to_vec::<f32>(), [0.5, 0.0, -1.0]);
//! let mut y = x.clone();
//! y += 1;                                              // law 2: y is another tensor now,
//! assert_eq!(y.to_vec::<f32>(), [2.0, 3.0, 5.0]);
//! assert_eq!(x.to_vec::<f32>(), [1.0, 2.0, 4.0]);      // and x is what it was
//! ```

use super::operand::Operand;
use super::{Tensor, math};

// ---- Arithmetic ------------------------------------------------------

// The traits are named by their full path and not imported: with `Add` in scope, `self.add(…)` below could mean the operator itself.
macro_rules! arithmetic {
    ($($operator:ident, $apply:ident, $assigning:ident, $assign:ident, $method:ident;)*) => {$(
        impl<T: Into<Operand>> std::ops::$operator<T> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $apply(self, right: T) -> Tensor {
                Tensor::$method(&self, right)
            }
        }
        impl<T: Into<Operand>> std::ops::$operator<T> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $apply(self, right: T) -> Tensor {
                Tensor::$method(self, right)
            }
        }
        impl<T: Into<Operand>> std::ops::$assigning<T> for Tensor {
            /// Binds the variable to the result: law 2 of the [module](self).
            #[track_caller]
            fn $assign(&mut self, right: T) {
                *self = Tensor::$method(self, right);
            }
        }
        number_on_the_left!($operator, $apply, $method, f64, i32);
    )*};
}

macro_rules! number_on_the_left {
    ($operator:ident, $apply:ident, $method:ident, $($number:ty),*) => {$(
        impl std::ops::$operator<Tensor> for $number {
            type Output = Tensor;
            #[track_caller]
            fn $apply(self, right: Tensor) -> Tensor {
                math::$method(self.into(), right.into())
            }
        }
        impl std::ops::$operator<&Tensor> for $number {
            type Output = Tensor;
            #[track_caller]
            fn $apply(self, right: &Tensor) -> Tensor {
                math::$method(self.into(), right.into())
            }
        }
    )*};
}

arithmetic! {
    Add, add, AddAssign, add_assign, add;
    Sub, sub, SubAssign, sub_assign, sub;
    Mul, mul, MulAssign, mul_assign, mul;
    Div, div, DivAssign, div_assign, div;
    Rem, rem, RemAssign, rem_assign, modulo;
}

impl std::ops::Neg for Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        Tensor::neg(&self)
    }
}
impl std::ops::Neg for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        Tensor::neg(self)
    }
}

// ---- Bits ------------------------------------------------------------

macro_rules! bits {
    ($($operator:ident, $apply:ident, $method:ident;)*) => {$(
        impl<T: Into<Operand>> std::ops::$operator<T> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $apply(self, right: T) -> Tensor {
                Tensor::$method(&self, right)
            }
        }
        impl<T: Into<Operand>> std::ops::$operator<T> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $apply(self, right: T) -> Tensor {
                Tensor::$method(self, right)
            }
        }
    )*};
}
bits! {
    BitAnd, bitand, bitwise_and;
    BitOr, bitor, bitwise_or;
    BitXor, bitxor, bitwise_xor;
    Shl, shl, lshift;
    Shr, shr, rshift;
}

impl std::ops::Not for Tensor {
    type Output = Tensor;
    #[track_caller]
    fn not(self) -> Tensor {
        self.bitwise_not()
    }
}
impl std::ops::Not for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn not(self) -> Tensor {
        self.bitwise_not()
    }
}

#[cfg(test)]
mod tests {
    use crate::{DType, Tensor};

    #[test]
    fn numbers_and_tensors_on_either_side() {
        let x = Tensor::from([6.0, 8.0]);
        let is = |y: Tensor, expected: [f32; 2]| assert_eq!(y.to_vec::<f32>(), expected);
        is(&x + 1, [7.0, 9.0]);
        is(1 + &x, [7.0, 9.0]);
        is(x.clone() - 1.5, [4.5, 6.5]);
        is(1.5 - x.clone(), [-4.5, -6.5]);
        is(&x * &x, [36.0, 64.0]);
        is(2.0 * &x, [12.0, 16.0]);
        is(&x / 2u8, [3.0, 4.0]);
        is(24 / &x, [4.0, 3.0]);
        is(&x % 4usize, [2.0, 0.0]);
        is(-&x, [-6.0, -8.0]);
        is(-x, [-6.0, -8.0]);
    }

    #[test]
    fn whole_numbers_keep_integers_and_fractions_and_division_do_not() {
        let x = Tensor::from([3, 4]);
        assert_eq!((&x + 1).dtype(), DType::Int32);
        assert_eq!((&x + 0.5).to_vec::<f32>(), [3.5, 4.5]);
        assert_eq!((&x / 2).to_vec::<f32>(), [1.5, 2.0]);
        assert_eq!((6 / &x).to_vec::<f32>(), [2.0, 1.5]);
        assert_eq!((Tensor::from([1u8]) + 1).dtype(), DType::Uint8);
    }

    #[test]
    fn assigning_binds_the_variable_and_keeps_the_graph() {
        let w = Tensor::from([3.0]).requires_grad(true);
        let mut y = w.clone();
        y *= &w; // w²
        y += 1.0;
        y.backward();
        assert!(!y.is_same(&w));
        assert_eq!(w.grad().unwrap().to_vec::<f32>(), [6.0]); // 2w
    }
}
