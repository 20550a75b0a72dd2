//! Elements that go elsewhere: movements, joins, and indexing in all its forms.
//!
//! **In:** nothing. **Out:** entries. Where nothing but places change, the gradient would be right for wrong places too if all its
//! elements were equal: the weights of the [`check`](super::check::Check) are all different.

use super::entry::{Entry, entry, integers};
use teenygrad::Tensor;
use teenygrad::tensor::index::{Ellipsis, NewAxis, step};

/// Elements that go elsewhere.
pub fn movements() -> Vec<Entry> {
    let flat: &[&[usize]] = &[&[3, 4]];
    let cube: &[&[usize]] = &[&[3, 2, 4]];
    vec![
        entry("reshape", "", flat, |x| x[0].reshape([2, -1])),
        entry("reshape", "merging turned axes", cube, |x| {
            x[0].transpose(0, 2).reshape([8, 3]).exp()
        }),
        entry("expand", "", &[&[3, 1]], |x| x[0].expand([2, -1, 4])),
        entry("expand", "in the middle", &[&[2, 1, 3]], |x| {
            x[0].expand([2, 5, 3])
        }),
        entry("squeeze", "", &[&[3, 1, 2]], |x| x[0].squeeze(1)),
        entry("unsqueeze", "", flat, |x| x[0].unsqueeze(1)),
        entry("flatten", "", cube, |x| x[0].flatten(1)),
        entry("permute", "", cube, |x| x[0].permute([1, 2, 0])),
        entry("transpose", "", cube, |x| x[0].transpose(0, -1)),
        entry("t", "", flat, |x| x[0].t()),
        entry("flip", "one axis", cube, |x| x[0].flip(1)),
        entry("flip", "all axes", cube, |x| x[0].flip(())),
        entry("shrink", "", flat, |x| x[0].shrink(&[(1, 3), (2, 4)])),
        entry("shrink", "to nothing", flat, |x| {
            x[0].shrink(&[(1, 1), (2, 4)])
        }),
        entry("pad", "zeros", flat, |x| x[0].pad(&[(1, 0), (2, 3)], 0)),
        entry("pad", "another value", flat, |x| {
            x[0].pad(&[(1, 0), (2, 3)], 1.5).exp()
        }),
        entry("slice", "beyond both ends", flat, |x| {
            x[0].slice(&[(-1, 2), (2, 6)], 0.5)
        }),
        entry("pad2d", "and cut", cube, |x| x[0].pad2d([1, -1, 2, 0], 0.0)),
        entry("pad2d", "another value", cube, |x| {
            x[0].pad2d([1, 1, 0, 2], -0.5)
        }),
        entry("cat", "first axis", &[&[1, 3], &[2, 3], &[1, 3]], |x| {
            Tensor::cat(&[&x[0], &x[1], &x[2]], 0)
        }),
        entry(
            "cat",
            "last axis, one of them twice",
            &[&[3, 1], &[3, 2]],
            |x| Tensor::cat(&[&x[0], &x[1], &x[0]], -1),
        ),
        entry("stack", "in the middle", &[&[2, 3], &[2, 3]], |x| {
            Tensor::stack(&[&x[0], &x[1]], 1)
        }),
        entry("repeat", "", flat, |x| x[0].repeat([2, 1, 3])),
        entry("chunk", "", &[&[5, 2]], |x| {
            let pieces = x[0].chunk(2, 0);
            pieces[0].sum(0).mul(pieces[1].max(0))
        }),
        entry("gather", "rows", flat, |x| {
            x[0].gather(&integers(&x[0], [2, 2, 0, 1]).reshape([2, 2]), 0)
        }),
        entry("gather", "columns, some out of range", flat, |x| {
            x[0].gather(&integers(&x[0], [3, 7, 0, -1, 0, 0]).reshape([3, 2]), 1)
        }),
        entry("triu", "", cube, |x| x[0].triu(1)),
        entry("tril", "", cube, |x| x[0].tril(-1)),
        entry("get", "one", cube, |x| x[0].get(-1)),
        entry("get", "ranges", cube, |x| x[0].get((1.., .., ..-1))),
        entry("get", "steps", cube, |x| {
            x[0].get((step(.., -1), 0, step(.., 2)))
        }),
        entry("get", "steps backwards", &[&[7]], |x| {
            x[0].get(step(5..0, -2))
        }),
        entry("get", "steps that leave something over", &[&[8, 3]], |x| {
            x[0].get((step(1.., 3), step(.., -2)))
        }),
        entry("get", "a new axis and an ellipsis", cube, |x| {
            x[0].get((Ellipsis, NewAxis, 1))
        }),
        entry("get", "a list", cube, |x| x[0].get((.., [1, 0, 1]))),
        entry("get", "a tensor", cube, |x| {
            x[0].get(integers(&x[0], [2, 0, 2, -1]).reshape([2, 2]))
        }),
        entry("get", "neighbouring tensors", cube, |x| {
            x[0].get((
                ..,
                &integers(&x[0], [0, 1, 1]),
                &integers(&x[0], [3, 3, -4]),
            ))
        }),
        entry("get", "tensors apart", cube, |x| {
            x[0].get((&integers(&x[0], [2, 0]), 1, &integers(&x[0], [3, 1])))
        }),
        entry("get", "a tensor, a range and an integer", cube, |x| {
            x[0].get((step(.., 2), 1, &integers(&x[0], [3, 0, 0])))
        }),
        entry("get", "nothing", cube, |x| x[0].get((1..1, ..))),
    ]
}
