//! Updates of items: expression, condition and placeholders in one place.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, TransactWriteItem, Update};
use enrollment::ports::StoreError;

use super::item::{self, Item};
use super::transaction::{IntoWrite as _, built};
use crate::aws::where_it_held;

/// Update of one item.
///
/// `#name` in an expression stands for the attribute `name`, whether or not `DynamoDB` reserves the word: the builder declares
/// each that is mentioned. `:schema` is the schema version of this release. Values that no expression mentions are left out,
/// since `DynamoDB` refuses them.
pub(crate) struct ItemUpdate {
    table: String,
    key: Item,
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
    values: Vec<(String, AttributeValue)>,
}

impl ItemUpdate {
    /// Update of the item with `key`.
    pub(crate) fn new(table: &str, key: Item) -> Self {
        Self {
            table: table.to_owned(),
            key,
            sets: Vec::new(),
            removes: Vec::new(),
            conditions: Vec::new(),
            values: vec![(":schema".to_owned(), item::number(item::SCHEMA))],
        }
    }

    /// Adds assignments of the `SET` clause, separated by commas.
    pub(crate) fn set(mut self, assignments: impl Into<String>) -> Self {
        self.sets.push(assignments.into());
        self
    }

    /// Adds attributes of the `REMOVE` clause, separated by commas.
    pub(crate) fn remove(mut self, attributes: impl Into<String>) -> Self {
        self.removes.push(attributes.into());
        self
    }

    /// Adds a condition. All conditions must hold.
    pub(crate) fn when(mut self, condition: impl Into<String>) -> Self {
        self.conditions.push(condition.into());
        self
    }

    /// Adds the condition that the item exists and has a schema that this release knows.
    pub(crate) fn when_schema_is_known(self) -> Self {
        self.when("#schema <= :schema")
    }

    /// Gives a placeholder its value.
    pub(crate) fn value(mut self, placeholder: impl Into<String>, value: AttributeValue) -> Self {
        self.values.push((placeholder.into(), value));
        self
    }

    /// Turns the update into a part of a transaction.
    pub(crate) fn into_write(self, operation: &'static str) -> Result<TransactWriteItem, StoreError> {
        let parts = self.parts();
        let update = Update::builder()
            .table_name(self.table)
            .set_key(Some(self.key))
            .update_expression(parts.expression)
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(parts.names)
            .set_expression_attribute_values(parts.values)
            .build();
        Ok(built(operation, update)?.into_write())
    }

    /// Sends the update by itself. Returns the attributes that `returned` asks for; `None` where a condition did not hold.
    pub(crate) async fn send(
        self,
        dynamodb: &Client,
        operation: &'static str,
        returned: ReturnValue,
    ) -> Result<Option<Item>, StoreError> {
        let parts = self.parts();
        let sent = dynamodb
            .update_item()
            .table_name(self.table)
            .set_key(Some(self.key))
            .update_expression(parts.expression)
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(parts.names)
            .set_expression_attribute_values(parts.values)
            .return_values(returned)
            .send()
            .await;
        where_it_held(sent)
            .map(|answer| answer.map(|answer| answer.attributes.unwrap_or_default()))
            .map_err(|detail| StoreError::unavailable(operation, detail))
    }

    fn parts(&self) -> Parts {
        let clause = |word: &str, parts: &[String]| match parts {
            [] => None,
            parts => Some(format!("{word} {}", parts.join(", "))),
        };
        let clauses = [clause("SET", &self.sets), clause("REMOVE", &self.removes)];
        let expression = clauses.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let condition = (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "));
        let mentioned = format!("{expression} {}", condition.as_deref().unwrap_or_default());
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '#' | ':' | '_');
        let words: Vec<&str> = mentioned.split(|c| !is_part(c)).collect();
        let names: HashMap<String, String> = words
            .iter()
            .filter_map(|word| Some(((*word).to_owned(), word.strip_prefix('#')?.to_owned())))
            .collect();
        let values: HashMap<String, AttributeValue> = self
            .values
            .iter()
            .filter(|(placeholder, _)| words.contains(&placeholder.as_str()))
            .cloned()
            .collect();
        Parts {
            expression,
            condition,
            names: (!names.is_empty()).then_some(names),
            values: (!values.is_empty()).then_some(values),
        }
    }
}

/// Parts of an update as the SDK takes them.
struct Parts {
    expression: String,
    condition: Option<String>,
    names: Option<HashMap<String, String>>,
    values: Option<HashMap<String, AttributeValue>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update() -> ItemUpdate {
        ItemUpdate::new("table", item::key("pk"))
    }

    #[test]
    fn clauses_and_conditions_are_joined() {
        let parts = update()
            .set("#state = :state")
            .set("count = count + :one")
            .remove("lease_until, note")
            .when("attribute_exists(pk)")
            .when_schema_is_known()
            .parts();
        assert_eq!(
            parts.expression,
            "SET #state = :state, count = count + :one REMOVE lease_until, note"
        );
        assert_eq!(
            parts.condition.as_deref(),
            Some("attribute_exists(pk) AND #schema <= :schema")
        );
    }

    #[test]
    fn only_mentioned_placeholders_are_declared() {
        let parts = update()
            .set("#ttl = :ttl")
            .value(":ttl", item::number(1))
            .value(":t", item::number(2))
            .parts();
        assert_eq!(parts.names, Some([("#ttl".to_owned(), "ttl".to_owned())].into()));
        assert_eq!(parts.values, Some([(":ttl".to_owned(), item::number(1))].into()));
        let removal = update().remove("note").parts();
        assert_eq!(
            (removal.names, removal.values, removal.condition),
            (None, None, None)
        );
    }
}
