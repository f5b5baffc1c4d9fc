//! Names of data keys.

use std::fmt;

use enrollment::identifiers::ClientId;
use jiff::Timestamp;
use jiff::tz::Offset;

/// Purpose of a data key. It is part of KMS's encryption context: a key of one purpose does not unwrap as one of
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Attributes of sessions.
    Session,
    /// Attributes of intents and cards.
    Enrollment,
    /// Confirmations that are not delivered yet.
    Confirmation,
    /// Blind indexes.
    BlindIndex,
    /// Manifests and results of batches.
    Batch,
    /// Digital cards.
    DigitalCard,
}

impl Purpose {
    /// Text in key names and in the encryption context.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Enrollment => "enrollment",
            Self::Confirmation => "confirmation",
            Self::BlindIndex => "blind-index",
            Self::Batch => "batch",
            Self::DigitalCard => "digital-card",
        }
    }
}

/// Period of a data key: `2026-11` for sealing, `v1` for blind indexes. At most [`Period::MAX_LENGTH`] letters, digits
/// and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Period(String);

impl Period {
    /// Length of the longest period that a sealed value may have.
    pub const MAX_LENGTH: usize = 16;

    /// Month of `now`, in UTC.
    pub fn month_of(now: Timestamp) -> Self {
        let date = Offset::UTC.to_datetime(now).date();
        Self(format!("{:04}-{:02}", date.year(), date.month()))
    }

    /// Version of blind indexes. It is not a date: with a new version every index would have to be made again.
    pub fn blind_index() -> Self {
        Self("v1".to_owned())
    }

    /// Period read from a sealed value.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        let shaped = (1..=Self::MAX_LENGTH).contains(&text.len()) && text.iter().all(allowed);
        shaped.then(|| Self(String::from_utf8_lossy(text).into_owned()))
    }

    /// Text in key names.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Full name of a data key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyName {
    /// Client whose data the key seals.
    pub client: ClientId,
    /// Purpose of the key.
    pub purpose: Purpose,
    /// Period of the key.
    pub period: Period,
}

impl KeyName {
    /// Name of a client's key.
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
    fn period_is_the_month_in_utc() {
        let month = |text: &str| Period::month_of(text.parse().unwrap()).as_str().to_owned();
        assert_eq!(month("2026-11-30T23:59:59Z"), "2026-11");
        assert_eq!(month("2026-12-01T00:30:00+01:00"), "2026-11");
        assert_eq!(month("2027-01-01T00:00:00Z"), "2027-01");
    }

    #[test]
    fn stored_period_is_short_and_plain() {
        assert_eq!(Period::parse(b"2026-11").unwrap().as_str(), "2026-11");
        for refused in [&b""[..], b"2026#11", b"a\0", b"12345678901234567", "é".as_bytes()] {
            assert_eq!(Period::parse(refused), None);
        }
    }
}
