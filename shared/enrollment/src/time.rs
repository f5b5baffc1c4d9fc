//! Times, without an end to run over.

use jiff::{SignedDuration, Timestamp};

/// `time` and `by`, or the end of time.
pub fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}
