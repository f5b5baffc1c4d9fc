//! Requests for the deletion of enrolled cards. A request only marks them; [`super::settle`] asks Mastercard, as often as it
//! takes.
//!
//! Tests: `shared/enrollment/tests/flows/digital_cards.rs` over the model of the stores.

use jiff::SignedDuration;

use super::read::is_kept;
use crate::batch::{ExternalCardId, ExternalConsumerId};
use crate::digital_card::{DigitalCard, DigitalCardKey, DigitalCardState};
use crate::flows::call::{ApiCall, Authentication, CallError, Caller};
use crate::identifiers::ClientId;
use crate::log::{info, warn};
use crate::ports::{DigitalCards, Put, UsedTokens, Wakeups, Work};
use crate::token::{CallPurpose, TokenError};

/// Ports of a request for deletion.
pub struct DeleteDigitalCards<'a> {
    /// Check of the caller.
    pub authentication: Authentication<'a>,
    /// Life-cycle records.
    pub digital_cards: &'a dyn DigitalCards,
    /// Tokens that were used.
    pub used_tokens: &'a dyn UsedTokens,
    /// Wake-ups of the deletions.
    pub wakeups: &'a dyn Wakeups,
}

impl DeleteDigitalCards<'_> {
    /// Requests the deletion of a card. `card` is as the address has it. Gives the card as it is now; `None` where there is no
    /// such card. A repeated request changes nothing.
    ///
    /// # Errors
    /// [`CallError`]. A token that was used before is refused.
    pub async fn delete_card(&self, call: ApiCall<'_>, card: &str) -> Result<Option<DigitalCard>, CallError> {
        let caller = self.authenticate(call).await?;
        let Ok(card) = ExternalCardId::parse(card) else {
            return Ok(None);
        };
        let mut due = Vec::new();
        let card = self.mark(&caller, &card, &mut due).await?;
        self.start(&due).await;
        Ok(card)
    }

    /// Requests the deletion of all cards of a consumer. `consumer` is as the address has it. Gives the cards as they are now,
    /// those that were deleted before among them; empty where there are none. A request that failed halfway is repeated
    /// with another token.
    ///
    /// # Errors
    /// [`CallError`]. A token that was used before is refused.
    pub async fn delete_consumer(
        &self,
        call: ApiCall<'_>,
        consumer: &str,
    ) -> Result<Vec<DigitalCard>, CallError> {
        let caller = self.authenticate(call).await?;
        let Ok(consumer) = ExternalConsumerId::parse(consumer) else {
            return Ok(Vec::new());
        };
        let mut due = Vec::new();
        let mut marked = Vec::new();
        for card in self.digital_cards.cards_of(&caller.client.id, &consumer).await? {
            marked.extend(self.mark(&caller, &card.card, &mut due).await?);
        }
        self.start(&due).await;
        // A later batch may have given the card to another consumer while the index lagged.
        marked.retain(|card| card.consumer == consumer);
        Ok(marked)
    }

    async fn authenticate(&self, call: ApiCall<'_>) -> Result<Caller, CallError> {
        let caller = self
            .authentication
            .authenticate(call, CallPurpose::Deletion)
            .await?;
        match self.used_tokens.use_once(&caller.token).await? {
            Put::Created => Ok(caller),
            Put::AlreadyExists => Err(TokenError::Used.into()),
        }
    }

    async fn mark(
        &self,
        caller: &Caller,
        card: &ExternalCardId,
        due: &mut Vec<(DigitalCardKey, ClientId)>,
    ) -> Result<Option<DigitalCard>, CallError> {
        let client = &caller.client.id;
        let marked = self
            .digital_cards
            .request_deletion(client, card, caller.now)
            .await?;
        let Some((key, card)) = marked.filter(|(_, card)| is_kept(card, caller)) else {
            return Ok(None);
        };
        if matches!(card.state, DigitalCardState::DeletionPending { .. }) {
            due.push((key, client.clone()));
        }
        Ok(Some(card))
    }

    async fn start(&self, due: &[(DigitalCardKey, ClientId)]) {
        if due.is_empty() {
            return;
        }
        info!(cards = due.len(), "deletion of enrolled cards requested");
        if let Err(error) = self
            .wakeups
            .wake(Work::Deletions(due), SignedDuration::ZERO)
            .await
        {
            warn!(error, "wake-up of deletions failed, the sweep resumes them");
        }
    }
}
