//! # device/cpu/table: short rows as one indexed copy
//!
//! **In:** a space whose rows are short (a 2×2 window, a 13×13 image), and a range of its points. **Out:** their elements, or whether their
//! bounds hold. **Above:** `interpreter`. **Beside:** `walk`, which does the same for long rows.
//!
//! A short row is over before a run has been set up. But short rows repeat: the last axes of the space, up to a few thousand points, look
//! the same from every point of the axes in front. So their addresses are written into a table once, when the kernel is made, and a
//! block of elements is one loop over the table: an address from the table, an element from memory.
//!
//! Law: tables hold 32-bit distances; a space that reaches farther has none and is walked by runs.

use super::simd::{Hot, Isa, vectorize};
use super::walk::{Axes, Base, unravel_into};
use crate::dtype::DType;
use std::ops::Range;

/// Rows shorter than this are worth a table.
const SHORT: usize = 32;
/// Points in a table, at the most: 16 KiB of distances.
const POINTS: usize = 4096;

/// The last axes of a space: where each of their points is, relative to the first.
#[derive(Clone, Debug)]
pub struct Table {
    /// how many axes are in front
    front: usize,
    /// address of each point
    addresses: Vec<i32>,
    /// for each bound, its value at each point
    bounds: Vec<Vec<i32>>,
}

/// What is brought from each point.
#[derive(Clone, Copy)]
pub enum Bring {
    /// the element there, or 0 if a bound is broken
    Element(*const u8, DType),
    /// whether all bounds hold
    Valid,
}

impl Table {
    /// The table of a space whose rows are short, if there is more than one row.
    pub fn new(axes: &Axes) -> Option<Table> {
        let rank = axes.sizes.len();
        if rank < 2 || axes.sizes[rank - 1] >= SHORT {
            return None;
        }
        let (mut front, mut points) = (rank, 1);
        while front > 0 && points * axes.sizes[front - 1] <= POINTS {
            front -= 1;
            points *= axes.sizes[front];
        }
        let mut point = vec![0; rank - front];
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
            .collect::<Option<_>>()?;
        Some(Table {
            front,
            addresses,
            bounds,
        })
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        (1 + self.bounds.len()) * size_of_val(&self.addresses[..])
    }

    /// Brings a range of the space's points to `dst`.
    ///
    /// # Safety
    /// `dst` has room for the range's values; with [`Bring::Element`], addresses of points whose bounds hold are inside the memory, and the
    /// dtype's registers look as its memory does.
    #[rustfmt::skip]
    pub unsafe fn bring(&self, what: Bring, axes: &Axes, base: &Base, limits: &[isize], range: Range<usize>, dst: *mut u8) {
        let (start, len) = (range.start, range.len());
        let points = self.addresses.len();
        let mut point = vec![0; axes.sizes.len()];
        let mut valid: Vec<bool> = Vec::new();
        let mut done = 0;
        while done < len {
            let (group, from) = ((start + done) / points, (start + done) % points);
            let take = (points - from).min(len - done);
            // With one axis in front the group is its index; dividing for it would cost as much as the copy.
            match &mut point[..self.front] {
                [] => {}
                [index] => *index = group,
                front => unravel_into(group, &axes.sizes[..self.front], front),
            }
            let along = |steps: &[isize]| -> isize {
                steps.iter().zip(&point[..self.front]).map(|(&step, &i)| step * i as isize).sum()
            };
            let address = base.address + along(&axes.strides);
            valid.clear();
            if !limits.is_empty() {
                valid.resize(take, true);
                let bounds = base.bounds.iter().zip(&axes.coefs).zip(&self.bounds).zip(limits);
                for (((&value, coefs), values), &limit) in bounds {
                    let value = value + along(coefs);
                    for (flag, &along) in valid.iter_mut().zip(&values[from..from + take]) {
                        // One comparison for both ends: a negative value is a huge unsigned one.
                        *flag &= ((value + along as isize) as usize) < limit as usize;
                    }
                }
            }
            let stretch = &self.addresses[from..from + take];
            // SAFETY: by the caller's promise.
            unsafe {
                match what {
                    Bring::Valid => {
                        let dst = std::slice::from_raw_parts_mut(dst.add(done).cast::<bool>(), take);
                        if valid.is_empty() { dst.fill(true) } else { dst.copy_from_slice(&valid) }
                    }
                    Bring::Element(memory, dtype) => match dtype.itemsize() {
                        1 => copy::<u8>(memory, address, stretch, &valid, dst, done),
                        2 => copy::<u16>(memory, address, stretch, &valid, dst, done),
                        4 => copy::<u32>(memory, address, stretch, &valid, dst, done),
                        _ => copy::<u64>(memory, address, stretch, &valid, dst, done),
                    },
                }
            }
            done += take;
        }
    }
}

