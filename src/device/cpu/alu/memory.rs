//! # device/cpu/alu/memory: between memory and registers
//!
//! **In:** addresses. **Out:** registers that hold what lies there, or memory that holds what registers did; constants and positions, which lie
//! nowhere. **Above:** `interpreter`, `special`. **Below:** `blocks`.
//!
//! Law: all of `alu`'s. Here halves become f32 and f32 become halves.

use super::{CHUNK, Stored, map1, same_in_memory};
use crate::device::cpu::simd::{Hot, Isa, vectorize};
use crate::dtype::{DType, Element, Scalar, with_dtype};
use half::{bf16, f16};
use std::mem::MaybeUninit;
use std::ptr::copy_nonoverlapping;

// ---- From memory -------------------------------------------------------

struct Widen<T: Stored> {
    src: *const T,
    dst: *mut T::Register,
    n: usize,
}

impl<T: Stored> Hot for Widen<T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // SAFETY: `load`'s caller keeps the laws of the module.
        unsafe { map1(self.src, self.dst, self.n, T::widen) }
    }
}

struct Narrow<T: Stored> {
    src: *const T::Register,
    dst: *mut T,
    n: usize,
    past_caches: bool,
}

impl<T: Stored> Hot for Narrow<T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Narrow { src, dst, n, .. } = self;
        let (head, chunks) = match self.past_caches {
            true => whole_lines::<T>(dst, n),
            false => (n, 0),
        };
        let done = head + chunks * CHUNK;
        // SAFETY: the caller of `store` or `stream` keeps the laws of the module; a chunk is whole cache lines, and they begin at `head`.
        unsafe {
            map1(src, dst, head, T::narrow);
            for start in (head..done).step_by(CHUNK) {
                let mut chunk = MaybeUninit::<[T; CHUNK]>::uninit();
                map1(src.add(start), chunk.as_mut_ptr().cast(), CHUNK, T::narrow);
                let (from, to) = (chunk.as_ptr().cast(), dst.add(start).cast());
                stream_lines(from, to, size_of::<[T; CHUNK]>());
            }
            map1(src.add(done), dst.add(done), n - done, T::narrow);
        }
    }
}

/// dstᵢ = memory at i·stride, with the stride in elements: 1 copies, 0 repeats one element, anything else gathers.
///
/// # Safety
/// The laws of the module; each of those addresses holds an element of `dtype`, as it is stored.
pub unsafe fn load(dtype: DType, memory: *const u8, stride: isize, dst: *mut u8, n: usize) {
    if n == 0 {
        return;
    }
    // SAFETY: the caller keeps the laws. A gather of halves goes by way of a local block, of which len ≤ CHUNK elements are used.
    unsafe {
        match stride {
            1 if same_in_memory(dtype) => copy_nonoverlapping(memory, dst, n * dtype.itemsize()),
            1 if dtype == DType::BFloat16 => vectorize(Widen::<bf16> {
                src: memory.cast(),
                dst: dst.cast(),
                n,
            }),
            1 => vectorize(Widen::<f16> {
                src: memory.cast(),
                dst: dst.cast(),
                n,
            }),
            0 => {
                with_dtype!(dtype, T => repeat(memory.cast::<T>().read_unaligned().widen(), dst, n))
            }
            _ if same_in_memory(dtype) => {
                with_bits!(dtype.itemsize(), T => gather::<T>(memory, stride, dst, n))
            }
            _ => {
                let mut local = [0u16; CHUNK];
                let local = local.as_mut_ptr().cast::<u8>();
                for start in (0..n).step_by(CHUNK) {
                    let len = CHUNK.min(n - start);
                    gather::<u16>(
                        memory.offset(start as isize * stride * 2),
                        stride,
                        local,
                        len,
                    );
                    load(dtype, local, 1, dst.add(start * 4), len);
                }
            }
        }
    }
}

/// dstᵢ = memory at i·stride
///
/// # Safety
/// As [`load`].
unsafe fn gather<T: Copy>(memory: *const u8, stride: isize, dst: *mut u8, n: usize) {
    let (memory, dst) = (memory.cast::<T>(), dst.cast::<T>());
    for i in 0..n {
        // SAFETY: the caller's.
        unsafe {
            dst.add(i)
                .write_unaligned(memory.offset(i as isize * stride).read_unaligned())
        };
    }
}

/// memoryᵢ = srcᵢ, halves rounded to nearest even.
///
/// # Safety
/// The laws of the module; `memory` has room for `n` elements as they are stored.
pub unsafe fn store(dtype: DType, src: *const u8, memory: *mut u8, n: usize) {
    if same_in_memory(dtype) {
        // SAFETY: the caller's.
        unsafe { copy_nonoverlapping(src, memory, n * dtype.itemsize()) }
    } else {
        narrow(dtype, src, memory, n, false)
    }
}

