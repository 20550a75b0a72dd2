//! How many kernels the scheduler makes of well-known computations.
//!
//! Fusion is easily lost: a movement that no longer composes, one more user of an intermediate result, and a kernel becomes two.
//! Values stay right, so only counting notices. Each number here is argued for.

use teenygrad::kernel::{Body, Kernel};
use teenygrad::lazy::LazyBuffer;
use teenygrad::nn::optim::{Adam, Optimizer};
use teenygrad::schedule::{Plan, plan};
use teenygrad::{Tensor, realize};

fn plan_of(tensors: &[&Tensor]) -> Plan {
    plan(
        &tensors
            .iter()
            .map(|tensor| tensor.lazydata())
            .collect::<Vec<LazyBuffer>>(),
    )
}

fn kernels(tensors: &[&Tensor]) -> usize {
    plan_of(tensors).len()
}

fn random(shape: &[usize]) -> Tensor {
    Tensor::rand(shape).realize()
}

#[test]
fn element_wise_chains_are_one_kernel() {
    let (x, y) = (random(&[64, 100]), random(&[64, 100]));
    assert_eq!(kernels(&[&(&x * 2.0 + &y).relu().neg().exp()]), 1);
    assert_eq!(kernels(&[&x.gelu()]), 1);
    assert_eq!(kernels(&[&(x.t() + y.t()).reshape([50, 2, 64]).exp()]), 1); // movements compose on the way
    assert_eq!(kernels(&[&x.pad(&[(1, 1), (2, 0)], 0.0).exp()]), 1);
    assert_eq!(kernels(&[&Tensor::cat(&[&(&x * 2.0), &y.exp()], 0)]), 1); // each half is padded with zeros, and they are added
    assert_eq!(kernels(&[&x.tril(0)]), 1); // the mask is arithmetic on positions, not memory
}

#[test]
fn a_reduction_takes_what_is_before_and_after_it_along() {
    let x = random(&[64, 100]);
    assert_eq!(kernels(&[&(&x * 2.0 + 1.0).relu().exp().sum(())]), 1);
    assert_eq!(kernels(&[&x.square().mean(-1).sqrt()]), 1);
    assert_eq!(kernels(&[&x.sum(0).sum(0)]), 1); // a sum of a sum is one sum
}

#[test]
fn what_happens_to_each_row_is_one_kernel() {
    let x = random(&[64, 100]);
    // The maximum, the sum and the quotient of a row are computed while it is in cache, and nothing but the result is memory.
    let softmax = plan_of(&[&x.softmax(-1)]);
    assert_eq!(softmax.len(), 1);
    assert!(
        softmax
            .kernels()
            .all(|kernel| kernel.inputs.len() == 1 && kernel.outputs.len() == 1)
    );
    assert_eq!(kernels(&[&x.log_softmax(-1)]), 1);
    assert_eq!(kernels(&[&x.layernorm(-1, 1e-5)]), 1);
    // What is asked for is stored all the same.
    let total = x.sum_keepdim(-1);
    let shares = &x / &total;
    let plan = plan_of(&[&total, &shares]);
    assert_eq!(
        (plan.len(), plan.kernels().next().unwrap().outputs.len()),
        (1, 2)
    );
    // Columns are no rows: neighbours in a column lie far apart.
    assert_eq!(kernels(&[&x.softmax(0)]), 3);
    // Rows that no cache holds are read once for each step.
    assert_eq!(kernels(&[&random(&[8, 20_000]).softmax(-1)]), 3);
}

#[test]
fn sums_of_products_keep_their_factors() {
    // Two sums of products in one kernel, whose factors are no memory: the second's must not be computed where the first's still are.
    let (x, y) = (random(&[40, 700]), random(&[700, 40]));
    let (a, b) = (x.flip([1]) + 1.0, y.t().flip([0]) * 2.0);
    let sum = (&a * &b).sum(1) + ((&a - &b) * (&b + 3.0)).sum(1);
    assert_eq!(kernels(&[&sum]), 1);
    let (x, y) = (x.to_vec::<f32>(), y.to_vec::<f32>());
    for (row, sum) in sum.to_vec::<f32>().into_iter().enumerate() {
        let terms = (0..700).map(|i| {
            let a = x[row * 700 + 699 - i] as f64 + 1.0;
            let b = y[i * 40 + 39 - row] as f64 * 2.0;
            a * b + (a - b) * (b + 3.0)
        });
        let expected: f64 = terms.sum();
        assert!(
            (sum as f64 - expected).abs() < 1e-2,
            "{row}: {sum} {expected}"
        );
    }
}

