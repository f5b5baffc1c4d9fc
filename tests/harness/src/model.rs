//! A reference model of the stores: what the ports promise, in memory and under one lock.
//!
//! It exists for the domain's own tests, which need a store in microseconds. The cases of [`crate::conformance`] and of
//! [`crate::settlement`] run on it and on real engines, so that a test on the model says something about them.
//!
//! Every call is one atomic step, and an index never lags: transaction conflicts, lost answers, encryption and what an item
//! looks like are the storage tests' subject.

mod batches;
mod confirmations;
mod counts;
mod customers;
mod digital_cards;
mod enrollments;
mod intents;
mod leases;
mod limits;
mod pacing;
mod purges;
mod records;
mod sessions;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use enrollment::batch::{BatchId, EncryptedEnrollmentData};
use enrollment::client::Client;
use enrollment::clock::Clock;
use enrollment::confirmation::ConfirmationId;
use enrollment::delivery::Destination;
use enrollment::digital_card::DigitalCardKey;
use enrollment::identifiers::{ClientId, CustomerId, IntentId, ProgramId, SessionId, Slug};
use enrollment::intent::{Card, Consent, Intent};
use enrollment::ports::{ClientIndex, Clients, Cursor, CustomerKey, Page, StoreError};
use enrollment::session::Session;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use batches::StoredBatch;
use digital_cards::StoredDigitalCard;
use pacing::Bucket;

pub use confirmations::{StoredConfirmation, StoredConfirmationState};

/// A failed intent is kept this long after its outcome.
const FAILED_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A cancelled card is kept this much longer than the program's retention where no purge deletes it.
const TTL_MARGIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// All stores of the product, in memory.
pub struct Model {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// Everything that is stored.
#[derive(Default)]
struct State {
    clients: BTreeMap<ClientId, Arc<Client>>,
    sessions: HashMap<SessionId, StoredSession>,
    used_tokens: HashSet<[u8; 32]>,
    intents: HashMap<IntentId, StoredIntent>,
    customers: HashMap<CustomerKey, StoredCustomer>,
    confirmations: HashMap<ConfirmationId, StoredConfirmation>,
    destinations: HashMap<(ClientId, String), StoredDestination>,
    counters: HashMap<String, StoredCounter>,
    undelivered: Vec<ConfirmationId>,
    claims: u64,
    batches: HashMap<BatchId, StoredBatch>,
    contents: HashMap<String, EncryptedEnrollmentData>,
    digital_cards: HashMap<DigitalCardKey, StoredDigitalCard>,
    bucket: Bucket,
}

struct StoredSession {
    session: Session,
    ttl: Timestamp,
}

struct StoredIntent {
    intent: Intent,
    owner: CustomerKey,
    /// Stays when MRS's names of the old card are deleted.
    old_card: Option<IntentId>,
    /// `None` once nothing is left to do.
    due_at: Option<Timestamp>,
    lease_until: Option<Timestamp>,
    ttl: Option<Timestamp>,
}

/// A customer's counts and cards. Version 0: only cards are stored.
#[derive(Default)]
struct StoredCustomer {
    active: u32,
    pending: u32,
    changing: u32,
    version: u64,
    ttl: Option<Timestamp>,
    consents: Vec<Consent>,
    cards: HashMap<IntentId, StoredCard>,
}

struct StoredCard {
    card: Card,
    client: ClientId,
    program: ProgramId,
    locked_by: Option<IntentId>,
    ttl: Option<Timestamp>,
}

struct StoredDestination {
    destination: Destination,
    ttl: Timestamp,
}

/// A counter by minute, with the attempts of its two latest minutes.
#[derive(Clone, Default)]
struct StoredCounter {
    minute: i64,
    minutes: BTreeMap<i64, u32>,
    seen: Vec<IntentId>,
    seen_before: Vec<IntentId>,
}

impl Model {
    /// Empty stores, which judge by `clock` what is past its time to live.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Stores a client's set-up, over one of the same id.
    pub fn set_up(&self, client: Client) {
        self.state().clients.insert(client.id.clone(), Arc::new(client));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The key of a customer in a program. Only the program may contain a `#`.
fn customer_key(client: &ClientId, program: &ProgramId, customer: &CustomerId) -> CustomerKey {
    CustomerKey(format!("customer#{client}#{program}#{}", customer.expose()))
}

/// Whole seconds, as a time to live is stored.
fn ttl(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(Timestamp::MAX)
}

/// Time at which a card that was cancelled at `at` is deleted without a purge.
fn card_ttl(at: Timestamp, retention_days: u16) -> Timestamp {
    let retention = SignedDuration::from_hours(24 * i64::from(retention_days));
    ttl(later(later(at, retention), TTL_MARGIN))
}

/// Page of a sorted list. `place` gives an entry's time and what tells it from others of that time.
fn page<T>(
    sorted: Vec<T>,
    place: impl Fn(&T) -> (Timestamp, String),
    from: Option<&Cursor>,
    limit: usize,
) -> Page<T> {
    let cursor = |entry: &T| {
        let (at, id) = place(entry);
        format!("{:020} {id}", at.as_millisecond())
    };
    let limit = limit.max(1);
    let mut entries: Vec<T> = sorted
        .into_iter()
        .filter(|entry| from.is_none_or(|from| cursor(entry) > from.0))
        .collect();
    let next = (entries.len() > limit).then(|| Cursor(cursor(&entries[limit - 1])));
    entries.truncate(limit);
    Page { entries, next }
}

fn is_expired(ttl: Option<Timestamp>, now: Timestamp) -> bool {
    ttl.is_some_and(|ttl| ttl <= now)
}

fn unavailable(operation: &'static str, detail: &'static str) -> StoreError {
    StoreError::unavailable(operation, detail)
}

#[async_trait]
impl Clients for Model {
    async fn by_id(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(self.state().clients.get(id).cloned())
    }

    async fn by_slug(&self, slug: &Slug) -> Result<Option<Arc<Client>>, StoreError> {
        let state = self.state();
        let mut clients = state.clients.values();
        Ok(clients.find(|client| client.slug == *slug).cloned())
    }
}

#[async_trait]
impl ClientIndex for Model {
    async fn clients(&self) -> Result<Vec<ClientId>, StoreError> {
        Ok(self.state().clients.keys().cloned().collect())
    }
}
