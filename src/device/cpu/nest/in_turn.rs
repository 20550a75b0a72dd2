//! # device/cpu/nest/in_turn: sums whose numbers lie between those of other sums
//!
//! **In:** sums over [image, point] for each channel of [image, channel, point]: a batch norm's. **Out:** the sums of pieces of the images.
//! **Above:** `nest`. **Below:** `strip`.
//!
//! ```text
//!   memory:  image 0: c₀→→→ c₁→→→ c₂→→→ …  image 1: c₀→→→ c₁→→→ c₂→→→ …
//!   along:            1st                           2nd                      one sum after the other, from page to page
//!   in turn:          1st   2nd   3rd               …                        all sums a little further, and memory from one end to the other
//! ```
//!
//! Processors foresee what is read in order, within a page. Two arrays of 4 MiB that no cache held, with 16 channels of 1,024 points: 14 GB/s one sum
//! after the other, 24 in turn. So a block is the channels of one image, as rows of a strip; each has its own lanes, which stay in cache
//! until the task's images are through.
//!
//! Law: a sum is added up in pieces of some images, in the order of the images; how many is told by the sizes alone.

use super::{LoopNest, Partial};
use crate::device::Args;
use crate::device::cpu::alu;
use crate::device::cpu::interpreter::{Interpreter, Room, is_in_rows};
use crate::device::cpu::strip::{Part, STRIP};
use crate::device::cpu::threads::{GRAIN, parallel};
use crate::device::cpu::walk::Walk;
use crate::dtype::DType;
use crate::kernel::{Inst, Level, Nest, Reg};

/// Channels of a task: their lanes, of three sums, take 96 KiB of a second-level cache.
const CHANNELS: usize = 64;
/// Numbers that are added up in one sum's lanes, at most: 512 in each.
const MOST: usize = 1 << 16;

/// What is read: memory from `start` on, so many elements further for each channel and image.
struct Load {
    reg: Reg,
    input: usize,
    dtype: DType,
    start: isize,
    channel: isize,
    image: isize,
    /// whether it is one number for all points of a channel in an image
    repeats: bool,
}

/// A nest's sums and loads.
pub(super) struct InTurn {
    channels: usize,
    images: usize,
    points: usize,
    loads: Vec<Load>,
}

/// The loads of a nest over [channel] and [image, point], if all sums are strips' and all that they read lies in rows.
pub(super) fn in_turn(
    nest: &Nest,
    walks: &[Option<Box<Walk>>],
    (outer, reduced): (&[usize], &[usize]),
) -> Option<InTurn> {
    let (&[channels], &[images, points]) = (outer, reduced) else {
        return None;
    };
    let mut loads = Vec::new();
    let mut between = false;
    for (reg, line) in nest.lines.iter().enumerate() {
        if line.level != Level::Inner {
            continue;
        }
        match (&line.inst, walks[reg].as_deref()) {
            (&Inst::Load { input, .. }, Some(walk)) => {
                if !is_in_rows(walk, &walk.reduced) || line.dtype != DType::Float32 {
                    return None;
                }
                let (&[channel], &[image, point]) =
                    (&walk.outer.strides[..], &walk.reduced.strides[..])
                else {
                    return None;
                };
                between |= point == 1 && 0 < channel && channel < image;
                if point == 1 && channel > image {
                    return None; // one sum after the other is the order of memory
                }
                loads.push(Load {
                    reg,
                    input,
                    dtype: line.dtype,
                    start: walk.start.address,
                    channel,
                    image,
                    repeats: point == 0,
                });
            }
            (_, None) => {}
            (_, Some(_)) => return None,
        }
    }
    (between && channels > 1).then_some(InTurn {
        channels,
        images,
        points,
        loads,
    })
}

