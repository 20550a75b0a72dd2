//! # tensor/rearrange: movements that are made of others
//!
//! **In:** a tensor and where its elements should go. **Out:** that, composed of [`movement`](super::movement) and
//! [`indexing`](super::indexing). The names are tinygrad's and PyTorch's.
//!
//! Law: gradients go back by the way the elements came, as everything here is made of functions that have one.

use super::Tensor;
use super::index::{Index, Slice};
use super::movement::constant;
use super::operand::Operand;
use crate::dtype::{DType, Scalar};
use crate::error::fail;
use crate::lazy::LazyBuffer;
use crate::shape::args::{Axes, Shape, resolve_axis};
use crate::shape::view::numel;

impl Tensor {
    // ---- Along one axis ----------------------------------------------

    /// Cut along an axis into pieces of these sizes; one number is the size of all pieces but perhaps the last.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1, 2, 3, 4, 5]);
    /// let pieces = x.split(2, 0);
    /// assert_eq!(pieces.iter().map(Tensor::numel).collect::<Vec<_>>(), [2, 2, 1]);
    /// assert_eq!(x.split([1, 4], 0)[1].to_vec::<i32>(), [2, 3, 4, 5]);
    /// ```
    /// # Panics
    /// If there is no such axis, or the sizes don't sum to its size.
    #[track_caller]
    pub fn split(&self, sizes: impl Into<Shape>, dim: isize) -> Vec<Tensor> {
        let shape = self.shape();
        let axis = resolve_axis("split", dim, &shape);
        let wanted = sizes.into().sizes("split");
        let sizes = match wanted[..] {
            [0] => fail!(
                "split",
                "pieces of 0 elements never fill axis {axis} of shape {shape:?}"
            ),
            [size] if size <= shape[axis] => {
                let whole = shape[axis] / size;
                let mut sizes = vec![size; whole];
                let rest = shape[axis] % size;
                sizes.extend((rest > 0).then_some(rest));
                sizes
            }
            [_] => vec![shape[axis]],
            _ => wanted,
        };
        if sizes.iter().sum::<usize>() != shape[axis] {
            fail!(
                "split",
                "pieces of {sizes:?} do not fill axis {axis} of shape {shape:?}"
            );
        }
        let mut start = 0;
        let mut pieces = Vec::with_capacity(sizes.len());
        for size in sizes {
            pieces.push(self.narrow(axis, start, start + size));
            start += size;
        }
        pieces
    }

    /// One axis as several of these sizes, of which one may be −1.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::zeros([2, 12]).unflatten(1, [3, -1]).shape(), [2, 3, 4]);
    /// ```
    /// # Panics
    /// If there is no such axis, or the sizes don't fit.
    #[track_caller]
    pub fn unflatten(&self, dim: isize, sizes: impl Into<Shape>) -> Tensor {
        let shape = self.shape();
        let axis = resolve_axis("unflatten", dim, &shape);
        let sizes = super::fill_in("unflatten", &sizes.into(), shape[axis]);
        self.reshape([&shape[..axis], &sizes, &shape[axis + 1..]].concat())
    }

    /// The axes from `start` to `end`, both included, as one.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4, 5]).flatten_range(1, 2).shape(), [2, 12, 5]);
    /// ```
    /// # Panics
    /// If there are no such axes, or the end lies before the start.
    #[track_caller]
    pub fn flatten_range(&self, start: isize, end: isize) -> Tensor {
        let shape = self.shape();
        if shape.is_empty() {
            return self.flatten(start);
        }
        let (start, end) = (
            resolve_axis("flatten", start, &shape),
            resolve_axis("flatten", end, &shape),
        );
        if end < start {
            fail!(
                "flatten",
                "axis {end} lies before axis {start} of shape {shape:?}"
            );
        }
        let merged = numel(&shape[start..=end]);
        self.reshape([&shape[..start], &[merged], &shape[end + 1..]].concat())
    }

