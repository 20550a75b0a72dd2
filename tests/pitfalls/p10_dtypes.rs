//! Mixed dtypes, labels in small unsigned integers, integer division, casts out of range.

use super::*;
use DType::*;

/// The edges of the documented lattice: from each dtype to the next ones above it.
const ABOVE: [(DType, &[DType]); 13] = [
    (Bool, &[Uint8, Int8]),
    (Uint8, &[Uint16, Int16]),
    (Uint16, &[Uint32, Int32]),
    (Uint32, &[Uint64, Int64]),
    (Uint64, &[Float32]),
    (Int8, &[Int16]),
    (Int16, &[Int32]),
    (Int32, &[Int64]),
    (Int64, &[Float16, BFloat16]),
    (Float16, &[Float32]),
    (BFloat16, &[Float32]),
    (Float32, &[Float64]),
    (Float64, &[]),
];

/// The lowest dtype above both, by walking up.
fn joined(a: DType, b: DType) -> DType {
    // Any float is above any integer, uint64 included, whose way up ends there.
    if a.is_float() != b.is_float() {
        return if a.is_float() { a } else { b };
    }
    let reach = |from: DType| {
        let mut levels = vec![from];
        let mut at = 0;
        while at < levels.len() {
            levels.extend(
                ABOVE
                    .iter()
                    .find(|(dtype, _)| *dtype == levels[at])
                    .unwrap()
                    .1,
            );
            at += 1;
        }
        levels
    };
    let (ups, other) = (reach(a), reach(b));
    let common: Vec<DType> = ups
        .into_iter()
        .filter(|dtype| other.contains(dtype))
        .collect();
    *common
        .iter()
        .find(|lowest| common.iter().all(|dtype| reach(**lowest).contains(dtype)))
        .expect("a lattice")
}

/// 3, 1, 2 in any dtype; in bool that is true.
fn small(dtype: DType) -> Tensor {
    Tensor::from([3, 1, 2]).cast(dtype)
}

#[test]
fn every_op_of_two_promotes_by_the_lattice() {
    let counted = |dtype: DType| if dtype == Bool { Int32 } else { dtype };
    let summed = |dtype: DType| match dtype {
        Bool | Int8 | Int16 => Int32,
        Uint8 | Uint16 => Uint32,
        Int32 | Uint32 | Int64 | Uint64 | Float16 | BFloat16 | Float32 | Float64 => dtype,
    };
    for a in DType::ALL {
        for b in DType::ALL {
            let both = joined(a, b);
            assert_eq!(a.promote(b), both, "{a} with {b}");
            let (x, y) = (small(a), small(b).flip(0));
            let (xs, ys) = (x.to_vec::<f64>(), y.to_vec::<f64>());
            let pairs = || xs.iter().zip(&ys).map(|(&x, &y)| (x, y));
            let expect = |name: &str, z: Tensor, dtype: DType, values: Vec<f64>| {
                assert_eq!(z.dtype(), dtype, "{name} of {a} and {b}");
                let got = z.to_vec::<f64>();
                let near = got
                    .iter()
                    .zip(&values)
                    .all(|(got, value)| (got - value).abs() <= 0.01 * value.abs());
                assert!(
                    near && got.len() == values.len(),
                    "{name} of {a} and {b}: {got:?}, not {values:?}"
                );
            };
            let fractional = if both.is_float() { both } else { Float32 };
            if both != Bool {
                expect("add", &x + &y, both, pairs().map(|(x, y)| x + y).collect());
                expect("mul", &x * &y, both, pairs().map(|(x, y)| x * y).collect());
                expect("sub", &x + &y - &y, both, xs.clone());
            }
            expect(
                "div",
                &x / &y,
                fractional,
                pairs().map(|(x, y)| x / y).collect(),
            );
            expect(
                "idiv",
                x.idiv(&y),
                counted(both),
                pairs().map(|(x, y)| (x / y).trunc()).collect(),
            );
            expect(
                "modulo",
                &x % &y,
                counted(both),
                pairs().map(|(x, y)| x % y).collect(),
            );
            expect(
                "pow",
                x.pow(&y),
                counted(both),
                pairs().map(|(x, y)| x.powf(y)).collect(),
            );
            expect(
                "maximum",
                x.maximum(&y),
                both,
                pairs().map(|(x, y)| x.max(y)).collect(),
            );
            expect(
                "minimum",
                x.minimum(&y),
                both,
                pairs().map(|(x, y)| x.min(y)).collect(),
            );
            expect(
                "where_",
                Tensor::from([true, false, true]).where_(&x, &y),
                both,
                vec![xs[0], ys[1], xs[2]],
            );
            expect(
                "cat",
                Tensor::cat(&[&x, &y], 0),
                both,
                [xs.clone(), ys.clone()].concat(),
            );
            expect(
                "stack",
                Tensor::stack(&[&y, &x], 0),
                both,
                [ys.clone(), xs.clone()].concat(),
            );
            let dot: f64 = pairs().map(|(x, y)| x * y).sum();
            expect("matmul", x.matmul(&y), summed(both), vec![dot]);
            expect(
                "conv2d",
                x.reshape([1, 1, 3]).conv2d(&y.reshape([1, 1, 3]), None),
                summed(both),
                vec![dot],
            );
            expect(
                "linear",
                x.linear(&y, None),
                both,
                pairs().map(|(x, y)| x * y).collect(),
            );
            for (name, z, truth) in [
                ("lt", x.lt(&y), (|x, y| x < y) as fn(f64, f64) -> bool),
                ("gt", x.gt(&y), |x, y| x > y),
                ("le", x.le(&y), |x, y| x <= y),
                ("ge", x.ge(&y), |x, y| x >= y),
                ("eq", x.eq(&y), |x, y| x == y),
                ("ne", x.ne(&y), |x, y| x != y),
            ] {
                expect(
                    name,
                    z,
                    Bool,
                    pairs().map(|(x, y)| truth(x, y) as u8 as f64).collect(),
                );
            }
        }
    }
}

