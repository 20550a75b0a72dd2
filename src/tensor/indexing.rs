//! # tensor/indexing: `get` and `set`
//!
//! **In:** a tensor and [indices](super::index). **Out:** the elements that they name, or the tensor with those elements replaced.
//! **Below:** the movement functions, Gather and Scatter.
//!
//! An index becomes a `Plan` of three steps, each a view or one indexed load:
//!
//! ```text
//! x ──cut──▶ start, length and step of each axis        Shrink, Flip, and a Window of one element for steps over 1
//!   ──name─▶ axes of `At` go, new axes come             Reshape
//!   ──look─▶ the axes with tensors become one, row       Gather, at (i·B + j)·C + k for tensors i, j, k on axes of sizes A, B, C
//!            by row, and all tensors one list of places
//! ```
//!
//! The original compares each index with 0, 1, 2, … and multiplies by the outcome, which costs as much as the axis is long.
//!
//! `set` goes the same way there and back: it puts the new values where `get` takes the old ones from, zeros elsewhere, and chooses
//! between that and the old tensor with a mask that went the same way.

use super::Tensor;
use super::index::{Index, Indices, Slice};
use super::movement::{constant, positions};
use super::operand::{Operand, common_device};
use crate::dtype::{DType, Scalar};
use crate::error::fail;
use crate::lazy::LazyBuffer;
use crate::mlops::indexing::Gather;
use crate::mlops::movement::{Flip, Pad, Shrink, Slide, Window};
use crate::mlops::ternary::Where;
use crate::ops::{BinaryOps, TernaryOps};
use crate::shape::args::broadcast;
use crate::shape::view::numel;

impl Tensor {
    /// The elements at these indices: Python's `x[…]`, written as [`super::index`] lists.
    ///
    /// Several tensors among the indices broadcast together and walk in step: `x.get((&rows, &columns))` is `x[rows[i], columns[i]]` for each i.
    /// Their common axes stand where the indexed axes stood if these are neighbours, and first otherwise (integers and new axes are
    /// done before, as in PyTorch).
    /// ```
    /// use teenygrad::{Tensor, tensor::index::{Ellipsis, NewAxis, step}};
    /// let x = Tensor::from([[1, 2, 3], [4, 5, 6]]);
    /// assert_eq!(x.get(1).to_vec::<i32>(), [4, 5, 6]);
    /// assert_eq!(x.get((0, -1)).item::<i32>(), 3);
    /// assert_eq!(x.get((.., 1..)).to_vec::<i32>(), [2, 3, 5, 6]);
    /// assert_eq!(x.get((Ellipsis, step(.., -2))).to_vec::<i32>(), [3, 1, 6, 4]);
    /// assert_eq!(x.get((.., NewAxis)).shape(), [2, 1, 3]);
    /// let rows = Tensor::from([1, 0, 1]);
    /// assert_eq!(x.get((&rows, [0, 1, 2])).to_vec::<i32>(), [4, 2, 6]);
    /// ```
    /// The numbers in a tensor are not known before they are computed, and kernels don't panic: a negative one counts from the end,
    /// and one that is out of range finds 0. Numbers that are known (integers, lists) are checked.
    ///
    /// The gradient of an element is the sum of those of all places that it went to.
    /// # Panics
    /// If an index is out of range, there are more indices than axes or more than one ellipsis, tensors don't broadcast together, or
    /// one is not of integers.
    #[track_caller]
    pub fn get(&self, indices: impl Into<Indices>) -> Tensor {
        let plan = Plan::new("get", self, indices.into().0);
        let named = plan.cut(self).reshape(plan.named.clone());
        match &plan.lookup {
            None => named,
            Some(lookup) => {
                let found = Tensor::apply(
                    Gather::new(lookup.axis),
                    &[&lookup.merge(&named), &lookup.along(&lookup.places)],
                );
                found.reshape(lookup.result())
            }
        }
    }

