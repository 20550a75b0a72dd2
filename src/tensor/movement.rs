//! # tensor/movement: elements go elsewhere, values stay
//!
//! **In:** a tensor and where its elements should go. **Out:** a tensor that looks at the same memory in another way. **Above:** the
//! user, and most of this folder. **Below:** [`mlops::movement`](crate::mlops::movement).
//!
//! Laws:
//! 1. Nothing here copies or computes, but for two helpers of other rooms' work: [`Tensor::cat`] adds padded tensors, and padding with
//!    something else than zeros chooses between two.
//! 2. The result is a tensor of its own: assigning to it leaves the one that it came from alone, even where nothing has moved.
//! 3. Gradients go back by the way the elements came.
//!
//! ```
//! use teenygrad::Tensor;
//! let x = Tensor::from([[1, 2, 3], [4, 5, 6]]);
//! assert_eq!(x.t().to_vec::<i32>(), [1, 4, 2, 5, 3, 6]);
//! assert_eq!(x.flip(1).to_vec::<i32>(), [3, 2, 1, 6, 5, 4]);
//! assert_eq!(x.reshape([3, -1]).shape(), [3, 2]);
//! ```

use super::index::{Index, Slice};
use super::operand::{Operand, common_device};
use super::{Tensor, fill_in};
use crate::device::Device;
use crate::dtype::{DType, Scalar};
use crate::error::fail;
use crate::lazy::LazyBuffer;
use crate::mlops::binary::{Add, Less};
use crate::mlops::indexing::Gather;
use crate::mlops::movement::{Expand, Flip, Pad, Permute, Reshape, Shrink};
use crate::shape::args::{Axes, Shape, resolve_axis};
use crate::shape::view::numel;

impl Tensor {
    // ---- The shape ---------------------------------------------------

