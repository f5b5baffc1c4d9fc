//! What the domain needs from outside. Adapters live in `platform` (AWS) and in the functions (MRS).

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::client::{Client, Program};
use crate::confirmation::Confirmation;
use crate::delivery::{DeliveryResult, Destination, LEASE, MAX_AGE, Parked};
use crate::identifiers::{
    BankCustomerNumber, ClientId, ConfirmationId, CustomerId, IntentId, Last4, ProgramId, Ranac, SessionId,
    Slug,
};
use crate::intent::{Card, CardCount, CardState, Customer, Intent};
use crate::limits::{Attempts, Counters};
use crate::log::LogText;
use crate::look_up::LookUp;
use crate::session::{Session, UsedToken};
use crate::status::{MrsCode, Status};
use crate::time::later;

/// The time. Tests own theirs.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// A cryptographically secure generator. Tests own theirs.
pub trait Randomness: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Something outside did not do its work. The detail is for the log; its type can't hold what came from outside.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store did not answer, or refused.
    #[error("{operation} failed: {detail}")]
    Unavailable {
        /// What was tried.
        operation: &'static str,
        /// What came back.
        detail: LogText,
    },
    /// What is stored can't be read: another schema version, a failed authentication tag.
    #[error("{operation} found an unreadable record: {detail}")]
    Unreadable {
        /// What was tried.
        operation: &'static str,
        /// What is wrong with it.
        detail: LogText,
    },
}

/// The clients' set-ups.
#[async_trait]
pub trait Clients: Send + Sync {
    /// By `iss`.
    async fn by_id(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError>;
    /// By the name in addresses.
    async fn by_slug(&self, slug: &Slug) -> Result<Option<Arc<Client>>, StoreError>;
}

/// All clients, for work that goes over everyone's records.
#[async_trait]
pub trait Register: Send + Sync {
    /// The ids of all clients that were ever set up.
    async fn clients(&self) -> Result<Vec<ClientId>, StoreError>;
}

/// What came of storing a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It is stored, and its token is used.
    Now,
    /// The token had opened a session before; nothing was stored.
    Before,
}

/// Sessions and used tokens.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Stores the session and its used token, both or neither. No time matters: a token that is stored as used stays so.
    async fn open(&self, session: &Session, token: &UsedToken) -> Result<Opened, StoreError>;
    /// The session, expired ones included as long as they are stored: the caller looks at the time.
    async fn find(&self, id: SessionId) -> Result<Option<Session>, StoreError>;
    /// Stores the new end of [`Session::extended`] and its count, and nothing else. False, and nothing is stored, where the
    /// session is over at `now`, used up, or was extended by another call meanwhile.
    async fn extend(&self, extended: &Session, now: Timestamp) -> Result<bool, StoreError>;
}

/// Whom attempts are counted for.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// The client.
    pub client: &'a ClientId,
    /// The program.
    pub program: &'a ProgramId,
    /// The customer.
    pub customer: &'a CustomerId,
}

/// Counters against card testing, over sessions (behaviour §1). The window slides: no sixty minutes have more attempts than a
/// limit allows, wherever they begin ([`crate::limits`]).
#[async_trait]
pub trait Limits: Send + Sync {
    /// The counters as they are stored, in one call of the store.
    async fn counters(&self, counted: Counted<'_>) -> Result<Counters, StoreError>;
    /// Counts an attempt and gives the counts *without* it. An attempt that is counted again within a minute, because an
    /// answer was lost on the way, counts once. `known` are the counters as they were read a moment ago: one call of the
    /// store for each, and more only where they have changed since in what decides how to count.
    async fn count(
        &self,
        counted: Counted<'_>,
        known: &Counters,
        attempt: IntentId,
        now: Timestamp,
    ) -> Result<Attempts, StoreError>;
}

/// Selection of the records that a new submission needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Whether the limits are looked at.
    pub counters: bool,
    /// The card that is to go, as the page names it.
    pub card: Option<IntentId>,
}

