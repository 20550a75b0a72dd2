//! # device/random: random numbers that are a function of key and position
//!
//! **In:** a key of two words, a position. **Out:** 32 random bits. No state: any element of any tensor can be made on its own, in any
//! order, on any number of threads and any device, and is always the same.
//!
//! The generator is Threefry-2x32 with 20 rounds, from Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3"
//! (SC 2011): a block cipher simplified until it is just good enough to pass every statistical test. It is checked against the
//! vectors that its authors publish.

/// How far each round rotates, in two groups of four.
const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];

/// The cipher: two words of counter under two words of key.
///
/// Each round adds the words and mixes the second by a rotation and an exclusive or; after every fourth round the key is added,
/// rotated through three words (the third is the parity of the others, so that no key is all zeros).
/// ```
/// use teenygrad::device::random::threefry;
/// assert_eq!(threefry([0, 0], [0, 0]), [0x6b200159, 0x99ba4efe]);
/// ```
#[inline(always)]
pub fn threefry(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let keys = [key[0], key[1], key[0] ^ key[1] ^ 0x1BD1_1BDA];
    let mut x = [
        counter[0].wrapping_add(keys[0]),
        counter[1].wrapping_add(keys[1]),
    ];
    for group in 0..5 {
        for rotation in ROTATIONS[group % 2] {
            x[0] = x[0].wrapping_add(x[1]);
            x[1] = x[1].rotate_left(rotation) ^ x[0];
        }
        x[0] = x[0].wrapping_add(keys[(group + 1) % 3]);
        x[1] = x[1]
            .wrapping_add(keys[(group + 2) % 3])
            .wrapping_add(group as u32 + 1);
    }
    x
}

/// The uniform number in [0, 1) at a position: the upper 24 bits, as many as a float32 has, times 2⁻²⁴. One block of the cipher serves
/// two neighbouring positions.
#[inline(always)]
pub fn uniform(key: [u32; 2], position: u64) -> f32 {
    let block = position >> 1;
    let words = threefry(key, [block as u32, (block >> 32) as u32]);
    (words[(position & 1) as usize] >> 8) as f32 * (1.0 / (1 << 24) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known-answer tests that come with the authors' library Random123, for threefry2x32 with 20 rounds.
    #[test]
    fn published_vectors() {
        assert_eq!(threefry([0, 0], [0, 0]), [0x6b20_0159, 0x99ba_4efe]);
        assert_eq!(
            threefry([u32::MAX; 2], [u32::MAX; 2]),
            [0x1cb9_96fc, 0xbb00_2be7]
        );
        assert_eq!(
            threefry([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3]),
            [0xc492_3a9c, 0x483d_f7a0]
        );
    }

    #[test]
    fn uniform_numbers_are_uniform() {
        let n = 100_000u64;
        let numbers: Vec<f64> = (0..n).map(|i| uniform([42, 7], i) as f64).collect();
        assert!(numbers.iter().all(|&x| (0.0..1.0).contains(&x)));
        let mean = numbers.iter().sum::<f64>() / n as f64;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        assert!(
            (mean - 0.5).abs() < 0.004 && (variance - 1.0 / 12.0).abs() < 0.001,
            "{mean} {variance}"
        );
    }
}
