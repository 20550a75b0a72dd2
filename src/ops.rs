//! # ops: the closed list of primitive operations, each with its scalar meaning
//!
//! **In:** [`Scalar`]s. **Out:** the enums that a [`LazyBuffer`](crate::lazy::LazyBuffer) records and a
//! [`Kernel`](crate::kernel::Kernel) computes, and what each of them means for one element: [`UnaryOps::eval`] and its siblings
//! *are* the definition of the ops; the reference device calls nothing else, and every faster engine is tested against it.
//!
//! Laws:
//! 1. Both operands of an op have one dtype (the tensor room casts before it gets here); the result has it too, except for
//!    comparisons, which give bool.
//! 2. Floats follow IEEE 754, computed in float64 and rounded once to the dtype. `MAX` gives NaN if either side is NaN.
//! 3. Integers wrap. Integer `DIV` cuts towards zero, and `MOD` has the sign of its left side, as in C and Rust:
//!    `(a / b) * b + a % b == a`. Dividing an integer by zero gives 0, with a remainder of 0: no kernel may panic on data.
//!
//! Beyond the seed's list: `POW`, because a power composed of `EXP2` and `LOG2` is NaN for every negative base;
//! `AND`, `OR`, `XOR`, `SHL` and `SHR`, because arithmetic doesn't reach single bits; `CMPNE`, because `x < y or y < x` is false for NaN, which is unequal to everything; `WINDOW`, `IOTA`, `GATHER`, `SCATTER` and
//! `SCAN`, which are explained at [`MovementOps`], [`LoadOps`] and in [`crate::lazy`].

use crate::dtype::{DType, Scalar};

/// One operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOps {
    /// x, unchanged
    Noop,
    /// 2ˣ
    Exp2,
    /// log₂ x; NaN below 0, −∞ at 0
    Log2,
    /// x as another dtype, by the rules of [`Scalar::cast`]
    Cast(DType),
    /// x's bits read as another dtype of the same size
    Bitcast(DType),
    /// sin x, in radians
    Sin,
    /// √x; NaN below 0
    Sqrt,
    /// 1/x
    Recip,
    /// −x; integers wrap, and not for bool
    Neg,
}

/// Two operands of one dtype.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOps {
    /// a + b; for bool, or
    Add,
    /// a − b
    Sub,
    /// a · b; for bool, and
    Mul,
    /// a / b; integers cut towards zero
    Div,
    /// the larger; NaN if either is
    Max,
    /// the remainder of the division that cuts towards zero
    Mod,
    /// aᵇ, with 0⁰ = 1; an integer to a negative power is cut towards zero like any division
    Pow,
    /// a < b, as bool
    Cmplt,
    /// a ≠ b, as bool; NaN is unequal to everything
    Cmpne,
    /// the bits that both have; this and the next four are for integers and bool, not for floats
    And,
    /// the bits that either has
    Or,
    /// the bits that one has and the other has not
    Xor,
    /// a's bits moved up by b places, zeros behind them; 0 if b is negative or no smaller than the number of bits
    Shl,
    /// a's bits moved down by b places, its sign before them: ⌊a / 2ᵇ⌋; as far as they go if b is negative or no smaller than the number of bits
    Shr,
}

/// Many elements to one, along axes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReduceOps {
    /// Σ; 0 over nothing
    Sum,
    /// the largest; NaN if any is
    Max,
}

/// Three operands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TernaryOps {
    /// a · b + c
    Mulacc,
    /// b where the bool a is true, else c
    Where,
}

/// Ops that move elements and compute nothing: they change the view, never the memory. The arguments are those of
/// [`LazyBuffer`](crate::lazy::LazyBuffer)'s methods of the same names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MovementOps {
    /// other shape, same elements in the same order
    Reshape,
    /// axes in another order
    Permute,
    /// axes of size 1 repeated without copying
    Expand,
    /// zeros around
    Pad,
    /// a box cut out
    Shrink,
    /// every n-th element; negative n walks backwards
    Stride,
    /// overlapping boxes as a view of their own: what convolution and pooling slide over their input
    Window,
}

/// Where elements come from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LoadOps {
    /// memory, not initialised to anything in particular (here: zeros)
    Empty,
    /// uniform random numbers in [0, 1), a function of a key and the element's position
    Rand,
    /// one number, everywhere
    Const,
    /// a copy from another device
    From,
    /// the elements of a view, written out one after the other
    Contiguous,
    /// the element's own position, 0, 1, 2, …, from which `arange` and masks are made without memory
    Iota,
    /// anything else, brought by a caller as finished memory
    Custom,
}

impl UnaryOps {
    /// What the op does to one element of dtype `dtype`.
    pub fn eval(self, x: Scalar, dtype: DType) -> Scalar {
        let float = |f: fn(f64) -> f64| Scalar::Float(f(x.as_f64())).cast(dtype);
        match self {
            UnaryOps::Noop => x,
            UnaryOps::Exp2 => float(f64::exp2),
            UnaryOps::Log2 => float(f64::log2),
            UnaryOps::Cast(to) => x.cast(to),
            UnaryOps::Bitcast(to) => bitcast(x, dtype, to),
            UnaryOps::Sin => float(f64::sin),
            UnaryOps::Sqrt => float(f64::sqrt),
            UnaryOps::Recip => BinaryOps::Div.eval(Scalar::Int(1).cast(dtype), x, dtype),
            UnaryOps::Neg => BinaryOps::Sub.eval(Scalar::Float(-0.0).cast(dtype), x, dtype),
        }
    }

