//! # tensor/scatter: writing, adding and joining at places that are data
//!
//! **In:** a tensor, an index of integers and a source, with the same number of axes. **Out:** the tensor with the source's elements at the
//! index's places along an axis. **Below:** [`Scatter`], the adjoint of a gather.
//!
//! Laws:
//! 1. The index may be smaller than the tensor along the other axes, and than the source along all.
//! 2. An index outside of the axis goes nowhere.

use super::Tensor;
use super::index::Index;
use super::movement::{constant, positions};
use crate::dtype::{DType, Scalar};
use crate::error::fail;
use crate::lazy::LazyBuffer;
use crate::mlops::indexing::{Gather, Scatter};
use crate::shape::args::resolve_axis;
use crate::shape::view::numel;

/// What becomes of several elements that meet at one place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Join {
    /// their sum
    Sum,
    /// their product
    Prod,
    /// their average; of integers, rounded down
    Mean,
    /// the largest of them
    Max,
    /// the smallest of them
    Min,
}

impl Tensor {
    /// This tensor with elements of `src` put at places that are data: **y[…, index[…, i, …], …] = src[…, i, …]** along `dim`.
    /// Where two go to one place, the last one (in row-major order) wins; an index outside of the axis goes nowhere.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// assert_eq!(x.scatter(0, &Tensor::from([2, 0]), &Tensor::from([8, 9])).to_vec::<i32>(), [9, 2, 8]);
    /// ```
    /// The gradient of what was replaced is 0, that of a source is that of its place, if it won.
    /// # Panics
    /// If the index is not of integers, if ranks differ, or the index is larger than the source or, along another axis, than this tensor.
    #[track_caller]
    pub fn scatter(&self, dim: isize, index: &Tensor, src: &Tensor) -> Tensor {
        let (axis, index, src) = self.scattered("scatter", dim, index, src);
        // Which source wins each place: its number plus one; the largest number is the last. Sums of masks find it: of all
        // numbers that go to a place only the largest is kept by a second look at where each came from.
        let shape = self.shape();
        let flat = self.places(&index, axis); // where each source goes, in the flattened tensor
        let winner = Tensor::no_grad(|| {
            let winner = constant(LazyBuffer::full(
                &[numel(&shape)],
                Scalar::Int(-1),
                DType::Int64,
                self.device(),
            ));
            winner.set(
                vec![Index::Tensor(flat.clone())],
                Tensor::positions(&[flat.numel()]).to(self.device()),
            );
            winner
        });
        let table = src.reshape(src.numel());
        let found = Tensor::apply(Gather::new(0), &[&table, &winner]);
        winner
            .ge(0)
            .where_(found, self.reshape(numel(&shape)).cast(src.dtype()))
            .reshape(shape)
            .cast(self.dtype())
    }

    /// This tensor with elements of `src` added at places that are data: **y[…, index[…, i, …], …] += src[…, i, …]** along `dim`.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// assert_eq!(x.scatter_add(0, &Tensor::from([0, 0, 2]), &Tensor::from([10, 20, 30])).to_vec::<i32>(), [31, 2, 33]);
    /// ```
    /// # Panics
    /// As [`Tensor::scatter`].
    #[track_caller]
    pub fn scatter_add(&self, dim: isize, index: &Tensor, src: &Tensor) -> Tensor {
        let (axis, index, src) = self.scattered("scatter_add", dim, index, src);
        let added = Tensor::apply(
            Scatter::new(axis, self.shape()[axis]),
            &[&src.cast(self.dtype()), &index],
        );
        // An index may be smaller than this tensor along other axes: zeros are added there.
        let missing: Vec<(usize, usize)> = added
            .shape()
            .iter()
            .zip(self.shape())
            .map(|(&have, want)| (0, want - have))
            .collect();
        self.add(added.pad(&missing, 0))
    }

