//! An intent: the stored record of one submission, through its stages to its one outcome
//! (`docs/contract.md#one-outcome`).

mod stage;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::action::ActionCode;
use crate::confirmation::Confirmation;
use crate::ending::Ending;
use crate::identifiers::{
    BankCustomerNumber, Bin, ClientId, CustomerId, IncidentId, IntentId, Last4, ProgramId, Ranac, SessionId,
};
use crate::time::later;

pub use stage::{ANSWER_DEADLINE, Cleanup, Conclusion, Outcome, Stage};

/// Duration of the lease on an intent. A function ends after 25 s, so the holder of an expired lease is dead.
pub const INTENT_LEASE: SignedDuration = SignedDuration::from_secs(30);

/// Time for which a call of unknown result may still take effect at MRS. Until then a decline of another call proves nothing.
const IN_FLIGHT: SignedDuration = SignedDuration::from_mins(2);

/// Stored record of one submission.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Id of the intent.
    pub id: IntentId,
    /// Session of the submission.
    pub session: SessionId,
    /// Client of the session.
    pub client: ClientId,
    /// Program of the session.
    pub program: ProgramId,
    /// Action of the session.
    pub action: ActionCode,
    /// Customer of the session.
    pub customer: CustomerId,
    /// Number under which MRS knows the card: the new one, or the one that is opted out.
    pub bank_customer_number: BankCustomerNumber,
    /// First six digits of that card, as the browser gave them.
    pub bin: Bin,
    /// Last four digits of that card, as the browser gave them.
    pub last4: Last4,
    /// Visual design of that card, by its BIN range.
    pub design_code: Option<String>,
    /// Card that leaves the program: the one that is replaced or opted out.
    pub old_card: Option<OldCard>,
    /// Consents of the customer.
    pub consents: Vec<Consent>,
    /// Address for the confirmation of the outcome.
    pub confirmation_url: Option<Url>,
    /// SHA-256 of the submission: the same idempotency key with another submission is refused.
    pub fingerprint: [u8; 32],
    /// Incident id that the customer is shown if the intent fails.
    pub incident: IncidentId,
    /// Time at which the intent was stored, before MRS was asked.
    pub created_at: Timestamp,
    /// State of the calls to MRS.
    pub inquiry: Inquiry,
    /// Stage that the intent has reached.
    pub stage: Stage,
}

/// State of the calls to MRS for an intent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inquiry {
    /// Time of the last call whose result is not known. The call of a lease holder that died is one of them.
    pub unanswered_at: Option<Timestamp>,
    /// Time since which look-ups have proved nothing.
    pub unknown_since: Option<Timestamp>,
    /// RANACs that MRS listed under the number before the enrollment, where the number is the customer's; `None` where MRS
    /// was not asked.
    pub present_before: Option<Vec<Ranac>>,
}

impl Inquiry {
    /// Whether an earlier call may take effect after one that is made at `call`.
    pub fn has_call_in_flight(&self, call: Timestamp) -> bool {
        self.unanswered_at.is_some_and(|at| call < later(at, IN_FLIGHT))
    }
}

impl Intent {
    /// Whether the outcome is open.
    pub fn is_open(&self) -> bool {
        self.conclusion().is_none()
    }

