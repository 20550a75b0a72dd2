//! # rows/streams: a pass or a few over large tensors
//!
//! Memory is what takes the time. The bytes of [`Work`] are those that a single pass must move: inputs once, outputs once.

use super::products::gradient;
use crate::case::{Case, Expected, Setup, Work};
use teenygrad::{DType, Tensor};

/// The side of a square of 64 MiB.
fn side(setup: Setup) -> usize {
    setup.size(4096, 67)
}

/// A row that makes a square of a square.
fn square(setup: Setup, f: impl Fn(&Tensor) -> Tensor + 'static) -> Case {
    let n = side(setup);
    let x = setup.numbers(1, &[n, n], 4.0);
    Case::new([n, n], Work::floats(2 * n * n), move || f(&x).realize())
}

// ---- Element by element ----------------------------------------------

pub fn add(setup: Setup) -> Case {
    let n = side(setup);
    let (a, b) = (
        setup.numbers(1, &[n, n], 1.0),
        setup.numbers(2, &[n, n], 1.0),
    );
    Case::new([n, n], Work::floats(3 * n * n), move || (&a + &b).realize())
}

pub fn chain(setup: Setup) -> Case {
    let n = side(setup);
    let a = setup.numbers(1, &[n, n], 1.0);
    Case::new([], Work::floats(n * n), move || {
        (&a * 2 + 1).relu().neg().exp().sum(()).realize()
    })
}

pub fn gelu(setup: Setup) -> Case {
    square(setup, Tensor::gelu)
}

pub fn cast_f16(setup: Setup) -> Case {
    let n = side(setup);
    let work = Work {
        bytes: 6.0 * (n * n) as f64,
        ..Work::default()
    };
    Case {
        work,
        ..square(setup, |x| x.cast(DType::Float16))
    }
}

// ---- Row by row ------------------------------------------------------

pub fn softmax(setup: Setup) -> Case {
    square(setup, |x| x.softmax(-1))
}

pub fn layernorm(setup: Setup) -> Case {
    square(setup, |x| x.layernorm(-1, 1e-5))
}

pub fn cumsum(setup: Setup) -> Case {
    square(setup, |x| x.cumsum(-1))
}

/// The result, and the gradient of x from a given gradient of the result.
pub fn log_softmax_bwd(setup: Setup) -> Case {
    let n = side(setup);
    let x = setup.numbers(1, &[n, n], 4.0).requires_grad(true);
    let slope = setup.numbers(2, &[n, n], 1.0);
    let run = move || {
        let y = x.log_softmax(-1);
        (&y * &slope).sum(()).backward();
        let results = vec![y.detach(), gradient(&x)];
        Tensor::corealize(&[&results[0], &results[1]]);
        results
    };
    Case {
        run: Box::new(run),
        work: Work::floats(4 * n * n),
        expected: Expected::Shapes(vec![vec![n, n]; 2]),
    }
}

// ---- Fewer come out than go in ---------------------------------------

pub fn sum(setup: Setup) -> Case {
    let n = side(setup);
    let x = setup.numbers(1, &[n, n], 1.0);
    Case::new([], Work::floats(n * n), move || x.sum(()).realize())
}

pub fn sum_axis0(setup: Setup) -> Case {
    let n = side(setup);
    let x = setup.numbers(1, &[n, n], 1.0);
    Case::new([n], Work::floats(n * n), move || x.sum(0).realize())
}

pub fn max_pool(setup: Setup) -> Case {
    let (n, c, side) = (setup.size(8, 2), setup.size(64, 3), setup.size(56, 10));
    let x = setup.numbers(1, &[n, c, side, side], 1.0);
    let (inputs, outputs) = (n * c * side * side, n * c * side * side / 4);
    Case::new(
        [n, c, side / 2, side / 2],
        Work::floats(inputs + outputs),
        move || x.max_pool2d(2).realize(),
    )
}

// ---- From one place to another ---------------------------------------

pub fn transpose(setup: Setup) -> Case {
    square(setup, |x| x.t().contiguous())
}

pub fn gather(setup: Setup) -> Case {
    let (table, rows, width) = (
        setup.size(50_000, 50),
        setup.size(8192, 20),
        setup.size(512, 12),
    );
    let weights = setup.numbers(1, &[table, width], 1.0);
    let ids = setup.integers(2, &[rows], table as u32);
    Case::new([rows, width], Work::floats(2 * rows * width), move || {
        weights.get(&ids).realize()
    })
}
