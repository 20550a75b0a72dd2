//! # device/cpu/contraction/lines/vectors: one line, with all of its taps
//!
//! **In:** a [`Line`]. **Out:** its sums. **Above:** [`lines`](super). Compiled for each instruction set by
//! [`microkernel`](crate::device::cpu::microkernel), hence `inline(always)`.

use crate::device::cpu::microkernel::{Real, Vector};
use std::ops::Range;

/// As many dots as there are registers for, besides two operands, with 16 of them.
pub(in crate::device::cpu) const MOST_DOTS: usize = 12;
/// Numbers in the widest vector.
pub(super) const MOST_LANES: usize = 16;
/// Vectors of a line that are summed at a time: so many sums grow independently while the first waits for its addition.
const ABREAST: usize = 4;

/// What a tap adds to the address of x, and of w.
#[derive(Clone, Copy, Debug)]
pub(in crate::device::cpu) struct Tap {
    pub x: isize,
    pub w: isize,
}

/// What one call works on.
pub(in crate::device::cpu) struct Line<'a, T> {
    /// x at the line's first place, without a tap …
    pub x: *const T,
    /// … and all of x that may be read
    pub readable: Range<*const T>,
    /// w without a tap: a number for each, or beside the line
    pub w: *const T,
    pub length: usize,
    pub taps: &'a [Tap],
    /// the lanes of x that count: for a vector and a tap at vector · mask_step + tap
    pub masks: &'a [u32],
    pub mask_step: usize,
    /// the line's results, or a vector for each tap, which is added to
    pub out: *mut T,
}

impl<T> Line<'_, T> {
    /// x at a vector of the line, moved by a tap; 0 where the mask is 0.
    ///
    /// # Safety
    /// Where the mask is 1, there is a number; the vector and the tap have a mask.
    #[inline(always)]
    unsafe fn load<V: Vector<Number = T>>(&self, vector: usize, tap: usize) -> V
    where
        T: Real,
    {
        // SAFETY: the caller's promise. Where a masked load looks at every lane, all of them have been compared with what is readable.
        unsafe {
            let mask = *self.masks.get_unchecked(vector * self.mask_step + tap);
            let shift = self.taps.get_unchecked(tap).x + (vector * V::LANES) as isize;
            let from = self.x.wrapping_offset(shift);
            // As distances from the start, because an address may wrap around where the buffer is empty.
            let inside = || {
                let size = self.readable.end.addr() - self.readable.start.addr();
                let before = from.addr().wrapping_sub(self.readable.start.addr());
                before <= size && size - before >= size_of::<V>()
            };
            if V::FAULTLESS || inside() {
                return V::splat(T::ZERO).load_masked(from, mask);
            }
            let mut lanes = [T::ZERO; MOST_LANES];
            for (lane, number) in lanes.iter_mut().enumerate().take(V::LANES) {
                if mask & (1 << lane) != 0 {
                    *number = *from.wrapping_add(lane);
                }
            }
            V::load(lanes.as_ptr())
        }
    }
}

/// out[i] = Σ_tap w[tap] · x[tap + i] for all i of the line.
///
/// # Safety
/// The masks allow numbers of x only; w has a number for each tap; the line's results may be written, by nobody else.
#[inline(always)]
pub(in crate::device::cpu) unsafe fn scale<V: Vector>(line: &Line<V::Number>) {
    let vectors = line.length.div_ceil(V::LANES);
    let mut vector = 0;
    // SAFETY: passed on.
    unsafe {
        while vector + ABREAST <= vectors {
            scale_some::<V, ABREAST>(line, vector);
            vector += ABREAST;
        }
        match vectors - vector {
            0 => {}
            1 => scale_some::<V, 1>(line, vector),
            2 => scale_some::<V, 2>(line, vector),
            _ => scale_some::<V, 3>(line, vector),
        }
    }
}

/// N vectors of the line, from one on.
#[inline(always)]
unsafe fn scale_some<V: Vector, const N: usize>(line: &Line<V::Number>, first: usize) {
    // SAFETY: the caller of `scale` promises masks, taps and memory. A vector that ends behind the line goes through an array.
    unsafe {
        let mut sums = [V::splat(V::Number::ZERO); N];
        for (tap, &Tap { w, .. }) in line.taps.iter().enumerate() {
            let w = V::splat(*line.w.wrapping_offset(w));
            for (n, sum) in sums.iter_mut().enumerate() {
                *sum = sum.add_product(line.load::<V>(first + n, tap), w);
            }
        }
        for (n, sum) in sums.into_iter().enumerate() {
            let at = (first + n) * V::LANES;
            let to = line.out.wrapping_add(at);
            if at + V::LANES <= line.length {
                sum.store(to);
                continue;
            }
            let mut lanes = [V::Number::ZERO; MOST_LANES];
            sum.store(lanes.as_mut_ptr());
            to.copy_from_nonoverlapping(lanes.as_ptr(), line.length - at);
        }
    }
}

/// out[tap] += Σᵢ w[i] · x[tap + i], lane by lane, for the first N taps.
///
/// # Safety
/// The masks allow numbers of x only; w has a number for each place on the line; N vectors may be read and written at `out`.
#[inline(always)]
pub(in crate::device::cpu) unsafe fn dot<V: Vector, const N: usize>(line: &Line<V::Number>) {
    let full = line.length / V::LANES;
    let rest = line.length % V::LANES;
    // SAFETY: the caller's promises; behind the line, w is not read.
    unsafe {
        let mut sums: [V; N] =
            std::array::from_fn(|n| V::load(line.out.wrapping_add(n * V::LANES)));
        let mut add = |vector: usize, w: V| {
            for (n, sum) in sums.iter_mut().enumerate() {
                *sum = sum.add_product(line.load::<V>(vector, n), w);
            }
        };
        for vector in 0..full {
            add(vector, V::load(line.w.wrapping_add(vector * V::LANES)));
        }
        if rest > 0 {
            let mut lanes = [V::Number::ZERO; MOST_LANES];
            let from = line.w.wrapping_add(full * V::LANES);
            lanes.as_mut_ptr().copy_from_nonoverlapping(from, rest);
            add(full, V::load(lanes.as_ptr()));
        }
        for (n, sum) in sums.into_iter().enumerate() {
            sum.store(line.out.wrapping_add(n * V::LANES));
        }
    }
}
