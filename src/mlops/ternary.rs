//! # mlops/ternary: three in, one out

use super::{Function, saved};
use crate::lazy::LazyBuffer;
use crate::ops::TernaryOps;

/// y = b where the bool c is true, else a… in the order of the arguments: `Where(c, b, a)`.
///
/// The gradient follows the branch that was taken: **db = dy where c, else 0**, and **da = 0 where c, else dy**. A choice and not a product
/// with 0 and 1, so that a NaN or infinity in the branch that was not taken stays there.
#[derive(Default)]
pub struct Where {
    condition: Option<LazyBuffer>,
}

impl Function for Where {
    fn name(&self) -> &'static str {
        "Where"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.condition = Some(inputs[0].clone());
        inputs[0].e(TernaryOps::Where, &[&inputs[1], &inputs[2]])
    }
    fn backward(&self, dy: &LazyBuffer, needs: &[bool]) -> Vec<Option<LazyBuffer>> {
        let (condition, zero) = (saved(&self.condition), dy.const_like(0));
        vec![
            None,
            needs[1].then(|| condition.e(TernaryOps::Where, &[dy, &zero])),
            needs[2].then(|| condition.e(TernaryOps::Where, &[&zero, dy])),
        ]
    }
}
