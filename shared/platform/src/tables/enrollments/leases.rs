//! The port `Leases`: a lease on the intent itself, acquired and released by conditional writes.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue;
use enrollment::identifiers::{IntentId, Ranac};
use enrollment::intent::Intent;
use enrollment::log::LogText;
use enrollment::ports::{Leases, Reschedule, StoreError};
use jiff::Timestamp;

use super::intents::written_ranacs;
use super::{DynamoEnrollments, INTENT, intent_item_key, intent_key};
use crate::aws::where_it_held;
use crate::tables::item::{self, Fields};

#[async_trait]
impl Leases for DynamoEnrollments {
    async fn acquire(
        &self,
        id: IntentId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Intent>, StoreError> {
        const OPERATION: &str = "taking an intent to ask about it";
        let taken = self
            .dynamodb
            .update_item()
            .table_name(&self.tables.enrollments)
            .set_key(Some(intent_item_key(id)))
            .update_expression("SET lease_until = :until, unanswered_at = :now")
            .condition_expression(
                "attribute_exists(agenda) AND agenda_at <= :now AND #schema <= :schema \
                 AND (attribute_not_exists(lease_until) OR lease_until <= :now)",
            )
            .expression_attribute_names("#schema", "schema")
            .expression_attribute_values(":schema", item::number(item::SCHEMA))
            .expression_attribute_values(":until", item::millis(until))
            .expression_attribute_values(":now", item::millis(now))
            // As it was: a call that an asker left unanswered is not the one of now.
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        let taken = where_it_held(taken).map_err(|detail| StoreError::unavailable(OPERATION, detail))?;
        let Some(before) = taken.and_then(|answer| answer.attributes) else {
            return Ok(None);
        };
        self.read(id, &Fields::of(OPERATION, before)?).await.map(Some)
    }

    async fn release(
        &self,
        id: IntentId,
        until: Timestamp,
        reschedule: Reschedule,
    ) -> Result<bool, StoreError> {
        let mut sets = "SET agenda_at = :next".to_owned();
        let mut removes = " REMOVE lease_until".to_owned();
        let mut update = self
            .dynamodb
            .update_item()
            .table_name(&self.tables.enrollments)
            .set_key(Some(intent_item_key(id)))
            .condition_expression("attribute_exists(agenda) AND lease_until = :until")
            .expression_attribute_values(":until", item::millis(until))
            .expression_attribute_values(":next", item::millis(reschedule.next));
        for (attribute, time) in [
            ("unanswered_at", reschedule.unanswered_at),
            ("unknown_since", reschedule.unknown_since),
        ] {
            match time {
                Some(time) => {
                    sets.push_str(&[", ", attribute, " = :", attribute].concat());
                    update = update.expression_attribute_values(format!(":{attribute}"), item::millis(time));
                }
                None => removes.push_str(&[", ", attribute].concat()),
            }
        }
        where_it_held(update.update_expression(sets + &removes).send().await)
            .map(|given_back| given_back.is_some())
            .map_err(|detail| StoreError::unavailable("giving an intent back", detail))
    }

    async fn record_present(&self, intent: &Intent, ranacs: &[Ranac]) -> Result<(), StoreError> {
        const OPERATION: &str = "noting what MRS listed before an enrollment";
        let unavailable = |detail: LogText| StoreError::unavailable(OPERATION, detail);
        let pk = intent_key(intent.id);
        let written =
            written_ranacs(ranacs).map_err(|_| unavailable("it can't be written as JSON".into()))?;
        let sealed = self
            .sealing(OPERATION, &intent.client, &pk, INTENT)
            .seal("present_before", &written)
            .await?;
        self.dynamodb
            .update_item()
            .table_name(&self.tables.enrollments)
            .set_key(Some(intent_item_key(intent.id)))
            .update_expression("SET present_before = :ranacs")
            // Where the outcome is there by now, nothing may be enrolled any more.
            .condition_expression("attribute_exists(agenda) AND attribute_not_exists(#status)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":ranacs", sealed)
            .send()
            .await
            .map(drop)
            .map_err(|error| unavailable(crate::aws::describe(&error)))
    }
}
