//! # device/cpu/alu/reduce: from many to one
//!
//! **In:** registers, or lines of memory that may serve as such. **Out:** their sums and maxima. **Above:** `nest`, `rows`, `special`. **Below:**
//! `blocks`.
//!
//! ```text
//!  lines:  →→→→→→→→ ─▶ ●        rows:  ↓↓↓↓↓↓↓↓        Lines are folded one after the other, each to a number. Rows are added up side by
//!          →→→→→→→→ ─▶ ●               ↓↓↓↓↓↓↓↓        side, several at a time, so that the running sums are fetched and put back once
//!          →→→→→→→→ ─▶ ●               ●●●●●●●●        for all of these.
//! ```

use super::{CHUNK, Register, Source};
use crate::device::cpu::blocks::{fold, fold2, run};
use crate::device::cpu::number::Number;
use crate::device::cpu::simd::{Hot, Isa};
use crate::dtype::{DType, with_dtype};
use crate::ops::ReduceOps;
use std::mem::MaybeUninit;
use std::ptr::copy_nonoverlapping;

// ---- Lines -------------------------------------------------------------

struct Lines<'a, T> {
    op: ReduceOps,
    lines: &'a [*const u8],
    n: usize,
    sums: (*mut T, usize),
}

impl<T: Number> Lines<'_, T> {
    /// # Safety
    /// As for [`reduce_lines`].
    #[inline(always)]
    unsafe fn fold(self, identity: T, f: impl Fn(T, T) -> T + Copy) {
        let (sums, count) = self.sums;
        for (i, line) in self.lines.iter().enumerate() {
            // SAFETY: the caller's.
            unsafe {
                let sum = sums.add(i % count);
                let line = fold(line.cast::<T>(), self.n, identity, f);
                sum.write_unaligned(f(sum.read_unaligned(), line));
            }
        }
    }
}

impl<T: Number> Hot for Lines<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // SAFETY: `reduce_lines`'s caller keeps the laws of the module.
        unsafe {
            match self.op {
                ReduceOps::Sum => self.fold(T::ZERO, T::add),
                ReduceOps::Max => self.fold(T::LOWEST, T::max),
            }
        }
    }
}

/// sumᵢ = sumᵢ ∘ (lineᵢ₀ ∘ … ∘ lineᵢₙ₋₁), in the order that [`fold`] describes. If there are more lines than sums, they go on with the first
/// sum. The arithmetic is that of `dtype` (for halves f32), so whoever sums narrow integers casts them to [`DType::sum_dtype`] before.
///
/// # Safety
/// The laws of the module, for each line; `sums` are so many values of `dtype`'s register type, one at least.
pub unsafe fn reduce_lines(
    op: ReduceOps,
    dtype: DType,
    lines: &[*const u8],
    n: usize,
    (sums, count): (*mut u8, usize),
) {
    with_dtype!(dtype, T => {
        run(Register::<T>::HOT, Lines::<Register<T>> { op, lines, n, sums: (sums.cast(), count) })
    })
}

/// One line of [`reduce_lines`].
///
/// # Safety
/// As there.
pub unsafe fn reduce_block(op: ReduceOps, dtype: DType, src: *const u8, n: usize, sum: *mut u8) {
    // SAFETY: the caller's.
    unsafe { reduce_lines(op, dtype, &[src], n, (sum, 1)) }
}

struct Dots<'a, T> {
    a: &'a [Source<u8>],
    b: &'a [Source<u8>],
    n: usize,
    sums: (*mut T, usize),
}

impl<T: Number> Hot for Dots<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let (zeros, (sums, count)) = ((T::ZERO, T::ZERO), self.sums);
        for (i, (a, b)) in self.a.iter().zip(self.b).enumerate() {
            let factors = (a.cast(), b.cast());
            // SAFETY: `dot_lines`'s caller keeps the laws of the module. Each product is rounded before it is added, as if it had been a block.
            unsafe {
                let sum = sums.add(i % count);
                let dot = fold2(factors, zeros, self.n, T::ZERO, T::mul, T::add);
                sum.write_unaligned(sum.read_unaligned().add(dot));
            }
        }
    }
}

