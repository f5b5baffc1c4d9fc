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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn key(pem: &str) -> PublicKey {
        PublicKey::from_pem(pem).unwrap()
    }

    fn one() -> PublicKey {
        key(include_str!("../tests/fixtures/signing-public.pem"))
    }

    fn other() -> PublicKey {
        key(include_str!("../tests/fixtures/rsa-2048-public.pem"))
    }

    fn wire(id: &str, key: &PublicKey) -> Value {
        KeyList::new(vec![ListedKey::for_encryption(id, key.clone())]).to_json()["keys"][0].clone()
    }

    fn parse(keys: &[Value]) -> KeyList {
        KeyList::parse(json!({"keys": keys, "updated": 1}).to_string().as_bytes()).unwrap()
    }

    /// Key of RFC 7517 appendix A.1, with the members that Mastercard's key lists add.
    #[test]
    fn key_of_rfc_7517_is_read() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4\
            n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6\
            qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJz\
            KnqDKgw";
        let list = parse(&[
            json!({"kty": "RSA", "e": "AQAB", "n": n, "kid": "20230207223521-sandbox-fpan-encryption",
            "alg": "RSA-OAEP-256", "use": "enc", "key_ops": ["wrapKey", "encrypt"], "x": {}}),
        ]);
        let found = list
            .encryption_key("20230207223521-sandbox-fpan-encryption")
            .unwrap();
        assert_eq!(found.bits(), 2048);
        assert_eq!(list.keys()[0].algorithm.as_deref(), Some("RSA-OAEP-256"));
    }

    #[test]
    fn key_is_picked_by_name_and_use() {
        let mut signing = wire("a", &other());
        signing["use"] = json!("sig");
        let mut without_use = wire("c", &other());
        without_use.as_object_mut().unwrap().remove("use");
        let list = parse(&[signing, wire("a", &one()), wire("b", &other()), without_use]);
        assert_eq!(list.encryption_key("a"), Ok(&one()));
        assert_eq!(list.encryption_key("c"), Ok(&other()));
        assert_eq!(list.encryption_key("A"), Err(KeyListError::NotFound));
        let shouted = one().fingerprint().to_uppercase();
        assert_eq!(list.with_fingerprint(&shouted).count(), 1);
    }

    #[test]
    fn different_keys_of_one_name_are_ambiguous() {
        let list = parse(&[wire("a", &one()), wire("a", &one())]);
        assert_eq!(list.encryption_key("a"), Ok(&one()));
        let list = parse(&[wire("a", &one()), wire("a", &other())]);
        assert_eq!(list.encryption_key("a"), Err(KeyListError::Ambiguous));
    }

    #[test]
    fn other_key_types_are_skipped() {
        let mut short = wire("short", &one());
        short["n"] = json!("AQAB");
        let mut without = wire("without", &one());
        without.as_object_mut().unwrap().remove("e");
        let list = parse(&[
            json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "a"}),
            json!({"kty": "oct", "k": "AA"}),
            json!("text"),
            json!({}),
            short,
            without,
            wire("a", &one()),
        ]);
        assert_eq!((list.keys().len(), list.skipped()), (1, 6));
    }

    #[test]
    fn padding_and_leading_zeros_are_tolerated() {
        let components = one().components().unwrap();
        let mut padded = vec![0];
        padded.extend_from_slice(components.modulus());
        let mut listed = wire("a", &one());
        listed["n"] = json!(base64::engine::general_purpose::URL_SAFE.encode(padded));
        assert_eq!(parse(&[listed]).encryption_key("a"), Ok(&one()));
    }

    #[test]
    fn other_json_is_no_key_list() {
        for text in ["", "{}", "[]", "null", r#"{"keys":{}}"#, "<html/>"] {
            assert_eq!(
                KeyList::parse(text.as_bytes()),
                Err(KeyListError::NotAKeyList),
                "{text}"
            );
        }
        assert_eq!(
            KeyList::parse(b"\xef\xbb\xbf{\"keys\":[]}"),
            Ok(KeyList::default())
        );
    }
}
