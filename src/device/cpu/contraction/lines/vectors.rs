//! # device/cpu/contraction/lines/vectors: lines with all of their taps, or with some of them
//!
//! **In:** [`Scaled`] or [`Dots`]. **Out:** the sums. **Above:** [`lines`](super). Compiled for each instruction set by
//! [`microkernel`](crate::device::cpu::microkernel), hence `inline(always)`.

use crate::device::cpu::lanes::{Lane, MOST_LANES, Vector};
use std::ops::Range;

/// Dots of one w that are summed at a time: as many as there are registers for, besides two operands, with 16 of them …
pub(in crate::device::cpu) const MOST_DOTS: usize = 12;
/// … and of each of several.
pub(in crate::device::cpu) const MOST_SHARED_DOTS: usize = 6;
/// The most w that share the taps of one call.
pub(super) const MOST_PEERS: usize = 4;
/// Vectors of a scaled line that are summed at a time: so many sums grow independently while the first waits for its addition. Their masks are
/// one number of 64 bits, since loads are what limits this: one for each mask took a quarter of the time.
pub(super) const ABREAST: usize = 4;

/// What a tap adds to the address of x and of w.
#[derive(Clone, Copy, Debug)]
pub(in crate::device::cpu) struct Tap {
    pub x: isize,
    pub w: isize,
}

/// Where a line is: what it adds to the address of x and of w, and where its masks begin.
#[derive(Clone, Copy, Debug)]
pub(in crate::device::cpu) struct Row {
    pub x: isize,
    pub w: isize,
    pub mask: usize,
}

/// The operands, and which of x's numbers count.
pub(in crate::device::cpu) struct Pair<'a, T> {
    /// x at the place 0 of all sums …
    pub x: *const T,
    /// … and all of x that may be read
    pub readable: Range<*const T>,
    /// w likewise: one number for each line and tap, or a line beside x's
    pub w: *const T,
    pub length: usize,
    pub taps: &'a [Tap],
    /// the lanes of x that count, for a row, a vector and a tap at row.mask + vector · mask_step + tap; of scaled lines, for so many vectors side
    /// by side
    pub masks: &'a [u16],
    pub mask_step: usize,
}

/// What one call of [`scale`] works on: some lines of the output.
pub(in crate::device::cpu) struct Scaled<'a, T> {
    pub pair: Pair<'a, T>,
    pub rows: &'a [Row],
    /// the first line's results, which those of the others follow
    pub out: *mut T,
}

/// What one call of [`dot`] works on: sums over lines, for each peer and tap.
pub(in crate::device::cpu) struct Dots<'a, T> {
    pub pair: Pair<'a, T>,
    pub rows: &'a [Row],
    /// what each of the lines that meet the same x adds to the address of w
    pub peers: &'a [isize],
    /// [peer, tap]
    pub sums: &'a mut [T],
}

