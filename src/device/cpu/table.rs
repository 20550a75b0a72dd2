//! # device/cpu/table: short rows as one indexed copy
//!
//! **In:** a space whose rows are short (a 2×2 window, a 13×13 image) or spaced (every other number), and a range of its points. **Out:** their
//! elements, or whether their bounds hold. **Above:** `interpreter`. **Below:** `simd`. **Beside:** `walk`, which does the same for long rows.
//!
//! A short row is over before a run has been set up. But short rows repeat: the last axes of the space, up to a few thousand points, look
//! the same from every point of the axes in front. So their addresses are written into a table once, when the kernel is made, and a
//! block of elements is one loop over the table: an address from the table, an element from memory.
//!
//! And neighbouring points are mostly near each other in memory, in whatever order. So the table also says which points follow each other
//! within 32 numbers. These are *picked* at once: two vectors of sixteen are read, one instruction chooses, sixteen numbers are written. (One
//! vector is enough if all are within 16 numbers, as they are where numbers are repeated.)
//!
//! ```text
//!   memory:  a b c d e f g h i j k l m …    every other number, 3 of a row of 12:   a c e, then m o q, …
//!   pick 0:  from 0, indices 0 2 4 12 14 16 24 26 28                                rows that are near share a pick
//!   pick 1:  from 36, …
//!
//!   points:  │ pick 0, 9 numbers │ pick 1, 9 numbers │ …
//!   written: │ a c e m o q …     ? ? ? ? ? ? ?│         always sixteen; what is too much, the next pick writes over
//! ```
//!
//! A number twice (a window's gradient), a border of zeros, a row of 11 out of 12, and a small turned matrix are all the same to it.
//! Measured: 0.5 ns for an element by its address, 0.2 by picks.
//!
//! Laws:
//! 1. Tables hold 32-bit distances; a space that reaches farther has none and is walked by runs.
//! 2. A pick reads nothing outside of the array and writes nothing outside of the range: where it would, its elements are copied one by one.

use super::simd::{Hot, Isa, vectorize};
use super::walk::{Axes, Base, unravel_into};
use crate::dtype::DType;
use std::ops::Range;

/// Rows shorter than this are worth a table.
const SHORT: usize = 32;
/// Points in a table, at the most: 16 KiB of distances.
const POINTS: usize = 4096;
/// Numbers that a pick chooses among, and how many it writes.
const WINDOW: usize = 32;
const LANES: usize = 16;

/// If there are fewer points a pick than this, an address each is as fast.
const FEW: usize = 4;

/// The last axes of a space: where each of their points is, relative to the first.
#[derive(Clone, Debug)]
pub struct Table {
    /// the axes in front
    front: Axes,
    /// address of each point
    addresses: Vec<i32>,
    /// for each bound, its value at each point
    bounds: Vec<Vec<i32>>,
    /// the flags where a block mostly finds them: padding is mostly the same for each image
    flags: Flags,
    /// the points as picks, in order, and one behind the last; none if too few points are near each other
    picks: Vec<Pick>,
    /// each point's distance from its pick's first number, and room for a pick's sixteen behind the last
    indices: Vec<u8>,
    /// whether all of these are less than sixteen, so that half a window is enough
    near: bool,
}

/// Which of the table's points are inside of all bounds.
#[derive(Clone, Debug)]
struct Flags {
    /// the bounds' values at the table's first point
    values: Vec<isize>,
    /// for each point, and room for a pick's sixteen behind the last; empty if there are no bounds
    valid: Vec<bool>,
}

/// Points whose numbers lie within a window: those before the next pick's.
#[derive(Clone, Copy, Debug)]
struct Pick {
    /// the first point
    at: u32,
    /// the window's first address
    from: i32,
}

/// What is brought from each point.
#[derive(Clone, Copy)]
pub enum Bring {
    /// the element there, or 0 if a bound is broken, of an array of so many
    Element(*const u8, DType, usize),
    /// whether all bounds hold
    Valid,
}

