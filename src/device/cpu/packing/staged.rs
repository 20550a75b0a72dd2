//! # device/cpu/packing/staged: windows, packed once for a line instead of once for each place in it
//!
//! **In:** a view whose rows and steps slide over each other. **Out:** its numbers, laid out so that a kernel finds whole vectors in it.
//! **Above:** [`contraction`](crate::device::cpu::contraction), which decides. **Below:** [`Operand`], which packs, and the kernels, which load in place.
//!
//! Packing a 3 × 3 window stores each number nine times, and loading it where it is ([`in_place`](super::in_place)) takes masks at the image's edge and
//! two loads where a vector ends one line and begins another. Between the two there is a middle way. The window moves along x and along y. Copy the
//! image once for each place *in a line* of the window, with zeros for what lies outside; then moving the window *down* is nothing but an address:
//!
//! ```text
//!  lines of 4 numbers, a window of 3 × 3, padding 1                  the plane for kx = 0     kx = 1         kx = 2
//!                                                                        0  0  0  0        0  0  0  0     0  0  0  0
//!    a0 a1 a2 a3       rows (y, x) and steps (ky, kx) read               0 a0 a1 a2       a0 a1 a2 a3    a1 a2 a3  0
//!    b0 b1 b2 b3       image[y + ky − 1][x + kx − 1]                     0 b0 b1 b2       b0 b1 b2 b3    b1 b2 b3  0
//!                      = plane kx [y + ky][x]                            0  0  0  0        0  0  0  0     0  0  0  0
//! ```
//!
//! All rows of an image are neighbours in a plane, whatever ky is: so there are no masks, no halves of vectors, and three stores a number instead of
//! nine. Planes are as far apart as the cache likes it, which lines of 32 numbers in an image of 32 lines are not: they all fall into the same places.
//!
//! In general a row axis (y) and a step axis (ky) *slide over each other* if the address and all bounds depend on m·y + d·ky alone. With a stride of
//! m = 2, lines are told apart by h = 2u + p: the place p becomes part of the plane, and u is the line in it. Nothing else is said about
//! the other axes: they are packed like those of any operand, a window's stride along x included.
//!
//! **Measured** (one thread, GFLOP/s; before: packed, or loaded in place): 7 × 7 with stride 2, 64 channels: 92 → 98; 3 × 3, 64 channels on 56 × 56: 97 → 101,
//! on 8 × 8: 97 → 103. **Tried and lost:** with 16 columns (82 instead of 85: the copying takes an eighth of the time); fewer steps at a time, so that more
//! rows share what windows reach beyond them (another pass over the output costs more).
//!
//! Laws: 1. Steps keep their order, and what a bound forbids is a 0 that is multiplied: so results are those of any other way. 2. Only valid indices
//! are read: every h is reached by some y and ky, except the last ones where m doesn't divide, for which there is a bound of their own.

use super::{InPlace, MOST_PIECES, MOST_ROWS, Operand, Piece, Roles, Steps, bits};
use crate::device::cpu::microkernel::{InstructionSet, Real};
use crate::shape::view::{Bound, View};
use std::ops::Range;

/// Numbers that a vector may reach beyond the last plane.
const SLACK: usize = MOST_ROWS;

/// What blocking needs to know.
#[derive(Clone, Copy, Debug)]
pub(in crate::device::cpu) struct Reach {
    /// steps of K that share planes, and how many planes these are
    pub unit: usize,
    pub planes: usize,
    /// rows of an image: the axis that slides and all axes behind it
    pub image: usize,
    /// how many numbers a window reaches beyond an image's last row
    pub beyond: usize,
}

/// An operand under a window: see the [module](self).
#[derive(Clone, Debug)]
pub(in crate::device::cpu) struct Staged {
    /// lines × planes
    operand: Operand,
    reach: Reach,
    /// numbers from a plane to the next
    pitch: usize,
    /// for each step its plane and how far its window has slid; then, once the pitch is known, the address of both
    slots: Vec<(usize, usize)>,
    addresses: Vec<isize>,
}

/// A row axis and a step axis that slide over each other: m·row + d·step.
struct Slide {
    row: usize,
    step: usize,
    m: isize,
    d: isize,
}

