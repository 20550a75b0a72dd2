//! # device/cpu/contraction/lines: thin sums of products, straight from memory
//!
//! **In:** the two views of a contraction that has no matrix in it: one of M and N is a single number. **Out:** its output.
//! **Above:** [`Contraction`](super::Contraction), which tries this where tiles do not pay. **Below:** [`vectors`].
//!
//! A convolution with one filter for each channel multiplies a plane by nine numbers and is done. Packing it would cost more than the
//! arithmetic, and there is no second operand that would use what is packed again. But its loads have neighbours, and one of its
//! operands slides over the other. Let the *line* be the innermost axes along which the sliding operand x runs with stride 1, and
//! the *taps* the axes that shift it:
//!
//! ```text
//! scaled lines   out[row, i] = Σ_tap  w[row, tap] · x[row + tap + i]     the lines are the output's (the convolution, its input's gradient)
//! dots of lines  out[tap]    = Σ_row Σ_i  w[row + i] · x[row + tap + i]  the lines are summed up (its weights' gradient)
//! ```
//!
//! In both, each vector of the line is multiplied for all taps while it, or the sum, is in a register, and x comes from the L1
//! cache once for each tap, unaligned. So a number of x costs one load a tap, as the arithmetic does; nothing is packed, nothing copied.
//!
//! **Bounds** become masks: bit i of `masks[row, vector, tap]` tells whether lane i is inside. Which rows differ in their masks is told
//! by the bounds (y, not the channel), so the table is as large as a plane, not as the image. An image that is as wide as the
//! output (the padding that keeps sizes) is one line with all its rows in it: a mask may have a gap in the middle.
//!
//! **What to expect.** One masked load and one multiply-add a tap and vector: 8×128×28×28 with 3×3 taps are 450,000 of them, 0.14 ms
//! with 3.3 GHz.
//!
//! Laws: those of [`contraction`](super). What a row or a tap is added up from, and in which order, depends on the sizes alone.

pub(in crate::device::cpu) mod vectors;

use super::blocking::{CHUNK, LEAST_WORK};
use super::scratch::{Raw, Source, for_each, piece};
use super::{Finish, Level, Real};
use crate::device::cpu::packing::Affine;
use crate::shape::view::{Bound, View, row_major};
use std::ops::Range;
use vectors::{Line, MOST_DOTS, MOST_LANES, Tap};

