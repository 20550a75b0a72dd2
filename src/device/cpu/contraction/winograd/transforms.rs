//! # device/cpu/contraction/winograd/transforms: from numbers to values at points, and back
//!
//! **In:** filters, patches of an image, or sums of products. **Out:** filters and patches as factors of products, or results.
//! **Above:** [`winograd`](super). Compiled for each instruction set by [`microkernel`](crate::device::cpu::microkernel), hence
//! `inline(always)`, and loops instead of closures, which are not inlined into a function that may use more instructions than they.
//!
//! A transform along one axis takes 6 (or 3) numbers to 6 (or 4), and all lanes do the same. So the lanes are *tiles*, or filters:
//!
//! ```text
//!  patches    rows of the image ─▶ along columns: 6 rows become 6 others, lane by lane, as they lie in memory ─▶ room, 6 rows
//!             room ─▶ deal: every fourth number is in the same column of its tile ─▶ along rows ─▶ 36 vectors of tiles
//!  results    36 vectors of tiles ─▶ along columns, along rows ─▶ 16 ─▶ gather: the inverse of deal ─▶ 4 rows of the output
//!  filters    9 numbers of each filter ─▶ 36 vectors of filters
//! ```
//!
//! With points 0, ±a, ±b and ∞ the transforms come in pairs: the value at −a is that at a with the odd part subtracted. M(x) =
//! x (x² − a²)(x² − b²) is what vanishes at all of them, and each row of Bᵀ has M's coefficients without one factor (Lavin & Gray 2015):
//!
//! ```text
//!         0:  a²b²      −(a²+b²)          1            1/(a²b²)                                  1  1  1  1  1  0
//!  Bᵀ =  ±a:       ∓ab²   −b²     ±a      1       G =  (1  ±a  a²) / (2a²(a²−b²))        Aᵀ =    0  a −a  b −b  0
//!        ±b:       ∓a²b   −a²     ±b      1            (1  ±b  b²) / (2b²(b²−a²))                0  a² a² b² b² 0
//!         ∞:       a²b²        −(a²+b²)       1         0   0  1                                 0  a³−a³ b³−b³ 1
//! ```
//!
//! Laws: 1. Numbers of the image that aren't there are never read, and count as 0. 2. What is stored where does not depend on what
//! else is transformed with it.

use crate::device::cpu::lanes::{Lane, MOST_LANES, Vector};
use crate::device::cpu::simd::prefetch;
use std::ops::Range;

/// The window's side.
pub(super) const WINDOW: usize = 3;
/// The side of a tile of results, and of the patch that they are made of.
pub(super) const SIDE: usize = 4;
pub(super) const PATCH: usize = SIDE + WINDOW - 1;
/// Products for a tile.
pub(super) const PRODUCTS: usize = PATCH * PATCH;

/// a and b, two of the points, and their squares.
const A: f64 = 0.75;
const B: f64 = 1.5;
const A2: f64 = A * A;
const B2: f64 = B * B;
/// What G divides by.
const AT_A: f64 = 1.0 / (2.0 * A2 * (A2 - B2));
const AT_B: f64 = 1.0 / (2.0 * B2 * (B2 - A2));

// ---- What calls work on ----------------------------------------------

/// The filters of a channel.
pub(in crate::device::cpu) struct Filters<'a, T> {
    pub weights: *const T,
    /// what each filter adds to the address, and each place of the window
    pub filters: &'a [isize],
    pub window: &'a [isize; WINDOW * WINDOW],
    /// factor p of filter f goes to p · step + f; there is room for whole vectors
    pub to: *mut T,
    pub step: usize,
}

/// Neighbours in a row of tiles: where their patches are.
#[derive(Clone, Debug)]
pub(in crate::device::cpu) struct Strip {
    /// what the six rows add to a channel's address. A row that isn't there has that of another
    pub rows: [isize; PATCH],
    /// which rows are there, as bits (of a gradient there are four at most), …
    pub kept: u32,
    /// … and which columns, …
    pub valid: Range<usize>,
    /// … of so many
    pub columns: usize,
    /// the column of the room that the first of these goes to
    pub to: usize,
}

