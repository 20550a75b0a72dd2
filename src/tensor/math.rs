//! # tensor/math: functions of one, two and three tensors, element by element
//!
//! **In:** tensors and numbers. **Out:** tensors. **Above:** the user, by way of [`operators`](super::operators) too. **Below:** `mlops`; each
//! method here composes its functions, so that nothing here needs a derivative of its own.
//!
//! Laws:
//! 1. Methods of two tensors broadcast and promote ([`operand`](super::operand)); methods of one keep the shape.
//! 2. What makes fractions gives floats: integers are cast to float32 before `div`, `log`, `sin`, `sqrt` and the like.
//! 3. NaN in, NaN out. A branch that was not taken leaks no NaN into the gradient either: where a function is pieced together,
//!    the input of each piece is kept inside that piece.
//! 4. Steps (`trunc`, `floor`, `ceil`, `round`, `sign`) have the gradient 0, not none: a parameter below them is not cut off.
//!
//! Where the original composes more than needed, or loses digits, the doc says what is different.

use super::Tensor;
use super::operand::{Operand, broadcast_all, common_device, unify};
use crate::dtype::{DType, Scalar};
use crate::error::fail;
use crate::mlops::binary::{Add, Div, Less, Maximum, Mod, Mul, NotEqual, Pow, Sub};
use crate::mlops::ternary::Where;
use crate::mlops::unary::{
    Contiguous, ContiguousBackward, Exp, Log, Neg, Sigmoid, Sin, Sqrt, Zero,
};
use std::f64::consts::{LN_2, LOG2_E};

// ---- The arithmetic of two operands ----------------------------------

/// float32 for what is not a float: law 2.
fn fractional(dtype: DType) -> DType {
    if dtype.is_float() {
        dtype
    } else {
        DType::Float32
    }
}

/// int32 for bool, which has no arithmetic to speak of.
fn countable(dtype: DType) -> DType {
    if dtype == DType::Bool {
        DType::Int32
    } else {
        dtype
    }
}

// As free functions of two operands, because an operator may have its number on the left.

/// a + b; either side may be a number.
#[track_caller]
pub fn add(a: Operand, b: Operand) -> Tensor {
    let [a, b] = unify("add", [a, b], |dtype| dtype);
    Tensor::apply(Add, &[&a, &b])
}

/// a − b; either side may be a number.
#[track_caller]
pub fn sub(a: Operand, b: Operand) -> Tensor {
    let [a, b] = unify("sub", [a, b], |dtype| dtype);
    Tensor::apply(Sub, &[&a, &b])
}

/// a + b where truth values count: true + true is 2, as in Python, and not "or".
/// ```
/// use teenygrad::{Tensor, tensor::math::add_counted};
/// let x = Tensor::from([1.0, -1.0]);
/// assert_eq!(add_counted((&x.gt(0)).into(), (&x.gt(-2)).into()).to_vec::<i32>(), [2, 1]);
/// ```
#[track_caller]
pub fn add_counted(a: Operand, b: Operand) -> Tensor {
    let [a, b] = unify("add", [a, b], countable);
    Tensor::apply(Add, &[&a, &b])
}

/// a − b where truth values count: (x > 0) − (x < 0) is the sign of x.
/// ```
/// use teenygrad::{Tensor, tensor::math::sub_counted};
/// let x = Tensor::from([5.0, 0.0, -5.0]);
/// assert_eq!(sub_counted((&x.gt(0)).into(), (&x.lt(0)).into()).to_vec::<i32>(), [1, 0, -1]);
/// ```
#[track_caller]
pub fn sub_counted(a: Operand, b: Operand) -> Tensor {
    let [a, b] = unify("sub", [a, b], countable);
    Tensor::apply(Sub, &[&a, &b])
}

/// −x where truth values count: −true is −1.
pub fn neg_counted(x: &Tensor) -> Tensor {
    Tensor::apply(Neg, &[&x.cast(countable(x.dtype()))])
}

/// a · b; either side may be a number.
#[track_caller]
pub fn mul(a: Operand, b: Operand) -> Tensor {
    let [a, b] = unify("mul", [a, b], |dtype| dtype);
    Tensor::apply(Mul::default(), &[&a, &b])
}

