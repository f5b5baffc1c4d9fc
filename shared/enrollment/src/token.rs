//! The token that opens the widget (behaviour §2; source document 001, "Initialization Parameters").
//!
//! The checks come in the order of behaviour §2's table, the first failure decides, and the token never chooses how it
//! is checked: RS256 is fixed here, keys come from the client's set-up alone (`jku`, `jwk`, `x5u`, `x5c` are not read).

mod request;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::action::ActionCode;
use crate::client::{Client, ClientStatus};
use crate::encoding;
use crate::identifiers::{ClientId, CustomerId, Last4, ProgramId};
use crate::json;
use crate::language::RequestedLanguage;
use crate::log::by_display;
use crate::reason::Reason;
use crate::status::Status;

pub use request::of_request;

/// Clocks may differ by this much.
pub const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// The longest token that is looked at.
pub const MAX_LENGTH: usize = 8 * 1024;

/// The longest text of a claim, except `confirmationUrl`.
const MAX_CLAIM: usize = 256;

/// The longest `confirmationUrl`.
const MAX_URL: usize = 2048;

/// What this deployment expects of every token.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The longest `exp - iat`.
    pub max_lifetime: SignedDuration,
    /// Who tokens are for: `aud`, where a token has it, is or holds this address. A slash at its end makes no
    /// difference.
    pub audience: &'a str,
}

/// Why a token is refused: one row of behaviour §2's table, and a word for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request or a claim is malformed, missing or of the wrong type.
    #[error("invalid parameters: {0}")]
    InvalidParameters(&'static str),
    /// Not this partner, not this signature, not this functionality.
    #[error("access denied: {0}")]
    AccessDenied(&'static str),
    /// The client is suspended.
    #[error("access denied: client is suspended")]
    Suspended,
    /// The limit of attempts is reached.
    #[error("access denied: limit of attempts")]
    LimitReached,
    /// The token opened a session before.
    #[error("access denied: token was used before")]
    Used,
    /// `exp` has passed.
    #[error("token expired")]
    TokenExpired,
}

by_display!(Refusal);

impl Refusal {
    /// What the partner is told.
    pub fn status(self) -> Status {
        match self {
            Self::InvalidParameters(_) => Status::InvalidParameters,
            Self::AccessDenied(_) | Self::Suspended | Self::LimitReached | Self::Used => Status::AccessDenied,
            Self::TokenExpired => Status::TokenExpired,
        }
    }

    /// Why, where the customer is told more than the status says.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Suspended => Some(Reason::Suspended),
            Self::LimitReached => Some(Reason::Limit),
            Self::Used => Some(Reason::Used),
            Self::InvalidParameters(_) | Self::AccessDenied(_) | Self::TokenExpired => None,
        }
    }
}

/// A well-formed token of a named client; nothing of it is believed yet.
#[derive(Debug)]
pub struct UnverifiedToken<'a> {
    signed: &'a str,
    signature: &'a str,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    issuer: ClientId,
    digest: [u8; 32],
}