    /// Replaces the elements at these indices: Python's `x[…] = value`. The value, a number or a tensor, is broadcast to the shape
    /// that `get` would give, and cast to this tensor's dtype.
    /// ```
    /// use teenygrad::{Tensor, tensor::index::step};
    /// let x = Tensor::from([0, 1, 2, 3, 4]);
    /// x.set(step(.., 2), 9);
    /// assert_eq!(x.to_vec::<i32>(), [9, 1, 9, 3, 9]);
    /// x.set(1..3, Tensor::from([7, 8]));
    /// assert_eq!(x.to_vec::<i32>(), [9, 7, 8, 3, 9]);
    /// x.set([0, 0, -1], Tensor::from([4, 5, 6])); // the last one that writes to a place wins
    /// assert_eq!(x.to_vec::<i32>(), [5, 7, 8, 3, 6]);
    /// ```
    /// It is an [`assign`](Tensor::assign): all clones of this handle see it, tensors that were computed from the old values don't.
    /// If several numbers in an index tensor name one place, the last of them in order wins; numbers out of range write nowhere.
    /// # Panics
    /// Where [`Tensor::get`] does; if the value doesn't broadcast; and if this tensor or the value requires a gradient (outside of
    /// [`Tensor::no_grad`]): what was overwritten could not be found on the way back. `where_` and `cat` make new tensors.
    #[track_caller]
    pub fn set(&self, indices: impl Into<Indices>, value: impl Into<Operand>) {
        let value = value.into();
        common_device("set", &[self.into(), value.clone()]);
        let value = value.into_tensor(self.dtype(), self.device());
        let plan = Plan::new("set", self, indices.into().0);
        let shape = plan.result();
        let value = stretch(&value, &shape);
        let lengths: Vec<usize> = plan.cuts.iter().map(|cut| cut.len).collect();
        let part = match &plan.lookup {
            None => value,
            Some(lookup) => {
                let old = lookup.merge(&plan.cut(self).reshape(plan.named.clone()));
                let new = value.reshape(lookup.gathered());
                // Places look up their writer, instead of writers their place: so each place is written once.
                let writer = constant(last_writer(&lookup.places.lazydata(), lookup.size));
                let found =
                    Tensor::apply(Gather::new(lookup.axis), &[&new, &lookup.along(&writer)]);
                let kept = lookup.along(&writer.lt(0));
                lookup.unmerge(&Tensor::apply(Where::default(), &[&kept, &old, &found]))
            }
        };
        let part = part.reshape(lengths.clone());
        let written = constant(LazyBuffer::full(
            &lengths,
            Scalar::Bool(true),
            DType::Bool,
            self.device(),
        ));
        let (mask, spread) = (plan.spread(&written), plan.spread(&part));
        let result = Tensor::apply(Where::default(), &[&mask, &spread, self]);
        if result.needs_grad() == Some(true) {
            fail!(State: "set", "{} requires a gradient, and the values that are overwritten could not be found on the way back",
                if self.needs_grad() == Some(true) { "this tensor" } else { "the value" };
                "compute a new tensor with where_ or cat, or set within Tensor::no_grad");
        }
        self.assign(&result);
    }
}

/// What a list of indices means for one shape.
struct Plan {
    /// of each axis: where to start, how many, how far apart
    cuts: Vec<Cut>,
    /// the shape after that, without the axes of single elements and with the new ones
    named: Vec<usize>,
    /// what to do with the index tensors, if there are any
    lookup: Option<Lookup>,
    /// the shape of the tensor that is indexed
    from: Vec<usize>,
}

struct Cut {
    start: usize,
    len: usize,
    step: isize,
}

/// Index tensors on some axes: these axes as one, and the places on it.
struct Lookup {
    /// the order of axes that brings the indexed ones together
    order: Vec<usize>,
    /// the shape in that order
    ordered: Vec<usize>,
    /// the first of the indexed axes in that order, and where the merged one will be
    axis: usize,
    /// how many axes are indexed
    merged: usize,
    /// elements of the merged axis
    size: usize,
    /// the common shape of the index tensors
    common: Vec<usize>,
    /// int64, one axis: row-major places in the merged axis, −1 for what is out of range
    places: Tensor,
}

