//! # interrupt: stopping a long computation in the middle
//!
//! **In:** a question, from a program with an interpreter whose user presses Ctrl-C. **Out:** a panic with [`Interrupted`] in the thread that
//! wanted the values. **Above:** `realize` asks between kernels, [`device::cpu::threads`](crate::device::cpu::threads) between the tasks of one.
//!
//! Laws:
//! 1. Only the thread that wants values asks, and not before [`PATIENCE`] has passed: most computations never do.
//! 2. A kernel that is stopped ends as usual: its other tasks are skipped, none is left running.
//! 3. What was being computed is lost, and whoever wants it later is told so. All other memory is as it was, but for what these kernels were
//!    allowed to overwrite.

use std::cell::Cell;
use std::panic::panic_any;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What a computation that was stopped panics with, instead of a message. Whoever has set the question catches it.
pub struct Interrupted;

/// How long a computation runs before it asks for the first time whether it should go on, and between two questions.
pub const PATIENCE: Duration = Duration::from_millis(200);

static QUESTION: OnceLock<fn() -> bool> = OnceLock::new();
/// The answer was yes, and the kernel has not ended yet.
static STOPPING: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// When this thread has asked the last time, while it computes.
    static ASKED: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Sets the question "should this computation stop?". It can be set once.
/// ```
/// use teenygrad::{Tensor, interrupt};
/// interrupt::ask_to_stop(|| true);
/// let x = Tensor::rand([256, 256]).realize();
/// let long = (0..5000).fold(x.clone(), |y, _| y.matmul(&x) * 0.01);
/// let stopped = std::panic::catch_unwind(|| long.realize()).map(|_| ()).unwrap_err();
/// assert!(stopped.is::<interrupt::Interrupted>());
/// assert_eq!(x.lt(2).sum(()).item::<i32>(), 256 * 256); // x is still there
/// ```
pub fn ask_to_stop(question: fn() -> bool) {
    let _ = QUESTION.set(question);
}

/// From now on until it is dropped this thread is one that computes.
pub(crate) struct Computing;

impl Computing {
    pub(crate) fn start() -> Computing {
        if QUESTION.get().is_some() {
            ASKED.set(Some(Instant::now()));
        }
        Computing
    }
}

impl Drop for Computing {
    fn drop(&mut self) {
        ASKED.set(None);
        STOPPING.store(false, Ordering::Relaxed);
    }
}

/// Asks, if this is a thread that asks and it is time to.
fn ask() {
    let Some(last) = ASKED.get() else { return };
    if last.elapsed() >= PATIENCE {
        ASKED.set(Some(Instant::now()));
        if QUESTION.get().is_some_and(|question| question()) {
            STOPPING.store(true, Ordering::Relaxed);
        }
    }
}

/// Between two tasks: whether the next one is to be done.
pub(crate) fn go_on() -> bool {
    ask();
    !STOPPING.load(Ordering::Relaxed)
}

/// Between two kernels, and at the end of one: where the computation ends if it is to.
pub(crate) fn checkpoint() {
    if ASKED.get().is_some() && !go_on() {
        panic_any(Interrupted);
    }
}
