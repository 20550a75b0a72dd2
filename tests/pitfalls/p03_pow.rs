//! Powers of negative numbers, of zero, to zero, and their slopes to base and exponent.

use super::*;

const BASES: [f64; 11] = [
    -3.0,
    -1.0,
    -0.5,
    -0.0,
    0.0,
    0.25,
    1.0,
    2.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];
const EXPONENTS: [f64; 15] = [
    -3.0,
    -2.5,
    -2.0,
    -1.0,
    -0.5,
    0.0,
    0.5,
    1.0,
    1.5,
    2.0,
    3.0,
    4.0,
    7.0,
    f64::INFINITY,
    f64::NAN,
];

/// ∂aᵇ/∂a = b·aᵇ⁻¹, and 0 for b = 0, where the power is flat.
fn slope_to_base(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { b * a.powf(b - 1.0) }
}

/// ∂aᵇ/∂b = aᵇ·ln a, and 0 for a = 0 and b ≥ 0.
fn slope_to_exponent(a: f64, b: f64) -> f64 {
    if a == 0.0 && b >= 0.0 {
        0.0
    } else {
        a.powf(b) * a.ln()
    }
}

/// All that is wrong, not only the first.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn unless_equal(&mut self, what: String, got: f64, expected: f64) {
        let near = (got.is_nan() && expected.is_nan())
            || got == expected
            || (got - expected).abs() <= 1e-12 * expected.abs();
        if !near {
            self.0.push(format!("{what} is {got}, not {expected}"));
        }
    }
}

impl Drop for Wrong {
    fn drop(&mut self) {
        assert!(
            self.0.is_empty() || std::thread::panicking(),
            "{}",
            self.0.join("\n")
        );
    }
}

#[test]
fn values_and_both_gradients_for_tensors() {
    let mut wrong = Wrong::default();
    for device in [Device::CPU, Device::REFERENCE] {
        let a = Tensor::from_slice(&BASES, [BASES.len(), 1])
            .to(device)
            .detach()
            .requires_grad(true);
        let b = Tensor::from_slice(&EXPONENTS, [EXPONENTS.len()])
            .to(device)
            .detach()
            .requires_grad(true);
        let (wide_a, wide_b) = (a.add(b.zeros_like()), b.add(a.zeros_like()));
        let wide = [BASES.len(), EXPONENTS.len()];
        assert_eq!(wide_a.shape(), wide);
        let (wide_a, wide_b) = (
            wide_a.detach().requires_grad(true),
            wide_b.detach().requires_grad(true),
        );
        let y = wide_a.pow(&wide_b);
        let values = y.to_vec::<f64>();
        y.sum(()).backward();
        let (to_base, to_exponent) = (
            wide_a.grad().unwrap().to_vec::<f64>(),
            wide_b.grad().unwrap().to_vec::<f64>(),
        );
        for (i, &a) in BASES.iter().enumerate() {
            for (j, &b) in EXPONENTS.iter().enumerate() {
                let at = i * EXPONENTS.len() + j;
                wrong.unless_equal(format!("{a} ^ {b} on {device}"), values[at], a.powf(b));
                // What is infinite or NaN itself has no slope to speak of.
                if a.is_finite() && b.is_finite() {
                    wrong.unless_equal(
                        format!("the slope of {a} ^ {b} to the base on {device}"),
                        to_base[at],
                        slope_to_base(a, b),
                    );
                    wrong.unless_equal(
                        format!("the slope of {a} ^ {b} to the exponent on {device}"),
                        to_exponent[at],
                        slope_to_exponent(a, b),
                    );
                }
            }
        }
    }
}

/// Constant exponents take short cuts, which must lead to the same place.
#[test]
fn values_and_gradients_for_constant_exponents() {
    let mut wrong = Wrong::default();
    for exponent in EXPONENTS {
        let x = Tensor::from_slice(&BASES, [BASES.len()]).requires_grad(true);
        let y = x.pow(exponent);
        y.sum(()).backward();
        for ((&a, y), slope) in BASES
            .iter()
            .zip(y.to_vec::<f64>())
            .zip(x.grad().unwrap().to_vec::<f64>())
        {
            // A half is the root, and that of −∞ is NaN (as in PyTorch), while the power of −∞ is ∞.
            let root = exponent.abs() == 0.5 && a == f64::NEG_INFINITY;
            let power = if root { f64::NAN } else { a.powf(exponent) };
            wrong.unless_equal(format!("{a} ^ constant {exponent}"), y, power);
            if a.is_finite() && exponent.is_finite() {
                wrong.unless_equal(
                    format!("the slope of {a} ^ constant {exponent}"),
                    slope,
                    slope_to_base(a, exponent),
                );
            }
        }
    }
    for base in BASES {
        let x = Tensor::from_slice(&EXPONENTS, [EXPONENTS.len()]).requires_grad(true);
        let y = x.rpow(base);
        y.sum(()).backward();
        for ((&b, y), slope) in EXPONENTS
            .iter()
            .zip(y.to_vec::<f64>())
            .zip(x.grad().unwrap().to_vec::<f64>())
        {
            wrong.unless_equal(format!("constant {base} ^ {b}"), y, base.powf(b));
            if base.is_finite() && b.is_finite() {
                wrong.unless_equal(
                    format!("the slope of constant {base} ^ {b}"),
                    slope,
                    slope_to_exponent(base, b),
                );
            }
        }
    }
}

#[test]
fn integers() {
    assert_eq!(Tensor::from([-2, 0, 3]).pow(3).to_vec::<i32>(), [-8, 0, 27]);
    assert_eq!(Tensor::from([-2, 0, 3]).pow(0).to_vec::<i32>(), [1, 1, 1]);
    assert_eq!(
        Tensor::from([-2, 0, 3, 1, -1])
            .pow(Tensor::from([5, 0, 4, -3, -3]))
            .to_vec::<i32>(),
        [-32, 1, 81, 1, -1]
    );
    assert_eq!(Tensor::from([4, 16]).pow(0.5).to_vec::<f32>(), [2.0, 4.0]);
    assert_eq!(
        Tensor::from([4, 16]).pow(-1).to_vec::<f32>(),
        [0.25, 0.0625]
    );
    assert_eq!(
        (
            Tensor::from([4, 16]).pow(-1).dtype(),
            Tensor::from([4]).pow(3).dtype()
        ),
        (DType::Float32, DType::Int32)
    );
    assert_eq!(Tensor::from([3i64]).pow(39).item::<i64>(), 3i64.pow(39)); // exact, beyond 2⁵³
    assert_eq!(Tensor::from([7u8]).pow(3).item::<u8>(), 7u8.wrapping_pow(3));
}
