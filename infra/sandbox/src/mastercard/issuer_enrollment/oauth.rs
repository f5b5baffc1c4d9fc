//! OAuth 1.0a with body hash, as the gateway checks it: it rebuilds the base string from the header's own values and the
//! address that it was called at, and verifies the signature over the bytes that came.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method, Uri};
use rsa::pkcs8::DecodePublicKey as _;
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use sha2::{Digest as _, Sha256};

use super::CONSUMER_KEY;

/// Difference of clocks that is accepted, in seconds. **Assumption:** the real figure is not public.
const MAX_SKEW: u64 = 300;

/// `DigestInfo` of SHA-256 without the digest (RFC 8017 §9.2, note 1).
const SHA_256_PREFIX: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
    0x04, 0x20,
];

/// Checks signatures by the project's public key, and remembers nonces.
pub(super) struct Verifier {
    key: RsaPublicKey,
    nonces: Mutex<HashMap<String, u64>>,
}

/// Refusal of a caller, as the gateway words it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) reason: &'static str,
    pub(super) description: String,
}

impl Verifier {
    pub(super) fn from_pem(spki: &str) -> Result<Self, rsa::pkcs8::spki::Error> {
        Ok(Self {
            key: RsaPublicKey::from_public_key_pem(spki)?,
            nonces: Mutex::default(),
        })
    }

    /// Judges a call. A nonce counts as used once its signature was good.
    pub(super) fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
        now: u64,
    ) -> Result<(), Refused> {
        let parameters = parameters(headers).ok_or_else(|| failed("Invalid Authorization header"))?;
        let value = |name: &str| {
            let mut values = parameters.iter().filter(|(known, _)| known == name);
            match (values.next(), values.next()) {
                (Some((_, value)), None) => Ok(value.as_str()),
                _ => Err(failed(&format!("{name} is missing or repeated"))),
            }
        };
        if value("oauth_consumer_key")? != CONSUMER_KEY {
            return Err(failed("Unknown consumer key"));
        }
        if value("oauth_signature_method")? != "RSA-SHA256" || value("oauth_version")? != "1.0" {
            return Err(failed("Unsupported signature method or version"));
        }
        let timestamp: u64 = value("oauth_timestamp")?
            .parse()
            .map_err(|_| failed("Invalid timestamp"))?;
        if timestamp.abs_diff(now) > MAX_SKEW {
            return Err(failed("Timestamp is outside of the allowed window"));
        }
        let nonce = value("oauth_nonce")?;
        if nonce.len() < 8 || !nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(failed("Invalid nonce"));
        }
        let calculated = STANDARD.encode(Sha256::digest(body));
        let received = value("oauth_body_hash")?;
        if calculated != received {
            return Err(Refused {
                reason: "INVALID_BODY_HASH",
                description: format!(
                    "The provided oauth_body_hash does not match the SHA256 hash of the request payload. Calculated: \
                     {calculated}, Received: {received}"
                ),
            });
        }
        let signature = STANDARD
            .decode(decode(value("oauth_signature")?))
            .map_err(|_| failed("Invalid signature"))?;
        let base = base_string(method, uri, headers, &parameters);
        let scheme = Pkcs1v15Sign {
            hash_len: Some(32),
            prefix: SHA_256_PREFIX.into(),
        };
        if self
            .key
            .verify(scheme, &Sha256::digest(base.as_bytes()), &signature)
            .is_err()
        {
            return Err(failed(&format!(
                "OAuth signatures did not match. Acceptable signature base string: {base}"
            )));
        }
        self.use_nonce(nonce, timestamp, now)
    }

    fn use_nonce(&self, nonce: &str, timestamp: u64, now: u64) -> Result<(), Refused> {
        let mut nonces = self.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.retain(|_, time| time.abs_diff(now) <= MAX_SKEW);
        if nonces.insert(nonce.to_owned(), timestamp).is_some() {
            return Err(failed("The nonce was used before"));
        }
        Ok(())
    }
}

