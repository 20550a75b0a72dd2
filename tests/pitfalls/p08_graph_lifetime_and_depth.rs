//! Graphs of any depth on a small stack, training of any length in the same memory.

use super::*;
use teenygrad::device::memory;

const LINKS: usize = 100_000;

/// Runs something on a stack of 2 MiB, the default of threads.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .expect("the small stack was enough");
}

/// x, x + 1, x + 1 + 1, …: builds, runs, differentiates, drops.
#[test]
fn a_hundred_thousand_additions() {
    alone(
        "p08_graph_lifetime_and_depth::a_hundred_thousand_additions",
        || {
            on_a_small_stack(|| {
                let x = Tensor::from([1.0, 2.0]).requires_grad(true);
                let mut y = x.clone();
                for _ in 0..LINKS {
                    y += 1.0;
                }
                assert_eq!(y.to_vec::<f32>(), [100_001.0, 100_002.0]);
                y.sum(()).backward();
                assert_eq!(x.grad().unwrap().to_vec::<f32>(), [1.0, 1.0]);
                drop(y);
            });
        },
    );
}

/// Different functions, each used twice: the graph is no chain but a ladder with 2^100,000 ways through it.
#[test]
fn a_ladder_of_a_hundred_thousand_functions() {
    alone(
        "p08_graph_lifetime_and_depth::a_ladder_of_a_hundred_thousand_functions",
        || {
            on_a_small_stack(|| {
                let x = Tensor::from([0.5, -0.25]).requires_grad(true);
                let mut y = x.clone();
                for _ in 0..LINKS / 4 {
                    y = (&y + y.detach()) * 0.5; // y again: half of it has a slope
                    y = &y - &y * 0.5 + &y * 0.5;
                }
                let loss = y.sum(());
                assert_eq!(loss.item::<f32>(), 0.25);
                loss.backward();
                // (½)^25,000 is 0; what counts is that it arrives.
                assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0, 0.0]);
            });
        },
    );
}

/// Never computed, only built and dropped, with the graph of the gradients on top.
#[test]
fn what_is_never_computed_is_dropped_without_recursion() {
    alone(
        "p08_graph_lifetime_and_depth::what_is_never_computed_is_dropped_without_recursion",
        || {
            on_a_small_stack(|| {
                let x = Tensor::from([1.0, 2.0]).requires_grad(true);
                let mut y = x.clone();
                for _ in 0..LINKS {
                    y = y.sin();
                }
                drop(y); // with its notes
                let mut y = x.clone();
                for _ in 0..LINKS {
                    y = y.sin();
                }
                y.sum(()).backward(); // freed by the way
                drop(y);
                drop(x); // the gradient's graph
            });
        },
    );
}

