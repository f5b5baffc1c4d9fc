//! Polls of a batch that Mastercard has, and the deletion of its JWE after its end (`docs/contract.md#batch-submission`).
//!
//! Tests: `shared/enrollment/tests/flows/batch_poll.rs` over the model of the stores.

use jiff::{SignedDuration, Timestamp};

use super::{RecordResults, named, postpone_unreadable, shared_pause, wake};
use crate::batch::{
    BATCH_LEASE, Batch, BatchAnswer, BatchId, BatchReason, BatchStage, BatchWork, CardResult,
};
use crate::clock::Clock;
use crate::log::{info, warn};
use crate::ports::{
    BatchContents, BatchQuery, Batches, DigitalCards, IssuerEnrollment, IssuerEnrollmentError, LeaseEnd,
    Pacing, Permit, StoreError, Wakeups, Work,
};
use crate::randomness::Randomness;
use crate::time::later;

/// Spread of the batches that wait for a token.
const PACING_SPREAD: SignedDuration = SignedDuration::from_secs(5);

/// Ports of a poll.
pub struct PollBatch<'a> {
    /// Batches.
    pub batches: &'a dyn Batches,
    /// JWEs.
    pub contents: &'a dyn BatchContents,
    /// Life-cycle records.
    pub digital_cards: &'a dyn DigitalCards,
    /// Mastercard.
    pub issuer_enrollment: &'a dyn IssuerEnrollment,
    /// Agreed rate of calls.
    pub pacing: &'a dyn Pacing,
    /// Wake-ups of confirmations and further polls.
    pub wakeups: &'a dyn Wakeups,
    /// Clock.
    pub clock: &'a dyn Clock,
    /// Generator of jitter.
    pub randomness: &'a dyn Randomness,
}

/// Result of [`PollBatch::poll`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollReport {
    /// Nothing was due, or another process has the lease.
    NotDue,
    /// The batch is due again later.
    Postponed,
    /// The batch has ended.
    Ended {
        /// Records of the final answer that name no card of the batch.
        foreign_ids: usize,
    },
    /// The JWE of a batch that had ended was deleted.
    ContentDiscarded,
}

