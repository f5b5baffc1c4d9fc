//! The identifiers of the domain. Each has one checked constructor; a value that exists is a valid one.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::randomness::Randomness;

/// Text that is not a valid identifier. Contains the kind and the rule, never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {rule}")]
pub struct Malformed {
    kind: &'static str,
    rule: &'static str,
}

impl Malformed {
    pub(crate) const fn new(kind: &'static str, rule: &'static str) -> Self {
        Self { kind, rule }
    }
}

/// The partner: claim `iss` of its tokens (`docs/sources.md#widget`, "Partner ID (Client ID)").
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(String);

impl ClientId {
    /// 1 to 64 letters, digits, `-`, `_` and `.`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "client id",
                "must be 1 to 64 letters, digits, '-', '_' or '.'",
            ))
        }
    }

    /// The id as the partner writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A client's short name in its addresses: `/widget/{slug}/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slug(String);

impl Slug {
    /// 1 to 40 lower-case letters, digits and inner `-`; not one of the widget's own paths (`api`, `assets`, `csp-report`, `embed`).
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let shaped = (1..=40).contains(&text.len())
            && text.bytes().all(allowed)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if shaped && !matches!(text, "api" | "assets" | "csp-report" | "embed") {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "slug",
                "must be 1 to 40 lower-case letters, digits or inner '-', and not 'api', 'assets', 'csp-report' or 'embed'",
            ))
        }
    }

    /// The slug as it stands in addresses.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Mastercard's id of a program (`docs/sources.md#widget`, "Program ID").
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProgramId(String);

impl ProgramId {
    /// 1 to 40 printable ASCII characters without a space (MRS takes 18, its REST successor 40).
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "program id",
                "must be 1 to 40 printable ASCII characters without a space",
            ))
        }
    }

    /// The id as Mastercard writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The partner's id of the cardholder: claim `sub`, returned as `parentId`. Personal data.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CustomerId(String);

impl CustomerId {
    /// 1 to 256 characters, none of them a control character.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let length = text.chars().count();
        if (1..=256).contains(&length) && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "customer id",
                "must be 1 to 256 characters without control characters",
            ))
        }
    }

    /// Returns the id itself. It is personal data: seal it, never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// MRS's id of an enrolled card (`referenceId`, "Account Ref ID or RANAC"). Personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Ranac(String);

impl Ranac {
    /// 1 to 64 printable ASCII characters without a space (the widget document shows 20 digits, the WSDL says 30
    /// characters): what MRS gave must be kept, or it can't be cancelled.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "RANAC",
                "must be 1 to 64 printable ASCII characters",
            ))
        }
    }

    /// Returns the RANAC itself. It is personal data: seal it, never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// `BANK_CUSTOMER_NUMBER` of MRS: at most 30 characters, and MRS refuses a second use (-50).
#[derive(Clone, PartialEq, Eq)]
pub struct BankCustomerNumber(String);

impl BankCustomerNumber {
    /// Longest number that MRS accepts, in characters.
    pub const MAX_LENGTH: usize = 30;

    /// 1 to 30 printable ASCII characters without a space.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "bank customer number",
                "must be 1 to 30 printable ASCII characters",
            ))
        }
    }

    /// Generates a number of 30 characters for one intent, too random to be guessed (149 bits).
    pub fn random(randomness: &dyn Randomness) -> Self {
        Self(letters_and_digits(randomness, Self::MAX_LENGTH))
    }

    /// Returns the number itself. It is personal data: seal it, never log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// First six digits of a card number, as the browser sends them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bin([u8; 6]);

impl Bin {
    /// Exactly six digits.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        digits(text)
            .map(Self)
            .ok_or(Malformed::new("bin", "must be exactly six digits"))
    }

    /// The six digits.
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

/// Last four digits of a card number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Last4([u8; 4]);

impl Last4 {
    /// Exactly four digits.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        digits(text)
            .map(Self)
            .ok_or(Malformed::new("last4", "must be exactly four digits"))
    }

    /// The four digits.
    pub fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

