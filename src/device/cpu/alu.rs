//! # device/cpu/alu: one primitive op over one block
//!
//! **In:** an op, a dtype and pointers to *registers*: blocks of up to about a thousand elements that stay in the first-level cache.
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
//! 2. Sources hold `n` values of their dtype and destinations have room for `n`. Nothing beyond is touched.
//! 3. A destination may be the same block as a source whose elements have the same size; otherwise they do not overlap.
//! 4. No pointer needs an alignment, but blocks at multiples of 64 bytes are fastest.
//! 5. The result of an element depends on that element alone (sums: on the block alone), not on the instruction set, but for the last
//!    bit or two of exp2, log2 and sin of float32.

use super::blocks::{CHUNK, fold, map1, map2, map3, run};
use super::number::{Number, Stored, same_in_memory};
use super::simd::{Hot, Isa, vectorize};
use crate::dtype::{DType, Element, Scalar, with_dtype};
use crate::ops::{BinaryOps, ReduceOps, TernaryOps, UnaryOps};
use half::{bf16, f16};
use std::ptr::copy_nonoverlapping;

/// The type of a dtype's registers.
type Register<T> = <T as Stored>::Register;

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
    a: *const T,
    b: *const T,
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
    a: *const u8,
    b: *const u8,
    dst: *mut u8,
    n: usize,
) {
    with_dtype!(dtype, T => {
        run(Register::<T>::HOT, Binary::<Register<T>> { op, a: a.cast(), b: b.cast(), dst, n })
    })
}

// ---- Three operands ----------------------------------------------------

