//! # device/cpu/lanes: a vector register, by name
//!
//! **In:** addresses. **Out:** sums, products, quotients, as many at a time as the register has lanes. **Above:** `strip`, which keeps its
//! running values in such registers, and the contraction's `microkernel` with all that is compiled there. **Below:** the processor.
//!
//! A loop over arrays becomes vector instructions by itself (see `blocks`), but the compiler decides what stays in registers, and across a
//! `match` it decides for memory. Who needs a value to *stay* says so with these types: a [`Vector`] has what sums of products need, for
//! f32 and f64; [`Floats`] adds, for f32, what element-wise kernels need.
//!
//! Law: every operation gives the bits of its namesake in `number`, whatever the processor (of NaNs, that it is one). The exception says so:
//! [`Vector::add_product`].

use std::ops::{Add, Mul};

/// Numbers in the widest vector.
pub(super) const MOST_LANES: usize = 16;

/// A number in a register: f32 or f64.
pub trait Lane:
    Copy + Send + Sync + PartialEq + Add<Output = Self> + Mul<Output = Self> + 'static
{
    /// 0
    const ZERO: Self;
    /// the nearest number there is
    fn near(x: f64) -> Self;
    /// self · y + z, rounded once
    fn mul_add(self, y: Self, z: Self) -> Self;
    /// Reads four numbers from each of four places and gives them the other way round: `result[j][i]` is number j of place i.
    ///
    /// # Safety
    /// Four numbers may be read from each.
    #[inline(always)]
    unsafe fn turn(from: [*const Self; 4]) -> [[Self; 4]; 4] {
        // SAFETY: the caller's promise.
        let rows = from.map(|row| unsafe { row.cast::<[Self; 4]>().read_unaligned() });
        std::array::from_fn(|j| rows.map(|row| row[j]))
    }
}

impl Lane for f32 {
    const ZERO: f32 = 0.0;
    #[inline(always)]
    fn near(x: f64) -> f32 {
        x as f32
    }
    #[inline(always)]
    fn mul_add(self, y: f32, z: f32) -> f32 {
        f32::mul_add(self, y, z)
    }
    #[inline(always)]
    unsafe fn turn(from: [*const f32; 4]) -> [[f32; 4]; 4] {
        // SAFETY: the caller's promise.
        unsafe { super::simd::turn(from) }
    }
}

impl Lane for f64 {
    const ZERO: f64 = 0.0;
    #[inline(always)]
    fn near(x: f64) -> f64 {
        x
    }
    #[inline(always)]
    fn mul_add(self, y: f64, z: f64) -> f64 {
        f64::mul_add(self, y, z)
    }
}

