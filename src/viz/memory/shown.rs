//! # viz/memory/shown: which part of a view is drawn, and where
//!
//! **In:** a view. **Out:** how many elements of each axis have a cell, where these are, in which words an axis is described, and its
//! arrow in memory. **Above:** [`memory`](super), which draws the cells.

use super::{CELL, LIGHT_AXES};
use crate::shape::view::{View, indices, numel};
use std::fmt::Write;

/// Room between blocks of cells.
const GAP: f64 = 12.0;
/// How many cells of the view are drawn at most, and how many of an axis: of the last two, and of those before.
const CELLS: usize = 1000;
const LAST: usize = 16;
const FORMER: usize = 4;

/// The part of a view that is drawn, and where.
pub struct Shown {
    /// elements along each axis, at most as many as fit
    pub shape: Vec<usize>,
    /// how far apart the cells are along each axis
    pitch: Vec<f64>,
}

impl Shown {
    /// As many elements of each axis as are instructive, and in all as many as fit.
    pub fn of(view: &View) -> Shown {
        let axes = view.shape.len();
        let most = |axis: usize| if axis + 2 >= axes { LAST } else { FORMER };
        let mut shape: Vec<usize> = (0..axes)
            .map(|axis| view.shape[axis].min(most(axis)))
            .collect();
        // From the front: those are the least instructive ones.
        for axis in 0..axes {
            while numel(&shape) > CELLS && shape[axis] > 2 {
                shape[axis] -= 1;
            }
        }
        let mut pitch = vec![0.0; axes];
        // Axes in turn to the right and down, from the last one on; each block of four or more axes is set apart further.
        for axis in (0..axes).rev() {
            let from_last = axes - 1 - axis;
            pitch[axis] = match from_last {
                0 => CELL.0,
                1 => CELL.1,
                _ => pitch[axis + 2] * shape[axis + 2] as f64 + GAP * (from_last / 2) as f64,
            };
        }
        Shown { shape, pitch }
    }

    /// Axes that have a neighbour to step to.
    pub fn axes(&self) -> impl Iterator<Item = usize> {
        (0..self.shape.len()).filter(|&axis| self.shape[axis] > 1)
    }

    /// Whether its elements lie side by side, or one below the other.
    fn is_across(&self, axis: usize) -> bool {
        (self.shape.len() - 1 - axis).is_multiple_of(2)
    }

    /// Which of the colours for axes it has.
    pub fn colour(&self, axis: usize) -> usize {
        (self.shape.len() - 1 - axis) % LIGHT_AXES.len()
    }

    /// Where an element's cell is, from the first one's.
    pub fn place(&self, index: &[usize]) -> (f64, f64) {
        let (mut x, mut y) = (0.0, 0.0);
        for (axis, &i) in index.iter().enumerate() {
            *(if self.is_across(axis) { &mut x } else { &mut y }) += self.pitch[axis] * i as f64;
        }
        (x, y)
    }

    /// How wide and how high all cells are together.
    pub fn extent(&self) -> (f64, f64) {
        let last: Vec<usize> = self
            .shape
            .iter()
            .map(|size| size.saturating_sub(1))
            .collect();
        let (x, y) = self.place(&last);
        (x + CELL.0, y + CELL.1)
    }

    /// `axis 1: 3 long, stride −1 (backwards), to the right`.
    pub fn key(&self, view: &View, axis: usize) -> String {
        let stride = match view.strides[axis] {
            0 => "stride 0: stays where it is".to_string(),
            back if back < 0 => format!("stride −{}: backwards", -back),
            ahead => format!("stride {ahead}"),
        };
        let by = match self.shape.len() - 1 - axis {
            0 => "drawn to the right",
            1 => "drawn downwards",
            from_last if from_last.is_multiple_of(2) => "block by block to the right",
            _ => "block by block downwards",
        };
        format!("axis {axis}: {} long, {stride}; {by}", view.shape[axis])
    }

