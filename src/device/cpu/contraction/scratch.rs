//! # device/cpu/contraction/scratch: threads, and memory that outlives a call
//!
//! **In:** closures. **Out:** the same closures, called on several threads, with memory at hand. **Above:** the tasks.

use super::blocking::CHUNK;
use super::{DType, Real};
use crate::device::cpu::packing::Steps;
use crate::device::cpu::threads::parallel;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use std::cell::RefCell;
use std::ops::Range;

/// The i-th piece of a range that is cut every `step`.
pub(super) fn piece(i: usize, step: usize, end: usize) -> Range<usize> {
    i * step..((i + 1) * step).min(end)
}

/// Calls a task for each number below `count`, on several threads if the problem is large enough for that.
pub(super) fn for_each(count: usize, large: bool, task: impl Fn(usize) + Sync + Send) {
    if large {
        parallel(count, task)
    } else {
        (0..count).for_each(task)
    }
}

/// A pointer that several threads may have, because each uses other elements.
pub(super) struct Raw<T>(pub *mut T);
impl<T> Clone for Raw<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Raw<T> {}
// SAFETY: a pointer by itself does nothing; each use states why its elements are its own.
unsafe impl<T> Send for Raw<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Raw<T> {}

impl<T> Raw<T> {
    pub fn add(self, elements: usize) -> Raw<T> {
        Raw(self.0.wrapping_add(elements))
    }
}

/// An operand's memory: where its element 0 is (or would be), and the elements that exist.
pub(super) struct Source<T> {
    pub start: Raw<T>,
    pub readable: Range<isize>,
}

impl<T> Source<T> {
    pub fn new((start, length): (*const u8, usize)) -> Source<T> {
        Source {
            start: Raw(start.cast::<T>().cast_mut()),
            readable: 0..length as isize,
        }
    }

    /// The address of an element, or where it would be.
    pub fn at(&self, element: isize) -> *const T {
        self.start.0.wrapping_offset(element)
    }

    /// The elements that exist, as addresses.
    pub fn pointers(&self) -> Range<*const T> {
        self.at(self.readable.start)..self.at(self.readable.end)
    }
}

/// Calls `then` with the operand as f32: itself, or the part that the view can touch converted, which is cheaper than converting each of
/// the many copies that packing may make of a number.
pub(super) unsafe fn with_single(
    dtype: DType,
    buffer: (*const u8, usize),
    extent: (isize, isize),
    then: impl FnOnce(Source<f32>),
) {
    if dtype == DType::Float32 {
        return then(Source::new(buffer));
    }
    let from = Raw(buffer.0.cast::<u16>().cast_mut());
    let (start, end) = (
        extent.0.max(0) as usize,
        (extent.1 + 1).clamp(0, buffer.1 as isize) as usize,
    );
    let length = end.saturating_sub(start);
    with_scratch(length, |single: Raw<f32>| {
        for_each(length.div_ceil(CHUNK), length > 4 * CHUNK, |task| {
            let range = piece(task, CHUNK, length);
            // SAFETY: start..end is inside the buffer, which holds this dtype; each task writes its own part of the scratch.
            unsafe {
                let from = from.add(start + range.start).0.cast_const();
                let to = std::slice::from_raw_parts_mut(single.add(range.start).0, range.len());
                if dtype == DType::Float16 {
                    std::slice::from_raw_parts(from.cast::<f16>(), range.len())
                        .convert_to_f32_slice(to);
                } else {
                    std::slice::from_raw_parts(from.cast::<bf16>(), range.len())
                        .convert_to_f32_slice(to);
                }
            }
        });
        then(Source {
            start: Raw(single.0.wrapping_sub(start)),
            readable: start as isize..end as isize,
        });
    })
}

// ---- Memory that stays -----------------------------------------------

/// 64 bytes, the size of a cache line and of the widest register: vectors that start here never straddle two lines.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line([u64; 8]);

/// What a task needs to have at hand, kept by each thread from task to task, because a fresh page costs more than the arithmetic on it.
#[derive(Default)]
pub(super) struct Workspace {
    pub wide_steps: Steps,
    pub narrow_steps: Steps,
    /// the output's address for each row and column of the task
    pub rows: Vec<isize>,
    pub columns: Vec<isize>,
    /// for each panel of rows, whether its results are neighbours in the output
    pub straight: Vec<bool>,
    /// packed panels
    pub packed: Vec<Line>,
}

thread_local! {
    static WORKSPACE: RefCell<Option<Box<Workspace>>> = const { RefCell::new(None) };
    static SCRATCH: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

/// Lends the thread's workspace. (It is taken out meanwhile, so that nothing breaks if somebody below starts another contraction.)
pub(super) fn with_workspace<R>(work: impl FnOnce(&mut Workspace) -> R) -> R {
    let mut workspace = WORKSPACE.with_borrow_mut(Option::take).unwrap_or_default();
    let result = work(&mut workspace);
    WORKSPACE.set(Some(workspace));
    result
}

/// Makes room for so many numbers. What is in it is left over from earlier.
pub(super) fn reserve<T: Real>(lines: &mut Vec<Line>, elements: usize) -> Raw<T> {
    let needed = (elements * size_of::<T>()).div_ceil(size_of::<Line>());
    if lines.len() < needed {
        *lines = vec![Line([0; 8]); needed];
    }
    Raw(lines.as_mut_ptr().cast())
}

/// Lends memory for so many numbers. Buffers of more than 64 MiB are not kept.
pub(super) fn with_scratch<T: Real, R>(elements: usize, work: impl FnOnce(Raw<T>) -> R) -> R {
    let mut lines = SCRATCH.with_borrow_mut(Vec::pop).unwrap_or_default();
    let result = work(reserve(&mut lines, elements));
    if lines.len() <= (64 << 20) / size_of::<Line>() {
        SCRATCH.with_borrow_mut(|scratch| scratch.push(lines));
    }
    result
}
