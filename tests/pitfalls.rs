//! What breaks in libraries like this one: a module for each known trap, in the order of a list that was gathered from the issue trackers
//! of other libraries. Each says what the trap is.
//!
//! | trap | covered here | covered elsewhere |
//! |---|---|---|
//! | 1 a severed gradient | optimizers name it | every gradient: `gradients.rs` |
//! | 13 broken files | | tests of `nn::state`, `nn::files`, `nn::datasets` |
//! | 14 error messages | | `errors.rs` |
//! | all others | here | values also: `goldens.rs`, `random_graphs.rs` |
//!
//! Tests that measure a whole process (memory, stacks, deadlocks) run in a process of their own: see [`alone`].

// Empty ranges are among what is tested, and a table of cases is a list of tuples.
#![allow(clippy::reversed_empty_ranges, clippy::type_complexity)]

use half::{bf16, f16};
use std::time::{Duration, Instant};
use teenygrad::nn::optim::{Adam, AdamW, LAMB, Optimizer, SGD};
use teenygrad::tensor::conv::{Conv, Pool};
use teenygrad::tensor::index::{Ellipsis, NewAxis, step};
use teenygrad::{DType, Device, Scalar, Tensor};

// ---- Helpers ---------------------------------------------------------

const INF: f32 = f32::INFINITY;
const NAN: f32 = f32::NAN;

/// Runs a test again in a process of its own, where `body` runs and nothing else does, for at most two minutes.
fn alone(test: &str, body: impl FnOnce()) {
    const MARK: &str = "TEENYGRAD_TEST_ALONE";
    if std::env::var(MARK).is_ok_and(|name| name == test) {
        return body();
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MARK, test)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("a test can start itself");
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
            panic!("{test} hangs");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{test}: {}\n{text}", output.status);
    assert!(
        text.contains("1 passed"),
        "{test} is not the name of one test:\n{text}"
    );
}

/// What a panic says.
fn panic_of(run: impl FnOnce()) -> String {
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
        .expect_err("a panic was expected");
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()))
        .expect("a text")
}

/// The gradient of Σ f(x).
fn grad_of(x: &Tensor, f: impl Fn(&Tensor) -> Tensor) -> Vec<f32> {
    let x = x.detach().requires_grad(true);
    f(&x).sum(()).backward();
    x.grad().expect("a gradient").to_vec::<f32>()
}

/// Equal numbers, NaN being equal to NaN.
fn same(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
}

fn near(a: &[f32], b: &[f32], tolerance: f32) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * b.abs().max(1.0)
        })
}

/// Small whole numbers without a pattern, as float64: sums and products of them are exact in any order.
fn whole(shape: &[usize], seed: usize) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (0..count)
        .map(|i| ((((i * 7919 + seed * 104_729 + 13) * 2_654_435_761) >> 9) % 9) as f64 - 4.0)
        .collect();
    Tensor::from_slice(&values, shape)
}

// ---- 1 ---------------------------------------------------------------

mod p01_a_severed_gradient {
    use super::*;

    /// A function without a backward freezes everything above it in silence, unless the optimizer says so.
    #[test]
    fn every_optimizer_names_the_parameter_without_a_gradient() {
        type Make = fn(&[Tensor]) -> Box<dyn Optimizer>;
        let all: [Make; 5] = [
            |params| Box::new(SGD::new(params, 0.1)),
            |params| Box::new(SGD::new(params, 0.1).momentum(0.9).nesterov(true)),
            |params| Box::new(Adam::new(params, 0.1)),
            |params| Box::new(AdamW::new(params, 0.1)),
            |params| Box::new(LAMB::new(params, 0.1)),
        ];
        for make in all {
            let params = [
                Tensor::from([1.0, 2.0]),
                Tensor::from([3.0]).requires_grad(false),
                Tensor::ones([2, 3]),
            ];
            let mut optimizer = make(&params);
            params[0].sum(()).backward();
            let text = panic_of(|| optimizer.step());
            assert!(
                text.starts_with("step: parameter 2 of shape [2, 3] has no gradient\n  hint: "),
                "{text}"
            );
            // Nothing has moved: not a parameter that comes before it either.
            assert_eq!(params[0].to_vec::<f32>(), [1.0, 2.0]);
            // And with the gradient it goes on, as if nothing had happened.
            params[2].sum(()).backward();
            optimizer.step();
            assert!(params[0].to_vec::<f32>()[0] < 1.0 && params[2].to_vec::<f32>()[5] < 1.0);
        }
    }

    #[test]
    fn a_failed_step_does_not_count() {
        let (a, b) = (Tensor::from([1.0]), Tensor::from([1.0]));
        let mut adam = Adam::new([&a, &b], 0.1);
        a.sum(()).backward();
        panic_of(|| adam.step());
        assert_eq!(adam.steps(), 0);
    }

    /// The ways on which a gradient could be lost without a sign: casts, devices, no_grad, detach.
    #[test]
    fn gradients_survive_casts_and_devices_and_end_where_they_should() {
        let w = Tensor::from([2.0, 3.0]).requires_grad(true);
        w.cast(DType::Float16)
            .mul(2)
            .to(Device::REFERENCE)
            .mul(3)
            .cast(DType::BFloat16)
            .to(Device::CPU)
            .float()
            .sum(())
            .backward();
        assert_eq!(w.grad().unwrap().to_vec::<f32>(), [6.0, 6.0]);
        assert_eq!(w.mul(2).detach().needs_grad(), Some(false));
        assert_ne!(w.cast(DType::Int32).needs_grad(), Some(true));
        assert_eq!(Tensor::no_grad(|| w.mul(2)).needs_grad(), Some(false));
        assert!(
            panic_of(|| w.detach().sum(()).backward())
                .starts_with("backward: nothing that this tensor came from requires a gradient")
        );
    }
}

// ---- 2 ---------------------------------------------------------------

mod p02_ties_in_max {
    use super::*;

    #[test]
    fn ties_share_equally() {
        for device in [Device::CPU, Device::REFERENCE] {
            let x = Tensor::from([1.0, 3.0, 3.0]).to(device);
            assert_eq!(grad_of(&x, |x| x.max(())), [0.0, 0.5, 0.5]);
            assert_eq!(grad_of(&x.neg(), |x| x.min(())), [0.0, 0.5, 0.5]);
            let rows = Tensor::from([[2.0, 2.0, 2.0, 2.0], [5.0, 1.0, 5.0, 0.0]]).to(device);
            assert_eq!(
                grad_of(&rows, |x| x.max(1)),
                [0.25, 0.25, 0.25, 0.25, 0.5, 0.0, 0.5, 0.0]
            );
            assert_eq!(
                grad_of(&rows, |x| x.max(())),
                [0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.5, 0.0]
            );
            assert_eq!(
                grad_of(&rows, |x| x.max(0)),
                [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]
            );
            let equal = Tensor::from([[1.0, 1.0], [1.0, 0.0]]).to(device);
            assert_eq!(
                grad_of(&equal, |x| x.reshape([1, 1, 2, 2]).max_pool2d(2)),
                [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]
            );
        }
        let (a, b) = (Tensor::from([1.0, 2.0, 3.0]), Tensor::from([1.0, 3.0, 2.0]));
        for (f, shares) in [
            (
                (|a, b| a.maximum(b)) as fn(&Tensor, &Tensor) -> Tensor,
                [[0.5, 0.0, 1.0], [0.5, 1.0, 0.0]],
            ),
            (|a, b| a.minimum(b), [[0.5, 1.0, 0.0], [0.5, 0.0, 1.0]]),
        ] {
            assert_eq!(grad_of(&a, |a| f(a, &b)), shares[0]);
            assert_eq!(grad_of(&b, |b| f(&a, b)), shares[1]);
        }
        // All −∞ is a tie too.
        assert_eq!(
            grad_of(&Tensor::from([-INF, -INF]), |x| x.max(())),
            [0.5, 0.5]
        );
    }

    /// A count of 70,000 is infinite in float16, and in bfloat16 it would stop at 256.
    #[test]
    fn seventy_thousand_equal_halves_keep_their_count() {
        for (dtype, shape, axis) in [
            (DType::Float16, [1, 70_000], 1),
            (DType::Float16, [70_000, 1], 0),
            (DType::Float16, [2, 70_000], 1),
            (DType::Float16, [70_000, 3], 0),
            (DType::BFloat16, [2, 70_000], 1),
        ] {
            let x = Tensor::from_vec(vec![f16::from_f32(2.5); shape[0] * shape[1]], shape)
                .cast(dtype)
                .contiguous()
                .realize()
                .detach()
                .requires_grad(true);
            // A loss scale, as everyone has who trains in halves: 1/70,000 itself has few digits there.
            x.max(axis).mul(8192.0).sum(()).backward();
            let expected = if dtype == DType::Float16 {
                f16::from_f32(8192.0 / 70_000.0).to_f32()
            } else {
                bf16::from_f32(8192.0 / 70_000.0).to_f32()
            };
            let grad = x.grad().unwrap();
            assert_eq!(grad.dtype(), dtype);
            assert!(
                grad.to_vec::<f32>().iter().all(|&g| g == expected),
                "{dtype} {shape:?}: {:?}",
                &grad.to_vec::<f32>()[..4]
            );
        }
    }

    #[test]
    fn nan_is_the_largest_and_the_smallest() {
        for device in [Device::CPU, Device::REFERENCE] {
            for dtype in [
                DType::Float16,
                DType::BFloat16,
                DType::Float32,
                DType::Float64,
            ] {
                for at in [0, 1, 37, 99] {
                    let mut values = vec![1.0f32; 100];
                    (values[at], values[50]) = (NAN, INF);
                    let x = Tensor::from(values).to(device).cast(dtype);
                    for (name, y) in [
                        ("max", x.max(())),
                        ("min", x.min(())),
                        ("max 2", x.reshape([10, 10]).max(0).max(0)),
                        ("sum", x.sum(())),
                        ("mean", x.mean(())),
                    ] {
                        assert!(
                            y.item::<f32>().is_nan(),
                            "{name} of {dtype} on {device} with NaN at {at}"
                        );
                    }
                    assert_eq!(
                        (x.argmax(()).item::<i64>(), x.argmin(()).item::<i64>()),
                        (at as i64, at as i64)
                    );
                    assert!(
                        x.reshape([1, 1, 10, 10])
                            .max_pool2d(10)
                            .item::<f32>()
                            .is_nan()
                    );
                }
                let (a, b) = (
                    Tensor::from([NAN, 1.0, NAN]).to(device).cast(dtype),
                    Tensor::from([1.0, NAN, NAN]).to(device).cast(dtype),
                );
                for y in [a.maximum(&b), a.minimum(&b), b.maximum(&a), b.minimum(&a)] {
                    assert!(y.to_vec::<f32>().iter().all(|y| y.is_nan()));
                }
            }
        }
    }
}

// ---- 3 ---------------------------------------------------------------

mod p03_pow {
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
}

// ---- 4 ---------------------------------------------------------------

mod p04_inf_and_nan {
    use super::*;

    #[test]
    fn where_lets_nothing_through_from_the_other_branch() {
        for device in [Device::CPU, Device::REFERENCE] {
            let condition = Tensor::from([true, false, true]).to(device);
            let (a, b) = (
                Tensor::from([1.0, NAN, 2.0]).to(device),
                Tensor::from([INF, 3.0, NAN]).to(device),
            );
            let (a, b) = (
                a.detach().requires_grad(true),
                b.detach().requires_grad(true),
            );
            let y = condition.where_(&a, &b);
            assert_eq!(y.to_vec::<f32>(), [1.0, 3.0, 2.0]);
            y.square().sum(()).backward();
            assert_eq!(a.grad().unwrap().to_vec::<f32>(), [2.0, 0.0, 4.0]);
            assert_eq!(b.grad().unwrap().to_vec::<f32>(), [0.0, 6.0, 0.0]);
        }
        // A gradient that is NaN stays on its own side.
        let (a, b) = (
            Tensor::from([0.0, 4.0]).requires_grad(true),
            Tensor::from([4.0, 0.0]).requires_grad(true),
        );
        let nan = Tensor::from([NAN, 1.0]);
        Tensor::from([true, false])
            .where_(&a, &b)
            .mul(&nan)
            .sum(())
            .backward();
        assert!(same(&a.grad().unwrap().to_vec::<f32>(), &[NAN, 0.0]));
        assert_eq!(b.grad().unwrap().to_vec::<f32>(), [0.0, 1.0]);
    }

    /// The pattern by which users keep a function inside its domain, with the input of the branch kept there too.
    #[test]
    fn guarded_functions_have_finite_gradients() {
        let x = Tensor::from([-1.0, 0.0, 4.0]);
        let guarded = |f: fn(&Tensor) -> Tensor| {
            grad_of(&x, |x| {
                let good = x.gt(0);
                good.where_(f(&good.where_(x, 1.0)), 0.0)
            })
        };
        assert_eq!(guarded(|x| x.sqrt()), [0.0, 0.0, 0.25]);
        assert_eq!(guarded(|x| x.log()), [0.0, 0.0, 0.25]);
        assert_eq!(guarded(|x| x.reciprocal()), [0.0, 0.0, -0.0625]);
        assert_eq!(guarded(|x| x.pow(-1.5)), [0.0, 0.0, -1.5 * 4f32.powf(-2.5)]);
        // Outside of the domain, without a singularity at the point itself, no second guard is needed.
        assert_eq!(
            grad_of(&Tensor::from([-1.0, 4.0]), |x| x.gt(0).where_(x.log(), 0.0)),
            [0.0, 0.25]
        );
    }