#[test]
fn every_op_of_one_in_every_dtype() {
    for dtype in DType::ALL {
        let x = small(dtype);
        let xs = x.to_vec::<f64>();
        let fractional = if dtype.is_float() { dtype } else { Float32 };
        let expect = |name: &str, y: Tensor, want: DType, f: &dyn Fn(f64) -> f64| {
            assert_eq!(y.dtype(), want, "{name} of {dtype}");
            for (&x, y) in xs.iter().zip(y.to_vec::<f64>()) {
                assert!(
                    (y - f(x)).abs() <= 0.01 * f(x).abs().max(1.0),
                    "{name}({x}) of {dtype} is {y}, not {}",
                    f(x)
                );
            }
        };
        expect("exp", x.exp(), fractional, &f64::exp);
        expect("log", x.log(), fractional, &f64::ln);
        expect("sqrt", x.sqrt(), fractional, &f64::sqrt);
        expect("sin", x.sin(), fractional, &f64::sin);
        expect("cos", x.cos(), fractional, &f64::cos);
        expect("sigmoid", x.sigmoid(), fractional, &|x| {
            1.0 / (1.0 + (-x).exp())
        });
        expect("tanh", x.tanh(), fractional, &f64::tanh);
        expect("reciprocal", x.reciprocal(), fractional, &f64::recip);
        expect("gelu", x.gelu(), fractional, &|x| {
            x / (1.0 + (-1.5957691216 * (x + 0.044715 * x.powi(3))).exp())
        });
        expect("abs", x.abs(), dtype, &f64::abs);
        expect("floor", x.floor(), dtype, &f64::floor);
        expect("relu", x.relu(), dtype, &|x| x);
        expect("sign", x.sign(), dtype, &f64::signum);
        expect(
            "clip",
            x.clip(0.0, 2.0),
            if dtype == Bool { Int32 } else { dtype },
            &|x| x.min(2.0),
        );
        expect("clip by fractions", x.clip(0.0, 1.5), fractional, &|x| {
            x.min(1.5)
        });
        expect("mean", x.mean(()).expand([3]), fractional, &|_| {
            xs.iter().sum::<f64>() / 3.0
        });
        expect("softmax", x.softmax(0), fractional, &|x| {
            x.exp() / xs.iter().map(|x| x.exp()).sum::<f64>()
        });
        expect("max", x.max(()).expand([3]), dtype, &|_| {
            xs.iter().copied().fold(0.0, f64::max)
        });
        expect("min", x.min(()).expand([3]), dtype, &|_| {
            xs.iter().copied().fold(9.0, f64::min)
        });
        expect("flip", x.flip(0).flip(0), dtype, &|x| x);
        expect("pad", x.pad(&[(1, 1)], 0).shrink(&[(1, 4)]), dtype, &|x| x);
        expect("get", x.get([0, 1, 2]), dtype, &|x| x);
        expect("where", x.where_(&x, &x), dtype, &|x| x);
        if dtype != Bool {
            expect("+ 1", &x + 1, dtype, &|x| x + 1.0);
            expect("square", x.square(), dtype, &|x| x * x);
            expect("+ 0.5", &x + 0.5, fractional, &|x| x + 0.5);
            expect("2 · x − x", 2 * &x - &x, dtype, &|x| x);
        } else {
            assert_eq!((&x + 1).dtype(), Int32);
            assert_eq!((&x + true).dtype(), Bool);
        }
        let y = x.contiguous().realize();
        y.set(1, 2);
        assert_eq!(
            (y.dtype(), y.to_vec::<f64>()[1]),
            (dtype, if dtype == Bool { 1.0 } else { 2.0 })
        );
    }
}

