//! # timing: warm-up, repetition, median
//!
//! **In:** something to run. **Out:** [`Times`].
//!
//! The median is what a row takes; the smallest time is what it takes when nobody disturbs it. Means are of no use: one interruption by
//! another program outweighs a hundred runs.

use crate::process;
use std::time::Instant;

/// How much to run: at least so often *and* at least so long.
#[derive(Clone, Copy)]
pub struct Effort {
    pub runs: usize,
    pub seconds: f64,
}

impl Effort {
    /// Two runs.
    pub const QUICK: Effort = Effort {
        runs: 2,
        seconds: 0.0,
    };
}

/// What was measured.
#[derive(Clone, Copy)]
pub struct Times {
    /// seconds
    pub median: f64,
    /// seconds
    pub min: f64,
    pub runs: usize,
    /// seconds of processor time a run, all threads together, where the system tells
    pub cpu: Option<f64>,
    /// page faults a run, where the system tells
    pub faults: Option<f64>,
}

/// Warms up for a fifth of the effort, then times each run.
pub fn measure(effort: Effort, run: &mut dyn FnMut()) -> Times {
    let start = Instant::now();
    for _ in 0..effort.runs.div_ceil(5) {
        run();
    }
    while start.elapsed().as_secs_f64() < effort.seconds / 5.0 {
        run();
    }
    let (cpu, faults) = (process::cpu(), process::faults());
    let (mut seconds, start) = (Vec::new(), Instant::now());
    while seconds.len() < effort.runs || start.elapsed().as_secs_f64() < effort.seconds {
        let before = Instant::now();
        run();
        seconds.push(before.elapsed().as_secs_f64());
    }
    let runs = seconds.len();
    let cpu = process::cpu()
        .zip(cpu)
        .map(|(after, before)| (after - before) / runs as f64);
    let faults = process::faults()
        .zip(faults)
        .map(|(after, before)| (after - before) as f64 / runs as f64);
    seconds.sort_by(f64::total_cmp);
    Times {
        median: median(&seconds),
        min: seconds[0],
        runs,
        cpu,
        faults,
    }
}

/// The middle of sorted numbers; of an even number of them, the mean of the two in the middle.
fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[half]
    } else {
        (sorted[half - 1] + sorted[half]) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[1.0]), 1.0);
        assert_eq!(median(&[1.0, 2.0]), 1.5);
        assert_eq!(median(&[1.0, 2.0, 9.0]), 2.0);
    }

    #[test]
    fn both_limits_are_kept() {
        let mut count = 0;
        let effort = Effort {
            runs: 5,
            seconds: 0.0,
        };
        let times = measure(effort, &mut || count += 1);
        assert_eq!((times.runs, count), (5, 6)); // one to warm up
        assert!(times.min <= times.median);
        let effort = Effort {
            runs: 1,
            seconds: 0.02,
        };
        let start = Instant::now();
        assert!(measure(effort, &mut || ()).runs > 1);
        assert!(start.elapsed().as_secs_f64() >= 0.02);
    }
}
