//! # dtype: the types that elements can have, and how they mix
//!
//! **In:** nothing; this room has no room below it. **Out:** [`DType`], the closed list of element types; [`Element`], the Rust
//! types that correspond to them; [`Scalar`], one value of any of them; [`DType::promote`], the type of a mixed expression.
//!
//! Laws:
//! 1. Storage and arithmetic are two things: [`DType::compute`] tells in which type a dtype is computed. f16 and bf16 are *stored*
//!    in two bytes and *computed* in f32, because no general processor adds them natively and f32 holds each of them exactly.
//! 2. Promotion follows one lattice (that of current tinygrad and of JAX). Two dtypes give the lowest dtype above both:
//!
//! ```text
//! bool → uint8 → uint16 → uint32 → uint64 ─────┐
//!   │      └→ int16 └→ int32  └→ int64         ▼
//!   └───→ int8 → int16 → int32 → int64 ──→ float16, bfloat16 → float32 → float64
//! ```
//! 3. A plain number is *weakly* typed: `x + 1` and `x * 2.5` keep the dtype of a float `x`. Only a fractional number that meets an
//!    integer tensor changes it, to float32.
//!
//! ```
//! use teenygrad::DType;
//! assert_eq!(DType::Uint8.promote(DType::Int8), DType::Int16); // the lowest type that holds both
//! assert_eq!(DType::Float16.promote(DType::BFloat16), DType::Float32);
//! assert_eq!(DType::Int64.promote(DType::Float16), DType::Float16); // any float is above any integer
//! ```

use half::{bf16, f16};
use std::fmt;

/// The type of a tensor's elements.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum DType {
    /// true or false, one byte
    Bool,
    /// signed, 8 bits
    Int8,
    /// unsigned, 8 bits
    Uint8,
    /// signed, 16 bits
    Int16,
    /// unsigned, 16 bits
    Uint16,
    /// signed, 32 bits
    Int32,
    /// unsigned, 32 bits
    Uint32,
    /// signed, 64 bits
    Int64,
    /// unsigned, 64 bits
    Uint64,
    /// IEEE 754 binary16: 5 bits of exponent, 10 of fraction; largest value 65504
    Float16,
    /// the upper half of a float32: 8 bits of exponent, 7 of fraction
    BFloat16,
    /// IEEE 754 binary32, the default
    Float32,
    /// IEEE 754 binary64
    Float64,
}

use DType::*;

/// The original's spelling: `dtypes::float32`, with its aliases `half`, `float` and `double`.
#[allow(non_upper_case_globals)]
pub mod dtypes {
    use super::DType;
    /// [`DType::Bool`]
    pub const bool: DType = DType::Bool;
    /// [`DType::Int8`]
    pub const int8: DType = DType::Int8;
    /// [`DType::Uint8`]
    pub const uint8: DType = DType::Uint8;
    /// [`DType::Int16`]
    pub const int16: DType = DType::Int16;
    /// [`DType::Uint16`]
    pub const uint16: DType = DType::Uint16;
    /// [`DType::Int32`]
    pub const int32: DType = DType::Int32;
    /// [`DType::Uint32`]
    pub const uint32: DType = DType::Uint32;
    /// [`DType::Int64`]
    pub const int64: DType = DType::Int64;
    /// [`DType::Uint64`]
    pub const uint64: DType = DType::Uint64;
    /// [`DType::Float16`]
    pub const float16: DType = DType::Float16;
    /// [`DType::BFloat16`]
    pub const bfloat16: DType = DType::BFloat16;
    /// [`DType::Float32`]
    pub const float32: DType = DType::Float32;
    /// [`DType::Float64`]
    pub const float64: DType = DType::Float64;
    /// Another name of [`float16`]
    pub const half: DType = float16;
    /// Another name of [`float32`]
    pub const float: DType = float32;
    /// Another name of [`float64`]
    pub const double: DType = float64;
}

impl DType {
    /// Every dtype, in order of priority.
    pub const ALL: [DType; 13] = [
        Bool, Int8, Uint8, Int16, Uint16, Int32, Uint32, Int64, Uint64, Float16, BFloat16, Float32,
        Float64,
    ];

    /// Bytes an element takes in memory.
    pub const fn itemsize(self) -> usize {
        match self {
            Bool | Int8 | Uint8 => 1,
            Int16 | Uint16 | Float16 | BFloat16 => 2,
            Int32 | Uint32 | Float32 => 4,
            Int64 | Uint64 | Float64 => 8,
        }
    }