    /// Whether the deadline of MRS's answer has passed at `now`. It never passes for an intent that has its outcome.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.stage.deadline().is_some_and(|deadline| now >= deadline)
    }

    /// Conclusion of the intent; `None` while its outcome is open.
    pub fn conclusion(&self) -> Option<&Conclusion> {
        match &self.stage {
            Stage::Open { .. } => None,
            Stage::Ended(conclusion) => Some(conclusion),
        }
    }

    /// Outcome of the intent; `None` while it is open.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.conclusion().map(|conclusion| &conclusion.outcome)
    }

    /// Cleanup that the intent still needs at MRS.
    pub fn cleanup(&self) -> Option<Cleanup> {
        self.conclusion().and_then(|conclusion| conclusion.cleanup)
    }

    /// Whether the customer got what was asked for; false while the outcome is open.
    pub fn is_success(&self) -> bool {
        self.outcome().is_some_and(|outcome| outcome.status.is_success())
    }

    /// Concludes the intent.
    pub fn conclude(&mut self, conclusion: Conclusion) {
        self.stage = Stage::Ended(conclusion);
    }

    /// Marks the cleanup as done.
    pub fn finish_cleanup(&mut self) {
        if let Stage::Ended(conclusion) = &mut self.stage {
            conclusion.cleanup = None;
        }
    }

    /// Whether MRS knows the card by the customer's id, under which it may list other cards too.
    pub fn is_known_by_customer(&self) -> bool {
        self.bank_customer_number.expose() == self.customer.expose()
    }

    /// Ending for page and confirmation; `None` while the outcome is open.
    pub fn ending(&self) -> Option<Ending> {
        self.outcome().map(|outcome| self.ending_of(outcome))
    }

    /// Ending for the page at `now`. An opt-out is never given up: where MRS has not agreed by the deadline, the page gets an
    /// error, while the outcome stays open.
    pub fn page_ending(&self, now: Timestamp) -> Option<Ending> {
        match &self.stage {
            Stage::Ended(conclusion) => Some(self.ending_of(&conclusion.outcome)),
            Stage::Open { .. } if self.action == ActionCode::OptOut && self.is_overdue(now) => {
                Some(self.ending_of(&Conclusion::unreachable(self.action, now).outcome))
            }
            Stage::Open { .. } => None,
        }
    }

    /// Card whose record keeps the confirmation: the one that was enrolled, or else the one that should leave the program.
    pub fn card(&self) -> Option<IntentId> {
        if self.is_success() && self.action != ActionCode::OptOut {
            Some(self.id)
        } else {
            self.old_card.as_ref().map(|card| card.id)
        }
    }

    fn ending_of(&self, outcome: &Outcome) -> Ending {
        let removed = self
            .old_card
            .as_ref()
            .filter(|_| self.action == ActionCode::OptOut)
            .map(|card| card.ranac.clone());
        Ending {
            status: outcome.status,
            code: outcome.code,
            customer: Some(self.customer.clone()),
            ranac: outcome.ranac.clone().or(removed),
            design_code: self.design_code.clone().filter(|_| outcome.status.is_success()),
            bin: Some(self.bin),
            last4: Some(outcome.last4.unwrap_or(self.last4)),
        }
    }

    /// Confirmation of the outcome, where the session asked for one.
    pub fn confirmation(&self) -> Option<Confirmation> {
        let url = self.confirmation_url.clone()?;
        Some(Confirmation::of(
            self.id,
            self.client.clone(),
            url,
            &self.ending()?,
        ))
    }
}

/// Card that an intent takes out of the program.
#[derive(Debug, Clone, PartialEq)]
pub struct OldCard {
    /// Id of the card: that of the intent which enrolled it.
    pub id: IntentId,
    /// MRS's id of the card.
    pub ranac: Ranac,
    /// Number under which MRS knows the card.
    pub bank_customer_number: BankCustomerNumber,
    /// Retention of the program, in days, when the card was chosen. The card's time to live follows it until a purge renews
    /// that.
    pub retention_days: u16,
}

/// Evidence of one consent. It is deleted with the customer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Consent {
    /// `terms` or `privacy`.
    pub document: ConsentDocument,
    /// Version that was shown.
    pub version: String,
    /// Language in which it was shown.
    pub language: crate::language::Language,
    /// Time at which it was given.
    pub at: Timestamp,
}

/// Document of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsentDocument {
    /// Terms and conditions.
    Terms,
    /// Privacy notice.
    Privacy,
}

/// Counts of a customer's cards in a program, for the card limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CardCount {
    /// Active cards, including those with an open opt-out.
    pub active: u32,
    /// Enrollments with an open outcome.
    pub pending: u32,
    /// Replacements and opt-outs with an open outcome. They don't increase the number of cards.
    pub changing: u32,
    /// Version of the record, which each change increases: the condition of a transaction. 0: no record.
    pub version: u64,
    /// Time to live of the record; `None` while there is an active card.
    pub kept_until: Option<Timestamp>,
}

