//! # device/cpu/walk: a view as runs of equally spaced addresses
//!
//! **In:** a view, and a range of points of its space in row-major order. **Out:** the same as few *runs*: from here on so many points lie
//! so far apart in memory, or are zeros of the padding. **Above:** `interpreter`, which loads a run at a time.
//!
//! Why runs? Along its last axis a view is an arithmetic progression, and each bound holds on an interval (an affine function of one
//! index is in a range exactly on an interval). So the inner loop has neither an index computation nor a condition in it.
//!
//! A loop nest has two spaces, outer and reduced, and a block varies in one of them while a point of the other is fixed. The fixed point
//! contributes a constant to the address and to each bound: the [`Base`].

use crate::shape::view::View;

/// Spaces of at most so many axes are walked without asking for memory.
const SMALL: usize = 12;

/// How one instruction addresses memory (or positions) over one space, the other being fixed.
#[derive(Clone, Debug)]
pub struct Axes {
    /// points along each axis
    pub sizes: Vec<usize>,
    /// address change for a step of each axis
    pub strides: Vec<isize>,
    /// for each bound: change for a step of each axis
    pub coefs: Vec<Vec<isize>>,
}

/// The constant part of an address, and of each bound's value.
#[derive(Clone, Debug)]
pub struct Base {
    /// address of the space's first point
    pub address: isize,
    /// value of each bound there
    pub bounds: Vec<isize>,
}

/// A view cut into its outer and its reduced part.
#[derive(Clone, Debug)]
pub struct Walk {
    /// over the outer space
    pub outer: Axes,
    /// over the reduced space; no axes for instructions of the outer loop
    pub reduced: Axes,
    /// at the first point of both
    pub start: Base,
    /// how large each bound's value may be
    pub limits: Vec<isize>,
}

/// Some consecutive points: `len` of them from `at` on, at `address`, `address + stride`, … or nowhere (zeros).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// position in the block
    pub at: usize,
    /// how many points
    pub len: usize,
    /// of the first point; `None` for padding
    pub address: Option<isize>,
    /// between neighbours
    pub stride: isize,
}

impl Axes {
    fn cut(view: &View, from: usize, to: usize) -> Axes {
        Axes {
            sizes: view.shape[from..to].to_vec(),
            strides: view.strides[from..to].to_vec(),
            coefs: view
                .bounds
                .iter()
                .map(|bound| bound.coefs[from..to].to_vec())
                .collect(),
        }
    }

    /// The same points in the same order with as few axes as this one walk needs. (The kernel's own axes are those that *all* its walks
    /// need; but a range of points is a range of points, however they are counted.)
    pub fn merged(&self) -> Axes {
        let mut axes = self.clone();
        for axis in (0..axes.sizes.len()).rev() {
            if axes.sizes[axis] == 1 {
                axes.drop_axis(axis); // whatever its stride, it does not keep its neighbours apart
            }
        }
        for axis in (0..axes.sizes.len().saturating_sub(1)).rev() {
            if axes.continues(axis) {
                axes.merge(axis);
            }
        }
        axes
    }

    /// Whether axis and the next one can be walked as one: a step of the first is as far as all of the second.
    fn continues(&self, axis: usize) -> bool {
        let size = self.sizes[axis + 1] as isize;
        std::iter::once(&self.strides)
            .chain(&self.coefs)
            .all(|steps| steps[axis] == steps[axis + 1] * size)
    }

    fn merge(&mut self, axis: usize) {
        self.sizes[axis + 1] *= self.sizes[axis];
        self.drop_axis(axis);
    }

    /// Cuts an axis into parts of so many steps, which divides its size: two axes instead of one.
    pub fn split(&mut self, axis: usize, part: usize) {
        self.sizes[axis] /= part;
        self.sizes.insert(axis + 1, part);
        for steps in std::iter::once(&mut self.strides).chain(&mut self.coefs) {
            let step = steps[axis];
            steps[axis] = step * part as isize;
            steps.insert(axis + 1, step);
        }
    }

    /// The first axes alone.
    pub fn first(&self, count: usize) -> Axes {
        Axes {
            sizes: self.sizes[..count].to_vec(),
            strides: self.strides[..count].to_vec(),
            coefs: self
                .coefs
                .iter()
                .map(|coefs| coefs[..count].to_vec())
                .collect(),
        }
    }

    fn drop_axis(&mut self, axis: usize) {
        self.sizes.remove(axis);
        self.strides.remove(axis);
        for coefs in &mut self.coefs {
            coefs.remove(axis);
        }
    }

    /// The base at a point of this space, given the base at its first point.
    pub fn shifted(&self, base: &Base, point: &[usize]) -> Base {
        let along = |steps: &[isize]| -> isize {
            steps
                .iter()
                .zip(point)
                .map(|(&step, &i)| step * i as isize)
                .sum()
        };
        Base {
            address: base.address + along(&self.strides),
            bounds: base
                .bounds
                .iter()
                .zip(&self.coefs)
                .map(|(&value, coefs)| value + along(coefs))
                .collect(),
        }
    }

