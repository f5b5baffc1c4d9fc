//! Parts of a compact JWE, in base64url without padding.

use std::{borrow::Cow, sync::LazyLock};

use base64::{
    Engine,
    engine::{Simd, general_purpose::NO_PAD},
};

use super::JweError;

static URL_SAFE: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(NO_PAD));

/// Number of characters that `bytes` bytes take.
pub(super) fn encoded_length(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Appends the encoded bytes.
pub(super) fn append(bytes: &[u8], text: &mut String) {
    URL_SAFE.encode_string(bytes, text);
}

/// Decodes a part.
///
/// Mastercard's library for Node.js leaves `/` as it is in base64 (and replaces `+`), so both alphabets are read.
pub(super) fn decode(part: &str) -> Result<Vec<u8>, JweError> {
    URL_SAFE
        .decode(url_safe(part).as_bytes())
        .map_err(|_| JweError::Base64)
}

fn url_safe(part: &str) -> Cow<'_, str> {
    if part.contains(['+', '/']) {
        Cow::Owned(part.replace('+', "-").replace('/', "_"))
    } else {
        Cow::Borrowed(part)
    }
}