/// Customer of a program.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Customer {
    /// Counts of the cards, and the version of the record.
    pub count: CardCount,
    /// Cards, oldest first. Cancelled ones are included as long as they are kept.
    pub cards: Vec<Card>,
    /// Evidence of the customer's consents, deleted with the customer.
    pub consents: Vec<Consent>,
}

impl Customer {
    /// Cards that can be replaced or opted out. Where the token names `last4`, only those that end in it.
    pub fn offered(&self, last4: Option<Last4>) -> impl Iterator<Item = &Card> {
        let named = move |card: &&Card| last4.is_none_or(|last4| card.last4 == last4);
        self.cards
            .iter()
            .filter(|card| card.state == CardState::Active)
            .filter(named)
    }
}

/// Enrolled card.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// Id of the card: that of the intent which enrolled it.
    pub id: IntentId,
    /// MRS's id of the card.
    pub ranac: Ranac,
    /// Number under which MRS knows the card.
    pub bank_customer_number: BankCustomerNumber,
    /// First six digits.
    pub bin: Bin,
    /// Last four digits.
    pub last4: Last4,
    /// Visual design of the card.
    pub design_code: Option<String>,
    /// State of the card.
    pub state: CardState,
    /// Time at which it was enrolled.
    pub enrolled_at: Timestamp,
}

impl Card {
    /// `1234 XXXX XXXX 1234` (`docs/sources.md#widget`, "Replacement User Flow").
    pub fn masked(&self) -> String {
        let first4 = self.bin.as_str().get(..4).unwrap_or_default();
        format!("{first4} XXXX XXXX {}", self.last4.as_str())
    }
}

/// State of a card in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardState {
    /// The card is in the program.
    Active,
    /// The card is in the program, and an open intent is about to replace it or opt it out. No other intent may change it.
    Locked,
    /// The card was replaced, and MRS has yet to cancel it.
    PendingCancellation,
    /// The card has left the program.
    Cancelled {
        /// Time at which MRS agreed.
        at: Timestamp,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifiers::{IdempotencyKey, SessionToken};
    use crate::testing::Seeded;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn after(milliseconds: i64) -> Timestamp {
        later(START, SignedDuration::from_millis(milliseconds))
    }

    fn intent() -> Intent {
        let session = SessionToken::random(&Seeded::new(7)).id();
        Intent {
            id: IntentId::derive(session, &IdempotencyKey::parse("key-of-sixteen-ch").unwrap()),
            session,
            client: ClientId::parse("bank").unwrap(),
            program: ProgramId::parse("10765").unwrap(),
            action: ActionCode::Enroll,
            customer: CustomerId::parse("customer").unwrap(),
            bank_customer_number: BankCustomerNumber::parse("number").unwrap(),
            bin: Bin::parse("523400").unwrap(),
            last4: Last4::parse("0123").unwrap(),
            design_code: None,
            old_card: None,
            consents: Vec::new(),
            confirmation_url: None,
            fingerprint: [0; 32],
            incident: IncidentId::stored("incident".into()),
            created_at: START,
            inquiry: Inquiry::default(),
            stage: Stage::Open { since: START },
        }
    }

    #[test]
    fn queried_again_after_5_10_20_40_and_60_seconds() {
        let intent = intent();
        let mut now = after(1);
        let mut asked = Vec::new();
        while let Some(at) = intent.stage.next_query(now) {
            asked.push(at.duration_since(START).as_secs());
            now = at;
        }
        assert_eq!(asked, [5, 10, 20, 40, 60]);
        assert_eq!(
            intent.stage.next_query(after(8_300)),
            Some(after(10_000)),
            "a call took 8 s"
        );
        assert_eq!(intent.stage.next_query(after(3_600_000)), None);
    }

    #[test]
    fn unanswered_call_is_in_flight_for_two_minutes() {
        let mut inquiry = Inquiry::default();
        assert!(!inquiry.has_call_in_flight(START));
        inquiry.unanswered_at = Some(START);
        assert!(inquiry.has_call_in_flight(after(119_999)));
        assert!(!inquiry.has_call_in_flight(after(120_000)));
    }
}
