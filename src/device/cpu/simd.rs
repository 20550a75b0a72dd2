//! # device/cpu/simd: which instructions this processor has, and how to run code compiled for them
//!
//! **In:** a piece of hot code, written once in plain Rust. **Out:** its result, computed by the widest instructions that the
//! processor has. **Above:** `alu`, `math` and the contraction's micro-kernel. **Below:** nothing.
//!
//! A program built with plain `cargo build --release` may use only what *every* processor of the target has: on x86-64 that is
//! SSE2, four floats at a time and no fused multiply-add. So hot code is compiled several times, once for each [`Level`], and the
//! copy to run is chosen when the program runs:
//!
//! ```text
//! vectorize(hot) ──level()──▶ Avx512   ─▶ #[target_feature(enable = "avx512f,…")] fn ─▶ hot.run::<Avx512>()   16 floats, FMA
//!                           ├▶ Avx2Fma  ─▶ #[target_feature(enable = "avx2,fma")]   fn ─▶ hot.run::<Avx2Fma>()   8 floats, FMA
//!                           └▶ Portable ─────────────────────────────────────────────▶ hot.run::<Portable>()  the target's baseline
//! ```
//!
//! `run` is `#[inline(always)]`, so its body lands *inside* the function that has the target features, and there LLVM turns its
//! plain loops into wide ones. No intrinsics, no second copy of the source. On AArch64 the baseline already has NEON and FMA, and
//! `Portable` is the only level.
//!
//! Laws:
//! 1. `run` and all that it calls in its loops must be inlined (`#[inline(always)]`, or closures that are used once): a call that
//!    stays a call runs baseline code.
//! 2. `mul_add` may be used only where [`Isa::FMA`] holds. Elsewhere it is a call into a slow software routine. [`multiply_add`] sees to it.

use super::lanes::Floats;

/// An instruction set to compile hot code for, in the order from plain to wide.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Level {
    /// what every processor of the target has: SSE2 on x86-64, NEON on AArch64
    Portable,
    /// 256-bit vectors with fused multiply-add: x86-64 since about 2013
    #[cfg(target_arch = "x86_64")]
    Avx2Fma,
    /// 512-bit vectors
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The levels that run on this processor, from plain to wide.
    pub fn available() -> Vec<Level> {
        #[allow(unused_mut)] // on targets with one level
        let mut levels = vec![Level::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            use std::is_x86_feature_detected as has;
            let avx2 = has!("avx2") && has!("fma");
            if avx2 {
                levels.push(Level::Avx2Fma);
            }
            if avx2 && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                levels.push(Level::Avx512);
            }
        }
        levels
    }
}

/// The widest level of this processor. It is found once; after that this is a load.
pub fn level() -> Level {
    #[cfg(test)]
    if let Some(level) = FORCED.get() {
        return level;
    }
    static WIDEST: std::sync::OnceLock<Level> = std::sync::OnceLock::new();
    *WIDEST.get_or_init(|| *Level::available().last().expect("Portable is always there"))
}

#[cfg(test)]
thread_local! {
    static FORCED: std::cell::Cell<Option<Level>> = const { std::cell::Cell::new(None) };
}

/// Runs a test at one level, on this thread only.
#[cfg(test)]
pub(crate) fn at_level<R>(level: Level, test: impl FnOnce() -> R) -> R {
    assert!(
        Level::available().contains(&level),
        "this processor lacks {level:?}"
    );
    let before = FORCED.replace(Some(level));
    let result = test();
    FORCED.set(before);
    result
}

// ---- What hot code knows about its level ------------------------------

/// A [`Level`] as a type, so that hot code can choose by it while it is compiled.
pub trait Isa {
    /// There is an instruction for a·b + c with one rounding.
    const FMA: bool;
    /// A vector register of f32.
    type Floats: Floats;