impl<'a> UnverifiedToken<'a> {
    /// Row 1: a well-formed JWT with an `iss`.
    pub fn parse(token: &'a str) -> Result<Self, Refusal> {
        const MALFORMED: Refusal = Refusal::InvalidParameters("not a well-formed JWT");
        if token.len() > MAX_LENGTH {
            return Err(Refusal::InvalidParameters("token too long"));
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
        let (header, claims) = signed.split_once('.').ok_or(MALFORMED)?;
        let header = object(header).ok_or(MALFORMED)?;
        let claims = object(claims).ok_or(MALFORMED)?;
        // An empty one is well-formed (RFC 7519 §6, `alg` none), and fails at row 2.
        if URL_SAFE_NO_PAD.decode(signature).is_err() {
            return Err(MALFORMED);
        }
        let issuer = claims
            .get("iss")
            .and_then(Value::as_str)
            .ok_or(Refusal::InvalidParameters("iss"))?;
        if issuer.is_empty() || issuer.chars().count() > MAX_CLAIM {
            return Err(Refusal::InvalidParameters("iss"));
        }
        // An `iss` that can't be a client's id is a client that we don't know: row 2.
        let issuer = ClientId::parse(issuer).map_err(|_| Refusal::AccessDenied("unknown client"))?;
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

    /// Which client says it is.
    pub fn issuer(&self) -> &ClientId {
        &self.issuer
    }

    /// SHA-256 of the token as it came.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Rows 2 to 4: client, algorithm and signature; expiry; the other claims.
    pub fn verify(&self, client: &Client, now: Timestamp, expected: Expected<'_>) -> Result<Claims, Refusal> {
        self.check_signature(client, now)?;
        self.check_expiry(now)?;
        self.claims(client, now, expected)
    }

    fn check_signature(&self, client: &Client, now: Timestamp) -> Result<(), Refusal> {
        if client.id != self.issuer {
            return Err(Refusal::AccessDenied("another client"));
        }
        if client.status != ClientStatus::Active {
            return Err(Refusal::Suspended);
        }
        if self.header.get("alg").and_then(Value::as_str) != Some("RS256") {
            return Err(Refusal::AccessDenied("algorithm"));
        }
        // RFC 7515 §4.1.11: what is critical and not understood must be refused, and nothing is understood here.
        // `cty` would announce a nested JWT (RFC 7519 §5.2), `b64` another signing input (RFC 7797).
        if ["crit", "b64", "cty"]
            .iter()
            .any(|name| self.header.contains_key(*name))
        {
            return Err(Refusal::AccessDenied("header"));
        }
        let named = self.header.get("kid").and_then(Value::as_str);
        let by_name = client.current_keys(now).any(|key| Some(key.id.as_str()) == named);
        let signed_by_one = client
            .current_keys(now)
            .filter(|key| !by_name || Some(key.id.as_str()) == named)
            .filter_map(|key| DecodingKey::from_rsa_pem(key.pem.as_bytes()).ok())
            .any(|key| {
                jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), &key, Algorithm::RS256)
                    .unwrap_or(false)
            });
        if signed_by_one {
            Ok(())
        } else {
            Err(Refusal::AccessDenied("signature"))
        }
    }

    fn check_expiry(&self, now: Timestamp) -> Result<(), Refusal> {
        match self.claims.get("exp").and_then(numeric_date) {
            Some(expiry) if now.duration_since(expiry) > LEEWAY => Err(Refusal::TokenExpired),
            _ => Ok(()),
        }
    }

    fn claims(&self, client: &Client, now: Timestamp, expected: Expected<'_>) -> Result<Claims, Refusal> {
        let customer = self.customer()?;
        let action = ActionCode::parse(self.text("actionCode")?)
            .map_err(|_| Refusal::InvalidParameters("actionCode"))?;
        // A well-formed text that is no program's name is a program that is not the client's: row 5.
        let program = ProgramId::parse(self.text("programId")?).ok();
        let expires_at = self.lifetime(now, expected.max_lifetime)?;
        self.check_audience(expected.audience)?;
        let last4 = match self.optional("last4", MAX_CLAIM)? {
            Some(text) => Some(Last4::parse(text).map_err(|_| Refusal::InvalidParameters("last4"))?),
            None => None,
        };
        let confirmation_url = self.confirmation_url(client)?;
        let program = program
            .and_then(|id| client.program(&id))
            .ok_or(Refusal::AccessDenied("program is not the client's"))?;
        if !program.allows(action) {
            return Err(Refusal::AccessDenied("action is not allowed for the program"));
        }
        program.can_name(&customer).map_err(|_| {
            Refusal::InvalidParameters("sub is too long for the program's bank customer number")
        })?;
        Ok(Claims {
            customer,
            action,
            program: program.id.clone(),
            expires_at,
            language: self.language(),
            confirmation_url,
            last4,
        })
    }

