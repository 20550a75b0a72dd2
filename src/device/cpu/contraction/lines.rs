//! # device/cpu/contraction/lines: sums of products, straight from memory
//!
//! **In:** the two views of a contraction whose numbers lie in lines. **Out:** its output.
//! **Above:** [`Contraction`](super::Contraction), which tries this where packing for tiles does not pay. **Below:** [`vectors`].
//!
//! A convolution with one filter for each channel multiplies a plane by nine numbers and is done. Packing it would cost more than the
//! arithmetic, and there is no second operand that would use what is packed again. But its loads have neighbours, and one of its
//! operands slides over the other. Let the *line* be the innermost axes along which the sliding operand x runs with stride 1,
//! the *taps* the axes that shift it, and the *peers* the axes of the other operand w alone:
//!
//! ```text
//! scaled lines   out[row, i]     = Σ_tap  w[row, tap] · x[row + tap + i]            the lines are the output's (the convolution, its input's gradient)
//! dots of lines  out[peer, tap]  = Σ_row Σ_i  w[row + peer + i] · x[row + tap + i]  the lines are summed up (its weights' gradient)
//! ```
//!
//! In both, each vector of the line is multiplied for all taps while it, or the sum, is in a register, and x comes from the L1
//! cache once for each tap, unaligned. So a number of x costs one load a tap, as the arithmetic does; nothing is packed, nothing copied.
//!
//! With several peers, dots are products of matrices, and tiles could do them: the gradient of the weights of any convolution, where a tap is a
//! channel and a place of the window, and a peer is an output channel. But tiles want both operands turned, and the image nine times. Dots
//! of 4 peers × 6 taps at a time keep the units as busy as a tile does (see [`vectors::dot`]), so they win until there are so many
//! channels that turning doesn't matter any more, or where lines are so short that much of the vectors is empty.
//!
//! **Bounds** become masks: bit i of `masks[row, vector, tap]` tells whether lane i is inside. Which rows differ in their masks is told
//! by the bounds (y, not the channel), so the table is as large as a plane, not as the image. Likewise taps repeat their masks with some
//! period (the window's places, for each channel). An image that is as wide as the
//! output (the padding that keeps sizes) is one line with all its rows in it: a mask may have a gap in the middle.
//!
//! **What to expect.** One masked load and one multiply-add a tap and vector: 8×128×28×28 with 3×3 taps are 450,000 of them, 0.14 ms
//! with 3.3 GHz. Dots of 16 peers or more: 90 % of what the multiply-adds allow, times the share of the vectors that is filled.
//!
//! Laws: those of [`contraction`](super). What a row or a tap is added up from, and in which order, depends on the sizes alone.

mod run;
pub(in crate::device::cpu) mod vectors;

use super::{InstructionSet, Real};
use crate::device::cpu::packing::Affine;
use crate::shape::view::{Bound, View, row_major};
use std::ops::Range;
use vectors::{ABREAST, MOST_DOTS, MOST_SHARED_DOTS, Tap};

/// A line shorter than this is better done otherwise: starting on one costs some ten cycles.
const LEAST_LINE: usize = 8;
/// A line is not made longer than this (so that rows can be shared out, see [`run`]), nor the table of masks larger: it should stay in
/// the cache.
const MOST_LINE: usize = 1 << 12;
const MOST_MASKS: usize = 1 << 15;
/// Cycles to add up the lanes of a finished dot. With few vectors to a dot, as in the products of attention, this is what takes the time.
const ADD_LANES: usize = 8;
/// More taps than this are no window.
const MOST_TAPS: usize = 1 << 10;

/// What the lines are to the output.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Scaled,
    Dots,
}

/// A plan for lines: see the [module](self).
#[derive(Clone, Debug)]
pub(super) struct Lines {
    kind: Kind,
    /// whether b is the operand that slides
    swapped: bool,
    /// numbers in a line
    length: usize,
    rows: Rows,
    row_count: usize,
    taps: Vec<Tap>,
    /// for dots, the outputs' axes that both operands have: what each adds to x's and to w's address and to the output's
    groups: [Vec<isize>; 3],
    /// for dots, those that only w has: what each adds to w's address and to the output's
    peers: [Vec<isize>; 2],
    /// for dots, what each tap adds to the output's address
    tap_outs: Vec<isize>,
    /// [row.mask, vector, tap], see the header; how many belong to a row, and to a vector. Of scaled lines [row.mask, vector / 4, tap, vector % 4].
    masks: Vec<u16>,
    row_masks: usize,
    mask_step: usize,
    /// after how many taps the masks repeat; there are a few more of them, so that those of one call are neighbours
    period: usize,
    outputs: usize,
    work: usize,
}

/// What each row adds to the addresses of x and w, and which of the masks are its own.
#[derive(Clone, Debug)]
struct Rows {
    x: Affine,
    w: Affine,
    mask: Affine,
}