fn failed(description: &str) -> Refused {
    Refused {
        reason: "AUTHENTICATION_FAILED",
        description: description.to_owned(),
    }
}

/// The parameters of `Authorization: OAuth name="value",…`, values as they stand.
fn parameters(headers: &HeaderMap) -> Option<Vec<(String, String)>> {
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let list = value.to_str().ok()?.strip_prefix("OAuth ")?;
    list.split(',')
        .map(|pair| {
            let (name, quoted) = pair.trim().split_once('=')?;
            let value = quoted.strip_prefix('"')?.strip_suffix('"')?;
            Some((name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// Signature base string (RFC 5849 §3.4.1, with Mastercard's departures: values of the header are taken as they stand, and
/// those of a query are encoded only if its text differs from its decoded form).
fn base_string(method: &Method, uri: &Uri, headers: &HeaderMap, oauth: &[(String, String)]) -> String {
    let mut pairs: Vec<String> = oauth
        .iter()
        .filter(|(name, _)| name != "oauth_signature" && name != "realm")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if let Some(query) = uri.query().filter(|query| !query.is_empty()) {
        let is_encoded = decode(query) != query;
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push(if is_encoded {
                format!("{}={}", encode(&decode(name)), encode(&decode(value)))
            } else {
                format!("{name}={value}")
            });
        }
    }
    pairs.sort_unstable();
    let host = headers
        .get(http::header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default()
        .to_lowercase();
    let host = host.strip_suffix(":443").unwrap_or(&host);
    let address = format!("https://{host}{}", uri.path());
    format!("{method}&{}&{}", encode(&address), encode(&pairs.join("&")))
}

/// Percent-encodes all but unreserved characters (RFC 3986 §2.3).
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = bytes
            .get(at + 1..at + 3)
            .filter(|_| byte == b'%')
            .and_then(|digits| hex::decode(digits).ok());
        if let Some(escape) = escape {
            decoded.extend(escape);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Published by the official signers' tests (MIT): consumer key, nonce and timestamp are theirs.
    #[test]
    fn published_base_strings() {
        let oauth = [
            ("oauth_body_hash", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
            ("oauth_consumer_key", "abc-abc-abc!123"),
            ("oauth_nonce", "Wpe3LF09z1e3xQRI"),
            ("oauth_signature_method", "RSA-SHA256"),
            ("oauth_timestamp", "1626728330"),
            ("oauth_version", "1.0"),
            ("oauth_signature", "x"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let common = "oauth_body_hash%3D47DEQpj8HBSa%2B%2FTImW%2B5JCeuQeRkm5NMpJWZG3hSuFU%3D%26oauth_consumer_key%3D\
                      abc-abc-abc%21123%26oauth_nonce%3DWpe3LF09z1e3xQRI%26oauth_signature_method%3DRSA-SHA256%26\
                      oauth_timestamp%3D1626728330%26oauth_version%3D1.0";
        for (host, path, start, end) in [
            (
                "example.com",
                "/?param=token1%3Atoken2",
                "https%3A%2F%2Fexample.com%2F&",
                "%26param%3Dtoken1%253Atoken2",
            ),
            (
                "EXAMPLE.com:443",
                "/?param=token1:token2",
                "https%3A%2F%2Fexample.com%2F&",
                "%26param%3Dtoken1%3Atoken2",
            ),
            (
                "api.mastercard.com",
                "/abc/%123/service?a=123&b=%2a2b3",
                "https%3A%2F%2Fapi.mastercard.com%2Fabc%2F%25123%2Fservice&a%3D123%26b%3D%252A2b3%26",
                "",
            ),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(http::header::HOST, host.parse().unwrap());
            let base = base_string(&Method::GET, &path.parse().unwrap(), &headers, &oauth);
            assert_eq!(base, format!("GET&{start}{common}{end}"));
        }
    }
}