/// a / b, the true quotient; either side may be a number.
#[track_caller]
pub fn div(a: Operand, b: Operand) -> Tensor {
    let [a, b] = unify("div", [a, b], fractional);
    Tensor::apply(Div::default(), &[&a, &b])
}

/// a / b cut towards zero; either side may be a number. See [`Tensor::idiv`].
#[track_caller]
pub fn idiv(a: Operand, b: Operand) -> Tensor {
    let [a, b] = unify("idiv", [a, b], countable);
    Tensor::apply(Div::default(), &[&a, &b]).trunc()
}

/// The remainder of a / b, with a's sign; either side may be a number.
#[track_caller]
pub fn modulo(a: Operand, b: Operand) -> Tensor {
    let [a, b] = unify("modulo", [a, b], countable);
    Tensor::apply(Mod::default(), &[&a, &b])
}

/// a / b rounded down, as Python's `//`: ⌊a/b⌋. Integers stay integers; by zero it is 0.
/// ```
/// use teenygrad::{Tensor, tensor::math::floor_div};
/// assert_eq!(floor_div(Tensor::from([7, -7]).into(), 2.into()).to_vec::<i32>(), [3, -4]);
/// ```
#[track_caller]
pub fn floor_div(a: Operand, b: Operand) -> Tensor {
    let [a, b] = unify("floor_div", [a, b], countable);
    if a.is_floating_point() {
        return Tensor::apply(Div::default(), &[&a, &b]).floor();
    }
    // What was cut towards zero is one too much if something was cut and the signs differ.
    let cut = Tensor::apply(Div::default(), &[&a, &b]);
    let left = a.sub(cut.mul(&b));
    let above = left.ne(0) & left.lt(0).ne(b.lt(0)) & b.ne(0);
    above.where_(cut.sub(1), &cut)
}

/// What [`floor_div`] leaves, as Python's `%`: a − ⌊a/b⌋·b. It has b's sign.
/// ```
/// use teenygrad::{Tensor, tensor::math::remainder};
/// assert_eq!(remainder(Tensor::from([7, -7]).into(), 4.into()).to_vec::<i32>(), [3, 1]);
/// assert_eq!(remainder(Tensor::from([5.5, -5.5]).into(), 2.into()).to_vec::<f32>(), [1.5, 0.5]);
/// ```
#[track_caller]
pub fn remainder(a: Operand, b: Operand) -> Tensor {
    let [a, b] = unify("remainder", [a, b], countable);
    let left = Tensor::apply(Mod::default(), &[&a, &b]);
    let other_sign = left.ne(0) & left.lt(0).ne(b.lt(0));
    other_sign.where_(left.add(&b), &left)
}

#[track_caller]
fn power(op: &str, a: Operand, b: Operand) -> Tensor {
    let [a, b] = unify(op, [a, b], countable);
    Tensor::apply(Pow::default(), &[&a, &b])
}

impl Tensor {
    /// a + b. For two bool tensors: or.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([[1], [2]]).add(&Tensor::from([10, 20])).to_vec::<i32>(), [11, 21, 12, 22]);
    /// ```
    /// # Panics
    /// As all methods of two tensors: if the shapes don't broadcast or the devices differ.
    #[track_caller]
    pub fn add(&self, x: impl Into<Operand>) -> Tensor {
        add(self.into(), x.into())
    }

