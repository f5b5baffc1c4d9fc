//! A customer's counts after an outcome, and the consents that it brought.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use enrollment::action::ActionCode;
use enrollment::intent::{Consent, Intent, Outcome};
use enrollment::ports::StoreError;
use jiff::Timestamp;

use super::{CUSTOMER, DynamoEnrollments, card_ttl, counter_of};
use crate::tables::item;
use crate::tables::transaction::{IntoWrite as _, built};

/// What happened to a customer.
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
    /// What an outcome changes.
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
    /// Ways to write the change: the first whose condition holds is right. The last one holds always.
    pub(super) fn counter_updates(
        &self,
        operation: &'static str,
        customer_key: &str,
        change: Change,
        consents: &[Consent],
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut updates = match change {
            Change::CardIn => vec![
                CounterUpdate::new("attribute_exists(pk) AND pending >= :one")
                    .set("active = active + :one")
                    .set("pending = pending - :one"),
            ],
            Change::CardReplaced => vec![CounterUpdate::new("attribute_exists(pk)")],
            Change::CardOut { kept_until } => vec![
                CounterUpdate::new("active = :one AND changing = :one")
                    .set("active = active - :one")
                    .set("changing = changing - :one")
                    .kept(kept_until),
                CounterUpdate::new("active >= :one AND changing >= :one")
                    .set("active = active - :one")
                    .set("changing = changing - :one"),
            ],
            Change::OldCardOut { kept_until } => vec![
                CounterUpdate::new("active = :none AND changing = :one")
                    .set("changing = changing - :one")
                    .kept(kept_until),
                CounterUpdate::new("changing >= :one").set("changing = changing - :one"),
            ],
            #[cfg(feature = "operator")]
            Change::MarkedCancelled { kept_until } => vec![
                CounterUpdate::new("active = :one AND (attribute_not_exists(changing) OR changing = :none)")
                    .set("active = active - :one")
                    .kept(kept_until),
                CounterUpdate::new("active >= :one").set("active = active - :one"),
            ],
            Change::Failed(action) => {
                let counter = counter_of(action);
                vec![
                    CounterUpdate::new(&format!("attribute_exists(pk) AND {counter} >= :one"))
                        .set(&format!("{counter} = {counter} - :one")),
                ]
            }
        };
        updates.push(CounterUpdate::without_the_counts(change));
        updates
            .into_iter()
            .map(|update| {
                let update = if change.brings_a_card() {
                    update.remove_ttl()
                } else {
                    update
                };
                let update = update
                    .consents(operation, consents)?
                    .update(&self.tables.enrollments, customer_key);
                Ok(built(operation, update.build())?.into_write())
            })
            .collect()
    }
}

/// An update in the making. What an expression does not mention may not be given with it.
struct CounterUpdate {
    condition: Option<String>,
    sets: Vec<String>,
    kept_until: Option<Timestamp>,
    removes_ttl: bool,
    consents: Vec<AttributeValue>,
}

impl CounterUpdate {
    fn new(condition: &str) -> Self {
        Self {
            condition: Some(condition.to_owned()),
            sets: vec!["#version = #version + :one".to_owned()],
            kept_until: None,
            removes_ttl: false,
            consents: Vec::new(),
        }
    }

    /// For counts that are not as they were left, or a customer that is gone.
    fn without_the_counts(change: Change) -> Self {
        let card = if change.brings_a_card() { " + :one" } else { "" };
        Self {
            condition: None,
            sets: vec![
                "#schema = if_not_exists(#schema, :schema)".to_owned(),
                format!("active = if_not_exists(active, :none){card}"),
                "pending = if_not_exists(pending, :none)".to_owned(),
                "changing = if_not_exists(changing, :none)".to_owned(),
                "#version = if_not_exists(#version, :none) + :one".to_owned(),
            ],
            kept_until: None,
            removes_ttl: false,
            consents: Vec::new(),
        }
    }

    fn set(mut self, what: &str) -> Self {
        self.sets.push(what.to_owned());
        self
    }

    fn kept(mut self, until: Timestamp) -> Self {
        self.kept_until = Some(until);
        self
    }

    fn remove_ttl(mut self) -> Self {
        self.removes_ttl = true;
        self
    }

    fn consents(mut self, operation: &'static str, given: &[Consent]) -> Result<Self, StoreError> {
        for consent in given {
            let json = serde_json::to_string(consent)
                .map_err(|_| StoreError::unavailable(operation, "it can't be written as JSON"))?;
            self.consents.push(item::text(json));
        }
        Ok(self)
    }

    fn update(mut self, table: &str, customer_key: &str) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        if self.kept_until.is_some() {
            self.sets.push("#ttl = :kept".to_owned());
        }
        if !self.consents.is_empty() {
            self.sets
                .push("consents = list_append(if_not_exists(consents, :no_consents), :consents)".to_owned());
        }
        let mut expression = format!("SET {}", self.sets.join(", "));
        if self.removes_ttl {
            expression.push_str(" REMOVE #ttl");
        }
        let mentioned = format!("{expression} {}", self.condition.as_deref().unwrap_or_default());
        let names = [("#version", "version"), ("#schema", "schema"), ("#ttl", "ttl")];
        let values = [
            (":one", Some(item::number(1))),
            (":none", Some(item::number(0))),
            (":schema", Some(item::number(item::SCHEMA))),
            (":kept", self.kept_until.map(item::seconds)),
            (":no_consents", Some(AttributeValue::L(Vec::new()))),
            (":consents", Some(AttributeValue::L(self.consents))),
        ];
        let is_mentioned = |name: &str| {
            mentioned
                .split(|c: char| !(c.is_alphanumeric() || "#:_".contains(c)))
                .any(|word| word == name)
        };
        let mut update = Update::builder()
            .table_name(table)
            .set_key(Some(item::key_pair(customer_key, CUSTOMER)))
            .update_expression(&expression)
            .set_condition_expression(self.condition.clone());
        for (placeholder, name) in names.into_iter().filter(|(name, _)| is_mentioned(name)) {
            update = update.expression_attribute_names(placeholder, name);
        }
        for (placeholder, value) in values.into_iter().filter(|(name, _)| is_mentioned(name)) {
            if let Some(value) = value {
                update = update.expression_attribute_values(placeholder, value);
            }
        }
        update
    }
}
