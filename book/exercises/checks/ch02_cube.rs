//! The tests of the exercise; leave them as they are.

use super::*;

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_gradient_at_points_that_can_be_checked_by_hand() {
    let x = Tensor::from([0.0, 1.0, -2.0]).requires_grad(true);
    cube(&x).sum(()).backward();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0, 3.0, 12.0]);
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_chain_rule_goes_on_through_it() {
    // d(2 · x³)/dx = 6x²: dy is 2 here, not 1.
    let x = Tensor::from([3.0]).requires_grad(true);
    (cube(&x) * 2.0).sum(()).backward();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [54.0]);
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_gradient_agrees_with_the_slope_of_small_steps() {
    let points = [-1.5_f32, -0.5, 0.25, 2.0];
    let x = Tensor::from(points).requires_grad(true);
    cube(&x).sum(()).backward();
    let gradient = x.grad().unwrap().to_vec::<f32>();
    let step = 0.01;
    for (point, slope) in points.iter().zip(gradient) {
        let (left, right) = (Tensor::from([point - step]), Tensor::from([point + step]));
        let measured = (cube(&right).item::<f32>() - cube(&left).item::<f32>()) / (2.0 * step);
        assert!(
            (slope - measured).abs() < 0.01,
            "at {point}: {slope} against {measured}"
        );
    }
}
