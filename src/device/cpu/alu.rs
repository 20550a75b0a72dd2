//! # device/cpu/alu: one primitive op over one block
//!
//! **In:** an op, a dtype and pointers to *registers*: blocks of some thousand elements that stay in the near caches.
//! **Out:** a register. **Above:** the interpreter of fused kernels, which calls this once for each instruction and block. **Below:**
//! `number` (what an op does to one element), `blocks` (the loops), `simd` (which instructions to use).
//!
//! The interpreter pays for *deciding* what to do once a block, not once an element:
//!
//! ```text
//! binary(Add, Float32, a, b, dst, 1024) ─▶ match dtype ─▶ match instruction set ─▶ match op ─▶ a tight loop over 1024 elements
//! ```
//!
//! Laws, which all callers of these functions must keep:
//! 1. f16 and bf16 live in registers as f32, bool as bytes 0 or 1, all others as in memory. Results of ops on halves are *not*
//!    rounded to halves; [`store`] and [`cast`] do that.
//! 2. Sources hold `n` values of their dtype (a repeated one holds a chunk) and destinations have room for `n`. Nothing beyond is touched.
//! 3. A destination may be the same block as a source whose elements have the same size; otherwise they do not overlap.
//! 4. No pointer needs an alignment, but blocks at multiples of 64 bytes are fastest.
//! 5. The result of an element depends on that element alone (sums: on the block alone), not on the instruction set, but for the last
//!    bit or two of exp2, log2 and sin of float32.

pub use super::blocks::{CHUNK, Source};
use super::blocks::{map1, map2, map3, run};
use super::number::{Number, Stored, same_in_memory};
use super::simd::{Hot, Isa, vectorize};
use crate::dtype::{DType, with_dtype};
use crate::ops::{BinaryOps, TernaryOps, UnaryOps};
pub use memory::{fence, fill, iota, load, store, stream, stream_unfenced};
pub use reduce::{dot_lines, reduce_block, reduce_lines, reduce_rows};

/// Runs a body with `$T` bound to the unsigned integer of a size: all that code needs which moves elements and does not compute.
macro_rules! with_bits {
    ($size:expr, $T:ident => $body:expr) => {
        match $size {
            1 => {
                type $T = u8;
                $body
            }
            2 => {
                type $T = u16;
                $body
            }
            4 => {
                type $T = u32;
                $body
            }
            8 => {
                type $T = u64;
                $body
            }
            size => unreachable!("no dtype has {size} bytes"),
        }
    };
}

mod memory;
mod reduce;
#[cfg(test)]
mod tests;

/// The type of a dtype's registers.
pub(super) type Register<T> = <T as Stored>::Register;

// ---- One operand -------------------------------------------------------

struct Unary<T> {
    op: UnaryOps,
    src: *const T,
    dst: *mut T,
    n: usize,
}

impl<T: Number> Hot for Unary<T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Unary { op, src, dst, n } = self;
        // SAFETY: `unary`'s caller keeps the laws of the module.
        unsafe {
            match op {
                UnaryOps::Exp2 => map1(src, dst, n, T::exp2::<I>),
                UnaryOps::Log2 => map1(src, dst, n, T::log2::<I>),
                // Whether an argument is huge is asked for the whole block first, so that the usual loop has no branch.
                UnaryOps::Sin
                    if (0..n)
                        .fold(true, |near, i| near & src.add(i).read_unaligned().is_near()) =>
                {
                    map1(src, dst, n, T::sin_near::<I>)
                }
                UnaryOps::Sin => map1(src, dst, n, |x| {
                    if x.is_near() {
                        x.sin_near::<I>()
                    } else {
                        x.sin_far()
                    }
                }),
                UnaryOps::Sqrt => map1(src, dst, n, T::sqrt),
                UnaryOps::Recip => map1(src, dst, n, T::recip),
                UnaryOps::Neg => map1(src, dst, n, T::neg),
                UnaryOps::Noop | UnaryOps::Cast(_) | UnaryOps::Bitcast(_) => {
                    unreachable!("moved by `unary`")
                }
            }
        }
    }
}