/// [`store`], or [`stream_unfenced`], for halves; to be called as they are.
fn narrow(dtype: DType, src: *const u8, memory: *mut u8, n: usize, past_caches: bool) {
    if dtype == DType::BFloat16 {
        vectorize(Narrow::<bf16> {
            src: src.cast(),
            dst: memory.cast(),
            n,
            past_caches,
        })
    } else {
        vectorize(Narrow::<f16> {
            src: src.cast(),
            dst: memory.cast(),
            n,
            past_caches,
        })
    }
}

/// As [`store`], but past the caches. A cache fetches a line from memory before a part of it is written, in case the rest is wanted; for an
/// array that no cache can hold until somebody reads it, that is a third more traffic for nothing.
///
/// # Safety
/// As there.
pub unsafe fn stream(dtype: DType, src: *const u8, memory: *mut u8, n: usize) {
    // SAFETY: the caller's.
    unsafe { stream_unfenced(dtype, src, memory, n) };
    fence();
}

/// As [`stream`], for parts of an array, the last of which a [`fence`] must follow.
///
/// # Safety
/// As there.
pub unsafe fn stream_unfenced(dtype: DType, src: *const u8, memory: *mut u8, n: usize) {
    if !same_in_memory(dtype) {
        return narrow(dtype, src, memory, n, true);
    }
    let bytes = n * dtype.itemsize();
    let (head, chunks) = whole_lines::<u8>(memory, bytes);
    let body = chunks * CHUNK;
    let done = head + body;
    // SAFETY: the caller's; the body is whole cache lines.
    unsafe {
        copy_nonoverlapping(src, memory, head);
        stream_lines(src.add(head), memory.add(head), body);
        copy_nonoverlapping(src.add(done), memory.add(done), bytes - done);
    }
}

/// How many of `n` elements lie before the first cache line that begins with one, and how many chunks, which are whole lines, from there on.
fn whole_lines<T>(to: *mut T, n: usize) -> (usize, usize) {
    let head = to.align_offset(64).min(n);
    (head, (n - head) / CHUNK)
}

/// Copies whole cache lines past the caches.
///
/// # Safety
/// `bytes` can be read and written, and are a multiple of 64, as is `to`.
#[inline(always)]
unsafe fn stream_lines(from: *const u8, to: *mut u8, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    for at in (0..bytes).step_by(16) {
        use std::arch::x86_64::{_mm_loadu_si128, _mm_stream_si128};
        // SAFETY: the caller's; so each place is aligned to 16 bytes; every x86-64 has these instructions.
        unsafe { _mm_stream_si128(to.add(at).cast(), _mm_loadu_si128(from.add(at).cast())) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: the caller's.
    unsafe {
        copy_nonoverlapping(from, to, bytes)
    };
}

/// Lets whoever is told that this is done see what was written past the caches.
pub fn fence() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has the instruction.
    unsafe {
        std::arch::x86_64::_mm_sfence()
    };
}

/// dstᵢ = value, cast to `dtype` first.
///
/// # Safety
/// The laws of the module.
pub unsafe fn fill(dtype: DType, value: Scalar, dst: *mut u8, n: usize) {
    // SAFETY: the caller's.
    with_dtype!(dtype, T => unsafe { repeat(T::from_scalar(value).widen(), dst, n) })
}

struct Repeat<T> {
    value: T,
    dst: *mut T,
    n: usize,
}

impl<T: Copy> Hot for Repeat<T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for i in 0..self.n {
            // SAFETY: `repeat`'s caller promises room for `n` values.
            unsafe { self.dst.add(i).write_unaligned(self.value) };
        }
    }
}

/// dstᵢ = value
///
/// # Safety
/// There is room for `n` values at `dst`.
unsafe fn repeat<T: Copy>(value: T, dst: *mut u8, n: usize) {
    vectorize(Repeat {
        value,
        dst: dst.cast(),
        n,
    })
}

struct Iota {
    start: i64,
    step: i64,
    dst: *mut i64,
    n: usize,
}

impl Hot for Iota {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // A sum that grows, not a product: of 64-bit integers only sums are quick.
        let mut value = self.start;
        for i in 0..self.n {
            // SAFETY: `iota`'s caller promises room for `n` values.
            unsafe { self.dst.add(i).write_unaligned(value) };
            value = value.wrapping_add(self.step);
        }
    }
}

/// dstᵢ = start + i · step, in int64, wrapping.
///
/// # Safety
/// There is room for `n` int64 at `dst`.
pub unsafe fn iota(start: i64, step: i64, dst: *mut u8, n: usize) {
    vectorize(Iota {
        start,
        step,
        dst: dst.cast(),
        n,
    })
}
