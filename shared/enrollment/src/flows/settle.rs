//! Settling what has no answer yet: an enrollment by asking MRS for its bank customer number, never by guessing; an
//! opt-out, and the old card of a replacement, by asking MRS to cancel until it agrees (`docs/contract.md#settlement`).
//!
//! MRS is asked by one asker at a time, who has taken the intent: the request that begins it, then whoever is woken at the
//! times of [`Intent::next_ask`], then the sweep.

use jiff::{SignedDuration, Timestamp};

use super::decide::Decision;
use crate::action::ActionCode;
use crate::clock::Clock;
use crate::identifiers::{BankCustomerNumber, IntentId, Ranac};
use crate::intent::{ASKER_LEASE, CardState, Customer, Intent, OldCard, Outcome};
use crate::log::{LogText, info, warn};
use crate::look_up::{Claim, Finding, LookUp, MrsCard};
use crate::ports::{
    Clients, Customers, IntentRewards, Intents, Leases, Rewards, RewardsError, StoreError, Turn, Wakeups,
};
use crate::status::MrsCode;
use crate::time::later;

/// Later looks, for what MRS may hold and for a card that it does not let go: after a minute, then at twice the age each
/// time, at the longest after six hours.
const FIRST_LATER_LOOK: SignedDuration = SignedDuration::from_mins(1);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);
/// What MRS does not hold a week after an enrollment it will not hold: then the case is closed.
const LEFTOVER_CLOSED_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What settling needs.
#[derive(Clone, Copy)]
pub struct Settlement<'a> {
    /// Intents.
    pub intents: &'a dyn Intents,
    /// Leases on intents.
    pub leases: &'a dyn Leases,
    /// Customers' cards.
    pub customers: &'a dyn Customers,
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
pub(super) enum Answered {
    /// MRS may still be at work on it: that it holds no card yet proves nothing before the deadline.
    Never,
    /// MRS has answered that it failed inside (-1001): what it does not hold now it will not hold.
    WithServerError,
}

/// The right to ask MRS about an intent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    /// When it was taken: no call is older.
    pub(super) at: Timestamp,
    /// When it ends.
    pub(super) until: Timestamp,
}

impl Taken {
    /// That of whoever begins the intent.
    pub(super) fn by_beginning(intent: &Intent) -> Self {
        Self::at(intent.created_at)
    }

    fn at(now: Timestamp) -> Self {
        Self {
            at: now,
            until: later(now, ASKER_LEASE),
        }
    }
}

/// An intent after MRS was asked.
pub(super) struct Answer {
    /// As it stands.
    pub(super) intent: Intent,
    /// Whether a call that was made may still do its work.
    pub(super) is_at_work: bool,
    /// Whether MRS proved nothing.
    pub(super) is_unknown: bool,
}

impl Answer {
    fn known(intent: Intent) -> Self {
        Self {
            intent,
            is_at_work: false,
            is_unknown: false,
        }
    }

    fn unknown(intent: Intent, is_at_work: bool) -> Self {
        Self {
            intent,
            is_at_work,
            is_unknown: true,
        }
    }
}

