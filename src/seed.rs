//! Randomness as a value: the edges draw it once, the core spends it and can be replayed.

use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};

/// A stream of random values that nobody outside can guess.
#[derive(Debug)]
pub struct Seed(StdRng);

impl Seed {
    /// Draws from the operating system. Only edges and `main` call this.
    pub fn fresh() -> Self {
        Self(StdRng::from_os_rng())
    }

    /// The same stream each time, for tests and replays.
    pub fn fixed(number: u64) -> Self {
        Self(StdRng::seed_from_u64(number))
    }

    /// Splits off an independent stream, for a part that lives on its own.
    pub fn split(&mut self) -> Self {
        Self(StdRng::from_rng(&mut self.0))
    }

    /// 26 characters `a-z2-7`, 128 bits: for identifiers that must neither repeat nor be guessed.
    pub fn token(&mut self) -> String {
        let mut bits = (u128::from(self.0.next_u64()) << 64) | u128::from(self.0.next_u64());
        (0..26)
            .map(|_| {
                let letter = ALPHABET[(bits & 31) as usize];
                bits >>= 5;
                char::from(letter)
            })
            .collect()
    }

    /// 24 octets that never come again.
    pub fn nonce(&mut self) -> [u8; 24] {
        let mut nonce = [0; 24];
        self.0.fill_bytes(&mut nonce);
        nonce
    }

    /// Octets that nobody can guess.
    pub fn secret<const OCTETS: usize>(&mut self) -> [u8; OCTETS] {
        let mut secret = [0; OCTETS];
        self.0.fill_bytes(&mut secret);
        secret
    }

    /// A number below `bound`, each as likely as the other. `bound` of 0 counts as 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.random_range(0..bound.max(1))
    }
}

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_spends_the_same_values_and_another_does_not() {
        let (mut one, mut same, mut other) = (Seed::fixed(1), Seed::fixed(1), Seed::fixed(2));
        let token = one.token();
        assert_eq!(token, same.token());
        assert_ne!(token, other.token());
        assert_eq!(token.len(), 26);
    }
}
