//! # device/cpu/math: exp2, log2, sin and the halves, in arithmetic that vectorises
//!
//! **In:** one f32. **Out:** one f32. **Above:** `alu`, whose loops call these for a whole block. **Below:** `simd`.
//!
//! The standard library's `exp2` is a *call*, and a loop that calls handles one element at a time. The functions here are straight
//! lines of additions, multiplications and selections (`if a { x } else { y }` with both sides computed), so that LLVM can run 4, 8
//! or 16 elements abreast. float64 has no such functions here; it uses the standard library's.
//!
//! All three follow one recipe, the one in every libm:
//! 1. **Range reduction**: an exact identity moves the argument into a short interval around 0.
//! 2. **Polynomial**: on the short interval a polynomial of low degree is as good as the function.
//! 3. **Reconstruction**: the identity is undone, by integer arithmetic on the number's exponent or sign.
//!
//! Where the coefficients come from: near 0 each function is (its first term) + (what is left), and what is left, divided by its
//! power of the argument, is a smooth function Q. Q is interpolated in the n *Chebyshev nodes* of the interval [a, b],
//! xₖ = (a+b)/2 + (b−a)/2 · cos(π(2k+1)/(2n)), k = 0…n−1: solve Σⱼ cⱼ xₖʲ = Q(xₖ) exactly, in fractions, and round each cⱼ to f32.
//! Those nodes crowd towards the ends of the interval, which keeps the error there no larger than in the middle (evenly spaced ones
//! would let it explode), and the result is within a small factor of the best polynomial there is.
//!
//! | function | interval | Q | n | polynomial's relative error | measured, all f32 in range |
//! |---|---|---|---|---|---|
//! | [`exp2`] | \|f\| ≤ ½ | (2ᶠ − 1)/f | 6 | 9.2e-9 | 0.91 ulp; 1.15 without FMA |
//! | [`log2`] | √½ − 1 ≤ t < √2 − 1 | log₂(1+t)/t − 1 | 10 | 2.1e-8 | 1.08 ulp; 1.41 without FMA |
//! | [`sin_near`] | \|r\| ≤ π/2 | (sin r − r)/r³ in r² | 5 | 1.9e-8 | 2.00 ulp; 2.17 without FMA |
//!
//! One ulp ("unit in the last place") is the distance between neighbouring f32 at the exact result; the rounding of a perfect result
//! costs up to ½. Where the processor has no fused multiply-add, each step rounds twice, hence the second number.
//!
//! Law: the result depends on the argument and the instruction set only, never on the neighbours in the block.

use super::simd::{Isa, multiply_add};
use std::f32::consts::LN_2;
use std::f64::consts::FRAC_1_PI;

/// c₀ + c₁x + c₂x² + … by Horner's scheme: c₀ + x·(c₁ + x·(c₂ + …)), one multiply-add a coefficient.
#[inline(always)]
fn polynomial<I: Isa, const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[N - 1];
    for c in coefficients[..N - 1].iter().rev() {
        sum = multiply_add::<I>(sum, x, *c);
    }
    sum
}

/// Adding 1.5·2²³ to a small f32 pushes its fraction off the end of the significand: what remains is the number rounded to a whole
/// one, and it stands in the lowest bits, ready to be used as an integer. Subtracting it again gives the whole number as a float.
/// (The "round" instruction would do, but SSE2 lacks it.)
const ROUND_F32: f32 = 12_582_912.0;
/// The same for f64: 1.5·2⁵².
const ROUND_F64: f64 = 6_755_399_441_055_744.0;

// ---- Powers and logarithms --------------------------------------------