    /// a − b.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([3.0, 5.0]).sub(1).to_vec::<f32>(), [2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn sub(&self, x: impl Into<Operand>) -> Tensor {
        sub(self.into(), x.into())
    }

    /// a · b, element by element. For two bool tensors: and.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([3.0, 5.0]).mul(&Tensor::from([2.0, 0.5])).to_vec::<f32>(), [6.0, 2.5]);
    /// ```
    #[track_caller]
    pub fn mul(&self, x: impl Into<Operand>) -> Tensor {
        mul(self.into(), x.into())
    }

    /// a / b, the true quotient: integers give float32.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 6]).div(4).to_vec::<f32>(), [0.25, 1.5]);
    /// ```
    #[track_caller]
    pub fn div(&self, x: impl Into<Operand>) -> Tensor {
        div(self.into(), x.into())
    }

    /// a / b cut towards zero, as Rust and C divide integers: trunc(a/b). Integers stay integers; an integer by zero is 0, like in
    /// every kernel. The gradient is 0 (of floats; integers have none).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([7, -7]).idiv(2).to_vec::<i32>(), [3, -3]);
    /// ```
    #[track_caller]
    pub fn idiv(&self, x: impl Into<Operand>) -> Tensor {
        idiv(self.into(), x.into())
    }

    /// a mod b = a − trunc(a/b)·b, the remainder of [`Tensor::idiv`]: it has a's sign, as Rust's `%`. (Python's has b's.)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([7, -7]).modulo(4).to_vec::<i32>(), [3, -3]);
    /// assert_eq!((Tensor::from([5.5, -5.5]) % 2).to_vec::<f32>(), [1.5, -1.5]);
    /// ```
    #[track_caller]
    pub fn modulo(&self, x: impl Into<Operand>) -> Tensor {
        modulo(self.into(), x.into())
    }

    /// aᵇ.
    ///
    /// A constant exponent of 0, ±1, ±2, 3 or ±½ is written as products, quotients and roots, which are faster, and exact where
    /// the result is. Other powers of negative numbers are right for whole exponents and NaN for fractional ones; 0⁰ = 1.
    ///
    /// Integers stay integers if the exponent is a whole number, not negative, or a tensor of integers (where negative ones cut towards
    /// zero); else they are cast to float32 first.
    ///
    /// The gradients: ∂/∂a = b·aᵇ⁻¹ and ∂/∂b = aᵇ·ln a; see [`Pow`].
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([2.0, -3.0]).requires_grad(true);
    /// let y = x.pow(3);
    /// assert_eq!(y.to_vec::<f32>(), [8.0, -27.0]);
    /// y.sum(()).backward();
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [12.0, 27.0]); // 3x²
    /// assert_eq!(Tensor::from([4, 16]).pow(-0.5).to_vec::<f32>(), [0.5, 0.25]);
    /// ```
    #[track_caller]
    pub fn pow(&self, exponent: impl Into<Operand>) -> Tensor {
        let exponent = exponent.into();
        let Operand::Number(number) = exponent else {
            return power("pow", self.into(), exponent);
        };
        let whole = match number {
            Scalar::Bool(_) => true,
            Scalar::Int(number) => number >= 0,
            Scalar::Float(_) => false,
        };
        let base = self.cast(if whole {
            countable(self.dtype())
        } else {
            fractional(self.dtype())
        });
        match number.as_f64() {
            // A one that stays connected, with gradient 0: law 4.
            0.0 => Tensor::apply(Zero, &[&base]).add(1),
            1.0 => base,
            2.0 => base.square(),
            3.0 => base.square().mul(&base),
            -1.0 => base.reciprocal(),
            // 1/x twice, not 1/x²: at 0 the gradient of the latter is 0 · ∞.
            -2.0 => base.reciprocal().square(),
            0.5 => base.sqrt(),
            -0.5 => base.rsqrt(),
            _ => power("pow", base.into(), exponent),
        }
    }

    /// baseᵃ: the power with this tensor as the exponent.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([3.0, -1.0]).rpow(2).to_vec::<f32>(), [8.0, 0.5]); // 2³, 2⁻¹
    /// ```
    #[track_caller]
    pub fn rpow(&self, base: impl Into<Operand>) -> Tensor {
        power("rpow", base.into(), self.into())
    }

    /// The larger of a and b; NaN if either is. The gradient goes to the larger, at a tie half to each.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 5]).maximum(3).to_vec::<i32>(), [3, 5]);
    /// ```
    #[track_caller]
    pub fn maximum(&self, x: impl Into<Operand>) -> Tensor {
        let [a, b] = unify("maximum", [self.into(), x.into()], |dtype| dtype);
        Tensor::apply(Maximum::default(), &[&a, &b])
    }

    /// The smaller of a and b; NaN if either is. The gradient goes to the smaller, at a tie half to each.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 5]).minimum(3).to_vec::<i32>(), [1, 3]);
    /// ```
    #[track_caller]
    pub fn minimum(&self, x: impl Into<Operand>) -> Tensor {
        let [a, b] = unify("minimum", [self.into(), x.into()], |dtype| dtype);
        if a.is_floating_point() {
            return Tensor::apply(Maximum::default(), &[&a.neg(), &b.neg()]).neg();
        }
        // −0 is 0 and −(−128) is −128 in eight bits: for integers, the mirror is cracked.
        let less = Tensor::apply(Less, &[&a, &b]);
        Tensor::apply(Where::default(), &[&less, &a, &b])
    }

    // ---- Choosing and comparing --------------------------------------

    /// `input` where this is true (not zero), `other` elsewhere; all three broadcast. The gradient follows the choice.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([-2.0, 3.0]);
    /// assert_eq!(x.lt(0).where_(0, &x).to_vec::<f32>(), [0.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn where_(&self, input: impl Into<Operand>, other: impl Into<Operand>) -> Tensor {
        let (input, other) = (input.into(), other.into());
        let device = common_device("where", &[self.into(), input.clone(), other.clone()]);
        let (a, b) = match (input, other) {
            // Two numbers have no tensor to take a dtype from.
            (Operand::Number(a), Operand::Number(b)) => {
                let dtype = match (a, b) {
                    (Scalar::Float(_), _) | (_, Scalar::Float(_)) => DType::Float32,
                    (Scalar::Bool(_), Scalar::Bool(_)) => DType::Bool,
                    (Scalar::Int(_), _) | (_, Scalar::Int(_)) => DType::Int32,
                };
                (
                    Operand::Number(a).into_tensor(dtype, device),
                    Operand::Number(b).into_tensor(dtype, device),
                )
            }
            (a, b) => {
                let [a, b] = unify("where", [a, b], |dtype| dtype);
                (a, b)
            }
        };
        let [condition, a, b] = broadcast_all("where", [self.cast(DType::Bool), a, b]);
        Tensor::apply(Where::default(), &[&condition, &a, &b])
    }

    /// a < b, as bool. Comparisons have no gradient, and with NaN they are false.
    ///
    /// A number is compared as the number that it is, also where the tensor's dtype has no such value: no uint8 is less than −1.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).lt(2).to_vec::<bool>(), [true, false, false]);
    /// ```
    #[track_caller]
    pub fn lt(&self, x: impl Into<Operand>) -> Tensor {
        let [a, b] = comparable("lt", self, x.into());
        Tensor::apply(Less, &[&a, &b])
    }

    /// a > b, as bool.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).gt(2).to_vec::<bool>(), [false, false, true]);
    /// ```
    #[track_caller]
    pub fn gt(&self, x: impl Into<Operand>) -> Tensor {
        let [a, b] = comparable("gt", self, x.into());
        Tensor::apply(Less, &[&b, &a])
    }

    /// a ≤ b, as bool.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).le(2).to_vec::<bool>(), [true, true, false]);
    /// ```
    #[track_caller]
    pub fn le(&self, x: impl Into<Operand>) -> Tensor {
        let [a, b] = comparable("le", self, x.into());
        at_most(&a, &b)
    }

    /// a ≥ b, as bool.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3]).ge(2).to_vec::<bool>(), [false, true, true]);
    /// ```
    #[track_caller]
    pub fn ge(&self, x: impl Into<Operand>) -> Tensor {
        let [a, b] = comparable("ge", self, x.into());
        at_most(&b, &a)
    }

    /// a = b, as bool. NaN equals nothing, itself included.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1u8, 255]).eq(-1).to_vec::<bool>(), [false, false]);
    /// ```
    #[track_caller]
    pub fn eq(&self, x: impl Into<Operand>) -> Tensor {
        !self.unequal("eq", x.into())
    }

    /// a ≠ b, as bool; true for NaN. Of two bool tensors: exclusive or.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, f32::NAN]).ne(1).to_vec::<bool>(), [false, true]);
    /// ```
    #[track_caller]
    pub fn ne(&self, x: impl Into<Operand>) -> Tensor {
        self.unequal("ne", x.into())
    }

    #[track_caller]
    fn unequal(&self, op: &str, x: Operand) -> Tensor {
        let [a, b] = comparable(op, self, x);
        Tensor::apply(NotEqual, &[&a, &b])
    }
}

