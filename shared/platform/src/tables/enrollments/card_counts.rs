//! A customer's counts after an outcome, and the consents that it brought.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use enrollment::action::ActionCode;
use enrollment::intent::{Consent, Intent, Outcome};
use enrollment::ports::StoreError;
use jiff::Timestamp;

use super::{CUSTOMER, DynamoEnrollments, card_ttl, count_attribute};
use crate::tables::item;
use crate::tables::update::ItemUpdate;

/// Change of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A card came in.
    CardIn,
    /// A card took the place of another. The replacement counts as open until MRS has cancelled that one.
    CardReplaced,
    /// An opted-out card is gone; if it was the last one, the customer goes by itself at that time.
    CardOut {
        /// With the margin.
        kept_until: Timestamp,
    },
    /// A replaced card is gone; the same.
    OldCardOut {
        /// With the margin.
        kept_until: Timestamp,
    },
    /// An operator saw that MRS holds a card no longer; the same.
    #[cfg(feature = "operator")]
    MarkedCancelled {
        /// With the margin.
        kept_until: Timestamp,
    },
    /// Nothing came of it.
    Failed(ActionCode),
}

impl Change {
    /// Change that an outcome makes.
    pub(super) fn of(intent: &Intent, outcome: &Outcome) -> Self {
        let kept_until = |days| card_ttl(outcome.at, days);
        match (intent.action, &intent.old_card) {
            (action, _) if !outcome.status.is_success() => Self::Failed(action),
            (ActionCode::OptOut, Some(card)) => Self::CardOut {
                kept_until: kept_until(card.retention_days),
            },
            (ActionCode::Replace, _) => Self::CardReplaced,
            _ => Self::CardIn,
        }
    }

    fn brings_a_card(self) -> bool {
        matches!(self, Self::CardIn | Self::CardReplaced)
    }
}

impl DynamoEnrollments {
    /// Alternative writes of a change: the first whose condition holds is used. The last one has no condition.
    pub(super) fn count_updates(
        &self,
        operation: &'static str,
        customer_key: &str,
        change: Change,
        consents: &[Consent],
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let new = || CountUpdate::new(&self.tables.enrollments, customer_key);
        let mut updates = match change {
            Change::CardIn => vec![
                new()
                    .when("attribute_exists(pk) AND pending >= :one")
                    .set("active = active + :one")
                    .set("pending = pending - :one"),
            ],
            Change::CardReplaced => vec![new().when("attribute_exists(pk)")],
            Change::CardOut { kept_until } => vec![
                new()
                    .when("active = :one AND changing = :one")
                    .set("active = active - :one")
                    .set("changing = changing - :one")
                    .kept(kept_until),
                new()
                    .when("active >= :one AND changing >= :one")
                    .set("active = active - :one")
                    .set("changing = changing - :one"),
            ],
            Change::OldCardOut { kept_until } => vec![
                new()
                    .when("active = :none AND changing = :one")
                    .set("changing = changing - :one")
                    .kept(kept_until),
                new().when("changing >= :one").set("changing = changing - :one"),
            ],
            #[cfg(feature = "operator")]
            Change::MarkedCancelled { kept_until } => vec![
                new()
                    .when("active = :one AND (attribute_not_exists(changing) OR changing = :none)")
                    .set("active = active - :one")
                    .kept(kept_until),
                new().when("active >= :one").set("active = active - :one"),
            ],
            Change::Failed(action) => {
                let attribute = count_attribute(action);
                vec![
                    new()
                        .when(&format!("attribute_exists(pk) AND {attribute} >= :one"))
                        .set(&format!("{attribute} = {attribute} - :one")),
                ]
            }
        };
        updates.push(new().repair(change));
        updates
            .into_iter()
            .map(|update| {
                let update = if change.brings_a_card() {
                    update.remove_ttl()
                } else {
                    update
                };
                update.consents(operation, consents)?.0.into_write(operation)
            })
            .collect()
    }
}

/// One way to write a change of the counts.
struct CountUpdate(ItemUpdate);

impl CountUpdate {
    fn new(table: &str, customer_key: &str) -> Self {
        let update = ItemUpdate::new(table, item::key_pair(customer_key, CUSTOMER))
            .value(":one", item::number(1))
            .value(":none", item::number(0));
        Self(update)
    }

    /// Writes a new version where `condition` holds.
    fn when(self, condition: &str) -> Self {
        Self(self.0.when(condition).set("#version = #version + :one"))
    }

    /// Repairs counts that are not as they were left, or those of a customer that is gone. Has no condition.
    fn repair(self, change: Change) -> Self {
        let card = if change.brings_a_card() { " + :one" } else { "" };
        let update = self
            .0
            .set("#schema = if_not_exists(#schema, :schema)")
            .set(format!("active = if_not_exists(active, :none){card}"))
            .set("pending = if_not_exists(pending, :none)")
            .set("changing = if_not_exists(changing, :none)")
            .set("#version = if_not_exists(#version, :none) + :one");
        Self(update)
    }

    fn set(self, assignment: &str) -> Self {
        Self(self.0.set(assignment))
    }

    fn kept(self, until: Timestamp) -> Self {
        Self(self.0.set("#ttl = :kept").value(":kept", item::seconds(until)))
    }

    fn remove_ttl(self) -> Self {
        Self(self.0.remove("#ttl"))
    }

    fn consents(self, operation: &'static str, given: &[Consent]) -> Result<Self, StoreError> {
        if given.is_empty() {
            return Ok(self);
        }
        let mut consents = Vec::new();
        for consent in given {
            let json = serde_json::to_string(consent)
                .map_err(|_| StoreError::unavailable(operation, "it can't be written as JSON"))?;
            consents.push(item::text(json));
        }
        let update = self
            .0
            .set("consents = list_append(if_not_exists(consents, :no_consents), :consents)")
            .value(":no_consents", AttributeValue::L(Vec::new()))
            .value(":consents", AttributeValue::L(consents));
        Ok(Self(update))
    }
}