/// 2ˣ. Overflows to ∞, underflows by way of the subnormals to 0, NaN for NaN.
///
/// 1. x = n + f with n whole and |f| ≤ ½ (exactly), so **2ˣ = 2ⁿ · 2ᶠ**.
/// 2. 2ᶠ = e^(f·ln 2) = 1 + f·(ln 2 + f·(ln²2/2 + …)) = 1 + f·Q(f), and 2ᶠ = 1 exactly for whole x.
/// 3. Multiplying by 2ⁿ adds n to the exponent. It is done in two halves, because for the extremes of the result (n from −150 to 128)
///    2ⁿ alone is no f32, but the two factors 2^⌊n/2⌋ and 2^⌈n/2⌉ are. Only the last multiplication can round.
#[inline(always)]
pub fn exp2<I: Isa>(x: f32) -> f32 {
    // Beyond these the result is ∞ or 0 anyway. NaN fails both comparisons and passes.
    let x = if x > 130.0 { 130.0 } else { x };
    let x = if x < -152.0 { -152.0 } else { x };
    let shifted = x + ROUND_F32;
    let f = x - (shifted - ROUND_F32);
    let q = polynomial::<I, _>(
        f,
        [
            LN_2,
            0.2402265,
            0.05550357,
            0.009618083,
            0.0013390863,
            0.00015453163,
        ],
    );
    let power = multiply_add::<I>(f, q, 1.0);
    // For NaN this is no sensible integer, hence the wrapping; NaN times anything is NaN.
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUND_F32.to_bits() as i32);
    let half = n >> 1;
    power * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// 2ⁿ for −126 ≤ n ≤ 127: an f32 of fraction 1.0 whose exponent field, which is biased by 127, says n.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

/// log₂ x. −∞ at 0, NaN below, ∞ at ∞.
///
/// 1. x = m·2ᵉ with √½ ≤ m < √2, so **log₂ x = e + log₂ m**. The interval is chosen around 1, so that log₂ m is small and, near
///    x = 1, where the logarithm vanishes, e = 0 and nothing cancels. With floats' bits in order, "subtract the bits of √½, keep
///    the exponent field" finds e; taking e off the exponent field leaves m.
/// 2. With t = m − 1 (exact): log₂(1+t) = t·(1/ln 2 − t/(2 ln 2) + …) = t·(1.44… − …) = t + t·Q(t). Keeping the 1 out of Q leaves
///    only a small part of the result to be rounded inside the polynomial.
/// 3. A subnormal x has its leading bit somewhere in the fraction; times 2²⁴ it is a normal number, and e is 24 too large.
#[inline(always)]
pub fn log2<I: Isa>(x: f32) -> f32 {
    let subnormal = x < f32::MIN_POSITIVE;
    let normal = if subnormal { x * 16_777_216.0 } else { x };
    let excess = if subnormal { 24.0 } else { 0.0 };
    let bits = normal.to_bits() as i32;
    let e = bits.wrapping_sub(0x3f35_04f3) >> 23; // the bits of √½
    let t = f32::from_bits(bits.wrapping_sub(e << 23) as u32) - 1.0;
    let q = polynomial::<I, _>(
        t,
        [
            0.44269505,
            -0.72134733,
            0.48089853,
            -0.36069655,
            0.28855255,
            -0.23960812,
            0.20485765,
            -0.19138838,
            0.18476033,
            -0.10749789,
        ],
    );
    let result = (e as f32 - excess) + multiply_add::<I>(t, q, t);
    let special = if x == 0.0 {
        f32::NEG_INFINITY
    } else {
        f32::NAN
    };
    let special = if x > 0.0 { f32::INFINITY } else { special };
    if (x > 0.0) & (x < f32::INFINITY) {
        result
    } else {
        special
    }
}

// ---- The sine ---------------------------------------------------------

/// Up to here [`sin_near`] may be asked: 2²⁰.
pub const SIN_NEAR: f32 = 1_048_576.0;

/// π in two parts. The first has 33 bits, so that its product with a whole number below 2²⁰ is exact in f64; the second is the rest.
const PI_HIGH: f64 = f64::from_bits(0x4009_21fb_5440_0000);
const PI_LOW: f64 = 1.2154201013012384e-10;

