//! What is not chosen must not leak: branches of `where`, masked attention, and functions far out.

use super::*;

#[test]
fn where_lets_nothing_through_from_the_other_branch() {
    for device in [Device::CPU, Device::REFERENCE] {
        let condition = Tensor::from([true, false, true]).to(device);
        let (a, b) = (
            Tensor::from([1.0, NAN, 2.0]).to(device),
            Tensor::from([INF, 3.0, NAN]).to(device),
        );
        let (a, b) = (
            a.detach().requires_grad(true),
            b.detach().requires_grad(true),
        );
        let y = condition.where_(&a, &b);
        assert_eq!(y.to_vec::<f32>(), [1.0, 3.0, 2.0]);
        y.square().sum(()).backward();
        assert_eq!(a.grad().unwrap().to_vec::<f32>(), [2.0, 0.0, 4.0]);
        assert_eq!(b.grad().unwrap().to_vec::<f32>(), [0.0, 6.0, 0.0]);
    }
    // A gradient that is NaN stays on its own side.
    let (a, b) = (
        Tensor::from([0.0, 4.0]).requires_grad(true),
        Tensor::from([4.0, 0.0]).requires_grad(true),
    );
    let nan = Tensor::from([NAN, 1.0]);
    Tensor::from([true, false])
        .where_(&a, &b)
        .mul(&nan)
        .sum(())
        .backward();
    assert!(same(&a.grad().unwrap().to_vec::<f32>(), &[NAN, 0.0]));
    assert_eq!(b.grad().unwrap().to_vec::<f32>(), [0.0, 1.0]);
}

/// The pattern by which users keep a function inside its domain, with the input of the branch kept there too.
#[test]
fn guarded_functions_have_finite_gradients() {
    let x = Tensor::from([-1.0, 0.0, 4.0]);
    let guarded = |f: fn(&Tensor) -> Tensor| {
        grad_of(&x, |x| {
            let good = x.gt(0);
            good.where_(f(&good.where_(x, 1.0)), 0.0)
        })
    };
    assert_eq!(guarded(|x| x.sqrt()), [0.0, 0.0, 0.25]);
    assert_eq!(guarded(|x| x.log()), [0.0, 0.0, 0.25]);
    assert_eq!(guarded(|x| x.reciprocal()), [0.0, 0.0, -0.0625]);
    assert_eq!(guarded(|x| x.pow(-1.5)), [0.0, 0.0, -1.5 * 4f32.powf(-2.5)]);
    // Outside of the domain, without a singularity at the point itself, no second guard is needed.
    assert_eq!(
        grad_of(&Tensor::from([-1.0, 4.0]), |x| x.gt(0).where_(x.log(), 0.0)),
        [0.0, 0.25]
    );
}

