//! # device/cpu/packing/fill: the copying itself
//!
//! **In:** a [`Panel`], which says where its numbers are. **Out:** the panel in memory. **Above:** [`Operand::pack`](super::Operand::pack),
//! which has checked the addresses.
//!
//! Each function here is `inline(always)`: [`microkernel`](crate::device::cpu::microkernel) compiles [`fill`] once for each instruction
//! set, and only what is inlined there may use its vectors.

use super::{MOST_ROWS, Method};
use crate::device::cpu::lanes::{Lane, Vector};
use crate::device::cpu::simd::prefetch;
use std::ops::Range;

/// Rows that are neighbours in memory (or next to neighbours) and in the same vector of the panel.
#[derive(Clone, Copy, Default)]
pub(in crate::device::cpu) struct Piece {
    /// which vector
    pub vector: usize,
    /// the address that the vector's lane 0 would have if the run began there
    pub from: isize,
    /// the lanes that it does have
    pub mask: u32,
}

/// Everything that [`fill`] needs to know.
pub(in crate::device::cpu) struct Panel<'a, T> {
    pub source: *const T,
    pub to: *mut T,
    pub width: usize,
    pub count: usize,
    pub addresses: &'a [isize; MOST_ROWS],
    /// for [`Method::Runs`] and [`Method::Alternate`], in the order of the vectors
    pub pieces: &'a [Piece],
    pub steps: &'a [isize],
    pub step_runs: &'a [(usize, usize)],
    /// for each step a bit for each row, or empty if all are 1
    pub masks: &'a [u32],
    pub(super) method: Method,
}

/// Fills a panel by its method. Compiled anew inside each instruction set (hence `inline(always)` all the way down).
///
/// # Safety
/// As [`Operand::pack`], whose checks make the method's reads legal.
#[inline(always)]
pub(in crate::device::cpu) unsafe fn fill<V: Vector>(panel: &Panel<V::Number>) {
    let all = 0..panel.steps.len();
    // SAFETY: passed on.
    unsafe {
        match (panel.method, panel.masks.is_empty()) {
            (Method::Runs, true) => load_runs::<V, 1, false>(panel),
            (Method::Runs, false) => load_runs::<V, 1, true>(panel),
            (Method::Alternate, true) => load_runs::<V, 2, false>(panel),
            (Method::Alternate, false) => load_runs::<V, 2, true>(panel),
            (Method::Transposed, true) => transpose::<V, false>(panel),
            (Method::Transposed, false) => transpose::<V, true>(panel),
            (Method::Gathered, true) => gather::<V::Number, false>(panel, all, 0..panel.count),
            (Method::Gathered | Method::Guarded, _) => {
                gather::<V::Number, true>(panel, all, 0..panel.count)
            }
        }
    }
}

/// The numbers whose bits are set, zeros for the others.
#[inline(always)]
fn select<T: Lane, const C: usize>(mut values: [T; C], mask: u32) -> [T; C] {
    for (j, value) in values.iter_mut().enumerate() {
        *value = if mask & (1 << j) != 0 {
            *value
        } else {
            T::ZERO
        };
    }
    values
}

#[inline(always)]
unsafe fn load_runs<V: Vector, const STRIDE: usize, const MASKED: bool>(panel: &Panel<V::Number>) {
    // The last vector may be longer than its row. What it writes into the next one is overwritten later: steps go forwards and
    // vectors backwards. The last steps, behind which there may be nothing, are gathered.
    let vectors = panel.count.div_ceil(V::LANES);
    let depth = panel.steps.len();
    let surplus = (vectors * V::LANES).saturating_sub(panel.width);
    let full = depth.saturating_sub(surplus.div_ceil(panel.width));
    if panel.width <= MOST_ROWS
        && let (2, &[a, b]) = (vectors, panel.pieces)
    {
        // SAFETY: as below.
        unsafe { load_pair::<V, STRIDE, MASKED>(panel, full, [a, b]) };
        // SAFETY: as below.
        return unsafe { gather::<V::Number, true>(panel, full..depth, 0..panel.count) };
    }
    let mut rest = panel.pieces;
    for vector in (0..vectors).rev() {
        let first = rest
            .iter()
            .rposition(|piece| piece.vector != vector)
            .map_or(0, |before| before + 1);
        let (before, pieces) = rest.split_at(first);
        rest = before;
        // SAFETY: `pack` has checked the addresses of whole vectors, unless loads look only at lanes of the mask, which are valid.
        unsafe {
            match *pieces {
                [a] => load_vector::<V, 1, STRIDE, MASKED>(panel, full, vector, [a]),
                [a, b] => load_vector::<V, 2, STRIDE, MASKED>(panel, full, vector, [a, b]),
                [a, b, c] => load_vector::<V, 3, STRIDE, MASKED>(panel, full, vector, [a, b, c]),
                [a, b, c, d] => {
                    load_vector::<V, 4, STRIDE, MASKED>(panel, full, vector, [a, b, c, d])
                }
                [a, b, c, d, e] => {
                    load_vector::<V, 5, STRIDE, MASKED>(panel, full, vector, [a, b, c, d, e])
                }
                // Six are lines of three, a window of 3 × 3 whose steps are too far apart to be turned.
                [a, b, c, d, e, f] => {
                    load_vector::<V, 6, STRIDE, MASKED>(panel, full, vector, [a, b, c, d, e, f])
                }
                _ => {
                    let rows = vector * V::LANES..((vector + 1) * V::LANES).min(panel.count);
                    gather::<V::Number, true>(panel, 0..full, rows)
                }
            }
        }
    }
    // SAFETY: as above.
    unsafe { gather::<V::Number, true>(panel, full..depth, 0..panel.count) }
}