/// A register full of numbers. One could write arrays and loops and let the compiler find the vectors in them; it does, until a tile of a matrix
/// has 8 columns, when it takes the columns for the vector and gathers through memory, dozens of times slower. So the kernels say what they mean.
///
/// # Safety
/// All operations are for processors that have the instructions, and fast only where they are inlined into a function that may use them.
#[allow(clippy::missing_safety_doc)] // said above, for all of them
pub trait Vector: Copy {
    /// what it is full of
    type Number: Lane;
    /// how many
    const LANES: usize;
    /// whether [`Vector::load_masked`] leaves memory alone where the mask is 0
    const FAULTLESS: bool;
    /// from memory, aligned or not
    unsafe fn load(from: *const Self::Number) -> Self;
    /// to memory, aligned or not
    unsafe fn store(self, to: *mut Self::Number);
    /// the numbers in memory where the mask has a 1 (bit 0 is the first lane), elsewhere those of self
    unsafe fn load_masked(self, from: *const Self::Number, mask: u32) -> Self;
    /// whether [`Vector::turn`] beats turning four places at a time
    const TURNS: bool = false;
    /// reads four numbers from each of as many places as there are lanes: number j of all places is vector j
    #[inline(always)]
    unsafe fn turn(from: impl Fn(usize) -> *const Self::Number) -> [Self; 4] {
        // SAFETY: the caller promises four numbers at each place; an array holds a vector.
        unsafe {
            if Self::LANES == 4 {
                let place = |i| Self::load(from(i));
                return Self::deal([place(0), place(1), place(2), place(3)]);
            }
            let mut numbers = [[Self::Number::ZERO; MOST_LANES]; 4];
            (0..Self::LANES).for_each(|lane| {
                let four = from(lane).cast::<[Self::Number; 4]>().read_unaligned();
                (0..4).for_each(|j| numbers[j][lane] = four[j]);
            });
            std::array::from_fn(|j| Self::load(numbers[j].as_ptr()))
        }
    }
    /// deals neighbours out in four: vector j gets the numbers j, j + 4, j + 8, … of all that the four hold, one after the other
    #[inline(always)]
    unsafe fn deal(four: [Self; 4]) -> [Self; 4] {
        let mut numbers = [[Self::Number::ZERO; 4]; MOST_LANES];
        // SAFETY: there is room for four vectors, and each place holds four numbers.
        unsafe {
            let to = numbers.as_mut_ptr().cast::<Self::Number>();
            (0..4).for_each(|i| four[i].store(to.wrapping_add(i * Self::LANES)));
            std::array::from_fn(|j| Self::load(numbers.map(|places| places[j]).as_ptr()))
        }
    }
    /// puts them together again, the inverse of [`Vector::deal`]
    #[inline(always)]
    unsafe fn gather(four: [Self; 4]) -> [Self; 4] {
        let mut numbers = [[Self::Number::ZERO; MOST_LANES]; 4];
        // SAFETY: there is room for a vector in each row.
        unsafe {
            (0..4).for_each(|j| four[j].store(numbers[j].as_mut_ptr()));
            let places: [[_; 4]; MOST_LANES] =
                std::array::from_fn(|i| std::array::from_fn(|j| numbers[j][i]));
            let from = places.as_ptr().cast::<Self::Number>();
            std::array::from_fn(|i| Self::load(from.wrapping_add(i * Self::LANES)))
        }
    }
    /// the numbers of other where the mask has a 1, elsewhere those of self
    unsafe fn blend(self, other: Self, mask: u32) -> Self;
    /// every second number of as many as two vectors hold, beginning with the first
    unsafe fn load_alternate(from: *const Self::Number) -> Self;
    /// the same number in all lanes
    unsafe fn splat(number: Self::Number) -> Self;
    /// a + b
    unsafe fn add(self, other: Self) -> Self;
    /// self + x · y, rounded once where the processor can do that in one instruction
    unsafe fn add_product(self, x: Self, y: Self) -> Self;
}

/// A register of f32 that can do more.
///
/// # Safety
/// As for [`Vector`].
#[allow(clippy::missing_safety_doc)] // said there
pub trait Floats: Vector<Number = f32> {
    /// to memory, past the caches; aligned to the register's size
    unsafe fn stream(self, to: *mut f32);
    /// a − b
    unsafe fn sub(self, other: Self) -> Self;
    /// a · b
    unsafe fn mul(self, other: Self) -> Self;
    /// a / b
    unsafe fn div(self, other: Self) -> Self;
    /// the larger; NaN if either is
    unsafe fn max(self, other: Self) -> Self;
    /// √x
    unsafe fn sqrt(self) -> Self;
    /// 1 where a byte is not 0, else 0
    unsafe fn truth(from: *const u8) -> Self;
    /// self where a byte is not 0, else other
    unsafe fn or_else(self, truth: *const u8, other: Self) -> Self;
    /// a byte 1 where a < b, else 0
    unsafe fn less(self, other: Self, to: *mut u8);
    /// a byte 1 where a ≠ b, else 0
    unsafe fn differs(self, other: Self, to: *mut u8);
}

// ---- Of x86-64 -------------------------------------------------------

/// What the processor calls these operations.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
mod x86 {
    use super::{Floats, Vector};
    use std::arch::x86_64::*;