/// The patches of some channels.
pub(in crate::device::cpu) struct Patches<'a, T> {
    pub image: *const T,
    /// what each channel adds to the address
    pub channels: &'a [isize],
    pub strips: &'a [Strip],
    /// the column of the room that each patch begins at; whole vectors of them, so some may be there twice
    pub places: &'a [usize],
    /// room for six rows of strips, with a vector to spare
    pub room: *mut T,
    pub room_step: usize,
    /// factor p of tile t of channel c goes to p · step + c · channel_step + t; there is room for whole vectors
    pub to: *mut T,
    pub step: usize,
    pub channel_step: usize,
}

/// Where a tile's results go, and how many of its rows and columns the output has.
#[derive(Clone, Copy, Debug)]
pub(in crate::device::cpu) struct Spot {
    pub at: isize,
    pub rows: usize,
    pub columns: usize,
}

/// The results of some filters.
pub(in crate::device::cpu) struct Results<'a, T> {
    /// sum p of tile t of filter f is at p · step + f · filter_step + t; there are whole vectors
    pub sums: *const T,
    pub step: usize,
    pub filter_step: usize,
    pub tiles: &'a [Spot],
    /// the output, what each filter adds to its address, and a row
    pub out: *mut T,
    pub filters: &'a [isize],
    pub row_step: isize,
}

// ---- Along one axis --------------------------------------------------

/// sum + factor · x
///
/// # Safety
/// The processor has the vectors. (So for all functions below.)
#[inline(always)]
unsafe fn plus<V: Vector>(sum: V, factor: f64, x: V) -> V {
    // SAFETY: the caller's promise.
    unsafe { sum.add_product(V::splat(V::Number::near(factor)), x) }
}

/// factor · x
#[inline(always)]
unsafe fn times<V: Vector>(factor: f64, x: V) -> V {
    // SAFETY: the caller's promise.
    unsafe { plus(V::splat(V::Number::ZERO), factor, x) }
}

/// Bᵀ d
#[inline(always)]
unsafe fn patch<V: Vector>([d0, d1, d2, d3, d4, d5]: [V; PATCH]) -> [V; PATCH] {
    // SAFETY: the caller's promise.
    unsafe {
        let (even_a, odd_a) = (plus(d4, -B2, d2), plus(d3, -B2, d1));
        let (even_b, odd_b) = (plus(d4, -A2, d2), plus(d3, -A2, d1));
        [
            plus(plus(d4, -A2 - B2, d2), A2 * B2, d0),
            plus(even_a, A, odd_a),
            plus(even_a, -A, odd_a),
            plus(even_b, B, odd_b),
            plus(even_b, -B, odd_b),
            plus(plus(d5, -A2 - B2, d3), A2 * B2, d1),
        ]
    }
}

/// G g
#[inline(always)]
unsafe fn filter<V: Vector>([g0, g1, g2]: [V; WINDOW]) -> [V; PATCH] {
    // SAFETY: the caller's promise.
    unsafe {
        let even_a = plus(times(AT_A, g0), AT_A * A2, g2);
        let even_b = plus(times(AT_B, g0), AT_B * B2, g2);
        [
            times(1.0 / (A2 * B2), g0),
            plus(even_a, AT_A * A, g1),
            plus(even_a, AT_A * -A, g1),
            plus(even_b, AT_B * B, g1),
            plus(even_b, AT_B * -B, g1),
            g2,
        ]
    }
}

/// Aᵀ m
#[inline(always)]
unsafe fn result<V: Vector>([m0, m1, m2, m3, m4, m5]: [V; PATCH]) -> [V; SIDE] {
    // SAFETY: the caller's promise.
    unsafe {
        let (even_a, odd_a) = (m1.add(m2), plus(m1, -1.0, m2));
        let (even_b, odd_b) = (m3.add(m4), plus(m3, -1.0, m4));
        [
            m0.add(even_a).add(even_b),
            plus(times(A, odd_a), B, odd_b),
            plus(times(A2, even_a), B2, even_b),
            plus(plus(m5, A2 * A, odd_a), B2 * B, odd_b),
        ]
    }
}

/// A e, of the first four numbers: the values of a tile at the points
#[inline(always)]
unsafe fn tile<V: Vector>([e0, e1, e2, e3, ..]: [V; PATCH]) -> [V; PATCH] {
    // SAFETY: the caller's promise.
    unsafe {
        let (even_a, odd_a) = (plus(e0, A2, e2), plus(e1, A2, e3));
        let (even_b, odd_b) = (plus(e0, B2, e2), plus(e1, B2, e3));
        [
            e0,
            plus(even_a, A, odd_a),
            plus(even_a, -A, odd_a),
            plus(even_b, B, odd_b),
            plus(even_b, -B, odd_b),
            e3,
        ]
    }
}

