//! Erasure of a consumer whom an issuer enrolled, at the person's request: Mastercard deletes the cards first, then all that
//! is stored of the consumer is deleted. What other consumers have in the same batches stays, except the JWE, which has all of
//! them and which a final batch does not need.
//!
//! Tests: `shared/enrollment/tests/flows/digital_cards.rs` over the model of the stores.

use std::sync::{Mutex, PoisonError};

use super::export::ExportConsumer;
use jiff::Timestamp;

use crate::batch::{Batch, ExternalConsumerId, SrcDigitalCardId};
use crate::clock::Clock;
use crate::digital_card::{DigitalCard, DigitalCardState};
use crate::flows::batch::shared_pause;
use crate::identifiers::ClientId;
use crate::log::{LogText, by_display};
use crate::ports::{
    BatchContents, BatchRecords, Batches, CardDeletion, DigitalCards, IssuerEnrollment,
    IssuerEnrollmentError, Pacing, Permit, StoreError,
};
use crate::time::later;

/// Ports of an erasure.
pub struct EraseConsumer<'a> {
    /// Life-cycle records.
    pub digital_cards: &'a dyn DigitalCards,
    /// Batches.
    pub batches: &'a dyn Batches,
    /// Rows of batches.
    pub batch_records: &'a dyn BatchRecords,
    /// JWEs.
    pub contents: &'a dyn BatchContents,
    /// Mastercard, to delete enrolled cards.
    pub issuer_enrollment: &'a dyn IssuerEnrollment,
    /// Agreed rate of calls.
    pub pacing: &'a dyn Pacing,
    /// Clock.
    pub clock: &'a dyn Clock,
    /// Ids that earlier runs of this erasure deleted.
    pub deleted: DeletedIds,
}

/// Mastercard's ids that an erasure has deleted. A card with several ids needs a call for each. So a run that ended with
/// [`ConsumerErasureError::NotBefore`] is repeated from the first id that is left, however few calls the rate allows.
#[derive(Debug, Default)]
pub struct DeletedIds(Mutex<Vec<SrcDigitalCardId>>);

impl DeletedIds {
    fn has(&self, id: &SrcDigitalCardId) -> bool {
        let ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.contains(id)
    }

    fn add(&self, id: &SrcDigitalCardId) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.push(id.clone());
    }
}

/// Numbers of erased records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsumerErasureReport {
    /// Records of cards.
    pub cards: usize,
    /// Cards that Mastercard was asked to delete first.
    pub deleted: usize,
    /// Batches from which the consumer was removed.
    pub batches: usize,
}

/// Reason for which not all was erased. What was done stays done; the next run resumes it.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerErasureError {
    /// Nothing is stored of the consumer.
    #[error("nothing is stored about this consumer")]
    Nobody,
    /// Cards are enrolled, and the caller did not allow to delete them.
    #[error("{0} of the consumer's cards are enrolled")]
    EnrolledCards(usize),
    /// A batch that names the consumer has no end yet.
    #[error("a batch with this consumer is still in progress")]
    OpenBatch,
    /// No call to Mastercard may be made before this time.
    #[error("the agreed rate of calls is used up until {0}")]
    NotBefore(Timestamp),
    /// Mastercard did not delete a card.
    #[error("Mastercard did not delete a card: {0}")]
    NotDeleted(LogText),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

by_display!(ConsumerErasureError);

impl EraseConsumer<'_> {
    /// Erases all that is stored of a consumer. Enrolled cards are deleted at Mastercard first if `delete_enrolled` is set.
    ///
    /// # Errors
    /// [`ConsumerErasureError`].
    pub async fn erase(
        &self,
        client: &ClientId,
        consumer: &ExternalConsumerId,
        delete_enrolled: bool,
    ) -> Result<ConsumerErasureReport, ConsumerErasureError> {
        let export = ExportConsumer {
            digital_cards: self.digital_cards,
            batch_records: self.batch_records,
        };
        let record = export.read(client, consumer).await?;
        let record = record.ok_or(ConsumerErasureError::Nobody)?;
        if record.batches.iter().any(|batch| batch.result().is_none()) {
            return Err(ConsumerErasureError::OpenBatch);
        }
        let enrolled = record.cards.iter().filter(|card| is_enrolled(card)).count();
        if enrolled > 0 && !delete_enrolled {
            return Err(ConsumerErasureError::EnrolledCards(enrolled));
        }
        let mut report = ConsumerErasureReport::default();
        for card in &record.cards {
            if is_enrolled(card) {
                self.delete(card).await?;
                report.deleted += 1;
            }
            report.cards += usize::from(self.digital_cards.erase(client, &card.card).await?);
        }
        for batch in &record.batches {
            // The JWE first: a batch that does not name the consumer is not found again.
            self.discard_content(batch).await?;
            let redacted = self.batch_records.redact(batch.id, consumer).await?;
            report.batches += usize::from(redacted);
        }
        Ok(report)
    }

    async fn discard_content(&self, batch: &Batch) -> Result<(), StoreError> {
        if !batch.result().is_some_and(|result| result.has_content) {
            return Ok(());
        }
        self.contents.delete(batch.content_name()).await?;
        self.batches.content_discarded(batch.id).await
    }

    async fn delete(&self, card: &DigitalCard) -> Result<(), ConsumerErasureError> {
        let superseded = card.superseded.iter().map(|superseded| &superseded.id);
        let ids = std::iter::once(&card.src_digital_card).chain(superseded);
        for id in ids.filter(|id| !self.deleted.has(id)) {
            self.delete_id(card, id).await?;
            self.deleted.add(id);
        }
        Ok(())
    }

    async fn delete_id(&self, card: &DigitalCard, id: &SrcDigitalCardId) -> Result<(), ConsumerErasureError> {
        let deletion = CardDeletion {
            src_client_id: &card.src_client_id,
            service_id: &card.service_id,
            card: id,
            flow: card.flow_of(id),
        };
        if let Permit::NotBefore(at) = self.pacing.take(self.clock.now()).await? {
            return Err(ConsumerErasureError::NotBefore(at));
        }
        match self.issuer_enrollment.delete_card(deletion).await {
            Ok(()) | Err(IssuerEnrollmentError::NotFound) => Ok(()),
            Err(IssuerEnrollmentError::Repeatable {
                retry_after,
                is_throttled: true,
                ..
            }) => {
                let until = later(self.clock.now(), shared_pause(retry_after));
                self.pacing.pause(until).await?;
                Err(ConsumerErasureError::NotBefore(until))
            }
            Err(error) => Err(ConsumerErasureError::NotDeleted(LogText::of(&error))),
        }
    }
}

/// Whether Mastercard may have the card.
fn is_enrolled(card: &DigitalCard) -> bool {
    !matches!(card.state, DigitalCardState::Deleted { .. }) || !card.superseded.is_empty()
}
