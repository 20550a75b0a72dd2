//! # device/cpu/threads: the same work, in parallel
//!
//! **In:** a number of tasks. **Out:** all of them done, on as many threads as there are.
//!
//! A pool made for kernels. They come one after the other, a few microseconds apart, each a handful of tasks of some ten microseconds and
//! more. Hence three habits that a general pool does not have:
//!
//! - **The calling thread works too**, so a kernel need not wait until somebody has woken up. With one thread there is nobody else.
//! - **Helpers stay awake for a moment** after their work is done. Waking one costs the caller a system call, and the sleeper some
//!   tens of microseconds: as much as a small kernel takes.
//! - **Each thread begins with its own part** of the tasks, the same part in each kernel, as what it has written in the last one is still in
//!   its cache; then it takes what is left of the others' parts.
//! - **A helper leaves its caller's processor**, if the system has put it there (see `place`).
//!
//! Laws:
//! 1. What a task does depends on its number and the problem, never on the number of threads. So results are the same bit for bit,
//!    with 1, 2 or 7 threads.
//! 2. Whoever asks for values does nothing else meanwhile than tasks of its own kernel. A program that has a pool of its own (rayon's, say)
//!    may ask from within its parallel loops: if the wait took up another of that program's tasks, and that one asked for values too, it
//!    would wait for a lock that its own thread holds.
//! 3. A computation that is asked to stop ([`crate::interrupt`]) skips the tasks that are left.
//! 4. A task that panics ends the kernel with this panic, in the calling thread, after all other tasks are done.

/// How many points of a loop nest make a task that is worth handing to another thread: some ten microseconds of work.
pub const GRAIN: usize = 1 << 15;

/// Runs `task(0)`, …, `task(count − 1)`, one after the other: this build has no threads.
#[cfg(not(feature = "threads"))]
pub fn parallel(count: usize, task: impl Fn(usize) + Sync + Send) {
    (0..count).filter(|_| go_on()).for_each(task);
    checkpoint();
}

/// How many threads kernels use when this thread asks for values.
#[cfg(not(feature = "threads"))]
pub fn threads() -> usize {
    1
}

use crate::interrupt::{checkpoint, go_on};

#[cfg(feature = "threads")]
pub use pool::{parallel, threads, with_threads};

#[cfg(all(feature = "threads", target_os = "linux"))]
mod place;

/// Elsewhere nobody asks where threads run.
#[cfg(all(feature = "threads", not(target_os = "linux")))]
mod place {
    pub fn here() -> Option<usize> {
        None
    }
    pub fn leave(_processor: usize, _threads: usize) {}
}

#[cfg(feature = "threads")]
mod pool {
    use super::{checkpoint, go_on, place};
    use std::any::Any;
    use std::cell::RefCell;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
    use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
    use std::thread::{self, JoinHandle, Thread};
    use std::time::{Duration, Instant};

    /// How long a thread that has nothing to do watches for something before it sleeps: the time between two kernels that are worth sharing, with
    /// some small ones between them. (Waking it takes its caller 17 µs and itself 40: with 60 µs a step of a small network was 7 % slower.)
    const AWAKE: Duration = Duration::from_micros(250);
    /// For so long it watches without a break, then it lets other programs have the processor in between.
    const ALERT: Duration = Duration::from_micros(10);

    thread_local! {
        /// What [`with_threads`] has asked for.
        static CHOSEN: RefCell<Option<Arc<Pool>>> = const { RefCell::new(None) };
    }

    // ---- One kernel --------------------------------------------------

    /// The tasks of one call of [`parallel`].
    struct Job {
        /// The caller's closure. It is there as long as `left` is not 0, since the caller waits for that.
        task: *const (dyn Fn(usize) + Sync),
        count: usize,
        /// for each thread's part, the next task that nobody has taken
        next: Box<[Next]>,
        /// tasks that are not done
        left: AtomicUsize,
        caller: Thread,
        /// on which processor the caller was when it began
        place: Option<usize>,
        panic: Mutex<Option<Box<dyn Any + Send>>>,
    }

    /// On a cache line of its own, so that threads in different parts do not slow each other down.
    #[repr(align(64))]
    struct Next(AtomicUsize);

    // SAFETY: `task` is the only member that is not Send and Sync by itself. It points to a closure that is Sync, and `help` calls it only
    // while it exists.
    unsafe impl Send for Job {}
    // SAFETY: as above.
    unsafe impl Sync for Job {}