impl Settlement<'_> {
    /// Asks MRS about an intent whose turn has come, and notes when it comes again. Gives it as it stands then; `None`
    /// where it is not its turn: somebody else asks, or has asked a moment ago.
    ///
    /// # Errors
    /// Where the store fails. The intent comes again once its lease has ended.
    pub async fn look(&self, id: IntentId) -> Result<Option<Intent>, StoreError> {
        let taken = Taken::at(self.clock.now());
        let Some(intent) = self.leases.take(id, taken.at, taken.until).await? else {
            return Ok(None);
        };
        let was_open = intent.outcome.is_none();
        let intent = self.decision().decide(intent).await?;
        let mut answer = if intent.outcome.is_none() {
            self.settle(intent, Answered::Never, taken).await?
        } else {
            Answer::known(intent)
        };
        if was_open && is_success(&answer.intent) {
            // MRS was asked for it in this look: the card that was replaced is the next look's work.
            self.hand_over(&answer.intent).await;
            return Ok(Some(answer.intent));
        }
        if answer.intent.outcome.is_some() {
            answer = self.look_for_leftover(answer.intent).await?;
        }
        self.give_back(answer, taken).await.map(Some)
    }

    /// Asks MRS what became of an open intent, which the caller has taken. Its outcome is still `None` where MRS can't tell
    /// before the deadline, or has not let an opted-out card go.
    pub(super) async fn settle(
        &self,
        intent: Intent,
        answered: Answered,
        taken: Taken,
    ) -> Result<Answer, StoreError> {
        match intent.action {
            ActionCode::Enroll | ActionCode::Replace => self.look_for_card(intent, answered).await,
            ActionCode::OptOut => self.roll_forward(intent, taken).await,
        }
    }

    /// Ends the caller's turn where something is left to do, and has the next asker woken.
    pub(super) async fn give_back(&self, answer: Answer, taken: Taken) -> Result<Intent, StoreError> {
        let Answer {
            mut intent,
            is_at_work,
            is_unknown,
        } = answer;
        let Some(next) = self.next_look(&intent) else {
            return Ok(intent);
        };
        let now = self.clock.now();
        let inquiry = &mut intent.inquiry;
        if is_at_work {
            inquiry.unanswered_at = Some(taken.at);
        }
        inquiry.unknown_since = is_unknown.then(|| inquiry.unknown_since.unwrap_or(now));
        let turn = Turn {
            next,
            unanswered_at: inquiry.unanswered_at,
            unknown_since: inquiry.unknown_since,
        };
        let is_given_back = self.leases.release(intent.id, taken.until, turn).await?;
        // What comes after the last of these times is the sweep's.
        if is_given_back && intent.outcome.is_none() && intent.next_ask(now).is_some() {
            self.wake(intent.id, next.duration_since(now).max(SignedDuration::ZERO))
                .await;
        }
        Ok(intent)
    }

    /// The old card of a replacement goes at once, and the customer does not wait for it.
    pub(super) async fn hand_over(&self, intent: &Intent) {
        if leftover_since(intent).is_some() && is_success(intent) {
            self.wake(intent.id, SignedDuration::ZERO).await;
        }
    }

    /// Has the intent looked after by the function that does nothing else.
    pub(super) async fn wake(&self, id: IntentId, after: SignedDuration) {
        if let Err(error) = self.wakeups.settle(id, after).await {
            warn!(error, "an open intent is left to the sweep");
        }
    }

    pub(super) fn decision(&self) -> Decision<'_> {
        Decision {
            intents: self.intents,
            wakeups: self.wakeups,
            clock: self.clock,
        }
    }

    async fn look_for_card(&self, intent: Intent, answered: Answered) -> Result<Answer, StoreError> {
        let Some(look_up) = self.look_up(&intent).await? else {
            return Ok(Answer::unknown(intent, false));
        };
        let customer = customer_of(self.customers, &intent).await?;
        let found = finding(&intent, &look_up, customer.as_ref());
        let (now, action) = (self.clock.now(), intent.action);
        let outcome = match found {
            // It came while MRS was asked.
            _ if now >= intent.deadline() => Outcome::unsettled(action, now),
            Finding::Active(cards) => match cards.into_iter().next() {
                Some(MrsCard { ranac, last4 }) => Outcome::enrolled(action, ranac, last4, now),
                None => return Ok(Answer::unknown(intent, false)),
            },
            Finding::Unknown => {
                tell_unknown(&intent, &look_up);
                return Ok(Answer::unknown(intent, false));
            }
            Finding::Cancelled | Finding::Absent if answered == Answered::WithServerError => {
                Outcome::unsettled(action, now)
            }
            Finding::Cancelled | Finding::Absent => return Ok(Answer::known(intent)),
        };
        self.decision().finish(intent, outcome).await.map(Answer::known)
    }

    async fn roll_forward(&self, intent: Intent, taken: Taken) -> Result<Answer, StoreError> {
        let outcome = match self.let_go(&intent, old_card(&intent)?).await? {
            Cancellation::Done => Outcome::removed(self.clock.now()),
            Cancellation::Refused(code) if intent.inquiry.is_at_work(taken.at) => {
                let incident = &intent.incident;
                info!(
                    code,
                    incident, "a decline proves nothing yet: an earlier call may be at work"
                );
                return Ok(Answer::known(intent));
            }
            Cancellation::Refused(code) => Outcome::declined(intent.action, code, self.clock.now()),
            Cancellation::Unknown { is_at_work } => return Ok(Answer::unknown(intent, is_at_work)),
        };
        self.decision().finish(intent, outcome).await.map(Answer::known)
    }

    async fn let_go(&self, intent: &Intent, card: &OldCard) -> Result<Cancellation, StoreError> {
        let Some(institution) = self.institution(intent).await? else {
            return Ok(Cancellation::Unknown { is_at_work: false });
        };
        let number = &card.bank_customer_number;
        let rewards = IntentRewards::new(self.rewards, intent);
        Ok(let_go(rewards.get(), &institution, number, &card.ranac).await)
    }

    /// Cancels what MRS holds and should not. Of a failed enrollment a week without a trace closes the case too; that there
    /// is a card that was replaced is known, and it is never given up.
    async fn look_for_leftover(&self, intent: Intent) -> Result<Answer, StoreError> {
        let Some(at) = leftover_since(&intent) else {
            return Ok(Answer::known(intent));
        };
        if is_success(&intent) {
            return match self.let_go(&intent, old_card(&intent)?).await? {
                Cancellation::Done => self.leftover_gone(intent).await,
                Cancellation::Refused(_) => Ok(Answer::known(intent)),
                Cancellation::Unknown { is_at_work } => Ok(Answer::unknown(intent, is_at_work)),
            };
        }
        let Some(look_up) = self.look_up(&intent).await? else {
            return Ok(Answer::unknown(intent, false));
        };
        let customer = customer_of(self.customers, &intent).await?;
        if customer.as_ref().is_some_and(|customer| !is_quiet(customer)) {
            // The card of the intent that is open could not be told apart.
            return Ok(Answer::known(intent));
        }
        match finding(&intent, &look_up, customer.as_ref()) {
            Finding::Active(cards) => self.cancel_leftovers(intent, &cards).await,
            // One intent sends one enrollment.
            Finding::Cancelled => self.leftover_gone(intent).await,
            // Nothing found is no proof that nothing will come: only time closes the case.
            Finding::Absent if self.clock.now() >= later(at, LEFTOVER_CLOSED_AFTER) => {
                self.leftover_gone(intent).await
            }
            Finding::Absent => Ok(Answer::known(intent)),
            Finding::Unknown => {
                tell_unknown(&intent, &look_up);
                Ok(Answer::unknown(intent, false))
            }
        }
    }

    async fn cancel_leftovers(&self, intent: Intent, cards: &[MrsCard]) -> Result<Answer, StoreError> {
        let Some(institution) = self.institution(&intent).await? else {
            return Ok(Answer::unknown(intent, false));
        };
        let rewards = IntentRewards::new(self.rewards, &intent);
        for card in cards {
            if let Err(error) = rewards.get().cancel(&institution, &card.ranac).await {
                warn!(error, incident = intent.incident, "cancelling a leftover failed");
                return Ok(Answer::unknown(intent, may_be_at_work(&error)));
            }
        }
        self.leftover_gone(intent).await
    }

    async fn leftover_gone(&self, mut intent: Intent) -> Result<Answer, StoreError> {
        self.intents.leftover_gone(&intent, self.clock.now()).await?;
        if let Some(outcome) = &mut intent.outcome {
            outcome.leftover = false;
        }
        Ok(Answer::known(intent))
    }

    fn next_look(&self, intent: &Intent) -> Option<Timestamp> {
        let now = self.clock.now();
        let since = match intent.outcome {
            None => match intent.next_ask(now) {
                Some(at) => return Some(at),
                None => intent.created_at,
            },
            Some(_) => leftover_since(intent)?,
        };
        let age = now.duration_since(since);
        Some(later(now, age.clamp(FIRST_LATER_LOOK, LONGEST_WAIT)))
    }

    /// `None`: MRS can't be asked.
    async fn look_up(&self, intent: &Intent) -> Result<Option<LookUp>, StoreError> {
        let Some(institution) = self.institution(intent).await? else {
            return Ok(None);
        };
        let number = &intent.bank_customer_number;
        let rewards = IntentRewards::new(self.rewards, intent);
        Ok(Some(rewards.get().find(&institution, number).await))
    }

    /// `None` where there is no such client any more: by another name MRS would find none of its cards.
    async fn institution(&self, intent: &Intent) -> Result<Option<String>, StoreError> {
        let client = self.clients.by_id(&intent.client).await?;
        if client.is_none() {
            warn!(
                client = intent.client,
                "an intent of a client that is not set up can't be settled"
            );
        }
        Ok(client.map(|client| client.institution().to_owned()))
    }
}