impl Table {
    /// The table of a space whose rows are short, if there is more than one row, or whose rows are spaced a little. Its bounds have
    /// these values at the space's first point, mostly.
    pub fn new(axes: &Axes, start: &Base, limits: &[isize]) -> Option<Table> {
        let rank = axes.sizes.len();
        let short = rank >= 2 && axes.sizes[rank - 1] < SHORT;
        let spaced = rank >= 1 && (2..=8).contains(&axes.strides[rank - 1].unsigned_abs());
        if !short && !spaced {
            return None;
        }
        let (mut front, mut points) = (rank, 1);
        while front > 0 && points * axes.sizes[front - 1] <= POINTS {
            front -= 1;
            points *= axes.sizes[front];
        }
        // Of the next axis as much as fits, in equal parts.
        let mut axes = axes.clone();
        if let Some(axis) = front.checked_sub(1) {
            let part = (1..=POINTS / points)
                .rev()
                .find(|&part| axes.sizes[axis].is_multiple_of(part))?;
            axes.split(axis, part);
            points *= part;
        }
        if !short && points < SHORT {
            return None;
        }
        let mut point = vec![0; axes.sizes.len() - front];
        let mut along = |steps: &[isize]| -> Option<Vec<i32>> {
            let at = |linear: usize| {
                unravel_into(linear, &axes.sizes[front..], &mut point);
                let distance: isize = steps[front..]
                    .iter()
                    .zip(&point)
                    .map(|(&step, &i)| step * i as isize)
                    .sum();
                i32::try_from(distance).ok()
            };
            (0..points).map(at).collect()
        };
        let addresses = along(&axes.strides)?;
        let bounds = axes
            .coefs
            .iter()
            .map(|coefs| along(coefs))
            .collect::<Option<Vec<_>>>()?;
        let flags = flags(start.bounds.clone(), &bounds, limits);
        let (picks, indices) = picks(&addresses);
        let near = indices.iter().all(|&index| (index as usize) < LANES);
        Some(Table {
            front: axes.first(front),
            addresses,
            bounds,
            flags,
            picks,
            indices,
            near,
        })
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        (1 + self.bounds.len()) * size_of_val(&self.addresses[..])
            + size_of_val(&self.picks[..])
            + self.indices.len()
            + self.flags.valid.len()
    }

    /// Brings a range of the space's points to `dst`.
    ///
    /// # Safety
    /// `dst` has room for the range's values; with [`Bring::Element`], addresses of points whose bounds hold are inside the memory, which
    /// has as many elements as it says, and the dtype's registers look as its memory does.
    pub unsafe fn bring(
        &self,
        what: Bring,
        base: &Base,
        limits: &[isize],
        range: Range<usize>,
        dst: *mut u8,
    ) {
        let points = self.addresses.len();
        let mut point = vec![0; self.front.sizes.len()];
        let mut other: Option<Flags> = None;
        let mut at = range.start;
        while at < range.end {
            let (group, from) = (at / points, at % points);
            let take = (points - from).min(range.end - at);
            // With one axis in front the group is its index; dividing for it would cost as much as the copy.
            match &mut point[..] {
                [] => {}
                [index] => *index = group,
                front => unravel_into(group, &self.front.sizes, front),
            }
            let Base { address, bounds } = self.front.shifted(base, &point);
            let flags = match &other {
                _ if bounds == self.flags.values => &self.flags,
                Some(flags) if bounds == flags.values => flags,
                _ => other.insert(flags(bounds, &self.bounds, limits)),
            };
            let part = Part {
                points: from..from + take,
                address,
                valid: &flags.valid,
                room: range.end - at,
            };
            let done = at - range.start;
            // SAFETY: by the caller's promise.
            unsafe {
                match what {
                    Bring::Valid => {
                        let dst =
                            std::slice::from_raw_parts_mut(dst.add(done).cast::<bool>(), take);
                        match limits {
                            [] => dst.fill(true),
                            _ => dst.copy_from_slice(&flags.valid[part.points]),
                        }
                    }
                    Bring::Element(memory, dtype, len) => match dtype.itemsize() {
                        1 => self.copy::<u8>((memory, len), part, dst, done),
                        2 => self.copy::<u16>((memory, len), part, dst, done),
                        4 => self.copy::<u32>((memory, len), part, dst, done),
                        _ => self.copy::<u64>((memory, len), part, dst, done),
                    },
                }
            }
            at += take;
        }
    }

    /// One part's elements, which are bits here, whatever they mean, to the place `done` of `dst`.
    ///
    /// # Safety
    /// As for [`Table::bring`].
    unsafe fn copy<T: Default + Copy>(
        &self,
        (memory, len): (*const u8, usize),
        part: Part,
        dst: *mut u8,
        done: usize,
    ) {
        vectorize(Elements {
            table: self,
            memory: memory.cast::<T>(),
            len,
            part,
            dst: dst.cast::<T>().wrapping_add(done),
        });
    }
}