/// Two operands of a comparison. A whole number that the integer dtype doesn't hold must not wrap into one that it holds: both sides
/// become int64, or float64 where even that is too narrow.
#[track_caller]
fn comparable(op: &str, a: &Tensor, b: Operand) -> [Tensor; 2] {
    let number = match b {
        Operand::Number(Scalar::Int(number)) => Some(Scalar::Int(number)),
        Operand::Number(Scalar::Bool(_) | Scalar::Float(_)) | Operand::Tensor(_) => None,
    };
    let fits =
        |dtype: DType| !dtype.is_int() || number.is_none_or(|number| number.cast(dtype) == number);
    unify(op, [a.into(), b], |dtype| match dtype {
        dtype if fits(dtype) => dtype,
        dtype if dtype != DType::Uint64 && fits(DType::Int64) => DType::Int64,
        _ => DType::Float64,
    })
}

/// a ≤ b. Among integers that is "not a > b"; among floats NaN makes neither true, and it takes "less or equal".
fn at_most(a: &Tensor, b: &Tensor) -> Tensor {
    if !a.is_floating_point() {
        return !Tensor::apply(Less, &[b, a]);
    }
    Tensor::apply(Less, &[a, b]) | !Tensor::apply(NotEqual, &[a, b])
}

// ---- Functions of one tensor -----------------------------------------