    /// An axis at another place, the others in their order.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4]).movedim(0, -1).shape(), [3, 4, 2]);
    /// ```
    /// # Panics
    /// If one of the places isn't there.
    #[track_caller]
    pub fn movedim(&self, source: isize, destination: isize) -> Tensor {
        let shape = self.shape();
        let (from, to) = (
            resolve_axis("movedim", source, &shape),
            resolve_axis("movedim", destination, &shape),
        );
        let mut order: Vec<usize> = (0..shape.len()).filter(|&axis| axis != from).collect();
        order.insert(to, from);
        self.permute(order)
    }

    /// Elements pushed along axes, those that fall off one end coming back at the other.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 2, 3, 4]).roll(1, 0).to_vec::<i32>(), [4, 1, 2, 3]);
    /// ```
    /// # Panics
    /// If there is not one shift an axis, or no such axis.
    #[track_caller]
    pub fn roll(&self, shifts: impl Into<Shape>, axes: impl Into<Axes>) -> Tensor {
        let (shifts, axes) = (shifts.into().0, axes.into().0.unwrap_or_default());
        if shifts.len() != axes.len() {
            fail!("roll", "{} shifts for {} axes", shifts.len(), axes.len());
        }
        let shape = self.shape();
        let mut rolled = self.clone();
        for (shift, axis) in shifts.into_iter().zip(axes) {
            let axis = resolve_axis("roll", axis, &shape);
            let size = shape[axis];
            if size == 0 {
                continue;
            }
            let cut = size - shift.rem_euclid(size as isize) as usize;
            rolled = Tensor::cat(
                &[
                    &rolled.narrow(axis, cut, size),
                    &rolled.narrow(axis, 0, cut),
                ],
                axis as isize,
            );
        }
        rolled
    }

    /// Every element `times` times in a row, along an axis.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 2]).repeat_interleave(2, 0).to_vec::<i32>(), [1, 1, 2, 2]);
    /// ```
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn repeat_interleave(&self, times: usize, dim: isize) -> Tensor {
        let shape = self.shape();
        let axis = resolve_axis("repeat_interleave", dim, &shape);
        let (front, back) = (&shape[..axis], &shape[axis + 1..]);
        // [a, n, b] → [a, n, 1, b] → [a, n, times, b] → [a, n · times, b]
        self.reshape([front, &[shape[axis], 1], back].concat())
            .expand([front, &[shape[axis], times], back].concat())
            .reshape([front, &[shape[axis] * times], back].concat())
    }

    /// Overlapping pieces of an axis, `step` apart, each of `size` elements in a new last axis.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1, 2, 3, 4, 5]);
    /// assert_eq!(x.unfold(0, 3, 2).to_vec::<i32>(), [1, 2, 3, 3, 4, 5]);
    /// ```
    /// # Panics
    /// If there is no such axis, the size is larger than it, or the step is 0.
    #[track_caller]
    pub fn unfold(&self, dim: isize, size: usize, step: usize) -> Tensor {
        use crate::mlops::movement::{Slide, Window};
        let shape = self.shape();
        let axis = resolve_axis("unfold", dim, &shape);
        if size > shape[axis] || step == 0 || size == 0 {
            fail!(
                "unfold",
                "pieces of {size} elements, {step} apart, of axis {axis} of shape {shape:?}"
            );
        }
        let slide = Slide {
            kernel: size,
            stride: step,
            dilation: 1,
        };
        // […, n] → […, pieces, size], and the axis of pieces back to its place
        let windows = Tensor::apply(
            Window::new(vec![slide]),
            &[&self.movedim(axis as isize, -1)],
        );
        windows.movedim(-2, axis as isize)
    }

    // ---- To a size ---------------------------------------------------

