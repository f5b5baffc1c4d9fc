//! An intent: the stored record of one thing that a customer asked for, and its one outcome
//! (`docs/contract.md#one-outcome`).

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::action::ActionCode;
use crate::confirmation::Confirmation;
use crate::ending::Ending;
use crate::identifiers::{
    BankCustomerNumber, Bin, ClientId, CustomerId, IncidentId, IntentId, Last4, ProgramId, Ranac, SessionId,
};
use crate::status::{MrsCode, Status};
use crate::time::later;

/// How long an answer of MRS may stay away before the outcome is an error.
pub const SETTLEMENT_DEADLINE: SignedDuration = SignedDuration::from_secs(60);

/// When the asker asks MRS again while an outcome is open, in seconds after its first call. After the last one it is the
/// sweep's.
const ASKED_AGAIN_AFTER: [i64; 5] = [5, 10, 20, 40, 60];

/// How long one asker has an intent to itself. A function ends after 25 s, so that whoever has it longer is dead.
pub const ASKER_LEASE: SignedDuration = SignedDuration::from_secs(30);

/// How long a call of unknown outcome may still be at work at MRS. Until then a decline of another call proves nothing.
pub const AT_WORK: SignedDuration = SignedDuration::from_mins(2);

/// What was asked for, and how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Intent {
    /// Its name.
    pub id: IntentId,
    /// The session that asked.
    pub session: SessionId,
    /// Whose customer it is.
    pub client: ClientId,
    /// In which program.
    pub program: ProgramId,
    /// What was asked for.
    pub action: ActionCode,
    /// Who asked.
    pub customer: CustomerId,
    /// What MRS knows the card by: a new one, or the one that is opted out.
    pub bank_customer_number: BankCustomerNumber,
    /// First six digits of that card, as the browser told them.
    pub bin: Bin,
    /// Its last four digits, as the browser told them.
    pub last4: Last4,
    /// The card's visual design, by its range.
    pub design_code: Option<String>,
    /// The card that goes: the one that is replaced or opted out.
    pub old_card: Option<OldCard>,
    /// What the customer consented to.
    pub consents: Vec<Consent>,
    /// Where its confirmation goes.
    pub confirmation_url: Option<Url>,
    /// SHA-256 of the submission: the same key with another submission is refused.
    pub fingerprint: [u8; 32],
    /// What the customer is shown if it fails.
    pub incident: IncidentId,
    /// When it was stored, before MRS was asked.
    pub created_at: Timestamp,
    /// What its calls to MRS left open.
    pub inquiry: Inquiry,
    /// Its outcome, once there is one.
    pub outcome: Option<Outcome>,
}

/// What the calls to MRS for an intent left open.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inquiry {
    /// When the last call was made whose outcome is not known; that of an asker that died is one of them.
    pub unanswered_at: Option<Timestamp>,
    /// Since when look-ups have proved nothing.
    pub unknown_since: Option<Timestamp>,
    /// The RANACs that MRS listed under the number before it was asked to enroll, where the number is the customer's;
    /// `None` where it was not asked.
    pub present_before: Option<Vec<Ranac>>,
}

impl Inquiry {
    /// Whether an earlier call may do its work after one that is made at `call`.
    pub fn is_at_work(&self, call: Timestamp) -> bool {
        self.unanswered_at.is_some_and(|at| call < later(at, AT_WORK))
    }
}

impl Intent {
    /// Until when an answer that stayed away may still come.
    pub fn deadline(&self) -> Timestamp {
        later(self.created_at, SETTLEMENT_DEADLINE)
    }

    /// When its asker asks again while the outcome is open; `None`: from `now` on it is the sweep's.
    pub fn next_ask(&self, now: Timestamp) -> Option<Timestamp> {
        ASKED_AGAIN_AFTER
            .map(|seconds| later(self.created_at, SignedDuration::from_secs(seconds)))
            .into_iter()
            .find(|at| *at > now)
    }

    /// Whether MRS knows the card by the customer's id, under which other cards stand too.
    pub fn is_known_by_customer(&self) -> bool {
        self.bank_customer_number.expose() == self.customer.expose()
    }

