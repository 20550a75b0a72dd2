//! # device/cpu/roofline: how fast a kernel could be
//!
//! **In:** how much a kernel computes and moves ([`Cost`](crate::kernel::Cost)). **Out:** how long this machine takes for it at best. `DEBUG=2` shows that as a
//! share: a kernel at 80 % is done with, one at 5 % is where the time can be found. **Above:** `realize`, and the bench.
//!
//! A processor has two limits that no program gets around: it multiplies and adds so many numbers a second (P), and memory brings so
//! many bytes a second (B). A kernel that computes F operations on M bytes has the *intensity* I = F/M, and cannot do more than
//!
//! ```text
//! operations a second   ≤   min(P, I · B)                      P ┤          ┌──────────────  bound by arithmetic: products of matrices
//!                                                                │        ╱
//! seconds               ≥   max(F / P, M / B)                    │      ╱   the roof
//!                                                                │    ╱
//! **share = max(F / P, M / B) / seconds**                        │  ╱    bound by memory: everything element by element
//!                                                                └─┴────────┴──────────────▶ I, operations a byte
//! ```
//!
//! (Williams, Waterman & Patterson, *Roofline: an insightful visual performance model for multicore architectures*, 2009.)
//!
//! How to read it, as F and M are only what the kernel's definition says:
//! - **More than 100 %**: the data was not in memory but in a cache, which is several times faster (any kernel on a few MiB), or the kernel did not
//!   need all of its inputs (a few rows gathered from a large table), which count in full.
//! - **Little, and rightly so**: F counts an exponential or a division as one operation, though it takes ten, and M does not count that
//!   an image is read once for each of a filter's rows, nor that memory brings a line in before it is written for the first time.
//! - **Little, and it hardly matters**: a kernel of a few microseconds. Starting one takes about one.
//!
//! Both limits are measured when they are asked for the first time, with the threads that kernels use, in plain loops: it takes some tens of
//! milliseconds. P is of float32; float64 has half of it.

use super::simd::{Hot, Isa, vectorize};
use super::threads::{parallel, threads};
use crate::device::Roof;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Mutex;
use std::time::Instant;

/// The limits of this machine, with as many threads as kernels use at the moment.
pub fn measured() -> Roof {
    static KNOWN: Mutex<BTreeMap<usize, Roof>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    *known.entry(threads()).or_insert_with(|| Roof {
        flops: flops_per_second(),
        bytes: bytes_per_second(),
    })
}

/// The best of some runs: whatever else the machine does only takes away. The first one wakes the threads up.
fn fastest(runs: usize, mut run: impl FnMut()) -> f64 {
    let seconds = (0..runs).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}

// ---- Arithmetic ------------------------------------------------------

/// Vectors of sums that don't wait for each other: a multiply-add takes 4 cycles and two may start in each, so that at least 8 must be on
/// their way; and 16 registers must hold them, the factor and the term.
const SUMS: usize = 12;

fn flops_per_second() -> f64 {
    let rounds = 40_000; // about a quarter of a millisecond
    multiply_adds(rounds) as f64
        / fastest(5, || {
            multiply_adds(rounds);
        })
}

/// Multiplies and adds numbers in registers on all threads, `rounds` times in each register of each; returns how many operations
/// that were.
pub fn multiply_adds(rounds: usize) -> usize {
    let (run, lanes) = widest();
    parallel(threads(), |_| {
        black_box(run(black_box(0.999), rounds));
    });
    2 * threads() * rounds * SUMS * lanes
}

/// A loop that keeps [`SUMS`] vectors in registers and multiplies and adds to them. Left to itself, the compiler sees in such a loop an
/// array that it could transpose, so here (and only here) the registers are named.
#[cfg(target_arch = "x86_64")]
macro_rules! in_registers {
    ($name:ident, $features:literal, $splat:ident, $multiply_add:ident, $add:ident, $first:ident) => {
        #[target_feature(enable = $features)]
        fn $name(factor: f32, rounds: usize) -> f32 {
            use std::arch::x86_64::{$add, $first, $multiply_add, $splat};
            let (factors, terms) = ($splat(factor), $splat(1.0 - factor));
            let mut sums: [_; SUMS] = std::array::from_fn(|i| $splat(1.0 + i as f32));
            for _ in 0..rounds {
                for sum in &mut sums {
                    // x ← factor · x + (1 − factor): creeps towards 1, and never overflows or becomes tiny
                    *sum = $multiply_add(*sum, factors, terms);
                }
            }
            let mut total = sums[0];
            for sum in &sums[1..] {
                total = $add(total, *sum);
            }
            $first(total)
        }
    };
}

#[cfg(target_arch = "x86_64")]
in_registers!(
    multiply_add_512,
    "avx512f",
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_cvtss_f32
);
#[cfg(target_arch = "x86_64")]
in_registers!(
    multiply_add_256,
    "avx2,fma",
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_cvtss_f32
);