#[test]
fn rows_give_what_single_steps_give() {
    // Long and short rows, several to a block and ragged; a number of rows that no block divides; halves; the gradient.
    for (rows, length) in [(64, 100), (1000, 3), (9, 5000), (33, 128), (3, 1)] {
        for dtype in [
            teenygrad::DType::Float32,
            teenygrad::DType::Float16,
            teenygrad::DType::Float64,
        ] {
            let x = Tensor::randn([rows, length])
                .cast(dtype)
                .realize()
                .requires_grad(true);
            let y = x.log_softmax(-1);
            y.mul(&x).sum(()).backward();
            let reference = x
                .detach()
                .to(teenygrad::Device::REFERENCE)
                .requires_grad(true);
            let expected = reference.log_softmax(-1);
            expected.mul(&reference).sum(()).backward();
            let close = |a: &Tensor, b: &Tensor| {
                let (a, b) = (
                    a.cast(teenygrad::DType::Float64).to_vec::<f64>(),
                    b.cast(teenygrad::DType::Float64).to_vec::<f64>(),
                );
                let tolerance = if dtype == teenygrad::DType::Float16 {
                    2e-2
                } else {
                    1e-4
                };
                a.iter()
                    .zip(&b)
                    .all(|(a, b)| (a - b).abs() <= tolerance * b.abs().max(1.0))
            };
            assert!(close(&y, &expected), "{rows} rows of {length} {dtype}");
            assert!(
                close(&x.grad().unwrap(), &reference.grad().unwrap()),
                "gradient, {rows} rows of {length} {dtype}"
            );
        }
    }
}

#[test]
fn products_are_contractions_with_an_epilogue() {
    let x = random(&[64, 100]);
    let (w, b) = (random(&[100, 32]), random(&[32]));
    let linear = plan_of(&[&x.linear(&w, Some(&b)).relu()]);
    assert_eq!(linear.len(), 1);
    let (image, weight, bias) = (random(&[4, 3, 12, 12]), random(&[8, 3, 3, 3]), random(&[8]));
    let conv = plan_of(&[&image.conv2d(&weight, Some(&bias)).relu()]);
    assert_eq!(conv.len(), 1);
    // The product of 4·8·10·10·27 numbers is never memory: outputs are as large as the result.
    assert!(
        conv.kernels()
            .all(|kernel| kernel.outputs[0].len == 4 * 8 * 10 * 10)
    );
}

#[test]
fn both_gradients_of_a_convolution_are_one_contraction_each() {
    let image = random(&[4, 3, 12, 12]).requires_grad(true);
    let weight = random(&[8, 3, 3, 3]).requires_grad(true);
    image.conv2d(&weight, None).square().sum(()).backward();
    let (dx, dw) = (image.grad().unwrap(), weight.grad().unwrap());
    // The forward convolution (times 2), then a contraction for each: window's fold has merged with the sum over channels.
    assert_eq!(kernels(&[&dx, &dw]), 3);
    assert_eq!(kernels(&[&dx]), 2);
}

#[test]
fn what_nobody_looks_at_is_not_computed() {
    let image = random(&[4, 3, 12, 12]).requires_grad(true);
    let weight = random(&[8, 3, 3, 3]).requires_grad(true);
    let options = teenygrad::tensor::conv::Conv::default().padding(1);
    let hidden = image.relu();
    let out = hidden.conv2d_with(&weight, None, options.clone());
    out.square().sum(()).backward();
    // relu, the convolution, and the image's gradient. That of the padded image would have 14 · 14 pixels; relu's wants 12 · 12 of them,
    // and is computed right after the sum.
    let plan = plan_of(&[&image.grad().unwrap()]);
    assert_eq!(plan.len(), 3);
    let last = plan.kernels().last().unwrap();
    assert_eq!(last.outputs[0].len, 4 * 3 * 12 * 12);
    assert!(matches!(&last.body, Body::Nest(nest) if nest.reduces()));
    // Where the windows leave gaps, pixels come out interleaved, which is no view of a sum: the sum alone is memory, in one contraction.
    let weight = random(&[8, 3, 3, 3]).requires_grad(true);
    let image = random(&[4, 3, 12, 12]).requires_grad(true);
    let out = image.relu().conv2d_with(&weight, None, options.stride(2));
    out.square().sum(()).backward();
    assert_eq!(kernels(&[&image.grad().unwrap()]), 4);
    // A sum that is looked at from two places is computed once.
    let rows = random(&[64, 100]).sum(-1);
    let differences = rows.shrink(&[(1, 64)]) - rows.shrink(&[(0, 63)]);
    assert_eq!(kernels(&[&differences]), 2);
}

