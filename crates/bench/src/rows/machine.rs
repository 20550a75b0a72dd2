//! # rows/machine: what the machine can do
//!
//! Without the library: the roof under which its rows are. Plain loops that the compiler vectorises, each compiled for the widest
//! vectors that the processor may have and chosen at run time, on the same threads that the library uses.

use crate::case::{Case, Expected, Setup, Work};
use crate::numbers;
use rayon::prelude::*;
use std::hint::black_box;

/// Compiles a loop several times, for processors with wider and wider vectors, and calls the best one for this processor. Two forms of
/// the loop: for the widest vectors, of which there are 32, and for all others.
macro_rules! widest {
    ($(#[$doc:meta])* $name:ident => $widest:expr, $body:expr, ($($arg:ident: $type:ty),*) -> $result:ty) => {
        $(#[$doc])*
        fn $name($($arg: $type),*) -> $result {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,fma")]
                fn avx512($($arg: $type),*) -> $result {
                    $widest($($arg),*)
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

/// Floats in a vector register of the widest kind.
const LANES: usize = 16;
/// Multiply-adds of each lane of [`SUMS`] vectors in one run.
const ROUNDS: usize = 400_000;
/// How many vectors of sums [`multiply_add`] works through in a round.
const SUMS: usize = 12;

widest! {
    /// `rounds` multiply-adds of each lane of [`SUMS`] vectors, all of them in registers. Sums don't wait for each other: a multiply-add
    /// takes 4 cycles, and two may start in each, so at least 8 registers must be on their way. 12 sums are 12 registers of 16 floats;
    /// with registers of 8 floats, of which there are but 16, they are two times 6 sums in 12 registers.
    multiply_add => multiply_add_body::<12>, multiply_add_body::<6>, (factor: f32, rounds: usize) -> f32
}

#[inline(always)]
fn multiply_add_body<const AT_ONCE: usize>(factor: f32, rounds: usize) -> f32 {
    let mut sums = [[1.0f32; LANES]; AT_ONCE];
    for (i, sum) in sums.iter_mut().enumerate() {
        *sum = [1.0 + i as f32; LANES];
    }
    let (factors, terms) = ([factor; LANES], [1.0 - factor; LANES]);
    for _ in 0..rounds * SUMS / AT_ONCE {
        for sum in &mut sums {
            for lane in 0..LANES {
                // x ← factor · x + (1 − factor): creeps towards 1, and never overflows or becomes tiny
                sum[lane] = sum[lane].mul_add(factors[lane], terms[lane]);
            }
        }
    }
    sums.iter().flatten().sum::<f32>() / AT_ONCE as f32
}

pub fn fma_peak(setup: Setup) -> Case {
    let (threads, rounds) = (rayon::current_num_threads(), setup.size(ROUNDS, 10));
    let work = Work::flops(2 * threads * rounds * SUMS * LANES);
    case(work, move || {
        (0..threads).into_par_iter().with_max_len(1).for_each(|_| {
            black_box(multiply_add(black_box(0.999), rounds));
        });
    })
}

// ---- Memory ----------------------------------------------------------

/// Floats that a thread takes at a time.
const CHUNK: usize = 1 << 16;

widest! {
    /// c = a + b.
    add => add_body, add_body, (a: &[f32], b: &[f32], c: &mut [f32]) -> ()
}

#[inline(always)]
fn add_body(a: &[f32], b: &[f32], c: &mut [f32]) {
    for ((c, a), b) in c.iter_mut().zip(a).zip(b) {
        *c = a + b;
    }
}

widest! {
    /// The sum of all, in several sums side by side so that none waits for another.
    sum => sum_body, sum_body, (a: &[f32]) -> f32
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
        assert_eq!(multiply_add(0.0, 1), LANES as f32); // all lanes are 1 after one round
        assert_eq!(sum(&[1.0; 1000]), 1000.0);
        let mut c = [0.0; 3];
        add(&[1.0, 2.0, 3.0], &[10.0, 20.0, 30.0], &mut c);
        assert_eq!(c, [11.0, 22.0, 33.0]);
    }
}
