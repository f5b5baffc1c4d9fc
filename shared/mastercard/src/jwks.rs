//! Key lists (JSON Web Key Sets, RFC 7517 §5), as Mastercard publishes its encryption keys.

use base64::{
    Engine,
    engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::keys::{Components, PublicKey};

/// Base64url with or without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

/// RSA keys of a key list, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyList {
    keys: Vec<ListedKey>,
    skipped: usize,
}

/// RSA key in a key list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// Name of the key (`kid`).
    pub id: Option<String>,
    /// Use of the key (`use`), such as `enc` or `sig`.
    pub usage: Option<String>,
    /// Algorithm that the key is meant for (`alg`).
    pub algorithm: Option<String>,
    /// Key.
    pub key: PublicKey,
}

/// Reason for which a key list gives no key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyListError {
    /// The text is not a JSON object with a list `keys`.
    #[error("not a key list: expected JSON with a list `keys`")]
    NotAKeyList,
    /// The list has no RSA key for encryption with this name.
    #[error("the key list has no RSA key for encryption with this `kid`")]
    NotFound,
    /// The list has several RSA keys for encryption with this name.
    #[error("the key list has different RSA keys for encryption with this `kid`")]
    Ambiguous,
}

impl KeyList {
    /// Parses a key list. Keys that are no RSA keys of 2048 bits or more are skipped, unknown members are ignored.
    pub fn parse(json: &[u8]) -> Result<Self, KeyListError> {
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        let wire: WireList = serde_json::from_slice(json).map_err(|_| KeyListError::NotAKeyList)?;
        let total = wire.keys.len();
        let keys: Vec<ListedKey> = wire.keys.into_iter().filter_map(listed).collect();
        Ok(Self {
            skipped: total - keys.len(),
            keys,
        })
    }

    /// Makes a key list of keys.
    pub fn new(keys: Vec<ListedKey>) -> Self {
        Self { keys, skipped: 0 }
    }

    /// RSA keys, in the order of the list.
    pub fn keys(&self) -> &[ListedKey] {
        &self.keys
    }

    /// Number of keys that were skipped.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Finds the key for encryption with the name `id`. A key without `use` is taken as one for encryption.
    pub fn encryption_key(&self, id: &str) -> Result<&PublicKey, KeyListError> {
        let mut found = self
            .keys
            .iter()
            .filter(|listed| listed.is_for_encryption() && listed.id.as_deref() == Some(id));
        let first = &found.next().ok_or(KeyListError::NotFound)?.key;
        if found.any(|other| &other.key != first) {
            return Err(KeyListError::Ambiguous);
        }
        Ok(first)
    }

    /// Finds keys by the fingerprint of the public key, in hexadecimal of either case.
    pub fn with_fingerprint<'a>(&'a self, fingerprint: &'a str) -> impl Iterator<Item = &'a ListedKey> {
        self.keys
            .iter()
            .filter(move |listed| listed.key.fingerprint().eq_ignore_ascii_case(fingerprint))
    }

    /// Writes the list as JSON, as a server publishes it.
    pub fn to_json(&self) -> serde_json::Value {
        let keys: Vec<serde_json::Value> = self.keys.iter().filter_map(ListedKey::to_json).collect();
        serde_json::json!({ "keys": keys })
    }
}

impl ListedKey {
    /// Makes an entry for a key of RSA-OAEP-256.
    pub fn for_encryption(id: &str, key: PublicKey) -> Self {
        Self {
            id: Some(id.to_owned()),
            usage: Some("enc".to_owned()),
            algorithm: Some("RSA-OAEP-256".to_owned()),
            key,
        }
    }

    /// Whether the key may encrypt: its `use` is `enc` or missing.
    pub fn is_for_encryption(&self) -> bool {
        self.usage.as_deref().is_none_or(|usage| usage == "enc")
    }

    fn to_json(&self) -> Option<serde_json::Value> {
        let components = self.key.components().ok()?;
        let wire = WireKey {
            kty: "RSA".to_owned(),
            kid: self.id.clone(),
            usage: self.usage.clone(),
            alg: self.algorithm.clone(),
            n: Some(URL_SAFE_NO_PAD.encode(components.modulus())),
            e: Some(URL_SAFE_NO_PAD.encode(components.exponent())),
        };
        serde_json::to_value(wire).ok()
    }
}

#[derive(Deserialize)]
struct WireList {
    keys: Vec<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct WireKey {
    kty: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    usage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

fn listed(key: serde_json::Value) -> Option<ListedKey> {
    let wire: WireKey = serde_json::from_value(key).ok()?;
    if wire.kty != "RSA" {
        return None;
    }
    let number = |text: Option<String>| LENIENT.decode(text?).ok();
    let components = Components::new(&number(wire.n)?, &number(wire.e)?);
    Some(ListedKey {
        id: wire.kid,
        usage: wire.usage,
        algorithm: wire.alg,
        key: PublicKey::from_components(&components).ok()?,
    })
}
