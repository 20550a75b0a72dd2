//! # device/memory: blocks of host memory, kept for the next one who needs one
//!
//! **In:** a number of bytes. **Out:** a [`Memory`] of at least that many, aligned to a cache line. **Above:** `Buffer`.
//!
//! Why not simply allocate? A fresh block of 64 MiB comes from the operating system as a promise: each of its 16,384 pages is
//! made when it is first touched, at about a quarter of a microsecond each, and is taken away again when the block is freed.
//! For `a + b` on 4096×4096 numbers that costs several times the addition. A training step allocates the same sizes again and
//! again, so a block that was freed a moment ago, still mapped and perhaps still in cache, is the best one there is.
//!
//! Laws:
//! 1. Sizes are rounded up to classes (four for each power of two), so that a block of nearly the right size can be used again.
//! 2. Freed blocks are used last-in-first-out: the one that was used most recently is the one in cache.
//! 3. What the pool holds beside what is in use is bounded by the most that was in use at any time, so it cannot grow for ever.
//! 4. Large blocks are mapped from the operating system one by one, and go back there one by one. The C library's allocator puts
//!    them side by side after a while, with small ones in between that outlive them, and then nothing can be given back.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard};

/// Blocks from this size on are pages of their own: see law 4.
const LARGE: usize = 1 << 20;

/// A cache line, and the width of the widest vector register.
pub const ALIGN: usize = 64;

/// A block of bytes. Dropping it gives it to the pool.
pub struct Memory {
    start: NonNull<u8>,
    capacity: usize,
    /// its own pages, if it is large; dropping them gives them back
    pages: Option<pages::Pages>,
}

// SAFETY: a block is plain memory with one owner; whoever shares it synchronises through `Buffer`.
unsafe impl Send for Memory {}
// SAFETY: as above; `&Memory` gives only an address.
unsafe impl Sync for Memory {}

#[derive(Default)]
struct Pool {
    free: BTreeMap<usize, Vec<Memory>>,
    in_use: usize,
    held: usize,
    peak: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    free: BTreeMap::new(),
    in_use: 0,
    held: 0,
    peak: 0,
});

fn pool() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Law 1: 64, 80, 96, 112, 128, 160, 192, … bytes.
fn size_class(bytes: usize) -> usize {
    let bytes = bytes.max(ALIGN);
    let step = (bytes.next_power_of_two() / 8).max(16);
    bytes.div_ceil(step) * step
}

impl Memory {
    /// A block of at least `bytes` bytes. What is in it is whatever its last user left there.
    pub fn new(bytes: usize) -> Memory {
        let capacity = size_class(bytes);
        let mut pool = pool();
        pool.in_use += capacity;
        pool.peak = pool.peak.max(pool.in_use);
        if let Some(memory) = pool.free.get_mut(&capacity).and_then(Vec::pop) {
            pool.held -= capacity;
            return memory;
        }
        // Law 3: what the new block needs beyond the peak comes out of what is held in other sizes.
        let mut surplus = Vec::new();
        while pool.in_use + pool.held > pool.peak {
            let Some((&class, _)) = pool
                .free
                .iter()
                .rev()
                .find(|(_, blocks)| !blocks.is_empty())
            else {
                break;
            };
            surplus.extend(pool.free.get_mut(&class).and_then(Vec::pop));
            pool.held -= class;
        }
        drop(pool);
        surplus.into_iter().for_each(Memory::release);
        if capacity >= LARGE
            && let Some((start, pages)) = pages::map(capacity)
        {
            return Memory {
                start,
                capacity,
                pages: Some(pages),
            };
        }
        let layout = Memory::layout(capacity);
        // SAFETY: the layout's size is not zero. Zeroed, so that no read of it is ever of uninitialised memory.
        let Some(start) = NonNull::new(unsafe { alloc_zeroed(layout) }) else {
            handle_alloc_error(layout)
        };
        Memory {
            start,
            capacity,
            pages: None,
        }
    }

    fn layout(capacity: usize) -> Layout {
        Layout::from_size_align(capacity, ALIGN).expect("a size that fits an address space")
    }

    /// Back to the operating system.
    fn release(mut self) {
        match self.pages.take() {
            Some(pages) => drop(pages),
            // SAFETY: without pages of its own, `start` came from alloc_zeroed with this layout.
            None => unsafe { dealloc(self.start.as_ptr(), Memory::layout(self.capacity)) },
        }
        std::mem::forget(self); // it is gone, and must not go to the pool too
    }

    /// Its first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }
    /// How many bytes it has.
    pub fn capacity(&self) -> usize {
        self.capacity
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let block = Memory {
            start: self.start,
            capacity: self.capacity,
            pages: self.pages.take(),
        };
        let mut pool = pool();
        pool.in_use -= block.capacity;
        pool.held += block.capacity;
        pool.free.entry(block.capacity).or_default().push(block);
    }
}

/// Bytes in use by buffers, and bytes that the pool holds for reuse.
pub fn statistics() -> (usize, usize) {
    let pool = pool();
    (pool.in_use, pool.held)
}

/// Gives all unused blocks back to the operating system.
pub fn trim() {
    let free = {
        let mut pool = pool();
        pool.held = 0;
        std::mem::take(&mut pool.free)
    };
    free.into_values().flatten().for_each(Memory::release);
}

/// Pages straight from the operating system.
#[cfg(any(unix, windows))]
mod pages {
    use std::ptr::NonNull;

    pub type Pages = memmap2::MmapRaw;

    /// Fresh pages, all zero; `None` if the system has none.
    pub fn map(bytes: usize) -> Option<(NonNull<u8>, Pages)> {
        let pages = memmap2::MmapMut::map_anon(bytes).ok()?;
        // Only advice: a system that cannot follow it gives small pages.
        #[cfg(target_os = "linux")]
        drop(pages.advise(memmap2::Advice::HugePage));
        let pages = Pages::from(pages);
        Some((NonNull::new(pages.as_mut_ptr())?, pages))
    }
}

/// Where there is no operating system to ask, the allocator serves large blocks too.
#[cfg(not(any(unix, windows)))]
mod pages {
    use std::ptr::NonNull;

    pub type Pages = std::convert::Infallible;

    pub fn map(_: usize) -> Option<(NonNull<u8>, Pages)> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_waste_at_most_a_quarter_and_are_stable() {
        for bytes in 1..5000 {
            let class = size_class(bytes);
            assert!(class >= bytes && class.is_multiple_of(16), "{bytes}");
            assert!(
                bytes < ALIGN || class * 4 <= bytes * 5 + 64,
                "{bytes} takes {class}"
            );
            assert_eq!(size_class(class), class);
        }
    }

    #[test]
    fn blocks_are_aligned_and_big_enough() {
        for bytes in [0, 1, 63, 64, 65, 1000, 1 << 20] {
            let memory = Memory::new(bytes);
            assert!(memory.capacity() >= bytes);
            assert_eq!(memory.as_ptr() as usize % ALIGN, 0);
        }
    }
}
