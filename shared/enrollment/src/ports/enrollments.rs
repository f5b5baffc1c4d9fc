//! Intents, cards and customers.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store_error::StoreError;
use crate::identifiers::{ClientId, CustomerId, IntentId, ProgramId, Ranac};
use crate::intent::{CardCount, Customer, Intent};

/// What came of beginning an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It is stored; MRS may be asked.
    Now,
    /// It was stored before: this is a repeat.
    Before,
    /// Another attempt of the session is open, the session can't begin one any more, or its count of failures is another.
    SessionBusy,
    /// The customer changed in between: read the count again.
    CustomerChanged,
    /// The card that is to go is not there, or not active any more.
    CardTaken,
}

/// What came of storing an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finished {
    /// It is stored.
    Now,
    /// The intent had its outcome already, which stands.
    Before,
}

/// Intents, cards and customers.
#[async_trait]
pub trait Enrollments: Send + Sync {
    /// The intent of that name.
    async fn intent(&self, id: IntentId) -> Result<Option<Intent>, StoreError>;
    /// How many cards a customer has in a program.
    async fn card_count(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<CardCount, StoreError>;
    /// The customer of a program with all cards; the default where there is none.
    async fn customer(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<Customer, StoreError>;
    /// In one transaction: stores the intent, taken by whoever stores it for [`crate::intent::ASKER_LEASE`], makes it the session's open attempt (which must have none, be alive at
    /// the intent's time and not used up, and have had `failures` failed submissions), counts it as open at the customer,
    /// whose version must be `count`'s, and holds the card that is to go, which must be active.
    async fn begin(&self, intent: &Intent, count: CardCount, failures: u32) -> Result<Begun, StoreError>;
    /// In one transaction: stores `intent.outcome`, closes the session's attempt (a failure counts, a success ends the
    /// session), un-counts it as open, stores the confirmation that [`Intent::confirmation`] gives; on success stores a
    /// new card and its consents and lets the old one go, on failure gives the old one back.
    async fn finish(&self, intent: &Intent) -> Result<Finished, StoreError>;
    /// Notes that MRS holds nothing any more that the intent left behind. A card that was replaced is cancelled from `at`
    /// on.
    async fn leftover_gone(&self, intent: &Intent, at: Timestamp) -> Result<(), StoreError>;
    /// Intents to look after by `until`, those whose turn comes first: open ones, and those that MRS holds, or may hold,
    /// something for. At most about `limit`. May name one that has been dealt with a moment ago.
    async fn unsettled(&self, until: Timestamp, limit: usize) -> Result<Vec<Unsettled>, StoreError>;
    /// Puts the next look at an intent off until `at`, where it still needs one.
    async fn look_again(&self, id: IntentId, at: Timestamp) -> Result<(), StoreError>;
    /// Takes an intent whose turn has come at `now`, to ask MRS about it: nobody else gets it until `until`, or until
    /// [`Self::release`]. From here on a call of unknown outcome made at `now` is stored; the intent is given as it was
    /// before. `None` where somebody else has it, its turn has not come, or nothing is left to do.
    async fn take(
        &self,
        id: IntentId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Intent>, StoreError>;
    /// Gives an intent back that was taken until `until`, notes what the call left open, and when its next turn comes. False
    /// where somebody else has it by now, or nothing is left to do.
    async fn release(&self, id: IntentId, until: Timestamp, turn: Turn) -> Result<bool, StoreError>;
    /// Notes what MRS listed under the customer's number before it is asked to enroll.
    async fn note_present(&self, intent: &Intent, ranacs: &[Ranac]) -> Result<(), StoreError>;
}

/// What an asker leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// When the next turn comes.
    pub next: Timestamp,
    /// As [`crate::intent::Inquiry::unanswered_at`].
    pub unanswered_at: Option<Timestamp>,
    /// As [`crate::intent::Inquiry::unknown_since`].
    pub unknown_since: Option<Timestamp>,
}

/// An intent that wants to be looked after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsettled {
    /// Its name.
    pub id: IntentId,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When its turn comes.
    pub due_at: Timestamp,
    /// Whether it is known that something is to be done: it has no outcome, or a card was replaced that MRS holds. Of a
    /// failed enrollment that is not known.
    pub is_open: bool,
}