    /// The name that users of Python know: `float32`, `uint8`, …
    pub const fn name(self) -> &'static str {
        match self {
            Bool => "bool",
            Int8 => "int8",
            Uint8 => "uint8",
            Int16 => "int16",
            Uint16 => "uint16",
            Int32 => "int32",
            Uint32 => "uint32",
            Int64 => "int64",
            Uint64 => "uint64",
            Float16 => "float16",
            BFloat16 => "bfloat16",
            Float32 => "float32",
            Float64 => "float64",
        }
    }

    /// The dtype's place in the order in which mixed operations prefer dtypes: bool is 0, float64 is the last.
    pub const fn priority(self) -> usize {
        self as usize
    }

    /// A signed or unsigned integer (bool is not one).
    pub const fn is_int(self) -> bool {
        matches!(
            self,
            Int8 | Uint8 | Int16 | Uint16 | Int32 | Uint32 | Int64 | Uint64
        )
    }

    /// One of the four floating-point types.
    pub const fn is_float(self) -> bool {
        matches!(self, Float16 | BFloat16 | Float32 | Float64)
    }

    /// An unsigned integer.
    pub const fn is_unsigned(self) -> bool {
        matches!(self, Uint8 | Uint16 | Uint32 | Uint64)
    }

    /// The dtype in which values of this one are computed: f32 for f16 and bf16, itself for all others.
    pub const fn compute(self) -> DType {
        match self {
            Float16 | BFloat16 => Float32,
            Bool | Int8 | Uint8 | Int16 | Uint16 | Int32 | Uint32 | Int64 | Uint64 | Float32
            | Float64 => self,
        }
    }

    /// The dtype in which a sum is accumulated and, for integers, returned: at least 32 bits, so that 300 ones in uint8 sum to 300.
    pub const fn sum_dtype(self) -> DType {
        match self {
            Bool | Int8 | Int16 => Int32,
            Uint8 | Uint16 => Uint32,
            Float16 | BFloat16 => Float32,
            Int32 | Uint32 | Int64 | Uint64 | Float32 | Float64 => self,
        }
    }

    /// The lowest dtype above both in the lattice of the module's header: the dtype of an operation between the two.
    pub fn promote(self, other: DType) -> DType {
        let (low, high) = if self <= other {
            (self, other)
        } else {
            (other, self)
        };
        if low == high || low == Bool || (high.is_float() && !low.is_float()) {
            return high;
        }
        if high.is_float() {
            return if (low, high) == (Float16, BFloat16) {
                Float32
            } else {
                high
            };
        }
        if low.is_unsigned() == high.is_unsigned() {
            return high;
        }
        // One signed, one unsigned: a signed type with more bits than the unsigned one. For uint64 no integer holds both (NumPy
        // goes to float64); we go to float32, the default, as its range holds every value if not every digit.
        let (unsigned, signed) = if low.is_unsigned() {
            (low, high)
        } else {
            (high, low)
        };
        match unsigned {
            Uint8 => signed.max(Int16),
            Uint16 => signed.max(Int32),
            Uint32 => Int64,
            Bool | Int8 | Int16 | Int32 | Int64 | Uint64 | Float16 | BFloat16 | Float32
            | Float64 => Float32,
        }
    }

    /// The dtype with this name, as [`DType::name`] prints it or under one of its aliases.
    pub fn from_name(name: &str) -> Option<DType> {
        match name {
            "half" => Some(Float16),
            "float" => Some(Float32),
            "double" => Some(Float64),
            _ => Self::ALL.into_iter().find(|dtype| dtype.name() == name),
        }
    }

    /// Smallest value, as a number: the identity of MAX. −∞ for floats.
    pub const fn min_value(self) -> Scalar {
        match self {
            Bool => Scalar::Bool(false),
            Uint8 | Uint16 | Uint32 | Uint64 => Scalar::Int(0),
            Int8 => Scalar::Int(i8::MIN as i128),
            Int16 => Scalar::Int(i16::MIN as i128),
            Int32 => Scalar::Int(i32::MIN as i128),
            Int64 => Scalar::Int(i64::MIN as i128),
            Float16 | BFloat16 | Float32 | Float64 => Scalar::Float(f64::NEG_INFINITY),
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name())
    }
}

// ---- One value of any dtype ------------------------------------------

/// One number, in the widest form of its kind. Integers are `i128`, so that every int64 and every uint64 is exact.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scalar {
    /// a truth value
    Bool(bool),
    /// an integer of any width and sign
    Int(i128),
    /// a floating-point number
    Float(f64),
}

