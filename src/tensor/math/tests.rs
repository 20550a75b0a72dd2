//! Tests of `math`.

use crate::{DType, Tensor};

type Function = fn(&Tensor) -> Tensor;

#[test]
fn values_are_those_of_the_standard_library_and_gradients_their_slopes() {
    type Case = (&'static str, Function, fn(f64) -> f64, &'static [f64]);
    let cases: [Case; 26] = [
        ("log", |x| x.log(), f64::ln, &[0.01, 0.9, 7.0]),
        ("log2", |x| x.log2(), f64::log2, &[0.01, 0.9, 8.0]),
        ("exp", |x| x.exp(), f64::exp, &[-9.0, 0.3, 5.0]),
        ("exp2", |x| x.exp2(), f64::exp2, &[-9.0, 0.3, 5.0]),
        ("sqrt", |x| x.sqrt(), f64::sqrt, &[0.01, 2.0, 100.0]),
        (
            "rsqrt",
            |x| x.rsqrt(),
            |x| 1.0 / x.sqrt(),
            &[0.1, 2.0, 100.0],
        ),
        ("square", |x| x.square(), |x| x * x, &[-3.0, 0.0, 0.5]),
        (
            "reciprocal",
            |x| x.reciprocal(),
            f64::recip,
            &[-3.0, 0.5, 8.0],
        ),
        ("sin", |x| x.sin(), f64::sin, &[-3.0, 0.0, 1.0, 40.0]),
        ("cos", |x| x.cos(), f64::cos, &[-3.0, 0.0, 1.0, 40.0]),
        ("tan", |x| x.tan(), f64::tan, &[-3.0, 0.0, 1.0, 40.0]),
        ("sinh", |x| x.sinh(), f64::sinh, &[-3.0, 0.0, 2.0]),
        ("cosh", |x| x.cosh(), f64::cosh, &[-3.0, 0.0, 2.0]),
        ("tanh", |x| x.tanh(), f64::tanh, &[-3.0, 0.0, 2.0]),
        (
            "asinh",
            |x| x.asinh(),
            f64::asinh,
            &[-3e9, -3.0, 0.0, 2.0, 3e9],
        ),
        ("acosh", |x| x.acosh(), f64::acosh, &[1.1, 3.0, 3e9]),
        ("atanh", |x| x.atanh(), f64::atanh, &[-0.9, 0.0, 0.5]),
        ("pow 2.5", |x| x.pow(2.5), |x| x.powf(2.5), &[0.1, 1.0, 3.0]),
        ("pow 7", |x| x.pow(7), |x| x.powi(7), &[-1.5, 0.1, 1.0]),
        ("pow -1", |x| x.pow(-1), |x| 1.0 / x, &[-1.5, 0.3, 1.0]),
        ("pow -2", |x| x.pow(-2.0), |x| x.powi(-2), &[-1.5, 0.3, 1.0]),
        ("pow -0.5", |x| x.pow(-0.5), |x| x.powf(-0.5), &[0.3, 1.0]),
        (
            "rpow",
            |x| x.rpow(3.5),
            |x| 3.5f64.powf(x),
            &[-1.5, 0.0, 2.0],
        ),
        (
            "clip",
            |x| x.clip(-1.0, 1.5),
            |x| x.clamp(-1.0, 1.5),
            &[-3.0, 0.5, 2.0],
        ),
        (
            "minimum",
            |x| x.minimum(0.5),
            |x| x.min(0.5),
            &[-3.0, 0.4, 2.0],
        ),
        ("modulo", |x| x.modulo(1.5), |x| x % 1.5, &[-3.2, 0.4, 2.0]),
    ];
    for (name, function, definition, points) in cases {
        let x = Tensor::from_slice(points, [points.len()]).requires_grad(true);
        let y = function(&x);
        y.sum(()).backward();
        let (y, slopes) = (y.to_vec::<f64>(), x.grad().unwrap().to_vec::<f64>());
        for (i, &point) in points.iter().enumerate() {
            let step = if point == 0.0 {
                1e-5
            } else {
                1e-5 * point.abs().min(1.0)
            };
            let value = definition(point);
            let slope = (definition(point + step) - definition(point - step)) / (2.0 * step);
            let near =
                |a: f64, b: f64, tolerance: f64| (a - b).abs() <= tolerance * b.abs().max(1.0);
            assert!(
                near(y[i], value, 1e-12),
                "{name}({point}) is {}, not {value}",
                y[i]
            );
            assert!(
                near(slopes[i], slope, 1e-7),
                "the slope of {name} at {point} is {}, not {slope}",
                slopes[i]
            );
        }
    }
}

