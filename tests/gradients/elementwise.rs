//! Methods that work element by element: two operands that broadcast, numbers on either side, and everything of one tensor.
//!
//! **In:** nothing. **Out:** entries. Their law: where a function has a corner or a pole, the range keeps away from it.

use super::entry::{Entry, entry, integers, unary_entry};
use teenygrad::{DType, Device};

/// Methods that work element by element.
pub fn elementwise() -> Vec<Entry> {
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
