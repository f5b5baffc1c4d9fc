//! Settlement of intents that MRS has not clearly answered (`docs/contract.md#settlement`): an enrollment by looking up
//! its bank customer number, never by guessing; an opt-out by repeating the cancellation until MRS confirms it. After the
//! outcome the same runs do the cleanup that the intent needs at MRS.
//!
//! One lease holder at a time queries MRS for an intent:
//!
//! 1. the request that begins the intent,
//! 2. then a run that is woken at each of the times of [`Stage::next_query`],
//! 3. after the last of them, the sweep.
//!
//! Tests: `tests/harness/src/settlement` for the order of calls, `tests/crash` for every interleaving and crash,
//! `shared/platform/tests/storage` for leases.
//!
//! [`Stage::next_query`]: crate::intent::Stage::next_query

mod cancellation;

use jiff::{SignedDuration, Timestamp};

use super::decide::Decision;
use crate::action::ActionCode;
use crate::clock::Clock;
use crate::identifiers::{BankCustomerNumber, IntentId, Ranac};
use crate::intent::{CardState, Cleanup, Conclusion, Customer, INTENT_LEASE, Intent, OldCard, Stage};
use crate::log::{LogText, info, warn};
use crate::look_up::{AccountRule, Finding, LookUp, MrsCard};
use crate::ports::{
    Clients, Customers, IntentRewards, Intents, Leases, Reschedule, Rewards, StoreError, Wakeups, Work,
};
use crate::time::later;

pub(super) use cancellation::{Cancellation, cancel_card};

/// Shortest wait before the sweep's next run for an intent. The wait is the intent's age, between one minute and six hours, so
/// it doubles each time.
const MIN_WAIT: SignedDuration = SignedDuration::from_mins(1);
/// Longest wait before the sweep's next run for an intent.
const MAX_WAIT: SignedDuration = SignedDuration::from_hours(6);

/// Ports of a settlement.
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
    /// Set-ups of the clients.
    pub clients: &'a dyn Clients,
    /// Wake-ups for confirmations and for further runs.
    pub wakeups: &'a dyn Wakeups,
    /// Clock.
    pub clock: &'a dyn Clock,
}

/// Answer of MRS to the enrollment, before its number is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FirstAnswer {
    /// None: MRS may still process the call, so until the deadline an absent card proves nothing.
    Missing,
    /// An internal error (-1001): a card that is absent now will not appear.
    ServerError,
}

/// Lease on an intent: the right to call MRS for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    /// Time at which it was acquired. No call under it is older.
    acquired_at: Timestamp,
    /// Time at which it expires.
    expires_at: Timestamp,
}

impl Lease {
    /// Lease of the request that begins the intent.
    pub(super) fn of_begin(intent: &Intent) -> Self {
        Self::from_time(intent.created_at)
    }

    fn from_time(acquired_at: Timestamp) -> Self {
        Self {
            acquired_at,
            expires_at: later(acquired_at, INTENT_LEASE),
        }
    }
}

/// Result of a run of calls to MRS for an intent.
pub(super) struct MrsRun {
    /// Intent after the calls.
    pub(super) intent: Intent,
    /// Whether a call may still take effect.
    pub(super) has_call_in_flight: bool,
    /// Whether MRS's answer proved nothing.
    is_inconclusive: bool,
}

impl MrsRun {
    fn conclusive(intent: Intent) -> Self {
        Self {
            intent,
            has_call_in_flight: false,
            is_inconclusive: false,
        }
    }

    fn inconclusive(intent: Intent, has_call_in_flight: bool) -> Self {
        Self {
            intent,
            has_call_in_flight,
            is_inconclusive: true,
        }
    }
}