    impl Job {
        fn new(threads: usize, count: usize, task: &(dyn Fn(usize) + Sync)) -> Job {
            let parts = threads.min(count);
            // SAFETY: only the lifetime changes; that nobody calls it after its end is shown in `help`.
            let task = unsafe {
                std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(
                    task,
                )
            };
            Job {
                task,
                count,
                next: (0..parts)
                    .map(|part| Next(AtomicUsize::new(part * count / parts)))
                    .collect(),
                left: AtomicUsize::new(count),
                caller: thread::current(),
                place: place::here(),
                panic: Mutex::new(None),
            }
        }

        /// Runs tasks until all are taken, those of one part first.
        fn help(&self, own: usize) {
            let parts = self.next.len();
            for part in (own..own + parts).map(|part| part % parts) {
                let end = (part + 1) * self.count / parts;
                loop {
                    let number = self.next[part].0.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        break;
                    }
                    // SAFETY: this task was taken and is not done, so `left` is not 0 and the caller is still in `Pool::run`, where
                    // the closure lives. Nobody else has got this number.
                    let task = unsafe { &*self.task };
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| task(number))) {
                        *lock(&self.panic) = Some(panic);
                    }
                    // Release: what the task has written is there for who sees this. `self` outlives it, as each helper holds the job.
                    if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
                        self.caller.unpark();
                    }
                }
            }
        }

        fn is_done(&self) -> bool {
            self.left.load(Ordering::Acquire) == 0
        }
    }

    fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Watches until something has happened, but not for long.
    fn watch(happened: impl Fn() -> bool) {
        let start = Instant::now();
        while !happened() {
            match start.elapsed() {
                time if time < ALERT => (0..16).for_each(|_| std::hint::spin_loop()),
                time if time < AWAKE => thread::yield_now(),
                _ => return,
            }
        }
    }

    // ---- The pool ----------------------------------------------------

    /// The calling thread and its helpers.
    struct Pool {
        shared: Arc<Shared>,
        helpers: Vec<JoinHandle<()>>,
    }

    #[derive(Default)]
    struct Shared {
        board: Mutex<Board>,
        news: Condvar,
        /// the number on the board, to be watched without a lock
        latest: AtomicU64,
    }

    /// What the helpers should do.
    #[derive(Default)]
    struct Board {
        /// the latest job; it may be done already
        job: Option<Arc<Job>>,
        /// how many jobs there have been
        number: u64,
        /// helpers that wait for news
        asleep: usize,
        closed: bool,
    }

    impl Pool {
        fn new(threads: usize) -> Pool {
            let shared = Arc::new(Shared::default());
            let start = |index: usize| {
                let shared = shared.clone();
                let name = thread::Builder::new().name(format!("teenygrad {index}"));
                name.spawn(move || shared.serve(index))
                    .expect("the system can start threads")
            };
            let helpers = (1..threads).map(start).collect();
            Pool { shared, helpers }
        }

        fn run(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
            if count <= 1 || self.helpers.is_empty() {
                return (0..count).for_each(task);
            }
            let job = Arc::new(Job::new(self.helpers.len() + 1, count, task));
            let asleep = {
                let mut board = lock(&self.shared.board);
                board.job = Some(job.clone());
                board.number += 1;
                self.shared.latest.store(board.number, Ordering::Release);
                board.asleep
            };
            (0..asleep.min(count - 1)).for_each(|_| self.shared.news.notify_one());
            job.help(0);
            // All tasks are taken, but perhaps not done. Until they are, this must not return: they use what `task` borrows.
            watch(|| job.is_done());
            while !job.is_done() {
                thread::park();
            }
            let panic = lock(&job.panic).take();
            if let Some(panic) = panic {
                resume_unwind(panic);
            }
        }
    }

    impl Drop for Pool {
        fn drop(&mut self) {
            lock(&self.shared.board).closed = true;
            self.shared.news.notify_all();
            for helper in self.helpers.drain(..) {
                // It has caught its tasks' panics, and has none of its own.
                drop(helper.join());
            }
        }
    }

    impl Shared {
        /// A helper's life.
        fn serve(&self, index: usize) {
            let mut seen = 0;
            loop {
                watch(|| self.latest.load(Ordering::Acquire) != seen);
                let mut board = lock(&self.board);
                while board.number == seen && !board.closed {
                    board.asleep += 1;
                    board = self
                        .news
                        .wait(board)
                        .unwrap_or_else(|poisoned| poisoned.into_inner());
                    board.asleep -= 1;
                }
                if board.closed {
                    return;
                }
                seen = board.number;
                let job = board.job.clone();
                drop(board);
                if let Some(job) = job {
                    if let Some(shared) = job.place.filter(|_| place::here() == job.place) {
                        place::leave(shared, job.next.len());
                    }
                    job.help(index);
                }
            }
        }
    }

    // ---- For kernels -------------------------------------------------

    /// As many threads as the processor has cores, or as the environment's `RAYON_NUM_THREADS` says, by which programs in Rust are
    /// commonly told.
    fn pool() -> &'static Pool {
        static POOL: OnceLock<Pool> = OnceLock::new();
        POOL.get_or_init(|| {
            let told = std::env::var("RAYON_NUM_THREADS");
            let told = told.ok().and_then(|number| number.parse().ok());
            let cores = || thread::available_parallelism().map_or(1, |cores| cores.get());
            Pool::new(told.filter(|&number| number > 0).unwrap_or_else(cores))
        })
    }

    /// Runs `task(0)`, …, `task(count − 1)`.
    pub fn parallel(count: usize, task: impl Fn(usize) + Sync + Send) {
        let one = |number| {
            if go_on() {
                task(number);
            }
        };
        match count {
            0 => return,
            1 => return task(0),
            _ => match CHOSEN.with_borrow(Clone::clone) {
                Some(chosen) => chosen.run(count, &one),
                None => pool().run(count, &one),
            },
        }
        checkpoint();
    }

    /// How many threads kernels use when this thread asks for values.
    pub fn threads() -> usize {
        CHOSEN.with_borrow(|chosen| match chosen {
            Some(chosen) => chosen.helpers.len() + 1,
            None => pool().helpers.len() + 1,
        })
    }

    /// Runs something with this number of threads for all kernels that it realizes on the calling thread.
    /// ```
    /// use teenygrad::{Tensor, device::cpu::threads::with_threads};
    /// let x = Tensor::rand([300, 300]).realize();
    /// let (one, seven) = (with_threads(1, || x.matmul(&x).to_bytes()), with_threads(7, || x.matmul(&x).to_bytes()));
    /// assert_eq!(one, seven); // bit for bit
    /// ```
    pub fn with_threads<T>(threads: usize, run: impl FnOnce() -> T) -> T {
        struct Restore(Option<Arc<Pool>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CHOSEN.set(self.0.take());
            }
        }
        let _restore = Restore(CHOSEN.replace(Some(Arc::new(Pool::new(threads)))));
        run()
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::Tensor;
        use rayon::prelude::*;

        #[test]
        fn every_task_runs_once() {
            for number in [1, 2, 7] {
                with_threads(number, || {
                    assert_eq!(threads(), number);
                    for count in [0, 1, 2, 3, 6, 7, 8, 100, 1000] {
                        let runs: Vec<AtomicUsize> = (0..count).map(|_| 0.into()).collect();
                        parallel(count, |i| {
                            runs[i].fetch_add(1, Ordering::Relaxed);
                        });
                        let runs = runs.into_iter().map(AtomicUsize::into_inner);
                        assert!(runs.eq(std::iter::repeat_n(1, count)), "{number}: {count}");
                    }
                });
            }
        }

        #[test]
        fn tasks_may_have_tasks_and_callers_may_be_many() {
            let sum = AtomicUsize::new(0);
            let ask = || {
                parallel(5, |i| {
                    parallel(7, |j| {
                        sum.fetch_add(i * j, Ordering::Relaxed);
                    })
                })
            };
            thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(ask))));
            assert_eq!(
                sum.into_inner(),
                4 * (1 + 2 + 3 + 4) * (1 + 2 + 3 + 4 + 5 + 6)
            );
        }

        #[test]
        fn helpers_that_have_fallen_asleep_wake_up() {
            with_threads(3, || {
                for _ in 0..3 {
                    thread::sleep(20 * AWAKE);
                    // Three tasks that wait for each other: they end only if three threads work on them.
                    let meeting = std::sync::Barrier::new(3);
                    parallel(3, |_| {
                        meeting.wait();
                    });
                }
            });
        }

        #[test]
        fn a_panic_comes_back_to_the_caller_when_all_tasks_are_done() {
            with_threads(2, || {
                let done = AtomicUsize::new(0);
                let caught = catch_unwind(AssertUnwindSafe(|| {
                    parallel(10, |i| {
                        assert_ne!(i, 3, "task three");
                        done.fetch_add(1, Ordering::Relaxed);
                    })
                }));
                let message = caught.unwrap_err();
                let message = message.downcast_ref::<String>().unwrap();
                assert!(message.contains("task three"));
                assert_eq!(done.into_inner(), 9);
                parallel(10, |_| ()); // and the pool lives on
            });
        }

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
