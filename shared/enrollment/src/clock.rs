//! The clock.

use jiff::Timestamp;

/// Current time. Tests supply their own.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}
