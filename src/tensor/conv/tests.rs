//! Convolutions against their formula, term by term, and against their adjoint; products and pools at the edges.

use super::*;
use crate::DType;
use crate::shape::view::{indices, numel};

fn whole(shape: &[usize], seed: usize) -> Tensor {
    let data: Vec<f32> = (0..numel(shape))
        .map(|i| ((i * 7 + seed * 5 + i * i / 3) % 9) as f32 - 4.0)
        .collect();
    Tensor::from_vec(data, shape)
}

fn at(data: &[f32], shape: &[usize], index: &[usize]) -> f32 {
    data[index
        .iter()
        .zip(shape)
        .fold(0, |position, (i, n)| position * n + i)]
}

/// conv2d's formula, term by term, over two spatial axes. `around`: (top, left).
fn definition(
    x: &Tensor,
    w: &Tensor,
    groups: usize,
    stride: usize,
    dilation: usize,
    around: [usize; 2],
    out: &[usize],
) -> Vec<f32> {
    let (xs, ws) = (x.shape(), w.shape());
    let (xd, wd) = (x.to_vec::<f32>(), w.to_vec::<f32>());
    let element = |index: Vec<usize>| {
        let group = index[1] / (ws[0] / groups);
        let term = |k: Vec<usize>| {
            let place = |axis: usize| {
                (index[2 + axis] * stride + k[1 + axis] * dilation)
                    .checked_sub(around[axis])
                    .filter(|&p| p < xs[2 + axis])
            };
            let (Some(row), Some(column)) = (place(0), place(1)) else {
                return 0.0;
            };
            at(&xd, &xs, &[index[0], group * ws[1] + k[0], row, column])
                * at(&wd, &ws, &[index[1], k[0], k[1], k[2]])
        };
        indices(&ws[1..]).map(term).sum()
    };
    indices(out).map(element).collect()
}

#[test]
fn convolutions_follow_the_formula_and_their_adjoint() {
    for groups in [1, 2, 4] {
        for (stride, dilation, padding) in
            (1..=3).flat_map(|s| (1..=3).flat_map(move |d| (0..=2).map(move |p| (s, d, p))))
        {
            let x = whole(&[2, 4, 7, 8], 1).requires_grad(true);
            let w = whole(&[4, 4 / groups, 2, 3], 2).requires_grad(true);
            let options = Conv::default()
                .groups(groups)
                .stride(stride)
                .dilation(dilation)
                .padding(padding);
            let y = x.conv2d_with(&w, None, options.clone());
            let expected = definition(&x, &w, groups, stride, dilation, [padding; 2], &y.shape());
            assert_eq!(y.to_vec::<f32>(), expected, "groups {groups}, {options:?}");
            // ⟨conv(x, w), c⟩ is linear in x and in w, so that ⟨dx, x⟩ = ⟨dw, w⟩ = ⟨y, c⟩; and a transposed convolution is dx.
            let c = whole(&y.shape(), 3);
            y.mul(&c).sum(()).backward();
            let (dx, dw) = (x.grad().unwrap(), w.grad().unwrap());
            let total = y.mul(&c).sum(()).item::<f32>();
            assert_eq!(dx.mul(&x).sum(()).item::<f32>(), total, "dx, {options:?}");
            assert_eq!(dw.mul(&w).sum(()).item::<f32>(), total, "dw, {options:?}");
            let reach =
                |axis: usize, k: usize| (y.shape()[axis] - 1) * stride + dilation * (k - 1) + 1;
            let missing = [8 + 2 * padding - reach(3, 3), 7 + 2 * padding - reach(2, 2)];
            // What the last window does not reach gets no gradient: output_padding, but one a side.
            if missing.iter().all(|&n| n < stride.max(dilation)) {
                let back = options.output_padding([missing[1], missing[0]]);
                assert_eq!(
                    c.conv_transpose2d_with(&w.detach(), None, back)
                        .to_vec::<f32>(),
                    dx.to_vec::<f32>(),
                    "groups {groups}"
                );
            }
        }
    }
}

#[test]
fn paddings_are_written_in_three_ways() {
    let (x, w) = (whole(&[1, 2, 5, 4], 1), whole(&[3, 2, 3, 2], 2));
    let conv = |padding: Shape| {
        x.conv2d_with(
            &w,
            None,
            Conv {
                padding,
                ..Conv::default()
            },
        )
    };
    assert_eq!(conv(1.into()).shape(), [1, 3, 5, 5]);
    assert_eq!(conv([2, 0].into()).shape(), [1, 3, 7, 3]);
    let sides = conv([1, 0, 0, 2].into()); // left 1, bottom 2
    assert_eq!(sides.shape(), [1, 3, 5, 4]);
    assert_eq!(
        sides.to_vec::<f32>(),
        definition(&x, &w, 1, 1, 1, [0, 1], &[1, 3, 5, 4])
    );
}

#[test]
fn products_of_narrow_integers_are_wide() {
    let x = Tensor::from([[100u8, 200]]);
    let y = x.matmul(x.t());
    assert_eq!((y.item::<i64>(), y.dtype()), (50_000, DType::Uint32));
    let x = Tensor::from([[true, true, false]]);
    assert_eq!(x.matmul(x.t()).item::<i64>(), 2);
    let half = Tensor::from(vec![half::f16::ONE; 4096]);
    assert_eq!(
        (half.dot(&half).item::<f32>(), half.dot(&half).dtype()),
        (4096.0, DType::Float16)
    );
    assert_eq!(half.dot(Tensor::ones(4096)).dtype(), DType::Float32);
}

#[test]
fn products_of_nothing_are_zero() {
    assert_eq!(
        Tensor::ones([2, 0])
            .matmul(Tensor::ones([0, 3]))
            .to_vec::<f32>(),
        [0.0; 6]
    );
    assert_eq!(
        Tensor::ones([0, 2]).matmul(Tensor::ones([2, 3])).shape(),
        [0, 3]
    );
    assert_eq!(
        Tensor::ones([1, 0, 3, 3])
            .conv2d(&Tensor::ones([2, 0, 2, 2]), Some(&Tensor::ones(2)))
            .to_vec::<f32>(),
        [1.0; 8]
    );
}

#[test]
fn pools_of_any_number_of_axes() {
    let x = Tensor::from([[1, 5, 2], [7, 3, 4]]);
    assert_eq!(x.max_pool2d([2]).to_vec::<i32>(), [5, 7]); // one axis
    assert_eq!(
        x.max_pool2d_with([2, 2], Pool::default().stride(1))
            .to_vec::<i32>(),
        [7, 5]
    );
    assert_eq!(x.avg_pool2d([2, 3]).to_vec::<f32>(), [22.0 / 6.0]);
}
