//! Randomness.

/// Cryptographically secure random number generator. Tests supply their own.
pub trait Randomness: Send + Sync {
    /// Fills `bytes` with random values.
    fn fill(&self, bytes: &mut [u8]);
}
