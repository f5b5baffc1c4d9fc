//! Deletions at Mastercard: they only roll forward, until Mastercard agrees or knows no such card
//! (`docs/contract.md#life-cycle`).
//!
//! Tests: `shared/enrollment/tests/flows/digital_cards.rs` over the model of the stores.

use jiff::{SignedDuration, Timestamp};

use crate::batch::SrcDigitalCardId;
use crate::clock::Clock;
use crate::digital_card::{DELETION_LEASE, DigitalCard, DigitalCardKey, DigitalCardState};
use crate::flows::batch::{jitter, shared_pause};
use crate::log::{info, warn};
use crate::ports::{
    CardDeletion, DigitalCards, IssuerEnrollment, IssuerEnrollmentError, Pacing, Permit, StoreError,
};
use crate::randomness::Randomness;
use crate::time::later;

/// Shortest wait before the next call for a card. The wait is the age of the request, between one minute and six hours.
const MIN_WAIT: SignedDuration = SignedDuration::from_mins(1);
/// Longest wait before the next call for a card.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(6);
/// Spread of the deletions that wait for a token.
const PACING_SPREAD: SignedDuration = SignedDuration::from_secs(5);

/// Ports of a deletion.
pub struct SettleDeletion<'a> {
    /// Life-cycle records.
    pub digital_cards: &'a dyn DigitalCards,
    /// Mastercard.
    pub issuer_enrollment: &'a dyn IssuerEnrollment,
    /// Agreed rate of calls.
    pub pacing: &'a dyn Pacing,
    /// Clock.
    pub clock: &'a dyn Clock,
    /// Generator of jitter.
    pub randomness: &'a dyn Randomness,
}

/// Result of [`SettleDeletion::settle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionReport {
    /// Nothing was due, or another process has the lease.
    NotDue,
    /// Mastercard has deleted what was to be deleted.
    Deleted,
    /// The deletion is due again later.
    Postponed,
}

impl SettleDeletion<'_> {
    /// Asks Mastercard to delete a card that is due, and ids of Mastercard that it had before.
    ///
    /// # Errors
    /// If the store fails. The deletion is due again when its lease expires.
    pub async fn settle(&self, key: &DigitalCardKey) -> Result<DeletionReport, StoreError> {
        let now = self.clock.now();
        let lease = later(now, DELETION_LEASE);
        let Some(mut card) = self.digital_cards.acquire(key, now, lease).await? else {
            return Ok(DeletionReport::NotDue);
        };
        let requested_at = card.deletion_requested_at().unwrap_or(now);
        let mut next = later(now, now.duration_since(requested_at).clamp(MIN_WAIT, MAX_WAIT));
        while let Some(id) = next_id(&card) {
            match self.delete(&card, &id).await? {
                Attempt::Deleted => forget(&mut card, &id, self.clock.now()),
                Attempt::Wait(until) => {
                    next = until;
                    break;
                }
                Attempt::Failed { retry_after } => {
                    next = next.max(later(self.clock.now(), retry_after));
                    break;
                }
            }
        }
        if !self.digital_cards.update(&card, lease, next).await? {
            return Ok(DeletionReport::NotDue);
        }
        if card.has_due_deletion() {
            return Ok(DeletionReport::Postponed);
        }
        info!(client = card.client, "enrolled card deleted");
        Ok(DeletionReport::Deleted)
    }

    async fn delete(&self, card: &DigitalCard, id: &SrcDigitalCardId) -> Result<Attempt, StoreError> {
        if let Permit::NotBefore(at) = self.pacing.take(self.clock.now()).await? {
            let at = later(at, jitter(self.randomness, PACING_SPREAD));
            return Ok(Attempt::Wait(at));
        }
        let deletion = CardDeletion {
            src_client_id: &card.src_client_id,
            service_id: &card.service_id,
            card: id,
            flow: card.flow_of(id),
        };
        let error = match self.issuer_enrollment.delete_card(deletion).await {
            // A card that Mastercard does not know is as good as deleted.
            Ok(()) | Err(IssuerEnrollmentError::NotFound) => return Ok(Attempt::Deleted),
            Err(error) => error,
        };
        warn!(error, client = card.client, "deletion of an enrolled card failed");
        let retry_after = error.retry_after();
        if let IssuerEnrollmentError::Repeatable {
            is_throttled: true, ..
        } = error
        {
            let until = later(self.clock.now(), shared_pause(retry_after));
            self.pacing.pause(until).await?;
        }
        Ok(Attempt::Failed {
            retry_after: retry_after.unwrap_or_default(),
        })
    }
}

/// Result of one call, or of none.
enum Attempt {
    /// Mastercard has no such card any more.
    Deleted,
    /// No call may be made before this time.
    Wait(Timestamp),
    /// The call failed.
    Failed {
        /// Wait that Mastercard asked for.
        retry_after: SignedDuration,
    },
}

/// Id that is to be deleted next.
fn next_id(card: &DigitalCard) -> Option<SrcDigitalCardId> {
    match card.state {
        DigitalCardState::DeletionPending { .. } => Some(card.src_digital_card.clone()),
        _ => card.superseded.first().map(|superseded| superseded.id.clone()),
    }
}

/// Notes that Mastercard has deleted an id.
fn forget(card: &mut DigitalCard, id: &SrcDigitalCardId, at: Timestamp) {
    if matches!(card.state, DigitalCardState::DeletionPending { .. }) && card.src_digital_card == *id {
        card.state = DigitalCardState::Deleted { at };
    } else {
        card.superseded.retain(|superseded| superseded.id != *id);
    }
}
