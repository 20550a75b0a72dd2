//! The bench's rows in candle and burn: same inputs, same work, same JSON lines.
//!
//! ```text
//! cargo run --release --manifest-path crates/bench/peers/rust/Cargo.toml -- candle [FILTER] [--serve]
//! ```
//!
//! Inputs, timing and the check by digests are those of the bench itself, whose files are read from there. The number of threads is
//! set before anything else runs, by the environment's RAYON_NUM_THREADS (compare.py does that) and `--threads`.

mod burn_rows;
mod candle_rows;
#[path = "../../../src/numbers.rs"]
mod numbers;
#[path = "../../../src/process.rs"]
#[allow(dead_code, reason = "memory is not compared")]
mod process;
#[path = "../../../src/timing.rs"]
#[allow(dead_code, reason = "there is no quick mode here")]
mod timing;

use clap::{Parser, ValueEnum};
use serde_json::json;
use std::io::{BufRead, Write};
use timing::Effort;

/// Does a row's work once. If it is asked for the digest, or has a loss, it returns that; else nothing.
type Run = Box<dyn FnMut(bool) -> Vec<f64>>;

/// A row made ready.
pub struct Case {
    run: Run,
    flops: f64,
    steps: bool,
}

/// A row, and what makes it ready.
type Row = (&'static str, fn() -> Case);

/// Losses that a training step's digest spans.
const STEPS: usize = 6;

impl Case {
    fn digest(&mut self) -> Vec<f64> {
        let first = (self.run)(true);
        if !self.steps {
            return first;
        }
        let mut last = first.clone();
        for _ in 1..STEPS {
            last = (self.run)(true);
        }
        [first, last].concat()
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Library {
    Candle,
    Burn,
}

#[derive(Parser)]
#[command(disable_version_flag = true)]
struct Options {
    library: Library,
    /// Only rows whose name contains this
    filter: Option<String>,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    #[arg(long, default_value_t = 10)]
    runs: usize,
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Names from standard input, a JSON line for each
    #[arg(long)]
    serve: bool,
    /// What is measured
    #[arg(long)]
    version: bool,
}

fn main() {
    let options = Options::parse();
    let (rows, version) = match options.library {
        Library::Candle => (candle_rows::ROWS, "candle 0.11"),
        Library::Burn => (burn_rows::ROWS, "burn 0.22 (flex)"),
    };
    if options.version {
        println!("{version}");
        return;
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build_global()
        .expect("nothing has used threads yet");
    let effort = Effort {
        runs: options.runs.max(1),
        seconds: options.seconds,
    };
    if options.serve {
        for name in std::io::stdin().lock().lines() {
            let name = name.expect("standard input");
            match rows.iter().find(|(row, _)| *row == name.trim()) {
                Some(row) => measure(row, effort),
                None => println!("{}", json!({"name": name.trim(), "error": "no such row"})),
            }
            std::io::stdout().flush().expect("standard output");
        }
        return;
    }
    let filter = options.filter.unwrap_or_default();
    for row in rows.iter().filter(|(name, _)| name.contains(&filter)) {
        measure(row, effort);
    }
}

/// Prints a row's JSON line.
fn measure(row: &Row, effort: Effort) {
    let mut case = row.1();
    let digest = case.digest();
    let times = timing::measure(effort, &mut || drop((case.run)(false)));
    let mut line = json!({
        "name": row.0,
        "median_ms": times.median * 1e3,
        "min_ms": times.min * 1e3,
        "runs": times.runs,
        "digest": digest,
    });
    if let Some(cpu) = times.cpu {
        line["cpu_ms"] = json!(cpu * 1e3);
    }
    if case.flops > 0.0 {
        line["gflops"] = json!(case.flops / times.median * 1e-9);
    }
    println!("{line}");
}
