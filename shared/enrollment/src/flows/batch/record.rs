//! Recording of Mastercard's results, whichever way they come: polled today, perhaps pushed one day.

use jiff::{SignedDuration, Timestamp};

use super::wake;
use crate::batch::{Batch, BatchAnswer, BatchReason, BatchResult, BatchStage, CardResult, evaluate};
use crate::clock::Clock;
use crate::digital_card::DigitalCard;
use crate::log::{info, warn};
use crate::ports::{Batches, DigitalCards, StoreError, Wakeups, Work};
use crate::status::Status;

/// Ports of the recording.
#[derive(Clone, Copy)]
pub struct RecordResults<'a> {
    /// Batches.
    pub batches: &'a dyn Batches,
    /// Life-cycle records; `None` where no card can be accepted.
    pub digital_cards: Option<&'a dyn DigitalCards>,
    /// Wake-ups of the confirmation.
    pub wakeups: &'a dyn Wakeups,
    /// Clock.
    pub clock: &'a dyn Clock,
}

/// Batch that a final answer has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Batch as it ended.
    pub batch: Batch,
    /// Records of the answer that name no card of the batch.
    pub foreign_ids: usize,
}

impl RecordResults<'_> {
    /// Records a final answer about a batch whose lease the caller has: first the life-cycle records, each of which may be
    /// written again, then the batch's end with its results and its confirmation in one transaction. So whoever reads of
    /// the end finds the cards. `None` where the answer is not final, or the lease is lost.
    ///
    /// # Errors
    /// If the store fails. The batch is due again when its lease expires, and the answer is asked for again.
    pub async fn record(
        &self,
        mut batch: Batch,
        answer: &BatchAnswer,
        lease: Timestamp,
    ) -> Result<Option<Recorded>, StoreError> {
        let Some(evaluation) = evaluate(&batch, answer, self.clock.now()) else {
            return Ok(None);
        };
        if evaluation.foreign_ids > 0 {
            warn!(
                client = batch.client,
                batch = batch.id,
                incident = batch.incident,
                ids = evaluation.foreign_ids,
                "final answer names ids that are not the batch's"
            );
        }
        batch.stage = BatchStage::Final(evaluation.result);
        let cards = DigitalCard::of_batch(&batch);
        if let Some(digital_cards) = self.digital_cards {
            digital_cards.record(&cards).await?;
        }
        let is_ended = self.end(&batch, lease).await?;
        Ok(is_ended.then_some(Recorded {
            batch,
            foreign_ids: evaluation.foreign_ids,
        }))
    }

    /// Ends a batch without an answer about its cards, each of which gets `card`.
    pub(super) async fn end_without_answer(
        &self,
        mut batch: Batch,
        reason: BatchReason,
        card: &CardResult,
        lease: Timestamp,
    ) -> Result<Option<Batch>, StoreError> {
        batch.stage = BatchStage::Final(BatchResult {
            status: Status::ErrorBatch,
            reason: Some(reason),
            cards: vec![card.clone(); batch.manifest.card_count()],
            at: self.clock.now(),
            has_content: true,
            submission: batch.submission().cloned(),
        });
        Ok(self.end(&batch, lease).await?.then_some(batch))
    }

    async fn end(&self, batch: &Batch, lease: Timestamp) -> Result<bool, StoreError> {
        if !self.batches.finish(batch, lease).await? {
            return Ok(false);
        }
        if let Some(result) = batch.result() {
            let counts = result.counts();
            info!(
                client = batch.client,
                batch = batch.id,
                incident = batch.incident,
                status = result.status.as_str(),
                reason = result.reason,
                accepted = counts.accepted,
                failed = counts.failed,
                unknown = counts.unknown,
                "batch ended"
            );
        }
        if let Some(confirmation) = batch.confirmation() {
            let due = [(confirmation.id, confirmation.client)];
            wake(self.wakeups, Work::Confirmations(&due), SignedDuration::ZERO).await;
        }
        Ok(true)
    }
}