/// Gᵀ m
#[inline(always)]
pub(super) unsafe fn window<V: Vector>([m0, m1, m2, m3, m4, m5]: [V; PATCH]) -> [V; WINDOW] {
    // SAFETY: the caller's promise.
    unsafe {
        let (even_a, odd_a) = (m1.add(m2), plus(m1, -1.0, m2));
        let (even_b, odd_b) = (m3.add(m4), plus(m3, -1.0, m4));
        [
            plus(plus(times(1.0 / (A2 * B2), m0), AT_A, even_a), AT_B, even_b),
            plus(times(AT_A * A, odd_a), AT_B * B, odd_b),
            plus(plus(m5, AT_A * A2, even_a), AT_B * B2, even_b),
        ]
    }
}

/// What is slid over, or what is slid: how numbers along an axis become values at points.
pub(in crate::device::cpu) trait Side {
    /// numbers that count, of six
    const SIZE: usize;
    /// # Safety
    /// The processor has the vectors.
    unsafe fn values<V: Vector>(numbers: [V; PATCH]) -> [V; PATCH];
}

/// An image, of which a tile takes a patch.
pub(in crate::device::cpu) struct Image;
impl Side for Image {
    const SIZE: usize = PATCH;
    #[inline(always)]
    unsafe fn values<V: Vector>(numbers: [V; PATCH]) -> [V; PATCH] {
        // SAFETY: the caller's promise.
        unsafe { patch(numbers) }
    }
}

/// The gradient of an output, which is its tiles.
pub(in crate::device::cpu) struct Gradient;
impl Side for Gradient {
    const SIZE: usize = SIDE;
    #[inline(always)]
    unsafe fn values<V: Vector>(numbers: [V; PATCH]) -> [V; PATCH] {
        // SAFETY: the caller's promise.
        unsafe { tile(numbers) }
    }
}

// ---- Along both ------------------------------------------------------

/// U = G g Gᵀ
///
/// # Safety
/// Each filter has a number at each place of the window; there is room for the factors, and nobody else uses it.
#[inline(always)]
pub(in crate::device::cpu) unsafe fn filters<V: Vector>(call: &Filters<V::Number>) {
    for (chunk, filters) in call.filters.chunks(V::LANES).enumerate() {
        // SAFETY: the caller's promises; an array holds a vector.
        unsafe {
            let mut numbers = [[V::Number::ZERO; MOST_LANES]; WINDOW * WINDOW];
            for (lane, offset) in filters.iter().enumerate() {
                let from = call.weights.wrapping_offset(*offset);
                for (numbers, place) in numbers.iter_mut().zip(call.window) {
                    numbers[lane] = *from.wrapping_offset(*place);
                }
            }
            let mut columns = [[V::splat(V::Number::ZERO); PATCH]; WINDOW];
            for (x, column) in columns.iter_mut().enumerate() {
                *column = filter([
                    V::load(numbers[x].as_ptr()),
                    V::load(numbers[x + WINDOW].as_ptr()),
                    V::load(numbers[x + 2 * WINDOW].as_ptr()),
                ]);
            }
            let to = call.to.wrapping_add(chunk * V::LANES);
            let [left, middle, right] = &columns;
            for (i, ((g0, g1), g2)) in left.iter().zip(middle).zip(right).enumerate() {
                let row = filter([*g0, *g1, *g2]);
                for (j, factor) in row.into_iter().enumerate() {
                    factor.store(to.wrapping_add((i * PATCH + j) * call.step));
                }
            }
        }
    }
}

