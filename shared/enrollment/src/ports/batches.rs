//! Batches that issuers enroll.

use async_trait::async_trait;
use jiff::Timestamp;

use super::listing::{Cursor, Page};
use super::record::RecordedConfirmation;
use super::store_error::StoreError;
use crate::batch::{Batch, BatchId, BatchWork, ExternalConsumerId};
use crate::identifiers::ClientId;

/// Result of [`Batches::accept`].
#[derive(Debug, Clone, PartialEq)]
pub enum Acceptance {
    /// The batch is stored.
    Created,
    /// A batch with this id is stored already. Nothing was changed.
    Existing(Box<Batch>),
}

/// Release of a lease, stored together with a batch's new stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseEnd {
    /// The caller keeps the lease.
    Kept,
    /// The lease ends, and the batch is due at this time.
    Released(Timestamp),
}

/// Batch that has work left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueBatch {
    /// Id of the batch.
    pub id: BatchId,
    /// Client that sent it.
    pub client: ClientId,
    /// Kind of work.
    pub work: BatchWork,
    /// Time at which it was accepted.
    pub accepted_at: Timestamp,
    /// Time from which it is due, or at which its lease expires.
    pub due_at: Timestamp,
    /// Time from which it has been due. A lease does not move it: only work that was done does.
    pub due_since: Timestamp,
}

/// Batches, from acceptance to end.
///
/// Every open batch is due at a time, and so is a final one whose JWE is still stored. A write under a lease counts only
/// while the lease is the caller's: a late one changes nothing and gives false.
#[async_trait]
pub trait Batches: Send + Sync {
    /// Stores a new batch in stage [`Accepted`](crate::batch::BatchStage::Accepted), due at its `accepted_at`, in one
    /// transaction. A batch with the same id is not overwritten; it is read consistently.
    async fn accept(&self, batch: &Batch) -> Result<Acceptance, StoreError>;
    /// Reads a batch, consistently; `None` where there is none.
    async fn batch(&self, id: BatchId) -> Result<Option<Batch>, StoreError>;
    /// Lists batches with work left that are due by `until`, earliest first, at most about `limit`. The index lags.
    async fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<DueBatch>, StoreError>;
    /// Acquires the lease on a batch that is due at `now` for `work`, until `until`. `None` where it is not due, another
    /// process has the lease, or the work is of another kind.
    async fn acquire(
        &self,
        id: BatchId,
        work: BatchWork,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Batch>, StoreError>;
    /// Stores the stage of a batch that is not final, under the lease acquired until `lease`. False where it is lost.
    async fn update(&self, batch: &Batch, lease: Timestamp, end: LeaseEnd) -> Result<bool, StoreError>;
    /// Stores the end of a batch, under the lease acquired until `lease`, in one transaction
    ///
    /// - stage and results,
    /// - the confirmation that [`Batch::confirmation`] gives, due at once,
    /// - the deletion of the JWE as due at `result.at` + [`CONTENT_KEPT`](crate::batch::CONTENT_KEPT).
    ///
    /// False where the lease is lost. A repeated call of the same end changes nothing and gives true.
    async fn finish(&self, batch: &Batch, lease: Timestamp) -> Result<bool, StoreError>;
    /// Marks the JWE of a final batch as deleted: nothing is left to do. A repeated call changes nothing.
    async fn content_discarded(&self, id: BatchId) -> Result<(), StoreError>;
    /// Makes an open batch due at `at`, whoever has its lease. For a batch that can't be read: it has been due since the same
    /// time as before.
    async fn postpone(&self, id: BatchId, at: Timestamp) -> Result<(), StoreError>;
}

/// Final batch, as a purge and an erasure see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedBatch {
    /// Id of the batch.
    pub id: BatchId,
    /// Client that sent it.
    pub client: ClientId,
    /// Time of its end.
    pub ended_at: Timestamp,
    /// Its confirmation, where it has one.
    pub confirmation: Option<RecordedConfirmation>,
}

/// Rows of batches: purge, export and erasure.
#[async_trait]
pub trait BatchRecords: Send + Sync {
    /// Lists a client's batches that ended by `until`, oldest first within a page. At most about `limit`.
    async fn ended(
        &self,
        client: &ClientId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<EndedBatch>, StoreError>;
    /// Deletes a final batch with its confirmation. False where its JWE is still stored, since nothing else knows its name, or
    /// its confirmation is not as it was read any more. An undelivered confirmation is named in the client's audit trail.
    async fn remove(&self, batch: &EndedBatch) -> Result<bool, StoreError>;
    /// Lists a client's batches that name a consumer, in any stage. Reads all the client's batches.
    async fn batches_of(
        &self,
        client: &ClientId,
        consumer: &ExternalConsumerId,
    ) -> Result<Vec<Batch>, StoreError>;
    /// Removes a consumer from a final batch, as [`Batch::without`] does, and what Mastercard last wrote about it. Writes of
    /// others at the same time are kept. False where the batch is not there, is not final, or does not name the consumer.
    async fn redact(&self, id: BatchId, consumer: &ExternalConsumerId) -> Result<bool, StoreError>;
}
