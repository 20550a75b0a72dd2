//! # teenygrad-bench: how long typical work takes
//!
//! **In:** a filter of row names. **Out:** a line for each row: median and smallest time, and what they come to in GFLOP/s or GB/s.
//!
//! ```text
//! cargo run --release -p teenygrad-bench -- [FILTER] [--json] [--threads N]
//! ```
//!
//! | file | for |
//! |---|---|
//! | `main` | the command line |
//! | [`rows`] | the list of all rows, and what each of them does |
//! | [`models`] | the networks of the training steps, written as a user would: they are examples too |
//! | [`case`] | a row made ready: inputs, the work, what must come out |
//! | [`numbers`] | inputs that every program of this bench can make for itself |
//! | [`timing`] | warm-up, repetition, median |
//! | [`process`] | page faults and peak memory of this process |
//! | [`report`] | the table, and the JSON lines |
//!
//! Beside this program `peers/` holds programs that do the same rows elsewhere, with the same inputs and the same JSON lines, and
//! `compare.py` runs them in turn with this one.
//!
//! Laws:
//! 1. What is timed is a whole evaluation: building the graph, planning it, running it, and giving the result's memory back.
//! 2. Inputs are memory before the clock starts, so that nothing can be folded or fused into them.
//! 3. Before a row is timed its result is checked once, and its digest goes into the line: programs that did other work are found out.

mod case;
mod models;
mod numbers;
mod process;
mod report;
mod rows;
mod timing;

use case::{Case, Setup};
use clap::Parser;
use report::Line;
use rows::{ROWS, Row};
use std::io::{BufRead, Write};
use std::process::ExitCode;
use teenygrad::device::{cpu::threads::with_threads, memory};
use timing::Effort;

/// How long typical work takes in teenygrad.
#[derive(Parser)]
#[command(name = "teenygrad-bench")]
struct Options {
    /// Only rows whose name contains this; a whole name means that row alone
    filter: Option<String>,
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
    /// Threads to compute with [default: one a processor]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Small inputs and two runs: whether it works, not how fast it is
    #[arg(long)]
    quick: bool,
    /// Each row is run at least this many times
    #[arg(long, default_value_t = 10, value_name = "N")]
    runs: usize,
    /// Each row is run for at least so long
    #[arg(long, default_value_t = 1.0, value_name = "S")]
    seconds: f64,
    /// Only print what rows there are
    #[arg(long)]
    list: bool,
    /// Read names of rows from standard input, one a line, and answer each with its JSON line (how compare.py takes turns)
    #[arg(long)]
    serve: bool,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let Some(threads) = options.threads else {
        return bench(options);
    };
    with_threads(threads, || bench(options))
}

fn bench(options: &Options) -> Result<(), String> {
    let (setup, effort) = if options.quick {
        (Setup::small(), Effort::QUICK)
    } else {
        let effort = Effort {
            runs: options.runs.max(1),
            seconds: options.seconds,
        };
        (Setup::full(), effort)
    };
    if options.serve {
        return serve(setup, effort);
    }
    let rows = rows::matching(options.filter.as_deref())?;
    if options.list {
        for row in &rows {
            println!("{:<24} {}", row.name, row.about);
        }
        return Ok(());
    }
    if !options.json {
        println!("{}", report::HEAD);
    }
    for row in rows {
        let line = measured(row, &mut (row.make)(setup), effort)?;
        println!(
            "{}",
            if options.json {
                line.json()
            } else {
                line.table()
            }
        );
        memory::trim();
    }
    Ok(())
}

/// Checks a row, then times it.
fn measured(row: &Row, case: &mut Case, effort: Effort) -> Result<Line, String> {
    let digest = case
        .checked()
        .map_err(|wrong| format!("{}: {wrong}", row.name))?;
    process::forget_peak();
    let times = timing::measure(effort, &mut || drop((case.run)()));
    Ok(Line {
        name: row.name,
        times,
        work: case.work,
        digest,
        peak: process::peak(),
    })
}

/// Answers names with lines until standard input ends. Each time a row is made anew, so that training starts where it started before.
fn serve(setup: Setup, effort: Effort) -> Result<(), String> {
    for name in std::io::stdin().lock().lines() {
        let name = name.map_err(|error| format!("standard input: {error}"))?;
        let line = match ROWS.iter().find(|row| row.name == name.trim()) {
            Some(row) => measured(row, &mut (row.make)(setup), effort)?.json(),
            None => report::unknown(&name),
        };
        memory::trim();
        println!("{line}");
        std::io::stdout()
            .flush()
            .map_err(|error| format!("standard output: {error}"))?;
    }
    Ok(())
}