#[test]
fn views_of_views() {
    alone("p08_graph_lifetime_and_depth::views_of_views", || {
        on_a_small_stack(|| {
            let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).requires_grad(true);
            let mut y = x.clone();
            for i in 0..LINKS {
                y = match i % 4 {
                    0 => y.t(),
                    1 => y.flip(0),
                    2 => y.t(),
                    _ => y.flip(1),
                };
            }
            assert_eq!(y.to_vec::<f32>(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
            y.mul(x.detach()).sum(()).backward();
            assert_eq!(
                x.grad().unwrap().to_vec::<f32>(),
                [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
            );
        });
    });
}

/// Assignments build on each other like any graph, until somebody looks.
#[test]
fn assignments_on_assignments() {
    alone(
        "p08_graph_lifetime_and_depth::assignments_on_assignments",
        || {
            on_a_small_stack(|| {
                let x = Tensor::from([0.0, 1.0]);
                for _ in 0..LINKS / 2 {
                    x.assign(&(&x.flip(0) + 1.0));
                }
                assert_eq!(x.to_vec::<f32>(), [50_000.0, 50_001.0]);
            });
        },
    );
}

#[test]
fn a_sum_of_twenty_thousand_tensors() {
    alone(
        "p08_graph_lifetime_and_depth::a_sum_of_twenty_thousand_tensors",
        || {
            on_a_small_stack(|| {
                let parts: Vec<Tensor> = (0..20_000)
                    .map(|i| Tensor::from([i as f32, 1.0]).requires_grad(true))
                    .collect();
                let sum = parts
                    .iter()
                    .skip(1)
                    .fold(parts[0].clone(), |sum, part| sum + part);
                let sums = sum.to_vec::<f32>();
                assert!(
                    (sums[0] / 199_990_000.0 - 1.0).abs() < 1e-4 && sums[1] == 20_000.0,
                    "{sums:?}"
                );
                sum.sum(()).backward();
                assert!(
                    parts
                        .iter()
                        .all(|part| part.grad().unwrap().to_vec::<f32>() == [1.0, 1.0])
                );
            });
        },
    );
}

/// Memory of the process in bytes.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? * 1024)
}

#[test]
fn ten_thousand_training_steps_hold_memory_flat() {
    alone(
        "p08_graph_lifetime_and_depth::ten_thousand_training_steps_hold_memory_flat",
        || {
            Tensor::manual_seed(1);
            let params = [
                Tensor::kaiming_uniform([16, 8]),
                Tensor::zeros([16]),
                Tensor::kaiming_uniform([4, 16]),
                Tensor::zeros([4]),
            ];
            let mut optimizer = Adam::new(&params, 1e-3);
            let _train = Tensor::train(true);
            let mut losses = Vec::new();
            let mut step = |losses: &mut Vec<f32>| {
                let x = Tensor::randn([8, 8]);
                let labels = x.detach().get((.., ..4)).argmax(1);
                optimizer.zero_grad();
                let hidden = x
                    .linear(&params[0].t(), Some(&params[1]))
                    .relu()
                    .dropout(0.1);
                let loss = hidden
                    .linear(&params[2].t(), Some(&params[3]))
                    .sparse_categorical_crossentropy(&labels, -1);
                loss.backward();
                optimizer.step();
                losses.push(loss.item::<f32>());
            };
            losses.reserve(20_000);
            (0..1_000).for_each(|_| step(&mut losses));
            let before = (memory::statistics(), resident());
            (0..9_000).for_each(|_| step(&mut losses));
            let after = (memory::statistics(), resident());
            assert_eq!(before.0.0, after.0.0, "bytes in use by buffers");
            assert!(
                after.0.1 <= before.0.1 + (64 << 10),
                "bytes held by the pool: {} before, {} after",
                before.0.1,
                after.0.1
            );
            if let (Some(before), Some(after)) = (before.1, after.1) {
                assert!(
                    after < before + (2 << 20),
                    "the process has grown by {} KiB",
                    (after - before) >> 10
                );
            }
            let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
            assert!(
                mean(&losses[9_000..]) < 0.7 * mean(&losses[..100]),
                "and it has learned something: {} {}",
                mean(&losses[..100]),
                mean(&losses[9_000..])
            );
        },
    );
}

/// Shapes that change with each step (the last batch, sentences of all lengths) make a plan each. They must not pile up.
#[test]
fn ever_new_shapes_hold_memory_bounded() {
    alone(
        "p08_graph_lifetime_and_depth::ever_new_shapes_hold_memory_bounded",
        || {
            let w = Tensor::from([[1.0, 2.0], [3.0, 4.0]]).requires_grad(true);
            // 3,007 different shapes, and none large: the tables in a plan grow with its shapes.
            let step = |n: usize| {
                w.zero_grad();
                Tensor::ones([1 + n % 97, 1 + n % 31, 2])
                    .mul(w.get(0))
                    .matmul(&w)
                    .softmax(-1)
                    .square()
                    .sum(())
                    .backward();
                w.grad().unwrap().realize();
            };
            (1..1_000).for_each(step);
            let before = (memory::statistics(), resident());
            (1_000..3_000).for_each(step);
            let after = (memory::statistics(), resident());
            assert_eq!(before.0.0, after.0.0, "bytes in use by buffers");
            if let (Some(before), Some(after)) = (before.1, after.1) {
                assert!(
                    after < before + (8 << 20),
                    "the process has grown by {} KiB",
                    (after - before) >> 10
                );
            }
        },
    );
}

/// … and large ones do not either: neither their plans, nor blocks of ever new sizes that the allocator could not give back.
#[test]
fn plans_of_ever_new_large_shapes_hold_memory_bounded() {
    alone(
        "p08_graph_lifetime_and_depth::plans_of_ever_new_large_shapes_hold_memory_bounded",
        || {
            let w = Tensor::ones([32, 1, 3, 3]).requires_grad(true);
            let step = |batch: usize| {
                w.zero_grad();
                let hidden = Tensor::rand([batch, 1, 28, 28]).conv2d(&w, None).relu();
                hidden.max_pool2d(2).square().sum(()).backward();
                w.grad().unwrap().realize();
            };
            (140..142).for_each(step);
            memory::trim();
            let before = resident();
            (100..135).for_each(step);
            memory::trim();
            if let (Some(before), Some(after)) = (before, resident()) {
                let grown = after.saturating_sub(before) >> 20;
                assert!(grown < 96, "35 batch sizes have taken {grown} MiB");
            }
        },
    );
}

#[test]
fn dropping_the_loss_and_detaching_free_the_graph() {
    alone(
        "p08_graph_lifetime_and_depth::dropping_the_loss_and_detaching_free_the_graph",
        || {
            const MIB: usize = 1 << 20;
            let in_use = || memory::statistics().0;
            let w = Tensor::ones([512, 512])
                .contiguous()
                .realize()
                .detach()
                .requires_grad(true); // 1 MiB
            let start = in_use();

            // A realized link of the graph is memory that the way back needs …
            let hidden = (&w * 2.0).realize();
            let loss = hidden.square().sum(());
            loss.realize();
            assert!(
                in_use() >= start + MIB,
                "the graph holds what backward needs"
            );
            // … and goes with the graph.
            drop(loss);
            drop(hidden);
            assert_eq!(in_use(), start, "after dropping the loss");

            // Backward frees what it has walked, even while the loss lives.
            let hidden = (&w * 2.0).realize();
            let loss = hidden.square().sum(());
            drop(hidden);
            loss.backward();
            w.grad().unwrap().realize();
            loss.realize();
            w.zero_grad();
            assert!(
                in_use() <= start + 4096,
                "after backward: {} bytes more",
                in_use() - start
            );
            drop(loss);
            assert_eq!(in_use(), start);

            // A detached value holds itself and nothing that made it.
            let first = (&w * 2.0).realize();
            let second = (&first * 3.0).realize();
            let kept = second.sum(()).realize().detach();
            drop((first, second));
            assert!(
                in_use() <= start + 4096,
                "after detaching: {} bytes more",
                in_use() - start
            );
            assert_eq!(kept.item::<f32>(), 6.0 * 512.0 * 512.0);
            drop(kept);
            assert_eq!(in_use(), start);

            // A list of losses, as users keep them for a plot: detached, they don't keep their graphs.
            let kept: Vec<Tensor> = (0..20)
                .map(|i| (&w * i as f32).realize().sum(()).realize().detach())
                .collect();
            assert!(
                in_use() <= start + 20 * 4096,
                "a list of losses: {} bytes more",
                in_use() - start
            );
            drop(kept);
            memory::trim();
            assert_eq!(memory::statistics().1, 0);
        },
    );
}

/// Scopes end in whatever order things happen to be dropped in, panics included.
#[test]
fn modes_end_with_their_scopes() {
    panic_of(|| Tensor::no_grad(|| panic!("out")));
    assert_eq!(
        Tensor::from([1.0]).requires_grad(true).mul(2).needs_grad(),
        Some(true)
    );
    panic_of(|| {
        let _train = Tensor::train(true);
        panic!("out")
    });
    assert!(!Tensor::training());
}
