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
//! limited by arithmetic alone: 16 lanes · 2 flop · 3.3 GHz ≈ 106 GFLOP/s a core. The sums are independent of each other, so 24 of
//! them also hide the four cycles that each addition takes. The same counting gives 16 × 6 for the 16 registers of AVX2.
//!
//! Where the wide numbers are not packed but loaded from where they are, their loads are the dear ones, and broadcasts are cheap: half a load
//! each, as a core does two of 4 bytes in a cycle, but one of 64. A tile of 16 × 16 then takes one load of 64 bytes for 16 multiply-adds, and 32 × 8
//! would take two.
//!
//! **Why so many kernels?** Sizes are rarely multiples of 32 and 12. The last panel may be narrower, and a layer of 8 channels has
//! nothing else. So each set has kernels with fewer columns and with half the rows; all read the same packed layout, whose steps
//! are arguments. What a kernel computes beyond the edge is never stored.
//!
//! Laws:
//! 1. One body, `tile`, for every type, size and instruction set. Its loops have constant lengths, so the compiler unrolls them and
//!    keeps the tile in registers. It does so only inside a function that is *allowed* to use those instructions, hence the
//!    thin `#[target_feature]` functions that `instruction_set!` makes. And what is to be inlined there is written as loops: a closure for
//!    `array::from_fn` or `map` may stay a function, which has none of the caller's features, and then each operation in it is a call: with AVX2,
//!    convolutions of 8 and 16 channels took 20 times as long.
//! 2. The set is chosen when the program runs, by what the processor says; a plain build carries all of them.
//! 3. Sums run over k from first to last, one addition after the other, whatever the tile's size: a number of the output depends
//!    on its operands and on the instruction set, never on which kernel computed it.

use super::contraction::transforms::{self, Filters, Gradient, Image, Patches, Results};
use super::contraction::turned::{self, Factors, Windows};
use super::contraction::vectors::{self, Dots, Scaled};
use super::lanes::{Lane, Vector};
use super::packing::{self, InPlace, MOST_PIECES, Panel};
use super::simd::{Level, prefetch};

/// The most columns of any kernel.
pub(super) const MOST_COLUMNS: usize = 16;

/// A number that the kernels multiply: f32 or f64.
pub(super) trait Real: Lane {
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

/// With whole vectors, and with 1, 2, … runs in each: see [`InPlace::pieces`].
pub(super) type KernelsInPlace<T> = [KernelInPlace<T>; MOST_PIECES + 1];

/// The kernels of one type for one kind of processor.
pub(super) struct InstructionSet<T: 'static> {
    /// numbers in a vector register; a kernel has one or two of them as its rows
    pub lanes: usize,
    /// whether numbers that a masked load leaves out need not exist
    pub faultless: bool,
    /// columns, and the kernels with `lanes` and with `2 * lanes` rows; most columns first
    pub kernels: &'static [(usize, [Kernel<T>; 2])],
    /// for one vector and for two: columns, and the kernels with whole vectors and with 1, 2, … runs in each; most columns first
    pub in_place: [&'static [(usize, KernelsInPlace<T>)]; 2],
    /// [`packing::fill`], compiled for this set
    pub fill: unsafe fn(&Panel<T>),
    /// [`vectors::scale`], compiled for this set
    pub scale: unsafe fn(&Scaled<T>),
    /// [`vectors::dot`] for so many peers and for 1, 2, … taps; most peers first
    pub dots: &'static [(usize, &'static [Dot<T>])],
    /// [`transforms`], compiled for this set
    pub filters: unsafe fn(&Filters<T>),
    pub patches: unsafe fn(&Patches<T>),
    pub results: unsafe fn(&Results<T>),
    /// [`turned`], of an image and of a gradient
    pub factors: [unsafe fn(&Factors<T>); 2],
    pub windows: unsafe fn(&Windows<T>),
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
        let (n, kernels) = fitting(self.kernels, columns);
        (*n, kernels)
    }

    /// The same, of those that load in place, for so many vectors of which each has so many runs.
    pub fn at_least_in_place(
        &self,
        columns: usize,
        [vectors, pieces]: [usize; 2],
    ) -> (usize, KernelInPlace<T>) {
        let (n, kernels) = fitting(self.in_place[vectors - 1], columns);
        (*n, kernels[pieces])
    }

    /// The dots with the fewest peers that are enough, or the most there are, and how many these are.
    pub fn peers_for(&self, peers: usize) -> (usize, &'static [Dot<T>]) {
        let fits = self.dots.iter().rev().find(|(n, _)| *n >= peers);
        *fits.unwrap_or(&self.dots[0])
    }
}

