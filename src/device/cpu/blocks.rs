//! # device/cpu/blocks: the loops over a block
//!
//! **In:** pointers to blocks, and what to do with one element of each. **Out:** a block, or the one value it folds into. **Above:**
//! `alu`, which names the ops. **Below:** `simd`.
//!
//! Each loop works on chunks of 64 elements: it computes a whole chunk into a local array and then copies the array out. That has
//! three advantages over a loop from `a` to `dst` directly:
//!
//! - The local array overlaps with nothing, so the loop vectorises without asking whether `dst` and `a` overlap, even where `dst`
//!   *is* `a`. (A compiler that asks and finds that they do falls back to one element at a time.)
//! - The number of rounds is constant, so there is no second loop for the rest: less code, and it compiles faster.
//! - A ragged end goes through the same instructions, on a copy that is padded to a whole chunk.
//!
//! The local array costs nothing: for all but the longest bodies it disappears into vector registers.
//!
//! Laws:
//! 1. All is `#[inline(always)]`, so that the loops are compiled for the instruction set of the [`Hot`] code that they are in.
//! 2. A destination may be the same block as a source whose elements have the same size, and overlaps with none otherwise.

use super::simd::{Hot, Portable, vectorize};
use std::mem::{MaybeUninit, zeroed};
use std::ptr::copy_nonoverlapping;

/// Elements that a loop computes between reading and writing. 64 f32 are four of the widest vectors there are: enough independent
/// work to hide an addition's latency, and few enough to stay in registers.
pub const CHUNK: usize = 64;

/// Runs hot code: compiled for this processor if `wide`, else for the baseline, which keeps the program small.
#[inline(always)]
pub fn run<H: Hot>(wide: bool, hot: H) -> H::Out {
    if wide {
        vectorize(hot)
    } else {
        hot.run::<Portable>()
    }
}

// ---- Chunks ------------------------------------------------------------

/// `p` if a whole chunk is there, else a copy of the `len` elements in `pad`, followed by as many `rest` as make it whole.
///
/// # Safety
/// `len` ≤ CHUNK elements can be read at `p`.
#[inline(always)]
unsafe fn whole<T: Copy>(
    p: *const T,
    len: usize,
    pad: &mut MaybeUninit<[T; CHUNK]>,
    rest: T,
) -> *const T {
    if len == CHUNK {
        return p;
    }
    let pad = pad.write([rest; CHUNK]).as_mut_ptr();
    // SAFETY: `pad` has room for CHUNK ≥ len elements and is not what `p` points to. Bytes need no alignment.
    unsafe { copy_nonoverlapping(p.cast::<u8>(), pad.cast(), len * size_of::<T>()) };
    pad
}

/// Copies the first `len` of a chunk's elements to `dst`.
///
/// # Safety
/// `len` ≤ CHUNK elements can be written at `dst`, and all of the chunk is initialised.
#[inline(always)]
unsafe fn put<T>(chunk: &MaybeUninit<[T; CHUNK]>, dst: *mut T, len: usize) {
    // SAFETY: as above; a local array does not overlap with the destination.
    unsafe {
        if len == CHUNK {
            copy_nonoverlapping(
                chunk.as_ptr().cast::<u8>(),
                dst.cast(),
                size_of::<[T; CHUNK]>(),
            );
        } else {
            // A copy of its own: an array that is copied by a length unknown to the compiler must be in memory, and the
            // one of the full chunks had better not.
            let rest = std::ptr::read(chunk);
            copy_nonoverlapping(rest.as_ptr().cast::<u8>(), dst.cast(), len * size_of::<T>());
        }
    }
}

// ---- Block to block ----------------------------------------------------

