//! # device/cpu/contraction/tiles: panels, multiplied each with each
//!
//! **In:** packed panels, or rows where they are, and the output's addresses. **Out:** products, added to the output or written over it.
//! **Above:** `tasks`. **Below:** the kernels.

use super::Real;
use super::blocking::Blocking;
use super::plan::Plan;
use super::tasks::Job;
use crate::device::cpu::microkernel::{MOST_COLUMNS, Tile};
use crate::device::cpu::packing::{InPlace, MOST_ROWS};

/// The packed narrow operand, and where its products with the wide one go.
pub(super) struct Tiles<'a, T> {
    pub depth: usize,
    pub narrow: *const T,
    pub out: *mut T,
    pub accumulate: bool,
    /// the output's address for each row and column, and whether a panel's rows are neighbours there
    pub rows: &'a [isize],
    pub columns: &'a [isize],
    pub straight: &'a [bool],
}

impl<'a, T> Tiles<'a, T> {
    /// The columns of each narrow panel.
    fn columns_of(&self, plan: &Plan) -> impl Iterator<Item = (usize, &'a [isize])> + use<'a, T> {
        self.columns.chunks(plan.blocking.narrow_panel).enumerate()
    }
}

impl<T: Real> Job<'_, T> {
    /// Multiplies packed panels, each with each. One narrow panel stays in the nearest caches while all wide ones pass by.
    ///
    /// # Safety
    /// The panels hold `depth` steps; out + row + column may be read and written for each of `rows` and `columns`, by nobody else.
    pub(super) unsafe fn multiply(&self, tiles: &Tiles<T>, wide: *const T) {
        let wide_panel = self.plan.blocking.wide_panel;
        for (j, columns) in tiles.columns_of(self.plan) {
            let (tile_columns, kernels) = self.set.at_least(columns.len());
            for (i, rows) in tiles.rows.chunks(wide_panel).enumerate() {
                let vectors = rows.len().div_ceil(self.set.lanes);
                let wide = wide.wrapping_add(i * tiles.depth * wide_panel);
                let run = |tile: &Tile<T>| {
                    let tile = Tile { wide, ..*tile };
                    // SAFETY: the panels are as promised, and the tile lies where `place` says.
                    unsafe { kernels[vectors - 1](&tile) }
                };
                // SAFETY: the caller's promise.
                unsafe { self.place(tiles, [i, j], columns, tile_columns, run) };
            }
        }
    }

    /// Multiplies rows that lie where they are with all narrow panels. They are loaded for each of these anew, out of the L1 cache.
    ///
    /// # Safety
    /// As [`Job::multiply`], and what the operand's masks allow may be read.
    pub(super) unsafe fn multiply_in_place(&self, tiles: &Tiles<T>, i: usize, wide: &InPlace<T>) {
        let rows = tiles.rows.len() - i * self.plan.blocking.wide_panel;
        let vectors = rows
            .min(self.plan.blocking.wide_panel)
            .div_ceil(self.set.lanes);
        for (j, columns) in tiles.columns_of(self.plan) {
            let (tile_columns, kernel) = self
                .set
                .at_least_in_place(columns.len(), [vectors, wide.pieces]);
            // SAFETY: as in `multiply`.
            let run = |tile: &Tile<T>| unsafe { kernel(tile, wide) };
            // SAFETY: the caller's promise.
            unsafe { self.place(tiles, [i, j], columns, tile_columns, run) };
        }
    }

    /// Lets a kernel compute a tile either in the output, as the kernel writes it, or beside it, and then only the numbers that
    /// belong into the output get there.
    ///
    /// # Safety
    /// As [`Job::multiply`]; `run` runs a kernel with so many columns on the tile that it is given.
    unsafe fn place(
        &self,
        tiles: &Tiles<T>,
        [i, j]: [usize; 2],
        columns: &[isize],
        tile_columns: usize,
        run: impl Fn(&Tile<T>),
    ) {
        let Blocking {
            wide_panel,
            narrow_panel,
            ..
        } = self.plan.blocking;
        let rows = &tiles.rows[i * wide_panel..];
        let rows = &rows[..rows.len().min(wide_panel)];
        let tile_rows = rows.len().next_multiple_of(self.set.lanes);
        let tile = Tile {
            depth: tiles.depth,
            wide: std::ptr::null(),
            wide_step: wide_panel,
            narrow: tiles.narrow.wrapping_add(j * tiles.depth * narrow_panel),
            narrow_step: narrow_panel,
            out: tiles.out.wrapping_offset(rows[0]),
            columns: columns.as_ptr(),
            accumulate: tiles.accumulate,
        };
        if tiles.straight[i] && rows.len() == tile_rows && columns.len() == tile_columns {
            return run(&tile);
        }
        let mut corner = [T::ZERO; MOST_ROWS * MOST_COLUMNS];
        let beside: [isize; MOST_COLUMNS] = std::array::from_fn(|n| (n * tile_rows) as isize);
        run(&Tile {
            out: corner.as_mut_ptr(),
            columns: beside.as_ptr(),
            accumulate: false,
            ..tile
        });
        for (column, sums) in columns.iter().zip(corner.chunks_exact(tile_rows)) {
            for (row, sum) in rows.iter().zip(sums) {
                let to = tiles.out.wrapping_offset(column + row);
                // SAFETY: the caller promises the output's elements.
                unsafe { *to = if tiles.accumulate { *to + *sum } else { *sum } };
            }
        }
    }
}
