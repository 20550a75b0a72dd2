//! Operands that do not go together, with each operator and the method of its name; and one alone, of the wrong type or between bounds
//! that no number is between.
//!
//! **In:** where problems are gathered. **Out:** those of this topic's mistakes.
//! **Law:** an operator points at the start of its left side, a method at its name.

// Both sides of an operator may be one tensor.
#![allow(clippy::eq_op)]

use super::Wrong;
use teenygrad::{DType, Device, Tensor};

pub fn mistakes(wrong: &mut Wrong) {
    let (x, y) = (Tensor::ones([2, 3]), Tensor::ones([2, 4]));
    fails!(
        wrong,
        &x + &y,
        "&x + &y",
        "add: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.clone() - &y,
        "x.clone() - &y",
        "sub: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        &x * y.clone(),
        "&x * y.clone()",
        "mul: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.clone() / y.clone(),
        "x.clone() / y.clone()",
        "div: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        &x % &y,
        "&x % &y",
        "modulo: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        {
            let mut z = x.clone();
            z += &y;
            z
        },
        "z += &y",
        "add: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        {
            let mut z = x.clone();
            z /= &y;
            z
        },
        "z /= &y",
        "div: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        2.0 * &(&x + &y),
        "(&x + &y)",
        "add: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        1.0 - x.clone() * &y,
        "x.clone() * &y",
        "mul: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.add(&y),
        "add",
        "add: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.sub(&y),
        "sub",
        "sub: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.mul(&y),
        "mul",
        "mul: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.div(&y),
        "div",
        "div: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.idiv(&y),
        "idiv",
        "idiv: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.modulo(&y),
        "modulo",
        "modulo: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.pow(&y),
        "pow",
        "pow: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.rpow(&y),
        "rpow",
        "rpow: shapes [2, 4] and [2, 3] do not broadcast: axis 1 has sizes 4 and 3\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.maximum(&y),
        "maximum",
        "maximum: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.minimum(&y),
        "minimum",
        "minimum: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.lt(&y),
        "lt",
        "lt: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.gt(&y),
        "gt",
        "gt: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.le(&y),
        "le",
        "le: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.ge(&y),
        "ge",
        "ge: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.eq(&y),
        "eq",
        "eq: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.ne(&y),
        "ne",
        "ne: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        x.gt(0).where_(&y, &x),
        "where_",
        "where: shapes [2, 4] and [2, 3] do not broadcast: axis 1 has sizes 4 and 3\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        &x & &x,
        "&x & &x",
        "&: the two sides make float32, and a float has no bits to work on\n  hint: compare first (x.ne(0) is true where x is not 0), or cast to an integer type"
    );
    fails!(
        wrong,
        x.gt(0) | y.gt(0),
        "x.gt(0) | y.gt(0)",
        "|: shapes [2, 3] and [2, 4] do not broadcast: axis 1 has sizes 3 and 4\n  hint: sizes are compared from the last axis on, and must be equal or 1"
    );
    fails!(
        wrong,
        !&x,
        "!&x",
        "!: the two sides make float32, and a float has no bits to work on\n  hint: compare first (x.ne(0) is true where x is not 0), or cast to an integer type"
    );
    fails!(
        wrong,
        -x.gt(0),
        "-x.gt(0)",
        "neg: a truth value has no sign\n  hint: !x is its opposite, x.cast(DType::Int32) a number"
    );
    fails!(
        wrong,
        x.gt(0).neg(),
        "neg",
        "neg: a truth value has no sign\n  hint: !x is its opposite, x.cast(DType::Int32) a number"
    );
    fails!(
        wrong,
        &x + x.to(Device::REFERENCE),
        "&x + x.to",
        "add: one tensor is on CPU, another on REFERENCE\n  hint: move one of them with to()"
    );
    fails!(
        wrong,
        x.clip(1.0, 0.0),
        "clip",
        "clip: no number is at least 1 and at most 0"
    );
    fails!(
        wrong,
        x.clip(f64::NAN, 0.0),
        "clip",
        "clip: no number is at least NaN and at most 0"
    );
    fails!(
        wrong,
        x.bitcast(DType::Float64),
        "bitcast",
        "bitcast: float32 has 4 bytes and float64 has 8\n  hint: cast converts between sizes"
    );
    fails!(
        wrong,
        x.softplus(0.0),
        "softplus",
        "softplus: a sharpness of 0\n  hint: it is positive, and 1 usually"
    );
    fails!(
        wrong,
        x.hardtanh(1.0, 0.0),
        "hardtanh",
        "hardtanh: no number is at least 1 and at most 0"
    );
}
