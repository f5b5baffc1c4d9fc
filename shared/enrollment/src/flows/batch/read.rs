//! Reads of a batch by its owner.
//!
//! Tests: `shared/enrollment/tests/flows/batch_accept.rs` over the model of the stores.

use crate::batch::{Batch, BatchId};
use crate::flows::call::{ApiCall, Authentication, CallError};
use crate::ports::Batches;
use crate::token::CallPurpose;

/// Ports of a read.
pub struct ReadBatch<'a> {
    /// Check of the caller.
    pub authentication: Authentication<'a>,
    /// Batches.
    pub batches: &'a dyn Batches,
}

impl ReadBatch<'_> {
    /// Reads a batch of the caller's. `id` is as the address has it. `None` where there is no such batch, where it is another
    /// client's, and from the day on that it is past its retention.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn read(&self, call: ApiCall<'_>, id: &str) -> Result<Option<Batch>, CallError> {
        let caller = self.authentication.authenticate(call, CallPurpose::Batch).await?;
        let Ok(id) = BatchId::parse(id) else {
            return Ok(None);
        };
        let batch = self.batches.batch(id).await?;
        let is_kept = |batch: &Batch| !batch.is_expired(caller.now, caller.issuer.retention());
        Ok(batch.filter(|batch| batch.client == caller.client.id && is_kept(batch)))
    }
}
