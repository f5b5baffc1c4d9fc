//! JWEs of RFC 7520 ("JOSE cookbook"): their content is decrypted, and their key management refused.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that can't be read, or has a case without a rule, fails"
)]

#[path = "../../../shared/mastercard/src/content_cipher.rs"]
#[expect(dead_code, reason = "the file has more than this suite looks at")]
mod content_cipher;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mastercard::jwe::{Header, JweError};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    section: String,
    content_encryption_key: String,
    compact: String,
    /// Missing where the content is compressed.
    plaintext: Option<String>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../suites/rfc-7520.json")).unwrap()
}

#[test]
fn content_is_decrypted() {
    let mut judged = [0; 3];
    for case in cases() {
        let Some(plaintext) = case.plaintext else {
            continue;
        };
        let parts: Vec<&str> = case.compact.split('.').collect();
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
        let header: serde_json::Value = serde_json::from_slice(&decode(parts[0])).unwrap();
        let key = hex::decode(case.content_encryption_key).unwrap();
        let (aad, vector, tag) = (parts[0].as_bytes(), decode(parts[2]), decode(parts[4]));
        let tag: [u8; 16] = tag.try_into().unwrap();
        let mut content = decode(parts[3]);
        let length = match header["enc"].as_str().unwrap() {
            "A128GCM" => {
                judged[0] += 1;
                content_cipher::open_gcm(&key, &vector, aad, &mut content, &tag)
            }
            "A256GCM" => {
                judged[1] += 1;
                content_cipher::open_gcm(&key, &vector, aad, &mut content, &tag)
            }
            _ => {
                judged[2] += 1;
                content_cipher::open_cbc_hs256(&key, &vector, aad, &mut content, &tag)
            }
        };
        content.truncate(length.unwrap_or_default());
        assert_eq!(content, plaintext.as_bytes(), "section {}", case.section);
    }
    assert_eq!(judged, [3, 1, 4]);
}

#[test]
fn key_management_and_compression_are_refused() {
    let refused: Vec<JweError> = cases()
        .iter()
        .map(|case| Header::parse(&case.compact).unwrap_err())
        .collect();
    let (compressed, others) = refused.split_last().unwrap();
    assert_eq!(
        (*compressed, others),
        (JweError::Compression, &[JweError::Algorithm; 8][..])
    );
}
