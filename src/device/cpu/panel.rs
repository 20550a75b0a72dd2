//! # device/cpu/panel: columns of memory, read as rows
//!
//! **In:** an array that a kernel reads across its rows, as a transposed matrix is. **Out:** some rows at a time, in the order in which the kernel
//! wants them. **Above:** `interpreter`. **Below:** `simd`.
//!
//! ```text
//!   memory:  a b c d …     the kernel's rows:  a e i m …        each number of a row is in another cache line
//!            e f g h …                         b f j n …        (64 bytes: sixteen numbers), and the next row wants
//!            i j k l …                         ⋮                the neighbours of them all
//!            m n o p …
//! ```
//!
//! Read one by one, each cache line would be fetched sixteen times, since a row touches more lines than a cache holds (with a power of two
//! between them, most fall into the same few places of it, too). So sixteen rows and more are fetched together: a tile of 16 × 16 numbers
//! is read as 16 whole lines, turned, and written as 16 whole lines into a *panel*, which stays in the second-level cache until its
//! rows have been used up.
//!
//! Measured: a 4096 × 4096 matrix made contiguous took 59 ms number by number, and 17 by panels.
//!
//! Law: a panel is filled from its first row to its last when the first of its points is asked for; it is never used for another array.

use super::interpreter::Room;
use super::simd::prefetch;
use super::simd::{Hot, Isa, turn, vectorize};
use super::walk::{Axes, Base, unravel_into};
use std::ops::Range;

/// Numbers along a tile's sides: a cache line of f32.
const TILE: usize = 16;
/// How many columns before they are needed lines are asked for.
const AHEAD: usize = 4 * TILE;
/// Points of a panel, about: 256 KiB of f32, a quarter of a second-level cache.
const POINTS: usize = 1 << 16;
/// Rows shorter than this are left to tables, longer ones would make a panel too large for any cache.
const ROWS: Range<usize> = 32..(1 << 14);

/// How an array's columns are read as rows: the last two axes of its walk.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// points of a row
    row: usize,
    /// how many rows lie side by side in memory
    side: usize,
    /// rows of a panel
    together: usize,
    /// from a row's point to the next
    stride: isize,
}

/// Some rows, in order.
#[derive(Default)]
pub struct Panel {
    memory: Option<Room>,
    points: Range<usize>,
}

impl Columns {
    /// If neighbours in memory belong to neighbouring rows, and each row's own points lie far apart.
    pub fn new(axes: &Axes) -> Option<Columns> {
        let [.., side, row] = axes.sizes[..] else {
            return None;
        };
        let [.., 1, stride] = axes.strides[..] else {
            return None;
        };
        let far = stride.unsigned_abs() >= TILE;
        let worthwhile = far && ROWS.contains(&row) && side >= TILE && axes.coefs.is_empty();
        let together = (POINTS / row).next_multiple_of(TILE).min(side);
        worthwhile.then_some(Columns {
            row,
            side,
            together,
            stride,
        })
    }

    /// Points of a whole panel.
    pub fn points(&self) -> usize {
        self.together * self.row
    }

    /// Brings a range of points to `dst`, or tells where they are already, in order.
    ///
    /// # Safety
    /// All points of the walk are inside `memory`, whose elements have `T`'s size, and `dst` has room for the range's.
    pub unsafe fn bring<T: Copy + Default>(
        &self,
        memory: *const u8,
        (axes, base): (&Axes, &Base),
        range: Range<usize>,
        panel: &mut Panel,
        dst: *mut u8,
    ) -> *mut u8 {
        let (memory, mut to, mut at) = (memory.cast::<T>(), dst.cast::<T>(), range.start);
        while at < range.end {
            if !panel.points.contains(&at) {
                // SAFETY: the caller's.
                unsafe { self.fill(memory, (axes, base), at, panel) };
            }
            let room = panel
                .memory
                .as_mut()
                .expect("a panel that has points has memory");
            let from = room
                .start()
                .cast::<T>()
                .wrapping_add(at - panel.points.start);
            let take = panel.points.end.min(range.end) - at;
            if take == range.len() {
                return from.cast();
            }
            // SAFETY: so many points are left in the panel, and `dst` has room for all of the range.
            unsafe { std::ptr::copy_nonoverlapping(from, to, take) };
            (to, at) = (to.wrapping_add(take), at + take);
        }
        dst
    }

    /// Fills a panel with the rows around a point.
    ///
    /// # Safety
    /// As for [`Columns::bring`].
    unsafe fn fill<T: Copy + Default>(
        &self,
        memory: *const T,
        (axes, base): (&Axes, &Base),
        at: usize,
        panel: &mut Panel,
    ) {
        let row = at / self.row;
        let (group, first) = (
            row / self.side,
            row % self.side / self.together * self.together,
        );
        let rows = self.together.min(self.side - first);
        let front = axes.sizes.len() - 2;
        let mut point = vec![0; axes.sizes.len()];
        unravel_into(group, &axes.sizes[..front], &mut point[..front]);
        point[front] = first;
        let from = axes.shifted(base, &point).address;
        let start = (group * self.side + first) * self.row;
        panel.points = start..start + rows * self.row;
        let lines = (self.points() * size_of::<T>()).div_ceil(64) + 1;
        let room = panel.memory.get_or_insert_with(|| Room::new(lines));
        vectorize(Turn {
            from: memory.wrapping_offset(from),
            stride: self.stride,
            to: room.start().cast::<T>(),
            rows,
            row: self.row,
        });
    }
}