/// The flags of a table's points, from the bounds' values at its first point and their change along the table.
fn flags(values: Vec<isize>, changes: &[Vec<i32>], limits: &[isize]) -> Flags {
    let mut valid = Vec::new();
    for ((&value, along), &limit) in values.iter().zip(changes).zip(limits) {
        valid.resize(along.len() + LANES, true);
        let flags = &mut valid[..];
        vectorize(Check {
            value,
            along,
            limit,
            flags,
        });
    }
    Flags { values, valid }
}

/// Takes back the flags of points where one bound is broken.
struct Check<'a> {
    value: isize,
    along: &'a [i32],
    limit: isize,
    flags: &'a mut [bool],
}

impl Hot for Check<'_> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for (flag, &along) in self.flags.iter_mut().zip(self.along) {
            // One comparison for both ends: a negative value is a huge unsigned one.
            *flag &= ((self.value + along as isize) as usize) < self.limit as usize;
        }
    }
}

/// Which neighbours in the table are near enough to be picked together, and where in their window each of them is.
fn picks(addresses: &[i32]) -> (Vec<Pick>, Vec<u8>) {
    let (mut picks, mut indices, mut at) = (Vec::new(), Vec::new(), 0);
    while at < addresses.len() {
        let (mut low, mut high, mut end) = (addresses[at], addresses[at], at);
        for &address in addresses[at..].iter().take(LANES) {
            let (lower, higher) = (low.min(address), high.max(address));
            if higher.abs_diff(lower) as usize >= WINDOW {
                break;
            }
            (low, high, end) = (lower, higher, end + 1);
        }
        let from = low;
        picks.push(Pick {
            at: at as u32,
            from,
        });
        indices.extend(
            addresses[at..end]
                .iter()
                .map(|address| (address - from) as u8),
        );
        at = end;
    }
    if picks.len() * FEW > addresses.len() {
        return (Vec::new(), Vec::new());
    }
    picks.push(Pick {
        at: at as u32,
        from: 0,
    });
    indices.resize(at + LANES, 0);
    (picks, indices)
}

// ---- The copy ----------------------------------------------------------

/// Some of the table's points, from one point of the axes in front.
struct Part<'a> {
    points: Range<usize>,
    /// of the table's first point
    address: isize,
    /// whether each of the table's points is valid; empty if all are
    valid: &'a [bool],
    /// how many places there are from the first point's on
    room: usize,
}

/// The elements of a part, made by [`Table::copy`] alone.
struct Elements<'a, T> {
    table: &'a Table,
    memory: *const T,
    /// elements of the memory
    len: usize,
    part: Part<'a>,
    dst: *mut T,
}

impl<T: Default + Copy> Elements<'_, T> {
    /// One by one. (Nothing here would be faster with wider instructions, so this may stay a call.)
    #[inline(never)]
    fn by_address(&self, points: Range<usize>) {
        let from = self.memory.wrapping_offset(self.part.address);
        let dst = self.dst.wrapping_add(points.start - self.part.points.start);
        let addresses = self.table.addresses[points.clone()].iter();
        if self.part.valid.is_empty() {
            for (i, &a) in addresses.enumerate() {
                // SAFETY: by `Table::bring`'s caller, the address is inside and dst has room.
                unsafe { *dst.add(i) = *from.wrapping_offset(a as isize) };
            }
            return;
        }
        for (i, (&a, &valid)) in addresses.zip(&self.part.valid[points]).enumerate() {
            // SAFETY: as above, where valid; elsewhere nothing is read.
            unsafe {
                *dst.add(i) = match valid {
                    true => *from.wrapping_offset(a as isize),
                    false => T::default(),
                }
            };
        }
    }

    /// Picks from the first that begins in the part to the last whose sixteen have room, and one by one what is before and behind.
    #[inline(always)]
    fn by_picks<I: Isa, const BOUNDED: bool, const NEAR: bool>(&self) {
        let (Range { start, end }, picks) = (self.part.points.clone(), &self.table.picks[..]);
        let before = |point: usize| picks.partition_point(|pick| (pick.at as usize) < point);
        let place = |pick: usize| (picks[pick].at as usize).clamp(start, end);
        let (first, room) = (before(start), start + self.part.room);
        let last = before(end.min((room + 1).saturating_sub(LANES))).max(first);
        let (indices, valid) = (self.table.indices.as_ptr(), self.part.valid.as_ptr());
        let (address, dst) = (self.part.address, self.dst.wrapping_sub(start));
        let windows = (self.len + 1).saturating_sub(if NEAR { LANES } else { WINDOW });
        self.by_address(start..place(first));
        for (i, pick) in (first..).zip(&picks[first..last]) {
            let (at, from) = (pick.at as usize, address + pick.from as isize);
            // Law 2. A negative address is a huge one.
            if from as usize >= windows {
                self.by_address(at..place(i + 1));
                continue;
            }
            // SAFETY: a window of the array; so many places are left; indices and flags have room for a pick's sixteen behind the last point.
            unsafe {
                let mut lanes = I::pick::<NEAR>(self.memory.offset(from).cast(), indices.add(at));
                if BOUNDED {
                    let flags = valid.add(at).cast::<[u8; LANES]>().read();
                    for (lane, flag) in lanes.iter_mut().zip(flags) {
                        *lane &= (flag as u32).wrapping_neg(); // all bits, or none
                    }
                }
                let to = dst.wrapping_add(at).cast::<[u32; LANES]>();
                to.write_unaligned(lanes);
            }
        }
        self.by_address(place(last)..end);
    }
}