/// The same for other processors, as far as the compiler finds the vectors.
fn multiply_add_portable(factor: f32, rounds: usize) -> f32 {
    let mut sums: [[f32; 4]; SUMS] = std::array::from_fn(|i| [1.0 + i as f32; 4]);
    for _ in 0..rounds {
        sums = sums.map(|sum| sum.map(|x| x * factor + (1.0 - factor)));
    }
    sums.iter().map(|sum| sum[0]).sum()
}

/// The loop for the widest vectors of this processor, and how many floats one of them has.
fn widest() -> (fn(f32, usize) -> f32, usize) {
    use super::simd::{Level, level};
    match level() {
        // SAFETY: `level` answers this only where the processor has these features.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => (|factor, n| unsafe { multiply_add_512(factor, n) }, 16),
        // SAFETY: likewise.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2Fma => (|factor, n| unsafe { multiply_add_256(factor, n) }, 8),
        Level::Portable => (multiply_add_portable, 4),
    }
}

// ---- Memory ----------------------------------------------------------

/// Floats that a thread takes at a time.
const CHUNK: usize = 1 << 16;

/// Reading is what memory does fastest, so that is the limit; what writes as well comes to three quarters of it at most, as a line is
/// brought in before it is written.
fn bytes_per_second() -> f64 {
    // More than a cache holds; written once, so that its pages are there.
    let numbers = vec![1.0f32; 16 << 20];
    let seconds = fastest(4, || {
        black_box(sum(black_box(&numbers)));
    });
    size_of_val(&numbers[..]) as f64 / seconds
}

/// The sum of all, on all threads.
pub fn sum(numbers: &[f32]) -> f32 {
    let total = Mutex::new(0.0);
    parallel(numbers.len().div_ceil(CHUNK), |task| {
        let end = numbers.len().min((task + 1) * CHUNK);
        let part = vectorize(Sum(&numbers[task * CHUNK..end]));
        *total.lock().expect("additions don't panic") += part;
    });
    total.into_inner().expect("additions don't panic")
}

/// In several sums side by side, so that none waits for another.
struct Sum<'a>(&'a [f32]);

impl Hot for Sum<'_> {
    type Out = f32;
    #[inline(always)]
    fn run<I: Isa>(self) -> f32 {
        let mut sums = [0.0f32; 128];
        let (whole, rest) = self.0.as_chunks::<128>();
        for chunk in whole {
            for (sum, x) in sums.iter_mut().zip(chunk) {
                *sum += x;
            }
        }
        sums.iter().chain(rest).sum()
    }
}

/// c = a + b, on all threads.
pub fn add(a: &[f32], b: &[f32], c: &mut [f32]) {
    // Each task finds its own chunk behind a lock that nobody else asks for.
    let chunks: Vec<Mutex<&mut [f32]>> = c.chunks_mut(CHUNK).map(Mutex::new).collect();
    parallel(chunks.len(), |task| {
        let mut c = chunks[task].lock().expect("additions don't panic");
        let range = task * CHUNK..task * CHUNK + c.len();
        vectorize(Add(&a[range.clone()], &b[range], &mut c));
    });
}

struct Add<'a>(&'a [f32], &'a [f32], &'a mut [f32]);

impl Hot for Add<'_> {
    type Out = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for ((c, a), b) in self.2.iter_mut().zip(self.0).zip(self.1) {
            *c = a + b;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Cost;

    #[test]
    fn loops_compute_what_they_say() {
        let (run, lanes) = widest();
        assert_eq!(run(0.0, 1), SUMS as f32); // all are 1 after one round
        assert!(lanes >= 4);
        assert_eq!(multiply_adds(10), 2 * threads() * 10 * SUMS * lanes);
        assert_eq!(sum(&vec![1.0; 3 * CHUNK + 7]), (3 * CHUNK + 7) as f32);
        let mut c = vec![0.0; CHUNK + 1];
        add(&vec![1.0; CHUNK + 1], &vec![10.0; CHUNK + 1], &mut c);
        assert!(c.iter().all(|&x| x == 11.0));
    }

    #[test]
    fn a_roof_has_two_slopes() {
        let roof = Roof {
            flops: 100.0,
            bytes: 10.0,
        };
        let seconds = |flops, bytes| roof.seconds(Cost { flops, bytes });
        assert_eq!(seconds(1000, 10), 10.0); // 10 s of arithmetic, 1 s of memory
        assert_eq!(seconds(10, 100), 10.0); // 0.1 s and 10 s
        assert_eq!(roof.ridge(), 10.0);
        let here = measured();
        assert!(here.flops > 1e8 && here.bytes > 1e8, "{here:?}");
    }
}