/// sin x for |x| ≤ [`SIN_NEAR`].
///
/// 1. |x| = k·π + r with k whole and |r| ≤ π/2. The sine changes its sign with every half turn, **sin x = ±(−1)ᵏ · sin r**. Near a
///    multiple of π, r is what two almost equal numbers leave, so the subtraction is done in f64 and π taken to 86 bits.
/// 2. sin r = r − r³/6 + r⁵/120 − … = r + r³·S(r²).
/// 3. The lowest bit of k flips the sign bit, and so does the sign of x.
#[inline(always)]
pub fn sin_near<I: Isa>(x: f32) -> f32 {
    let magnitude = x.abs() as f64;
    let shifted = magnitude * FRAC_1_PI + ROUND_F64;
    let k = shifted - ROUND_F64;
    let r = ((magnitude - k * PI_HIGH) - k * PI_LOW) as f32;
    let square = r * r;
    let s = polynomial::<I, _>(
        square,
        [
            -0.16666667,
            0.008333333,
            -0.00019841087,
            2.753646e-6,
            -2.4080095e-8,
        ],
    );
    let sine = multiply_add::<I>(r * square, s, r);
    let flip = (shifted.to_bits() as u32) << 31;
    f32::from_bits(sine.to_bits() ^ flip ^ (x.to_bits() & SIGN))
}

/// sin x for any x, by the standard library: taking a huge argument modulo 2π needs hundreds of bits of π. NaN for ±∞ and NaN.
#[inline(never)]
pub fn sin_far(x: f32) -> f32 {
    (x as f64).sin() as f32
}

// ---- Halves -----------------------------------------------------------

const SIGN: u32 = 0x8000_0000;
const INFINITY: u32 = 0x7f80_0000;
const ONE_HALF: u32 = 0x3f00_0000;
/// The exponent biases of binary32 and binary16 are 127 and 15: in the exponent field, they are this far apart.
const REBIAS: u32 = (127 - 15) << 23;

/// The bits of the binary16 nearest to `x`; ties go to the even one, too large numbers to ∞, NaN stays NaN.
///
/// A normal result has 13 bits of fraction less. Adding just under half of the lowest kept bit, plus that bit itself if it is odd,
/// before cutting rounds to nearest even, and a carry out of the fraction correctly moves into the exponent. A subnormal result is
/// a multiple of 2⁻²⁴, which is the spacing of the f32 between ½ and 1: adding ½ lets the processor do the rounding.
#[inline(always)]
pub fn f16_from_f32(x: f32) -> u16 {
    let sign = (x.to_bits() & SIGN) >> 16;
    let bits = x.to_bits() & !SIGN;
    let odd = (bits >> 13) & 1;
    let normal = bits.wrapping_sub(REBIAS).wrapping_add(0x0fff + odd) >> 13;
    let subnormal = (f32::from_bits(bits) + 0.5)
        .to_bits()
        .wrapping_sub(ONE_HALF);
    let nan = 0x7e00 | ((bits >> 13) & 0x03ff);
    let rounded = if bits < 0x3880_0000 {
        subnormal
    } else {
        normal
    }; // 2⁻¹⁴, the smallest normal binary16
    let rounded = if bits >= 0x477f_f000 { 0x7c00 } else { rounded }; // 65520, half way beyond the largest
    let rounded = if bits > INFINITY { nan } else { rounded };
    (sign | rounded) as u16
}

/// The value of a binary16, given by its bits. Exact.
///
/// Normal numbers get the other bias; ∞ and NaN too, and once more, so that the exponent field is all ones. A subnormal h is h·2⁻²⁴:
/// put into the lowest bits of ½ it adds just that, and subtracting ½ leaves it.
#[inline(always)]
pub fn f32_from_f16(half: u16) -> f32 {
    let sign = ((half & 0x8000) as u32) << 16;
    let magnitude = (half & 0x7fff) as u32;
    let normal = (magnitude << 13) + REBIAS;
    let subnormal = (f32::from_bits(magnitude + ONE_HALF) - 0.5).to_bits();
    let bits = if magnitude < 0x0400 {
        subnormal
    } else {
        normal
    };
    let bits = if magnitude >= 0x7c00 {
        normal + REBIAS
    } else {
        bits
    };
    f32::from_bits(sign | bits)
}