/// The customer, where the number is the customer's. Read after MRS was asked: a card that MRS holds by then has its
/// intent stored, open or ended.
pub(super) async fn customer_of(
    customers: &dyn Customers,
    intent: &Intent,
) -> Result<Option<Customer>, StoreError> {
    if !intent.is_known_by_customer() {
        return Ok(None);
    }
    let Intent {
        client,
        program,
        customer,
        ..
    } = intent;
    customers.customer(client, program, customer).await.map(Some)
}

/// What a look-up proves about the card of an intent that is not in the tables. `customer` is that of [`customer_of`].
pub(super) fn finding(intent: &Intent, look_up: &LookUp, customer: Option<&Customer>) -> Finding {
    let Some(customer) = customer else {
        return look_up.of_intent(Claim::Number, false);
    };
    let number = &intent.bank_customer_number;
    let recorded: Vec<Ranac> = customer.cards.iter().map(|card| card.ranac.clone()).collect();
    let claim = Claim::Members {
        program: &intent.program,
        last4: intent.last4,
        present_before: intent.inquiry.present_before.as_deref(),
        recorded: &recorded,
    };
    look_up.of_intent(claim, is_recorded(customer, number))
}

/// Whether the tables have a card under a number that MRS should hold.
pub(super) fn is_recorded(customer: &Customer, number: &BankCustomerNumber) -> bool {
    customer.cards.iter().any(|card| {
        card.bank_customer_number == *number && !matches!(card.state, CardState::Cancelled { .. })
    })
}