#[test]
fn a_pooling_window_hands_its_gradient_to_the_activation_before_it() {
    let gradient = |size: usize| {
        let image = random(&[32, 16, size, size]).requires_grad(true);
        image.relu().max_pool2d(2).square().sum(()).backward();
        kernels(&[&image.grad().unwrap()])
    };
    // The maxima; among how many numbers each one's gradient is shared; what each number gets, through the window and the activation. The
    // latter two have the same points, counted as [12, 2, 12, 2] and as [24, 24].
    assert_eq!(gradient(24), 3);
    // A margin that no window reaches: the activation reads [25, 25] of [12, 2, 12, 2] and zeros beside.
    assert_eq!(gradient(25), 4);
}

#[test]
fn strided_windows_fold_without_a_copy() {
    let image = random(&[2, 4, 9, 9]).requires_grad(true);
    let weight = random(&[8, 4, 3, 3]).requires_grad(true);
    let options = teenygrad::tensor::conv::Conv::default()
        .stride(2)
        .padding(1);
    image
        .conv2d_with(&weight, None, options)
        .square()
        .sum(())
        .backward();
    // Forward, and one contraction whose rows and columns come out interleaved as they lie in the image.
    let plan = plan_of(&[&image.grad().unwrap()]);
    assert_eq!(plan.len(), 2);
    // The weights know nothing of places in the image, nor the gradient of phases and channels, not even by a bound: else each
    // place would be a product of its own.
    for kernel in plan.kernels() {
        let Body::Nest(nest) = &kernel.body else {
            panic!("{kernel}: no loop nest")
        };
        for view in nest.lines.iter().filter_map(|line| line.inst.view()) {
            let foreign = |axis: usize| {
                view.strides[axis] == 0 && view.bounds.iter().any(|bound| bound.coefs[axis] != 0)
            };
            assert!(!(0..view.shape.len()).any(foreign), "{view:?}");
        }
    }
}

/// How many kernels something runs.
fn ran(what: impl FnOnce()) -> u64 {
    let before = realize::kernels_on_this_thread();
    what();
    realize::kernels_on_this_thread() - before
}

#[test]
fn training_steps() {
    // An Adam step reads and writes every array once: one kernel a parameter.
    let parameters: Vec<Tensor> = [[40, 30], [30, 20], [20, 10]]
        .iter()
        .map(|s| random(s))
        .collect();
    let mut optimizer = Adam::new(&parameters[..], 0.001);
    for _ in 0..3 {
        for parameter in &parameters {
            parameter.set_grad(Some(random(&parameter.shape())));
        }
        assert_eq!(ran(|| optimizer.step()), 3);
    }
    // A whole step of the seed's TinyConvNet.
    let weights = [
        random(&[8, 1, 3, 3]),
        random(&[16, 8, 3, 3]),
        random(&[400, 10]),
    ];
    let mut optimizer = Adam::new(&weights[..], 0.001);
    let (x, labels) = (random(&[32, 784]), Tensor::from(vec![3u8; 32]));
    for _ in 0..3 {
        let count = ran(|| {
            let x = x
                .reshape([-1, 1, 28, 28])
                .conv2d(&weights[0], None)
                .relu()
                .max_pool2d(2);
            let x = x
                .conv2d(&weights[1], None)
                .relu()
                .max_pool2d(2)
                .reshape([32, -1]);
            let loss = x
                .dot(&weights[2])
                .log_softmax(-1)
                .sparse_categorical_crossentropy(&labels, -1);
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
        });
        assert!(count <= 33, "{count} kernels");
    }
}

