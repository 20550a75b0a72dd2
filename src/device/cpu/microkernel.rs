//! # device/cpu/microkernel: the few lines in which all the multiplying happens
//!
//! **In:** two packed panels ([`packing`] makes them), or one and an operand where it is (`InPlace`). **Out:** one tile of the output, added to or overwritten.
//! **Above:** [`contraction`](super::contraction), which cuts the problem into such tiles. **Below:** the processor.
//!
//! ```text
//!                     narrow panel: N numbers a step                one step k of the tile (an outer product):
//!                    ┌ k=0 │ k=1 │ k=2 │ … ┐                          for each column n:   y = narrow[k][n], broadcast
//!                    └─────┴─────┴─────┴───┘                            for each row w:    tile[n][w] += wide[k][w] · y
//!  wide panel:       ┌──────────────┐
//!  W numbers a step  │  W × N tile  │  lives in registers during all steps of a panel
//!  k=0 │ k=1 │ …     └──────────────┘
//! ```
//!
//! **Why a tile?** A multiply-add needs two numbers and gives one, and no cache delivers operands at the rate at which the units
//! take them. A tile of W × N uses each of its W + N loads many times: W·N multiply-adds for W/lanes vector loads and N
//! broadcasts. With 512 bits (16 lanes of f32) and 32 registers, 32 × 12 takes 24 registers for sums, 2 for the wide step and the
//! rest for broadcasts: 24 multiply-adds for 14 loads. A core that starts one such multiply-add and two loads a cycle is then
//! limited by arithmetic alone: 16 lanes · 2 flop · 3 GHz ≈ 90 GFLOP/s a core. The sums are independent of each other, so 24 of
//! them also hide the four cycles that each addition takes. The same counting gives 16 × 6 for the 16 registers of AVX2.
//!
//! **Why so many kernels?** Sizes are rarely multiples of 32 and 12. The last panel may be narrower, and a layer of 8 channels has
//! nothing else. So each set has kernels with fewer columns and with half the rows; all read the same packed layout, whose steps
//! are arguments. What a kernel computes beyond the edge is never stored.
//!
//! Laws:
//! 1. One body, `tile`, for every type, size and instruction set. Its loops have constant lengths, so the compiler unrolls them and
//!    keeps the tile in registers. It does so only inside a function that is *allowed* to use those instructions, hence the
//!    thin `#[target_feature]` functions that `instruction_set!` makes.
//! 2. The set is chosen when the program runs, by what the processor says; a plain build carries all of them.
//! 3. Sums run over k from first to last, one addition after the other, whatever the tile's size: a number of the output depends
//!    on its operands and on the instruction set, never on which kernel computed it.

use super::contraction::vectors::{self, Dots, Scaled};
use super::packing::{self, InPlace, MOST_PIECES, Panel};
use super::simd::prefetch;
use std::ops::{Add, Mul};

/// The most columns of any kernel.
pub(super) const MOST_COLUMNS: usize = 12;

/// A number that the kernels multiply: f32 or f64.
pub(super) trait Real:
    Copy + Send + Sync + PartialEq + Add<Output = Self> + Mul<Output = Self> + 'static
{
    /// 0
    const ZERO: Self;
    /// Reads four numbers from each of four places and gives them the other way round: result[j][i] is number j of place i.
    ///
    /// # Safety
    /// Four numbers may be read from each.
    #[inline(always)]
    unsafe fn turn(from: [*const Self; 4]) -> [[Self; 4]; 4] {
        // SAFETY: the caller's promise.
        let rows = from.map(|row| unsafe { row.cast::<[Self; 4]>().read() });
        std::array::from_fn(|j| rows.map(|row| row[j]))
    }
    /// self · y + z, rounded once.
    #[cfg(not(target_arch = "x86_64"))]
    fn mul_add(self, y: Self, z: Self) -> Self;
    /// The kernels for this type at a level that the processor has.
    fn instruction_set(level: Level) -> &'static InstructionSet<Self>;
}

