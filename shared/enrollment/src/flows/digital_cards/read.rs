//! Reads of an enrolled card by its owner.
//!
//! Tests: `shared/enrollment/tests/flows/digital_cards.rs` over the model of the stores.

use crate::batch::ExternalCardId;
use crate::digital_card::{DigitalCard, DigitalCardState};
use crate::flows::call::{ApiCall, Authentication, CallError, Caller};
use crate::ports::DigitalCards;
use crate::time::later;
use crate::token::CallPurpose;

/// Ports of a read.
pub struct ReadDigitalCard<'a> {
    /// Check of the caller.
    pub authentication: Authentication<'a>,
    /// Life-cycle records.
    pub digital_cards: &'a dyn DigitalCards,
}

impl ReadDigitalCard<'_> {
    /// Reads a card of the caller's. `card` is as the address has it. `None` where there is no such card, and from the day
    /// on that its deletion is past the retention.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn read(&self, call: ApiCall<'_>, card: &str) -> Result<Option<DigitalCard>, CallError> {
        let caller = self.authentication.authenticate(call, CallPurpose::Batch).await?;
        let Ok(card) = ExternalCardId::parse(card) else {
            return Ok(None);
        };
        let card = self.digital_cards.card(&caller.client.id, &card).await?;
        Ok(card.filter(|card| is_kept(card, &caller)))
    }
}

/// Whether a card is within its retention.
pub(super) fn is_kept(card: &DigitalCard, caller: &Caller) -> bool {
    match card.state {
        DigitalCardState::Deleted { at } => caller.now < later(at, caller.issuer.retention()),
        _ => true,
    }
}
