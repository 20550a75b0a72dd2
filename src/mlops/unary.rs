//! # mlops/unary: one in, one out
//!
//! **Law:** y, dy and dx share x's shape; but for [`Cast`], its dtype too.

use super::{Function, saved};
use crate::device::Device;
use crate::dtype::DType;
use crate::lazy::LazyBuffer;
use crate::ops::{BinaryOps, TernaryOps, UnaryOps};
use std::f64::consts::{LN_2, LOG2_E};

// ---- Identities with a side effect -----------------------------------

/// y = x, lying in memory in row-major order. **dx = dy**.
#[derive(Default)]
pub struct Contiguous;

impl Function for Contiguous {
    fn name(&self) -> &'static str {
        "Contiguous"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        inputs[0].contiguous()
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(dy.clone())]
    }
}

/// y = x; on the way back the gradient is made contiguous: **dx = dy**, written out. A place to cut fusion in the backward pass.
#[derive(Default)]
pub struct ContiguousBackward;

impl Function for ContiguousBackward {
    fn name(&self) -> &'static str {
        "ContiguousBackward"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        inputs[0].clone()
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(dy.contiguous())]
    }
}

/// y = x as another dtype. **dx = dy as x's dtype**, if both are floats; an integer has no slope.
pub struct Cast {
    to: DType,
    from: DType,
}

impl Cast {
    /// A cast to `to`.
    pub fn new(to: DType) -> Cast {
        Cast { to, from: to }
    }
}

impl Function for Cast {
    fn name(&self) -> &'static str {
        "Cast"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.from = inputs[0].dtype();
        inputs[0].cast(self.to, false)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![(self.from.is_float() && self.to.is_float()).then(|| dy.cast(self.from, false))]
    }
}

/// y = x on another device. **dx = dy on x's device**.
pub struct ToDevice {
    to: Device,
    from: Device,
}

impl ToDevice {
    /// A copy to `to`.
    pub fn new(to: Device) -> ToDevice {
        ToDevice { to, from: to }
    }
}

impl Function for ToDevice {
    fn name(&self) -> &'static str {
        "ToDevice"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.from = inputs[0].device();
        inputs[0].copy_to_device(self.to)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(dy.copy_to_device(self.from))]
    }
}

/// y = 0 whatever x is, so **dx = 0**. With it the original writes steps (sign, trunc) whose slope is 0 almost everywhere.
#[derive(Default)]
pub struct Zero;

impl Function for Zero {
    fn name(&self) -> &'static str {
        "Zero"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        inputs[0].const_like(0)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(dy.const_like(0))]
    }
}

// ---- Arithmetic ------------------------------------------------------

/// y = −x. **dx = −dy**.
#[derive(Default)]
pub struct Neg;

impl Function for Neg {
    fn name(&self) -> &'static str {
        "Neg"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        inputs[0].e(UnaryOps::Neg, &[])
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(dy.e(UnaryOps::Neg, &[]))]
    }
}

/// y = sin x. dy/dx = cos x = 1 − 2 sin²(x/2), so **dx = (1 − 2 sin²(x/2)) · dy**.
///
/// The shift cos x = sin(π/2 − x) is shorter, but for a large x the subtraction loses the digits of π/2; halving loses none.
#[derive(Default)]
pub struct Sin {
    x: Option<LazyBuffer>,
}

impl Function for Sin {
    fn name(&self) -> &'static str {
        "Sin"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.x = Some(inputs[0].clone());
        inputs[0].e(UnaryOps::Sin, &[])
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        let x = saved(&self.x);
        let half = x
            .e(BinaryOps::Mul, &[&x.const_like(0.5)])
            .e(UnaryOps::Sin, &[]);
        let twice = half
            .e(BinaryOps::Mul, &[&half])
            .e(BinaryOps::Mul, &[&x.const_like(2)]);
        vec![Some(
            x.const_like(1)
                .e(BinaryOps::Sub, &[&twice])
                .e(BinaryOps::Mul, &[dy]),
        )]
    }
}

