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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compact(header: &str, nonce: usize, tag: usize) -> String {
        let segment = |length: usize| URL_SAFE_NO_PAD.encode(vec![7_u8; length]);
        let header = URL_SAFE_NO_PAD.encode(header);
        format!(
            "{header}.{}.{}.{}.{}",
            segment(256),
            segment(nonce),
            segment(40),
            segment(tag)
        )
    }

    fn faults_of(header: &Value) -> Vec<FaultKind> {
        faults(
            &compact(&header.to_string(), 12, 16),
            &["key-1".to_owned(), "key-2".to_owned()],
        )
    }

    #[test]
    fn headers_of_mastercard_examples_are_taken() {
        for header in [
            json!({"kid": "key-1", "alg": "RSA-OAEP-256", "enc": "A128GCM"}),
            json!({"kid": "key-2", "cty": "application/json", "enc": "A256GCM", "alg": "RSA-OAEP-256"}),
            json!({"keyId": "key-1", "iat": 1, "alg": "RSA-OAEP-256", "enc": "A256GCM"}),
            json!({"kid": "key-1", "keyId": "key-2", "alg": "RSA-OAEP-256", "enc": "A128GCM"}),
        ] {
            assert_eq!(faults_of(&header), [], "{header}");
        }
    }

    #[test]
    fn each_fault_of_a_header_is_told() {
        for (header, expected) in [
            (
                json!({"kid": "key-1", "alg": "RSA-OAEP", "enc": "A128GCM"}),
                vec![FaultKind::JweAlgorithm],
            ),
            (
                json!({"kid": "key-1", "enc": "A128GCM"}),
                vec![FaultKind::JweAlgorithm],
            ),
            (
                json!({"kid": "key-1", "alg": "RSA-OAEP-256", "enc": "A192GCM"}),
                vec![FaultKind::JweEncryption],
            ),
            (
                json!({"kid": "key-1", "alg": "RSA-OAEP-256", "enc": "A128CBC-HS256"}),
                vec![FaultKind::JweEncryption],
            ),
            (
                json!({"kid": "key-3", "alg": "RSA-OAEP-256", "enc": "A128GCM"}),
                vec![FaultKind::JweKey],
            ),
            (
                json!({"kid": 1, "alg": "RSA-OAEP-256", "enc": "A128GCM"}),
                vec![FaultKind::JweKey],
            ),
            (
                json!({"alg": "RSA-OAEP-256", "enc": "A128GCM"}),
                vec![FaultKind::JweKey],
            ),
            (
                json!({"kid": "key-1", "keyId": "key-3", "alg": "RSA-OAEP-256", "enc": "A128GCM"}),
                vec![FaultKind::JweKey],
            ),
            (
                json!({"alg": "dir", "enc": "none"}),
                vec![
                    FaultKind::JweAlgorithm,
                    FaultKind::JweEncryption,
                    FaultKind::JweKey,
                ],
            ),
        ] {
            assert_eq!(faults_of(&header), expected, "{header}");
        }
    }

    #[test]
    fn text_of_another_form_is_no_jwe() {
        let header = r#"{"kid":"key-1","alg":"RSA-OAEP-256","enc":"A128GCM"}"#;
        let good = compact(header, 12, 16);
        assert_eq!(faults(&good, &["key-1".to_owned()]), []);
        let parts: Vec<&str> = good.split('.').collect();
        let with = |place: usize, segment| {
            let mut parts = parts.clone();
            parts[place] = segment;
            parts.join(".")
        };
        for text in [
            String::new(),
            "....".to_owned(),
            good.replace('.', " "),
            format!("{good}."),
            parts[..4].join("."),
            with(1, ""),
            with(3, ""),
            with(3, "a b"),
            format!(" {good}"),
            format!("{good}="),
            compact(header, 16, 16),
            compact(header, 12, 12),
            compact("[]", 12, 16),
            compact(
                r#"{"kid":"key-1","alg":"RSA-OAEP-256","enc":"A128GCM","enc":"A128GCM"}"#,
                12,
                16,
            ),
        ] {
            assert_eq!(
                faults(&text, &["key-1".to_owned()]),
                [FaultKind::NotJwe],
                "{text}"
            );
        }
    }
}