impl Lines {
    /// A plan, if the views have this form.
    pub fn new(
        lanes: usize,
        outer: &[usize],
        reduced: &[usize],
        a: &View,
        b: &View,
    ) -> Option<Lines> {
        let scaled = Lines::of_either(Kind::Scaled, lanes, outer, reduced, a, b);
        scaled.or_else(|| Lines::of_either(Kind::Dots, lanes, outer, reduced, a, b))
    }

    /// A plan, if there are matrices in the views and this is a better way than tiles that take `tile_cycles`.
    pub fn instead_of_tiles<T: Real>(
        set: &InstructionSet<T>,
        tile_cycles: usize,
        [outer, reduced]: [&[usize]; 2],
        a: &View,
        b: &View,
    ) -> Option<Lines> {
        let lines = Lines::of_either(Kind::Dots, set.lanes, outer, reduced, a, b)?;
        (lines.dot_cycles(set) < tile_cycles).then_some(lines)
    }

    /// Cycles that the dots take: one for a multiply-add, or for a load of w, and two for one of x, which mostly crosses the end of a cache
    /// line; one in eight for what else there is, and half a cycle for the end of a line; and in the end the lanes are added up.
    pub fn dot_cycles<T: Real>(&self, set: &InstructionSet<T>) -> usize {
        let [groups, peers] = [&self.groups[0], &self.peers[0]].map(Vec::len);
        let (abreast, _) = set.peers_for(peers);
        let taps = self.taps.len();
        let loads = abreast * taps.div_ceil(MOST_SHARED_DOTS) + 2 * taps;
        let vectors = self.row_count * self.length.div_ceil(set.lanes);
        let cycles = groups * peers.div_ceil(abreast) * vectors * (abreast * taps).max(loads);
        let products = groups * peers * taps;
        cycles + cycles / 8 + products * (self.row_count / 2 + ADD_LANES)
    }

    fn of_either(
        kind: Kind,
        lanes: usize,
        outer: &[usize],
        reduced: &[usize],
        a: &View,
        b: &View,
    ) -> Option<Lines> {
        [false, true].into_iter().find_map(|swapped| {
            let (x, w) = if swapped { (b, a) } else { (a, b) };
            Lines::of_kind(kind, swapped, lanes, (outer, reduced), x, w)
        })
    }

    fn of_kind(
        kind: Kind,
        swapped: bool,
        lanes: usize,
        (outer, reduced): (&[usize], &[usize]),
        x: &View,
        w: &View,
    ) -> Option<Lines> {
        let sizes = [outer, reduced].concat();
        let axes = |range: Range<usize>| range.filter(|&axis| sizes[axis] != 1).collect::<Vec<_>>();
        let (outer_axes, reduced_axes) = (axes(0..outer.len()), axes(outer.len()..sizes.len()));
        let count = |axes: &[usize]| axes.iter().map(|&axis| sizes[axis]).product::<usize>();
        let matters =
            |bound: &Bound, axes: &[usize]| axes.iter().any(|&axis| bound.coefs[axis] != 0);
        let bounded = |axes: &[usize]| -> Vec<usize> {
            let bounds = |axis: &usize| x.bounds.iter().any(|bound| matters(bound, &[*axis]));
            axes.iter().copied().filter(bounds).collect()
        };
        let (taps, groups, peers, mut rows) = match kind {
            Kind::Scaled => (reduced_axes, Vec::new(), Vec::new(), outer_axes),
            Kind::Dots => {
                let (of_w, taps): (Vec<_>, _) =
                    outer_axes.iter().partition(|&&axis| w.strides[axis] != 0);
                let (groups, peers): (Vec<_>, _) =
                    of_w.into_iter().partition(|&axis| x.strides[axis] != 0);
                (taps, groups, peers, reduced_axes)
            }
        };
        // The line: w is one number all along it, or runs beside x.
        let w_step = (kind == Kind::Dots) as isize;
        let mut line = Vec::new();
        let mut length = 1;
        while let Some(&axis) = rows.last()
            && x.strides[axis] == length as isize
            && w.strides[axis] == w_step * length as isize
            && length * sizes[axis] <= MOST_LINE
        {
            line.insert(0, axis);
            length *= sizes[axis];
            rows.pop();
        }
        let bounded_rows = bounded(&rows);
        // Masks repeat with the innermost axes of the taps. (A scaled line wants all of its taps in one call.)
        let bounded_taps = match taps.iter().position(|axis| !bounded(&[*axis]).is_empty()) {
            _ if kind == Kind::Scaled => &taps[..],
            Some(first) => &taps[first..],
            None => &[],
        };
        let period = count(bounded_taps);
        let mask_step = if period < count(&taps) {
            period + MOST_DOTS - 1
        } else {
            period
        };
        let abreast = match kind {
            Kind::Scaled => ABREAST,
            Kind::Dots => 1,
        };
        let row_masks = length.div_ceil(abreast * lanes) * mask_step;
        let (outputs, work) = (
            outer.iter().product::<usize>(),
            count(&axes(0..sizes.len())),
        );
        let (low, high) = x.extent()?;
        let fits = length >= LEAST_LINE
            && (2..=MOST_TAPS).contains(&count(&taps))
            && count(&bounded_rows) * row_masks * abreast <= MOST_MASKS
            && w.bounds.is_empty()
            && bounded(&[&groups[..], &peers].concat()).is_empty()
            // Most numbers of x are met by several taps; otherwise this is a matrix times a vector, which wants another order.
            && 2 * (high - low + 1) as usize <= work;
        if !fits {
            return None;
        }
        let mut row_places = vec![0; sizes.len()];
        let bounded_sizes: Vec<usize> = bounded_rows.iter().map(|&axis| sizes[axis]).collect();
        for (&axis, place) in bounded_rows.iter().zip(row_major(&bounded_sizes)) {
            row_places[axis] = place;
        }
        let out_coefs = [row_major(outer), vec![0; reduced.len()]].concat();
        let tabulate =
            |axes: &[usize], functions: &[&[isize]]| Affine::tabulate(axes, &sizes, functions);
        let list = |axes: &[usize], coefs: &[isize], base: isize| {
            let mut values = Vec::with_capacity(count(axes));
            tabulate(axes, &[coefs])
                .remove(0)
                .append(0..count(axes), base, &mut values);
            values
        };
        let bound_values: Vec<BoundValues> = x
            .bounds
            .iter()
            .map(|bound| BoundValues {
                rows: list(&bounded_rows, &bound.coefs, bound.offset),
                line: list(&line, &bound.coefs, 0),
                taps: list(bounded_taps, &bound.coefs, 0),
                size: bound.size as isize,
            })
            .collect();
        let mut rows_of = tabulate(&rows, &[&x.strides, &w.strides, &row_places]).into_iter();
        let mut next = || rows_of.next().expect("one for each function");
        let tap_ws = match kind {
            Kind::Scaled => list(&taps, &w.strides, 0),
            Kind::Dots => vec![0; count(&taps)],
        };
        let tap_xs = list(&taps, &x.strides, 0).into_iter();
        Some(Lines {
            kind,
            swapped,
            length,
            rows: Rows {
                x: next(),
                w: next(),
                mask: next(),
            },
            row_count: count(&rows),
            taps: tap_xs.zip(tap_ws).map(|(x, w)| Tap { x, w }).collect(),
            groups: [
                list(&groups, &x.strides, x.offset),
                list(&groups, &w.strides, w.offset),
                list(&groups, &out_coefs, 0),
            ],
            peers: [list(&peers, &w.strides, 0), list(&peers, &out_coefs, 0)],
            tap_outs: list(&taps, &out_coefs, 0),
            masks: masks(
                lanes,
                length,
                [count(&bounded_rows), mask_step, abreast],
                &bound_values,
            ),
            row_masks,
            mask_step,
            period,
            outputs,
            work,
        })
    }