impl Plan {
    #[track_caller]
    fn new(op: &str, x: &Tensor, mut indices: Vec<Index>) -> Plan {
        let from = x.shape();
        let used = indices
            .iter()
            .filter(|index| !matches!(index, Index::NewAxis | Index::Ellipsis))
            .count();
        if used > from.len() {
            fail!(
                Index: op,
                "{used} indices for the {} axes of shape {from:?}",
                from.len()
            );
        }
        let dots: Vec<usize> = (0..indices.len())
            .filter(|&i| matches!(indices[i], Index::Ellipsis))
            .collect();
        if dots.len() > 1 {
            fail!(
                Index: op,
                "there are {} ellipses, and one is all that can be filled in",
                dots.len()
            );
        }
        // Without an ellipsis, one at the end: axes that are not named are whole.
        let at = dots.first().copied().unwrap_or(indices.len());
        let whole = std::iter::repeat_n(Index::Slice(Slice::ALL), from.len() - used);
        indices.splice(at..(at + dots.len()), whole);

        let (mut cuts, mut named, mut tensors) =
            (Vec::with_capacity(from.len()), Vec::new(), Vec::new());
        for index in indices {
            let axis = cuts.len();
            match index {
                Index::NewAxis => named.push(1),
                Index::Ellipsis => unreachable!("it has been filled in above"),
                Index::At(at) => cuts.push(Cut {
                    start: inside(op, at, axis, &from),
                    len: 1,
                    step: 1,
                }),
                Index::Slice(slice) => {
                    if slice.step == 0 {
                        fail!(
                            op,
                            "a step of 0 never arrives, at axis {axis} of shape {from:?}"
                        );
                    }
                    let (start, len) = slice.resolve(from[axis]);
                    named.push(len);
                    cuts.push(Cut {
                        start,
                        len,
                        step: slice.step,
                    });
                }
                Index::List(list) => {
                    // A loop, not a closure: a panic in a closure would not name the caller's line.
                    let mut checked = Vec::with_capacity(list.len());
                    for &at in &list {
                        checked.push(inside(op, at, axis, &from) as i64);
                    }
                    let places = Tensor::from(checked).to(x.device()).requires_grad(false);
                    tensors.push((named.len(), places));
                    named.push(from[axis]);
                    cuts.push(Cut {
                        start: 0,
                        len: from[axis],
                        step: 1,
                    });
                }
                Index::Tensor(tensor) => {
                    check_index(op, &tensor, x, axis);
                    tensors.push((named.len(), tensor.cast(DType::Int64).detach()));
                    named.push(from[axis]);
                    cuts.push(Cut {
                        start: 0,
                        len: from[axis],
                        step: 1,
                    });
                }
            }
        }
        let lookup = if tensors.is_empty() {
            None
        } else {
            Some(Lookup::new(op, &named, &tensors))
        };
        Plan {
            cuts,
            named,
            lookup,
            from,
        }
    }

    /// The shape that `get` gives.
    fn result(&self) -> Vec<usize> {
        self.lookup
            .as_ref()
            .map_or(self.named.clone(), Lookup::result)
    }

    /// Whether nothing is taken.
    fn is_empty(&self) -> bool {
        self.cuts.iter().any(|cut| cut.len == 0)
    }

    /// The step of each axis, 1 where it makes no difference.
    fn strides(&self) -> Vec<usize> {
        let none = self.is_empty();
        self.cuts
            .iter()
            .map(|cut| {
                if cut.len > 1 && !none {
                    cut.step.unsigned_abs()
                } else {
                    1
                }
            })
            .collect()
    }

    /// From the first to the last element that is taken of each axis, both included.
    fn ranges(&self) -> Vec<(usize, usize)> {
        let none = self.is_empty();
        let range = |cut: &Cut| match cut.len {
            _ if none => (0, cut.len), // of nothing, any so many
            len => {
                let reach = (len - 1) * cut.step.unsigned_abs();
                let low = if cut.step < 0 {
                    cut.start - reach
                } else {
                    cut.start
                };
                (low, low + reach + 1)
            }
        };
        self.cuts.iter().map(range).collect()
    }

    /// The axes with negative steps, turned.
    fn turn(&self, x: Tensor) -> Tensor {
        let backwards: Vec<usize> = (0..self.cuts.len())
            .filter(|&axis| self.cuts[axis].step < 0 && self.cuts[axis].len > 1)
            .collect();
        if backwards.is_empty() {
            x
        } else {
            Tensor::apply(Flip::new(backwards), &[&x])
        }
    }