    /// `value` behind the elements until the axes have these sizes.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 2]).pad_to([3], 9).to_vec::<i32>(), [1, 2, 9]);
    /// ```
    /// # Panics
    /// If there is not one size an axis, or an axis is larger.
    #[track_caller]
    pub fn pad_to(&self, shape: impl Into<Shape>, value: impl Into<Scalar>) -> Tensor {
        let (own, sizes) = (self.shape(), shape.into().sizes("pad_to"));
        if sizes.len() != own.len() || own.iter().zip(&sizes).any(|(a, b)| a > b) {
            fail!("pad_to", "shape {own:?} cannot grow to {sizes:?}");
        }
        let widths: Vec<(usize, usize)> = own.iter().zip(&sizes).map(|(a, b)| (0, b - a)).collect();
        self.pad(&widths, value)
    }

    /// The first elements of each axis, so many.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([[1, 2], [3, 4]]).shrink_to([2, 1]).to_vec::<i32>(), [1, 3]);
    /// ```
    /// # Panics
    /// If there is not one size an axis, or an axis is smaller.
    #[track_caller]
    pub fn shrink_to(&self, shape: impl Into<Shape>) -> Tensor {
        let (own, sizes) = (self.shape(), shape.into().sizes("shrink_to"));
        if sizes.len() != own.len() || own.iter().zip(&sizes).any(|(a, b)| a < b) {
            fail!("shrink_to", "shape {own:?} cannot shrink to {sizes:?}");
        }
        let ranges: Vec<(usize, usize)> = sizes.iter().map(|&size| (0, size)).collect();
        self.shrink(&ranges)
    }

    // ---- Diagonals and grids -----------------------------------------

    /// The elements whose indices along two axes are equal, as a new last axis.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([[1, 2, 3], [4, 5, 6]]).diagonal(0, 1).to_vec::<i32>(), [1, 5]);
    /// ```
    /// # Panics
    /// If one of the axes isn't there, or both are the same.
    #[track_caller]
    pub fn diagonal(&self, dim1: isize, dim2: isize) -> Tensor {
        self.diagonal_at(0, dim1, dim2)
    }

    /// The same, of elements whose second index is `offset` larger than the first: above the main diagonal, or below it if negative.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([[1, 2, 3], [4, 5, 6]]).diagonal_at(1, 0, 1).to_vec::<i32>(), [2, 6]);
    /// ```
    /// # Panics
    /// As [`Tensor::diagonal`].
    #[track_caller]
    pub fn diagonal_at(&self, offset: isize, dim1: isize, dim2: isize) -> Tensor {
        let shape = self.shape();
        let (a, b) = (
            resolve_axis("diagonal", dim1, &shape),
            resolve_axis("diagonal", dim2, &shape),
        );
        if a == b {
            fail!(
                "diagonal",
                "axis {a} of shape {shape:?} has no diagonal with itself"
            );
        }
        let (down, right) = ((-offset).max(0), offset.max(0));
        let length = (shape[a] as isize - down).min(shape[b] as isize - right);
        let places = |from: isize| Index::List((from..from + length.max(0)).collect());
        let rest = (0..shape.len()).filter(|&axis| axis != a && axis != b);
        let order: Vec<usize> = [a, b].into_iter().chain(rest).collect();
        self.permute(order)
            .get(vec![places(down), places(right)])
            .movedim(0, -1)
    }

    /// A matrix with these elements on its diagonal, zeros elsewhere: `[n]` to `[n, n]`.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 2]).diag().to_vec::<i32>(), [1, 0, 0, 2]);
    /// ```
    /// # Panics
    /// If there is not one axis.
    #[track_caller]
    pub fn diag(&self) -> Tensor {
        let shape = self.shape();
        let [n] = shape[..] else {
            fail!("diag", "shape {shape:?} is not one axis"; "diagonal takes one out of a matrix")
        };
        // A row, n zeros, the next row …: [n, 1] → [n, n + 1] → [n · (n + 1)] → [n, n]
        self.reshape([n, 1])
            .pad(&[(0, 0), (0, n)], 0)
            .reshape(n * (n + 1))
            .shrink(&[(0, n * n)])
            .reshape([n, n])
    }

