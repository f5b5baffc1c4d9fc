//! Ids of a batch, and the client's own ids in it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::digits;
use crate::identifiers::{ClientId, Malformed};

/// Longest external id, in characters.
const MAX_LENGTH: usize = 64;

/// Id of a batch. The same client and [`ExternalBatchId`] give the same id, so a repeat finds the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BatchId([u8; 16]);

impl BatchId {
    /// First half of a SHA-256 over client and external id.
    pub fn derive(client: &ClientId, external: &ExternalBatchId) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"batch");
        // Neither id contains a zero byte.
        hash.update(client.as_str());
        hash.update([0]);
        hash.update(external.as_str());
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        Self(id)
    }

    /// Returns the text of the id: 32 lower-case hexadecimal digits.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Parses 32 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`Malformed`] where it is anything else.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        const MALFORMED: Malformed = Malformed::new("batch id", "must be 32 lower-case hexadecimal digits");
        let mut id = [0; 16];
        hex::decode_to_slice(text, &mut id).map_err(|_| MALFORMED)?;
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(MALFORMED);
        }
        Ok(Self(id))
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_hex())
    }
}

/// SHA-256 of a request's raw body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BodyHash([u8; 32]);

impl BodyHash {
    /// Computes the hash of a body.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    /// Parses base64, which is 44 characters with its padding.
    ///
    /// # Errors
    /// [`Malformed`] where it is anything else.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let bytes = STANDARD.decode(text).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(Malformed::new("body hash", "must be the base64 of a SHA-256"))
    }

    /// Returns the stored form, hexadecimal.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Reads a hash back from storage.
    ///
    /// # Errors
    /// [`Malformed`] where it is anything but 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Result<Self, Malformed> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| Malformed::new("body hash", "must be 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

/// The rule of all external ids: 1 to 64 of `[A-Za-z0-9._-]`, no path segment of its own meaning, no card number.
fn check(kind: &'static str, text: &str) -> Result<String, Malformed> {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if !(1..=MAX_LENGTH).contains(&text.len()) || !text.bytes().all(is_allowed) {
        return Err(Malformed::new(
            kind,
            "must be 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'",
        ));
    }
    // An address with such a segment is another address (RFC 3986 §5.2.4).
    if matches!(text, "." | "..") {
        return Err(Malformed::new(kind, "must not be '.' or '..'"));
    }
    if digits::has_card_number(text) {
        return Err(Malformed::new(kind, "must not contain a card number"));
    }
    Ok(text.to_owned())
}

macro_rules! external_ids {
    ($($(#[$doc:meta])* $name:ident, $kind:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses 1 to 64 of `[A-Za-z0-9._-]`, neither `.` nor `..`, without a card number
            /// ([`has_card_number`](crate::digits::has_card_number)).
            ///
            /// # Errors
            /// [`Malformed`] with the rule. It never contains the text.
            pub fn parse(text: &str) -> Result<Self, Malformed> {
                check($kind, text).map(Self)
            }

            /// Returns the id as the client writes it. It is the client's data: never log it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl TryFrom<String> for $name {
            type Error = Malformed;
            fn try_from(text: String) -> Result<Self, Malformed> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    )+};
}

external_ids! {
    /// Client's own id of a batch, unique for each client.
    ExternalBatchId, "externalBatchId";
    /// Client's own id of a card, unique in a batch.
    ExternalCardId, "externalCardId";
    /// Client's own id of a consumer, unique in a batch. Personal data: it is sealed wherever it is stored.
    ExternalConsumerId, "externalConsumerId";
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn external_ids_have_their_form() {
        for text in ["a", "A.b_c-9", &"x".repeat(64), "...", "0", "5234000000000107"] {
            assert_eq!(ExternalCardId::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            &"x".repeat(65),
            "a b",
            "a/b",
            "ä",
            ".",
            "..",
            "a\n",
            "5234000000000106",
        ] {
            let refused = ExternalCardId::parse(text).unwrap_err().to_string();
            assert!(text.len() < 4 || !refused.contains(text), "{refused}");
        }
    }

    #[test]
    fn consumer_is_not_printed_by_debug() {
        let consumer = ExternalConsumerId::parse("maria-7").unwrap();
        assert_eq!(format!("{consumer:?}"), "ExternalConsumerId(…)");
    }

    #[test]
    fn client_and_external_id_determine_the_batch() {
        let id = |client: &str, external: &str| {
            let external = ExternalBatchId::parse(external).unwrap();
            BatchId::derive(&ClientId::parse(client).unwrap(), &external)
        };
        assert_eq!(id("bank", "1"), id("bank", "1"));
        assert_ne!(id("bank", "1"), id("bank", "2"));
        assert_ne!(id("bank", "1"), id("ban", "k1"), "the ids do not run together");
        let text = id("bank", "1").to_hex();
        assert_eq!(BatchId::parse(&text).unwrap(), id("bank", "1"));
        for other in [text.to_uppercase().as_str(), &text[1..], "", "0g"] {
            assert!(BatchId::parse(other).is_err(), "{other}");
        }
    }

    #[test]
    fn body_hash_is_read_from_both_forms() {
        let hash = BodyHash::of(b"");
        // SHA-256 of nothing, as `openssl dgst -sha256 -binary /dev/null | base64` gives it.
        assert_eq!(
            BodyHash::parse("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
            Ok(hash)
        );
        assert_eq!(BodyHash::from_hex(&hash.to_hex()), Ok(hash));
        assert!(BodyHash::parse("47DEQpj8HBSa").is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_keeps_the_text(text in "\\PC{0,70}") {
            if let Ok(id) = ExternalConsumerId::parse(&text) { prop_assert_eq!(id.as_str(), &text); }
            if let Ok(id) = BatchId::parse(&text) { prop_assert_eq!(id.to_hex(), text); }
        }
    }
}
