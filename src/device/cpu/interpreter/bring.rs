//! # device/cpu/interpreter/bring: the instructions that depend on where the points are
//!
//! **In:** a load, a position, a random number, a condition or a gather, and a line of points. **Out:** its register, filled for them: by
//! no copy at all where the line is one stretch of memory, by one strip where it is one number, else by panels (columns as rows), tables
//! (short rows) or runs.

use super::{Frame, Interpreter, Running, Span, width};
use crate::device::cpu::alu;
use crate::device::cpu::simd::{Hot, Isa, prefetch, vectorize};
use crate::device::cpu::strip::STRIP;
use crate::device::cpu::table::Bring;
use crate::device::cpu::walk::{Axes, Base, Run, Walk};
use crate::device::random::uniform;
use crate::device::{Args, Param};
use crate::dtype::DType;
use crate::kernel::{Inst, Level, Line, Nest, Reg};
use std::ops::Range;

/// Rows below this length are not worth the beginning of each: tables are quicker.
const SHORT: usize = STRIP / 2;
/// Numbers in the longest vector register.
const LANES: usize = 16;

impl Interpreter {
    /// The instructions that depend on where the points are.
    ///
    /// # Safety
    /// As for [`Interpreter::run`].
    pub(super) unsafe fn bring(
        &self,
        nest: &Nest,
        reg: Reg,
        span: &Span,
        args: &Args,
        frame: &mut Frame,
    ) {
        let line = &nest.lines[reg];
        let walk = self.walks[reg]
            .as_ref()
            .expect("every instruction with a view has a walk");
        let [outer, reduced] = self.lines[reg].as_deref().expect("as many as walks");
        let (running, others) = if span.along_outer {
            (outer, &walk.reduced)
        } else {
            (reduced, &walk.outer)
        };
        let (axes, table) = (&running.axes, &running.table);
        let rank = others.sizes.len();
        frame.reset(reg);
        (frame.repeated[reg], frame.rows[reg]) = (false, None);
        for row in 0..span.lines {
            let fixed = if span.fixed.is_empty() {
                &[][..]
            } else {
                &span.fixed[row * rank..(row + 1) * rank]
            };
            let base = others.shifted(&walk.start, fixed);
            if let Inst::Load { input, .. } = line.inst
                && span.lines == 1
                && let Some((address, stride)) = in_one_row(axes, &base, &walk.limits, span)
            {
                let size = line.dtype.itemsize() as isize;
                let memory = args.inputs[input].wrapping_offset(address * size);
                if (stride == 1 || span.len == 1) && line.dtype.compute() == line.dtype {
                    // The register is the memory itself. It is only ever read through this pointer.
                    frame.registers[reg] = memory.cast_mut();
                    return;
                }
                if stride == 0 && self.repeatable[reg] {
                    // A channel's mean or weight, say: all points of a block have the same one.
                    // SAFETY: as the caller promises; a block has room for a strip.
                    unsafe { alu::load(line.dtype, memory, 0, frame.own[reg], STRIP) };
                    frame.repeated[reg] = true;
                    return;
                }
            }
            if let Inst::Load { input, .. } = line.inst
                && span.lines == 1
                && self.in_strips[reg]
                && let Some((address, stride, step)) = in_rows(axes, &base, &walk.limits, span)
            {
                let size = line.dtype.itemsize() as isize;
                let memory = args.inputs[input].wrapping_offset(address * size);
                if stride == 1 && line.dtype.compute() == line.dtype {
                    frame.registers[reg] = memory.cast_mut();
                    frame.rows[reg] = Some(step * size);
                    return;
                }
                if stride == 0 {
                    // One number a row, as often as a strip has them.
                    let often = span.row.min(STRIP);
                    let bytes = often * width(line.dtype);
                    for row in 0..span.len / span.row {
                        let from = memory.wrapping_offset(step * size * row as isize);
                        let to = frame.own[reg].wrapping_add(row * bytes);
                        // SAFETY: as the caller promises; a block has room for all rows' points.
                        unsafe { alu::load(line.dtype, from, 0, to, often) };
                    }
                    (frame.repeated[reg], frame.rows[reg]) = (true, Some(bytes as isize));
                    return;
                }
            }
            let dst = frame.own[reg].wrapping_add(row * span.len * width(line.dtype));
            if let (Inst::Load { input, .. }, Some(columns)) = (&line.inst, running.columns)
                && span.lines == 1
                && span.fixed.is_empty()
            {
                let (memory, range) = (args.inputs[*input], span.start..span.start + span.len);
                let (place, panel) = ((axes, &base), &mut frame.panels[reg]);
                // SAFETY: as the caller promises; elements are moved as bits of their size.
                frame.registers[reg] = unsafe {
                    match line.dtype.itemsize() {
                        1 => columns.bring::<u8>(memory, place, range, panel, dst),
                        2 => columns.bring::<u16>(memory, place, range, panel, dst),
                        4 => columns.bring::<u32>(memory, place, range, panel, dst),
                        _ => columns.bring::<u64>(memory, place, range, panel, dst),
                    }
                };
                return;
            }
            if let Some(table) = table {
                let what = match line.inst {
                    Inst::Load { input, .. } => {
                        Bring::Element(args.inputs[input], line.dtype, self.lengths[input])
                    }
                    _ => Bring::Valid,
                };
                // SAFETY: as the caller promises; `dst` has room for the line.
                unsafe {
                    table.bring(
                        what,
                        &base,
                        &walk.limits,
                        span.start..span.start + span.len,
                        dst,
                    )
                };
                continue;
            }
            axes.runs(&base, &walk.limits, span.start, span.len, |run| {
                let to = dst.wrapping_add(run.at * width(line.dtype));
                let at = row * span.len + run.at;
                // SAFETY: as the caller promises; `to` is inside the register's block, and an index has as many points.
                unsafe {
                    match line.inst {
                        Inst::Gather { index, .. } => {
                            let indices = Indices {
                                first: frame.registers[index].cast::<i64>().add(at),
                                same: self.first_of_row[index],
                                left: span.len - run.at,
                                past_caches: frame.past_caches[reg],
                            };
                            gather_run(line, run, to, args, indices)
                        }
                        _ if self.first_of_row[reg] => {
                            bring_run(line, Run { len: 1, ..run }, to, args)
                        }
                        _ => bring_run(line, run, to, args),
                    }
                }
            });
        }
        if frame.past_caches[reg] {
            alu::fence();
        }
    }
}

