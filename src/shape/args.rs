//! # shape/args: the one argument type for shapes, and the one for axes
//!
//! **In:** whatever a user writes: `3`, `[2, -1]`, `&vec`, `()`. **Out:** checked sizes and axes, or a panic that says what was wrong.
//!
//! ```
//! use teenygrad::Tensor;
//! let x = Tensor::arange(12).reshape([3, -1]);    // −1: whatever is left
//! assert_eq!(x.shape(), [3, 4]);
//! assert!(x.sum(()).shape().is_empty());           // () is all axes
//! assert_eq!(x.sum(-1).shape(), [3]);             // negative axes count from the end
//! assert!(x.sum([0, 1]).shape().is_empty());
//! ```

use crate::error::fail;

/// A shape as a user writes it: `()`, a number, an array, a slice or a vector of any integers. Some ops give −1 a meaning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape(pub Vec<isize>);

/// Axes as a user writes them: `()` for all of them, else one number or several; negative ones count from the end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Axes(pub Option<Vec<isize>>);

/// Integers that may stand in a shape or for an axis.
pub trait Int: Copy {
    /// The value, signed.
    fn signed(self) -> isize;
}
macro_rules! int {
    ($($t:ty),*) => {$(
        impl Int for $t {
            fn signed(self) -> isize { self as isize }
        }
        impl From<$t> for Shape {
            fn from(size: $t) -> Shape { Shape(vec![size as isize]) }
        }
        impl From<$t> for Axes {
            fn from(axis: $t) -> Axes { Axes(Some(vec![axis as isize])) }
        }
    )*};
}
int!(i32, i64, isize, usize, u32);

macro_rules! lists {
    ($target:ident, $wrap:expr; $($(const $n:ident)? [$list:ty]),*) => {$(
        impl<T: Int $(, const $n: usize)?> From<$list> for $target {
            fn from(list: $list) -> $target {
                let wrap: fn(Vec<isize>) -> $target = $wrap;
                wrap(list.iter().map(|&x| x.signed()).collect())
            }
        }
    )*};
}
lists!(Shape, Shape; const N [[T; N]], const N [&[T; N]], [&[T]], [Vec<T>], [&Vec<T>]);
lists!(Axes, |v| Axes(Some(v)); const N [[T; N]], const N [&[T; N]], [&[T]], [Vec<T>], [&Vec<T>]);

impl From<()> for Shape {
    fn from(_: ()) -> Shape {
        Shape(Vec::new())
    }
}
impl From<()> for Axes {
    fn from(_: ()) -> Axes {
        Axes(None)
    }
}

impl Shape {
    /// The sizes, none of which may be negative.
    #[track_caller]
    pub fn sizes(&self, op: &str) -> Vec<usize> {
        for (axis, &size) in self.0.iter().enumerate() {
            if size < 0 {
                fail!(
                    op,
                    "shape {:?} has a negative size {size} at axis {axis}",
                    self.0
                );
            }
        }
        let sizes: Vec<usize> = self.0.iter().map(|&size| size as usize).collect();
        let elements = sizes
            .iter()
            .try_fold(1usize, |n, &size| n.checked_mul(size));
        // Eight bytes an element must still be addressable.
        if elements.is_none_or(|n| n > isize::MAX as usize / 8) && !sizes.contains(&0) {
            fail!(
                op,
                "shape {:?} has more elements than can be counted",
                self.0
            );
        }
        sizes
    }
}

impl Axes {
    /// The axes of a tensor of `shape`, each from 0 up, sorted and without repetition.
    #[track_caller]
    pub fn resolve(&self, op: &str, shape: &[usize]) -> Vec<usize> {
        let Some(axes) = &self.0 else {
            return (0..shape.len()).collect();
        };
        let mut resolved: Vec<usize> = Vec::with_capacity(axes.len());
        for &axis in axes {
            let axis = resolve_axis(op, axis, shape);
            if resolved.contains(&axis) {
                fail!(
                    op,
                    "axis {axis} of shape {shape:?} is named twice in {axes:?}"
                );
            }
            resolved.push(axis);
        }
        resolved.sort_unstable();
        resolved
    }
}

/// One axis, negative ones counted from the end.
#[track_caller]
pub fn resolve_axis(op: &str, axis: isize, shape: &[usize]) -> usize {
    let rank = shape.len() as isize;
    if axis < -rank || axis >= rank {
        match rank {
            0 => {
                fail!(Axis: op, "axis {axis} of a tensor without axes (shape [])"; "a single number has no axes; unsqueeze gives it one")
            }
            _ => {
                fail!(Axis: op, "axis {axis} is out of range for shape {shape:?}"; "axes go from {} to {}", -rank, rank - 1)
            }
        }
    }
    axis.rem_euclid(rank) as usize
}

/// The common shape of two that broadcast: aligned at the end, sizes equal or 1.
pub fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], axis: usize| {
        (axis + shape.len())
            .checked_sub(rank)
            .map_or(1, |i| shape[i])
    };
    (0..rank)
        .map(|axis| match (at(a, axis), at(b, axis)) {
            (x, y) if x == y => Some(x),
            (1, y) => Some(y),
            (x, 1) => Some(x),
            _ => None,
        })
        .collect()
}