#[test]
fn steps_of_all_sizes_and_their_flat_slopes() {
    let points = [
        -2.5,
        -1.5,
        -0.5,
        -0.2,
        0.0,
        0.2,
        0.5,
        1.5,
        2.5,
        8388607.5,
        2147483648.0,
        -3e9,
        1e30,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    type Step = (&'static str, Function, fn(f64) -> f64);
    let steps: [Step; 5] = [
        ("trunc", |x| x.trunc(), f64::trunc),
        ("floor", |x| x.floor(), f64::floor),
        ("ceil", |x| x.ceil(), f64::ceil),
        ("round", |x| x.round(), f64::round_ties_even),
        (
            "sign",
            |x| x.sign(),
            |x| if x == 0.0 { 0.0 } else { x.signum() },
        ),
    ];
    for dtype in [
        DType::Float16,
        DType::BFloat16,
        DType::Float32,
        DType::Float64,
    ] {
        for (name, step, definition) in steps {
            let x = Tensor::from_slice(&points, [points.len()])
                .cast(dtype)
                .detach()
                .requires_grad(true);
            let y = step(&x);
            y.sum(()).backward();
            for (x, y) in x.to_vec::<f64>().into_iter().zip(y.to_vec::<f64>()) {
                let expected = definition(x);
                assert!(
                    y == expected || (y.is_nan() && expected.is_nan()),
                    "{name}({x}) of {dtype} is {y}, not {expected}"
                );
            }
            assert!(
                x.grad()
                    .unwrap()
                    .to_vec::<f64>()
                    .iter()
                    .all(|&slope| slope == 0.0),
                "{name} is flat"
            );
        }
    }
    assert_eq!(Tensor::from([i64::MAX]).floor().to_vec::<i64>(), [i64::MAX]);
}

#[test]
fn integers_stay_integers_where_nothing_is_lost() {
    let x = Tensor::from([-3, 0, 4]);
    assert_eq!(x.pow(2).to_vec::<i32>(), [9, 0, 16]);
    assert_eq!(x.pow(5).dtype(), DType::Int32);
    assert_eq!(x.pow(0).to_vec::<i32>(), [1, 1, 1]);
    assert_eq!(x.pow(-1).dtype(), DType::Float32);
    assert_eq!(x.pow(0.5).dtype(), DType::Float32);
    assert_eq!(x.pow(Tensor::from([2, 0, 1])).to_vec::<i32>(), [9, 1, 4]);
    assert_eq!(x.abs().to_vec::<i32>(), [3, 0, 4]);
    assert_eq!(x.sign().to_vec::<i32>(), [-1, 0, 1]);
    assert_eq!(x.minimum(1).to_vec::<i32>(), [-3, 0, 1]);
    assert_eq!(x.clip(-1.0, f64::INFINITY).to_vec::<i32>(), [-1, 0, 4]);
    assert_eq!(x.clip(-0.5, 1.0).to_vec::<f32>(), [-0.5, 0.0, 1.0]);
    assert_eq!(x.exp().dtype(), DType::Float32);
    let bytes = Tensor::from([0u8, 5, 255]);
    assert_eq!(bytes.abs().to_vec::<u8>(), [0, 5, 255]);
    assert_eq!(bytes.sign().to_vec::<u8>(), [0, 1, 1]);
    assert_eq!(bytes.minimum(Tensor::from([9u8])).to_vec::<u8>(), [0, 5, 9]);
    assert_eq!(
        Tensor::from([true, false]).sign().to_vec::<bool>(),
        [true, false]
    );
}

#[test]
fn comparisons_with_numbers_that_the_dtype_does_not_hold() {
    let bytes = Tensor::from([0u8, 44, 255]);
    assert_eq!(bytes.eq(-1).to_vec::<bool>(), [false; 3]);
    assert_eq!(bytes.ne(300).to_vec::<bool>(), [true; 3]);
    assert_eq!(bytes.lt(300).to_vec::<bool>(), [true; 3]);
    assert_eq!(bytes.gt(-1).to_vec::<bool>(), [true; 3]);
    assert_eq!(bytes.ge(0.5).to_vec::<bool>(), [false, true, true]);
    let wide = Tensor::from([0u64, u64::MAX]);
    assert_eq!(wide.gt(-1).to_vec::<bool>(), [true; 2]);
    assert_eq!(wide.eq(u64::MAX).to_vec::<bool>(), [false, true]);
    assert_eq!(
        Tensor::from([i64::MIN]).lt(u64::MAX).to_vec::<bool>(),
        [true]
    );
}

#[test]
fn nothing_compares_with_nan_but_unequal() {
    let x = Tensor::from([f32::NAN, 1.0]);
    assert_eq!(x.le(1).to_vec::<bool>(), [false, true]);
    assert_eq!(x.ge(1).to_vec::<bool>(), [false, true]);
    assert_eq!(x.lt(2).to_vec::<bool>(), [false, true]);
    assert_eq!(x.gt(0).to_vec::<bool>(), [false, true]);
    assert_eq!(x.eq(&x).to_vec::<bool>(), [false, true]);
    assert_eq!(x.ne(&x).to_vec::<bool>(), [true, false]);
    assert!(
        x.clip(0.0, 2.0).to_vec::<f32>()[0].is_nan() && x.minimum(0).to_vec::<f32>()[0].is_nan()
    );
}

#[test]
fn choosing_takes_numbers_and_tensors_of_any_dtype_and_shape() {
    let x = Tensor::from([[1], [0]]);
    assert_eq!(x.where_(1, 0.5).to_vec::<f32>(), [1.0, 0.5]);
    assert_eq!(x.where_(true, false).to_vec::<bool>(), [true, false]);
    assert_eq!(x.where_(7, 8).dtype(), DType::Int32);
    assert_eq!(
        x.where_(Tensor::from([1u8, 2]), -1i64).to_vec::<i32>(),
        [1, 2, 255, 255]
    );
    assert_eq!(
        x.where_(Tensor::from([1.5, 2.5]), Tensor::from([9, 9]))
            .to_vec::<f32>(),
        [1.5, 2.5, 9.0, 9.0]
    );
}

#[test]
fn powers_at_the_edges() {
    let x = Tensor::from([0.0, -2.0, 2.0]).requires_grad(true);
    let y = x.pow(0);
    assert_eq!(y.to_vec::<f32>(), [1.0; 3]);
    y.sum(()).backward();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0; 3]); // flat, but not cut off
    assert!(x.pow(1.5).to_vec::<f32>()[1].is_nan());
    assert_eq!(x.pow(5).to_vec::<f32>(), [0.0, -32.0, 32.0]);
    assert_eq!(Tensor::from([0.0, 2.0]).rpow(0).to_vec::<f32>(), [1.0, 0.0]); // 0⁰, 0²
}

#[test]
fn inverse_hyperbolic_functions_of_large_numbers_have_finite_slopes() {
    for (dtype, large) in [
        (DType::Float16, 6e4f64),
        (DType::Float32, 1e38),
        (DType::Float64, 1e300),
    ] {
        for function in [(|x| x.asinh()) as Function, |x| x.acosh()] {
            let x = Tensor::from_slice(&[large], [1])
                .cast(dtype)
                .detach()
                .requires_grad(true);
            let y = function(&x);
            y.sum(()).backward();
            let (value, expected) = (y.item::<f64>(), f64::asinh(large));
            assert!(
                (value - expected).abs() < 1e-3 * expected,
                "{value} instead of {expected} for {dtype}"
            );
            assert!(x.grad().unwrap().item::<f64>().abs() < 1e-3);
        }
    }
}

#[test]
#[should_panic(expected = "add: shapes [2, 3] and [2] do not broadcast: axis 1 has sizes 3 and 2")]
fn shapes_that_do_not_broadcast_are_named() {
    let _ = Tensor::zeros([2, 3]) + Tensor::zeros([2]);
}

#[test]
#[should_panic(expected = "neg: a truth value has no sign")]
fn truth_values_have_no_sign() {
    let _ = -Tensor::from([true]);
}