/// A line shorter than this is better done otherwise: starting on one costs some ten cycles.
const LEAST_LINE: usize = 8;
/// A line is not made longer than this (256 vectors are added up one after the other before they join a larger sum), nor the table
/// of masks larger: it should stay in the cache.
const MOST_LINE: usize = 1 << 12;
const MOST_MASKS: usize = 1 << 15;
/// More taps than this are no window.
const MOST_TAPS: usize = 1 << 10;
/// Lines whose dots are added to one sum before that is added to the larger one.
const NEAR: usize = 64;

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
    /// for dots, the outputs that are not taps: what each adds to x's and to w's address and to the output's
    groups: [Vec<isize>; 3],
    /// for dots, what each tap adds to the output's address
    tap_outs: Vec<isize>,
    /// [row.mask, vector, tap], see the header, and how many belong to a row
    masks: Vec<u32>,
    row_masks: usize,
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
        [
            (Kind::Scaled, false),
            (Kind::Scaled, true),
            (Kind::Dots, false),
            (Kind::Dots, true),
        ]
        .into_iter()
        .find_map(|(kind, swapped)| {
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
        let (taps, groups, mut rows) = match kind {
            Kind::Scaled => (reduced_axes, Vec::new(), outer_axes),
            Kind::Dots => {
                let (groups, taps) = outer_axes.iter().partition(|&&axis| w.strides[axis] != 0);
                (taps, groups, reduced_axes)
            }
        };
        let matters =
            |bound: &&Bound, axes: &[usize]| axes.iter().any(|&axis| bound.coefs[axis] != 0);
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
        let bounded: Vec<usize> = rows
            .iter()
            .copied()
            .filter(|&axis| x.bounds.iter().any(|bound| bound.coefs[axis] != 0))
            .collect();
        let (outputs, work) = (
            outer.iter().product::<usize>(),
            count(&axes(0..sizes.len())),
        );
        let (low, high) = x.extent()?;
        let fits = length >= LEAST_LINE
            && (2..=MOST_TAPS).contains(&count(&taps))
            && count(&bounded) * length.div_ceil(lanes) * count(&taps) <= MOST_MASKS
            && w.bounds.is_empty()
            && !x.bounds.iter().any(|bound| matters(&bound, &groups))
            // Most numbers of x are met by several taps; otherwise this is a matrix times a vector, which wants another order.
            && 2 * (high - low + 1) as usize <= work;
        if !fits {
            return None;
        }
        let mut mask_coefs = vec![0; sizes.len()];
        let bounded_sizes: Vec<usize> = bounded.iter().map(|&axis| sizes[axis]).collect();
        for (&axis, coef) in bounded.iter().zip(row_major(&bounded_sizes)) {
            mask_coefs[axis] = coef;
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
                rows: list(&bounded, &bound.coefs, bound.offset),
                line: list(&line, &bound.coefs, 0),
                taps: list(&taps, &bound.coefs, 0),
                size: bound.size as isize,
            })
            .collect();
        let row_masks = length.div_ceil(lanes) * count(&taps);
        let mut rows_of = tabulate(&rows, &[&x.strides, &w.strides, &mask_coefs]).into_iter();
        let mut next = || rows_of.next().expect("one for each function");
        let tap_ws = match kind {
            Kind::Scaled => list(&taps, &w.strides, 0),
            Kind::Dots => vec![0; count(&taps)],
        };
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
            taps: list(&taps, &x.strides, 0)
                .into_iter()
                .zip(tap_ws)
                .map(|(x, w)| Tap { x, w })
                .collect(),
            groups: [
                list(&groups, &x.strides, x.offset),
                list(&groups, &w.strides, w.offset),
                list(&groups, &out_coefs, 0),
            ],
            tap_outs: list(&taps, &out_coefs, 0),
            masks: masks(
                lanes,
                length,
                [count(&bounded), count(&taps)],
                &bound_values,
            ),
            row_masks,
            outputs,
            work,
        })
    }

    /// Bytes of its tables.
    pub fn bytes(&self) -> usize {
        let Rows { x, w, mask } = &self.rows;
        let groups: usize = self.groups.iter().map(|list| size_of_val(&list[..])).sum();
        let taps = size_of_val(&self.taps[..]) + size_of_val(&self.tap_outs[..]);
        x.bytes() + w.bytes() + mask.bytes() + groups + taps + size_of_val(&self.masks[..])
    }

    /// What runs, in words.
    pub fn describe(&self) -> String {
        let (taps, length, rows, groups) = (
            self.taps.len(),
            self.length,
            self.row_count,
            self.groups[0].len(),
        );
        match self.kind {
            Kind::Scaled => format!("{rows} lines of {length}, sums of {taps} scaled ones"),
            Kind::Dots => format!("{groups}×{taps} dots of {rows} lines of {length}"),
        }
    }

    /// Computes the output.
    ///
    /// # Safety
    /// As [`Contraction::run`](super::Contraction::run); the processor has the level.
    pub unsafe fn run<T: Real>(
        &self,
        level: Level,
        sources: [Source<T>; 2],
        out: *mut T,
        finish: Option<Finish>,
    ) {
        let [a, b] = sources;
        let (x, w) = if self.swapped { (b, a) } else { (a, b) };
        let parallel = self.work >= 2 * LEAST_WORK;
        // SAFETY: the caller's promises.
        unsafe {
            match self.kind {
                Kind::Scaled => self.scale(level, [&x, &w], Raw(out), finish, parallel),
                Kind::Dots => self.dot(level, [&x, &w], Raw(out), finish, parallel),
            }
        }
    }

    /// Where the rows of a range are, one after the other: what they add in x and in w, and their masks.
    fn look_up(&self, range: Range<usize>) -> impl Iterator<Item = (isize, isize, &[u32])> {
        let list = |function: &Affine| {
            let mut values = Vec::with_capacity(range.len());
            function.append(range.clone(), 0, &mut values);
            values
        };
        let Rows { x, w, mask } = &self.rows;
        let places = list(x).into_iter().zip(list(w)).zip(list(mask));
        let masks = |row: isize| &self.masks[row as usize * self.row_masks..][..self.row_masks];
        places.map(move |((x, w), row)| (x, w, masks(row)))
    }

    /// Each task has some lines of the output.
    ///
    /// # Safety
    /// As [`Lines::run`].
    unsafe fn scale<T: Real>(
        &self,
        level: Level,
        [x, w]: [&Source<T>; 2],
        out: Raw<T>,
        finish: Option<Finish>,
        parallel: bool,
    ) {
        let set = T::instruction_set(level);
        let per_task = (LEAST_WORK / 4 / (self.length * self.taps.len())).max(1);
        let [x_base, w_base] = [self.groups[0][0], self.groups[1][0]];
        for_each(self.row_count.div_ceil(per_task), parallel, |task| {
            let rows = piece(task, per_task, self.row_count);
            for (row, (x_row, w_row, masks)) in rows.clone().zip(self.look_up(rows.clone())) {
                let line = Line {
                    x: x.at(x_base + x_row),
                    readable: x.pointers(),
                    w: w.at(w_base + w_row),
                    length: self.length,
                    taps: &self.taps,
                    masks,
                    mask_step: self.taps.len(),
                    out: out.add(row * self.length).0,
                };
                // SAFETY: the masks allow what the bounds do, which is in x (the caller's promise); w has no bounds; the output
                // has a line for each row, and each row belongs to one task.
                unsafe { (set.scale)(&line) };
            }
            if let Some(finish) = finish {
                finish(rows.start * self.length..rows.end * self.length);
            }
        });
    }

    /// Each task has some taps of a group: as many sums as there are registers for.
    ///
    /// # Safety
    /// As [`Lines::run`].
    unsafe fn dot<T: Real>(
        &self,
        level: Level,
        [x, w]: [&Source<T>; 2],
        out: Raw<T>,
        finish: Option<Finish>,
        parallel: bool,
    ) {
        let set = T::instruction_set(level);
        let taps = self.taps.len();
        let per_task = taps.div_ceil(taps.div_ceil(MOST_DOTS));
        let tap_tasks = taps.div_ceil(per_task);
        let rows: Vec<_> = self.look_up(0..self.row_count).collect();
        let [x_groups, w_groups, out_groups] = &self.groups;
        for_each(x_groups.len() * tap_tasks, parallel, |task| {
            let (group, taps) = (task / tap_tasks, piece(task % tap_tasks, per_task, taps));
            let [mut near, mut far] = [(); 2].map(|()| Sums([T::ZERO; MOST_DOTS * MOST_LANES]));
            for rows in rows.chunks(NEAR) {
                near.0.fill(T::ZERO);
                for (x_row, w_row, masks) in rows {
                    let line = Line {
                        x: x.at(x_groups[group] + x_row),
                        readable: x.pointers(),
                        w: w.at(w_groups[group] + w_row),
                        length: self.length,
                        taps: &self.taps[taps.clone()],
                        masks: &masks[taps.start..],
                        mask_step: self.taps.len(),
                        out: near.0.as_mut_ptr(),
                    };
                    // SAFETY: as in `scale`; w runs beside the line, without bounds; `near` has a vector for each sum.
                    unsafe { (set.dot[taps.len() - 1])(&line) };
                }
                let sums = far.0.iter_mut().zip(near.0);
                sums.for_each(|(far, near)| *far = *far + near);
            }
            for (tap, lanes) in taps.zip(far.0.chunks_exact_mut(set.lanes)) {
                let mut half = set.lanes / 2;
                while half > 0 {
                    (0..half).for_each(|i| lanes[i] = lanes[i] + lanes[i + half]);
                    half /= 2;
                }
                let to = out.add((out_groups[group] + self.tap_outs[tap]) as usize).0;
                // SAFETY: each output has one group and one tap, hence one task.
                unsafe { to.write(lanes[0]) };
            }
        });
        if let Some(finish) = finish {
            for_each(self.outputs.div_ceil(CHUNK), parallel, |task| {
                finish(piece(task, CHUNK, self.outputs))
            });
        }
    }
}

/// A vector for each of the sums that a task has.
#[repr(align(64))]
struct Sums<T>([T; MOST_DOTS * MOST_LANES]);

/// The value of a bound: what the rows that differ in it, the places on the line and the taps add to it, and what it must stay below.
struct BoundValues {
    rows: Vec<isize>,
    line: Vec<isize>,
    taps: Vec<isize>,
    size: isize,
}

/// [row, vector, tap]: the lanes that are on the line and keep all bounds.
fn masks(
    lanes: usize,
    length: usize,
    [rows, taps]: [usize; 2],
    bounds: &[BoundValues],
) -> Vec<u32> {
    let mut masks = Vec::with_capacity(rows * length.div_ceil(lanes) * taps);
    for row in 0..rows {
        for first in (0..length).step_by(lanes) {
            for tap in 0..taps {
                let holds = |at: usize| {
                    bounds.iter().all(|bound| {
                        let value = bound.rows[row] + bound.line[at] + bound.taps[tap];
                        (0..bound.size).contains(&value)
                    })
                };
                let lane = |mask, at| mask | (holds(at) as u32) << (at - first);
                masks.push((first..length.min(first + lanes)).fold(0, lane));
            }
        }
    }
    masks
}