    /// Sixteen out of thirty-two neighbours: outᵢ = `from[indexᵢ]`. Only the lowest five bits of an index count. Or out of sixteen, if they are
    /// `NEAR`: then only the lowest four count, and half as much is read.
    ///
    /// # Safety
    /// Thirty-two numbers (or sixteen) can be read at `from`, and sixteen at `index`; where the level is not [`Portable`], the processor has it.
    #[inline(always)]
    unsafe fn pick<const NEAR: bool>(from: *const u32, index: *const u8) -> [u32; 16] {
        let bits = if NEAR { 15 } else { 31 };
        // SAFETY: the caller's.
        std::array::from_fn(|i| unsafe {
            from.add((*index.add(i) & bits) as usize).read_unaligned()
        })
    }
}

/// [`Level::Portable`] as a type.
pub struct Portable;
impl Isa for Portable {
    const FMA: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));
    type Floats = [f32; 4];
}

/// [`Level::Avx2Fma`] as a type.
#[cfg(target_arch = "x86_64")]
pub struct Avx2Fma;
#[cfg(target_arch = "x86_64")]
impl Isa for Avx2Fma {
    const FMA: bool = true;
    type Floats = std::arch::x86_64::__m256;

    /// An instruction picks eight out of eight: each index's place in all four vectors, of which its upper two bits then choose one.
    #[inline(always)]
    unsafe fn pick<const NEAR: bool>(from: *const u32, index: *const u8) -> [u32; 16] {
        use std::arch::x86_64::*;
        let vectors = if NEAR { 2 } else { 4 };
        // SAFETY: the caller's: all of the memory is there, and the level.
        unsafe {
            let mut four = [_mm256_setzero_si256(); 4];
            for (k, vector) in four.iter_mut().enumerate() {
                *vector = _mm256_loadu_si256(from.add(8 * (k % vectors)).cast());
            }
            let mut picked = [_mm256_setzero_ps(); 2];
            for (h, picked) in picked.iter_mut().enumerate() {
                let index = _mm256_cvtepu8_epi32(_mm_loadl_epi64(index.add(8 * h).cast()));
                let mut at = [_mm256_setzero_ps(); 4];
                for (at, vector) in at.iter_mut().zip(four) {
                    *at = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(vector, index));
                }
                // The choice between two vectors looks at the highest bit.
                let bit_3 = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(index));
                *picked = _mm256_blendv_ps(at[0], at[1], bit_3);
                if !NEAR {
                    let bit_4 = _mm256_castsi256_ps(_mm256_slli_epi32::<27>(index));
                    let high = _mm256_blendv_ps(at[2], at[3], bit_3);
                    *picked = _mm256_blendv_ps(*picked, high, bit_4);
                }
            }
            std::mem::transmute(picked)
        }
    }
}

/// [`Level::Avx512`] as a type.
#[cfg(target_arch = "x86_64")]
pub struct Avx512;
#[cfg(target_arch = "x86_64")]
impl Isa for Avx512 {
    const FMA: bool = true;
    type Floats = std::arch::x86_64::__m512;

    /// There is an instruction for it.
    #[inline(always)]
    unsafe fn pick<const NEAR: bool>(from: *const u32, index: *const u8) -> [u32; 16] {
        use std::arch::x86_64::*;
        // SAFETY: the caller's: all of the memory is there, and the level.
        unsafe {
            let low = _mm512_loadu_si512(from.cast());
            let index = _mm512_cvtepu8_epi32(_mm_loadu_si128(index.cast()));
            std::mem::transmute(match NEAR {
                true => _mm512_permutexvar_epi32(index, low),
                false => {
                    let high = _mm512_loadu_si512(from.add(16).cast());
                    _mm512_permutex2var_epi32(low, index, high)
                }
            })
        }
    }
}

