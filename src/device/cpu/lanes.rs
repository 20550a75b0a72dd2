//! # device/cpu/lanes: a vector register of f32, by name
//!
//! **In:** addresses. **Out:** sums, products, quotients, 16, 8 or 4 at a time. **Above:** `strip`, which keeps its running values in such
//! registers. **Below:** the processor.
//!
//! A loop over arrays becomes vector instructions by itself (see `blocks`), but the compiler decides what stays in registers, and across a
//! `match` it decides for memory. Who needs a value to *stay* says so with these types.
//!
//! Law: every operation gives the bits of its namesake in `number`, whatever the processor (of NaNs, that it is one).

/// A register of f32.
///
/// # Safety
/// All operations are for processors that have the instructions, and fast only where they are inlined into a function that may use them.
#[allow(clippy::missing_safety_doc)] // said above, for all of them
pub trait Floats: Copy {
    /// how many
    const LANES: usize;
    /// from memory, aligned or not
    unsafe fn load(from: *const f32) -> Self;
    /// to memory, aligned or not
    unsafe fn store(self, to: *mut f32);
    /// to memory, past the caches; aligned to the register's size
    unsafe fn stream(self, to: *mut f32);
    /// a + b
    unsafe fn add(self, other: Self) -> Self;
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
    /// the same number in all lanes
    unsafe fn splat(number: f32) -> Self;
    /// 1 where a byte is not 0, else 0
    unsafe fn truth(from: *const u8) -> Self;
    /// self where a byte is not 0, else other
    unsafe fn or_else(self, truth: *const u8, other: Self) -> Self;
    /// a byte 1 where a < b, else 0
    unsafe fn less(self, other: Self, to: *mut u8);
    /// a byte 1 where a ≠ b, else 0
    unsafe fn differs(self, other: Self, to: *mut u8);
}

#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
mod x86 {
    use super::Floats;
    use std::arch::x86_64::*;

    macro_rules! floats {
        ($($vector:ident of $lanes:literal: $load:ident $store:ident $stream:ident $add:ident $sub:ident $mul:ident $div:ident $sqrt:ident $splat:ident,
            max $a:ident $b:ident = $max:expr,
            where $truth:ident: $x:ident | $y:ident = $or_else:expr,
            compare $p:ident $q:ident: $less:expr, $differs:expr, to $to:ident: $bytes:expr;)*) => {$(
            // SAFETY (of all blocks): the caller promises the memory and a processor that has the instruction.
            impl Floats for $vector {
                const LANES: usize = $lanes;
                #[inline(always)]
                unsafe fn load(from: *const f32) -> Self { unsafe { $load(from) } }
                #[inline(always)]
                unsafe fn store(self, to: *mut f32) { unsafe { $store(to, self) } }
                #[inline(always)]
                unsafe fn stream(self, to: *mut f32) { unsafe { $stream(to, self) } }
                #[inline(always)]
                unsafe fn add(self, other: Self) -> Self { unsafe { $add(self, other) } }
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
                unsafe fn splat(number: f32) -> Self { unsafe { $splat(number) } }
                #[inline(always)]
                unsafe fn truth(from: *const u8) -> Self { unsafe { $splat(1.0).or_else(from, $splat(0.0)) } }
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
        __m512 of 16: _mm512_loadu_ps _mm512_storeu_ps _mm512_stream_ps _mm512_add_ps _mm512_sub_ps _mm512_mul_ps _mm512_div_ps _mm512_sqrt_ps _mm512_set1_ps,
            max a b = _mm512_mask_mov_ps(_mm512_max_ps(a, b), _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a), a),
            where truth: x | y = { let bytes = _mm_loadu_si128(truth.cast()); _mm512_mask_mov_ps(y, _mm_test_epi8_mask(bytes, bytes), x) },
            compare a b: _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(a, b), to mask: _mm_maskz_set1_epi8(mask, 1);
        __m256 of 8: _mm256_loadu_ps _mm256_storeu_ps _mm256_stream_ps _mm256_add_ps _mm256_sub_ps _mm256_mul_ps _mm256_div_ps _mm256_sqrt_ps _mm256_set1_ps,
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

/// Four numbers, for the baseline of any processor: four lanes are what SSE2, NEON and WebAssembly have.
impl Floats for [f32; 4] {
    const LANES: usize = 4;
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller promises four numbers there.
        unsafe { from.cast::<[f32; 4]>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller promises room for four numbers.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self) }
    }
    #[inline(always)]
    unsafe fn stream(self, to: *mut f32) {
        // SAFETY: the caller's.
        unsafe { self.store(to) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        std::array::from_fn(|i| self[i] + other[i])
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
    unsafe fn splat(number: f32) -> Self {
        [number; 4]
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
