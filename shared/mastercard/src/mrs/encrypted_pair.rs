use std::fmt;

use thiserror::Error;

/// Longest member of a pair. A key wrapped with 4096-bit RSA has 684 characters.
const MAX_CHARS: usize = 4096;

/// Card number, encrypted for Mastercard by the customer's browser and passed on unchanged (`docs/sources.md#widget`,
/// "PAN encryption process").
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedPair {
    key: String,
    data: String,
}

/// Reason for which two texts are not an encrypted pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidEncryptedPair {
    /// A member is empty, too long, or has characters that neither base64 nor hexadecimal has.
    #[error("a member of the pair is not base64")]
    NotEncoded,
    /// A member has digits only: it could be a card number in the clear.
    #[error("a member of the pair could be a number in clear")]
    Clear,
}

impl EncryptedPair {
    /// Checks the members `key` and `data`.
    pub fn new(key: impl Into<String>, data: impl Into<String>) -> Result<Self, InvalidEncryptedPair> {
        let pair = Self {
            key: key.into(),
            data: data.into(),
        };
        for member in [&pair.key, &pair.data] {
            if member.is_empty() || member.len() > MAX_CHARS || !member.bytes().all(is_encoding) {
                return Err(InvalidEncryptedPair::NotEncoded);
            }
            if member.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(InvalidEncryptedPair::Clear);
            }
        }
        Ok(pair)
    }

    /// Returns the text of the element. Neither member has characters that JSON would escape.
    pub(super) fn to_json(&self) -> String {
        format!(r#"{{"key":"{}","data":"{}"}}"#, self.key, self.data)
    }
}

impl fmt::Debug for EncryptedPair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EncryptedPair(..)")
    }
}

fn is_encoding(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pair_is_passed_on_unchanged() {
        let pair = EncryptedPair::new("S2V5+/==", "RGF0YQ==").unwrap();
        assert_eq!(pair.to_json(), r#"{"key":"S2V5+/==","data":"RGF0YQ=="}"#);
    }

    #[test]
    fn card_number_in_clear_is_refused_and_not_shown() {
        assert_eq!(
            EncryptedPair::new("S2V5", "5234001234567890"),
            Err(InvalidEncryptedPair::Clear)
        );
        assert_eq!(
            EncryptedPair::new("S2V5", "5234 0012 3456 7890"),
            Err(InvalidEncryptedPair::NotEncoded)
        );
        assert_eq!(
            EncryptedPair::new("", "RGF0YQ=="),
            Err(InvalidEncryptedPair::NotEncoded)
        );
        assert_eq!(
            EncryptedPair::new("S2V5\"", "RGF0YQ=="),
            Err(InvalidEncryptedPair::NotEncoded)
        );
    }
}