    macro_rules! vector {
        ($($vector:ident of $lanes:literal $number:ty, faultless $faultless:literal, $load:ident $store:ident $splat:ident $add:ident
            $sum:ident + $x:ident * $y:ident = $add_product:expr,
            $old:ident | $from:ident & $mask:ident = $load_masked:expr, blend $new:ident = $blend:expr, alternate $first:ident $second:ident = $alternate:expr$(, turn $places:ident = $turn:expr)?$(, deal $four:ident = $deal:expr, gather $dealt:ident = $gather:expr)?;)*) => {$(
            // SAFETY (of all blocks): the caller promises the memory and a processor that has the instruction.
            impl Vector for $vector {
                type Number = $number;
                const LANES: usize = $lanes;
                const FAULTLESS: bool = $faultless;
                #[inline(always)]
                unsafe fn load(from: *const $number) -> Self { unsafe { $load(from) } }
                #[inline(always)]
                unsafe fn store(self, to: *mut $number) { unsafe { $store(to, self) } }
                #[inline(always)]
                unsafe fn load_masked(self, $from: *const $number, $mask: u32) -> Self { let $old = self; unsafe { $load_masked } }
                #[inline(always)]
                unsafe fn blend(self, $new: Self, $mask: u32) -> Self { let $old = self; unsafe { $blend } }
                #[inline(always)]
                unsafe fn load_alternate(from: *const $number) -> Self {
                    // SAFETY: the caller promises two vectors' numbers there, and a processor that has the instructions.
                    unsafe {
                        let ($first, $second) = ($load(from), $load(from.wrapping_add($lanes)));
                        $alternate
                    }
                }
                $(
                const TURNS: bool = true;
                #[inline(always)]
                unsafe fn turn($places: impl Fn(usize) -> *const $number) -> [Self; 4] { unsafe { $turn } }
                )?
                $(
                #[inline(always)]
                unsafe fn deal($four: [Self; 4]) -> [Self; 4] { unsafe { $deal } }
                #[inline(always)]
                unsafe fn gather($dealt: [Self; 4]) -> [Self; 4] { unsafe { $gather } }
                )?
                #[inline(always)]
                unsafe fn splat(number: $number) -> Self { unsafe { $splat(number) } }
                #[inline(always)]
                unsafe fn add(self, other: Self) -> Self { unsafe { $add(self, other) } }
                #[inline(always)]
                unsafe fn add_product(self, $x: Self, $y: Self) -> Self { let $sum = self; unsafe { $add_product } }
            }
        )*};
    }

    // AVX-512 has masks. Before it, a bit becomes a lane of ones by comparing it with itself alone.
    macro_rules! lanes_of {
        ($mask:ident, $splat:ident $and:ident $equal:ident, $bits:expr) => {{ let bits = $bits; $equal($and($splat($mask as i32), bits), bits) }};
    }

    // A register is quarters of four numbers, and most shuffles stay within one. So quarter q of vector i is loaded from place
    // 4q + i, and then all quarters are turned at once, as four places by four numbers each.
    macro_rules! four_places {
        ($from:ident, $i:literal) => {{
            let first = _mm512_castps128_ps512(_mm_loadu_ps($from($i)));
            let two = _mm512_insertf32x4::<1>(first, _mm_loadu_ps($from($i + 4)));
            let three = _mm512_insertf32x4::<2>(two, _mm_loadu_ps($from($i + 8)));
            _mm512_insertf32x4::<3>(three, _mm_loadu_ps($from($i + 12)))
        }};
    }
    macro_rules! two_places {
        ($from:ident, $i:literal) => {{
            let first = _mm256_castps128_ps256(_mm_loadu_ps($from($i)));
            _mm256_insertf128_ps::<1>(first, _mm_loadu_ps($from($i + 4)))
        }};
    }
    macro_rules! turn_quarters {
        ($from:ident, $places:ident, $low:ident $high:ident $shuffle:ident) => {{
            let (a, b, c, d) = ($places!($from, 0), $places!($from, 1), $places!($from, 2), $places!($from, 3));
            let (ab, cd) = ($low(a, b), $low(c, d)); // a0 b0 a1 b1, c0 d0 c1 d1
            let (ab_high, cd_high) = ($high(a, b), $high(c, d)); // a2 b2 a3 b3, c2 d2 c3 d3
            [$shuffle::<0x44>(ab, cd), $shuffle::<0xEE>(ab, cd), $shuffle::<0x44>(ab_high, cd_high), $shuffle::<0xEE>(ab_high, cd_high)]
        }};
    }

