//! Sums that are larger than their elements' dtype, over any axis.

use super::*;

/// Shapes that put 4096 (or 300) elements along one axis, and the axis.
fn along(count: usize) -> [(Vec<usize>, isize); 6] {
    [
        (vec![count], 0),
        (vec![count, 3], 0),
        (vec![3, count], 1),
        (vec![2, count, 3], 1),
        (vec![count, 1, 2], 0),
        (vec![2, 2, count], -1),
    ]
}

#[test]
fn small_integers() {
    for device in [Device::CPU, Device::REFERENCE] {
        for (dtype, value, expected) in [
            (DType::Uint8, 1, 300),
            (DType::Uint8, 255, 76_500),
            (DType::Int8, -128, -38_400),
            (DType::Bool, 1, 300),
            (DType::Int16, -32_768, -9_830_400),
            (DType::Uint16, 65_535, 19_660_500),
        ] {
            for (shape, axis) in along(300) {
                let x = Tensor::full(shape.clone(), value)
                    .to(device)
                    .cast(dtype)
                    .contiguous()
                    .realize();
                let sums = x.sum(axis).to_vec::<i64>();
                assert!(
                    sums.iter().all(|&sum| sum == expected),
                    "{dtype} {shape:?} on {device}: {sums:?}"
                );
                let last = x.cumsum(axis).max(axis).to_vec::<i64>();
                assert!(
                    last.iter().all(|&sum| sum == expected.max(value)),
                    "{dtype} {shape:?} on {device}: {last:?}"
                );
                let means = x.mean(axis).to_vec::<f32>();
                assert!(
                    means.iter().all(|&mean| mean == value as f32),
                    "{dtype} {shape:?} on {device}: {means:?}"
                );
            }
        }
    }
}

#[test]
fn halves() {
    for device in [Device::CPU, Device::REFERENCE] {
        for dtype in [DType::Float16, DType::BFloat16] {
            for (shape, axis) in along(4096) {
                let x = Tensor::ones(shape.clone())
                    .to(device)
                    .cast(dtype)
                    .contiguous()
                    .realize();
                let sums = x.sum(axis);
                assert_eq!(sums.dtype(), dtype);
                assert!(
                    sums.to_vec::<f32>().iter().all(|&sum| sum == 4096.0),
                    "{dtype} {shape:?} on {device}"
                );
                assert!(
                    x.cumsum(axis)
                        .max(axis)
                        .to_vec::<f32>()
                        .iter()
                        .all(|&sum| sum == 4096.0),
                    "{dtype} {shape:?} on {device}"
                );
                let large = x.mul(60_000.0).contiguous().realize();
                let expected = large.get(0).max(()).item::<f32>();
                for (name, y) in [
                    ("mean", large.mean(axis)),
                    ("mean_keepdim", large.mean_keepdim(axis)),
                ] {
                    assert!(
                        y.to_vec::<f32>().iter().all(|&mean| mean == expected),
                        "{name} {dtype} {shape:?} on {device}"
                    );
                }
                assert!(
                    large
                        .std(axis)
                        .to_vec::<f32>()
                        .iter()
                        .all(|&std| std == 0.0),
                    "{dtype} {shape:?} on {device}"
                );
                // 4096 equal elements: 1/4096 each, of a sum of powers that float16 could just hold, and of 70,000 it couldn't.
                let softmax = x.softmax(axis).to_vec::<f32>();
                assert!(
                    softmax.iter().all(|&y| y == 1.0 / 4096.0),
                    "{dtype} {shape:?} on {device}"
                );
            }
        }
    }
    let x = Tensor::full([1, 70_000], 1.0)
        .cast(DType::Float16)
        .contiguous()
        .realize();
    assert!(x.softmax(1).to_vec::<f32>().iter().all(|&y| y > 0.0));
    assert!(x.logsumexp(1).item::<f32>().is_finite());
}

#[test]
fn products_and_pools_of_halves_and_small_integers() {
    let half = Tensor::ones([2, 4096])
        .cast(DType::Float16)
        .contiguous()
        .realize();
    let product = half.matmul(half.t());
    assert_eq!(
        (product.to_vec::<f32>(), product.dtype()),
        (vec![4096.0; 4], DType::Float16)
    );
    assert_eq!(half.matmul(half.get(0)).to_vec::<f32>(), [4096.0; 2]);
    let bytes = Tensor::full([2, 300], 200)
        .cast(DType::Uint8)
        .contiguous()
        .realize();
    assert_eq!(bytes.matmul(bytes.t()).to_vec::<i64>(), [12_000_000; 4]);
    assert_eq!(
        bytes
            .reshape([1, 2, 1, 300])
            .conv2d(&bytes.reshape([1, 2, 1, 300]), None)
            .item::<i64>(),
        24_000_000
    );
    let picture = Tensor::full([1, 1, 64, 64], 60_000.0)
        .cast(DType::Float16)
        .contiguous()
        .realize();
    assert_eq!(
        picture.avg_pool2d(64).item::<f32>(),
        f16::from_f32(60_000.0).to_f32()
    );
    assert_eq!(
        picture
            .mul(0)
            .add(1)
            .conv2d(&Tensor::ones([1, 1, 64, 64]).cast(DType::Float16), None)
            .item::<f32>(),
        4096.0
    );
}

/// 2²⁴ + 1 is 2²⁴ in float32: who adds ones one after the other never gets beyond.
#[test]
fn seventeen_million_ones() {
    let count = 17_000_000;
    let one = Tensor::ones([1, 1]).contiguous().realize();
    for (shape, axis) in [([1, count], 1), ([count, 1], 0)] {
        let sum = one.expand(shape).sum(axis).item::<f32>();
        assert!((sum / count as f32 - 1.0).abs() < 1e-6, "{shape:?}: {sum}");
    }
    let mean = one.expand([1, count]).mean(()).item::<f32>();
    assert!((mean - 1.0).abs() < 1e-6, "{mean}");
}
