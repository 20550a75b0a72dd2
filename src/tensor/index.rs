//! # tensor/index: how a user says which elements
//!
//! **In:** what stands between Python's brackets, as Rust can write it. **Out:** a list of [`Index`]es. **Above:** [`super::indexing`], which
//! reads and writes by them.
//!
//! | Python | here | |
//! |---|---|---|
//! | `x[1]`, `x[-1]` | `x.get(1)`, `x.get(-1)` | that one; the axis goes |
//! | `x[1:3]`, `x[:-1]`, `x[:]` | `x.get(1..3)`, `x.get(..-1)`, `x.get(..)` | from start up to (not including) stop |
//! | `x[::2]`, `x[::-1]`, `x[5:1:-2]` | `x.get(step(.., 2))`, `step(.., -1)`, `step(5..1, -2)` | every n-th, backwards for negative n |
//! | `x[..., 0]` | `x.get((Ellipsis, 0))` | as many whole axes as it takes |
//! | `x[:, None]` | `x.get((.., NewAxis))` | a new axis of size 1 |
//! | `x[[0, 2]]`, `x[t]` | `x.get([0, 2])`, `x.get(&t)` | those, in that order |
//! | `x[1, :, t]` | `x.get((1, .., &t))` | up to six at once; more as a `Vec<Index>` |
//!
//! A tensor of bools is no index here: how many elements it selects is not known before it is computed, and shapes are. `where_` chooses
//! without changing the shape.

use super::Tensor;
use crate::error::fail;
use crate::shape::args::Int;
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// One index: what it takes of an axis.
#[derive(Clone)]
pub enum Index {
    /// one element, and the axis goes; negative ones count from the end
    At(isize),
    /// a range
    Slice(Slice),
    /// an axis of size 1 that wasn't there
    NewAxis,
    /// all axes that the other indices leave
    Ellipsis,
    /// these elements; the numbers are known and checked at once
    List(Vec<isize>),
    /// the elements at these places, in a tensor of integers of any shape
    Tensor(Tensor),
}

/// A new axis of size 1: Python's `None` between brackets.
#[derive(Clone, Copy, Debug)]
pub struct NewAxis;

/// As many whole axes as the other indices leave: Python's `...`.
#[derive(Clone, Copy, Debug)]
pub struct Ellipsis;

/// From start up to (not including) stop by steps, as Python's `start:stop:step`. `None` is the end that the step comes from or goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slice {
    /// the first one
    pub start: Option<isize>,
    /// where to stop
    pub stop: Option<isize>,
    /// how far to the next one
    pub step: isize,
}

/// A range by steps of n, from its end backwards if n is negative.
/// ```
/// use teenygrad::{Tensor, tensor::index::step};
/// let x = Tensor::from([0, 1, 2, 3, 4]);
/// assert_eq!(x.get(step(.., 2)).to_vec::<i32>(), [0, 2, 4]);
/// assert_eq!(x.get(step(.., -1)).to_vec::<i32>(), [4, 3, 2, 1, 0]);
/// assert_eq!(x.get(step(-2.., -2)).to_vec::<i32>(), [3, 1]);
/// ```
/// # Panics
/// If n is 0.
#[track_caller]
pub fn step(range: impl Into<Slice>, n: isize) -> Slice {
    if n == 0 {
        fail!("step", "a step of 0 never arrives");
    }
    Slice {
        step: n,
        ..range.into()
    }
}

impl Slice {
    /// Everything.
    pub(crate) const ALL: Slice = Slice {
        start: None,
        stop: None,
        step: 1,
    };

    /// Where it starts in an axis of `size` elements, and how many it takes: Python's rules, by which whatever is
    /// beyond an end is cut off at that end.
    pub(crate) fn resolve(&self, size: usize) -> (usize, usize) {
        let size = size as isize;
        let backwards = self.step < 0;
        // Backwards, "before the first" is a place to stop at, and "the last" the furthest to start from.
        let (low, high) = if backwards { (-1, size - 1) } else { (0, size) };
        let clamp = |place: isize| {
            if place < 0 {
                (place + size).max(low)
            } else {
                place.min(high)
            }
        };
        let start = self.start.map_or(if backwards { high } else { low }, clamp);
        let stop = self.stop.map_or(if backwards { low } else { high }, clamp);
        let distance = if backwards {
            start - stop
        } else {
            stop - start
        };
        let count = distance
            .max(0)
            .unsigned_abs()
            .div_ceil(self.step.unsigned_abs());
        (start.max(0) as usize, count)
    }
}

// ---- From what a user writes -----------------------------------------

impl<T: Int> From<Range<T>> for Slice {
    fn from(range: Range<T>) -> Slice {
        Slice {
            start: Some(range.start.signed()),
            stop: Some(range.end.signed()),
            step: 1,
        }
    }
}
impl<T: Int> From<RangeFrom<T>> for Slice {
    fn from(range: RangeFrom<T>) -> Slice {
        Slice {
            start: Some(range.start.signed()),
            stop: None,
            step: 1,
        }
    }
}
impl<T: Int> From<RangeTo<T>> for Slice {
    fn from(range: RangeTo<T>) -> Slice {
        Slice {
            start: None,
            stop: Some(range.end.signed()),
            step: 1,
        }
    }
}
impl From<RangeFull> for Slice {
    fn from(_: RangeFull) -> Slice {
        Slice::ALL
    }
}

