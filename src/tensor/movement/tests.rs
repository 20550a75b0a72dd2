//! Tests of `movement`.

use super::*;

#[test]
fn what_is_around_stays_around() {
    let x = Tensor::from([1.0, 2.0]).requires_grad(true);
    let y = x.pad(&[(1, 1)], f32::NEG_INFINITY);
    assert_eq!(
        y.to_vec::<f32>(),
        [f32::NEG_INFINITY, 1.0, 2.0, f32::NEG_INFINITY]
    );
    y.exp().sum(()).backward(); // e⁻∞ = 0
    let grad = x.grad().unwrap().to_vec::<f32>();
    assert!((grad[0] - 1f32.exp()).abs() < 1e-5 && (grad[1] - 2f32.exp()).abs() < 1e-5);

    let (nan, one) = (Tensor::from([f32::NAN, f32::INFINITY]), Tensor::from([1.0]));
    let joined = Tensor::cat(&[&nan, &one, &nan], 0).to_vec::<f32>();
    assert!(joined[0].is_nan() && joined[3].is_nan());
    assert_eq!(
        (joined[1], joined[2], joined[4]),
        (f32::INFINITY, 1.0, f32::INFINITY)
    );
}

#[test]
fn triangles_leave_nan_behind() {
    let x = Tensor::from([[1.0, f32::NAN], [3.0, 4.0]]).requires_grad(true);
    let y = x.tril(0);
    assert_eq!(y.to_vec::<f32>(), [1.0, 0.0, 3.0, 4.0]);
    y.square().sum(()).backward();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [2.0, 0.0, 6.0, 8.0]);
    assert_eq!(
        Tensor::from([[true, true], [true, true]])
            .triu(1)
            .to_vec::<bool>(),
        [false, true, false, false]
    );
}

#[test]
fn results_are_tensors_of_their_own() {
    let x = Tensor::from([1, 2]);
    for y in [
        x.reshape(2),
        x.expand(2),
        x.permute(0),
        x.flip([0; 0]),
        x.shrink(&[(0, 2)]),
        x.slice(&[(0, 2)], 0),
        x.squeeze(()),
        x.get(..),
    ] {
        assert!(!y.is_same(&x));
        y.assign(&Tensor::from([8, 9]));
        assert_eq!(x.to_vec::<i32>(), [1, 2]);
    }
}

#[test]
fn slices_lie_anywhere() {
    let x = Tensor::from([1, 2, 3]);
    assert_eq!(x.slice(&[(4, 6)], 7).to_vec::<i32>(), [7, 7]);
    assert_eq!(x.slice(&[(-3, -1)], 7).to_vec::<i32>(), [7, 7]);
    assert_eq!(x.slice(&[(-1, 4)], 7).to_vec::<i32>(), [7, 1, 2, 3, 7]);
    assert_eq!(x.slice(&[(2, 2)], 7).shape(), [0]);
}

#[test]
fn nothing_moves_too() {
    let none = Tensor::zeros([2, 0, 3]);
    assert_eq!(
        none.permute([2, 0, 1]).flip(()).reshape([0, 5]).shape(),
        [0, 5]
    );
    assert_eq!(
        none.pad(&[(0, 0), (1, 1), (0, 0)], 2).to_vec::<f32>(),
        [2.0; 12]
    );
    assert_eq!(none.repeat([1, 2, 3]).shape(), [2, 0, 9]);
    assert_eq!(none.chunk(3, 1).len(), 3);
    assert_eq!(
        Tensor::cat(&[&none, &Tensor::ones([2, 1, 3])], 1).to_vec::<f32>(),
        [1.0; 6]
    );
    assert_eq!(none.triu(0).shape(), [2, 0, 3]);
    assert_eq!(Tensor::ones(()).expand([2, 0]).shape(), [2, 0]);
    let x = Tensor::ones([1, 3]).requires_grad(true);
    x.expand([0, 3]).sum(()).backward();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [0.0; 3]);
}

#[test]
fn dtypes_promote_when_tensors_join() {
    let joined = Tensor::cat(
        &[
            &Tensor::from([1u8]),
            &Tensor::from([-2i8]),
            &Tensor::from([true]),
        ],
        0,
    );
    assert_eq!(
        (joined.to_vec::<i32>(), joined.dtype()),
        (vec![1, -2, 1], DType::Int16)
    );
}
