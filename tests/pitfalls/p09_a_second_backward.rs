//! A graph that a backward has walked is gone, and says so.

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
