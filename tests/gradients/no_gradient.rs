//! What is not in the list of gradients, and why.
//!
//! **In:** nothing. **Out:** [`NO_GRADIENT`], which [`source`](super::source) holds against the library's source together with the list.
//! Its law: a name stands here with a reason or in the list with an entry, and what cuts a graph says so: nothing leads back from its
//! result.

use teenygrad::Tensor;
use teenygrad::mlops::binary;

/// Functions and methods without a gradient, each with the reason.
pub const NO_GRADIENT: [(&str, &str); 37] = [
    (
        "Less",
        "a comparison gives bool: a step has slope 0 wherever it has one",
    ),
    ("NotEqual", "a comparison gives bool"),
    ("Bits", "bits are those of integers"),
    ("bitwise_and", "bits are those of integers"),
    ("bitwise_or", "bits are those of integers"),
    ("bitwise_xor", "bits are those of integers"),
    ("bitwise_not", "bits are those of integers"),
    ("lshift", "bits are those of integers"),
    ("rshift", "bits are those of integers"),
    ("lt", "a comparison gives bool"),
    ("gt", "a comparison gives bool"),
    ("le", "a comparison gives bool"),
    ("ge", "a comparison gives bool"),
    ("eq", "a comparison gives bool"),
    ("ne", "a comparison gives bool"),
    ("argmax", "a position is an integer"),
    ("argmin", "a position is an integer"),
    ("argmax_keepdim", "a position is an integer"),
    ("argmin_keepdim", "a position is an integer"),
    ("isnan", "a question is answered with bool"),
    ("isinf", "a question is answered with bool"),
    ("isfinite", "a question is answered with bool"),
    ("isclose", "a question is answered with bool"),
    ("logical_not", "a question is answered with bool"),
    ("any", "a question is answered with bool"),
    ("any_keepdim", "a question is answered with bool"),
    ("all_keepdim", "a question is answered with bool"),
    ("isinf_with", "a question is answered with bool"),
    ("cum_positions", "a position is an integer"),
    ("nonzero", "a position is an integer"),
    ("all", "a question is answered with bool"),
    ("count_nonzero", "a number of elements is an integer"),
    ("one_hot", "is made of integers"),
    ("argsort", "a position is an integer"),
    ("qr", "is computed at once, from values"),
    ("svd", "is computed at once, from values"),
    (
        "set",
        "refuses tensors that require a gradient: what it overwrites could not be found on the way back",
    ),
];

#[test]
fn what_has_no_gradient_says_so() {
    let x = Tensor::from([1.0, 2.0]).requires_grad(true);
    let cuts = [
        x.lt(1.5),
        x.gt(1.5),
        x.le(1.5),
        x.ge(1.5),
        x.eq(1.5),
        x.ne(1.5),
        x.argmax(0),
        x.argmin(0),
        x.argmax_keepdim(0),
        x.argmin_keepdim(0),
    ];
    for (i, cut) in cuts.iter().enumerate() {
        assert_ne!(cut.needs_grad(), Some(true), "number {i}");
        assert!(cut.made_by().is_none(), "number {i}");
    }
    let less = Tensor::apply(binary::Less, &[&x, &x]);
    let unequal = Tensor::apply(binary::NotEqual, &[&x, &x]);
    assert!(less.made_by().is_none() && unequal.made_by().is_none());
}
