//! # device/cpu/contraction/lines/run: a plan of lines, carried out
//!
//! **In:** [`Lines`] and memory. **Out:** the output. **Above:** [`Contraction::run`](super::super::Contraction::run). **Below:** [`vectors`](super::vectors).
//!
//! A line of the output belongs to one task. Dots are sums over many lines, so these are shared out: a task has some rows, and sums of its own,
//! which are added up in the order of the rows. A sum in a register grows by one number of each vector until the task's
//! rows are done, so a task has few enough rows that such a sum loses no more digits than a pairwise one of all would.
//!
//! **Law:** how rows are shared out depends on the sizes alone.

use super::super::blocking::{ENOUGH_TASKS, LEAST_WORK, MOST_PARTIAL};
use super::super::finish::add_up;
use super::super::scratch::{Raw, Source, for_each, piece, with_scratch};
use super::super::{Finish, Level, Real};
use super::vectors::{Dots, MOST_DOTS, MOST_PEERS, MOST_SHARED_DOTS, Pair, Row, Scaled};
use super::{Kind, Lines, Rows};
use std::ops::Range;

/// Places that one sum of dots runs over before it joins a larger sum: 512 vectors of 16.
const MOST_PLACES: usize = 1 << 13;

impl Lines {
    /// Computes the output.
    ///
    /// # Safety
    /// As [`Contraction::run`](super::super::Contraction::run); the processor has the level.
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

    /// Where the rows of a range are, one after the other.
    fn look_up(&self, range: Range<usize>) -> Vec<Row> {
        let list = |function: &super::Affine| {
            let mut values = Vec::with_capacity(range.len());
            function.append(range.clone(), 0, &mut values);
            values
        };
        let Rows { x, w, mask } = &self.rows;
        let places = list(x).into_iter().zip(list(w)).zip(list(mask));
        let row = |((x, w), mask)| Row {
            x,
            w,
            mask: mask as usize * self.row_masks,
        };
        places.map(row).collect()
    }

    /// The operands of a group, with some of the taps.
    fn pair<'a, T: Real>(
        &'a self,
        [x, w]: [&Source<T>; 2],
        group: usize,
        taps: Range<usize>,
    ) -> Pair<'a, T> {
        Pair {
            x: x.at(self.groups[0][group]),
            readable: x.pointers(),
            w: w.at(self.groups[1][group]),
            length: self.length,
            taps: &self.taps[taps.clone()],
            masks: &self.masks[taps.start % self.period..],
            mask_step: self.mask_step,
        }
    }

    /// Each task has some lines of the output.
    ///
    /// # Safety
    /// As [`Lines::run`].
    unsafe fn scale<T: Real>(
        &self,
        level: Level,
        sources: [&Source<T>; 2],
        out: Raw<T>,
        finish: Option<Finish>,
        parallel: bool,
    ) {
        let set = T::instruction_set(level);
        let per_task = (LEAST_WORK / 4 / (self.length * self.taps.len())).max(1);
        for_each(self.row_count.div_ceil(per_task), parallel, |task| {
            let rows = piece(task, per_task, self.row_count);
            let lines = Scaled {
                pair: self.pair(sources, 0, 0..self.taps.len()),
                rows: &self.look_up(rows.clone()),
                out: out.add(rows.start * self.length).0,
            };
            // SAFETY: the masks allow what the bounds do, which is in x (the caller's promise); w has no bounds; the output
            // has a line for each row, and each row belongs to one task.
            unsafe { (set.scale)(&lines) };
            if let Some(finish) = finish {
                finish(rows.start * self.length..rows.end * self.length);
            }
        });
    }

    /// Each task has some rows, and all taps and some peers of a group: as many sums at a time as there are registers for.
    ///
    /// # Safety
    /// As [`Lines::run`].
    unsafe fn dot<T: Real>(
        &self,
        level: Level,
        sources: [&Source<T>; 2],
        out: Raw<T>,
        finish: Option<Finish>,
        parallel: bool,
    ) {
        let set = T::instruction_set(level);
        let groups = self.groups[0].len();
        let (taps, peers) = (self.taps.len(), self.peers[0].len());
        let pieces = (self.row_count * self.length).div_ceil(MOST_PLACES);
        let pieces = pieces.clamp(1, (MOST_PARTIAL / self.outputs).max(1));
        let per_piece = self.row_count.div_ceil(pieces);
        let pieces = self.row_count.div_ceil(per_piece);
        let (abreast, _) = set.peers_for(peers);
        let shares = ENOUGH_TASKS.div_ceil(pieces * groups);
        let per_share = peers.div_ceil(shares).next_multiple_of(abreast);
        let shares = peers.div_ceil(per_share);
        let most = if abreast > 1 {
            MOST_SHARED_DOTS
        } else {
            MOST_DOTS
        };
        let per_call = taps.div_ceil(taps.div_ceil(most));
        with_scratch((pieces - 1) * self.outputs, |partial: Raw<T>| {
            for_each(pieces * groups * shares, parallel, |task| {
                let (task, share) = (task / shares, task % shares);
                let (rows, group) = (task / groups, task % groups);
                let to = match rows {
                    0 => out,
                    _ => partial.add((rows - 1) * self.outputs),
                };
                let to = to.add(self.groups[2][group] as usize);
                let rows = self.look_up(piece(rows, per_piece, self.row_count));
                let mut sums = [T::ZERO; MOST_PEERS * MOST_SHARED_DOTS];
                let share = piece(share, per_share, peers);
                for first in share.clone().step_by(abreast) {
                    let mine = first..(first + abreast).min(share.end);
                    // Where peers are lacking, the first one is done again, for nobody.
                    let (abreast, kernels) = set.peers_for(mine.len());
                    let mut ws = [self.peers[0][first]; MOST_PEERS];
                    ws[..mine.len()].copy_from_slice(&self.peers[0][mine.clone()]);
                    for start in (0..taps).step_by(per_call) {
                        let taps = start..(start + per_call).min(taps);
                        let mut call = Dots {
                            pair: self.pair(sources, group, taps.clone()),
                            rows: &rows,
                            peers: &ws[..abreast],
                            sums: &mut sums[..abreast * taps.len()],
                        };
                        // SAFETY: as in `scale`; w runs beside the line, without bounds; the kernel is the one for so many peers and taps.
                        unsafe { kernels[taps.len() - 1](&mut call) };
                        for (peer, sums) in mine.clone().zip(sums.chunks_exact(taps.len())) {
                            for (tap, &sum) in taps.clone().zip(sums) {
                                let at = self.peers[1][peer] + self.tap_outs[tap];
                                // SAFETY: each output of these rows has one group, one peer and one tap, hence one task.
                                unsafe { to.add(at as usize).0.write(sum) };
                            }
                        }
                    }
                }
            });
            add_up(out, partial, pieces, self.outputs, parallel, finish);
        });
    }
}