impl Tensor {
    /// This tensor if its elements are floats, else as float32: law 2. (The original's `_to_float`.)
    pub(crate) fn to_float(&self) -> Tensor {
        self.cast(fractional(self.dtype()))
    }

    /// −x. Integers wrap.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, -2.0]).neg().to_vec::<f32>(), [-1.0, 2.0]);
    /// ```
    /// # Panics
    /// For a bool tensor: "not" is `!x`.
    #[track_caller]
    pub fn neg(&self) -> Tensor {
        if self.dtype() == DType::Bool {
            fail!(Type: "neg", "a truth value has no sign"; "!x is its opposite, x.cast(DType::Int32) a number");
        }
        Tensor::apply(Neg, &[self])
    }

    /// The same values, written out in row-major order if they don't lie so already.
    pub fn contiguous(&self) -> Tensor {
        Tensor::apply(Contiguous, &[self])
    }

    /// The same values; their *gradient* will be written out. A place to cut fusion in the backward pass.
    pub fn contiguous_backward(&self) -> Tensor {
        Tensor::apply(ContiguousBackward, &[self])
    }

    // ---- Logarithms and exponentials ---------------------------------

    /// ln x; −∞ at 0, NaN below. **dx = dy / x**.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.0, 0.0]).log().to_vec::<f32>(), [0.0, f32::NEG_INFINITY]);
    /// ```
    pub fn log(&self) -> Tensor {
        Tensor::apply(Log::default(), &[&self.to_float()])
    }

    /// log₂ x = ln x / ln 2.
    /// ```
    /// # use teenygrad::Tensor;
    /// let y = Tensor::from([8.0, 0.5]).log2().to_vec::<f32>(); // 3, −1
    /// assert!((y[0] - 3.0).abs() < 1e-6 && (y[1] + 1.0).abs() < 1e-6);
    /// ```
    pub fn log2(&self) -> Tensor {
        self.log().mul(LOG2_E)
    }

    /// eˣ. **dx = eˣ · dy**.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([0.0, -200.0]).exp().to_vec::<f32>(), [1.0, 0.0]);
    /// ```
    pub fn exp(&self) -> Tensor {
        Tensor::apply(Exp::default(), &[&self.to_float()])
    }

    /// 2ˣ, as a power, so that whole exponents give exact results. (The original's e^(x · ln 2) rounds before it exponentiates.)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([3, -1]).exp2().to_vec::<f32>(), [8.0, 0.5]);
    /// ```
    pub fn exp2(&self) -> Tensor {
        self.to_float().rpow(2)
    }

    /// σ(x) = 1 / (1 + e⁻ˣ). **dx = y · (1 − y) · dy**.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([0.0, 500.0, -500.0]).sigmoid().to_vec::<f32>(), [0.5, 1.0, 0.0]);
    /// ```
    pub fn sigmoid(&self) -> Tensor {
        Tensor::apply(Sigmoid::default(), &[&self.to_float()])
    }

