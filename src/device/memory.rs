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
//! 1. Sizes are rounded up to classes (four for each power of two). Who finds none of his class gets the next larger block, up to twice
//!    the size: better half a block unused than another one brought in for it.
//! 2. Freed blocks are used last-in-first-out: the one that was used most recently is the one in cache.
//! 3. What is in use and what the pool holds beside it come to at most 5/4 of the most that was in use at any time, so it cannot grow
//!    for ever. (With less room than that, a training step whose sizes take turns gives back in one half what it needs in the other,
//!    and touches fresh pages in each step.)
//! 4. Large blocks are mapped from the operating system one by one, and go back there one by one. The C library's allocator puts
//!    them side by side after a while, with small ones in between that outlive them, and then nothing can be given back.
//! 5. Blocks that are too small for huge pages of their own, and large enough to be streamed, are cut from *slabs*, which have them; a slab
//!    goes back when all of its blocks have.
//!
//! Why huge pages? A processor reads ahead of a loop, but not beyond the end of a page, as the next one may lie anywhere. So with pages of
//! 4 KiB each 64th cache line is waited for: a sum of 64 MiB takes 4.3 ms on one thread, and 2.4 with pages of 2 MiB.

use crate::error::fail;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::BTreeMap;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard};

/// A huge page. Blocks from this size on are pages of their own: see law 4.
const LARGE: usize = 2 << 20;
/// Blocks from this size on are cut from slabs: see law 5.
const MEDIUM: usize = 64 << 10;
/// A slab: so large that blocks of any size class leave little of it unused.
const SLAB: usize = 4 * LARGE;

/// A cache line, and the width of the widest vector register.
pub const ALIGN: usize = 64;

/// A block of bytes. Dropping it gives it to the pool.
pub struct Memory {
    start: NonNull<u8>,
    capacity: usize,
    /// its own pages, if it is large, or those of its slab; when the last block of these is dropped, they go back
    pages: Option<Arc<pages::Pages>>,
}

// SAFETY: a block is plain memory with one owner; whoever shares it synchronises through `Buffer`.
unsafe impl Send for Memory {}
// SAFETY: as above; `&Memory` gives only an address.
unsafe impl Sync for Memory {}

/// Pages that blocks are cut from, one after the other.
struct Slab {
    pages: Arc<pages::Pages>,
    /// the first byte that no block has
    next: NonNull<u8>,
    /// bytes from there on
    left: usize,
}

// SAFETY: `next` points into the slab's own pages, of which each block gets a part of its own.
unsafe impl Send for Slab {}

impl Slab {
    /// Fresh pages. They begin where a huge page can, wherever the system puts them: so more are mapped than will ever be touched.
    fn new() -> Option<Slab> {
        let (start, pages) = pages::map(SLAB + LARGE)?;
        let skip = start.align_offset(LARGE);
        Some(Slab {
            pages: Arc::new(pages),
            // SAFETY: less than LARGE is skipped, of more than that.
            next: unsafe { start.add(skip) },
            left: SLAB,
        })
    }

    fn cut(&mut self, capacity: usize) -> Option<Memory> {
        self.left = self.left.checked_sub(capacity)?;
        let start = self.next;
        // SAFETY: so many bytes were left.
        self.next = unsafe { start.add(capacity) };
        Some(Memory {
            start,
            capacity,
            pages: Some(self.pages.clone()),
        })
    }
}

#[derive(Default)]
struct Pool {
    free: BTreeMap<usize, Vec<Memory>>,
    /// where the next medium block comes from
    slab: Option<Slab>,
    in_use: usize,
    held: usize,
    peak: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    free: BTreeMap::new(),
    slab: None,
    in_use: 0,
    held: 0,
    peak: 0,
});

impl Pool {
    /// A free block of at least this capacity, which must be a class. Else one has to be made, and these have to be given back.
    fn take(&mut self, capacity: usize) -> Result<Memory, Vec<Memory>> {
        // Law 1, and 2.
        let mut fitting = self.free.range_mut(capacity..=2 * capacity);
        let found = fitting.find_map(|(_, blocks)| blocks.pop());
        let taken = found.as_ref().map_or(capacity, Memory::capacity);
        self.in_use += taken;
        self.peak = self.peak.max(self.in_use);
        if let Some(memory) = found {
            self.held -= taken;
            return Ok(memory);
        }
        // Law 3: what the new block needs beyond the bound comes out of what is held in other sizes.
        let mut surplus = Vec::new();
        while self.in_use + self.held > self.peak / 4 * 5 {
            let largest = self.free.values_mut().rev().find_map(Vec::pop);
            let Some(memory) = largest else { break };
            self.held -= memory.capacity;
            surplus.push(memory);
        }
        Err(surplus)
    }