    // With four lanes, dealing is its own inverse.
    macro_rules! transposed {
        ($four:ident) => {{
            let [mut a, mut b, mut c, mut d] = $four;
            _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
            [a, b, c, d]
        }};
    }

    vector! {
        __m512 of 16 f32, faultless true, _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps _mm512_add_ps
            sum + x * y = _mm512_fmadd_ps(x, y, sum),
            old | from & mask = _mm512_mask_loadu_ps(old, mask as __mmask16, from),
            blend new = _mm512_mask_mov_ps(old, mask as __mmask16, new),
            alternate x y = _mm512_permutex2var_ps(x, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), y),
            turn from = turn_quarters!(from, four_places, _mm512_unpacklo_ps _mm512_unpackhi_ps _mm512_shuffle_ps),
            deal four = {
                let low = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
                let high = _mm512_setr_epi32(2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31);
                let (a, b) = (_mm512_permutex2var_ps(four[0], low, four[1]), _mm512_permutex2var_ps(four[2], low, four[3]));
                let (c, d) = (_mm512_permutex2var_ps(four[0], high, four[1]), _mm512_permutex2var_ps(four[2], high, four[3]));
                [_mm512_shuffle_f32x4::<0x44>(a, b), _mm512_shuffle_f32x4::<0xEE>(a, b), _mm512_shuffle_f32x4::<0x44>(c, d), _mm512_shuffle_f32x4::<0xEE>(c, d)]
            },
            gather dealt = {
                let low = _mm512_setr_epi32(0, 8, 16, 24, 1, 9, 17, 25, 2, 10, 18, 26, 3, 11, 19, 27);
                let high = _mm512_setr_epi32(4, 12, 20, 28, 5, 13, 21, 29, 6, 14, 22, 30, 7, 15, 23, 31);
                let (a, b) = (_mm512_shuffle_f32x4::<0x44>(dealt[0], dealt[1]), _mm512_shuffle_f32x4::<0xEE>(dealt[0], dealt[1]));
                let (c, d) = (_mm512_shuffle_f32x4::<0x44>(dealt[2], dealt[3]), _mm512_shuffle_f32x4::<0xEE>(dealt[2], dealt[3]));
                [_mm512_permutex2var_ps(a, low, c), _mm512_permutex2var_ps(a, high, c), _mm512_permutex2var_ps(b, low, d), _mm512_permutex2var_ps(b, high, d)]
            };
        __m512d of 8 f64, faultless true, _mm512_loadu_pd _mm512_storeu_pd _mm512_set1_pd _mm512_add_pd
            sum + x * y = _mm512_fmadd_pd(x, y, sum),
            old | from & mask = _mm512_mask_loadu_pd(old, mask as __mmask8, from),
            blend new = _mm512_mask_mov_pd(old, mask as __mmask8, new),
            alternate x y = _mm512_permutex2var_pd(x, _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14), y);
        __m256 of 8 f32, faultless true, _mm256_loadu_ps _mm256_storeu_ps _mm256_set1_ps _mm256_add_ps
            sum + x * y = _mm256_fmadd_ps(x, y, sum),
            old | from & mask = {
                let lanes = lanes_of!(mask, _mm256_set1_epi32 _mm256_and_si256 _mm256_cmpeq_epi32, _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128));
                _mm256_blendv_ps(old, _mm256_maskload_ps(from, lanes), _mm256_castsi256_ps(lanes))
            },
            blend new = {
                let lanes = lanes_of!(mask, _mm256_set1_epi32 _mm256_and_si256 _mm256_cmpeq_epi32, _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128));
                _mm256_blendv_ps(old, new, _mm256_castsi256_ps(lanes))
            },
            alternate x y = _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_castps_pd(_mm256_shuffle_ps::<0x88>(x, y)))),
            turn from = turn_quarters!(from, two_places, _mm256_unpacklo_ps _mm256_unpackhi_ps _mm256_shuffle_ps),
            deal four = {
                let (a, b) = (_mm256_permute2f128_ps::<0x20>(four[0], four[2]), _mm256_permute2f128_ps::<0x31>(four[0], four[2]));
                let (c, d) = (_mm256_permute2f128_ps::<0x20>(four[1], four[3]), _mm256_permute2f128_ps::<0x31>(four[1], four[3]));
                let (ab, cd, ab_high, cd_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
                [_mm256_shuffle_ps::<0x44>(ab, cd), _mm256_shuffle_ps::<0xEE>(ab, cd), _mm256_shuffle_ps::<0x44>(ab_high, cd_high), _mm256_shuffle_ps::<0xEE>(ab_high, cd_high)]
            },
            gather dealt = {
                let [a, b, c, d] = dealt;
                let (ab, cd, ab_high, cd_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
                let (a, b, c, d) = (_mm256_shuffle_ps::<0x44>(ab, cd), _mm256_shuffle_ps::<0xEE>(ab, cd), _mm256_shuffle_ps::<0x44>(ab_high, cd_high), _mm256_shuffle_ps::<0xEE>(ab_high, cd_high));
                [_mm256_permute2f128_ps::<0x20>(a, b), _mm256_permute2f128_ps::<0x20>(c, d), _mm256_permute2f128_ps::<0x31>(a, b), _mm256_permute2f128_ps::<0x31>(c, d)]
            };
        __m256d of 4 f64, faultless true, _mm256_loadu_pd _mm256_storeu_pd _mm256_set1_pd _mm256_add_pd
            sum + x * y = _mm256_fmadd_pd(x, y, sum),
            old | from & mask = {
                let lanes = lanes_of!(mask, _mm256_set1_epi32 _mm256_and_si256 _mm256_cmpeq_epi32, _mm256_setr_epi32(1, 1, 2, 2, 4, 4, 8, 8));
                _mm256_blendv_pd(old, _mm256_maskload_pd(from, lanes), _mm256_castsi256_pd(lanes))
            },
            blend new = {
                let lanes = lanes_of!(mask, _mm256_set1_epi32 _mm256_and_si256 _mm256_cmpeq_epi32, _mm256_setr_epi32(1, 1, 2, 2, 4, 4, 8, 8));
                _mm256_blendv_pd(old, new, _mm256_castsi256_pd(lanes))
            },
            alternate x y = _mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_unpacklo_pd(x, y));
        __m128 of 4 f32, faultless false, _mm_loadu_ps _mm_storeu_ps _mm_set1_ps _mm_add_ps
            sum + x * y = _mm_add_ps(_mm_mul_ps(x, y), sum),
            old | from & mask = {
                let lanes = _mm_castsi128_ps(lanes_of!(mask, _mm_set1_epi32 _mm_and_si128 _mm_cmpeq_epi32, _mm_setr_epi32(1, 2, 4, 8)));
                _mm_or_ps(_mm_and_ps(lanes, _mm_loadu_ps(from)), _mm_andnot_ps(lanes, old))
            },
            blend new = {
                let lanes = _mm_castsi128_ps(lanes_of!(mask, _mm_set1_epi32 _mm_and_si128 _mm_cmpeq_epi32, _mm_setr_epi32(1, 2, 4, 8)));
                _mm_or_ps(_mm_and_ps(lanes, new), _mm_andnot_ps(lanes, old))
            },
            alternate x y = _mm_shuffle_ps::<0x88>(x, y),
            deal four = transposed!(four), gather dealt = transposed!(dealt);
        __m128d of 2 f64, faultless false, _mm_loadu_pd _mm_storeu_pd _mm_set1_pd _mm_add_pd
            sum + x * y = _mm_add_pd(_mm_mul_pd(x, y), sum),
            old | from & mask = {
                let lanes = _mm_castsi128_pd(lanes_of!(mask, _mm_set1_epi32 _mm_and_si128 _mm_cmpeq_epi32, _mm_setr_epi32(1, 1, 2, 2)));
                _mm_or_pd(_mm_and_pd(lanes, _mm_loadu_pd(from)), _mm_andnot_pd(lanes, old))
            },
            blend new = {
                let lanes = _mm_castsi128_pd(lanes_of!(mask, _mm_set1_epi32 _mm_and_si128 _mm_cmpeq_epi32, _mm_setr_epi32(1, 1, 2, 2)));
                _mm_or_pd(_mm_and_pd(lanes, new), _mm_andnot_pd(lanes, old))
            },
            alternate x y = _mm_unpacklo_pd(x, y);
    }

    macro_rules! floats {
        ($($vector:ident: $stream:ident $sub:ident $mul:ident $div:ident $sqrt:ident,
            max $a:ident $b:ident = $max:expr,
            where $truth:ident: $x:ident | $y:ident = $or_else:expr,
            compare $p:ident $q:ident: $less:expr, $differs:expr, to $to:ident: $bytes:expr;)*) => {$(
            // SAFETY (of all blocks): the caller promises the memory and a processor that has the instruction.
            impl Floats for $vector {
                #[inline(always)]
                unsafe fn stream(self, to: *mut f32) { unsafe { $stream(to, self) } }
                #[inline(always)]
                unsafe fn sub(self, other: Self) -> Self { unsafe { $sub(self, other) } }
                #[inline(always)]
                unsafe fn mul(self, other: Self) -> Self { unsafe { $mul(self, other) } }
                #[inline(always)]
                unsafe fn div(self, other: Self) -> Self { unsafe { $div(self, other) } }
                // The instruction gives its second operand if one is NaN or both are zeros: right but for a NaN that comes first.
                #[inline(always)]
                unsafe fn max(self, other: Self) -> Self { let ($a, $b) = (other, self); unsafe { $max } }
                #[inline(always)]
                unsafe fn sqrt(self) -> Self { unsafe { $sqrt(self) } }
                #[inline(always)]
                unsafe fn truth(from: *const u8) -> Self { unsafe { Self::splat(1.0).or_else(from, Self::splat(0.0)) } }
                #[inline(always)]
                unsafe fn or_else(self, $truth: *const u8, $y: Self) -> Self { let $x = self; unsafe { $or_else } }
                #[inline(always)]
                unsafe fn less(self, $q: Self, to: *mut u8) { unsafe { let $p = self; let $to = $less; std::ptr::write_unaligned(to as *mut _, $bytes) } }
                #[inline(always)]
                unsafe fn differs(self, $q: Self, to: *mut u8) { unsafe { let $p = self; let $to = $differs; std::ptr::write_unaligned(to as *mut _, $bytes) } }
            }
        )*};
    }
    floats! {
        __m512: _mm512_stream_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_sqrt_ps,
            max a b = _mm512_mask_mov_ps(_mm512_max_ps(a, b), _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a), a),
            where truth: x | y = { let bytes = _mm_loadu_si128(truth.cast()); _mm512_mask_mov_ps(y, _mm_test_epi8_mask(bytes, bytes), x) },
            compare a b: _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(a, b), to mask: _mm_maskz_set1_epi8(mask, 1);
        __m256: _mm256_stream_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps _mm256_sqrt_ps,
            max a b = _mm256_blendv_ps(_mm256_max_ps(a, b), a, _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a)),
            where truth: x | y = {
                let bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(truth.cast()));
                _mm256_blendv_ps(x, y, _mm256_castsi256_ps(_mm256_cmpeq_epi32(bytes, _mm256_setzero_si256())))
            },
            compare a b: _mm256_cmp_ps::<_CMP_LT_OQ>(a, b), _mm256_cmp_ps::<_CMP_NEQ_UQ>(a, b), to mask: low_bytes(mask);
    }

    /// The lowest bit of each lane, as a byte of its own.
    #[inline(always)]
    fn low_bytes(lanes: __m256) -> [u8; 8] {
        // SAFETY: a vector of eight is an array of eight.
        let lanes: [u32; 8] = unsafe { std::mem::transmute(lanes) };
        lanes.map(|lane| (lane & 1) as u8)
    }
}