impl InTurn {
    /// Whether the inner loop is strips alone, which read nothing but these loads and constants.
    pub fn fits(&self, interpreter: &Interpreter) -> bool {
        let loaded = |reg: Reg| self.loads.iter().any(|load| load.reg == reg);
        interpreter.inner.iter().all(|part| match part {
            Part::One(reg) => loaded(*reg),
            Part::Strip(strip) => {
                let known = |&reg: &Reg| loaded(reg) || interpreter.is_repeated(reg);
                strip.reads.iter().all(known) && strip.results.is_empty()
            }
        })
    }
}

impl LoopNest {
    /// All sums of a nest, and then its outputs.
    pub(super) fn sums_in_turn(&self, turn: &InTurn, args: &Args) {
        let (channels, images) = (turn.channels, turn.images);
        let chunks = channels.div_ceil(CHANNELS);
        let work = (channels * images * turn.points / chunks / (2 * GRAIN)).clamp(1, 64);
        let pieces = work.max(images * turn.points / MOST).min(images);
        let partial = Partial::new(self, channels, pieces);
        parallel(chunks * pieces, |task| {
            let (chunk, piece) = (task / pieces, task % pieces);
            let some = chunk * CHANNELS..((chunk + 1) * CHANNELS).min(channels);
            let mut frame = self.frame(args, usize::MAX);
            // A strip for each channel of each sum's lanes, and of each load that repeats. Short rows need no more than they have points.
            let lanes = turn.points.min(STRIP);
            let row = lanes * size_of::<f32>();
            let each = (some.len() * row).next_multiple_of(64);
            let repeats = turn.loads.iter().filter(|load| load.repeats);
            let strips = self.reductions.iter().map(|&(sum, ..)| sum);
            let strips: Vec<Reg> = strips.chain(repeats.map(|load| load.reg)).collect();
            let mut room = Room::new(strips.len() * each / 64 + 1);
            let start = room.start();
            for (i, &reg) in strips.iter().enumerate() {
                // SAFETY: the room is for so many strips of each.
                unsafe { start.add(i * each).write_bytes(0, each) };
                frame.place_rows(reg, start.wrapping_add(i * each), row as isize);
            }
            let first = piece * images / pieces;
            for image in first..(piece + 1) * images / pieces {
                for load in &turn.loads {
                    let size = load.dtype.itemsize() as isize;
                    let at = load.start + load.channel * some.start as isize;
                    let at = (at + load.image * image as isize) * size;
                    let memory = args.inputs[load.input].wrapping_offset(at);
                    if !load.repeats {
                        frame.show_rows(load.reg, memory.cast_mut(), load.channel * size);
                    } else if load.image != 0 || image == first {
                        for channel in 0..some.len() {
                            let from =
                                memory.wrapping_offset(load.channel * size * channel as isize);
                            let to = frame.registers[load.reg].wrapping_add(channel * row);
                            // SAFETY: the kernel's views are inside its inputs; a strip has room for as many numbers.
                            unsafe { alu::load(load.dtype, from, 0, to, lanes) };
                        }
                    }
                }
                for part in &self.interpreter.inner {
                    if let Part::Strip(strip) = part {
                        let rows = (some.len(), turn.points);
                        // SAFETY: each channel's points are inside the inputs; each channel has its own lanes and repeated strips.
                        unsafe { self.interpreter.run_strip(strip, rows, &mut frame) };
                    }
                }
            }
            for (i, &(sum, op, _)) in self.reductions.iter().enumerate() {
                let dtype = self.nest().lines[sum].dtype;
                let to = partial.place(self, i, piece, some.start);
                let line = |channel| start.wrapping_add(i * each + channel * row).cast_const();
                let lines: Vec<*const u8> = (0..some.len()).map(line).collect();
                // SAFETY: the place has room for these channels' sums; so many lanes of each have been added up.
                unsafe {
                    alu::fill(dtype, op.identity(dtype.compute()), to, some.len());
                    alu::reduce_lines(op, dtype, &lines, lanes, (to, lines.len()));
                }
            }
        });
        partial.join(self);
        self.outputs(0..channels, args, Some(&partial));
    }
}
