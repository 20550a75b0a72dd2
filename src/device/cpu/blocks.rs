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
//! - The number of rounds in a chunk is constant, so the compiler unrolls them, and all pointers stay in registers.
//! - A ragged end goes through the same instructions after the last whole chunk, on a copy that is padded to one.
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

/// The first `len` elements, followed by what is in the pad already.
///
/// # Safety
/// `len` ≤ CHUNK elements can be read at `p`.
#[inline(always)]
unsafe fn pad<T: Copy>(p: *const T, len: usize, pad: &mut [T; CHUNK]) -> *const T {
    // SAFETY: `pad` has room for CHUNK ≥ len elements and is not what `p` points to. Bytes need no alignment.
    unsafe {
        copy_nonoverlapping(
            p.cast::<u8>(),
            pad.as_mut_ptr().cast(),
            len * size_of::<T>(),
        )
    };
    pad.as_ptr()
}

// ---- Block to block ----------------------------------------------------

/// What a loop reads: a block, or one chunk again and again. A constant needs no more than a chunk, so that it takes 256 bytes of the
/// first-level cache instead of a block's 4 KiB; an optimizer's step has eight.
#[derive(Clone, Copy)]
pub struct Source<T> {
    at: *const T,
    /// elements from chunk to chunk for every element of a chunk: 1, or 0 for a repeated chunk
    step: usize,
}

impl<T> Source<T> {
    /// A block of elements.
    #[inline(always)]
    pub fn block(at: *const T) -> Source<T> {
        Source { at, step: 1 }
    }
    /// A chunk of elements, which is read again for every chunk of the result.
    #[inline(always)]
    pub fn repeated(at: *const T) -> Source<T> {
        Source { at, step: 0 }
    }
    /// The same bytes as elements of another type.
    #[inline(always)]
    pub fn cast<U>(self) -> Source<U> {
        Source {
            at: self.at.cast(),
            step: self.step,
        }
    }
    /// Where element `start` is, a multiple of a chunk.
    #[inline(always)]
    fn from(self, start: usize) -> *const T {
        self.at.wrapping_add(start * self.step)
    }
}

/// dstᵢ = f(aᵢ, bᵢ, cᵢ)
///
/// # Safety
/// `n` elements can be read (of a repeated source, a chunk) and written; law 2; zero bytes are a value of `A`, `B` and `C`.
#[inline(always)]
pub unsafe fn map3<A: Copy, B: Copy, C: Copy, R: Copy>(
    (a, b, c): (Source<A>, Source<B>, Source<C>),
    dst: *mut R,
    n: usize,
    f: impl Fn(A, B, C) -> R,
) {
    let (whole, rest) = (n / CHUNK, n % CHUNK);
    // SAFETY: all chunks of the first call are there. A chunk is read before it is written, and no later one lies in the same place
    // (law 2). The pads of the second call have room for a chunk, of which `rest` elements are there, and zeros are values.
    unsafe {
        chunks((a.at, b.at, c.at), (a.step, b.step, c.step), dst, whole, &f);
        if rest > 0 {
            let done = whole * CHUNK;
            let (mut pad_a, mut pad_b, mut pad_c) = (zeroed(), zeroed(), zeroed());
            let mut out = MaybeUninit::<[R; CHUNK]>::uninit();
            let padded = (
                pad(a.from(done), rest, &mut pad_a),
                pad(b.from(done), rest, &mut pad_b),
                pad(c.from(done), rest, &mut pad_c),
            );
            chunks(padded, (0, 0, 0), out.as_mut_ptr().cast(), 1, &f);
            copy_nonoverlapping(
                out.as_ptr().cast::<u8>(),
                dst.add(done).cast(),
                rest * size_of::<R>(),
            );
        }
    }
}

/// So many whole chunks of [`map3`], each source moving on by `step` elements for each element. The loop knows nothing of ragged ends, so
/// that its pointers stay in registers: with a test for them in it, it took twice as long.
///
/// # Safety
/// As there, for whole chunks.
#[inline(always)]
unsafe fn chunks<A: Copy, B: Copy, C: Copy, R: Copy>(
    (mut a, mut b, mut c): (*const A, *const B, *const C),
    (step_a, step_b, step_c): (usize, usize, usize),
    mut dst: *mut R,
    count: usize,
    f: &impl Fn(A, B, C) -> R,
) {
    for _ in 0..count {
        let mut out = MaybeUninit::<[R; CHUNK]>::uninit();
        let values = out.as_mut_ptr().cast::<R>();
        for i in 0..CHUNK {
            // SAFETY: the caller's; `out` has room for a chunk, and all of it is written before it is copied.
            unsafe {
                let value = f(
                    a.add(i).read_unaligned(),
                    b.add(i).read_unaligned(),
                    c.add(i).read_unaligned(),
                );
                values.add(i).write(value);
            }
        }
        // SAFETY: a local array does not overlap with the destination.
        unsafe {
            copy_nonoverlapping(
                out.as_ptr().cast::<u8>(),
                dst.cast(),
                size_of::<[R; CHUNK]>(),
            )
        };
        a = a.wrapping_add(CHUNK * step_a);
        b = b.wrapping_add(CHUNK * step_b);
        c = c.wrapping_add(CHUNK * step_c);
        dst = dst.wrapping_add(CHUNK);
    }
}