/// Both vectors of a panel, for all steps, each from one run: the rows of a matrix's columns. Their cache lines are neighbours, and so are fetched
/// together; one vector after the other would come back to each line when it has left the cache.
#[inline(always)]
unsafe fn load_pair<V: Vector, const STRIDE: usize, const MASKED: bool>(
    panel: &Panel<V::Number>,
    depth: usize,
    [a, b]: [Piece; 2],
) {
    for k in 0..depth {
        let to = panel.to.wrapping_add(k * panel.width);
        // SAFETY: as `load_runs`.
        unsafe {
            let first = load_step::<V, 1, STRIDE, MASKED>(panel, k, 0, [a]);
            let second = load_step::<V, 1, STRIDE, MASKED>(panel, k, 1, [b]);
            first.store(to);
            second.store(to.wrapping_add(V::LANES));
        }
    }
}

/// One vector of a panel, for all steps, from P runs of neighbours or of every second number.
#[inline(always)]
unsafe fn load_vector<V: Vector, const P: usize, const STRIDE: usize, const MASKED: bool>(
    panel: &Panel<V::Number>,
    depth: usize,
    vector: usize,
    pieces: [Piece; P],
) {
    let mut to = panel.to.wrapping_add(vector * V::LANES);
    // Steps far from each other are continued by the next panel, and nobody foresees it.
    let ahead = if panel.width > MOST_ROWS {
        MOST_ROWS
    } else {
        0
    };
    for k in 0..depth {
        if ahead > 0 {
            prefetch(to.wrapping_add(ahead).cast(), 1);
            let next = panel.steps[k] + pieces[0].from + (STRIDE * ahead) as isize;
            prefetch(panel.source.wrapping_offset(next).cast(), 1);
        }
        // SAFETY: as `load_runs`.
        unsafe { load_step::<V, P, STRIDE, MASKED>(panel, k, vector, pieces).store(to) };
        to = to.wrapping_add(panel.width);
    }
}

/// The same for one step.
#[inline(always)]
unsafe fn load_step<V: Vector, const P: usize, const STRIDE: usize, const MASKED: bool>(
    panel: &Panel<V::Number>,
    k: usize,
    vector: usize,
    pieces: [Piece; P],
) -> V {
    let from = panel.source.wrapping_offset(panel.steps[k]);
    let mask = if MASKED {
        panel.masks[k] >> (vector * V::LANES)
    } else {
        u32::MAX
    };
    // SAFETY: as `load_runs`.
    unsafe {
        let mut loaded = V::splat(V::Number::ZERO);
        for piece in pieces {
            let (from, mask) = (from.wrapping_offset(piece.from), piece.mask & mask);
            loaded = match STRIDE {
                1 => loaded.load_masked(from, mask),
                _ => loaded.blend(V::load_alternate(from), mask),
            };
        }
        loaded
    }
}

