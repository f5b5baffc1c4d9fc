//! Batches of cards that an issuer enrolls (`docs/contract.md#batch-enrollment`).
//!
//! The cards themselves are one JWE that the issuer encrypted for Mastercard, [`EncryptedEnrollmentData`]: it is unreadable
//! here and passed on unchanged. Everything else is about the ids of the [`Manifest`].
//!
//! - [`BatchRequest`] is what a client sends, [`BatchFault`] each fault of it.
//! - [`Batch`] is the stored record. It moves through [`BatchStage`] in one direction only.
//! - [`BatchAnswer`] is what Mastercard answers, [`evaluate`] what follows from it for each card.

mod answer;
mod evaluation;
mod fault;
mod foreign;
mod identifiers;
mod jwe_header;
mod manifest;
mod reasons;
mod request;
mod result;
mod stage;
mod view;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::client::Issuer;
use crate::confirmation::{Confirmation, SubjectId};
use crate::identifiers::{ClientId, IncidentId};
use crate::ports::ContentName;
use crate::time::later;

pub use answer::{AnswerItem, AnswerStatus, BatchAnswer, ItemOutcome};
pub use evaluation::{Evaluation, evaluate};
pub use fault::{BatchFault, FaultKind, MAX_FAULTS};
pub use foreign::{FlowId, MastercardBatchId, ReasonCode, SrcConsumerId, SrcDigitalCardId};
pub use identifiers::{BatchId, BodyHash, ExternalBatchId, ExternalCardId, ExternalConsumerId};
pub use manifest::{Manifest, Profile};
pub use reasons::retry_advice;
pub use request::{BatchRequest, EncryptedEnrollmentData, MAX_BODY, MAX_CARDS};
pub use result::{BatchReason, BatchResult, CardResult, Counts, RetryAdvice};
pub use stage::{BatchStage, BatchWork, Submission};

/// Duration of a lease on a batch: longer than a function may run.
pub const BATCH_LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Time for which the JWE is kept after the batch's end.
pub const CONTENT_KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Stored record of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Id, which follows from client and external id.
    pub id: BatchId,
    /// Client that sent it.
    pub client: ClientId,
    /// Client's own id of it, which Mastercard gets too.
    pub external_id: ExternalBatchId,
    /// SHA-256 of the request's body. It decides whether a repeat is the same batch, and names the stored JWE.
    pub body_hash: BodyHash,
    /// Ids of profiles and cards.
    pub manifest: Manifest,
    /// Address for the confirmation.
    pub confirmation_url: Option<Url>,
    /// Issuer's settings at the time of acceptance. A change of the client file applies to later batches.
    pub issuer: Issuer,
    /// Incident id of the request, under which log lines are found.
    pub incident: IncidentId,
    /// Time at which it was accepted. The maximum age counts from it.
    pub accepted_at: Timestamp,
    /// Stage.
    pub stage: BatchStage,
}

impl Batch {
    /// Returns the name that its JWE is stored under.
    pub fn content_name(&self) -> ContentName<'_> {
        ContentName {
            client: &self.client,
            batch: self.id,
            body_hash: self.body_hash,
        }
    }

    /// Returns the time at which the batch ends without an answer.
    pub fn expires_at(&self) -> Timestamp {
        later(self.accepted_at, self.issuer.max_age())
    }

    /// Whether the batch ended `retention` ago or earlier. It is invisible then, whether or not the purge has deleted it.
    pub fn is_expired(&self, at: Timestamp, retention: SignedDuration) -> bool {
        self.result()
            .is_some_and(|result| at >= later(result.at, retention))
    }

    /// Returns the result of a batch that is final.
    pub fn result(&self) -> Option<&BatchResult> {
        match &self.stage {
            BatchStage::Final(result) => Some(result),
            _ => None,
        }
    }

    /// Returns Mastercard's acknowledgment, where there was one.
    pub fn submission(&self) -> Option<&Submission> {
        match &self.stage {
            BatchStage::Accepted | BatchStage::Submitting { .. } => None,
            BatchStage::Submitted(submission) => Some(submission),
            BatchStage::Final(result) => result.submission.as_ref(),
        }
    }

    /// Returns the flow id that goes back with every later call.
    pub fn flow(&self) -> Option<&FlowId> {
        match &self.stage {
            BatchStage::Submitting { flow, .. } => flow.as_ref(),
            _ => self.submission()?.flow.as_ref(),
        }
    }

    /// Whether the batch names a consumer.
    pub fn names(&self, consumer: &ExternalConsumerId) -> bool {
        self.manifest
            .profiles
            .iter()
            .any(|profile| profile.consumer == *consumer)
    }

    /// Returns the kind of work that is left; `None` where nothing is.
    pub fn work(&self) -> Option<BatchWork> {
        self.stage.work()
    }

    /// Returns the confirmation of a batch that is final, where the client asked for one.
    pub fn confirmation(&self) -> Option<Confirmation> {
        let result = self.result()?;
        let url = self.confirmation_url.clone()?;
        let body = view::confirmation(self, result);
        Some(Confirmation::with_body(
            SubjectId::from(self),
            self.client.clone(),
            url,
            result.status,
            body,
        ))
    }

    /// Returns the JSON that `POST /company/enroll_batch` answers: `{batchId, externalBatchId}`.
    pub fn acceptance_json(&self) -> String {
        view::acceptance(self)
    }

    /// Returns the batch without a consumer and the consumer's cards.
    #[must_use]
    pub fn without(&self, consumer: &ExternalConsumerId) -> Self {
        let mut batch = self.clone();
        if let BatchStage::Final(result) = &mut batch.stage {
            let kept = self
                .manifest
                .cards()
                .map(|(profile, _)| profile.consumer != *consumer);
            let kept: Vec<bool> = kept.collect();
            let mut kept = kept.into_iter();
            result.cards.retain(|_| kept.next().unwrap_or(false));
        }
        batch
            .manifest
            .profiles
            .retain(|profile| profile.consumer != *consumer);
        batch
    }

    /// Returns the JSON that `GET /company/enroll_batch/{batchId}` answers (`docs/contract.md#batch-results`).
    pub fn to_json(&self) -> String {
        view::of(self)
    }
}
