//! Axes that are not there, are named twice, or have nothing to reduce.
//!
//! **In:** where problems are gathered. **Out:** those of this topic's mistakes.
//! **Law:** with whatever ending (`_keepdim`, `_with`), a reduction speaks under its own name.

use super::Wrong;
use teenygrad::Tensor;

pub fn mistakes(wrong: &mut Wrong) {
    let (x, none) = (Tensor::ones([2, 3]), Tensor::ones([2, 0]));
    fails!(
        wrong,
        x.sum(2),
        "sum",
        "sum: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.sum([0, -2]),
        "sum",
        "sum: axis 0 of shape [2, 3] is named twice in [0, -2]"
    );
    fails!(
        wrong,
        x.sum_keepdim(-3),
        "sum_keepdim",
        "sum: axis -3 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.mean(2),
        "mean",
        "mean: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.max(2),
        "max",
        "max: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        none.max(1),
        "max",
        "max: axis 1 of shape [2, 0] is empty, and of nothing, nothing is the largest or smallest\n  hint: a sum or a mean of nothing is defined"
    );
    fails!(
        wrong,
        none.min_keepdim(1),
        "min_keepdim",
        "min: axis 1 of shape [2, 0] is empty, and of nothing, nothing is the largest or smallest\n  hint: a sum or a mean of nothing is defined"
    );
    fails!(
        wrong,
        none.argmax(()),
        "argmax",
        "argmax: axis 1 of shape [2, 0] is empty, and of nothing, nothing is the largest or smallest\n  hint: a sum or a mean of nothing is defined"
    );
    fails!(
        wrong,
        x.min(2),
        "min",
        "min: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.var(2),
        "var",
        "var: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.std(2),
        "std",
        "std: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.std_with(2, true, 0),
        "std_with",
        "std: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.var_with([0, 0], true, 0),
        "var_with",
        "var: axis 0 of shape [2, 3] is named twice in [0, 0]"
    );
    fails!(
        wrong,
        x.logsumexp(2),
        "logsumexp",
        "logsumexp: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.argmax([0, 1]),
        "argmax",
        "argmax: axes [0, 1] of shape [2, 3]: a position is along one axis, or in all of the tensor\n  hint: reshape to make one axis of several"
    );
    fails!(
        wrong,
        x.argmin(2),
        "argmin",
        "argmin: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.softmax(2),
        "softmax",
        "softmax: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.log_softmax(-3),
        "log_softmax",
        "log_softmax: axis -3 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        x.cumsum(2),
        "cumsum",
        "cumsum: axis 2 is out of range for shape [2, 3]\n  hint: axes go from -2 to 1"
    );
    fails!(
        wrong,
        Tensor::from(1.0).sum(0),
        "sum",
        "sum: axis 0 of a tensor without axes (shape [])\n  hint: a single number has no axes; unsqueeze gives it one"
    );
}