    /// `sub`, without blanks or a byte-order mark at its ends: who reads an id from a file strips both, so that a person
    /// has one spelling.
    fn customer(&self) -> Result<CustomerId, Refusal> {
        let written = self.text("sub")?;
        if encoding::trimmed(written) != written {
            return Err(Refusal::InvalidParameters("sub begins or ends with a blank"));
        }
        CustomerId::parse(written).map_err(|_| Refusal::InvalidParameters("sub"))
    }

    /// Gives `exp` where `iat`, `exp` and `nbf` allow the token at `now`.
    fn lifetime(&self, now: Timestamp, longest: SignedDuration) -> Result<Timestamp, Refusal> {
        let issued_at = self.date("iat")?;
        let expires_at = self.date("exp")?;
        if issued_at.duration_since(now) > LEEWAY {
            return Err(Refusal::InvalidParameters("iat is in the future"));
        }
        let lifetime = expires_at.duration_since(issued_at);
        if lifetime > longest || lifetime.is_negative() || lifetime.is_zero() {
            return Err(Refusal::InvalidParameters("lifetime"));
        }
        if self.claim("nbf").is_some() && self.date("nbf")?.duration_since(now) > LEEWAY {
            return Err(Refusal::InvalidParameters("nbf is in the future"));
        }
        Ok(expires_at)
    }

    /// RFC 7519 §4.1.3: one audience as text, or several in a list. All have to be texts; a list without ours, an empty
    /// one too, is a token for others.
    fn check_audience(&self, ours: &str) -> Result<(), Refusal> {
        let without_slash = |address: &str| address.strip_suffix('/').unwrap_or(address).to_owned();
        let is_ours = |value: &Value| {
            let named = value.as_str().map(without_slash);
            named.map(|named| named == without_slash(ours))
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
            Err(Refusal::InvalidParameters("aud"))
        }
    }

    /// Never a reason to refuse: it is what a phone's settings happen to say.
    fn language(&self) -> Option<RequestedLanguage> {
        RequestedLanguage::parse(self.claim("language")?.as_str()?)
    }

    /// `confirmationUrl`, also named `ranac_url` (source document 001 uses both).
    fn confirmation_url(&self, client: &Client) -> Result<Option<Url>, Refusal> {
        const REFUSED: Refusal = Refusal::InvalidParameters("confirmationUrl");
        let written = match (
            self.optional("confirmationUrl", MAX_URL)?,
            self.optional("ranac_url", MAX_URL)?,
        ) {
            (Some(one), Some(other)) if one != other => return Err(REFUSED),
            (one, other) => one.or(other),
        };
        let Some(written) = written else { return Ok(None) };
        let url = Url::parse(written).map_err(|_| REFUSED)?;
        if client.may_confirm_to(&url) {
            Ok(Some(url))
        } else {
            Err(REFUSED)
        }
    }

    fn text(&self, claim: &'static str) -> Result<&str, Refusal> {
        self.optional(claim, MAX_CLAIM)?
            .ok_or(Refusal::InvalidParameters(claim))
    }

    /// A claim that is there; one that is `null` is not.
    fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name).filter(|value| !value.is_null())
    }

    fn optional(&self, claim: &'static str, longest: usize) -> Result<Option<&str>, Refusal> {
        match self.claim(claim) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() && text.chars().count() <= longest => {
                Ok(Some(text))
            }
            Some(_) => Err(Refusal::InvalidParameters(claim)),
        }
    }

    fn date(&self, claim: &'static str) -> Result<Timestamp, Refusal> {
        self.claims
            .get(claim)
            .and_then(numeric_date)
            .ok_or(Refusal::InvalidParameters(claim))
    }
}

/// What a verified token says.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims {
    /// `sub`.
    pub customer: CustomerId,
    /// `actionCode`.
    pub action: ActionCode,
    /// `programId`, one of the client's.
    pub program: ProgramId,
    /// `exp`.
    pub expires_at: Timestamp,
    /// `language`.
    pub language: Option<RequestedLanguage>,
    /// `confirmationUrl`.
    pub confirmation_url: Option<Url>,
    /// `last4`.
    pub last4: Option<Last4>,
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

#[cfg(test)]
mod tests;