    // ---- Powers ------------------------------------------------------

    /// √x; NaN below 0. **dx = dy / (2y)**, infinite at 0.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([9, 2]).sqrt().to_vec::<f32>(), [3.0, 2f32.sqrt()]);
    /// ```
    pub fn sqrt(&self) -> Tensor {
        Tensor::apply(Sqrt::default(), &[&self.to_float()])
    }

    /// 1 / √x.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([4.0]).requires_grad(true);
    /// x.rsqrt().sum(()).backward();
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [-0.0625]); // −½ · x^(−3/2)
    /// ```
    pub fn rsqrt(&self) -> Tensor {
        self.sqrt().reciprocal()
    }

    /// x².
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([3, -4]).square().to_vec::<i32>(), [9, 16]);
    /// ```
    pub fn square(&self) -> Tensor {
        self.mul(self)
    }

    /// 1 / x.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([4, -2]).reciprocal().to_vec::<f32>(), [0.25, -0.5]);
    /// ```
    pub fn reciprocal(&self) -> Tensor {
        div(1.into(), self.into())
    }

    // ---- Circular and hyperbolic functions ---------------------------

    /// sin x, x in radians. **dx = cos x · dy**.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([0.0]).sin().to_vec::<f32>(), [0.0]);
    /// ```
    pub fn sin(&self) -> Tensor {
        Tensor::apply(Sin::default(), &[&self.to_float()])
    }

    /// cos x = 1 − 2·sin²(x/2), the half-angle formula.
    ///
    /// The original takes sin(π/2 − x), whose difference is rounded: for x = 10,000 it is off by half a thousandth, while
    /// halving is exact.
    /// ```
    /// # use teenygrad::Tensor;
    /// let y = Tensor::from([0.0, 10_000.0]).cos().to_vec::<f32>();
    /// assert_eq!(y[0], 1.0);
    /// assert!((y[1] - -0.952_155_4).abs() < 1e-6);
    /// ```
    pub fn cos(&self) -> Tensor {
        sub(1.into(), self.mul(0.5).sin().square().mul(2).into())
    }

    /// tan x = sin x / cos x.
    /// ```
    /// # use teenygrad::Tensor;
    /// let y = Tensor::from([std::f32::consts::FRAC_PI_4]).tan().item::<f32>(); // 45°
    /// assert!((y - 1.0).abs() < 1e-6);
    /// ```
    pub fn tan(&self) -> Tensor {
        self.sin().div(self.cos())
    }

    /// sinh x = (eˣ − e⁻ˣ) / 2.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([0.0]).sinh().to_vec::<f32>(), [0.0]);
    /// ```
    pub fn sinh(&self) -> Tensor {
        let x = self.to_float();
        x.exp().sub(x.neg().exp()).mul(0.5)
    }

    /// cosh x = (eˣ + e⁻ˣ) / 2.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([0.0]).cosh().to_vec::<f32>(), [1.0]);
    /// ```
    pub fn cosh(&self) -> Tensor {
        let x = self.to_float();
        x.exp().add(x.neg().exp()).mul(0.5)
    }

    /// tanh x = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ) = 2σ(2x) − 1, which neither overflows nor is 0/0 for large x.
    ///
    /// The absolute error is that of a float32 near 1, about 10⁻⁷, also for small x.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([0.0, 500.0, -500.0]).tanh().to_vec::<f32>(), [0.0, 1.0, -1.0]);
    /// ```
    pub fn tanh(&self) -> Tensor {
        self.mul(2).sigmoid().mul(2).sub(1)
    }

    /// asinh x, the inverse of sinh: ln(x + √(x² + 1)) for x ≥ 0, and mirrored below, where the sum would cancel.
    /// ```
    /// # use teenygrad::Tensor;
    /// let y = Tensor::from([-1.175_201_2, 0.0, 1e30]).asinh().to_vec::<f32>(); // sinh 1 = 1.1752012
    /// assert!((y[0] + 1.0).abs() < 1e-6 && y[1] == 0.0 && (y[2] - 69.770_7).abs() < 1e-3); // ln(2·10³⁰)
    /// ```
    pub fn asinh(&self) -> Tensor {
        let x = self.to_float();
        let negative = x.lt(0);
        // |x|, with slope 1 at 0, where that of asinh is 1.
        let y = inverse_hyperbolic(&negative.where_(x.neg(), &x), |x| x.square().add(1));
        negative.where_(y.neg(), &y)
    }

    /// acosh x, the inverse of cosh: ln(x + √(x² − 1)); NaN below 1.
    /// ```
    /// # use teenygrad::Tensor;
    /// let y = Tensor::from([1.0, 1.543_080_6, 1e30]).acosh().to_vec::<f32>(); // cosh 1 = 1.5430806
    /// assert!(y[0] == 0.0 && (y[1] - 1.0).abs() < 1e-6 && (y[2] - 69.770_7).abs() < 1e-3);
    /// ```
    pub fn acosh(&self) -> Tensor {
        // (x − 1)(x + 1) keeps the digits that x² − 1 loses near 1.
        inverse_hyperbolic(&self.to_float(), |x| x.sub(1).mul(x.add(1)))
    }

    /// atanh x, the inverse of tanh: ½·(ln(1 + x) − ln(1 − x)); ±∞ at ±1, NaN outside.
    /// ```
    /// # use teenygrad::Tensor;
    /// let y = Tensor::from([0.0, 0.761_594_2, 1.0]).atanh().to_vec::<f32>(); // tanh 1 = 0.7615942
    /// assert!(y[0] == 0.0 && (y[1] - 1.0).abs() < 1e-6 && y[2] == f32::INFINITY);
    /// ```
    pub fn atanh(&self) -> Tensor {
        let x = self.to_float();
        x.add(1)
            .log()
            .sub(sub(1.into(), (&x).into()).log())
            .mul(0.5)
    }

    // ---- Steps -------------------------------------------------------

    /// x without its fraction, cut towards zero. Any size, infinity and NaN are what they are (the original goes by way of int32, and
    /// is wrong from 2³¹ on).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.7, -1.7, 3e9]).trunc().to_vec::<f32>(), [1.0, -1.0, 3e9]);
    /// ```
    pub fn trunc(&self) -> Tensor {
        self.step(|x| {
            // From 2^(fraction bits) on a float has no fraction, so the way through an integer need not be wider than that.
            let wide = x.dtype() == DType::Float64;
            let (limit, integer) = if wide {
                (2f64.powi(52), DType::Int64)
            } else {
                (2f64.powi(23), DType::Int32)
            };
            // max(x, −x) < limit: false for NaN. Float16 ends below the limit, which becomes ∞ there and is never reached but by ±∞.
            x.maximum(x.neg())
                .lt(limit)
                .where_(x.cast(integer).cast(x.dtype()), x)
        })
    }

    /// The largest whole number ≤ x.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.7, -1.7, -2.0]).floor().to_vec::<f32>(), [1.0, -2.0, -2.0]);
    /// ```
    pub fn floor(&self) -> Tensor {
        self.step(|x| {
            let cut = x.trunc();
            x.lt(&cut).where_(cut.sub(1), &cut)
        })
    }

    /// The smallest whole number ≥ x.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1.7, -1.7, 2.0]).ceil().to_vec::<f32>(), [2.0, -1.0, 2.0]);
    /// ```
    pub fn ceil(&self) -> Tensor {
        self.step(|x| {
            let cut = x.trunc();
            x.gt(&cut).where_(cut.add(1), &cut)
        })
    }

    /// The nearest whole number; a half goes to the even one, as IEEE 754, NumPy and PyTorch do.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([0.5, 1.5, 2.4, -0.7]).round().to_vec::<f32>(), [0.0, 2.0, 2.0, -1.0]);
    /// ```
    pub fn round(&self) -> Tensor {
        self.step(|x| {
            let below = x.floor();
            let fraction = x.sub(&below);
            let to_even = fraction.eq(0.5) & below.modulo(2).ne(0);
            (fraction.gt(0.5) | to_even).where_(below.add(1), &below)
        })
    }

    /// A step function of floats: its values, with gradient 0 (law 4). Integers are whole, and are left alone.
    fn step(&self, values: impl FnOnce(&Tensor) -> Tensor) -> Tensor {
        if !self.is_floating_point() {
            return self.clone();
        }
        let values = Tensor::no_grad(|| values(self));
        values.add(Tensor::apply(Zero, &[self]))
    }

    // ---- Size and sign -----------------------------------------------

    /// |x|. The slope at 0 is 0, halfway between its neighbours −1 and 1.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([-3.0, 0.0, 2.0]).requires_grad(true);
    /// let y = x.abs();
    /// assert_eq!(y.to_vec::<f32>(), [3.0, 0.0, 2.0]);
    /// y.sum(()).backward();
    /// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [-1.0, 0.0, 1.0]);
    /// ```
    pub fn abs(&self) -> Tensor {
        let dtype = self.dtype();
        if dtype == DType::Bool || dtype.is_unsigned() {
            return self.clone();
        }
        if dtype.is_int() {
            // −(−128) wraps to −128 in int8, as in NumPy and PyTorch; max(x, 0) + max(−x, 0) would make it 0.
            return self.lt(0).where_(self.neg(), self);
        }
        self.relu().add(self.neg().relu())
    }

    /// −1, 0 or 1; NaN of NaN. The gradient is 0.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-3, 0, 2]).sign().to_vec::<i32>(), [-1, 0, 1]);
    /// ```
    pub fn sign(&self) -> Tensor {
        let dtype = self.dtype();
        let signs = |x: &Tensor| {
            // What is neither below nor above 0 is 0 or NaN: x itself, in both cases.
            let above = x.gt(0).where_(1, x);
            if dtype == DType::Bool || dtype.is_unsigned() {
                above.cast(dtype)
            } else {
                x.lt(0).where_(-1, above)
            }
        };
        if dtype.is_float() {
            self.step(signs)
        } else {
            signs(self)
        }
    }

    /// x, but at least `min` and at most `max`. The gradient passes strictly between the bounds, and is 0 at them and outside, as in
    /// PyTorch.
    ///
    /// Integers stay integers if both bounds are whole or infinite.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([-5.0, 0.5, 5.0]).clip(-1.0, 1.0).to_vec::<f32>(), [-1.0, 0.5, 1.0]);
    /// assert_eq!(Tensor::from([3u8, 200]).clip(-1.0, 100.0).to_vec::<u8>(), [3, 100]);
    /// ```
    /// # Panics
    /// If min > max, or a bound is NaN.
    #[track_caller]
    pub fn clip(&self, min: f64, max: f64) -> Tensor {
        self.clipped("clip", min, max)
    }

    /// [`Tensor::clip`] under the name of the method that the user called.
    #[track_caller]
    pub(super) fn clipped(&self, op: &str, min: f64, max: f64) -> Tensor {
        if min.is_nan() || max.is_nan() || min > max {
            fail!(op, "no number is at least {min} and at most {max}");
        }
        let whole = |bound: f64| bound.is_infinite() || bound.fract() == 0.0;
        let dtype = if whole(min) && whole(max) {
            countable(self.dtype())
        } else {
            fractional(self.dtype())
        };
        let x = self.cast(dtype);
        // The cast saturates: a bound beyond all the dtype's values becomes the last of them, and clips nothing.
        let [low, high] = [min, max].map(|bound| Operand::Number(Scalar::Float(bound).cast(dtype)));
        let clipped = x.le(low.clone()).where_(low, &x);
        x.ge(high.clone()).where_(high, clipped)
    }
}

/// ln(x + √r(x)) with r(x) = x² ± 1, for x ≥ 0. Where x² would overflow, the ±1 has long been lost, and it is ln 2x = ln x + ln 2.
fn inverse_hyperbolic(x: &Tensor, radicand: impl Fn(&Tensor) -> Tensor) -> Tensor {
    // float16's squares end at 256², and its digits end long before.
    let large = x.gt(if x.dtype() == DType::Float16 {
        200.0
    } else {
        1e8
    });
    // Law 3: the piece for small x gets to see no large one. Its slope there would be ∞ · 0.
    let small = large.where_(1, x);
    let sum = small.add(radicand(&small).sqrt());
    let log = large.where_(x, sum).log();
    large.where_(log.add(LN_2), &log)
}

#[cfg(test)]
mod tests;
