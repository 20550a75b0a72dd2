//! Every gradient against finite differences, from one list.
//!
//! **The list** ([`list`]) has an entry for each [`Function`](teenygrad::mlops::Function) and several for each method of `Tensor` that
//! has a gradient. Those without one stand in [`NO_GRADIENT`], with the reason. Two meta-tests compare both with the source, so that
//! neither a function nor a method can be forgotten.
//!
//! **The check.** L = Σ w·f(x), with fixed weights w that are all different, so that no two errors cancel. In float64 the slope of L
//! along an axis is (L(x + h) − L(x − h)) / 2h up to about h², and that is what `backward` must find. Each entry is checked
//!
//! - element by element for inputs that lie in memory as they are,
//! - along two random directions for inputs that are views ([`Form`]): turned, flipped, expanded, cut out, overlapping, or all of it.
//!   An error in any element tilts such a slope, so a direction sees all elements at once;
//! - along one direction on the reference device.
//!
//! Inputs keep away from corners: they lie on a grid of thousandths, 0.00037 beside the places where functions have theirs.

// A step may be negative, and a table of cases is a list of tuples.
#![allow(clippy::reversed_empty_ranges, clippy::type_complexity)]

use std::collections::BTreeSet;
use std::path::Path;
use teenygrad::mlops::{FUNCTIONS, binary, indexing, movement, reduce, ternary, unary};
use teenygrad::tensor::conv::{Conv, Pool};
use teenygrad::tensor::index::{Ellipsis, NewAxis, step};
use teenygrad::tensor::losses::Reduction;
use teenygrad::tensor::scatter::Join;
use teenygrad::{DType, Device, Tensor};

// ---- What is not in the list, and why --------------------------------