/// y = max(x, 0). The slope is 1 where y > 0, else 0 (at 0 itself we choose 0): **dx = dy where 0 < y, else 0**.
///
/// The result tells as much about the slope as the input does, and somebody needs the result anyway: so that is what is kept.
#[derive(Default)]
pub struct Relu {
    y: Option<LazyBuffer>,
}

impl Function for Relu {
    fn name(&self) -> &'static str {
        "Relu"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        let y = inputs[0].e(BinaryOps::Max, &[&inputs[0].const_like(0)]);
        self.y = Some(y.clone());
        y
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        let y = saved(&self.y);
        let positive = y.const_like(0).e(BinaryOps::Cmplt, &[y]);
        // A choice, not a product: 0 · ∞ would be NaN.
        vec![Some(
            positive.e(TernaryOps::Where, &[dy, &dy.const_like(0)]),
        )]
    }
}

/// y = ln x = log₂ x · ln 2. dy/dx = 1/x, so **dx = dy / x**.
#[derive(Default)]
pub struct Log {
    x: Option<LazyBuffer>,
}

impl Function for Log {
    fn name(&self) -> &'static str {
        "Log"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.x = Some(inputs[0].clone());
        let log2 = inputs[0].e(UnaryOps::Log2, &[]);
        log2.e(BinaryOps::Mul, &[&log2.const_like(LN_2)])
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(dy.e(BinaryOps::Div, &[saved(&self.x)]))]
    }
}

/// y = eˣ = 2^(x · log₂ e). The function is its own derivative: **dx = y · dy**.
#[derive(Default)]
pub struct Exp {
    y: Option<LazyBuffer>,
}

impl Function for Exp {
    fn name(&self) -> &'static str {
        "Exp"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        let y = inputs[0]
            .e(BinaryOps::Mul, &[&inputs[0].const_like(LOG2_E)])
            .e(UnaryOps::Exp2, &[]);
        self.y = Some(y.clone());
        y
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(saved(&self.y).e(BinaryOps::Mul, &[dy]))]
    }
}

/// y = √x. dy/dx = 1/(2√x), so **dx = dy / (2y)**.
#[derive(Default)]
pub struct Sqrt {
    y: Option<LazyBuffer>,
}

impl Function for Sqrt {
    fn name(&self) -> &'static str {
        "Sqrt"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        let y = inputs[0].e(UnaryOps::Sqrt, &[]);
        self.y = Some(y.clone());
        y
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        let y = saved(&self.y);
        vec![Some(dy.e(
            BinaryOps::Div,
            &[&y.e(BinaryOps::Mul, &[&y.const_like(2)])],
        ))]
    }
}

/// y = 1/(1 + e⁻ˣ). dy/dx = e⁻ˣ/(1 + e⁻ˣ)² = y·(1 − y), so **dx = y · (1 − y) · dy**.
///
/// For very negative x, e⁻ˣ is infinite and y is 1/∞ = 0, as it should be.
#[derive(Default)]
pub struct Sigmoid {
    y: Option<LazyBuffer>,
}

impl Function for Sigmoid {
    fn name(&self) -> &'static str {
        "Sigmoid"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        let x = &inputs[0];
        let exp = x
            .e(BinaryOps::Mul, &[&x.const_like(-LOG2_E)])
            .e(UnaryOps::Exp2, &[]);
        let y = exp
            .const_like(1)
            .e(BinaryOps::Add, &[&exp])
            .e(UnaryOps::Recip, &[]);
        self.y = Some(y.clone());
        y
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        let y = saved(&self.y);
        let slope = y.e(BinaryOps::Mul, &[&y.const_like(1).e(BinaryOps::Sub, &[y])]);
        vec![Some(slope.e(BinaryOps::Mul, &[dy]))]
    }
}
