//! # device/cpu/interpreter/places: which block each register gets
//!
//! **In:** a program. **Out:** as few blocks as its registers can share, how long they may be, and what may be written where.

use super::width;
use crate::device::cpu::strip::Part;
use crate::dtype::DType;
use crate::kernel::{Inst, Level, Line, Nest, Reg};
use crate::ops::UnaryOps;
use crate::shape::view::{View, row_major};
use std::borrow::Borrow;
use std::ops::Range;

/// Points in a block, at least and at most.
const BLOCK: Range<usize> = 512..16 << 10;
/// What a block's registers may take, in bytes: more than the first-level cache's 32 KiB, since longer blocks let the processor read ahead for
/// longer.
const NEAR: usize = 56 << 10;
/// The same for a block of short rows.
const FAR: usize = 512 << 10;

/// When each register's instruction runs, counted from 1, and when each input is read for the last time (0: never), be it by a load itself
/// or through a register that is memory; at the end, the same for the reductions.
pub(super) fn last_reads(nest: &Nest, order: &[Part]) -> (Vec<usize>, Vec<usize>) {
    let source = |reg: Reg| match nest.lines[reg].inst {
        Inst::Load { input, .. } | Inst::Gather { input, .. } => Some(input),
        Inst::Reduce(..) => Some(usize::MAX),
        _ => None,
    };
    let inputs = (0..nest.lines.len()).filter_map(source);
    let count = inputs.filter(|&input| input < usize::MAX).max();
    let mut when = vec![0; nest.lines.len()];
    let mut last = vec![0; count.map_or(0, |input| input + 1) + 1];
    for (time, &reg) in (1..).zip(order.iter().flat_map(Part::regs)) {
        when[reg] = time;
        for input in nest.lines[reg].inst.reads().chain([reg]).filter_map(source) {
            let place = input.min(last.len() - 1);
            last[place] = time;
        }
    }
    (when, last)
}

/// Which registers are computed in a strip, or gathered, and then only stored.
pub(super) fn streamable<P: Borrow<Part>>(nest: &Nest, order: &[P]) -> Vec<bool> {
    let mut streamable = vec![false; nest.lines.len()];
    let only_stored = |reg: Reg| {
        let read = |line: &&Line| line.inst.reads().any(|read| read == reg);
        let mut readers = nest.lines.iter().filter(read);
        matches!(
            readers.next(),
            Some(Line {
                inst: Inst::Store { .. },
                ..
            })
        ) && readers.next().is_none()
    };
    for part in order {
        match part.borrow() {
            Part::Strip(strip) => {
                for &reg in &strip.results {
                    streamable[reg] = !strip.reads_back(reg)
                        && nest.lines[reg].dtype == DType::Float32
                        && only_stored(reg);
                }
            }
            Part::One(reg) => {
                let gathers = matches!(nest.lines[*reg].inst, Inst::Gather { .. });
                streamable[*reg] = gathers && only_stored(*reg);
            }
        }
    }
    streamable
}

/// What a cast to a half type is made of, if all that happens to the result is that it is stored: a store rounds likewise.
pub(super) fn rounded_by_store(nest: &Nest, reg: Reg) -> Option<Reg> {
    let line = &nest.lines[reg];
    let Inst::Unary(UnaryOps::Cast(to), from) = line.inst else {
        return None;
    };
    let wide = &nest.lines[from];
    let reads = nest.lines.iter().flat_map(|line| line.inst.reads());
    let alone = reads.filter(|&read| read == reg).count() == 1;
    let rounds = to.compute() != to && wide.dtype == DType::Float32 && wide.level == line.level;
    (rounds && alone).then_some(from)
}

/// Which registers are constants that only element-wise ops with several operands read.
pub(super) fn only_operands(nest: &Nest) -> Vec<bool> {
    let constant = |reg: Reg| matches!(nest.lines[reg].inst, Inst::Const { .. });
    (0..nest.lines.len())
        .map(|reg| constant(reg) && read_by_operands_only(nest, reg))
        .collect()
}

