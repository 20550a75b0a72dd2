//! What breaks in libraries like this one: a module for each known trap, in the order of a list that was gathered from the issue trackers
//! of other libraries. Each says what the trap is.
//!
//! | trap | covered here | covered elsewhere |
//! |---|---|---|
//! | 1 a severed gradient | optimizers name it | every gradient: `gradients/` |
//! | 13 broken files | | tests of `nn::state`, `nn::files`, `nn::datasets` |
//! | 14 error messages | | `errors/` |
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

// ---- The traps -------------------------------------------------------

mod p01_a_severed_gradient;
mod p02_ties_in_max;
mod p03_pow;
mod p04_inf_and_nan;
mod p05_overflowing_reductions;
mod p06_zero_size_and_zero_rank;
mod p07_broadcasting_backward;
mod p08_graph_lifetime_and_depth;
mod p09_a_second_backward;
mod p10_dtypes;
mod p11_views;
mod p12_assign_hazards;
mod p15_max_pool_and_convolution_backward;
mod p16_non_terminal_output;
mod p17_threads;