impl Interpreter {
    /// The length of rows that the loads of one level fall into along one space, if a block of several rows needs no copies: then each of them
    /// is memory, side by side or row by row, or one number a row.
    pub fn rows(&self, nest: &Nest, level: Level, along_outer: bool) -> Option<usize> {
        let mut row = usize::MAX;
        let mut loads = Vec::new();
        for (reg, line) in nest.lines.iter().enumerate() {
            let (Some(walk), Some([outer, reduced])) =
                (&self.walks[reg], self.lines[reg].as_deref())
            else {
                continue;
            };
            if line.level != level || self.is_stretch(nest, reg, along_outer) {
                continue;
            }
            let axes = if along_outer {
                &outer.axes
            } else {
                &reduced.axes
            };
            let (Some(&last), Some(&stride)) = (axes.sizes.last(), axes.strides.last()) else {
                continue; // one number for all
            };
            let memory = stride == 1 && line.dtype.compute() == line.dtype;
            if !self.in_strips[reg] || !walk.limits.is_empty() || !(memory || stride == 0) {
                return None;
            }
            row = row.min(last);
            loads.push(last);
        }
        let fit = loads.iter().all(|last| last % row == 0);
        (!loads.is_empty() && fit && is_long(row)).then_some(row)
    }

    /// Whether a register is a load that shows one stretch of memory along one space, whatever the point of the other one.
    pub fn is_stretch(&self, nest: &Nest, reg: Reg, along_outer: bool) -> bool {
        let (Some(walk), Some([outer, reduced])) = (&self.walks[reg], self.lines[reg].as_deref())
        else {
            return false;
        };
        let axes = if along_outer { outer } else { reduced };
        is_stretch(&nest.lines[reg], walk, &axes.axes)
    }

    /// Where such a load's stretches are from their point `start` on, one for each of some points of the other space.
    pub fn stretches(
        &self,
        nest: &Nest,
        reg: Reg,
        along_outer: bool,
        start: usize,
        others: Range<usize>,
        args: &Args,
    ) -> Vec<*const u8> {
        let line = &nest.lines[reg];
        let (Some(walk), Some([outer, reduced]), Inst::Load { input, .. }) =
            (&self.walks[reg], self.lines[reg].as_deref(), &line.inst)
        else {
            unreachable!("{:?} is no stretch of memory", line.inst)
        };
        let (memory, size) = (args.inputs[*input], line.dtype.itemsize() as isize);
        let axes = if along_outer { reduced } else { outer };
        let base = Base {
            address: walk.start.address + start as isize,
            bounds: Vec::new(),
        };
        let mut stretches = Vec::with_capacity(others.len());
        axes.axes
            .runs(&base, &[], others.start, others.len(), |run| {
                let first = run.address.expect("nothing is masked without bounds");
                let address = |j: usize| first + run.stride * j as isize;
                stretches.extend((0..run.len).map(|j| memory.wrapping_offset(address(j) * size)));
            });
        stretches
    }
}

