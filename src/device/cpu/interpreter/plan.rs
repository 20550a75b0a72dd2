//! # device/cpu/interpreter/plan: an interpreter for a kernel
//!
//! **In:** a kernel, and which of its instructions something else sees to: products of a contraction, sums that strips add up. **Out:** an
//! [`Interpreter`]: its instructions in strips, a block for each register, a way along memory for each load. **Above:** `nest` (two loops),
//! `rows` (whole rows). **Below:** `places`, `strip`, `walk` with its tables and columns.
//!
//! All of this is decided once for a kernel, as nothing of it depends on where its inputs lie; the interpreter then runs it over any points.

use super::places::{
    Places, block_for, block_of_rows, in_strips, last_reads, only_operands, read_by_operands_only,
    repeatable, rounded_by_store, streamable,
};
use super::{Interpreter, Running, bring, width};
use crate::device::cpu::panel::Columns;
use crate::device::cpu::strip::{Part, STRIP, parts};
use crate::device::cpu::table::Table;
use crate::device::cpu::walk::{Axes, Walk};
use crate::kernel::{Inst, Kernel, Level, Line, Nest, Reg};

/// Points left free between two registers' blocks. Blocks exactly 4 KiB apart would share the few cache lines that a processor keeps for
/// addresses with equal low bits, and a load would have to wait for every store that looks like one to its own address.
const STAGGER: usize = 32;
/// Rows of so many points are blocks of their own.
const LONG: usize = 1024;

/// Registers that need a place for one strip.
fn kept<'a>(parts: impl Iterator<Item = &'a Part>) -> impl Iterator<Item = Reg> {
    parts.flat_map(|part| {
        match part {
            Part::One(_) => &[],
            Part::Strip(strip) => &strip.kept[..],
        }
        .iter()
        .copied()
    })
}

impl Interpreter {
    /// Sorts instructions by loop and gives each register a place. `products` are not computed; their factors stay until the end instead.
    /// `sums` are added up by strips of the inner loop.
    pub fn new(
        kernel: &Kernel,
        walks: Vec<Option<Box<Walk>>>,
        products: &[(Reg, [Reg; 2])],
        sums: &[Reg],
    ) -> Interpreter {
        let nest = kernel.nest();
        let of = |level: Level| {
            let matches = |reg: &Reg| match nest.lines[*reg].inst {
                Inst::Store { .. } => false,
                Inst::Reduce(..) => level == Level::Inner && sums.contains(reg),
                _ => nest.lines[*reg].level == level,
            };
            (0..nest.lines.len()).filter(matches).collect::<Vec<Reg>>()
        };
        let (free, inner, outer) = (of(Level::Free), of(Level::Inner), of(Level::Outer));
        let stores = nest.lines.iter().filter_map(|line| match line.inst {
            Inst::Store { output, src } => Some((src, output)),
            _ => None,
        });
        let mut stores: Vec<(Reg, usize)> = stores.collect();
        let mut outer = outer;
        if let [(src, _)] = &mut stores[..]
            && let Some(wide) = rounded_by_store(nest, *src)
        {
            outer.retain(|reg| reg != src);
            *src = wide;
        }
        let reductions =
            (0..nest.lines.len()).filter(|&reg| matches!(nest.lines[reg].inst, Inst::Reduce(..)));
        // The interpreter's law 3: places for keeps first, then each loop from there on.
        let in_rows = |(walk, line): (&Option<Box<Walk>>, &Line)| {
            let walk = walk.as_deref().filter(|_| line.level == Level::Inner);
            !sums.is_empty() && walk.is_some_and(|walk| bring::is_in_rows(walk, &walk.reduced))
        };
        let in_rows = walks.iter().zip(&nest.lines).map(in_rows).collect();
        let mut plan = Places::new(nest, in_rows);
        let repeated = only_operands(nest);
        let (mut strips, blocks): (Vec<Reg>, Vec<Reg>) =
            free.into_iter().partition(|&reg| repeated[reg]);
        for reg in blocks.into_iter().chain(reductions) {
            plan.take(reg, width(nest.lines[reg].dtype));
        }
        let for_keeps = plan.bytes;
        let inner: Vec<Reg> = (inner.into_iter())
            .filter(|reg| products.iter().all(|(product, _)| product != reg))
            .collect();
        let (inner, outer) = (parts(nest, &inner), parts(nest, &outer));
        strips.extend(kept(inner.iter().chain(&outer)));
        // What is reduced after the loop's instructions. (A list, as kernels of thousands of instructions ask for each of them.)
        let mut reduced = vec![false; nest.lines.len()];
        for (sum, line) in nest.lines.iter().enumerate() {
            if let Inst::Reduce(_, src) = line.inst
                && !sums.contains(&sum)
            {
                reduced[src] = true;
            }
        }
        for &reg in products.iter().flat_map(|(_, factors)| factors) {
            reduced[reg] = true;
        }
        plan.assign(nest, &inner, |reg| reduced[reg]);
        let after_inner = plan.bytes;
        (plan.bytes, plan.idle) = (for_keeps, Vec::new());
        plan.assign(nest, &outer, |reg| {
            stores.iter().any(|&(src, _)| src == reg)
        });
        plan.bytes = after_inner.max(plan.bytes);
        let block = block_for(plan.bytes);
        plan.finish(nest);
        Interpreter {
            inner,
            outer,
            stores,
            ..Interpreter::with_places(kernel, walks, plan, repeated, (&strips, sums), block)
        }
        .in_order(nest)
    }

