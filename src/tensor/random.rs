//! # tensor/random: numbers that nobody can guess and anybody can repeat
//!
//! **In:** a shape, and the thread's generator. **Out:** lazy tensors of random numbers, float32 unless said otherwise (another float
//! dtype is a `cast` away). **Above:** the user. **Below:** [`LazyBuffer::rand`].
//!
//! The generator is counter-based: an element is a function of a *key* and of its own position, and needs no other element to be
//! computed first. A tensor's key has two halves: the seed, and the tensor's number since that seed was set.
//!
//! ```text
//! manual_seed(42)   key of the 1st call: (42, 0)   of the 2nd: (42, 1)   …
//! ```
//!
//! Laws:
//! 1. The same seed and the same calls in the same order give the same numbers, on any device, with any number of threads.
//! 2. Each thread has a generator of its own, which starts at seed 0: what one thread draws does not depend on what others do.
//! 3. A tensor's numbers are fixed when the call returns, not when they are computed.
//!
//! ```
//! use teenygrad::Tensor;
//! Tensor::manual_seed(42);
//! let a = Tensor::rand([3]).to_vec::<f32>();
//! let b = Tensor::rand([3]).to_vec::<f32>();
//! Tensor::manual_seed(42);
//! assert_eq!(Tensor::rand([3]).to_vec::<f32>(), a);
//! assert_ne!(a, b);
//! ```

use super::Tensor;
use crate::device::Device;
use crate::dtype::DType;
use crate::error::fail;
use crate::lazy::LazyBuffer;
use crate::mlops::movement::{Expand, Reshape};
use crate::mlops::reduce::{CumSum, Max, Sum};
use crate::shape::args::{Int, Shape};
use std::cell::Cell;
use std::f64::consts::PI;

