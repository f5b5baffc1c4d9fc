//! Places where a list of an index continues, as cursors.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use enrollment::ports::{Cursor, StoreError};
use serde::{Deserialize, Serialize};

use super::item::Item;

/// Key attribute of an entry.
#[derive(Serialize, Deserialize)]
enum Part {
    S(String),
    N(String),
}

/// Reads the key behind which a list continues.
pub(super) fn read(operation: &'static str, cursor: &Cursor) -> Result<Item, StoreError> {
    let parts: BTreeMap<String, Part> = serde_json::from_str(&cursor.0)
        .map_err(|_| StoreError::unreadable(operation, "no place to go on from"))?;
    let attribute = |(name, part)| {
        let value = match part {
            Part::S(text) => AttributeValue::S(text),
            Part::N(number) => AttributeValue::N(number),
        };
        (name, value)
    };
    Ok(parts.into_iter().map(attribute).collect())
}

/// Writes the key behind which a list continues.
pub(super) fn written(operation: &'static str, key: &Item) -> Result<Cursor, StoreError> {
    let part = |(name, value): (&String, &AttributeValue)| match value {
        AttributeValue::S(text) => Some((name.clone(), Part::S(text.clone()))),
        AttributeValue::N(number) => Some((name.clone(), Part::N(number.clone()))),
        _ => None,
    };
    let parts: Option<BTreeMap<String, Part>> = key.iter().map(part).collect();
    parts
        .and_then(|parts| serde_json::to_string(&parts).ok())
        .map(Cursor)
        .ok_or_else(|| StoreError::unavailable(operation, "the place can't be written as JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::item;

    #[test]
    fn place_survives_its_cursor() {
        let mut key = item::key("batch#1");
        key.insert("accepted_at".into(), item::number(7));
        let cursor = written("listing", &key).unwrap();
        assert_eq!(read("listing", &cursor).unwrap(), key);
        assert!(read("listing", &Cursor("[]".into())).is_err());
    }
}
