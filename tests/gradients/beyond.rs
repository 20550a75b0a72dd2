//! What goes beyond the original's list: further functions, movements, scatters, sorting, losses and options.
//!
//! **In:** nothing. **Out:** entries.

use super::entry::{Entry, entry, integers, unary_entry};
use teenygrad::Tensor;
use teenygrad::tensor::conv::Pool;
use teenygrad::tensor::losses::Reduction;
use teenygrad::tensor::scatter::Join;

/// Five sources for four places, two of them for one.
fn joined(x: &[Tensor], join: Join, include_self: bool) -> Tensor {
    let index = integers(&x[0], [2, 0, 2, 1, 1, 3]).reshape([2, 3]);
    x[0].scatter_reduce(1, &index, &x[1], join, include_self)
}

/// What goes beyond the original's list.
pub fn beyond() -> Vec<Entry> {
    let cube: &[&[usize]] = &[&[2, 3, 4]];
    let pair: &[&[usize]] = &[&[3, 4], &[3, 4]];
    vec![
        unary_entry("log10", |x| x.log10()).within(0.2, 3.0),
        unary_entry("log1p", |x| x.log1p()).within(-0.8, 3.0),
        unary_entry("expm1", |x| x.expm1()),
        unary_entry("logsigmoid", |x| x.logsigmoid()),
        unary_entry("erf", |x| x.erf()).within(-0.4, 0.4),
        unary_entry("erf", |x| x.erf()).within(0.6, 3.0),
        unary_entry("atan", |x| x.atan()).within(-4.0, 4.0),
        unary_entry("asin", |x| x.asin()).within(-0.9, 0.9),
        unary_entry("acos", |x| x.acos()).within(-0.9, 0.9),
        unary_entry("selu", |x| x.selu()),
        unary_entry("hardsigmoid", |x| x.hardsigmoid()).within(-5.0, 5.0),
        entry("logaddexp", "", pair, |x| x[0].logaddexp(&x[1])),
        unary_entry("selu_with", |x| x.selu_with(1.5, 0.7)),
        unary_entry("hardsigmoid_with", |x| x.hardsigmoid_with(0.3, 0.4)).within(-5.0, 5.0),
        unary_entry("gelu_erf", |x| x.gelu_erf()).within(-0.6, 0.6),
        entry("copysign", "", &[&[3, 4]], |x| {
            let sign = x[0].detach().roll(1, 1) - 0.1;
            x[0].copysign(&sign)
        }),
        entry("normalize", "by length", &[&[3, 4]], |x| {
            x[0].normalize(2.0, 1, 1e-12)
        }),
        entry("normalize", "by another norm", &[&[3, 4]], |x| {
            x[0].normalize(3.0, 0, 1e-12)
        }),
        entry("lerp", "", &[&[3, 4], &[3, 4], &[4]], |x| {
            x[0].lerp(&x[1], &x[2])
        }),
        entry("split", "of two sizes", cube, |x| {
            x[0].split([1, 3], 2)[1].square()
        }),
        entry("unflatten", "", cube, |x| x[0].unflatten(2, [2, -1])),
        entry("flatten_range", "", cube, |x| x[0].flatten_range(0, 1)),
        entry("movedim", "", cube, |x| x[0].movedim(0, -1)),
        entry("roll", "two axes", cube, |x| x[0].roll([1, -2], [0, 2])),
        entry("repeat_interleave", "", cube, |x| {
            x[0].repeat_interleave(3, 1)
        }),
        entry("unfold", "overlapping", cube, |x| {
            x[0].unfold(2, 2, 1).square()
        }),
        entry("diagonal", "", cube, |x| x[0].diagonal(0, 2)),
        entry("diagonal_at", "above", cube, |x| x[0].diagonal_at(1, 0, 2)),
        entry("diagonal_at", "below", cube, |x| x[0].diagonal_at(-1, 2, 1)),
        entry("diag", "", &[&[3]], |x| x[0].diag()),
        entry("pad_to", "", cube, |x| x[0].pad_to([3, 3, 6], 1.5)),
        entry("shrink_to", "", cube, |x| x[0].shrink_to([2, 1, 3])),
        entry("rearrange", "", cube, |x| {
            x[0].rearrange("a b (c d) -> (d b) a c", &[("c", 2)])
        }),
        entry("with_heads_of", "", cube, |x| {
            x[0].with_heads_of(&Tensor::zeros([4, 1, 1]))
        }),
        entry("masked_fill", "with the other", pair, |x| {
            x[0].masked_fill(&x[0].detach().gt(0.5), &x[1])
        }),
        entry("meshgrid", "", &[&[3], &[2]], |x| {
            let grid = Tensor::meshgrid(&[&x[0], &x[1]], "xy");
            &grid[0] * &grid[1]
        }),
        entry("scatter", "two to one place", &[&[3, 4], &[2, 3]], |x| {
            let index = integers(&x[0], [2, 0, 2, 1, 1, 3]).reshape([2, 3]);
            x[0].scatter(1, &index, &x[1])
        }),
        entry(
            "scatter_add",
            "two to one place",
            &[&[3, 4], &[2, 3]],
            |x| {
                let index = integers(&x[0], [2, 0, 2, 1, 1, 3]).reshape([2, 3]);
                x[0].scatter_add(1, &index, &x[1])
            },
        ),
        entry("scatter_reduce", "sums", &[&[3, 4], &[2, 3]], |x| {
            joined(x, Join::Sum, true)
        }),
        entry("scatter_reduce", "averages", &[&[3, 4], &[2, 3]], |x| {
            joined(x, Join::Mean, true)
        }),
        entry(
            "scatter_reduce",
            "averages of others",
            &[&[3, 4], &[2, 3]],
            |x| joined(x, Join::Mean, false),
        ),
        entry("scatter_reduce", "products", &[&[3, 4], &[2, 3]], |x| {
            joined(x, Join::Prod, true)
        }),
        entry("scatter_reduce", "the largest", &[&[3, 4], &[2, 3]], |x| {
            joined(x, Join::Max, true)
        }),
        entry(
            "scatter_reduce",
            "the smallest others",
            &[&[3, 4], &[2, 3]],
            |x| joined(x, Join::Min, false),
        ),
        entry("prod", "one axis", cube, |x| x[0].prod(1)),
        entry("prod_keepdim", "two axes", cube, |x| {
            x[0].prod_keepdim([0, 2])
        }),
        entry("prod", "all axes", &[&[2, 3]], |x| x[0].prod(())),
        entry("cumprod", "", cube, |x| x[0].cumprod(1)),
        entry("cummax", "", &[&[3, 4]], |x| x[0].cummax(1)),
        entry("cummin", "", &[&[3, 4]], |x| x[0].cummin(1)),
        entry("logcumsumexp", "", &[&[3, 4]], |x| x[0].logcumsumexp(1)),
        entry("sort", "descending", &[&[3, 4]], |x| x[0].sort(1, true).0),
        entry("topk", "", &[&[3, 4]], |x| x[0].topk(2, 1, true).0),
        entry("masked_select", "", &[&[3, 4]], |x| {
            let mask = integers(&x[0], [1, 0, 1, 1]);
            x[0].masked_select(&mask)
        }),
        entry("masked_select_sized", "padded", &[&[3, 4]], |x| {
            let mask = integers(&x[0], [1, 0, 1, 1]);
            x[0].masked_select_sized(&mask, 12, 0)
        }),
        entry("max_pool2d_indices", "overlapping", &[&[2, 4, 5]], |x| {
            x[0].max_pool2d_indices(2, Pool::default().stride(1)).0
        }),
        entry("max_unpool2d", "", &[&[2, 2, 2]], |x| {
            let places = integers(&x[0], [0, 3, 9, 15, 5, 6, 12, 11]).reshape([2, 2, 2]);
            x[0].max_unpool2d(&places, 2, Pool::default(), None)
        }),
        entry("newton_schulz", "", &[&[3, 4]], |x| {
            x[0].newton_schulz(2, &[1.5, -0.5, 0.1], 1e-7)
        }),
        entry(
            "binary_crossentropy_with",
            "summed",
            &[&[3, 2], &[3, 2]],
            |x| x[0].binary_crossentropy_with(&x[1], Reduction::Sum),
        )
        .within(0.1, 0.9),
        entry(
            "binary_crossentropy_logits_with",
            "weighted",
            &[&[3, 2], &[3, 2], &[2]],
            |x| x[0].binary_crossentropy_logits_with(&x[1], Some(&x[2]), Reduction::None),
        ),
        entry(
            "einsum",
            "a product of three",
            &[&[2, 3], &[3, 4], &[4, 2]],
            |x| Tensor::einsum("ij,jk,kl->li", &[&x[0], &x[1], &x[2]]),
        ),
        entry("einsum", "a diagonal", &[&[3, 3]], |x| {
            Tensor::einsum("ii->i", &[&x[0]])
        }),
        entry("interpolate", "linear", &[&[2, 3, 4]], |x| {
            x[0].interpolate([5, 3], "linear", false)
        }),
        entry("interpolate", "nearest", &[&[2, 3, 4]], |x| {
            x[0].interpolate([6], "nearest", false)
        }),
        entry("nll_loss", "weighted", &[&[3, 4], &[4]], |x| {
            let y = integers(&x[0], [1, 3, 0]);
            x[0].nll_loss(&y, Some(&x[1].square()), Some(0), Reduction::Mean)
        }),
        entry(
            "sparse_categorical_crossentropy_with",
            "smoothed",
            &[&[3, 4]],
            |x| {
                let y = integers(&x[0], [1, -1, 0]);
                x[0].sparse_categorical_crossentropy_with(&y, -1, 0.2, Reduction::Mean)
            },
        ),
        entry("cross_entropy", "smoothed", &[&[3, 4]], |x| {
            let y = integers(&x[0], [1, 3, 0]);
            x[0].cross_entropy(&y, Reduction::Mean, 0.1)
        }),
        entry("pad_with", "reflected", cube, |x| {
            x[0].pad_with(&[None, Some((2, 1)), Some((-1, 3))], "reflect", 0)
        }),
        entry("pad_with", "cut and padded", cube, |x| {
            x[0].pad_with(&[None, Some((2, -1)), Some((-1, 3))], "constant", 1.5)
        }),
        entry("max_pool2d_with", "padding", &[&[1, 4, 5]], |x| {
            x[0].max_pool2d_with([3, 2], Pool::default().stride(2).padding(1).ceil_mode(true))
        }),
        entry("avg_pool2d_with", "padding", &[&[1, 4, 5]], |x| {
            x[0].avg_pool2d_with([3, 2], Pool::default().padding(1).count_include_pad(false))
        }),
    ]
}