/// Whether a row is so long that a block of several rows can be memory, row by row: see [`SHORT`]. (A ragged end is a copy for each operand.)
fn is_long(row: usize) -> bool {
    row >= STRIP || (row >= SHORT && row.is_multiple_of(LANES))
}

/// Whether a load over some axes, which are merged, is memory in its order.
pub(in crate::device::cpu) fn is_stretch(line: &Line, walk: &Walk, axes: &Axes) -> bool {
    matches!(line.inst, Inst::Load { .. })
        && line.dtype.compute() == line.dtype
        && walk.limits.is_empty()
        && axes.strides == [1]
}

/// Whether what is read over some axes of a walk lies there in long rows, or is one number in each.
pub(in crate::device::cpu) fn is_in_rows(walk: &Walk, axes: &Axes) -> bool {
    let axes = axes.merged();
    let long = axes.sizes.last().is_none_or(|&row| is_long(row));
    long && walk.limits.is_empty()
        && axes
            .strides
            .last()
            .is_none_or(|stride| matches!(stride, 0 | 1))
}

/// Which registers are indices that are the same along each row of all the gathers that read them. Of these only the first of each row is
/// brought and looked at: an embedding of 8,192 rows would otherwise write each index 512 times.
pub(super) fn first_of_row(nest: &Nest, lines: &[Option<Box<[Running; 2]>>]) -> Vec<bool> {
    // A register's last axis, if its row is one run.
    let row = |reg: Reg| {
        let [running, others] = lines[reg].as_deref()?;
        let plain = others.axes.sizes.is_empty()
            && running.axes.coefs.is_empty()
            && running.table.is_none()
            && running.columns.is_none();
        let (&size, &stride) = (running.axes.sizes.last()?, running.axes.strides.last()?);
        plain.then_some((size, stride))
    };
    let gathered = |reg: Reg| {
        let Some((size, 0)) = row(reg) else {
            return false;
        };
        let reads = |line: &Line| line.inst.reads().any(|read| read == reg);
        let mut readers = (0..nest.lines.len()).filter(|&reader| reads(&nest.lines[reader]));
        readers.all(|reader| {
            matches!(nest.lines[reader].inst, Inst::Gather { .. })
                && row(reader).is_some_and(|(other, _)| other == size)
        })
    };
    let is_load = |reg: Reg| matches!(nest.lines[reg].inst, Inst::Load { .. });
    (0..nest.lines.len())
        .map(|reg| is_load(reg) && gathered(reg))
        .collect()
}

/// Whether all numbers are the same.
struct AllEqual<'a>(&'a [i64]);

impl Hot for AllEqual<'_> {
    type Out = bool;
    #[inline(always)]
    fn run<I: Isa>(self) -> bool {
        // Without an early end the loop has no branch, and eight numbers go at once.
        self.0
            .iter()
            .fold(0, |differences, &i| differences | (i ^ self.0[0]))
            == 0
    }
}

/// The address of a line's first point, and the distance to the next one, if the line lies within one row.
fn in_one_row(axes: &Axes, base: &Base, limits: &[isize], span: &Span) -> Option<(isize, isize)> {
    let (row, stride) = match (axes.sizes.last(), axes.strides.last()) {
        (Some(&row), Some(&stride)) => (row, stride),
        _ => (usize::MAX, 0),
    };
    if !limits.is_empty() || span.start % row + span.len > row {
        return None;
    }
    Some((address(axes, base, span.start), stride))
}

/// The address of a line's first point, and the distances from point to point and from row to row, if its rows are equally spaced.
fn in_rows(
    axes: &Axes,
    base: &Base,
    limits: &[isize],
    span: &Span,
) -> Option<(isize, isize, isize)> {
    let row = span.row;
    if !limits.is_empty() || row == 0 || span.start % row + span.len % row > 0 {
        return None;
    }
    let (&last, &stride) = (axes.sizes.last()?, axes.strides.last()?);
    // Which axis goes from row to row: the one before the last, or part of the last.
    let (size, step) = match (&axes.sizes[..], &axes.strides[..]) {
        ([.., size, _], [.., step, _]) if last == row => (*size, *step),
        _ if last % row == 0 => (last / row, stride * row as isize),
        _ => return None,
    };
    let together = span.start / row % size + span.len / row <= size;
    together.then(|| (address(axes, base, span.start), stride, step))
}

