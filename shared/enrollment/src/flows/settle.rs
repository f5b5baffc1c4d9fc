//! Settling what has no answer yet: an enrolment by asking MRS for its bank customer number, never by guessing; an
//! opt-out, and the old card of a replacement, by asking MRS to cancel until it agrees (behaviour §4).

use jiff::{SignedDuration, Timestamp};

use crate::identifiers::{ActionCode, BankCustomerNumber, IntentId, Ranac};
use crate::intent::{Intent, OldCard, Outcome};
use crate::log::{info, warn};
use crate::ports::{
    Clients, Clock, Enrolments, Finished, HeldCard, Rewards, RewardsError, StoreError, Wakeups,
};
use crate::status::MrsCode;
use crate::time::later;

/// How long after a look without a result the next one is due, while the outcome is open.
pub const NEXT_LOOK: SignedDuration = SignedDuration::from_secs(15);
/// Later looks, for what MRS may hold and for a card that it does not let go: after a minute, then at twice the age each
/// time, at the longest after six hours.
const FIRST_LATER_LOOK: SignedDuration = SignedDuration::from_mins(1);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);
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
    /// Gives the intent as it stands afterwards; its outcome is still `None` where MRS can't tell before the deadline, or
    /// has not let an opted-out card go.
    ///
    /// # Errors
    /// Where the store fails. The intent stays open and may be settled again.
    pub async fn settle(&self, intent: Intent, answered: Answered) -> Result<Intent, StoreError> {
        let intent = self.decide(intent).await?;
        if intent.outcome.is_some() {
            return Ok(intent);
        }
        match intent.action {
            ActionCode::Enrol | ActionCode::Replace => self.look_for_card(intent, answered).await,
            ActionCode::OptOut => self.roll_forward(intent).await,
        }
    }

    /// Gives an open enrolment that is past its deadline its outcome. That decides, not who looks when: what MRS says
    /// afterwards changes nothing, and what it holds is cancelled there.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) async fn decide(&self, intent: Intent) -> Result<Intent, StoreError> {
        let now = self.clock.now();
        if intent.outcome.is_some() || intent.action == ActionCode::OptOut || now < intent.deadline() {
            return Ok(intent);
        }
        let outcome = Outcome::unsettled(intent.action, now);
        self.finish(intent, outcome).await
    }

    async fn look_for_card(&self, intent: Intent, answered: Answered) -> Result<Intent, StoreError> {
        let institution = self.institution(&intent).await?;
        let held = self
            .rewards
            .find(&institution, &intent.bank_customer_number)
            .await;
        let (now, action) = (self.clock.now(), intent.action);
        let outcome = match &held {
            // It came while MRS was asked.
            _ if now >= intent.deadline() => Outcome::unsettled(action, now),
            Ok(cards) => match cards.first() {
                Some(HeldCard { ranac, last4 }) => Outcome::enrolled(action, ranac.clone(), *last4, now),
                None if answered == Answered::WithServerError => Outcome::unsettled(action, now),
                None => return Ok(intent),
            },
            Err(error) => {
                warn!(error, "asking MRS about an open intent failed");
                return Ok(intent);
            }
        };
        self.finish(intent, outcome).await
    }

    async fn roll_forward(&self, intent: Intent) -> Result<Intent, StoreError> {
        let outcome = match self.let_go(&intent, old_card(&intent)?).await? {
            LetGo::Gone => Outcome::removed(self.clock.now()),
            LetGo::Refused(code) => Outcome::declined(intent.action, code, self.clock.now()),
            LetGo::Unknown => return Ok(intent),
        };
        self.finish(intent, outcome).await
    }

    async fn let_go(&self, intent: &Intent, card: &OldCard) -> Result<LetGo, StoreError> {
        let institution = self.institution(intent).await?;
        let number = &card.bank_customer_number;
        Ok(let_go(self.rewards, &institution, number, &card.ranac).await)
    }

    /// Goes on with an intent that was left behind. Gives it as it stands afterwards, and when it needs another look.
    ///
    /// # Errors
    /// Where the store fails.
    pub(super) async fn look_after(&self, intent: Intent) -> Result<(Intent, Option<Timestamp>), StoreError> {
        let was_open = intent.outcome.is_none();
        let intent = self.settle(intent, Answered::Never).await?;
        let is_success = |intent: &Intent| {
            let outcome = intent.outcome.as_ref();
            outcome.is_some_and(|outcome| outcome.status.is_success())
        };
        if was_open && is_success(&intent) {
            // MRS was asked for it in this look: the card that was replaced is the next look's work.
            let again = leftover_since(&intent).map(|_| self.clock.now());
            return Ok((intent, again));
        }
        let intent = self.look_for_leftover(intent).await?;
        let again = self.next_look(&intent);
        Ok((intent, again))
    }

    /// Has the intent looked after by the function that does nothing else.
    pub(super) async fn wake(&self, id: IntentId, after: SignedDuration) {
        if let Err(error) = self.wakeups.settle(id, after).await {
            warn!(error, "an open intent is left to the sweep");
        }
    }

    /// Stores an outcome. Where another run was first, its outcome is the one, and the intent as stored is given.
    pub(super) async fn finish(&self, mut intent: Intent, outcome: Outcome) -> Result<Intent, StoreError> {
        let status = outcome.status;
        let code = outcome.code;
        intent.outcome = Some(outcome);
        if self.enrolments.finish(&intent).await? == Finished::Now {
            info!(
                client = intent.client,
                program = intent.program,
                status = status.as_str(),
                code,
                meaning = code.and_then(crate::status::MrsCode::meaning),
                incident = intent.incident,
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
            warn!(error, "a confirmation is left to the sweep");
        }
    }

    /// Cancels what MRS holds and should not. Of a failed enrolment a week without a trace closes the case too; that there
    /// is a card that was replaced is known, and it is never given up.
    async fn look_for_leftover(&self, intent: Intent) -> Result<Intent, StoreError> {
        let Some(at) = leftover_since(&intent) else {
            return Ok(intent);
        };
        if intent
            .outcome
            .as_ref()
            .is_some_and(|outcome| outcome.status.is_success())
        {
            return match self.let_go(&intent, old_card(&intent)?).await? {
                LetGo::Gone => self.leftover_gone(intent).await,
                LetGo::Refused(_) | LetGo::Unknown => Ok(intent),
            };
        }
        let institution = self.institution(&intent).await?;
        let held = match self
            .rewards
            .find(&institution, &intent.bank_customer_number)
            .await
        {
            Ok(held) => held,
            Err(error) => {
                warn!(
                    error,
                    incident = intent.incident,
                    "asking MRS about a leftover failed"
                );
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
                warn!(error, incident = intent.incident, "cancelling a leftover failed");
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
        let customer = self
            .enrolments
            .customer(&intent.client, &intent.program, &intent.customer)
            .await?;
        let is_leftover = |held: &&HeldCard| customer.cards.iter().all(|card| card.ranac != held.ranac);
        let is_quiet = customer.count.pending + customer.count.changing == 0;
        Ok(is_quiet.then(|| held.iter().filter(is_leftover).collect()))
    }

    async fn leftover_gone(&self, mut intent: Intent) -> Result<Intent, StoreError> {
        self.enrolments.leftover_gone(&intent, self.clock.now()).await?;
        if let Some(outcome) = &mut intent.outcome {
            outcome.leftover = false;
        }
        Ok(intent)
    }

    fn next_look(&self, intent: &Intent) -> Option<Timestamp> {
        let now = self.clock.now();
        if intent.outcome.is_none() && now < intent.deadline() {
            // At the deadline it is decided, not some time after it.
            return Some(later(now, NEXT_LOOK).min(intent.deadline()));
        }
        let since = match intent.outcome {
            None => intent.created_at,
            Some(_) => leftover_since(intent)?,
        };
        let age = now.duration_since(since);
        Some(later(now, age.clamp(FIRST_LATER_LOOK, LONGEST_WAIT)))
    }

    async fn institution(&self, intent: &Intent) -> Result<String, StoreError> {
        // A client that was taken away meanwhile still has its cards settled, under its id.
        let client = self.clients.by_id(&intent.client).await?;
        Ok(client.map_or_else(
            || intent.client.to_string(),
            |client| client.institution().to_owned(),
        ))
    }
}

/// What came of asking MRS to cancel a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LetGo {
    /// MRS holds it no longer.
    Gone,
    /// MRS holds it, and says why.
    Refused(MrsCode),
    /// Nobody knows.
    Unknown,
}

/// Asks MRS to cancel a card. A decline counts only while MRS holds the card: an earlier call may have done it.
pub(super) async fn let_go(
    rewards: &dyn Rewards,
    institution: &str,
    number: &BankCustomerNumber,
    ranac: &Ranac,
) -> LetGo {
    let code = match rewards.cancel(institution, ranac).await {
        Ok(()) => return LetGo::Gone,
        Err(RewardsError::Declined(code)) if code != MrsCode::SERVER_ERROR => code,
        Err(error) => {
            warn!(error, "cancelling a card has no answer");
            return LetGo::Unknown;
        }
    };
    match rewards.find(institution, number).await {
        Ok(held) if held.iter().any(|held| held.ranac == *ranac) => {
            warn!(code, meaning = code.meaning(), "MRS does not cancel a card");
            LetGo::Refused(code)
        }
        Ok(_) => LetGo::Gone,
        Err(error) => {
            warn!(error, "asking MRS about a card that it does not cancel failed");
            LetGo::Unknown
        }
    }
}

/// The card that an opt-out or a replacement takes out of the program.
fn old_card(intent: &Intent) -> Result<&OldCard, StoreError> {
    intent.old_card.as_ref().ok_or(StoreError::Unreadable {
        operation: "settle",
        detail: "the intent names no card that is to go".into(),
    })
}

/// Since when MRS may hold a card that is to go; `None` where it does not.
fn leftover_since(intent: &Intent) -> Option<Timestamp> {
    intent
        .outcome
        .as_ref()
        .filter(|outcome| outcome.leftover)
        .map(|outcome| outcome.at)
}