/// The place behind the last one: none behind −1, which is the end itself.
fn behind(last: isize) -> Option<isize> {
    (last != -1).then_some(last + 1)
}

/// A list of indices, one for each axis from the first on. `get` and `set` take whatever becomes one.
#[derive(Clone)]
pub struct Indices(pub Vec<Index>);

/// Each kind of index, and the same alone as a list of one.
macro_rules! index {
    ($([$($generics:tt)*] $from:ty, $name:ident => $index:expr;)*) => {$(
        impl<$($generics)*> From<$from> for Index {
            fn from($name: $from) -> Index { $index }
        }
        impl<$($generics)*> From<$from> for Indices {
            fn from(index: $from) -> Indices { Indices(vec![index.into()]) }
        }
    )*};
}
index! {
    [] i32, at => Index::At(at as isize);
    [] i64, at => Index::At(at as isize);
    [] isize, at => Index::At(at);
    [] usize, at => Index::At(at as isize);
    [] u32, at => Index::At(at as isize);
    [] Slice, slice => Index::Slice(slice);
    [T: Int] Range<T>, range => Index::Slice(range.into());
    [T: Int] RangeFrom<T>, range => Index::Slice(range.into());
    [T: Int] RangeTo<T>, range => Index::Slice(range.into());
    [] RangeFull, range => Index::Slice(range.into());
    [T: Int] RangeInclusive<T>, range => Index::Slice(Slice { start: Some(range.start().signed()), stop: behind(range.end().signed()), step: 1 });
    [T: Int] RangeToInclusive<T>, range => Index::Slice(Slice { start: None, stop: behind(range.end.signed()), step: 1 });
    [] NewAxis, _axis => Index::NewAxis;
    [] Ellipsis, _dots => Index::Ellipsis;
    [] Tensor, tensor => Index::Tensor(tensor);
    [] &Tensor, tensor => Index::Tensor(tensor.clone());
    [T: Int] Vec<T>, list => Index::List(list.iter().map(|at| at.signed()).collect());
    [T: Int] &Vec<T>, list => Index::List(list.iter().map(|at| at.signed()).collect());
    [T: Int] &[T], list => Index::List(list.iter().map(|at| at.signed()).collect());
    [T: Int, const N: usize] [T; N], list => Index::List(list.iter().map(|at| at.signed()).collect());
}

impl From<Index> for Indices {
    fn from(index: Index) -> Indices {
        Indices(vec![index])
    }
}
impl From<()> for Indices {
    fn from(_: ()) -> Indices {
        Indices(Vec::new())
    }
}
impl From<Vec<Index>> for Indices {
    fn from(list: Vec<Index>) -> Indices {
        Indices(list)
    }
}
impl From<&[Index]> for Indices {
    fn from(list: &[Index]) -> Indices {
        Indices(list.to_vec())
    }
}

macro_rules! tuples {
    ($(($($name:ident),+))*) => {$(
        #[allow(non_snake_case)]
        impl<$($name: Into<Index>),+> From<($($name,)+)> for Indices {
            fn from(($($name,)+): ($($name,)+)) -> Indices { Indices(vec![$($name.into()),+]) }
        }
    )*};
}
tuples! { (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) }

#[cfg(test)]
mod tests {
    use super::*;

    /// Every slice of every short axis against a walk along it.
    #[test]
    fn slices_take_what_a_walk_takes() {
        let ends: Vec<Option<isize>> = std::iter::once(None).chain((-6..=6).map(Some)).collect();
        for (size, &start, &stop, step) in (0..5isize).flat_map(|size| {
            let ends = &ends;
            ends.iter().flat_map(move |a| {
                ends.iter()
                    .flat_map(move |b| [-3, -2, -1, 1, 2, 3].map(|step| (size, a, b, step)))
            })
        }) {
            // Python's definition: count negative ends from the end, then take i = start, start + step, … while before stop.
            let count = |end: isize| if end < 0 { end + size } else { end };
            let mut at = start.map_or(if step < 0 { size - 1 } else { 0 }, count);
            let until = stop.map_or(if step < 0 { -1 } else { size }, count);
            // An end beyond the axis is the end of the axis, not a place from which steps are counted.
            at = if step < 0 {
                at.min(size - 1)
            } else {
                at.max(0)
            };
            let mut expected = Vec::new();
            while if step < 0 {
                at > until.max(-1)
            } else {
                at < until.min(size)
            } {
                expected.push(at as usize);
                at += step;
            }
            let (first, count) = Slice { start, stop, step }.resolve(size as usize);
            let taken: Vec<usize> = (0..count)
                .map(|i| (first as isize + i as isize * step) as usize)
                .collect();
            assert_eq!(taken, expected, "{start:?}:{stop:?}:{step} of {size}");
        }
    }
}
