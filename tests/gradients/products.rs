//! Matrix products of all ranks, layers, attention and losses.
//!
//! **In:** nothing. **Out:** entries. What is drawn at random is drawn anew for each slope, so its seed is set within the entry: a slope
//! is one of a single function.

use super::entry::{Entry, entry, integers};
use teenygrad::{DType, Tensor};

/// Matrix products of all ranks, layers, attention and losses.
pub fn products() -> Vec<Entry> {
    let mut entries = Vec::new();
    let lefts: [&'static [usize]; 5] = [&[3], &[2, 3], &[2, 2, 3], &[1, 2, 3], &[2, 1, 2, 3]];
    let rights: [&'static [usize]; 5] = [&[3], &[3, 2], &[2, 3, 2], &[1, 3, 2], &[1, 2, 3, 2]];
    for left in lefts {
        for right in rights {
            entries.push(entry(
                "matmul",
                format!("{left:?} @ {right:?}"),
                &[left, right],
                |x| x[0].matmul(&x[1]),
            ));
        }
    }
    let qkv: &[&[usize]] = &[&[2, 3, 2], &[2, 4, 2], &[2, 4, 3]];
    entries.extend([
        entry("matmul", "by itself, turned", &[&[3, 2]], |x| {
            x[0].matmul(x[0].t())
        }),
        entry("matmul", "of products and sums", &[&[3, 4], &[4, 2]], |x| {
            x[0].exp().matmul(x[1].sub(x[1].mean_keepdim(0))).sigmoid()
        }),
        entry(
            "matmul",
            "three in a row",
            &[&[2, 3], &[3, 2], &[2, 3]],
            |x| x[0].matmul(&x[1]).matmul(&x[2]),
        ),
        entry("dot", "", &[&[4], &[4]], |x| x[0].dot(&x[1])),
        entry("linear", "", &[&[2, 3], &[3, 4], &[4]], |x| {
            x[0].linear(&x[1], Some(&x[2]))
        }),
        entry(
            "linear",
            "a weight of one axis",
            &[&[2, 3], &[3], &[3]],
            |x| x[0].linear(&x[1], Some(&x[2])),
        ),
        entry("sequential", "", &[&[2, 3], &[3, 3]], |x| {
            let w = x[1].clone();
            x[0].sequential(&[&|x| x.linear(&w, None), &|x| x.tanh(), &|x| {
                x.linear(&w, None)
            }])
        }),
        entry("layernorm", "last axis", &[&[2, 3, 4]], |x| {
            x[0].layernorm(-1, 1e-2)
        }),
        entry("layernorm", "two axes", &[&[2, 3, 4]], |x| {
            x[0].layernorm([1, 2], 1e-2)
        }),
        entry(
            "batchnorm",
            "given averages",
            &[&[2, 3, 2], &[3], &[3], &[3], &[3]],
            |x| x[0].batchnorm(Some(&x[1]), Some(&x[2]), &x[3], &x[4]),
        ),
        entry(
            "batchnorm",
            "averages of the batch",
            &[&[4, 3, 2], &[3], &[3]],
            |x| {
                let invstd = x[0].var_with([0, 2], false, 0).add(1e-2).rsqrt();
                x[0].batchnorm(Some(&x[1]), Some(&x[2]), &x[0].mean([0, 2]), &invstd)
            },
        ),
        entry(
            "batchnorm",
            "without weight and bias",
            &[&[2, 3], &[3], &[3]],
            |x| x[0].batchnorm(None, None, &x[1], &x[2]),
        ),
        entry("dropout", "while training", &[&[5, 4]], |x| {
            let _train = Tensor::train(true);
            Tensor::manual_seed(7);
            x[0].dropout(0.4)
        }),
        entry("dropout", "otherwise", &[&[5, 4]], |x| x[0].dropout(0.4)),
        entry("scaled_dot_product_attention", "", qkv, |x| {
            x[0].scaled_dot_product_attention(&x[1], &x[2], None, 0.0, false)
        }),
        entry("scaled_dot_product_attention", "causal", qkv, |x| {
            x[0].scaled_dot_product_attention(&x[1], &x[2], None, 0.0, true)
        }),
        entry(
            "scaled_dot_product_attention",
            "a mask of bools with an empty row",
            qkv,
            |x| {
                let mask = integers(&x[0], [1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0])
                    .reshape([3, 4])
                    .cast(DType::Bool);
                x[0].scaled_dot_product_attention(&x[1], &x[2], Some(&mask), 0.0, false)
            },
        ),
        entry(
            "scaled_dot_product_attention",
            "a mask of scores",
            &[&[2, 3, 2], &[2, 4, 2], &[2, 4, 3], &[3, 4]],
            |x| x[0].scaled_dot_product_attention(&x[1], &x[2], Some(&x[3]), 0.0, true),
        ),
        entry("scaled_dot_product_attention", "dropout", qkv, |x| {
            let _train = Tensor::train(true);
            Tensor::manual_seed(3);
            x[0].scaled_dot_product_attention(&x[1], &x[2], None, 0.3, false)
        }),
        entry("binary_crossentropy", "", &[&[3, 2], &[3, 2]], |x| {
            x[0].binary_crossentropy(&x[1])
        })
        .within(0.1, 0.9),
        entry("binary_crossentropy_logits", "", &[&[3, 2], &[3, 2]], |x| {
            x[0].binary_crossentropy_logits(&x[1])
        }),
        entry(
            "sparse_categorical_crossentropy",
            "one ignored",
            &[&[4, 3]],
            |x| x[0].sparse_categorical_crossentropy(&integers(&x[0], [2, 0, -1, 2]), -1),
        ),
        entry(
            "sparse_categorical_crossentropy",
            "several axes, uint8",
            &[&[2, 2, 3]],
            |x| {
                x[0].sparse_categorical_crossentropy(
                    &integers(&x[0], [2, 0, 1, 255])
                        .cast(DType::Uint8)
                        .reshape([2, 2]),
                    255,
                )
            },
        ),
    ]);
    entries
}