/// dstᵢ = f(aᵢ, bᵢ): a [`map3`] whose third operand has no size.
///
/// # Safety
/// As there.
#[inline(always)]
pub unsafe fn map2<A: Copy, B: Copy, R: Copy>(
    a: Source<A>,
    b: Source<B>,
    dst: *mut R,
    n: usize,
    f: impl Fn(A, B) -> R,
) {
    // SAFETY: the caller's; nothing is read of an operand of no size.
    unsafe {
        let nothing = Source::repeated(std::ptr::dangling::<()>());
        map3((a, b, nothing), dst, n, |a, b, ()| f(a, b))
    }
}

/// dstᵢ = f(aᵢ)
///
/// # Safety
/// As [`map3`].
#[inline(always)]
pub unsafe fn map1<A: Copy, R: Copy>(a: *const A, dst: *mut R, n: usize, f: impl Fn(A) -> R) {
    let nothing = Source::repeated(std::ptr::dangling::<()>());
    // SAFETY: as above.
    unsafe {
        map3((Source::block(a), nothing, nothing), dst, n, |a, (), ()| {
            f(a)
        })
    }
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
    let nothing = Source::repeated(std::ptr::dangling::<()>());
    // SAFETY: the caller's; nothing is read of an operand of no size.
    unsafe {
        fold2(
            (Source::block(src), nothing),
            (start, ()),
            n,
            start,
            |x, ()| x,
            f,
        )
    }
}

/// A [`fold`] over xᵢ = g(aᵢ, bᵢ), without writing these down: `ends` are a and b with g(a, b) = start, which fill up the last chunk.
///
/// # Safety
/// `n` elements can be read of both sources (of a repeated one, a chunk).
#[inline(always)]
pub unsafe fn fold2<A: Copy, B: Copy, T: Copy>(
    (a, b): (Source<A>, Source<B>),
    ends: (A, B),
    n: usize,
    start: T,
    g: impl Fn(A, B) -> T,
    f: impl Fn(T, T) -> T,
) -> T {
    // SAFETY: all whole chunks are there, and `rest` elements behind them.
    unsafe {
        let (whole, rest) = (n / CHUNK, n % CHUNK);
        let mut lanes = fold_chunks(
            (a.at, b.at),
            (a.step, b.step),
            whole,
            [start; CHUNK],
            &g,
            &f,
        );
        if rest > 0 {
            let (mut pad_a, mut pad_b) = ([ends.0; CHUNK], [ends.1; CHUNK]);
            let last = (
                pad(a.from(whole * CHUNK), rest, &mut pad_a),
                pad(b.from(whole * CHUNK), rest, &mut pad_b),
            );
            lanes = fold_chunks(last, (0, 0), 1, lanes, &g, &f);
        }
        halve(lanes, f)
    }
}

/// Lane j of the result is lane j of `lanes`, and element j of each chunk.
///
/// # Safety
/// `count` chunks can be read at both addresses, moving on by so many steps for each element.
#[inline(always)]
unsafe fn fold_chunks<A: Copy, B: Copy, T: Copy>(
    (mut a, mut b): (*const A, *const B),
    (step_a, step_b): (usize, usize),
    count: usize,
    mut lanes: [T; CHUNK],
    g: &impl Fn(A, B) -> T,
    f: &impl Fn(T, T) -> T,
) -> [T; CHUNK] {
    for _ in 0..count {
        let mut next = lanes; // a new array each time, which can live in vector registers
        for i in 0..CHUNK {
            // SAFETY: the caller's.
            let x = unsafe { g(a.add(i).read_unaligned(), b.add(i).read_unaligned()) };
            next[i] = f(lanes[i], x);
        }
        lanes = next;
        a = a.wrapping_add(CHUNK * step_a);
        b = b.wrapping_add(CHUNK * step_b);
    }
    lanes
}

/// The upper half of the lanes is folded into the lower, and so on down to one. Each half is an array of its own: of one array that shrinks, the
/// compiler keeps a copy in memory.
#[inline(always)]
fn halve<T: Copy>(lanes: [T; CHUNK], f: impl Fn(T, T) -> T) -> T {
    let of_32: [T; 32] = std::array::from_fn(|i| f(lanes[i], lanes[i + 32]));
    let of_16: [T; 16] = std::array::from_fn(|i| f(of_32[i], of_32[i + 16]));
    let of_8: [T; 8] = std::array::from_fn(|i| f(of_16[i], of_16[i + 8]));
    let of_4: [T; 4] = std::array::from_fn(|i| f(of_8[i], of_8[i + 4]));
    f(f(of_4[0], of_4[2]), f(of_4[1], of_4[3]))
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
            unsafe { map2(Source::block(p), Source::block(p), p, n, |a, b| a + 2 * b) };
            let expected: Vec<u32> = (0..n as u32).map(|i| 3 * i).chain([n as u32]).collect();
            assert_eq!(block, expected);
            // SAFETY: likewise.
            let sum = unsafe { fold(block.as_ptr(), n, 0, |a, b| a + b) };
            assert_eq!(sum as usize, 3 * n * n.saturating_sub(1) / 2);
        }
    }
}
