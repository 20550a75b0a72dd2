//! # progress: how far it is
//!
//! **In:** one call a step. **Out:** a bar that moves, if a person watches a terminal; else a line for each tenth of the way, so that a
//! log stays short.

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use std::io::{IsTerminal, Write, stdout};
use teenygrad::helpers::ci;

/// A line on stdout. Whoever reads it may have gone (`mnist | head -1`), which is no reason to panic as `println!` does.
pub fn say(line: &str) {
    let _ = writeln!(stdout(), "{line}");
}

/// Progress through a known number of steps.
pub struct Progress {
    name: &'static str,
    done: usize,
    total: usize,
    /// None where nobody would see it move
    bar: Option<ProgressBar>,
    /// whether there are lines instead
    lines: bool,
}

impl Progress {
    /// A bar or, where none can be, lines.
    pub fn new(name: &'static str, total: usize) -> Progress {
        let bar = bar(name, total);
        Progress {
            name,
            done: 0,
            total,
            lines: bar.is_none(),
            bar,
        }
    }

    /// A bar or, where none can be, nothing: for what is over soon.
    pub fn quiet(name: &'static str, total: usize) -> Progress {
        Progress {
            lines: false,
            ..Progress::new(name, total)
        }
    }

    /// The bar's position, for progress in pieces of any size.
    pub fn set(&mut self, done: usize, message: &str) {
        self.done = done;
        if let Some(bar) = &self.bar {
            bar.set_message(message.to_string());
            bar.set_position(done as u64);
        }
    }

    /// One step more, and what there is to say about it.
    pub fn step(&mut self, message: &str) {
        self.done += 1;
        if let Some(bar) = &self.bar {
            bar.set_message(message.to_string());
            bar.inc(1);
        }
        if self.lines && is_told(self.done, self.total) {
            let width = self.total.to_string().len();
            say(&format!(
                "{} {:>width$}/{}  {message}",
                self.name, self.done, self.total
            ));
        }
    }
}

/// The first step, the last one, and each tenth of the way.
fn is_told(step: usize, total: usize) -> bool {
    step == 1 || step == total || step.is_multiple_of(total.div_ceil(10))
}

/// The bar, if both outputs go to a terminal that can move its cursor, and no machine is watching.
fn bar(name: &'static str, total: usize) -> Option<ProgressBar> {
    if ci() || !stdout().is_terminal() {
        return None;
    }
    let colour = if std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty()) {
        ""
    } else {
        ".cyan"
    };
    let template = format!("{{prefix}} {{bar:32{colour}}} {{pos}}/{{len}}  {{msg}}  {{elapsed}}");
    let style = ProgressStyle::with_template(&template).expect("the template is legal");
    // Dropped early (Ctrl-C, an error), it stays as it was, on a line of its own.
    let bar = ProgressBar::new(total as u64)
        .with_style(style)
        .with_prefix(name)
        .with_finish(ProgressFinish::Abandon);
    if bar.is_hidden() { None } else { Some(bar) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_stays_short() {
        let told = |total: usize| (1..=total).filter(|&step| is_told(step, total)).count();
        assert_eq!(
            [0, 1, 5, 100, 101, 100_000].map(told),
            [0, 1, 5, 11, 11, 11]
        );
    }
}
