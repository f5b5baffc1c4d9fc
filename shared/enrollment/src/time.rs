//! Arithmetic of times that saturates instead of overflowing.

use jiff::{SignedDuration, Timestamp};

/// Returns `time + by`, or the latest time that can be represented.
pub fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}