impl PollBatch<'_> {
    /// Polls a batch that is due, or deletes its JWE where that is due.
    ///
    /// # Errors
    /// If the store fails. The batch is due again when its lease expires.
    pub async fn poll(&self, id: BatchId) -> Result<PollReport, StoreError> {
        let polled = self.poll_due(id).await;
        postpone_unreadable(self.batches, self.clock, id, &polled).await;
        polled
    }

    async fn poll_due(&self, id: BatchId) -> Result<PollReport, StoreError> {
        let now = self.clock.now();
        let lease = later(now, BATCH_LEASE);
        if let Some(batch) = self.batches.acquire(id, BatchWork::Poll, now, lease).await? {
            return self.ask(batch, lease).await;
        }
        let final_batch = self
            .batches
            .acquire(id, BatchWork::DiscardContent, now, lease)
            .await?;
        match final_batch {
            Some(batch) => self.discard(&batch).await,
            None => Ok(PollReport::NotDue),
        }
    }

    async fn ask(&self, mut batch: Batch, lease: Timestamp) -> Result<PollReport, StoreError> {
        let now = self.clock.now();
        let BatchStage::Submitted(submission) = &mut batch.stage else {
            return Err(StoreError::unreadable(
                "polling a batch",
                "the batch was not submitted",
            ));
        };
        if let Permit::NotBefore(at) = self.pacing.take(now).await? {
            let at = later(at, super::jitter(self.randomness, PACING_SPREAD));
            // The last look waits for its turn too.
            return self.postpone(batch, at, lease).await;
        }
        submission.polls = submission.polls.saturating_add(1);
        let answer = self.call(&batch).await;
        adopt_flow(&mut batch, &answer);
        let wait = match answer {
            Ok(answer) => match self.record(&batch, &answer, lease).await {
                Ok(Some(report)) => return Ok(report),
                Ok(None) => SignedDuration::ZERO,
                // A record that can't be read stays so. Any other failure of the store may end.
                Err(error @ StoreError::Unreadable { .. }) if now >= batch.expires_at() => {
                    warn!(
                        error,
                        client = batch.client,
                        batch = batch.id,
                        incident = batch.incident,
                        "final answer not recorded, the batch ends by its age"
                    );
                    SignedDuration::ZERO
                }
                Err(error) => return Err(error),
            },
            Err(error) => self.after_failure(&batch, &error).await?,
        };
        // The age decides at the end of the last look, whatever that look gave.
        if now >= batch.expires_at() {
            let reason = BatchReason::Expired;
            let ended = self
                .results()
                .end_without_answer(batch, reason, &CardResult::Unknown, lease)
                .await?;
            return Ok(ended.map_or(PollReport::NotDue, |_| PollReport::Ended { foreign_ids: 0 }));
        }
        let next = later(self.clock.now(), wait.max(batch.issuer.poll_interval()));
        let next = next.min(batch.expires_at());
        self.postpone(batch, next, lease).await
    }

    async fn call(&self, batch: &Batch) -> Result<BatchAnswer, IssuerEnrollmentError> {
        let Some(submission) = batch.submission() else {
            return Err(IssuerEnrollmentError::NotSent(
                "the batch was not submitted".into(),
            ));
        };
        let query = BatchQuery {
            src_client_id: &batch.issuer.src_client_id,
            service_id: &batch.issuer.service_id,
            submission,
            incident: &batch.incident,
        };
        self.issuer_enrollment.status(query).await
    }

    async fn record(
        &self,
        batch: &Batch,
        answer: &BatchAnswer,
        lease: Timestamp,
    ) -> Result<Option<PollReport>, StoreError> {
        if !answer.is_final() {
            return Ok(None);
        }
        let recorded = self.results().record(batch.clone(), answer, lease).await?;
        Ok(Some(recorded.map_or(PollReport::NotDue, |recorded| {
            PollReport::Ended {
                foreign_ids: recorded.foreign_ids,
            }
        })))
    }

    /// Logs a failure, and gives the wait that Mastercard asked for.
    async fn after_failure(
        &self,
        batch: &Batch,
        error: &IssuerEnrollmentError,
    ) -> Result<SignedDuration, StoreError> {
        warn!(
            error,
            client = batch.client,
            batch = batch.id,
            incident = batch.incident,
            "poll of a batch failed"
        );
        if let IssuerEnrollmentError::Repeatable {
            retry_after,
            is_throttled: true,
            ..
        } = error
        {
            let until = later(self.clock.now(), shared_pause(*retry_after));
            self.pacing.pause(until).await?;
        }
        Ok(error.retry_after().unwrap_or_default())
    }

    async fn postpone(
        &self,
        batch: Batch,
        at: Timestamp,
        lease: Timestamp,
    ) -> Result<PollReport, StoreError> {
        if !self.batches.update(&batch, lease, LeaseEnd::Released(at)).await? {
            return Ok(PollReport::NotDue);
        }
        let after = at.duration_since(self.clock.now()).max(SignedDuration::ZERO);
        wake(self.wakeups, Work::BatchPolls(&named(&batch)), after).await;
        Ok(PollReport::Postponed)
    }

    async fn discard(&self, batch: &Batch) -> Result<PollReport, StoreError> {
        self.contents.delete(batch.content_name()).await?;
        self.batches.content_discarded(batch.id).await?;
        info!(
            client = batch.client,
            batch = batch.id,
            "encrypted data of a batch deleted"
        );
        Ok(PollReport::ContentDiscarded)
    }

    fn results(&self) -> RecordResults<'_> {
        RecordResults {
            batches: self.batches,
            digital_cards: Some(self.digital_cards),
            wakeups: self.wakeups,
            clock: self.clock,
        }
    }
}

/// Takes the flow id of an answer for a batch that has none.
fn adopt_flow(batch: &mut Batch, answer: &Result<BatchAnswer, IssuerEnrollmentError>) {
    let BatchStage::Submitted(submission) = &mut batch.stage else {
        return;
    };
    if submission.flow.is_none() {
        submission.flow = match answer {
            Ok(answer) => answer.flow.clone(),
            Err(error) => error.flow().cloned(),
        };
    }
}