/// dst = op(src). `dtype` is that of the source; `dst` is of [`UnaryOps::result`].
///
/// # Safety
/// The laws of the module.
pub unsafe fn unary(op: UnaryOps, dtype: DType, src: *const u8, dst: *mut u8, n: usize) {
    // SAFETY: the caller keeps the laws; a register of `dtype` holds elements of its register type.
    unsafe {
        match op {
            UnaryOps::Cast(to) => cast(dtype, to, src, dst, n),
            UnaryOps::Bitcast(to) => bitcast(dtype, to, src, dst, n),
            UnaryOps::Noop => std::ptr::copy(src, dst, n * dtype.compute().itemsize()),
            UnaryOps::Exp2
            | UnaryOps::Log2
            | UnaryOps::Sin
            | UnaryOps::Sqrt
            | UnaryOps::Recip
            | UnaryOps::Neg => {
                with_dtype!(dtype, T => {
                    run(Register::<T>::HOT, Unary::<Register<T>> { op, src: src.cast(), dst: dst.cast(), n })
                })
            }
        }
    }
}

// ---- Two operands ------------------------------------------------------

struct Binary<T> {
    op: BinaryOps,
    a: Source<T>,
    b: Source<T>,
    dst: *mut u8,
    n: usize,
}

impl<T: Number> Hot for Binary<T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Binary { op, a, b, dst, n } = self;
        let (number, truth) = (dst.cast::<T>(), dst.cast::<bool>());
        // SAFETY: `binary`'s caller keeps the laws of the module.
        unsafe {
            match op {
                BinaryOps::Add => map2(a, b, number, n, T::add),
                BinaryOps::Sub => map2(a, b, number, n, T::sub),
                BinaryOps::Mul => map2(a, b, number, n, T::mul),
                BinaryOps::Div => map2(a, b, number, n, T::div),
                BinaryOps::Max => map2(a, b, number, n, T::max),
                BinaryOps::Mod => map2(a, b, number, n, T::rem),
                BinaryOps::Pow => map2(a, b, number, n, T::pow),
                BinaryOps::Cmplt => map2(a, b, truth, n, |a, b| a < b),
                BinaryOps::Cmpne => map2(a, b, truth, n, |a, b| a != b),
                BinaryOps::And => map2(a, b, number, n, T::and),
                BinaryOps::Or => map2(a, b, number, n, T::or),
                BinaryOps::Xor => map2(a, b, number, n, T::xor),
                BinaryOps::Shl => map2(a, b, number, n, T::shl),
                BinaryOps::Shr => map2(a, b, number, n, T::shr),
            }
        }
    }
}

/// dst = a op b. `dtype` is that of the operands; `dst` is of [`BinaryOps::result`].
///
/// # Safety
/// The laws of the module.
pub unsafe fn binary(
    op: BinaryOps,
    dtype: DType,
    a: Source<u8>,
    b: Source<u8>,
    dst: *mut u8,
    n: usize,
) {
    with_dtype!(dtype, T => {
        run(Register::<T>::HOT, Binary::<Register<T>> { op, a: a.cast(), b: b.cast(), dst, n })
    })
}

// ---- Three operands ----------------------------------------------------

struct Mulacc<T> {
    a: Source<T>,
    b: Source<T>,
    c: Source<T>,
    dst: *mut T,
    n: usize,
}

impl<T: Number> Hot for Mulacc<T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // Rounded twice, as defined: a fused multiply-add would give other results on processors that have it.
        // SAFETY: `ternary`'s caller keeps the laws of the module.
        unsafe {
            map3(
                (self.a, self.b, self.c),
                self.dst,
                self.n,
                |a: T, b: T, c: T| a.mul(b).add(c),
            )
        }
    }
}

/// Selects by size, whatever the bits mean: `T` is an unsigned integer as large as the elements.
struct Where<T> {
    condition: Source<bool>,
    a: Source<T>,
    b: Source<T>,
    dst: *mut T,
    n: usize,
}