/// sumᵢ = sumᵢ + (aᵢ₀·bᵢ₀ + … ): the same bits as the products' lines reduced by [`reduce_lines`], which need not be written for it.
///
/// # Safety
/// As there.
pub unsafe fn dot_lines(
    dtype: DType,
    a: &[Source<u8>],
    b: &[Source<u8>],
    n: usize,
    (sums, count): (*mut u8, usize),
) {
    with_dtype!(dtype, T => {
        run(Register::<T>::HOT, Dots::<Register<T>> { a, b, n, sums: (sums.cast(), count) })
    })
}

// ---- Rows --------------------------------------------------------------

/// So many rows are read side by side. (A sum over the rows of 64 MiB on one thread: 3.5 ms row by row, 2.8 four at a time, 2.7 eight.)
const ABREAST: usize = 8;

struct Rows<'a, T> {
    op: ReduceOps,
    rows: &'a [*const u8],
    n: usize,
    sums: *mut T,
}

impl<T: Number> Rows<'_, T> {
    /// # Safety
    /// As for [`reduce_rows`].
    #[inline(always)]
    unsafe fn join(self, f: impl Fn(T, T) -> T) {
        let (groups, rest) = self.rows.as_chunks::<ABREAST>();
        for &rows in groups {
            // SAFETY: the caller's.
            unsafe { join(rows.map(<*const u8>::cast), self.n, self.sums, &f) };
        }
        for &row in rest {
            // SAFETY: the caller's.
            unsafe { join([row.cast()], self.n, self.sums, &f) };
        }
    }
}

/// Some rows joined to the sums, in their order.
///
/// # Safety
/// At each address lie `n` numbers, and the sums overlap with no row.
#[inline(always)]
unsafe fn join<T: Number, const R: usize>(
    rows: [*const T; R],
    n: usize,
    sums: *mut T,
    f: &impl Fn(T, T) -> T,
) {
    let joined = |i: usize| {
        // SAFETY: the caller's; i < n.
        unsafe {
            let mut sum = sums.add(i).read_unaligned();
            for row in rows {
                sum = f(sum, row.add(i).read_unaligned());
            }
            sum
        }
    };
    let whole = n - n % CHUNK;
    for start in (0..whole).step_by(CHUNK) {
        // A local array, which overlaps with nothing: see `blocks`.
        let mut out = MaybeUninit::<[T; CHUNK]>::uninit();
        let values = out.as_mut_ptr().cast::<T>();
        // SAFETY: `out` has room for a chunk, and all of it is written before it is copied.
        unsafe {
            (0..CHUNK).for_each(|i| values.add(i).write(joined(start + i)));
            let (from, to) = (values.cast::<u8>(), sums.add(start).cast());
            copy_nonoverlapping(from.cast_const(), to, size_of::<[T; CHUNK]>());
        }
    }
    for i in whole..n {
        // SAFETY: i < n.
        unsafe { sums.add(i).write_unaligned(joined(i)) };
    }
}

impl<T: Number> Hot for Rows<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // SAFETY: `reduce_rows`'s caller keeps the laws of the module.
        unsafe {
            match self.op {
                ReduceOps::Sum => self.join(T::add),
                ReduceOps::Max => self.join(T::max),
            }
        }
    }
}

/// sumᵢ = sumᵢ ∘ row₀ᵢ ∘ row₁ᵢ ∘ …: `n` reductions side by side, each as many steps further as there are rows.
///
/// # Safety
/// The laws of the module, for each row; `sums` is a register of `n` values that overlaps with no row.
pub unsafe fn reduce_rows(
    op: ReduceOps,
    dtype: DType,
    rows: &[*const u8],
    n: usize,
    sums: *mut u8,
) {
    with_dtype!(dtype, T => {
        run(Register::<T>::HOT, Rows::<Register<T>> { op, rows, n, sums: sums.cast() })
    })
}
