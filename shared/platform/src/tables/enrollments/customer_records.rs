//! The port `CustomerRecords`: what an operator does with records, beside the flows.

use async_trait::async_trait;
use enrollment::identifiers::{ClientId, CustomerId, IntentId, Last4, ProgramId};
use enrollment::intent::{Card, Customer};
use enrollment::ports::{Cursor, CustomerKey, CustomerRecords, Entry, Page, Put, StoreError};
use jiff::Timestamp;

use super::cleanup::CancelledCard;
use super::conclusion::Parts;
use super::counters::Change;
use super::{CUSTOMER, DynamoEnrollments, INTENT, card_sort_key, card_ttl, state};
use crate::aws::{describe, where_it_held};
use crate::tables::customers;
use crate::tables::item::{self, Fields};
use crate::tables::transaction::{IntoWrite as _, built};

const LISTING: &str = "going through customers and failed intents";
const MARKING_CANCELLED: &str = "striking a card off";
/// The length of `#` and a blind index.
const INDEX_LENGTH: usize = 65;

#[async_trait]
impl CustomerRecords for DynamoEnrollments {
    async fn key(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<CustomerKey, StoreError> {
        customers::primary_key(&self.vault, "finding a customer", client, program, customer)
            .await
            .map(CustomerKey)
    }

    /// A scan: nothing else lists who is there, and nobody waits for an operator's report.
    async fn entries(&self, client: &ClientId, from: Option<&Cursor>) -> Result<Page<Entry>, StoreError> {
        let start = from.map(|cursor| {
            let (pk, sk) = cursor.0.rsplit_once(' ').unwrap_or((&cursor.0, ""));
            item::key_pair(pk, sk)
        });
        let answer = self
            .dynamodb
            .scan()
            .table_name(&self.tables.enrollments)
            .filter_expression("(sk = :customer AND begins_with(pk, :of_client)) OR (sk = :intent AND client = :client AND begins_with(#status, :error))")
            .projection_expression("pk, sk, #schema")
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":customer", item::text(CUSTOMER))
            .expression_attribute_values(":of_client", item::text(format!("customer#{client}#")))
            .expression_attribute_values(":intent", item::text(INTENT))
            .expression_attribute_values(":client", item::text(client.as_str()))
            .expression_attribute_values(":error", item::text("ERROR_"))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| StoreError::unavailable(LISTING, describe(&error)))?;
        let mut entries = Vec::new();
        for found in answer.items.unwrap_or_default() {
            entries.push(entry(client, &Fields::of(LISTING, found)?)?);
        }
        let next = answer.last_evaluated_key.map(|key| {
            let text = |name: &str| {
                key.get(name)
                    .and_then(|value| value.as_s().ok())
                    .cloned()
                    .unwrap_or_default()
            };
            // Neither holds a space.
            Cursor(format!("{} {}", text("pk"), text("sk")))
        });
        Ok(Page { entries, next })
    }

    async fn by_key(&self, client: &ClientId, key: &CustomerKey) -> Result<Customer, StoreError> {
        self.read_by_key(client, &key.0).await
    }

    async fn mark_cancelled(
        &self,
        (client, program, key): (&ClientId, &ProgramId, &CustomerKey),
        card: &Card,
        retention_days: u16,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let removed = CancelledCard {
            client,
            program,
            customer_key: &key.0,
            card: card.id,
            retention_days,
            at,
        };
        let change = Change::MarkedCancelled {
            kept_until: card_ttl(at, retention_days),
        };
        let struck_off = self
            .cancellation(&removed)
            .condition_expression("#state = :active")
            .expression_attribute_values(":active", item::text(state::ACTIVE))
            .build();
        let parts = Parts {
            intent: built(MARKING_CANCELLED, struck_off)?.into_write(),
            counter_updates: self.counter_updates(MARKING_CANCELLED, &key.0, change, &[])?,
            required: Vec::new(),
            old_card: vec![self.set_intent_ttl(MARKING_CANCELLED, &removed)?],
            session: None,
        };
        Ok(self.store(MARKING_CANCELLED, parts).await? == Put::Created)
    }

    async fn set_last4(&self, key: &CustomerKey, card: IntentId, last4: Last4) -> Result<(), StoreError> {
        let update = self
            .dynamodb
            .update_item()
            .table_name(&self.tables.enrollments)
            .set_key(Some(item::key_pair(&key.0, &card_sort_key(card))))
            .update_expression("SET last4 = :last4")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":last4", item::text(last4.as_str()));
        where_it_held(update.send().await)
            .map(drop)
            .map_err(|detail| StoreError::unavailable("correcting a card", detail))
    }
}

fn entry(client: &ClientId, fields: &Fields) -> Result<Entry, StoreError> {
    let pk = fields.text("pk")?;
    if fields.text("sk")? == INTENT {
        return fields
            .parsed("pk", |pk| {
                IntentId::from_hex(pk.strip_prefix("intent#").unwrap_or_default())
            })
            .map(Entry::Failed);
    }
    // The program may hold a `#`; what stands around it is of fixed shape.
    let start = format!("customer#{client}#").len();
    let program = pk
        .len()
        .checked_sub(INDEX_LENGTH)
        .and_then(|end| pk.get(start..end))
        .unwrap_or_default();
    let program = fields.check("pk", ProgramId::parse(program))?;
    Ok(Entry::Customer(program, CustomerKey(pk.to_owned())))
}
