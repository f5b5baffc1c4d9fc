//! An intent: the stored record of one thing that a customer asked for, and its one outcome (behaviour §4).

use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::confirmation::Confirmation;
use crate::ending::Ending;
use crate::identifiers::{
    ActionCode, BankCustomerNumber, Bin, ClientId, CustomerId, IncidentId, IntentId, Last4, ProgramId, Ranac,
    SessionId,
};
use crate::status::{MrsCode, Status};
use crate::time::later;

/// How long an answer of MRS may stay away before the outcome is an error.
pub const SETTLEMENT_DEADLINE: SignedDuration = SignedDuration::from_secs(60);

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
    /// What MRS knows it by.
    pub bank_customer_number: BankCustomerNumber,
    /// First six digits, as the browser told them.
    pub bin: Bin,
    /// Last four digits, as the browser told them.
    pub last4: Last4,
    /// The card's visual design, by its range.
    pub design_code: Option<String>,
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
    /// Its outcome, once there is one.
    pub outcome: Option<Outcome>,
}

impl Intent {
    /// Until when an answer that stayed away may still come.
    pub fn deadline(&self) -> Timestamp {
        later(self.created_at, SETTLEMENT_DEADLINE)
    }

    /// What page and confirmation say. `None` while the outcome is open.
    pub fn ending(&self) -> Option<Ending> {
        let outcome = self.outcome.as_ref()?;
        Some(Ending {
            status: outcome.status,
            code: outcome.code,
            customer: Some(self.customer.clone()),
            ranac: outcome.ranac.clone(),
            design_code: self.design_code.clone().filter(|_| outcome.status.is_success()),
            bin: Some(self.bin),
            last4: Some(outcome.last4.unwrap_or(self.last4)),
        })
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
    /// Whether MRS may hold a card for this failed intent, which must be cancelled there.
    pub leftover: bool,
    /// When it was stored.
    pub at: Timestamp,
}

impl Outcome {
    /// MRS holds the card.
    pub fn enrolled(ranac: Ranac, last4: Option<Last4>, at: Timestamp) -> Self {
        Self {
            status: Status::SuccessEnrollment,
            code: None,
            ranac: Some(ranac),
            last4,
            leftover: false,
            at,
        }
    }

    /// MRS said no.
    pub fn declined(code: MrsCode, at: Timestamp) -> Self {
        Self {
            status: Status::ErrorEnrollment,
            code: Some(code),
            ranac: None,
            last4: None,
            leftover: false,
            at,
        }
    }

    /// MRS was never reached: there is nothing there.
    pub fn unreachable(at: Timestamp) -> Self {
        Self::declined(MrsCode::SERVER_ERROR, at)
    }

    /// Nobody knows whether MRS holds the card: it is an error, and what MRS turns out to hold goes.
    pub fn unsettled(at: Timestamp) -> Self {
        Self {
            leftover: true,
            ..Self::declined(MrsCode::SERVER_ERROR, at)
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
    /// Active cards.
    pub active: u32,
    /// Enrolments whose outcome is open.
    pub pending: u32,
    /// Changes with every change of the customer: what a transaction is conditional on. 0: no customer yet.
    pub version: u64,
}
