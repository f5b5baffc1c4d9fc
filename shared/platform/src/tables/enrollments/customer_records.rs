//! The port `CustomerRecords`: what an operator does with records, beside the flows.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue;
use enrollment::identifiers::{ClientId, CustomerId, IntentId, Last4, ProgramId};
use enrollment::intent::{Card, Customer};
use enrollment::ports::{Cursor, CustomerKey, CustomerRecords, Entry, Page, Put, StoreError};
use jiff::Timestamp;

use super::card_counts::Change;
use super::cleanup::CancelledCard;
use super::conclusion::Parts;
use super::{CUSTOMER, DynamoEnrollments, INTENT, card_sort_key, card_ttl, state};
use crate::aws::describe;
use crate::tables::customers;
use crate::tables::item::{self, Fields};
use crate::tables::update::ItemUpdate;

const LISTING: &str = "listing customers and failed intents";
const MARKING_CANCELLED: &str = "marking a card cancelled";
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
        let cancelled = self
            .cancellation(&removed)
            .when("#state = :active")
            .value(":active", item::text(state::ACTIVE));
        let parts = Parts {
            intent: cancelled.into_write(MARKING_CANCELLED)?,
            count_updates: self.count_updates(MARKING_CANCELLED, &key.0, change, &[])?,
            required: Vec::new(),
            old_card: vec![self.set_intent_ttl(MARKING_CANCELLED, &removed)?],
            session: None,
        };
        Ok(self.store(MARKING_CANCELLED, parts).await? == Put::Created)
    }

    async fn set_last4(&self, key: &CustomerKey, card: IntentId, last4: Last4) -> Result<(), StoreError> {
        let update = ItemUpdate::new(
            &self.tables.enrollments,
            item::key_pair(&key.0, &card_sort_key(card)),
        )
        .set("last4 = :last4")
        .when("attribute_exists(pk)")
        .value(":last4", item::text(last4.as_str()));
        update
            .send(
                &self.dynamodb,
                "storing a card's last four digits",
                ReturnValue::None,
            )
            .await
            .map(drop)
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
