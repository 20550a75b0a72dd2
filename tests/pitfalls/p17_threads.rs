//! The same bits for any number of threads, and tensors in the hands of several threads.

use super::*;
use std::sync::Barrier;

/// Several steps of a small convolutional net: what the parameters are afterwards, byte for byte.
#[cfg(feature = "threads")]
fn trained() -> Vec<Vec<u8>> {
    Tensor::manual_seed(5);
    let _train = Tensor::train(true);
    let params = [
        Tensor::kaiming_uniform([8, 1, 5, 5]),
        Tensor::zeros([8]),
        Tensor::kaiming_uniform([16, 8, 3, 3]),
        Tensor::kaiming_uniform([16 * 25, 10]),
    ];
    let mut optimizer = AdamW::new(&params, 1e-3);
    let mut states = Vec::new();
    for _ in 0..3 {
        let x = Tensor::rand([32, 1, 28, 28]);
        let labels = Tensor::randint([32], 0, 10);
        optimizer.zero_grad();
        let hidden = x.conv2d(&params[0], Some(&params[1])).relu().max_pool2d(2);
        let hidden = hidden
            .conv2d(&params[2], None)
            .relu()
            .max_pool2d(2)
            .flatten(1)
            .dropout(0.2);
        let loss = hidden
            .linear(&params[3], None)
            .sparse_categorical_crossentropy(&labels, -1);
        loss.backward();
        optimizer.step();
        states.push(loss.to_bytes());
    }
    states.extend(params.iter().map(Tensor::to_bytes));
    states
}

/// Reductions and contractions of shapes that are split in different ways: long and thin, short and wide, all summed.
#[cfg(feature = "threads")]
fn reduced() -> Vec<Vec<u8>> {
    Tensor::manual_seed(6);
    let long = Tensor::rand([300_001]).sub(0.5).realize();
    let wide = Tensor::rand([3, 200_000]).sub(0.5).realize();
    let tall = Tensor::rand([200_000, 3]).sub(0.5).realize();
    let cube = Tensor::rand([37, 61, 83]).sub(0.5).realize();
    let (a, b) = (
        Tensor::rand([7, 50_000]).realize(),
        Tensor::rand([50_000, 5]).realize(),
    );
    let (c, d) = (
        Tensor::rand([301, 257]).realize(),
        Tensor::rand([257, 203]).realize(),
    );
    let pictures = Tensor::rand([16, 3, 30, 30])
        .realize()
        .detach()
        .requires_grad(true);
    let weight = Tensor::rand([4, 3, 3, 3])
        .realize()
        .detach()
        .requires_grad(true);
    pictures.conv2d(&weight, None).square().sum(()).backward();
    [
        long.sum(()),
        long.square().mean(()),
        long.exp().max(()),
        long.std(()),
        long.cumsum(0),
        long.softmax(0),
        long.logsumexp(0),
        wide.sum(1),
        wide.sum(0),
        tall.sum(0),
        tall.sum(1),
        tall.sum(()),
        tall.half().sum(0),
        cube.sum(1),
        cube.sum([0, 2]),
        cube.sum(()),
        cube.layernorm(-1, 1e-5),
        cube.argmax(()),
        a.matmul(&b), // few outputs, a long way to sum
        a.matmul(a.t()),
        long.dot(&long),
        c.matmul(&d),
        c.half().matmul(d.half()),
        c.matmul(&d).relu().sum(0),
        pictures.grad().unwrap(),
        weight.grad().unwrap(), // a contraction over pictures and places
        Tensor::rand([1000, 100]).mul(wide.get((0, 0))).sum(0),
    ]
    .iter()
    .map(Tensor::to_bytes)
    .collect()
}

#[cfg(feature = "threads")]
#[test]
fn one_two_and_seven_threads_give_the_same_bits() {
    let with = |threads: usize, run: fn() -> Vec<Vec<u8>>| {
        teenygrad::device::cpu::threads::with_threads(threads, run)
    };
    for (name, run) in [
        ("training", trained as fn() -> Vec<Vec<u8>>),
        ("reductions", reduced),
    ] {
        let one = with(1, run);
        assert!(one.iter().flatten().any(|&byte| byte != 0));
        for threads in [2, 7, 7, 1] {
            let more = with(threads, run);
            for (i, (a, b)) in one.iter().zip(&more).enumerate() {
                assert!(
                    a == b,
                    "{name}: result {i} differs between 1 thread and {threads}"
                );
            }
        }
    }
}