/// What one call of a kernel works on.
pub(super) struct Tile<T> {
    /// steps of K
    pub depth: usize,
    /// the wide panel: W numbers for each step …
    pub wide: *const T,
    /// … and how far apart the steps are
    pub wide_step: usize,
    /// the narrow panel: N numbers for each step …
    pub narrow: *const T,
    /// … and how far apart the steps are
    pub narrow_step: usize,
    /// where the first column of the tile goes: W consecutive numbers
    pub out: *mut T,
    /// for each of the N columns, how far from `out` it starts
    pub columns: *const isize,
    /// add to what is in `out` instead of overwriting it
    pub accumulate: bool,
}

/// A compiled kernel.
///
/// # Safety
/// The processor has the instruction set; both panels hold `depth` steps of at least W and N numbers; each column of W numbers
/// may be read and written, and nobody else does so meanwhile.
pub(super) type Kernel<T> = unsafe fn(&Tile<T>);

/// A compiled kernel whose wide numbers are loaded from where they are: see [`InPlace`].
///
/// # Safety
/// As [`Kernel`], with the operand instead of the wide panel: W rows, `depth` steps, and what the masks allow may be read.
pub(super) type KernelInPlace<T> = unsafe fn(&Tile<T>, &InPlace<T>);

/// The kernels of one type for one kind of processor.
pub(super) struct InstructionSet<T: 'static> {
    /// numbers in a vector register; a kernel has one or two of them as its rows
    pub lanes: usize,
    /// whether numbers that a masked load leaves out need not exist
    pub faultless: bool,
    /// columns, and the kernels with `lanes` and with `2 * lanes` rows; most columns first
    pub kernels: &'static [(usize, [Kernel<T>; 2])],
    /// in the same order: for one vector and for two, with 1, 2, … runs in each
    pub in_place: &'static [[[KernelInPlace<T>; MOST_PIECES]; 2]],
    /// [`packing::fill`], compiled for this set
    pub fill: unsafe fn(&Panel<T>),
    /// [`vectors::scale`], compiled for this set
    pub scale: unsafe fn(&Scaled<T>),
    /// [`vectors::dot`] for so many peers and for 1, 2, … taps; most peers first
    pub dots: &'static [(usize, &'static [Dot<T>])],
}

/// [`vectors::dot`], compiled.
///
/// # Safety
/// The processor has the instruction set; else as there.
pub(super) type Dot<T> = unsafe fn(&mut Dots<T>);

impl<T> InstructionSet<T> {
    /// The columns of the largest tile.
    pub fn most_columns(&self) -> usize {
        self.kernels[0].0
    }

    /// The kernel with the fewest columns that are enough, and how many these are.
    pub fn at_least(&self, columns: usize) -> (usize, &'static [Kernel<T>; 2]) {
        let (n, kernels) = &self.kernels[self.fitting(columns)];
        (*n, kernels)
    }

    /// The same, of those that load in place, for so many vectors of which each has so many runs.
    pub fn at_least_in_place(
        &self,
        columns: usize,
        [vectors, pieces]: [usize; 2],
    ) -> (usize, KernelInPlace<T>) {
        let kernel = self.fitting(columns);
        (
            self.kernels[kernel].0,
            self.in_place[kernel][vectors - 1][pieces - 1],
        )
    }

    fn fitting(&self, columns: usize) -> usize {
        self.kernels
            .iter()
            .rposition(|(n, _)| *n >= columns)
            .unwrap_or(0)
    }

    /// The dots with the fewest peers that are enough, or the most there are, and how many these are.
    pub fn peers_for(&self, peers: usize) -> (usize, &'static [Dot<T>]) {
        let fits = self.dots.iter().rev().find(|(n, _)| *n >= peers);
        *fits.unwrap_or(&self.dots[0])
    }
}

// ---- Vectors ---------------------------------------------------------