impl<T: Number> Hot for Where<T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Where {
            condition,
            a,
            b,
            dst,
            n,
        } = self;
        // SAFETY: `ternary`'s caller keeps the laws of the module.
        unsafe {
            map3(
                (condition, a, b),
                dst,
                n,
                |condition, a, b| if condition { a } else { b },
            )
        }
    }
}

/// dst = op(a, b, c). `dtype` is that of `b`, `c` and `dst`; `a` is bool for WHERE, and of `dtype` for MULACC.
///
/// # Safety
/// The laws of the module.
pub unsafe fn ternary(
    op: TernaryOps,
    dtype: DType,
    a: Source<u8>,
    b: Source<u8>,
    c: Source<u8>,
    dst: *mut u8,
    n: usize,
) {
    match op {
        TernaryOps::Mulacc => with_dtype!(dtype, T => {
            let (a, b, c) = (a.cast(), b.cast(), c.cast());
            run(Register::<T>::HOT, Mulacc::<Register<T>> { a, b, c, dst: dst.cast(), n })
        }),
        TernaryOps::Where => with_bits!(dtype.compute().itemsize(), T => {
            vectorize(Where::<T> { condition: a.cast(), a: b.cast(), b: c.cast(), dst: dst.cast(), n })
        }),
    }
}

// ---- From dtype to dtype -----------------------------------------------

struct Cast<A, B: Stored> {
    src: *const A,
    dst: *mut B::Register,
    n: usize,
}

impl<A: Number, B: Stored> Hot for Cast<A, B> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // SAFETY: `cast`'s caller keeps the laws of the module.
        unsafe { map1(self.src, self.dst, self.n, B::convert::<A>) }
    }
}

/// dst = src as another dtype, by the rules of [`Scalar::cast`](crate::dtype::Scalar::cast). To a half: rounded to it, but still an f32, as in any register.
///
/// # Safety
/// The laws of the module.
pub unsafe fn cast(from: DType, to: DType, src: *const u8, dst: *mut u8, n: usize) {
    if from == to && same_in_memory(to) {
        // SAFETY: the caller's. They may be the same block, so it is a move.
        return unsafe { std::ptr::copy(src, dst, n * to.itemsize()) };
    }
    with_dtype!(from.compute(), A => with_dtype!(to, B => {
        let wide = Register::<A>::HOT && Register::<B>::HOT;
        run(wide, Cast::<Register<A>, B> { src: src.cast(), dst: dst.cast(), n })
    }))
}

/// dst = the bits of src read as another dtype whose elements have the same size in memory. Any byte but 0 is true.
///
/// # Safety
/// The laws of the module.
pub unsafe fn bitcast(from: DType, to: DType, src: *const u8, dst: *mut u8, n: usize) {
    debug_assert_eq!(from.itemsize(), to.itemsize());
    if to == DType::Bool {
        // SAFETY: a byte is a uint8 and true unless 0.
        return unsafe { cast(DType::Uint8, to, src, dst, n) };
    }
    if same_in_memory(from) && same_in_memory(to) {
        // SAFETY: the caller's. They may be the same block.
        return unsafe { std::ptr::copy(src, dst, n * to.itemsize()) };
    }
    // A half is an f32 in a register, so its bits are seen only by way of memory.
    let mut memory = [0u64; CHUNK];
    let memory = memory.as_mut_ptr().cast::<u8>();
    for start in (0..n).step_by(CHUNK) {
        let len = CHUNK.min(n - start);
        // SAFETY: start + len ≤ n elements are there, and `memory` has room for CHUNK of any dtype. Halves are in play, so
        // register sizes are 4 bytes (f32) and perhaps 2: the same block can't be both source and destination unless both are halves.
        unsafe {
            store(
                from,
                src.add(start * from.compute().itemsize()),
                memory,
                len,
            );
            load(to, memory, 1, dst.add(start * to.compute().itemsize()), len);
        }
    }
}
