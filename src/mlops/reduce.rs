//! # mlops/reduce: many to one along axes, and running sums
//!
//! **Law:** reduced axes stay with size 1, so that a gradient expands back along them.

use super::{Function, saved};
use crate::dtype::DType;
use crate::lazy::LazyBuffer;
use crate::ops::{BinaryOps, ReduceOps, TernaryOps};

/// y = Σ x along axes. Each x counts once in its y: **dx = dy, repeated along the axes**.
pub struct Sum {
    axes: Vec<usize>,
    shape: Vec<usize>,
}

impl Sum {
    /// A sum along these axes.
    pub fn new(axes: Vec<usize>) -> Sum {
        Sum {
            axes,
            shape: Vec::new(),
        }
    }
}

impl Function for Sum {
    fn name(&self) -> &'static str {
        "Sum"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.shape = inputs[0].shape().to_vec();
        inputs[0].r(ReduceOps::Sum, &self.axes)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(dy.expand(&self.shape))]
    }
}

/// y = max x along axes. The elements that equal the maximum share its gradient: with n of them, **dx = dy/n where x = y, else 0**.
///
/// n is counted in float32 at least: in float16, 2049 ties would count as 2048, and 70,000 as infinitely many.
pub struct Max {
    axes: Vec<usize>,
    x: Option<LazyBuffer>,
    y: Option<LazyBuffer>,
}

impl Max {
    /// A maximum along these axes.
    pub fn new(axes: Vec<usize>) -> Max {
        Max {
            axes,
            x: None,
            y: None,
        }
    }
}

impl Function for Max {
    fn name(&self) -> &'static str {
        "Max"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        let y = inputs[0].r(ReduceOps::Max, &self.axes);
        (self.x, self.y) = (Some(inputs[0].clone()), Some(y.clone()));
        y
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        let (x, y) = (saved(&self.x), saved(&self.y));
        let wide = if x.dtype() == DType::Float64 {
            DType::Float64
        } else {
            DType::Float32
        };
        let loses = x.e(BinaryOps::Cmpne, &[&y.expand(x.shape())]);
        let zero = LazyBuffer::full(x.shape(), 0.into(), wide, x.device());
        let wins = loses.e(TernaryOps::Where, &[&zero, &zero.const_like(1)]);
        let count = wins.r(ReduceOps::Sum, &self.axes);
        let share = dy
            .cast(wide, false)
            .e(BinaryOps::Div, &[&count])
            .expand(x.shape());
        vec![Some(
            loses
                .e(TernaryOps::Where, &[&zero, &share])
                .cast(x.dtype(), false),
        )]
    }
}

/// y = running sum along an axis: yᵢ = x₀ + … + xᵢ. Each xⱼ counts in every yᵢ from i = j on, so
/// **dxⱼ = dyⱼ + dyⱼ₊₁ + …**: the running sum from the other end.
///
/// The original slides a window as long as the axis over the padded input and sums each: n² additions. As a primitive
/// ([`Op::Scan`](crate::lazy::Op::Scan)) it is one pass.
pub struct CumSum {
    axis: usize,
}

impl CumSum {
    /// A running sum along this axis.
    pub fn new(axis: usize) -> CumSum {
        CumSum { axis }
    }
}

impl Function for CumSum {
    fn name(&self) -> &'static str {
        "CumSum"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        inputs[0].scan(ReduceOps::Sum, self.axis)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        let mut steps = vec![1; dy.shape().len()];
        steps[self.axis] = -1;
        vec![Some(
            dy.stride(&steps)
                .scan(ReduceOps::Sum, self.axis)
                .stride(&steps),
        )]
    }
}
