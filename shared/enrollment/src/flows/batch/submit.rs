//! Submission of a batch to Mastercard (`docs/contract.md#batch-submission`).
//!
//! At most one process submits a batch: the one that has its lease. Before each call the batch is stored as one that
//! Mastercard may have, and after it what the answer says. An answer that never came is settled by sending the same call
//! again: **Mastercard is assumed to take `externalBatchId` as idempotency key**, so that the repeat gives the same
//! `batchId` and enrolls nothing twice. No public document says so. If the assumption is wrong, a lost answer (not a
//! refusal, not a failed connection) may enroll the cards of one batch twice, which Click to Pay de-duplicates at checkout.
//!
//! Tests: `shared/enrollment/tests/flows/batch_submit.rs` over the model of the stores.

use jiff::{SignedDuration, Timestamp};

use super::{RecordResults, named, postpone_unreadable, shared_pause, wake};
use crate::batch::{
    BATCH_LEASE, Batch, BatchId, BatchReason, BatchStage, BatchWork, CardResult, EncryptedEnrollmentData,
    ReasonCode, Submission, retry_advice,
};
use crate::clock::Clock;
use crate::log::{info, warn};
use crate::ports::{
    Acknowledgment, BatchContents, BatchSubmission, Batches, IssuerEnrollment, IssuerEnrollmentError,
    LeaseEnd, Pacing, Permit, StoreError, Wakeups, Work,
};
use crate::randomness::Randomness;
use crate::time::later;

/// Wait after the first call that was not taken. It doubles with each.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(5);
/// Longest wait between two calls, unless Mastercard asks for a longer one.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// Spread of the batches that wait for a token, so that they do not all come back at the same moment.
const PACING_SPREAD: SignedDuration = SignedDuration::from_secs(5);

/// Ports of a submission.
pub struct SubmitBatch<'a> {
    /// Batches.
    pub batches: &'a dyn Batches,
    /// JWEs.
    pub contents: &'a dyn BatchContents,
    /// Mastercard.
    pub issuer_enrollment: &'a dyn IssuerEnrollment,
    /// Agreed rate of calls.
    pub pacing: &'a dyn Pacing,
    /// Wake-ups of polls, confirmations and further submissions.
    pub wakeups: &'a dyn Wakeups,
    /// Clock.
    pub clock: &'a dyn Clock,
    /// Generator of jitter.
    pub randomness: &'a dyn Randomness,
}

/// Result of [`SubmitBatch::submit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmitReport {
    /// Nothing was due, or another process has the lease.
    NotDue,
    /// Mastercard has the batch.
    Submitted,
    /// The batch is due again later.
    Postponed,
    /// The batch has ended.
    Ended,
}