impl Slide {
    /// If the address and all bounds depend on m·row + d·step, for some m and d, whose every value is reached.
    fn new(view: &View, sizes: &[usize], row: usize, step: usize) -> Option<Slide> {
        let (row_stride, step_stride) = (view.strides[row], view.strides[step]);
        if row_stride == 0 || step_stride == 0 {
            return None;
        }
        let common = gcd(row_stride.unsigned_abs(), step_stride.unsigned_abs()) as isize;
        let m = row_stride.abs() / common;
        let d = step_stride / common * row_stride.signum();
        let (rows, steps) = (sizes[row] as isize, sizes[step] as isize);
        let reached = m == 1 && d.abs() <= rows || d.abs() == 1 && m <= steps;
        let alike = |bound: &Bound| bound.coefs[row] * d == bound.coefs[step] * m;
        (reached && view.bounds.iter().all(alike)).then_some(Slide { row, step, m, d })
    }

    /// How far the window reaches, in values of m·row + d·step, and the smallest of them is so much below 0.
    fn reach(&self, sizes: &[usize]) -> (isize, isize) {
        let reach = self.d.abs() * (sizes[self.step] as isize - 1);
        (reach, if self.d < 0 { reach } else { 0 })
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Staged {
    /// If rows and steps slide over each other, so that staging saves much of the copying. Of several such rows the outermost slides, because
    /// all rows behind it are neighbours then.
    pub fn new(view: &View, roles: &Roles) -> Option<Staged> {
        let pairs = roles
            .rows
            .iter()
            .flat_map(|&row| roles.steps.iter().map(move |&step| (row, step)));
        let mut slides = pairs.filter_map(|(row, step)| Slide::new(view, roles.sizes, row, step));
        slides.find_map(|slide| Staged::along(&slide, view, roles))
    }

    fn along(slide: &Slide, view: &View, roles: &Roles) -> Option<Staged> {
        let &Slide { row, step, m, .. } = slide;
        let count = |axes: &[usize]| {
            axes.iter()
                .map(|&axis| roles.sizes[axis])
                .product::<usize>()
        };
        let row_at = roles.rows.iter().position(|&axis| axis == row)?;
        let step_at = roles.steps.iter().position(|&axis| axis == step)?;
        let (image, line) = (
            count(&roles.rows[row_at..]),
            count(&roles.rows[row_at + 1..]),
        );
        let (unit, k) = (count(&roles.steps[step_at..]), count(roles.steps));
        let (extent, below) = slide.reach(roles.sizes);
        let reach = Reach {
            unit,
            planes: unit / roles.sizes[step] * m as usize,
            image,
            beyond: (extent / m) as usize * line,
        };
        // Copies for each row of a panel, and here.
        let planes = k / unit * reach.planes;
        if 4 * k * image < 5 * planes * (image + reach.beyond) {
            return None;
        }
        // The view over lines u and places p, m·u + p = m·row + d·step + below.
        let mut sizes = roles.sizes.to_vec();
        let mut staged = view.clone();
        (sizes[row], sizes[step]) = (sizes[row] + (extent / m) as usize, m as usize);
        staged.strides[step] = view.strides[row] / m;
        staged.offset -= staged.strides[step] * below;
        for bound in &mut staged.bounds {
            bound.coefs[step] = bound.coefs[row] / m;
            bound.offset -= bound.coefs[step] * below;
        }
        let values = m * (roles.sizes[row] as isize - 1) + extent + 1;
        if values < m * sizes[row] as isize {
            let mut coefs = vec![0; sizes.len()];
            (coefs[row], coefs[step]) = (m, 1);
            staged.bounds.push(Bound {
                coefs,
                offset: 0,
                size: values as usize,
            });
        }
        let inner = count(&roles.steps[step_at + 1..]);
        let slot = |k: usize| {
            let (outer, at, inside) = (k / unit, k % unit / inner, k % inner);
            let value = (slide.d * at as isize + below) as usize;
            let (place, slid) = (value % m as usize, value / m as usize);
            let plane = outer * reach.planes + place * inner + inside;
            (plane, slid * line)
        };
        let operand = Operand::new(
            &staged,
            &Roles {
                sizes: &sizes,
                ..*roles
            },
        );
        Some(Staged {
            operand,
            reach,
            pitch: 0,
            slots: (0..k).map(slot).collect(),
            addresses: Vec::new(),
        })
    }

    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Bytes of its tables.
    pub fn bytes(&self) -> usize {
        self.operand.bytes() + size_of_val(&self.slots[..]) + size_of_val(&self.addresses[..])
    }

    /// Lays the planes out for tasks of so many rows. An odd number of cache lines from one to the next spreads them over the cache.
    pub fn lay_out(&mut self, rows: usize) {
        let Reach { image, beyond, .. } = self.reach;
        let images = rows.div_ceil(image) + 1;
        self.pitch = ((rows + images * beyond).div_ceil(16) | 1) * 16;
        let address = |&(plane, slid): &(usize, usize)| (plane * self.pitch + slid) as isize;
        self.addresses = self.slots.iter().map(address).collect();
    }

    /// How many numbers are staged for so many steps of K.
    pub fn room(&self, depth: usize) -> usize {
        depth.div_ceil(self.reach.unit) * self.reach.planes * self.pitch + SLACK
    }

    /// Where a row is staged, counted from row 0.
    fn place(&self, row: usize) -> usize {
        row + row / self.reach.image * self.reach.beyond
    }

    fn planes(&self, steps: &Range<usize>) -> Range<usize> {
        let Reach { unit, planes, .. } = self.reach;
        steps.start / unit * planes..steps.end.div_ceil(unit) * planes
    }

    /// Packs the lines that some rows need.
    ///
    /// # Safety
    /// As [`Operand::pack`]; the steps begin where a unit does, and `to` has the [room](Staged::room) for them.
    #[allow(clippy::too_many_arguments)]
    pub unsafe fn fill<T: Real>(
        &self,
        set: &InstructionSet<T>,
        source: *const T,
        readable: &Range<isize>,
        batch: usize,
        steps: &Range<usize>,
        rows: &Range<usize>,
        prepared: &mut Steps,
        to: *mut T,
    ) {
        self.operand.prepare(batch, self.planes(steps), prepared);
        let first = self.place(rows.start);
        let end = self.place(rows.end - 1) + self.reach.beyond + 1;
        debug_assert!(end - first <= self.pitch);
        for start in (first..end).step_by(MOST_ROWS) {
            let some = start..(start + MOST_ROWS).min(end);
            let to = to.wrapping_add(start - first);
            // SAFETY: the caller's promise. What a vector writes behind the last of these rows is overwritten by the next of them, or by the
            // next plane's first ones, or it is slack.
            unsafe { (self.operand).pack(set, source, readable, prepared, some, to, self.pitch) };
        }
        prepared.masks.clear();
        prepared.masks.resize(steps.len(), u32::MAX);
    }

    /// Where row 0 would be in plane 0, if that is how the rows and steps of a task have been staged.
    pub fn origin<T>(&self, staged: *const T, steps: &Range<usize>, first: usize) -> *const T {
        staged.wrapping_sub(self.planes(steps).start * self.pitch + self.place(first))
    }

    /// Some rows where they have been staged.
    pub fn locate<'a, T: Real>(
        &'a self,
        set: &InstructionSet<T>,
        origin: *const T,
        steps: &Range<usize>,
        prepared: &'a mut Steps,
        rows: Range<usize>,
    ) -> InPlace<'a, T> {
        let image = self.reach.image;
        let (number, inside) = (rows.start / image, rows.start % image);
        let addresses = &self.addresses[steps.clone()];
        if inside + rows.len() <= image {
            let start = origin.wrapping_add(rows.start + number * self.reach.beyond);
            return InPlace::whole(start, set.lanes, addresses);
        }
        let pieces = &mut prepared.pieces;
        pieces.clear();
        let mut row = rows.start;
        while row < rows.end {
            let lane = (row - rows.start) % set.lanes;
            let until = (row + set.lanes - lane)
                .min((row / image + 1) * image)
                .min(rows.end);
            pieces.push(Piece {
                vector: (row - rows.start) / set.lanes,
                from: self.place(row) as isize - lane as isize,
                mask: bits(lane, lane + until - row),
            });
            row = until;
        }
        InPlace::new(origin, pieces, addresses, &prepared.masks)
    }
}

/// Whether vectors of a staged operand hold no more pieces than kernels can load.
pub(in crate::device::cpu) fn few_pieces(lanes: usize, image: usize) -> bool {
    (lanes - 1).div_ceil(image) < MOST_PIECES
}
