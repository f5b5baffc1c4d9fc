//! Header of the JWE that an issuer encrypted for Mastercard. The JWE itself is unreadable here; its header is checked at the
//! door, so that Mastercard is not asked to read what it can't read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::fault::FaultKind;
use crate::json;

/// Length of the nonce of A128GCM and A256GCM (RFC 7518 §5.3), in bytes.
const NONCE: usize = 12;
/// Length of the tag (RFC 7518 §5.3), in bytes.
const TAG: usize = 16;

/// Checks form, `alg`, `enc` and key name of a compact JWE (RFC 7516 §7.1). `key_ids` are the names of Mastercard's keys;
/// both `kid` and `keyId` are read, since Mastercard writes both.
pub(super) fn faults(compact: &str, key_ids: &[String]) -> Vec<FaultKind> {
    let Some(header) = header(compact) else {
        return vec![FaultKind::NotJwe];
    };
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let mut faults = Vec::new();
    if text("alg") != Some("RSA-OAEP-256") {
        faults.push(FaultKind::JweAlgorithm);
    }
    if !matches!(text("enc"), Some("A128GCM" | "A256GCM")) {
        faults.push(FaultKind::JweEncryption);
    }
    let names: Vec<&Value> = ["kid", "keyId"]
        .into_iter()
        .filter_map(|name| header.get(name))
        .collect();
    let is_known = |name: &&Value| {
        name.as_str()
            .is_some_and(|name| key_ids.iter().any(|id| id == name))
    };
    if names.is_empty() || !names.iter().all(is_known) {
        faults.push(FaultKind::JweKey);
    }
    faults
}

/// The header of a text that has the form of a compact JWE.
fn header(compact: &str) -> Option<serde_json::Map<String, Value>> {
    let segments: Vec<&str> = compact.split('.').collect();
    let [header, key, nonce, ciphertext, tag] = segments.as_slice() else {
        return None;
    };
    let length = |segment: &str| URL_SAFE_NO_PAD.decode(segment).ok().map(|bytes| bytes.len());
    let is_formed =
        length(key)? > 0 && length(nonce)? == NONCE && length(ciphertext)? > 0 && length(tag)? == TAG;
    is_formed.then(|| json::object_without_duplicates(&URL_SAFE_NO_PAD.decode(header).ok()?))?
}