impl Settlement<'_> {
    /// Resumes a due intent: queries MRS and schedules the next run. Gives the intent as it stands after that; `None` where
    /// it is not due, or another run has its lease.
    ///
    /// # Errors
    /// If the store fails. The intent is due again when its lease expires.
    pub async fn resume(&self, id: IntentId) -> Result<Option<Intent>, StoreError> {
        let lease = Lease::from_time(self.clock.now());
        let acquired = self
            .leases
            .acquire(id, lease.acquired_at, lease.expires_at)
            .await?;
        let Some(intent) = acquired else {
            return Ok(None);
        };
        let was_open = intent.is_open();
        let intent = self.decision().decide(intent).await?;
        let mut run = if intent.is_open() {
            self.query(intent, FirstAnswer::Missing, lease).await?
        } else {
            MrsRun::conclusive(intent)
        };
        if was_open && run.intent.is_success() {
            // MRS was called for the outcome in this run. The replaced card is left to the next one.
            self.start_cleanup(&run.intent).await;
            return Ok(Some(run.intent));
        }
        if let Some(cleanup) = run.intent.cleanup() {
            run = match cleanup {
                Cleanup::ReplacedCard => self.cancel_replaced_card(run.intent).await?,
                Cleanup::LateEnrollment { search_until } => {
                    self.cancel_late_enrollment(run.intent, search_until).await?
                }
            };
        }
        self.release(run, lease).await.map(Some)
    }

    /// Queries MRS for the outcome of an open intent, whose lease the caller has. The outcome is still open afterwards where
    /// MRS can't answer before the deadline, or has not cancelled the card of an opt-out.
    pub(super) async fn query(
        &self,
        intent: Intent,
        first_answer: FirstAnswer,
        lease: Lease,
    ) -> Result<MrsRun, StoreError> {
        match intent.action {
            ActionCode::Enroll | ActionCode::Replace => self.query_enrollment(intent, first_answer).await,
            ActionCode::OptOut => self.query_opt_out(intent, lease).await,
        }
    }

    /// Releases the lease where the intent needs another run, and wakes that run.
    pub(super) async fn release(&self, run: MrsRun, lease: Lease) -> Result<Intent, StoreError> {
        let MrsRun {
            mut intent,
            has_call_in_flight,
            is_inconclusive,
        } = run;
        let now = self.clock.now();
        let Some(next) = next_run(&intent, now) else {
            return Ok(intent);
        };
        let inquiry = &mut intent.inquiry;
        if has_call_in_flight {
            inquiry.unanswered_at = Some(lease.acquired_at);
        }
        inquiry.unknown_since = is_inconclusive.then(|| inquiry.unknown_since.unwrap_or(now));
        let reschedule = Reschedule {
            next,
            unanswered_at: inquiry.unanswered_at,
            unknown_since: inquiry.unknown_since,
        };
        let is_released = self
            .leases
            .release(intent.id, lease.expires_at, reschedule)
            .await?;
        // The sweep does the runs after the last of these times.
        if is_released && intent.stage.next_query(now).is_some() {
            self.schedule(intent.id, next.duration_since(now).max(SignedDuration::ZERO))
                .await;
        }
        Ok(intent)
    }

    /// Wakes the cancellation of a replaced card at once. The customer does not wait for it.
    pub(super) async fn start_cleanup(&self, intent: &Intent) {
        if intent.cleanup().is_some_and(Cleanup::is_certain) {
            self.schedule(intent.id, SignedDuration::ZERO).await;
        }
    }

    /// Wakes a run for the intent. A wake-up that fails is not an error, since the sweep finds the intent.
    pub(super) async fn schedule(&self, id: IntentId, after: SignedDuration) {
        if let Err(error) = self.wakeups.wake(Work::Intent(id), after).await {
            warn!(error, "wake-up of an intent failed, the sweep resumes it");
        }
    }

    pub(super) fn decision(&self) -> Decision<'_> {
        Decision {
            intents: self.intents,
            wakeups: self.wakeups,
            clock: self.clock,
        }
    }

    async fn query_enrollment(
        &self,
        intent: Intent,
        first_answer: FirstAnswer,
    ) -> Result<MrsRun, StoreError> {
        let Some(look_up) = self.look_up(&intent).await? else {
            return Ok(MrsRun::inconclusive(intent, false));
        };
        let customer = customer_of(self.customers, &intent).await?;
        let found = finding(&intent, &look_up, customer.as_ref());
        let (now, action) = (self.clock.now(), intent.action);
        let conclusion = match found {
            // The deadline passed during the look-up.
            _ if intent.is_overdue(now) => Conclusion::undetermined(action, now),
            Finding::Active(cards) => match cards.into_iter().next() {
                Some(MrsCard { ranac, last4 }) => Conclusion::enrolled(action, ranac, last4, now),
                None => return Ok(MrsRun::inconclusive(intent, false)),
            },
            Finding::Unknown => {
                log_inconclusive(&intent, &look_up);
                return Ok(MrsRun::inconclusive(intent, false));
            }
            Finding::Cancelled | Finding::Absent if first_answer == FirstAnswer::ServerError => {
                Conclusion::undetermined(action, now)
            }
            Finding::Cancelled | Finding::Absent => return Ok(MrsRun::conclusive(intent)),
        };
        self.conclude(intent, conclusion).await
    }

    async fn query_opt_out(&self, intent: Intent, lease: Lease) -> Result<MrsRun, StoreError> {
        let conclusion = match self.cancel_old_card(&intent).await? {
            Cancellation::Done => Conclusion::removed(self.clock.now()),
            Cancellation::Refused(code) if intent.inquiry.has_call_in_flight(lease.acquired_at) => {
                let incident = &intent.incident;
                info!(
                    code,
                    incident, "decline of a cancellation ignored, an earlier call may be in flight"
                );
                return Ok(MrsRun::conclusive(intent));
            }
            Cancellation::Refused(code) => Conclusion::declined(intent.action, code, self.clock.now()),
            Cancellation::Unknown { is_in_flight } => {
                return Ok(MrsRun::inconclusive(intent, is_in_flight));
            }
        };
        self.conclude(intent, conclusion).await
    }

    async fn conclude(&self, intent: Intent, conclusion: Conclusion) -> Result<MrsRun, StoreError> {
        let concluded = self.decision().finish(intent, conclusion).await;
        concluded.map(MrsRun::conclusive)
    }

    /// Cancels a replaced card at MRS. It is never given up, since MRS certainly has the card.
    async fn cancel_replaced_card(&self, intent: Intent) -> Result<MrsRun, StoreError> {
        match self.cancel_old_card(&intent).await? {
            Cancellation::Done => self.finish_cleanup(intent).await,
            Cancellation::Refused(_) => Ok(MrsRun::conclusive(intent)),
            Cancellation::Unknown { is_in_flight } => Ok(MrsRun::inconclusive(intent, is_in_flight)),
        }
    }

    /// Cancels a card that MRS enrolled for a failed intent. The search ends at `search_until` where none is found.
    async fn cancel_late_enrollment(
        &self,
        intent: Intent,
        search_until: Timestamp,
    ) -> Result<MrsRun, StoreError> {
        let Some(look_up) = self.look_up(&intent).await? else {
            return Ok(MrsRun::inconclusive(intent, false));
        };
        let customer = customer_of(self.customers, &intent).await?;
        if customer.as_ref().is_some_and(has_open_intent) {
            // The card of the open intent could not be distinguished.
            return Ok(MrsRun::conclusive(intent));
        }
        match finding(&intent, &look_up, customer.as_ref()) {
            Finding::Active(cards) => self.cancel_cards(intent, &cards).await,
            // An intent sends one enrollment, so there is no other card.
            Finding::Cancelled => self.finish_cleanup(intent).await,
            // An absent card may still appear: only time ends the search.
            Finding::Absent if self.clock.now() >= search_until => self.finish_cleanup(intent).await,
            Finding::Absent => Ok(MrsRun::conclusive(intent)),
            Finding::Unknown => {
                log_inconclusive(&intent, &look_up);
                Ok(MrsRun::inconclusive(intent, false))
            }
        }
    }

    async fn cancel_cards(&self, intent: Intent, cards: &[MrsCard]) -> Result<MrsRun, StoreError> {
        let Some(institution) = self.institution(&intent).await? else {
            return Ok(MrsRun::inconclusive(intent, false));
        };
        let rewards = IntentRewards::new(self.rewards, &intent);
        for card in cards {
            if let Err(error) = rewards.get().cancel(&institution, &card.ranac).await {
                warn!(
                    error,
                    incident = intent.incident,
                    "cancellation of a late enrollment failed"
                );
                return Ok(MrsRun::inconclusive(
                    intent,
                    cancellation::may_take_effect(&error),
                ));
            }
        }
        self.finish_cleanup(intent).await
    }

    async fn finish_cleanup(&self, mut intent: Intent) -> Result<MrsRun, StoreError> {
        self.intents.complete_cleanup(&intent, self.clock.now()).await?;
        intent.finish_cleanup();
        Ok(MrsRun::conclusive(intent))
    }

    async fn cancel_old_card(&self, intent: &Intent) -> Result<Cancellation, StoreError> {
        let card = old_card(intent)?;
        let Some(institution) = self.institution(intent).await? else {
            return Ok(Cancellation::Unknown { is_in_flight: false });
        };
        let number = &card.bank_customer_number;
        let rewards = IntentRewards::new(self.rewards, intent);
        Ok(cancel_card(rewards.get(), &institution, number, &card.ranac).await)
    }

    /// Looks up the intent's number; `None` where MRS can't be queried.
    async fn look_up(&self, intent: &Intent) -> Result<Option<LookUp>, StoreError> {
        let Some(institution) = self.institution(intent).await? else {
            return Ok(None);
        };
        let number = &intent.bank_customer_number;
        let rewards = IntentRewards::new(self.rewards, intent);
        Ok(Some(rewards.get().find(&institution, number).await))
    }

    /// Institution name of the client; `None` where the client is not set up any more. Under another name MRS would find
    /// none of its cards.
    async fn institution(&self, intent: &Intent) -> Result<Option<String>, StoreError> {
        let client = self.clients.by_id(&intent.client).await?;
        if client.is_none() {
            warn!(
                client = intent.client,
                "settlement impossible, the client is not set up"
            );
        }
        Ok(client.map(|client| client.institution().to_owned()))
    }
}

