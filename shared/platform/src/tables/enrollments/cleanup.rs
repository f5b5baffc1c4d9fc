//! Completed cleanups: MRS no longer has a card that an intent left there.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use enrollment::identifiers::{ClientId, IntentId, ProgramId};
use enrollment::intent::{Intent, OldCard};
use enrollment::ports::StoreError;
use enrollment::time::later;
use jiff::Timestamp;

use super::card_counts::Change;
use super::conclusion::Parts;
use super::finish::{AGENDA, LEASE, LOOK_UP, OLD_CARD};
use super::{DynamoEnrollments, FAILED_KEPT, card_sort_key, card_ttl, intent_item_key, state};
use crate::tables::due_index::Kind;
use crate::tables::item;
use crate::tables::update::ItemUpdate;

/// Card that MRS has cancelled.
pub(super) struct CancelledCard<'a> {
    pub(super) client: &'a ClientId,
    pub(super) program: &'a ProgramId,
    pub(super) customer_key: &'a str,
    pub(super) card: IntentId,
    /// Retention, until a purge applies the current one.
    pub(super) retention_days: u16,
    pub(super) at: Timestamp,
}

impl CancelledCard<'_> {
    fn ttl(&self) -> Timestamp {
        card_ttl(self.at, self.retention_days)
    }
}

const OPERATION: &str = "completing a cleanup";

impl DynamoEnrollments {
    /// Stores that the cleanup of an intent is done. A repeat changes nothing.
    pub(super) async fn complete_cleanup(&self, intent: &Intent, at: Timestamp) -> Result<(), StoreError> {
        let parts = match &intent.old_card {
            Some(card) if intent.is_success() => {
                let customer_key = self.customer_key(OPERATION, intent).await?;
                let kept_until = card_ttl(at, card.retention_days);
                Parts {
                    intent: self.end_cleanup(intent.id, OLD_CARD, None)?,
                    count_updates: self.count_updates(
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
                intent: self.end_cleanup(intent.id, LOOK_UP, Some(later(at, FAILED_KEPT)))?,
                count_updates: Vec::new(),
                required: Vec::new(),
                old_card: Vec::new(),
                session: None,
            },
        };
        self.store(OPERATION, parts).await.map(drop)
    }

    /// Writes of the old card of an intent, which MRS has cancelled.
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
            .when("locked_by = :intent")
            .value(":intent", item::text(intent.id.to_hex()));
        Ok(vec![
            cancelled.into_write(operation)?,
            self.set_intent_ttl(operation, &removed)?,
        ])
    }

    /// Gives the intent that enrolled a card the card's `ttl`.
    pub(super) fn set_intent_ttl(
        &self,
        operation: &'static str,
        removed: &CancelledCard<'_>,
    ) -> Result<TransactWriteItem, StoreError> {
        ItemUpdate::new(&self.tables.enrollments, intent_item_key(removed.card))
            .set("#ttl = :ttl")
            // An intent that still has to cancel a replaced card must stay.
            .when("attribute_exists(pk) AND attribute_not_exists(agenda)")
            .value(":ttl", item::seconds(removed.ttl()))
            .into_write(operation)
    }

    /// Update that cancels the card and puts it on the purge's list.
    pub(super) fn cancellation(&self, removed: &CancelledCard<'_>) -> ItemUpdate {
        let agenda = Kind::Cancelled(removed.client, removed.program).of(&removed.card.to_hex());
        let sort_key = card_sort_key(removed.card);
        ItemUpdate::new(
            &self.tables.enrollments,
            item::key_pair(removed.customer_key, &sort_key),
        )
        .set("#state = :cancelled, cancelled_at = :at, agenda = :agenda, agenda_at = :at, #ttl = :ttl")
        .value(":cancelled", item::text(state::CANCELLED))
        .value(":at", item::millis(removed.at))
        .value(":agenda", agenda)
        .value(":ttl", item::seconds(removed.ttl()))
    }

    /// Ends the cleanup of an intent, and removes what only the cleanup needed: `attributes`, and those of lease and index. The
    /// condition fails where the cleanup has ended before.
    fn end_cleanup(
        &self,
        id: IntentId,
        attributes: &str,
        kept_until: Option<Timestamp>,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = ItemUpdate::new(&self.tables.enrollments, intent_item_key(id))
            .set("needs_cleanup = :no")
            .remove(LEASE)
            .remove("unknown_since")
            .remove(AGENDA)
            .remove(attributes)
            .when("needs_cleanup = :yes")
            .value(":no", AttributeValue::Bool(false))
            .value(":yes", AttributeValue::Bool(true));
        let update = match kept_until {
            None => update,
            Some(until) => update.set("#ttl = :ttl").value(":ttl", item::seconds(until)),
        };
        update.into_write(OPERATION)
    }
}
