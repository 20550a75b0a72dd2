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
use super::blocks::{fold, fold2, map1, map2, map3, run};
use super::number::{Number, Stored, same_in_memory};
use super::simd::{Hot, Isa, vectorize};
use crate::dtype::{DType, Element, Scalar, with_dtype};
use crate::ops::{BinaryOps, ReduceOps, TernaryOps, UnaryOps};
use half::{bf16, f16};
use std::ptr::copy_nonoverlapping;

/// The type of a dtype's registers.
pub(super) type Register<T> = <T as Stored>::Register;

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

/// dst = src as another dtype, by the rules of [`Scalar::cast`]. To a half: rounded to it, but still an f32, as in any register.
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

// ---- Memory ------------------------------------------------------------

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
}

impl<T: Stored> Hot for Narrow<T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        // SAFETY: `store`'s caller keeps the laws of the module.
        unsafe { map1(self.src, self.dst, self.n, T::narrow) }
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
    } else if dtype == DType::BFloat16 {
        vectorize(Narrow::<bf16> {
            src: src.cast(),
            dst: memory.cast(),
            n,
        })
    } else {
        vectorize(Narrow::<f16> {
            src: src.cast(),
            dst: memory.cast(),
            n,
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
    #[cfg(target_arch = "x86_64")]
    if same_in_memory(dtype) {
        use std::arch::x86_64::{_mm_loadu_si128, _mm_stream_si128};
        let bytes = n * dtype.itemsize();
        let head = memory.align_offset(64).min(bytes);
        let body = (bytes - head) / 64 * 64;
        // SAFETY: the caller's; the body is whole cache lines, so each place is aligned to 16 bytes; every x86-64 has these instructions.
        unsafe {
            copy_nonoverlapping(src, memory, head);
            for at in (head..head + body).step_by(16) {
                _mm_stream_si128(memory.add(at).cast(), _mm_loadu_si128(src.add(at).cast()));
            }
            let done = head + body;
            copy_nonoverlapping(src.add(done), memory.add(done), bytes - done);
        }
        return;
    }
    // SAFETY: the caller's.
    unsafe { store(dtype, src, memory, n) }
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

// ---- Reductions --------------------------------------------------------

struct Reduce<T> {
    op: ReduceOps,
    src: *const T,
    n: usize,
    acc: T,
}

impl<T: Number> Hot for Reduce<T> {
    type Out = T;
    #[inline(always)]
    fn run<I: Isa>(self) -> T {
        // SAFETY: `reduce_block`'s caller keeps the laws of the module.
        unsafe {
            match self.op {
                ReduceOps::Sum => self.acc.add(fold(self.src, self.n, T::ZERO, T::add)),
                ReduceOps::Max => Number::max(self.acc, fold(self.src, self.n, T::LOWEST, T::max)),
            }
        }
    }
}

/// acc = acc ∘ (src₀ ∘ … ∘ srcₙ₋₁): one value, in the order that [`fold`] describes. The arithmetic is that of `dtype`
/// (for halves f32), so whoever sums narrow integers casts them to [`DType::sum_dtype`] before.
///
/// # Safety
/// The laws of the module; `acc` is one value of `dtype`'s register type.
pub unsafe fn reduce_block(op: ReduceOps, dtype: DType, src: *const u8, n: usize, acc: *mut u8) {
    with_dtype!(dtype, T => {
        let acc = acc.cast::<Register<T>>();
        // SAFETY: the caller's.
        unsafe {
            let reduce = Reduce::<Register<T>> { op, src: src.cast(), n, acc: acc.read_unaligned() };
            acc.write_unaligned(run(Register::<T>::HOT, reduce));
        }
    })
}

struct Dot<T> {
    a: Source<T>,
    b: Source<T>,
    n: usize,
    acc: T,
}

impl<T: Number> Hot for Dot<T> {
    type Out = T;
    #[inline(always)]
    fn run<I: Isa>(self) -> T {
        let zeros = (T::ZERO, T::ZERO);
        // SAFETY: `dot`'s caller keeps the laws of the module. Each product is rounded before it is added, as if it had been a block.
        let sum = unsafe { fold2((self.a, self.b), zeros, self.n, T::ZERO, T::mul, T::add) };
        self.acc.add(sum)
    }
}

/// acc = acc + (a₀·b₀ + … ): the same bits as the products' block reduced by [`reduce_block`], which need not be written for it.
///
/// # Safety
/// As there.
pub unsafe fn dot(dtype: DType, a: Source<u8>, b: Source<u8>, n: usize, acc: *mut u8) {
    with_dtype!(dtype, T => {
        let acc = acc.cast::<Register<T>>();
        // SAFETY: the caller's.
        unsafe {
            let dot = Dot::<Register<T>> { a: a.cast(), b: b.cast(), n, acc: acc.read_unaligned() };
            acc.write_unaligned(run(Register::<T>::HOT, dot));
        }
    })
}

/// accᵢ = accᵢ ∘ srcᵢ: `n` reductions side by side, each a step further.
///
/// # Safety
/// The laws of the module; `acc` is a register of `n` values.
pub unsafe fn reduce_rows(op: ReduceOps, dtype: DType, src: *const u8, n: usize, acc: *mut u8) {
    // SAFETY: the caller's; a destination may be a source (law 3).
    unsafe {
        binary(
            op.combine(),
            dtype,
            Source::block(acc.cast_const()),
            Source::block(src),
            acc,
            n,
        )
    }
}

#[cfg(test)]
mod tests;