/// Id that connects a message on the screen with the log: shown to the customer, who gives it to support. Not secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(String);

impl IncidentId {
    /// Generates twelve characters in three groups, without letters that are mistaken for digits.
    pub fn random(randomness: &dyn Randomness) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut bytes = [0_u8; 12];
        randomness.fill(&mut bytes);
        let mut text = String::with_capacity(14);
        for (index, byte) in bytes.iter().enumerate() {
            if index > 0 && index % 4 == 0 {
                text.push('-');
            }
            text.push(char::from(ALPHABET[usize::from(byte % 32)]));
        }
        Self(text)
    }

    /// Reads an id as a person types it, in upper or lower case.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let text = text.trim().to_ascii_uppercase();
        let groups: Vec<&str> = text.split('-').collect();
        let is_group =
            |group: &&str| group.len() == 4 && group.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if groups.len() == 3 && groups.iter().all(is_group) {
            Ok(Self(text))
        } else {
            Err(Malformed::new(
                "incident id",
                "must be three groups of four letters and digits with '-' between them",
            ))
        }
    }

    /// Reads an id back from storage.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// Returns the id as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Bearer token of a session in the browser: a random 256-bit value. Only its SHA-256 is stored.
#[derive(Clone)]
pub struct SessionToken(SecretString);

impl SessionToken {
    /// Generates the token of a new session.
    pub fn random(randomness: &dyn Randomness) -> Self {
        let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
        randomness.fill(&mut *bytes);
        Self(URL_SAFE_NO_PAD.encode(*bytes).into())
    }

    /// 43 characters of base64url, canonical.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.into())),
            _ => Err(Malformed::new("session", "must be 43 characters of base64url")),
        }
    }

    /// Returns the token itself, for the address that the browser is redirected to.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns the id that the session is stored under.
    pub fn id(&self) -> SessionId {
        SessionId(Sha256::digest(self.expose().as_bytes()).into())
    }
}

/// SHA-256 of a [`SessionToken`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 32]);

impl SessionId {
    /// Returns the stored form.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Reads an id back from storage.
    pub fn from_hex(text: &str) -> Result<Self, Malformed> {
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| Malformed::new("session id", "must be 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

/// The page's id of one attempt: the `Idempotency-Key` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// 16 to 64 printable ASCII characters without a space.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if (16..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "Idempotency-Key",
                "must be 16 to 64 printable ASCII characters without a space",
            ))
        }
    }
}

/// Id of an intent. The same session and [`IdempotencyKey`] give the same intent, so a repeat finds the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IntentId([u8; 32]);

impl IntentId {
    /// SHA-256 over the session's stored id and the key.
    pub fn derive(session: SessionId, key: &IdempotencyKey) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"intent");
        hash.update(session.0);
        hash.update(key.0.as_bytes());
        Self(hash.finalize().into())
    }

    /// Returns the stored form.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }

    /// Reads an id back from storage.
    pub fn from_hex(text: &str) -> Result<Self, Malformed> {
        let mut bytes = [0_u8; 32];
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| Malformed::new("intent id", "must be 64 hexadecimal digits"))?;
        Ok(Self(bytes))
    }
}

/// Text of letters and digits with no bias: a byte outside the largest multiple of 62 is drawn again.
fn letters_and_digits(randomness: &dyn Randomness, length: usize) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0_u8; 32];
        randomness.fill(&mut bytes);
        let drawn = bytes
            .iter()
            .filter(|byte| **byte < 248)
            .map(|byte| char::from(ALPHABET[usize::from(byte % 62)]));
        text.extend(drawn.take(length - text.len()));
    }
    text
}

fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let bytes: [u8; N] = text.as_bytes().try_into().ok()?;
    bytes.iter().all(u8::is_ascii_digit).then_some(bytes)
}

