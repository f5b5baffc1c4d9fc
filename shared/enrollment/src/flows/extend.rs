//! Extension of a session, for customers who need more time (`docs/contract.md#extension`; WCAG 2.2, 2.2.1 "Timing
//! Adjustable").
//!
//! Tests: `shared/enrollment/tests/flows/extend.rs` over the model of the stores, `tests/flows/tests/flows/extensions.rs`
//! over HTTP, `shared/platform/tests/storage/sessions.rs` for races.

use jiff::Timestamp;

use super::submit::{self, SubmitError};
use crate::action::ActionCode;
use crate::clock::Clock;
use crate::identifiers::SessionToken;
use crate::log::info;
use crate::ports::{Clients, Sessions, StoreError};

/// Tries to extend a session, each of which may fail because another tab extended it.
const TRIES: usize = 5;

/// Ports of an extension.
pub struct ExtendSession<'a> {
    /// Action for which the sessions must have been opened.
    pub action: ActionCode,
    /// Set-ups of the clients.
    pub clients: &'a dyn Clients,
    /// Sessions.
    pub sessions: &'a dyn Sessions,
    /// Clock.
    pub clock: &'a dyn Clock,
}

/// New end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    /// Time at which the session ends.
    pub expires_at: Timestamp,
    /// Number of further extensions.
    pub extensions_left: u32,
}

/// Reason for which a session is not extended.
#[derive(Debug, thiserror::Error)]
pub enum ExtendError {
    /// The session would not accept a submission either.
    #[error(transparent)]
    Session(#[from] SubmitError),
    /// The session was extended as often as it may be.
    #[error("session was extended as often as it may be")]
    Exhausted,
}

impl ExtendSession<'_> {
    /// Extends a session. Neither limits nor failures change.
    ///
    /// # Errors
    /// [`ExtendError`]; then the session ends when it did.
    pub async fn extend(&self, token: &SessionToken) -> Result<Extension, ExtendError> {
        for _ in 0..TRIES {
            let session = submit::session_for(self.action, self.sessions, token).await?;
            let now = self.clock.now();
            if !session.is_usable(now) {
                return Err(SubmitError::SessionEnded.into());
            }
            submit::active_client(self.clients, &session).await?;
            let extended = session.extended(now).ok_or(ExtendError::Exhausted)?;
            let stored = self.sessions.extend(&extended, now).await;
            if stored.map_err(SubmitError::from)? {
                info!(extensions = extended.extensions, "session extended");
                return Ok(Extension {
                    expires_at: extended.expires_at,
                    extensions_left: extended.extensions_left(),
                });
            }
        }
        Err(SubmitError::from(StoreError::unavailable(
            "extending a session",
            "other calls extend it at the same time",
        ))
        .into())
    }
}