/// Time of the next run for an intent; `None` where it needs none.
fn next_run(intent: &Intent, now: Timestamp) -> Option<Timestamp> {
    let since = match &intent.stage {
        Stage::Open { since } => match intent.stage.next_query(now) {
            Some(at) => return Some(at),
            None => *since,
        },
        Stage::Ended(conclusion) if conclusion.has_cleanup() => conclusion.outcome.at,
        Stage::Ended(_) => return None,
    };
    let age = now.duration_since(since);
    Some(later(now, age.clamp(MIN_WAIT, MAX_WAIT)))
}

/// Customer of an intent, where the bank customer number is the customer's. It must be read after the look-up: then every
/// card that MRS listed has its intent stored, open or ended.
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

/// Finding of a look-up about the card of an intent that is not in the tables. `customer` is that of [`customer_of`].
pub(super) fn finding(intent: &Intent, look_up: &LookUp, customer: Option<&Customer>) -> Finding {
    let Some(customer) = customer else {
        return look_up.of_intent(AccountRule::Number, false);
    };
    let number = &intent.bank_customer_number;
    let recorded: Vec<Ranac> = customer.cards.iter().map(|card| card.ranac.clone()).collect();
    let rule = AccountRule::Members {
        program: &intent.program,
        last4: intent.last4,
        present_before: intent.inquiry.present_before.as_deref(),
        recorded: &recorded,
    };
    look_up.of_intent(rule, is_recorded(customer, number))
}

/// Whether the tables have a card under a number that MRS should have as active.
pub(super) fn is_recorded(customer: &Customer, number: &BankCustomerNumber) -> bool {
    customer.cards.iter().any(|card| {
        card.bank_customer_number == *number && !matches!(card.state, CardState::Cancelled { .. })
    })
}

fn has_open_intent(customer: &Customer) -> bool {
    customer.count.pending + customer.count.changing > 0
}

fn log_inconclusive(intent: &Intent, look_up: &LookUp) {
    let reason = match look_up {
        LookUp::Unknown(reason) => reason.clone(),
        LookUp::NotFound => LogText::from("MRS does not know the number of a card that is in the tables"),
        LookUp::Listed(_) => LogText::from("MRS left out what identifies the card"),
    };
    let incident = &intent.incident;
    warn!(reason, incident, "look-up inconclusive");
}

/// Card that an opt-out or a replacement takes out of the program.
fn old_card(intent: &Intent) -> Result<&OldCard, StoreError> {
    intent.old_card.as_ref().ok_or(StoreError::unreadable(
        "settling an intent",
        "the intent names no card to cancel",
    ))
}
