//! Tests of `reduce`.

use super::*;
use half::{bf16, f16};

#[test]
fn sums_do_not_overflow() {
    assert_eq!(Tensor::from([1u8; 300]).sum(()).item::<i64>(), 300);
    assert_eq!(
        Tensor::from([-100i8; 300]).cumsum(0).get(-1).item::<i64>(),
        -30_000
    );
    assert_eq!(Tensor::from([true; 300]).sum(()).item::<i64>(), 300);
    for axis in [0, 1] {
        let ones = Tensor::from(vec![f16::ONE; 4096]).reshape(if axis == 0 {
            [4096, 1]
        } else {
            [1, 4096]
        });
        assert_eq!(
            (ones.sum(axis).item::<f32>(), ones.sum(axis).dtype()),
            (4096.0, DType::Float16)
        );
    }
    let running = Tensor::from(vec![bf16::ONE; 1000]).cumsum(0);
    assert_eq!(
        (running.get(-1).item::<f32>(), running.dtype()),
        (1000.0, DType::BFloat16)
    );
    let large = Tensor::from([f16::from_f32(60_000.0); 8]);
    assert_eq!(large.mean(()).item::<f32>(), 60_000.0f32);
    assert_eq!(large.std(()).item::<f32>(), 0.0);
}

#[test]
fn extremes_of_every_type() {
    macro_rules! check {
        ($($t:ty),*) => {$(
            let x = Tensor::from([3 as $t, <$t>::MIN, <$t>::MAX, 1 as $t]);
            assert_eq!((x.min(()).item::<$t>(), x.max(()).item::<$t>()), (<$t>::MIN, <$t>::MAX));
            assert_eq!((x.argmin(()).item::<i64>(), x.argmax(()).item::<i64>()), (1, 2));
        )*};
    }
    check!(i8, u8, i16, u16, i32, u32, i64, u64, f32);
    let bools = Tensor::from([[true, false], [true, true]]);
    assert_eq!(
        (bools.min(1).to_vec::<bool>(), bools.max(1).to_vec::<bool>()),
        (vec![false, true], vec![true, true])
    );
    assert_eq!(bools.argmin(1).to_vec::<i64>(), [1, 0]);
    assert_eq!(bools.min(1).dtype(), DType::Bool);
}

#[test]
fn nan_is_contagious() {
    let x = Tensor::from([[1.0, f32::NAN, f32::NAN], [1.0, 3.0, 2.0]]);
    for y in [
        x.sum(1),
        x.mean(1),
        x.max(1),
        x.min(1),
        x.std(1),
        x.logsumexp(1),
        x.softmax(1).sum(1),
    ] {
        let y = y.to_vec::<f32>();
        assert!(y[0].is_nan() && !y[1].is_nan(), "{y:?}");
    }
    assert_eq!(x.argmax(1).to_vec::<i64>(), [1, 1]);
    assert_eq!(x.argmin(1).to_vec::<i64>(), [1, 0]);
}

#[test]
fn many_ties_share() {
    let x = Tensor::from(vec![f16::ONE; 70_000]).requires_grad(true);
    x.max(()).mul(1024.0).backward();
    let grad = x.grad().unwrap();
    let expected = f16::from_f32(1024.0 / 70_000.0);
    assert!(grad.to_vec::<f16>().iter().all(|&g| g == expected));
    let ones = Tensor::from([2.0, 1.0, 1.0]).requires_grad(true);
    ones.min(()).backward();
    assert_eq!(ones.grad().unwrap().to_vec::<f32>(), [0.0, 0.5, 0.5]);
}

#[test]
fn reductions_of_nothing() {
    let none = Tensor::zeros([2, 0]);
    assert_eq!(none.sum(1).to_vec::<f32>(), [0.0; 2]);
    assert!(
        none.mean(1)
            .to_vec::<f32>()
            .iter()
            .all(|mean| mean.is_nan())
    );
    assert!(none.std(1).to_vec::<f32>().iter().all(|std| std.is_nan()));
    assert_eq!(
        (
            none.max(0).shape(),
            none.argmax(0).shape(),
            none.softmax(0).shape()
        ),
        (vec![0], vec![0], vec![2, 0])
    );
    assert_eq!(
        (none.softmax(1).shape(), none.cumsum(1).shape()),
        (vec![2, 0], vec![2, 0])
    );
    let number = Tensor::from(3.0).requires_grad(true);
    assert_eq!(
        (
            number.sum(()).item::<f32>(),
            number.mean(()).item::<f32>(),
            number.argmax(()).item::<i64>()
        ),
        (3.0, 3.0, 0)
    );
    number.max(()).backward();
    assert_eq!(number.grad().unwrap().item::<f32>(), 1.0);
}

#[test]
fn gradients_at_the_edges_are_finite() {
    let grad = |x: Tensor, f: fn(&Tensor) -> Tensor| {
        let x = x.requires_grad(true);
        f(&x).sum(()).backward();
        x.grad().unwrap().to_vec::<f32>()
    };
    let inf = f32::INFINITY;
    assert_eq!(grad(Tensor::from([2.0, 2.0]), |x| x.std(())), [0.0, 0.0]);
    assert_eq!(
        grad(Tensor::from([-inf, -inf]), |x| x.logsumexp(())),
        [0.0, 0.0]
    );
    assert_eq!(
        grad(Tensor::from([-inf, 5.0]), |x| x.logsumexp(())),
        [0.0, 1.0]
    );
    assert_eq!(
        grad(Tensor::from([1e30, -1e30]), |x| x.logsumexp(())),
        [1.0, 0.0]
    );
    assert_eq!(Tensor::from([-inf, -inf]).logsumexp(()).item::<f32>(), -inf);
    assert_eq!(Tensor::from([-inf, inf]).logsumexp(()).item::<f32>(), inf);
    let masked = grad(Tensor::from([-inf, 0.0]), |x| {
        x.softmax(-1).mul(Tensor::from([3.0, 5.0]))
    });
    assert_eq!(masked, [0.0, 0.0]);
    assert!(
        Tensor::from([-inf, -inf])
            .softmax(-1)
            .to_vec::<f32>()
            .iter()
            .all(|y| y.is_nan())
    );
}
