//! # shape/fingerprint: equal structures have equal numbers
//!
//! **In:** words that describe something. **Out:** 128 bits which stand for them: two descriptions with the same ones by accident are not
//! met in the life of the universe. **Above:** `path` (movements) and `schedule` (whole graphs, once for each training step, which is
//! why it has to be quick: two multiplications a word).
//!
//! Each half takes a word by a folded multiplication, x ← hi(p) ⊕ lo(p) of the 128-bit product p = (x ⊕ word) · k: every bit of the word
//! moves about half of all bits. (Wang Yi, *wyhash*, 2019.) The halves differ in k and in how the word comes in, so that
//! what collides in one does not in the other. Nobody gains from a collision that he makes on purpose, hence nothing here is secret.
//!
//! ```
//! use teenygrad::shape::fingerprint::Fingerprint;
//! use std::hash::Hash;
//! let of = |what: &[usize]| {
//!     let mut fingerprint = Fingerprint::default();
//!     what.hash(&mut fingerprint);
//!     fingerprint.bits()
//! };
//! assert_eq!(of(&[2, 3]), of(&[2, 3]));
//! assert_ne!(of(&[2, 3]), of(&[3, 2]));
//! ```

use std::hash::Hasher;

/// Numbers without a pattern: the first digits of √2, √3 and √5 after the point, in binary, the last one made odd.
const ROOT_2: u64 = 0x6A09_E667_F3BC_C909;
const ROOT_3: u64 = 0xBB67_AE85_84CA_A73B;
const ROOT_5: u64 = 0x3C6E_F372_FE94_F82B;

/// Takes words (as a [`Hasher`], so that `#[derive(Hash)]` types can be described), and gives 128 bits.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    low: u64,
    high: u64,
}

impl Default for Fingerprint {
    fn default() -> Fingerprint {
        Fingerprint {
            low: ROOT_5,
            high: ROOT_2,
        }
    }
}

fn fold(x: u64, k: u64) -> u64 {
    let product = u128::from(x) * u128::from(k);
    (product >> 64) as u64 ^ product as u64
}

impl Fingerprint {
    /// What stands for all words so far.
    pub fn bits(&self) -> u128 {
        u128::from(fold(self.high, ROOT_3)) << 64 | u128::from(fold(self.low, ROOT_2))
    }
}

impl Hasher for Fingerprint {
    fn write_u64(&mut self, word: u64) {
        self.low = fold(self.low ^ word, ROOT_2);
        self.high = fold(self.high.wrapping_add(word).rotate_left(29), ROOT_3);
    }
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }
    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }
    fn write_u32(&mut self, word: u32) {
        self.write_u64(u64::from(word));
    }
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.write_u64(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.write_u64(u64::from_le_bytes(last));
            self.write_u64(rest.len() as u64);
        }
    }
    fn finish(&self) -> u64 {
        self.bits() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn of(words: &[u64]) -> u128 {
        let mut fingerprint = Fingerprint::default();
        words.iter().for_each(|&word| fingerprint.write_u64(word));
        fingerprint.bits()
    }

    #[test]
    fn small_words_in_any_order_and_number_are_told_apart() {
        let mut seen = HashSet::new();
        let mut count = 0;
        for length in 0..6u32 {
            for code in 0..6u64.pow(length) {
                let words: Vec<u64> = (0..length).map(|i| code / 6u64.pow(i) % 6).collect();
                let bits = of(&words);
                count += 2;
                seen.insert(bits as u64); // each half for itself
                seen.insert((bits >> 64) as u64);
            }
        }
        assert_eq!(seen.len(), count);
    }

    #[test]
    fn one_bit_of_a_word_moves_about_half_of_all() {
        for bit in 0..64 {
            for place in 0..3 {
                let mut words = [7, 1 << 40, 9];
                let before = of(&words);
                words[place] ^= 1 << bit;
                let moved = (before ^ of(&words)).count_ones();
                assert!((32..96).contains(&moved), "bit {bit}: {moved}");
            }
        }
    }
}
