use aws_lc_rs::hmac;

use super::format::length_prefixed;
use super::{DataKey, KeyName};

/// Label of every input, so that a key of this purpose authenticates nothing else.
const LABEL: &[u8] = b"card-enrollment/blind-index";

/// Returns `HMAC-SHA-256(data key, label ‖ version ‖ client ‖ field ‖ value)` in hexadecimal, with the length of each
/// part before it.
pub(super) fn of(key: &DataKey, name: &KeyName, field: &str, value: &str) -> String {
    let input = length_prefixed(&[
        LABEL,
        name.period.as_str().as_bytes(),
        name.client.as_str().as_bytes(),
        field.as_bytes(),
        value.as_bytes(),
    ]);
    hex::encode(hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, key.expose()),
        &input,
    ))
}
