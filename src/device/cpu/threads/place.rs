//! # device/cpu/threads/place: on which processor a thread runs
//!
//! **In:** a helper that has just got a job. **Out:** the same helper, on another processor than its caller. **Above:** the pool.
//!
//! An operating system puts a thread that wakes up where it last ran, or near the thread that woke it, to save power or because the caches
//! are warm there; if that is the processor on which the caller computes, the two take turns on it, and a kernel takes twice as long. It moves
//! one of them when it has seen that both are busy, but that takes longer than many a program's kernels together. Measured on Linux with two
//! processors: 40 ms, or 0.3 s, at half the speed, while the other processor was idle.
//!
//! So a helper that finds itself on its caller's processor leaves it: it forbids itself this one for a moment, which moves it, and takes the
//! ban back at once. After that the system may do as it likes.
//!
//! Law: a thread's own choice of processors (its affinity) is as it was.

/// As many processors as are told apart: 16 · 64.
type Mask = [u64; 16];

// Of the C library, which Rust's own library calls too.
unsafe extern "C" {
    fn sched_getcpu() -> i32;
    fn sched_getaffinity(thread: i32, bytes: usize, mask: *mut Mask) -> i32;
    fn sched_setaffinity(thread: i32, bytes: usize, mask: *const Mask) -> i32;
}

/// The processor that runs this, as far as one can know.
pub fn here() -> Option<usize> {
    // SAFETY: it only answers; −1 if it can't.
    usize::try_from(unsafe { sched_getcpu() }).ok()
}

/// Leaves a processor, unless there are fewer than `threads` to share.
pub fn leave(processor: usize, threads: usize) {
    let mut mask: Mask = [0; 16];
    let bytes = size_of::<Mask>();
    // SAFETY: 0 is the calling thread; the mask has room for so many bytes.
    let known = unsafe { sched_getaffinity(0, bytes, &mut mask) } >= 0;
    let allowed: u32 = mask.iter().map(|word| word.count_ones()).sum();
    if !known || (allowed as usize) < threads || processor >= 8 * bytes {
        return;
    }
    let mut others = mask;
    others[processor / 64] &= !(1 << (processor % 64));
    // SAFETY: as above. Should the first call fail, nothing has changed, and the second changes nothing.
    unsafe {
        sched_setaffinity(0, bytes, &others);
        sched_setaffinity(0, bytes, &mask);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_leaves_a_processor_is_elsewhere_and_may_come_back() {
        let mut before: Mask = [0; 16];
        // SAFETY: as in `leave`.
        unsafe { sched_getaffinity(0, size_of::<Mask>(), &mut before) };
        let from = here().expect("Linux knows");
        leave(from, usize::MAX);
        leave(from, 1);
        let mut after: Mask = [0; 16];
        // SAFETY: as in `leave`.
        unsafe { sched_getaffinity(0, size_of::<Mask>(), &mut after) };
        assert_eq!(before, after);
    }

    #[test]
    fn where_there_is_another_processor_a_thread_gets_there() {
        // The system may move the thread back at any time, so once in some attempts is enough.
        let allowed = std::thread::available_parallelism().map_or(1, |count| count.get());
        let moved = (0..100).any(|_| {
            let from = here().expect("Linux knows");
            leave(from, 2);
            here() != Some(from)
        });
        assert_eq!(moved, allowed > 1);
    }
}
