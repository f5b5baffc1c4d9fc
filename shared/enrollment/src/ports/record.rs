//! All that is stored of one customer of a program.

use jiff::Timestamp;

use crate::confirmation::ConfirmationId;
use crate::delivery::MAX_AGE;
use crate::identifiers::{ClientId, IntentId, SessionId};
use crate::intent::{CardCount, CardState};
use crate::status::Status;
use crate::time::later;

/// The name under which a customer is stored. It tells nobody who that is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomerKey(pub String);

/// Everything that is stored of one customer in one program, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The customer.
    pub key: CustomerKey,
    /// Whose.
    pub client: ClientId,
    /// How many cards there are, and the version that the deletion is conditional on.
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
    /// Its name.
    pub id: IntentId,
    /// Whether it is in the program.
    pub state: CardState,
    /// The intent that takes it out of the program, or took it out.
    pub held_by: Option<IntentId>,
}

/// An intent of a [`Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedIntent {
    /// Its name.
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
    /// Its name.
    pub id: ConfirmationId,
    /// The card with which it goes. It may be there longer than the intent that it tells of.
    pub card: Option<IntentId>,
    /// Whether its receiver has it.
    pub progress: Progress,
}

/// How far a confirmation of a [`Record`] has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is to be sent, and holds a purge back until 96 hours after its outcome.
    Due {
        /// When its outcome was stored. A replay does not change it.
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
        matches!(self.progress, Progress::Due { outcome_at } if now < later(outcome_at, MAX_AGE))
    }

    /// Whether its receiver never had it.
    pub fn is_undelivered(&self) -> bool {
        self.progress != Progress::Delivered
    }
}

/// A session of a [`Record`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedSession {
    /// Its name.
    pub id: SessionId,
    /// When it ends by time.
    pub expires_at: Timestamp,
}
