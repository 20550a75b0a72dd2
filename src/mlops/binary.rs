//! # mlops/binary: two in, one out
//!
//! **Law:** both inputs, the result and the gradients share one shape and one dtype; `tensor` has broadcast and cast. (That is why
//! no backward here sums over broadcast axes: the broadcast was an [`Expand`](super::movement::Expand), and it does.)

use super::{Function, saved};
use crate::lazy::LazyBuffer;
use crate::ops::{BinaryOps, TernaryOps, UnaryOps};

// ---- Comparisons: bool, without slope --------------------------------

/// y = a < b. No gradient: a step has slope 0 wherever it has one.
#[derive(Default)]
pub struct Less;

impl Function for Less {
    fn name(&self) -> &'static str {
        "Less"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        inputs[0].e(BinaryOps::Cmplt, &[&inputs[1]])
    }
    fn backward(&self, _: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![None, None]
    }
}

/// y = a ≠ b. No gradient.
#[derive(Default)]
pub struct NotEqual;

impl Function for NotEqual {
    fn name(&self) -> &'static str {
        "NotEqual"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        inputs[0].e(BinaryOps::Cmpne, &[&inputs[1]])
    }
    fn backward(&self, _: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![None, None]
    }
}

// ---- Bits ------------------------------------------------------------

/// y = a & b, a | b, a ^ b, a << b or a >> b, of integers or truth values. No gradient: these have none.
pub struct Bits(
    /// which of the five
    pub BinaryOps,
);

impl Function for Bits {
    fn name(&self) -> &'static str {
        "Bits"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        inputs[0].e(self.0, &[&inputs[1]])
    }
    fn backward(&self, _: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![None, None]
    }
}

// ---- Arithmetic ------------------------------------------------------

/// y = a + b. **da = dy, db = dy**.
#[derive(Default)]
pub struct Add;

impl Function for Add {
    fn name(&self) -> &'static str {
        "Add"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        inputs[0].e(BinaryOps::Add, &[&inputs[1]])
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(dy.clone()), Some(dy.clone())]
    }
}

/// y = a − b. **da = dy, db = −dy**.
#[derive(Default)]
pub struct Sub;

impl Function for Sub {
    fn name(&self) -> &'static str {
        "Sub"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        inputs[0].e(BinaryOps::Sub, &[&inputs[1]])
    }
    fn backward(&self, dy: &LazyBuffer, needs: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(dy.clone()), needs[1].then(|| dy.e(UnaryOps::Neg, &[]))]
    }
}

/// y = a · b. **da = b · dy, db = a · dy**.
#[derive(Default)]
pub struct Mul {
    inputs: Option<(LazyBuffer, LazyBuffer)>,
}

impl Function for Mul {
    fn name(&self) -> &'static str {
        "Mul"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.inputs = Some((inputs[0].clone(), inputs[1].clone()));
        inputs[0].e(BinaryOps::Mul, &[&inputs[1]])
    }
    fn backward(&self, dy: &LazyBuffer, needs: &[bool]) -> Vec<Option<LazyBuffer>> {
        let (a, b) = self
            .inputs
            .as_ref()
            .expect("forward has run before backward");
        vec![
            needs[0].then(|| b.e(BinaryOps::Mul, &[dy])),
            needs[1].then(|| a.e(BinaryOps::Mul, &[dy])),
        ]
    }
}

/// y = a / b. ∂y/∂a = 1/b and ∂y/∂b = −a/b² = −y/b, so **da = dy / b, db = −(dy · y) / b**.
#[derive(Default)]
pub struct Div {
    b: Option<LazyBuffer>,
    y: Option<LazyBuffer>,
}

impl Function for Div {
    fn name(&self) -> &'static str {
        "Div"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        let y = inputs[0].e(BinaryOps::Div, &[&inputs[1]]);
        (self.b, self.y) = (Some(inputs[1].clone()), Some(y.clone()));
        y
    }
    fn backward(&self, dy: &LazyBuffer, needs: &[bool]) -> Vec<Option<LazyBuffer>> {
        let (b, y) = (saved(&self.b), saved(&self.y));
        vec![
            needs[0].then(|| dy.e(BinaryOps::Div, &[b])),
            // −a/b² as −y/b: b² may overflow where y and b do not.
            needs[1].then(|| {
                dy.e(BinaryOps::Mul, &[y])
                    .e(BinaryOps::Div, &[b])
                    .e(UnaryOps::Neg, &[])
            }),
        ]
    }
}