    /// The dtype of the result.
    pub fn result(self, dtype: DType) -> DType {
        match self {
            UnaryOps::Cast(to) | UnaryOps::Bitcast(to) => to,
            UnaryOps::Noop
            | UnaryOps::Exp2
            | UnaryOps::Log2
            | UnaryOps::Sin
            | UnaryOps::Sqrt
            | UnaryOps::Recip
            | UnaryOps::Neg => dtype,
        }
    }
}

impl BinaryOps {
    /// What the op does to a pair of elements of dtype `dtype`.
    pub fn eval(self, a: Scalar, b: Scalar, dtype: DType) -> Scalar {
        use BinaryOps::*;
        if self == Cmplt || self == Cmpne {
            let (less, unequal) = match (a, b) {
                (Scalar::Int(a), Scalar::Int(b)) => (a < b, a != b),
                (a, b) => (a.as_f64() < b.as_f64(), a.as_f64() != b.as_f64()),
            };
            return Scalar::Bool(if self == Cmplt { less } else { unequal });
        }
        if dtype.is_float() {
            let (a, b) = (a.as_f64(), b.as_f64());
            let value = match self {
                Add => a + b,
                Sub => a - b,
                Mul => a * b,
                Div => a / b,
                Max if a.is_nan() || b.is_nan() => f64::NAN,
                Max => a.max(b),
                Mod => a % b,
                Pow => a.powf(b),
                Cmplt | Cmpne => unreachable!("comparisons have returned above"),
                And | Or | Xor | Shl | Shr => unreachable!("LazyBuffer::e refuses bits of floats"),
            };
            return Scalar::Float(value).cast(dtype);
        }
        if dtype == DType::Bool {
            let (a, b) = (a.is_true(), b.is_true());
            return Scalar::Bool(match self {
                Add | Max => a | b,
                Sub => a ^ b,
                Mul => a & b,
                Div => a & b,
                Mod => false,
                Pow => a | !b,
                Cmplt | Cmpne => unreachable!("comparisons have returned above"),
                And => a & b,
                Or => a | b,
                Xor => a ^ b,
                Shl | Shr => a & !b,
            });
        }
        let (a, b) = (a.as_i128(), b.as_i128());
        let value = match self {
            Add => a + b,
            Sub => a - b,
            // Two uint64 can overflow even an i128's sign, hence wrapping; the low 64 bits are right.
            Mul => a.wrapping_mul(b),
            Div => a.checked_div(b).unwrap_or(0),
            Max => a.max(b),
            Mod => a.checked_rem(b).unwrap_or(0),
            Pow => integer_power(a, b),
            Cmplt | Cmpne => unreachable!("comparisons have returned above"),
            And => a & b,
            Or => a | b,
            Xor => a ^ b,
            Shl => within(b, dtype).map_or(0, |b| a << b),
            Shr => a >> within(b, dtype).unwrap_or(127),
        };
        Scalar::Int(value).cast(dtype)
    }

    /// The dtype of the result: bool for comparisons.
    pub fn result(self, dtype: DType) -> DType {
        use BinaryOps::*;
        match self {
            Cmplt | Cmpne => DType::Bool,
            Add | Sub | Mul | Div | Max | Mod | Pow | And | Or | Xor | Shl | Shr => dtype,
        }
    }

    /// Whether it works on bits, which floats don't give away.
    pub fn is_bitwise(self) -> bool {
        use BinaryOps::*;
        match self {
            And | Or | Xor | Shl | Shr => true,
            Add | Sub | Mul | Div | Max | Mod | Pow | Cmplt | Cmpne => false,
        }
    }
}

/// A number of places by which the bits of a dtype can be moved, or None if none are left then.
fn within(places: i128, dtype: DType) -> Option<u32> {
    let places = u32::try_from(places).ok()?;
    (places < 8 * dtype.itemsize() as u32).then_some(places)
}

impl ReduceOps {
    /// What a reduction starts from: 0 for a sum, the smallest value for a maximum.
    pub fn identity(self, dtype: DType) -> Scalar {
        match self {
            ReduceOps::Sum => Scalar::Int(0).cast(dtype),
            ReduceOps::Max => dtype.min_value(),
        }
    }

    /// The op that joins two partial results.
    pub fn combine(self) -> BinaryOps {
        match self {
            ReduceOps::Sum => BinaryOps::Add,
            ReduceOps::Max => BinaryOps::Max,
        }
    }
}

impl TernaryOps {
    /// What the op does to three elements; `dtype` is that of the last two.
    pub fn eval(self, a: Scalar, b: Scalar, c: Scalar, dtype: DType) -> Scalar {
        match self {
            TernaryOps::Mulacc => BinaryOps::Add.eval(BinaryOps::Mul.eval(a, b, dtype), c, dtype),
            TernaryOps::Where => {
                if a.is_true() {
                    b
                } else {
                    c
                }
            }
        }
    }
}