// ---- Of any processor ------------------------------------------------

/// An array that is as large as a register, and whatever the compiler makes of it (NEON, WebAssembly, …).
impl<T: Lane, const L: usize> Vector for [T; L] {
    type Number = T;
    const LANES: usize = L;
    const FAULTLESS: bool = false;
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller promises memory for the lanes.
        unsafe { from.cast::<[T; L]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller promises memory for the lanes.
        unsafe { to.cast::<[T; L]>().write_unaligned(self) }
    }
    #[inline(always)]
    unsafe fn load_masked(self, from: *const T, mask: u32) -> Self {
        // SAFETY: the caller promises memory for all lanes, since this is not faultless.
        unsafe { self.blend(Self::load(from), mask) }
    }
    #[inline(always)]
    unsafe fn blend(self, other: Self, mask: u32) -> Self {
        std::array::from_fn(|l| {
            if mask & (1 << l) != 0 {
                other[l]
            } else {
                self[l]
            }
        })
    }
    #[inline(always)]
    unsafe fn load_alternate(from: *const T) -> Self {
        // SAFETY: the caller promises memory for twice the lanes.
        std::array::from_fn(|l| unsafe { from.wrapping_add(2 * l).read() })
    }
    #[inline(always)]
    unsafe fn splat(number: T) -> Self {
        [number; L]
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        std::array::from_fn(|l| self[l] + other[l])
    }
    #[inline(always)]
    unsafe fn add_product(self, x: Self, y: Self) -> Self {
        // aarch64 always has a fused instruction; where there is none, `mul_add` would be a slow call into a library.
        let fused = cfg!(target_arch = "aarch64");
        std::array::from_fn(|l| {
            if fused {
                x[l].mul_add(y[l], self[l])
            } else {
                x[l] * y[l] + self[l]
            }
        })
    }
}

