use serde::{Deserialize, Serialize};

use super::{ALGORITHM, ContentEncryption, JweError, segment};

/// Longest header, in characters of its encoded form.
const MAX_HEADER: usize = 4096;

/// Longest name of a key, in bytes.
const MAX_KEY_NAME: usize = 256;

/// Name of the key for which a JWE is made, and the member of the header that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName {
    /// Member of the header.
    pub member: KeyMember,
    /// Name: an entry of Mastercard's key list, or a fingerprint. It has 1 to 256 bytes.
    pub value: String,
}

/// Member of the header that names the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyMember {
    /// `kid`, as RFC 7516 has it.
    Kid,
    /// `keyId`, as some of Mastercard's answers have it.
    KeyId,
}

/// Header of a JWE that can be decrypted by the right key: its `alg` is RSA-OAEP-256, its `enc` is supported, and it
/// demands nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    content_encryption: ContentEncryption,
    key_name: Option<KeyName>,
    content_type: Option<String>,
}

impl KeyName {
    /// Name in the member `kid`.
    pub fn kid(value: impl Into<String>) -> Self {
        Self {
            member: KeyMember::Kid,
            value: value.into(),
        }
    }

    /// Name in the member `keyId`.
    pub fn key_id(value: impl Into<String>) -> Self {
        Self {
            member: KeyMember::KeyId,
            value: value.into(),
        }
    }

    fn check(self) -> Result<Self, JweError> {
        if (1..=MAX_KEY_NAME).contains(&self.value.len()) {
            Ok(self)
        } else {
            Err(JweError::KeyName)
        }
    }
}

impl KeyMember {
    /// Name of the member.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kid => "kid",
            Self::KeyId => "keyId",
        }
    }
}

/// Members that are read. Others are ignored, as RFC 7516 (4.) demands, and a repeated one is refused.
#[derive(Deserialize)]
struct Members {
    alg: String,
    enc: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "keyId")]
    key_id: Option<String>,
    #[serde(default)]
    cty: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
    #[serde(default, deserialize_with = "present")]
    zip: bool,
}

/// Takes a member with any value, `null` too.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl Header {
    /// Reads the header of a compact JWE, and checks that the text has five parts. Needs no key, decrypts nothing.
    pub fn parse(compact: &str) -> Result<Self, JweError> {
        Self::from_parts(&Parts::split(compact)?)
    }

    pub(super) fn from_parts(parts: &Parts<'_>) -> Result<Self, JweError> {
        if parts.header.len() > MAX_HEADER {
            return Err(JweError::HeaderTooLong);
        }
        Self::from_json(&segment::decode(parts.header)?)
    }

    fn from_json(json: &[u8]) -> Result<Self, JweError> {
        // A struct could also be read from a list.
        if !json.trim_ascii_start().starts_with(b"{") {
            return Err(JweError::Header);
        }
        let members: Members = serde_json::from_slice(json).map_err(|_| JweError::Header)?;
        if members.crit {
            return Err(JweError::CriticalExtension);
        }
        if members.zip {
            return Err(JweError::Compression);
        }
        if members.alg != ALGORITHM {
            return Err(JweError::Algorithm);
        }
        let key_name = match (members.kid, members.key_id) {
            (Some(kid), Some(key_id)) if kid != key_id => return Err(JweError::TwoKeyNames),
            (Some(kid), _) => Some(KeyName::kid(kid).check()?),
            (None, Some(key_id)) => Some(KeyName::key_id(key_id).check()?),
            (None, None) => None,
        };
        Ok(Self {
            content_encryption: ContentEncryption::parse(&members.enc).ok_or(JweError::ContentEncryption)?,
            key_name,
            content_type: members.cty,
        })
    }

    /// Content encryption (`enc`).
    pub fn content_encryption(&self) -> ContentEncryption {
        self.content_encryption
    }

    /// Name of the key (`kid` or `keyId`). Somebody else chose it: it does not belong in a log.
    pub fn key_name(&self) -> Option<&KeyName> {
        self.key_name.as_ref()
    }

    /// Type of the content (`cty`), such as `application/json`.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Header")
            .field("content_encryption", &self.content_encryption)
            .finish_non_exhaustive()
    }
}

/// Members that are written, in this order.
#[derive(Serialize)]
struct WrittenMembers<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "keyId")]
    key_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cty: Option<&'a str>,
    alg: &'static str,
    enc: &'static str,
}

/// Encodes a header.
pub(super) fn write(
    key_name: KeyName,
    content_encryption: ContentEncryption,
    content_type: Option<&str>,
) -> Result<String, JweError> {
    let KeyName { member, value } = key_name.check()?;
    let members = WrittenMembers {
        kid: (member == KeyMember::Kid).then_some(&value),
        key_id: (member == KeyMember::KeyId).then_some(&value),
        cty: content_type,
        alg: ALGORITHM,
        enc: content_encryption.as_str(),
    };
    let json = serde_json::to_vec(&members).map_err(|_| JweError::Header)?;
    let mut encoded = String::new();
    segment::append(&json, &mut encoded);
    if encoded.len() > MAX_HEADER {
        return Err(JweError::HeaderTooLong);
    }
    Ok(encoded)
}

/// The five parts of a compact JWE, still encoded.
pub(super) struct Parts<'a> {
    pub(super) header: &'a str,
    pub(super) encrypted_key: &'a str,
    pub(super) initialization_vector: &'a str,
    pub(super) ciphertext: &'a str,
    pub(super) tag: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn split(compact: &'a str) -> Result<Self, JweError> {
        let mut parts = compact.splitn(5, '.');
        let mut next = || parts.next().ok_or(JweError::Parts);
        let parts = Self {
            header: next()?,
            encrypted_key: next()?,
            initialization_vector: next()?,
            ciphertext: next()?,
            tag: next()?,
        };
        if parts.tag.contains('.') {
            return Err(JweError::Parts);
        }
        Ok(parts)
    }
}
