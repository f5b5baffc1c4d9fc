//! The port `Leases`: a lease on the intent itself, acquired and released by conditional writes.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue;
use enrollment::identifiers::{IntentId, Ranac};
use enrollment::intent::Intent;
use enrollment::ports::{Leases, Reschedule, StoreError};
use jiff::Timestamp;

use super::intents::written_ranacs;
use super::{DynamoEnrollments, INTENT, intent_item_key, intent_key};
use crate::tables::item::{self, Fields};
use crate::tables::update::ItemUpdate;

#[async_trait]
impl Leases for DynamoEnrollments {
    async fn acquire(
        &self,
        id: IntentId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Intent>, StoreError> {
        const OPERATION: &str = "acquiring an intent's lease";
        let taken = ItemUpdate::new(&self.tables.enrollments, intent_item_key(id))
            .set("lease_until = :until, unanswered_at = :now")
            .when("attribute_exists(agenda) AND agenda_at <= :now")
            .when("(attribute_not_exists(lease_until) OR lease_until <= :now)")
            .when_schema_is_known()
            .value(":until", item::millis(until))
            .value(":now", item::millis(now))
            // The old attributes: `unanswered_at` of this call must not look like one of an earlier call.
            .send(&self.dynamodb, OPERATION, ReturnValue::AllOld)
            .await?;
        let Some(before) = taken else {
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
        let mut update = ItemUpdate::new(&self.tables.enrollments, intent_item_key(id))
            .set("agenda_at = :next")
            .remove("lease_until")
            .when("attribute_exists(agenda) AND lease_until = :until")
            .value(":until", item::millis(until))
            .value(":next", item::millis(reschedule.next));
        for (attribute, time) in [
            ("unanswered_at", reschedule.unanswered_at),
            ("unknown_since", reschedule.unknown_since),
        ] {
            update = match time {
                Some(time) => update
                    .set(format!("{attribute} = :{attribute}"))
                    .value(format!(":{attribute}"), item::millis(time)),
                None => update.remove(attribute),
            };
        }
        let released = update
            .send(&self.dynamodb, "releasing an intent's lease", ReturnValue::None)
            .await?;
        Ok(released.is_some())
    }

    async fn record_present(&self, intent: &Intent, ranacs: &[Ranac]) -> Result<(), StoreError> {
        const OPERATION: &str = "storing the accounts before an enrollment";
        let pk = intent_key(intent.id);
        let written = written_ranacs(ranacs)
            .map_err(|_| StoreError::unavailable(OPERATION, "it can't be written as JSON"))?;
        let sealed = self
            .sealing(OPERATION, &intent.client, &pk, INTENT)
            .seal("present_before", &written)
            .await?;
        ItemUpdate::new(&self.tables.enrollments, intent_item_key(intent.id))
            .set("present_before = :ranacs")
            // After the outcome nothing may be enrolled.
            .when("attribute_exists(agenda) AND attribute_not_exists(#status)")
            .value(":ranacs", sealed)
            .send(&self.dynamodb, OPERATION, ReturnValue::None)
            .await?
            .map(drop)
            .ok_or(StoreError::unavailable(OPERATION, "the intent has its outcome"))
    }
}
