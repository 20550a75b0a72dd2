//! # device/cpu/contraction/winograd/gradient/turned: transforms whose lanes are channels
//!
//! **In:** patches of an image, tiles of a gradient, or sums of products. **Out:** factors of products, or gradients of filters.
//! **Above:** [`gradient`](super). Compiled for each instruction set by [`microkernel`](crate::device::cpu::microkernel), hence
//! `inline(always)`.
//!
//! The products add up over tiles, so a tile's factors of all channels have to be neighbours. The first half of a transform, along
//! columns, is done in memory's order, with neighbours in a row as lanes ([`Strip::along_columns`]). Then each four columns of as many channels as
//! there are lanes are turned, and the second half has channels as lanes: nothing is turned twice, and all 36 vectors are stored
//! where the kernels read them.
//!
//! ```text
//!  room        channel 0   ████ ████ ████ ██   row i of the six, columns of tiles       turn       c c c c
//!              channel 1   ████ ████ ████ ██   a tile takes its four columns,        ────────▶   0 1 2 3 …   ─▶ along rows ─▶ 6 vectors
//!              …           and of the next four the first two                                   for each column
//! ```

use super::super::transforms::{PATCH, SIDE, Side, Strip, WINDOW, window};
use crate::device::cpu::lanes::{Lane, MOST_LANES, Vector};

/// Patches or tiles of some channels.
pub(in crate::device::cpu) struct Factors<'a, T> {
    pub from: *const T,
    /// what each channel adds to the address
    pub channels: &'a [isize],
    pub strips: &'a [Strip],
    /// room for six rows of a strip for as many channels as there are lanes, with two vectors to spare in each row
    pub room: *mut T,
    pub room_step: usize,
    /// factor p of tile t of channel c goes to p · step + t · tile_step + c; there is room for whole vectors
    pub to: *mut T,
    pub step: usize,
    pub tile_step: usize,
}

/// Sums of products, and where the gradients of filters go.
pub(in crate::device::cpu) struct Windows<'a, T> {
    /// sum p of channel c of filter f is at p · step + f · filter_step + c; there are whole vectors
    pub sums: *const T,
    pub step: usize,
    pub filter_step: usize,
    /// the output, and what each filter, channel and place of the window adds to its address
    pub out: *mut T,
    pub filters: &'a [isize],
    pub channels: &'a [isize],
    pub window: &'a [isize; WINDOW * WINDOW],
}

/// V = Bᵀ d B, or E = A e Aᵀ
///
/// # Safety
/// The rows and columns that strips say are there may be read, for each channel; there is room as promised, and nobody else uses it.
#[inline(always)]
pub(in crate::device::cpu) unsafe fn factors<V: Vector, S: Side>(call: &Factors<V::Number>) {
    for (group, channels) in call.channels.chunks(V::LANES).enumerate() {
        let mut to = call.to.wrapping_add(group * V::LANES);
        // Where channels are lacking, the last one is done again, for nobody.
        let mut places = [call.room.cast_const(); MOST_LANES];
        for (lane, place) in places.iter_mut().enumerate() {
            let channel = lane.min(channels.len() - 1);
            *place = place.wrapping_add(channel * PATCH * call.room_step);
        }
        for strip in call.strips {
            for (c, channel) in channels.iter().enumerate() {
                let ahead = channels.get(c + 1).unwrap_or(channel) - channel;
                let from = call.from.wrapping_offset(*channel);
                let room = places[c].cast_mut();
                // SAFETY: the caller's promises.
                unsafe { strip.along_columns::<V, S>(from, ahead, room, call.room_step) };
            }
            let tiles = strip.columns / SIDE;
            for i in 0..PATCH {
                // SAFETY: all channels have these rows, and four columns more than tiles, of which no more than two count.
                unsafe {
                    let row = i * call.room_step;
                    let mut next = V::turn(|lane| places[lane].wrapping_add(row));
                    for tile in 0..tiles {
                        let [d0, d1, d2, d3] = next;
                        if S::SIZE > SIDE || tile + 1 < tiles {
                            let column = row + (tile + 1) * SIDE;
                            next = V::turn(|lane| places[lane].wrapping_add(column));
                        }
                        let values = S::values([d0, d1, d2, d3, next[0], next[1]]);
                        let to = to.wrapping_add(i * PATCH * call.step + tile * call.tile_step);
                        for (j, factor) in values.into_iter().enumerate() {
                            factor.store(to.wrapping_add(j * call.step));
                        }
                    }
                }
            }
            to = to.wrapping_add(tiles * call.tile_step);
        }
    }
}

/// dW = Gᵀ M G
///
/// # Safety
/// The sums are there; each place of each channel's and filter's window may be written, by nobody else.
#[inline(always)]
pub(in crate::device::cpu) unsafe fn windows<V: Vector>(call: &Windows<V::Number>) {
    for (f, filter) in call.filters.iter().enumerate() {
        for (group, channels) in call.channels.chunks(V::LANES).enumerate() {
            let sums = call
                .sums
                .wrapping_add(f * call.filter_step + group * V::LANES);
            // SAFETY: the caller's promises; an array holds a vector.
            unsafe {
                let zero = V::splat(V::Number::ZERO);
                let mut columns = [[zero; WINDOW]; PATCH];
                for (j, column) in columns.iter_mut().enumerate() {
                    let mut m = [zero; PATCH];
                    for (i, m) in m.iter_mut().enumerate() {
                        *m = V::load(sums.wrapping_add((i * PATCH + j) * call.step));
                    }
                    *column = window(m);
                }
                let mut numbers = [[V::Number::ZERO; MOST_LANES]; WINDOW * WINDOW];
                for (i, row) in numbers.chunks_exact_mut(WINDOW).enumerate() {
                    let mut m = [zero; PATCH];
                    for (m, column) in m.iter_mut().zip(&columns) {
                        *m = column[i];
                    }
                    for (numbers, lanes) in row.iter_mut().zip(window(m)) {
                        lanes.store(numbers.as_mut_ptr());
                    }
                }
                for (lane, channel) in channels.iter().enumerate() {
                    let out = call.out.wrapping_offset(filter + channel);
                    for (numbers, place) in numbers.iter().zip(call.window) {
                        *out.wrapping_offset(*place) = numbers[lane];
                    }
                }
            }
        }
    }
}

/// Numbers that [`Factors::room`] takes for strips of so many tiles: in each row, and in all.
pub(super) fn room(tiles: usize) -> [usize; 2] {
    let row = (tiles + 1) * SIDE + 2 * MOST_LANES;
    [row, row * PATCH * MOST_LANES]
}
