//! Tensors without elements and tensors without axes, through every op.

use super::*;

type Op = (&'static str, fn(&Tensor) -> Tensor);

const ELEMENTWISE: [Op; 60] = [
    ("neg", |x| x.neg()),
    ("contiguous", |x| x.contiguous()),
    ("contiguous_backward", |x| x.contiguous_backward()),
    ("log", |x| x.log()),
    ("log2", |x| x.log2()),
    ("exp", |x| x.exp()),
    ("exp2", |x| x.exp2()),
    ("sigmoid", |x| x.sigmoid()),
    ("sqrt", |x| x.sqrt()),
    ("rsqrt", |x| x.rsqrt()),
    ("square", |x| x.square()),
    ("reciprocal", |x| x.reciprocal()),
    ("sin", |x| x.sin()),
    ("cos", |x| x.cos()),
    ("tan", |x| x.tan()),
    ("sinh", |x| x.sinh()),
    ("cosh", |x| x.cosh()),
    ("tanh", |x| x.tanh()),
    ("asinh", |x| x.asinh()),
    ("acosh", |x| x.add(1).acosh()),
    ("atanh", |x| x.mul(0.5).atanh()),
    ("trunc", |x| x.trunc()),
    ("floor", |x| x.floor()),
    ("ceil", |x| x.ceil()),
    ("round", |x| x.round()),
    ("abs", |x| x.abs()),
    ("sign", |x| x.sign()),
    ("clip", |x| x.clip(-1.0, 1.0)),
    ("relu", |x| x.relu()),
    ("relu6", |x| x.relu6()),
    ("hardtanh", |x| x.hardtanh(-1.0, 1.0)),
    ("hardswish", |x| x.hardswish()),
    ("leakyrelu", |x| x.leakyrelu(0.1)),
    ("elu", |x| x.elu(1.0)),
    ("celu", |x| x.celu(1.0)),
    ("swish", |x| x.swish()),
    ("silu", |x| x.silu()),
    ("gelu", |x| x.gelu()),
    ("quick_gelu", |x| x.quick_gelu()),
    ("softplus", |x| x.softplus(1.0)),
    ("mish", |x| x.mish()),
    ("softsign", |x| x.softsign()),
    ("cast", |x| x.cast(DType::Float64).cast(DType::Float32)),
    ("half", |x| x.half().float()),
    ("to", |x| x.to(Device::REFERENCE).to(Device::CPU)),
    ("add", |x| x.add(x)),
    ("sub", |x| x.sub(1)),
    ("mul", |x| x.mul(x)),
    ("div", |x| x.div(2)),
    ("idiv", |x| x.idiv(2)),
    ("modulo", |x| x.modulo(2)),
    ("pow", |x| x.pow(x)),
    ("pow 2.5", |x| x.pow(2.5)),
    ("rpow", |x| x.rpow(2)),
    ("maximum", |x| x.maximum(0)),
    ("minimum", |x| x.minimum(x)),
    ("where_", |x| x.gt(0).where_(x, 0.0)),
    ("dropout", |x| {
        let _train = Tensor::train(true);
        x.dropout(0.0)
    }),
    ("flip", |x| x.flip(())),
    ("t t", |x| x.t().t()),
];

/// Runs forward and backward, and looks at shapes.
fn runs(
    name: &str,
    shape: &[usize],
    f: impl Fn(&Tensor) -> Tensor,
    expected: Option<&[usize]>,
) -> Vec<f32> {
    let mut values = Vec::new();
    for device in [Device::CPU, Device::REFERENCE] {
        let x = Tensor::full(shape, 0.75)
            .to(device)
            .contiguous()
            .realize()
            .detach()
            .requires_grad(true);
        let y = f(&x);
        if let Some(expected) = expected {
            assert_eq!(y.shape(), expected, "{name} of {shape:?}");
        }
        values = y.to_vec::<f32>();
        assert_eq!(values.len(), y.numel(), "{name} of {shape:?}");
        let _ = format!("{y} {y:?}");
        y.sum(()).backward();
        let grad = x
            .grad()
            .unwrap_or_else(|| panic!("{name} of {shape:?} has no gradient"));
        assert_eq!(
            (grad.shape(), grad.to_vec::<f32>().len()),
            (shape.to_vec(), x.numel()),
            "{name} of {shape:?}"
        );
    }
    values
}

#[test]
fn elementwise_ops_keep_the_shape() {
    for (name, f) in ELEMENTWISE {
        for shape in [&[0][..], &[0, 3], &[2, 0], &[2, 0, 3], &[], &[1, 1]] {
            runs(name, shape, f, Some(shape));
        }
    }
}

#[test]
fn comparisons_and_their_kin() {
    for shape in [&[0][..], &[2, 0], &[]] {
        let x = Tensor::full(shape, 0.75);
        for y in [
            x.lt(1),
            x.gt(1),
            x.le(&x),
            x.ge(&x),
            x.eq(&x),
            x.ne(1),
            !x.gt(0),
            x.gt(0) & x.lt(1),
            x.gt(0) | x.lt(0),
        ] {
            assert_eq!(
                (y.shape(), y.to_vec::<bool>().len()),
                (shape.to_vec(), x.numel())
            );
        }
        assert_eq!(x.bitcast(DType::Int32).to_vec::<i32>().len(), x.numel());
        for dtype in DType::ALL {
            assert_eq!(x.cast(dtype).to_vec::<f32>().len(), x.numel(), "{dtype}");
        }
    }
}

#[test]
fn broadcasting_with_nothing() {
    let pairs: [([&[usize]; 2], &[usize]); 6] = [
        ([&[0], &[1]], &[0]),
        ([&[0, 1], &[3]], &[0, 3]),
        ([&[2, 0], &[]], &[2, 0]),
        ([&[2, 1], &[0]], &[2, 0]),
        ([&[0, 3], &[0, 3]], &[0, 3]),
        ([&[], &[0]], &[0]),
    ];
    for ([left, right], shape) in pairs {
        type Op = fn(&Tensor, &Tensor) -> Tensor;
        let all: [Op; 7] = [
            |a, b| a + b,
            |a, b| a - b,
            |a, b| a * b,
            |a, b| a / b,
            |a, b| a.maximum(b),
            |a, b| a.pow(b),
            |a, b| a.gt(b).where_(a, b),
        ];
        for f in all {
            let (a, b) = (
                Tensor::ones(left).requires_grad(true),
                Tensor::ones(right).requires_grad(true),
            );
            let y = f(&a, &b);
            assert_eq!(y.shape(), shape);
            y.sum(()).backward();
            for (x, own) in [(&a, left), (&b, right)] {
                let grad = x.grad().unwrap();
                assert_eq!(grad.shape(), own);
                assert!(
                    grad.to_vec::<f32>().iter().all(|&g| g == 0.0),
                    "a sum over nothing"
                );
            }
        }
    }
}

#[test]
fn reductions() {
    let cases: [(&[usize], isize, &[usize]); 5] = [
        (&[0], 0, &[]),
        (&[2, 0], 1, &[2]),
        (&[2, 0], 0, &[0]),
        (&[0, 3], 0, &[3]),
        (&[2, 0, 3], 1, &[2, 3]),
    ];
    for (shape, axis, expected) in cases {
        assert!(
            runs("sum", shape, |x| x.sum(axis), Some(expected))
                .iter()
                .all(|&y| y == 0.0)
        );
        assert!(
            runs("mean", shape, |x| x.mean(axis), Some(expected))
                .iter()
                .all(|y| y.is_nan())
        );
        assert!(
            runs("std", shape, |x| x.std(axis), Some(expected))
                .iter()
                .all(|y| y.is_nan())
        );
        assert!(
            runs("var", shape, |x| x.var(axis), Some(expected))
                .iter()
                .all(|y| y.is_nan())
        );
        runs("cumsum", shape, |x| x.cumsum(axis), Some(shape));
        runs("softmax", shape, |x| x.softmax(axis), Some(shape));
        runs("log_softmax", shape, |x| x.log_softmax(axis), Some(shape));
        runs("layernorm", shape, |x| x.layernorm(axis, 1e-5), Some(shape));
        let x = Tensor::zeros(shape);
        let empty = shape[axis as usize] == 0;
        type Extreme = (&'static str, fn(&Tensor, isize) -> Tensor);
        let extremes: [Extreme; 5] = [
            ("max", |x, axis| x.max(axis)),
            ("min", |x, axis| x.min(axis)),
            ("argmax", |x, axis| x.argmax(axis)),
            ("argmin", |x, axis| x.argmin(axis)),
            ("logsumexp", |x, axis| x.logsumexp(axis)),
        ];
        for (name, extreme) in extremes {
            if empty {
                let text = panic_of(|| drop(extreme(&x, axis)));
                assert!(
                    text.starts_with(&format!("{name}: axis {axis} of shape {shape:?} is empty")),
                    "{text}"
                );
            } else {
                assert_eq!(
                    (
                        extreme(&x, axis).shape(),
                        extreme(&x, axis).to_vec::<f32>().len()
                    ),
                    (expected.to_vec(), 0)
                );
            }
        }
    }
    assert_eq!(Tensor::zeros([2, 0]).sum(()).item::<f32>(), 0.0);
    assert!(
        panic_of(|| drop(Tensor::zeros([2, 0]).max(())))
            .starts_with("max: axis 1 of shape [2, 0] is empty")
    );
}

#[test]
fn numbers_without_axes() {
    let all: [Op; 13] = [
        ("sum", |x| x.sum(())),
        ("max", |x| x.max(())),
        ("min", |x| x.min(())),
        ("mean", |x| x.mean(())),
        ("logsumexp", |x| x.logsumexp(())),
        ("reshape", |x| x.reshape(()).reshape([1, 1]).reshape(())),
        ("expand", |x| x.expand([2, 0, 3]).sum(())),
        ("unsqueeze", |x| x.unsqueeze(-1).squeeze(())),
        ("permute", |x| x.permute(Vec::<i32>::new())),
        ("get", |x| x.get(())),
        ("get ellipsis", |x| x.get(Ellipsis)),
        ("get new axis", |x| x.get(NewAxis).get(0)),
        ("stack", |x| Tensor::stack(&[x, x], 0).sum(())),
    ];
    for (name, f) in all {
        runs(name, &[], f, Some(&[]));
    }
    assert_eq!(runs("sum", &[], |x| x.sum(()), None), [0.75]);
    assert_eq!(runs("max", &[], |x| x.max(()), None), [0.75]);
    assert_eq!(Tensor::from(3.0).argmax(()).item::<i64>(), 0);
    assert!(Tensor::from(3.0).std(()).item::<f32>().is_nan());
    assert_eq!(Tensor::from(3.0).flatten(0).shape(), [1]);
    assert_eq!(Tensor::from(3.0).repeat([2, 2]).to_vec::<f32>(), [3.0; 4]);
    let x = Tensor::from(1.0);
    x.assign(&Tensor::from(5.0));
    x.set((), 7);
    assert_eq!(x.item::<f32>(), 7.0);
}

#[test]
fn movements() {
    runs("reshape", &[2, 0], |x| x.reshape([0, 5]), Some(&[0, 5]));
    runs("reshape to −1", &[2, 0], |x| x.reshape([-1]), Some(&[0]));
    runs("expand", &[1, 0], |x| x.expand([3, 0]), Some(&[3, 0]));
    runs(
        "expand to nothing",
        &[2, 1],
        |x| x.expand([2, 0]),
        Some(&[2, 0]),
    );
    runs(
        "permute",
        &[2, 0, 3],
        |x| x.permute([2, 0, 1]),
        Some(&[3, 2, 0]),
    );
    runs("transpose", &[2, 0], |x| x.transpose(0, 1), Some(&[0, 2]));
    runs("squeeze", &[1, 0], |x| x.squeeze(0), Some(&[0]));
    runs("flatten", &[2, 0, 3], |x| x.flatten(1), Some(&[2, 0]));
    runs(
        "pad",
        &[0, 2],
        |x| x.pad(&[(1, 2), (0, 0)], 5),
        Some(&[3, 2]),
    );
    runs(
        "shrink",
        &[3, 2],
        |x| x.shrink(&[(1, 1), (0, 2)]),
        Some(&[0, 2]),
    );
    runs("slice", &[0], |x| x.slice(&[(-1, 2)], 4), Some(&[3]));
    runs(
        "pad2d",
        &[0, 2],
        |x| x.pad2d([0, 0, 1, 1], 0.0),
        Some(&[2, 2]),
    );
    runs("repeat", &[2, 0], |x| x.repeat([2, 3]), Some(&[4, 0]));
    runs(
        "repeat no times",
        &[2, 2],
        |x| x.repeat([0, 1]),
        Some(&[0, 2]),
    );
    runs("triu", &[2, 0], |x| x.triu(0), Some(&[2, 0]));
    runs("tril", &[0, 0], |x| x.tril(0), Some(&[0, 0]));
    runs(
        "chunk",
        &[0, 2],
        |x| x.chunk(3, 0)[2].clone(),
        Some(&[0, 2]),
    );
    runs(
        "cat",
        &[0, 2],
        |x| Tensor::cat(&[x, &Tensor::ones([1, 2]).to(x.device()), x], 0),
        Some(&[1, 2]),
    );
    runs(
        "stack",
        &[0, 2],
        |x| Tensor::stack(&[x, x], 1),
        Some(&[0, 2, 2]),
    );
    runs(
        "gather nothing",
        &[3, 2],
        |x| x.gather(&Tensor::zeros([0, 2]).cast(DType::Int64).to(x.device()), 0),
        Some(&[0, 2]),
    );
    let missed = runs(
        "gather from nothing",
        &[0, 2],
        |x| x.gather(&Tensor::zeros([3, 2]).cast(DType::Int64).to(x.device()), 0),
        Some(&[3, 2]),
    );
    assert!(missed.iter().all(|&y| y == 0.0));
    runs("get a range", &[0, 2], |x| x.get((.., 1)), Some(&[0]));
    runs(
        "get an empty range",
        &[3, 2],
        |x| x.get(2..-2), // from the third on, up to the second
        Some(&[0, 2]),
    );
    runs("get steps", &[0, 2], |x| x.get(step(.., -2)), Some(&[0, 2]));
    runs(
        "get no places",
        &[3, 2],
        |x| x.get(Vec::<i64>::new()),
        Some(&[0, 2]),
    );
    assert!(
        panic_of(|| drop(Tensor::zeros([0, 2]).get(0)))
            .starts_with("get: index 0 of axis 0 of shape [0, 2], which is empty")
    );
    let x = Tensor::ones([2, 2]);
    x.set(1..1, 7);
    x.set(Vec::<i64>::new(), 7);
    assert_eq!(x.to_vec::<f32>(), [1.0; 4]);
    let none = Tensor::zeros([0, 2]);
    none.set((.., 0), 7);
    none.set(.., Tensor::zeros([0, 2]));
    assert_eq!(none.to_vec::<f32>().len(), 0);
}

#[test]
fn products_convolutions_pools_and_layers() {
    let ones = |shape: &[usize], like: &Tensor| Tensor::ones(shape).to(like.device());
    let zeros = runs(
        "matmul, nothing to sum",
        &[2, 0],
        |x| x.matmul(ones(&[0, 3], x)),
        Some(&[2, 3]),
    );
    assert_eq!(zeros, [0.0; 6]);
    runs(
        "matmul, no rows",
        &[0, 3],
        |x| x.matmul(ones(&[3, 2], x)),
        Some(&[0, 2]),
    );
    runs(
        "matmul, no columns",
        &[2, 3],
        |x| x.matmul(ones(&[3, 0], x)),
        Some(&[2, 0]),
    );
    runs(
        "matmul, no matrices",
        &[0, 2, 3],
        |x| x.matmul(ones(&[3, 2], x)),
        Some(&[0, 2, 2]),
    );
    runs(
        "matmul, vectors",
        &[0],
        |x| x.matmul(ones(&[0], x)),
        Some(&[]),
    );
    runs(
        "matmul, on the right",
        &[0, 3],
        |x| ones(&[2, 0], x).matmul(x),
        Some(&[2, 3]),
    );
    runs(
        "linear",
        &[0, 3],
        |x| x.linear(&ones(&[3, 4], x), Some(&ones(&[4], x))),
        Some(&[0, 4]),
    );
    runs(
        "conv2d, no pictures",
        &[0, 2, 4, 4],
        |x| x.conv2d(&ones(&[3, 2, 2, 2], x), Some(&ones(&[3], x))),
        Some(&[0, 3, 3, 3]),
    );
    runs(
        "conv2d, no output channels",
        &[1, 2, 4, 4],
        |x| x.conv2d(&ones(&[0, 2, 2, 2], x), None),
        Some(&[1, 0, 3, 3]),
    );
    let none = runs(
        "conv2d, no input channels",
        &[1, 0, 4, 4],
        |x| x.conv2d(&ones(&[3, 0, 2, 2], x), None),
        Some(&[1, 3, 3, 3]),
    );
    assert!(none.iter().all(|&y| y == 0.0));
    runs(
        "conv2d, weight",
        &[0, 2, 2, 2],
        |w| ones(&[1, 2, 4, 4], w).conv2d(w, None),
        Some(&[1, 0, 3, 3]),
    );
    runs(
        "conv2d, options",
        &[0, 2, 5, 5],
        |x| {
            x.conv2d_with(
                &ones(&[2, 1, 2, 2], x),
                None,
                Conv::default().stride(2).dilation(2).groups(2).padding(1),
            )
        },
        Some(&[0, 2, 3, 3]),
    );
    runs(
        "conv_transpose2d",
        &[0, 2, 3, 3],
        |x| x.conv_transpose2d_with(&ones(&[2, 1, 2, 2], x), None, Conv::default().stride(2)),
        Some(&[0, 1, 6, 6]),
    );
    runs(
        "max_pool2d",
        &[0, 2, 4, 4],
        |x| x.max_pool2d(2),
        Some(&[0, 2, 2, 2]),
    );
    runs(
        "avg_pool2d",
        &[2, 0, 4, 4],
        |x| x.avg_pool2d_with(2, Pool::default().stride(1)),
        Some(&[2, 0, 3, 3]),
    );
    runs(
        "batchnorm",
        &[0, 3, 2],
        |x| x.batchnorm(None, None, &ones(&[3], x), &ones(&[3], x)),
        Some(&[0, 3, 2]),
    );
    runs(
        "layernorm",
        &[0, 3],
        |x| x.layernorm(-1, 1e-5),
        Some(&[0, 3]),
    );
    runs(
        "attention, no queries",
        &[0, 4],
        |q| q.scaled_dot_product_attention(&ones(&[3, 4], q), &ones(&[3, 2], q), None, 0.0, true),
        Some(&[0, 2]),
    );
    let blind = runs(
        "attention, no keys",
        &[2, 4],
        |q| q.scaled_dot_product_attention(&ones(&[0, 4], q), &ones(&[0, 3], q), None, 0.0, false),
        Some(&[2, 3]),
    );
    assert_eq!(blind, [0.0; 6]);
    let labels = |like: &Tensor| Tensor::zeros([0]).cast(DType::Int64).to(like.device());
    let loss = runs(
        "sparse_categorical_crossentropy",
        &[0, 3],
        |x| x.sparse_categorical_crossentropy(&labels(x), -1),
        Some(&[]),
    );
    assert!(loss[0].is_nan());
    assert!(
        runs(
            "binary_crossentropy",
            &[0],
            |x| x.binary_crossentropy(&ones(&[0], x)),
            Some(&[])
        )[0]
        .is_nan()
    );
    assert!(
        runs(
            "binary_crossentropy_logits",
            &[0],
            |x| x.binary_crossentropy_logits(&ones(&[0], x)),
            Some(&[])
        )[0]
        .is_nan()
    );
}

#[test]
fn creation_data_and_training() {
    for shape in [&[0][..], &[3, 0], &[]] {
        let count: usize = shape.iter().product();
        for x in [
            Tensor::zeros(shape),
            Tensor::rand(shape),
            Tensor::randn(shape),
            Tensor::randint(shape, 0, 9),
            Tensor::uniform(shape, 0.0, 1.0),
            Tensor::normal(shape, 0.0, 1.0),
            Tensor::empty(shape),
        ] {
            assert_eq!(
                (x.shape(), x.to_vec::<f32>().len(), x.to_bytes().len()),
                (shape.to_vec(), count, count * 4)
            );
        }
    }
    assert_eq!(Tensor::arange(0).to_vec::<i32>().len(), 0);
    assert_eq!(Tensor::eye(0).shape(), [0, 0]);
    assert_eq!(Tensor::from(Vec::<f32>::new()).shape(), [0]);
    assert!(
        panic_of(|| _ = Tensor::zeros([0]).item::<f32>())
            .starts_with("item: shape [0] has 0 elements, not one")
    );
    let x = Tensor::zeros([0, 2]);
    x.assign(&Tensor::ones([0, 2]));
    assert_eq!(x.realize().to_vec::<f32>().len(), 0);
    let (w, none) = (Tensor::from([1.0]), Tensor::zeros([0, 3]));
    let mut adam = Adam::new([&w, &none], 0.1);
    for _ in 0..2 {
        adam.zero_grad();
        (w.square().sum(()) + none.square().sum(())).backward();
        adam.step();
    }
    assert!(w.item::<f32>() < 1.0 && none.shape() == [0, 3]);
}