/// V = Bᵀ d B
///
/// # Safety
/// The rows and columns that strips say are there may be read, for each channel; there is room as promised, and nobody else uses it.
#[inline(always)]
pub(in crate::device::cpu) unsafe fn patches<V: Vector>(call: &Patches<V::Number>) {
    for (c, channel) in call.channels.iter().enumerate() {
        let image = call.image.wrapping_offset(*channel);
        // Another channel is another place in memory, which nobody foresees.
        let ahead = call.channels.get(c + 1).unwrap_or(channel) - channel;
        for strip in call.strips {
            // SAFETY: the caller's promises.
            unsafe { strip.along_columns::<V, Image>(image, ahead, call.room, call.room_step) };
        }
        for (group, places) in call.places.chunks_exact(V::LANES).enumerate() {
            let first = c * call.channel_step + group * V::LANES;
            let straight = V::LANES >= 4
                && places.chunks(V::LANES / 4).all(|places| {
                    places[places.len() - 1] == places[0] + SIDE * (places.len() - 1)
                });
            for i in 0..PATCH {
                let room = call.room.wrapping_add(i * call.room_step).cast_const();
                let to = call.to.wrapping_add(i * PATCH * call.step + first);
                // SAFETY: six columns from each place on have been written, and the store has room for whole vectors.
                unsafe {
                    let [d0, d1, d2, d3] = pick::<V>(room, places, straight);
                    let [d4, d5, ..] = pick::<V>(room.wrapping_add(SIDE), places, straight);
                    let row = patch([d0, d1, d2, d3, d4, d5]);
                    for (j, factor) in row.into_iter().enumerate() {
                        factor.store(to.wrapping_add(j * call.step));
                    }
                }
            }
        }
    }
}

impl Strip {
    /// So many tiles, the first of which is at row y and column x, with what they need of the memory that `start` is the first row and the
    /// first of these columns of; `valid` tells which rows and columns are there.
    pub fn new<S: Side>(
        start: isize,
        [y, x]: [usize; 2],
        tiles: usize,
        row_step: isize,
        [valid_y, valid_x]: [&Range<usize>; 2],
    ) -> Strip {
        Strip {
            rows: std::array::from_fn(|i| {
                let row = y + i.min(S::SIZE - 1);
                let there = row.clamp(valid_y.start, valid_y.end - 1);
                start + there as isize * row_step
            }),
            kept: (0..S::SIZE).fold(0, |kept, i| kept | (valid_y.contains(&(y + i)) as u32) << i),
            valid: valid_x.start.saturating_sub(x)..valid_x.end.saturating_sub(x),
            columns: tiles * SIDE + S::SIZE - SIDE,
            to: 0,
        }
    }

    /// The first half of a transform: the rows of an image, or of a gradient, become six of the room, all tiles' columns beside each other.
    ///
    /// # Safety
    /// As [`patches`].
    #[inline(always)]
    pub unsafe fn along_columns<V: Vector, S: Side>(
        &self,
        image: *const V::Number,
        ahead: isize,
        room: *mut V::Number,
        room_step: usize,
    ) {
        let whole = u32::MAX >> (32 - V::LANES);
        for first in (0..self.columns).step_by(V::LANES) {
            let from = image.wrapping_add(first);
            let mask = self.valid(first, V::LANES);
            // The first and the last row are also others' last and first.
            for row in &self.rows[1..S::SIZE - 1] {
                prefetch(from.wrapping_offset(row + ahead).cast(), 1);
            }
            let to = room.wrapping_add(self.to + first);
            // SAFETY: what the mask and `kept` allow is there (the caller's promise), and so is the room.
            unsafe {
                let mut d = [V::splat(V::Number::ZERO); PATCH];
                if mask == whole && self.kept == (1 << S::SIZE) - 1 {
                    for (d, row) in d.iter_mut().zip(&self.rows[..S::SIZE]) {
                        *d = V::load(from.wrapping_offset(*row));
                    }
                } else {
                    for (i, d) in d.iter_mut().enumerate().take(S::SIZE) {
                        let kept = 0u32.wrapping_sub(self.kept >> i & 1);
                        *d = load_some(from.wrapping_offset(self.rows[i]), mask & kept);
                    }
                }
                for (i, number) in S::values(d).into_iter().enumerate() {
                    number.store(to.wrapping_add(i * room_step));
                }
            }
        }
    }

    /// The lanes of a vector whose columns are there.
    #[inline(always)]
    fn valid(&self, first: usize, lanes: usize) -> u32 {
        let below = |end: usize| (1u64 << end.saturating_sub(first).min(lanes)) - 1;
        (below(self.valid.end) & !below(self.valid.start)) as u32
    }
}

/// The numbers that a mask allows, and 0 for the others.
///
/// # Safety
/// There is a number where the mask has a 1.
#[inline(always)]
unsafe fn load_some<V: Vector>(from: *const V::Number, mask: u32) -> V {
    // SAFETY: the caller's promise; the others are not looked at.
    unsafe {
        if mask == u32::MAX >> (32 - V::LANES) {
            return V::load(from);
        }
        if V::FAULTLESS {
            return V::splat(V::Number::ZERO).load_masked(from, mask);
        }
        let mut lanes = [V::Number::ZERO; MOST_LANES];
        for (lane, number) in lanes.iter_mut().enumerate().take(V::LANES) {
            if mask & (1 << lane) != 0 {
                *number = *from.wrapping_add(lane);
            }
        }
        V::load(lanes.as_ptr())
    }
}