#[test]
fn far_out_there_are_limits_and_no_nan() {
    let x = Tensor::from([-1e30, -1e4, -100.0, 100.0, 1e4, 1e30]);
    type F = fn(&Tensor) -> Tensor;
    // name, function, values, slopes
    let table: [(&str, F, [f32; 6], [f32; 6]); 9] = [
        (
            "softplus",
            |x| x.softplus(1.0),
            [0.0, 0.0, 0.0, 100.0, 1e4, 1e30],
            [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
        ),
        (
            "sigmoid",
            |x| x.sigmoid(),
            [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
            [0.0; 6],
        ),
        (
            "tanh",
            |x| x.tanh(),
            [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0],
            [0.0; 6],
        ),
        (
            "swish",
            |x| x.swish(),
            [0.0, 0.0, 0.0, 100.0, 1e4, 1e30],
            [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
        ),
        (
            "gelu",
            |x| x.gelu(),
            [0.0, 0.0, 0.0, 100.0, 1e4, 1e30],
            [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
        ),
        (
            "mish",
            |x| x.mish(),
            [0.0, 0.0, 0.0, 100.0, 1e4, 1e30],
            [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
        ),
        (
            "elu",
            |x| x.elu(1.0),
            [-1.0, -1.0, -1.0, 100.0, 1e4, 1e30],
            [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
        ),
        (
            "logsumexp",
            |x| x.reshape([6, 1]).logsumexp(1),
            [-1e30, -1e4, -100.0, 100.0, 1e4, 1e30],
            [1.0; 6],
        ),
        (
            "bce",
            |x| x.maximum(0).sub(x.softplus(1.0)),
            [0.0; 6],
            [0.0; 6],
        ),
    ];
    for device in [Device::CPU, Device::REFERENCE] {
        for (name, f, values, slopes) in &table {
            let x = x.to(device);
            assert!(
                near(&f(&x).to_vec::<f32>(), values, 1e-5),
                "{name} on {device}: {:?}",
                f(&x).to_vec::<f32>()
            );
            assert!(
                near(&grad_of(&x, f), slopes, 1e-5),
                "the slope of {name} on {device}: {:?}",
                grad_of(&x, f)
            );
        }
    }
}

#[test]
fn softmax_logsumexp_and_losses_of_large_numbers() {
    for dtype in [
        DType::Float16,
        DType::BFloat16,
        DType::Float32,
        DType::Float64,
    ] {
        let large = if dtype == DType::Float16 { 6e4 } else { 1e30 };
        let x = Tensor::from([
            [large, -large, 0.0],
            [-large, -large, -large],
            [large, large, large],
        ])
        .cast(dtype);
        let third = 1.0 / 3.0;
        let softmax = [1.0, 0.0, 0.0, third, third, third, third, third, third];
        assert!(
            near(&x.softmax(1).to_vec::<f32>(), &softmax, 2e-3),
            "{dtype}: {:?}",
            x.softmax(1).to_vec::<f32>()
        );
        assert!(
            near(
                &x.logsumexp(1).to_vec::<f32>(),
                &x.max(1).to_vec::<f32>(),
                1e-2
            ),
            "{dtype}"
        );
        assert!(
            x.log_softmax(1)
                .to_vec::<f32>()
                .iter()
                .all(|y| !y.is_nan() && *y <= 0.0),
            "{dtype}"
        );
        for f in [
            (|x| x.softmax(1).square()) as fn(&Tensor) -> Tensor,
            |x| x.logsumexp(1),
            |x| x.log_softmax(1).get((.., 0)),
            |x| x.sparse_categorical_crossentropy(&Tensor::from([0, 1, 2]), -1),
        ] {
            assert!(grad_of(&x, f).iter().all(|g| g.is_finite()), "{dtype}");
        }
    }
    assert_eq!(
        Tensor::from([-INF, 0.0]).softmax(0).to_vec::<f32>(),
        [0.0, 1.0]
    );
    assert_eq!(Tensor::from([-INF, 0.0]).logsumexp(0).item::<f32>(), 0.0);
    assert_eq!(Tensor::from([-INF, -INF]).logsumexp(0).item::<f32>(), -INF);
    assert_eq!(
        grad_of(&Tensor::from([-INF, 0.0, 0.0]), |x| x.logsumexp(0)),
        [0.0, 0.5, 0.5]
    );
    let logits = Tensor::from([1e4, -1e4, 1e4, -1e4, 0.0]);
    let targets = Tensor::from([1.0, 0.0, 0.0, 1.0, 1.0]);
    assert!(
        (logits.binary_crossentropy_logits(&targets).item::<f32>() - (2e4 + 2f32.ln()) / 5.0).abs()
            < 1e-2
    );
    assert!(near(
        &grad_of(&logits, |x| x.binary_crossentropy_logits(&targets)),
        &[0.0, 0.0, 0.2, -0.2, -0.1],
        1e-6
    ));
    let sure = Tensor::from([0.0, 1.0, 1.0, 0.0]);
    assert!(
        sure.binary_crossentropy(&Tensor::from([0.0, 1.0, 0.0, 1.0]))
            .item::<f32>()
            .is_finite()
    );
    assert!(
        grad_of(&sure, |x| x
            .binary_crossentropy(&Tensor::from([0.0, 1.0, 0.0, 1.0])))
        .iter()
        .all(|g| g.is_finite())
    );
}

#[test]
fn a_row_of_attention_that_is_masked_as_a_whole() {
    for dtype in [DType::Float32, DType::Float16] {
        let [q, k, v] = [1, 2, 3].map(|seed| {
            whole(&[2, 3, 4], seed)
                .cast(dtype)
                .contiguous()
                .realize()
                .detach()
                .requires_grad(true)
        });
        let mask = Tensor::from([
            [true, false, true],
            [false, false, false],
            [true, true, true],
        ]);
        let scores = mask.where_(0.0, -INF).cast(dtype);
        for mask in [&mask, &scores] {
            for tensor in [&q, &k, &v] {
                tensor.zero_grad();
            }
            let y = q.scaled_dot_product_attention(&k, &v, Some(mask), 0.0, false);
            assert!(y.get((.., 1)).to_vec::<f32>().iter().all(|&y| y == 0.0));
            assert!(y.get((.., 0)).to_vec::<f32>().iter().any(|&y| y != 0.0));
            y.float().square().sum(()).backward();
            for (name, tensor) in [("q", &q), ("k", &k), ("v", &v)] {
                let grad = tensor.grad().unwrap().to_vec::<f32>();
                assert!(
                    grad.iter().all(|g| g.is_finite()) && grad.iter().any(|&g| g != 0.0),
                    "{name} {dtype}: {grad:?}"
                );
            }
            assert!(
                q.grad()
                    .unwrap()
                    .get((.., 1))
                    .to_vec::<f32>()
                    .iter()
                    .all(|&g| g == 0.0)
            );
        }
    }
}

#[test]
fn norms_of_constant_rows() {
    let x = Tensor::full([2, 4], 3.0);
    assert_eq!(x.layernorm(-1, 1e-5).to_vec::<f32>(), [0.0; 8]);
    for f in [
        (|x| x.layernorm(-1, 1e-5)) as fn(&Tensor) -> Tensor,
        |x| x.std(-1),
        |x| x.var(-1),
    ] {
        assert_eq!(grad_of(&x, f), [0.0; 8]);
    }
    assert_eq!(grad_of(&Tensor::zeros([3]), |x| x.abs()), [0.0; 3]);
}
