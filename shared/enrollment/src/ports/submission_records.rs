//! Reads of a submission, each in one call of the store.

use std::sync::Arc;

use async_trait::async_trait;

use super::store_error::StoreError;
use crate::client::Client;
use crate::identifiers::{IntentId, SessionId};
use crate::intent::{Card, CardCount, Intent};
use crate::limits::Counters;
use crate::session::Session;

/// Selection of the records that a new submission needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContextQuery {
    /// Whether the limits are looked at.
    pub counters: bool,
    /// The card that is to go, as the page names it.
    pub card: Option<IntentId>,
}

/// Records that decide about a new submission.
#[derive(Debug, Clone, PartialEq)]
pub struct SubmissionContext {
    /// The session's client; `None` where it is not set up.
    pub client: Option<Arc<Client>>,
    /// The counters; empty where they were not wanted.
    pub counters: Counters,
    /// Counts of the customer's cards in the program.
    pub count: CardCount,
    /// The card that was wanted, whatever its state; `None` where the customer has none of that name in the program.
    pub card: Option<Card>,
}

/// Reads of a submission: each takes one call of the store, however many tables it reads.
///
/// Nothing that is read together is of one instant. A submission that begins is decided again by the conditions of
/// [`super::Intents::begin`]; before a refusal, what refuses it is read once more where another call may have changed it.
#[async_trait]
pub trait SubmissionRecords: Send + Sync {
    /// A session, as [`super::Sessions::find`] gives it, and its intent of that name, as [`super::Intents::intent`] does. `None`
    /// where there is no such session.
    async fn session_and_intent(
        &self,
        session: SessionId,
        intent: IntentId,
    ) -> Result<Option<(Session, Option<Intent>)>, StoreError>;
    /// Records that decide about a new submission of the session.
    async fn context(&self, session: &Session, wanted: ContextQuery)
    -> Result<SubmissionContext, StoreError>;
}
