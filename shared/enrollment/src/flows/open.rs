//! Opening of a session with a token (`docs/contract.md#opening`).
//!
//! Tests: `shared/enrollment/tests/flows/open.rs` over the model of the stores,
//! `tests/flows/tests/flows/{openings,forging}` over HTTP, `shared/platform/tests/storage/sessions.rs` for single use.

use std::sync::Arc;

use jiff::Timestamp;

use crate::action::ActionCode;
use crate::client::Client;
use crate::clock::Clock;
use crate::identifiers::SessionToken;
use crate::language::Language;
use crate::log::{by_display, info};
use crate::ports::{Clients, CounterKey, Limits, Put, Sessions, StoreError};
use crate::randomness::Randomness;
use crate::reason::Reason;
use crate::session::{self, Session};
use crate::status::Status;
use crate::time::later;
use crate::token::{TokenError, TokenRules, UnverifiedToken, WidgetClaims};

/// Ports of an opening.
pub struct OpenSession<'a> {
    /// Set-ups of the clients.
    pub clients: &'a dyn Clients,
    /// Sessions.
    pub sessions: &'a dyn Sessions,
    /// Counters against card testing.
    pub limits: &'a dyn Limits,
    /// Clock.
    pub clock: &'a dyn Clock,
    /// Generator of session tokens.
    pub randomness: &'a dyn Randomness,
    /// Rules for every token; a lifetime of 10 minutes (the text of `docs/sources.md#widget` wins over its example).
    pub token_rules: TokenRules<'a>,
}

/// Opened session, to which the browser is redirected.
#[derive(Debug)]
pub struct NewSession {
    /// Client whose page is shown.
    pub client: Arc<Client>,
    /// Language of the page.
    pub language: Language,
    /// Token of the session, for the fragment of the address.
    pub session: SessionToken,
}

/// Reason for which no session was opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The token was refused.
    #[error("{refusal}")]
    Refused {
        /// Row of `docs/contract.md#token-checks`.
        refusal: TokenError,
        /// Client, where the token names a known one: its page shows the failure.
        client: Option<Arc<Client>>,
    },
    /// The store failed.
    #[error("{cause}")]
    Store {
        /// Error of the store.
        cause: StoreError,
        /// Client, where it was found before that.
        client: Option<Arc<Client>>,
    },
}

by_display!(OpenError);

impl OpenError {
    /// Client whose page shows the failure.
    pub fn client(&self) -> Option<&Client> {
        match self {
            Self::Refused { client, .. } | Self::Store { client, .. } => client.as_deref(),
        }
    }

    /// Reason, where the customer is told more than the status says.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refused { refusal, .. } => refusal.reason(),
            Self::Store { .. } => None,
        }
    }

    /// Status for the partner. A failed store is reported as a failed enrollment: at most places where it can fail the token,
    /// which names the action, is not trusted yet.
    pub fn status(&self) -> Status {
        match self {
            Self::Refused { refusal, .. } => refusal.status(),
            Self::Store { .. } => Status::ErrorEnrollment,
        }
    }
}

impl OpenSession<'_> {
    /// Checks the token in the order of `docs/contract.md#token-checks` and stores a session for it.
    ///
    /// # Errors
    /// That of the first check that fails.
    pub async fn open(&self, token: &str) -> Result<NewSession, OpenError> {
        let unverified = UnverifiedToken::parse(token).map_err(|refusal| refused(refusal, None))?;
        let client = self
            .clients
            .by_id(unverified.issuer())
            .await
            .map_err(|cause| failed(cause, None))?
            .ok_or_else(|| refused(TokenError::AccessDenied("unknown client"), None))?;
        let now = self.clock.now();
        let token = unverified
            .verify(&client, now, self.token_rules)
            .map_err(|refusal| refused(refusal, Some(&client)))?;
        let claims = WidgetClaims::read(&token).map_err(|refusal| refused(refusal, Some(&client)))?;
        self.check_limits(&client, &claims, now).await?;

        let session_token = SessionToken::random(self.randomness);
        let language = client.language_for(claims.language.as_ref());
        let used = token.single_use(claims.expires_at);
        let session = Session {
            id: session_token.id(),
            client: client.id.clone(),
            program: claims.program,
            action: claims.action,
            customer: claims.customer,
            language: language.clone(),
            confirmation_url: claims.confirmation_url,
            return_url: claims.return_url,
            last4: claims.last4,
            opened_at: now,
            expires_at: later(now, session::LIFETIME),
            extensions: 0,
            failures: 0,
            open_attempt: None,
            last_attempt: None,
            finished: false,
        };
        let opened = self
            .sessions
            .open(&session, &used)
            .await
            .map_err(|cause| failed(cause, Some(&client)))?;
        match opened {
            Put::AlreadyExists => Err(refused(TokenError::Used, Some(&client))),
            Put::Created => {
                info!(
                    client = client.id,
                    program = session.program,
                    action = session.action.as_str(),
                    "session opened"
                );
                Ok(NewSession {
                    client,
                    language,
                    session: session_token,
                })
            }
        }
    }

    async fn check_limits(
        &self,
        client: &Arc<Client>,
        claims: &WidgetClaims,
        now: Timestamp,
    ) -> Result<(), OpenError> {
        // An opt-out tries no card number, and card testing must not prevent it.
        if claims.action == ActionCode::OptOut {
            return Ok(());
        }
        let counted = CounterKey {
            client: &client.id,
            program: &claims.program,
            customer: &claims.customer,
        };
        let attempts = self
            .limits
            .counters(counted)
            .await
            .map_err(|cause| failed(cause, Some(client)))?
            .attempts(now);
        let reached = client
            .program(&claims.program)
            .is_none_or(|program| attempts.reach_limit_of(program));
        if reached {
            Err(refused(TokenError::LimitReached, Some(client)))
        } else {
            Ok(())
        }
    }
}

fn refused(refusal: TokenError, client: Option<&Arc<Client>>) -> OpenError {
    OpenError::Refused {
        refusal,
        client: client.cloned(),
    }
}

fn failed(cause: StoreError, client: Option<&Arc<Client>>) -> OpenError {
    OpenError::Store {
        cause,
        client: client.cloned(),
    }
}