/// A register full of numbers. One could write arrays and loops and let the compiler find the vectors in them; it does, until a tile has 8 columns,
/// when it takes the columns for the vector and gathers through memory, dozens of times slower. So the kernel says what it means.
///
/// # Safety
/// All of it is for processors that have the instructions, and only fast where everything is inlined into a function that may use them.
pub(super) trait Vector: Copy {
    type Number: Real;
    const LANES: usize;
    /// whether [`Vector::load_masked`] leaves memory alone where the mask is 0
    const FAULTLESS: bool;
    unsafe fn load(from: *const Self::Number) -> Self;
    unsafe fn store(self, to: *mut Self::Number);
    /// the numbers in memory where the mask has a 1 (bit 0 is the first lane), elsewhere those of self
    unsafe fn load_masked(self, from: *const Self::Number, mask: u32) -> Self;
    /// whether [`Vector::turn`] beats turning four places at a time
    const TURNS: bool = false;
    /// reads four numbers from each of as many places as there are lanes: number j of all places is vector j
    #[inline(always)]
    unsafe fn turn(_from: impl Fn(usize) -> *const Self::Number) -> [Self; 4] {
        unreachable!("a vector that doesn't turn")
    }
    /// the numbers of other where the mask has a 1, elsewhere those of self
    unsafe fn blend(self, other: Self, mask: u32) -> Self;
    /// every second number of as many as two vectors hold, beginning with the first
    unsafe fn load_alternate(from: *const Self::Number) -> Self;
    /// the same number in all lanes
    unsafe fn splat(number: Self::Number) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    /// self + x · y, rounded once where the processor can do that in one instruction
    unsafe fn add_product(self, x: Self, y: Self) -> Self;
}

/// What the processor calls these operations.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
mod x86 {
    use super::Vector;
    use std::arch::x86_64::*;