#[test]
fn sums_over_the_same_axes_are_one_kernel() {
    // A norm's gain and bias: neither sum of products is a contraction, and axes of size 1 make no difference.
    let (dy, x) = (random(&[64, 100]), random(&[64, 100]));
    let (gain, bias) = ((&dy * (&x - 1.0)).sum(0), dy.sum_keepdim(0));
    let plan = plan_of(&[&gain, &bias]);
    assert_eq!(
        (plan.len(), plan.kernels().next().unwrap().outputs.len()),
        (1, 2)
    );
    let (gain, bias) = (gain.to_vec::<f32>(), bias.to_vec::<f32>());
    let (dy, x) = (dy.to_vec::<f32>(), x.to_vec::<f32>());
    for column in 0..100 {
        let at = |row: usize| (dy[row * 100 + column], x[row * 100 + column]);
        let sum: f32 = (0..64).map(at).map(|(dy, x)| dy * (x - 1.0)).sum();
        assert!((gain[column] - sum).abs() < 1e-3);
        let sum: f32 = (0..64).map(at).map(|(dy, _)| dy).sum();
        assert!((bias[column] - sum).abs() < 1e-3);
    }
    // But a contraction keeps its loops for itself.
    let (a, b) = (random(&[64, 32]), random(&[32, 48]));
    let products = [&a.matmul(&b), &(a.reshape([64, 1, 32]) + b.t()).sum(-1)];
    assert_eq!(kernels(&products), 2);
}

#[test]
fn a_batch_norm_takes_few_passes() {
    // Small pictures: a channel's mean, variance and gradients' sums in one kernel, and the gradient of x. Larger ones, which are read in the
    // order of memory: mean; variance; the gradients of factor, bias and mean together; that of x.
    for (size, passes) in [(7, 2), (40, 4), (48, 4)] {
        let x = random(&[8, 16, size, size]).requires_grad(true);
        let [gain, bias] = [1.0, 2.0].map(|c| (random(&[16]) + c).realize().requires_grad(true));
        let axes = [0, 2, 3];
        let invstd = (x.var_with(axes, false, 0) + 1e-5).rsqrt();
        let y = x.batchnorm(Some(&gain), Some(&bias), &x.mean(axes), &invstd);
        (y.square() * 0.5).sum(()).backward();
        let gradients = [&x, &gain, &bias].map(|tensor| tensor.grad().unwrap());
        let plan = plan_of(&gradients.each_ref());
        let reads_x = |kernel: &&Kernel| kernel.inputs.iter().any(|slot| slot.len == x.numel());
        assert_eq!(plan.kernels().filter(reads_x).count(), passes, "{size}");
    }
}

#[test]
fn one_label_a_row_is_a_comparison() {
    let x = random(&[64, 10]).requires_grad(true);
    let labels = Tensor::from((0..64).map(|i| i % 10).collect::<Vec<i32>>()).realize();
    x.sparse_categorical_crossentropy(&labels, -1).backward();
    let gradient = x.grad().unwrap();
    let scatters = |kernel: &Kernel| matches!(kernel.body, Body::Scatter { .. });
    assert!(!plan_of(&[&gradient]).kernels().any(scatters));
    // softmax − 1 at the label, over 64 rows
    let softmax = x.detach().softmax(-1).to_vec::<f32>();
    for (i, (gradient, share)) in gradient.to_vec::<f32>().iter().zip(softmax).enumerate() {
        let hit = if i / 10 % 10 == i % 10 { 1.0 } else { 0.0 };
        assert!((gradient - (share - hit) / 64.0).abs() < 1e-6, "{i}");
    }
    // An index that is outside is nowhere.
    let outside = Tensor::from([[10i64], [-1]]);
    let x = random(&[2, 10]).requires_grad(true);
    x.gather(&outside, 1).sum(()).backward();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0; 20]);
}

#[test]
fn what_only_its_own_kernel_reads_is_not_stored() {
    let x = (random(&[64, 100]).abs() + 1.0).realize();
    let power = x.pow(&x); // too dear to be computed twice
    let plan = plan_of(&[&(&power + 1.0), &(&power * 2.0)]);
    assert_eq!(plan.len(), 1);
    assert_eq!(plan.kernels().next().unwrap().outputs.len(), 2);
}