impl<T: Default + Copy> Hot for Elements<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        match (self.part.valid.is_empty(), self.table.near) {
            _ if size_of::<T>() != size_of::<u32>() || self.table.picks.is_empty() => {
                self.by_address(self.part.points.clone())
            }
            (true, false) => self.by_picks::<I, false, false>(),
            (true, true) => self.by_picks::<I, false, true>(),
            (false, false) => self.by_picks::<I, true, false>(),
            (false, true) => self.by_picks::<I, true, true>(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::cpu::simd::{Level, at_level};
    use crate::device::cpu::walk::Walk;
    use crate::shape::view::{Remap, View};

    /// Compares a table with its view, over several ranges, and tells whether it has picks.
    fn shows(memory: &[f32], view: &View) -> bool {
        let walk = Walk::new(view, view.shape.len());
        let all = view.addresses();
        let table = Table::new(&walk.outer, &walk.start, &walk.limits).expect("short or spaced");
        for (start, len) in [(0, all.len()), (7, 100), (all.len() - 3, 3)] {
            // One more than there is room for, which must stay as it is.
            let (mut values, mut valid) = (vec![-1.0f32; len + 1], vec![false; len + 1]);
            let element = Bring::Element(memory.as_ptr().cast(), DType::Float32, memory.len());
            let places = [values.as_mut_ptr().cast(), valid.as_mut_ptr().cast()];
            for (what, dst) in [element, Bring::Valid].into_iter().zip(places) {
                let range = start..start + len;
                // SAFETY: both vectors have room for len values, and the view is inside the memory.
                unsafe { table.bring(what, &walk.start, &walk.limits, range, dst) };
            }
            for (i, address) in all[start..start + len].iter().enumerate() {
                let expected = address.map_or(0.0, |a| memory[a]);
                assert_eq!(values[i], expected, "{view:?} at {start} + {i}");
                assert_eq!(valid[i], address.is_some());
            }
            assert_eq!((values[len], valid[len]), (-1.0, false));
        }
        !table.picks.is_empty()
    }

    #[test]
    fn a_table_brings_what_the_view_shows() {
        let memory: Vec<f32> = (0..1200).map(|i| i as f32 + 1.0).collect();
        let base = View::contiguous(&[40, 6, 5]);
        let long = View::contiguous(&[12, 100]);
        let twice = |size: usize, axis: usize| {
            let (mut shape, mut more) = (vec![40, 6, 5], vec![40, 6, 5]);
            shape.insert(axis, 1);
            more.insert(axis, size);
            let split = base.reshape(&shape).unwrap();
            split.remap(&Remap::expand(&shape, &more))
        };
        for level in Level::available() {
            at_level(level, || {
                for near in [
                    base.clone(),
                    base.permute(&[0, 2, 1]),
                    base.permute(&[0, 2, 1]).pad(&[(1, 2), (2, 1), (0, 3)]),
                    base.pad(&[(0, 0), (1, 1), (1, 1)]),
                    base.remap(&Remap::stride(&[40, 6, 5], &[1, 2, -2])),
                    long.remap(&Remap::stride(&[12, 100], &[1, 2])),
                    long.remap(&Remap::stride(&[12, 100], &[-1, -3])),
                    twice(2, 3),
                    twice(3, 2),
                ] {
                    assert!(shows(&memory, &near), "{near:?} has neighbours");
                }
                let far = View::contiguous(&[12, 100]).permute(&[1, 0]);
                assert!(!shows(&memory, &far));
            });
        }
    }

    #[test]
    fn long_rows_in_order_have_no_table() {
        let axes = |view: View| Walk::new(&view, view.shape.len());
        let walk = axes(View::contiguous(&[12, 100]).pad(&[(0, 0), (1, 1)]));
        assert!(Table::new(&walk.outer, &walk.start, &walk.limits).is_none());
    }
}