#[test]
fn unsigned_labels_against_minus_one() {
    for dtype in [Uint8, Uint16, Uint32, Uint64] {
        let x = Tensor::from([0, 1, -1]).cast(dtype); // the last is the largest
        assert_eq!(x.eq(-1).to_vec::<bool>(), [false; 3], "{dtype}");
        assert_eq!(x.ne(-1).to_vec::<bool>(), [true; 3], "{dtype}");
        assert_eq!(x.gt(-1).to_vec::<bool>(), [true; 3], "{dtype}");
        assert_eq!(x.lt(-1).to_vec::<bool>(), [false; 3], "{dtype}");
        assert_eq!(x.ge(-1).to_vec::<bool>(), [true; 3], "{dtype}");
        assert_eq!(x.le(-1).to_vec::<bool>(), [false; 3], "{dtype}");
    }
    // A tensor of −1 meets them in a type that holds both.
    let minus = Tensor::from([-1i8]);
    assert_eq!(
        Tensor::from([255u8, 1]).eq(&minus).to_vec::<bool>(),
        [false, false]
    );
    assert_eq!(
        Tensor::from([u32::MAX, 1]).gt(&minus).to_vec::<bool>(),
        [true, true]
    );
    assert_eq!(
        Tensor::from([u64::MAX, 1]).gt(&minus).to_vec::<bool>(),
        [true, true]
    );
    // Numbers beyond a type's other end, and between its values.
    assert_eq!(
        Tensor::from([255u8, 0]).lt(256).to_vec::<bool>(),
        [true, true]
    );
    assert_eq!(
        Tensor::from([-128i8, 127]).gt(-129).to_vec::<bool>(),
        [true, true]
    );
    assert_eq!(
        Tensor::from([1u8, 2]).lt(1.5).to_vec::<bool>(),
        [true, false]
    );
    let logits = Tensor::from([[0.0, 3.0], [1.0, 0.0]]);
    let loss = logits
        .sparse_categorical_crossentropy(&Tensor::from([1u8, 0]), -1)
        .item::<f32>();
    assert!((loss - ((1.0 + (-3f32).exp()).ln() + (1.0 + (-1f32).exp()).ln()) / 2.0).abs() < 1e-6);
    // As an index, 255 is the 256th and not the last one.
    assert_eq!(
        Tensor::arange(300).get(Tensor::from([255u8])).item::<i32>(),
        255
    );
    assert_eq!(
        Tensor::arange(3).get(Tensor::from([255u8])).item::<i32>(),
        0
    );
}

