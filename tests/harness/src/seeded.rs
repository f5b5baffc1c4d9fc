//! Randomness that a seed repeats.

use std::sync::atomic::{AtomicU64, Ordering};

use enrollment::randomness::Randomness;

/// splitmix64.
pub struct Seeded(AtomicU64);

impl Seeded {
    /// A generator that repeats the numbers of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// A number below `end`, which is not 0.
    pub fn below(&self, end: usize) -> usize {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        let number = u32::from_le_bytes(bytes) as usize;
        number % end
    }
}

impl Randomness for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = z.to_le_bytes()[3];
        }
    }
}