    /// Conclusion of the intent; `None` while its outcome is open.
    pub fn conclusion(&self) -> Option<&Conclusion> {
        self.outcome.as_ref()
    }

    /// Outcome of the intent; `None` while it is open.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Concludes the intent.
    pub fn conclude(&mut self, conclusion: Conclusion) {
        self.outcome = Some(conclusion);
    }

    /// What page and confirmation say. `None` while the outcome is open.
    pub fn ending(&self) -> Option<Ending> {
        self.outcome.as_ref().map(|outcome| self.ending_of(outcome))
    }

    /// What the page is told at `now`. An opt-out only rolls forward: where MRS has not agreed by the deadline, the page
    /// says so, while the outcome stays open.
    pub fn told(&self, now: Timestamp) -> Option<Ending> {
        let overdue = || self.action == ActionCode::OptOut && now >= self.deadline();
        match &self.outcome {
            Some(outcome) => Some(self.ending_of(outcome)),
            None if overdue() => Some(self.ending_of(&Outcome::unreachable(self.action, now))),
            None => None,
        }
    }

    /// The card with whose record its confirmation goes: the one that it enrolled, else the one that it was to take out.
    pub fn card(&self) -> Option<IntentId> {
        let has_enrolled = self
            .outcome
            .as_ref()
            .is_some_and(|outcome| outcome.status.is_success() && self.action != ActionCode::OptOut);
        if has_enrolled {
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

    /// The confirmation of its outcome, where the session asked for one.
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

/// The card that an intent takes out of the program.
#[derive(Debug, Clone, PartialEq)]
pub struct OldCard {
    /// Its name: that of the intent which enrolled it.
    pub id: IntentId,
    /// MRS's id of it.
    pub ranac: Ranac,
    /// What MRS knows it by.
    pub bank_customer_number: BankCustomerNumber,
    /// X of the program when it was chosen: what its time to live is reckoned by until a purge does so anew.
    pub retention_days: u16,
}

/// How an intent ended. It has one outcome, ever.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The status that the partner is told.
    pub status: Status,
    /// MRS's code, where it gave an error.
    pub code: Option<MrsCode>,
    /// MRS's id of the card, where it enrolled one.
    pub ranac: Option<Ranac>,
    /// MRS's own last four digits, where it told them.
    pub last4: Option<Last4>,
    /// Whether MRS holds a card that must be cancelled there: perhaps that of a failed enrollment, surely the one that
    /// was replaced.
    pub leftover: bool,
    /// When it was stored.
    pub at: Timestamp,
}

/// Conclusion of an intent.
pub type Conclusion = Outcome;

impl Outcome {
    /// Whether MRS may still have a card that must be cancelled there.
    pub fn has_cleanup(&self) -> bool {
        self.leftover
    }

    /// MRS holds the new card. One that it replaces is still to be cancelled there.
    pub fn enrolled(action: ActionCode, ranac: Ranac, last4: Option<Last4>, at: Timestamp) -> Self {
        Self {
            status: Status::success_of(action),
            code: None,
            ranac: Some(ranac),
            last4,
            leftover: action == ActionCode::Replace,
            at,
        }
    }

    /// MRS holds the card no longer.
    pub fn removed(at: Timestamp) -> Self {
        Self {
            status: Status::SuccessRemoval,
            code: None,
            ranac: None,
            last4: None,
            leftover: false,
            at,
        }
    }

    /// MRS said no.
    pub fn declined(action: ActionCode, code: MrsCode, at: Timestamp) -> Self {
        Self {
            status: Status::failure_of(action),
            code: Some(code),
            ranac: None,
            last4: None,
            leftover: false,
            at,
        }
    }

    /// MRS was never reached: there is nothing there.
    pub fn unreachable(action: ActionCode, at: Timestamp) -> Self {
        Self::declined(action, MrsCode::SERVER_ERROR, at)
    }

    /// Nobody knows whether MRS holds the card: it is an error, and what MRS turns out to hold goes.
    pub fn unsettled(action: ActionCode, at: Timestamp) -> Self {
        Self {
            leftover: true,
            ..Self::unreachable(action, at)
        }
    }
}

/// Evidence of one consent; it goes when the customer goes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Consent {
    /// `terms` or `privacy`.
    pub document: ConsentDocument,
    /// The version that was shown.
    pub version: String,
    /// The language that it was shown in.
    pub language: crate::language::Language,
    /// When it was given.
    pub at: Timestamp,
}

/// What a consent is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsentDocument {
    /// Terms and conditions.
    Terms,
    /// Privacy notice.
    Privacy,
}