/// Which registers are loads that only element-wise ops with several operands read.
pub(super) fn repeatable(nest: &Nest) -> Vec<bool> {
    let load = |reg: Reg| matches!(nest.lines[reg].inst, Inst::Load { .. });
    (0..nest.lines.len())
        .map(|reg| load(reg) && read_by_operands_only(nest, reg))
        .collect()
}

/// Which registers are loads that only strips read.
pub(super) fn in_strips(nest: &Nest, parts: &[&Part]) -> Vec<bool> {
    let mut in_strips: Vec<bool> = (nest.lines.iter())
        .map(|line| matches!(line.inst, Inst::Load { .. }))
        .collect();
    let mut strips = vec![false; nest.lines.len()];
    for part in parts {
        if let Part::Strip(strip) = part {
            strip.regs.iter().for_each(|&reg| strips[reg] = true);
        }
    }
    for (line, _) in nest.lines.iter().zip(&strips).filter(|(_, strip)| !**strip) {
        line.inst.reads().for_each(|read| in_strips[read] = false);
    }
    in_strips
}

/// Whether all that read a register can read one strip again and again.
pub(super) fn read_by_operands_only(nest: &Nest, reg: Reg) -> bool {
    let users = nest
        .lines
        .iter()
        .filter(|line| line.inst.reads().any(|read| read == reg));
    users
        .into_iter()
        .all(|line| matches!(line.inst, Inst::Binary(..) | Inst::Ternary(..)))
}

/// How many points make a block, if each takes so many bytes of registers. A block that lies in inputs and outputs only is limited by what
/// a task has; still, each block's beginning costs some waiting for memory: Adam took 18 ms with blocks of 1,024 points, 11 with 16,384.
pub(super) fn block_for(bytes_per_point: usize) -> usize {
    points(NEAR, bytes_per_point).clamp(BLOCK.start, BLOCK.end)
}

/// Likewise, for short rows: each of a kernel's many instructions is called once for each block and costs little more for many rows than for a
/// few, so these may fill half of the second-level cache. (Attention's softmax and a layer's normalisation: −30 %.)
pub(super) fn block_of_rows(bytes_per_point: usize) -> usize {
    points(FAR, bytes_per_point).clamp(BLOCK.start, BLOCK.end / 2)
}

fn points(bytes: usize, bytes_per_point: usize) -> usize {
    let fits = bytes / bytes_per_point.max(1);
    (fits + 1).next_power_of_two() / 2 // the largest that is not more
}

/// Whether a view shows one stretch of memory in its order.
fn is_one_stretch(view: &View) -> bool {
    let steps = view.strides.iter().zip(row_major(&view.shape));
    let mut axes = view.shape.iter().zip(steps);
    view.bounds.is_empty() && axes.all(|(&size, (&stride, step))| size == 1 || stride == step)
}

/// Registers whose blocks are hardly ever used, as they lie in an input, some of them row by row, or are computed where they are stored.
fn elsewhere(nest: &Nest, in_rows: Vec<bool>) -> Vec<bool> {
    let in_order = !nest.reduces() || nest.has_rows();
    let mut elsewhere: Vec<bool> = nest
        .lines
        .iter()
        .zip(in_rows)
        .map(|(line, in_rows)| match &line.inst {
            Inst::Load { view, .. } => {
                in_rows || (in_order || line.level == Level::Outer) && is_one_stretch(view)
            }
            _ => false,
        })
        .collect();
    for line in &nest.lines {
        if let Inst::Store { src, .. } = line.inst {
            elsewhere[src] = !matches!(nest.lines[src].inst, Inst::Reduce(..) | Inst::Spread(_));
        }
    }
    let in_memory = |line: &Line| line.dtype.compute() == line.dtype && line.level != Level::Free;
    let lines = nest.lines.iter().zip(elsewhere);
    lines
        .map(|(line, elsewhere)| elsewhere && in_memory(line))
        .collect()
}

/// Whether a load may be one strip, or one for each row, which is read again and again while the values after it are written: none of these may
/// be written over it.
fn repeats(inst: &Inst) -> bool {
    let Inst::Load { view, .. } = inst else {
        return false;
    };
    let mut axes = view.shape.iter().zip(&view.strides);
    axes.any(|(&size, &stride)| size > 1 && stride == 0)
}

