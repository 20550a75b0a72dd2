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
        .map(|i| (((i * 7919 + seed * 104_729 + 13) * 2_654_435_761 >> 9) % 9) as f64 - 4.0)
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
            let (wide_a, wide_b) = (a.add(&b.zeros_like()), b.add(&a.zeros_like()));
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
                wrong.unless_equal(format!("{a} ^ constant {exponent}"), y, a.powf(exponent));
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
                .pow(&Tensor::from([5, 0, 4, -3, -3]))
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
        assert_eq!(half.matmul(&half.get(0)).to_vec::<f32>(), [4096.0; 2]);
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
            let extremes: [(&str, fn(&Tensor, isize) -> Tensor); 5] = [
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
            |x| x.get(2..1),
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
        none.set(.., &Tensor::zeros([0, 2]));
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
            panic_of(|| drop(Tensor::zeros([0]).item::<f32>()))
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
        std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().expect("the small stack was enough");
    }

    /// x, x + 1, x + 1 + 1, …: builds, runs, differentiates, drops.
    #[test]
    fn a_hundred_thousand_additions() {
        alone("p08_graph_lifetime_and_depth::a_hundred_thousand_additions", || {
            on_a_small_stack(|| {
                let x = Tensor::from([1.0, 2.0]).requires_grad(true);
                let mut y = x.clone();
                for _ in 0..LINKS {
                    y = y + 1.0;
                }
                assert_eq!(y.to_vec::<f32>(), [100_001.0, 100_002.0]);
                y.sum(()).backward();
                assert_eq!(x.grad().unwrap().to_vec::<f32>(), [1.0, 1.0]);
                drop(y);
            });
        });
    }

    /// Different functions, each used twice: the graph is no chain but a ladder with 2^100,000 ways through it.
    #[test]
    fn a_ladder_of_a_hundred_thousand_functions() {
        alone("p08_graph_lifetime_and_depth::a_ladder_of_a_hundred_thousand_functions", || {
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
        });
    }

    /// Never computed, only built and dropped, with the graph of the gradients on top.
    #[test]
    fn what_is_never_computed_is_dropped_without_recursion() {
        alone("p08_graph_lifetime_and_depth::what_is_never_computed_is_dropped_without_recursion", || {
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
        });
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
                y.mul(&x.detach()).sum(()).backward();
                assert_eq!(x.grad().unwrap().to_vec::<f32>(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
            });
        });
    }

    /// Assignments build on each other like any graph, until somebody looks.
    #[test]
    fn assignments_on_assignments() {
        alone("p08_graph_lifetime_and_depth::assignments_on_assignments", || {
            on_a_small_stack(|| {
                let x = Tensor::from([0.0, 1.0]);
                for _ in 0..LINKS / 2 {
                    x.assign(&(&x.flip(0) + 1.0));
                }
                assert_eq!(x.to_vec::<f32>(), [50_000.0, 50_001.0]);
            });
        });
    }

    #[test]
    fn a_sum_of_twenty_thousand_tensors() {
        alone("p08_graph_lifetime_and_depth::a_sum_of_twenty_thousand_tensors", || {
            on_a_small_stack(|| {
                let parts: Vec<Tensor> = (0..20_000).map(|i| Tensor::from([i as f32, 1.0]).requires_grad(true)).collect();
                let sum = parts.iter().skip(1).fold(parts[0].clone(), |sum, part| sum + part);
                let sums = sum.to_vec::<f32>();
                assert!((sums[0] / 199_990_000.0 - 1.0).abs() < 1e-4 && sums[1] == 20_000.0, "{sums:?}");
                sum.sum(()).backward();
                assert!(parts.iter().all(|part| part.grad().unwrap().to_vec::<f32>() == [1.0, 1.0]));
            });
        });
    }

    /// Memory of the process in bytes.
    fn resident() -> Option<usize> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? * 1024)
    }

    #[test]
    fn ten_thousand_training_steps_hold_memory_flat() {
        alone("p08_graph_lifetime_and_depth::ten_thousand_training_steps_hold_memory_flat", || {
            Tensor::manual_seed(1);
            let params = [Tensor::kaiming_uniform([16, 8]), Tensor::zeros([16]), Tensor::kaiming_uniform([4, 16]), Tensor::zeros([4])];
            let mut optimizer = Adam::new(&params, 1e-3);
            let _train = Tensor::train(true);
            let mut losses = Vec::new();
            let mut step = |losses: &mut Vec<f32>| {
                let x = Tensor::randn([8, 8]);
                let labels = x.detach().get((.., ..4)).argmax(1);
                optimizer.zero_grad();
                let hidden = x.linear(&params[0].t(), Some(&params[1])).relu().dropout(0.1);
                let loss = hidden.linear(&params[2].t(), Some(&params[3])).sparse_categorical_crossentropy(&labels, -1);
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
            assert!(after.0.1 <= before.0.1 + (64 << 10), "bytes held by the pool: {} before, {} after", before.0.1, after.0.1);
            if let (Some(before), Some(after)) = (before.1, after.1) {
                assert!(after < before + (2 << 20), "the process has grown by {} KiB", (after - before) >> 10);
            }
            let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
            assert!(mean(&losses[9_000..]) < 0.7 * mean(&losses[..100]), "and it has learned something: {} {}", mean(&losses[..100]), mean(&losses[9_000..]));
        });
    }

    /// Shapes that change with each step (the last batch, sentences of all lengths) make a plan each. They must not pile up.
    #[test]
    fn ever_new_shapes_hold_memory_bounded() {
        alone("p08_graph_lifetime_and_depth::ever_new_shapes_hold_memory_bounded", || {
            let w = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).requires_grad(true);
            let step = |n: usize| {
                w.zero_grad();
                Tensor::ones([n, 2]).mul(&w.get(0)).matmul(&w).softmax(-1).square().sum(()).backward();
                w.grad().unwrap().realize();
            };
            (1..1_000).for_each(step);
            let before = (memory::statistics(), resident());
            (1_000..3_000).for_each(step);
            let after = (memory::statistics(), resident());
            assert_eq!(before.0.0, after.0.0, "bytes in use by buffers");
            if let (Some(before), Some(after)) = (before.1, after.1) {
                assert!(after < before + (8 << 20), "the process has grown by {} KiB", (after - before) >> 10);
            }
        });
    }

    #[test]
    fn dropping_the_loss_and_detaching_free_the_graph() {
        alone("p08_graph_lifetime_and_depth::dropping_the_loss_and_detaching_free_the_graph", || {
            const MIB: usize = 1 << 20;
            let in_use = || memory::statistics().0;
            let w = Tensor::ones([512, 512]).contiguous().realize().detach().requires_grad(true); // 1 MiB
            let start = in_use();

            // A realized link of the graph is memory that the way back needs …
            let hidden = (&w * 2.0).realize();
            let loss = hidden.square().sum(());
            loss.realize();
            assert!(in_use() >= start + MIB, "the graph holds what backward needs");
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
            assert!(in_use() <= start + 4096, "after backward: {} bytes more", in_use() - start);
            drop(loss);
            assert_eq!(in_use(), start);

            // A detached value holds itself and nothing that made it.
            let first = (&w * 2.0).realize();
            let second = (&first * 3.0).realize();
            let kept = second.sum(()).realize().detach();
            drop((first, second));
            assert!(in_use() <= start + 4096, "after detaching: {} bytes more", in_use() - start);
            assert_eq!(kept.item::<f32>(), 6.0 * 512.0 * 512.0);
            drop(kept);
            assert_eq!(in_use(), start);

            // A list of losses, as users keep them for a plot: detached, they don't keep their graphs.
            let kept: Vec<Tensor> = (0..20).map(|i| (&w * i as f32).realize().sum(()).realize().detach()).collect();
            assert!(in_use() <= start + 20 * 4096, "a list of losses: {} bytes more", in_use() - start);
            drop(kept);
            memory::trim();
            assert_eq!(memory::statistics().1, 0);
        });
    }

    /// Scopes end in whatever order things happen to be dropped in, panics included.
    #[test]
    fn modes_end_with_their_scopes() {
        panic_of(|| Tensor::no_grad(|| panic!("out")));
        assert_eq!(Tensor::from([1.0]).requires_grad(true).mul(2).needs_grad(), Some(true));
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
        assert_eq!(x.grad().unwrap().to_vec::<f32>(), [2.0, 4.0], "and has changed nothing");
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
            assert_eq!(x.grad().unwrap().to_vec::<f32>(), [2.0 * round as f32, 4.0 * round as f32]);
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
                levels.extend(ABOVE.iter().find(|(dtype, _)| *dtype == levels[at]).unwrap().1);
                at += 1;
            }
            levels
        };
        let (ups, other) = (reach(a), reach(b));
        let common: Vec<DType> = ups.into_iter().filter(|dtype| other.contains(dtype)).collect();
        *common.iter().find(|lowest| common.iter().all(|dtype| reach(**lowest).contains(dtype))).expect("a lattice")
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
                    let near = got.iter().zip(&values).all(|(got, value)| (got - value).abs() <= 0.01 * value.abs());
                    assert!(near && got.len() == values.len(), "{name} of {a} and {b}: {got:?}, not {values:?}");
                };
                let fractional = if both.is_float() { both } else { Float32 };
                if both != Bool {
                    expect("add", &x + &y, both, pairs().map(|(x, y)| x + y).collect());
                    expect("mul", &x * &y, both, pairs().map(|(x, y)| x * y).collect());
                    expect("sub", &x + &y - &y, both, xs.clone());
                }
                expect("div", &x / &y, fractional, pairs().map(|(x, y)| x / y).collect());
                expect("idiv", x.idiv(&y), counted(both), pairs().map(|(x, y)| (x / y).trunc()).collect());
                expect("modulo", &x % &y, counted(both), pairs().map(|(x, y)| x % y).collect());
                expect("pow", x.pow(&y), counted(both), pairs().map(|(x, y)| x.powf(y)).collect());
                expect("maximum", x.maximum(&y), both, pairs().map(|(x, y)| x.max(y)).collect());
                expect("minimum", x.minimum(&y), both, pairs().map(|(x, y)| x.min(y)).collect());
                expect("where_", Tensor::from([true, false, true]).where_(&x, &y), both, vec![xs[0], ys[1], xs[2]]);
                expect("cat", Tensor::cat(&[&x, &y], 0), both, [xs.clone(), ys.clone()].concat());
                expect("stack", Tensor::stack(&[&y, &x], 0), both, [ys.clone(), xs.clone()].concat());
                let dot: f64 = pairs().map(|(x, y)| x * y).sum();
                expect("matmul", x.matmul(&y), summed(both), vec![dot]);
                expect("conv2d", x.reshape([1, 1, 3]).conv2d(&y.reshape([1, 1, 3]), None), summed(both), vec![dot]);
                expect("linear", x.linear(&y, None), both, pairs().map(|(x, y)| x * y).collect());
                for (name, z, truth) in [
                    ("lt", x.lt(&y), (|x, y| x < y) as fn(f64, f64) -> bool),
                    ("gt", x.gt(&y), |x, y| x > y),
                    ("le", x.le(&y), |x, y| x <= y),
                    ("ge", x.ge(&y), |x, y| x >= y),
                    ("eq", x.eq(&y), |x, y| x == y),
                    ("ne", x.ne(&y), |x, y| x != y),
                ] {
                    expect(name, z, Bool, pairs().map(|(x, y)| truth(x, y) as u8 as f64).collect());
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
                    assert!((y - f(x)).abs() <= 0.01 * f(x).abs().max(1.0), "{name}({x}) of {dtype} is {y}, not {}", f(x));
                }
            };
            expect("exp", x.exp(), fractional, &f64::exp);
            expect("log", x.log(), fractional, &f64::ln);
            expect("sqrt", x.sqrt(), fractional, &f64::sqrt);
            expect("sin", x.sin(), fractional, &f64::sin);
            expect("cos", x.cos(), fractional, &f64::cos);
            expect("sigmoid", x.sigmoid(), fractional, &|x| 1.0 / (1.0 + (-x).exp()));
            expect("tanh", x.tanh(), fractional, &f64::tanh);
            expect("reciprocal", x.reciprocal(), fractional, &f64::recip);
            expect("gelu", x.gelu(), fractional, &|x| x / (1.0 + (-1.5957691216 * (x + 0.044715 * x.powi(3))).exp()));
            expect("abs", x.abs(), dtype, &f64::abs);
            expect("floor", x.floor(), dtype, &f64::floor);
            expect("relu", x.relu(), dtype, &|x| x);
            expect("sign", x.sign(), dtype, &f64::signum);
            expect("clip", x.clip(0.0, 2.0), if dtype == Bool { Int32 } else { dtype }, &|x| x.min(2.0));
            expect("clip by fractions", x.clip(0.0, 1.5), fractional, &|x| x.min(1.5));
            expect("mean", x.mean(()).expand([3]), fractional, &|_| xs.iter().sum::<f64>() / 3.0);
            expect("softmax", x.softmax(0), fractional, &|x| x.exp() / xs.iter().map(|x| x.exp()).sum::<f64>());
            expect("max", x.max(()).expand([3]), dtype, &|_| xs.iter().copied().fold(0.0, f64::max));
            expect("min", x.min(()).expand([3]), dtype, &|_| xs.iter().copied().fold(9.0, f64::min));
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
            assert_eq!((y.dtype(), y.to_vec::<f64>()[1]), (dtype, if dtype == Bool { 1.0 } else { 2.0 }));
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
        assert_eq!(Tensor::from([255u8, 1]).eq(&minus).to_vec::<bool>(), [false, false]);
        assert_eq!(Tensor::from([u32::MAX, 1]).gt(&minus).to_vec::<bool>(), [true, true]);
        assert_eq!(Tensor::from([u64::MAX, 1]).gt(&minus).to_vec::<bool>(), [true, true]);
        // Numbers beyond a type's other end, and between its values.
        assert_eq!(Tensor::from([255u8, 0]).lt(256).to_vec::<bool>(), [true, true]);
        assert_eq!(Tensor::from([-128i8, 127]).gt(-129).to_vec::<bool>(), [true, true]);
        assert_eq!(Tensor::from([1u8, 2]).lt(1.5).to_vec::<bool>(), [true, false]);
        let logits = Tensor::from([[0.0, 3.0], [1.0, 0.0]]);
        let loss = logits.sparse_categorical_crossentropy(&Tensor::from([1u8, 0]), -1).item::<f32>();
        assert!((loss - ((1.0 + (-3f32).exp()).ln() + (1.0 + (-1f32).exp()).ln()) / 2.0).abs() < 1e-6);
        // As an index, 255 is the 256th and not the last one.
        assert_eq!(Tensor::arange(300).get(&Tensor::from([255u8])).item::<i32>(), 255);
        assert_eq!(Tensor::arange(3).get(&Tensor::from([255u8])).item::<i32>(), 0);
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
        assert_eq!(Tensor::from([7.5, -7.5, 7.5, 1.0]).idiv(&Tensor::from([2.0, 2.0, -2.0, 0.0])).to_vec::<f32>(), [3.0, -3.0, -3.0, INF]);
        assert!(same(&(Tensor::from([7.5, -7.5, 7.5, 1.0]) % Tensor::from([2.0, 2.0, -2.0, 0.0])).to_vec::<f32>(), &[1.5, -1.5, 1.5, NAN]));
    }

    #[test]
    fn integers_wrap() {
        for device in [Device::CPU, Device::REFERENCE] {
            let x = Tensor::from([200u8, 100]).to(device);
            assert_eq!((&x + 100).to_vec::<u8>(), [44, 200]);
            assert_eq!((&x * 2).to_vec::<u8>(), [144, 200]);
            assert_eq!((-&x).to_vec::<u8>(), [56, 156]);
            assert_eq!((Tensor::from([i32::MAX]).to(device) + 1).item::<i32>(), i32::MIN);
            assert_eq!(Tensor::from([i64::MIN]).to(device).abs().item::<i64>(), i64::MIN);
            assert_eq!((Tensor::from([u64::MAX]).to(device) * 3).item::<u64>(), u64::MAX.wrapping_mul(3));
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
                    let cast = Tensor::from(values.clone()).to(device).cast(dtype);
                    let expected: Vec<$to> = values.iter().map(|&x| x as $to).collect();
                    let got = cast.to_vec::<$to>();
                    for ((x, got), expected) in values.iter().zip(&got).zip(&expected) {
                        assert!(got == expected || *got as f64 != *got as f64 && *expected as f64 != *expected as f64, "{x:?} as {dtype} on {device} is {got}, not {expected}");
                    }
                    let truths: Vec<bool> = values.iter().map(|&x| x != 0 as $from).collect();
                    assert_eq!(Tensor::from(values).to(device).cast(Bool).to_vec::<bool>(), truths);
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
        let floats = [0.0, -0.0, 0.4, 0.5, 0.999, 1.5, -0.5, -1.9, 127.9, 128.0, -128.9, -129.0, 255.5, 256.0, 32767.5, 65536.0, 2147483648.0, -2147483649.0, 4294967296.0,
            9.3e18, -9.3e18, 1.9e19, 1e30, -1e30, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
        to_all!(floats, f64 => i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);
        to_all!(floats.map(|x| x as f32), f32 => i8, u8, i16, u16, i32, u32, i64, u64, f32, f64);
        for x in floats {
            let half = Tensor::from_slice(&[x], [1]).cast(Float16);
            let expected = f16::from_f32(x as f32).to_f64();
            let got = half.to_vec::<f64>()[0];
            assert!(got == expected || got.is_nan() && expected.is_nan(), "{x} as float16 is {got}, not {expected}");
            let expected = f16::from_f32(x as f32).to_f32() as i8;
            assert_eq!(half.cast(Int8).item::<i8>(), expected, "{x} by way of float16 as int8");
            let brain = Tensor::from_slice(&[x], [1]).cast(BFloat16).to_vec::<f64>()[0];
            let expected = bf16::from_f32(x as f32).to_f64();
            assert!(brain == expected || brain.is_nan() && expected.is_nan(), "{x} as bfloat16 is {brain}, not {expected}");
        }
    }

    /// A cast that loses something is not undone by the cast back, wherever the two meet.
    #[test]
    fn casts_do_not_cancel() {
        assert_eq!(Tensor::from([1.7, -2.7]).cast(Int32).cast(Float32).to_vec::<f32>(), [1.0, -2.0]);
        assert_eq!(Tensor::from([300, -1]).cast(Uint8).cast(Int32).to_vec::<i32>(), [44, 255]);
        assert_eq!(Tensor::from([1.0 + 1.0 / 4096.0]).cast(Float16).cast(Float32).item::<f32>(), 1.0);
        assert_eq!(Tensor::from([5]).cast(Bool).cast(Int32).item::<i32>(), 1);
        assert_eq!(Tensor::from_slice(&[0.1f64], [1]).cast(Float32).cast(Float64).item::<f64>(), 0.1f32 as f64);
        assert_eq!(Tensor::from([(1i64 << 53) + 1]).cast(Float64).cast(Int64).item::<i64>(), 1 << 53);
        assert_eq!((Tensor::from([(1i64 << 53) + 1]) + 1).item::<i64>(), (1 << 53) + 2);
    }

    /// A half's gradient is a half, and a double's a double; and integers have none.
    #[test]
    fn gradients_have_their_tensors_dtype() {
        for dtype in [Float16, BFloat16, Float32, Float64] {
            let x = Tensor::from([1.0, 2.0]).cast(dtype).contiguous().realize().detach().requires_grad(true);
            let y = Tensor::from([3.0, 4.0]).requires_grad(true);
            (x.matmul(&y) + (&x * &y).cast(Float64).sum(())).sum(()).backward();
            assert_eq!((x.grad().unwrap().dtype(), y.grad().unwrap().dtype()), (dtype, Float32));
            assert_eq!(x.grad().unwrap().to_vec::<f32>(), [6.0, 8.0]);
            assert_eq!(y.grad().unwrap().to_vec::<f32>(), [2.0, 4.0]);
        }
        for dtype in DType::ALL.into_iter().filter(|dtype| !dtype.is_float()) {
            let text = panic_of(|| drop(Tensor::from([1]).cast(dtype).requires_grad(true)));
            assert_eq!(text, format!("requires_grad: a tensor of {dtype} has no gradient\n  hint: cast it to a float first"));
        }
    }

    #[test]
    fn scalars_are_weak() {
        assert_eq!(Scalar::from(1u8), Scalar::Int(1));
        for dtype in [Float16, BFloat16, Float64] {
            let x = Tensor::from([1.0]).cast(dtype);
            for y in [&x + 1, &x * 2.5, &x - f64::MAX, 1.0 / &x, x.pow(2.5), x.maximum(0.5), x.gt(0).where_(&x, 0.0)] {
                assert_eq!(y.dtype(), dtype);
            }
        }
    }
}