/// Records that decide about a new submission.
#[derive(Debug, Clone, PartialEq)]
pub struct Circumstances {
    /// The session's client; `None` where it is not set up.
    pub client: Option<Arc<Client>>,
    /// The counters; empty where they were not wanted.
    pub counters: Counters,
    /// Counts of the customer's cards in the program.
    pub count: CardCount,
    /// The card that was wanted, whatever its state; `None` where the customer has none of that name in the program.
    pub card: Option<Card>,
}

/// Reads of a submission: each takes one call of the store, however many tables it reads.
///
/// Nothing that is read together is of one instant. A submission that begins is decided again by the conditions of
/// [`Enrollments::begin`]; before a refusal, what refuses it is read once more where another call may have changed it.
#[async_trait]
pub trait SubmissionRecords: Send + Sync {
    /// A session, as [`Sessions::find`] gives it, and its intent of that name, as [`Enrollments::intent`] does. `None`
    /// where there is no such session.
    async fn session_and_intent(
        &self,
        session: SessionId,
        intent: IntentId,
    ) -> Result<Option<(Session, Option<Intent>)>, StoreError>;
    /// Records that decide about a new submission of the session.
    async fn circumstances(&self, session: &Session, wanted: Wanted) -> Result<Circumstances, StoreError>;
}

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

/// The name under which a customer is stored. It tells nobody who that is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CustomerKey(pub String);

/// Where a list goes on. Only the store that made it can read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is in it.
    pub entries: Vec<T>,
    /// Where it goes on; `None` at its end.
    pub next: Option<Cursor>,
}

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

/// What is to be deleted of a [`Record`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// All of it, since it is past its date. No confirmation that holds a purge back may be among it.
    Everything,
    /// All of it, since the person asked for it: no confirmation is waited for.
    Erasure,
    /// These cards, and what hangs on them: the customer stays.
    Cards(Vec<IntentId>),
}

/// Records that are past their date.
#[async_trait]
pub trait Purges: Send + Sync {
    /// Customers with a card of the program that was cancelled by `until`, those of the oldest first within a page. One with
    /// several such cards may be named several times. At most about `limit`.
    async fn past(
        &self,
        client: &ClientId,
        program: &ProgramId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<CustomerKey>, StoreError>;
    /// All that is stored of a customer; `None` where there is nothing. Intents and confirmations are found by an index
    /// that lags, and by what the customer's cards and intents themselves name.
    async fn record(&self, client: &ClientId, key: &CustomerKey) -> Result<Option<Record>, StoreError>;
    /// Deletes for good. False where the record is not as it was read any more: what was deleted by then was to go in any
    /// case, and what names the rest is still there. Except for an erasure, each confirmation that goes undelivered is named
    /// in the client's audit trail.
    async fn remove(&self, record: &Record, removal: &Removal) -> Result<bool, StoreError>;
    /// Brings the times to live of the program's cancelled cards in line with `retention`. It goes on where it stopped,
    /// and ends at the latest at `until`. True where all of them are in line.
    async fn date(
        &self,
        client: &ClientId,
        program: &ProgramId,
        retention_days: u16,
        until: Timestamp,
    ) -> Result<bool, StoreError>;
}

/// What a ledger has an entry of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A customer, of this program.
    Customer(ProgramId, CustomerKey),
    /// An intent that came to nothing.
    Failed(IntentId),
}

