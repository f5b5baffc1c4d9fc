//! Settling an intent whose answer never came: by asking MRS for its bank customer number, never by guessing
//! (behaviour §4).

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use crate::identifiers::IntentId;
use crate::intent::{Intent, Outcome};
use crate::ports::{Clients, Clock, Enrolments, Finished, HeldCard, Rewards, StoreError, Wakeups};
use crate::time::later;

/// How long after a look without a result the next one is due, while the outcome is open.
pub const NEXT_LOOK: SignedDuration = SignedDuration::from_secs(15);
/// Looks for what MRS may hold for a failed intent: after a minute, then at twice the age each time, at the longest
/// after six hours.
const FIRST_LEFTOVER_LOOK: SignedDuration = SignedDuration::from_mins(1);
const LONGEST_LEFTOVER_WAIT: SignedDuration = SignedDuration::from_hours(6);
/// What MRS does not hold a week after an enrolment it will not hold: then the case is closed.
const LEFTOVER_CLOSED_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What settling needs.
#[derive(Clone, Copy)]
pub struct Settling<'a> {
    /// Intents and cards.
    pub enrolments: &'a dyn Enrolments,
    /// MRS.
    pub rewards: &'a dyn Rewards,
    /// Set-ups.
    pub clients: &'a dyn Clients,
    /// For the outcome's confirmation, and for looking again.
    pub wakeups: &'a dyn Wakeups,
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
        let intent = self.decide(intent).await?;
        if intent.outcome.is_some() {
            return Ok(intent);
        }
        let institution = self.institution(&intent).await?;
        let held = self
            .rewards
            .find(&institution, &intent.bank_customer_number)
            .await;
        let now = self.clock.now();
        let outcome = match &held {
            // It came while MRS was asked.
            _ if now >= intent.deadline() => Outcome::unsettled(now),
            Ok(cards) => match cards.first() {
                Some(HeldCard { ranac, last4 }) => Outcome::enrolled(ranac.clone(), *last4, now),
                None if answered == Answered::WithServerError => Outcome::unsettled(now),
                None => return Ok(intent),
            },
            Err(error) => {
                warn!(error = %error, "asking MRS about an open intent failed");
                return Ok(intent);
            }
        };
        self.finish(intent, outcome).await
    }

    /// Gives an open intent that is past its deadline its outcome. That decides, not who looks when: what MRS says
    /// afterwards changes nothing, and what it holds is cancelled there.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) async fn decide(&self, intent: Intent) -> Result<Intent, StoreError> {
        let now = self.clock.now();
        if intent.outcome.is_some() || now < intent.deadline() {
            return Ok(intent);
        }
        self.finish(intent, Outcome::unsettled(now)).await
    }

    /// Goes on with an intent that was left behind. Gives it as it stands afterwards, and when it needs another look.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) async fn look_after(&self, intent: Intent) -> Result<(Intent, Option<Timestamp>), StoreError> {
        let intent = self.settle(intent, Answered::Never).await?;
        let intent = self.look_for_leftover(intent).await?;
        let again = self.next_look(&intent);
        Ok((intent, again))
    }

    /// Has the intent looked after by the function that does nothing else.
    pub(super) async fn wake(&self, id: IntentId, after: SignedDuration) {
        if let Err(error) = self.wakeups.settle(id, after).await {
            warn!(%error, "an open intent is left to the sweep");
        }
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
            self.tell(&intent).await;
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

    /// The confirmation was stored with the outcome; here only its sender is woken.
    async fn tell(&self, intent: &Intent) {
        let Some(confirmation) = intent.confirmation() else {
            return;
        };
        let due = [(confirmation.id, confirmation.client)];
        if let Err(error) = self.wakeups.confirm(&due, SignedDuration::ZERO).await {
            warn!(%error, "a confirmation is left to the sweep");
        }
    }

    /// Cancels what MRS holds for an intent that ended in an error. A week without a trace closes the case too.
    async fn look_for_leftover(&self, intent: Intent) -> Result<Intent, StoreError> {
        let Some(at) = leftover_since(&intent) else {
            return Ok(intent);
        };
        let institution = self.institution(&intent).await?;
        let held = match self
            .rewards
            .find(&institution, &intent.bank_customer_number)
            .await
        {
            Ok(held) => held,
            Err(error) => {
                warn!(error = %error, incident = intent.incident.as_str(), "asking MRS about a leftover failed");
                return Ok(intent);
            }
        };
        let Some(leftovers) = self.not_of_another_intent(&intent, &held).await? else {
            return Ok(intent);
        };
        if leftovers.is_empty() {
            // Nothing found is no proof that nothing will come: only time, or a cancelled card, closes the case.
            return if self.clock.now() >= later(at, LEFTOVER_CLOSED_AFTER) {
                self.leftover_gone(intent).await
            } else {
                Ok(intent)
            };
        }
        for card in leftovers {
            if let Err(error) = self.rewards.cancel(&institution, &card.ranac).await {
                warn!(error = %error, incident = intent.incident.as_str(), "cancelling a leftover failed");
                return Ok(intent);
            }
        }
        self.leftover_gone(intent).await
    }

    /// Where a customer id is the number of all the customer's cards, MRS gives those of other intents too: they are
    /// no leftovers. `None` while another intent is open, whose card could not be told apart.
    async fn not_of_another_intent<'c>(
        &self,
        intent: &Intent,
        held: &'c [HeldCard],
    ) -> Result<Option<Vec<&'c HeldCard>>, StoreError> {
        if intent.bank_customer_number.expose() != intent.customer.expose() {
            return Ok(Some(held.iter().collect()));
        }
        // Read after MRS was asked: a card that it holds by then has its intent stored, open or ended.
        let holdings = self
            .enrolments
            .holdings(&intent.client, &intent.program, &intent.customer)
            .await?;
        let is_leftover = |card: &&HeldCard| !holdings.ranacs.contains(&card.ranac);
        Ok((holdings.pending == 0).then(|| held.iter().filter(is_leftover).collect()))
    }

    async fn leftover_gone(&self, mut intent: Intent) -> Result<Intent, StoreError> {
        self.enrolments.leftover_gone(intent.id).await?;
        if let Some(outcome) = &mut intent.outcome {
            outcome.leftover = false;
        }
        Ok(intent)
    }

    fn next_look(&self, intent: &Intent) -> Option<Timestamp> {
        let now = self.clock.now();
        if intent.outcome.is_none() {
            // At the deadline it is decided, not some time after it.
            return Some(later(now, NEXT_LOOK).min(intent.deadline().max(now)));
        }
        let age = now.duration_since(leftover_since(intent)?);
        Some(later(now, age.clamp(FIRST_LEFTOVER_LOOK, LONGEST_LEFTOVER_WAIT)))
    }

    async fn institution(&self, intent: &Intent) -> Result<String, StoreError> {
        // A client that was taken away meanwhile still has its cards settled, under its id.
        let client = self.clients.by_id(&intent.client).await?;
        Ok(client.map_or_else(|| intent.client.to_string(), |client| client.name.clone()))
    }
}

/// Since when MRS may hold a card for a failed intent; `None` where it does not.
fn leftover_since(intent: &Intent) -> Option<Timestamp> {
    intent
        .outcome
        .as_ref()
        .filter(|outcome| outcome.leftover)
        .map(|outcome| outcome.at)
}
