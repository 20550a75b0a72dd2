//! # device/cpu/number: the types that registers hold, and what the ops do to them
//!
//! **In:** one or two numbers of a type. **Out:** what [`ops`](crate::ops) says the op does to them. **Above:** `alu`, which maps
//! these over blocks. **Below:** `math`, `simd`.
//!
//! A *register* is a block of elements in the type in which their dtype is computed: eleven types, each a [`Number`]. What lies in
//! memory is a [`Stored`] element, of one of thirteen types: the eleven and the two halves, whose register type is f32.
//!
//! Laws:
//! 1. Each method equals `eval` in `ops.rs`; only `exp2`, `log2`, `sin` and `pow` of floats may differ, by their error bound.
//! 2. No method panics, whatever the data.
//! 3. Methods are `#[inline(always)]` and, where that is possible, free of branches, so that loops over them vectorise.

use super::math;
use super::simd::Isa;
use crate::dtype::{DType, Element};
use half::{bf16, f16};

/// A type that is computed in: bool, the integers, f32 and f64.
pub trait Number: Copy + PartialOrd + Element + ConvertAll {
    /// 0, or false.
    const ZERO: Self;
    /// The identity of the maximum: the smallest value, −∞ for floats.
    const LOWEST: Self;
    /// Whether blocks of this type are common enough to be compiled for each instruction set; the others make do with the baseline.
    const HOT: bool;

    /// a + b; wraps; or.
    fn add(self, other: Self) -> Self;
    /// a − b; wraps; exclusive or.
    fn sub(self, other: Self) -> Self;
    /// a · b; wraps; and.
    fn mul(self, other: Self) -> Self;
    /// a / b; integers cut towards zero, and by zero it is 0.
    fn div(self, other: Self) -> Self;
    /// The remainder with the sign of `self`; of a division of integers by zero it is 0.
    fn rem(self, other: Self) -> Self;
    /// The larger; NaN if either is.
    fn max(self, other: Self) -> Self;
    /// `self` to the power of `other`.
    fn pow(self, other: Self) -> Self;
    /// The bits that both have. This and the next four are for integers and bool; nobody asks them of floats.
    fn and(self, _: Self) -> Self {
        unreachable!("LazyBuffer::e refuses bits of floats")
    }
    /// The bits that either has.
    fn or(self, _: Self) -> Self {
        unreachable!("LazyBuffer::e refuses bits of floats")
    }
    /// The bits that one has and the other has not.
    fn xor(self, _: Self) -> Self {
        unreachable!("LazyBuffer::e refuses bits of floats")
    }
    /// Bits moved up by `other` places.
    fn shl(self, _: Self) -> Self {
        unreachable!("LazyBuffer::e refuses bits of floats")
    }
    /// Bits moved down by `other` places, the sign before them.
    fn shr(self, _: Self) -> Self {
        unreachable!("LazyBuffer::e refuses bits of floats")
    }
    /// −x; wraps; not for bool.
    fn neg(self) -> Self;
    /// 1/x.
    fn recip(self) -> Self;
    /// √x.
    fn sqrt(self) -> Self;
    /// 2ˣ.
    fn exp2<I: Isa>(self) -> Self;
    /// log₂ x.
    fn log2<I: Isa>(self) -> Self;
    /// Whether [`Number::sin_near`] may be asked.
    fn is_near(self) -> bool {
        true
    }
    /// sin x, where [`Number::is_near`] says so.
    fn sin_near<I: Isa>(self) -> Self;
    /// sin x, for any x.
    fn sin_far(self) -> Self;
}

// ---- Arithmetic --------------------------------------------------------

/// Functions that integers and bools do by way of f64, like `eval`: whole-numbered results are all that is left of them.
macro_rules! by_way_of_f64 {
    () => {
        #[inline(always)]
        fn sqrt(self) -> Self {
            f64::sqrt(self.to()).to()
        }
        #[inline(always)]
        fn exp2<I: Isa>(self) -> Self {
            f64::exp2(self.to()).to()
        }
        #[inline(always)]
        fn log2<I: Isa>(self) -> Self {
            f64::log2(self.to()).to()
        }
        #[inline(always)]
        fn sin_near<I: Isa>(self) -> Self {
            f64::sin(self.to()).to()
        }
        #[inline(always)]
        fn sin_far(self) -> Self {
            f64::sin(self.to()).to()
        }
    };
}