    /// The same elements in the same order under another shape, in which one size may be −1: whatever is left.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1, 2, 3, 4, 5, 6]);
    /// assert_eq!(x.reshape([2, 3]).to_vec::<i32>(), [1, 2, 3, 4, 5, 6]);
    /// assert_eq!(x.reshape([-1, 2]).shape(), [3, 2]);
    /// ```
    /// # Panics
    /// If the new shape has more or fewer elements.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Tensor {
        let (own, shape) = (self.shape(), shape.into());
        let plain = shape.0.iter().all(|&size| size >= 0)
            && shape.0.iter().product::<isize>() == numel(&own) as isize;
        // The name for the message takes longer to write than all the rest: only where it may be needed.
        let op = if plain {
            String::new()
        } else {
            format!("reshape of {own:?}")
        };
        let to = fill_in(&op, &shape, numel(&own));
        Tensor::apply(Reshape::new(to), &[self])
    }

    /// Axes of size 1 repeated up to a larger size, without a copy. −1 keeps a size; new axes may come in front.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1], [2]]);
    /// assert_eq!(x.expand([-1, 3]).to_vec::<i32>(), [1, 1, 1, 2, 2, 2]);
    /// assert_eq!(x.expand([4, 2, 1]).shape(), [4, 2, 1]);
    /// ```
    /// The gradient of an element is the sum over its repetitions.
    /// # Panics
    /// If an axis of another size than 1 would have to change, or if there are fewer axes than before.
    #[track_caller]
    pub fn expand(&self, shape: impl Into<Shape>) -> Tensor {
        let (own, wanted) = (self.shape(), shape.into().0);
        let Some(new_axes) = wanted.len().checked_sub(own.len()) else {
            fail!("expand", "shape {own:?} has more axes than {wanted:?}"; "squeeze or reshape takes axes away");
        };
        let mut to = Vec::with_capacity(wanted.len());
        for (axis, &size) in wanted.iter().enumerate() {
            let old = axis.checked_sub(new_axes).map(|axis| own[axis]);
            to.push(match old {
                Some(old) if size == -1 || size == old as isize => old,
                Some(1) | None if size >= 0 => size as usize,
                Some(old) => fail!("expand", "{own:?} to {wanted:?}: axis {axis} cannot go from {old} to {size}";
                    "only axes of size 1 can be repeated; repeat copies others"),
                None => fail!("expand", "{own:?} to {wanted:?}: the new axis {axis} needs a size, not {size}"),
            });
        }
        let aligned = [vec![1; new_axes], own].concat();
        let aligned = Tensor::apply(Reshape::new(aligned), &[self]);
        Tensor::apply(Expand::new(to), &[&aligned])
    }

    /// Without its axes of size 1: all of them for `()`, else the named ones (which stay if they have another size).
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::zeros([1, 3, 1]);
    /// assert_eq!(x.squeeze(()).shape(), [3]);
    /// assert_eq!(x.squeeze(-1).shape(), [1, 3]);
    /// assert_eq!(x.squeeze(1).shape(), [1, 3, 1]);
    /// ```
    /// # Panics
    /// If a named axis isn't there.
    #[track_caller]
    pub fn squeeze(&self, dim: impl Into<Axes>) -> Tensor {
        let shape = self.shape();
        let named = dim.into().resolve("squeeze", &shape);
        let kept: Vec<usize> = (0..shape.len())
            .filter(|axis| shape[*axis] != 1 || !named.contains(axis))
            .map(|axis| shape[axis])
            .collect();
        self.reshape(kept)
    }

    /// With a new axis of size 1 at `dim`; negative ones count from the end of the new shape, so that −1 is a new last axis.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::zeros([2, 3]);
    /// assert_eq!(x.unsqueeze(0).shape(), [1, 2, 3]);
    /// assert_eq!(x.unsqueeze(-1).shape(), [2, 3, 1]);
    /// ```
    /// # Panics
    /// If `dim` is beyond the last place.
    #[track_caller]
    pub fn unsqueeze(&self, dim: isize) -> Tensor {
        let mut shape = self.shape();
        let places = shape.len() as isize + 1;
        if dim < -places || dim >= places {
            fail!(Axis: "unsqueeze", "there is no place {dim} for a new axis in shape {shape:?}"; "places go from {} to {}", -places, places - 1);
        }
        shape.insert(dim.rem_euclid(places) as usize, 1);
        self.reshape(shape)
    }

    /// All axes from `start_dim` on as one; a single number becomes a list of one.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4]).flatten(0).shape(), [24]);
    /// assert_eq!(Tensor::zeros([2, 3, 4]).flatten(1).shape(), [2, 12]);
    /// ```
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn flatten(&self, start_dim: isize) -> Tensor {
        let shape = self.shape();
        let start = if shape.is_empty() && (start_dim == 0 || start_dim == -1) {
            0
        } else {
            resolve_axis("flatten", start_dim, &shape)
        };
        let mut to = shape[..start].to_vec();
        to.push(numel(&shape[start..]));
        self.reshape(to)
    }

    // ---- The order ---------------------------------------------------

    /// Axes in another order: the result's axis i is this tensor's axis `order[i]`.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4]).permute([2, 0, 1]).shape(), [4, 2, 3]);
    /// ```
    /// # Panics
    /// If `order` doesn't name each axis once.
    #[track_caller]
    pub fn permute(&self, order: impl Into<Axes>) -> Tensor {
        let (shape, order) = (self.shape(), order.into().0.unwrap_or_default());
        if order.len() != shape.len() {
            fail!(
                "permute",
                "order {order:?} names {} axes, and shape {shape:?} has {}",
                order.len(),
                shape.len()
            );
        }
        let mut resolved = Vec::with_capacity(order.len());
        for &axis in &order {
            let axis = resolve_axis("permute", axis, &shape);
            if resolved.contains(&axis) {
                fail!(
                    "permute",
                    "axis {axis} of shape {shape:?} is named twice in {order:?}"
                );
            }
            resolved.push(axis);
        }
        Tensor::apply(Permute::new(resolved), &[self])
    }

    /// Two axes exchanged.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4]).transpose(0, -1).shape(), [4, 3, 2]);
    /// ```
    /// # Panics
    /// If one of them isn't there.
    #[track_caller]
    pub fn transpose(&self, ax1: isize, ax2: isize) -> Tensor {
        let shape = self.shape();
        let (a, b) = (
            resolve_axis("transpose", ax1, &shape),
            resolve_axis("transpose", ax2, &shape),
        );
        let mut order: Vec<usize> = (0..shape.len()).collect();
        order.swap(a, b);
        Tensor::apply(Permute::new(order), &[self])
    }

    /// The transpose, the original's `T`: the first two axes exchanged. Fewer than two axes are left as they are.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.t().to_vec::<i32>(), [1, 3, 2, 4]);
    /// ```
    pub fn t(&self) -> Tensor {
        let mut order: Vec<usize> = (0..self.ndim()).collect();
        if order.len() > 1 {
            order.swap(0, 1);
        }
        Tensor::apply(Permute::new(order), &[self])
    }

    /// These axes backwards.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.flip(0).to_vec::<i32>(), [3, 4, 1, 2]);
    /// assert_eq!(x.flip(()).to_vec::<i32>(), [4, 3, 2, 1]);
    /// ```
    /// # Panics
    /// If an axis isn't there or is named twice.
    #[track_caller]
    pub fn flip(&self, axes: impl Into<Axes>) -> Tensor {
        let axes = axes.into().resolve("flip", &self.shape());
        Tensor::apply(Flip::new(axes), &[self])
    }

    // ---- Less and more -----------------------------------------------

    /// A box cut out: of each axis the elements from start up to (not including) stop, or all of them for `None`.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.shrink(&[(0, 1), (1, 3)]).to_vec::<i32>(), [2, 3]);
    /// assert_eq!(x.shrink(&[None, Some((2, 3))]).to_vec::<i32>(), [3, 6]);
    /// ```
    /// # Panics
    /// If there is not one range an axis, or a range is not inside of its axis.
    #[track_caller]
    pub fn shrink<R: Into<Option<(usize, usize)>> + Copy>(&self, ranges: &[R]) -> Tensor {
        let shape = self.shape();
        check_count("shrink", "ranges", ranges.len(), &shape);
        let mut resolved = Vec::with_capacity(shape.len());
        for (axis, (&range, &size)) in ranges.iter().zip(&shape).enumerate() {
            let (start, stop) = range.into().unwrap_or((0, size));
            if start > stop || stop > size {
                fail!("shrink", "({start}, {stop}) is no range of axis {axis} of shape {shape:?}"; "0 ≤ start ≤ stop ≤ {size}; slice may go beyond");
            }
            resolved.push((start, stop));
        }
        Tensor::apply(Shrink::new(resolved), &[self])
    }

    /// `value` around the elements: so many before and after along each axis, or none for `None`. The value is cast to this tensor's dtype.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1.0, 2.0]);
    /// assert_eq!(x.pad(&[(1, 2)], 0).to_vec::<f32>(), [0.0, 1.0, 2.0, 0.0, 0.0]);
    /// assert_eq!(x.pad(&[(1, 0)], f32::INFINITY).to_vec::<f32>(), [f32::INFINITY, 1.0, 2.0]);
    /// ```
    /// # Panics
    /// If there is not one pair an axis.
    #[track_caller]
    pub fn pad<W: Into<Option<(usize, usize)>> + Copy>(
        &self,
        widths: &[W],
        value: impl Into<Scalar>,
    ) -> Tensor {
        let shape = self.shape();
        check_count("pad", "widths", widths.len(), &shape);
        let widths: Vec<(usize, usize)> = widths
            .iter()
            .map(|&width| width.into().unwrap_or((0, 0)))
            .collect();
        let value = value.into().cast(self.dtype());
        let padded = Tensor::apply(Pad::new(widths.clone()), &[self]);
        if value.as_f64() == 0.0 || widths.iter().all(|&width| width == (0, 0)) {
            return padded;
        }
        // A choice and not a sum, so that an infinity or NaN around stays around.
        let inside = LazyBuffer::full(&shape, true.into(), DType::Bool, self.device()).pad(&widths);
        constant(inside).where_(&padded, Operand::Number(value))
    }

    /// As [`Tensor::pad`], where a negative width cuts, and `mode` says what is around: `constant` (`value`), `reflect` (the elements
    /// backwards, without the outermost one), `replicate` (the outermost one) or `circular` (those of the other end).
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// assert_eq!(x.pad_with(&[Some((1, -1))], "constant", 9).to_vec::<i32>(), [9, 1, 2]);
    /// assert_eq!(x.pad_with(&[Some((2, 1))], "reflect", 0).to_vec::<i32>(), [3, 2, 1, 2, 3, 2]);
    /// assert_eq!(x.pad_with(&[Some((2, 1))], "replicate", 0).to_vec::<i32>(), [1, 1, 1, 2, 3, 3]);
    /// assert_eq!(x.pad_with(&[Some((2, 1))], "circular", 0).to_vec::<i32>(), [2, 3, 1, 2, 3, 1]);
    /// ```
    /// # Panics
    /// If there is not one pair an axis, more is cut than is there, the mode is unknown, or a mode needs more elements than an axis has.
    #[track_caller]
    pub fn pad_with(
        &self,
        widths: &[Option<(isize, isize)>],
        mode: &str,
        value: impl Into<Scalar>,
    ) -> Tensor {
        let shape = self.shape();
        check_count("pad", "widths", widths.len(), &shape);
        if mode == "constant" {
            let mut ranges = Vec::with_capacity(shape.len());
            for (axis, (&width, &size)) in widths.iter().zip(&shape).enumerate() {
                let (before, after) = width.unwrap_or((0, 0));
                let stop = size as isize + after;
                if -before > stop || before < -(size as isize) || stop < 0 {
                    fail!(
                        "pad",
                        "({before}, {after}) cuts more than the {size} elements of axis {axis} of shape {shape:?}"
                    );
                }
                ranges.push((-before, stop));
            }
            return self.slice(&ranges, value);
        }
        let mut x = self.clone();
        for (axis, (&width, &size)) in widths.iter().zip(&shape).enumerate() {
            let (before, after) = width.unwrap_or((0, 0));
            if (before, after) == (0, 0) {
                continue;
            }
            let n = size as isize;
            let most = match mode {
                "reflect" => n - 1,
                "circular" => n,
                "replicate" if n > 0 => isize::MAX,
                "replicate" => 0,
                _ => {
                    fail!("pad", "there is no mode {mode:?}"; "constant, reflect, replicate and circular are there")
                }
            };
            if before > most || after > most || before + n + after < 0 {
                fail!(
                    "pad",
                    "({before}, {after}) around axis {axis} of shape {shape:?}: {mode} has at most {most} elements there"
                );
            }
            let places: Vec<isize> = (-before..n + after)
                .map(|at| match mode {
                    "reflect" if at < 0 => -at,
                    "reflect" if at >= n => 2 * (n - 1) - at,
                    "circular" => at.rem_euclid(n),
                    _ => at.clamp(0, n - 1),
                })
                .collect();
            let mut indices = vec![Index::Slice(Slice::ALL); axis];
            indices.push(Index::List(places));
            x = x.get(indices);
        }
        x
    }

    /// From start up to (not including) stop of each axis, or all of it for `None`. Unlike [`Tensor::shrink`], a range may go
    /// beyond the axis on either side, and finds `value` there.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([1, 2, 3]);
    /// assert_eq!(x.slice(&[(1, 5)], 0).to_vec::<i32>(), [2, 3, 0, 0]);
    /// assert_eq!(x.slice(&[(-1, 2)], 9).to_vec::<i32>(), [9, 1, 2]);
    /// ```
    /// (A negative start is a place before the first element; [`Tensor::get`] counts from the end.)
    /// # Panics
    /// If there is not one range an axis, or one stops before it starts.
    #[track_caller]
    pub fn slice<R: Into<Option<(isize, isize)>> + Copy>(
        &self,
        ranges: &[R],
        value: impl Into<Scalar>,
    ) -> Tensor {
        let shape = self.shape();
        check_count("slice", "ranges", ranges.len(), &shape);
        let (mut widths, mut cuts) = (
            Vec::with_capacity(shape.len()),
            Vec::with_capacity(shape.len()),
        );
        for (axis, (&range, &size)) in ranges.iter().zip(&shape).enumerate() {
            let (start, stop) = range.into().unwrap_or((0, size as isize));
            if start > stop {
                fail!(
                    "slice",
                    "({start}, {stop}) stops before it starts, at axis {axis} of shape {shape:?}"
                );
            }
            let before = start.min(0).unsigned_abs();
            widths.push((before, (stop - size as isize).max(0) as usize));
            cuts.push((
                (start + before as isize) as usize,
                (stop + before as isize).max(0) as usize,
            ));
        }
        // A range that lies before the axis as a whole is in the padding too: all is inside of what is padded.
        self.pad(&widths, value).shrink(&cuts)
    }

    /// `value` around the last two axes: `[left, right, top, bottom]`, where left and right belong to the last axis. Negative numbers cut.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 2]]);
    /// assert_eq!(x.pad2d([1, 0, 0, 1], 0.0).to_vec::<i32>(), [0, 1, 2, 0, 0, 0]);
    /// assert_eq!(x.pad2d([-1, 0, 0, 0], 0.0).to_vec::<i32>(), [2]);
    /// ```
    /// # Panics
    /// If there are fewer than two axes, or more is cut than is there.
    #[track_caller]
    pub fn pad2d(&self, padding: [isize; 4], value: f64) -> Tensor {
        if self.ndim() < 2 {
            fail!("pad2d", "shape {:?} has no two axes to pad", self.shape());
        }
        self.pad_last("pad2d", &padding, value)
    }

    /// Pads as many last axes as there are pairs, the last axis first: the order of `pad2d` and of a convolution's padding.
    #[track_caller]
    pub(crate) fn pad_last(&self, op: &str, padding: &[isize], value: f64) -> Tensor {
        let shape = self.shape();
        let mut ranges: Vec<(isize, isize)> =
            shape.iter().map(|&size| (0, size as isize)).collect();
        for (pair, axis) in padding.chunks_exact(2).zip((0..shape.len()).rev()) {
            let range = (-pair[0], shape[axis] as isize + pair[1]);
            if range.0 > range.1 {
                fail!(
                    op,
                    "padding {padding:?} cuts more than the {} elements of axis {axis} of shape {shape:?}",
                    shape[axis]
                );
            }
            ranges[axis] = range;
        }
        self.slice(&ranges, value)
    }

    // ---- Several -----------------------------------------------------

    /// Tensors one after the other along an axis.
    ///
    /// Each is padded with zeros to the full size, and these are added: 1 2 · · + · · 3. Dtypes promote.
    /// ```
    /// # use teenygrad::Tensor;
    /// let (a, b) = (Tensor::from([[1], [2]]), Tensor::from([[3, 4], [5, 6]]));
    /// assert_eq!(Tensor::cat(&[&a, &b], 1).to_vec::<i32>(), [1, 3, 4, 2, 5, 6]);
    /// ```
    /// # Panics
    /// If there are none, or their shapes differ in another axis.
    #[track_caller]
    pub fn cat(tensors: &[&Tensor], dim: isize) -> Tensor {
        let Some(first) = tensors.first() else {
            fail!("cat", "there are no tensors to join")
        };
        let shape = first.shape();
        let axis = resolve_axis("cat", dim, &shape);
        let (mut total, mut dtype) = (0, first.dtype());
        for (position, tensor) in tensors.iter().enumerate() {
            let other = tensor.shape();
            if other.len() != shape.len() {
                fail!(
                    "cat",
                    "tensor {position} has shape {other:?}, tensor 0 has {shape:?}: they need the same number of axes"
                );
            }
            if let Some(odd) = (0..shape.len()).find(|&i| i != axis && other[i] != shape[i]) {
                fail!("cat", "tensor {position} has shape {other:?}, tensor 0 has {shape:?}: they differ at axis {odd}"; "along axis {axis} they may differ, elsewhere not");
            }
            total += other[axis];
            dtype = dtype.promote(tensor.dtype());
        }
        let operands: Vec<Operand> = tensors.iter().map(|&tensor| tensor.into()).collect();
        common_device("cat", &operands);
        let (mut joined, mut start) = (None::<Tensor>, 0);
        for tensor in tensors {
            let size = tensor.shape()[axis];
            let mut widths = vec![(0, 0); shape.len()];
            widths[axis] = (start, total - start - size);
            let padded = Tensor::apply(Pad::new(widths), &[&tensor.cast(dtype)]);
            joined = Some(match joined {
                None => padded,
                Some(joined) => Tensor::apply(Add, &[&joined, &padded]),
            });
            start += size;
        }
        joined.expect("there is a first tensor")
    }

    /// Tensors of one shape side by side along a new axis.
    /// ```
    /// # use teenygrad::Tensor;
    /// let (a, b) = (Tensor::from([1, 2]), Tensor::from([3, 4]));
    /// assert_eq!(Tensor::stack(&[&a, &b], 0).to_vec::<i32>(), [1, 2, 3, 4]);
    /// assert_eq!(Tensor::stack(&[&a, &b], -1).to_vec::<i32>(), [1, 3, 2, 4]);
    /// ```
    /// # Panics
    /// If there are none, or their shapes differ.
    #[track_caller]
    pub fn stack(tensors: &[&Tensor], dim: isize) -> Tensor {
        let Some(first) = tensors.first() else {
            fail!("stack", "there are no tensors to join")
        };
        let shape = first.shape();
        if let Some(odd) = tensors.iter().position(|tensor| tensor.shape() != shape) {
            fail!("stack", "tensor {odd} has shape {:?}, tensor 0 has {shape:?}", tensors[odd].shape(); "cat joins tensors of different sizes along one axis");
        }
        let places = shape.len() as isize + 1;
        if dim < -places || dim >= places {
            fail!(Axis: "stack", "there is no place {dim} for a new axis in shape {shape:?}"; "places go from {} to {}", -places, places - 1);
        }
        let dim = dim.rem_euclid(places);
        let lifted: Vec<Tensor> = tensors.iter().map(|tensor| tensor.unsqueeze(dim)).collect();
        Tensor::cat(&lifted.iter().collect::<Vec<_>>(), dim)
    }

    /// The whole tensor side by side with itself, so many times along each axis. More numbers than axes: new ones in front.
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::from([1, 2]).repeat(2).to_vec::<i32>(), [1, 2, 1, 2]);
    /// assert_eq!(Tensor::from([1, 2]).repeat([3, 1]).shape(), [3, 2]);
    /// ```
    /// # Panics
    /// If there are fewer numbers than axes, or a negative one.
    #[track_caller]
    pub fn repeat(&self, repeats: impl Into<Shape>) -> Tensor {
        let (own, repeats) = (self.shape(), repeats.into().sizes("repeat"));
        let Some(new_axes) = repeats.len().checked_sub(own.len()) else {
            fail!(
                "repeat",
                "{repeats:?} has fewer numbers than shape {own:?} has axes"
            );
        };
        let own = [vec![1; new_axes], own].concat();
        // [a, b] → [1, a, 1, b] → [r, a, s, b] → [r·a, s·b]
        let split: Vec<usize> = own.iter().flat_map(|&size| [1, size]).collect();
        let wide: Vec<usize> = own
            .iter()
            .zip(&repeats)
            .flat_map(|(&size, &times)| [times, size])
            .collect();
        let merged: Vec<usize> = own
            .iter()
            .zip(&repeats)
            .map(|(size, times)| size * times)
            .collect();
        self.reshape(split).expand(wide).reshape(merged)
    }

    /// Cut along an axis into (at most) `num` pieces of one size; the last may be smaller.
    /// ```
    /// # use teenygrad::Tensor;
    /// let pieces = Tensor::from([1, 2, 3, 4, 5]).chunk(2, 0);
    /// assert_eq!(pieces[0].to_vec::<i32>(), [1, 2, 3]);
    /// assert_eq!(pieces[1].to_vec::<i32>(), [4, 5]);
    /// ```
    /// As in PyTorch there can be fewer pieces than asked for: 5 elements in 4 pieces are 2 + 2 + 1.
    /// # Panics
    /// If `num` is 0 or there is no such axis.
    #[track_caller]
    pub fn chunk(&self, num: usize, dim: isize) -> Vec<Tensor> {
        let shape = self.shape();
        let axis = resolve_axis("chunk", dim, &shape);
        if num == 0 {
            fail!(
                "chunk",
                "axis {axis} of shape {shape:?} cannot be cut into 0 pieces"
            );
        }
        let size = shape[axis];
        let step = size.div_ceil(num);
        let pieces = if size == 0 { num } else { size.div_ceil(step) };
        (0..pieces)
            .map(|piece| self.narrow(axis, piece * step, size.min((piece + 1) * step)))
            .collect()
    }

    /// From start up to stop of one axis, all of the others.
    pub(crate) fn narrow(&self, axis: usize, start: usize, stop: usize) -> Tensor {
        let mut ranges: Vec<(usize, usize)> = self.shape().iter().map(|&size| (0, size)).collect();
        ranges[axis] = (start, stop);
        Tensor::apply(Shrink::new(ranges), &[self])
    }

    /// Elements at places that are data: **y[…, i, …] = x[…, idx[…, i, …], …]** along `dim`. The result has the index's shape.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// let idx = Tensor::from([[1, 0], [0, 0]]);
    /// assert_eq!(x.gather(&idx, 1).to_vec::<i32>(), [2, 1, 3, 3]);
    /// ```
    /// An index outside of 0..size finds 0: what it is can't be known before it is computed, and kernels don't panic. The gradient
    /// is added up at the index.
    /// # Panics
    /// If the index is not of integers, has another number of axes, or is larger than x along another axis than `dim`.
    #[track_caller]
    pub fn gather(&self, idx: &Tensor, dim: isize) -> Tensor {
        let (shape, index_shape) = (self.shape(), idx.shape());
        let axis = resolve_axis("gather", dim, &shape);
        if !idx.dtype().is_int() {
            fail!(Type: "gather", "an index of {} cannot count", idx.dtype(); "cast it to an integer type");
        }
        if shape.len() != index_shape.len() {
            fail!(
                "gather",
                "shape {shape:?} and index shape {index_shape:?} need the same number of axes"
            );
        }
        if let Some(odd) = (0..shape.len()).find(|&i| i != axis && index_shape[i] > shape[i]) {
            fail!("gather", "index shape {index_shape:?} is larger than shape {shape:?} at axis {odd}"; "only along axis {axis} it may be");
        }
        common_device("gather", &[self.into(), idx.into()]);
        let ranges = (0..shape.len())
            .map(|i| (0, if i == axis { shape[i] } else { index_shape[i] }))
            .collect();
        let table = Tensor::apply(Shrink::new(ranges), &[self]);
        Tensor::apply(Gather::new(axis), &[&table, &idx.cast(DType::Int64)])
    }

    // ---- Triangles ---------------------------------------------------

    /// The upper triangle of the last two axes, zeros elsewhere: x[i, j] where j − i ≥ k. k = 0 keeps the diagonal, 1 starts right of it.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.triu(0).to_vec::<i32>(), [1, 2, 0, 4]);
    /// assert_eq!(x.triu(1).to_vec::<i32>(), [0, 2, 0, 0]);
    /// ```
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn triu(&self, k: isize) -> Tensor {
        let (row, column) = self.diagonals("triu", k);
        let below = Tensor::apply(Less, &[&column, &row]); // j < i + k
        below.where_(Operand::Number(Scalar::Int(0).cast(self.dtype())), self)
    }

    /// The lower triangle of the last two axes, zeros elsewhere: x[i, j] where j − i ≤ k.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.tril(0).to_vec::<i32>(), [1, 0, 3, 4]);
    /// ```
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn tril(&self, k: isize) -> Tensor {
        let (row, column) = self.diagonals("tril", k);
        let above = Tensor::apply(Less, &[&row, &column]); // i + k < j
        above.where_(Operand::Number(Scalar::Int(0).cast(self.dtype())), self)
    }

    /// i + k and j for each element [i, j] of the last two axes.
    #[track_caller]
    fn diagonals(&self, op: &str, k: isize) -> (Tensor, Tensor) {
        let shape = self.shape();
        let Some(last) = shape.len().checked_sub(2) else {
            fail!(op, "shape {shape:?} has no two axes to have a triangle");
        };
        let (matrix, device) = (&shape[last..], self.device());
        let row = positions(matrix, 0, device);
        let shifted = row.e(crate::ops::BinaryOps::Add, &[&row.const_like(k)]);
        (constant(shifted), constant(positions(matrix, 1, device)))
    }
}

/// Each element's index along an axis, as int64.
pub(crate) fn positions(shape: &[usize], axis: usize, device: Device) -> LazyBuffer {
    let mut line = vec![1; shape.len()];
    line[axis] = shape[axis];
    LazyBuffer::iota(&[shape[axis]], device)
        .reshape(&line)
        .expand(shape)
}

/// A tensor that no gradient flows to.
pub(crate) fn constant(lazydata: LazyBuffer) -> Tensor {
    Tensor::from_lazy(lazydata).requires_grad(false)
}

/// One entry an axis.
#[track_caller]
fn check_count(op: &str, what: &str, count: usize, shape: &[usize]) {
    if count != shape.len() {
        fail!(op, "{count} {what} for the {} axes of shape {shape:?}", shape.len(); "None leaves an axis as it is");
    }
}

#[cfg(test)]
mod tests;