/// The bits of the bfloat16 nearest to `x`; ties go to the even one, NaN stays NaN. It is the upper half of an f32, rounded as above.
#[inline(always)]
pub fn bf16_from_f32(x: f32) -> u16 {
    let bits = x.to_bits();
    let odd = (bits >> 16) & 1;
    let rounded = bits.wrapping_add(0x7fff + odd) >> 16;
    let nan = (bits >> 16) | 0x0040; // the highest bit of the fraction marks a quiet NaN, and keeps it from becoming ∞
    (if bits & !SIGN > INFINITY {
        nan
    } else {
        rounded
    }) as u16
}

/// The value of a bfloat16, given by its bits. Exact.
#[inline(always)]
pub fn f32_from_bf16(half: u16) -> f32 {
    f32::from_bits((half as u32) << 16)
}

#[cfg(test)]
mod tests {
    use super::super::simd::{Hot, Level, at_level, level, vectorize};
    use super::*;
    use half::{bf16, f16};

    /// Which function to try, so that one piece of hot code can be run at each level.
    #[derive(Clone, Copy)]
    enum Function {
        Exp2,
        Log2,
        Sin,
    }

    struct Block<'a>(Function, &'a [f32], &'a mut [f32]);
    impl Hot for Block<'_> {
        type Out = ();
        #[inline(always)]
        fn run<I: Isa>(self) {
            let pairs = self.2.iter_mut().zip(self.1);
            match self.0 {
                Function::Exp2 => pairs.for_each(|(y, x)| *y = exp2::<I>(*x)),
                Function::Log2 => pairs.for_each(|(y, x)| *y = log2::<I>(*x)),
                Function::Sin => pairs.for_each(|(y, x)| *y = sin_near::<I>(*x)),
            }
        }
    }

    fn evaluate(function: Function, xs: &[f32]) -> Vec<f32> {
        let mut ys = vec![0.0; xs.len()];
        vectorize(Block(function, xs, &mut ys));
        ys
    }

    /// |y − exact| in units of the distance between the f32 around `exact`; 0 if both are the same infinity or NaN.
    fn ulps(y: f32, exact: f64) -> f64 {
        let rounded = exact as f32;
        if !rounded.is_finite() || !y.is_finite() {
            let same = y == rounded || (y.is_nan() && rounded.is_nan());
            return if same { 0.0 } else { f64::INFINITY };
        }
        let exponent = exact.abs().log2().floor().clamp(-126.0, 127.0);
        (y as f64 - exact).abs() / (exponent - 23.0).exp2()
    }

    /// The f32 whose bits are 0, stride, 2·stride, …: all signs and exponents, and a sweep of fractions in each.
    fn worst(
        function: Function,
        exact: fn(f64) -> f64,
        stride: usize,
        keep: fn(f32) -> bool,
    ) -> f64 {
        let mut worst = (0.0, 0.0);
        let mut bits = (0..=u32::MAX)
            .step_by(stride)
            .map(f32::from_bits)
            .filter(|x| keep(*x));
        loop {
            let xs: Vec<f32> = bits.by_ref().take(4096).collect();
            if xs.is_empty() {
                break;
            }
            for (x, y) in xs.iter().zip(evaluate(function, &xs)) {
                let error = ulps(y, exact(*x as f64));
                if error > worst.0 {
                    worst = (error, *x);
                }
            }
        }
        println!("at {:?}: {:.3} ulp at {:e}", level(), worst.0, worst.1);
        worst.0
    }

    /// A stride without small factors, so that fractions differ from exponent to exponent. Set to 1 to try all.
    fn stride() -> usize {
        std::env::var("STRIDE").map_or(1009, |s| s.parse().unwrap())
    }

    #[test]
    fn exp2_is_within_its_bound_everywhere() {
        for level in Level::available() {
            at_level(level, || {
                assert!(worst(Function::Exp2, f64::exp2, stride(), |_| true) < 1.2)
            });
        }
    }

    #[test]
    fn log2_is_within_its_bound_everywhere() {
        for level in Level::available() {
            at_level(level, || {
                assert!(worst(Function::Log2, f64::log2, stride(), |_| true) < 1.5)
            });
        }
    }

    #[test]
    fn sine_is_within_its_bound_up_to_its_limit() {
        for level in Level::available() {
            at_level(level, || {
                assert!(worst(Function::Sin, f64::sin, stride(), |x| x.abs() <= SIN_NEAR) < 2.2)
            });
        }
    }

    #[test]
    fn special_arguments() {
        const INF: f32 = f32::INFINITY;
        for level in Level::available() {
            at_level(level, || {
                let x = [
                    0.0,
                    -0.0,
                    1.0,
                    -1.0,
                    10.0,
                    -149.0,
                    -150.0,
                    127.0,
                    128.0,
                    INF,
                    -INF,
                    f32::MAX,
                    f32::MIN,
                ];
                let y = [
                    1.0,
                    1.0,
                    2.0,
                    0.5,
                    1024.0,
                    f32::from_bits(1),
                    0.0,
                    2f32.powi(127),
                    INF,
                    INF,
                    0.0,
                    INF,
                    0.0,
                ];
                assert_eq!(evaluate(Function::Exp2, &x), y);
                let x = [
                    0.0,
                    -0.0,
                    1.0,
                    2.0,
                    0.125,
                    INF,
                    f32::from_bits(1),
                    f32::MIN_POSITIVE,
                ];
                assert_eq!(
                    evaluate(Function::Log2, &x),
                    [-INF, -INF, 0.0, 1.0, -3.0, INF, -149.0, -126.0]
                );
                assert!(
                    evaluate(Function::Log2, &[-1.0, -INF, f32::NAN, -f32::from_bits(1)])
                        .iter()
                        .all(|y| y.is_nan())
                );
                assert!(
                    evaluate(Function::Exp2, &[f32::NAN, -f32::NAN])
                        .iter()
                        .all(|y| y.is_nan())
                );
                let zeros = evaluate(Function::Sin, &[0.0, -0.0]);
                assert_eq!([zeros[0].to_bits(), zeros[1].to_bits()], [0, SIGN]);
            });
        }
        assert!(sin_far(INF).is_nan() && sin_far(f32::NAN).is_nan());
    }

    #[test]
    fn all_halves_are_read_and_written_exactly() {
        for bits in 0..=u16::MAX {
            let (a, b) = (f16::from_bits(bits), bf16::from_bits(bits));
            let (x, y) = (f32_from_f16(bits), f32_from_bf16(bits));
            if a.is_nan() {
                assert!(x.is_nan() && f16::from_bits(f16_from_f32(x)).is_nan());
            } else {
                assert_eq!((x.to_bits(), f16_from_f32(x)), (a.to_f32().to_bits(), bits));
            }
            if b.is_nan() {
                assert!(y.is_nan() && bf16::from_bits(bf16_from_f32(y)).is_nan());
            } else {
                assert_eq!(
                    (y.to_bits(), bf16_from_f32(y)),
                    (b.to_f32().to_bits(), bits)
                );
            }
        }
    }

    #[test]
    fn floats_round_to_the_nearest_half() {
        for bits in (0..=u32::MAX).step_by(127) {
            // Also the two that lie half way between two halves, and their neighbours.
            for bits in [
                bits,
                bits & !0x1fff | 0x1000,
                bits & !0x1fff | 0x1001,
                bits & !0xffff | 0x8000,
                bits & !0xffff | 0x7fff,
            ] {
                let x = f32::from_bits(bits);
                assert_eq!(f16_from_f32(x), f16::from_f32(x).to_bits(), "{x:e}");
                assert_eq!(bf16_from_f32(x), bf16::from_f32(x).to_bits(), "{x:e}");
            }
        }
    }
}