    /// Start, length and step of each axis: a view.
    fn cut(&self, x: &Tensor) -> Tensor {
        let turned = self.turn(Tensor::apply(Shrink::new(self.ranges()), &[x]));
        let strides = self.strides();
        if strides.iter().all(|&stride| stride == 1) {
            return turned;
        }
        // Windows of one element, n apart: [len…, 1…].
        let slides = strides
            .iter()
            .map(|&stride| Slide {
                kernel: 1,
                stride,
                dilation: 1,
            })
            .collect();
        Tensor::apply(Window::new(slides), &[&turned])
    }

    /// The way back of [`Plan::cut`]: each element where it was taken from, zeros elsewhere.
    fn spread(&self, part: &Tensor) -> Tensor {
        let (ranges, strides, shape) = (self.ranges(), self.strides(), part.shape());
        let mut spread = part.clone();
        if strides.iter().any(|&stride| stride > 1) {
            // [len] → [len, 1] → [len, n] → [len·n] → without the zeros behind the last
            let (mut split, mut widths, mut merged, mut kept) =
                (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for (&len, &stride) in shape.iter().zip(&strides) {
                split.extend([len, 1]);
                widths.extend([(0, 0), (0, stride - 1)]);
                merged.push(len * stride);
                kept.push((0, (len * stride + 1).saturating_sub(stride)));
            }
            let padded = Tensor::apply(Pad::new(widths), &[&spread.reshape(split)]);
            spread = Tensor::apply(Shrink::new(kept), &[&padded.reshape(merged)]);
        }
        let turned = self.turn(spread);
        let margins = ranges
            .iter()
            .zip(&self.from)
            .map(|(&(low, high), &size)| (low, size - high))
            .collect();
        Tensor::apply(Pad::new(margins), &[&turned])
    }
}

impl Lookup {
    /// `tensors`: int64 indices with the axes of `shape` that they are for.
    #[track_caller]
    fn new(op: &str, shape: &[usize], tensors: &[(usize, Tensor)]) -> Lookup {
        let mut common = Vec::new();
        for (axis, tensor) in tensors {
            let other = tensor.shape();
            match broadcast(&common, &other) {
                Some(both) => common = both,
                None => fail!(
                    op,
                    "the index of axis {axis} has shape {other:?}, which does not broadcast with {common:?}, that of those before it"
                ),
            }
        }
        let axes: Vec<usize> = tensors.iter().map(|(axis, _)| *axis).collect();
        let neighbours = axes.windows(2).all(|pair| pair[1] == pair[0] + 1);
        let order: Vec<usize> = if neighbours {
            (0..shape.len()).collect()
        } else {
            axes.iter()
                .copied()
                .chain((0..shape.len()).filter(|axis| !axes.contains(axis)))
                .collect()
        };
        // places = (i·B + j)·C + k; what is out of range in one axis must not become a place of the next row, hence −1.
        let (mut places, mut valid) = (None::<Tensor>, None::<Tensor>);
        for (axis, tensor) in tensors {
            let size = shape[*axis];
            let index = tensor.broadcast_to(&common);
            let index = index.lt(0).where_(index.add(size), &index);
            let within = index.ge(0).mul(index.lt(size));
            places = Some(places.map_or(index.clone(), |places| places.mul(size).add(&index)));
            valid = Some(valid.map_or(within.clone(), |valid| valid.mul(&within)));
        }
        let (places, valid) = places.zip(valid).expect("there is an index tensor");
        Lookup {
            ordered: order.iter().map(|&axis| shape[axis]).collect(),
            axis: if neighbours { axes[0] } else { 0 },
            merged: axes.len(),
            size: axes.iter().map(|&axis| shape[axis]).product(),
            places: valid.where_(&places, -1).reshape(numel(&common)),
            order,
            common,
        }
    }

    /// The shape in order, with the indexed axes replaced by others.
    fn with(&self, middle: &[usize]) -> Vec<usize> {
        [
            &self.ordered[..self.axis],
            middle,
            &self.ordered[self.axis + self.merged..],
        ]
        .concat()
    }
    /// … by the index tensors' common ones.
    fn result(&self) -> Vec<usize> {
        self.with(&self.common)
    }
    /// … by one, for all places.
    fn gathered(&self) -> Vec<usize> {
        self.with(&[numel(&self.common)])
    }