/// Four numbers, for the baseline of any processor: four lanes are what SSE2, NEON and WebAssembly have.
impl Floats for [f32; 4] {
    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { self.store(to) }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] - other[i])
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] * other[i])
    }
    #[inline(always)]
    unsafe fn div(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] / other[i])
    }
    #[inline(always)]
    unsafe fn max(self, other: Self) -> Self {
        std::array::from_fn(|i| super::number::Number::max(self[i], other[i]))
    }
    #[inline(always)]
    unsafe fn sqrt(self) -> Self {
        self.map(f32::sqrt)
    }
    #[inline(always)]
    unsafe fn truth(from: *const u8) -> Self {
        // SAFETY: the caller promises four bytes there.
        std::array::from_fn(|i| unsafe { from.add(i).read() } as f32)
    }
    #[inline(always)]
    unsafe fn or_else(self, truth: *const u8, other: Self) -> Self {
        // SAFETY: the caller promises four bytes there.
        std::array::from_fn(|i| match unsafe { truth.add(i).read() } {
            0 => other[i],
            _ => self[i],
        })
    }
    #[inline(always)]
    unsafe fn less(self, other: Self, to: *mut u8) {
        // SAFETY: the caller promises room for four bytes.
        (0..4).for_each(|i| unsafe { to.add(i).write((self[i] < other[i]) as u8) });
    }
    #[inline(always)]
    unsafe fn differs(self, other: Self, to: *mut u8) {
        // SAFETY: the caller promises room for four bytes.
        (0..4).for_each(|i| unsafe { to.add(i).write((self[i] != other[i]) as u8) });
    }
}
