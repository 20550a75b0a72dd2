//! # device/cpu/contraction/winograd/sliding: a window of 3 × 3 over an image, found in the strides
//!
//! **In:** a loop nest's views. **Out:** where each image, channel, filter, row and place of a window is, or that the views have another form.
//! **Above:** [`winograd`](super) and its [`gradient`](super::gradient), which are one thing here:
//!
//! ```text
//!                       images   rows, columns   channels   filters   window      convolution    its filters' gradient
//!   image                 x          x              x                   x  ◀── adds to rows and columns
//!   the tiled view        x          x                         x                  the output     the gradient
//!   the one of windows                              x          x        x         the weights    the output
//!   summed up                                                                     channels,      images, rows,
//!                                                                                 window         columns
//! ```
//!
//! A window's axis shifts the image by 0, 1 and 2 places of another axis: both have the same stride, and the same coefficient in each bound.
//!
//! **Law:** an index is valid if its row and its column are, each by itself: a range of each ([`Sliding::valid`]).

use super::super::Axes;
use super::transforms::{SIDE, WINDOW};
use crate::device::cpu::packing::Affine;
use crate::shape::view::{View, row_major};
use std::ops::Range;

/// Addresses, each a sum like every address: see the [module](self).
#[derive(Clone, Debug)]
pub(super) struct Sliding {
    /// whether b is the image
    pub swapped: bool,
    /// what each image adds to the image's address and to the tiled view's
    pub images: [Vec<isize>; 2],
    /// what each channel adds to the image's address and to the windows'
    pub channels: [Vec<isize>; 2],
    /// what each filter adds to the tiled view's address and to the windows'
    pub filters: [Vec<isize>; 2],
    /// what each place of a window adds to the windows' address
    pub window: [isize; WINDOW * WINDOW],
    /// rows and columns that a window looks at from, …
    pub size: [usize; 2],
    /// … what a row adds to the image's address and to the tiled view's, …
    pub row_steps: [isize; 2],
    /// … and which of the image's rows and columns are there, of `size + 2`
    pub valid: [Range<usize>; 2],
}

impl Sliding {
    /// Asks for each of two operands whether it is the image: (image, the other one, whether the image is b).
    pub fn of_either(
        [a, b]: [&View; 2],
        find: impl Fn(&View, &View, bool) -> Option<Sliding>,
    ) -> Option<Sliding> {
        find(a, b, false).or_else(|| find(b, a, true))
    }

    /// Finds the window, if there is one: in axes of the image and the tiled view, of the tiled view and the windows, and of the image and the
    /// windows. Columns have to be neighbours in the image and in the tiled view.
    pub fn find(
        [places, filters, steps]: [&[usize]; 3],
        column: usize,
        image: &View,
        tiled: View,
        mut windows: View,
        swapped: bool,
    ) -> Option<Sliding> {
        let neighbours = [image, &tiled].map(|view| view.strides[column] == 1);
        if neighbours != [true; 2] || !tiled.bounds.is_empty() || !windows.bounds.is_empty() {
            return None;
        }
        let mut image = image.clone();
        let others = |axes: &[usize], but: usize| -> Vec<usize> {
            axes.iter().copied().filter(|&axis| axis != but).collect()
        };
        let window_column = window_of(&mut image, &mut windows, steps, column)?;
        let (steps, places) = (others(steps, window_column), others(places, column));
        let mut window_row = |&row: &usize| {
            let window = window_of(&mut image, &mut windows, &steps, row)?;
            Some((row, window))
        };
        let (row, window_row) = places.iter().rev().find_map(&mut window_row)?;
        let (channels, images) = (others(&steps, window_row), others(&places, row));
        let ruled = |axis: usize| image.bounds.iter().any(|bound| bound.coefs[axis] != 0);
        if channels.iter().chain(&images).any(|&axis| ruled(axis)) {
            return None;
        }
        let (sizes, row_stride) = (&image.shape, windows.strides[window_row]);
        let list = |axes: &[usize], view: &View, base| list(axes, sizes, &view.strides, base);
        Some(Sliding {
            swapped,
            images: [
                list(&images, &image, image.offset),
                list(&images, &tiled, tiled.offset),
            ],
            channels: [
                list(&channels, &image, 0),
                list(&channels, &windows, windows.offset),
            ],
            filters: [list(filters, &tiled, 0), list(filters, &windows, 0)],
            window: std::array::from_fn(|i| {
                let [row, column] = [i / WINDOW, i % WINDOW].map(|place| place as isize);
                row * row_stride + column * windows.strides[window_column]
            }),
            size: [sizes[row], sizes[column]],
            row_steps: [image.strides[row], tiled.strides[row]],
            valid: [
                valid(&image, row, window_row)?,
                valid(&image, column, window_column)?,
            ],
        })
    }