/// Register allocation by linear scan: a place is idle again after its register's last use.
pub(super) struct Places {
    /// bytes a point, before each register's place
    pub offsets: Vec<usize>,
    pub bytes: usize,
    /// (bytes of an element, offset)
    pub idle: Vec<(usize, usize)>,
    /// registers that get places of their own, behind all others, since these are hardly ever used
    elsewhere: Vec<bool>,
}

impl Places {
    pub fn new(nest: &Nest, in_rows: Vec<bool>) -> Places {
        Places {
            offsets: vec![0; nest.lines.len()],
            bytes: 0,
            idle: Vec::new(),
            elsewhere: elsewhere(nest, in_rows),
        }
    }

    /// Gives the last places. Before, `bytes` is what really is in use.
    pub fn finish(&mut self, nest: &Nest) {
        for (reg, line) in nest.lines.iter().enumerate() {
            if self.elsewhere[reg] {
                self.offsets[reg] = self.bytes;
                self.bytes += width(line.dtype);
            }
        }
    }

    pub fn take(&mut self, reg: Reg, width: usize) {
        if self.elsewhere[reg] {
            return;
        }
        let reuse = self.idle.iter().rposition(|&(w, _)| w == width);
        self.offsets[reg] = match reuse {
            Some(position) => self.idle.remove(position).1,
            None => {
                // Times the block's length, a multiple of 64, every place begins at a cache line.
                self.bytes += width;
                self.bytes - width
            }
        };
    }

    pub fn assign<P: Borrow<Part>>(
        &mut self,
        nest: &Nest,
        order: &[P],
        live_to_the_end: impl Fn(Reg) -> bool,
    ) {
        // Of a kernel of rows all instructions are in the order, but only the inner ones share places. A spread number may be one strip, read
        // again and again while the values after it are written; what stays within a strip needs no block.
        let rows = nest.has_rows();
        let mut shares: Vec<bool> = vec![false; nest.lines.len()];
        let mut instructions: Vec<Reg> = Vec::new();
        for part in order {
            for &reg in part.borrow().regs() {
                instructions.push(reg);
                shares[reg] = match part.borrow() {
                    Part::One(reg) => !matches!(nest.lines[*reg].inst, Inst::Spread(_)),
                    Part::Strip(strip) => strip.results.contains(&reg),
                } && (!rows || nest.lines[reg].level == Level::Inner);
            }
        }
        // For each instruction, the registers of this loop that it is the last to read, found from the end.
        let mut dying: Vec<[Option<Reg>; 3]> = vec![[None; 3]; instructions.len()];
        // read further on, or without a place that could be given away
        let mut alive: Vec<bool> = (0..nest.lines.len())
            .map(|reg| {
                let stays = live_to_the_end(reg) || repeats(&nest.lines[reg].inst);
                !shares[reg] || self.elsewhere[reg] || stays
            })
            .collect();
        for (dying, &reg) in dying.iter_mut().zip(&instructions).rev() {
            for (slot, read) in dying.iter_mut().zip(nest.lines[reg].inst.reads()) {
                if !std::mem::replace(&mut alive[read], true) {
                    *slot = Some(read);
                }
            }
        }
        for (dying, &reg) in dying.iter().zip(&instructions) {
            let place = |plan: &Places, source: Reg| {
                (width(nest.lines[source].dtype), plan.offsets[source])
            };
            let freed: Vec<(usize, usize)> = dying
                .iter()
                .flatten()
                .map(|&source| place(self, source))
                .collect();
            // An op may write over an operand of its own width that is read for the last time. Not so a gather, which needs its index while
            // it writes.
            let holds = matches!(nest.lines[reg].inst, Inst::Gather { .. });
            if !holds {
                self.idle.extend(&freed);
            }
            if shares[reg] {
                self.take(reg, width(nest.lines[reg].dtype));
            }
            if holds {
                self.idle.extend(&freed);
            }
        }
    }
}
