//! # numbers: inputs that every program of this bench can make for itself
//!
//! **In:** a seed. **Out:** numbers that look random. `peers/` has the same few lines in its languages, so that all programs compute
//! with the same inputs and must come to the same results.
//!
//! The i-th number is a hash of seed and position: a product with an odd constant spreads neighbours over 32 bits, and Chris Wellons'
//! `lowbias32` mixes them (<https://nullprogram.com/blog/2018/07/31/>).

/// 32 mixed bits for position `i`.
fn bits(seed: u32, i: u32) -> u32 {
    let mut h = (i.wrapping_add(1))
        .wrapping_mul(0x9E37_79B1)
        .wrapping_add(seed.wrapping_mul(0x85EB_CA77));
    h ^= h >> 16;
    h = h.wrapping_mul(0x7FEB_352D);
    h ^= h >> 15;
    h = h.wrapping_mul(0x846C_A68B);
    h ^ (h >> 16)
}

/// `n` floats in −1..1 times `scale`: 24 bits each, so that every program rounds them the same.
pub fn floats(seed: u32, n: usize, scale: f32) -> Vec<f32> {
    (0..n as u32)
        .map(|i| ((bits(seed, i) >> 8) as f32 / 8_388_608.0 - 1.0) * scale)
        .collect()
}

/// `n` integers in 0..below.
pub fn integers(seed: u32, n: usize, below: u32) -> Vec<i32> {
    (0..n as u32)
        .map(|i| ((bits(seed, i) >> 8) % below) as i32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_fill_their_range_evenly() {
        let values = floats(3, 100_000, 1.0);
        let mean = values.iter().sum::<f32>() / 100_000.0;
        let square = values.iter().map(|x| x * x).sum::<f32>() / 100_000.0;
        assert!(values.iter().all(|x| (-1.0..1.0).contains(x)));
        assert!(
            mean.abs() < 0.01 && (square - 1.0 / 3.0).abs() < 0.01,
            "{mean} {square}"
        );
        assert_ne!(floats(4, 10, 1.0), values[..10]);
    }

    #[test]
    fn integers_reach_all_values() {
        let mut counts = [0; 10];
        for i in integers(1, 10_000, 10) {
            counts[i as usize] += 1;
        }
        assert!(
            counts.iter().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }
}
