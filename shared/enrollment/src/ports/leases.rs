//! Leases on intents: one process at a time calls MRS for an intent.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store_error::StoreError;
use crate::identifiers::{IntentId, Ranac};
use crate::intent::Intent;

/// Result of a look at an intent, stored with the release of its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reschedule {
    /// Time from which the intent is due again.
    pub next: Timestamp,
    /// New [`crate::intent::Inquiry::unanswered_at`].
    pub unanswered_at: Option<Timestamp>,
    /// New [`crate::intent::Inquiry::unknown_since`].
    pub unknown_since: Option<Timestamp>,
}

/// Leases on intents, and what their holders record.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Acquires the lease on an intent that is due at `now`, until `until` or [`Self::release`], and stores a call of unknown
    /// outcome made at `now`. Returns the intent as it was before that; `None` where another process has the lease, the
    /// intent is not due, or nothing is left to do.
    async fn acquire(
        &self,
        id: IntentId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Intent>, StoreError>;
    /// Releases a lease that was acquired until `until`, and stores `reschedule`. Returns false, and stores nothing, where another
    /// process has the lease by now or nothing is left to do.
    async fn release(
        &self,
        id: IntentId,
        until: Timestamp,
        reschedule: Reschedule,
    ) -> Result<bool, StoreError>;
    /// Stores the RANACs that MRS listed under the customer's number before the enrollment call.
    async fn record_present(&self, intent: &Intent, ranacs: &[Ranac]) -> Result<(), StoreError>;
}
