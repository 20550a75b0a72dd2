//! Turned, overlapping, repeated and cut views, and chains of them, as inputs of every op.

use super::*;
use teenygrad::mlops::movement::{Slide, Window};

type View = (&'static str, fn(&Tensor) -> Tensor);

/// Views of something of shape [4, 6], all of shape [3, 4].
const VIEWS: [View; 14] = [
    ("cut out", |x| x.shrink(&[(1, 4), (2, 6)])),
    ("rows backwards", |x| x.shrink(&[(0, 3), (1, 5)]).flip(0)),
    ("columns backwards", |x| x.shrink(&[(0, 3), (1, 5)]).flip(1)),
    ("all backwards", |x| x.shrink(&[(1, 4), (0, 4)]).flip(())),
    ("turned", |x| x.shrink(&[(0, 4), (3, 6)]).t()),
    ("turned and backwards", |x| {
        x.shrink(&[(0, 4), (0, 3)]).t().flip(1)
    }),
    ("every second column backwards", |x| {
        x.get((1.., step(.., -2))).pad(&[(0, 0), (1, 0)], 0)
    }),
    ("one row for all", |x| x.get((2, ..4)).expand([3, 4])),
    ("one column for all", |x| x.get((1.., 5..6)).expand([3, 4])),
    ("one element for all", |x| x.get((3, 3)).expand([3, 4])),
    ("overlapping windows", |x| {
        Tensor::apply(
            Window::new(vec![Slide {
                kernel: 4,
                stride: 1,
                dilation: 1,
            }]),
            &[&x.get(2)],
        )
    }),
    ("overlapping windows, backwards and apart", |x| {
        let windows = Tensor::apply(
            Window::new(vec![Slide {
                kernel: 4,
                stride: 5,
                dilation: 2,
            }]),
            &[&x.reshape(24).flip(0)],
        );
        windows.shrink(&[(0, 3), (0, 4)])
    }),
    ("padded", |x| {
        x.shrink(&[(1, 3), (1, 4)]).pad(&[(1, 0), (0, 1)], 0)
    }),
    ("padded, turned, backwards, reshaped", |x| {
        x.shrink(&[(0, 2), (0, 5)])
            .pad(&[(1, 1), (1, 0)], 0)
            .t()
            .flip(0)
            .reshape([4, 6])
            .shrink(&[(1, 4), (1, 5)])
    }),
];

type Op = (&'static str, fn(&Tensor) -> Tensor);

/// What takes a [3, 4]. Whole numbers in, so that no order of a sum makes a difference.
const OPS: [Op; 48] = [
    ("itself", |x| x.clone()),
    ("contiguous", |x| x.contiguous()),
    ("add", |x| x + 1.0),
    ("add to a row", |x| x + whole(&[4], 5).to(x.device())),
    ("mul by itself, turned back", |x| x * x.flip(()).flip(())),
    ("mul by its turned self", |x| {
        x.unsqueeze(0) * x.reshape([1, 3, 4])
    }),
    ("exp", |x| x.exp()),
    ("sin", |x| x.sin()),
    ("sqrt", |x| x.abs().sqrt()),
    ("where", |x| x.gt(0).where_(x, x.neg())),
    ("cast", |x| x.cast(DType::Int8).cast(DType::Float64)),
    ("sum", |x| x.sum(())),
    ("sum 0", |x| x.sum(0)),
    ("sum 1", |x| x.sum(1)),
    ("max 0", |x| x.max(0)),
    ("min 1", |x| x.min(1)),
    ("mean", |x| x.mul(12).mean(())),
    ("argmax 0", |x| x.argmax(0).cast(DType::Float64)),
    ("argmin 1", |x| x.argmin(1).cast(DType::Float64)),
    ("cumsum 0", |x| x.cumsum(0)),
    ("cumsum 1", |x| x.cumsum(1)),
    ("reshape", |x| x.reshape([2, 6])),
    ("reshape and sum", |x| x.reshape([6, 2]).sum(0)),
    ("flatten", |x| x.flatten(0)),
    ("permute", |x| x.permute([1, 0])),
    ("flip", |x| x.flip(1)),
    ("expand", |x| x.unsqueeze(1).expand([3, 2, 4])),
    ("pad", |x| x.pad(&[(1, 1), (0, 2)], 7)),
    ("shrink", |x| x.shrink(&[(1, 3), (1, 3)])),
    ("get", |x| x.get((step(.., -1), step(1.., 2)))),
    ("get a list", |x| x.get([2, 0, 2])),
    ("gather", |x| {
        x.gather(&Tensor::from([[0i64, 2, 1, 0]]).to(x.device()), 0)
    }),
    ("cat", |x| Tensor::cat(&[x, x], 1)),
    ("stack", |x| Tensor::stack(&[x, &x.neg()], 2)),
    ("repeat", |x| x.repeat([2, 1])),
    ("chunk", |x| x.chunk(2, 1)[1].clone()),
    ("triu", |x| x.triu(0)),
    ("matmul, left", |x| {
        x.matmul(whole(&[4, 5], 6).to(x.device()))
    }),
    ("matmul, right", |x| {
        whole(&[5, 3], 7).to(x.device()).matmul(x)
    }),
    ("matmul, both", |x| x.matmul(x.t())),
    ("matmul, both turned", |x| x.t().matmul(x)),
    ("matmul, a vector", |x| x.matmul(x.get(1))),
    ("matmul, batched", |x| {
        x.reshape([3, 1, 4])
            .matmul(whole(&[3, 4, 2], 8).to(x.device()))
    }),
    ("conv2d, input", |x| {
        x.reshape([1, 1, 3, 4]).conv2d_with(
            &whole(&[2, 1, 2, 2], 9).to(x.device()),
            None,
            Conv::default().padding(1).stride(2),
        )
    }),
    ("conv2d, weight", |x| {
        whole(&[2, 1, 5, 6], 10)
            .to(x.device())
            .conv2d(&x.reshape([1, 1, 3, 4]), None)
    }),
    ("conv2d, channels", |x| {
        whole(&[1, 3, 4, 5], 10).to(x.device()).conv2d_with(
            &x.reshape([3, 1, 2, 2]),
            None,
            Conv::default().groups(3),
        )
    }),
    ("max_pool2d", |x| {
        x.reshape([1, 1, 3, 4])
            .max_pool2d_with(2, Pool::default().stride(1))
    }),
    ("avg_pool2d", |x| {
        x.mul(4)
            .reshape([1, 1, 3, 4])
            .avg_pool2d_with(2, Pool::default().stride(1))
    }),
];

/// The values in memory of their own.
fn copied(x: &Tensor) -> Tensor {
    Tensor::from_slice(&x.to_vec::<f64>(), x.shape()).to(x.device())
}

#[test]
fn every_op_sees_a_view_as_it_sees_a_copy() {
    for device in [Device::CPU, Device::REFERENCE] {
        let memory = whole(&[4, 6], 1).to(device).realize();
        // A view of memory, and a view of what is computed in the same kernel.
        let lazy = || memory.mul(2).add(1);
        for (view_name, view) in VIEWS {
            for (op_name, op) in OPS {
                for x in [memory.clone(), lazy()] {
                    let viewed = view(&x);
                    assert_eq!(viewed.shape(), [3, 4], "{view_name}");
                    let (got, expected) = (op(&viewed), op(&copied(&viewed)));
                    assert_eq!(got.shape(), expected.shape(), "{op_name} of {view_name}");
                    assert_eq!(
                        got.to_vec::<f64>(),
                        expected.to_vec::<f64>(),
                        "{op_name} of {view_name} on {device}"
                    );
                }
            }
        }
    }
}

/// … and two different views of the same memory in one op.
#[test]
fn two_views_of_one_memory() {
    let memory = whole(&[4, 6], 2);
    for (a_name, a) in VIEWS {
        for (b_name, b) in VIEWS {
            let (a, b) = (a(&memory), b(&memory));
            let (ca, cb) = (copied(&a), copied(&b));
            assert_eq!(
                (&a * &b - &b).to_vec::<f64>(),
                (&ca * &cb - &cb).to_vec::<f64>(),
                "{a_name} and {b_name}"
            );
            assert_eq!(
                a.matmul(b.t()).to_vec::<f64>(),
                ca.matmul(cb.t()).to_vec::<f64>(),
                "{a_name} @ {b_name}"
            );
            assert_eq!(
                a.t().matmul(&b).to_vec::<f64>(),
                ca.t().matmul(&cb).to_vec::<f64>(),
                "{a_name} turned @ {b_name}"
            );
            assert_eq!(
                Tensor::cat(&[&a, &b], 0).sum(1).to_vec::<f64>(),
                Tensor::cat(&[&ca, &cb], 0).sum(1).to_vec::<f64>(),
                "{a_name} with {b_name}"
            );
        }
    }
}

#[test]
fn gradients_through_views_of_views() {
    // Each view's gradient of Σ w·view(x): the weights added up where the view took its elements from.
    for (name, view) in VIEWS {
        let places = view(&Tensor::arange_with(1.0, 25.0, 1).reshape([4, 6])).to_vec::<f64>(); // 0 where padded
        let weights = whole(&[3, 4], 3);
        let mut expected = vec![0.0; 24];
        for (place, w) in places.iter().zip(weights.to_vec::<f64>()) {
            if *place > 0.0 {
                expected[*place as usize - 1] += w;
            }
        }
        let x = whole(&[4, 6], 4).requires_grad(true);
        view(&x).mul(&weights).sum(()).backward();
        assert_eq!(x.grad().unwrap().to_vec::<f64>(), expected, "{name}");
    }
}

/// Assigning to a view changes the view, and not what it is a view of (nor the other way round).
#[test]
fn assign_to_and_from_every_view() {
    for (name, view) in VIEWS {
        for realized in [false, true] {
            let x = if realized {
                whole(&[4, 6], 1).realize()
            } else {
                whole(&[4, 6], 1) + 0.0
            };
            let before = x.to_vec::<f64>();
            let v = view(&x);
            let old = v.to_vec::<f64>();
            // The view's values into memory of their own …
            let target = Tensor::zeros([3, 4])
                .cast(DType::Float64)
                .contiguous()
                .realize();
            target.assign(&v);
            assert_eq!(target.to_vec::<f64>(), old, "from {name}");
            // … and something else into the view.
            let new = whole(&[3, 4], 9);
            v.assign(&(&new + 1.0));
            assert_eq!(v.to_vec::<f64>(), (&new + 1.0).to_vec::<f64>(), "to {name}");
            assert_eq!(
                (x.to_vec::<f64>(), target.to_vec::<f64>()),
                (before.clone(), old.clone()),
                "behind {name}"
            );
            // A self-reference through the view.
            let v = view(&x);
            v.assign(&(v.flip(0) * 2.0 + &v));
            let expected: Vec<f64> = (0..12)
                .map(|i| old[(2 - i / 4) * 4 + i % 4] * 2.0 + old[i])
                .collect();
            assert_eq!(v.to_vec::<f64>(), expected, "{name} in itself");
            assert_eq!(x.to_vec::<f64>(), before, "behind {name}");
        }
    }
}

#[test]
fn set_in_every_view() {
    type Set = (
        &'static str,
        fn(&Tensor, &Tensor),
        fn(usize, usize) -> Option<usize>,
    );
    // what is set, and which element of the value (by its position) lands at (row, column)
    let sets: [Set; 6] = [
        (
            "a row",
            |v, new| v.set(1, new.get(0)),
            |i, j| (i == 1).then_some(j),
        ),
        (
            "a column",
            |v, new| v.set((.., -1), new.get((.., 0))),
            |i, j| (j == 3).then_some(i * 4),
        ),
        (
            "steps",
            |v, new| v.set((step(.., 2), step(.., -2)), new.get((..2, ..2))),
            |i, j| (i % 2 == 0 && j % 2 == 1).then_some(i / 2 * 4 + (3 - j) / 2),
        ),
        ("all", |v, new| v.set(.., new), |i, j| Some(i * 4 + j)),
        (
            "a list",
            |v, new| v.set([2, 0], new.get(..2)),
            |i, j| match i {
                2 => Some(j),
                0 => Some(4 + j),
                _ => None,
            },
        ),
        (
            "places",
            |v, new| {
                v.set(
                    (&Tensor::from([0, 2]), &Tensor::from([3, 1])),
                    new.get((0, ..2)),
                )
            },
            |i, j| match (i, j) {
                (0, 3) => Some(0),
                (2, 1) => Some(1),
                _ => None,
            },
        ),
    ];
    let new = whole(&[3, 4], 9) + 100.0;
    let new_values = new.to_vec::<f64>();
    for (name, view) in VIEWS {
        for (what, set, source) in sets {
            let x = whole(&[4, 6], 1).realize();
            let v = view(&x);
            let old = v.to_vec::<f64>();
            set(&v, &new);
            let expected: Vec<f64> = (0..12)
                .map(|at| source(at / 4, at % 4).map_or(old[at], |from| new_values[from]))
                .collect();
            assert_eq!(v.to_vec::<f64>(), expected, "{what} of {name}");
            assert_eq!(
                x.to_vec::<f64>(),
                whole(&[4, 6], 1).to_vec::<f64>(),
                "behind {name}"
            );
        }
    }
}