/// Four numbers from each of as many places as there are lanes: number j of all places is vector j. Straight if each quarter of
/// them is four apart.
///
/// # Safety
/// There are four numbers at each place.
#[inline(always)]
unsafe fn pick<V: Vector>(room: *const V::Number, places: &[usize], straight: bool) -> [V; 4] {
    // SAFETY: the caller's promise. A quarter of the places that is straight is a vector of numbers.
    unsafe {
        if straight {
            let quarter = V::LANES / 4;
            return V::deal([
                V::load(room.wrapping_add(places[0])),
                V::load(room.wrapping_add(places[quarter])),
                V::load(room.wrapping_add(places[2 * quarter])),
                V::load(room.wrapping_add(places[3 * quarter])),
            ]);
        }
        let mut dealt = [[V::Number::ZERO; MOST_LANES]; 4];
        for (lane, place) in places.iter().enumerate() {
            for (j, numbers) in dealt.iter_mut().enumerate() {
                numbers[lane] = *room.wrapping_add(place + j);
            }
        }
        [
            V::load(dealt[0].as_ptr()),
            V::load(dealt[1].as_ptr()),
            V::load(dealt[2].as_ptr()),
            V::load(dealt[3].as_ptr()),
        ]
    }
}

/// Y = Aᵀ M A
///
/// # Safety
/// The sums are there; the rows and columns that each tile has in the output may be written, for each filter, by nobody else.
#[inline(always)]
pub(in crate::device::cpu) unsafe fn results<V: Vector>(call: &Results<V::Number>) {
    for (group, tiles) in call.tiles.chunks(V::LANES).enumerate() {
        let quarter = V::LANES.div_ceil(4);
        let whole = |tile: &Spot| tile.rows == SIDE && tile.columns == SIDE;
        let straight = tiles.len() == 4 * quarter
            && tiles.iter().all(whole)
            && tiles.chunks(quarter).all(|tiles| {
                let steps = (tiles.len() - 1) as isize;
                tiles[tiles.len() - 1].at == tiles[0].at + SIDE as isize * steps
            });
        for (f, filter) in call.filters.iter().enumerate() {
            let out = call.out.wrapping_offset(*filter);
            let sums = call
                .sums
                .wrapping_add(f * call.filter_step + group * V::LANES);
            // SAFETY: the caller's promises; four vectors of tiles' rows are 4 · LANES numbers.
            unsafe {
                let zero = V::splat(V::Number::ZERO);
                let mut columns = [[zero; SIDE]; PATCH];
                for (j, column) in columns.iter_mut().enumerate() {
                    let mut m = [zero; PATCH];
                    for (i, m) in m.iter_mut().enumerate() {
                        *m = V::load(sums.wrapping_add((i * PATCH + j) * call.step));
                    }
                    *column = result(m);
                }
                let mut rows = [[[V::Number::ZERO; SIDE]; MOST_LANES]; SIDE];
                for (i, row) in rows.iter_mut().enumerate() {
                    let mut m = [zero; PATCH];
                    for (m, column) in m.iter_mut().zip(&columns) {
                        *m = column[i];
                    }
                    let dealt = V::gather(result(m));
                    let down = i as isize * call.row_step;
                    let to = row.as_mut_ptr().cast::<V::Number>();
                    for (k, four) in dealt.into_iter().enumerate() {
                        match straight {
                            true => four.store(out.wrapping_offset(tiles[k * quarter].at + down)),
                            false => four.store(to.wrapping_add(k * V::LANES)),
                        }
                    }
                }
                if !straight {
                    for (t, tile) in tiles.iter().enumerate() {
                        for (i, row) in rows.iter().enumerate().take(tile.rows) {
                            let down = i as isize * call.row_step;
                            let to = out.wrapping_offset(tile.at + down);
                            if tile.columns == SIDE {
                                to.cast::<[V::Number; SIDE]>().write_unaligned(row[t]);
                            } else {
                                to.copy_from_nonoverlapping(row[t].as_ptr(), tile.columns);
                            }
                        }
                    }
                }
            }
        }
    }
}
