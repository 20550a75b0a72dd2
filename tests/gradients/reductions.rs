//! Reductions, and what is made of them.
//!
//! **In:** nothing. **Out:** entries: each reduction over one axis, several, all, and none.

use super::entry::{Entry, entry};
use teenygrad::Tensor;

/// Reductions, and what is made of them.
pub fn reductions() -> Vec<Entry> {
    type Over = fn(&Tensor, &[isize]) -> Tensor;
    let all: [(&'static str, Over); 14] = [
        ("sum", |x, axes| x.sum(axes)),
        ("sum_keepdim", |x, axes| x.sum_keepdim(axes)),
        ("max", |x, axes| x.max(axes)),
        ("max_keepdim", |x, axes| x.max_keepdim(axes)),
        ("min", |x, axes| x.min(axes)),
        ("min_keepdim", |x, axes| x.min_keepdim(axes)),
        ("mean", |x, axes| x.mean(axes)),
        ("mean_keepdim", |x, axes| x.mean_keepdim(axes)),
        ("var", |x, axes| x.var(axes)),
        ("var_keepdim", |x, axes| x.var_keepdim(axes)),
        ("std", |x, axes| x.std(axes)),
        ("std_keepdim", |x, axes| x.std_keepdim(axes)),
        ("logsumexp", |x, axes| x.logsumexp(axes)),
        ("logsumexp_keepdim", |x, axes| x.logsumexp_keepdim(axes)),
    ];
    let mut entries = Vec::new();
    for (name, over) in all {
        for axes in [&[0][..], &[1], &[-1], &[0, 2], &[1, 2], &[0, 1, 2]] {
            entries.push(entry(
                name,
                format!("axes {axes:?}"),
                &[&[3, 2, 4]],
                move |x| over(&x[0], axes),
            ));
        }
        entries.push(entry(name, "no axes", &[&[3, 2]], move |x| {
            over(&x[0].mul(&x[0]), &[])
        }));
    }
    // Over no axes at all these two divide by n − 1 = 0, which is NaN by definition.
    entries.retain(|entry| {
        !(entry.what == "no axes"
            && (entry.name.starts_with("var") || entry.name.starts_with("std")))
    });
    let cube: &[&[usize]] = &[&[3, 2, 4]];
    entries.extend([
        entry("var_with", "correction 0", cube, |x| {
            x[0].var_with([0, 2], true, 0)
        }),
        entry("std_with", "correction 0", cube, |x| {
            x[0].std_with([0, 2], false, 0)
        }),
        entry("std_with", "correction 2", cube, |x| {
            x[0].std_with((), false, 2)
        }),
        entry("softmax", "last axis", cube, |x| x[0].softmax(-1)),
        entry("softmax", "first axis", cube, |x| x[0].softmax(0)),
        entry("log_softmax", "last axis", cube, |x| x[0].log_softmax(-1)),
        entry("log_softmax", "middle axis", cube, |x| x[0].log_softmax(1)),
        entry("cumsum", "last axis", cube, |x| x[0].cumsum(-1)),
        entry("cumsum", "first axis", cube, |x| x[0].cumsum(0).exp()),
        entry("sum", "of a reduction's square", cube, |x| {
            x[0].sub(x[0].mean_keepdim(1)).square().sum(0)
        }),
    ]);
    entries
}