/// What has the fewest columns that are enough, or the most there are.
fn fitting<K>(kernels: &'static [(usize, K)], columns: usize) -> &'static (usize, K) {
    let fits = kernels.iter().rev().find(|(n, _)| *n >= columns);
    fits.unwrap_or(&kernels[0])
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
        // Where the tile goes is needed at the end and asked for now: a store to memory that no cache has would hold up those behind it.
        for n in 0..N {
            let column = call.out.offset(*call.columns.add(n));
            prefetch(column.cast(), R * size_of::<V>());
        }
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
    unsafe {
        let mut xs = [V::splat(V::Number::ZERO); R];
        for (r, x) in xs.iter_mut().enumerate() {
            *x = V::load(step.wrapping_add(r * V::LANES));
        }
        xs
    }
}

/// The vectors of step k, each from P runs, or whole if P is 0.
///
/// # Safety
/// There are R vectors and a step k, and what its mask allows may be read; whole vectors, if P is 0.
#[inline(always)]
unsafe fn in_place<V: Vector, const R: usize, const P: usize>(
    wide: &InPlace<V::Number>,
    k: usize,
) -> [V; R] {
    // SAFETY: the caller's promise; loads look at nothing but the lanes of the mask.
    unsafe {
        let step = *wide.steps.get_unchecked(k);
        let mut xs = [V::splat(V::Number::ZERO); R];
        if P == 0 {
            for (r, x) in xs.iter_mut().enumerate() {
                *x = V::load(wide.from[r][0].wrapping_offset(step));
            }
            return xs;
        }
        let mask = *wide.masks.get_unchecked(k);
        for r in 0..R {
            let next = wide.ahead + step + (r * V::LANES) as isize;
            prefetch(wide.from[0][0].wrapping_offset(next).cast(), 1);
        }
        for (r, x) in xs.iter_mut().enumerate() {
            let mask = mask >> (r * V::LANES);
            for p in 0..P {
                let lanes = if P == 1 {
                    mask
                } else {
                    wide.lanes[r][p] & mask
                };
                *x = x.load_masked(wide.from[r][p].wrapping_offset(step), lanes);
            }
        }
        xs
    }
}

/// Compiles [`tile`] in all its sizes, the packing and the lines for one type and one instruction set.
macro_rules! instruction_set {
    ($(#[$feature:meta])? $name:ident: $vector:ty, columns $($columns:literal)*$( and $single:literal)?, peers $($peers:literal)*) => {
        mod $name {
            use super::{Dots, Factors, Filters, Gradient, Image, InPlace, InstructionSet, Panel, Patches, Results, Scaled, Tile, Vector, Windows};
            use super::{packing, transforms, turned, vectors};
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

            $(#[$feature])?
            unsafe fn filters(call: &Filters<Number>) {
                // SAFETY: passed on to the caller.
                unsafe { transforms::filters::<$vector>(call) }
            }

            $(#[$feature])?
            unsafe fn patches(call: &Patches<Number>) {
                // SAFETY: passed on to the caller.
                unsafe { transforms::patches::<$vector>(call) }
            }

            $(#[$feature])?
            unsafe fn results(call: &Results<Number>) {
                // SAFETY: passed on to the caller.
                unsafe { transforms::results::<$vector>(call) }
            }

            $(#[$feature])?
            unsafe fn factors<S: transforms::Side>(call: &Factors<Number>) {
                // SAFETY: passed on to the caller.
                unsafe { turned::factors::<$vector, S>(call) }
            }

            $(#[$feature])?
            unsafe fn windows(call: &Windows<Number>) {
                // SAFETY: passed on to the caller.
                unsafe { turned::windows::<$vector>(call) }
            }

            pub(super) static SET: InstructionSet<Number> = InstructionSet {
                lanes: <$vector as Vector>::LANES,
                faultless: <$vector as Vector>::FAULTLESS,
                kernels: &[$(($columns, [tile::<1, $columns>, tile::<2, $columns>])),*],
                in_place: [
                    &[
                        $(($single, [in_place::<1, $single, 0>, in_place::<1, $single, 1>, in_place::<1, $single, 2>, in_place::<1, $single, 3>]),)?
                        $(($columns, [in_place::<1, $columns, 0>, in_place::<1, $columns, 1>, in_place::<1, $columns, 2>, in_place::<1, $columns, 3>])),*
                    ],
                    &[$(($columns, [in_place::<2, $columns, 0>, in_place::<2, $columns, 1>, in_place::<2, $columns, 2>, in_place::<2, $columns, 3>])),*],
                ],
                fill,
                scale,
                dots: &[
                    $(($peers, &[dot::<$peers, 1>, dot::<$peers, 2>, dot::<$peers, 3>, dot::<$peers, 4>, dot::<$peers, 5>, dot::<$peers, 6>]),)*
                    (1, &[
                        dot::<1, 1>, dot::<1, 2>, dot::<1, 3>, dot::<1, 4>, dot::<1, 5>, dot::<1, 6>,
                        dot::<1, 7>, dot::<1, 8>, dot::<1, 9>, dot::<1, 10>, dot::<1, 11>, dot::<1, 12>,
                    ]),
                ],
                filters,
                patches,
                results,
                factors: [factors::<Image>, factors::<Gradient>],
                windows,
            };
        }
    };
}

// ---- One set for each kind of processor ------------------------------

#[cfg(target_arch = "x86_64")]
instruction_set!(#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")] avx512_f32: __m512, columns 12 8 4 2 and 16, peers 4 2);
#[cfg(target_arch = "x86_64")]
instruction_set!(#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")] avx512_f64: __m512d, columns 12 8 4 2 and 16, peers 4 2);
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
    fn instruction_set(level: Level) -> &'static InstructionSet<f32> {
        match level {
            Level::Portable => &portable_f32::SET,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2Fma => &avx2_f32::SET,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => &avx512_f32::SET,
        }
    }
}

impl Real for f64 {
    fn instruction_set(level: Level) -> &'static InstructionSet<f64> {
        match level {
            Level::Portable => &portable_f64::SET,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2Fma => &avx2_f64::SET,
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => &avx512_f64::SET,
        }
    }
}