/// What an operator does with records, beside the flows.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Under what key a customer is stored, if at all.
    async fn key(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<CustomerKey, StoreError>;
    /// All of a client's customers and failed intents, a part at a time. It goes through the whole table.
    async fn entries(&self, client: &ClientId, from: Option<&Cursor>) -> Result<Page<Entry>, StoreError>;
    /// A customer by key.
    async fn by_key(&self, client: &ClientId, key: &CustomerKey) -> Result<Customer, StoreError>;
    /// Notes that MRS holds an active card no longer: it is cancelled from `at` on. False where it is not active any more.
    async fn strike_off(
        &self,
        customer: (&ClientId, &ProgramId, &CustomerKey),
        card: &Card,
        retention_days: u16,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Notes MRS's own last four digits of a card.
    async fn correct(&self, key: &CustomerKey, card: IntentId, last4: Last4) -> Result<(), StoreError>;
}

/// A confirmation's turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Its name.
    pub id: ConfirmationId,
    /// Whom it is for.
    pub client: ClientId,
    /// Since when it is due.
    pub since: Timestamp,
}

/// A confirmation that one run has to itself for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What to send.
    pub confirmation: Confirmation,
    /// The random name of this claim: tells its own writes, sent again because an answer was lost, from those of others.
    pub ticket: String,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// When the outcome was stored, or when an operator had it sent again.
    pub waiting_since: Timestamp,
    /// Until when it is this run's.
    pub until: Timestamp,
}

impl Claim {
    /// When it was taken.
    pub fn claimed_at(&self) -> Timestamp {
        later(self.until, -LEASE)
    }
}

/// Result of a write that counts only while its claim lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimWrite {
    /// It is stored.
    Stored,
    /// Nothing was changed: the claim was over, or an operator replayed or dropped the confirmation meanwhile.
    ClaimLost,
}

/// Confirmations that wait to be sent, and what is known of their receivers.
///
/// What is noted of a claim (`delivered`, `retry`, `wait`, `park`) counts only while the claim lasts: whoever comes late
/// changes nothing, and is told so.
#[async_trait]
pub trait Confirmations: Send + Sync {
    /// Those that are due at `now`, at most `limit`, shared out among the clients: each client's oldest first, then each
    /// client's second, and so on, so that a backlog of one client hides nobody else's.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError>;
    /// Takes a confirmation that is due at `now`, until `until`, and counts the attempt, once even where the store is asked
    /// twice because an answer was lost. `None` where it is not due, or not there.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] of one that can't be read, which is parked then. Where the store, or the key that opens
    /// it, can't be had at the moment it is given back without an attempt.
    async fn claim(
        &self,
        id: &ConfirmationId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Claim>, StoreError>;
    /// It was delivered: address and body are forgotten.
    async fn delivered(&self, claim: &Claim, at: Timestamp) -> Result<ClaimWrite, StoreError>;
    /// The attempt failed; the next is due at `due`. `failure` is one word, such as `timeout` or `http_502`.
    async fn retry(&self, claim: &Claim, due: Timestamp, failure: &str) -> Result<ClaimWrite, StoreError>;
    /// No attempt was made, and none counts; it is due at `due`.
    async fn wait(&self, claim: &Claim, due: Timestamp) -> Result<ClaimWrite, StoreError>;
    /// It is not tried any more by itself. Without a `failure` no attempt was made, and none counts.
    async fn park(
        &self,
        claim: &Claim,
        reason: Parked,
        failure: Option<&str>,
        at: Timestamp,
    ) -> Result<ClaimWrite, StoreError>;
    /// What is known of a client's receiver, by [`Confirmation::destination`].
    async fn destination(&self, client: &ClientId, destination: &str) -> Result<Destination, StoreError>;
    /// Stores a new state of a receiver over that of `state.version`. False where that is not the state any more.
    async fn update_destination(
        &self,
        client: &ClientId,
        destination: &str,
        state: &Destination,
    ) -> Result<bool, StoreError>;
}

/// Partners' receivers. Each call ends within [`crate::delivery::ATTEMPT_LIMIT`].
#[async_trait]
pub trait Receivers: Send + Sync {
    /// Signs a confirmation and posts it once.
    async fn post(&self, confirmation: &Confirmation, now: Timestamp) -> DeliveryResult;
}

/// Wakes what goes on with work that is stored. A call may be lost, come late or twice: what is stored decides, and the
/// sweep finds what nobody was woken for.
#[async_trait]
pub trait Wakeups: Send + Sync {
    /// Has an intent looked after.
    async fn settle(&self, intent: IntentId, after: SignedDuration) -> Result<(), StoreError>;
    /// Has confirmations sent.
    async fn confirm(
        &self,
        confirmations: &[(ConfirmationId, ClientId)],
        after: SignedDuration,
    ) -> Result<(), StoreError>;
}

/// A card to enroll, as MRS takes it.
#[derive(Debug, Clone, Copy)]
pub struct NewCard<'a> {
    /// The name that Mastercard knows the client by.
    pub institution: &'a str,
    /// The program.
    pub program: &'a Program,
    /// What MRS shall know it by.
    pub bank_customer_number: &'a BankCustomerNumber,
    /// The pair that the browser made, passed on unchanged.
    pub number: &'a EncryptedNumber,
    /// Passed on, not stored.
    pub person: &'a Person,
}