    /// The indexed axes as one.
    fn merge(&self, named: &Tensor) -> Tensor {
        named.permute(&self.order).reshape(self.with(&[self.size]))
    }

    /// The way back of [`Lookup::merge`].
    fn unmerge(&self, merged: &Tensor) -> Tensor {
        merged
            .reshape(&self.ordered)
            .permute(crate::helpers::argsort(&self.order))
    }

    /// A list along the merged axis, repeated for the others.
    fn along(&self, list: &Tensor) -> Tensor {
        let len = list.numel();
        let mut line = vec![1; self.ordered.len() + 1 - self.merged];
        line[self.axis] = len;
        list.reshape(line).expand(self.with(&[len]))
    }
}

/// For each of `size` places the last position in `places` (int64, one axis) that names it, or −1 for none.
///
/// Scatter only adds, and a sum of positions doesn't tell the largest. But *whether any* position names a place is a sum: so the
/// writers of a place compete bit by bit from the highest on, as numbers are compared. Whoever has a 0 where a rival has a 1 is out.
/// One is left after log₂(positions) rounds, and the sum of one number tells that number.
fn last_writer(places: &LazyBuffer, size: usize) -> LazyBuffer {
    let count = places.numel();
    let position = positions(&[count], 0, places.device());
    let number = |value: i64| position.const_like(value);
    let (zero, one) = (number(0), number(1));
    let mut running = one.clone(); // 1 for those still in, else 0
    for bit in (0..usize::BITS - count.saturating_sub(1).leading_zeros()).rev() {
        let has_one = position
            .e(BinaryOps::Div, &[&number(1 << bit)])
            .e(BinaryOps::Mod, &[&number(2)])
            .e(BinaryOps::Mul, &[&running]);
        let rivals = has_one.scatter(places, 0, size).gather(places, 0);
        // In the next round: with a 1, or without a rival that has one.
        running = zero
            .e(BinaryOps::Cmplt, &[&rivals])
            .e(TernaryOps::Where, &[&has_one, &running]);
    }
    let winner = position
        .e(BinaryOps::Add, &[&one])
        .e(BinaryOps::Mul, &[&running])
        .scatter(places, 0, size);
    winner.e(BinaryOps::Sub, &[&winner.const_like(1)])
}

/// A known index, counted from the end if negative.
#[track_caller]
fn inside(op: &str, at: isize, axis: usize, shape: &[usize]) -> usize {
    let size = shape[axis] as isize;
    if at < -size || at >= size {
        match size {
            0 => fail!(
                Index: op,
                "index {at} of axis {axis} of shape {shape:?}, which is empty"
            ),
            _ => {
                fail!(Index: op, "index {at} is out of range for axis {axis} of size {size} (shape {shape:?})"; "indices go from {} to {}", -size, size - 1)
            }
        }
    }
    at.rem_euclid(size) as usize
}

#[track_caller]
fn check_index(op: &str, index: &Tensor, x: &Tensor, axis: usize) {
    let dtype = index.dtype();
    if dtype == DType::Bool {
        fail!(Type: op, "the index of axis {axis} is a mask of bools {:?}, and how many elements it selects is not known before it is computed", index.shape();
            "where_ chooses without changing the shape");
    }
    if !dtype.is_int() {
        fail!(Type: op, "the index of axis {axis} is of {dtype}, which cannot count"; "cast it to an integer type");
    }
    common_device(op, &[x.into(), index.into()]);
}

/// A value under the shape that it is set to. Axes of size 1 in front of it don't count.
#[track_caller]
fn stretch(value: &Tensor, shape: &[usize]) -> Tensor {
    let own = value.shape();
    let surplus = own.len().saturating_sub(shape.len());
    let trimmed = if own[..surplus].iter().all(|&size| size == 1) {
        &own[surplus..]
    } else {
        &own[..]
    };
    if broadcast(trimmed, shape).as_deref() != Some(shape) {
        fail!(
            "set",
            "a value of shape {own:?} does not broadcast to the indexed shape {shape:?}"
        );
    }
    value.reshape(trimmed).broadcast_to(shape)
}

#[cfg(test)]
mod tests;