    /// Each tensor of one axis along its own axis of a common grid: `indexing` "ij", or "xy" with the first two axes exchanged.
    /// ```
    /// # use teenygrad::Tensor;
    /// let grid = Tensor::meshgrid(&[&Tensor::from([1, 2]), &Tensor::from([3, 4, 5])], "ij");
    /// assert_eq!(grid[0].to_vec::<i32>(), [1, 1, 1, 2, 2, 2]);
    /// assert_eq!(grid[1].to_vec::<i32>(), [3, 4, 5, 3, 4, 5]);
    /// ```
    /// # Panics
    /// If a tensor has more than one axis, or the indexing is unknown.
    #[track_caller]
    pub fn meshgrid(tensors: &[&Tensor], indexing: &str) -> Vec<Tensor> {
        if indexing != "ij" && indexing != "xy" {
            fail!("meshgrid", "indexing {indexing:?}: it is \"ij\" or \"xy\"");
        }
        if let Some(odd) = tensors.iter().find(|tensor| tensor.ndim() > 1) {
            fail!(
                "meshgrid",
                "a tensor of shape {:?} has more than one axis",
                odd.shape()
            );
        }
        let shape: Vec<usize> = tensors.iter().map(|tensor| tensor.numel()).collect();
        let along = |(axis, tensor): (usize, &&Tensor)| {
            let mut line = vec![1; shape.len()];
            line[axis] = shape[axis];
            let full = tensor.reshape(line).expand(&shape);
            if indexing == "xy" && shape.len() > 1 {
                full.transpose(0, 1)
            } else {
                full
            }
        };
        tensors.iter().enumerate().map(along).collect()
    }

    /// `steps` numbers from `start` to `stop`, both included, at equal distances, float32.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::linspace(0.0, 1.0, 5).to_vec::<f32>(), [0.0, 0.25, 0.5, 0.75, 1.0]);
    /// ```
    pub fn linspace(start: f64, stop: f64, steps: usize) -> Tensor {
        let distance = if steps > 1 {
            (stop - start) / (steps - 1) as f64
        } else {
            0.0
        };
        Tensor::positions(&[steps])
            .cast(DType::Float64)
            .mul(distance)
            .add(start)
            .cast(DType::Float32)
    }

    // ---- Elements at places that are data ----------------------------

    /// A 1 at each class among zeros, int32: integers of any shape to `[…, classes]`. A negative or too large class gives zeros only.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([2, 0]).one_hot(3).to_vec::<i32>(), [0, 0, 1, 1, 0, 0]);
    /// ```
    /// # Panics
    /// If the classes are not integers.
    #[track_caller]
    pub fn one_hot(&self, classes: usize) -> Tensor {
        if !self.dtype().is_int() {
            fail!(Type: "one_hot", "classes of {} cannot be counted", self.dtype(); "cast them to an integer type");
        }
        let wide = self.detach().unsqueeze(-1);
        let classes = constant(LazyBuffer::iota(&[classes], self.device()));
        wide.eq(&classes).cast(DType::Int32)
    }

    /// `value` where the mask is true (not zero), this tensor elsewhere; both broadcast.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1.0, -2.0]);
    /// assert_eq!(x.masked_fill(&x.lt(0), 0).to_vec::<f32>(), [1.0, 0.0]);
    /// ```
    /// # Panics
    /// If the shapes don't broadcast.
    #[track_caller]
    pub fn masked_fill(&self, mask: &Tensor, value: impl Into<Operand>) -> Tensor {
        mask.where_(value, self)
    }
}

/// `[..]` for this many axes, then a list: what stands between brackets to take elements of one axis.
pub(crate) fn along(axis: usize, list: Vec<isize>) -> Vec<Index> {
    let mut indices = vec![Index::Slice(Slice::ALL); axis];
    indices.push(Index::List(list));
    indices
}
