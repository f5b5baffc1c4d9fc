//! Settling an intent whose answer never came: by asking MRS for its bank customer number, never by guessing
//! (behaviour §4).

use tracing::{info, warn};

use crate::intent::{Intent, Outcome};
use crate::ports::{Clients, Clock, Enrolments, Finished, HeldCard, Rewards, RewardsError, StoreError};

/// What settling needs.
pub struct Settling<'a> {
    /// Intents and cards.
    pub enrolments: &'a dyn Enrolments,
    /// MRS.
    pub rewards: &'a dyn Rewards,
    /// Set-ups.
    pub clients: &'a dyn Clients,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// What is known of MRS's side of an intent before it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// MRS may still be at work on it: that it holds no card yet proves nothing before the deadline.
    Never,
    /// MRS has answered that it failed inside (-1001): what it does not hold now it will not hold.
    WithServerError,
}

impl Settling<'_> {
    /// Gives the intent as it stands afterwards; its outcome is still `None` where MRS can't tell before the deadline.
    ///
    /// # Errors
    /// Where the store fails. The intent stays open and may be settled again.
    pub async fn settle(&self, intent: Intent, answered: Answered) -> Result<Intent, StoreError> {
        if intent.outcome.is_some() {
            return Ok(intent);
        }
        let institution = self.institution(&intent).await?;
        let held = self
            .rewards
            .find(&institution, &intent.bank_customer_number)
            .await;
        let now = self.clock.now();
        let overdue = now >= intent.deadline();
        let outcome = match &held {
            // Decided by the deadline, not by who looks when: after it, a card that MRS holds is cancelled there.
            _ if overdue => Outcome::unsettled(now),
            Ok(cards) => match cards.iter().find(|card| card.active) {
                Some(HeldCard { ranac, last4, .. }) => Outcome::enrolled(ranac.clone(), *last4, now),
                None if answered == Answered::WithServerError => Outcome::unsettled(now),
                None => return Ok(intent),
            },
            Err(error) => {
                warn!(error = %error, "asking MRS about an open intent failed");
                return Ok(intent);
            }
        };
        let intent = self.finish(intent, outcome).await?;
        self.clean_up(&intent, &institution, held).await?;
        Ok(intent)
    }

    /// Stores an outcome. Where another run was first, its outcome is the one, and the intent as stored is given.
    pub(super) async fn finish(&self, mut intent: Intent, outcome: Outcome) -> Result<Intent, StoreError> {
        let status = outcome.status;
        let code = outcome.code;
        intent.outcome = Some(outcome);
        if self.enrolments.finish(&intent).await? == Finished::Now {
            info!(
                client = intent.client.as_str(),
                program = intent.program.as_str(),
                status = status.as_str(),
                code = code.map(|code| code.0),
                meaning = code.and_then(crate::status::MrsCode::meaning),
                incident = intent.incident.as_str(),
                "intent has its outcome"
            );
            return Ok(intent);
        }
        match self.enrolments.intent(intent.id).await? {
            Some(stored) if stored.outcome.is_some() => Ok(stored),
            _ => Err(StoreError::Unreadable {
                operation: "settle",
                detail: "an intent that had its outcome has lost it".into(),
            }),
        }
    }

    /// Cancels what MRS holds for an intent that ended in an error. What can't be cancelled now stays noted as a
    /// leftover in the intent.
    async fn clean_up(
        &self,
        intent: &Intent,
        institution: &str,
        held: Result<Vec<HeldCard>, RewardsError>,
    ) -> Result<(), StoreError> {
        let (true, Ok(cards)) = (
            intent.outcome.as_ref().is_some_and(|outcome| outcome.leftover),
            held,
        ) else {
            return Ok(());
        };
        let mut gone = false;
        for card in cards.iter().filter(|card| card.active) {
            gone = match self.rewards.cancel(institution, &card.ranac).await {
                Ok(()) => true,
                Err(error) => {
                    warn!(error = %error, incident = intent.incident.as_str(), "cancelling a leftover failed");
                    return Ok(());
                }
            };
        }
        // Nothing found is no proof that nothing will come: only a cancelled card closes the case here.
        if gone {
            self.enrolments.leftover_gone(intent.id).await
        } else {
            Ok(())
        }
    }

    async fn institution(&self, intent: &Intent) -> Result<String, StoreError> {
        // A client that was taken away meanwhile still has its cards settled, under its id.
        let client = self.clients.by_id(&intent.client).await?;
        Ok(client.map_or_else(|| intent.client.to_string(), |client| client.name.clone()))
    }
}