/// A customer's cards as far as their number must be limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CardCount {
    /// Active cards, those that are on their way out by opt-out among them.
    pub active: u32,
    /// Enrollments whose outcome is open.
    pub pending: u32,
    /// Replacements and opt-outs whose outcome is open. None of them makes the cards more.
    pub changing: u32,
    /// Changes with every change of the customer: what a transaction is conditional on. 0: no customer yet.
    pub version: u64,
    /// When the record goes by itself; `None` while there is an active card.
    pub kept_until: Option<Timestamp>,
}

/// What is known of a customer of a program.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Customer {
    /// How many cards there are, and the version that a change is conditional on.
    pub count: CardCount,
    /// The cards, the oldest first; those that have left the program too, as long as they are kept.
    pub cards: Vec<Card>,
    /// What the customer consented to: evidence, which goes when the customer goes.
    pub consents: Vec<Consent>,
}

impl Customer {
    /// The cards that can be replaced or opted out, where the token names `last4` only those that end in it.
    pub fn offered(&self, last4: Option<Last4>) -> impl Iterator<Item = &Card> {
        let named = move |card: &&Card| last4.is_none_or(|last4| card.last4 == last4);
        self.cards
            .iter()
            .filter(|card| card.state == CardState::Active)
            .filter(named)
    }
}

/// A card that was enrolled.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// Its name: that of the intent which enrolled it.
    pub id: IntentId,
    /// MRS's id of it.
    pub ranac: Ranac,
    /// What MRS knows it by.
    pub bank_customer_number: BankCustomerNumber,
    /// First six digits.
    pub bin: Bin,
    /// Last four digits.
    pub last4: Last4,
    /// The card's visual design.
    pub design_code: Option<String>,
    /// Whether it is in the program.
    pub state: CardState,
    /// Since when it has been.
    pub enrolled_at: Timestamp,
}

impl Card {
    /// `1234 XXXX XXXX 1234` (`docs/sources.md#widget`, "Replacement User Flow").
    pub fn masked(&self) -> String {
        let first4 = self.bin.as_str().get(..4).unwrap_or_default();
        format!("{first4} XXXX XXXX {}", self.last4.as_str())
    }
}

/// Whether a card is in the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardState {
    /// It is.
    Active,
    /// It is, and an open intent is about to change that. No other intent may take it meanwhile.
    Locked,
    /// It was replaced; MRS has still to cancel it.
    PendingCancellation,
    /// It was, until then.
    Cancelled {
        /// When MRS agreed.
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
            outcome: None,
        }
    }

    #[test]
    fn asked_again_after_5_10_20_40_and_60_seconds() {
        let intent = intent();
        let mut now = after(1);
        let mut asked = Vec::new();
        while let Some(at) = intent.next_ask(now) {
            asked.push(at.duration_since(START).as_secs());
            now = at;
        }
        assert_eq!(asked, [5, 10, 20, 40, 60]);
        assert_eq!(
            intent.next_ask(after(8_300)),
            Some(after(10_000)),
            "a call took 8 s"
        );
        assert_eq!(intent.next_ask(after(3_600_000)), None);
    }

    #[test]
    fn an_unanswered_call_may_be_at_work_for_two_minutes() {
        let mut inquiry = Inquiry::default();
        assert!(!inquiry.is_at_work(START));
        inquiry.unanswered_at = Some(START);
        assert!(inquiry.is_at_work(after(119_999)));
        assert!(!inquiry.is_at_work(after(120_000)));
    }
}