impl Scalar {
    /// The value as it looks after a trip through `dtype`, by the rules of Rust's `as` with one exception:
    /// integers that are too large **wrap** (as in C, NumPy and PyTorch); floats turned into integers are cut towards zero and
    /// **saturate**, NaN becoming 0; anything but zero turned into bool is true; float64 to a narrower float rounds to nearest even.
    pub fn cast(self, dtype: DType) -> Scalar {
        macro_rules! int {
            ($t:ty) => {
                Scalar::Int(match self {
                    Scalar::Bool(v) => v as i128,
                    Scalar::Int(v) => v as $t as i128,
                    Scalar::Float(v) => v as $t as i128,
                })
            };
        }
        match dtype {
            Bool => Scalar::Bool(self.is_true()),
            Int8 => int!(i8),
            Uint8 => int!(u8),
            Int16 => int!(i16),
            Uint16 => int!(u16),
            Int32 => int!(i32),
            Uint32 => int!(u32),
            Int64 => int!(i64),
            Uint64 => int!(u64),
            // By way of f32, as the engines do, which compute both half types in f32.
            Float16 => Scalar::Float(f16::from_f32(self.as_f64() as f32).to_f64()),
            BFloat16 => Scalar::Float(bf16::from_f32(self.as_f64() as f32).to_f64()),
            Float32 => Scalar::Float(match self {
                Scalar::Int(v) => v as f32 as f64,
                Scalar::Bool(_) | Scalar::Float(_) => self.as_f64() as f32 as f64,
            }),
            Float64 => Scalar::Float(self.as_f64()),
        }
    }

    /// The value as a float64; integers beyond 2⁵³ round.
    pub fn as_f64(self) -> f64 {
        match self {
            Scalar::Bool(v) => v as u8 as f64,
            Scalar::Int(v) => v as f64,
            Scalar::Float(v) => v,
        }
    }

    /// The value as an integer, cut towards zero.
    pub fn as_i128(self) -> i128 {
        match self {
            Scalar::Bool(v) => v as i128,
            Scalar::Int(v) => v,
            Scalar::Float(v) => v as i128,
        }
    }

    /// Anything but zero; NaN is true.
    pub fn is_true(self) -> bool {
        match self {
            Scalar::Bool(v) => v,
            Scalar::Int(v) => v != 0,
            Scalar::Float(v) => v != 0.0,
        }
    }

    /// A number that no bits are lost of when it meets an integer: a whole number or a truth value.
    pub fn is_float(self) -> bool {
        matches!(self, Scalar::Float(_))
    }

    /// The value's bits as 64 of them, for hashing and for handing it to a kernel.
    pub fn bits(self) -> u64 {
        match self {
            Scalar::Bool(v) => v as u64,
            Scalar::Int(v) => v as u64,
            Scalar::Float(v) => v.to_bits(),
        }
    }
}

macro_rules! scalar_from {
    ($variant:ident, $wide:ty: $($t:ty),*) => {$(
        impl From<$t> for Scalar {
            fn from(value: $t) -> Scalar { Scalar::$variant(value as $wide) }
        }
    )*};
}
scalar_from!(Int, i128: i8, u8, i16, u16, i32, u32, i64, u64, isize, usize);
scalar_from!(Float, f64: f32, f64);
impl From<bool> for Scalar {
    fn from(value: bool) -> Scalar {
        Scalar::Bool(value)
    }
}
impl From<f16> for Scalar {
    fn from(value: f16) -> Scalar {
        Scalar::Float(value.to_f64())
    }
}
impl From<bf16> for Scalar {
    fn from(value: bf16) -> Scalar {
        Scalar::Float(value.to_f64())
    }
}

// ---- Rust's types as elements ----------------------------------------

/// A Rust type whose values can be a tensor's elements. Sealed: the list of dtypes is closed.
///
/// # Safety
/// Implementors are plain old data of exactly `DTYPE.itemsize()` bytes without padding.
/// Every bit pattern is a value, but for `bool`, whose bytes are 0 or 1.
pub unsafe trait Element:
    Copy + Send + Sync + PartialEq + fmt::Debug + Into<Scalar> + 'static
{
    /// The dtype whose elements this type is.
    const DTYPE: DType;
    /// The value nearest to `scalar`, by the rules of [`Scalar::cast`].
    fn from_scalar(scalar: Scalar) -> Self;
}

