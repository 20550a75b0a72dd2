//! The tests of the exercise; leave them as they are.

use super::*;

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn a_window_slides() {
    let x = Tensor::from([1.0, 2.0, 4.0, 8.0, 16.0]);
    let y = conv(&x, &Tensor::from([-1.0, 0.0, 1.0]));
    assert_eq!(y.to_vec::<f32>(), [3.0, 6.0, 12.0]);
    let y = conv(&x, &Tensor::from([10.0]));
    assert_eq!(y.to_vec::<f32>(), [10.0, 20.0, 40.0, 80.0, 160.0]);
}

/// What the library's own backward finds, for n numbers and a window of k.
fn by_machine(n: usize, k: usize) -> [Tensor; 5] {
    let x = (Tensor::arange(n as f64) * 3.0 % 7.0).requires_grad(true);
    let w = (Tensor::arange(k as f64) * 5.0 % 4.0 - 1.0).requires_grad(true);
    let dy = Tensor::arange((n - k + 1) as f64) + 1.0;
    let pictures = x.reshape([1, 1, n]);
    let y = pictures.conv2d(&w.reshape([1, 1, k]), None);
    (y.reshape([n - k + 1]) * &dy).sum(()).backward();
    let (dx, dw) = (x.grad().unwrap(), w.grad().unwrap());
    [x.detach(), w.detach(), dy, dx, dw]
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_weights_gradient() {
    for (n, k) in [(5, 3), (6, 2), (4, 4), (3, 1)] {
        let [x, _, dy, _, dw] = by_machine(n, k);
        assert_eq!(
            weight_gradient(&x, &dy).to_vec::<f32>(),
            dw.to_vec::<f32>(),
            "{n} numbers, a window of {k}"
        );
    }
}

#[test]
#[ignore = "an exercise: cargo run -p teenygrad-exercises"]
fn the_inputs_gradient() {
    for (n, k) in [(5, 3), (6, 2), (4, 4), (3, 1)] {
        let [_, w, dy, dx, _] = by_machine(n, k);
        assert_eq!(
            input_gradient(&dy, &w).to_vec::<f32>(),
            dx.to_vec::<f32>(),
            "{n} numbers, a window of {k}"
        );
    }
}
