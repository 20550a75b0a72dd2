//! # device/cpu/contraction/tasks: a plan, carried out
//!
//! **In:** a [`Plan`] and memory. **Out:** the output. **Above:** [`Contraction::run`](super::Contraction::run). **Below:** packing, `tiles` and `finish`.
//!
//! A task owns a box of the output, so that no two tasks write to the same number, with one exception: if the output is too small to be
//! shared out and K is long, tasks own a chunk of K and an output of their own, and these are added up in order.
//!
//! Laws: 1. Every number is added up in one order, given by the plan. 2. A part of the output is finished once, after its last step.

use super::blocking::{Blocking, CHUNK, Extents, LEAST_WORK, MOST_SHARED, SHORT};
use super::finish::add_up;
use super::plan::{Destination, Plan, Supply};
use super::scratch::{
    Raw, Source, Workspace, for_each, piece, reserve, with_scratch, with_workspace,
};
use super::tiles::Tiles;
use super::{Finish, Level};
use crate::device::cpu::microkernel::{InstructionSet, Real};
use crate::device::cpu::packing::Steps;
use std::ops::Range;

impl Plan {
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
        let Extents {
            batch,
            wide,
            narrow,
            k,
        } = self.size;
        let blocking = &self.blocking;
        let [a, b] = sources;
        let (wide_source, narrow_source) = if self.swapped { (b, a) } else { (a, b) };
        let set = T::instruction_set(level);
        let job = Job {
            set,
            plan: self,
            wide: wide_source,
            narrow: narrow_source,
            out: Raw(out),
            finish,
        };
        let outputs = batch * wide * narrow;
        let parallel = outputs * k >= 2 * LEAST_WORK;
        let (wide_blocks, narrow_blocks) = (
            wide.div_ceil(blocking.wide_block),
            narrow.div_ceil(blocking.narrow_block),
        );
        let chunks = k.div_ceil(blocking.chunk);
        if chunks > 1 {
            return job.sum_chunks(self.size, outputs, chunks, parallel);
        }
        if blocking.shared {
            return job.share(self.size, parallel);
        }
        let groups = batch.div_ceil(blocking.batches);
        for_each(groups * narrow_blocks * wide_blocks, parallel, |task| {
            let (task, wide_block) = (task / wide_blocks, task % wide_blocks);
            let (group, narrow_block) = (task / narrow_blocks, task % narrow_blocks);
            for batch in piece(group, blocking.batches, batch) {
                let narrow = piece(narrow_block, blocking.narrow_block, narrow);
                let part = Part {
                    batch,
                    steps: 0..k,
                    wide: piece(wide_block, blocking.wide_block, wide),
                    narrow,
                };
                // SAFETY: the parts of different tasks don't overlap in the output.
                unsafe { job.compute(&part, None, job.out, false) };
                job.finish(&part);
            }
        });
    }
}

/// A box of the problem.
pub(super) struct Part {
    pub batch: usize,
    pub steps: Range<usize>,
    pub wide: Range<usize>,
    pub narrow: Range<usize>,
}

/// What all tasks of one run have in common.
pub(super) struct Job<'a, T: 'static> {
    pub set: &'static InstructionSet<T>,
    pub plan: &'a Plan,
    wide: Source<T>,
    narrow: Source<T>,
    out: Raw<T>,
    pub finish: Option<Finish<'a>>,
}

