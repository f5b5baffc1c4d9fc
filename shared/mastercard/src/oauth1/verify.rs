use base64::{Engine, engine::general_purpose::STANDARD};
use thiserror::Error;
use url::Url;

use super::{
    base_string::{BodyHash, base_string, percent_decode},
    deviation::Deviation,
    header::{Header, HeaderError},
    signature::SignatureMethod,
};
use crate::keys::PublicKey;

/// Reason for which a signed request is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The header is not one of OAuth 1.0a with a body hash.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The header has another signature method than `RSA-SHA256` and `RSA-PSS`.
    #[error("the signature method is neither RSA-SHA256 nor RSA-PSS")]
    Method,
    /// The body is not the one that was signed.
    #[error("the body hash does not match: calculated {calculated}")]
    BodyHash {
        /// Hash of the body that was received.
        calculated: String,
    },
    /// The signature belongs to another request or another key.
    #[error("the signature does not match{}", describe(*deviation))]
    Signature {
        /// Signature base string of the request that was received.
        acceptable: String,
        /// Difference that explains the signature, if one is found: another key, or other content, has none.
        deviation: Option<Deviation>,
    },
}

/// Checks the header of a request from someone else against the public key of its consumer key: body hash and signature.
///
/// Base strings of all official signers are accepted where no other request has the same one
/// (`docs/adr/0033-signature-base-strings.md`). Whether the time is near and the nonce is new is for the caller to decide,
/// who has the clock and the store.
pub fn verify(
    key: &PublicKey,
    method: &str,
    url: &Url,
    body: &[u8],
    header: &Header,
) -> Result<(), VerifyError> {
    let scheme = SignatureMethod::parse(header.get("oauth_signature_method")).ok_or(VerifyError::Method)?;
    let calculated = BodyHash::of(body);
    if percent_decode(header.get("oauth_body_hash")) != calculated.as_str() {
        return Err(VerifyError::BodyHash {
            calculated: calculated.as_str().to_owned(),
        });
    }
    let signature = STANDARD
        .decode(percent_decode(header.get("oauth_signature")))
        .map_err(|_| HeaderError::Unusable("oauth_signature"))?;
    let is_signed = |base: &str| scheme.is_signature(key.spki_der(), base.as_bytes(), &signature);
    let signed = header.signed_parameters();
    let acceptable = base_string(method, url, &signed);
    if is_signed(&acceptable) {
        return Ok(());
    }
    let deviation = Deviation::all(method, url, &signed)
        .into_iter()
        .find(|(_, base)| base != &acceptable && is_signed(base))
        .map(|(deviation, _)| deviation);
    if deviation.is_some_and(Deviation::is_acceptable) {
        return Ok(());
    }
    Err(VerifyError::Signature {
        acceptable,
        deviation,
    })
}

fn describe(deviation: Option<Deviation>) -> String {
    deviation.map_or_else(String::new, |deviation| format!(": {deviation}"))
}