fn is_quiet(customer: &Customer) -> bool {
    customer.count.pending + customer.count.changing == 0
}

fn tell_unknown(intent: &Intent, look_up: &LookUp) {
    let reason = match look_up {
        LookUp::Unknown(reason) => reason.clone(),
        LookUp::NotFound => LogText::from("it does not know the number of a card that is in the tables"),
        LookUp::Listed(_) => LogText::from("it left out what tells the card"),
    };
    let incident = &intent.incident;
    warn!(reason, incident, "MRS's answer to a look-up proves nothing");
}

/// What came of asking MRS to cancel a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancellation {
    /// MRS holds it no longer.
    Done,
    /// MRS holds it, and says why.
    Refused(MrsCode),
    /// Nobody knows.
    Unknown {
        /// Whether the call may still do its work.
        is_at_work: bool,
    },
}

/// Asks MRS to cancel a card that is in the tables. A decline counts only while MRS holds the card: an earlier call may
/// have done it.
pub(super) async fn let_go(
    rewards: &dyn Rewards,
    institution: &str,
    number: &BankCustomerNumber,
    ranac: &Ranac,
) -> Cancellation {
    let code = match rewards.cancel(institution, ranac).await {
        Ok(()) => return Cancellation::Done,
        Err(RewardsError::Declined(code)) if code != MrsCode::SERVER_ERROR => code,
        Err(error) => {
            warn!(error, "cancelling a card has no answer");
            let is_at_work = may_be_at_work(&error);
            return Cancellation::Unknown { is_at_work };
        }
    };
    let look_up = rewards.find(institution, number).await;
    match look_up.card(ranac, true) {
        Finding::Active(_) => {
            warn!(code, meaning = code.meaning(), "MRS does not cancel a card");
            Cancellation::Refused(code)
        }
        Finding::Cancelled | Finding::Absent => Cancellation::Done,
        Finding::Unknown => {
            warn!("MRS's answer about a card that it does not cancel proves nothing");
            Cancellation::Unknown { is_at_work: false }
        }
    }
}

/// Whether a call that ended so may still do its work: -1001 does not say how far it had come.
fn may_be_at_work(error: &RewardsError) -> bool {
    match error {
        RewardsError::Declined(code) => *code == MrsCode::SERVER_ERROR,
        RewardsError::NotSent(_) => false,
        RewardsError::Unknown(_) => true,
    }
}

/// The card that an opt-out or a replacement takes out of the program.
fn old_card(intent: &Intent) -> Result<&OldCard, StoreError> {
    intent.old_card.as_ref().ok_or(StoreError::Unreadable {
        operation: "settle",
        detail: "the intent names no card that is to go".into(),
    })
}

fn is_success(intent: &Intent) -> bool {
    let outcome = intent.outcome.as_ref();
    outcome.is_some_and(|outcome| outcome.status.is_success())
}

/// Since when MRS may hold a card that is to go; `None` where it does not.
fn leftover_since(intent: &Intent) -> Option<Timestamp> {
    intent
        .outcome
        .as_ref()
        .filter(|outcome| outcome.leftover)
        .map(|outcome| outcome.at)
}
