//! All that is stored of one customer of a program.

use jiff::Timestamp;

use crate::confirmation::ConfirmationId;
use crate::delivery::MAX_AGE;
use crate::identifiers::{ClientId, IntentId, SessionId};
use crate::intent::{CardCount, CardState};
use crate::status::Status;
use crate::time::later;

/// Key that a customer is stored under. It does not identify the person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomerKey(pub String);

/// Everything that is stored of one customer in one program, by id.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The customer.
    pub key: CustomerKey,
    /// Client of the customer.
    pub client: ClientId,
    /// Counts of the cards, with the version that the deletion is conditional on.
    pub count: CardCount,
    /// The cards.
    pub cards: Vec<RecordedCard>,
    /// The intents.
    pub intents: Vec<RecordedIntent>,
    /// The confirmations, whatever became of them.
    pub confirmations: Vec<RecordedConfirmation>,
    /// The sessions.
    pub sessions: Vec<RecordedSession>,
}

/// A card of a [`Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedCard {
    /// Its id.
    pub id: IntentId,
    /// Whether it is in the program.
    pub state: CardState,
    /// The intent that takes it out of the program, or took it out.
    pub locked_by: Option<IntentId>,
}

/// An intent of a [`Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedIntent {
    /// Its id.
    pub id: IntentId,
    /// The card that it was to take out of the program.
    pub old_card: Option<IntentId>,
    /// Its status, once it has its outcome.
    pub status: Option<Status>,
    /// Whether nothing is left to do for it.
    pub is_settled: bool,
}

impl RecordedIntent {
    /// The name of the confirmation of its outcome, whether or not one was asked for.
    pub fn confirmation(&self) -> Option<ConfirmationId> {
        self.status.map(|status| ConfirmationId::derive(self.id, status))
    }
}

/// A confirmation of a [`Record`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedConfirmation {
    /// Its id.
    pub id: ConfirmationId,
    /// The card with which it goes. It may be there longer than the intent that it tells of.
    pub card: Option<IntentId>,
    /// Whether its receiver has it.
    pub state: ConfirmationState,
}

/// State of a confirmation of a [`Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmationState {
    /// It is to be sent, and holds a purge back until 96 hours after its outcome.
    Due {
        /// Time at which its outcome was stored. A replay does not change it.
        outcome_at: Timestamp,
    },
    /// It is not tried any more by itself.
    Parked,
    /// The receiver has it.
    Delivered,
}

impl RecordedConfirmation {
    /// Whether a purge at `now` waits for it.
    pub fn defers_purge(&self, now: Timestamp) -> bool {
        matches!(self.state, ConfirmationState::Due { outcome_at } if now < later(outcome_at, MAX_AGE))
    }

    /// Whether its receiver never had it.
    pub fn is_undelivered(&self) -> bool {
        self.state != ConfirmationState::Delivered
    }
}

/// A session of a [`Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedSession {
    /// Its id.
    pub id: SessionId,
    /// Time at which it expires.
    pub expires_at: Timestamp,
}