    /// `; drawn: 16 of 100 along axis 0`, or nothing.
    pub fn elided(&self, view: &View) -> String {
        let axes = (0..self.shape.len()).filter(|&axis| self.shape[axis] < view.shape[axis]);
        let texts: Vec<String> = axes
            .map(|axis| {
                format!(
                    "{} of {} along axis {axis}",
                    self.shape[axis], view.shape[axis]
                )
            })
            .collect();
        if texts.is_empty() {
            String::new()
        } else {
            format!("; drawn: {}", texts.join(", "))
        }
    }

    /// For each axis an arrow in memory, from the first element that has a neighbour to that neighbour.
    pub fn arrows(
        &self,
        svg: &mut String,
        view: &View,
        one_row: bool,
        cells: usize,
        place: impl Fn(usize) -> (f64, f64),
    ) {
        for (order, axis) in self.axes().enumerate() {
            let step = |index: Vec<usize>| {
                let mut next = index.clone();
                next[axis] += 1;
                let (from, to) = (view.address(&index)?, view.address(&next)?);
                (next[axis] < self.shape[axis] && from < cells && to < cells).then_some((from, to))
            };
            let Some((from, to)) = indices(&self.shape).find_map(step) else {
                continue;
            };
            let colour = self.colour(axis);
            let ((x0, y0), (x1, y1)) = (place(from), place(to));
            // Arrows that begin at the same cell begin at different points of it.
            let aside = (order as f64 - (self.axes().count() - 1) as f64 / 2.0) * 6.0;
            let half = (CELL.0 - 3.0) / 2.0;
            let path = if one_row {
                let up = y0 - 12.0 - 13.0 * (self.axes().count() - order) as f64;
                let (a, b) = match to == from {
                    true => (x0 + half - 9.0, x0 + half + 9.0),
                    false => (x0 + half + aside, x1 + half + aside),
                };
                format!(
                    "M{a:.1} {:.1}C{a:.1} {up:.1} {b:.1} {up:.1} {b:.1} {:.1}",
                    y0 - 2.0,
                    y1 - 2.0
                )
            } else if to == from {
                let (x, y) = (x0 + half + aside, y0 + 5.0);
                format!("M{:.1} {y:.1}c-14 -26 28 -26 14 0", x - 7.0)
            } else {
                // From the edge of a cell that faces the other one. To the next cell straight on, further away bent, around the numbers between.
                let right = (x1 - x0).signum() * (CELL.0 / 2.0 - 9.0);
                let (a, b) = match y0 == y1 {
                    true => (
                        (x0 + half + right, y0 + 6.0 - aside / 2.0),
                        (x1 + half - right, y1 + 6.0 - aside / 2.0),
                    ),
                    false if y1 > y0 => (
                        (x0 + half + aside, y0 + CELL.1 - 12.0),
                        (x1 + half + aside, y1 + 3.0),
                    ),
                    false => (
                        (x0 + half + aside, y0 + 6.0),
                        (x1 + half + aside, y1 + CELL.1 - 10.0),
                    ),
                };
                let (dx, dy) = (b.0 - a.0, b.1 - a.1);
                let bend = match dx.hypot(dy) > 1.2 * CELL.0 {
                    true if y0 == y1 => 0.25,
                    true => 0.45,
                    false => 0.0,
                };
                // Downwards on the side of the cell on which it is.
                let side = dy.abs() * bend * aside.signum();
                let middle = (
                    (a.0 + b.0) / 2.0 + side,
                    (a.1 + b.1) / 2.0 - dx.abs() * bend,
                );
                format!(
                    "M{:.1} {:.1}Q{:.1} {:.1} {:.1} {:.1}",
                    a.0, a.1, middle.0, middle.1, b.0, b.1
                )
            };
            let _ = writeln!(
                svg,
                r#"<path class="arrow a{colour}" marker-end="url(#t{colour})" d="{path}"/>"#
            );
        }
    }
}
