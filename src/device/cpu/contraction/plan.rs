//! # device/cpu/contraction/plan: tiles of a product of matrices, as they will be run
//!
//! **In:** a loop nest's axes by the part they play. **Out:** which side is wide, how each gets to the kernels, where results go, and how all of it
//! is cut up. **Above:** [`Contraction`](super::Contraction). **Below:** `blocking` and [`packing`](crate::device::cpu::packing); `tasks` carries it out.
//!
//! **Law:** a plan is a function of the views and of the instruction set.

use super::Axes;
use super::blocking::{Blocking, Extents, StagedBlock, cost};
use crate::device::cpu::microkernel::{InstructionSet, Real};
use crate::device::cpu::packing::{Affine, Operand, Roles, Staged};
use crate::shape::view::{View, row_major};

/// With fewer steps than this, the output is what takes the time, and it is written best when some columns take all rows' results.
const FEW_STEPS: usize = 16;
/// With fewer columns than this, loading windows from where they are costs less than staging them: with 16, staging takes an eighth of the time.
pub(super) const FEW_COLUMNS: usize = 32;

/// Where results go: out[batch, wide, narrow] = batches + wide + narrow, a sum like every address.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub batches: Vec<isize>,
    pub wide: Affine,
    pub narrow: Affine,
}

/// A product of matrices, in tiles: see the [module](self).
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// whether b is the wide side
    pub swapped: bool,
    pub size: Extents,
    pub wide: Operand,
    pub narrow: Operand,
    pub supply: Supply,
    pub destination: Destination,
    pub blocking: Blocking,
}

/// How the wide side gets to the kernels, see [`packing`](crate::device::cpu::packing).
#[derive(Clone, Debug)]
pub(super) enum Supply {
    Packed,
    /// loaded from where it is, without packing it
    InPlace,
    /// loaded from where its lines have been packed
    Staged(Box<Staged>),
}

impl Plan {
    pub fn new<T: Real>(
        set: &InstructionSet<T>,
        [outer, reduced]: [&[usize]; 2],
        [a, b]: [&View; 2],
        mut axes: Axes,
    ) -> Plan {
        let sizes = [outer, reduced].concat();
        let count = |axes: &[usize]| Axes::count(axes, &sizes);
        let [batch, m, n, k] = [&axes.batch, &axes.m, &axes.n, &axes.k].map(|axes| count(axes));
        // The wide side should own the output's innermost axes, as far as a vector reaches, so that results are stored as vectors.
        // Sizes that waste much of the tile (10 classes on the wide side) can outweigh that: storing one by one costs about 1.5
        // cycles each.
        let scattered = |wide_axes: &[usize]| {
            let inner = (0..outer.len()).rev().filter(|&axis| sizes[axis] != 1);
            let owned = inner.take_while(|axis| wide_axes.contains(axis));
            let run: usize = owned.map(|axis| sizes[axis]).product();
            if run >= set.lanes.min(count(wide_axes)) && run > 1 {
                0
            } else {
                3 * m * n / 2
            }
        };
        let wide_a = cost(set, m, n) * k + scattered(&axes.m);
        let wide_b = cost(set, n, m) * k + scattered(&axes.n);
        let swapped = wide_b < wide_a || (wide_b == wide_a && n > m);
        // Sums may run over K in any order, and the narrow side's columns may come in any order: that of memory is best.
        axes.k
            .sort_by_key(|&axis| std::cmp::Reverse(tightness(&[a, b], axis)));
        let (wide_view, narrow_view) = if swapped { (b, a) } else { (a, b) };
        let (wide_axes, narrow_axes) = if swapped {
            (&mut axes.n, &mut axes.m)
        } else {
            (&mut axes.m, &mut axes.n)
        };
        narrow_axes.sort_by_key(|&axis| std::cmp::Reverse(tightness(&[narrow_view], axis)));
        let size = Extents {
            batch,
            wide: count(wide_axes),
            narrow: count(narrow_axes),
            k,
        };
        let out_strides = [row_major(outer), vec![0; reduced.len()]].concat();
        let tabulate = |axes: &[usize]| Affine::tabulate(axes, &sizes, &[&out_strides]).remove(0);
        let mut batches = Vec::with_capacity(batch);
        tabulate(&axes.batch).append(0..batch, 0, &mut batches);
        let roles = |rows| Roles {
            sizes: &sizes,
            rows,
            steps: &axes.k,
            batches: &axes.batch,
        };
        let wide = Operand::new(wide_view, &roles(wide_axes));
        let staged = if k >= FEW_STEPS && size.narrow >= FEW_COLUMNS {
            let staged = Staged::new(wide_view, &roles(wide_axes));
            staged.and_then(|staged| Some((StagedBlock::new(set, size, staged.reach())?, staged)))
        } else {
            None
        };
        let blocking = Blocking::new(set, size, staged.as_ref().map(|(block, _)| *block));
        let supply = if let Some((_, mut staged)) = staged {
            staged.lay_out(blocking.wide_block);
            Supply::Staged(Box::new(staged))
        } else {
            // Numbers that windows share would be packed once for each window; and with few columns, packing any costs more than it gains.
            let (low, high) = wide_view.extent().unwrap_or((0, 0));
            let overlaps = 2 * (high - low + 1) as usize <= size.batch * size.wide * k;
            let few = if overlaps { 4 } else { 1 } * set.most_columns();
            let in_place = set.faultless
                && k >= FEW_STEPS
                && wide.in_place().is_some_and(|run| {
                    size.narrow <= few || overlaps && run >= 2 * blocking.wide_panel
                });
            match in_place {
                true => Supply::InPlace,
                false => Supply::Packed,
            }
        };
        Plan {
            swapped,
            size,
            wide,
            supply,
            narrow: Operand::new(narrow_view, &roles(narrow_axes)),
            destination: Destination {
                batches,
                wide: tabulate(wide_axes),
                narrow: tabulate(narrow_axes),
            },
            blocking,
        }
    }

    /// Bytes of its tables.
    pub fn bytes(&self) -> usize {
        let Destination {
            batches,
            wide,
            narrow,
        } = &self.destination;
        let destination = size_of_val(&batches[..]) + wide.bytes() + narrow.bytes();
        let staged = match &self.supply {
            Supply::Staged(staged) => staged.bytes(),
            Supply::Packed | Supply::InPlace => 0,
        };
        self.wide.bytes() + self.narrow.bytes() + staged + destination
    }

    /// What runs, in words.
    pub fn describe(&self) -> String {
        let Extents {
            batch,
            wide,
            narrow,
            k,
        } = self.size;
        let Blocking {
            wide_panel,
            narrow_panel,
            depth,
            ..
        } = self.blocking;
        let rows = match &self.supply {
            Supply::Packed => self.wide.method(),
            Supply::InPlace => "in place",
            Supply::Staged(_) => "staged",
        };
        let columns = self.narrow.method();
        format!(
            "{batch}×[{wide} {rows} × {narrow} {columns} × {k}], {wide_panel}×{narrow_panel} tiles of {depth} steps"
        )
    }
}

/// The smaller, the tighter an axis is packed in the views: 1 for neighbours, 0 strides last.
fn tightness(views: &[&View], axis: usize) -> usize {
    views
        .iter()
        .map(|view| view.strides[axis].unsigned_abs())
        .filter(|&stride| stride != 0)
        .min()
        .unwrap_or(usize::MAX)
}
