//! Equal maxima share the gradient, however many they are, and NaN is not lost among them.

use super::*;

#[test]
fn ties_share_equally() {
    for device in [Device::CPU, Device::REFERENCE] {
        let x = Tensor::from([1.0, 3.0, 3.0]).to(device);
        assert_eq!(grad_of(&x, |x| x.max(())), [0.0, 0.5, 0.5]);
        assert_eq!(grad_of(&x.neg(), |x| x.min(())), [0.0, 0.5, 0.5]);
        let rows = Tensor::from([[2.0, 2.0, 2.0, 2.0], [5.0, 1.0, 5.0, 0.0]]).to(device);
        assert_eq!(
            grad_of(&rows, |x| x.max(1)),
            [0.25, 0.25, 0.25, 0.25, 0.5, 0.0, 0.5, 0.0]
        );
        assert_eq!(
            grad_of(&rows, |x| x.max(())),
            [0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.5, 0.0]
        );
        assert_eq!(
            grad_of(&rows, |x| x.max(0)),
            [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]
        );
        let equal = Tensor::from([[1.0, 1.0], [1.0, 0.0]]).to(device);
        assert_eq!(
            grad_of(&equal, |x| x.reshape([1, 1, 2, 2]).max_pool2d(2)),
            [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]
        );
    }
    let (a, b) = (Tensor::from([1.0, 2.0, 3.0]), Tensor::from([1.0, 3.0, 2.0]));
    for (f, shares) in [
        (
            (|a, b| a.maximum(b)) as fn(&Tensor, &Tensor) -> Tensor,
            [[0.5, 0.0, 1.0], [0.5, 1.0, 0.0]],
        ),
        (|a, b| a.minimum(b), [[0.5, 1.0, 0.0], [0.5, 0.0, 1.0]]),
    ] {
        assert_eq!(grad_of(&a, |a| f(a, &b)), shares[0]);
        assert_eq!(grad_of(&b, |b| f(&a, b)), shares[1]);
    }
    // All −∞ is a tie too.
    assert_eq!(
        grad_of(&Tensor::from([-INF, -INF]), |x| x.max(())),
        [0.5, 0.5]
    );
}

/// A count of 70,000 is infinite in float16, and in bfloat16 it would stop at 256.
#[test]
fn seventy_thousand_equal_halves_keep_their_count() {
    for (dtype, shape, axis) in [
        (DType::Float16, [1, 70_000], 1),
        (DType::Float16, [70_000, 1], 0),
        (DType::Float16, [2, 70_000], 1),
        (DType::Float16, [70_000, 3], 0),
        (DType::BFloat16, [2, 70_000], 1),
    ] {
        let x = Tensor::from_vec(vec![f16::from_f32(2.5); shape[0] * shape[1]], shape)
            .cast(dtype)
            .contiguous()
            .realize()
            .detach()
            .requires_grad(true);
        // A loss scale, as everyone has who trains in halves: 1/70,000 itself has few digits there.
        x.max(axis).mul(8192.0).sum(()).backward();
        let expected = if dtype == DType::Float16 {
            f16::from_f32(8192.0 / 70_000.0).to_f32()
        } else {
            bf16::from_f32(8192.0 / 70_000.0).to_f32()
        };
        let grad = x.grad().unwrap();
        assert_eq!(grad.dtype(), dtype);
        assert!(
            grad.to_vec::<f32>().iter().all(|&g| g == expected),
            "{dtype} {shape:?}: {:?}",
            &grad.to_vec::<f32>()[..4]
        );
    }
}

#[test]
fn nan_is_the_largest_and_the_smallest() {
    for device in [Device::CPU, Device::REFERENCE] {
        for dtype in [
            DType::Float16,
            DType::BFloat16,
            DType::Float32,
            DType::Float64,
        ] {
            for at in [0, 1, 37, 99] {
                let mut values = vec![1.0f32; 100];
                (values[at], values[50]) = (NAN, INF);
                let x = Tensor::from(values).to(device).cast(dtype);
                for (name, y) in [
                    ("max", x.max(())),
                    ("min", x.min(())),
                    ("max 2", x.reshape([10, 10]).max(0).max(0)),
                    ("sum", x.sum(())),
                    ("mean", x.mean(())),
                ] {
                    assert!(
                        y.item::<f32>().is_nan(),
                        "{name} of {dtype} on {device} with NaN at {at}"
                    );
                }
                assert_eq!(
                    (x.argmax(()).item::<i64>(), x.argmin(()).item::<i64>()),
                    (at as i64, at as i64)
                );
                assert!(
                    x.reshape([1, 1, 10, 10])
                        .max_pool2d(10)
                        .item::<f32>()
                        .is_nan()
                );
            }
            let (a, b) = (
                Tensor::from([NAN, 1.0, NAN]).to(device).cast(dtype),
                Tensor::from([1.0, NAN, NAN]).to(device).cast(dtype),
            );
            for y in [a.maximum(&b), a.minimum(&b), b.maximum(&a), b.minimum(&a)] {
                assert!(y.to_vec::<f32>().iter().all(|y| y.is_nan()));
            }
        }
    }
}