/// Functions and methods without a gradient, each with the reason.
const NO_GRADIENT: [(&str, &str); 37] = [
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

// ---- The list --------------------------------------------------------

type Build = Box<dyn Fn(&[Tensor]) -> Tensor>;

struct Entry {
    /// the function's or the method's name
    name: &'static str,
    /// which of its uses
    what: String,
    /// shapes of the inputs that are differentiated
    inputs: Vec<Vec<usize>>,
    /// where their values lie
    range: (f64, f64),
    /// h, and the relative error that is allowed
    accuracy: (f64, f64),
    build: Build,
}

impl Entry {
    fn within(mut self, low: f64, high: f64) -> Entry {
        self.range = (low, high);
        self
    }
    /// For what is computed in float32 on the way: a longer step, and a coarser eye.
    fn single_precision(mut self) -> Entry {
        self.accuracy = (1.0 / 64.0, 1e-4);
        self
    }
}

/// The uses of one function or method.
fn entry(
    name: &'static str,
    what: impl Into<String>,
    inputs: &[&[usize]],
    build: impl Fn(&[Tensor]) -> Tensor + 'static,
) -> Entry {
    let inputs = inputs.iter().map(|shape| shape.to_vec()).collect();
    Entry {
        name,
        what: what.into(),
        inputs,
        range: (-2.0, 2.0),
        accuracy: (1e-5, 1e-6),
        build: Box::new(build),
    }
}

/// An element-wise method of one tensor.
fn unary_entry(name: &'static str, build: fn(&Tensor) -> Tensor) -> Entry {
    entry(name, "", &[&[3, 4]], move |x| build(&x[0]))
}

/// Integers on the device of `like`.
fn integers<const N: usize>(like: &Tensor, values: [i64; N]) -> Tensor {
    Tensor::from(values).to(like.device()).requires_grad(false)
}

/// The mlops themselves, without the methods around them.
fn functions() -> Vec<Entry> {
    let one = [3, 4];
    let (one, two): (&[&[usize]], &[&[usize]]) = (&[&one], &[&one, &one]);
    vec![
        entry("Contiguous", "", one, |x| {
            Tensor::apply(unary::Contiguous, &[&x[0]])
        }),
        entry("ContiguousBackward", "", one, |x| {
            Tensor::apply(unary::ContiguousBackward, &[&x[0]])
        }),
        entry("Cast", "by way of float32", one, |x| {
            Tensor::apply(unary::Cast::new(DType::Float32), &[&x[0]]).cast(DType::Float64)
        })
        .single_precision(),
        entry("ToDevice", "to the other one", one, |x| {
            let other = if x[0].device() == Device::CPU {
                Device::REFERENCE
            } else {
                Device::CPU
            };
            Tensor::apply(unary::ToDevice::new(other), &[&x[0].mul(&x[0])]).exp()
        }),
        entry("Zero", "", one, |x| Tensor::apply(unary::Zero, &[&x[0]])),
        entry("Neg", "", one, |x| Tensor::apply(unary::Neg, &[&x[0]])),
        entry("Sin", "", one, |x| {
            Tensor::apply(unary::Sin::default(), &[&x[0]])
        }),
        entry("Relu", "", one, |x| {
            Tensor::apply(unary::Relu::default(), &[&x[0]])
        }),
        entry("Log", "", one, |x| {
            Tensor::apply(unary::Log::default(), &[&x[0]])
        })
        .within(0.2, 3.0),
        entry("Exp", "", one, |x| {
            Tensor::apply(unary::Exp::default(), &[&x[0]])
        }),
        entry("Sqrt", "", one, |x| {
            Tensor::apply(unary::Sqrt::default(), &[&x[0]])
        })
        .within(0.2, 3.0),
        entry("Sigmoid", "", one, |x| {
            Tensor::apply(unary::Sigmoid::default(), &[&x[0]])
        }),
        entry("Add", "", two, |x| {
            Tensor::apply(binary::Add, &[&x[0], &x[1]])
        }),
        entry("Add", "of one to itself", one, |x| {
            Tensor::apply(binary::Add, &[&x[0], &x[0]])
        }),
        entry("Sub", "", two, |x| {
            Tensor::apply(binary::Sub, &[&x[0], &x[1]])
        }),
        entry("Mul", "", two, |x| {
            Tensor::apply(binary::Mul::default(), &[&x[0], &x[1]])
        }),
        entry("Mul", "of one by itself", one, |x| {
            Tensor::apply(binary::Mul::default(), &[&x[0], &x[0]])
        }),
        entry("Div", "", two, |x| {
            Tensor::apply(binary::Div::default(), &[&x[0], &x[1]])
        })
        .within(0.3, 2.0),
        entry("Div", "negative", two, |x| {
            Tensor::apply(binary::Div::default(), &[&x[0], &x[1]])
        })
        .within(-2.0, -0.3),
        entry("Pow", "", two, |x| {
            Tensor::apply(binary::Pow::default(), &[&x[0], &x[1]])
        })
        .within(0.2, 2.5),
        entry("Mod", "", two, |x| {
            Tensor::apply(binary::Mod::default(), &[&x[0].mul(5.0), &x[1]])
        })
        .within(0.5, 2.0),
        entry("Maximum", "", two, |x| {
            Tensor::apply(binary::Maximum::default(), &[&x[0], &x[1]])
        }),
        entry("Where", "", two, |x| {
            let condition = x[0].detach().gt(0.5);
            Tensor::apply(ternary::Where::default(), &[&condition, &x[0], &x[1]])
        }),
        entry("Sum", "one axis", one, |x| {
            Tensor::apply(reduce::Sum::new(vec![1]), &[&x[0]])
        }),
        entry("Sum", "all axes", one, |x| {
            Tensor::apply(reduce::Sum::new(vec![0, 1]), &[&x[0]])
        }),
        entry("Max", "one axis", one, |x| {
            Tensor::apply(reduce::Max::new(vec![1]), &[&x[0]])
        }),
        entry("Max", "all axes", one, |x| {
            Tensor::apply(reduce::Max::new(vec![0, 1]), &[&x[0]])
        }),
        entry("CumSum", "", one, |x| {
            Tensor::apply(reduce::CumSum::new(1), &[&x[0]])
        }),
        entry("CumSum", "other axis", one, |x| {
            Tensor::apply(reduce::CumSum::new(0), &[&x[0]])
        }),
        entry("Expand", "", &[&[3, 1, 2]], |x| {
            Tensor::apply(movement::Expand::new(vec![3, 4, 2]), &[&x[0]])
        }),
        entry("Reshape", "", one, |x| {
            Tensor::apply(movement::Reshape::new(vec![2, 6]), &[&x[0]])
        }),
        entry("Permute", "", &[&[2, 3, 2]], |x| {
            Tensor::apply(movement::Permute::new(vec![2, 0, 1]), &[&x[0]])
        }),
        entry("Pad", "", one, |x| {
            Tensor::apply(movement::Pad::new(vec![(1, 2), (0, 3)]), &[&x[0]])
        }),
        entry("Shrink", "", one, |x| {
            Tensor::apply(movement::Shrink::new(vec![(1, 3), (0, 2)]), &[&x[0]])
        }),
        entry("Flip", "", one, |x| {
            Tensor::apply(movement::Flip::new(vec![1]), &[&x[0]])
        }),
        entry("Gather", "", one, |x| {
            let index = integers(&x[0], [1, 1, 0, 2, 2, 2, 0, 1]).reshape([2, 4]);
            Tensor::apply(indexing::Gather::new(0), &[&x[0], &index])
        }),
        entry("Scatter", "", one, |x| {
            let index = integers(&x[0], [1, 1, 0, 4, 2, 2, 0, 1, 4, 4, 4, 4]).reshape([3, 4]);
            Tensor::apply(indexing::Scatter::new(1, 5), &[&x[0], &index])
        }),
    ]
}

/// Windows of every kind along one axis, and a few along two: what `fold` has to find the way back from.
fn windows() -> Vec<Entry> {
    let mut entries = Vec::new();
    for kernel in 1..=4 {
        for stride in 1..=4 {
            for dilation in 1..=3 {
                if dilation * (kernel - 1) >= 9 {
                    continue;
                }
                let slide = movement::Slide {
                    kernel,
                    stride,
                    dilation,
                };
                entries.push(entry(
                    "Window",
                    format!("{slide:?}"),
                    &[&[2, 9]],
                    move |x| Tensor::apply(movement::Window::new(vec![slide]), &[&x[0]]),
                ));
            }
        }
    }
    let pairs = [
        [(2, 1, 1), (3, 2, 1)],
        [(2, 3, 2), (2, 1, 2)],
        [(2, 2, 1), (2, 2, 1)],
        [(1, 3, 1), (3, 1, 1)],
        [(3, 2, 2), (2, 3, 2)],
    ];
    for pair in pairs {
        let slides = pair.map(|(kernel, stride, dilation)| movement::Slide {
            kernel,
            stride,
            dilation,
        });
        entries.push(entry(
            "Window",
            format!("{slides:?}"),
            &[&[5, 4]],
            move |x| Tensor::apply(movement::Window::new(slides.to_vec()), &[&x[0]]),
        ));
    }
    entries
}

/// Methods that work element by element.
fn elementwise() -> Vec<Entry> {
    let pair: &[&[usize]] = &[&[3, 4], &[3, 4]];
    vec![
        entry("add", "broadcast", &[&[3, 1], &[4]], |x| x[0].add(&x[1])),
        entry("add", "a number", &[&[3]], |x| x[0].add(2)),
        entry("sub", "broadcast", &[&[4], &[3, 4]], |x| x[0].sub(&x[1])),
        entry("mul", "broadcast", &[&[2, 1, 3], &[4, 1]], |x| {
            x[0].mul(&x[1])
        }),
        entry("mul", "an operator, number on the left", &[&[3]], |x| {
            2.5 * &x[0]
        }),
        entry("div", "broadcast", &[&[3, 1], &[4]], |x| x[0].div(&x[1])).within(0.3, 2.0),
        entry("div", "an operator, number on the left", &[&[3]], |x| {
            1.0 / &x[0]
        })
        .within(0.3, 2.0),
        entry("idiv", "a step", pair, |x| x[0].mul(3.0).idiv(&x[1])).within(0.5, 2.0),
        entry("modulo", "broadcast", &[&[3, 1], &[4]], |x| {
            x[0].mul(7.0).modulo(&x[1])
        })
        .within(0.5, 2.0),
        entry("modulo", "by a number", &[&[3]], |x| {
            x[0].mul(7.0).modulo(3)
        }),
        entry("pow", "tensor", &[&[3, 1], &[4]], |x| x[0].pow(&x[1])).within(0.3, 2.0),
        entry("pow", "0", &[&[4]], |x| x[0].pow(0)),
        entry("pow", "1", &[&[4]], |x| x[0].pow(1)),
        entry("pow", "2", &[&[4]], |x| x[0].pow(2)),
        entry("pow", "3", &[&[4]], |x| x[0].pow(3)),
        entry("pow", "4, negative bases", &[&[4]], |x| x[0].pow(4)),
        entry("pow", "5.0, negative bases", &[&[4]], |x| x[0].pow(5.0)),
        entry("pow", "-1", &[&[4]], |x| x[0].pow(-1)),
        entry("pow", "-2", &[&[4]], |x| x[0].pow(-2.0)),
        entry("pow", "-3, negative bases", &[&[4]], |x| x[0].pow(-3.0)).within(-2.0, -0.4),
        entry("pow", "a half", &[&[4]], |x| x[0].pow(0.5)).within(0.3, 2.0),
        entry("pow", "minus a half", &[&[4]], |x| x[0].pow(-0.5)).within(0.3, 2.0),
        entry("pow", "2.7", &[&[4]], |x| x[0].pow(2.7)).within(0.3, 2.0),
        entry(
            "pow",
            "a tensor of whole exponents, negative bases",
            &[&[4]],
            |x| {
                let exponents = integers(&x[0], [2, 3, 1, 0])
                    .cast(DType::Float64)
                    .requires_grad(false);
                x[0].pow(&exponents)
            },
        ),
        entry("rpow", "", &[&[4]], |x| x[0].rpow(2.5)),
        entry("maximum", "broadcast", &[&[3, 1], &[4]], |x| {
            x[0].maximum(&x[1])
        }),
        entry("maximum", "a number", &[&[6]], |x| x[0].maximum(0.5)),
        entry("minimum", "broadcast", &[&[3, 1], &[4]], |x| {
            x[0].minimum(&x[1])
        }),
        entry("minimum", "a number", &[&[6]], |x| x[0].minimum(0.5)),
        entry("where_", "broadcast", &[&[3, 1], &[4]], |x| {
            x[0].detach().gt(0.3).where_(&x[1], &x[0])
        }),
        entry("where_", "numbers", &[&[6]], |x| {
            x[0].detach().gt(0.3).where_(1.5, x[0].mul(&x[0]))
        }),
        unary_entry("neg", |x| x.neg()),
        unary_entry("contiguous", |x| x.contiguous()),
        unary_entry("contiguous_backward", |x| x.contiguous_backward()),
        unary_entry("log", |x| x.log()).within(0.2, 3.0),
        unary_entry("log2", |x| x.log2()).within(0.2, 3.0),
        unary_entry("exp", |x| x.exp()),
        unary_entry("exp2", |x| x.exp2()),
        unary_entry("sigmoid", |x| x.sigmoid()),
        unary_entry("sqrt", |x| x.sqrt()).within(0.2, 3.0),
        unary_entry("rsqrt", |x| x.rsqrt()).within(0.2, 3.0),
        unary_entry("square", |x| x.square()),
        unary_entry("reciprocal", |x| x.reciprocal()).within(-3.0, -0.2),
        unary_entry("sin", |x| x.sin()).within(-7.0, 7.0),
        unary_entry("cos", |x| x.cos()).within(-7.0, 7.0),
        unary_entry("tan", |x| x.tan()).within(-1.3, 1.3),
        unary_entry("sinh", |x| x.sinh()),
        unary_entry("cosh", |x| x.cosh()),
        unary_entry("tanh", |x| x.tanh()),
        unary_entry("asinh", |x| x.asinh()),
        unary_entry("acosh", |x| x.acosh()).within(1.2, 4.0),
        unary_entry("atanh", |x| x.atanh()).within(-0.8, 0.8),
        unary_entry("trunc", |x| x.trunc().add(x)),
        unary_entry("floor", |x| x.floor().mul(x)),
        unary_entry("ceil", |x| x.ceil()),
        unary_entry("round", |x| x.round().mul(x)),
        unary_entry("abs", |x| x.abs()),
        unary_entry("sign", |x| x.sign().mul(x)),
        unary_entry("clip", |x| x.clip(-1.0, 0.5)),
        unary_entry("cast", |x| {
            x.cast(DType::Float32).mul(2).cast(DType::Float64)
        })
        .single_precision(),
        unary_entry("float", |x| x.float().cast(DType::Float64)).single_precision(),
        unary_entry("to", |x| {
            x.to(Device::REFERENCE)
                .exp()
                .to(Device::CPU)
                .mul(x.to(Device::CPU))
        }),
        unary_entry("relu", |x| x.relu()),
        unary_entry("relu6", |x| x.relu6()).within(-8.0, 8.0),
        unary_entry("hardtanh", |x| x.hardtanh(-1.0, 0.5)),
        unary_entry("hardswish", |x| x.hardswish()).within(-5.0, 5.0),
        unary_entry("leakyrelu", |x| x.leakyrelu(0.1)),
        unary_entry("elu", |x| x.elu(1.5)),
        unary_entry("celu", |x| x.celu(1.5)),
        unary_entry("swish", |x| x.swish()),
        unary_entry("silu", |x| x.silu()),
        unary_entry("gelu", |x| x.gelu()),
        unary_entry("quick_gelu", |x| x.quick_gelu()),
        unary_entry("softplus", |x| x.softplus(2.0)),
        unary_entry("mish", |x| x.mish()),
        unary_entry("softsign", |x| x.softsign()),
    ]
}

/// Reductions, and what is made of them.
fn reductions() -> Vec<Entry> {
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

/// Elements that go elsewhere.
fn movements() -> Vec<Entry> {
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

/// Convolutions with all that they have.
fn convolutions() -> Vec<Entry> {
    let mut entries = Vec::new();
    // One axis: everything with everything.
    for (kernel, stride, dilation) in
        (1..=3).flat_map(|k| (1..=3).flat_map(move |s| (1..=2).map(move |d| (k, s, d))))
    {
        for (padding, groups) in [(vec![0], 1), (vec![1], 2), (vec![0, 2], 1), (vec![2, 1], 2)] {
            let options = Conv::default()
                .stride(stride)
                .dilation(dilation)
                .padding(&padding)
                .groups(groups);
            let what = format!(
                "1 axis, kernel {kernel}, stride {stride}, dilation {dilation}, padding {padding:?}, {groups} groups"
            );
            entries.push(entry(
                "conv2d_with",
                what,
                &[&[1, 2, 6], &[2, 2 / groups, kernel], &[2]],
                move |x| x[0].conv2d_with(&x[1], Some(&x[2]), options.clone()),
            ));
        }
    }
    // Two axes, different ones.
    let two: [(
        [usize; 2],
        [usize; 2],
        [usize; 2],
        &'static [i32],
        usize,
        usize,
        usize,
    ); 9] = [
        // kernel, stride, dilation, padding, groups, channels in, channels out
        ([3, 3], [1, 1], [1, 1], &[0], 1, 2, 3),
        ([3, 3], [1, 1], [1, 1], &[1], 1, 1, 2),
        ([2, 3], [2, 1], [1, 1], &[1, 0], 1, 2, 2),
        ([2, 2], [3, 3], [1, 1], &[0], 1, 1, 2),
        ([2, 2], [2, 3], [2, 2], &[1], 1, 2, 1),
        ([3, 1], [2, 2], [2, 1], &[0, 1, 2, 0], 1, 1, 1),
        ([2, 2], [1, 2], [1, 2], &[1], 2, 4, 2),
        ([2, 2], [1, 1], [1, 1], &[0], 3, 3, 3),
        ([1, 1], [2, 2], [1, 1], &[0], 1, 2, 3),
    ];
    for (kernel, stride, dilation, padding, groups, channels, out) in two {
        let options = Conv::default()
            .stride(stride)
            .dilation(dilation)
            .padding(padding)
            .groups(groups);
        let what = format!(
            "2 axes, kernel {kernel:?}, stride {stride:?}, dilation {dilation:?}, padding {padding:?}, {groups} groups, {channels} to {out}"
        );
        let weight = [out, channels / groups, kernel[0], kernel[1]];
        entries.push(entry(
            "conv2d_with",
            what,
            &[&[2, channels, 5, 5], &weight],
            move |x| x[0].conv2d_with(&x[1], None, options.clone()),
        ));
    }
    entries.push(entry(
        "conv2d",
        "and what comes before and after",
        &[&[1, 2, 4, 4], &[2, 2, 2, 2], &[2]],
        |x| {
            x[0].square()
                .conv2d(&x[1].sin(), Some(&x[2]))
                .relu()
                .sum([2, 3])
        },
    ));
    // Three axes.
    for (stride, dilation, padding) in [(1, 1, 0), (2, 1, 1), (2, 2, 1)] {
        let options = Conv::default()
            .stride(stride)
            .dilation(dilation)
            .padding(padding);
        let what = format!("3 axes, stride {stride}, dilation {dilation}, padding {padding}");
        entries.push(entry(
            "conv2d_with",
            what,
            &[&[1, 1, 3, 3, 3], &[2, 1, 2, 2, 2]],
            move |x| x[0].conv2d_with(&x[1], None, options.clone()),
        ));
    }
    // Transposed.
    for (kernel, stride, dilation) in
        (1..=3).flat_map(|k| (1..=3).flat_map(move |s| (1..=2).map(move |d| (k, s, d))))
    {
        for (padding, output_padding, groups) in [(0, 0, 1), (1, 1, 2)] {
            if output_padding >= stride.max(dilation)
                || 2 * padding >= 2 * stride + dilation * (kernel - 1)
            {
                continue;
            }
            let options = Conv::default()
                .stride(stride)
                .dilation(dilation)
                .padding(padding)
                .output_padding(output_padding)
                .groups(groups);
            let what = format!(
                "1 axis, kernel {kernel}, stride {stride}, dilation {dilation}, padding {padding}, more {output_padding}, {groups} groups"
            );
            entries.push(entry(
                "conv_transpose2d_with",
                what,
                &[&[1, 2, 3], &[2, 2, kernel]],
                move |x| x[0].conv_transpose2d_with(&x[1], None, options.clone()),
            ));
        }
    }
    entries.push(entry(
        "conv_transpose2d",
        "2 axes",
        &[&[1, 2, 3, 2], &[2, 1, 2, 3], &[1]],
        |x| x[0].conv_transpose2d(&x[1], Some(&x[2])),
    ));
    let options = Conv::default()
        .stride([2, 1])
        .dilation([1, 2])
        .padding(1)
        .output_padding([1, 0]);
    entries.push(entry(
        "conv_transpose2d_with",
        "2 axes, all options",
        &[&[1, 2, 3, 2], &[2, 1, 2, 3]],
        move |x| x[0].conv_transpose2d_with(&x[1], None, options.clone()),
    ));
    // Pools.
    for (kernel, stride, dilation) in
        (1..=3).flat_map(|k| (1..=4).flat_map(move |s| (1..=2).map(move |d| (k, s, d))))
    {
        let options = Pool::default().stride(stride).dilation(dilation);
        let (what, other) = (
            format!("kernel [{kernel}], stride {stride}, dilation {dilation}"),
            options.clone(),
        );
        entries.push(entry("max_pool2d_with", &what, &[&[2, 7]], move |x| {
            x[0].max_pool2d_with([kernel], options.clone())
        }));
        entries.push(entry("avg_pool2d_with", &what, &[&[2, 7]], move |x| {
            x[0].avg_pool2d_with([kernel], other.clone())
        }));
    }
    entries.extend([
        entry("max_pool2d", "2 by 2", &[&[1, 2, 5, 4]], |x| {
            x[0].max_pool2d(2)
        }),
        entry("avg_pool2d", "2 by 3", &[&[1, 2, 5, 4]], |x| {
            x[0].avg_pool2d([2, 3])
        }),
        entry("max_pool2d_with", "overlapping", &[&[1, 1, 5, 4]], |x| {
            x[0].max_pool2d_with([3, 2], Pool::default().stride([1, 2]))
        }),
        entry(
            "max_pool2d_with",
            "stride and dilation",
            &[&[1, 1, 6, 6]],
            |x| x[0].max_pool2d_with(2, Pool::default().stride(3).dilation(2)),
        ),
        entry(
            "avg_pool2d_with",
            "stride and dilation",
            &[&[1, 1, 6, 6]],
            |x| x[0].avg_pool2d_with(2, Pool::default().stride(3).dilation(2)),
        ),
        entry("max_pool2d_with", "3 axes", &[&[1, 3, 3, 3]], |x| {
            x[0].max_pool2d_with([2, 2, 2], Pool::default().stride(1))
        }),
    ]);
    entries
}

/// Matrix products of all ranks, layers, attention and losses.
fn products() -> Vec<Entry> {
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

/// Everything that is differentiable.
fn list() -> Vec<Entry> {
    let mut all = functions();
    all.extend(windows());
    all.extend(elementwise());
    all.extend(reductions());
    all.extend(movements());
    all.extend(convolutions());
    all.extend(products());
    all.extend(beyond());
    all
}

/// Five sources for four places, two of them for one.
fn joined(x: &[Tensor], join: Join, include_self: bool) -> Tensor {
    let index = integers(&x[0], [2, 0, 2, 1, 1, 3]).reshape([2, 3]);
    x[0].scatter_reduce(1, &index, &x[1], join, include_self)
}

/// What goes beyond the original's list.
fn beyond() -> Vec<Entry> {
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

// ---- How an input lies in memory -------------------------------------

/// What an input is a view of.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Form {
    /// of itself
    Plain,
    /// its axes in the opposite order
    Turned,
    /// all axes backwards
    Flipped,
    /// the last axis repeated from one element: stride 0
    Expanded,
    /// a piece of something larger: an offset, and gaps between rows
    Cut,
    /// the last two axes are overlapping windows of one
    Overlapping,
    /// padded, flipped, turned and cut
    Chain,
}

impl Form {
    const VIEWS: [Form; 6] = [
        Form::Turned,
        Form::Flipped,
        Form::Expanded,
        Form::Cut,
        Form::Overlapping,
        Form::Chain,
    ];

    /// The shape of what is looked at.
    fn leaf(self, shape: &[usize]) -> Vec<usize> {
        let (mut leaf, n) = (shape.to_vec(), shape.len());
        match self {
            Form::Plain | Form::Flipped => {}
            Form::Turned => leaf.reverse(),
            Form::Expanded => {
                if let Some(last) = leaf.last_mut() {
                    *last = 1;
                }
            }
            Form::Cut => leaf.iter_mut().for_each(|size| *size += 2),
            Form::Overlapping if n < 2 => {}
            Form::Overlapping => {
                leaf.truncate(n - 2);
                leaf.push(shape[n - 2] + shape[n - 1] - 1);
            }
            Form::Chain => {
                leaf.reverse();
                leaf.iter_mut().for_each(|size| *size += 1);
            }
        }
        leaf
    }

    /// The view of it, with the wanted shape.
    fn view(self, leaf: &Tensor, shape: &[usize]) -> Tensor {
        let n = shape.len();
        let backwards: Vec<usize> = (0..n).rev().collect();
        match self {
            Form::Plain => leaf.clone(),
            Form::Turned => leaf.permute(backwards),
            Form::Flipped => leaf.flip(()),
            Form::Expanded => leaf.expand(shape),
            Form::Cut => {
                let ranges: Vec<(usize, usize)> = shape.iter().map(|&size| (1, size + 1)).collect();
                leaf.shrink(&ranges)
            }
            Form::Overlapping if n < 2 => leaf.clone(),
            Form::Overlapping => {
                let slide = movement::Slide {
                    kernel: shape[n - 1],
                    stride: 1,
                    dilation: 1,
                };
                Tensor::apply(movement::Window::new(vec![slide]), &[leaf])
            }
            Form::Chain => {
                // Axis by axis: [s + 1] → a zero in front [s + 2] → backwards, so that the zero comes last → without the last two.
                let ranges: Vec<(usize, usize)> = shape.iter().map(|&size| (0, size)).collect();
                leaf.pad(&vec![(1, 0); n], 0)
                    .flip(())
                    .permute(backwards)
                    .shrink(&ranges)
            }
        }
    }
}

// ---- The check -------------------------------------------------------

/// `count` different numbers in a range, on the grid of thousandths and a little beside it.
fn numbers(count: usize, (low, high): (f64, f64), which: usize) -> Vec<f64> {
    let places = ((high - low) * 1000.0) as usize - 1;
    assert!(count < places, "no {count} different numbers there");
    // A step that shares no factor with the number of places visits all of them before it repeats one.
    let stride = (617..)
        .find(|&step| gcd(step, places) == 1)
        .expect("there are many primes");
    (0..count)
        .map(|i| {
            low + ((i * stride + which * 211) % places) as f64 / 1000.0
                + 0.00037
                + 0.0001 * which as f64
        })
        .collect()
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Numbers in −1..1 without a pattern, none of them near 0.
fn weights(count: usize, seed: u64) -> Vec<f64> {
    (0..count as u64)
        .map(|i| {
            let bits = (i + 1 + seed * 1_000_003).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let unit = ((bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64
                / (1u64 << 53) as f64;
            if unit < 0.5 { unit - 0.75 } else { unit - 0.25 }
        })
        .collect()
}

struct Check<'a> {
    entry: &'a Entry,
    form: Form,
    device: Device,
}

impl Check<'_> {
    /// L = Σ w·f(view of the leaves).
    fn loss(&self, leaves: &[Tensor]) -> Tensor {
        let inputs: Vec<Tensor> = leaves
            .iter()
            .zip(&self.entry.inputs)
            .map(|(leaf, shape)| self.form.view(leaf, shape))
            .collect();
        let y = (self.entry.build)(&inputs);
        let w = Tensor::from_slice(&weights(y.numel(), 0), y.shape())
            .to(y.device())
            .detach();
        y.mul(&w).sum(()).to(Device::CPU)
    }

    fn leaf(&self, values: &[f64], shape: &[usize]) -> Tensor {
        Tensor::from_slice(values, shape).to(self.device).detach()
    }

    /// L as a number.
    fn value(&self, values: &[Vec<f64>], shapes: &[Vec<usize>]) -> f64 {
        let leaves: Vec<Tensor> = values
            .iter()
            .zip(shapes)
            .map(|(values, shape)| self.leaf(values, shape))
            .collect();
        self.loss(&leaves).item::<f64>()
    }

    /// Compares gradients with differences: element by element, or along so many directions.
    fn run(&self, directions: Option<u64>) -> Result<(), String> {
        let shapes: Vec<Vec<usize>> = self
            .entry
            .inputs
            .iter()
            .map(|shape| self.form.leaf(shape))
            .collect();
        let values: Vec<Vec<f64>> = shapes
            .iter()
            .enumerate()
            .map(|(which, shape)| numbers(shape.iter().product(), self.entry.range, which))
            .collect();
        let leaves: Vec<Tensor> = values
            .iter()
            .zip(&shapes)
            .map(|(values, shape)| self.leaf(values, shape).requires_grad(true))
            .collect();
        self.loss(&leaves).backward();
        let mut grads = Vec::new();
        for (i, leaf) in leaves.iter().enumerate() {
            let grad = leaf
                .grad()
                .ok_or_else(|| format!("input {i} has no gradient"))?;
            if (grad.shape(), grad.dtype(), grad.device())
                != (leaf.shape(), leaf.dtype(), leaf.device())
            {
                return Err(format!(
                    "input {i} of {:?} has a gradient of {:?} {}",
                    leaf.shape(),
                    grad.shape(),
                    grad.dtype()
                ));
            }
            grads.push(grad.to_vec::<f64>());
        }
        let (h, tolerance) = self.entry.accuracy;
        let slope = |direction: &[Vec<f64>]| {
            let moved = |by: f64| -> Vec<Vec<f64>> {
                values
                    .iter()
                    .zip(direction)
                    .map(|(x, d)| x.iter().zip(d).map(|(x, d)| x + by * d).collect())
                    .collect()
            };
            (self.value(&moved(h), &shapes) - self.value(&moved(-h), &shapes)) / (2.0 * h)
        };
        let near = |a: f64, b: f64| (a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1.0);
        match directions {
            None => {
                for (input, grad) in grads.iter().enumerate() {
                    for (element, &grad) in grad.iter().enumerate() {
                        let mut direction: Vec<Vec<f64>> =
                            values.iter().map(|x| vec![0.0; x.len()]).collect();
                        direction[input][element] = 1.0;
                        let slope = slope(&direction);
                        if !near(grad, slope) {
                            return Err(format!(
                                "element {element} of input {input}: backward says {grad}, the difference {slope}"
                            ));
                        }
                    }
                }
            }
            Some(count) => {
                for seed in 0..count {
                    let direction: Vec<Vec<f64>> = values
                        .iter()
                        .enumerate()
                        .map(|(i, x)| weights(x.len(), 17 * seed + i as u64 + 1))
                        .collect();
                    let along: f64 = grads
                        .iter()
                        .zip(&direction)
                        .flat_map(|(g, d)| g.iter().zip(d))
                        .map(|(g, d)| g * d)
                        .sum();
                    let slope = slope(&direction);
                    if !near(along, slope) {
                        return Err(format!(
                            "along direction {seed}: backward says {along}, the difference {slope}"
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Checks a part of the list in every form, and tells about all that failed.
fn check(entries: Vec<Entry>) {
    let mut failures = Vec::new();
    let mut attempt = |entry: &Entry, form: Form, device: Device, directions: Option<u64>| {
        let check = Check {
            entry,
            form,
            device,
        };
        let outcome =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check.run(directions)));
        let outcome = outcome.unwrap_or_else(|panic| {
            let text = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
            Err(format!("panics: {}", text.unwrap_or_default()))
        });
        if let Err(problem) = outcome {
            failures.push(format!(
                "{} ({}), {form:?} on {device}: {problem}",
                entry.name, entry.what
            ));
        }
    };
    for entry in &entries {
        attempt(entry, Form::Plain, Device::CPU, None);
        for form in Form::VIEWS {
            attempt(entry, form, Device::CPU, Some(2));
        }
        attempt(entry, Form::Plain, Device::REFERENCE, Some(1));
    }
    assert!(
        failures.is_empty(),
        "{} of {} entries × forms are wrong:\n{}",
        failures.len(),
        entries.len() * 8,
        failures.join("\n")
    );
}

#[test]
fn functions_alone() {
    check(functions());
}
#[test]
fn windows_of_all_kinds() {
    check(windows());
}
#[test]
fn elementwise_methods() {
    check(elementwise());
}
#[test]
fn reductions_and_what_is_made_of_them() {
    check(reductions());
}
#[test]
fn movements_and_indexing() {
    check(movements());
}
#[test]
fn convolutions_and_pools() {
    check(convolutions());
}
#[test]
fn what_goes_beyond_the_original() {
    check(beyond());
}

#[test]
fn products_layers_attention_and_losses() {
    check(products());
}

#[test]
fn the_check_finds_wrong_gradients() {
    // A severed half of a product, a slope that is a hundredth too steep at one element, and no way back at all.
    let severed = entry("mul", "", &[&[3, 4]], |x| x[0].mul(x[0].detach()));
    let steep = entry("exp", "", &[&[3, 4]], |x| {
        let bump = Tensor::eye(12)
            .cast(DType::Float64)
            .get(5)
            .reshape([3, 4])
            .to(x[0].device())
            .mul(1e-2)
            .requires_grad(false);
        x[0].exp().add(x[0].sub(x[0].detach()).mul(bump))
    });
    let cut = entry("sin", "", &[&[3, 4], &[3, 4]], |x| {
        x[0].sin().add(x[1].detach())
    });
    for entry in [severed, steep, cut] {
        for (form, directions) in
            std::iter::once((Form::Plain, None)).chain(Form::VIEWS.map(|form| (form, Some(2))))
        {
            let found = Check {
                entry: &entry,
                form,
                device: Device::CPU,
            }
            .run(directions);
            assert!(
                found.is_err(),
                "{} ({}) {form:?} passes",
                entry.name,
                entry.what
            );
        }
    }
}

// ---- The list against the source -------------------------------------

/// What stands in the list and does not exist, and what exists and does not stand there.
fn compare(kind: &str, listed: &BTreeSet<String>, existing: &BTreeSet<String>) {
    let forgotten: Vec<_> = existing.difference(listed).collect();
    let gone: Vec<_> = listed.difference(existing).collect();
    assert!(
        forgotten.is_empty(),
        "{kind} without a gradient test (or a reason in NO_GRADIENT): {forgotten:?}"
    );
    assert!(
        gone.is_empty(),
        "{kind} in the list that do not exist: {gone:?}"
    );
}

fn source(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names in the list, and those with a reason not to be; functions begin with a capital letter.
fn listed(functions: bool) -> BTreeSet<String> {
    let names = list()
        .into_iter()
        .map(|entry| entry.name)
        .chain(NO_GRADIENT.map(|(name, _)| name));
    names
        .filter(|name| name.starts_with(|c: char| c.is_uppercase()) == functions)
        .map(String::from)
        .collect()
}

#[test]
fn every_function_is_in_the_list() {
    let named: BTreeSet<String> = FUNCTIONS.map(String::from).into();
    assert_eq!(
        named.len(),
        FUNCTIONS.len(),
        "a name stands twice in FUNCTIONS"
    );
    compare("functions", &listed(true), &named);

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mlops");
    let mut implemented = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the sources are there") {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for block in text.split("impl Function for ").skip(1) {
            let name: String = block.chars().take_while(|c| c.is_alphanumeric()).collect();
            let says = block.split('"').nth(1).expect("a name() with its text");
            assert_eq!(says, name, "a function's name is that of its type");
            implemented.insert(name);
        }
    }
    assert!(
        implemented.len() > 30,
        "the scan of the sources finds too little"
    );
    compare("implementations", &named, &implemented);
}

#[test]
fn every_entry_of_a_function_goes_through_it() {
    for entry in functions().into_iter().chain(windows()) {
        let check = Check {
            entry: &entry,
            form: Form::Plain,
            device: Device::CPU,
        };
        let leaves: Vec<Tensor> = entry
            .inputs
            .iter()
            .map(|shape| Tensor::ones(shape).cast(DType::Float64).requires_grad(true))
            .collect();
        let used: BTreeSet<&str> = check
            .loss(&leaves)
            .deepwalk()
            .iter()
            .filter_map(|tensor| Some(tensor.made_by()?.0))
            .collect();
        assert!(
            used.contains(entry.name),
            "{} ({}) goes through {used:?} only",
            entry.name,
            entry.what
        );
    }
}

#[test]
fn every_method_is_in_the_list() {
    let mut methods = BTreeSet::new();
    for file in [
        "math",
        "activation",
        "reduce",
        "movement",
        "indexing",
        "conv",
        "functional",
        "special",
        "rearrange",
        "products",
        "sorting",
        "interpolate",
        "losses",
        "bits",
        "scatter",
        "pool",
        "unpool",
        "einops",
        "matrix",
    ] {
        let text = source(&format!("tensor/{file}.rs"));
        for line in text.lines() {
            // A method of Tensor takes &self; `cat` and `stack` take a list of tensors.
            if let Some(rest) = line.strip_prefix("    pub fn ") {
                let name: String = rest
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let signature: String = text[text.find(line).unwrap()..]
                    .chars()
                    .take_while(|&c| c != '{')
                    .collect();
                if signature.contains("&self") || signature.contains("tensors: &[&Tensor]") {
                    methods.insert(name);
                }
            }
            // In the table of reductions: `name, name_keepdim, name_over;`
            if let Some(table) = line
                .trim()
                .strip_suffix("_over;")
                .filter(|_| file == "reduce" || file == "products")
            {
                let names: Vec<&str> = table.split(", ").collect();
                methods.extend(names[..2].iter().map(|name| name.to_string()));
            }
        }
    }
    assert!(
        methods.len() > 120,
        "the scan of the sources finds too little: {}",
        methods.len()
    );
    // From mod.rs, of which most methods are not about values.
    methods.extend(["cast", "einsum", "float", "to"].map(String::from));
    compare("methods", &listed(false), &methods);
}

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