impl SubmitBatch<'_> {
    /// Submits a batch that is due.
    ///
    /// # Errors
    /// If the store fails. The batch is due again when its lease expires.
    pub async fn submit(&self, id: BatchId) -> Result<SubmitReport, StoreError> {
        let submitted = self.submit_due(id).await;
        postpone_unreadable(self.batches, self.clock, id, &submitted).await;
        submitted
    }

    async fn submit_due(&self, id: BatchId) -> Result<SubmitReport, StoreError> {
        let now = self.clock.now();
        let lease = later(now, BATCH_LEASE);
        let acquired = self.batches.acquire(id, BatchWork::Submit, now, lease).await?;
        let Some(mut batch) = acquired else {
            return Ok(SubmitReport::NotDue);
        };
        if now >= batch.expires_at() {
            let card = never_submitted_or_unknown(&batch);
            return self.end(batch, BatchReason::Expired, &card, lease).await;
        }
        if let Permit::NotBefore(at) = self.pacing.take(now).await? {
            let at = later(at, self.jitter(PACING_SPREAD));
            return self.postpone(batch, at, lease).await;
        }
        let Some(data) = self.contents.get(batch.content_name()).await? else {
            let card = never_submitted_or_unknown(&batch);
            return self.end(batch, BatchReason::ContentLost, &card, lease).await;
        };
        let flow = batch.flow().cloned();
        let (attempts, had_unanswered_call) = match batch.stage {
            BatchStage::Submitting {
                attempts,
                has_unanswered_call,
                ..
            } => (attempts, has_unanswered_call),
            _ => (0, false),
        };
        batch.stage = BatchStage::Submitting {
            attempts: attempts.saturating_add(1),
            has_unanswered_call: true,
            flow,
        };
        if !self.batches.update(&batch, lease, LeaseEnd::Kept).await? {
            return Ok(SubmitReport::NotDue);
        }
        let answer = self.call(&batch, &data).await;
        self.record(batch, answer, had_unanswered_call, lease).await
    }

    async fn call(
        &self,
        batch: &Batch,
        data: &EncryptedEnrollmentData,
    ) -> Result<Acknowledgment, IssuerEnrollmentError> {
        let submission = BatchSubmission {
            src_client_id: &batch.issuer.src_client_id,
            service_id: &batch.issuer.service_id,
            external_id: &batch.external_id,
            flow: batch.flow(),
            data,
            incident: &batch.incident,
        };
        self.issuer_enrollment.submit(submission).await
    }

    /// Stores what an answer says. `had_unanswered_call` tells of calls before this one.
    async fn record(
        &self,
        mut batch: Batch,
        answer: Result<Acknowledgment, IssuerEnrollmentError>,
        had_unanswered_call: bool,
        lease: Timestamp,
    ) -> Result<SubmitReport, StoreError> {
        let error = match answer {
            Ok(acknowledgment) => return self.acknowledge(batch, acknowledgment, lease).await,
            Err(error) => error,
        };
        warn!(
            error,
            client = batch.client,
            batch = batch.id,
            incident = batch.incident,
            "submission of a batch failed"
        );
        let now = self.clock.now();
        let is_answered = match &error {
            IssuerEnrollmentError::NotSent(_) => true,
            IssuerEnrollmentError::Repeatable {
                retry_after,
                is_throttled,
                ..
            } => {
                if *is_throttled {
                    self.pacing.pause(later(now, shared_pause(*retry_after))).await?;
                }
                true
            }
            IssuerEnrollmentError::Unknown { .. } => false,
            IssuerEnrollmentError::NotFound => {
                let reason = ReasonCode::of("NOT_FOUND");
                return self.refuse(batch, reason, 404, had_unanswered_call, lease).await;
            }
            IssuerEnrollmentError::Refused { reason, http_status } => {
                let (reason, status) = (reason.clone(), *http_status);
                return self
                    .refuse(batch, reason, status, had_unanswered_call, lease)
                    .await;
            }
        };
        if let BatchStage::Submitting {
            has_unanswered_call,
            flow,
            ..
        } = &mut batch.stage
        {
            *has_unanswered_call = !is_answered || had_unanswered_call;
            *flow = flow.take().or_else(|| error.flow().cloned());
        }
        let wait = error.retry_after().unwrap_or_default();
        let at = later(now, wait.max(self.backoff(&batch)));
        self.postpone(batch, at, lease).await
    }

    async fn acknowledge(
        &self,
        mut batch: Batch,
        acknowledgment: Acknowledgment,
        lease: Timestamp,
    ) -> Result<SubmitReport, StoreError> {
        let now = self.clock.now();
        batch.stage = BatchStage::Submitted(Submission {
            batch: acknowledgment.batch,
            flow: batch.flow().cloned().or(acknowledgment.flow),
            at: now,
            polls: 0,
        });
        let interval = batch.issuer.poll_interval();
        let due = later(now, interval).min(batch.expires_at());
        if !self
            .batches
            .update(&batch, lease, LeaseEnd::Released(due))
            .await?
        {
            return Ok(SubmitReport::NotDue);
        }
        info!(
            client = batch.client,
            batch = batch.id,
            incident = batch.incident,
            "batch submitted"
        );
        wake(
            self.wakeups,
            Work::BatchPolls(&named(&batch)),
            due.duration_since(now),
        )
        .await;
        Ok(SubmitReport::Submitted)
    }

    /// Ends a batch that Mastercard refused. An earlier call whose answer was lost may have been taken all the same: then
    /// nothing is known of the cards.
    async fn refuse(
        &self,
        batch: Batch,
        reason: ReasonCode,
        http_status: u16,
        had_unanswered_call: bool,
        lease: Timestamp,
    ) -> Result<SubmitReport, StoreError> {
        let card = if had_unanswered_call {
            CardResult::Unknown
        } else {
            CardResult::Failed {
                retry: retry_advice(&reason, Some(http_status), self.clock.now()),
                reason: reason.clone(),
                sibling: None,
            }
        };
        self.end(batch, BatchReason::Refused(reason), &card, lease).await
    }

    async fn end(
        &self,
        batch: Batch,
        reason: BatchReason,
        card: &CardResult,
        lease: Timestamp,
    ) -> Result<SubmitReport, StoreError> {
        let record = RecordResults {
            batches: self.batches,
            digital_cards: None,
            wakeups: self.wakeups,
            clock: self.clock,
        };
        let ended = record.end_without_answer(batch, reason, card, lease).await?;
        Ok(ended.map_or(SubmitReport::NotDue, |_| SubmitReport::Ended))
    }

    async fn postpone(
        &self,
        batch: Batch,
        at: Timestamp,
        lease: Timestamp,
    ) -> Result<SubmitReport, StoreError> {
        let at = at.min(batch.expires_at());
        if !self.batches.update(&batch, lease, LeaseEnd::Released(at)).await? {
            return Ok(SubmitReport::NotDue);
        }
        let after = at.duration_since(self.clock.now()).max(SignedDuration::ZERO);
        wake(self.wakeups, Work::BatchSubmissions(&named(&batch)), after).await;
        Ok(SubmitReport::Postponed)
    }

    /// Wait after a call that was not taken: 5 s, 10 s, 20 s … 15 min, and up to half as much again.
    fn backoff(&self, batch: &Batch) -> SignedDuration {
        let BatchStage::Submitting { attempts, .. } = batch.stage else {
            return FIRST_WAIT;
        };
        let doublings = attempts.saturating_sub(1).min(16);
        let wait = (FIRST_WAIT * (1_i32 << doublings)).min(LONGEST_WAIT);
        wait + self.jitter(wait / 2)
    }

    /// A random duration below `longest`.
    fn jitter(&self, longest: SignedDuration) -> SignedDuration {
        super::jitter(self.randomness, longest)
    }
}

/// Result of each card of a batch that ends before Mastercard acknowledged it.
fn never_submitted_or_unknown(batch: &Batch) -> CardResult {
    match batch.stage {
        BatchStage::Accepted
        | BatchStage::Submitting {
            has_unanswered_call: false,
            ..
        } => CardResult::Failed {
            reason: ReasonCode::not_submitted(),
            retry: crate::batch::RetryAdvice::Now,
            sibling: None,
        },
        _ => CardResult::Unknown,
    }
}