/// to[r][c] = from[c · stride + r] for r < rows, c < row. Made by [`Columns::fill`] alone, with room for all of it.
struct Turn<T> {
    from: *const T,
    stride: isize,
    to: *mut T,
    rows: usize,
    row: usize,
}

impl<T: Copy + Default> Hot for Turn<T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let from = |r: usize, c: usize| {
            self.from
                .wrapping_offset(self.stride * c as isize)
                .wrapping_add(r)
        };
        let to = |r: usize, c: usize| self.to.wrapping_add(r * self.row + c);
        for c in (0..self.row).step_by(TILE) {
            for r in (0..self.rows).step_by(TILE) {
                if c + TILE > self.row || r + TILE > self.rows {
                    for c in c..(c + TILE).min(self.row) {
                        for r in r..(r + TILE).min(self.rows) {
                            // SAFETY: a point of the array, and its place in the panel.
                            unsafe { *to(r, c) = from(r, c).read_unaligned() };
                        }
                    }
                    continue;
                }
                // Each line lies in a page of its own, which no processor foresees: so say it, a few tiles before.
                for i in 0..TILE {
                    prefetch(from(r, c + AHEAD + i).cast(), 1);
                }
                let mut tile = [[T::default(); TILE]; TILE];
                if size_of::<T>() == size_of::<f32>() {
                    for (i, j) in
                        (0..TILE / 4).flat_map(|i| (0..TILE / 4).map(move |j| (4 * i, 4 * j)))
                    {
                        // SAFETY: four neighbours in each of four columns, whatever their bits mean; four places in each of four lines.
                        unsafe {
                            let lines =
                                turn(std::array::from_fn(|k| from(r + j, c + i + k).cast()));
                            for (line, numbers) in tile[j..j + 4].iter_mut().zip(lines) {
                                line.as_mut_ptr()
                                    .add(i)
                                    .cast::<[f32; 4]>()
                                    .write_unaligned(numbers);
                            }
                        }
                    }
                } else {
                    for i in 0..TILE {
                        // SAFETY: sixteen rows' points in this column lie side by side.
                        let column = unsafe { from(r, c + i).cast::<[T; TILE]>().read_unaligned() };
                        for (line, number) in tile.iter_mut().zip(column) {
                            line[i] = number;
                        }
                    }
                }
                for (j, line) in tile.into_iter().enumerate() {
                    // SAFETY: sixteen places of one row of the panel.
                    unsafe { to(r + j, c).cast::<[T; TILE]>().write_unaligned(line) };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::cpu::walk::Walk;
    use crate::shape::view::View;

    #[test]
    fn a_panel_shows_what_the_view_shows() {
        let numbers: Vec<u32> = (0..3 * 70 * 130).collect();
        // Whole and ragged tiles, one panel and several, with an axis in front.
        for view in [
            View::contiguous(&[130, 210]).permute(&[1, 0]),
            View::contiguous(&[3, 70, 130]).permute(&[0, 2, 1]),
            View::contiguous(&[3, 70, 130])
                .permute(&[2, 0, 1])
                .reshape(&[130, 210])
                .unwrap(),
        ] {
            let walk = Walk::new(&view, view.shape.len());
            let axes = walk.outer.merged();
            let columns = Columns::new(&axes).unwrap();
            let columns = Columns {
                together: 32,
                ..columns
            };
            let all = view.addresses();
            let mut panel = Panel::default();
            for range in [0..100, 100..1000, 1000..all.len(), 5..6, 4000..12000] {
                let mut room = vec![0u32; range.len()];
                // SAFETY: the view is inside `numbers`, and there is room for the range.
                let values = unsafe {
                    let at = columns.bring::<u32>(
                        numbers.as_ptr().cast(),
                        (&axes, &walk.start),
                        range.clone(),
                        &mut panel,
                        room.as_mut_ptr().cast(),
                    );
                    std::slice::from_raw_parts(at.cast::<u32>(), range.len()).to_vec()
                };
                let expected: Vec<u32> = all[range].iter().map(|a| a.unwrap() as u32).collect();
                assert_eq!(values, expected, "{view:?}");
            }
        }
    }

    #[test]
    fn rows_that_lie_in_order_need_no_panel() {
        let columns =
            |view: View| Columns::new(&Walk::new(&view, view.shape.len()).outer.merged()).is_some();
        assert!(columns(View::contiguous(&[64, 64]).permute(&[1, 0])));
        assert!(!columns(View::contiguous(&[64, 64])));
        assert!(!columns(View::contiguous(&[64, 8]).permute(&[1, 0]))); // eight rows fill half a cache line
        assert!(!columns(
            View::contiguous(&[64, 64])
                .permute(&[1, 0])
                .pad(&[(1, 0), (0, 0)])
        ));
    }
}
