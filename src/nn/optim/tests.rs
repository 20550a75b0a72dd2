//! Tests of `optim`.

use super::*;
use crate::lazy::State;

/// Three steps on two parameters under a loss that changes, and the values after each, as float64.
fn trace(optimizer: &mut dyn Optimizer) -> Vec<Vec<f64>> {
    let mut trace = Vec::new();
    for step in 1..=3 {
        optimizer.zero_grad();
        let (w, c) = (&optimizer.params()[0], &optimizer.params()[1]);
        let loss = ((w * w * w).sum(()) * (step as f64) + (w * c).sum(())).sum(());
        loss.backward();
        optimizer.step();
        trace.push(
            optimizer
                .params()
                .iter()
                .flat_map(|p| p.to_vec::<f64>())
                .collect(),
        );
    }
    trace
}

fn parameters() -> [Tensor; 2] {
    [
        Tensor::from_slice(&[0.5f64, -1.5, 2.0], [3]),
        Tensor::from_slice(&[3.0f64], [1]),
    ]
}

/// The same three steps in plain numbers: `update(p, g, state of this element)` gives the new p.
fn by_hand(mut update: impl FnMut(f64, f64, usize, &mut [f64; 2]) -> f64) -> Vec<Vec<f64>> {
    let mut p = [0.5, -1.5, 2.0, 3.0];
    let mut state = [[0.0; 2]; 4];
    (1..=3)
        .map(|step| {
            let w = |i: usize| 3.0 * step as f64 * p[i] * p[i] + p[3];
            let g = [w(0), w(1), w(2), p[0] + p[1] + p[2]];
            for i in 0..4 {
                p[i] = update(p[i], g[i], step, &mut state[i]);
            }
            p.to_vec()
        })
        .collect()
}

#[track_caller]
fn assert_near(got: &[Vec<f64>], expected: &[Vec<f64>]) {
    for (got, expected) in got.concat().iter().zip(expected.concat()) {
        assert!(
            (got - expected).abs() <= 1e-12 * expected.abs().max(1.0),
            "{got} instead of {expected}"
        );
    }
}

#[test]
fn sgd_with_all_that_it_has() {
    for nesterov in [false, true] {
        let mut sgd = SGD::new(parameters(), 0.01)
            .momentum(0.9)
            .weight_decay(0.1)
            .nesterov(nesterov);
        let expected = by_hand(|p, g, _, [b, _]| {
            let g = g + 0.1 * p;
            *b = 0.9 * *b + g;
            p - 0.01 * if nesterov { g + 0.9 * *b } else { *b }
        });
        assert_near(&trace(&mut sgd), &expected);
    }
}

#[test]
fn adam_and_adamw_follow_their_papers() {
    let rule = |wd: f64| {
        move |p: f64, g: f64, t: usize, [m, v]: &mut [f64; 2]| {
            *m = 0.8 * *m + 0.2 * g;
            *v = 0.99 * *v + 0.01 * g * g;
            let (m_hat, v_hat) = (
                *m / (1.0 - 0.8f64.powi(t as i32)),
                *v / (1.0 - 0.99f64.powi(t as i32)),
            );
            p - 0.01 * (m_hat / (v_hat.sqrt() + 1e-3) + wd * p)
        }
    };
    assert_near(
        &trace(&mut Adam::new(parameters(), 0.01).betas(0.8, 0.99).eps(1e-3)),
        &by_hand(rule(0.0)),
    );
    assert_near(
        &trace(&mut AdamW::new(parameters(), 0.01).betas(0.8, 0.99).eps(1e-3)),
        &by_hand(rule(0.01)),
    );
}

#[test]
fn lamb_moves_by_a_share_of_the_norm() {
    let [w, _] = parameters();
    let before = w.to_vec::<f64>();
    let mut lamb = LAMB::new([&w], 0.1).weight_decay(0.5);
    (&w * &w).sum(()).backward();
    lamb.step();
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let moved: Vec<f64> = before
        .iter()
        .zip(w.to_vec::<f64>())
        .map(|(a, b)| a - b)
        .collect();
    assert!((norm(&moved) - 0.1 * norm(&before)).abs() < 1e-12);
    // A layer of zeros leaves 0: r is 1 there.
    let zero = Tensor::zeros([2]);
    let mut lamb = LAMB::new([&zero], 0.1);
    zero.sum(()).backward();
    lamb.step();
    assert!((zero.to_vec::<f64>()[0] + 0.1).abs() < 1e-6);
}

#[test]
fn the_learning_rate_may_change() {
    let w = Tensor::from([0.0]);
    let mut sgd = SGD::new([&w], 1.0);
    for lr in [1.0, 0.25] {
        sgd.set_lr(lr);
        sgd.zero_grad();
        w.sum(()).backward();
        sgd.step();
    }
    assert_eq!(w.to_vec::<f32>(), [-1.25]);
}

#[test]
fn unset_becomes_a_parameter_and_no_a_buffer_and_twice_is_once() {
    let (w, mean) = (Tensor::zeros([2]), Tensor::ones([2]).requires_grad(false));
    let sgd = SGD::new([&w, &mean, &w.clone()], 0.1);
    assert_eq!((sgd.params().len(), sgd.buffers().len()), (1, 1));
    assert_eq!(
        (w.needs_grad(), mean.needs_grad()),
        (Some(true), Some(false))
    );
}

#[test]
fn a_step_realizes_parameters_buffers_and_state() {
    let (w, mean) = (
        Tensor::from([1.0, 2.0]),
        (Tensor::from([1.0]) * 3.0).requires_grad(false),
    );
    let mut adam = Adam::new([&w, &mean], 0.1);
    (&w * &w).sum(()).backward();
    adam.step();
    let realized = |t: &Tensor| matches!(t.lazydata().node().state(), State::Realized(_));
    assert!(
        realized(&w)
            && realized(&mean)
            && realized(&adam.moments.m[0])
            && realized(&adam.moments.v[0])
    );
}

#[test]
fn half_types_keep_their_dtype_and_a_state_that_holds_small_squares() {
    let w = Tensor::from([1.0, 1.0])
        .cast(DType::Float16)
        .detach()
        .requires_grad(true);
    let mut adam = Adam::new([&w], 0.5);
    (&w * 1e-4).sum(()).backward(); // g² = 10⁻⁸ is 0 in float16
    adam.step();
    assert_eq!(w.dtype(), DType::Float16);
    assert_eq!(adam.moments.v[0].dtype(), DType::Float32);
    assert!(w.to_vec::<f32>().iter().all(|w| (w - 0.5).abs() < 1e-2));
}

#[test]
#[should_panic(expected = "step: parameter 2 of shape [3] has no gradient")]
fn a_parameter_without_gradient_is_named() {
    let (w, fixed, forgotten) = (
        Tensor::zeros([2]),
        Tensor::zeros([2]).requires_grad(false),
        Tensor::zeros([3]),
    );
    let mut sgd = SGD::new([&w, &fixed, &forgotten], 0.1);
    w.sum(()).backward();
    sgd.step();
}

#[test]
#[should_panic(expected = "optimizer: tensor 0 of shape [2] has been computed")]
fn a_computed_tensor_is_no_parameter() {
    let w = Tensor::zeros([2]).requires_grad(true) * 2.0;
    SGD::new([&w], 0.1);
}
