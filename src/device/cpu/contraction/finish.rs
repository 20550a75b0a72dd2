//! # device/cpu/contraction/finish: a part of the output has its final values
//!
//! **In:** parts that are computed. **Out:** the stretches of the output that they are, told to whoever waits for them; and partial sums,
//! added up. **Above:** `tasks`. **Law:** every number is told of once, after its last step.

use super::blocking::CHUNK;
use super::scratch::{Raw, for_each, piece};
use super::tasks::{Job, Part};
use super::{Finish, Real};
use std::ops::Range;

impl<T: Real> Job<'_, T> {
    /// Tells that a part has its final values.
    pub(super) fn finish(&self, part: &Part) {
        if let Some(finish) = self.finish {
            self.stretches(part).into_iter().for_each(finish);
        }
    }

    /// Tells that stretches of the output have their final values, by all threads, in pieces of some length.
    pub(super) fn finish_together(&self, stretches: &[Range<usize>], parallel: bool) {
        let Some(finish) = self.finish else { return };
        let pieces: Vec<_> = stretches
            .iter()
            .flat_map(|all| {
                let cut = (0..all.len().div_ceil(CHUNK)).map(|i| piece(i, CHUNK, all.len()));
                cut.map(|piece| all.start + piece.start..all.start + piece.end)
            })
            .collect();
        for_each(pieces.len(), parallel, |task| finish(pieces[task].clone()));
    }

    /// The stretches of the output that a part covers, as long as possible.
    pub(super) fn stretches(&self, part: &Part) -> Vec<Range<usize>> {
        let destination = &self.plan.destination;
        let base = destination.batches[part.batch];
        let (mut rows, mut columns) = (Vec::new(), Vec::new());
        destination.addresses(part, &mut rows, &mut columns);
        let (row_runs, column_runs) = (runs(&mut rows), runs(&mut columns));
        let (runs, others) = if row_runs.len() * columns.len() <= column_runs.len() * rows.len() {
            (row_runs, columns)
        } else {
            (column_runs, rows)
        };
        let each = |other: isize| {
            let start = move |first: isize| (base + other + first) as usize;
            runs.iter()
                .map(move |&(first, length)| start(first)..start(first) + length)
        };
        join(others.into_iter().flat_map(each).collect())
    }
}

/// Adds to the output, which is the first of so many partial sums, the others in their order, and finishes it.
pub(super) fn add_up<T: Real>(
    out: Raw<T>,
    partial: Raw<T>,
    count: usize,
    outputs: usize,
    parallel: bool,
    finish: Option<Finish>,
) {
    for_each(outputs.div_ceil(CHUNK), parallel, |task| {
        let range = piece(task, CHUNK, outputs);
        // SAFETY: each task has a range of the output to itself, and all of the partial sums are written and final.
        unsafe {
            let sums = std::slice::from_raw_parts_mut(out.add(range.start).0, range.len());
            for i in 0..count - 1 {
                let from = partial.add(i * outputs + range.start).0;
                let more = std::slice::from_raw_parts(from, range.len());
                sums.iter_mut()
                    .zip(more)
                    .for_each(|(sum, more)| *sum = *sum + *more);
            }
        }
        if let Some(finish) = finish {
            finish(range);
        }
    });
}

/// Sorts addresses and finds the runs of neighbours among them: (start, length).
fn runs(addresses: &mut [isize]) -> Vec<(isize, usize)> {
    addresses.sort_unstable();
    addresses
        .chunk_by(|one, next| next - one == 1)
        .map(|run| (run[0], run.len()))
        .collect()
}

/// Sorts stretches, and joins those that meet.
pub(super) fn join(mut stretches: Vec<Range<usize>>) -> Vec<Range<usize>> {
    stretches.sort_unstable_by_key(|stretch| stretch.start);
    stretches.dedup_by(|next, stretch| {
        let joins = stretch.end == next.start;
        if joins {
            stretch.end = next.end;
        }
        joins
    });
    stretches
}
