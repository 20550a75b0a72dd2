//! # device/cpu/interpreter/bring: the instructions that depend on where the points are
//!
//! **In:** a load, a position, a random number, a condition or a gather, and a line of points. **Out:** its register, filled for them: by
//! no copy at all where the line is one stretch of memory, else by panels (columns as rows), tables (short rows) or runs.

use super::{Frame, Interpreter, Span, width};
use crate::device::cpu::alu;
use crate::device::cpu::simd::{Hot, Isa, vectorize};
use crate::device::cpu::table::Bring;
use crate::device::cpu::walk::{Axes, Base, Run};
use crate::device::random::uniform;
use crate::device::{Args, Param};
use crate::dtype::DType;
use crate::kernel::{Inst, Nest, Reg};
use std::ops::Range;

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
        for row in 0..span.lines {
            let fixed = if span.fixed.is_empty() {
                &[][..]
            } else {
                &span.fixed[row * rank..(row + 1) * rank]
            };
            let base = others.shifted(&walk.start, fixed);
            if let Inst::Load { input, .. } = line.inst
                && span.lines == 1
                && line.dtype.compute() == line.dtype
                && let Some(address) = direct(axes, &base, &walk.limits, span)
            {
                // The register is the memory itself. It is only ever read through this pointer.
                let size = line.dtype.itemsize();
                let memory = args.inputs[input]
                    .cast_mut()
                    .wrapping_offset(address * size as isize);
                frame.registers[reg] = memory;
                return;
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
                // SAFETY: as the caller promises; `to` is inside the register's block.
                unsafe {
                    bring_run(
                        nest,
                        reg,
                        run,
                        to,
                        args,
                        frame,
                        row * span.len + run.at..(row + 1) * span.len,
                    )
                }
            });
        }
    }
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

/// Asks for memory before it is needed. Wherever the address leads, nothing happens but that it may be in cache soon.
pub(in crate::device::cpu) fn prefetch(from: *const u8, bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..bytes).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch touches no memory that the program can see, and cannot fail.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.wrapping_add(line).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (from, bytes);
}

/// The address of a line that is one stretch of memory.
fn direct(axes: &Axes, base: &Base, limits: &[isize], span: &Span) -> Option<isize> {
    let last = axes.sizes.len().checked_sub(1)?;
    let row = axes.sizes[last];
    if !limits.is_empty()
        || (axes.strides[last] != 1 && span.len > 1)
        || span.start % row + span.len > row
    {
        return None;
    }
    let mut address = None;
    axes.runs(base, limits, span.start, span.len, |run| {
        address = run.address
    });
    address
}

/// One run of a load, a position, a random number, a condition or a gather.
///
/// # Safety
/// As for [`Interpreter::run`]; `to` has room for the run, which begins at the first of the line's points in `rest`.
unsafe fn bring_run(
    nest: &Nest,
    reg: Reg,
    run: Run,
    to: *mut u8,
    args: &Args,
    frame: &Frame,
    rest: Range<usize>,
) {
    let (at, left) = (rest.start, rest.len());
    let line = &nest.lines[reg];
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
            Inst::Gather {
                input,
                stride: step,
                size: count,
                index,
                ..
            } => {
                let index =
                    std::slice::from_raw_parts(frame.registers[*index].cast::<i64>().add(at), len);
                let memory = args.inputs[*input];
                let place = |j: usize| {
                    memory.wrapping_offset(
                        (address + stride * j as isize + step * index[j] as isize) * size,
                    )
                };
                let inside = |i: i64| 0 <= i && i < *count as i64;
                // A row of an embedding has one index for all of its elements: then it is one load.
                if vectorize(AllEqual(index)) && inside(index[0]) {
                    if len < left && stride == 1 {
                        // The next row's index is known already, and where it leads is nowhere near.
                        let next = *index.as_ptr().add(len);
                        prefetch(
                            memory.wrapping_offset((address + step * next as isize) * size),
                            len * size as usize,
                        );
                    }
                    return alu::load(line.dtype, place(0), stride, to, len);
                }
                for (j, &i) in index.iter().enumerate() {
                    let to = to.add(j * width(line.dtype));
                    match inside(i) {
                        true => alu::load(line.dtype, place(j), 1, to, 1),
                        false => std::ptr::write_bytes(to, 0, width(line.dtype)),
                    }
                }
            }
            Inst::Const { .. }
            | Inst::Unary(..)
            | Inst::Binary(..)
            | Inst::Ternary(..)
            | Inst::Reduce(..)
            | Inst::Spread(_)
            | Inst::Store { .. } => {
                unreachable!("{:?} depends on no place", line.inst)
            }
        }
    }
}