/// The bytes were checked to be ASCII digits by the constructor.
fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Connects the stored or configured form, a string, with the checked constructor.
macro_rules! as_checked_string {
    ($($kind:ty),+) => {$(
        impl TryFrom<String> for $kind {
            type Error = Malformed;
            fn try_from(text: String) -> Result<Self, Malformed> {
                Self::parse(&text)
            }
        }
        impl From<$kind> for String {
            fn from(value: $kind) -> String {
                value.0
            }
        }
        impl fmt::Display for $kind {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )+};
}

/// Makes `Debug` of personal data and secrets print the type's name alone.
macro_rules! opaque_debug {
    ($($kind:ident),+) => {$(
        impl fmt::Debug for $kind {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($kind), "(…)"))
            }
        }
    )+};
}

as_checked_string!(ClientId, Slug, ProgramId);
opaque_debug!(CustomerId, Ranac, BankCustomerNumber, SessionToken);

impl fmt::Display for IncidentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::Seeded;

    #[test]
    fn personal_data_is_not_printed_by_debug() {
        let customer = CustomerId::parse("maria-7").unwrap();
        assert_eq!(format!("{customer:?}"), "CustomerId(…)");
        let token = SessionToken::random(&Seeded::new(1));
        assert_eq!(format!("{token:?}"), "SessionToken(…)");
    }

    #[test]
    fn slug_does_not_shadow_widget_paths() {
        for taken in [
            "api",
            "assets",
            "csp-report",
            "embed",
            "_",
            "",
            "-a",
            "a-",
            "A",
            "a/b",
        ] {
            assert!(Slug::parse(taken).is_err(), "{taken}");
        }
        assert_eq!(Slug::parse("demo-bank").unwrap().as_str(), "demo-bank");
    }

    #[test]
    fn session_token_is_stored_as_a_hash() {
        let token = SessionToken::random(&Seeded::new(2));
        assert_eq!(token.expose().len(), 43);
        let parsed = SessionToken::parse(token.expose()).unwrap();
        assert_eq!(parsed.id(), token.id());
        assert!(!token.id().to_hex().contains(token.expose()));
        assert_eq!(SessionId::from_hex(&token.id().to_hex()).unwrap(), token.id());
    }

    #[test]
    fn non_canonical_session_token_is_refused() {
        // 43 characters carry 258 bits; the last two must be zero.
        let padded = format!("{}B", "A".repeat(42));
        assert!(SessionToken::parse(&padded).is_err());
        assert!(SessionToken::parse(&"A".repeat(44)).is_err());
    }

    #[test]
    fn bank_customer_number_has_thirty_characters() {
        let number = BankCustomerNumber::random(&Seeded::new(3));
        assert_eq!(number.expose().len(), 30);
        assert_ne!(number, BankCustomerNumber::random(&Seeded::new(4)));
    }

    #[test]
    fn attempt_determines_the_intent() {
        let session = SessionToken::random(&Seeded::new(5)).id();
        let key = IdempotencyKey::parse("0123456789abcdef").unwrap();
        assert_eq!(IntentId::derive(session, &key), IntentId::derive(session, &key));
        let other = IdempotencyKey::parse("0123456789abcdeg").unwrap();
        assert_ne!(IntentId::derive(session, &key), IntentId::derive(session, &other));
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_keeps_the_text(text in "\\PC{0,80}") {
            if let Ok(bin) = Bin::parse(&text) { prop_assert_eq!(bin.as_str(), &text); }
            if let Ok(last4) = Last4::parse(&text) { prop_assert_eq!(last4.as_str(), &text); }
            if let Ok(customer) = CustomerId::parse(&text) { prop_assert_eq!(customer.expose(), &text); }
            if let Ok(client) = ClientId::parse(&text) { prop_assert_eq!(client.as_str(), &text); }
            let _ = (SessionToken::parse(&text).is_ok(), IdempotencyKey::parse(&text).is_ok(), Ranac::parse(&text).is_ok());
        }
    }
}
