//! # rows/machine: what the machine can do
//!
//! Plain loops, without tensors and kernels: the roof under which the other rows are. They are those by which `DEBUG=2` measures it, on the
//! same threads that kernels use.

use crate::case::{Case, Expected, Setup, Work};
use crate::numbers;
use std::hint::black_box;
use teenygrad::device::cpu::roofline;

/// The machine's rows have nothing to check: what they compute is thrown away.
fn case(work: Work, mut run: impl FnMut() + 'static) -> Case {
    Case {
        run: Box::new(move || {
            run();
            Vec::new()
        }),
        work,
        expected: Expected::Nothing,
    }
}

/// Multiply-adds of each register in one run.
const ROUNDS: usize = 400_000;

pub fn fma_peak(setup: Setup) -> Case {
    let rounds = setup.size(ROUNDS, 10);
    let work = Work::flops(roofline::multiply_adds(rounds));
    case(work, move || {
        black_box(roofline::multiply_adds(rounds));
    })
}

pub fn stream_add(setup: Setup) -> Case {
    let n = setup.size(4096 * 4096, 1000);
    let (a, b) = (numbers::floats(1, n, 1.0), numbers::floats(2, n, 1.0));
    // Written once now, so that its pages are there.
    let mut c = vec![1.0f32; n];
    case(Work::floats(3 * n), move || {
        roofline::add(&a, &b, &mut c);
        black_box(&mut c);
    })
}

pub fn stream_sum(setup: Setup) -> Case {
    let n = setup.size(4096 * 4096, 1000);
    let a = numbers::floats(1, n, 1.0);
    case(Work::floats(n), move || {
        black_box(roofline::sum(black_box(&a)));
    })
}