macro_rules! integer {
    ($($t:ty, hot: $hot:expr;)*) => {$(
        impl Number for $t {
            const ZERO: Self = 0;
            const LOWEST: Self = Self::MIN;
            const HOT: bool = $hot;
            #[inline(always)]
            fn add(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn sub(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            fn mul(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            #[inline(always)]
            fn div(self, other: Self) -> Self {
                if other == 0 { 0 } else { self.wrapping_div(other) }
            }
            #[inline(always)]
            fn rem(self, other: Self) -> Self {
                if other == 0 { 0 } else { self.wrapping_rem(other) }
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                Ord::max(self, other)
            }
            // A call on purpose: a loop of multiplications does not vectorise, so it had better be there only once.
            #[inline(never)]
            fn pow(self, exponent: Self) -> Self {
                let minus_one = Self::MIN != 0 && self.wrapping_add(1) == 0;
                if self == 1 || (minus_one && exponent % 2 == 0) {
                    1
                } else if minus_one {
                    self
                } else if exponent < Self::ZERO {
                    0 // 1/self to some power, cut
                } else {
                    self.wrapping_pow(u32::try_from(exponent).unwrap_or(u32::MAX))
                }
            }
            #[inline(always)]
            fn and(self, other: Self) -> Self {
                self & other
            }
            #[inline(always)]
            fn or(self, other: Self) -> Self {
                self | other
            }
            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                self ^ other
            }
            #[inline(always)]
            fn shl(self, other: Self) -> Self {
                if (0..Self::BITS as Self).contains(&other) { self << other } else { 0 }
            }
            #[inline(always)]
            fn shr(self, other: Self) -> Self {
                // All bits but one and then the last one: together they may be one more than a shift allows.
                let last = Self::BITS as Self - 1;
                if (0..=last).contains(&other) { self >> other } else { self >> last >> 1 }
            }
            #[inline(always)]
            fn neg(self) -> Self {
                self.wrapping_neg()
            }
            #[inline(always)]
            fn recip(self) -> Self {
                (1 as $t).div(self)
            }
            by_way_of_f64!();
        }
    )*};
}
integer! {
    i8, hot: false;
    u8, hot: true;
    i16, hot: false;
    u16, hot: false;
    i32, hot: true;
    u32, hot: true;
    i64, hot: true;
    u64, hot: false;
}

impl Number for bool {
    const ZERO: Self = false;
    const LOWEST: Self = false;
    const HOT: bool = true;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self | other
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self ^ other
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self & other
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        self & other
    }
    #[inline(always)]
    fn rem(self, _: Self) -> Self {
        false
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self | other
    }
    #[inline(always)]
    fn pow(self, other: Self) -> Self {
        self | !other
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        self & other
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self | other
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self ^ other
    }
    #[inline(always)]
    fn shl(self, other: Self) -> Self {
        self & !other
    }
    #[inline(always)]
    fn shr(self, other: Self) -> Self {
        self & !other
    }
    #[inline(always)]
    fn neg(self) -> Self {
        self
    }
    #[inline(always)]
    fn recip(self) -> Self {
        self
    }
    by_way_of_f64!();
}

/// What f32 and f64 have in common.
macro_rules! float_arithmetic {
    () => {
        const ZERO: Self = 0.0;
        const LOWEST: Self = Self::NEG_INFINITY;
        const HOT: bool = true;
        #[inline(always)]
        fn add(self, other: Self) -> Self {
            self + other
        }
        #[inline(always)]
        fn sub(self, other: Self) -> Self {
            self - other
        }
        #[inline(always)]
        fn mul(self, other: Self) -> Self {
            self * other
        }
        #[inline(always)]
        fn div(self, other: Self) -> Self {
            self / other
        }
        #[inline(always)]
        fn rem(self, other: Self) -> Self {
            self % other
        }
        #[inline(always)]
        fn max(self, other: Self) -> Self {
            // If only `other` is NaN, the comparison fails and selects it.
            if (self >= other) | self.is_nan() {
                self
            } else {
                other
            }
        }
        #[inline(always)]
        fn neg(self) -> Self {
            -self
        }
        #[inline(always)]
        fn recip(self) -> Self {
            1.0 / self
        }
        #[inline(always)]
        fn sqrt(self) -> Self {
            self.sqrt()
        }
    };
}

impl Number for f32 {
    float_arithmetic!();
    #[inline(always)]
    fn pow(self, other: Self) -> Self {
        // In f64, so that whole powers that an f32 holds come out exactly.
        (self as f64).powf(other as f64) as f32
    }
    #[inline(always)]
    fn exp2<I: Isa>(self) -> Self {
        math::exp2::<I>(self)
    }
    #[inline(always)]
    fn log2<I: Isa>(self) -> Self {
        math::log2::<I>(self)
    }
    #[inline(always)]
    fn is_near(self) -> bool {
        self.abs() <= math::SIN_NEAR
    }
    #[inline(always)]
    fn sin_near<I: Isa>(self) -> Self {
        math::sin_near::<I>(self)
    }
    #[inline(always)]
    fn sin_far(self) -> Self {
        math::sin_far(self)
    }
}

impl Number for f64 {
    float_arithmetic!();
    #[inline(always)]
    fn pow(self, other: Self) -> Self {
        self.powf(other)
    }
    #[inline(always)]
    fn exp2<I: Isa>(self) -> Self {
        self.exp2()
    }
    #[inline(always)]
    fn log2<I: Isa>(self) -> Self {
        self.log2()
    }
    #[inline(always)]
    fn sin_near<I: Isa>(self) -> Self {
        self.sin()
    }
    #[inline(always)]
    fn sin_far(self) -> Self {
        self.sin()
    }
}

// ---- Conversions ------------------------------------------------------

/// One register type to another, by the rules of [`Scalar::cast`](crate::dtype::Scalar::cast).
pub trait To<U> {
    /// The value as a `U`.
    fn to(self) -> U;
}

/// `as` does it all: it wraps between integers, rounds to floats, saturates from floats.
macro_rules! conversions {
    ($from:ty: |$x:ident| $value:expr => $($to:ty)*) => {$(
        impl To<$to> for $from {
            #[inline(always)]
            #[allow(clippy::unnecessary_cast)] // of a type to itself
            fn to(self) -> $to {
                let $x = self;
                $value as $to
            }
        }
    )*};
}
/// Anything but zero is true, NaN too.
macro_rules! conversion_to_bool {
    ($($from:ty)*) => {$(
        impl To<bool> for $from {
            #[inline(always)]
            fn to(self) -> bool {
                self != Self::ZERO
            }
        }
    )*};
}
/// What `as` does from float to integer, in a form that vectorises: `as` on its own is compiled to a branch for each element.
macro_rules! conversions_to_integer {
    ($from:ty => $($to:ty)*) => {$(
        impl To<$to> for $from {
            #[inline(always)]
            fn to(self) -> $to {
                // As a float, MAX may round up to a power of two beyond it; then nothing that is smaller is too large.
                let (min, max) = (<$to>::MIN as $from, <$to>::MAX as $from);
                let inside = if (self > min) & (self < max) { self } else { 0.0 };
                // SAFETY: strictly between the smallest and the largest, or 0.
                let cut: $to = unsafe { inside.to_int_unchecked() };
                let cut = if self >= max { <$to>::MAX } else { cut };
                if self <= min { <$to>::MIN } else { cut }
            }
        }
    )*};
}
macro_rules! conversions_of_integers {
    ($($from:ty)*) => {$(
        conversions!($from: |x| x => i8 u8 i16 u16 i32 u32 i64 u64 f32 f64);
    )*};
}
conversions_of_integers!(i8 u8 i16 u16 i32 u32 i64 u64);
conversions!(bool: |x| x as u8 => i8 u8 i16 u16 i32 u32 i64 u64 f32 f64);
conversions!(f32: |x| x => f32 f64);
conversions!(f64: |x| x => f32 f64);
conversions_to_integer!(f32 => i8 u8 i16 u16 i32 u32 i64 u64);
conversions_to_integer!(f64 => i8 u8 i16 u16 i32 u32 i64 u64);
conversion_to_bool!(i8 u8 i16 u16 i32 u32 i64 u64 f32 f64);
impl To<bool> for bool {
    #[inline(always)]
    fn to(self) -> bool {
        self
    }
}

/// Convertible to every register type.
#[rustfmt::skip]
pub trait ConvertAll:
    To<bool> + To<i8> + To<u8> + To<i16> + To<u16> + To<i32> + To<u32> + To<i64> + To<u64> + To<f32> + To<f64>
{
}
#[rustfmt::skip]
impl<T> ConvertAll for T where
    T: To<bool> + To<i8> + To<u8> + To<i16> + To<u16> + To<i32> + To<u32> + To<i64> + To<u64> + To<f32> + To<f64>
{
}

/// An element as it lies in memory.
pub trait Stored: Element {
    /// The type in which it is computed, that of [`DType::compute`].
    type Register: Number;
    /// From memory to register; exact.
    fn widen(self) -> Self::Register;
    /// From register to memory; a half is rounded to nearest even.
    fn narrow(register: Self::Register) -> Self;
    /// Any number as this type: a value that `narrow` does not change.
    fn convert<A: Number>(number: A) -> Self::Register;
}

macro_rules! stored_as_computed {
    ($($t:ty)*) => {$(
        impl Stored for $t {
            type Register = $t;
            #[inline(always)]
            fn widen(self) -> $t {
                self
            }
            #[inline(always)]
            fn narrow(register: $t) -> $t {
                register
            }
            #[inline(always)]
            fn convert<A: Number>(number: A) -> $t {
                number.to()
            }
        }
    )*};
}
stored_as_computed!(bool i8 u8 i16 u16 i32 u32 i64 u64 f32 f64);

macro_rules! stored_as_half {
    ($($t:ty, $widen:path, $narrow:path;)*) => {$(
        impl Stored for $t {
            type Register = f32;
            #[inline(always)]
            fn widen(self) -> f32 {
                $widen(self.to_bits())
            }
            #[inline(always)]
            fn narrow(register: f32) -> $t {
                <$t>::from_bits($narrow(register))
            }
            #[inline(always)]
            fn convert<A: Number>(number: A) -> f32 {
                // Integers go by way of f64, as `Scalar::cast` does; for an f32 that changes nothing and costs nothing.
                let wide: f64 = number.to();
                Self::narrow(wide as f32).widen()
            }
        }
    )*};
}
stored_as_half! {
    f16, math::f32_from_f16, math::f16_from_f32;
    bf16, math::f32_from_bf16, math::bf16_from_f32;
}

/// Whether a dtype's elements look the same in memory and in a register.
pub const fn same_in_memory(dtype: DType) -> bool {
    dtype.itemsize() == dtype.compute().itemsize()
}