    /// Notes when memory is read for the last time.
    fn in_order(mut self, nest: &Nest) -> Interpreter {
        (self.when, self.last_reads) = last_reads(nest, &self.outer);
        self.streamable = streamable(nest, &self.outer);
        let parts: Vec<&Part> = self.inner.iter().chain(&self.outer).collect();
        self.in_strips = in_strips(nest, &parts);
        self
    }

    /// For a kernel of rows, whose instructions run in the order of these parts: each along its own level's whole space. A block is `rows` rows
    /// of `length` points, as many as fit; registers of the inner level have room for all of its points.
    /// With sums that strips add up, a block is one row.
    pub fn for_rows(kernel: &Kernel, order: &[&Part], length: usize, sums: &[Reg]) -> Interpreter {
        let nest = kernel.nest();
        let walks = nest.lines.iter().map(|line| {
            let view = line.inst.view()?;
            Some(Box::new(Walk::new(view, view.shape.len())))
        });
        let in_rows = |(walk, line): (&Option<Box<Walk>>, &Line)| {
            let walk = walk.as_deref().filter(|_| line.level == Level::Inner);
            !sums.is_empty() && walk.is_some_and(|walk| bring::is_in_rows(walk, &walk.outer))
        };
        let walks: Vec<Option<Box<Walk>>> = walks.collect();
        let in_rows = walks.iter().zip(&nest.lines).map(in_rows).collect();
        let mut plan = Places::new(nest, in_rows);
        let mut strips: Vec<Reg> = kept(order.iter().copied()).collect();
        let mut repeated = only_operands(nest);
        for (reg, line) in nest.lines.iter().enumerate() {
            match line.level {
                Level::Inner if matches!(line.inst, Inst::Spread(_)) => {
                    plan.take(reg, width(line.dtype))
                }
                Level::Inner => {}
                Level::Free if repeated[reg] => strips.push(reg),
                _ if matches!(line.inst, Inst::Store { .. }) => {}
                Level::Free | Level::Outer => plan.take(reg, width(line.dtype)),
            }
        }
        let stored = |reg: Reg| {
            let stores = |line: &Line| matches!(line.inst, Inst::Store { src, .. } if src == reg);
            nest.lines.iter().any(stores)
        };
        plan.assign(nest, order, stored);
        let points = if length < LONG {
            block_of_rows(plan.bytes)
        } else {
            block_for(plan.bytes)
        };
        let rows = match sums {
            [] => (points / length).max(1),
            _ => 1,
        };
        plan.finish(nest);
        for (reg, line) in nest.lines.iter().enumerate() {
            // A row's sum is one number for all of a block's points if the block is one row.
            if rows == 1 && matches!(line.inst, Inst::Spread(_)) {
                repeated[reg] = read_by_operands_only(nest, reg);
            }
        }
        Interpreter::with_places(
            kernel,
            walks,
            plan,
            repeated,
            (&strips, sums),
            rows * length,
        )
        .streaming(nest, order)
    }

    fn streaming(mut self, nest: &Nest, order: &[&Part]) -> Interpreter {
        self.streamable = streamable(nest, order);
        self.in_strips = in_strips(nest, order);
        self
    }

    fn with_places(
        kernel: &Kernel,
        walks: Vec<Option<Box<Walk>>>,
        plan: Places,
        repeated: Vec<bool>,
        (strips, sums): (&[Reg], &[Reg]),
        block: usize,
    ) -> Interpreter {
        let nest = kernel.nest();
        // In whole cache lines.
        let room = (block + STAGGER).next_multiple_of(64);
        let mut offsets: Vec<usize> = plan.offsets.iter().map(|&offset| offset * room).collect();
        let mut bytes = plan.bytes * room;
        for &reg in strips {
            offsets[reg] = bytes;
            bytes += STRIP * width(nest.lines[reg].dtype);
        }
        let mut lanes = vec![0; nest.lines.len()];
        for &reg in sums {
            lanes[reg] = bytes;
            bytes += STRIP * width(nest.lines[reg].dtype);
        }
        let running = |(walk, line): (&Option<Box<Walk>>, &Line)| {
            // Halves are widened while they are loaded, a run at a time.
            let tabulate = matches!(line.inst, Inst::Load { .. } | Inst::Valid { .. })
                && line.dtype.compute() == line.dtype;
            let prepare = |walk: &Walk, axes: &Axes| {
                let merged = axes.merged();
                let table = || Table::new(&merged, &walk.start, &walk.limits);
                Running {
                    table: tabulate.then(table).flatten(),
                    columns: match line.inst {
                        Inst::Load { .. } if tabulate => Columns::new(&merged),
                        _ => None,
                    },
                    axes: merged,
                }
            };
            walk.as_ref()
                .map(|walk| Box::new([prepare(walk, &walk.outer), prepare(walk, &walk.reduced)]))
        };
        let lines: Vec<_> = walks.iter().zip(&nest.lines).map(running).collect();
        Interpreter {
            block,
            inner: Vec::new(),
            outer: Vec::new(),
            stores: Vec::new(),
            walks,
            when: Vec::new(),
            last_reads: Vec::new(),
            streamable: Vec::new(),
            repeated,
            repeatable: repeatable(nest),
            in_strips: Vec::new(),
            first_of_row: bring::first_of_row(nest, &lines),
            lengths: kernel.inputs.iter().map(|input| input.len).collect(),
            lines,
            offsets,
            lanes,
            bytes,
        }
    }
}
