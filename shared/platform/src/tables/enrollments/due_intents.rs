//! The port `DueIntents` over the index of due work.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValue;
use enrollment::identifiers::IntentId;
use enrollment::ports::{DueIntent, DueIntents, StoreError};
use enrollment::status::Status;
use jiff::Timestamp;

use super::{DynamoEnrollments, intent_item_key};
use crate::tables::due_index::{self, Kind};
use crate::tables::item::{self, Fields};
use crate::tables::update::ItemUpdate;

#[async_trait]
impl DueIntents for DynamoEnrollments {
    async fn due_intents(&self, until: Timestamp, limit: usize) -> Result<Vec<DueIntent>, StoreError> {
        const OPERATION: &str = "listing due intents";
        let table = &self.tables.enrollments;
        let due_intent = |fields: &Fields| {
            Ok(DueIntent {
                id: fields.parsed("pk", |pk| {
                    IntentId::from_hex(pk.strip_prefix("intent#").unwrap_or_default())
                })?,
                created_at: fields.time("created_at")?,
                due_at: fields.time("agenda_at")?,
                is_open: fields
                    .optional_text("status")?
                    .and_then(Status::from_text)
                    .is_none_or(Status::is_success),
            })
        };
        due_index::list(
            &self.dynamodb,
            table,
            OPERATION,
            Kind::DueIntent,
            until,
            limit,
            due_intent,
        )
        .await
    }

    async fn reschedule(&self, id: IntentId, at: Timestamp) -> Result<(), StoreError> {
        let update = ItemUpdate::new(&self.tables.enrollments, intent_item_key(id))
            .set("agenda_at = :at")
            .when("attribute_exists(agenda)")
            .value(":at", item::millis(at));
        // The condition fails where the last work of the intent is done.
        update
            .send(&self.dynamodb, "rescheduling an intent", ReturnValue::None)
            .await
            .map(drop)
    }
}
