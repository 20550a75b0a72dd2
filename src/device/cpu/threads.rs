//! # device/cpu/threads: the same work, in parallel
//!
//! **In:** a number of tasks. **Out:** all of them done, on as many threads as there are.
//!
//! Law: what a task does depends on its number and the problem, never on the number of threads. So results are the same bit for bit,
//! with 1, 2 or 7 threads.

/// How many points of a loop nest make a task that is worth handing to another thread: some ten microseconds of work.
pub const GRAIN: usize = 1 << 15;

/// Runs `task(0)`, …, `task(count − 1)`.
#[cfg(feature = "threads")]
pub fn parallel(count: usize, task: impl Fn(usize) + Sync + Send) {
    use rayon::prelude::*;
    if count > 1 {
        (0..count).into_par_iter().with_max_len(1).for_each(task);
    } else if count == 1 {
        task(0);
    }
}

/// Runs `task(0)`, …, `task(count − 1)`, one after the other: this build has no threads.
#[cfg(not(feature = "threads"))]
pub fn parallel(count: usize, task: impl Fn(usize) + Sync + Send) {
    (0..count).for_each(task);
}