    /// Visits the points `start..start + len` in row-major order, a run at a time.
    pub fn runs(
        &self,
        base: &Base,
        limits: &[isize],
        start: usize,
        len: usize,
        mut visit: impl FnMut(Run),
    ) {
        let Some(last) = self.sizes.len().checked_sub(1) else {
            let valid = base
                .bounds
                .iter()
                .zip(limits)
                .all(|(&value, &limit)| 0 <= value && value < limit);
            return visit(Run {
                at: 0,
                len,
                address: valid.then_some(base.address),
                stride: 0,
            });
        };
        let (row, stride) = (self.sizes[last], self.strides[last]);
        let mut small = [0; SMALL];
        let mut large = Vec::new();
        let point: &mut [usize] = match self.sizes.len() {
            rank if rank <= SMALL => &mut small[..rank],
            rank => {
                large.resize(rank, 0);
                &mut large
            }
        };
        unravel_into(start, &self.sizes, point);
        let mut done = 0;
        while done < len {
            let column = point[last];
            let take = (row - column).min(len - done);
            let along = |steps: &[isize]| -> isize {
                let moved = steps.iter().zip(&*point);
                moved.map(|(&step, &i)| step * i as isize).sum()
            };
            let address = base.address + along(&self.strides);
            if self.coefs.is_empty() {
                visit(Run {
                    at: done,
                    len: take,
                    address: Some(address),
                    stride,
                });
            } else {
                let (mut from, mut to) = (0, take as isize);
                for ((&value, coefs), &limit) in base.bounds.iter().zip(&self.coefs).zip(limits) {
                    let (low, high) = interval(value + along(coefs), coefs[last], limit);
                    (from, to) = (from.max(low), to.min(high));
                }
                let (from, to) = (
                    from.min(take as isize) as usize,
                    to.max(from).min(take as isize) as usize,
                );
                let mut part = |from: usize, to: usize, valid: bool| {
                    if from < to {
                        let address = valid.then(|| address + stride * from as isize);
                        visit(Run {
                            at: done + from,
                            len: to - from,
                            address,
                            stride,
                        });
                    }
                };
                part(0, from, false);
                part(from, to.max(from), true);
                part(to.max(from), take, false);
            }
            done += take;
            // The next row: a counter with a carry.
            point[last] = 0;
            for axis in (0..last).rev() {
                point[axis] += 1;
                if point[axis] < self.sizes[axis] {
                    break;
                }
                point[axis] = 0;
            }
            if take < row - column {
                break;
            }
        }
    }
}

/// The index of the `linear`-th point, into a place that is there already.
pub fn unravel_into(mut linear: usize, sizes: &[usize], point: &mut [usize]) {
    for axis in (0..sizes.len()).rev() {
        point[axis] = linear % sizes[axis];
        linear /= sizes[axis];
    }
}

/// For which steps j ≥ 0 is 0 ≤ value + coef·j < limit? An interval [low, high), perhaps empty.
fn interval(value: isize, coef: isize, limit: isize) -> (isize, isize) {
    // smallest j with coef·j ≥ x, for coef > 0
    let first = |x: isize, coef: isize| -(-x).div_euclid(coef);
    match coef {
        0 if 0 <= value && value < limit => (0, isize::MAX),
        0 => (0, 0),
        c if c > 0 => (first(-value, c).max(0), first(limit - value, c).max(0)),
        // value − |c|·j ≥ 0 for j ≤ value/|c|, and < limit for |c|·j > value − limit
        c => (
            first(value - limit + 1, -c).max(0),
            (value.div_euclid(-c) + 1).max(0),
        ),
    }
}

impl Walk {
    /// A view whose first `outer` axes are the outer space.
    pub fn new(view: &View, outer: usize) -> Walk {
        Walk {
            outer: Axes::cut(view, 0, outer),
            reduced: Axes::cut(view, outer, view.shape.len()),
            start: Base {
                address: view.offset,
                bounds: view.bounds.iter().map(|bound| bound.offset).collect(),
            },
            limits: view
                .bounds
                .iter()
                .map(|bound| bound.size as isize)
                .collect(),
        }
    }
}

/// Simplifies the spaces that all walks share: axes of size 1 go, and neighbours that every walk continues across become one. A
/// contiguous kernel over [8, 64, 56, 56] thus becomes one over 1,605,632 points.
pub fn simplify(walks: &mut [&mut Walk], outer: &mut Vec<usize>, reduced: &mut Vec<usize>) {
    fn space(sizes: &mut Vec<usize>, parts: &mut [&mut Axes]) {
        for axis in (0..sizes.len())
            .rev()
            .filter(|&axis| sizes[axis] == 1)
            .collect::<Vec<_>>()
        {
            sizes.remove(axis);
            parts.iter_mut().for_each(|part| part.drop_axis(axis));
        }
        for axis in (0..sizes.len().saturating_sub(1)).rev() {
            if parts.iter().all(|part| part.continues(axis)) {
                sizes[axis + 1] *= sizes[axis];
                sizes.remove(axis);
                parts.iter_mut().for_each(|part| part.merge(axis));
            }
        }
    }
    space(
        outer,
        &mut walks
            .iter_mut()
            .map(|walk| &mut walk.outer)
            .collect::<Vec<_>>(),
    );
    let mut inner: Vec<&mut Axes> = walks
        .iter_mut()
        .map(|walk| &mut walk.reduced)
        .filter(|axes| !axes.sizes.is_empty())
        .collect();
    space(reduced, &mut inner);
}

#[cfg(test)]
mod tests;