    /// A new block out of a slab. What is left of a slab that is too short for it is left to nobody.
    fn cut(&mut self, capacity: usize) -> Option<Memory> {
        if let Some(memory) = self.slab.as_mut().and_then(|slab| slab.cut(capacity)) {
            return Some(memory);
        }
        self.slab = Slab::new();
        self.slab.as_mut()?.cut(capacity)
    }

    /// Takes a block back.
    fn give(&mut self, block: Memory) {
        self.in_use -= block.capacity;
        self.held += block.capacity;
        self.free.entry(block.capacity).or_default().push(block);
    }
}

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
        let surplus = match pool().take(capacity) {
            Ok(memory) => return memory,
            Err(surplus) => surplus,
        };
        surplus.into_iter().for_each(Memory::release);
        Memory::fresh(capacity)
    }

    /// From the operating system.
    fn fresh(capacity: usize) -> Memory {
        if (MEDIUM..LARGE).contains(&capacity)
            && let Some(memory) = pool().cut(capacity)
        {
            return memory;
        }
        if capacity >= LARGE
            && let Some((start, pages)) = pages::map(capacity)
        {
            return Memory {
                start,
                capacity,
                pages: Some(Arc::new(pages)),
            };
        }
        let layout = Memory::layout(capacity);
        // SAFETY: the layout's size is not zero. Zeroed, so that no read of it is ever of uninitialised memory.
        let Some(start) = NonNull::new(unsafe { alloc_zeroed(layout) }) else {
            let mut pool = pool();
            pool.in_use -= capacity;
            pool.peak = pool.in_use + pool.held; // law 3 goes on from what there is
            drop(pool);
            fail!(Memory: "memory", "the system has no {capacity} bytes more for an array"; "smaller batches take less")
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
        pool().give(block);
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
        pool.slab = None;
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

    /// A block out of a pool of the test's own: a found one, or a new one, which is counted.
    fn block(pool: &mut Pool, bytes: usize, made: &mut usize) -> Memory {
        pool.take(size_class(bytes)).unwrap_or_else(|surplus| {
            surplus.into_iter().for_each(Memory::release);
            *made += 1;
            Memory::fresh(size_class(bytes))
        })
    }

    /// Gives a test's pool back to the operating system: its blocks were never the process's pool's, which counts what it gets.
    fn close(pool: Pool) {
        let blocks = pool.free.into_values().flatten();
        blocks.for_each(Memory::release);
    }

    #[test]
    fn sizes_that_take_turns_need_no_new_blocks() {
        let (mut pool, mut made) = (Pool::default(), 0);
        for round in 0..10 {
            for bytes in [8192, 7168, 5120] {
                let one = block(&mut pool, bytes, &mut made);
                assert!((bytes..=2 * bytes).contains(&one.capacity()));
                pool.give(one);
            }
            assert_eq!(made, 1, "round {round}"); // the first is large enough for all, one at a time
        }
        close(pool);
    }

    #[test]
    fn medium_blocks_lie_side_by_side_in_huge_pages_that_go_back_with_the_last_of_them() {
        let mut pool = Pool::default();
        let sizes = [MEDIUM, LARGE - LARGE / 8, 3 * MEDIUM, SLAB / 2];
        let cut = sizes.map(|size| pool.cut(size));
        let Some(mut blocks) = cut.into_iter().collect::<Option<Vec<Memory>>>() else {
            return; // a system without pages
        };
        let mut at = blocks[0].as_ptr();
        assert_eq!(at as usize % LARGE, 0);
        for (block, size) in blocks.iter().zip(sizes) {
            assert_eq!((block.as_ptr(), block.capacity()), (at, size));
            // SAFETY: all of a block is its owner's.
            unsafe { at.write_bytes(1, size) };
            at = at.wrapping_add(size);
        }
        assert!(pool.slab.as_mut().unwrap().cut(SLAB / 2).is_none());
        let another = pool.cut(SLAB / 2).expect("there were pages before");
        let slab = Arc::downgrade(blocks[0].pages.as_ref().unwrap());
        while let Some(block) = blocks.pop() {
            assert_eq!(slab.strong_count(), blocks.len() + 1);
            block.release();
        }
        assert_eq!(slab.strong_count(), 0);
        another.release();
    }

    #[test]
    fn what_is_held_is_bounded() {
        let (mut pool, mut made) = (Pool::default(), 0);
        for bytes in (1..200).map(|i| 100 * i) {
            let pair = [bytes, bytes / 3].map(|bytes| block(&mut pool, bytes, &mut made));
            assert!(pool.in_use + pool.held <= (pool.peak / 4 * 5).max(pool.in_use));
            pair.into_iter().for_each(|block| pool.give(block));
        }
        assert!(made < 200);
        close(pool);
    }
}
