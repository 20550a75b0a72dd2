//! What a contraction means, sum by sum, and whether a plan for it gives the same.
//!
//! **In:** a [`Case`]: sizes, two views and their dtypes. **Out:** its numbers as [`naive`] and as a plan give them ([`run`]), and
//! [`check`], which compares the two on every level of instructions that this processor has.
//!
//! Laws:
//! 1. Numbers are small and whole, so that sums are exact in any order; only Winograd's way, which has sixths, may be off by a little.
//! 2. What lies behind the operands is NaN, and so is the output before it is written: who reads on or leaves something out shows it.
//! 3. Each element of the output is finished once.

use super::super::*;
use half::{bf16, f16};

pub struct Case {
    pub outer: Vec<usize>,
    pub reduced: Vec<usize>,
    pub a: View,
    pub b: View,
    pub dtypes: [DType; 2],
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(
            f,
            "{:?} {:?} {:?}\n{:?}\n{:?}",
            self.outer, self.reduced, self.dtypes, self.a, self.b
        )
    }
}

pub fn case(outer: &[usize], reduced: &[usize], a: View, b: View) -> Case {
    Case {
        outer: outer.to_vec(),
        reduced: reduced.to_vec(),
        a,
        b,
        dtypes: [DType::Float32; 2],
    }
}

pub fn length(view: &View) -> usize {
    view.addresses()
        .into_iter()
        .flatten()
        .max()
        .map_or(0, |address| address + 1)
}

/// Sum by sum, in f64.
pub fn naive(case: &Case, a_data: &[f64], b_data: &[f64]) -> Vec<f64> {
    let read = |data: &[f64], address: Option<usize>| address.map_or(0.0, |address| data[address]);
    let (a, b) = (case.a.addresses(), case.b.addresses());
    let steps: usize = case.reduced.iter().product();
    let product = |i: usize| read(a_data, a[i]) * read(b_data, b[i]);
    (0..case.outer.iter().product())
        .map(|o| (o * steps..(o + 1) * steps).map(product).sum())
        .collect()
}

/// Small whole numbers, so that sums are exact in f32 and every mistake shows.
pub fn numbers(length: usize, seed: usize) -> Vec<f64> {
    (0..length)
        .map(|i| ((i * 7 + seed * 3 + i / 11 * 5) % 9) as f64 - 4.0)
        .collect()
}

fn encode(data: &[f64], dtype: DType) -> Vec<u64> {
    let mut bytes: Vec<u8> = match dtype {
        DType::Float64 => data.iter().flat_map(|x| x.to_ne_bytes()).collect(),
        DType::Float16 => data
            .iter()
            .flat_map(|x| f16::from_f64(*x).to_ne_bytes())
            .collect(),
        DType::BFloat16 => data
            .iter()
            .flat_map(|x| bf16::from_f64(*x).to_ne_bytes())
            .collect(),
        _ => data
            .iter()
            .flat_map(|x| (*x as f32).to_ne_bytes())
            .collect(),
    };
    bytes.resize(bytes.len().next_multiple_of(8), 0xff); // NaN, should anyone read on
    bytes
        .chunks(8)
        .map(|chunk| u64::from_ne_bytes(chunk.try_into().unwrap()))
        .collect()
}

/// The plan for one level.
pub fn plan(level: Level, case: &Case) -> Contraction {
    let [a, b] = case.dtypes;
    Contraction::with_level(
        level,
        &case.outer,
        &case.reduced,
        (&case.a, a),
        (&case.b, b),
    )
}

/// Runs a plan; counts how often each element is finished.
pub fn run(plan: &Contraction, case: &Case) -> Vec<f64> {
    let lengths = [length(&case.a), length(&case.b)];
    let a = encode(&numbers(lengths[0], 1), case.dtypes[0]);
    let b = encode(&numbers(lengths[1], 2), case.dtypes[1]);
    let outputs: usize = case.outer.iter().product();
    let mut out = vec![u64::MAX; outputs + 1]; // NaN
    let finished = std::sync::Mutex::new(vec![0; outputs]);
    let count = |range: Range<usize>| {
        finished.lock().unwrap()[range]
            .iter_mut()
            .for_each(|n| *n += 1)
    };
    // SAFETY: the buffers hold every valid address and the output every element.
    unsafe {
        let (a, b, out) = (
            a.as_ptr().cast(),
            b.as_ptr().cast(),
            out.as_mut_ptr().cast(),
        );
        plan.run_with(a, lengths[0], b, lengths[1], out, &count);
    }
    assert!(
        finished.into_inner().unwrap().iter().all(|&n| n == 1),
        "each element is finished once"
    );
    if plan.dtype() == DType::Float64 {
        out[..outputs]
            .iter()
            .map(|bits| f64::from_bits(*bits))
            .collect()
    } else {
        let words = out
            .iter()
            .flat_map(|bits| bits.to_ne_bytes())
            .collect::<Vec<u8>>();
        let single = |word: &[u8]| f32::from_ne_bytes(word.try_into().unwrap()) as f64;
        words.chunks(4).take(outputs).map(single).collect()
    }
}

pub fn check(case: &Case) {
    let (a, b) = (numbers(length(&case.a), 1), numbers(length(&case.b), 2));
    let expected = naive(case, &a, &b);
    for level in Level::available() {
        let plan = plan(level, case);
        let found = run(&plan, case);
        let right = match plan.way {
            // Sixths and their like are not exact.
            Way::Winograd(_) | Way::FilterGradient(_) => {
                winograd::tests::error(&found, &expected) < 2e-5
            }
            Way::Nothing | Way::Tiles(_) | Way::Lines(_) => found == expected,
        };
        assert!(
            right,
            "{level:?}\n{:?} {:?}\n{:?}\n{:?}\n{found:?}\n{expected:?}",
            case.outer, case.reduced, case.a, case.b
        );
    }
}

/// How a plan for float32 describes itself.
pub fn described(case: &Case) -> String {
    let Case {
        outer,
        reduced,
        a,
        b,
        ..
    } = case;
    Contraction::new(outer, reduced, a, DType::Float32, b, DType::Float32).describe()
}
