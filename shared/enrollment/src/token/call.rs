//! The claim set of a call that carries its own token: batches and the life-cycle of their cards
//! (`docs/contract.md#api-tokens`).

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::{TokenError, VerifiedToken};

/// Longest `htu`, in characters.
const MAX_URL: usize = 2048;

/// Base64 with or without padding: the letters of a hash say the same either way.
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, ANY_PADDING);
const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Purpose of a call, which its token names by `actionCode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallPurpose {
    /// `B`: sends a batch, reads batches and cards. The same token may be sent again with the same request.
    Batch,
    /// `D`: deletes cards. The token is used once.
    Deletion,
}

impl CallPurpose {
    /// Returns the letter of `actionCode`.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Batch => "B",
            Self::Deletion => "D",
        }
    }
}

/// Request that a token has to be made for.
#[derive(Debug, Clone, Copy)]
pub struct CalledRequest<'a> {
    /// HTTP method in capital letters.
    pub method: &'a str,
    /// Path below the public base address, with a slash at its beginning and as the caller wrote it, without its query.
    pub path: &'a str,
    /// Raw body; empty where there is none.
    pub body: &'a [u8],
}

/// Claims of a call's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallClaims {
    /// `exp`.
    pub expires_at: Timestamp,
}

impl CallClaims {
    /// Row 4: claims of the right form, made for this request.
    ///
    /// `htm` and `htu` are compared as RFC 9449 §4.3 says: the address without query and fragment, after normalization. A request
    /// with a body needs its `bodyHash`; without one, `bodyHash` may be that of an empty body.
    ///
    /// # Errors
    /// `InvalidParameters` with the first claim that fails.
    pub fn read(
        token: &VerifiedToken<'_>,
        purpose: CallPurpose,
        request: CalledRequest<'_>,
    ) -> Result<Self, TokenError> {
        let invalid = TokenError::InvalidParameters;
        if token.required("actionCode")? != purpose.letter() {
            return Err(invalid("actionCode"));
        }
        let expires_at = token.lifetime()?;
        token.check_audience()?;
        if token.required("htm")? != request.method {
            return Err(invalid("htm"));
        }
        let target = token.optional("htu", MAX_URL)?.ok_or(invalid("htu"))?;
        let base = token.audience();
        let address = format!("{}{}", base.strip_suffix('/').unwrap_or(base), request.path);
        match (normalized(target), normalized(&address)) {
            (Some(target), Some(address)) if target == address => {}
            _ => return Err(invalid("htu")),
        }
        let hash = match token.claim("bodyHash") {
            None if request.body.is_empty() => return Ok(Self { expires_at }),
            _ => token.required("bodyHash")?,
        };
        if is_hash_of(hash, request.body) {
            Ok(Self { expires_at })
        } else {
            Err(invalid("bodyHash"))
        }
    }
}

/// Whether a text is the base64 of the body's SHA-256, in either alphabet, with or without padding.
fn is_hash_of(text: &str, body: &[u8]) -> bool {
    let decoded = BASE64.decode(text).or_else(|_| BASE64_URL.decode(text));
    decoded.is_ok_and(|decoded| decoded == Sha256::digest(body).as_slice())
}

/// An https or http address without query and fragment, normalized (RFC 3986 §6.2.2 and §6.2.3): scheme and host in small
/// letters, no default port, no dot segments, and no escape of a character that needs none.
fn normalized(address: &str) -> Option<String> {
    let mut url = Url::parse(address)
        .ok()
        .filter(|url| matches!(url.scheme(), "https" | "http"))
        .filter(|url| url.username().is_empty() && url.password().is_none())?;
    url.set_query(None);
    url.set_fragment(None);
    Some(with_least_escapes(url.as_str()))
}

/// Decodes escapes of unreserved characters and writes the others in capital letters.
fn with_least_escapes(url: &str) -> String {
    let mut text = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(place) = rest.find('%') {
        text.push_str(&rest[..place]);
        let escape = rest.get(place + 1..place + 3);
        let Some(byte) = escape.and_then(|escape| u8::from_str_radix(escape, 16).ok()) else {
            text.push('%');
            rest = &rest[place + 1..];
            continue;
        };
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            text.push('%');
            text.push_str(&hex::encode_upper([byte]));
        }
        rest = &rest[place + 3..];
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests;
