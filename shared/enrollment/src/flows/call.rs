//! Calls of an issuer's back end, each with a token of its own (`docs/contract.md#api-tokens`).
//!
//! Tests: `shared/enrollment/tests/flows/batch_accept.rs` over the model of the stores.

use std::sync::Arc;

use jiff::Timestamp;

use crate::client::{Client, Issuer};
use crate::clock::Clock;
use crate::log::by_display;
use crate::ports::{Clients, StoreError};
use crate::session::UsedToken;
use crate::token::{CallClaims, CallPurpose, CalledRequest, TokenError, TokenRules, UnverifiedToken};

/// Call of an issuer's back end.
#[derive(Debug, Clone, Copy)]
pub struct ApiCall<'a> {
    /// Token of the header `Authorization: Bearer`; `None` where the header is missing or another.
    pub token: Option<&'a str>,
    /// HTTP request.
    pub request: CalledRequest<'a>,
}

/// Ports of an authentication.
#[derive(Clone, Copy)]
pub struct Authentication<'a> {
    /// Set-ups of the clients.
    pub clients: &'a dyn Clients,
    /// Clock.
    pub clock: &'a dyn Clock,
    /// Rules for every token.
    pub rules: TokenRules<'a>,
    /// Whether this environment has an Issuer Enrollment API.
    pub serves_issuers: bool,
}

/// Caller whose token was checked.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Client.
    pub client: Arc<Client>,
    /// Its settings as an issuer.
    pub issuer: Issuer,
    /// The instant at which the call is judged.
    pub now: Timestamp,
    /// Record that makes the token single-use, where it is.
    pub token: UsedToken,
}

/// Refusal of a call, or a failure.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The token is refused.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

by_display!(CallError);

impl Authentication<'_> {
    /// Checks a call's token, in the order of `docs/contract.md#token-checks`: form, client and signature, expiry, claims,
    /// permission.
    ///
    /// # Errors
    /// [`CallError`]. A client that is no issuer is refused.
    pub async fn authenticate(&self, call: ApiCall<'_>, purpose: CallPurpose) -> Result<Caller, CallError> {
        let now = self.clock.now();
        let token = call.token.ok_or(TokenError::InvalidParameters(
            "no token in the header Authorization",
        ))?;
        let token = UnverifiedToken::parse(token)?;
        let client = self
            .clients
            .by_id(token.issuer())
            .await?
            .ok_or(TokenError::AccessDenied("unknown client"))?;
        let verified = token.verify(&client, now, self.rules)?;
        let claims = CallClaims::read(&verified, purpose, call.request)?;
        let issuer = client
            .issuer
            .clone()
            .filter(|_| self.serves_issuers)
            .ok_or(TokenError::AccessDenied("client is no issuer"))?;
        let token = verified.single_use(claims.expires_at);
        Ok(Caller {
            client,
            issuer,
            now,
            token,
        })
    }
}
