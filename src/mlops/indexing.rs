//! # mlops/indexing: reading and adding at places that are data
//!
//! [`Gather`] and [`Scatter`] are each other's adjoint: what one reads, the other adds to. Both come with an int64 index, which has
//! no gradient.

use super::{Function, saved};
use crate::lazy::LazyBuffer;

/// y[…, i, …] = x[…, index[…, i, …], …] along an axis. Each y is one x, and an x may be many y's: **dx = dy added up at the index**.
pub struct Gather {
    axis: usize,
    size: usize,
    index: Option<LazyBuffer>,
}

impl Gather {
    /// A gather along this axis.
    pub fn new(axis: usize) -> Gather {
        Gather {
            axis,
            size: 0,
            index: None,
        }
    }
}

impl Function for Gather {
    fn name(&self) -> &'static str {
        "Gather"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        (self.size, self.index) = (inputs[0].shape()[self.axis], Some(inputs[1].clone()));
        inputs[0].gather(&inputs[1], self.axis)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![
            Some(dy.scatter(saved(&self.index), self.axis, self.size)),
            None,
        ]
    }
}

/// y = 0, then y[…, index[…, i, …], …] += x[…, i, …] along an axis of a given size. Each x is in one y: **dx = dy read at the index**.
pub struct Scatter {
    axis: usize,
    size: usize,
    index: Option<LazyBuffer>,
}

impl Scatter {
    /// A scatter into `size` places along this axis.
    pub fn new(axis: usize, size: usize) -> Scatter {
        Scatter {
            axis,
            size,
            index: None,
        }
    }
}

impl Function for Scatter {
    fn name(&self) -> &'static str {
        "Scatter"
    }
    fn forward(&mut self, inputs: &[LazyBuffer]) -> LazyBuffer {
        self.index = Some(inputs[1].clone());
        inputs[0].scatter(&inputs[1], self.axis, self.size)
    }
    fn backward(&self, dy: &LazyBuffer, _: &[bool]) -> Vec<Option<LazyBuffer>> {
        vec![Some(dy.gather(saved(&self.index), self.axis)), None]
    }
}