    macro_rules! vector {
        ($($vector:ident of $lanes:literal $number:ty, faultless $faultless:literal, $load:ident $store:ident $splat:ident $add:ident
            $sum:ident + $x:ident * $y:ident = $add_product:expr,
            $old:ident | $from:ident & $mask:ident = $load_masked:expr, blend $new:ident = $blend:expr, alternate $first:ident $second:ident = $alternate:expr$(, turn $places:ident = $turn:expr)?;)*) => {$(
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

    vector! {
        __m512 of 16 f32, faultless true, _mm512_loadu_ps _mm512_storeu_ps _mm512_set1_ps _mm512_add_ps
            sum + x * y = _mm512_fmadd_ps(x, y, sum),
            old | from & mask = _mm512_mask_loadu_ps(old, mask as __mmask16, from),
            blend new = _mm512_mask_mov_ps(old, mask as __mmask16, new),
            alternate x y = _mm512_permutex2var_ps(x, _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30), y),
            turn from = turn_quarters!(from, four_places, _mm512_unpacklo_ps _mm512_unpackhi_ps _mm512_shuffle_ps);
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
            turn from = turn_quarters!(from, two_places, _mm256_unpacklo_ps _mm256_unpackhi_ps _mm256_shuffle_ps);
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
            alternate x y = _mm_shuffle_ps::<0x88>(x, y);
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
}

/// Elsewhere (NEON, WebAssembly, …) an array that is as large as a register, and whatever the compiler makes of it.
#[cfg(not(target_arch = "x86_64"))]
impl<T: Real, const L: usize> Vector for [T; L] {
    type Number = T;
    const LANES: usize = L;
    const FAULTLESS: bool = false;
    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller promises memory for the lanes.
        unsafe { from.cast::<[T; L]>().read() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller promises memory for the lanes.
        unsafe { to.cast::<[T; L]>().write(self) }
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

// ---- The kernel ------------------------------------------------------

/// out[n][w] (+)= Σₖ wide[k][w] · narrow[k][n], for R vectors of rows w and N columns n.
///
/// # Safety
/// As [`Kernel`], where `wide` loads the vectors of a step.
#[inline(always)]
unsafe fn tile<V: Vector, const R: usize, const N: usize>(
    call: &Tile<V::Number>,
    wide: impl Fn(usize) -> [V; R],
) {
    // SAFETY: the caller promises `depth` steps of N numbers (the pointer moves on by one step each round), N
    // columns of R vectors that are ours to read and write, and the processor.
    unsafe {
        let mut sums = [[V::splat(V::Number::ZERO); R]; N];
        let mut narrow = call.narrow;
        for k in 0..call.depth {
            let xs = wide(k);
            for (n, sums) in sums.iter_mut().enumerate() {
                let y = V::splat(*narrow.wrapping_add(n));
                for (sum, x) in sums.iter_mut().zip(xs) {
                    *sum = sum.add_product(x, y);
                }
            }
            narrow = narrow.wrapping_add(call.narrow_step);
        }
        for (n, sums) in sums.iter().enumerate() {
            let column = call.out.offset(*call.columns.add(n));
            for (r, sum) in sums.iter().enumerate() {
                let to = column.wrapping_add(r * V::LANES);
                let sum = if call.accumulate {
                    V::load(to).add(*sum)
                } else {
                    *sum
                };
                sum.store(to);
            }
        }
    }
}

/// The vectors of step k, from a panel.
///
/// # Safety
/// The panel has R vectors at step k.
#[inline(always)]
unsafe fn packed<V: Vector, const R: usize>(call: &Tile<V::Number>, k: usize) -> [V; R] {
    let step = call.wide.wrapping_add(k * call.wide_step);
    // SAFETY: the caller's promise.
    std::array::from_fn(|r| unsafe { V::load(step.wrapping_add(r * V::LANES)) })
}

/// The vectors of step k, each from P runs.
///
/// # Safety
/// There are R vectors and a step k, and what its mask allows may be read.
#[inline(always)]
unsafe fn in_place<V: Vector, const R: usize, const P: usize>(
    wide: &InPlace<V::Number>,
    k: usize,
) -> [V; R] {
    // SAFETY: the caller's promise; loads look at nothing but the lanes of the mask.
    unsafe {
        let (step, mask) = (*wide.steps.get_unchecked(k), *wide.masks.get_unchecked(k));
        for r in 0..R {
            let next = wide.ahead + step + (r * V::LANES) as isize;
            prefetch(wide.from[0][0].wrapping_offset(next).cast(), 1);
        }
        std::array::from_fn(|r| {
            let mask = mask >> (r * V::LANES);
            let mut x = V::splat(V::Number::ZERO);
            for p in 0..P {
                let lanes = if P == 1 {
                    mask
                } else {
                    wide.lanes[r][p] & mask
                };
                x = x.load_masked(wide.from[r][p].wrapping_offset(step), lanes);
            }
            x
        })
    }
}

/// Compiles [`tile`] in all its sizes, the packing and the lines for one type and one instruction set.
macro_rules! instruction_set {
    ($(#[$feature:meta])? $name:ident: $vector:ty, columns $($columns:literal)*, peers $($peers:literal)*) => {
        mod $name {
            use super::{Dots, InPlace, InstructionSet, Panel, Scaled, Tile, Vector, packing, vectors};
            #[cfg(target_arch = "x86_64")]
            #[allow(unused_imports)]
            use std::arch::x86_64::*;
            type Number = <$vector as Vector>::Number;

            $(#[$feature])?
            unsafe fn tile<const R: usize, const N: usize>(call: &Tile<Number>) {
                // SAFETY: passed on to the caller.
                unsafe { super::tile::<$vector, R, N>(call, |k| super::packed(call, k)) }
            }

            $(#[$feature])?
            unsafe fn in_place<const R: usize, const N: usize, const P: usize>(call: &Tile<Number>, wide: &InPlace<Number>) {
                // SAFETY: passed on to the caller.
                unsafe { super::tile::<$vector, R, N>(call, |k| super::in_place::<$vector, R, P>(wide, k)) }
            }

            $(#[$feature])?
            unsafe fn fill(panel: &Panel<Number>) {
                // SAFETY: passed on to the caller.
                unsafe { packing::fill::<$vector>(panel) }
            }

            $(#[$feature])?
            unsafe fn scale(lines: &Scaled<Number>) {
                // SAFETY: passed on to the caller.
                unsafe { vectors::scale::<$vector>(lines) }
            }

            $(#[$feature])?
            unsafe fn dot<const W: usize, const N: usize>(dots: &mut Dots<Number>) {
                // SAFETY: passed on to the caller.
                unsafe { vectors::dot::<$vector, W, N>(dots) }
            }

            pub(super) static SET: InstructionSet<Number> = InstructionSet {
                lanes: <$vector as Vector>::LANES,
                faultless: <$vector as Vector>::FAULTLESS,
                kernels: &[$(($columns, [tile::<1, $columns>, tile::<2, $columns>])),*],
                in_place: &[$([
                    [in_place::<1, $columns, 1>, in_place::<1, $columns, 2>, in_place::<1, $columns, 3>],
                    [in_place::<2, $columns, 1>, in_place::<2, $columns, 2>, in_place::<2, $columns, 3>],
                ]),*],
                fill,
                scale,
                dots: &[
                    $(($peers, &[dot::<$peers, 1>, dot::<$peers, 2>, dot::<$peers, 3>, dot::<$peers, 4>, dot::<$peers, 5>, dot::<$peers, 6>]),)*
                    (1, &[
                        dot::<1, 1>, dot::<1, 2>, dot::<1, 3>, dot::<1, 4>, dot::<1, 5>, dot::<1, 6>,
                        dot::<1, 7>, dot::<1, 8>, dot::<1, 9>, dot::<1, 10>, dot::<1, 11>, dot::<1, 12>,
                    ]),
                ],
            };
        }
    };
}

// ---- One set for each kind of processor ------------------------------

/// The kinds of processors that are told apart. What a level needs is listed at the kernels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Level {
    /// whatever the program was compiled for
    Portable,
    /// x86-64 with 16 registers of 256 bits and fused multiply-add (since 2013)
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// x86-64 with 32 registers of 512 bits
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// All levels that this processor has, the best last.
    pub fn available() -> Vec<Level> {
        #[allow(unused_mut)]
        let mut levels = vec![Level::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Level::Avx2);
            }
            if levels.contains(&Level::Avx2)
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                levels.push(Level::Avx512);
            }
        }
        levels
    }

    /// The best that this processor has.
    pub fn best() -> Level {
        *Level::available().last().unwrap_or(&Level::Portable)
    }
}

#[cfg(target_arch = "x86_64")]
instruction_set!(#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")] avx512_f32: __m512, columns 12 8 4 2, peers 4 2);
#[cfg(target_arch = "x86_64")]
instruction_set!(#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")] avx512_f64: __m512d, columns 12 8 4 2, peers 4 2);
#[cfg(target_arch = "x86_64")]
instruction_set!(#[target_feature(enable = "avx2,fma")] avx2_f32: __m256, columns 6 4 2, peers 2);
#[cfg(target_arch = "x86_64")]
instruction_set!(#[target_feature(enable = "avx2,fma")] avx2_f64: __m256d, columns 6 4 2, peers 2);
// Every x86-64 has SSE2: 16 registers of 128 bits.
#[cfg(target_arch = "x86_64")]
instruction_set!(portable_f32: __m128, columns 4 2, peers 2);
#[cfg(target_arch = "x86_64")]
instruction_set!(portable_f64: __m128d, columns 4 2, peers 2);

// NEON is part of every aarch64: 32 registers of 128 bits.
#[cfg(target_arch = "aarch64")]
instruction_set!(portable_f32: [f32; 4], columns 12 8 4 2, peers 4 2);
#[cfg(target_arch = "aarch64")]
instruction_set!(portable_f64: [f64; 2], columns 12 8 4 2, peers 4 2);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
instruction_set!(portable_f32: [f32; 4], columns 4 2, peers 2);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
instruction_set!(portable_f64: [f64; 2], columns 4 2, peers 2);

impl Real for f32 {
    const ZERO: f32 = 0.0;
    // The compiler doesn't find this one: it moves the sixteen numbers one by one.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn turn(from: [*const f32; 4]) -> [[f32; 4]; 4] {
        use std::arch::x86_64::{_MM_TRANSPOSE4_PS, _mm_loadu_ps};
        // SAFETY: the caller promises the memory; every x86-64 has these instructions; a vector of four is an array of four.
        unsafe {
            from.iter()
                .for_each(|row| prefetch(row.wrapping_add(64).cast(), 1));
            let [mut a, mut b, mut c, mut d] = from.map(|row| _mm_loadu_ps(row));
            _MM_TRANSPOSE4_PS(&mut a, &mut b, &mut c, &mut d);
            std::mem::transmute([a, b, c, d])
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn mul_add(self, y: f32, z: f32) -> f32 {
        f32::mul_add(self, y, z)
    }
    fn instruction_set(level: Level) -> &'static InstructionSet<f32> {
        match level {
            Level::Portable => &portable_f32::SET,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => &avx2_f32::SET,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => &avx512_f32::SET,
        }
    }
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn mul_add(self, y: f64, z: f64) -> f64 {
        f64::mul_add(self, y, z)
    }
    fn instruction_set(level: Level) -> &'static InstructionSet<f64> {
        match level {
            Level::Portable => &portable_f64::SET,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => &avx2_f64::SET,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => &avx512_f64::SET,
        }
    }
}
