//! Life-cycle records of enrolled cards.

use async_trait::async_trait;
use jiff::Timestamp;

use super::listing::{Cursor, Page};
use super::store_error::StoreError;
use crate::batch::{ExternalCardId, ExternalConsumerId};
use crate::digital_card::{DigitalCard, DigitalCardKey};
use crate::identifiers::ClientId;

/// Card with a deletion that Mastercard has yet to agree to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDeletion {
    /// Key of the record.
    pub key: DigitalCardKey,
    /// Client that enrolled the card.
    pub client: ClientId,
    /// Time of the request, for the age of the oldest.
    pub requested_at: Timestamp,
    /// Time from which it is due, or at which its lease expires.
    pub due_at: Timestamp,
}

/// Life-cycle records of enrolled cards, unique for each client and card.
///
/// Two records of the same card are ordered by [`DigitalCard::over`]. A write under a lease counts only while the lease is
/// the caller's.
#[async_trait]
pub trait DigitalCards: Send + Sync {
    /// Stores records of a batch, each by itself: a new one as it is, one over a stored one as [`DigitalCard::over`] gives it
    /// (which may be due for a deletion at `enrolled_at`), in a conditional write. A repeated call changes nothing.
    async fn record(&self, cards: &[DigitalCard]) -> Result<(), StoreError>;
    /// Reads a card, consistently.
    async fn card(&self, client: &ClientId, card: &ExternalCardId)
    -> Result<Option<DigitalCard>, StoreError>;
    /// Lists all cards of a consumer, in any state. The index lags: a card that was recorded a moment ago may be missing.
    async fn cards_of(
        &self,
        client: &ClientId,
        consumer: &ExternalConsumerId,
    ) -> Result<Vec<DigitalCard>, StoreError>;
    /// Marks an enrolled card as to be deleted, due at `at`. Gives the record as it is stored afterwards: one whose deletion is
    /// pending or done is left as it is. `None` where there is no such card.
    async fn request_deletion(
        &self,
        client: &ClientId,
        card: &ExternalCardId,
        at: Timestamp,
    ) -> Result<Option<(DigitalCardKey, DigitalCard)>, StoreError>;
    /// Lists deletions that are due by `until`, earliest first, at most about `limit`. The index lags.
    async fn due_deletions(&self, until: Timestamp, limit: usize) -> Result<Vec<DueDeletion>, StoreError>;
    /// Acquires the lease on a deletion that is due at `now`, until `until`. `None` where nothing is due.
    async fn acquire(
        &self,
        key: &DigitalCardKey,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<DigitalCard>, StoreError>;
    /// Stores state and superseded ids of a card under the lease acquired until `lease`, and releases it. Where
    /// [`DigitalCard::has_due_deletion`], it is due at `next`. False where the lease is lost, or another batch's success was
    /// stored meanwhile: then the record is due at once.
    async fn update(&self, card: &DigitalCard, lease: Timestamp, next: Timestamp)
    -> Result<bool, StoreError>;
    /// Lists a client's cards that were deleted by `until`, oldest first within a page. At most about `limit`.
    async fn deleted(
        &self,
        client: &ClientId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<DigitalCardKey>, StoreError>;
    /// Deletes a record for good, where the card was deleted by `until`. False where it was not, or is not there.
    async fn remove(&self, key: &DigitalCardKey, until: Timestamp) -> Result<bool, StoreError>;
    /// Deletes a record in any state, for an erasure on request. False where it is not there.
    async fn erase(&self, client: &ClientId, card: &ExternalCardId) -> Result<bool, StoreError>;
}
