//! # rows/steps: training steps
//!
//! A step takes a batch that is ready in memory, and does what training does: forward, cross-entropy, backward, optimizer, and reads the
//! loss. The batch is the same each time, so that the loss must fall.

use crate::case::{Case, Expected, Setup, Work};
use crate::models::Weights;
use crate::models::digits::{ConvNet, Mlp};
use crate::models::gpt::{Gpt, Sizes};
use crate::models::resnet::ResNet;
use teenygrad::Tensor;
use teenygrad::nn::optim::{Adam, AdamW, Optimizer, SGD};

/// A step of the network `forward` from `x` to logits, whose right answers are `labels`.
///
/// The loss is one of the optimizer's buffers, computed in the same realization as the new weights: asked for afterwards, it would
/// have to be computed from the old weights once more.
fn step(
    weights: &Weights,
    optimizer: impl FnOnce(Vec<Tensor>) -> Box<dyn Optimizer>,
    forward: impl Fn(&Tensor) -> Tensor + 'static,
    [x, labels]: [Tensor; 2],
) -> Case {
    let loss_now = Tensor::zeros(()).to(x.device()).requires_grad(false);
    let mut optimizer = optimizer([weights.all(), std::slice::from_ref(&loss_now)].concat());
    let run = move || {
        let _training = Tensor::train(true);
        let loss = forward(&x).sparse_categorical_crossentropy(&labels, -1);
        optimizer.zero_grad();
        loss.backward();
        loss_now.assign(&loss.detach());
        optimizer.step();
        vec![Tensor::from(loss_now.item::<f32>())]
    };
    Case {
        run: Box::new(run),
        work: Work::default(),
        expected: Expected::FallingLoss,
    }
}

/// Images `[batch, 784]` and labels `[batch]`.
fn digits(setup: Setup, batch: usize) -> [Tensor; 2] {
    let n = setup.size(batch, 4);
    [
        setup.numbers(1, &[n, 784], 1.0),
        setup.integers(2, &[n], 10),
    ]
}

fn adam(params: Vec<Tensor>) -> Box<dyn Optimizer> {
    Box::new(Adam::new(params, 1e-3))
}

pub fn mlp(setup: Setup) -> Case {
    let mut weights = Weights::new(setup);
    let model = Mlp::new(&mut weights);
    step(
        &weights,
        adam,
        move |x| model.forward(x),
        digits(setup, 128),
    )
}

pub fn convnet(setup: Setup, channels1: usize, channels2: usize, batch: usize) -> Case {
    let mut weights = Weights::new(setup);
    let model = ConvNet::new(
        &mut weights,
        setup.size(channels1, 2),
        setup.size(channels2, 3),
    );
    step(
        &weights,
        adam,
        move |x| model.forward(x),
        digits(setup, batch),
    )
}

pub fn gpt(setup: Setup) -> Case {
    let sizes = Sizes {
        layers: setup.size(4, 1),
        width: setup.size(256, 8),
        heads: setup.size(4, 2),
        context: setup.size(128, 5),
        vocabulary: setup.size(512, 11),
    };
    let mut weights = Weights::new(setup);
    let model = Gpt::new(&mut weights, sizes);
    let shape = [setup.size(8, 2), sizes.context];
    let ids = setup.integers(1, &shape, sizes.vocabulary as u32);
    let next = setup.integers(2, &shape, sizes.vocabulary as u32);
    let adamw = |params| -> Box<dyn Optimizer> { Box::new(AdamW::new(params, 1e-3)) };
    step(&weights, adamw, move |x| model.forward(x), [ids, next])
}

pub fn resnet(setup: Setup) -> Case {
    let stages = [setup.size(16, 2), setup.size(32, 3), setup.size(64, 4)];
    let (n, side) = (setup.size(64, 2), setup.size(32, 8));
    let mut weights = Weights::new(setup);
    let model = ResNet::new(&mut weights, &stages);
    let pictures = setup.numbers(1, &[n, 3, side, side], 1.0);
    let labels = setup.integers(2, &[n], 10);
    let sgd = |params| -> Box<dyn Optimizer> { Box::new(SGD::new(params, 0.01).momentum(0.9)) };
    step(&weights, sgd, move |x| model.forward(x), [pictures, labels])
}