/// a·b + c: in one instruction where there is one, else in two, with two roundings.
#[inline(always)]
pub fn multiply_add<I: Isa>(a: f32, b: f32, c: f32) -> f32 {
    if I::FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Four rows of four numbers as four columns. The compiler does not find these instructions by itself: it moves the sixteen numbers one
/// by one.
///
/// # Safety
/// Four f32 can be read at each of the addresses.
#[inline(always)]
pub unsafe fn turn(from: [*const f32; 4]) -> [[f32; 4]; 4] {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_TRANSPOSE4_PS, _mm_loadu_ps};
        // SAFETY: the caller promises the memory; every x86-64 has these instructions; a vector of four is an array of four.
        unsafe {
            let [mut a, mut b, mut c, mut d] = from.map(|row| _mm_loadu_ps(row));
            _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
            std::mem::transmute([a, b, c, d])
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        // SAFETY: the caller promises the memory.
        let rows = from.map(|row| unsafe { row.cast::<[f32; 4]>().read_unaligned() });
        std::array::from_fn(|c| rows.map(|row| row[c]))
    }
}

/// Asks for memory before it is needed. Wherever the address leads, nothing happens but that it may be in cache soon.
#[inline(always)]
pub fn prefetch(from: *const u8, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..bytes).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch touches no memory that the program can see, and cannot fail.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(line).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, bytes);
}

// ---- Running it -------------------------------------------------------

/// A piece of hot code with its arguments: a closure that can be compiled once for each instruction set.
pub trait Hot {
    /// What it computes.
    type Out;
    /// The code. Implementations must be `#[inline(always)]` (law 1).
    fn run<I: Isa>(self) -> Self::Out;
}

/// Runs hot code with the widest instructions there are.
#[inline]
pub fn vectorize<H: Hot>(hot: H) -> H::Out {
    match level() {
        Level::Portable => hot.run::<Portable>(),
        // SAFETY: `level` answers Avx2Fma only where the processor has these features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2Fma => unsafe { run_avx2(hot) },
        // SAFETY: likewise.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { run_avx512(hot) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn run_avx2<H: Hot>(hot: H) -> H::Out {
    hot.run::<Avx2Fma>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
fn run_avx512<H: Hot>(hot: H) -> H::Out {
    hot.run::<Avx512>()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Dot<'a>(&'a [f32], &'a [f32]);
    impl Hot for Dot<'_> {
        type Out = f32;
        #[inline(always)]
        fn run<I: Isa>(self) -> f32 {
            self.0
                .iter()
                .zip(self.1)
                .fold(0.0, |sum, (a, b)| multiply_add::<I>(*a, *b, sum))
        }
    }

    #[test]
    fn every_level_computes_the_same_where_nothing_rounds() {
        let a: Vec<f32> = (0..100).map(|i| i as f32).collect();
        for level in Level::available() {
            assert_eq!(
                at_level(level, || vectorize(Dot(&a, &a))),
                328350.0,
                "{level:?}"
            ); // Σ i², i < 100
        }
    }

    struct Pick<'a, const NEAR: bool>(&'a [u32; 32], &'a [u8; 16]);
    impl<const NEAR: bool> Hot for Pick<'_, NEAR> {
        type Out = [u32; 16];
        #[inline(always)]
        fn run<I: Isa>(self) -> [u32; 16] {
            // SAFETY: thirty-two numbers and sixteen indices; `vectorize` has chosen a level of this processor.
            unsafe { I::pick::<NEAR>(self.0.as_ptr(), self.1.as_ptr()) }
        }
    }

    #[test]
    fn every_level_picks_the_same() {
        let from: [u32; 32] = std::array::from_fn(|i| 1000 + i as u32);
        for step in [0, 1, 2, 7, 31, 255] {
            let index: [u8; 16] = std::array::from_fn(|i| (i * step) as u8);
            let of = |window: usize| index.map(|i| from[i as usize % window]);
            for level in Level::available() {
                let picked = at_level(level, || vectorize(Pick::<false>(&from, &index)));
                assert_eq!(picked, of(32), "{level:?}");
                let picked = at_level(level, || vectorize(Pick::<true>(&from, &index)));
                assert_eq!(picked, of(16), "{level:?}");
            }
        }
    }

    #[test]
    fn a_level_is_forced_for_the_test_only() {
        let widest = level();
        at_level(Level::Portable, || assert_eq!(level(), Level::Portable));
        assert_eq!(level(), widest);
        assert_eq!(Some(&widest), Level::available().last());
    }
}
