//! # device/cpu/interpreter/places: which block each register gets
//!
//! **In:** a program. **Out:** as few blocks as its registers can share, how long they may be, and what may be written where.

use super::width;
use crate::kernel::{Inst, Level, Nest, Reg};

/// Points in a block, if few registers are alive at once; with many, down to an eighth of that.
const BLOCK: usize = 4096;
/// What a block's registers may take, in bytes. More than the first-level cache's 32 KiB, as most inputs have a place here and do not use it,
/// and since longer blocks let the processor read ahead for longer: an Adam step took 21 ms with 28 KiB, 17 with 56.
const NEAR: usize = 56 << 10;

/// For each register whether no later instruction reads memory, be it by itself or through a register that is memory.
pub(super) fn after_all_reads(nest: &Nest) -> Vec<bool> {
    let memory = |reg: Reg| {
        matches!(
            nest.lines[reg].inst,
            Inst::Load { .. } | Inst::Gather { .. } | Inst::Reduce(..)
        )
    };
    let reads = |reg: &Reg| memory(*reg) || nest.lines[*reg].inst.reads().any(memory);
    let is_store = |reg: &Reg| matches!(nest.lines[*reg].inst, Inst::Store { .. });
    let last = (0..nest.lines.len())
        .rev()
        .filter(|reg| !is_store(reg))
        .find(reads);
    (0..nest.lines.len())
        .map(|reg| last.is_none_or(|last| reg >= last))
        .collect()
}

/// Which registers are constants that only element-wise ops with several operands read.
pub(super) fn only_operands(nest: &Nest) -> Vec<bool> {
    let constant = |reg: Reg| matches!(nest.lines[reg].inst, Inst::Const { .. });
    (0..nest.lines.len())
        .map(|reg| constant(reg) && read_by_operands_only(nest, reg))
        .collect()
}

pub(super) fn read_by_operands_only(nest: &Nest, reg: Reg) -> bool {
    let users = nest
        .lines
        .iter()
        .filter(|line| line.inst.reads().any(|read| read == reg));
    users
        .into_iter()
        .all(|line| matches!(line.inst, Inst::Binary(..) | Inst::Ternary(..)))
}

/// How many points make a block, if each takes so many bytes of registers.
pub(super) fn block_for(bytes_per_point: usize) -> usize {
    let fits = NEAR / bytes_per_point.max(1);
    let power = (fits + 1).next_power_of_two() / 2; // the largest that is not more
    power.clamp(BLOCK / 8, BLOCK)
}
/// Register allocation by linear scan: a place is idle again after its register's last use.
pub(super) struct Places {
    /// bytes a point, before each register's place
    pub offsets: Vec<usize>,
    pub bytes: usize,
    /// (bytes of an element, offset)
    pub idle: Vec<(usize, usize)>,
}

impl Places {
    pub fn new(nest: &Nest) -> Places {
        Places {
            offsets: vec![0; nest.lines.len()],
            bytes: 0,
            idle: Vec::new(),
        }
    }

    pub fn take(&mut self, reg: Reg, width: usize) {
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

    pub fn assign(&mut self, nest: &Nest, order: &[Reg], live_to_the_end: impl Fn(Reg) -> bool) {
        // Of a kernel of rows all instructions are in the order, but only the inner ones share places.
        let rows = nest.has_rows();
        let shares = |reg: Reg| {
            let line = &nest.lines[reg];
            !rows || (line.level == Level::Inner && !matches!(line.inst, Inst::Store { .. }))
        };
        // For each instruction, the registers of this loop that it is the last to read, found from the end.
        let mut dying: Vec<[Option<Reg>; 3]> = vec![[None; 3]; order.len()];
        let mut alive: Vec<bool> = vec![false; nest.lines.len()]; // read further on, or not of this loop
        alive.iter_mut().enumerate().for_each(|(reg, alive)| {
            *alive = order.binary_search(&reg).is_err() || live_to_the_end(reg) || !shares(reg)
        });
        for (dying, &reg) in dying.iter_mut().zip(order).rev() {
            for (slot, read) in dying.iter_mut().zip(nest.lines[reg].inst.reads()) {
                if !std::mem::replace(&mut alive[read], true) {
                    *slot = Some(read);
                }
            }
        }
        for (dying, &reg) in dying.iter().zip(order) {
            // An op may write over an operand of its own width that is read for the last time. Not so if it reads it again and again: a
            // gather needs its index while it writes, and a spread number may be one chunk for all of the block.
            let (held, freed): (Vec<Reg>, Vec<Reg>) =
                dying.iter().flatten().partition(|&&source| {
                    matches!(nest.lines[reg].inst, Inst::Gather { .. })
                        || matches!(nest.lines[source].inst, Inst::Spread(_))
                });
            let place = |plan: &Places, source: Reg| {
                (width(nest.lines[source].dtype), plan.offsets[source])
            };
            for source in freed {
                self.idle.push(place(self, source));
            }
            if shares(reg) {
                self.take(reg, width(nest.lines[reg].dtype));
            }
            for source in held {
                self.idle.push(place(self, source));
            }
        }
    }
}
