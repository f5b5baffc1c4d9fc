//! Intents to look after: those whose outcome is open, and failed ones that MRS may hold something for.

use enrollment::identifiers::IntentId;
use enrollment::ports::{StoreError, Unsettled};
use enrollment::status::Status;
use jiff::Timestamp;

use super::{DynamoEnrollments, intent_item_key};
use crate::aws::where_it_held;
use crate::tables::agenda::{self, Kind};
use crate::tables::item::{self, Fields};

impl DynamoEnrollments {
    pub(super) async fn list_unsettled(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Unsettled>, StoreError> {
        const OPERATION: &str = "listing unsettled intents";
        let table = &self.tables.enrollments;
        let unsettled = |fields: &Fields| {
            Ok(Unsettled {
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
        agenda::list(
            &self.dynamodb,
            table,
            OPERATION,
            Kind::Unsettled,
            until,
            limit,
            unsettled,
        )
        .await
    }

    pub(super) async fn put_look_off(&self, id: IntentId, at: Timestamp) -> Result<(), StoreError> {
        let update = self
            .dynamodb
            .update_item()
            .table_name(&self.tables.enrollments)
            .set_key(Some(intent_item_key(id)))
            .update_expression("SET agenda_at = :at")
            .condition_expression("attribute_exists(agenda)")
            .expression_attribute_values(":at", item::millis(at));
        // Where the condition does not hold, it was settled meanwhile.
        where_it_held(update.send().await)
            .map(drop)
            .map_err(|detail| StoreError::Unavailable {
                operation: "putting a look at an intent off",
                detail,
            })
    }
}
