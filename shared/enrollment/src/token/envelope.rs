//! The envelope of a token: what is checked whatever the token is for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{TokenError, TokenRules};
use crate::client::{Client, ClientStatus};
use crate::identifiers::ClientId;
use crate::json;
use crate::session::UsedToken;
use crate::time::later;

/// Difference that is allowed between the client's clock and ours.
pub const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// Longest token that is read, in bytes.
pub const MAX_LENGTH: usize = 8 * 1024;

/// Longest text of a claim that names no other limit, in characters.
const MAX_CLAIM: usize = 256;

/// A well-formed token with an issuer. Nothing in it can be trusted yet.
#[derive(Debug)]
pub struct UnverifiedToken<'t> {
    signed: &'t str,
    signature: &'t str,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    issuer: ClientId,
    digest: [u8; 32],
}

impl<'t> UnverifiedToken<'t> {
    /// Row 1: a well-formed JWT with an `iss`.
    ///
    /// # Errors
    /// `InvalidParameters` for text that is no JWT; `AccessDenied` for an `iss` that no client can have.
    pub fn parse(token: &'t str) -> Result<Self, TokenError> {
        const MALFORMED: TokenError = TokenError::InvalidParameters("not a well-formed JWT");
        if token.len() > MAX_LENGTH {
            return Err(TokenError::InvalidParameters("token too long"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
        let (header, claims) = signed.split_once('.').ok_or(MALFORMED)?;
        let header = object(header).ok_or(MALFORMED)?;
        let claims = object(claims).ok_or(MALFORMED)?;
        // An empty signature is well-formed (RFC 7519 §6, `alg` none) and fails at row 2.
        if URL_SAFE_NO_PAD.decode(signature).is_err() {
            return Err(MALFORMED);
        }
        let issuer = claims
            .get("iss")
            .and_then(Value::as_str)
            .ok_or(TokenError::InvalidParameters("iss"))?;
        if issuer.is_empty() || issuer.chars().count() > MAX_CLAIM {
            return Err(TokenError::InvalidParameters("iss"));
        }
        // An `iss` that can't be a client's id belongs to an unknown client: row 2.
        let issuer = ClientId::parse(issuer).map_err(|_| TokenError::AccessDenied("unknown client"))?;
        let digest = Sha256::digest(token.as_bytes()).into();
        Ok(Self {
            signed,
            signature,
            header,
            claims,
            issuer,
            digest,
        })
    }

    /// Returns the client that the token claims to come from.
    pub fn issuer(&self) -> &ClientId {
        &self.issuer
    }

    /// Rows 2 and 3: client, algorithm, signature by one of the client's current keys, expiry.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn verify<'a>(
        &'a self,
        client: &'a Client,
        now: Timestamp,
        rules: TokenRules<'a>,
    ) -> Result<VerifiedToken<'a>, TokenError> {
        self.check_signature(client, now)?;
        self.check_expiry(now)?;
        Ok(VerifiedToken {
            claims: &self.claims,
            digest: self.digest,
            client,
            now,
            rules,
        })
    }

    fn check_signature(&self, client: &Client, now: Timestamp) -> Result<(), TokenError> {
        if client.id != self.issuer {
            return Err(TokenError::AccessDenied("another client"));
        }
        if client.status != ClientStatus::Active {
            return Err(TokenError::Suspended);
        }
        if self.header.get("alg").and_then(Value::as_str) != Some("RS256") {
            return Err(TokenError::AccessDenied("algorithm"));
        }
        // RFC 7515 §4.1.11: a critical header that is not understood must be refused, and none is understood here.
        // `cty` would announce a nested JWT (RFC 7519 §5.2), `b64` another signing input (RFC 7797).
        if ["crit", "b64", "cty"]
            .iter()
            .any(|name| self.header.contains_key(*name))
        {
            return Err(TokenError::AccessDenied("header"));
        }
        let key_id = self.header.get("kid").and_then(Value::as_str);
        let is_known = client
            .current_keys(now)
            .any(|key| Some(key.id.as_str()) == key_id);
        let is_signed = client
            .current_keys(now)
            .filter(|key| !is_known || Some(key.id.as_str()) == key_id)
            .filter_map(|key| DecodingKey::from_rsa_pem(key.pem.as_bytes()).ok())
            .any(|key| {
                jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), &key, Algorithm::RS256)
                    .unwrap_or(false)
            });
        if is_signed {
            Ok(())
        } else {
            Err(TokenError::AccessDenied("signature"))
        }
    }

    /// An `exp` that is missing or malformed is a fault of row 4.
    fn check_expiry(&self, now: Timestamp) -> Result<(), TokenError> {
        match self.claims.get("exp").and_then(numeric_date) {
            Some(expiry) if now.duration_since(expiry) > LEEWAY => Err(TokenError::TokenExpired),
            _ => Ok(()),
        }
    }
}

