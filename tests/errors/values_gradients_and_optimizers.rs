//! Reading values, assigning them, going back through a graph, and stepping: each in a state that does not allow it.
//!
//! **In:** where problems are gathered. **Out:** those of this topic's mistakes.
//! **Law:** where another state would allow it, the hint says how to get there.

use super::Wrong;
use teenygrad::nn::optim::{Adam, Optimizer, SGD};
use teenygrad::{DType, Device, Tensor};

pub fn mistakes(wrong: &mut Wrong) {
    let (x, y, w) = (
        Tensor::ones([2, 3]),
        Tensor::ones([2, 4]),
        Tensor::ones([2, 3]).requires_grad(true),
    );
    let freed = w.sum(());
    freed.backward();
    w.zero_grad();
    let (mut sgd, mut adam) = (SGD::new([&w], 0.1), Adam::new([&w], 0.1));
    fails!(
        wrong,
        x.item::<f32>(),
        "item",
        "item: shape [2, 3] has 6 elements, not one\n  hint: to_vec gives all of them"
    );
    fails!(
        wrong,
        x.assign(&y),
        "assign",
        "assign: float32 [2, 3] on CPU cannot take float32 [2, 4] on CPU\n  hint: shape, dtype and device stay as they are; cast or reshape the new values"
    );
    fails!(
        wrong,
        x.assign(&x.cast(DType::Float64)),
        "assign",
        "assign: float32 [2, 3] on CPU cannot take float64 [2, 3] on CPU\n  hint: shape, dtype and device stay as they are; cast or reshape the new values"
    );
    fails!(
        wrong,
        x.assign(&x.to(Device::REFERENCE)),
        "assign",
        "assign: float32 [2, 3] on CPU cannot take float32 [2, 3] on REFERENCE\n  hint: shape, dtype and device stay as they are; cast or reshape the new values"
    );
    fails!(
        wrong,
        w.backward(),
        "backward",
        "backward: shape [2, 3] has 6 elements, and a gradient is of one number\n  hint: sum or average it first"
    );
    fails!(
        wrong,
        x.sum(()).backward(),
        "backward",
        "backward: nothing that this tensor came from requires a gradient\n  hint: tensor.requires_grad(true), or put it into an optimizer, before computing with it"
    );
    fails!(
        wrong,
        freed.backward(),
        "backward",
        "backward: a backward has already been through this graph and has freed it\n  hint: compute the loss anew, or add both losses and go back once"
    );
    fails!(
        wrong,
        Tensor::from([1, 2]).requires_grad(true),
        "requires_grad",
        "requires_grad: a tensor of int32 has no gradient\n  hint: cast it to a float first"
    );
    fails!(
        wrong,
        Tensor::from([1, 2]).set_requires_grad(Some(true)),
        "set_requires_grad",
        "requires_grad: a tensor of int32 has no gradient\n  hint: cast it to a float first"
    );
    fails!(
        wrong,
        SGD::new([&w.mul(2)], 0.1),
        "SGD::new",
        "optimizer: tensor 0 of shape [2, 3] has been computed from others that require a gradient\n  hint: tensor.detach().requires_grad(true) is a parameter of its own"
    );
    fails!(
        wrong,
        SGD::new([&Tensor::from([1, 2])], 0.1),
        "SGD::new",
        "requires_grad: a tensor of int32 has no gradient\n  hint: cast it to a float first"
    );
    fails!(
        wrong,
        Adam::new([&w.mul(2)], 0.1),
        "Adam::new",
        "optimizer: tensor 0 of shape [2, 3] has been computed from others that require a gradient\n  hint: tensor.detach().requires_grad(true) is a parameter of its own"
    );
    fails!(
        wrong,
        sgd.step(),
        "step",
        "step: parameter 0 of shape [2, 3] has no gradient\n  hint: does the loss depend on it, and has backward run since zero_grad? A tensor that is not trained is a buffer: requires_grad(false)"
    );
    fails!(
        wrong,
        adam.step(),
        "step",
        "step: parameter 0 of shape [2, 3] has no gradient\n  hint: does the loss depend on it, and has backward run since zero_grad? A tensor that is not trained is a buffer: requires_grad(false)"
    );
}