    #[test]
    fn far_out_there_are_limits_and_no_nan() {
        let x = Tensor::from([-1e30, -1e4, -100.0, 100.0, 1e4, 1e30]);
        type F = fn(&Tensor) -> Tensor;
        // name, function, values, slopes
        let table: [(&str, F, [f32; 6], [f32; 6]); 9] = [
            (
                "softplus",
                |x| x.softplus(1.0),
                [0.0, 0.0, 0.0, 100.0, 1e4, 1e30],
                [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
            ),
            (
                "sigmoid",
                |x| x.sigmoid(),
                [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
                [0.0; 6],
            ),
            (
                "tanh",
                |x| x.tanh(),
                [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0],
                [0.0; 6],
            ),
            (
                "swish",
                |x| x.swish(),
                [0.0, 0.0, 0.0, 100.0, 1e4, 1e30],
                [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
            ),
            (
                "gelu",
                |x| x.gelu(),
                [0.0, 0.0, 0.0, 100.0, 1e4, 1e30],
                [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
            ),
            (
                "mish",
                |x| x.mish(),
                [0.0, 0.0, 0.0, 100.0, 1e4, 1e30],
                [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
            ),
            (
                "elu",
                |x| x.elu(1.0),
                [-1.0, -1.0, -1.0, 100.0, 1e4, 1e30],
                [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
            ),
            (
                "logsumexp",
                |x| x.reshape([6, 1]).logsumexp(1),
                [-1e30, -1e4, -100.0, 100.0, 1e4, 1e30],
                [1.0; 6],
            ),
            (
                "bce",
                |x| x.maximum(0).sub(x.softplus(1.0)),
                [0.0; 6],
                [0.0; 6],
            ),
        ];
        for device in [Device::CPU, Device::REFERENCE] {
            for (name, f, values, slopes) in &table {
                let x = x.to(device);
                assert!(
                    near(&f(&x).to_vec::<f32>(), values, 1e-5),
                    "{name} on {device}: {:?}",
                    f(&x).to_vec::<f32>()
                );
                assert!(
                    near(&grad_of(&x, f), slopes, 1e-5),
                    "the slope of {name} on {device}: {:?}",
                    grad_of(&x, f)
                );
            }
        }
    }

    #[test]
    fn softmax_logsumexp_and_losses_of_large_numbers() {
        for dtype in [
            DType::Float16,
            DType::BFloat16,
            DType::Float32,
            DType::Float64,
        ] {
            let large = if dtype == DType::Float16 { 6e4 } else { 1e30 };
            let x = Tensor::from([
                [large, -large, 0.0],
                [-large, -large, -large],
                [large, large, large],
            ])
            .cast(dtype);
            let third = 1.0 / 3.0;
            let softmax = [1.0, 0.0, 0.0, third, third, third, third, third, third];
            assert!(
                near(&x.softmax(1).to_vec::<f32>(), &softmax, 2e-3),
                "{dtype}: {:?}",
                x.softmax(1).to_vec::<f32>()
            );
            assert!(
                near(
                    &x.logsumexp(1).to_vec::<f32>(),
                    &x.max(1).to_vec::<f32>(),
                    1e-2
                ),
                "{dtype}"
            );
            assert!(
                x.log_softmax(1)
                    .to_vec::<f32>()
                    .iter()
                    .all(|y| !y.is_nan() && *y <= 0.0),
                "{dtype}"
            );
            for f in [
                (|x| x.softmax(1).square()) as fn(&Tensor) -> Tensor,
                |x| x.logsumexp(1),
                |x| x.log_softmax(1).get((.., 0)),
                |x| x.sparse_categorical_crossentropy(&Tensor::from([0, 1, 2]), -1),
            ] {
                assert!(grad_of(&x, f).iter().all(|g| g.is_finite()), "{dtype}");
            }
        }
        assert_eq!(
            Tensor::from([-INF, 0.0]).softmax(0).to_vec::<f32>(),
            [0.0, 1.0]
        );
        assert_eq!(Tensor::from([-INF, 0.0]).logsumexp(0).item::<f32>(), 0.0);
        assert_eq!(Tensor::from([-INF, -INF]).logsumexp(0).item::<f32>(), -INF);
        assert_eq!(
            grad_of(&Tensor::from([-INF, 0.0, 0.0]), |x| x.logsumexp(0)),
            [0.0, 0.5, 0.5]
        );
        let logits = Tensor::from([1e4, -1e4, 1e4, -1e4, 0.0]);
        let targets = Tensor::from([1.0, 0.0, 0.0, 1.0, 1.0]);
        assert!(
            (logits.binary_crossentropy_logits(&targets).item::<f32>() - (2e4 + 2f32.ln()) / 5.0)
                .abs()
                < 1e-2
        );
        assert!(near(
            &grad_of(&logits, |x| x.binary_crossentropy_logits(&targets)),
            &[0.0, 0.0, 0.2, -0.2, -0.1],
            1e-6
        ));
        let sure = Tensor::from([0.0, 1.0, 1.0, 0.0]);
        assert!(
            sure.binary_crossentropy(&Tensor::from([0.0, 1.0, 0.0, 1.0]))
                .item::<f32>()
                .is_finite()
        );
        assert!(
            grad_of(&sure, |x| x
                .binary_crossentropy(&Tensor::from([0.0, 1.0, 0.0, 1.0])))
            .iter()
            .all(|g| g.is_finite())
        );
    }

    #[test]
    fn a_row_of_attention_that_is_masked_as_a_whole() {
        for dtype in [DType::Float32, DType::Float16] {
            let [q, k, v] = [1, 2, 3].map(|seed| {
                whole(&[2, 3, 4], seed)
                    .cast(dtype)
                    .contiguous()
                    .realize()
                    .detach()
                    .requires_grad(true)
            });
            let mask = Tensor::from([
                [true, false, true],
                [false, false, false],
                [true, true, true],
            ]);
            let scores = mask.where_(0.0, -INF).cast(dtype);
            for mask in [&mask, &scores] {
                for tensor in [&q, &k, &v] {
                    tensor.zero_grad();
                }
                let y = q.scaled_dot_product_attention(&k, &v, Some(mask), 0.0, false);
                assert!(y.get((.., 1)).to_vec::<f32>().iter().all(|&y| y == 0.0));
                assert!(y.get((.., 0)).to_vec::<f32>().iter().any(|&y| y != 0.0));
                y.float().square().sum(()).backward();
                for (name, tensor) in [("q", &q), ("k", &k), ("v", &v)] {
                    let grad = tensor.grad().unwrap().to_vec::<f32>();
                    assert!(
                        grad.iter().all(|g| g.is_finite()) && grad.iter().any(|&g| g != 0.0),
                        "{name} {dtype}: {grad:?}"
                    );
                }
                assert!(
                    q.grad()
                        .unwrap()
                        .get((.., 1))
                        .to_vec::<f32>()
                        .iter()
                        .all(|&g| g == 0.0)
                );
            }
        }
    }

    #[test]
    fn norms_of_constant_rows() {
        let x = Tensor::full([2, 4], 3.0);
        assert_eq!(x.layernorm(-1, 1e-5).to_vec::<f32>(), [0.0; 8]);
        for f in [
            (|x| x.layernorm(-1, 1e-5)) as fn(&Tensor) -> Tensor,
            |x| x.std(-1),
            |x| x.var(-1),
        ] {
            assert_eq!(grad_of(&x, f), [0.0; 8]);
        }
        assert_eq!(grad_of(&Tensor::zeros([3]), |x| x.abs()), [0.0; 3]);
    }
}

// ---- 5 ---------------------------------------------------------------

mod p05_overflowing_reductions {
    use super::*;

    /// Shapes that put 4096 (or 300) elements along one axis, and the axis.
    fn along(count: usize) -> [(Vec<usize>, isize); 6] {
        [
            (vec![count], 0),
            (vec![count, 3], 0),
            (vec![3, count], 1),
            (vec![2, count, 3], 1),
            (vec![count, 1, 2], 0),
            (vec![2, 2, count], -1),
        ]
    }

    #[test]
    fn small_integers() {
        for device in [Device::CPU, Device::REFERENCE] {
            for (dtype, value, expected) in [
                (DType::Uint8, 1, 300),
                (DType::Uint8, 255, 76_500),
                (DType::Int8, -128, -38_400),
                (DType::Bool, 1, 300),
                (DType::Int16, -32_768, -9_830_400),
                (DType::Uint16, 65_535, 19_660_500),
            ] {
                for (shape, axis) in along(300) {
                    let x = Tensor::full(shape.clone(), value)
                        .to(device)
                        .cast(dtype)
                        .contiguous()
                        .realize();
                    let sums = x.sum(axis).to_vec::<i64>();
                    assert!(
                        sums.iter().all(|&sum| sum == expected),
                        "{dtype} {shape:?} on {device}: {sums:?}"
                    );
                    let last = x.cumsum(axis).max(axis).to_vec::<i64>();
                    assert!(
                        last.iter().all(|&sum| sum == expected.max(value)),
                        "{dtype} {shape:?} on {device}: {last:?}"
                    );
                    let means = x.mean(axis).to_vec::<f32>();
                    assert!(
                        means.iter().all(|&mean| mean == value as f32),
                        "{dtype} {shape:?} on {device}: {means:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn halves() {
        for device in [Device::CPU, Device::REFERENCE] {
            for dtype in [DType::Float16, DType::BFloat16] {
                for (shape, axis) in along(4096) {
                    let x = Tensor::ones(shape.clone())
                        .to(device)
                        .cast(dtype)
                        .contiguous()
                        .realize();
                    let sums = x.sum(axis);
                    assert_eq!(sums.dtype(), dtype);
                    assert!(
                        sums.to_vec::<f32>().iter().all(|&sum| sum == 4096.0),
                        "{dtype} {shape:?} on {device}"
                    );
                    assert!(
                        x.cumsum(axis)
                            .max(axis)
                            .to_vec::<f32>()
                            .iter()
                            .all(|&sum| sum == 4096.0),
                        "{dtype} {shape:?} on {device}"
                    );
                    let large = x.mul(60_000.0).contiguous().realize();
                    let expected = large.get(0).max(()).item::<f32>();
                    for (name, y) in [
                        ("mean", large.mean(axis)),
                        ("mean_keepdim", large.mean_keepdim(axis)),
                    ] {
                        assert!(
                            y.to_vec::<f32>().iter().all(|&mean| mean == expected),
                            "{name} {dtype} {shape:?} on {device}"
                        );
                    }
                    assert!(
                        large
                            .std(axis)
                            .to_vec::<f32>()
                            .iter()
                            .all(|&std| std == 0.0),
                        "{dtype} {shape:?} on {device}"
                    );
                    // 4096 equal elements: 1/4096 each, of a sum of powers that float16 could just hold, and of 70,000 it couldn't.
                    let softmax = x.softmax(axis).to_vec::<f32>();
                    assert!(
                        softmax.iter().all(|&y| y == 1.0 / 4096.0),
                        "{dtype} {shape:?} on {device}"
                    );
                }
            }
        }
        let x = Tensor::full([1, 70_000], 1.0)
            .cast(DType::Float16)
            .contiguous()
            .realize();
        assert!(x.softmax(1).to_vec::<f32>().iter().all(|&y| y > 0.0));
        assert!(x.logsumexp(1).item::<f32>().is_finite());
    }

    #[test]
    fn products_and_pools_of_halves_and_small_integers() {
        let half = Tensor::ones([2, 4096])
            .cast(DType::Float16)
            .contiguous()
            .realize();
        let product = half.matmul(half.t());
        assert_eq!(
            (product.to_vec::<f32>(), product.dtype()),
            (vec![4096.0; 4], DType::Float16)
        );
        assert_eq!(half.matmul(half.get(0)).to_vec::<f32>(), [4096.0; 2]);
        let bytes = Tensor::full([2, 300], 200)
            .cast(DType::Uint8)
            .contiguous()
            .realize();
        assert_eq!(bytes.matmul(bytes.t()).to_vec::<i64>(), [12_000_000; 4]);
        assert_eq!(
            bytes
                .reshape([1, 2, 1, 300])
                .conv2d(&bytes.reshape([1, 2, 1, 300]), None)
                .item::<i64>(),
            24_000_000
        );
        let picture = Tensor::full([1, 1, 64, 64], 60_000.0)
            .cast(DType::Float16)
            .contiguous()
            .realize();
        assert_eq!(
            picture.avg_pool2d(64).item::<f32>(),
            f16::from_f32(60_000.0).to_f32()
        );
        assert_eq!(
            picture
                .mul(0)
                .add(1)
                .conv2d(&Tensor::ones([1, 1, 64, 64]).cast(DType::Float16), None)
                .item::<f32>(),
            4096.0
        );
    }

    /// 2²⁴ + 1 is 2²⁴ in float32: who adds ones one after the other never gets beyond.
    #[test]
    fn seventeen_million_ones() {
        let count = 17_000_000;
        let one = Tensor::ones([1, 1]).contiguous().realize();
        for (shape, axis) in [([1, count], 1), ([count, 1], 0)] {
            let sum = one.expand(shape).sum(axis).item::<f32>();
            assert!((sum / count as f32 - 1.0).abs() < 1e-6, "{shape:?}: {sum}");
        }
        let mean = one.expand([1, count]).mean(()).item::<f32>();
        assert!((mean - 1.0).abs() < 1e-6, "{mean}");
    }
}

// ---- 6 ---------------------------------------------------------------

mod p06_zero_size_and_zero_rank {
    use super::*;

    type Op = (&'static str, fn(&Tensor) -> Tensor);

    const ELEMENTWISE: [Op; 60] = [
        ("neg", |x| x.neg()),
        ("contiguous", |x| x.contiguous()),
        ("contiguous_backward", |x| x.contiguous_backward()),
        ("log", |x| x.log()),
        ("log2", |x| x.log2()),
        ("exp", |x| x.exp()),
        ("exp2", |x| x.exp2()),
        ("sigmoid", |x| x.sigmoid()),
        ("sqrt", |x| x.sqrt()),
        ("rsqrt", |x| x.rsqrt()),
        ("square", |x| x.square()),
        ("reciprocal", |x| x.reciprocal()),
        ("sin", |x| x.sin()),
        ("cos", |x| x.cos()),
        ("tan", |x| x.tan()),
        ("sinh", |x| x.sinh()),
        ("cosh", |x| x.cosh()),
        ("tanh", |x| x.tanh()),
        ("asinh", |x| x.asinh()),
        ("acosh", |x| x.add(1).acosh()),
        ("atanh", |x| x.mul(0.5).atanh()),
        ("trunc", |x| x.trunc()),
        ("floor", |x| x.floor()),
        ("ceil", |x| x.ceil()),
        ("round", |x| x.round()),
        ("abs", |x| x.abs()),
        ("sign", |x| x.sign()),
        ("clip", |x| x.clip(-1.0, 1.0)),
        ("relu", |x| x.relu()),
        ("relu6", |x| x.relu6()),
        ("hardtanh", |x| x.hardtanh(-1.0, 1.0)),
        ("hardswish", |x| x.hardswish()),
        ("leakyrelu", |x| x.leakyrelu(0.1)),
        ("elu", |x| x.elu(1.0)),
        ("celu", |x| x.celu(1.0)),
        ("swish", |x| x.swish()),
        ("silu", |x| x.silu()),
        ("gelu", |x| x.gelu()),
        ("quick_gelu", |x| x.quick_gelu()),
        ("softplus", |x| x.softplus(1.0)),
        ("mish", |x| x.mish()),
        ("softsign", |x| x.softsign()),
        ("cast", |x| x.cast(DType::Float64).cast(DType::Float32)),
        ("half", |x| x.half().float()),
        ("to", |x| x.to(Device::REFERENCE).to(Device::CPU)),
        ("add", |x| x.add(x)),
        ("sub", |x| x.sub(1)),
        ("mul", |x| x.mul(x)),
        ("div", |x| x.div(2)),
        ("idiv", |x| x.idiv(2)),
        ("modulo", |x| x.modulo(2)),
        ("pow", |x| x.pow(x)),
        ("pow 2.5", |x| x.pow(2.5)),
        ("rpow", |x| x.rpow(2)),
        ("maximum", |x| x.maximum(0)),
        ("minimum", |x| x.minimum(x)),
        ("where_", |x| x.gt(0).where_(x, 0.0)),
        ("dropout", |x| {
            let _train = Tensor::train(true);
            x.dropout(0.0)
        }),
        ("flip", |x| x.flip(())),
        ("t t", |x| x.t().t()),
    ];

    /// Runs forward and backward, and looks at shapes.
    fn runs(
        name: &str,
        shape: &[usize],
        f: impl Fn(&Tensor) -> Tensor,
        expected: Option<&[usize]>,
    ) -> Vec<f32> {
        let mut values = Vec::new();
        for device in [Device::CPU, Device::REFERENCE] {
            let x = Tensor::full(shape, 0.75)
                .to(device)
                .contiguous()
                .realize()
                .detach()
                .requires_grad(true);
            let y = f(&x);
            if let Some(expected) = expected {
                assert_eq!(y.shape(), expected, "{name} of {shape:?}");
            }
            values = y.to_vec::<f32>();
            assert_eq!(values.len(), y.numel(), "{name} of {shape:?}");
            let _ = format!("{y} {y:?}");
            y.sum(()).backward();
            let grad = x
                .grad()
                .unwrap_or_else(|| panic!("{name} of {shape:?} has no gradient"));
            assert_eq!(
                (grad.shape(), grad.to_vec::<f32>().len()),
                (shape.to_vec(), x.numel()),
                "{name} of {shape:?}"
            );
        }
        values
    }

    #[test]
    fn elementwise_ops_keep_the_shape() {
        for (name, f) in ELEMENTWISE {
            for shape in [&[0][..], &[0, 3], &[2, 0], &[2, 0, 3], &[], &[1, 1]] {
                runs(name, shape, f, Some(shape));
            }
        }
    }

    #[test]
    fn comparisons_and_their_kin() {
        for shape in [&[0][..], &[2, 0], &[]] {
            let x = Tensor::full(shape, 0.75);
            for y in [
                x.lt(1),
                x.gt(1),
                x.le(&x),
                x.ge(&x),
                x.eq(&x),
                x.ne(1),
                !x.gt(0),
                x.gt(0) & x.lt(1),
                x.gt(0) | x.lt(0),
            ] {
                assert_eq!(
                    (y.shape(), y.to_vec::<bool>().len()),
                    (shape.to_vec(), x.numel())
                );
            }
            assert_eq!(x.bitcast(DType::Int32).to_vec::<i32>().len(), x.numel());
            for dtype in DType::ALL {
                assert_eq!(x.cast(dtype).to_vec::<f32>().len(), x.numel(), "{dtype}");
            }
        }
    }

    #[test]
    fn broadcasting_with_nothing() {
        let pairs: [([&[usize]; 2], &[usize]); 6] = [
            ([&[0], &[1]], &[0]),
            ([&[0, 1], &[3]], &[0, 3]),
            ([&[2, 0], &[]], &[2, 0]),
            ([&[2, 1], &[0]], &[2, 0]),
            ([&[0, 3], &[0, 3]], &[0, 3]),
            ([&[], &[0]], &[0]),
        ];
        for ([left, right], shape) in pairs {
            type Op = fn(&Tensor, &Tensor) -> Tensor;
            let all: [Op; 7] = [
                |a, b| a + b,
                |a, b| a - b,
                |a, b| a * b,
                |a, b| a / b,
                |a, b| a.maximum(b),
                |a, b| a.pow(b),
                |a, b| a.gt(b).where_(a, b),
            ];
            for f in all {
                let (a, b) = (
                    Tensor::ones(left).requires_grad(true),
                    Tensor::ones(right).requires_grad(true),
                );
                let y = f(&a, &b);
                assert_eq!(y.shape(), shape);
                y.sum(()).backward();
                for (x, own) in [(&a, left), (&b, right)] {
                    let grad = x.grad().unwrap();
                    assert_eq!(grad.shape(), own);
                    assert!(
                        grad.to_vec::<f32>().iter().all(|&g| g == 0.0),
                        "a sum over nothing"
                    );
                }
            }
        }
    }

    #[test]
    fn reductions() {
        let cases: [(&[usize], isize, &[usize]); 5] = [
            (&[0], 0, &[]),
            (&[2, 0], 1, &[2]),
            (&[2, 0], 0, &[0]),
            (&[0, 3], 0, &[3]),
            (&[2, 0, 3], 1, &[2, 3]),
        ];
        for (shape, axis, expected) in cases {
            assert!(
                runs("sum", shape, |x| x.sum(axis), Some(expected))
                    .iter()
                    .all(|&y| y == 0.0)
            );
            assert!(
                runs("mean", shape, |x| x.mean(axis), Some(expected))
                    .iter()
                    .all(|y| y.is_nan())
            );
            assert!(
                runs("std", shape, |x| x.std(axis), Some(expected))
                    .iter()
                    .all(|y| y.is_nan())
            );
            assert!(
                runs("var", shape, |x| x.var(axis), Some(expected))
                    .iter()
                    .all(|y| y.is_nan())
            );
            runs("cumsum", shape, |x| x.cumsum(axis), Some(shape));
            runs("softmax", shape, |x| x.softmax(axis), Some(shape));
            runs("log_softmax", shape, |x| x.log_softmax(axis), Some(shape));
            runs("layernorm", shape, |x| x.layernorm(axis, 1e-5), Some(shape));
            let x = Tensor::zeros(shape);
            let empty = shape[axis as usize] == 0;
            type Extreme = (&'static str, fn(&Tensor, isize) -> Tensor);
            let extremes: [Extreme; 5] = [
                ("max", |x, axis| x.max(axis)),
                ("min", |x, axis| x.min(axis)),
                ("argmax", |x, axis| x.argmax(axis)),
                ("argmin", |x, axis| x.argmin(axis)),
                ("logsumexp", |x, axis| x.logsumexp(axis)),
            ];
            for (name, extreme) in extremes {
                if empty {
                    let text = panic_of(|| drop(extreme(&x, axis)));
                    assert!(
                        text.starts_with(&format!(
                            "{name}: axis {axis} of shape {shape:?} is empty"
                        )),
                        "{text}"
                    );
                } else {
                    assert_eq!(
                        (
                            extreme(&x, axis).shape(),
                            extreme(&x, axis).to_vec::<f32>().len()
                        ),
                        (expected.to_vec(), 0)
                    );
                }
            }
        }
        assert_eq!(Tensor::zeros([2, 0]).sum(()).item::<f32>(), 0.0);
        assert!(
            panic_of(|| drop(Tensor::zeros([2, 0]).max(())))
                .starts_with("max: axis 1 of shape [2, 0] is empty")
        );
    }

    #[test]
    fn numbers_without_axes() {
        let all: [Op; 13] = [
            ("sum", |x| x.sum(())),
            ("max", |x| x.max(())),
            ("min", |x| x.min(())),
            ("mean", |x| x.mean(())),
            ("logsumexp", |x| x.logsumexp(())),
            ("reshape", |x| x.reshape(()).reshape([1, 1]).reshape(())),
            ("expand", |x| x.expand([2, 0, 3]).sum(())),
            ("unsqueeze", |x| x.unsqueeze(-1).squeeze(())),
            ("permute", |x| x.permute(Vec::<i32>::new())),
            ("get", |x| x.get(())),
            ("get ellipsis", |x| x.get(Ellipsis)),
            ("get new axis", |x| x.get(NewAxis).get(0)),
            ("stack", |x| Tensor::stack(&[x, x], 0).sum(())),
        ];
        for (name, f) in all {
            runs(name, &[], f, Some(&[]));
        }
        assert_eq!(runs("sum", &[], |x| x.sum(()), None), [0.75]);
        assert_eq!(runs("max", &[], |x| x.max(()), None), [0.75]);
        assert_eq!(Tensor::from(3.0).argmax(()).item::<i64>(), 0);
        assert!(Tensor::from(3.0).std(()).item::<f32>().is_nan());
        assert_eq!(Tensor::from(3.0).flatten(0).shape(), [1]);
        assert_eq!(Tensor::from(3.0).repeat([2, 2]).to_vec::<f32>(), [3.0; 4]);
        let x = Tensor::from(1.0);
        x.assign(&Tensor::from(5.0));
        x.set((), 7);
        assert_eq!(x.item::<f32>(), 7.0);
    }

    #[test]
    fn movements() {
        runs("reshape", &[2, 0], |x| x.reshape([0, 5]), Some(&[0, 5]));
        runs("reshape to −1", &[2, 0], |x| x.reshape([-1]), Some(&[0]));
        runs("expand", &[1, 0], |x| x.expand([3, 0]), Some(&[3, 0]));
        runs(
            "expand to nothing",
            &[2, 1],
            |x| x.expand([2, 0]),
            Some(&[2, 0]),
        );
        runs(
            "permute",
            &[2, 0, 3],
            |x| x.permute([2, 0, 1]),
            Some(&[3, 2, 0]),
        );
        runs("transpose", &[2, 0], |x| x.transpose(0, 1), Some(&[0, 2]));
        runs("squeeze", &[1, 0], |x| x.squeeze(0), Some(&[0]));
        runs("flatten", &[2, 0, 3], |x| x.flatten(1), Some(&[2, 0]));
        runs(
            "pad",
            &[0, 2],
            |x| x.pad(&[(1, 2), (0, 0)], 5),
            Some(&[3, 2]),
        );
        runs(
            "shrink",
            &[3, 2],
            |x| x.shrink(&[(1, 1), (0, 2)]),
            Some(&[0, 2]),
        );
        runs("slice", &[0], |x| x.slice(&[(-1, 2)], 4), Some(&[3]));
        runs(
            "pad2d",
            &[0, 2],
            |x| x.pad2d([0, 0, 1, 1], 0.0),
            Some(&[2, 2]),
        );
        runs("repeat", &[2, 0], |x| x.repeat([2, 3]), Some(&[4, 0]));
        runs(
            "repeat no times",
            &[2, 2],
            |x| x.repeat([0, 1]),
            Some(&[0, 2]),
        );
        runs("triu", &[2, 0], |x| x.triu(0), Some(&[2, 0]));
        runs("tril", &[0, 0], |x| x.tril(0), Some(&[0, 0]));
        runs(
            "chunk",
            &[0, 2],
            |x| x.chunk(3, 0)[2].clone(),
            Some(&[0, 2]),
        );
        runs(
            "cat",
            &[0, 2],
            |x| Tensor::cat(&[x, &Tensor::ones([1, 2]).to(x.device()), x], 0),
            Some(&[1, 2]),
        );
        runs(
            "stack",
            &[0, 2],
            |x| Tensor::stack(&[x, x], 1),
            Some(&[0, 2, 2]),
        );
        runs(
            "gather nothing",
            &[3, 2],
            |x| x.gather(&Tensor::zeros([0, 2]).cast(DType::Int64).to(x.device()), 0),
            Some(&[0, 2]),
        );
        let missed = runs(
            "gather from nothing",
            &[0, 2],
            |x| x.gather(&Tensor::zeros([3, 2]).cast(DType::Int64).to(x.device()), 0),
            Some(&[3, 2]),
        );
        assert!(missed.iter().all(|&y| y == 0.0));
        runs("get a range", &[0, 2], |x| x.get((.., 1)), Some(&[0]));
        runs(
            "get an empty range",
            &[3, 2],
            |x| x.get(2..-2), // from the third on, up to the second
            Some(&[0, 2]),
        );
        runs("get steps", &[0, 2], |x| x.get(step(.., -2)), Some(&[0, 2]));
        runs(
            "get no places",
            &[3, 2],
            |x| x.get(Vec::<i64>::new()),
            Some(&[0, 2]),
        );
        assert!(
            panic_of(|| drop(Tensor::zeros([0, 2]).get(0)))
                .starts_with("get: index 0 of axis 0 of shape [0, 2], which is empty")
        );
        let x = Tensor::ones([2, 2]);
        x.set(1..1, 7);
        x.set(Vec::<i64>::new(), 7);
        assert_eq!(x.to_vec::<f32>(), [1.0; 4]);
        let none = Tensor::zeros([0, 2]);
        none.set((.., 0), 7);
        none.set(.., Tensor::zeros([0, 2]));
        assert_eq!(none.to_vec::<f32>().len(), 0);
    }

    #[test]
    fn products_convolutions_pools_and_layers() {
        let ones = |shape: &[usize], like: &Tensor| Tensor::ones(shape).to(like.device());
        let zeros = runs(
            "matmul, nothing to sum",
            &[2, 0],
            |x| x.matmul(ones(&[0, 3], x)),
            Some(&[2, 3]),
        );
        assert_eq!(zeros, [0.0; 6]);
        runs(
            "matmul, no rows",
            &[0, 3],
            |x| x.matmul(ones(&[3, 2], x)),
            Some(&[0, 2]),
        );
        runs(
            "matmul, no columns",
            &[2, 3],
            |x| x.matmul(ones(&[3, 0], x)),
            Some(&[2, 0]),
        );
        runs(
            "matmul, no matrices",
            &[0, 2, 3],
            |x| x.matmul(ones(&[3, 2], x)),
            Some(&[0, 2, 2]),
        );
        runs(
            "matmul, vectors",
            &[0],
            |x| x.matmul(ones(&[0], x)),
            Some(&[]),
        );
        runs(
            "matmul, on the right",
            &[0, 3],
            |x| ones(&[2, 0], x).matmul(x),
            Some(&[2, 3]),
        );
        runs(
            "linear",
            &[0, 3],
            |x| x.linear(&ones(&[3, 4], x), Some(&ones(&[4], x))),
            Some(&[0, 4]),
        );
        runs(
            "conv2d, no pictures",
            &[0, 2, 4, 4],
            |x| x.conv2d(&ones(&[3, 2, 2, 2], x), Some(&ones(&[3], x))),
            Some(&[0, 3, 3, 3]),
        );
        runs(
            "conv2d, no output channels",
            &[1, 2, 4, 4],
            |x| x.conv2d(&ones(&[0, 2, 2, 2], x), None),
            Some(&[1, 0, 3, 3]),
        );
        let none = runs(
            "conv2d, no input channels",
            &[1, 0, 4, 4],
            |x| x.conv2d(&ones(&[3, 0, 2, 2], x), None),
            Some(&[1, 3, 3, 3]),
        );
        assert!(none.iter().all(|&y| y == 0.0));
        runs(
            "conv2d, weight",
            &[0, 2, 2, 2],
            |w| ones(&[1, 2, 4, 4], w).conv2d(w, None),
            Some(&[1, 0, 3, 3]),
        );
        runs(
            "conv2d, options",
            &[0, 2, 5, 5],
            |x| {
                x.conv2d_with(
                    &ones(&[2, 1, 2, 2], x),
                    None,
                    Conv::default().stride(2).dilation(2).groups(2).padding(1),
                )
            },
            Some(&[0, 2, 3, 3]),
        );
        runs(
            "conv_transpose2d",
            &[0, 2, 3, 3],
            |x| x.conv_transpose2d_with(&ones(&[2, 1, 2, 2], x), None, Conv::default().stride(2)),
            Some(&[0, 1, 6, 6]),
        );
        runs(
            "max_pool2d",
            &[0, 2, 4, 4],
            |x| x.max_pool2d(2),
            Some(&[0, 2, 2, 2]),
        );
        runs(
            "avg_pool2d",
            &[2, 0, 4, 4],
            |x| x.avg_pool2d_with(2, Pool::default().stride(1)),
            Some(&[2, 0, 3, 3]),
        );
        runs(
            "batchnorm",
            &[0, 3, 2],
            |x| x.batchnorm(None, None, &ones(&[3], x), &ones(&[3], x)),
            Some(&[0, 3, 2]),
        );
        runs(
            "layernorm",
            &[0, 3],
            |x| x.layernorm(-1, 1e-5),
            Some(&[0, 3]),
        );
        runs(
            "attention, no queries",
            &[0, 4],
            |q| {
                q.scaled_dot_product_attention(
                    &ones(&[3, 4], q),
                    &ones(&[3, 2], q),
                    None,
                    0.0,
                    true,
                )
            },
            Some(&[0, 2]),
        );
        let blind = runs(
            "attention, no keys",
            &[2, 4],
            |q| {
                q.scaled_dot_product_attention(
                    &ones(&[0, 4], q),
                    &ones(&[0, 3], q),
                    None,
                    0.0,
                    false,
                )
            },
            Some(&[2, 3]),
        );
        assert_eq!(blind, [0.0; 6]);
        let labels = |like: &Tensor| Tensor::zeros([0]).cast(DType::Int64).to(like.device());
        let loss = runs(
            "sparse_categorical_crossentropy",
            &[0, 3],
            |x| x.sparse_categorical_crossentropy(&labels(x), -1),
            Some(&[]),
        );
        assert!(loss[0].is_nan());
        assert!(
            runs(
                "binary_crossentropy",
                &[0],
                |x| x.binary_crossentropy(&ones(&[0], x)),
                Some(&[])
            )[0]
            .is_nan()
        );
        assert!(
            runs(
                "binary_crossentropy_logits",
                &[0],
                |x| x.binary_crossentropy_logits(&ones(&[0], x)),
                Some(&[])
            )[0]
            .is_nan()
        );
    }

    #[test]
    fn creation_data_and_training() {
        for shape in [&[0][..], &[3, 0], &[]] {
            let count: usize = shape.iter().product();
            for x in [
                Tensor::zeros(shape),
                Tensor::rand(shape),
                Tensor::randn(shape),
                Tensor::randint(shape, 0, 9),
                Tensor::uniform(shape, 0.0, 1.0),
                Tensor::normal(shape, 0.0, 1.0),
                Tensor::empty(shape),
            ] {
                assert_eq!(
                    (x.shape(), x.to_vec::<f32>().len(), x.to_bytes().len()),
                    (shape.to_vec(), count, count * 4)
                );
            }
        }
        assert_eq!(Tensor::arange(0).to_vec::<i32>().len(), 0);
        assert_eq!(Tensor::eye(0).shape(), [0, 0]);
        assert_eq!(Tensor::from(Vec::<f32>::new()).shape(), [0]);
        assert!(
            panic_of(|| _ = Tensor::zeros([0]).item::<f32>())
                .starts_with("item: shape [0] has 0 elements, not one")
        );
        let x = Tensor::zeros([0, 2]);
        x.assign(&Tensor::ones([0, 2]));
        assert_eq!(x.realize().to_vec::<f32>().len(), 0);
        let (w, none) = (Tensor::from([1.0]), Tensor::zeros([0, 3]));
        let mut adam = Adam::new([&w, &none], 0.1);
        for _ in 0..2 {
            adam.zero_grad();
            (w.square().sum(()) + none.square().sum(())).backward();
            adam.step();
        }
        assert!(w.item::<f32>() < 1.0 && none.shape() == [0, 3]);
    }
}

// ---- 7 ---------------------------------------------------------------

mod p07_broadcasting_backward {
    use super::*;

    /// All shapes of ranks 0 to 4 that end like [2, 3, 2, 2], with size 1 at any of the axes.
    fn shapes() -> Vec<Vec<usize>> {
        let full = [2, 3, 2, 2];
        let of_rank = |rank: usize| {
            (0..1 << rank).map(move |ones: usize| {
                (0..rank)
                    .map(|i| {
                        if ones >> i & 1 == 1 {
                            1
                        } else {
                            full[4 - rank + i]
                        }
                    })
                    .collect()
            })
        };
        (0..=4).flat_map(of_rank).collect()
    }

    /// Σ over the axes along which a shape was repeated, one element at a time.
    fn shrunk(values: &[f64], wide: &[usize], own: &[usize]) -> Vec<f64> {
        let mut sums = vec![0.0; own.iter().product()];
        for (mut linear, value) in values.iter().enumerate() {
            let mut index = vec![0; wide.len()];
            for axis in (0..wide.len()).rev() {
                (index[axis], linear) = (linear % wide[axis], linear / wide[axis]);
            }
            let place = own
                .iter()
                .zip(&index[wide.len() - own.len()..])
                .fold(0, |place, (&size, &i)| {
                    place * size + if size == 1 { 0 } else { i }
                });
            sums[place] += value;
        }
        sums
    }

    /// A shape's elements repeated up to a wider one.
    fn widened(values: &[f64], own: &[usize], wide: &[usize]) -> Vec<f64> {
        let places: Vec<f64> = (0..wide.iter().product::<usize>())
            .map(|i| i as f64)
            .collect();
        let mut out = vec![0.0; places.len()];
        for (i, mut linear) in (0..places.len()).map(|i| (i, i)) {
            let mut index = vec![0; wide.len()];
            for axis in (0..wide.len()).rev() {
                (index[axis], linear) = (linear % wide[axis], linear / wide[axis]);
            }
            let place = own
                .iter()
                .zip(&index[wide.len() - own.len()..])
                .fold(0, |place, (&size, &i)| {
                    place * size + if size == 1 { 0 } else { i }
                });
            out[i] = values[place];
        }
        out
    }

    #[test]
    fn all_pairs_of_ranks_with_axes_of_size_one() {
        let shapes = shapes();
        assert_eq!(shapes.len(), 31);
        for left in &shapes {
            for right in &shapes {
                let rank = left.len().max(right.len());
                let at = |shape: &[usize], axis: usize| {
                    (axis + shape.len())
                        .checked_sub(rank)
                        .map_or(1, |i| shape[i])
                };
                let wide: Vec<usize> = (0..rank)
                    .map(|axis| at(left, axis).max(at(right, axis)))
                    .collect();
                let (a, b, w) = (whole(left, 1), whole(right, 2), whole(&wide, 3));
                let (a, b) = (a.requires_grad(true), b.requires_grad(true));
                // L = Σ w·(a·b − b), so that da = Σ w·b and db = Σ w·(a − 1)
                let y = &a * &b - &b;
                assert_eq!(y.shape(), wide);
                y.mul(&w).sum(()).backward();
                let (av, bv, wv) = (a.to_vec::<f64>(), b.to_vec::<f64>(), w.to_vec::<f64>());
                let da: Vec<f64> = wv
                    .iter()
                    .zip(widened(&bv, right, &wide))
                    .map(|(w, b)| w * b)
                    .collect();
                let db: Vec<f64> = wv
                    .iter()
                    .zip(widened(&av, left, &wide))
                    .map(|(w, a)| w * (a - 1.0))
                    .collect();
                let (ga, gb) = (a.grad().unwrap(), b.grad().unwrap());
                assert_eq!((ga.shape(), gb.shape()), (left.clone(), right.clone()));
                assert_eq!(
                    ga.to_vec::<f64>(),
                    shrunk(&da, &wide, left),
                    "left of {left:?} and {right:?}"
                );
                assert_eq!(
                    gb.to_vec::<f64>(),
                    shrunk(&db, &wide, right),
                    "right of {left:?} and {right:?}"
                );
            }
        }
    }
}

// ---- 8 ---------------------------------------------------------------

mod p08_graph_lifetime_and_depth {
    use super::*;
    use teenygrad::device::memory;

    const LINKS: usize = 100_000;

    /// Runs something on a stack of 2 MiB, the default of threads.
    fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
        std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(run)
            .unwrap()
            .join()
            .expect("the small stack was enough");
    }

    /// x, x + 1, x + 1 + 1, …: builds, runs, differentiates, drops.
    #[test]
    fn a_hundred_thousand_additions() {
        alone(
            "p08_graph_lifetime_and_depth::a_hundred_thousand_additions",
            || {
                on_a_small_stack(|| {
                    let x = Tensor::from([1.0, 2.0]).requires_grad(true);
                    let mut y = x.clone();
                    for _ in 0..LINKS {
                        y += 1.0;
                    }
                    assert_eq!(y.to_vec::<f32>(), [100_001.0, 100_002.0]);
                    y.sum(()).backward();
                    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [1.0, 1.0]);
                    drop(y);
                });
            },
        );
    }

    /// Different functions, each used twice: the graph is no chain but a ladder with 2^100,000 ways through it.
    #[test]
    fn a_ladder_of_a_hundred_thousand_functions() {
        alone(
            "p08_graph_lifetime_and_depth::a_ladder_of_a_hundred_thousand_functions",
            || {
                on_a_small_stack(|| {
                    let x = Tensor::from([0.5, -0.25]).requires_grad(true);
                    let mut y = x.clone();
                    for _ in 0..LINKS / 4 {
                        y = (&y + y.detach()) * 0.5; // y again: half of it has a slope
                        y = &y - &y * 0.5 + &y * 0.5;
                    }
                    let loss = y.sum(());
                    assert_eq!(loss.item::<f32>(), 0.25);
                    loss.backward();
                    // (½)^25,000 is 0; what counts is that it arrives.
                    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0, 0.0]);
                });
            },
        );
    }

    /// Never computed, only built and dropped, with the graph of the gradients on top.
    #[test]
    fn what_is_never_computed_is_dropped_without_recursion() {
        alone(
            "p08_graph_lifetime_and_depth::what_is_never_computed_is_dropped_without_recursion",
            || {
                on_a_small_stack(|| {
                    let x = Tensor::from([1.0, 2.0]).requires_grad(true);
                    let mut y = x.clone();
                    for _ in 0..LINKS {
                        y = y.sin();
                    }
                    drop(y); // with its notes
                    let mut y = x.clone();
                    for _ in 0..LINKS {
                        y = y.sin();
                    }
                    y.sum(()).backward(); // freed by the way
                    drop(y);
                    drop(x); // the gradient's graph
                });
            },
        );
    }

    #[test]
    fn views_of_views() {
        alone("p08_graph_lifetime_and_depth::views_of_views", || {
            on_a_small_stack(|| {
                let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).requires_grad(true);
                let mut y = x.clone();
                for i in 0..LINKS {
                    y = match i % 4 {
                        0 => y.t(),
                        1 => y.flip(0),
                        2 => y.t(),
                        _ => y.flip(1),
                    };
                }
                assert_eq!(y.to_vec::<f32>(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
                y.mul(x.detach()).sum(()).backward();
                assert_eq!(
                    x.grad().unwrap().to_vec::<f32>(),
                    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
                );
            });
        });
    }

    /// Assignments build on each other like any graph, until somebody looks.
    #[test]
    fn assignments_on_assignments() {
        alone(
            "p08_graph_lifetime_and_depth::assignments_on_assignments",
            || {
                on_a_small_stack(|| {
                    let x = Tensor::from([0.0, 1.0]);
                    for _ in 0..LINKS / 2 {
                        x.assign(&(&x.flip(0) + 1.0));
                    }
                    assert_eq!(x.to_vec::<f32>(), [50_000.0, 50_001.0]);
                });
            },
        );
    }

    #[test]
    fn a_sum_of_twenty_thousand_tensors() {
        alone(
            "p08_graph_lifetime_and_depth::a_sum_of_twenty_thousand_tensors",
            || {
                on_a_small_stack(|| {
                    let parts: Vec<Tensor> = (0..20_000)
                        .map(|i| Tensor::from([i as f32, 1.0]).requires_grad(true))
                        .collect();
                    let sum = parts
                        .iter()
                        .skip(1)
                        .fold(parts[0].clone(), |sum, part| sum + part);
                    let sums = sum.to_vec::<f32>();
                    assert!(
                        (sums[0] / 199_990_000.0 - 1.0).abs() < 1e-4 && sums[1] == 20_000.0,
                        "{sums:?}"
                    );
                    sum.sum(()).backward();
                    assert!(
                        parts
                            .iter()
                            .all(|part| part.grad().unwrap().to_vec::<f32>() == [1.0, 1.0])
                    );
                });
            },
        );
    }

    /// Memory of the process in bytes.
    fn resident() -> Option<usize> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? * 1024)
    }

    #[test]
    fn ten_thousand_training_steps_hold_memory_flat() {
        alone(
            "p08_graph_lifetime_and_depth::ten_thousand_training_steps_hold_memory_flat",
            || {
                Tensor::manual_seed(1);
                let params = [
                    Tensor::kaiming_uniform([16, 8]),
                    Tensor::zeros([16]),
                    Tensor::kaiming_uniform([4, 16]),
                    Tensor::zeros([4]),
                ];
                let mut optimizer = Adam::new(&params, 1e-3);
                let _train = Tensor::train(true);
                let mut losses = Vec::new();
                let mut step = |losses: &mut Vec<f32>| {
                    let x = Tensor::randn([8, 8]);
                    let labels = x.detach().get((.., ..4)).argmax(1);
                    optimizer.zero_grad();
                    let hidden = x
                        .linear(&params[0].t(), Some(&params[1]))
                        .relu()
                        .dropout(0.1);
                    let loss = hidden
                        .linear(&params[2].t(), Some(&params[3]))
                        .sparse_categorical_crossentropy(&labels, -1);
                    loss.backward();
                    optimizer.step();
                    losses.push(loss.item::<f32>());
                };
                losses.reserve(20_000);
                (0..1_000).for_each(|_| step(&mut losses));
                let before = (memory::statistics(), resident());
                (0..9_000).for_each(|_| step(&mut losses));
                let after = (memory::statistics(), resident());
                assert_eq!(before.0.0, after.0.0, "bytes in use by buffers");
                assert!(
                    after.0.1 <= before.0.1 + (64 << 10),
                    "bytes held by the pool: {} before, {} after",
                    before.0.1,
                    after.0.1
                );
                if let (Some(before), Some(after)) = (before.1, after.1) {
                    assert!(
                        after < before + (2 << 20),
                        "the process has grown by {} KiB",
                        (after - before) >> 10
                    );
                }
                let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
                assert!(
                    mean(&losses[9_000..]) < 0.7 * mean(&losses[..100]),
                    "and it has learned something: {} {}",
                    mean(&losses[..100]),
                    mean(&losses[9_000..])
                );
            },
        );
    }

    /// Shapes that change with each step (the last batch, sentences of all lengths) make a plan each. They must not pile up.
    #[test]
    fn ever_new_shapes_hold_memory_bounded() {
        alone(
            "p08_graph_lifetime_and_depth::ever_new_shapes_hold_memory_bounded",
            || {
                let w = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).requires_grad(true);
                // 3,007 different shapes, and none large: the tables in a plan grow with its shapes.
                let step = |n: usize| {
                    w.zero_grad();
                    Tensor::ones([1 + n % 97, 1 + n % 31, 2])
                        .mul(w.get(0))
                        .matmul(&w)
                        .softmax(-1)
                        .square()
                        .sum(())
                        .backward();
                    w.grad().unwrap().realize();
                };
                (1..1_000).for_each(step);
                let before = (memory::statistics(), resident());
                (1_000..3_000).for_each(step);
                let after = (memory::statistics(), resident());
                assert_eq!(before.0.0, after.0.0, "bytes in use by buffers");
                if let (Some(before), Some(after)) = (before.1, after.1) {
                    assert!(
                        after < before + (8 << 20),
                        "the process has grown by {} KiB",
                        (after - before) >> 10
                    );
                }
            },
        );
    }

    /// … and large ones do not either: neither their plans, nor blocks of ever new sizes that the allocator could not give back.
    #[test]
    fn plans_of_ever_new_large_shapes_hold_memory_bounded() {
        alone(
            "p08_graph_lifetime_and_depth::plans_of_ever_new_large_shapes_hold_memory_bounded",
            || {
                let w = Tensor::ones([32, 1, 3, 3]).requires_grad(true);
                let step = |batch: usize| {
                    w.zero_grad();
                    let hidden = Tensor::rand([batch, 1, 28, 28]).conv2d(&w, None).relu();
                    hidden.max_pool2d(2).square().sum(()).backward();
                    w.grad().unwrap().realize();
                };
                (140..142).for_each(step);
                memory::trim();
                let before = resident();
                (100..135).for_each(step);
                memory::trim();
                if let (Some(before), Some(after)) = (before, resident()) {
                    let grown = after.saturating_sub(before) >> 20;
                    assert!(grown < 96, "35 batch sizes have taken {grown} MiB");
                }
            },
        );
    }

    #[test]
    fn dropping_the_loss_and_detaching_free_the_graph() {
        alone(
            "p08_graph_lifetime_and_depth::dropping_the_loss_and_detaching_free_the_graph",
            || {
                const MIB: usize = 1 << 20;
                let in_use = || memory::statistics().0;
                let w = Tensor::ones([512, 512])
                    .contiguous()
                    .realize()
                    .detach()
                    .requires_grad(true); // 1 MiB
                let start = in_use();

                // A realized link of the graph is memory that the way back needs …
                let hidden = (&w * 2.0).realize();
                let loss = hidden.square().sum(());
                loss.realize();
                assert!(
                    in_use() >= start + MIB,
                    "the graph holds what backward needs"
                );
                // … and goes with the graph.
                drop(loss);
                drop(hidden);
                assert_eq!(in_use(), start, "after dropping the loss");

                // Backward frees what it has walked, even while the loss lives.
                let hidden = (&w * 2.0).realize();
                let loss = hidden.square().sum(());
                drop(hidden);
                loss.backward();
                w.grad().unwrap().realize();
                loss.realize();
                w.zero_grad();
                assert!(
                    in_use() <= start + 4096,
                    "after backward: {} bytes more",
                    in_use() - start
                );
                drop(loss);
                assert_eq!(in_use(), start);

                // A detached value holds itself and nothing that made it.
                let first = (&w * 2.0).realize();
                let second = (&first * 3.0).realize();
                let kept = second.sum(()).realize().detach();
                drop((first, second));
                assert!(
                    in_use() <= start + 4096,
                    "after detaching: {} bytes more",
                    in_use() - start
                );
                assert_eq!(kept.item::<f32>(), 6.0 * 512.0 * 512.0);
                drop(kept);
                assert_eq!(in_use(), start);

                // A list of losses, as users keep them for a plot: detached, they don't keep their graphs.
                let kept: Vec<Tensor> = (0..20)
                    .map(|i| (&w * i as f32).realize().sum(()).realize().detach())
                    .collect();
                assert!(
                    in_use() <= start + 20 * 4096,
                    "a list of losses: {} bytes more",
                    in_use() - start
                );
                drop(kept);
                memory::trim();
                assert_eq!(memory::statistics().1, 0);
            },
        );
    }

    /// Scopes end in whatever order things happen to be dropped in, panics included.
    #[test]
    fn modes_end_with_their_scopes() {
        panic_of(|| Tensor::no_grad(|| panic!("out")));
        assert_eq!(
            Tensor::from([1.0]).requires_grad(true).mul(2).needs_grad(),
            Some(true)
        );
        panic_of(|| {
            let _train = Tensor::train(true);
            panic!("out")
        });
        assert!(!Tensor::training());
    }
}

// ---- 9 ---------------------------------------------------------------

mod p09_a_second_backward {
    use super::*;

    const FREED: &str = "backward: a backward has already been through this graph and has freed it\n  hint: compute the loss anew, or add both losses and go back once";

    #[test]
    fn through_the_same_loss_panics() {
        let x = Tensor::from([1.0, 2.0]).requires_grad(true);
        let loss = x.square().sum(());
        loss.backward();
        assert_eq!(panic_of(|| loss.backward()), FREED);
        assert_eq!(
            x.grad().unwrap().to_vec::<f32>(),
            [2.0, 4.0],
            "and has changed nothing"
        );
    }

    #[test]
    fn through_a_shared_part_panics() {
        let x = Tensor::from([1.0, 2.0]).requires_grad(true);
        let shared = x.square();
        let (first, second) = (shared.sum(()), shared.mul(3).sum(()));
        first.backward();
        assert_eq!(panic_of(|| second.backward()), FREED);
        assert_eq!(panic_of(|| shared.sum(()).backward()), FREED);
        assert_eq!(x.grad().unwrap().to_vec::<f32>(), [2.0, 4.0]);
        // What the hint says works.
        let x = Tensor::from([1.0, 2.0]).requires_grad(true);
        let shared = x.square();
        (shared.sum(()) + shared.mul(3).sum(())).backward();
        assert_eq!(x.grad().unwrap().to_vec::<f32>(), [8.0, 16.0]);
    }

    #[test]
    fn of_another_loss_adds_up() {
        let x = Tensor::from([1.0, 2.0]).requires_grad(true);
        for round in 1..=3 {
            x.square().sum(()).backward();
            assert_eq!(
                x.grad().unwrap().to_vec::<f32>(),
                [2.0 * round as f32, 4.0 * round as f32]
            );
        }
        x.zero_grad();
        assert!(x.grad().is_none());
    }

    #[test]
    fn of_a_leaf_is_allowed_and_counts() {
        let x = Tensor::from(3.0).requires_grad(true);
        x.backward();
        x.backward();
        assert_eq!(x.grad().unwrap().item::<f32>(), 2.0);
    }
}

// ---- 10 --------------------------------------------------------------

mod p10_dtypes {
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
        assert!(
            (loss - ((1.0 + (-3f32).exp()).ln() + (1.0 + (-1f32).exp()).ln()) / 2.0).abs() < 1e-6
        );
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
}

// ---- 11 --------------------------------------------------------------

mod p11_views {
    use super::*;
    use teenygrad::mlops::movement::{Slide, Window};

    type View = (&'static str, fn(&Tensor) -> Tensor);

    /// Views of something of shape [4, 6], all of shape [3, 4].
    const VIEWS: [View; 14] = [
        ("cut out", |x| x.shrink(&[(1, 4), (2, 6)])),
        ("rows backwards", |x| x.shrink(&[(0, 3), (1, 5)]).flip(0)),
        ("columns backwards", |x| x.shrink(&[(0, 3), (1, 5)]).flip(1)),
        ("all backwards", |x| x.shrink(&[(1, 4), (0, 4)]).flip(())),
        ("turned", |x| x.shrink(&[(0, 4), (3, 6)]).t()),
        ("turned and backwards", |x| {
            x.shrink(&[(0, 4), (0, 3)]).t().flip(1)
        }),
        ("every second column backwards", |x| {
            x.get((1.., step(.., -2))).pad(&[(0, 0), (1, 0)], 0)
        }),
        ("one row for all", |x| x.get((2, ..4)).expand([3, 4])),
        ("one column for all", |x| x.get((1.., 5..6)).expand([3, 4])),
        ("one element for all", |x| x.get((3, 3)).expand([3, 4])),
        ("overlapping windows", |x| {
            Tensor::apply(
                Window::new(vec![Slide {
                    kernel: 4,
                    stride: 1,
                    dilation: 1,
                }]),
                &[&x.get(2)],
            )
        }),
        ("overlapping windows, backwards and apart", |x| {
            let windows = Tensor::apply(
                Window::new(vec![Slide {
                    kernel: 4,
                    stride: 5,
                    dilation: 2,
                }]),
                &[&x.reshape(24).flip(0)],
            );
            windows.shrink(&[(0, 3), (0, 4)])
        }),
        ("padded", |x| {
            x.shrink(&[(1, 3), (1, 4)]).pad(&[(1, 0), (0, 1)], 0)
        }),
        ("padded, turned, backwards, reshaped", |x| {
            x.shrink(&[(0, 2), (0, 5)])
                .pad(&[(1, 1), (1, 0)], 0)
                .t()
                .flip(0)
                .reshape([4, 6])
                .shrink(&[(1, 4), (1, 5)])
        }),
    ];

    type Op = (&'static str, fn(&Tensor) -> Tensor);

    /// What takes a [3, 4]. Whole numbers in, so that no order of a sum makes a difference.
    const OPS: [Op; 48] = [
        ("itself", |x| x.clone()),
        ("contiguous", |x| x.contiguous()),
        ("add", |x| x + 1.0),
        ("add to a row", |x| x + whole(&[4], 5).to(x.device())),
        ("mul by itself, turned back", |x| x * x.flip(()).flip(())),
        ("mul by its turned self", |x| {
            x.unsqueeze(0) * x.reshape([1, 3, 4])
        }),
        ("exp", |x| x.exp()),
        ("sin", |x| x.sin()),
        ("sqrt", |x| x.abs().sqrt()),
        ("where", |x| x.gt(0).where_(x, x.neg())),
        ("cast", |x| x.cast(DType::Int8).cast(DType::Float64)),
        ("sum", |x| x.sum(())),
        ("sum 0", |x| x.sum(0)),
        ("sum 1", |x| x.sum(1)),
        ("max 0", |x| x.max(0)),
        ("min 1", |x| x.min(1)),
        ("mean", |x| x.mul(12).mean(())),
        ("argmax 0", |x| x.argmax(0).cast(DType::Float64)),
        ("argmin 1", |x| x.argmin(1).cast(DType::Float64)),
        ("cumsum 0", |x| x.cumsum(0)),
        ("cumsum 1", |x| x.cumsum(1)),
        ("reshape", |x| x.reshape([2, 6])),
        ("reshape and sum", |x| x.reshape([6, 2]).sum(0)),
        ("flatten", |x| x.flatten(0)),
        ("permute", |x| x.permute([1, 0])),
        ("flip", |x| x.flip(1)),
        ("expand", |x| x.unsqueeze(1).expand([3, 2, 4])),
        ("pad", |x| x.pad(&[(1, 1), (0, 2)], 7)),
        ("shrink", |x| x.shrink(&[(1, 3), (1, 3)])),
        ("get", |x| x.get((step(.., -1), step(1.., 2)))),
        ("get a list", |x| x.get([2, 0, 2])),
        ("gather", |x| {
            x.gather(&Tensor::from([[0i64, 2, 1, 0]]).to(x.device()), 0)
        }),
        ("cat", |x| Tensor::cat(&[x, x], 1)),
        ("stack", |x| Tensor::stack(&[x, &x.neg()], 2)),
        ("repeat", |x| x.repeat([2, 1])),
        ("chunk", |x| x.chunk(2, 1)[1].clone()),
        ("triu", |x| x.triu(0)),
        ("matmul, left", |x| {
            x.matmul(whole(&[4, 5], 6).to(x.device()))
        }),
        ("matmul, right", |x| {
            whole(&[5, 3], 7).to(x.device()).matmul(x)
        }),
        ("matmul, both", |x| x.matmul(x.t())),
        ("matmul, both turned", |x| x.t().matmul(x)),
        ("matmul, a vector", |x| x.matmul(x.get(1))),
        ("matmul, batched", |x| {
            x.reshape([3, 1, 4])
                .matmul(whole(&[3, 4, 2], 8).to(x.device()))
        }),
        ("conv2d, input", |x| {
            x.reshape([1, 1, 3, 4]).conv2d_with(
                &whole(&[2, 1, 2, 2], 9).to(x.device()),
                None,
                Conv::default().padding(1).stride(2),
            )
        }),
        ("conv2d, weight", |x| {
            whole(&[2, 1, 5, 6], 10)
                .to(x.device())
                .conv2d(&x.reshape([1, 1, 3, 4]), None)
        }),
        ("conv2d, channels", |x| {
            whole(&[1, 3, 4, 5], 10).to(x.device()).conv2d_with(
                &x.reshape([3, 1, 2, 2]),
                None,
                Conv::default().groups(3),
            )
        }),
        ("max_pool2d", |x| {
            x.reshape([1, 1, 3, 4])
                .max_pool2d_with(2, Pool::default().stride(1))
        }),
        ("avg_pool2d", |x| {
            x.mul(4)
                .reshape([1, 1, 3, 4])
                .avg_pool2d_with(2, Pool::default().stride(1))
        }),
    ];

    /// The values in memory of their own.
    fn copied(x: &Tensor) -> Tensor {
        Tensor::from_slice(&x.to_vec::<f64>(), x.shape()).to(x.device())
    }

    #[test]
    fn every_op_sees_a_view_as_it_sees_a_copy() {
        for device in [Device::CPU, Device::REFERENCE] {
            let memory = whole(&[4, 6], 1).to(device).realize();
            // A view of memory, and a view of what is computed in the same kernel.
            let lazy = || memory.mul(2).add(1);
            for (view_name, view) in VIEWS {
                for (op_name, op) in OPS {
                    for x in [memory.clone(), lazy()] {
                        let viewed = view(&x);
                        assert_eq!(viewed.shape(), [3, 4], "{view_name}");
                        let (got, expected) = (op(&viewed), op(&copied(&viewed)));
                        assert_eq!(got.shape(), expected.shape(), "{op_name} of {view_name}");
                        assert_eq!(
                            got.to_vec::<f64>(),
                            expected.to_vec::<f64>(),
                            "{op_name} of {view_name} on {device}"
                        );
                    }
                }
            }
        }
    }

    /// … and two different views of the same memory in one op.
    #[test]
    fn two_views_of_one_memory() {
        let memory = whole(&[4, 6], 2);
        for (a_name, a) in VIEWS {
            for (b_name, b) in VIEWS {
                let (a, b) = (a(&memory), b(&memory));
                let (ca, cb) = (copied(&a), copied(&b));
                assert_eq!(
                    (&a * &b - &b).to_vec::<f64>(),
                    (&ca * &cb - &cb).to_vec::<f64>(),
                    "{a_name} and {b_name}"
                );
                assert_eq!(
                    a.matmul(b.t()).to_vec::<f64>(),
                    ca.matmul(cb.t()).to_vec::<f64>(),
                    "{a_name} @ {b_name}"
                );
                assert_eq!(
                    a.t().matmul(&b).to_vec::<f64>(),
                    ca.t().matmul(&cb).to_vec::<f64>(),
                    "{a_name} turned @ {b_name}"
                );
                assert_eq!(
                    Tensor::cat(&[&a, &b], 0).sum(1).to_vec::<f64>(),
                    Tensor::cat(&[&ca, &cb], 0).sum(1).to_vec::<f64>(),
                    "{a_name} with {b_name}"
                );
            }
        }
    }

    #[test]
    fn gradients_through_views_of_views() {
        // Each view's gradient of Σ w·view(x): the weights added up where the view took its elements from.
        for (name, view) in VIEWS {
            let places = view(&Tensor::arange_with(1.0, 25.0, 1).reshape([4, 6])).to_vec::<f64>(); // 0 where padded
            let weights = whole(&[3, 4], 3);
            let mut expected = vec![0.0; 24];
            for (place, w) in places.iter().zip(weights.to_vec::<f64>()) {
                if *place > 0.0 {
                    expected[*place as usize - 1] += w;
                }
            }
            let x = whole(&[4, 6], 4).requires_grad(true);
            view(&x).mul(&weights).sum(()).backward();
            assert_eq!(x.grad().unwrap().to_vec::<f64>(), expected, "{name}");
        }
    }

    /// Assigning to a view changes the view, and not what it is a view of (nor the other way round).
    #[test]
    fn assign_to_and_from_every_view() {
        for (name, view) in VIEWS {
            for realized in [false, true] {
                let x = if realized {
                    whole(&[4, 6], 1).realize()
                } else {
                    whole(&[4, 6], 1) + 0.0
                };
                let before = x.to_vec::<f64>();
                let v = view(&x);
                let old = v.to_vec::<f64>();
                // The view's values into memory of their own …
                let target = Tensor::zeros([3, 4])
                    .cast(DType::Float64)
                    .contiguous()
                    .realize();
                target.assign(&v);
                assert_eq!(target.to_vec::<f64>(), old, "from {name}");
                // … and something else into the view.
                let new = whole(&[3, 4], 9);
                v.assign(&(&new + 1.0));
                assert_eq!(v.to_vec::<f64>(), (&new + 1.0).to_vec::<f64>(), "to {name}");
                assert_eq!(
                    (x.to_vec::<f64>(), target.to_vec::<f64>()),
                    (before.clone(), old.clone()),
                    "behind {name}"
                );
                // A self-reference through the view.
                let v = view(&x);
                v.assign(&(v.flip(0) * 2.0 + &v));
                let expected: Vec<f64> = (0..12)
                    .map(|i| old[(2 - i / 4) * 4 + i % 4] * 2.0 + old[i])
                    .collect();
                assert_eq!(v.to_vec::<f64>(), expected, "{name} in itself");
                assert_eq!(x.to_vec::<f64>(), before, "behind {name}");
            }
        }
    }

    #[test]
    fn set_in_every_view() {
        type Set = (
            &'static str,
            fn(&Tensor, &Tensor),
            fn(usize, usize) -> Option<usize>,
        );
        // what is set, and which element of the value (by its position) lands at (row, column)
        let sets: [Set; 6] = [
            (
                "a row",
                |v, new| v.set(1, new.get(0)),
                |i, j| (i == 1).then_some(j),
            ),
            (
                "a column",
                |v, new| v.set((.., -1), new.get((.., 0))),
                |i, j| (j == 3).then_some(i * 4),
            ),
            (
                "steps",
                |v, new| v.set((step(.., 2), step(.., -2)), new.get((..2, ..2))),
                |i, j| (i % 2 == 0 && j % 2 == 1).then_some(i / 2 * 4 + (3 - j) / 2),
            ),
            ("all", |v, new| v.set(.., new), |i, j| Some(i * 4 + j)),
            (
                "a list",
                |v, new| v.set([2, 0], new.get(..2)),
                |i, j| match i {
                    2 => Some(j),
                    0 => Some(4 + j),
                    _ => None,
                },
            ),
            (
                "places",
                |v, new| {
                    v.set(
                        (&Tensor::from([0, 2]), &Tensor::from([3, 1])),
                        new.get((0, ..2)),
                    )
                },
                |i, j| match (i, j) {
                    (0, 3) => Some(0),
                    (2, 1) => Some(1),
                    _ => None,
                },
            ),
        ];
        let new = whole(&[3, 4], 9) + 100.0;
        let new_values = new.to_vec::<f64>();
        for (name, view) in VIEWS {
            for (what, set, source) in sets {
                let x = whole(&[4, 6], 1).realize();
                let v = view(&x);
                let old = v.to_vec::<f64>();
                set(&v, &new);
                let expected: Vec<f64> = (0..12)
                    .map(|at| source(at / 4, at % 4).map_or(old[at], |from| new_values[from]))
                    .collect();
                assert_eq!(v.to_vec::<f64>(), expected, "{what} of {name}");
                assert_eq!(
                    x.to_vec::<f64>(),
                    whole(&[4, 6], 1).to_vec::<f64>(),
                    "behind {name}"
                );
            }
        }
    }
}

// ---- 12 --------------------------------------------------------------

mod p12_assign_hazards {
    use super::*;

    /// Small and large: large ones are computed in parallel blocks, and a hazard there is a race.
    const SIZES: [usize; 3] = [4, 1000, 200_000];

    fn line(n: usize) -> Tensor {
        Tensor::arange(n)
            .cast(DType::Float64)
            .contiguous()
            .realize()
    }

    fn check(n: usize, got: &Tensor, expected: impl Fn(usize) -> f64, what: &str) {
        for (i, got) in got.to_vec::<f64>().into_iter().enumerate() {
            assert!(
                got == expected(i),
                "{what}, {n} elements: element {i} is {got}, not {}",
                expected(i)
            );
        }
    }

    #[test]
    fn a_pending_reader_sees_the_old_value() {
        for n in SIZES {
            let x = line(n);
            let reader = &x * 10.0;
            let reversed = x.flip(0);
            x.assign(&(&x + 1.0));
            x.realize();
            check(n, &x, |i| i as f64 + 1.0, "the new value");
            check(n, &reader, |i| i as f64 * 10.0, "the reader");
            check(n, &reversed, |i| (n - 1 - i) as f64, "the view");
            // The other order, and both together.
            let x = line(n);
            let reader = x.flip(0) - &x;
            x.assign(&(&x * 2.0));
            Tensor::corealize(&[&x, &reader]);
            check(
                n,
                &reader,
                |i| n as f64 - 1.0 - 2.0 * i as f64,
                "the reader together with it",
            );
            check(n, &x, |i| 2.0 * i as f64, "the new value together with it");
        }
    }

    #[test]
    fn values_that_are_updated_from_themselves_moved() {
        for n in SIZES {
            let last = n - 1;
            let x = line(n);
            x.assign(&(x.flip(0) + &x));
            check(n, &x.realize(), |_| last as f64, "x.flip + x");
            let x = line(n);
            x.assign(&x.flip(0));
            check(n, &x.realize(), |i| (last - i) as f64, "x.flip");
            let x = line(n);
            x.assign(&x.shrink(&[(1, n)]).pad(&[(0, 1)], 0));
            check(
                n,
                &x.realize(),
                |i| if i == last { 0.0 } else { i as f64 + 1.0 },
                "moved to the left",
            );
            let x = line(n);
            x.assign(&x.shrink(&[(0, last)]).pad(&[(1, 0)], 0));
            check(
                n,
                &x.realize(),
                |i| i.saturating_sub(1) as f64,
                "moved to the right",
            );
            let x = line(n);
            x.assign(&(&x - x.sum(())));
            check(
                n,
                &x.realize(),
                |i| i as f64 - (n * last / 2) as f64,
                "less its sum",
            );
            let x = line(n);
            x.assign(&x.get(0).expand([n]));
            check(n, &x.realize(), |_| 0.0, "its first element everywhere");
            let x = line(n);
            x.assign(&x.cumsum(0));
            check(
                n,
                &x.realize(),
                |i| (i * (i + 1) / 2) as f64,
                "its running sum",
            );
            let x = line(n);
            x.assign(&x.get(Tensor::arange(n).mul(-1).add(last)));
            check(
                n,
                &x.realize(),
                |i| (last - i) as f64,
                "gathered from itself",
            );
        }
        for n in [2, 33, 300] {
            let x = line(n * n).reshape([n, n]).contiguous().realize();
            x.assign(&x.t());
            check(n, &x.realize(), |at| (at % n * n + at / n) as f64, "turned");
            let x = (line(n * n).reshape([n, n]) % 7).contiguous().realize();
            let values = x.to_vec::<f64>();
            x.assign(&x.matmul(&x));
            let x = x.realize().to_vec::<f64>();
            for at in [0, n - 1, n * n / 2, n * n - 1] {
                let expected: f64 = (0..n)
                    .map(|k| values[at / n * n + k] * values[k * n + at % n])
                    .sum();
                assert_eq!(x[at], expected, "squared as a matrix of {n}");
            }
        }
    }

    #[test]
    fn two_that_exchange_their_values() {
        for n in SIZES {
            let (a, b) = (line(n), (line(n) * -1.0).contiguous().realize());
            let old = a.detach();
            a.assign(&b);
            b.assign(&old);
            Tensor::corealize(&[&a, &b]);
            check(n, &a, |i| -(i as f64), "a");
            check(n, &b, |i| i as f64, "b");
            // Fibonacci: both new values from both old ones.
            let (a, b) = (line(n), line(n));
            for _ in 0..5 {
                let sum = &a + &b;
                a.assign(&b.detach());
                b.assign(&sum);
            }
            Tensor::corealize(&[&a, &b]);
            check(n, &a, |i| 8.0 * i as f64, "the fifth");
            check(n, &b, |i| 13.0 * i as f64, "the sixth");
        }
    }

    #[test]
    fn readers_between_several_assignments() {
        for n in SIZES {
            let x = line(n);
            let mut readers = Vec::new();
            for round in 0..4 {
                readers.push(x.flip(0) + round as f64);
                x.assign(&(&x + 1.0));
                if round == 1 {
                    x.realize();
                }
            }
            for (round, reader) in readers.iter().enumerate().rev() {
                check(
                    n,
                    reader,
                    |i| (n - 1 - i + 2 * round) as f64,
                    "a reader of a round",
                );
            }
            check(n, &x, |i| i as f64 + 4.0, "after four rounds");
        }
    }

    #[test]
    fn what_shares_memory_keeps_its_own_values() {
        for n in SIZES {
            let x = line(n);
            let (same, detached, reshaped) = (x.clone(), x.detach(), x.reshape([n, 1]));
            let other = Tensor::zeros([n])
                .cast(DType::Float64)
                .contiguous()
                .realize();
            other.assign(&x); // shares, until one of them changes
            x.assign(&(&x * 3.0));
            x.realize();
            check(n, &same, |i| 3.0 * i as f64, "a clone is the same tensor");
            check(n, &detached, |i| i as f64, "detached");
            check(n, &reshaped, |i| i as f64, "reshaped");
            check(n, &other, |i| i as f64, "assigned");
            other.assign(&(&other + 1.0));
            other.realize();
            check(
                n,
                &x,
                |i| 3.0 * i as f64,
                "the first after the second has changed",
            );
            check(n, &other, |i| i as f64 + 1.0, "the second");
            check(n, &detached, |i| i as f64, "detached, still");
        }
    }

    #[test]
    fn set_from_itself() {
        for n in SIZES {
            let x = line(n);
            let reader = &x + 0.5;
            x.set(1.., x.get(..-1)); // as NumPy has it: the right side first
            check(n, &x, |i| i.saturating_sub(1) as f64, "moved by one");
            check(n, &reader, |i| i as f64 + 0.5, "the reader");
            let x = line(n);
            x.set(step(.., -1), &x);
            check(n, &x, |i| (n - 1 - i) as f64, "backwards");
            let x = line(n);
            x.set(..n / 2, x.get(n / 2..n / 2 * 2));
            check(
                n,
                &x,
                |i| {
                    if i < n / 2 {
                        (i + n / 2) as f64
                    } else {
                        i as f64
                    }
                },
                "the second half to the first",
            );
            x.set(0, x.get(-1));
            assert_eq!(x.get(0).item::<f64>(), (n - 1) as f64);
        }
    }

    /// A gradient that was asked for before a step belongs to the values before the step.
    #[test]
    fn a_graph_that_was_built_before_a_step_uses_the_values_before_it() {
        let w = Tensor::from([3.0]);
        let mut sgd = SGD::new([&w], 0.5);
        let early = w.square().sum(());
        w.square().sum(()).backward();
        sgd.step(); // 3 − ½·6
        assert_eq!(w.item::<f32>(), 0.0);
        assert_eq!(early.item::<f32>(), 9.0);
        sgd.zero_grad();
        early.backward();
        assert_eq!(w.grad().unwrap().item::<f32>(), 6.0);
    }
}

// ---- 15 --------------------------------------------------------------

mod p15_max_pool_and_convolution_backward {
    use super::*;

    /// A generator of small numbers, the same each time.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % sides
        }
        fn between(&mut self, low: usize, high: usize) -> usize {
            low + self.roll(high - low + 1)
        }
    }

    /// Sizes of one convolution over two axes.
    #[derive(Debug)]
    struct Sizes {
        batch: usize,
        groups: usize,
        channels: usize, // a group
        out: usize,      // a group
        input: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
        padding: [[usize; 2]; 2], // before and after, an axis
    }

    impl Sizes {
        fn roll(dice: &mut Dice) -> Sizes {
            loop {
                let mut two = |low, high| [dice.between(low, high), dice.between(low, high)];
                let (input, kernel, stride, dilation) =
                    (two(1, 8), two(1, 4), two(1, 4), two(1, 3));
                let padding = [two(0, 2), two(0, 2)];
                let fits = |i: usize| {
                    dilation[i] * (kernel[i] - 1) < input[i] + padding[i][0] + padding[i][1]
                };
                if fits(0) && fits(1) {
                    let [batch, groups] = two(1, 3);
                    let [channels, out] = two(1, 3);
                    return Sizes {
                        batch,
                        groups,
                        channels,
                        out,
                        input,
                        kernel,
                        stride,
                        dilation,
                        padding,
                    };
                }
            }
        }
        fn output(&self) -> [usize; 2] {
            [0, 1].map(|i| {
                (self.input[i] + self.padding[i][0] + self.padding[i][1]
                    - self.dilation[i] * (self.kernel[i] - 1)
                    - 1)
                    / self.stride[i]
                    + 1
            })
        }
        /// Where window `o` sees with its element `k`, or nothing if that is padding.
        fn place(&self, axis: usize, o: usize, k: usize) -> Option<usize> {
            (o * self.stride[axis] + k * self.dilation[axis])
                .checked_sub(self.padding[axis][0])
                .filter(|&at| at < self.input[axis])
        }
        /// All (output row, output column, kernel row, kernel column, input row, input column) that meet.
        fn meetings(&self) -> Vec<[usize; 6]> {
            let mut all = Vec::new();
            let out = self.output();
            for (p, q) in (0..out[0]).flat_map(|p| (0..out[1]).map(move |q| (p, q))) {
                for (a, b) in
                    (0..self.kernel[0]).flat_map(|a| (0..self.kernel[1]).map(move |b| (a, b)))
                {
                    if let (Some(i), Some(j)) = (self.place(0, p, a), self.place(1, q, b)) {
                        all.push([p, q, a, b, i, j]);
                    }
                }
            }
            all
        }
        fn options(&self) -> Conv {
            let [rows, columns] = self.padding;
            Conv::default()
                .groups(self.groups)
                .stride(self.stride)
                .dilation(self.dilation)
                .padding([columns[0], columns[1], rows[0], rows[1]])
        }
    }

    #[test]
    fn convolutions_against_six_loops() {
        let mut dice = Dice(15);
        for _ in 0..300 {
            let s = Sizes::roll(&mut dice);
            let out = s.output();
            let (all_in, all_out) = (s.groups * s.channels, s.groups * s.out);
            let x_shape = [s.batch, all_in, s.input[0], s.input[1]];
            let w_shape = [all_out, s.channels, s.kernel[0], s.kernel[1]];
            let y_shape = [s.batch, all_out, out[0], out[1]];
            let at = |shape: &[usize; 4], index: [usize; 4]| {
                index
                    .iter()
                    .zip(shape)
                    .fold(0, |place, (i, size)| place * size + i)
            };
            let (x, w, b, dy) = (
                whole(&x_shape, 1),
                whole(&w_shape, 2),
                whole(&[all_out], 3),
                whole(&y_shape, 4),
            );
            let (xv, wv, bv, dyv) = (
                x.to_vec::<f64>(),
                w.to_vec::<f64>(),
                b.to_vec::<f64>(),
                dy.to_vec::<f64>(),
            );
            let (mut y, mut dx, mut dw, mut db) = (
                vec![0.0; dyv.len()],
                vec![0.0; xv.len()],
                vec![0.0; wv.len()],
                vec![0.0; bv.len()],
            );
            let meetings = s.meetings();
            for (n, o) in (0..s.batch).flat_map(|n| (0..all_out).map(move |o| (n, o))) {
                for (p, q) in (0..out[0]).flat_map(|p| (0..out[1]).map(move |q| (p, q))) {
                    y[at(&y_shape, [n, o, p, q])] += bv[o];
                    db[o] += dyv[at(&y_shape, [n, o, p, q])];
                }
                for (c, &[p, q, a, b, i, j]) in
                    (0..s.channels).flat_map(|c| meetings.iter().map(move |m| (c, m)))
                {
                    let (xi, wi) = (
                        at(&x_shape, [n, o / s.out * s.channels + c, i, j]),
                        at(&w_shape, [o, c, a, b]),
                    );
                    let yi = at(&y_shape, [n, o, p, q]);
                    y[yi] += xv[xi] * wv[wi];
                    dx[xi] += dyv[yi] * wv[wi];
                    dw[wi] += dyv[yi] * xv[xi];
                }
            }
            // In float32 too: the numbers are small and whole, so that it is exact, and another micro-kernel.
            for dtype in [DType::Float64, DType::Float32] {
                let [x, w, b] = [&x, &w, &b].map(|t| {
                    t.cast(dtype)
                        .contiguous()
                        .realize()
                        .detach()
                        .requires_grad(true)
                });
                let result = x.conv2d_with(&w, Some(&b), s.options());
                assert_eq!(result.shape(), y_shape, "{s:?}");
                result.mul(dy.cast(dtype)).sum(()).backward();
                assert_eq!(result.to_vec::<f64>(), y, "{s:?}");
                for (name, tensor, expected) in
                    [("input", &x, &dx), ("weight", &w, &dw), ("bias", &b, &db)]
                {
                    assert_eq!(
                        &tensor.grad().unwrap().to_vec::<f64>(),
                        expected,
                        "gradient of the {name}: {s:?} {dtype}"
                    );
                }
            }
        }
    }

    #[test]
    fn transposed_convolutions_against_the_convolutions_own_gradient() {
        let mut dice = Dice(16);
        let mut checked = 0;
        while checked < 150 {
            let s = Sizes::roll(&mut dice);
            // A transposed convolution is what a convolution does on its way back: its input has the output's shape.
            let out = s.output();
            let rest = [0, 1].map(|i| {
                (s.input[i] + s.padding[i][0] + s.padding[i][1]
                    - s.dilation[i] * (s.kernel[i] - 1)
                    - 1)
                    % s.stride[i]
            });
            if (0..2).any(|i| rest[i] >= s.stride[i].max(s.dilation[i])) {
                continue;
            }
            checked += 1;
            let (all_in, all_out) = (s.groups * s.channels, s.groups * s.out);
            let x = whole(&[s.batch, all_in, s.input[0], s.input[1]], 1).requires_grad(true);
            let (w, dy) = (
                whole(&[all_out, s.channels, s.kernel[0], s.kernel[1]], 2),
                whole(&[s.batch, all_out, out[0], out[1]], 4),
            );
            x.conv2d_with(&w, None, s.options())
                .mul(&dy)
                .sum(())
                .backward();
            let back = dy.conv_transpose2d_with(&w, None, s.options().output_padding(rest));
            assert_eq!(
                (back.shape(), back.to_vec::<f64>()),
                (x.shape(), x.grad().unwrap().to_vec::<f64>()),
                "{s:?}"
            );
        }
    }

    #[test]
    fn max_pools_against_loops_with_ties() {
        let mut dice = Dice(17);
        for _ in 0..300 {
            let mut s = Sizes::roll(&mut dice);
            s.padding = [[0; 2]; 2];
            if (0..2).any(|i| s.dilation[i] * (s.kernel[i] - 1) >= s.input[i]) {
                continue;
            }
            let (out, planes) = (s.output(), s.batch * s.channels);
            let x = whole(&[s.batch, s.channels, s.input[0], s.input[1]], 5); // nine different values: ties everywhere
            let dy = whole(&[s.batch, s.channels, out[0], out[1]], 6) * 12.0; // shares of up to 4 are whole, all others near
            let (xv, dyv) = (x.to_vec::<f64>(), dy.to_vec::<f64>());
            let (mut y, mut mean, mut dx, mut dmean) = (
                vec![f64::NEG_INFINITY; dyv.len()],
                vec![0.0; dyv.len()],
                vec![0.0; xv.len()],
                vec![0.0; xv.len()],
            );
            let mut ties = vec![0.0; dyv.len()];
            let (area, meetings) = ((s.kernel[0] * s.kernel[1]) as f64, s.meetings());
            let pairs = |plane: usize, &[p, q, _, _, i, j]: &[usize; 6]| {
                (
                    (plane * out[0] + p) * out[1] + q,
                    (plane * s.input[0] + i) * s.input[1] + j,
                )
            };
            let all =
                || (0..planes).flat_map(|plane| meetings.iter().map(move |m| pairs(plane, m)));
            all().for_each(|(yi, xi)| y[yi] = y[yi].max(xv[xi]));
            all().for_each(|(yi, xi)| ties[yi] += (xv[xi] == y[yi]) as u8 as f64);
            all().for_each(|(yi, xi)| {
                dx[xi] += if xv[xi] == y[yi] {
                    dyv[yi] / ties[yi]
                } else {
                    0.0
                };
                mean[yi] += xv[xi] / area;
                dmean[xi] += dyv[yi] / area;
            });
            let close = |got: &Tensor, expected: &[f64]| {
                got.to_vec::<f64>()
                    .iter()
                    .zip(expected)
                    .all(|(a, b)| (a - b).abs() < 1e-9)
            };
            let options = || Pool::default().stride(s.stride).dilation(s.dilation);
            let x = x.requires_grad(true);
            let pooled = x.max_pool2d_with(s.kernel, options());
            assert_eq!(
                (pooled.shape(), pooled.to_vec::<f64>()),
                (dy.shape(), y),
                "{s:?}"
            );
            pooled.mul(&dy).sum(()).backward();
            assert!(close(&x.grad().unwrap(), &dx), "gradient of max: {s:?}");
            x.zero_grad();
            let pooled = x.avg_pool2d_with(s.kernel, options());
            assert!(close(&pooled, &mean), "{s:?}");
            pooled.mul(&dy).sum(()).backward();
            assert!(
                close(&x.grad().unwrap(), &dmean),
                "gradient of the average: {s:?}"
            );
        }
    }
}

// ---- 16 --------------------------------------------------------------

mod p16_non_terminal_output {
    use super::*;

    /// Progress bars belong to the examples, with their own tests; the library prints tensors and answers whether a service runs it.
    #[test]
    fn printed_tensors_have_no_control_characters() {
        for x in [
            Tensor::from([[1.0, NAN], [INF, -1e-9]]),
            Tensor::zeros([30, 50]),
            Tensor::from([true, false]),
            Tensor::zeros([0]),
            Tensor::from(1u8),
        ] {
            for text in [format!("{x}"), format!("{x:?}"), format!("{x:#?}")] {
                assert!(
                    text.chars().all(|c| c == '\n' || !c.is_control()),
                    "{text:?}"
                );
            }
        }
    }

    #[test]
    fn nothing_is_printed_unless_asked_for() {
        const NAME: &str = "p16_non_terminal_output::nothing_is_printed_unless_asked_for";
        if std::env::var("TEENYGRAD_PRINT").is_ok() {
            let x = whole(&[8, 8], 1).requires_grad(true);
            x.matmul(x.t()).sum(()).backward();
            x.grad().unwrap().realize();
            return;
        }
        let run = |variables: &[(&str, &str)]| {
            let mut command = std::process::Command::new(std::env::current_exe().unwrap());
            command
                .args(["--exact", NAME, "--nocapture", "--test-threads=1"])
                .env("TEENYGRAD_PRINT", "1")
                .env_remove("DEBUG");
            let output = command.envs(variables.iter().copied()).output().unwrap();
            assert!(output.status.success());
            String::from_utf8(output.stderr).unwrap()
        };
        assert_eq!(run(&[]), "");
        assert_eq!(run(&[("DEBUG", "0")]), "");
        for (level, text) in [
            ("1", "kernels"),
            ("2", "GFLOP/s"),
            ("3", ""),
            ("4", ""),
            ("5", ""),
        ] {
            let printed = run(&[("DEBUG", level), ("NO_COLOR", "1")]);
            assert!(
                printed.contains(text) && !printed.is_empty(),
                "DEBUG={level}: {printed}"
            );
            assert!(
                printed.chars().all(|c| c == '\n' || !c.is_control()),
                "DEBUG={level}: {printed:?}"
            );
        }
    }

    #[test]
    fn a_service_is_recognised() {
        const NAME: &str = "p16_non_terminal_output::a_service_is_recognised";
        if let Ok(expected) = std::env::var("TEENYGRAD_EXPECTED") {
            assert_eq!(teenygrad::helpers::ci().to_string(), expected);
            return;
        }
        for (value, expected) in [
            (Some("true"), "true"),
            (Some("1"), "true"),
            (Some(""), "false"),
            (Some("0"), "false"),
            (Some("false"), "false"),
            (None, "false"),
        ] {
            let mut command = std::process::Command::new(std::env::current_exe().unwrap());
            command
                .args(["--exact", NAME])
                .env("TEENYGRAD_EXPECTED", expected)
                .env_remove("CI");
            if let Some(value) = value {
                command.env("CI", value);
            }
            assert!(command.output().unwrap().status.success(), "CI={value:?}");
        }
    }
}

// ---- 17 --------------------------------------------------------------

mod p17_threads {
    use super::*;
    use std::sync::Barrier;

    /// Several steps of a small convolutional net: what the parameters are afterwards, byte for byte.
    #[cfg(feature = "threads")]
    fn trained() -> Vec<Vec<u8>> {
        Tensor::manual_seed(5);
        let _train = Tensor::train(true);
        let params = [
            Tensor::kaiming_uniform([8, 1, 5, 5]),
            Tensor::zeros([8]),
            Tensor::kaiming_uniform([16, 8, 3, 3]),
            Tensor::kaiming_uniform([16 * 25, 10]),
        ];
        let mut optimizer = AdamW::new(&params, 1e-3);
        let mut states = Vec::new();
        for _ in 0..3 {
            let x = Tensor::rand([32, 1, 28, 28]);
            let labels = Tensor::randint([32], 0, 10);
            optimizer.zero_grad();
            let hidden = x.conv2d(&params[0], Some(&params[1])).relu().max_pool2d(2);
            let hidden = hidden
                .conv2d(&params[2], None)
                .relu()
                .max_pool2d(2)
                .flatten(1)
                .dropout(0.2);
            let loss = hidden
                .linear(&params[3], None)
                .sparse_categorical_crossentropy(&labels, -1);
            loss.backward();
            optimizer.step();
            states.push(loss.to_bytes());
        }
        states.extend(params.iter().map(Tensor::to_bytes));
        states
    }

    /// Reductions and contractions of shapes that are split in different ways: long and thin, short and wide, all summed.
    #[cfg(feature = "threads")]
    fn reduced() -> Vec<Vec<u8>> {
        Tensor::manual_seed(6);
        let long = Tensor::rand([300_001]).sub(0.5).realize();
        let wide = Tensor::rand([3, 200_000]).sub(0.5).realize();
        let tall = Tensor::rand([200_000, 3]).sub(0.5).realize();
        let cube = Tensor::rand([37, 61, 83]).sub(0.5).realize();
        let (a, b) = (
            Tensor::rand([7, 50_000]).realize(),
            Tensor::rand([50_000, 5]).realize(),
        );
        let (c, d) = (
            Tensor::rand([301, 257]).realize(),
            Tensor::rand([257, 203]).realize(),
        );
        let pictures = Tensor::rand([16, 3, 30, 30])
            .realize()
            .detach()
            .requires_grad(true);
        let weight = Tensor::rand([4, 3, 3, 3])
            .realize()
            .detach()
            .requires_grad(true);
        pictures.conv2d(&weight, None).square().sum(()).backward();
        [
            long.sum(()),
            long.square().mean(()),
            long.exp().max(()),
            long.std(()),
            long.cumsum(0),
            long.softmax(0),
            long.logsumexp(0),
            wide.sum(1),
            wide.sum(0),
            tall.sum(0),
            tall.sum(1),
            tall.sum(()),
            tall.half().sum(0),
            cube.sum(1),
            cube.sum([0, 2]),
            cube.sum(()),
            cube.layernorm(-1, 1e-5),
            cube.argmax(()),
            a.matmul(&b), // few outputs, a long way to sum
            a.matmul(a.t()),
            long.dot(&long),
            c.matmul(&d),
            c.half().matmul(d.half()),
            c.matmul(&d).relu().sum(0),
            pictures.grad().unwrap(),
            weight.grad().unwrap(), // a contraction over pictures and places
            Tensor::rand([1000, 100]).mul(wide.get((0, 0))).sum(0),
        ]
        .iter()
        .map(Tensor::to_bytes)
        .collect()
    }

    #[cfg(feature = "threads")]
    #[test]
    fn one_two_and_seven_threads_give_the_same_bits() {
        let with = |threads: usize, run: fn() -> Vec<Vec<u8>>| {
            teenygrad::device::cpu::threads::with_threads(threads, run)
        };
        for (name, run) in [
            ("training", trained as fn() -> Vec<Vec<u8>>),
            ("reductions", reduced),
        ] {
            let one = with(1, run);
            assert!(one.iter().flatten().any(|&byte| byte != 0));
            for threads in [2, 7, 7, 1] {
                let more = with(threads, run);
                for (i, (a, b)) in one.iter().zip(&more).enumerate() {
                    assert!(
                        a == b,
                        "{name}: result {i} differs between 1 thread and {threads}"
                    );
                }
            }
        }
    }

    /// Eight threads at once: each its own graph over shared tensors, some of which nobody has computed yet.
    #[test]
    fn shared_tensors_are_read_from_several_threads_at_once() {
        alone(
            "p17_threads::shared_tensors_are_read_from_several_threads_at_once",
            || {
                for _ in 0..20 {
                    let base = whole(&[64, 64], 1);
                    let lazy = base.mul(2).add(1); // realized by whoever comes first
                    let expected = lazy.matmul(lazy.t()).to_vec::<f64>();
                    let lazy = base.mul(2).add(1);
                    let start = Barrier::new(8);
                    std::thread::scope(|scope| {
                        for thread in 0..8 {
                            let (lazy, start, expected) = (&lazy, &start, &expected);
                            scope.spawn(move || {
                                start.wait();
                                if thread % 2 == 0 {
                                    lazy.realize();
                                }
                                let own = lazy.matmul(lazy.t()).add(thread as f64);
                                let got = own.to_vec::<f64>();
                                assert!(
                                    got.iter()
                                        .zip(expected)
                                        .all(|(a, b)| *a == b + thread as f64),
                                    "thread {thread}"
                                );
                            });
                        }
                    });
                }
            },
        );
    }

    #[test]
    fn gradients_of_a_shared_parameter_add_up_from_several_threads() {
        alone(
            "p17_threads::gradients_of_a_shared_parameter_add_up_from_several_threads",
            || {
                for _ in 0..20 {
                    let w = whole(&[100], 1).requires_grad(true);
                    let start = Barrier::new(8);
                    std::thread::scope(|scope| {
                        for thread in 1..=8 {
                            let (w, start) = (&w, &start);
                            scope.spawn(move || {
                                start.wait();
                                w.mul(thread).sum(()).backward();
                            });
                        }
                    });
                    assert_eq!(w.grad().unwrap().to_vec::<f64>(), [36.0; 100]);
                }
            },
        );
    }

    /// A writer and readers: each reader sees one of the values that there were, never a mixture.
    #[test]
    fn readers_see_whole_values_while_another_thread_assigns() {
        alone(
            "p17_threads::readers_see_whole_values_while_another_thread_assigns",
            || {
                let x = Tensor::zeros([50_000]).contiguous().realize();
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        for _ in 0..300 {
                            x.assign(&(&x + 1.0));
                            x.realize();
                        }
                    });
                    for _ in 0..3 {
                        scope.spawn(|| {
                            let mut last = 0.0;
                            for _ in 0..100 {
                                let values = x.to_vec::<f32>();
                                assert!(
                                    values.iter().all(|&value| value == values[0]),
                                    "a mixture"
                                );
                                assert!(values[0] >= last, "back in time");
                                last = values[0];
                            }
                        });
                    }
                });
                assert_eq!(x.to_vec::<f32>(), vec![300.0; 50_000]);
            },
        );
    }

    /// Whoever uses the same thread pool as the engine computes tensors from within its tasks.
    #[cfg(feature = "threads")]
    #[test]
    fn tensors_are_computed_within_tasks_of_the_same_pool() {
        alone(
            "p17_threads::tensors_are_computed_within_tasks_of_the_same_pool",
            || {
                use rayon::prelude::*;
                for threads in [1, 2, 7] {
                    let pool = rayon::ThreadPoolBuilder::new()
                        .num_threads(threads)
                        .build()
                        .unwrap();
                    let sums: Vec<f64> = pool.install(|| {
                        (0..64usize)
                            .into_par_iter()
                            .map(|i| {
                                // Large enough that the engine itself asks the pool for help.
                                let x = Tensor::full([400, 1000], i as f64).contiguous().realize();
                                x.add(1.0).contiguous().sum(()).item::<f64>()
                            })
                            .collect()
                    });
                    for (i, sum) in sums.iter().enumerate() {
                        assert_eq!(*sum, (i + 1) as f64 * 400_000.0);
                    }
                }
            },
        );
    }

    #[test]
    fn modes_and_seeds_belong_to_a_thread() {
        let _train = Tensor::train(true);
        Tensor::manual_seed(9);
        let here = Tensor::rand([4]).to_vec::<f32>();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert!(!Tensor::training());
                Tensor::rand([100]);
                Tensor::manual_seed(9);
                assert_eq!(Tensor::rand([4]).to_vec::<f32>(), here);
            });
        });
        let next = Tensor::rand([4]).to_vec::<f32>();
        Tensor::manual_seed(9);
        Tensor::rand([4]);
        assert_eq!(
            Tensor::rand([4]).to_vec::<f32>(),
            next,
            "another thread's draws do not count"
        );
    }
}