macro_rules! element {
    ($($t:ty => $dtype:ident, $from:expr;)*) => {$(
        // SAFETY: a primitive number (or `half`'s transparent wrapper of u16) of the size that itemsize states.
        unsafe impl Element for $t {
            const DTYPE: DType = DType::$dtype;
            fn from_scalar(scalar: Scalar) -> Self {
                let from: fn(Scalar) -> $t = $from;
                from(scalar.cast(DType::$dtype))
            }
        }
    )*};
}
element! {
    bool => Bool, |s| s.is_true();
    i8 => Int8, |s| s.as_i128() as i8;
    u8 => Uint8, |s| s.as_i128() as u8;
    i16 => Int16, |s| s.as_i128() as i16;
    u16 => Uint16, |s| s.as_i128() as u16;
    i32 => Int32, |s| s.as_i128() as i32;
    u32 => Uint32, |s| s.as_i128() as u32;
    i64 => Int64, |s| s.as_i128() as i64;
    u64 => Uint64, |s| s.as_i128() as u64;
    f16 => Float16, |s| f16::from_f64(s.as_f64());
    bf16 => BFloat16, |s| bf16::from_f64(s.as_f64());
    f32 => Float32, |s| s.as_f64() as f32;
    f64 => Float64, |s| s.as_f64();
}

/// Runs a generic body with `$T` bound to the Rust type of a dtype: the one place where run-time dtypes meet compile-time types.
macro_rules! with_dtype {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            $crate::dtype::DType::Bool => {
                type $T = bool;
                $body
            }
            $crate::dtype::DType::Int8 => {
                type $T = i8;
                $body
            }
            $crate::dtype::DType::Uint8 => {
                type $T = u8;
                $body
            }
            $crate::dtype::DType::Int16 => {
                type $T = i16;
                $body
            }
            $crate::dtype::DType::Uint16 => {
                type $T = u16;
                $body
            }
            $crate::dtype::DType::Int32 => {
                type $T = i32;
                $body
            }
            $crate::dtype::DType::Uint32 => {
                type $T = u32;
                $body
            }
            $crate::dtype::DType::Int64 => {
                type $T = i64;
                $body
            }
            $crate::dtype::DType::Uint64 => {
                type $T = u64;
                $body
            }
            $crate::dtype::DType::Float16 => {
                type $T = half::f16;
                $body
            }
            $crate::dtype::DType::BFloat16 => {
                type $T = half::bf16;
                $body
            }
            $crate::dtype::DType::Float32 => {
                type $T = f32;
                $body
            }
            $crate::dtype::DType::Float64 => {
                type $T = f64;
                $body
            }
        }
    };
}
pub(crate) use with_dtype;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_is_commutative_and_idempotent() {
        for a in DType::ALL {
            assert_eq!(a.promote(a), a);
            for b in DType::ALL {
                assert_eq!(a.promote(b), b.promote(a), "{a} with {b}");
            }
        }
    }

    #[test]
    fn integers_of_mixed_sign_go_to_a_signed_type_that_holds_both() {
        assert_eq!(Uint8.promote(Int8), Int16);
        assert_eq!(Uint8.promote(Int64), Int64);
        assert_eq!(Uint16.promote(Int16), Int32);
        assert_eq!(Uint32.promote(Int8), Int64);
        assert_eq!(Uint64.promote(Int8), Float32);
        assert_eq!(Bool.promote(Uint64), Uint64);
    }

    #[test]
    fn casts_wrap_between_integers_and_saturate_from_floats() {
        assert_eq!(Scalar::Int(300).cast(Uint8), Scalar::Int(44));
        assert_eq!(Scalar::Int(-1).cast(Uint32), Scalar::Int(u32::MAX as i128));
        assert_eq!(Scalar::Float(300.7).cast(Uint8), Scalar::Int(255));
        assert_eq!(Scalar::Float(-2.9).cast(Int8), Scalar::Int(-2));
        assert_eq!(Scalar::Float(f64::NAN).cast(Int64), Scalar::Int(0));
        assert_eq!(Scalar::Float(f64::NAN).cast(Bool), Scalar::Bool(true));
        assert_eq!(
            Scalar::Float(70000.0).cast(Float16),
            Scalar::Float(f64::INFINITY)
        );
    }

    #[test]
    fn names_are_found_again() {
        for dtype in DType::ALL {
            assert_eq!(DType::from_name(dtype.name()), Some(dtype));
        }
        assert_eq!(DType::from_name("double"), Some(Float64));
        assert_eq!(DType::from_name("float8"), None);
    }
}
