//! # guard: no panic crosses
//!
//! **In:** work for the library. **Out:** its result, or a Python exception. **Above:** every method of this crate.
//!
//! The library panics for a programmer's mistake, with a message that names the op, the shapes and the axis. Here a panic becomes an
//! exception of the type that a user of the original expects, with that message; nothing is printed.
//!
//! | mistake | exception (of `teenygrad.errors`) | which is also |
//! |---|---|---|
//! | shapes, sizes, numbers | `ShapeError` | ValueError, AssertionError, RuntimeError |
//! | an axis that isn't there | `AxisError` | IndexError, ValueError, AssertionError |
//! | an index beyond the elements | `IndexError` | |
//! | a dtype that an op cannot have | `DTypeError` | TypeError, RuntimeError |
//! | the wrong time (a second backward) | `StateError` | RuntimeError, AssertionError |
//! | more memory than there is | `MemoryError` | |
//! | Ctrl-C | `KeyboardInterrupt` | |
//!
//! Laws:
//! 1. Whatever may compute runs without the interpreter's lock ([`computed`]), so that other Python threads go on meanwhile.
//! 2. An exception that Python code raises in the middle of ours (in a `Function` of the user's) comes out as it was.

use pyo3::exceptions::{PyAssertionError, PyIndexError, PyMemoryError, PyRuntimeError};
use pyo3::prelude::*;
use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use teenygrad::error::{Mistake, last_mistake};
use teenygrad::interrupt::{self, Interrupted};

thread_local! {
    /// What Python's signal handler has raised while this thread was computing.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// Silences panics, which exceptions speak for, and lets Ctrl-C stop a computation. Once, when the module is imported.
pub fn install() {
    std::panic::set_hook(Box::new(|_| {}));
    interrupt::ask_to_stop(|| {
        Python::attach(|py| match py.check_signals() {
            Ok(()) => false,
            Err(raised) => {
                RAISED.set(Some(raised));
                true
            }
        })
    });
}

/// Runs something that builds graphs: quick, with the interpreter's lock held.
pub fn guard<T>(run: impl FnOnce() -> T) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(run)).map_err(exception)
}

/// Runs something that may compute: law 1.
pub fn computed<T: Send>(py: Python<'_>, run: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| catch_unwind(AssertUnwindSafe(run)))
        .map_err(exception)
}

/// Ends the library's work with a Python exception, which [`guard`] gives back: law 2.
pub fn raise(error: PyErr) -> ! {
    std::panic::panic_any(error)
}

#[cold]
fn exception(panic: Box<dyn Any + Send>) -> PyErr {
    let mistake = last_mistake();
    let panic = match panic.downcast::<PyErr>() {
        Ok(error) => return *error,
        Err(panic) => panic,
    };
    if panic.is::<Interrupted>()
        && let Some(raised) = RAISED.take()
    {
        return raised;
    }
    let message = match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(message), _) => message.clone(),
        (None, Some(message)) => message.to_string(),
        (None, None) => "a panic without a message".to_string(),
    };
    match mistake {
        Some(Mistake::Value) => own("ShapeError", message),
        Some(Mistake::Axis) => own("AxisError", message),
        Some(Mistake::Index) => PyIndexError::new_err(message),
        Some(Mistake::Type) => own("DTypeError", message),
        Some(Mistake::State) => own("StateError", message),
        Some(Mistake::Memory) => PyMemoryError::new_err(message),
        None if message.starts_with("assertion") => PyAssertionError::new_err(message),
        None => PyRuntimeError::new_err(message),
    }
}

/// An exception of `teenygrad.errors`: it needs several base classes, which only Python's `class` gives it.
fn own(class: &str, message: String) -> PyErr {
    Python::attach(|py| {
        let class = py
            .import("teenygrad.errors")
            .and_then(|module| module.getattr(class));
        match class.and_then(|class| class.call1((&message,))) {
            Ok(error) => PyErr::from_value(error),
            Err(_) => PyRuntimeError::new_err(message),
        }
    })
}

/// An `Err` of the library: a file's or a device's.
pub fn failure(error: teenygrad::Error) -> PyErr {
    use pyo3::exceptions::{PyFileNotFoundError, PyOSError, PyValueError};
    let message = error.to_string();
    match error {
        teenygrad::Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            PyFileNotFoundError::new_err(message)
        }
        teenygrad::Error::NotFound { .. } => PyFileNotFoundError::new_err(message),
        teenygrad::Error::Io { .. } => PyOSError::new_err(message),
        _ => PyValueError::new_err(message),
    }
}