thread_local! {
    /// (seed, number of the next tensor)
    static GENERATOR: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// The next tensor's key.
fn next_key() -> [u32; 2] {
    let (seed, stream) = GENERATOR.get();
    // After 2³² tensors the numbers start over, as every generator's do some day.
    GENERATOR.set((seed, stream.wrapping_add(1)));
    [seed, stream]
}

/// Uniform in [0, 1).
fn uniform(shape: &[usize]) -> Tensor {
    Tensor::from_lazy(LazyBuffer::rand(shape, next_key(), Device::DEFAULT()))
}

/// Elements that share one of the first axis: what initialisations call a unit's inputs.
fn fan_in(shape: &[usize]) -> f64 {
    shape.iter().skip(1).product::<usize>() as f64
}

/// Normal numbers: see [`Tensor::randn`].
fn gaussian(shape: &[usize]) -> Tensor {
    let (u1, u2) = (uniform(shape), uniform(shape));
    // 1 − u is as uniform as u, and in (0, 1]: its logarithm is finite.
    let radius = (1 - u1).log().mul(-2).sqrt();
    radius.mul(u2.mul(2.0 * PI).sin())
}

impl Tensor {
    /// Starts this thread's generator anew. Seeds of more than 32 bits are folded into 32: the upper half is xor-ed onto the lower.
    pub fn manual_seed(seed: u64) {
        GENERATOR.set(((seed ^ (seed >> 32)) as u32, 0));
    }

    // ---- Distributions -----------------------------------------------

    /// Uniform in [0, 1).
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::rand([100]).to_vec::<f32>();
    /// assert!(x.iter().all(|x| (0.0..1.0).contains(x)));
    /// ```
    /// # Panics
    /// As everything here: if a size is negative.
    #[track_caller]
    pub fn rand(shape: impl Into<Shape>) -> Tensor {
        uniform(&shape.into().sizes("rand"))
    }

    /// Normal with mean 0 and standard deviation 1, by the transform of Box & Muller (*A Note on the Generation of Random Normal
    /// Deviates*, 1958): of two uniform numbers one makes an angle 2π·u₂ and one a radius √(−2 ln u₁); either coordinate of that point
    /// is normal. We take the sine.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::randn([10_000]);
    /// assert!(x.mean(()).item::<f32>().abs() < 0.05 && (x.std(()).item::<f32>() - 1.0).abs() < 0.05);
    /// ```
    #[track_caller]
    pub fn randn(shape: impl Into<Shape>) -> Tensor {
        gaussian(&shape.into().sizes("randn"))
    }

    /// Whole numbers from `low` up to but without `high`, each as likely as any other, int32.
    /// ```
    /// # use teenygrad::Tensor;
    /// let dice = Tensor::randint([1000], 1, 7).to_vec::<i32>();
    /// assert!(dice.iter().all(|eyes| (1..=6).contains(eyes)));
    /// ```
    /// # Panics
    /// If there is no number from `low` to `high`, or they don't fit into int32.
    #[track_caller]
    pub fn randint(shape: impl Into<Shape>, low: impl Int, high: impl Int) -> Tensor {
        let (shape, low, high) = (
            shape.into().sizes("randint"),
            low.signed() as i64,
            high.signed() as i64,
        );
        if low >= high {
            fail!("randint", "no number is at least {low} and below {high}");
        }
        if i32::try_from(low).is_err() || i32::try_from(high - 1).is_err() {
            fail!("randint", "{low} to {high} do not fit into int32");
        }
        // One float32 takes only 2²⁴ values, and over a range of a million numbers some would be 6% likelier than others. Two of them
        // make 48 bits; the product with a range below 2³² stays below it, since what is missing to 1 exceeds float64's rounding.
        let (coarse, fine) = (
            uniform(&shape).cast(DType::Float64),
            uniform(&shape).cast(DType::Float64),
        );
        let unit = coarse.add(fine.mul(2f64.powi(-24)));
        // The cast cuts towards zero, which for numbers ≥ 0 is rounding down; then int64, as low + 2³¹ need not fit into int32.
        unit.mul((high - low) as f64)
            .cast(DType::Int64)
            .add(low)
            .cast(DType::Int32)
    }

    /// Normal with this mean and standard deviation (usually 0 and 1).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert_eq!(Tensor::normal([2, 3], 5.0, 0.0).to_vec::<f32>(), [5.0; 6]);
    /// ```
    #[track_caller]
    pub fn normal(shape: impl Into<Shape>, mean: f64, std: f64) -> Tensor {
        gaussian(&shape.into().sizes("normal")).mul(std).add(mean)
    }

    /// Uniform in [low, high) (usually 0 and 1), up to the rounding of float32 at `high`.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::uniform([100], -2.0, 2.0).to_vec::<f32>();
    /// assert!(x.iter().all(|x| (-2.0..=2.0).contains(x)) && x.iter().any(|&x| x < -1.0));
    /// ```
    #[track_caller]
    pub fn uniform(shape: impl Into<Shape>, low: f64, high: f64) -> Tensor {
        let shape = shape.into().sizes("uniform");
        uniform(&shape).mul(high - low).add(low)
    }

    // ---- Initial weights ---------------------------------------------

    // What all these are about: a unit sums its inputs, so the more inputs, the smaller must the weights be if the sums are to keep
    // their size from layer to layer. The first axis counts units, the others their inputs.

    /// Uniform in [−1, 1) divided by √(number of elements).
    /// ```
    /// # use teenygrad::Tensor;
    /// assert!(Tensor::scaled_uniform([10, 10]).to_vec::<f32>().iter().all(|x| x.abs() <= 0.1));
    /// ```
    #[track_caller]
    pub fn scaled_uniform(shape: impl Into<Shape>) -> Tensor {
        let shape = shape.into().sizes("scaled_uniform");
        Tensor::uniform(&shape, -1.0, 1.0).mul((shape.iter().product::<usize>() as f64).powf(-0.5))
    }

    /// Uniform in ±√(6 / (outputs + inputs)): the variance that suits forward and backward best. (Glorot & Bengio, *Understanding the
    /// difficulty of training deep feedforward neural networks*, 2010)
    /// ```
    /// # use teenygrad::Tensor;
    /// assert!(Tensor::glorot_uniform([2, 4]).to_vec::<f32>().iter().all(|x| x.abs() <= 1.0)); // 6 / (2 + 4)
    /// ```
    /// # Panics
    /// As the initialisations below: for the shape `[]`, which has no axis of units.
    #[track_caller]
    pub fn glorot_uniform(shape: impl Into<Shape>) -> Tensor {
        let shape = units("glorot_uniform", shape);
        let bound = (6.0 / (shape[0] as f64 + fan_in(&shape))).sqrt();
        Tensor::uniform(&shape, -bound, bound)
    }

    /// Uniform in ±√3 · √(2 / (1 + a²)) / √inputs with a = 0.01: before a leaky rectifier of that slope, it keeps the variance. (He et
    /// al., *Delving Deep into Rectifiers*, 2015)
    #[track_caller]
    pub fn kaiming_uniform(shape: impl Into<Shape>) -> Tensor {
        Tensor::kaiming_uniform_with(shape, 0.01)
    }

    /// As [`Tensor::kaiming_uniform`], for a leaky rectifier of slope `a`.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::kaiming_uniform_with([2, 6], 0.0).to_vec::<f32>(); // √3 · √2 / √6 = 1
    /// assert!(x.iter().all(|x| x.abs() <= 1.0));
    /// ```
    #[track_caller]
    pub fn kaiming_uniform_with(shape: impl Into<Shape>, a: f64) -> Tensor {
        let shape = units("kaiming_uniform", shape);
        let bound = 3f64.sqrt() * kaiming_std(&shape, a);
        Tensor::uniform(&shape, -bound, bound)
    }

    /// Normal with standard deviation √(2 / (1 + a²)) / √inputs, a = 0.01. (Same paper)
    #[track_caller]
    pub fn kaiming_normal(shape: impl Into<Shape>) -> Tensor {
        Tensor::kaiming_normal_with(shape, 0.01)
    }

    /// As [`Tensor::kaiming_normal`], for a leaky rectifier of slope `a`.
    /// ```
    /// # use teenygrad::Tensor;
    /// let x = Tensor::kaiming_normal_with([100, 200], 0.0); // √2 / √200 = 0.1
    /// assert!((x.std(()).item::<f32>() - 0.1).abs() < 0.01);
    /// ```
    #[track_caller]
    pub fn kaiming_normal_with(shape: impl Into<Shape>, a: f64) -> Tensor {
        let shape = units("kaiming_normal", shape);
        Tensor::normal(&shape, 0.0, kaiming_std(&shape, a))
    }

    // ---- Drawing from weights ----------------------------------------

    /// Draws positions along the last axis, each as likely as its weight says: from weights `[n]` or `[rows, n]` to int32 positions
    /// `[num_samples]` or `[rows, num_samples]`. Weights are not negative; they need not sum to 1.
    ///
    /// With replacement, by the inverse of the distribution: u is uniform in [0, 1), and the sample is the number of positions whose
    /// running sum of weights (out of 1) is not above u.
    ///
    /// Without replacement, every position gets the key ln(u) / weight, and the largest keys win, which is the same as drawing one
    /// after the other from what is left. (Efraimidis & Spirakis, *Weighted random sampling with a reservoir*, 2006) Positions of
    /// weight 0 come last, when nothing else is left.
    /// ```
    /// # use teenygrad::Tensor;
    /// let weights = Tensor::from([0.0, 3.0, 0.0, 1.0]);
    /// let drawn = weights.multinomial(100, true).to_vec::<i32>();
    /// assert!(drawn.iter().all(|i| [1, 3].contains(i)));
    /// let mut both = weights.multinomial(2, false).to_vec::<i32>();
    /// both.sort();
    /// assert_eq!(both, [1, 3]);
    /// ```
    /// # Panics
    /// If the weights have no elements or another number of axes than 1 or 2; if no sample is asked for, or more than there are
    /// positions to draw without replacement.
    #[track_caller]
    pub fn multinomial(&self, num_samples: usize, replacement: bool) -> Tensor {
        let shape = self.shape();
        let (rows, n) = match shape[..] {
            [n] => (1, n),
            [rows, n] => (rows, n),
            _ => fail!(
                "multinomial",
                "weights of shape {shape:?}: they have one axis, or two for several rows of them"
            ),
        };
        if n == 0 || num_samples == 0 || (!replacement && num_samples > n) {
            fail!(
                "multinomial",
                "cannot draw {num_samples} of {n} positions{}",
                if replacement {
                    ""
                } else {
                    " without replacement"
                }
            );
        }
        let weights = movement(&self.detach().cast(DType::Float32), &[rows, n]);
        // One sample leaves nothing to replace.
        let samples = Tensor::no_grad(|| match replacement || num_samples == 1 {
            true => with_replacement(&weights, num_samples),
            false => without_replacement(&weights, num_samples),
        });
        let result = if shape.len() == 1 {
            vec![num_samples]
        } else {
            vec![rows, num_samples]
        };
        movement(&samples.cast(DType::Int32), &result)
    }
}

/// A shape that has a first axis.
#[track_caller]
fn units(op: &str, shape: impl Into<Shape>) -> Vec<usize> {
    let shape = shape.into().sizes(op);
    if shape.is_empty() {
        fail!(op, "shape [] has no axis of units"; "a single weight is Tensor::uniform((), low, high)");
    }
    shape
}

/// √(2 / (1 + a²)) / √inputs
fn kaiming_std(shape: &[usize], a: f64) -> f64 {
    (2.0 / (1.0 + a * a)).sqrt() / fan_in(shape).sqrt()
}

fn movement(x: &Tensor, shape: &[usize]) -> Tensor {
    Tensor::apply(Reshape::new(shape.to_vec()), &[x])
}

/// weights [rows, n] → positions [rows, samples]
fn with_replacement(weights: &Tensor, samples: usize) -> Tensor {
    let [rows, n] = weights.shape()[..] else {
        unreachable!("weights are [rows, n]")
    };
    let sums = Tensor::apply(CumSum::new(1), &[weights]); // [rows, n]
    // The last running sum is the total, to the last bit: so the last share is exactly 1, above every u.
    let total = Tensor::from_lazy(sums.lazydata().shrink(&[(0, rows), (n - 1, n)])); // [rows, 1]
    let shares = movement(&sums.div(&total), &[rows, 1, n]);
    let u = uniform(&[rows, samples, 1]);
    let below = shares.le(&u).cast(DType::Int32); // [rows, samples, n]
    movement(
        &Tensor::apply(Sum::new(vec![2]), &[&below]),
        &[rows, samples],
    )
}

/// weights [rows, n] → different positions [rows, samples]
fn without_replacement(weights: &Tensor, samples: usize) -> Tensor {
    let [rows, n] = weights.shape()[..] else {
        unreachable!("weights are [rows, n]")
    };
    let position = Tensor::apply(Expand::new(vec![rows, n]), &[&Tensor::positions(&[1, n])]);
    let to_the_end = position.neg().add(n);
    // 1 − u, so that the logarithm is finite; at least the smallest float32, so that −∞ is left for "drawn".
    let keys = (1 - uniform(&[rows, n])).log().div(weights);
    let lowest = f64::from(f32::MIN);
    let mut keys = weights.gt(0).where_(keys.maximum(lowest), lowest);
    let slots = Tensor::positions(&[1, samples]);
    let mut drawn = slots.zeros_like();
    for slot in 0..samples {
        let best = Tensor::apply(Max::new(vec![1]), &[&keys]); // [rows, 1]
        // The first of the best: among their distances to the end, the largest.
        let distance = keys.eq(&best).where_(&to_the_end, 0);
        let winner = Tensor::apply(Max::new(vec![1]), &[&distance]).neg().add(n); // [rows, 1]
        drawn = slots.eq(slot).where_(&winner, &drawn); // [rows, samples]
        keys = position.eq(&winner).where_(f64::NEG_INFINITY, &keys);
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_starts_the_stream_anew_and_each_call_takes_the_next() {
        Tensor::manual_seed(7);
        assert_eq!((next_key(), next_key()), ([7, 0], [7, 1]));
        Tensor::manual_seed((1 << 32) + 7);
        assert_eq!(next_key(), [6, 0]);
    }

    #[test]
    fn values_are_fixed_at_the_call() {
        Tensor::manual_seed(1);
        let x = Tensor::rand([4]);
        let _between = Tensor::rand([4]);
        let first = x.to_vec::<f32>();
        Tensor::manual_seed(1);
        assert_eq!(Tensor::rand([4]).to_vec::<f32>(), first);
    }

    #[test]
    fn normal_numbers_have_the_moments_and_tails_of_their_kind() {
        Tensor::manual_seed(0);
        let x: Vec<f64> = Tensor::randn([50_000]).to_vec();
        let moment = |power: i32| x.iter().map(|x| x.powi(power)).sum::<f64>() / x.len() as f64;
        // Standard errors of the first four moments of 50,000 numbers: √(1, 2, 15, 96) / √50,000; five of them are allowed.
        assert!(
            moment(1).abs() < 0.023 && (moment(2) - 1.0).abs() < 0.032,
            "{} {}",
            moment(1),
            moment(2)
        );
        assert!(
            moment(3).abs() < 0.087 && (moment(4) - 3.0).abs() < 0.22,
            "{} {}",
            moment(3),
            moment(4)
        );
        assert!(x.iter().all(|x| x.is_finite()));
    }

    #[test]
    fn whole_numbers_reach_both_ends_and_no_further() {
        Tensor::manual_seed(0);
        let x = Tensor::randint([4000], -2, 3).to_vec::<i32>();
        for value in -2..3 {
            let count = x.iter().filter(|&&x| x == value).count();
            assert!(
                (650..950).contains(&count),
                "{value} came {count} times of 800 expected"
            );
        }
        assert_eq!(x.iter().filter(|&&x| !(-2..3).contains(&x)).count(), 0);
        let wide = Tensor::randint([1000], i32::MIN, i32::MAX).to_vec::<i32>();
        assert!(
            wide.iter().any(|&x| x < -1_000_000_000) && wide.iter().any(|&x| x > 1_000_000_000)
        );
    }

    #[test]
    fn draws_follow_the_weights() {
        Tensor::manual_seed(0);
        let weights = Tensor::from([[1.0, 0.0, 3.0], [5.0, 5.0, 0.0]]);
        let drawn = weights.multinomial(4000, true);
        assert_eq!(drawn.shape(), [2, 4000]);
        let drawn = drawn.to_vec::<i32>();
        let count = |row: usize, value: i32| {
            drawn[row * 4000..][..4000]
                .iter()
                .filter(|&&x| x == value)
                .count()
        };
        assert!((850..1150).contains(&count(0, 0)) && count(0, 1) == 0);
        assert!((1800..2200).contains(&count(1, 0)) && count(1, 2) == 0);
    }

    #[test]
    fn draws_without_replacement_never_repeat_and_start_with_the_likely() {
        Tensor::manual_seed(0);
        let weights = Tensor::from(vec![vec![8.0f32, 1.0, 1.0, 0.0]; 1000]);
        let drawn = weights.multinomial(4, false).to_vec::<i32>();
        let mut first = [0; 4];
        for row in drawn.chunks(4) {
            let mut sorted = row.to_vec();
            sorted.sort();
            assert_eq!(sorted, [0, 1, 2, 3]);
            assert_eq!(row[3], 3, "weight 0 comes last");
            first[row[0] as usize] += 1;
        }
        assert!(
            (740..860).contains(&first[0]),
            "{first:?}: 800 were expected"
        );
    }
}
