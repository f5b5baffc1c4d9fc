//! Answers to a submission, and the errors of one that is not accepted.

use jiff::Timestamp;

use super::super::submission::FieldError;
use crate::action::ActionCode;
use crate::clock::Clock;
use crate::ending::Ending;
use crate::identifiers::IncidentId;
use crate::intent::Intent;
use crate::ports::{Sessions, StoreError};
use crate::reason::Reason;
use crate::session::{MAX_FAILURES, Session};
use crate::status::Status;

/// Answer to a submission.
#[derive(Debug, PartialEq)]
pub enum SubmitResponse {
    /// The submission has its outcome, or was refused before MRS was asked.
    Ended {
        /// Event that the page shows and emits.
        ending: Ending,
        /// Incident id that the customer is shown after a failure. A repeat gets that of the first call.
        incident: IncidentId,
        /// Number of submissions that may still be tried.
        attempts_left: u32,
        /// Reason, where the customer is told more than the event says.
        reason: Option<Reason>,
    },
    /// The outcome is open: the page repeats the call.
    Open,
}

/// Reason for which a submission is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The session is unknown, expired or used up.
    #[error("session is unknown, expired or used up")]
    SessionEnded,
    /// The session's client was suspended.
    #[error("client is suspended")]
    Suspended,
    /// The session was opened for another action.
    #[error("session is for another action")]
    WrongAction(ActionCode),
    /// Fields are invalid; nothing was done.
    #[error("submission has {} invalid fields", .0.len())]
    Invalid(Vec<FieldError>),
    /// Another submission of the session is open.
    #[error("another attempt of the session is open")]
    AttemptOpen,
    /// The idempotency key was used for another submission.
    #[error("idempotency key was used for another submission")]
    KeyReused,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SubmitResponse {
    /// Answer from an intent, whose session is read if another try may be offered.
    pub(in crate::flows) async fn of(
        intent: &Intent,
        sessions: &dyn Sessions,
        clock: &dyn Clock,
    ) -> Result<Self, StoreError> {
        let session = if may_try_again(intent) {
            sessions.find(intent.session).await?
        } else {
            None
        };
        Ok(Self::of_session(intent, session.as_ref(), clock.now()))
    }

    /// Answer from an intent and the session as it stands after the intent.
    pub(super) fn of_session(intent: &Intent, session: Option<&Session>, now: Timestamp) -> Self {
        let Some(ending) = intent.page_ending(now) else {
            return Self::Open;
        };
        let (attempts_left, reason) = match session.filter(|_| may_try_again(intent)) {
            Some(session) if session.is_usable(now) => (session.attempts_left(), None),
            Some(session) if session.failures >= MAX_FAILURES => (0, Some(Reason::LastTry)),
            _ => (0, None),
        };
        Self::Ended {
            ending,
            incident: intent.incident.clone(),
            attempts_left,
            reason,
        }
    }

    /// Answer to a submission that is refused before MRS is asked. There is no intent, and so no confirmation.
    pub(in crate::flows) fn refused(
        session: &Session,
        status: Status,
        incident: IncidentId,
        attempts_left: u32,
        reason: Reason,
    ) -> Self {
        Self::Ended {
            ending: Ending {
                customer: Some(session.customer.clone()),
                ..Ending::bare(status)
            },
            incident,
            attempts_left,
            reason: Some(reason),
        }
    }
}

/// Whether another try may be offered: the intent has failed.
fn may_try_again(intent: &Intent) -> bool {
    !intent.is_open() && !intent.is_success()
}