    /// This tensor with elements of `src` joined at places that are data: the sum, product, average, largest or smallest of all
    /// src[…, i, …] with index[…, i, …] = j goes to y[…, j, …] along `dim`. With `include_self` the element that was there is one of them;
    /// without, it stays only where nothing goes.
    /// ```
    /// # use teenygrad::{Tensor, tensor::scatter::Join};
    /// let (x, index, src) = (Tensor::from([5, 5, 5]), Tensor::from([0, 0, 2]), Tensor::from([1, 9, 3]));
    /// assert_eq!(x.scatter_reduce(0, &index, &src, Join::Max, true).to_vec::<i32>(), [9, 5, 5]);
    /// assert_eq!(x.scatter_reduce(0, &index, &src, Join::Prod, false).to_vec::<i32>(), [9, 5, 3]);
    /// ```
    /// A sum and an average are scattered. The others look at each source from each place, which takes index × axis operations (and no memory).
    /// The gradients are those of the joining: the largest share theirs evenly.
    /// # Panics
    /// As [`Tensor::scatter`].
    #[track_caller]
    pub fn scatter_reduce(
        &self,
        dim: isize,
        index: &Tensor,
        src: &Tensor,
        join: Join,
        include_self: bool,
    ) -> Tensor {
        if join == Join::Min {
            let (x, src) = (self.order_turned(), src.order_turned());
            return x
                .scatter_reduce(dim, index, &src, Join::Max, include_self)
                .order_turned();
        }
        let shape = self.shape();
        let (axis, index, src) = self.scattered("scatter_reduce", dim, index, src);
        let src = src.cast(self.dtype());
        let count = {
            let ones = constant(LazyBuffer::full(
                &index.shape(),
                Scalar::Int(1),
                DType::Int64,
                self.device(),
            ));
            let none = constant(LazyBuffer::full(
                &shape,
                Scalar::Int(include_self.into()),
                DType::Int64,
                self.device(),
            ));
            none.scatter_add(dim, &index, &ones)
        };
        let touched = count.ne(0);
        let joined = match join {
            Join::Sum | Join::Mean => {
                let start = if include_self {
                    self.clone()
                } else {
                    self.zeros_like()
                };
                let sum = start.scatter_add(dim, &index, &src);
                match join {
                    Join::Mean if self.is_floating_point() => sum.div(count.maximum(1)),
                    Join::Mean => super::math::floor_div(sum.into(), count.maximum(1).into()),
                    _ => sum,
                }
                .cast(self.dtype())
            }
            Join::Prod | Join::Max | Join::Min => {
                let identity = match join {
                    Join::Prod => Scalar::Int(1).cast(self.dtype()),
                    _ => self.dtype().min_value(),
                };
                // As large as this tensor along the other axes, with an index that is nowhere; the sources' axis last: […, 1, m].
                let mut wider: Vec<(usize, usize)> = index
                    .shape()
                    .iter()
                    .zip(&shape)
                    .map(|(&have, &want)| (0, want.saturating_sub(have)))
                    .collect();
                wider[axis] = (0, 0);
                let aside = |x: &Tensor| x.movedim(axis as isize, -1).unsqueeze(-2);
                let (index, src) = (aside(&index.pad(&wider, -1)), aside(&src.pad(&wider, 0)));
                let places = constant(positions(&[shape[axis], 1], 0, self.device()));
                // […, size, m]: each source as each place sees it.
                let seen = index.eq(&places).where_(
                    &src,
                    Tensor::full((), identity)
                        .cast(self.dtype())
                        .to(self.device())
                        .detach(),
                );
                let own = self.movedim(axis as isize, -1).unsqueeze(-1);
                let seen = if include_self {
                    Tensor::cat(&[&own, &seen], -1)
                } else {
                    seen
                };
                let joined = match join {
                    _ if seen.numel() == 0 => own.squeeze(-1),
                    Join::Prod => seen.prod(-1),
                    _ => seen.max(-1),
                };
                joined.movedim(-1, axis as isize).cast(self.dtype())
            }
        };
        touched.where_(joined, self)
    }

    /// What both have to check: the axis, the index as int64, and as much of the source as it names.
    #[track_caller]
    fn scattered(
        &self,
        op: &str,
        dim: isize,
        index: &Tensor,
        src: &Tensor,
    ) -> (usize, Tensor, Tensor) {
        let (shape, places, values) = (self.shape(), index.shape(), src.shape());
        let axis = resolve_axis(op, dim, &shape);
        if !index.dtype().is_int() {
            fail!(Type: op, "an index of {} cannot count", index.dtype(); "cast it to an integer type");
        }
        if places.len() != shape.len() || values.len() != shape.len() {
            fail!(
                op,
                "shape {shape:?}, index {places:?} and source {values:?} need the same number of axes"
            );
        }
        let too_large =
            |i: &usize| places[*i] > values[*i] || (*i != axis && places[*i] > shape[*i]);
        if let Some(odd) = (0..shape.len()).find(too_large) {
            fail!(
                op,
                "index {places:?} is larger than source {values:?} or shape {shape:?} at axis {odd}"
            );
        }
        let ranges: Vec<(usize, usize)> = places.iter().map(|&size| (0, size)).collect();
        (axis, index.detach().cast(DType::Int64), src.shrink(&ranges))
    }

    /// For each element of an index along `axis` the place that it means in the flattened tensor, or −1 − numel for none.
    fn places(&self, index: &Tensor, axis: usize) -> Tensor {
        let (shape, own) = (self.shape(), index.shape());
        let strides = crate::shape::view::row_major(&shape);
        let mut place = index.mul(strides[axis] as i64);
        for other in (0..shape.len()).filter(|&other| other != axis) {
            let along = constant(positions(&own, other, self.device()));
            place = place.add(along.mul(strides[other] as i64));
        }
        let inside = index.ge(0) & index.lt(shape[axis]);
        inside
            .where_(place, -1 - numel(&shape) as i64)
            .reshape(index.numel())
    }
}
