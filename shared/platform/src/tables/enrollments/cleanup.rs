//! What MRS held and should not, and holds no longer.

use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use enrollment::identifiers::{ClientId, IntentId, ProgramId};
use enrollment::intent::{Intent, OldCard};
use enrollment::ports::StoreError;
use enrollment::time::later;
use jiff::Timestamp;

use super::conclusion::Parts;
use super::counters::Change;
use super::{DynamoEnrollments, FAILED_KEPT, card_sort_key, card_ttl, intent_item_key, state};
use crate::tables::due_index::Kind;
use crate::tables::item;
use crate::tables::transaction::{IntoWrite as _, built};

/// A card that MRS holds no longer.
pub(super) struct CancelledCard<'a> {
    pub(super) client: &'a ClientId,
    pub(super) program: &'a ProgramId,
    pub(super) customer_key: &'a str,
    pub(super) card: IntentId,
    /// X, until a purge reckons anew.
    pub(super) retention_days: u16,
    pub(super) at: Timestamp,
}

impl CancelledCard<'_> {
    fn ttl(&self) -> Timestamp {
        card_ttl(self.at, self.retention_days)
    }
}

const OPERATION: &str = "noting that a leftover is gone";

impl DynamoEnrollments {
    /// Once only: a repeat changes nothing.
    pub(super) async fn complete_cleanup(&self, intent: &Intent, at: Timestamp) -> Result<(), StoreError> {
        let parts = match &intent.old_card {
            Some(card) if intent.is_success() => {
                let customer_key = self.customer_key(OPERATION, intent).await?;
                let kept_until = card_ttl(at, card.retention_days);
                Parts {
                    intent: self.settled(
                        intent.id,
                        "lease_until, unanswered_at, unknown_since, agenda, agenda_at, old_ranac, old_number",
                        None,
                    )?,
                    counter_updates: self.counter_updates(
                        OPERATION,
                        &customer_key,
                        Change::OldCardOut { kept_until },
                        &[],
                    )?,
                    required: Vec::new(),
                    old_card: self.cancel_card(OPERATION, &customer_key, intent, card, at)?,
                    session: None,
                }
            }
            _ => Parts {
                intent: self.settled(
                    intent.id,
                    "lease_until, unanswered_at, unknown_since, present_before, agenda, agenda_at",
                    Some(later(at, FAILED_KEPT)),
                )?,
                counter_updates: Vec::new(),
                required: Vec::new(),
                old_card: Vec::new(),
                session: None,
            },
        };
        self.store(OPERATION, parts).await.map(drop)
    }

    /// The old card of an intent, which MRS holds no longer.
    pub(super) fn cancel_card(
        &self,
        operation: &'static str,
        customer_key: &str,
        intent: &Intent,
        card: &OldCard,
        at: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let removed = CancelledCard {
            client: &intent.client,
            program: &intent.program,
            customer_key,
            card: card.id,
            retention_days: card.retention_days,
            at,
        };
        let cancelled = self
            .cancellation(&removed)
            .condition_expression("held_by = :intent")
            .expression_attribute_values(":intent", item::text(intent.id.to_hex()))
            .build();
        Ok(vec![
            built(operation, cancelled)?.into_write(),
            self.set_intent_ttl(operation, &removed)?,
        ])
    }

    /// The intent that enrolled a card goes with it.
    pub(super) fn set_intent_ttl(
        &self,
        operation: &'static str,
        removed: &CancelledCard<'_>,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.enrollments)
            .set_key(Some(intent_item_key(removed.card)))
            .update_expression("SET #ttl = :ttl")
            // One that replaced a card which MRS still holds must not go.
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(agenda)")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":ttl", item::seconds(removed.ttl()))
            .build();
        Ok(built(operation, update)?.into_write())
    }

    /// From now on the purge finds the card.
    pub(super) fn cancellation(&self, removed: &CancelledCard<'_>) -> UpdateBuilder {
        let agenda = Kind::Cancelled(removed.client, removed.program).of(&removed.card.to_hex());
        let sort_key = card_sort_key(removed.card);
        Update::builder()
            .table_name(&self.tables.enrollments)
            .set_key(Some(item::key_pair(removed.customer_key, &sort_key)))
            .update_expression(
                "SET #state = :cancelled, cancelled_at = :at, agenda = :agenda, agenda_at = :at, #ttl = :ttl",
            )
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":cancelled", item::text(state::CANCELLED))
            .expression_attribute_values(":at", item::millis(removed.at))
            .expression_attribute_values(":agenda", agenda)
            .expression_attribute_values(":ttl", item::seconds(removed.ttl()))
    }

    /// The intent has nothing left to be done; where it had nothing before, the condition does not hold.
    fn settled(
        &self,
        id: IntentId,
        removes: &str,
        kept_until: Option<Timestamp>,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.tables.enrollments)
            .set_key(Some(intent_item_key(id)))
            .condition_expression("leftover = :yes")
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        let update = match kept_until {
            None => update.update_expression(format!("SET leftover = :no REMOVE {removes}")),
            Some(until) => update
                .update_expression(format!("SET leftover = :no, #ttl = :ttl REMOVE {removes}"))
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":ttl", item::seconds(until)),
        };
        Ok(built(OPERATION, update.build())?.into_write())
    }
}
