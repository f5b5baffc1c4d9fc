//! Index of the intents that have work left.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store_error::StoreError;
use crate::identifiers::IntentId;

/// Intent with work left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueIntent {
    /// Id of the intent.
    pub id: IntentId,
    /// Time at which the intent was stored.
    pub created_at: Timestamp,
    /// Time from which the intent is due.
    pub due_at: Timestamp,
    /// Whether work is certain: the intent has no outcome, or it replaced a card that MRS still has. After a failed
    /// enrollment it is not certain.
    pub is_open: bool,
}

/// Intents that have work left, by the time at which they are due.
#[async_trait]
pub trait DueIntents: Send + Sync {
    /// Lists intents that are due by `until`, earliest first: open ones, and ended ones that need a cleanup. Returns about
    /// `limit` at most. The index lags: a listed intent may have been completed a moment ago.
    async fn due_intents(&self, until: Timestamp, limit: usize) -> Result<Vec<DueIntent>, StoreError>;
    /// Makes an intent due at `at`, where it has work left.
    async fn reschedule(&self, id: IntentId, at: Timestamp) -> Result<(), StoreError>;
}
