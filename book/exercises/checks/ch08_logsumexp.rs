//! The tests of the exercise; leave them as they are.

use super::*;

fn close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{a} against {b}");
    }
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn small_numbers() {
    let y = logsumexp(&Tensor::from([[0.0, 0.0], [1.0, 2.0]]));
    assert_eq!(y.shape(), [2]);
    let second = (1.0_f32.exp() + 2.0_f32.exp()).ln();
    close(&y.to_vec::<f32>(), &[2.0_f32.ln(), second]);
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn large_numbers_and_very_negative_ones() {
    let x = Tensor::from([[1000.0, 1000.0], [-1000.0, -1000.0], [0.0, -5000.0]]);
    let two = 2.0_f32.ln();
    close(
        &logsumexp(&x).to_vec::<f32>(),
        &[1000.0 + two, -1000.0 + two, 0.0],
    );
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn its_gradient_is_softmax() {
    let x = Tensor::from([[1.0, 2.0, 3.0]]).requires_grad(true);
    logsumexp(&x).sum(()).backward();
    let softmax = x.detach().softmax(-1).to_vec::<f32>();
    close(&x.grad().unwrap().to_vec::<f32>(), &softmax);
}
