//! Tests of `alu`.

use super::super::simd::{Level, at_level};
use super::*;
use crate::dtype::{Element, Scalar};
use crate::ops::ReduceOps;

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

    fn source(&mut self) -> Source<u8> {
        Source::block(self.ptr())
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
            0.5, -0.0, 0.1, -0.7, 1.5, 2.5, -2.5, 1e-3, 65504.0, 65519.9, 65520.0, 6e-8, 2.9e-8,
            1e-40, 1e-45,
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
                let (mut src, mut dst) = (Block::register(dtype, &x), Block::room(dtype, x.len()));
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
            let ops = [
                Add, Sub, Mul, Div, Max, Mod, Pow, Cmplt, Cmpne, And, Or, Xor, Shl, Shr,
            ];
            for op in ops {
                if op.is_bitwise() && dtype.is_float() {
                    continue;
                }
                let result = op.result(dtype);
                let (mut x, mut y) = (Block::register(dtype, &a), Block::register(dtype, &b));
                let mut dst = Block::room(result, n);
                // SAFETY: blocks of the right sizes.
                unsafe { binary(op, dtype, x.source(), y.source(), dst.ptr(), n) };
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
                    unsafe { binary(op, dtype, x.source(), y.source(), y.ptr(), n) };
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
                    ternary(op, dtype, x.source(), y.source(), z.source(), dst.ptr(), n);
                    ternary(op, dtype, x.source(), y.source(), z.source(), z.ptr(), n);
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
                    unsafe { load(dtype, memory.ptr().add(first * size), stride, dst.ptr(), n) };
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
                let (mut acc, mut src) = (Block::register(dtype, &a), Block::register(dtype, &b));
                // SAFETY: blocks of the right sizes.
                unsafe { reduce_rows(op, dtype, &[src.ptr()], a.len(), acc.ptr()) };
                for (i, value) in acc.values(dtype, a.len()).into_iter().enumerate() {
                    let expected = op.combine().eval(a[i], b[i], dtype.compute());
                    assert!(same(value, expected) || value == expected, "{op:?} {dtype}");
                }
            }
        }
    });
}

#[test]
fn many_rows_and_lines_reduce_as_one_after_the_other() {
    at_every_level(|| {
        for dtype in [DType::Float32, DType::Int64, DType::Uint8] {
            let samples = samples(dtype);
            // Whole chunks and a rest, rows in groups and a few more.
            for (n, count) in [(3, 2), (64, 8), (150, 19)] {
                let pick = |i: usize| samples[(i * i + 3 * i) % samples.len()];
                let values = |row: usize| (0..n).map(|i| pick(row * n + i)).collect::<Vec<_>>();
                let mut rows: Vec<Block> = (0..count)
                    .map(|row| Block::register(dtype, &values(row)))
                    .collect();
                let pointers: Vec<*const u8> =
                    rows.iter_mut().map(|row| row.ptr().cast_const()).collect();
                let sources: Vec<Source<u8>> = rows.iter_mut().map(Block::source).collect();
                for op in [ReduceOps::Sum, ReduceOps::Max] {
                    let start = Block::register(dtype, &values(count));
                    let (mut once, mut each) = (start.clone(), start);
                    let lines = Block::register(dtype, &(0..count).map(pick).collect::<Vec<_>>());
                    let (mut all_lines, mut each_line) = (lines.clone(), lines.clone());
                    let (mut turns, mut each_turn) = (lines.clone(), lines);
                    let size = dtype.compute().itemsize();
                    // SAFETY: blocks of the right sizes: n values each, and one for each row.
                    unsafe {
                        reduce_rows(op, dtype, &pointers, n, once.ptr());
                        reduce_lines(op, dtype, &pointers, n, (all_lines.ptr(), count));
                        let two = count.min(2);
                        reduce_lines(op, dtype, &pointers, n, (turns.ptr(), two));
                        for (i, &row) in pointers.iter().enumerate() {
                            reduce_rows(op, dtype, &[row], n, each.ptr());
                            reduce_block(op, dtype, row, n, each_line.ptr().add(i * size));
                            reduce_block(op, dtype, row, n, each_turn.ptr().add(i % two * size));
                        }
                    }
                    let alike = |a: &Block, b: &Block, n: usize| {
                        let pairs = a.values(dtype, n).into_iter().zip(b.values(dtype, n));
                        pairs.into_iter().all(|(a, b)| same(a, b))
                    };
                    assert!(
                        alike(&once, &each, n),
                        "{op:?} of {count} rows of {n} {dtype}"
                    );
                    assert!(
                        alike(&all_lines, &each_line, count),
                        "{op:?} of {count} lines of {n} {dtype}"
                    );
                    assert!(
                        alike(&turns, &each_turn, count),
                        "{op:?} of {count} lines of {n} {dtype}, to two sums in turn"
                    );
                }
                // Dots are the lines of the products.
                let mut dots = Block::register(dtype, &values(0)[..count.min(n)]);
                let mut sums = dots.clone();
                for i in 0..count.min(n) {
                    let mut product = Block::room(dtype, n);
                    let (a, b) = (sources[i], sources[count - 1 - i]);
                    let at = i * dtype.compute().itemsize();
                    // SAFETY: blocks of n values, and the i-th of the sums.
                    unsafe {
                        binary(BinaryOps::Mul, dtype, a, b, product.ptr(), n);
                        reduce_block(ReduceOps::Sum, dtype, product.ptr(), n, sums.ptr().add(at));
                        dot_lines(dtype, &[a], &[b], n, (dots.ptr().add(at), 1));
                    }
                }
                let (dots, sums) = (
                    dots.values(dtype, count.min(n)),
                    sums.values(dtype, count.min(n)),
                );
                assert!(
                    dots.into_iter().zip(sums).all(|(a, b)| same(a, b)),
                    "dots of {n} {dtype}"
                );
            }
        }
    });
}

#[test]
fn streams_write_what_stores_write() {
    // Heads and tails of every length around whole cache lines, wherever they begin.
    let numbers: Vec<Scalar> = (0..300).map(|i| Scalar::from(i as f64 * 0.37)).collect();
    for dtype in [
        DType::Uint8,
        DType::Float32,
        DType::Float16,
        DType::BFloat16,
    ] {
        let mut values = Block::register(dtype, &numbers);
        for (start, n) in (0..70)
            .step_by(3)
            .flat_map(|start| [0, 1, 15, 17, 64, 65, 130, 300].map(|n| (start, n)))
        {
            let mut rooms = [[GUARD; 1400]; 2];
            // SAFETY: there are as many values, and at most 70 + 300 · 4 bytes are written into 1400.
            unsafe {
                store(dtype, values.ptr(), rooms[0].as_mut_ptr().add(start), n);
                stream(dtype, values.ptr(), rooms[1].as_mut_ptr().add(start), n);
            }
            assert_eq!(rooms[0], rooms[1], "{n} of {dtype} from {start}");
        }
    }
}
