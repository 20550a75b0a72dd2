//! # rows/machine: what the machine can do
//!
//! Without the library: the roof under which its rows are. Plain loops that the compiler vectorises, each compiled for the widest
//! vectors that the processor may have and chosen at run time, on the same threads that the library uses.

use crate::case::{Case, Expected, Setup, Work};
use crate::numbers;
use rayon::prelude::*;
use std::hint::black_box;

/// Compiles a loop several times, for processors with wider and wider vectors, and calls the best one for this processor.
macro_rules! widest {
    ($(#[$doc:meta])* $name:ident => $body:ident($($arg:ident: $type:ty),*) -> $result:ty) => {
        $(#[$doc])*
        fn $name($($arg: $type),*) -> $result {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,fma")]
                fn avx512($($arg: $type),*) -> $result {
                    $body($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) -> $result {
                    $body($($arg),*)
                }
                if is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                {
                    // SAFETY: the processor has just been asked for these.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has just been asked for these.
                    return unsafe { avx2($($arg),*) };
                }
            }
            $body($($arg),*)
        }
    };
}

/// The machine's rows have nothing to check: what they compute is thrown away.
fn case(work: Work, mut run: impl FnMut() + 'static) -> Case {
    Case {
        run: Box::new(move || {
            run();
            Vec::new()
        }),
        work,
        expected: Expected::Nothing,
    }
}

// ---- Arithmetic ------------------------------------------------------

/// Vectors of sums that don't wait for each other: a multiply-add takes 4 cycles and two may start in each, so that at least 8 must be on
/// their way; and 16 registers must hold them, the factor and the term.
const SUMS: usize = 12;
/// Multiply-adds of each vector in one run.
const ROUNDS: usize = 400_000;

/// A loop that keeps [`SUMS`] vectors in registers and multiplies and adds to them. Left to itself, the compiler sees in such a loop an
/// array that it could transpose, so here the registers are named.
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

/// `rounds` multiply-adds of [`SUMS`] vectors, and how many floats a vector has.
fn multiply_add() -> (fn(f32, usize) -> f32, usize) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has just been asked for it.
            return (
                |factor, rounds| unsafe { multiply_add_512(factor, rounds) },
                16,
            );
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has just been asked for them.
            return (
                |factor, rounds| unsafe { multiply_add_256(factor, rounds) },
                8,
            );
        }
    }
    (multiply_add_portable, 4)
}

pub fn fma_peak(setup: Setup) -> Case {
    let (threads, rounds) = (rayon::current_num_threads(), setup.size(ROUNDS, 10));
    let (multiply_add, lanes) = multiply_add();
    let work = Work::flops(2 * threads * rounds * SUMS * lanes);
    case(work, move || {
        (0..threads).into_par_iter().with_max_len(1).for_each(|_| {
            black_box(multiply_add(black_box(0.999), rounds));
        });
    })
}

// ---- Memory ----------------------------------------------------------

/// Floats of a vector register of the widest kind.
const LANES: usize = 16;
/// Floats that a thread takes at a time.
const CHUNK: usize = 1 << 16;

widest! {
    /// c = a + b.
    add => add_body(a: &[f32], b: &[f32], c: &mut [f32]) -> ()
}

#[inline(always)]
fn add_body(a: &[f32], b: &[f32], c: &mut [f32]) {
    for ((c, a), b) in c.iter_mut().zip(a).zip(b) {
        *c = a + b;
    }
}

widest! {
    /// The sum of all, in several sums side by side so that none waits for another.
    sum => sum_body(a: &[f32]) -> f32
}

#[inline(always)]
fn sum_body(a: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8 * LANES];
    let (whole, rest) = a.as_chunks::<{ 8 * LANES }>();
    for chunk in whole {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    sums.iter().chain(rest).sum()
}

pub fn stream_add(setup: Setup) -> Case {
    let n = setup.size(4096 * 4096, 1000);
    let (a, b) = (numbers::floats(1, n, 1.0), numbers::floats(2, n, 1.0));
    // Written once now, so that its pages are there.
    let mut c = vec![1.0f32; n];
    case(Work::floats(3 * n), move || {
        c.par_chunks_mut(CHUNK)
            .zip(a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK)))
            .for_each(|(c, (a, b))| add(a, b, c));
        black_box(&mut c);
    })
}

pub fn stream_sum(setup: Setup) -> Case {
    let n = setup.size(4096 * 4096, 1000);
    let a = numbers::floats(1, n, 1.0);
    case(Work::floats(n), move || {
        let total: f32 = black_box(&a).par_chunks(CHUNK).map(sum).sum();
        black_box(total);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_compute_what_they_say() {
        let (multiply_add, lanes) = multiply_add();
        assert_eq!(multiply_add(0.0, 1), SUMS as f32); // all are 1 after one round
        assert!(lanes >= 4);
        assert_eq!(sum(&[1.0; 1000]), 1000.0);
        let mut c = [0.0; 3];
        add(&[1.0, 2.0, 3.0], &[10.0, 20.0, 30.0], &mut c);
        assert_eq!(c, [11.0, 22.0, 33.0]);
    }
}
