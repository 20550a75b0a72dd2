//! # lazy/movement: other shapes of the same elements
//!
//! **In:** a lazy buffer and a movement. **Out:** a lazy buffer that shows the same node through a longer [`Path`]; a constant stays a
//! constant. Only where no single view exists does a `Contiguous` node come in between (law 1 of [`lazy`](super)).

use super::{LazyBuffer, Op};
use crate::shape::path::{Move, Path};
use crate::shape::view::{Remap, numel};
use std::sync::Arc;

impl LazyBuffer {
    fn moved(&self, movement: Move) -> LazyBuffer {
        if let Some(value) = self.as_const()
            && (!movement.leaves(self.shape()) || value.as_f64() == 0.0)
        {
            return LazyBuffer::full(movement.shape(), value, self.dtype(), self.device());
        }
        let path = match &self.path {
            None => Path::new(&self.node.shape).then(&movement),
            Some(path) => path.then(&movement),
        };
        match path {
            Some(path) if path.is_empty() => self.base(),
            Some(path) => LazyBuffer {
                node: self.node.clone(),
                path: Some(Arc::new(path)),
            },
            // Law 1: no single view says this. A copy starts afresh, and on a fresh array every movement is a view.
            None => LazyBuffer::lazy(
                Op::Contiguous,
                [self.clone()],
                self.shared_shape(),
                self.dtype(),
                self.device(),
            )
            .moved(movement),
        }
    }

    /// Any affine movement: see [`Remap`]. The other movements but reshape are shorthands of this one.
    pub fn remap(&self, remap: Remap) -> LazyBuffer {
        if remap.is_identity(self.shape()) {
            return self.clone();
        }
        self.moved(Move::Remap(remap))
    }

    /// The same elements, counted differently.
    pub fn reshape(&self, shape: &[usize]) -> LazyBuffer {
        assert_eq!(
            self.numel(),
            numel(shape),
            "reshape: {:?} to {shape:?}",
            self.shape()
        );
        if self.shape() == shape {
            return self.clone();
        }
        self.moved(Move::Reshape(shape.to_vec()))
    }

    /// Axes of size 1 repeated.
    pub fn expand(&self, shape: &[usize]) -> LazyBuffer {
        if self.shape() == shape {
            return self.clone();
        }
        self.remap(Remap::expand(self.shape(), shape))
    }

    /// Axes in another order.
    pub fn permute(&self, order: &[usize]) -> LazyBuffer {
        self.remap(Remap::permute(self.shape(), order))
    }

    /// Zeros around.
    pub fn pad(&self, padding: &[(usize, usize)]) -> LazyBuffer {
        let signed: Vec<(isize, isize)> = padding
            .iter()
            .map(|&(b, a)| (b as isize, a as isize))
            .collect();
        self.remap(Remap::pad(self.shape(), &signed))
    }

    /// A box cut out.
    pub fn shrink(&self, ranges: &[(usize, usize)]) -> LazyBuffer {
        self.remap(Remap::shrink(self.shape(), ranges))
    }

    /// Every n-th element, backwards for negative n.
    pub fn stride(&self, steps: &[isize]) -> LazyBuffer {
        self.remap(Remap::stride(self.shape(), steps))
    }
}
