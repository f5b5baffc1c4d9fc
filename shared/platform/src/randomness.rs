use enrollment::randomness::Randomness;

/// Generator of aws-lc, seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        // Nothing is safe without randomness, and no caller could do better than stop.
        assert!(
            aws_lc_rs::rand::fill(bytes).is_ok(),
            "the system has no randomness to give"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_filled_and_differ() {
        let draw = || {
            let mut bytes = [0_u8; 32];
            SystemRandomness.fill(&mut bytes);
            bytes
        };
        assert_ne!(draw(), [0; 32]);
        assert_ne!(draw(), draw());
    }
}
