//! Chance that can be repeated.

use std::sync::Mutex;

/// A generator that gives the same for the same seed: xorshift64* (G. Marsaglia 2003, S. Vigna 2016). Who draws from it
/// at the same time as others gets the next draw, so that only the draws are repeated, not who gets them.
#[derive(Debug)]
pub(crate) struct Chance(Mutex<u64>);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        // Zero stays zero.
        Self(Mutex::new(seed ^ 0x9e37_79b9_7f4a_7c15 | 1))
    }

    /// Happens so many times out of a million.
    pub(crate) fn happens(&self, in_a_million: u32) -> bool {
        self.next() % 1_000_000 < u64::from(in_a_million)
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().expect("nobody panics with it");
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        // The lowest bits are the weakest.
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_their_frequency_and_repeat_for_a_seed() {
        let draws = |seed, in_a_million| {
            let chance = Chance::new(seed);
            (0..100_000)
                .map(|_| chance.happens(in_a_million))
                .collect::<Vec<_>>()
        };
        let count = |seed, in_a_million| draws(seed, in_a_million).iter().filter(|it| **it).count();
        for seed in [0, 1, 7] {
            assert_eq!(count(seed, 0), 0);
            assert_eq!(count(seed, 1_000_000), 100_000);
            assert!(
                (4700..5300).contains(&count(seed, 50_000)),
                "{}",
                count(seed, 50_000)
            );
        }
        assert_eq!(draws(7, 50_000), draws(7, 50_000));
        assert_ne!(draws(7, 50_000), draws(8, 50_000));
    }
}
