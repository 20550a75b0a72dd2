//! # rows/engine: many small things
//!
//! Bookkeeping is what takes the time, or would if it were not kept short: an optimizer's step over many tensors, a long chain of tiny
//! operations.

use crate::case::{Case, Setup, Work};
use teenygrad::Tensor;
use teenygrad::nn::optim::{Adam, Optimizer};

/// One step of Adam. Gradients are given, the same in each step.
pub fn adam(setup: Setup) -> Case {
    let (count, n) = (setup.size(50, 3), setup.size(200_000, 100));
    let params: Vec<Tensor> = (0..count as u32)
        .map(|i| setup.numbers(1 + i, &[n], 1.0))
        .collect();
    for (i, param) in params.iter().enumerate() {
        param.set_grad(Some(setup.numbers(1001 + i as u32, &[n], 1.0)));
    }
    let mut adam = Adam::new(&params, 1e-3);
    // Parameter, gradient and two moments are read, all but the gradient written.
    Case::new([n], Work::floats(7 * count * n), move || {
        adam.step();
        params[0].clone()
    })
}

/// A chain of additions: built, planned and run, all in the time that counts.
pub fn graph(setup: Setup) -> Case {
    let length = setup.size(1000, 50);
    let x = setup.numbers(1, &[4], 1.0);
    Case::new([4], Work::default(), move || {
        let mut y = x.clone();
        for _ in 0..length {
            y += &x;
        }
        y.realize()
    })
}

/// The same with a subtraction instead of an addition here and there, at other places in each run: no plan can be used twice. Compared
/// with the row before, this is what the first run of a new graph costs.
pub fn graph_new(setup: Setup) -> Case {
    let length = setup.size(1000, 50);
    let x = setup.numbers(1, &[4], 1.0);
    let mut run = 0u32;
    Case::new([4], Work::default(), move || {
        let mut y = x.clone();
        for i in 0..length {
            // The chain's first operations spell the run's number in bits.
            y = if i < 32 && run >> i & 1 == 1 {
                y - &x
            } else {
                y + &x
            };
        }
        run += 1;
        y.realize()
    })
}
