//! Intents: begun, ended, cleaned up.

use async_trait::async_trait;
use jiff::Timestamp;

use super::put::Put;
use super::store_error::StoreError;
use crate::identifiers::IntentId;
use crate::intent::{CardCount, Intent};

/// Reason why an intent can't begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BeginError {
    /// The session has an open attempt, has ended, or has another number of failures than expected.
    #[error("the session can't begin an attempt")]
    SessionBusy,
    /// The customer has changed since its counts were read.
    #[error("the customer has changed")]
    CustomerChanged,
    /// The card to replace or to opt out is not active, or not there.
    #[error("the card is not active")]
    CardTaken,
}

/// Intents and the transactions that begin and end them.
#[async_trait]
pub trait Intents: Send + Sync {
    /// Reads an intent; `None` where there is none.
    async fn intent(&self, id: IntentId) -> Result<Option<Intent>, StoreError>;
    /// Stores a new intent. One transaction
    ///
    /// - stores the intent with a lease of [`crate::intent::INTENT_LEASE`] for the caller,
    /// - makes it the session's open attempt: the session must have none, be alive at `intent.created_at`, not be used up,
    ///   and have had `failures` failed submissions,
    /// - counts it as open at the customer, whose version must be that of `count`,
    /// - locks the card that it replaces or opts out, which must be active.
    async fn begin(
        &self,
        intent: &Intent,
        count: CardCount,
        failures: u32,
    ) -> Result<Result<Put, BeginError>, StoreError>;
    /// Stores the outcome of an intent. One transaction
    ///
    /// - stores `intent.outcome`,
    /// - closes the session's attempt: a failure counts, a success ends the session,
    /// - no longer counts the intent as open at the customer,
    /// - stores the confirmation that [`Intent::confirmation`] gives,
    /// - on success stores a new card with its consents, and cancels the old one; on failure unlocks the old one.
    async fn finish(&self, intent: &Intent) -> Result<Put, StoreError>;
    /// Marks the cleanup of an intent as done: MRS has no card any more that the intent left there. A replaced card is
    /// cancelled at `at`. A repeated call changes nothing.
    async fn complete_cleanup(&self, intent: &Intent, at: Timestamp) -> Result<(), StoreError>;
}