/// y = aᵇ. ∂y/∂a = b·aᵇ⁻¹ and ∂y/∂b = aᵇ·ln a, so **da = b · aᵇ⁻¹ · dy** (0 where b = 0) and **db = y · ln a · dy**
/// (0 where a = 0 and b ≥ 0, since 0ᵇ is flat there; NaN where a < 0, since neighbouring powers of a negative number are not real).
#[derive(Default)]
pub struct Pow {
    inputs: Option<(LazyBuffer, LazyBuffer)>,
    y: Option<LazyBuffer>,
}

impl Function for Pow {
    fn name(&self) -> &'static str {
        "Pow"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        let y = inputs[0].e(BinaryOps::Pow, &[&inputs[1]]);
        (self.inputs, self.y) = (
            Some((inputs[0].clone(), inputs[1].clone())),
            Some(y.clone()),
        );
        y
    }
    fn backward(&self, dy: &LazyBuffer, needs: &[bool]) -> Vec<Option<LazyBuffer>> {
        let (a, b) = self
            .inputs
            .as_ref()
            .expect("forward has run before backward");
        let (y, zero) = (saved(&self.y), dy.const_like(0));
        let base = || {
            let lower = a.e(BinaryOps::Pow, &[&b.e(BinaryOps::Sub, &[&b.const_like(1)])]);
            let slope = b.e(BinaryOps::Mul, &[&lower]).e(BinaryOps::Mul, &[dy]);
            // b = 0: a⁻¹ may be infinite, and 0 · ∞ is NaN; but a⁰ is flat.
            b.e(BinaryOps::Cmpne, &[&zero])
                .e(TernaryOps::Where, &[&slope, &zero])
        };
        let exponent = || {
            let ln = a.e(UnaryOps::Log2, &[]);
            let ln = ln.e(BinaryOps::Mul, &[&ln.const_like(std::f64::consts::LN_2)]);
            let slope = y.e(BinaryOps::Mul, &[&ln]).e(BinaryOps::Mul, &[dy]);
            // a = 0: ln 0 = −∞, times 0ᵇ = 0, is NaN; the limit is 0 for b > 0, and 0 by convention at 0⁰.
            let steep = a
                .e(BinaryOps::Cmpne, &[&zero])
                .e(BinaryOps::Max, &[&b.e(BinaryOps::Cmplt, &[&zero])]);
            steep.e(TernaryOps::Where, &[&slope, &zero])
        };
        vec![needs[0].then(base), needs[1].then(exponent)]
    }
}

/// y = a mod b = a − trunc(a/b)·b. The quotient is a step, so **da = dy, db = −trunc(a/b) · dy**, with trunc(a/b) = (a − y)/b.
#[derive(Default)]
pub struct Mod {
    inputs: Option<(LazyBuffer, LazyBuffer)>,
    y: Option<LazyBuffer>,
}

impl Function for Mod {
    fn name(&self) -> &'static str {
        "Mod"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        let y = inputs[0].e(BinaryOps::Mod, &[&inputs[1]]);
        (self.inputs, self.y) = (
            Some((inputs[0].clone(), inputs[1].clone())),
            Some(y.clone()),
        );
        y
    }
    fn backward(&self, dy: &LazyBuffer, needs: &[bool]) -> Vec<Option<LazyBuffer>> {
        let (a, b) = self
            .inputs
            .as_ref()
            .expect("forward has run before backward");
        let quotient = || {
            a.e(BinaryOps::Sub, &[saved(&self.y)])
                .e(BinaryOps::Div, &[b])
        };
        vec![
            Some(dy.clone()),
            needs[1].then(|| quotient().e(BinaryOps::Mul, &[dy]).e(UnaryOps::Neg, &[])),
        ]
    }
}

/// y = max(a, b). The larger side gets the gradient; at a tie each gets half: **da = dy · (1 if a > b, ½ if a = b, else 0)**.
#[derive(Default)]
pub struct Maximum {
    inputs: Option<(LazyBuffer, LazyBuffer)>,
}

impl Function for Maximum {
    fn name(&self) -> &'static str {
        "Maximum"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.inputs = Some((inputs[0].clone(), inputs[1].clone()));
        inputs[0].e(BinaryOps::Max, &[&inputs[1]])
    }
    fn backward(&self, dy: &LazyBuffer, needs: &[bool]) -> Vec<Option<LazyBuffer>> {
        let (a, b) = self
            .inputs
            .as_ref()
            .expect("forward has run before backward");
        let half = dy.e(BinaryOps::Mul, &[&dy.const_like(0.5)]);
        let share = |mine: &LazyBuffer, other: &LazyBuffer| {
            let won = other
                .e(BinaryOps::Cmplt, &[mine])
                .e(TernaryOps::Where, &[dy, &dy.const_like(0)]);
            mine.e(BinaryOps::Cmpne, &[other])
                .e(TernaryOps::Where, &[&won, &half])
        };
        vec![needs[0].then(|| share(a, b)), needs[1].then(|| share(b, a))]
    }
}