struct Mulacc<T> {
    a: *const T,
    b: *const T,
    c: *const T,
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
    condition: *const bool,
    a: *const T,
    b: *const T,
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
    a: *const u8,
    b: *const u8,
    c: *const u8,
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

/// dstᵢ = value, cast to `dtype` first.
///
/// # Safety
/// The laws of the module.
pub unsafe fn fill(dtype: DType, value: Scalar, dst: *mut u8, n: usize) {
    // SAFETY: the caller's.
    with_dtype!(dtype, T => unsafe { repeat(T::from_scalar(value).widen(), dst, n) })
}

/// dstᵢ = value
///
/// # Safety
/// There is room for `n` values at `dst`.
unsafe fn repeat<T: Copy>(value: T, dst: *mut u8, n: usize) {
    for i in 0..n {
        // SAFETY: the caller's.
        unsafe { dst.cast::<T>().add(i).write_unaligned(value) };
    }
}

/// dstᵢ = start + i · step, in int64, wrapping.
///
/// # Safety
/// There is room for `n` int64 at `dst`.
pub unsafe fn iota(start: i64, step: i64, dst: *mut u8, n: usize) {
    for i in 0..n {
        let value = start.wrapping_add(step.wrapping_mul(i as i64));
        // SAFETY: the caller's.
        unsafe { dst.cast::<i64>().add(i).write_unaligned(value) };
    }
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

/// accᵢ = accᵢ ∘ srcᵢ: `n` reductions side by side, each a step further.
///
/// # Safety
/// The laws of the module; `acc` is a register of `n` values.
pub unsafe fn reduce_rows(op: ReduceOps, dtype: DType, src: *const u8, n: usize, acc: *mut u8) {
    // SAFETY: the caller's; a destination may be a source (law 3).
    unsafe { binary(op.combine(), dtype, acc, src, acc, n) }
}

#[cfg(test)]
mod tests {
    use super::super::simd::{Level, at_level};
    use super::*;

    /// A block of bytes with room behind it, which must stay as it is.
    #[derive(Clone, PartialEq, Debug)]
    struct Block(Vec<u8>);

    const GUARD: u8 = 0xa5;

    impl Block {
        fn room(dtype: DType, n: usize) -> Block {
            Block(vec![GUARD; n * dtype.compute().itemsize() + 64])
        }

        fn register(dtype: DType, values: &[Scalar]) -> Block {
            let mut block = Block::room(dtype, values.len());
            let p = block.ptr();
            with_dtype!(dtype, T => for (i, value) in values.iter().enumerate() {
                // SAFETY: there is room for so many.
                unsafe { p.cast::<Register<T>>().add(i).write_unaligned(T::from_scalar(*value).widen()) };
            });
            block
        }

        fn ptr(&mut self) -> *mut u8 {
            self.0.as_mut_ptr()
        }

        /// The first `n` values, after a look at what lies behind them.
        fn values(&self, dtype: DType, n: usize) -> Vec<Scalar> {
            assert!(
                self.0[n * dtype.compute().itemsize()..]
                    .iter()
                    .all(|b| *b == GUARD),
                "written beyond the end"
            );
            with_dtype!(dtype.compute(), T => {
                // SAFETY: so many have been written.
                (0..n).map(|i| unsafe { self.0.as_ptr().cast::<T>().add(i).read_unaligned() }.into()).collect()
            })
        }
    }

    /// The corners of a dtype, and some random values.
    fn samples(dtype: DType) -> Vec<Scalar> {
        let mut values: Vec<Scalar> = [
            0, 1, 2, 3, 7, -1, -2, -3, 31, 100, 127, 128, 255, 256, -128, -129, 65535,
        ]
        .into_iter()
        .map(Scalar::from)
        .chain(
            [
                i32::MIN as i64,
                i32::MAX as i64,
                i64::MIN,
                i64::MAX,
                (1 << 53) + 1,
                0x5555_5555_5555,
            ]
            .map(Scalar::from),
        )
        .chain([u64::MAX, u64::MAX - 1, 1 << 63].map(Scalar::from))
        .collect();
        if dtype.is_float() {
            let corners = [
                0.5, -0.0, 0.1, -0.7, 1.5, 2.5, -2.5, 1e-3, 65504.0, 65519.9, 65520.0, 6e-8,
                2.9e-8, 1e-40, 1e-45,
            ];
            let extremes = [
                1e30,
                -3e38,
                3.5e38,
                1e300,
                1e-310,
                1e6,
                2e6,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::NAN,
            ];
            values.extend(corners.into_iter().chain(extremes).map(Scalar::Float));
        }
        let mut state = 1u64;
        for _ in 0..12 {
            // A linear congruential generator: Knuth's MMIX constants.
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let integer = Scalar::Int((state >> 20) as i128);
            values.push(if dtype.is_float() {
                Scalar::Float(integer.as_f64() / 2f64.powi(43) - 1.0)
            } else {
                integer
            });
        }
        values.into_iter().map(|v| v.cast(dtype)).collect()
    }

    /// All pairs of two lists, as two lists.
    fn pairs(a: &[Scalar], b: &[Scalar]) -> (Vec<Scalar>, Vec<Scalar>) {
        a.iter()
            .flat_map(|x| b.iter().map(move |y| (*x, *y)))
            .unzip()
    }

    /// Equal to the bit, but all NaN are one.
    fn same(a: Scalar, b: Scalar) -> bool {
        if let (Scalar::Float(a), Scalar::Float(b)) = (a, b) {
            return a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        }
        a == b
    }

    fn at_every_level(test: impl Fn()) {
        for level in Level::available() {
            at_level(level, &test);
        }
    }

    #[test]
    fn unary_ops_are_as_defined() {
        use UnaryOps::*;
        at_every_level(|| {
            for dtype in DType::ALL {
                let x = samples(dtype);
                for op in [Noop, Exp2, Log2, Sin, Sqrt, Recip, Neg] {
                    let (mut src, mut dst) =
                        (Block::register(dtype, &x), Block::room(dtype, x.len()));
                    // SAFETY: blocks of the right sizes.
                    unsafe { unary(op, dtype, src.ptr(), dst.ptr(), x.len()) };
                    for (x, y) in x.iter().zip(dst.values(dtype, x.len())) {
                        let expected = op.eval(*x, dtype.compute());
                        let approximate =
                            matches!(op, Exp2 | Log2 | Sin) && dtype.compute() == DType::Float32;
                        let close = (y.as_f64() - expected.as_f64()).abs()
                            <= 2.5e-7 * expected.as_f64().abs().max(1e-38);
                        assert!(
                            same(y, expected) || (approximate && close),
                            "{op:?} {dtype} {x:?}: {y:?}, not {expected:?}"
                        );
                    }
                    // SAFETY: one block is both.
                    unsafe { unary(op, dtype, src.ptr(), src.ptr(), x.len()) };
                    assert_eq!(src, dst, "{op:?} {dtype} in place");
                }
            }
        });
    }

    #[test]
    fn an_element_does_not_depend_on_its_neighbours() {
        // A huge argument sends its whole block down another road, which must lead to the same place.
        let x: Vec<Scalar> = (0..200)
            .map(|i| Scalar::Float(i as f64 * 0.37 - 30.0))
            .collect();
        at_every_level(|| {
            let sines = |x: &[Scalar]| {
                let (mut src, mut dst) = (
                    Block::register(DType::Float32, x),
                    Block::room(DType::Float32, x.len()),
                );
                // SAFETY: blocks of the right sizes.
                unsafe { unary(UnaryOps::Sin, DType::Float32, src.ptr(), dst.ptr(), x.len()) };
                dst.values(DType::Float32, x.len())
            };
            let mut with_huge = x.clone();
            with_huge.push(Scalar::Float(1e30));
            let all = sines(&with_huge);
            assert_eq!(all[..200], sines(&x));
            assert!((all[200].as_f64() - (1e30f32 as f64).sin()).abs() < 1e-7);
        });
    }

    #[test]
    fn binary_ops_are_as_defined() {
        use BinaryOps::*;
        at_every_level(|| {
            for dtype in DType::ALL {
                let (a, b) = pairs(&samples(dtype), &samples(dtype));
                let n = a.len();
                for op in [Add, Sub, Mul, Div, Max, Mod, Pow, Cmplt, Cmpne] {
                    let result = op.result(dtype);
                    let (mut x, mut y) = (Block::register(dtype, &a), Block::register(dtype, &b));
                    let mut dst = Block::room(result, n);
                    // SAFETY: blocks of the right sizes.
                    unsafe { binary(op, dtype, x.ptr(), y.ptr(), dst.ptr(), n) };
                    for (i, value) in dst.values(result, n).into_iter().enumerate() {
                        let expected = op.eval(a[i], b[i], dtype.compute());
                        // Which of 0 and −0 is the larger, is not defined.
                        let equal = same(value, expected) || (op == Max && value == expected);
                        assert!(
                            equal,
                            "{:?} {op:?} {:?} in {dtype}: {value:?}, not {expected:?}",
                            a[i], b[i]
                        );
                    }
                    if result == dtype {
                        // SAFETY: a destination may be a source.
                        unsafe { binary(op, dtype, x.ptr(), y.ptr(), y.ptr(), n) };
                        assert_eq!(y, dst, "{op:?} {dtype} into the right side");
                    }
                }
            }
        });
    }

    #[test]
    fn ternary_ops_are_as_defined() {
        at_every_level(|| {
            for dtype in DType::ALL {
                let (a, b) = pairs(&samples(dtype), &samples(dtype));
                let n = a.len();
                let c: Vec<Scalar> = a.iter().rev().copied().collect();
                let condition: Vec<Scalar> = (0..n).map(|i| Scalar::Bool(i % 3 == 0)).collect();
                for (op, first, first_dtype) in [
                    (TernaryOps::Mulacc, &a, dtype),
                    (TernaryOps::Where, &condition, DType::Bool),
                ] {
                    let (mut x, mut y) = (
                        Block::register(first_dtype, first),
                        Block::register(dtype, &b),
                    );
                    let (mut z, mut dst) = (Block::register(dtype, &c), Block::room(dtype, n));
                    // SAFETY: blocks of the right sizes; then one that is both source and destination.
                    unsafe {
                        ternary(op, dtype, x.ptr(), y.ptr(), z.ptr(), dst.ptr(), n);
                        ternary(op, dtype, x.ptr(), y.ptr(), z.ptr(), z.ptr(), n);
                    }
                    assert_eq!(z, dst, "{op:?} {dtype} in place");
                    for (i, value) in dst.values(dtype, n).into_iter().enumerate() {
                        let expected = op.eval(first[i], b[i], c[i], dtype.compute());
                        assert!(
                            same(value, expected),
                            "{op:?} {dtype}: {value:?}, not {expected:?}"
                        );
                    }
                }
            }
        });
    }

    #[test]
    fn casts_are_those_of_scalar() {
        at_every_level(|| {
            for from in DType::ALL {
                let x = samples(from);
                for to in DType::ALL {
                    let (mut src, mut dst) = (Block::register(from, &x), Block::room(to, x.len()));
                    // SAFETY: blocks of the right sizes.
                    unsafe { unary(UnaryOps::Cast(to), from, src.ptr(), dst.ptr(), x.len()) };
                    for (x, y) in x.iter().zip(dst.values(to, x.len())) {
                        assert!(
                            same(y, x.cast(to)),
                            "{x:?} from {from} to {to}: {y:?}, not {:?}",
                            x.cast(to)
                        );
                    }
                }
            }
        });
    }

    #[test]
    fn bitcasts_keep_the_bits() {
        at_every_level(|| {
            for from in DType::ALL {
                let x = samples(from);
                for to in DType::ALL
                    .into_iter()
                    .filter(|to| to.itemsize() == from.itemsize())
                {
                    let (mut src, mut dst) = (Block::register(from, &x), Block::room(to, x.len()));
                    let op = UnaryOps::Bitcast(to);
                    // SAFETY: blocks of the right sizes.
                    unsafe { unary(op, from, src.ptr(), dst.ptr(), x.len()) };
                    for (x, y) in x.iter().zip(dst.values(to, x.len())) {
                        let expected = op.eval(*x, from);
                        assert!(
                            same(y, expected),
                            "{x:?} from {from} as {to}: {y:?}, not {expected:?}"
                        );
                    }
                }
            }
        });
    }

    #[test]
    fn memory_is_read_with_any_stride_and_written_back() {
        at_every_level(|| {
            for dtype in DType::ALL {
                let size = dtype.itemsize();
                let values: Vec<Scalar> = samples(dtype).into_iter().cycle().take(600).collect();
                let mut register = Block::register(dtype, &values);
                let mut memory = Block(vec![GUARD; 600 * size + 64]);
                // SAFETY: 600 elements in both.
                unsafe { store(dtype, register.ptr(), memory.ptr(), 600) };
                assert!(memory.0[600 * size..].iter().all(|b| *b == GUARD));
                for stride in [1isize, 0, 2, 3, -1, -2] {
                    for n in [0, 1, 64, 100, 190] {
                        let first = if stride < 0 { 599 } else { 5 };
                        let mut dst = Block::room(dtype, n);
                        // SAFETY: the farthest is 5 + 190·3 = 575, or 599 − 190·2.
                        unsafe {
                            load(dtype, memory.ptr().add(first * size), stride, dst.ptr(), n)
                        };
                        for (i, value) in dst.values(dtype, n).into_iter().enumerate() {
                            let expected = values[(first as isize + i as isize * stride) as usize];
                            assert!(
                                same(value, expected),
                                "{dtype} stride {stride}: {value:?}, not {expected:?}"
                            );
                        }
                    }
                }
            }
        });
    }

    #[test]
    fn constants_and_positions() {
        for dtype in DType::ALL {
            let mut dst = Block::room(dtype, 70);
            // SAFETY: room for 70.
            unsafe { fill(dtype, Scalar::Float(3.1), dst.ptr(), 70) };
            assert!(
                dst.values(dtype, 70)
                    .into_iter()
                    .all(|v| v == Scalar::Float(3.1).cast(dtype))
            );
        }
        let mut dst = Block::room(DType::Int64, 3);
        // SAFETY: room for 3.
        unsafe { iota(5, -3, dst.ptr(), 3) };
        assert_eq!(dst.values(DType::Int64, 3), [5, 2, -1].map(Scalar::from));
    }

    /// `values` folded into a block of one, which begins as `acc`.
    fn reduced(op: ReduceOps, dtype: DType, values: &[Scalar], acc: Scalar) -> Scalar {
        let (mut src, mut acc) = (
            Block::register(dtype, values),
            Block::register(dtype, &[acc]),
        );
        // SAFETY: blocks of the right sizes.
        unsafe { reduce_block(op, dtype, src.ptr(), values.len(), acc.ptr()) };
        acc.values(dtype, 1)[0]
    }

    #[test]
    fn blocks_reduce_to_what_their_elements_do() {
        at_every_level(|| {
            for dtype in DType::ALL {
                for n in [0, 1, 2, 63, 64, 65, 127, 1000, 1024] {
                    // Without infinities and NaN; and for sums, numbers that no order of summation rounds.
                    let finite: Vec<Scalar> = samples(dtype)
                        .into_iter()
                        .filter(|v| v.as_f64().is_finite())
                        .cycle()
                        .take(n)
                        .collect();
                    let whole: Vec<Scalar> = (0..n)
                        .map(|i| Scalar::from(i as i64 % 9 - 3).cast(dtype))
                        .collect();
                    for (op, values) in [(ReduceOps::Sum, whole), (ReduceOps::Max, finite)] {
                        let start = Scalar::from(1).cast(dtype);
                        let combine = |a, b: &Scalar| op.combine().eval(a, *b, dtype.compute());
                        let expected = values.iter().fold(start, combine);
                        assert_eq!(
                            reduced(op, dtype, &values, start),
                            expected,
                            "{op:?} of {n} {dtype}"
                        );
                    }
                }
            }
        });
    }

    #[test]
    fn sums_are_accurate_and_the_same_at_every_level() {
        let values: Vec<Scalar> = (0..1021)
            .map(|i| Scalar::Float((i as f64 * 0.7).sin() + 1.0))
            .collect();
        let exact: f64 = values.iter().map(|v| v.cast(DType::Float32).as_f64()).sum();
        let sums: Vec<Scalar> = Level::available()
            .into_iter()
            .map(|level| {
                at_level(level, || {
                    reduced(ReduceOps::Sum, DType::Float32, &values, Scalar::Float(0.0))
                })
            })
            .collect();
        assert!(sums.iter().all(|sum| *sum == sums[0]), "{sums:?}");
        assert!(
            (sums[0].as_f64() / exact - 1.0).abs() < 2e-7,
            "{sums:?}, not {exact}"
        );
    }

    #[test]
    fn one_nan_makes_the_maximum_nan_wherever_it_is() {
        at_every_level(|| {
            for dtype in [DType::Float16, DType::Float32, DType::Float64] {
                for place in [0, 1, 63, 64, 99] {
                    let mut values = vec![Scalar::Float(1.0); 100];
                    values[place] = Scalar::Float(f64::NAN);
                    let smallest = dtype.min_value();
                    assert!(
                        reduced(ReduceOps::Max, dtype, &values, smallest)
                            .as_f64()
                            .is_nan()
                    );
                }
                let nan = Scalar::Float(f64::NAN);
                assert!(
                    reduced(ReduceOps::Max, dtype, &[Scalar::Float(1.0)], nan)
                        .as_f64()
                        .is_nan()
                );
            }
        });
    }

    #[test]
    fn rows_reduce_side_by_side() {
        at_every_level(|| {
            for dtype in DType::ALL {
                let (a, b) = pairs(&samples(dtype), &samples(dtype));
                for op in [ReduceOps::Sum, ReduceOps::Max] {
                    let (mut acc, mut src) =
                        (Block::register(dtype, &a), Block::register(dtype, &b));
                    // SAFETY: blocks of the right sizes.
                    unsafe { reduce_rows(op, dtype, src.ptr(), a.len(), acc.ptr()) };
                    for (i, value) in acc.values(dtype, a.len()).into_iter().enumerate() {
                        let expected = op.combine().eval(a[i], b[i], dtype.compute());
                        assert!(same(value, expected) || value == expected, "{op:?} {dtype}");
                    }
                }
            }
        });
    }
}