#[inline(always)]
unsafe fn transpose<V: Vector, const MASKED: bool>(panel: &Panel<V::Number>) {
    // Whole vectors of rows first, then four rows at a time (a panel of 12 columns), then single ones.
    let whole = if V::TURNS {
        (panel.count.next_multiple_of(V::LANES)).min(panel.width / V::LANES * V::LANES)
    } else {
        0
    };
    let rows = (panel.count.next_multiple_of(4)).min(panel.width / 4 * 4);
    for &(first, length) in panel.step_runs {
        let end = first + length;
        // 64 steps at a time, so that the cache lines of all rows are used up before there are too many of them.
        let mut k = first;
        while k < end {
            let until = (k + 64).min(end);
            // SAFETY: the steps of a run are neighbours in memory, so its addresses are those that `pack` has checked;
            // rows beyond the count repeat the first.
            unsafe {
                if length >= 4 {
                    for row in (0..whole).step_by(V::LANES) {
                        for block in (k..until).step_by(4) {
                            turn_vector::<V, MASKED>(panel, row, block.min(end - 4));
                        }
                    }
                    for row in (whole..rows).step_by(4) {
                        turn::<V::Number, MASKED>(panel, row, k..until, end);
                    }
                    let single = whole.max(rows).min(panel.count)..panel.count;
                    gather::<V::Number, MASKED>(panel, k..until, single);
                } else {
                    gather::<V::Number, MASKED>(panel, k..until, 0..panel.count);
                }
            }
            k = until;
        }
    }
}

/// A vector of rows × four steps, from one run of steps, turned.
#[inline(always)]
unsafe fn turn_vector<V: Vector, const MASKED: bool>(
    panel: &Panel<V::Number>,
    row: usize,
    k: usize,
) {
    let from = panel.source.wrapping_offset(panel.steps[k]);
    let rows = &panel.addresses[row..row + V::LANES];
    // SAFETY: passed on to `transpose`; the panel has a whole vector of places here in each step.
    unsafe {
        let turned = V::turn(|r| from.wrapping_offset(rows[r]));
        for (j, numbers) in turned.into_iter().enumerate() {
            let kept = if MASKED {
                V::splat(V::Number::ZERO).blend(numbers, panel.masks[k + j] >> row)
            } else {
                numbers
            };
            kept.store(panel.to.wrapping_add((k + j) * panel.width + row));
        }
    }
}

/// Four rows, and some steps of a run that goes on until `end`: four steps at a time, turned.
#[inline(always)]
unsafe fn turn<T: Lane, const MASKED: bool>(
    panel: &Panel<T>,
    row: usize,
    steps: Range<usize>,
    end: usize,
) {
    let from = panel.source.wrapping_offset(panel.steps[steps.start]);
    let rows: [*const T; 4] =
        std::array::from_fn(|r| from.wrapping_offset(panel.addresses[row + r]));
    for k in steps.clone().step_by(4) {
        let k = k.min(end - 4);
        let at = k as isize - steps.start as isize;
        let row_starts = rows.map(|start| start.wrapping_offset(at));
        if at % 16 == 0 {
            // Rows far apart are read side by side, which no processor foresees.
            for start in row_starts {
                prefetch(start.wrapping_add(64).cast(), 1);
            }
        }
        // SAFETY: passed on to `transpose`.
        let turned = unsafe { T::turn(row_starts) };
        let mut to = panel.to.wrapping_add(k * panel.width + row);
        for (j, mut numbers) in turned.into_iter().enumerate() {
            if MASKED {
                numbers = select(numbers, panel.masks[k + j] >> row);
            }
            // SAFETY: four places in the row of step k + j.
            unsafe { to.cast::<[T; 4]>().write_unaligned(numbers) };
            to = to.wrapping_add(panel.width);
        }
    }
}

/// One by one; with `MASKED`, only those are read that keep all bounds.
#[inline(always)]
unsafe fn gather<T: Lane, const MASKED: bool>(
    panel: &Panel<T>,
    steps: Range<usize>,
    rows: Range<usize>,
) {
    for k in steps {
        let from = panel.source.wrapping_offset(panel.steps[k]);
        let to = panel.to.wrapping_add(k * panel.width);
        let mask = if MASKED && !panel.masks.is_empty() {
            panel.masks[k]
        } else {
            u32::MAX
        };
        for r in rows.clone() {
            // SAFETY: an element that keeps all bounds is in the buffer; its place is in row k of the panel.
            unsafe {
                let keeps = !MASKED || mask & (1 << r) != 0;
                *to.add(r) = if keeps {
                    *from.wrapping_offset(panel.addresses[r])
                } else {
                    T::ZERO
                };
            }
        }
    }
}