impl<T: Lane> Pair<'_, T> {
    /// x at a vector of a row, moved by a tap; 0 where the mask is 0.
    ///
    /// # Safety
    /// Where the mask is 1, there is a number; there is such a tap.
    #[inline(always)]
    unsafe fn load<V: Vector<Number = T>>(
        &self,
        row: Row,
        vector: usize,
        tap: usize,
        mask: u32,
    ) -> V {
        // SAFETY: the caller's promise. Where a masked load looks at every lane, all of them have been compared with what is readable.
        unsafe {
            let shift = self.taps.get_unchecked(tap).x + (vector * V::LANES) as isize;
            let from = self.x.wrapping_offset(row.x + shift);
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

    /// A vector of w beside the line, with zeros behind the line's end.
    ///
    /// # Safety
    /// w has a number for each place on the line.
    #[inline(always)]
    unsafe fn beside<V: Vector<Number = T>>(&self, w: *const T, vector: usize) -> V {
        let from = w.wrapping_add(vector * V::LANES);
        let count = (self.length - vector * V::LANES).min(V::LANES);
        // SAFETY: the caller's promise; no more than `count` numbers are looked at.
        unsafe {
            if count == V::LANES {
                return V::load(from);
            }
            if V::FAULTLESS {
                return V::splat(T::ZERO).load_masked(from, (1 << count) - 1);
            }
            let mut lanes = [T::ZERO; MOST_LANES];
            lanes.as_mut_ptr().copy_from_nonoverlapping(from, count);
            V::load(lanes.as_ptr())
        }
    }
}

/// out[row, i] = Σ_tap w[row, tap] · x[row + tap + i] for all i of each line.
///
/// # Safety
/// The masks allow numbers of x only; w has a number for each row and tap; the lines' results may be written, by nobody else.
#[inline(always)]
pub(in crate::device::cpu) unsafe fn scale<V: Vector>(call: &Scaled<V::Number>) {
    let pair = &call.pair;
    let vectors = pair.length.div_ceil(V::LANES);
    let mut out = call.out;
    for &row in call.rows {
        let mut vector = 0;
        // SAFETY: passed on.
        unsafe {
            while vector + ABREAST <= vectors {
                scale_some::<V, ABREAST>(pair, row, vector, out);
                vector += ABREAST;
            }
            match vectors - vector {
                0 => {}
                1 => scale_some::<V, 1>(pair, row, vector, out),
                2 => scale_some::<V, 2>(pair, row, vector, out),
                _ => scale_some::<V, 3>(pair, row, vector, out),
            }
        }
        out = out.wrapping_add(pair.length);
    }
}

/// N vectors of a line, from one on.
#[inline(always)]
unsafe fn scale_some<V: Vector, const N: usize>(
    pair: &Pair<V::Number>,
    row: Row,
    first: usize,
    out: *mut V::Number,
) {
    // SAFETY: the caller of `scale` promises masks, taps and memory. A vector that ends behind the line goes through an array.
    unsafe {
        let mut sums = [V::splat(V::Number::ZERO); N];
        let masks = ABREAST * (row.mask + first / ABREAST * pair.mask_step);
        let masks = pair
            .masks
            .as_ptr()
            .wrapping_add(masks)
            .cast::<[u16; ABREAST]>();
        for (tap, &Tap { w, .. }) in pair.taps.iter().enumerate() {
            let w = V::splat(*pair.w.wrapping_offset(row.w + w));
            let masks = u64::from_le(masks.wrapping_add(tap).cast::<u64>().read_unaligned());
            for (n, sum) in sums.iter_mut().enumerate() {
                let mask = (masks >> (u16::BITS as usize * n)) as u16;
                *sum = sum.add_product(pair.load::<V>(row, first + n, tap, mask.into()), w);
            }
        }
        for (n, sum) in sums.into_iter().enumerate() {
            let at = (first + n) * V::LANES;
            let to = out.wrapping_add(at);
            if at + V::LANES <= pair.length {
                sum.store(to);
                continue;
            }
            let mut lanes = [V::Number::ZERO; MOST_LANES];
            sum.store(lanes.as_mut_ptr());
            to.copy_from_nonoverlapping(lanes.as_ptr(), pair.length - at);
        }
    }
}

/// sums[peer, tap] = Σ_row Σᵢ w[row + peer + i] · x[row + tap + i], for W peers and N taps.
///
/// Each vector of x serves W sums and each of w N: 10 loads for 24 multiply-adds, where 4 · 6 sums fit into the registers. So this is
/// bound by arithmetic, like a tile, though nothing has been packed.
///
/// # Safety
/// The masks allow numbers of x only; w has a number for each place on each line; there are W peers and N taps, and W · N sums.
#[inline(always)]
pub(in crate::device::cpu) unsafe fn dot<V: Vector, const W: usize, const N: usize>(
    call: &mut Dots<V::Number>,
) {
    let pair = &call.pair;
    let vectors = pair.length.div_ceil(V::LANES);
    // SAFETY: the caller's promises.
    unsafe {
        let mut sums = [[V::splat(V::Number::ZERO); W]; N];
        for &row in call.rows {
            let lines: [_; W] = std::array::from_fn(|peer| {
                pair.w
                    .wrapping_offset(row.w + *call.peers.get_unchecked(peer))
            });
            for vector in 0..vectors {
                let mut ws = [V::splat(V::Number::ZERO); W];
                for (w, line) in ws.iter_mut().zip(lines) {
                    *w = pair.beside(line, vector);
                }
                let masks = pair
                    .masks
                    .get_unchecked(row.mask + vector * pair.mask_step..);
                for (n, sums) in sums.iter_mut().enumerate() {
                    let mask = *masks.get_unchecked(n);
                    let x = pair.load::<V>(row, vector, n, mask.into());
                    for (sum, w) in sums.iter_mut().zip(ws) {
                        *sum = sum.add_product(x, w);
                    }
                }
            }
        }
        // All of them are stored before anything else is done with them: the compiler keeps in registers only what is never indexed.
        let mut lanes = [[[V::Number::ZERO; MOST_LANES]; W]; N];
        for (sums, lanes) in sums.into_iter().zip(&mut lanes) {
            for (sum, lanes) in sums.into_iter().zip(lanes) {
                sum.store(lanes.as_mut_ptr());
            }
        }
        for (n, lanes) in lanes.iter_mut().enumerate() {
            for (peer, lanes) in lanes.iter_mut().enumerate() {
                let mut half = V::LANES / 2;
                while half > 0 {
                    (0..half).for_each(|i| lanes[i] = lanes[i] + lanes[i + half]);
                    half /= 2;
                }
                call.sums[peer * N + n] = lanes[0];
            }
        }
    }
}
