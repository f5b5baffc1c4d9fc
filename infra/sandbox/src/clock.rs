//! The time of day, as something that a test can set.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use rustls::pki_types::UnixTime;

/// Tells the time. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self(Arc::new(since_epoch))
    }

    /// A clock that stands still, `seconds` after the epoch.
    pub fn standing_at(seconds: u64) -> Self {
        Self(Arc::new(move || Duration::from_secs(seconds)))
    }

    /// Whole seconds since the epoch: the form of `iat` and `exp`.
    pub fn seconds(&self) -> u64 {
        (self.0)().as_secs()
    }

    /// The form that rustls asks for when it judges a certificate's validity.
    pub(crate) fn unix_time(&self) -> UnixTime {
        UnixTime::since_unix_epoch((self.0)())
    }

    /// Year and month in UTC: the form of an expiry date.
    pub(crate) fn month(&self) -> (u32, u32) {
        let date = self.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date();
        let number = |value: i16| u32::try_from(value).unwrap_or_default();
        (number(date.year()), number(date.month().into()))
    }

    /// RFC 3339 in UTC, to the millisecond.
    pub(crate) fn rfc3339(&self) -> String {
        self.timestamp().to_string()
    }

    fn timestamp(&self) -> Timestamp {
        let millis = i64::try_from((self.0)().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this program that asks the machine for the time"
)]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_utc() {
        let clock = Clock::standing_at(1_516_239_022);
        assert_eq!(clock.rfc3339(), "2018-01-18T01:30:22Z");
        assert_eq!(clock.seconds(), 1_516_239_022);
    }
}
