//! What data keys are called.

use std::fmt;

use enrollment::identifiers::ClientId;
use jiff::Timestamp;
use jiff::tz::Offset;

/// What a data key is for. Part of KMS's encryption context: a key of one purpose does not unwrap as another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// What sessions hold.
    Session,
    /// Intents and cards.
    Enrollment,
    /// Confirmations that wait to be sent.
    Confirmation,
    /// Look-up by value.
    BlindIndex,
}

impl Purpose {
    /// As it stands in key names and in the encryption context.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Enrollment => "enrollment",
            Self::Confirmation => "confirmation",
            Self::BlindIndex => "blind-index",
        }
    }
}

/// Which of a purpose's keys: `2026-11` for sealing, `v1` for the blind index. At most [`Period::MAX_LENGTH`] letters,
/// digits and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Period(String);

impl Period {
    /// The longest name that a sealed value may carry.
    pub const MAX_LENGTH: usize = 16;

    /// The month of `now`, in UTC.
    pub fn month_of(now: Timestamp) -> Self {
        let date = Offset::UTC.to_datetime(now).date();
        Self(format!("{:04}-{:02}", date.year(), date.month()))
    }

    /// The version of blind indexes. A new version would need every index to be made anew: it is no date.
    pub fn blind_index() -> Self {
        Self("v1".to_owned())
    }

    /// One read from a sealed value.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        let shaped = (1..=Self::MAX_LENGTH).contains(&text.len()) && text.iter().all(allowed);
        shaped.then(|| Self(String::from_utf8_lossy(text).into_owned()))
    }

    /// As it stands in key names.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The full name of a data key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyName {
    /// Whose data it seals.
    pub client: ClientId,
    /// What it is for.
    pub purpose: Purpose,
    /// Which one.
    pub period: Period,
}

impl KeyName {
    /// Names a key.
    pub fn new(client: &ClientId, purpose: Purpose, period: Period) -> Self {
        Self {
            client: client.clone(),
            purpose,
            period,
        }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}#{}#{}",
            self.client,
            self.purpose.as_str(),
            self.period.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_the_month_in_utc() {
        let month = |text: &str| Period::month_of(text.parse().unwrap()).as_str().to_owned();
        assert_eq!(month("2026-11-30T23:59:59Z"), "2026-11");
        assert_eq!(month("2026-12-01T00:30:00+01:00"), "2026-11");
        assert_eq!(month("2027-01-01T00:00:00Z"), "2027-01");
    }

    #[test]
    fn a_period_from_outside_is_short_and_plain() {
        assert_eq!(Period::parse(b"2026-11").unwrap().as_str(), "2026-11");
        for refused in [&b""[..], b"2026#11", b"a\0", b"12345678901234567", "é".as_bytes()] {
            assert_eq!(Period::parse(refused), None);
        }
    }
}
