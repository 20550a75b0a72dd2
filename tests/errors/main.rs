//! # What a mistake gets to hear: the full text of each panic, and that it points at the line where the mistake was made
//!
//! A shape error names the op, both shapes and the axis, and where there is something to advise, a hint. The place is that of the caller,
//! not of the library: for a method the name of the method, for an operator the start of its left side. That takes `#[track_caller]` on
//! every function between the two, and one closure in between loses it; so the place is checked with every text, by looking at what the
//! source of the mistake's file has there.
//!
//! **In:** a file of mistakes for each topic. **Out:** one test a topic, which reports all that is wrong together.
//! Its law: a mistake that doesn't panic, another text, and another place are each a problem.

use std::cell::RefCell;
use std::sync::Once;

// ---- What was said, and where ----------------------------------------

/// Where a panic says it was: file, line, column.
type Place = (String, u32, u32);

thread_local! {
    static LAST: RefCell<Option<Place>> = const { RefCell::new(None) };
}

/// Runs something that panics; returns what it said and where.
fn caught(run: impl FnOnce()) -> Option<(String, Place)> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let place = info
                .location()
                .map(|at| (at.file().to_string(), at.line(), at.column()));
            // A test's own failed assertion should still be seen.
            if LAST.with_borrow(|last| last.is_some()) {
                LAST.set(place);
            } else {
                usual(info);
            }
        }));
    });
    LAST.set(Some(Place::default()));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    let place = LAST.take()?;
    let panic = outcome.err()?;
    let text = panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
    Some((text?, place))
}

/// All that is wrong in a test, not only the first.
struct Wrong {
    /// where the test's mistakes are made
    file: &'static str,
    /// that file's text
    source: &'static str,
    /// what is wrong
    problems: Vec<String>,
}

impl Wrong {
    /// Compares a panic with what it should say, and the source at its place with what should stand there.
    fn unless(&mut self, code: &str, line: u32, at: &str, text: &str, run: impl FnOnce()) {
        let Some((said, (file, said_line, column))) = caught(run) else {
            return self.problems.push(format!("{code}: no panic"));
        };
        if said != text {
            self.problems
                .push(format!("{code}\n  says   {said:?}\n  not    {text:?}"));
        }
        let here = file.ends_with(self.file) && (line..line + 12).contains(&said_line);
        let source = self
            .source
            .lines()
            .nth(said_line.saturating_sub(1) as usize)
            .unwrap_or_default();
        let rest: String = source
            .chars()
            .skip(column.saturating_sub(1) as usize)
            .collect();
        if !here || !rest.starts_with(at) {
            self.problems.push(format!(
                "{code}\n  points at {file}:{said_line}:{column}, not at {at:?} in line {line}"
            ));
        }
    }
}

impl Drop for Wrong {
    fn drop(&mut self) {
        assert!(
            self.problems.is_empty() || std::thread::panicking(),
            "{} problems:\n{}",
            self.problems.len(),
            self.problems.join("\n")
        );
    }
}

/// `fails!(wrong, code, what stands at the reported place, text)`
macro_rules! fails {
    ($wrong:ident, $code:expr, $at:expr, $text:expr) => {
        $wrong.unless(stringify!($code), line!(), $at, $text, || {
            let _ = $code;
        })
    };
}

// ---- One test a topic ------------------------------------------------

/// A file of this folder each, whose `mistakes` are made and listened to.
macro_rules! topics {
    ($($topic:ident),* $(,)?) => {
        $(
            #[test]
            fn $topic() {
                $topic::mistakes(&mut Wrong {
                    file: concat!("tests/errors/", stringify!($topic), ".rs"),
                    source: include_str!(concat!(stringify!($topic), ".rs")),
                    problems: Vec::new(),
                });
            }
        )*
    };
}
topics!(
    shapes,
    operands,
    reductions,
    products_convolutions_and_layers,
    indices,
    values_gradients_and_optimizers,
);

mod indices;
mod operands;
mod products_convolutions_and_layers;
mod reductions;
mod shapes;
mod values_gradients_and_optimizers;