/// A token signed by an active client and not expired. Its claims are the client's, in form and content still unchecked.
#[derive(Debug)]
pub struct VerifiedToken<'a> {
    claims: &'a Map<String, Value>,
    digest: [u8; 32],
    client: &'a Client,
    now: Timestamp,
    rules: TokenRules<'a>,
}

impl<'a> VerifiedToken<'a> {
    /// Returns the client that signed the token.
    pub fn client(&self) -> &'a Client {
        self.client
    }

    /// Returns the public base address.
    pub fn audience(&self) -> &'a str {
        self.rules.audience
    }

    /// Checks `iat`, `exp` and `nbf` and returns `exp`.
    ///
    /// # Errors
    /// `InvalidParameters` with the claim, or `lifetime` where `exp - iat` is not above zero and within the maximum.
    pub fn lifetime(&self) -> Result<Timestamp, TokenError> {
        let issued_at = self.date("iat")?;
        let expires_at = self.date("exp")?;
        if issued_at.duration_since(self.now) > LEEWAY {
            return Err(TokenError::InvalidParameters("iat is in the future"));
        }
        let lifetime = expires_at.duration_since(issued_at);
        if lifetime > self.rules.max_lifetime || lifetime.is_negative() || lifetime.is_zero() {
            return Err(TokenError::InvalidParameters("lifetime"));
        }
        if self.claim("nbf").is_some() && self.date("nbf")?.duration_since(self.now) > LEEWAY {
            return Err(TokenError::InvalidParameters("nbf is in the future"));
        }
        Ok(expires_at)
    }

    /// Checks `aud` (RFC 7519 §4.1.3): one audience as text, or several in a list. All have to be texts; a list without
    /// ours, an empty one included, is a token for others.
    ///
    /// # Errors
    /// `InvalidParameters`.
    pub fn check_audience(&self) -> Result<(), TokenError> {
        let without_slash = |address: &str| address.strip_suffix('/').unwrap_or(address).to_owned();
        let is_ours = |value: &Value| {
            let named = value.as_str().map(without_slash);
            named.map(|named| named == without_slash(self.rules.audience))
        };
        let is_for_us = match self.claim("aud") {
            None => Some(true),
            Some(Value::Array(all)) => {
                let each: Option<Vec<bool>> = all.iter().map(is_ours).collect();
                each.map(|each| each.contains(&true))
            }
            Some(one) => is_ours(one),
        };
        if is_for_us == Some(true) {
            Ok(())
        } else {
            Err(TokenError::InvalidParameters("aud"))
        }
    }

    /// Returns the record that keeps a token with this `exp` from being accepted again.
    pub fn single_use(&self, expires_at: Timestamp) -> UsedToken {
        UsedToken {
            digest: self.digest,
            until: later(expires_at, LEEWAY),
        }
    }

    /// Returns a claim of any type. A claim that is `null` is absent.
    pub fn claim(&self, name: &str) -> Option<&'a Value> {
        self.claims.get(name).filter(|value| !value.is_null())
    }

    /// Returns a claim that has to be a text of 1 to 256 characters.
    ///
    /// # Errors
    /// `InvalidParameters` with the claim's name.
    pub fn required(&self, claim: &'static str) -> Result<&'a str, TokenError> {
        self.optional(claim, MAX_CLAIM)?
            .ok_or(TokenError::InvalidParameters(claim))
    }

    /// Returns a claim that has to be a text of 1 to `longest` characters where it is present.
    ///
    /// # Errors
    /// `InvalidParameters` with the claim's name.
    pub fn optional(&self, claim: &'static str, longest: usize) -> Result<Option<&'a str>, TokenError> {
        match self.claim(claim) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() && text.chars().count() <= longest => {
                Ok(Some(text))
            }
            Some(_) => Err(TokenError::InvalidParameters(claim)),
        }
    }

    fn date(&self, claim: &'static str) -> Result<Timestamp, TokenError> {
        self.claims
            .get(claim)
            .and_then(numeric_date)
            .ok_or(TokenError::InvalidParameters(claim))
    }
}

/// RFC 7519 §2 "NumericDate": seconds since 1970, perhaps with a fraction, which is cut off.
fn numeric_date(value: &Value) -> Option<Timestamp> {
    let seconds = match value.as_i64() {
        Some(seconds) => seconds,
        #[expect(
            clippy::cast_possible_truncation,
            reason = "bounded just before; a fraction is meant to be cut off"
        )]
        None => value
            .as_f64()
            .filter(|seconds| (0.0..253_402_300_800.0).contains(seconds))? as i64,
    };
    Timestamp::from_second(seconds).ok().filter(|_| seconds >= 0)
}

/// A segment of the token: canonical base64url of a JSON object without duplicate members.
fn object(segment: &str) -> Option<Map<String, Value>> {
    json::object_without_duplicates(&URL_SAFE_NO_PAD.decode(segment).ok()?)
}
