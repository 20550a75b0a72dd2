//! An op without a backward freezes everything above it, in silence: an optimizer says which parameter got no gradient.

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
