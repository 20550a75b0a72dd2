//! The tests of the exercise; leave them as they are.

use super::*;

/// RMSprop in plain numbers.
fn by_hand(w: f64, gradient: impl Fn(f64) -> f64, lr: f64, rho: f64, steps: usize) -> f64 {
    (0..steps)
        .fold((w, 0.0), |(w, v), _| {
            let g = gradient(w);
            let v = rho * v + (1.0 - rho) * g * g;
            (w - lr * g / (v.sqrt() + 1e-8), v)
        })
        .0
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_first_step() {
    let w = Tensor::from([1.0, -2.0]);
    let mut optimizer = RMSprop::new(&[&w], 0.1, 0.75);
    optimizer.zero_grad();
    (&w * Tensor::from([3.0, -100.0])).sum(()).backward();
    optimizer.step();
    // v = g² / 4, so that every parameter moves by 2 · 0.1 against its gradient's sign
    for (new, expected) in w.to_vec::<f32>().into_iter().zip([0.8, -1.8]) {
        assert!((new - expected).abs() < 1e-5, "{new} against {expected}");
    }
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn it_remembers_from_step_to_step() {
    let w = Tensor::from([4.0]);
    let mut optimizer = RMSprop::new(&[&w], 0.1, 0.9);
    for _ in 0..25 {
        optimizer.zero_grad();
        w.square().sum(()).backward();
        optimizer.step();
    }
    let expected = by_hand(4.0, |w| 2.0 * w, 0.1, 0.9, 25);
    let found = f64::from(w.item::<f32>());
    assert!(
        (found - expected).abs() < 1e-3,
        "{found} against {expected}"
    );
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn every_parameter_has_a_memory_of_its_own() {
    let (a, b) = (Tensor::from([1.0]), Tensor::from([1.0]));
    let mut optimizer = RMSprop::new(&[&a, &b], 0.1, 0.9);
    for _ in 0..3 {
        optimizer.zero_grad();
        (&a * 5.0 + b.square()).sum(()).backward();
        optimizer.step();
    }
    for (w, expected) in [
        (a, by_hand(1.0, |_| 5.0, 0.1, 0.9, 3)),
        (b, by_hand(1.0, |w| 2.0 * w, 0.1, 0.9, 3)),
    ] {
        let found = f64::from(w.item::<f32>());
        assert!(
            (found - expected).abs() < 1e-4,
            "{found} against {expected}"
        );
    }
}