/// aᵇ for integers. A negative power is a division, cut towards zero: only ±1 survive it.
fn integer_power(base: i128, exponent: i128) -> i128 {
    match (base, exponent) {
        (1, _) => 1,
        (-1, e) => {
            if e % 2 == 0 {
                1
            } else {
                -1
            }
        }
        (_, e) if e < 0 => 0,
        (b, e) => b.wrapping_pow(e.min(u32::MAX as i128) as u32),
    }
}

/// The bits of `x`, an element of `from`, read as an element of `to`.
fn bitcast(x: Scalar, from: DType, to: DType) -> Scalar {
    use crate::dtype::{Element, with_dtype};
    debug_assert_eq!(from.itemsize(), to.itemsize());
    let mut bytes = [0u8; 8];
    with_dtype!(from, T => {
        let value = T::from_scalar(x);
        // SAFETY: `value` is plain old data of itemsize ≤ 8 bytes (the law of Element).
        unsafe { std::ptr::copy_nonoverlapping((&raw const value).cast::<u8>(), bytes.as_mut_ptr(), from.itemsize()) };
    });
    if to == DType::Bool {
        return Scalar::Bool(bytes[0] != 0);
    }
    // SAFETY: 8 bytes are there, and every bit pattern is a value of the dtypes that are not bool.
    with_dtype!(to, T => unsafe { bytes.as_ptr().cast::<T>().read_unaligned() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Scalar::*;

    #[test]
    fn integers_divide_towards_zero_and_never_fail() {
        let eval = |op: BinaryOps, a, b| op.eval(Int(a), Int(b), DType::Int32);
        assert_eq!(eval(BinaryOps::Div, -7, 2), Int(-3));
        assert_eq!(eval(BinaryOps::Mod, -7, 2), Int(-1));
        assert_eq!(eval(BinaryOps::Div, 5, 0), Int(0));
        assert_eq!(eval(BinaryOps::Mod, 5, 0), Int(0));
        assert_eq!(
            eval(BinaryOps::Div, i32::MIN as i128, -1),
            Int(i32::MIN as i128)
        ); // wraps
        assert_eq!(
            BinaryOps::Add.eval(Int(200), Int(100), DType::Uint8),
            Int(44)
        );
    }

    #[test]
    fn powers_of_any_base() {
        let float = |a: f64, b: f64| BinaryOps::Pow.eval(Float(a), Float(b), DType::Float64);
        assert_eq!(float(-2.0, 3.0), Float(-8.0));
        assert_eq!(float(0.0, 0.0), Float(1.0));
        assert!(matches!(float(-2.0, 0.5), Float(v) if v.is_nan()));
        let int = |a, b| BinaryOps::Pow.eval(Int(a), Int(b), DType::Int32);
        assert_eq!(
            (int(3, 4), int(2, -1), int(-1, -3), int(0, 0)),
            (Int(81), Int(0), Int(-1), Int(1))
        );
    }

    #[test]
    fn bits_move_and_fall_off() {
        let eval = |op: BinaryOps, a, b| op.eval(Int(a), Int(b), DType::Int8);
        use BinaryOps::*;
        assert_eq!(
            (eval(And, 12, 10), eval(Or, 12, 10), eval(Xor, 12, 10)),
            (Int(8), Int(14), Int(6))
        );
        assert_eq!(
            (eval(Xor, -1, 5), eval(Shl, 65, 1), eval(Shl, 1, 7)),
            (Int(-6), Int(-126), Int(-128))
        );
        assert_eq!(
            (eval(Shr, -5, 1), eval(Shr, 5, 1), eval(Shr, -5, 100)),
            (Int(-3), Int(2), Int(-1))
        );
        assert_eq!(
            (eval(Shl, 1, 8), eval(Shl, 1, -1), eval(Shr, 5, -1)),
            (Int(0), Int(0), Int(0))
        );
        assert_eq!(Shr.eval(Int(200), Int(1), DType::Uint8), Int(100));
    }

    #[test]
    fn max_propagates_nan_and_nan_is_unequal_to_itself() {
        let nan = Float(f64::NAN);
        assert!(
            matches!(BinaryOps::Max.eval(nan, Float(1.0), DType::Float32), Float(v) if v.is_nan())
        );
        assert_eq!(BinaryOps::Cmpne.eval(nan, nan, DType::Float32), Bool(true));
        assert_eq!(
            BinaryOps::Cmplt.eval(nan, Float(1.0), DType::Float32),
            Bool(false)
        );
    }

    #[test]
    fn bitcast_reads_the_same_bits() {
        assert_eq!(
            UnaryOps::Bitcast(DType::Uint32).eval(Float(1.0), DType::Float32),
            Int(0x3f80_0000)
        );
        assert_eq!(
            UnaryOps::Bitcast(DType::Float16).eval(Int(0x3c00), DType::Int16),
            Float(1.0)
        );
    }
}