/// The card number as the browser encrypted it for Mastercard: unreadable here.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptedNumber {
    /// The wrapped content key, base64.
    pub key: String,
    /// The ciphertext, base64.
    pub data: String,
}

impl std::fmt::Debug for EncryptedNumber {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("EncryptedNumber(…)")
    }
}

/// What a customer tells about themselves. Passed to MRS, never stored, never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Person(…)")
    }
}

/// Why MRS did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RewardsError {
    /// It answered with a code.
    #[error("MRS answered {0}")]
    Declined(MrsCode),
    /// It was certainly never reached.
    #[error("MRS was not reached: {0}")]
    NotSent(LogText),
    /// It may or may not have done it.
    #[error("MRS gave no usable answer: {0}")]
    Unknown(LogText),
}

/// The Mastercard Rewards System. Each call ends within 8 s, and before its function does.
#[async_trait]
pub trait Rewards: Send + Sync {
    /// Enrolls a card.
    async fn enroll(&self, card: NewCard<'_>) -> Result<Ranac, RewardsError>;
    /// What it says about the accounts under a bank customer number. A look-up that was not sent or not understood says
    /// nothing: there is no error beside [`LookUp::Unknown`].
    async fn find(&self, institution: &str, number: &BankCustomerNumber) -> LookUp;
    /// Cancels a card.
    async fn cancel(&self, institution: &str, ranac: &Ranac) -> Result<(), RewardsError>;
    /// The same for the sake of one intent: what it writes about a call that it refuses is sealed with that intent. `None`
    /// where nothing is kept.
    fn for_intent(&self, _: &Intent) -> Option<Box<dyn Rewards>> {
        None
    }
}

/// MRS as it is asked for the sake of one intent.
pub struct IntentRewards<'a> {
    own: Option<Box<dyn Rewards>>,
    shared: &'a dyn Rewards,
}

impl<'a> IntentRewards<'a> {
    /// By [`Rewards::for_intent`], where that keeps anything.
    pub fn new(rewards: &'a dyn Rewards, intent: &Intent) -> Self {
        Self {
            own: rewards.for_intent(intent),
            shared: rewards,
        }
    }

    /// To be asked.
    pub fn get(&self) -> &dyn Rewards {
        self.own.as_deref().unwrap_or(self.shared)
    }
}

/// The key that the page encrypts a card number under.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct EncryptionKey {
    /// Mastercard's name of it: 119009 (test), 122744 (production).
    pub reference: String,
    /// `SubjectPublicKeyInfo`, DER, base64.
    pub spki: String,
    /// SHA-256 of the DER, hexadecimal.
    pub fingerprint: String,
}

/// Where the key is configured.
#[async_trait]
pub trait EncryptionKeys: Send + Sync {
    /// The current key.
    async fn current(&self) -> Result<EncryptionKey, StoreError>;
}
