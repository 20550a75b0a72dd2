//! The tests of the exercise; leave them as they are.

use super::*;

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_slope_along_each_leg() {
    let a = Tensor::from([3.0, 5.0, -8.0]).requires_grad(true);
    let b = Tensor::from([4.0, 12.0, 6.0]).requires_grad(true);
    (hypot(&a, &b) * Tensor::from([5.0, 13.0, 10.0]))
        .sum(())
        .backward();
    // a / y and b / y, times the y that the result was multiplied with
    assert_eq!(a.grad().unwrap().to_vec::<f32>(), [3.0, 5.0, -8.0]);
    assert_eq!(b.grad().unwrap().to_vec::<f32>(), [4.0, 12.0, 6.0]);
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn nothing_for_an_input_that_needs_nothing() {
    let (a, b) = (Tensor::from([3.0]), Tensor::from([4.0]));
    let mut function = Hypot::default();
    let y = function.forward(&[a.lazydata(), b.lazydata()]);
    let gradients = function.backward(&y.const_like(1), &[false, true]);
    assert!(gradients[0].is_none(), "a's gradient was not asked for");
    let b_gradient = Tensor::from_lazy(gradients[1].clone().expect("b's gradient was"));
    assert_eq!(b_gradient.to_vec::<f32>(), [0.8]);
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_gradient_agrees_with_the_slope_of_small_steps() {
    let (a, b, step) = (1.5_f32, -0.5_f32, 0.01_f32);
    let tensor = Tensor::from([a]).requires_grad(true);
    hypot(&tensor, &Tensor::from([b])).sum(()).backward();
    let slope = tensor.grad().unwrap().item::<f32>();
    let at = |a: f32| hypot(&Tensor::from([a]), &Tensor::from([b])).item::<f32>();
    let measured = (at(a + step) - at(a - step)) / (2.0 * step);
    assert!(
        (slope - measured).abs() < 1e-3,
        "{slope} against {measured}"
    );
}