    /// Bytes of its tables.
    pub fn bytes(&self) -> usize {
        let Rows { x, w, mask } = &self.rows;
        let lists = self.groups.iter().chain(&self.peers);
        let groups: usize = lists.map(|list| size_of_val(&list[..])).sum();
        let taps = size_of_val(&self.taps[..]) + size_of_val(&self.tap_outs[..]);
        x.bytes() + w.bytes() + mask.bytes() + groups + taps + size_of_val(&self.masks[..])
    }

    /// What runs, in words.
    pub fn describe(&self) -> String {
        let (taps, length, rows) = (self.taps.len(), self.length, self.row_count);
        let [groups, peers] = [&self.groups[0], &self.peers[0]].map(Vec::len);
        match self.kind {
            Kind::Scaled => format!("{rows} lines of {length}, sums of {taps} scaled ones"),
            Kind::Dots => format!("{groups}×[{peers} × {taps}] dots of {rows} lines of {length}"),
        }
    }
}

/// The value of a bound: what the rows that differ in it, the places on the line and the taps add to it, and what it must stay below.
struct BoundValues {
    rows: Vec<isize>,
    line: Vec<isize>,
    taps: Vec<isize>,
    size: isize,
}

/// [row, vectors, tap, vector], with so many vectors beside each other: the lanes that are on the line and keep all bounds.
fn masks(
    lanes: usize,
    length: usize,
    [rows, taps, abreast]: [usize; 3],
    bounds: &[BoundValues],
) -> Vec<u16> {
    let mut masks = Vec::new();
    for row in 0..rows {
        for group in (0..length).step_by(abreast * lanes) {
            for (tap, vector) in (0..taps).flat_map(|tap| (0..abreast).map(move |v| (tap, v))) {
                let first = group + vector * lanes;
                let holds = |at: usize| {
                    bounds.iter().all(|bound| {
                        let tap = bound.taps[tap % bound.taps.len()];
                        let value = bound.rows[row] + bound.line[at] + tap;
                        (0..bound.size).contains(&value)
                    })
                };
                let lane = |mask, at| mask | (holds(at) as u16) << (at - first);
                masks.push((first..length.min(first + lanes)).fold(0, lane));
            }
        }
    }
    masks
}