impl<T: Real> Job<'_, T> {
    /// K in chunks: each has sums of its own (the first has the output), which are then added up in the order of the chunks.
    fn sum_chunks(&self, size: Extents, outputs: usize, chunks: usize, parallel: bool) {
        let blocking = &self.plan.blocking;
        let narrow_blocks = size.narrow.div_ceil(blocking.narrow_block);
        with_scratch((chunks - 1) * outputs, |partial: Raw<T>| {
            for_each(size.batch * chunks * narrow_blocks, parallel, |task| {
                let (task, narrow_block) = (task / narrow_blocks, task % narrow_blocks);
                let (batch, chunk) = (task / chunks, task % chunks);
                let part = Part {
                    batch,
                    steps: piece(chunk, blocking.chunk, size.k),
                    wide: 0..size.wide,
                    narrow: piece(narrow_block, blocking.narrow_block, size.narrow),
                };
                let out = if chunk == 0 {
                    self.out
                } else {
                    partial.add((chunk - 1) * outputs)
                };
                // SAFETY: parts of the same chunk don't overlap, and different chunks have different outputs.
                unsafe { self.compute(&part, None, out, false) };
            });
            add_up(self.out, partial, chunks, outputs, parallel, self.finish);
        });
    }

    /// Rows in blocks: all of them need the same columns, which are packed first, by all threads together. If the columns are too many, in
    /// several rounds. A block of a matrix's columns is a short piece of each of its lines, so such a round's output is finished when the
    /// round is over, line by line, though parts of it have left the cache by then.
    fn share(&self, size: Extents, parallel: bool) {
        let Extents {
            batch,
            wide,
            narrow,
            k,
        } = size;
        let &Blocking {
            wide_block,
            narrow_panel,
            depth,
            ..
        } = &self.plan.blocking;
        let columns = narrow.min(2048).next_multiple_of(narrow_panel);
        let steps = if columns * k <= MOST_SHARED {
            k
        } else {
            (MOST_SHARED / columns / depth).max(1) * depth
        };
        let batches = if columns >= narrow && steps == k {
            (MOST_SHARED / columns / k).clamp(1, batch)
        } else {
            1
        };
        let wide_blocks = wide.div_ceil(wide_block);
        let late = self.finish.is_some() && {
            let first = Part {
                batch: 0,
                steps: 0..k,
                wide: 0..wide_block,
                narrow: 0..narrow.min(columns),
            };
            wide_block * first.narrow.len() < SHORT * self.stretches(&first).len()
        };
        with_scratch(batches * columns * steps, |shared: Raw<T>| {
            for round in 0..batch.div_ceil(batches) * narrow.div_ceil(columns) * k.div_ceil(steps) {
                let (round, step_piece) = (round / k.div_ceil(steps), round % k.div_ceil(steps));
                let (round, column_piece) = (
                    round / narrow.div_ceil(columns),
                    round % narrow.div_ceil(columns),
                );
                let batches = piece(round, batches, batch);
                let part = |batch, wide| Part {
                    batch,
                    steps: piece(step_piece, steps, k),
                    wide,
                    narrow: piece(column_piece, columns, narrow),
                };
                let packed_of =
                    |batch: usize| shared.add((batch - batches.start) * columns * steps);
                let blocks = part(0, 0..0).steps.len().div_ceil(depth);
                // A short K is one block, so its columns are shared out too: four tasks in all are enough for this small part.
                let shares = 4usize.div_ceil(batches.len() * blocks);
                let columns_each = (CHUNK / depth)
                    .max(part(0, 0..0).narrow.len().div_ceil(shares))
                    .next_multiple_of(narrow_panel);
                let pieces = part(0, 0..0).narrow.len().div_ceil(columns_each);
                for_each(batches.len() * blocks * pieces, parallel, |task| {
                    let (task, columns_piece) = (task / pieces, task % pieces);
                    let mut part = part(batches.start + task / blocks, 0..0);
                    let block = piece(task % blocks, depth, part.steps.len());
                    let mine = piece(columns_piece, columns_each, part.narrow.len());
                    let before = block.start * columns + mine.start * block.len();
                    let to = packed_of(part.batch).add(before);
                    let steps = part.steps.start + block.start..part.steps.start + block.end;
                    part.narrow = part.narrow.start + mine.start..part.narrow.start + mine.end;
                    // SAFETY: each task has some panels of `depth` steps in the scratch to itself.
                    with_workspace(|workspace| unsafe {
                        self.pack_narrow(&part, steps, &mut workspace.narrow_steps, to)
                    });
                });
                for_each(batches.len() * wide_blocks, parallel, |task| {
                    let part = part(
                        batches.start + task / wide_blocks,
                        piece(task % wide_blocks, wide_block, wide),
                    );
                    // SAFETY: the parts of different tasks don't overlap in the output; the columns are packed.
                    unsafe {
                        self.compute(
                            &part,
                            Some((packed_of(part.batch), columns)),
                            self.out,
                            step_piece > 0,
                        )
                    };
                    if part.steps.end == k && !late {
                        self.finish(&part);
                    }
                });
                if late && part(batches.start, 0..0).steps.end == k {
                    let all = batches.map(|batch| self.stretches(&part(batch, 0..wide)));
                    self.finish_together(&all.flatten().collect::<Vec<_>>(), parallel);
                }
            }
        });
    }

    /// Packs a part's columns for some steps: panel after panel.
    ///
    /// # Safety
    /// `to` has room for whole panels, and nobody else uses it.
    unsafe fn pack_narrow(
        &self,
        part: &Part,
        steps: Range<usize>,
        prepared: &mut Steps,
        to: Raw<T>,
    ) {
        let Plan {
            narrow: operand,
            blocking: Blocking { narrow_panel, .. },
            ..
        } = self.plan;
        let depth = steps.len();
        operand.prepare(part.batch, steps, prepared);
        for (panel, first) in part.narrow.clone().step_by(*narrow_panel).enumerate() {
            let columns = first..(first + narrow_panel).min(part.narrow.end);
            let Source { start, readable } = &self.narrow;
            // SAFETY: the source is what the caller of `run` has promised; a panel takes depth · narrow_panel numbers.
            unsafe {
                operand.pack(
                    self.set,
                    start.0,
                    readable,
                    prepared,
                    columns,
                    to.add(panel * depth * narrow_panel).0,
                    *narrow_panel,
                )
            };
        }
    }

    /// Computes a part of the output from a part of the steps. `shared` has the part's columns packed for all of its steps, and how many columns
    /// each step takes; without it, they are packed here.
    ///
    /// # Safety
    /// Nobody else uses the part's elements of `out` meanwhile.
    unsafe fn compute(
        &self,
        part: &Part,
        shared: Option<(Raw<T>, usize)>,
        out: Raw<T>,
        mut accumulate: bool,
    ) {
        let Plan {
            wide: operand,
            destination,
            blocking,
            ..
        } = self.plan;
        let &Blocking {
            wide_panel,
            narrow_panel,
            depth: most_depth,
            ..
        } = blocking;
        let out = Raw(out.0.wrapping_offset(destination.batches[part.batch]));
        with_workspace(|workspace| {
            let Workspace {
                wide_steps,
                narrow_steps,
                rows,
                columns,
                straight,
                packed,
            } = workspace;
            destination.addresses(part, rows, columns);
            straight.clear();
            straight.extend(
                rows.chunks(wide_panel)
                    .map(|rows| rows.windows(2).all(|pair| pair[1] - pair[0] == 1)),
            );
            let wide_room = match &self.plan.supply {
                Supply::InPlace => 0,
                Supply::Packed => part.wide.len().next_multiple_of(wide_panel) * most_depth,
                Supply::Staged(staged) => staged.room(most_depth),
            };
            let narrow_room = if shared.is_some() {
                0
            } else {
                part.narrow.len().next_multiple_of(narrow_panel) * most_depth
            };
            let wide_packed: Raw<T> = reserve(packed, wide_room + narrow_room);
            for first_step in part.steps.clone().step_by(most_depth) {
                let steps = first_step..(first_step + most_depth).min(part.steps.end);
                let depth = steps.len();
                let panels = || part.wide.clone().step_by(wide_panel).enumerate();
                let rows_of = |first: usize| first..(first + wide_panel).min(part.wide.end);
                let Source { start, readable } = &self.wide;
                match &self.plan.supply {
                    Supply::InPlace => operand.prepare(part.batch, steps.clone(), wide_steps),
                    Supply::Packed => {
                        operand.prepare(part.batch, steps.clone(), wide_steps);
                        for (panel, first) in panels() {
                            let to = wide_packed.add(panel * depth * wide_panel).0;
                            let rows = rows_of(first);
                            // SAFETY: the source is what the caller of `run` has promised; a panel takes depth · wide_panel numbers.
                            unsafe {
                                operand.pack(
                                    self.set, start.0, readable, wide_steps, rows, to, wide_panel,
                                )
                            };
                        }
                    }
                    Supply::Staged(staged) => {
                        let (batch, rows, to) = (part.batch, &part.wide, wide_packed.0);
                        // SAFETY: as above; blocks of steps are whole units, and room for them has just been reserved.
                        unsafe {
                            staged.fill(
                                self.set, start.0, readable, batch, &steps, rows, wide_steps, to,
                            )
                        };
                    }
                }
                let narrow_packed = match shared {
                    Some((packed, columns)) => {
                        packed.add((first_step - part.steps.start) * columns)
                    }
                    None => {
                        let to = wide_packed.add(wide_room);
                        // SAFETY: room for the part's columns has just been reserved behind the rows.
                        unsafe { self.pack_narrow(part, steps.clone(), narrow_steps, to) };
                        to
                    }
                };
                let tiles = Tiles {
                    depth,
                    narrow: narrow_packed.0,
                    out: out.0,
                    accumulate,
                    rows,
                    columns,
                    straight,
                };
                match &self.plan.supply {
                    // SAFETY: both operands are packed for these steps, and the output's addresses are the part's.
                    Supply::Packed => unsafe { self.multiply(&tiles, wide_packed.0) },
                    Supply::InPlace => {
                        for (panel, first) in panels() {
                            let found =
                                operand.locate(self.set, start.0, wide_steps, rows_of(first));
                            // SAFETY: as above, only that the rows are not packed; they keep their bounds, so they are in the source.
                            unsafe { self.multiply_in_place(&tiles, panel, &found) };
                        }
                    }
                    Supply::Staged(staged) => {
                        let origin = staged.origin(wide_packed.0, &steps, part.wide.start);
                        for (panel, first) in panels() {
                            let rows = rows_of(first);
                            let found = staged.locate(self.set, origin, &steps, wide_steps, rows);
                            // SAFETY: as above; the lines that these rows need have been staged, and there is room behind the last of them.
                            unsafe { self.multiply_in_place(&tiles, panel, &found) };
                        }
                    }
                }
                accumulate = true;
            }
        });
    }
}

impl Destination {
    /// Where the part's rows and columns go, without the batch's contribution.
    pub(super) fn addresses(&self, part: &Part, rows: &mut Vec<isize>, columns: &mut Vec<isize>) {
        rows.clear();
        columns.clear();
        self.wide.append(part.wide.clone(), 0, rows);
        self.narrow.append(part.narrow.clone(), 0, columns);
    }
}
