//! # error: what goes wrong, and what is said about it
//!
//! Two kinds of mistake, two ways to tell. A **programmer's** mistake (shapes that don't fit, an axis that isn't there) panics at
//! the *caller's* line with the op, the shapes, the axis and a hint: nobody writes `?` after an addition. A mistake of the **world**
//! (files, data, devices) is an [`Error`] in a `Result`, because a program can do something about it.
//!
//! The panics are made by the macro `fail!`, so that they all read alike:
//!
//! ```text
//! matmul: [2, 3] @ [4, 5]: the last axis of the left (3) and the second-last of the right (4) must be equal
//!   hint: transpose one of them?
//! ```

use std::cell::Cell;
use std::path::PathBuf;

/// What can go wrong outside of the program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something about a file.
    #[error("{}: {source}{}", path.display(), advice(hint))]
    Io {
        /// which file
        path: PathBuf,
        /// what the system said
        source: std::io::Error,
        /// what to do, or empty
        hint: String,
    },
    /// A file holds something else than it should.
    #[error("{}: expected {expected}, found {found}{}", path.display(), advice(hint))]
    Format {
        /// which file
        path: PathBuf,
        /// what should be there
        expected: String,
        /// what is there
        found: String,
        /// what to do, or empty
        hint: String,
    },
    /// Something was looked for in several places and is in none of them.
    #[error("{what} not found; tried:\n{}{}", tried.iter().map(|t| format!("  - {t}")).collect::<Vec<_>>().join("\n"), advice(hint))]
    NotFound {
        /// what was looked for
        what: String,
        /// where, and what was wrong there
        tried: Vec<String>,
        /// what to do
        hint: String,
    },
    /// A device that this build or this machine doesn't have.
    #[error("unknown device {name:?}: there are {known}")]
    Device {
        /// what was asked for
        name: String,
        /// what there is
        known: String,
    },
}

/// A `Result` with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

fn advice(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("\n  hint: {text}")
    }
}

impl Error {
    /// An operating system's error, with the file's name.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Error {
        Error::Io {
            path: path.into(),
            source,
            hint: String::new(),
        }
    }

    /// A file whose content is not what it should be.
    pub fn format(
        path: impl Into<PathBuf>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        Error::Format {
            path: path.into(),
            expected: expected.into(),
            found: found.into(),
            hint: String::new(),
        }
    }

    /// The same error with advice.
    pub fn with_hint(mut self, text: impl Into<String>) -> Error {
        match &mut self {
            Error::Io { hint, .. } | Error::Format { hint, .. } | Error::NotFound { hint, .. } => {
                *hint = text.into()
            }
            Error::Device { .. } => {}
        }
        self
    }
}

/// What a programmer's mistake is about. Languages with exceptions have a type for each ([`last_mistake`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// a shape, a size or a number that doesn't fit: most mistakes
    Value,
    /// an axis that isn't there
    Axis,
    /// an index beyond the elements, or too many indices
    Index,
    /// a dtype that an operation cannot have
    Type,
    /// something at the wrong time: a second backward, a step without gradients
    State,
    /// more memory than there is
    Memory,
}

thread_local! {
    static LAST: Cell<Option<Mistake>> = const { Cell::new(None) };
}

/// What the last panic of this thread was about, if it was for a programmer's mistake. Asking forgets it.
/// ```
/// # use teenygrad::{Tensor, error::{Mistake, last_mistake}};
/// let x = Tensor::zeros([2, 3]);
/// assert!(std::panic::catch_unwind(|| x.sum(7)).is_err());
/// assert_eq!(last_mistake(), Some(Mistake::Axis));
/// assert_eq!(last_mistake(), None);
/// ```
pub fn last_mistake() -> Option<Mistake> {
    LAST.take()
}

/// Notes what the panic that comes next is about.
pub(crate) fn note(mistake: Mistake) {
    LAST.set(Some(mistake));
}

/// Panics for a programmer's mistake: `fail!("op", "what is wrong {}", with)`, or with `; "hint"` at the end. It is one of
/// [`Mistake::Value`], unless the kind stands in front: `fail!(Index: "op", …)`.
///
/// It expands to `panic!`, so that in a chain of `#[track_caller]` functions the message carries the user's own line.
macro_rules! fail {
    ($kind:ident: $op:expr, $fmt:literal $(, $arg:expr)* ; $($hint:tt)+) => {{
        $crate::error::note($crate::error::Mistake::$kind);
        panic!("{}: {}\n  hint: {}", $op, format_args!($fmt $(, $arg)*), format_args!($($hint)+))
    }};
    ($kind:ident: $op:expr, $fmt:literal $(, $arg:expr)* $(,)?) => {{
        $crate::error::note($crate::error::Mistake::$kind);
        panic!("{}: {}", $op, format_args!($fmt $(, $arg)*))
    }};
    ($($mistake:tt)+) => {
        $crate::error::fail!(Value: $($mistake)+)
    };
}
pub(crate) use fail;

/// The candidate nearest to `wanted` by edit distance, if any is near: "did you mean …?".
/// ```
/// let names = ["conv1.weight", "conv2.weight", "linear"];
/// assert_eq!(teenygrad::error::nearest("conv1.wieght", names), Some("conv1.weight"));
/// assert_eq!(teenygrad::error::nearest("bias", names), None);
/// ```
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distance = |candidate: &str| {
        // Levenshtein's table, one row at a time.
        let mut row: Vec<usize> = (0..=candidate.chars().count()).collect();
        for (i, a) in wanted.chars().enumerate() {
            let mut diagonal = std::mem::replace(&mut row[0], i + 1);
            for (j, b) in candidate.chars().enumerate() {
                let substituted = diagonal + (a != b) as usize;
                diagonal = row[j + 1];
                row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
            }
        }
        row[candidate.chars().count()]
    };
    let limit = wanted.chars().count() / 3 + 1;
    candidates
        .into_iter()
        .map(|c| (distance(c), c))
        .filter(|(d, _)| *d <= limit)
        .min()
        .map(|(_, c)| c)
}
