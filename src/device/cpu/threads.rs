//! # device/cpu/threads: the same work, in parallel
//!
//! **In:** a number of tasks. **Out:** all of them done, on as many threads as there are.
//!
//! Laws:
//! 1. What a task does depends on its number and the problem, never on the number of threads. So results are the same bit for bit,
//!    with 1, 2 or 7 threads.
//! 2. The threads are the engine's own, and whoever asks for values waits without doing other work. A program that uses rayon itself may
//!    ask from within its own parallel loops: if the wait took up another of that program's tasks, and that one asked for values too, it
//!    would wait for a lock that its own thread holds.

/// How many points of a loop nest make a task that is worth handing to another thread: some ten microseconds of work.
pub const GRAIN: usize = 1 << 15;

/// Runs `task(0)`, …, `task(count − 1)`, one after the other: this build has no threads.
#[cfg(not(feature = "threads"))]
pub fn parallel(count: usize, task: impl Fn(usize) + Sync + Send) {
    (0..count).for_each(task);
}

/// Runs something that will call [`parallel`]: here, as this build has no threads.
#[cfg(not(feature = "threads"))]
pub(crate) fn waiting<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    run()
}

#[cfg(feature = "threads")]
pub(crate) use pool::waiting;
#[cfg(feature = "threads")]
pub use pool::{parallel, with_threads};

#[cfg(feature = "threads")]
mod pool {
    use rayon::prelude::*;
    use rayon::{ThreadPool, ThreadPoolBuilder};
    use std::cell::RefCell;
    use std::sync::{Arc, OnceLock};

    thread_local! {
        /// What [`with_threads`] has asked for.
        static CHOSEN: RefCell<Option<Arc<ThreadPool>>> = const { RefCell::new(None) };
    }

    fn build(threads: usize) -> ThreadPool {
        let name = |index| format!("teenygrad {index}");
        let builder = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(name);
        builder.build().expect("the system can start threads")
    }

    /// As many threads as the processor has cores, or as the environment's `RAYON_NUM_THREADS` says.
    fn pool() -> &'static ThreadPool {
        static POOL: OnceLock<ThreadPool> = OnceLock::new();
        POOL.get_or_init(|| build(0))
    }

    /// Runs `task(0)`, …, `task(count − 1)`.
    pub fn parallel(count: usize, task: impl Fn(usize) + Sync + Send) {
        let tasks = || (0..count).into_par_iter().with_max_len(1).for_each(&task);
        match count {
            0 => {}
            1 => task(0),
            _ => match CHOSEN.with_borrow(Clone::clone) {
                Some(chosen) => chosen.install(tasks),
                None => pool().install(tasks),
            },
        }
    }

    /// Runs something with this number of threads for all kernels that it realizes on the calling thread.
    /// ```
    /// use teenygrad::{Tensor, device::cpu::threads::with_threads};
    /// let x = Tensor::rand([300, 300]).realize();
    /// let (one, seven) = (with_threads(1, || x.matmul(&x).to_bytes()), with_threads(7, || x.matmul(&x).to_bytes()));
    /// assert_eq!(one, seven); // bit for bit
    /// ```
    pub fn with_threads<T>(threads: usize, run: impl FnOnce() -> T) -> T {
        struct Restore(Option<Arc<ThreadPool>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CHOSEN.set(self.0.take());
            }
        }
        let _restore = Restore(CHOSEN.replace(Some(Arc::new(build(threads)))));
        run()
    }

    /// Runs something that will call [`parallel`], so that the calling thread does nothing else while it waits (law 2): if it
    /// belongs to some rayon pool, a fresh thread does it, and this one waits for its end.
    pub(crate) fn waiting<T: Send>(run: impl FnOnce() -> T + Send) -> T {
        if rayon::current_thread_index().is_none() {
            return run();
        }
        let chosen = CHOSEN.with_borrow(Clone::clone);
        let job = || {
            CHOSEN.set(chosen);
            run()
        };
        std::thread::scope(|scope| match scope.spawn(job).join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::Tensor;

        #[test]
        fn threads_that_want_the_same_values_all_get_them() {
            for round in 0..20 {
                let y = (Tensor::rand([200, 200]) * round).matmul(Tensor::ones([200, 200]));
                let sums: Vec<f32> = std::thread::scope(|scope| {
                    let ask = || y.sum(()).item::<f32>() + y.to_vec::<f32>()[0];
                    let asked: Vec<_> = (0..6).map(|_| scope.spawn(ask)).collect();
                    asked
                        .into_iter()
                        .map(|thread| thread.join().expect("no panic"))
                        .collect()
                });
                // Whoever comes first has the product fused into its sum, the others find it finished: another rounding.
                assert!(
                    sums.iter()
                        .all(|&sum| (sum - sums[0]).abs() <= 1e-5 * sums[0].abs()),
                    "{sums:?}"
                );
            }
        }

        #[test]
        fn values_can_be_asked_for_from_within_a_parallel_loop() {
            let x = Tensor::rand([64, 64]).realize();
            let sums: Vec<f32> = (0..64)
                .into_par_iter()
                .map(|i| {
                    (x.matmul(&x) + i).sum(()).item::<f32>() - x.matmul(&x).sum(()).item::<f32>()
                })
                .collect();
            for (i, sum) in sums.into_iter().enumerate() {
                assert!(
                    (sum - 4096.0 * i as f32).abs() <= 1.0 + 1e-3 * sum,
                    "{i}: {sum}"
                );
            }
        }
    }
}
