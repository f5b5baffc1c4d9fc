mod begin;
mod card_counts;
mod cleanup;
mod conclusion;
#[cfg(feature = "operator")]
mod customer_records;
mod customers;
mod due_intents;
mod faults;
mod finish;
mod intents;
mod leases;
mod purges;

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use enrollment::action::ActionCode;
use enrollment::clock::Clock;
use enrollment::identifiers::{ClientId, IntentId};
use enrollment::intent::Intent;
use enrollment::ports::StoreError;
use enrollment::randomness::Randomness;
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

pub(super) use customers::count_of;
pub use faults::FaultNote;
#[cfg(feature = "operator")]
pub use faults::Incident;

use super::TableNames;
use super::batch::{Batch, Key};
use super::customers as customer_keys;
use super::item::{self, Fields, Item};
use super::sealing::Sealing;
use crate::metrics::Metrics;
use crate::vault::{Purpose, Vault};

/// Retention of a failed intent after its outcome.
const FAILED_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Logical name, for the vault.
const TABLE: &str = "enrollments";
/// Sort keys.
const INTENT: &str = "intent";
const CUSTOMER: &str = "customer";
const CARD: &str = "card#";
/// Time between the end of a cancelled card's retention and its `ttl`: enough to repair a purge that does not run.
const TTL_MARGIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Values of a card's `state`.
mod state {
    pub(super) const ACTIVE: &str = "active";
    pub(super) const LOCKED: &str = "locked";
    pub(super) const PENDING_CANCELLATION: &str = "pending_cancellation";
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
        if fields.is_expired(self.clock.now())? {
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
        customer_keys::primary_key(
            &self.vault,
            operation,
            &intent.client,
            &intent.program,
            &intent.customer,
        )
        .await
    }
}

fn intent_key(id: IntentId) -> String {
    format!("intent#{}", id.to_hex())
}

fn card_sort_key(id: IntentId) -> String {
    format!("{CARD}{}", id.to_hex())
}

/// Time to live of a card that was cancelled at `at`.
fn card_ttl(at: Timestamp, retention_days: u16) -> Timestamp {
    let retention = SignedDuration::from_hours(24 * i64::from(retention_days));
    later(later(at, retention), TTL_MARGIN)
}

/// Attribute that counts open intents of an action.
fn count_attribute(action: ActionCode) -> &'static str {
    match action {
        ActionCode::Enroll => "pending",
        ActionCode::Replace | ActionCode::OptOut => "changing",
    }
}

fn intent_item_key(id: IntentId) -> Item {
    item::key_pair(&intent_key(id), INTENT)
}
