use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use url::Url;

/// `oauth_body_hash`: base64 of the SHA-256 of the body's bytes. A request without a body has the hash of no bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyHash(String);

impl BodyHash {
    /// Hashes a body.
    pub fn of(body: &[u8]) -> Self {
        Self(STANDARD.encode(digest(&SHA256, body)))
    }

    /// Returns the hash in base64.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Signature base string (RFC 5849 §3.4.1) of a request with its OAuth parameters except the signature, as name and
/// value.
pub fn base_string(method: &str, url: &Url, parameters: &[(&str, &str)]) -> String {
    let parameters = parameter_string(url.query(), parameters);
    format!(
        "{}&{}&{}",
        method.to_uppercase(),
        percent_encode(base_uri(url).as_bytes()),
        percent_encode(parameters.as_bytes())
    )
}

/// Scheme, host, port unless it is the default one, and path, as they are sent.
fn base_uri(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let path = if url.path().is_empty() { "/" } else { url.path() };
    match url.port() {
        Some(port) => format!("{}://{host}:{port}{path}", url.scheme()),
        None => format!("{}://{host}{path}", url.scheme()),
    }
}

/// Parameters of query and header, sorted by name and then by value.
fn parameter_string(query: Option<&str>, parameters: &[(&str, &str)]) -> String {
    let query = query.unwrap_or_default();
    let must_encode = has_escapes(query);
    let mut all: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (query_part(name, must_encode), query_part(value, must_encode))
        })
        .collect();
    all.extend(
        parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    all.sort();
    let joined: Vec<String> = all
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    joined.join("&")
}

/// Name or value of the query. If any part of the query has escapes, each part is decoded as a form and encoded anew,
/// otherwise all stay as they are.
fn query_part(part: &str, must_encode: bool) -> String {
    if must_encode {
        percent_encode(&form_decode(part))
    } else {
        part.to_owned()
    }
}

/// Whether a text has a percent sign followed by two hexadecimal digits.
fn has_escapes(text: &str) -> bool {
    text.as_bytes()
        .windows(3)
        .any(|part| part[0] == b'%' && part[1].is_ascii_hexdigit() && part[2].is_ascii_hexdigit())
}

/// Decodes escapes. `+` stays, and so does a percent sign without two digits. Bytes that are no UTF-8 are replaced.
pub(super) fn percent_decode(text: &str) -> String {
    String::from_utf8_lossy(&form_decode(&text.replace('+', "%2B"))).into_owned()
}

/// Decodes escapes and `+`, which stands for a space. A percent sign without two digits stays.
fn form_decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        if let Some(value) = escape.and_then(hex_byte) {
            decoded.push(value);
            at += 3;
        } else {
            decoded.push(if byte == b'+' { b' ' } else { byte });
            at += 1;
        }
    }
    decoded
}

fn hex_byte(digits: &str) -> Option<u8> {
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// Encodes every byte except letters, digits and `-._~` (RFC 3986 §2.3, RFC 5849 §3.6).
pub(super) fn percent_encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(bytes.len() * 3);
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(byte.into());
        } else {
            encoded.push('%');
            encoded.push(DIGITS[usize::from(byte >> 4)].into());
            encoded.push(DIGITS[usize::from(byte & 15)].into());
        }
    }
    encoded
}
