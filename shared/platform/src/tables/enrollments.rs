mod askers;
mod begin;
mod customer;
mod faults;
mod finish;
mod intents;
#[cfg(feature = "operator")]
mod ledger;
mod leftovers;
mod purges;
mod recount;
mod storing;
mod unsettled;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use enrollment::action::ActionCode;
use enrollment::clock::Clock;
use enrollment::identifiers::{ClientId, CustomerId, IntentId, ProgramId, Ranac};
use enrollment::intent::{CardCount, Customer, Intent};
use enrollment::ports::{Begun, Enrollments, Finished, StoreError, Turn, Unsettled};
use enrollment::randomness::Randomness;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

pub use faults::FaultNote;
#[cfg(feature = "operator")]
pub use faults::Incident;

use super::batch::{Batch, Key};
use super::item::{self, Fields, Item};
use super::sealing::Sealing;
use super::{TableNames, customers};
use crate::metrics::Metrics;
use crate::vault::{Purpose, Vault};

/// How long a failed intent is kept after its outcome.
const FAILED_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Logical name, for the vault.
const TABLE: &str = "enrollments";
/// Sort keys.
const INTENT: &str = "intent";
const CUSTOMER: &str = "customer";
const CARD: &str = "card#";
/// How much longer than X a cancelled card may be there before `DynamoDB` deletes it: time enough to mend a purge that
/// does not run.
const TTL_MARGIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Values of a card's `state`.
mod state {
    pub(super) const ACTIVE: &str = "active";
    pub(super) const HELD: &str = "held";
    pub(super) const LEAVING: &str = "leaving";
    pub(super) const CANCELLED: &str = "cancelled";
}

/// The `enrollments` table, and what its transactions touch in `sessions` and `confirmations`.
pub struct DynamoEnrollments {
    dynamodb: Client,
    tables: TableNames,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
    metrics: Option<Metrics>,
}

impl DynamoEnrollments {
    /// Over the tables of those physical names.
    pub fn new(
        dynamodb: Client,
        tables: TableNames,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            dynamodb,
            tables,
            vault,
            clock,
            randomness,
            metrics: None,
        }
    }

    /// Tells each outcome that it stores to `metrics`.
    #[must_use]
    pub fn measured_by(mut self, metrics: Metrics) -> Self {
        self.metrics = Some(metrics);
        self
    }

    async fn item(&self, operation: &'static str, pk: &str, sk: &str) -> Result<Option<Fields>, StoreError> {
        item::read(
            &self.dynamodb,
            &self.tables.enrollments,
            operation,
            item::key_pair(pk, sk),
        )
        .await
    }

    pub(super) fn batch(&self, operation: &'static str) -> Batch<'_> {
        Batch {
            dynamodb: &self.dynamodb,
            randomness: &*self.randomness,
            operation,
        }
    }

    /// The key of an intent's item, for reading it together with others.
    pub(super) fn intent_key(&self, id: IntentId) -> Key<'_> {
        (&self.tables.enrollments, intent_item_key(id))
    }

    /// The key of the item with a customer's counts, the same.
    pub(super) fn count_key(&self, customer: &str) -> Key<'_> {
        (&self.tables.enrollments, item::key_pair(customer, CUSTOMER))
    }

    /// The key of the item of one of a customer's cards, the same.
    pub(super) fn card_key(&self, customer: &str, card: IntentId) -> Key<'_> {
        (
            &self.tables.enrollments,
            item::key_pair(customer, &card_sort_key(card)),
        )
    }

    /// Reads the item of an intent; `None` where it is past its time.
    pub(super) async fn intent_of(
        &self,
        id: IntentId,
        fields: &Fields,
    ) -> Result<Option<Intent>, StoreError> {
        if fields.is_past(self.clock.now())? {
            Ok(None)
        } else {
            self.read(id, fields).await.map(Some)
        }
    }

    fn sealing<'a>(
        &'a self,
        operation: &'static str,
        client: &'a ClientId,
        pk: &'a str,
        sk: &'a str,
    ) -> Sealing<'a> {
        Sealing {
            vault: &self.vault,
            operation,
            client,
            purpose: Purpose::Enrollment,
            table: TABLE,
            pk,
            sk,
        }
    }

    async fn customer_key(&self, operation: &'static str, intent: &Intent) -> Result<String, StoreError> {
        customers::primary_key(
            &self.vault,
            operation,
            &intent.client,
            &intent.program,
            &intent.customer,
        )
        .await
    }
}

#[async_trait]
impl Enrollments for DynamoEnrollments {
    async fn intent(&self, id: IntentId) -> Result<Option<Intent>, StoreError> {
        let Some(fields) = self.item("reading an intent", &intent_key(id), INTENT).await? else {
            return Ok(None);
        };
        self.intent_of(id, &fields).await
    }

    async fn card_count(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<CardCount, StoreError> {
        const OPERATION: &str = "counting cards";
        let pk = customers::primary_key(&self.vault, OPERATION, client, program, customer).await?;
        count_of(self.item(OPERATION, &pk, CUSTOMER).await?.as_ref())
    }

    async fn customer(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<Customer, StoreError> {
        self.read_customer(client, program, customer).await
    }

    async fn begin(&self, intent: &Intent, count: CardCount, failures: u32) -> Result<Begun, StoreError> {
        self.begin_intent(intent, count, failures).await
    }

    async fn finish(&self, intent: &Intent) -> Result<Finished, StoreError> {
        self.finish_intent(intent).await
    }

    async fn leftover_gone(&self, intent: &Intent, at: Timestamp) -> Result<(), StoreError> {
        self.note_leftover_gone(intent, at).await
    }

    async fn unsettled(&self, now: Timestamp, limit: usize) -> Result<Vec<Unsettled>, StoreError> {
        self.list_unsettled(now, limit).await
    }

    async fn look_again(&self, id: IntentId, at: Timestamp) -> Result<(), StoreError> {
        self.put_look_off(id, at).await
    }

    async fn take(
        &self,
        id: IntentId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Intent>, StoreError> {
        self.take_intent(id, now, until).await
    }

    async fn release(&self, id: IntentId, until: Timestamp, turn: Turn) -> Result<bool, StoreError> {
        self.release_intent(id, until, turn).await
    }

    async fn note_present(&self, intent: &Intent, ranacs: &[Ranac]) -> Result<(), StoreError> {
        self.note_present_ranacs(intent, ranacs).await
    }
}

/// Reads the item with a customer's counts; all of them are zero where there is none.
pub(super) fn count_of(found: Option<&Fields>) -> Result<CardCount, StoreError> {
    found
        .map(customer::count)
        .transpose()
        .map(Option::unwrap_or_default)
}

fn intent_key(id: IntentId) -> String {
    format!("intent#{}", id.to_hex())
}

fn card_sort_key(id: IntentId) -> String {
    format!("{CARD}{}", id.to_hex())
}

/// When a card that was cancelled at `at` goes by itself.
fn card_ttl(at: Timestamp, retention_days: u16) -> Timestamp {
    let retention = SignedDuration::from_hours(24 * i64::from(retention_days));
    later(later(at, retention), TTL_MARGIN)
}

/// What counts an intent whose outcome is open.
fn counter_of(action: ActionCode) -> &'static str {
    match action {
        ActionCode::Enroll => "pending",
        ActionCode::Replace | ActionCode::OptOut => "changing",
    }
}

fn intent_item_key(id: IntentId) -> Item {
    item::key_pair(&intent_key(id), INTENT)
}