/// One indexed copy; elements are bits here, whatever they mean.
struct Copy<'a, T> {
    memory: *const T,
    along: &'a [i32],
    valid: &'a [bool],
    dst: *mut T,
}

/// # Safety
/// As for [`Table::bring`], for a stretch of the table that goes to position `at`.
#[rustfmt::skip]
unsafe fn copy<T: Default + core::marker::Copy>(memory: *const u8, address: isize, along: &[i32], valid: &[bool], dst: *mut u8, at: usize) {
    let memory = memory.cast::<T>().wrapping_offset(address);
    vectorize(Copy { memory, along, valid, dst: dst.cast::<T>().wrapping_add(at) });
}

impl<T: Default + core::marker::Copy> Hot for Copy<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let Copy {
            memory,
            along,
            valid,
            dst,
        } = self;
        if valid.is_empty() {
            for (i, &a) in along.iter().enumerate() {
                // SAFETY: by `copy`'s caller, the address is inside and dst has room.
                unsafe { *dst.add(i) = *memory.wrapping_offset(a as isize) };
            }
            return;
        }
        for (i, (&a, &v)) in along.iter().zip(valid).enumerate() {
            // SAFETY: as above, where valid; elsewhere nothing is read.
            unsafe {
                *dst.add(i) = if v {
                    *memory.wrapping_offset(a as isize)
                } else {
                    T::default()
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::cpu::walk::Walk;
    use crate::shape::view::View;

    #[test]
    fn a_table_brings_what_the_view_shows() {
        let memory: Vec<f32> = (0..1200).map(|i| i as f32 + 1.0).collect();
        let base = View::contiguous(&[40, 6, 5]);
        for view in [
            base.clone(),
            base.permute(&[2, 1, 0]),
            base.permute(&[0, 2, 1]).pad(&[(1, 2), (2, 1), (0, 3)]),
        ] {
            let walk = Walk::new(&view, 3);
            let all = view.addresses();
            let Some(table) = Table::new(&walk.outer) else {
                continue;
            };
            for (start, len) in [(0, all.len()), (7, 100), (all.len() - 3, 3)] {
                let (mut values, mut valid) = (vec![-1.0f32; len], vec![false; len]);
                let element = Bring::Element(memory.as_ptr().cast(), DType::Float32);
                // SAFETY: both vectors have room for len values, and the view is inside the memory.
                unsafe {
                    table.bring(
                        element,
                        &walk.outer,
                        &walk.start,
                        &walk.limits,
                        start..start + len,
                        values.as_mut_ptr().cast(),
                    );
                    table.bring(
                        Bring::Valid,
                        &walk.outer,
                        &walk.start,
                        &walk.limits,
                        start..start + len,
                        valid.as_mut_ptr().cast(),
                    );
                }
                for (i, address) in all[start..start + len].iter().enumerate() {
                    assert_eq!(
                        values[i],
                        address.map_or(0.0, |a| memory[a]),
                        "{view:?} at {start} + {i}"
                    );
                    assert_eq!(valid[i], address.is_some());
                }
            }
        }
    }
}