/// dstᵢ = f(aᵢ, bᵢ, cᵢ)
///
/// # Safety
/// `n` elements can be read and written; law 2; zero bytes are a value of `A`, `B` and `C`.
#[inline(always)]
pub unsafe fn map3<A: Copy, B: Copy, C: Copy, R: Copy>(
    (a, b, c): (*const A, *const B, *const C),
    dst: *mut R,
    n: usize,
    f: impl Fn(A, B, C) -> R,
) {
    let (mut pad_a, mut pad_b, mut pad_c) = (
        MaybeUninit::uninit(),
        MaybeUninit::uninit(),
        MaybeUninit::uninit(),
    );
    let mut start = 0;
    while start < n {
        let len = CHUNK.min(n - start);
        let mut out = MaybeUninit::<[R; CHUNK]>::uninit();
        // SAFETY: start + len ≤ n elements are there; `whole` gives CHUNK of them; `out` is filled before it is put.
        // A chunk is read before it is written, and no later one lies in the same place (law 2).
        unsafe {
            let a = whole(a.add(start), len, &mut pad_a, zeroed());
            let b = whole(b.add(start), len, &mut pad_b, zeroed());
            let c = whole(c.add(start), len, &mut pad_c, zeroed());
            let values = out.as_mut_ptr().cast::<R>();
            for i in 0..CHUNK {
                let value = f(
                    a.add(i).read_unaligned(),
                    b.add(i).read_unaligned(),
                    c.add(i).read_unaligned(),
                );
                values.add(i).write(value);
            }
            put(&out, dst.add(start), len);
        }
        start += CHUNK;
    }
}

/// dstᵢ = f(aᵢ, bᵢ): a [`map3`] whose third operand has no size.
///
/// # Safety
/// As there.
#[inline(always)]
pub unsafe fn map2<A: Copy, B: Copy, R: Copy>(
    a: *const A,
    b: *const B,
    dst: *mut R,
    n: usize,
    f: impl Fn(A, B) -> R,
) {
    // SAFETY: the caller's; nothing is read of an operand of no size.
    unsafe {
        map3((a, b, std::ptr::dangling::<()>()), dst, n, |a, b, ()| {
            f(a, b)
        })
    }
}

/// dstᵢ = f(aᵢ)
///
/// # Safety
/// As [`map3`].
#[inline(always)]
pub unsafe fn map1<A: Copy, R: Copy>(a: *const A, dst: *mut R, n: usize, f: impl Fn(A) -> R) {
    let nothing = std::ptr::dangling::<()>();
    // SAFETY: as above.
    unsafe { map3((a, nothing, nothing), dst, n, |a, (), ()| f(a)) }
}

// ---- Block to value ----------------------------------------------------

/// f(… f(f(start, x₀), x₁) …) in another order, for an associative `f` with the identity `start`: 64 lanes, lane j of which folds
/// xⱼ, xⱼ₊₆₄, xⱼ₊₁₂₈, …; then the upper half of the lanes is folded into the lower, and so on down to one.
///
/// The order depends on `n` only, so a sum is the same with every instruction set. And it is more accurate than summing from left to
/// right: of 1024 elements, each goes through 16 + 6 roundings instead of up to 1023.
///
/// # Safety
/// `n` elements can be read at `src`.
#[inline(always)]
pub unsafe fn fold<T: Copy>(src: *const T, n: usize, start: T, f: impl Fn(T, T) -> T) -> T {
    let mut pad = MaybeUninit::uninit();
    let mut lanes = [start; CHUNK];
    let mut done = 0;
    while done < n {
        // SAFETY: done + len ≤ n elements are there, and `whole` gives CHUNK.
        unsafe {
            let len = CHUNK.min(n - done);
            let chunk = whole(src.add(done), len, &mut pad, start);
            let mut next = lanes; // a new array each time, which can live in vector registers
            for i in 0..CHUNK {
                next[i] = f(lanes[i], chunk.add(i).read_unaligned());
            }
            lanes = next;
        }
        done += CHUNK;
    }
    let mut width = CHUNK / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] = f(lanes[i], lanes[i + width]);
        }
        width /= 2;
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_any_length_is_computed_in_place_and_not_beyond() {
        for n in [0, 1, 63, 64, 65, 127, 128, 1000] {
            let mut block: Vec<u32> = (0..n as u32 + 1).collect();
            let p = block.as_mut_ptr();
            // SAFETY: n + 1 elements are there.
            unsafe { map2(p, p, p, n, |a, b| a + 2 * b) };
            let expected: Vec<u32> = (0..n as u32).map(|i| 3 * i).chain([n as u32]).collect();
            assert_eq!(block, expected);
            // SAFETY: likewise.
            let sum = unsafe { fold(block.as_ptr(), n, 0, |a, b| a + b) };
            assert_eq!(sum as usize, 3 * n * n.saturating_sub(1) / 2);
        }
    }
}