/// Eight threads at once: each its own graph over shared tensors, some of which nobody has computed yet.
#[test]
fn shared_tensors_are_read_from_several_threads_at_once() {
    alone(
        "p17_threads::shared_tensors_are_read_from_several_threads_at_once",
        || {
            for _ in 0..20 {
                let base = whole(&[64, 64], 1);
                let lazy = base.mul(2).add(1); // realized by whoever comes first
                let expected = lazy.matmul(lazy.t()).to_vec::<f64>();
                let lazy = base.mul(2).add(1);
                let start = Barrier::new(8);
                std::thread::scope(|scope| {
                    for thread in 0..8 {
                        let (lazy, start, expected) = (&lazy, &start, &expected);
                        scope.spawn(move || {
                            start.wait();
                            if thread % 2 == 0 {
                                lazy.realize();
                            }
                            let own = lazy.matmul(lazy.t()).add(thread as f64);
                            let got = own.to_vec::<f64>();
                            assert!(
                                got.iter()
                                    .zip(expected)
                                    .all(|(a, b)| *a == b + thread as f64),
                                "thread {thread}"
                            );
                        });
                    }
                });
            }
        },
    );
}

#[test]
fn gradients_of_a_shared_parameter_add_up_from_several_threads() {
    alone(
        "p17_threads::gradients_of_a_shared_parameter_add_up_from_several_threads",
        || {
            for _ in 0..20 {
                let w = whole(&[100], 1).requires_grad(true);
                let start = Barrier::new(8);
                std::thread::scope(|scope| {
                    for thread in 1..=8 {
                        let (w, start) = (&w, &start);
                        scope.spawn(move || {
                            start.wait();
                            w.mul(thread).sum(()).backward();
                        });
                    }
                });
                assert_eq!(w.grad().unwrap().to_vec::<f64>(), [36.0; 100]);
            }
        },
    );
}

/// A writer and readers: each reader sees one of the values that there were, never a mixture.
#[test]
fn readers_see_whole_values_while_another_thread_assigns() {
    alone(
        "p17_threads::readers_see_whole_values_while_another_thread_assigns",
        || {
            let x = Tensor::zeros([50_000]).contiguous().realize();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    for _ in 0..300 {
                        x.assign(&(&x + 1.0));
                        x.realize();
                    }
                });
                for _ in 0..3 {
                    scope.spawn(|| {
                        let mut last = 0.0;
                        for _ in 0..100 {
                            let values = x.to_vec::<f32>();
                            assert!(values.iter().all(|&value| value == values[0]), "a mixture");
                            assert!(values[0] >= last, "back in time");
                            last = values[0];
                        }
                    });
                }
            });
            assert_eq!(x.to_vec::<f32>(), vec![300.0; 50_000]);
        },
    );
}

/// Whoever uses the same thread pool as the engine computes tensors from within its tasks.
#[cfg(feature = "threads")]
#[test]
fn tensors_are_computed_within_tasks_of_the_same_pool() {
    alone(
        "p17_threads::tensors_are_computed_within_tasks_of_the_same_pool",
        || {
            use rayon::prelude::*;
            for threads in [1, 2, 7] {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .unwrap();
                let sums: Vec<f64> = pool.install(|| {
                    (0..64usize)
                        .into_par_iter()
                        .map(|i| {
                            // Large enough that the engine itself asks the pool for help.
                            let x = Tensor::full([400, 1000], i as f64).contiguous().realize();
                            x.add(1.0).contiguous().sum(()).item::<f64>()
                        })
                        .collect()
                });
                for (i, sum) in sums.iter().enumerate() {
                    assert_eq!(*sum, (i + 1) as f64 * 400_000.0);
                }
            }
        },
    );
}

#[test]
fn modes_and_seeds_belong_to_a_thread() {
    let _train = Tensor::train(true);
    Tensor::manual_seed(9);
    let here = Tensor::rand([4]).to_vec::<f32>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert!(!Tensor::training());
            Tensor::rand([100]);
            Tensor::manual_seed(9);
            assert_eq!(Tensor::rand([4]).to_vec::<f32>(), here);
        });
    });
    let next = Tensor::rand([4]).to_vec::<f32>();
    Tensor::manual_seed(9);
    Tensor::rand([4]);
    assert_eq!(
        Tensor::rand([4]).to_vec::<f32>(),
        next,
        "another thread's draws do not count"
    );
}
