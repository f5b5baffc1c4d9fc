//! Acceptance of a batch (`docs/contract.md#batch-request`).
//!
//! The JWE is stored first, under a name with the body's hash, then the batch in one transaction. A process that dies in
//! between leaves a JWE that nobody knows, which the bucket's own expiry deletes; the client got no answer and repeats.
//!
//! A stored batch past its retention takes no part in an answer. Its id is free once the purge has deleted it.
//!
//! Tests: `shared/enrollment/tests/flows/batch_accept.rs` over the model of the stores.

use jiff::SignedDuration;

use super::{named, wake};
use crate::batch::{Batch, BatchFault, BatchId, BatchRequest, BatchStage, BodyHash, MAX_BODY};
use crate::flows::call::{ApiCall, Authentication, CallError};
use crate::identifiers::IncidentId;
use crate::log::{info, warn};
use crate::ports::{Acceptance, BatchContents, Batches, ContentName, StoreError, Wakeups, Work};
use crate::token::{CallPurpose, TokenError};

/// Ports of an acceptance.
pub struct AcceptBatch<'a> {
    /// Check of the caller.
    pub authentication: Authentication<'a>,
    /// Batches.
    pub batches: &'a dyn Batches,
    /// JWEs.
    pub contents: &'a dyn BatchContents,
    /// Wake-ups of the submission.
    pub wakeups: &'a dyn Wakeups,
    /// Names of Mastercard's keys that a JWE may name.
    pub key_ids: &'a [String],
}

/// Refusal of a batch, or a failure. Nothing is kept.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The body is longer than [`MAX_BODY`].
    #[error("the body is too long")]
    TooLarge,
    /// The token is refused.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The request has faults, here all of them.
    #[error("the request has faults")]
    Faults(Vec<BatchFault>),
    /// Another body was accepted under the same `externalBatchId`.
    #[error("another body was accepted under the same externalBatchId")]
    Conflict,
    /// A batch past its retention is stored under the id. It answers no call any more, and the purge will delete it.
    #[error("a batch past its retention is not deleted yet")]
    Expired,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<CallError> for AcceptError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Token(error) => Self::Token(error),
            CallError::Store(error) => Self::Store(error),
        }
    }
}

impl AcceptBatch<'_> {
    /// Accepts a batch, or gives the one that was accepted before with the same body. `incident` becomes the batch's.
    ///
    /// # Errors
    /// [`AcceptError`].
    pub async fn accept(&self, call: ApiCall<'_>, incident: IncidentId) -> Result<Batch, AcceptError> {
        let body = call.request.body;
        if body.len() > MAX_BODY {
            return Err(AcceptError::TooLarge);
        }
        let caller = self.authentication.authenticate(call, CallPurpose::Batch).await?;
        let request = BatchRequest::parse(body, &caller.client, self.key_ids).map_err(AcceptError::Faults)?;
        let retention = caller.issuer.retention();
        let batch = Batch {
            id: BatchId::derive(&caller.client.id, &request.external_id),
            client: caller.client.id.clone(),
            external_id: request.external_id,
            body_hash: BodyHash::of(body),
            manifest: request.manifest,
            confirmation_url: request.confirmation_url,
            issuer: caller.issuer,
            incident,
            accepted_at: caller.now,
            stage: BatchStage::Accepted,
        };
        // A repeat of a batch that is final must not bring its JWE back.
        if let Some(stored) = self.batches.batch(batch.id).await? {
            return answer_of(stored, &batch, retention);
        }
        self.contents.put(batch.content_name(), &request.data).await?;
        match self.batches.accept(&batch).await? {
            Acceptance::Created => {
                info!(
                    client = batch.client,
                    batch = batch.id,
                    cards = batch.manifest.card_count(),
                    "batch accepted"
                );
                let due = named(&batch);
                wake(self.wakeups, Work::BatchSubmissions(&due), SignedDuration::ZERO).await;
                Ok(batch)
            }
            Acceptance::Existing(stored) => {
                self.discard_refused(&stored, batch.content_name()).await;
                answer_of(*stored, &batch, retention)
            }
        }
    }

    /// Deletes the JWE of a request that came second, unless the first one's has the same name.
    async fn discard_refused(&self, stored: &Batch, refused: ContentName<'_>) {
        if stored.content_name() == refused {
            return;
        }
        if let Err(error) = self.contents.delete(refused).await {
            warn!(
                error,
                "encrypted data of a refused batch not deleted, the bucket's expiry does it"
            );
        }
    }
}

/// The stored batch, where it is not past its retention and its body is that of the request.
fn answer_of(stored: Batch, requested: &Batch, retention: SignedDuration) -> Result<Batch, AcceptError> {
    if stored.is_expired(requested.accepted_at, retention) {
        Err(AcceptError::Expired)
    } else if stored.body_hash == requested.body_hash {
        Ok(stored)
    } else {
        Err(AcceptError::Conflict)
    }
}