#[test]
fn integer_division_cuts_towards_zero_and_the_remainder_has_the_left_sign() {
    macro_rules! check {
        ($($t:ty),*) => {$(
            let values = [<$t>::MIN, <$t>::MIN + 1, <$t>::MAX, 0, 1, 2, 3, 7, 100, (0 as $t).wrapping_sub(1), (0 as $t).wrapping_sub(7)];
            let n = values.len();
            for device in [Device::CPU, Device::REFERENCE] {
                let (a, b) = (Tensor::from(values).to(device).reshape([n, 1]), Tensor::from(values).to(device));
                let (quotients, remainders) = (a.idiv(&b).to_vec::<$t>(), (&a % &b).to_vec::<$t>());
                for (i, &a) in values.iter().enumerate() {
                    for (j, &b) in values.iter().enumerate() {
                        // By zero: 0, and 0 remains.
                        let expected = if b == 0 { (0, 0) } else { (a.wrapping_div(b), a.wrapping_rem(b)) };
                        assert_eq!((quotients[i * n + j], remainders[i * n + j]), expected, "{a} by {b} on {device}");
                    }
                }
            }
        )*};
    }
    check!(i8, u8, i16, u16, i32, u32, i64, u64);
    assert_eq!(
        Tensor::from([7.5, -7.5, 7.5, 1.0])
            .idiv(Tensor::from([2.0, 2.0, -2.0, 0.0]))
            .to_vec::<f32>(),
        [3.0, -3.0, -3.0, INF]
    );
    assert!(same(
        &(Tensor::from([7.5, -7.5, 7.5, 1.0]) % Tensor::from([2.0, 2.0, -2.0, 0.0]))
            .to_vec::<f32>(),
        &[1.5, -1.5, 1.5, NAN]
    ));
}

#[test]
fn integers_wrap() {
    for device in [Device::CPU, Device::REFERENCE] {
        let x = Tensor::from([200u8, 100]).to(device);
        assert_eq!((&x + 100).to_vec::<u8>(), [44, 200]);
        assert_eq!((&x * 2).to_vec::<u8>(), [144, 200]);
        assert_eq!((-&x).to_vec::<u8>(), [56, 156]);
        assert_eq!(
            (Tensor::from([i32::MAX]).to(device) + 1).item::<i32>(),
            i32::MIN
        );
        assert_eq!(
            Tensor::from([i64::MIN]).to(device).abs().item::<i64>(),
            i64::MIN
        );
        assert_eq!(
            (Tensor::from([u64::MAX]).to(device) * 3).item::<u64>(),
            u64::MAX.wrapping_mul(3)
        );
    }
}