    /// Tiles of a column, and of a row.
    pub fn grid(&self) -> [usize; 2] {
        self.size.map(|size| size.div_ceil(SIDE))
    }

    /// Images, channels and filters.
    pub fn counts(&self) -> [usize; 3] {
        [&self.images, &self.channels, &self.filters].map(|lists| lists[0].len())
    }

    /// Bytes of its tables.
    pub fn bytes(&self) -> usize {
        let lists = self.images.iter().chain(&self.channels);
        let lists = lists.chain(&self.filters);
        lists.map(|list| size_of_val(&list[..])).sum()
    }
}

/// The output as a view of the loop nest: a window that goes backwards is turned around in it like in any other.
pub(super) fn output(outer: &[usize], reduced: &[usize]) -> View {
    View {
        shape: [outer, reduced].concat(),
        strides: [row_major(outer), vec![0; reduced.len()]].concat(),
        offset: 0,
        bounds: Vec::new(),
    }
}

/// base plus all sums of the axes' coefficients times their indices.
fn list(axes: &[usize], sizes: &[usize], coefs: &[isize], base: isize) -> Vec<isize> {
    let count = Axes::count(axes, sizes);
    let mut values = Vec::with_capacity(count);
    let sums = Affine::tabulate(axes, sizes, &[coefs]).remove(0);
    sums.append(0..count, base, &mut values);
    values
}

/// The axis that shifts a view's other axis by 0, 1 and 2 places. If it is by 2, 1 and 0 at first, it is turned around in both views.
fn window_of(image: &mut View, windows: &mut View, steps: &[usize], axis: usize) -> Option<usize> {
    let found = |sign: isize| {
        let shifts = |coefs: &[isize], window: usize| coefs[window] == sign * coefs[axis];
        steps.iter().copied().find(|&window| {
            image.shape[window] == WINDOW
                && shifts(&image.strides, window)
                && image
                    .bounds
                    .iter()
                    .all(|bound| shifts(&bound.coefs, window))
        })
    };
    if let Some(window) = found(1) {
        return Some(window);
    }
    let window = found(-1)?;
    let turn = |coefs: &mut [isize], offset: &mut isize| {
        *offset += (WINDOW as isize - 1) * coefs[window];
        coefs[window] = -coefs[window];
    };
    for view in [image, windows] {
        turn(&mut view.strides, &mut view.offset);
        for bound in &mut view.bounds {
            turn(&mut bound.coefs, &mut bound.offset);
        }
    }
    Some(window)
}

/// Which of the places that windows look at along an axis keep all bounds, if each of these is of this axis alone, or not of it. None if
/// there is no such place.
fn valid(image: &View, axis: usize, window: usize) -> Option<Range<usize>> {
    let mut valid = 0..image.shape[axis] + WINDOW - 1;
    for bound in &image.bounds {
        let coef = bound.coefs[axis];
        if coef == 0 {
            continue;
        }
        let alone = |(other, &coef): (usize, &isize)| coef == 0 || [axis, window].contains(&other);
        if !bound.coefs.iter().enumerate().all(alone) {
            return None;
        }
        let keeps = |&at: &usize| {
            let value = bound.offset + coef * at as isize;
            (0..bound.size as isize).contains(&value)
        };
        let first = valid.clone().find(keeps)?;
        let count = (first..valid.end).take_while(keeps).count();
        valid = first..first + count;
    }
    (!valid.is_empty()).then_some(valid)
}
