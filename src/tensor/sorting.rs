//! # tensor/sorting: order
//!
//! **In:** a tensor and an axis. **Out:** its elements in order, and where they came from.
//!
//! Which element comes first is known only when the values are: so, unlike everywhere else in this folder, the *order* is computed at once,
//! by the processor's own sort. The sorted values are then a lazy gather like any other, with a gradient.
//!
//! Laws:
//! 1. Equal elements stay in their order (the sort is stable), also when it is a descending one.
//! 2. NaN is larger than everything, as in NumPy and PyTorch.

use super::Tensor;
use super::index::Index;
use super::movement::constant;
use crate::dtype::{DType, Scalar, with_dtype};
use crate::error::fail;
use crate::shape::args::resolve_axis;
use std::cmp::Ordering;

/// Law 2.
fn order(a: Scalar, b: Scalar) -> Ordering {
    match (a, b) {
        (Scalar::Float(a), Scalar::Float(b)) => a
            .partial_cmp(&b)
            .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan())),
        (a, b) => a.as_i128().cmp(&b.as_i128()),
    }
}

impl Tensor {
    /// The positions along an axis that put its elements in order, int64. Computes the values.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([3.0, 1.0, 2.0]).argsort(0, false).to_vec::<i64>(), [1, 2, 0]);
    /// ```
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn argsort(&self, dim: isize, descending: bool) -> Tensor {
        let shape = self.shape();
        let axis = match shape.len() {
            0 => return constant(self.detach().zeros_like().cast(DType::Int64).lazydata()),
            _ => resolve_axis("argsort", dim, &shape),
        };
        let last = self.detach().movedim(axis as isize, -1);
        let n = shape[axis];
        let mut places: Vec<i64> = Vec::with_capacity(self.numel());
        let values: Vec<Scalar> = with_dtype!(self.dtype(), T => last.to_vec::<T>().into_iter().map(Into::into).collect());
        for row in values.chunks(n.max(1)) {
            let mut line: Vec<i64> = (0..n as i64).collect();
            line.sort_by(|&a, &b| {
                let ascending = order(row[a as usize], row[b as usize]);
                if descending {
                    ascending.reverse()
                } else {
                    ascending
                }
            });
            places.extend(line);
        }
        Tensor::from_vec(places, last.shape())
            .to(self.device())
            .movedim(-1, axis as isize)
            .detach()
    }

    /// The elements along an axis in order, and the positions that they had, int64. Computes the order.
    /// ```
    /// # use teenygrad::Tensor;
    /// let (values, places) = Tensor::from([[2, 9, 4]]).sort(1, true);
    /// assert_eq!(values.to_vec::<i32>(), [9, 4, 2]);
    /// assert_eq!(places.to_vec::<i64>(), [1, 2, 0]);
    /// ```
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn sort(&self, dim: isize, descending: bool) -> (Tensor, Tensor) {
        let places = self.argsort(dim, descending);
        match self.ndim() {
            0 => (self.clone(), places),
            _ => (self.gather(&places, dim), places),
        }
    }

    /// The `k` largest (or smallest) elements along an axis, the first of them first, and their positions, int64.
    /// ```
    /// # use teenygrad::Tensor;
    /// let (values, places) = Tensor::from([1, 7, 3, 5]).topk(2, 0, true);
    /// assert_eq!((values.to_vec::<i32>(), places.to_vec::<i64>()), (vec![7, 5], vec![1, 3]));
    /// ```
    /// # Panics
    /// If there is no such axis, or it has fewer than k elements.
    #[track_caller]
    pub fn topk(&self, k: usize, dim: isize, largest: bool) -> (Tensor, Tensor) {
        let shape = self.shape();
        let axis = resolve_axis("topk", dim, &shape);
        if k > shape[axis] {
            fail!(
                "topk",
                "there are no {k} elements along axis {axis} of shape {shape:?}"
            );
        }
        let places = self.argsort(dim, largest).narrow(axis, 0, k);
        (self.gather(&places, dim), places)
    }

    /// The elements where the mask is true (not zero), in row-major order, as one axis. Computes the mask, as the shape depends on it.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.masked_select(&x.gt(1)).to_vec::<i32>(), [2, 3, 4]);
    /// ```
    /// # Panics
    /// If the mask doesn't broadcast to this tensor's shape.
    #[track_caller]
    pub fn masked_select(&self, mask: &Tensor) -> Tensor {
        let mask = mask.detach().expand(self.shape()).contiguous();
        self.reshape(self.numel())
            .get(vec![Index::List(mask.true_places())])
    }

    /// The first `size` of these, and `fill` where there are fewer.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// assert_eq!(x.masked_select_sized(&x.gt(1), 4, 0).to_vec::<i32>(), [2, 3, 0, 0]);
    /// ```
    /// # Panics
    /// As [`Tensor::masked_select`].
    #[track_caller]
    pub fn masked_select_sized(
        &self,
        mask: &Tensor,
        size: usize,
        fill: impl Into<Scalar>,
    ) -> Tensor {
        let all = self.masked_select(mask);
        let some = all.narrow(0, 0, all.numel().min(size));
        some.pad_to([size], fill)
    }

    /// The positions of all elements that are not zero, in row-major order, int64: one a row, `[count, ndim]`. Computes the elements.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 0], [0, 2]]);
    /// assert_eq!(x.nonzero().to_vec::<i64>(), [0, 0, 1, 1]);
    /// ```
    pub fn nonzero(&self) -> Tensor {
        let shape = self.shape();
        let places = self.detach().contiguous().true_places();
        let strides = crate::shape::view::row_major(&shape);
        let rows: Vec<i64> = places
            .iter()
            .flat_map(|&place| (0..shape.len()).map(move |axis| (place as usize, axis)))
            .map(|(place, axis)| (place / strides[axis] as usize % shape[axis]) as i64)
            .collect();
        constant(
            Tensor::from_vec(rows, [places.len(), shape.len()])
                .to(self.device())
                .lazydata(),
        )
    }

    /// Where the elements are not zero, in row-major order. Computes them.
    fn true_places(&self) -> Vec<isize> {
        let chosen = self.cast(DType::Bool).to_vec::<bool>();
        let places = chosen.iter().enumerate().filter(|(_, chosen)| **chosen);
        places.map(|(place, _)| place as isize).collect()
    }
}