/// Every cast against Rust's own `as`, which saturates from floats and wraps between integers, as the library says it does.
#[test]
fn casts_wrap_between_integers_and_saturate_from_floats() {
    macro_rules! to_all {
        ($values:expr, $from:ty => $($to:ty),*) => {$(
            for device in [Device::CPU, Device::REFERENCE] {
                let values: Vec<$from> = $values.to_vec();
                let dtype = <$to as teenygrad::Element>::DTYPE;
                let cast = Tensor::from_slice(&values, [values.len()]).to(device).cast(dtype);
                let expected: Vec<$to> = values.iter().map(|&x| x as $to).collect();
                let got = cast.to_vec::<$to>();
                for ((x, got), expected) in values.iter().zip(&got).zip(&expected) {
                    assert!(got == expected || *got as f64 != *got as f64 && *expected as f64 != *expected as f64, "{x:?} as {dtype} on {device} is {got}, not {expected}");
                }
                let truths: Vec<bool> = values.iter().map(|&x| x != 0 as $from).collect();
                assert_eq!(Tensor::from_slice(&values, [values.len()]).to(device).cast(Bool).to_vec::<bool>(), truths);
            }
        )*};
    }
    macro_rules! integers {
        ($($from:ty),*) => {$(
            to_all!([<$from>::MIN, <$from>::MIN + 1, <$from>::MAX - 1, <$from>::MAX, 0, 1, 127, (0 as $from).wrapping_sub(1), (100 as $from).wrapping_mul(3)],
                $from => i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);
        )*};
    }
    integers!(i8, u8, i16, u16, i32, u32, i64, u64);
    let floats = [
        0.0,
        -0.0,
        0.4,
        0.5,
        0.999,
        1.5,
        -0.5,
        -1.9,
        127.9,
        128.0,
        -128.9,
        -129.0,
        255.5,
        256.0,
        32767.5,
        65536.0,
        2147483648.0,
        -2147483649.0,
        4294967296.0,
        9.3e18,
        -9.3e18,
        1.9e19,
        1e30,
        -1e30,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    to_all!(floats, f64 => i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);
    to_all!(floats.map(|x| x as f32), f32 => i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);
    for x in floats {
        let half = Tensor::from_slice(&[x], [1]).cast(Float16);
        let expected = f16::from_f32(x as f32).to_f64();
        let got = half.to_vec::<f64>()[0];
        assert!(
            got == expected || got.is_nan() && expected.is_nan(),
            "{x} as float16 is {got}, not {expected}"
        );
        let expected = f16::from_f32(x as f32).to_f32() as i8;
        assert_eq!(
            half.cast(Int8).item::<i8>(),
            expected,
            "{x} by way of float16 as int8"
        );
        let brain = Tensor::from_slice(&[x], [1]).cast(BFloat16).to_vec::<f64>()[0];
        let expected = bf16::from_f32(x as f32).to_f64();
        assert!(
            brain == expected || brain.is_nan() && expected.is_nan(),
            "{x} as bfloat16 is {brain}, not {expected}"
        );
    }
}

/// A cast that loses something is not undone by the cast back, wherever the two meet.
#[test]
fn casts_do_not_cancel() {
    assert_eq!(
        Tensor::from([1.7, -2.7])
            .cast(Int32)
            .cast(Float32)
            .to_vec::<f32>(),
        [1.0, -2.0]
    );
    assert_eq!(
        Tensor::from([300, -1])
            .cast(Uint8)
            .cast(Int32)
            .to_vec::<i32>(),
        [44, 255]
    );
    assert_eq!(
        Tensor::from([1.0 + 1.0 / 4096.0])
            .cast(Float16)
            .cast(Float32)
            .item::<f32>(),
        1.0
    );
    assert_eq!(Tensor::from([5]).cast(Bool).cast(Int32).item::<i32>(), 1);
    assert_eq!(
        Tensor::from_slice(&[0.1f64], [1])
            .cast(Float32)
            .cast(Float64)
            .item::<f64>(),
        0.1f32 as f64
    );
    assert_eq!(
        Tensor::from([(1i64 << 53) + 1])
            .cast(Float64)
            .cast(Int64)
            .item::<i64>(),
        1 << 53
    );
    assert_eq!(
        (Tensor::from([(1i64 << 53) + 1]) + 1).item::<i64>(),
        (1 << 53) + 2
    );
}

/// A half's gradient is a half, and a double's a double; and integers have none.
#[test]
fn gradients_have_their_tensors_dtype() {
    for dtype in [Float16, BFloat16, Float32, Float64] {
        let x = Tensor::from([1.0, 2.0])
            .cast(dtype)
            .contiguous()
            .realize()
            .detach()
            .requires_grad(true);
        let y = Tensor::from([3.0, 4.0]).requires_grad(true);
        (x.matmul(&y) + (&x * &y).cast(Float64).sum(()))
            .sum(())
            .backward();
        assert_eq!(
            (x.grad().unwrap().dtype(), y.grad().unwrap().dtype()),
            (dtype, Float32)
        );
        assert_eq!(x.grad().unwrap().to_vec::<f32>(), [6.0, 8.0]);
        assert_eq!(y.grad().unwrap().to_vec::<f32>(), [2.0, 4.0]);
    }
    for dtype in DType::ALL.into_iter().filter(|dtype| !dtype.is_float()) {
        let text = panic_of(|| drop(Tensor::from([1]).cast(dtype).requires_grad(true)));
        assert_eq!(
            text,
            format!(
                "requires_grad: a tensor of {dtype} has no gradient\n  hint: cast it to a float first"
            )
        );
    }
}

#[test]
fn scalars_are_weak() {
    assert_eq!(Scalar::from(1u8), Scalar::Int(1));
    for dtype in [Float16, BFloat16, Float64] {
        let x = Tensor::from([1.0]).cast(dtype);
        for y in [
            &x + 1,
            &x * 2.5,
            &x - f64::MAX,
            1.0 / &x,
            x.pow(2.5),
            x.maximum(0.5),
            x.gt(0).where_(&x, 0.0),
        ] {
            assert_eq!(y.dtype(), dtype);
        }
    }
}