/// The address of a point, where nothing is masked.
fn address(axes: &Axes, base: &Base, point: usize) -> isize {
    let (mut address, mut rest) = (base.address, point);
    for (&size, &stride) in axes.sizes.iter().zip(&axes.strides).rev() {
        address += stride * (rest % size) as isize;
        rest /= size;
    }
    address
}

/// One run of a load, a position, a random number or a condition.
///
/// # Safety
/// As for [`Interpreter::run`]; `to` has room for the run.
unsafe fn bring_run(line: &Line, run: Run, to: *mut u8, args: &Args) {
    let Run {
        len,
        address,
        stride,
        ..
    } = run;
    // SAFETY: see above; an address that a run gives is valid (the kernel's law 3).
    unsafe {
        let Some(address) = address else {
            // Outside of a bound: zeros, whatever the instruction. All-zero bytes are 0 in every dtype.
            return std::ptr::write_bytes(to, 0, len * width(line.dtype));
        };
        let size = line.dtype.itemsize() as isize;
        match &line.inst {
            Inst::Load { input, .. } => {
                let from = args.inputs[*input].wrapping_offset(address * size);
                // A run of a few numbers is over before a call to `alu` would have begun.
                if len <= 4 && line.dtype == DType::Float32 {
                    for j in 0..len {
                        *to.cast::<f32>().add(j) = *from.cast::<f32>().offset(stride * j as isize);
                    }
                    return;
                }
                alu::load(line.dtype, from, stride, to, len)
            }
            Inst::Iota { .. } => alu::iota(address as i64, stride as i64, to, len),
            Inst::Valid { .. } => std::ptr::write_bytes(to, 1, len),
            Inst::Rand { param, .. } => {
                let Param::Key(key) = args.params[*param] else {
                    unreachable!("a key is no constant")
                };
                for j in 0..len {
                    to.cast::<f32>()
                        .add(j)
                        .write(uniform(key, (address + stride * j as isize) as u64));
                }
            }
            Inst::Gather { .. }
            | Inst::Const { .. }
            | Inst::Unary(..)
            | Inst::Binary(..)
            | Inst::Ternary(..)
            | Inst::Reduce(..)
            | Inst::Spread(_)
            | Inst::Store { .. } => {
                unreachable!("{:?} depends on no place, or on more", line.inst)
            }
        }
    }
}

/// Where a run of a gather finds its indices, and how it writes.
struct Indices {
    /// that of the run's first point; those of the next follow
    first: *const i64,
    /// whether all of the run have this one, and only this one has been written
    same: bool,
    /// points from the run's first to the line's last
    left: usize,
    /// whether the elements go to an output that no cache holds
    past_caches: bool,
}

/// One run of a gather.
///
/// # Safety
/// As for [`Interpreter::run`]; `to` has room for the run, and the indices of as many points are there as `indices` says.
unsafe fn gather_run(line: &Line, run: Run, to: *mut u8, args: &Args, indices: Indices) {
    let Inst::Gather {
        input,
        stride: step,
        size: count,
        ..
    } = line.inst
    else {
        unreachable!("{:?} is no gather", line.inst)
    };
    let (len, size) = (run.len, line.dtype.itemsize());
    // SAFETY: see above; an address that a run gives, and an index inside of the axis, are valid (the kernel's law 3).
    unsafe {
        let Some(address) = run.address else {
            return std::ptr::write_bytes(to, 0, len * width(line.dtype));
        };
        let row = |index: i64| {
            // An index that is not inside is only asked for ahead of time.
            let element = address.wrapping_add(step.wrapping_mul(index as isize));
            args.inputs[input].wrapping_offset(element.wrapping_mul(size as isize))
        };
        let inside = |i: i64| 0 <= i && i < count as i64;
        let written = if indices.same { 1 } else { len };
        let index = std::slice::from_raw_parts(indices.first, written);
        // A row of an embedding has one index for all of its elements: then it is one load.
        if (indices.same || vectorize(AllEqual(index))) && inside(index[0]) {
            if len < indices.left && run.stride == 1 {
                // The next row's index is known already, and where it leads is nowhere near.
                prefetch(row(*indices.first.add(len)), len * size);
            }
            return match indices.past_caches && run.stride == 1 {
                true => alu::stream_unfenced(line.dtype, row(index[0]), to, len),
                false => alu::load(line.dtype, row(index[0]), run.stride, to, len),
            };
        }
        for j in 0..len {
            let to = to.add(j * width(line.dtype));
            let i = index[if indices.same { 0 } else { j }];
            match inside(i) {
                true => {
                    let from = row(i).wrapping_offset(run.stride * (j * size) as isize);
                    alu::load(line.dtype, from, 1, to, 1)
                }
                false => std::ptr::write_bytes(to, 0, width(line.dtype)),
            }
        }
    }
}
