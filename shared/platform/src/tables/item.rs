//! Items: written and read attribute by attribute, so that what is unknown is left alone and what is missing is named.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use enrollment::log::LogText;
use enrollment::ports::StoreError;
use jiff::Timestamp;

use crate::aws::describe;

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The schema version that this release writes, and the newest that it reads.
pub(crate) const SCHEMA: u32 = 1;

/// Reads an item as it was last written: what is decided by it must be decided by the last word.
pub(crate) async fn read(
    dynamodb: &Client,
    table: &str,
    operation: &'static str,
    key: Item,
) -> Result<Option<Fields>, StoreError> {
    let answer = dynamodb
        .get_item()
        .table_name(table)
        .set_key(Some(key))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| StoreError::unavailable(operation, describe(&error)))?;
    answer.item.map(|found| Fields::of(operation, found)).transpose()
}

/// The key of an item in a table without sort key.
pub(crate) fn key(pk: &str) -> Item {
    HashMap::from([("pk".to_owned(), AttributeValue::S(pk.to_owned()))])
}

/// The key of an item in a table with sort key.
pub(crate) fn key_pair(pk: &str, sk: &str) -> Item {
    let mut key = key(pk);
    key.insert("sk".to_owned(), AttributeValue::S(sk.to_owned()));
    key
}

/// A number as an attribute.
pub(crate) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// A text as an attribute.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// Bytes as an attribute.
pub(crate) fn bytes(value: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// A flag as an attribute.
pub(crate) fn flag(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}

/// A time as attributes hold it.
pub(crate) fn millis(time: Timestamp) -> AttributeValue {
    number(time.as_millisecond())
}

/// A `ttl`: whole seconds.
pub(crate) fn seconds(time: Timestamp) -> AttributeValue {
    number(time.as_second())
}

/// An item in the making.
pub(crate) struct Written(Item);

impl Written {
    pub(crate) fn new(pk: &str) -> Self {
        let mut item = key(pk);
        item.insert("schema".to_owned(), number(SCHEMA));
        Self(item)
    }

    pub(crate) fn with_sort_key(pk: &str, sk: &str) -> Self {
        Self::new(pk).set("sk", text(sk))
    }

    pub(crate) fn set(mut self, attribute: &str, value: AttributeValue) -> Self {
        self.0.insert(attribute.to_owned(), value);
        self
    }

    pub(crate) fn set_optional(self, attribute: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(attribute, value),
            None => self,
        }
    }

    pub(crate) fn text(self, attribute: &str, value: impl Into<String>) -> Self {
        self.set(attribute, text(value))
    }

    pub(crate) fn number(self, attribute: &str, value: impl Into<i128>) -> Self {
        self.set(attribute, number(value))
    }

    pub(crate) fn bytes(self, attribute: &str, value: Vec<u8>) -> Self {
        self.set(attribute, bytes(value))
    }

    pub(crate) fn flag(self, attribute: &str, value: bool) -> Self {
        self.set(attribute, flag(value))
    }

    pub(crate) fn millis(self, attribute: &str, time: Timestamp) -> Self {
        self.set(attribute, millis(time))
    }

    pub(crate) fn ttl(self, time: Timestamp) -> Self {
        self.set("ttl", seconds(time))
    }

    pub(crate) fn into_item(self) -> Item {
        self.0
    }
}

/// An item that was read, of a schema that this release knows.
pub(crate) struct Fields {
    operation: &'static str,
    item: Item,
}

impl Fields {
    /// Takes an item; one of a newer schema is refused.
    pub(crate) fn of(operation: &'static str, item: Item) -> Result<Self, StoreError> {
        let fields = Self { operation, item };
        let schema: u32 = fields.number("schema")?;
        if schema > SCHEMA {
            return Err(fields.unreadable(
                LogText::from("its schema is")
                    .with(schema)
                    .with("and this release knows")
                    .with(SCHEMA),
            ));
        }
        Ok(fields)
    }

    pub(crate) fn operation(&self) -> &'static str {
        self.operation
    }

    /// Whether the item is past its `ttl` and only not deleted yet.
    pub(crate) fn is_expired(&self, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.ttl()?.is_some_and(|ttl| ttl <= now))
    }

    /// Time to live of the item.
    pub(crate) fn ttl(&self) -> Result<Option<Timestamp>, StoreError> {
        self.optional_number("ttl")?
            .map(|seconds| {
                Timestamp::from_second(seconds).map_err(|_| self.unreadable("ttl is no time".into()))
            })
            .transpose()
    }

    pub(crate) fn text(&self, attribute: &'static str) -> Result<&str, StoreError> {
        self.optional_text(attribute)?
            .ok_or_else(|| self.missing(attribute))
    }

    pub(crate) fn optional_text(&self, attribute: &'static str) -> Result<Option<&str>, StoreError> {
        self.optional(attribute, |value| value.as_s().ok().map(String::as_str))
    }

    /// The texts of a list; none where the attribute is absent.
    pub(crate) fn texts(&self, attribute: &'static str) -> Result<Vec<&str>, StoreError> {
        self.optional(attribute, |value| {
            let list = value.as_l().ok()?;
            list.iter()
                .map(|text| text.as_s().ok().map(String::as_str))
                .collect()
        })
        .map(Option::unwrap_or_default)
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, attribute: &'static str) -> Result<T, StoreError> {
        self.optional_number(attribute)?
            .ok_or_else(|| self.missing(attribute))
    }

    pub(crate) fn optional_number<T: std::str::FromStr>(
        &self,
        attribute: &'static str,
    ) -> Result<Option<T>, StoreError> {
        self.optional(attribute, |value| {
            value.as_n().ok().and_then(|digits| digits.parse().ok())
        })
    }

    /// The texts of a set; none where the attribute is absent.
    pub(crate) fn text_set(&self, attribute: &'static str) -> Result<Vec<String>, StoreError> {
        self.optional(attribute, |value| value.as_ss().ok().cloned())
            .map(Option::unwrap_or_default)
    }

    /// The numbers of a list; none where the attribute is absent.
    pub(crate) fn number_list<T: std::str::FromStr>(
        &self,
        attribute: &'static str,
    ) -> Result<Vec<T>, StoreError> {
        let numbers = self.optional(attribute, |value| {
            let numbers = value.as_l().ok()?.iter();
            numbers.map(|number| number.as_n().ok()?.parse().ok()).collect()
        })?;
        Ok(numbers.unwrap_or_default())
    }

    /// The numbers of a map, by their names.
    pub(crate) fn numbers<T: std::str::FromStr>(
        &self,
        attribute: &'static str,
    ) -> Result<Vec<(&str, T)>, StoreError> {
        let numbers = self.optional(attribute, |value| {
            let mut numbers = Vec::new();
            for (name, value) in value.as_m().ok()? {
                numbers.push((name.as_str(), value.as_n().ok()?.parse().ok()?));
            }
            Some(numbers)
        })?;
        numbers.ok_or_else(|| self.missing(attribute))
    }

    pub(crate) fn bytes(&self, attribute: &'static str) -> Result<&[u8], StoreError> {
        self.optional_bytes(attribute)?
            .ok_or_else(|| self.missing(attribute))
    }

    pub(crate) fn optional_bytes(&self, attribute: &'static str) -> Result<Option<&[u8]>, StoreError> {
        self.optional(attribute, |value| value.as_b().ok().map(Blob::as_ref))
    }

    pub(crate) fn flag(&self, attribute: &'static str) -> Result<bool, StoreError> {
        self.optional(attribute, |value| value.as_bool().ok().copied())?
            .ok_or_else(|| self.missing(attribute))
    }

    pub(crate) fn time(&self, attribute: &'static str) -> Result<Timestamp, StoreError> {
        self.optional_time(attribute)?
            .ok_or_else(|| self.missing(attribute))
    }

    pub(crate) fn optional_time(&self, attribute: &'static str) -> Result<Option<Timestamp>, StoreError> {
        self.optional_number(attribute)?
            .map(|millis| {
                Timestamp::from_millisecond(millis)
                    .map_err(|_| self.unreadable(LogText::from(attribute).with("is no time")))
            })
            .transpose()
    }

    /// Passes an attribute through a checked constructor.
    pub(crate) fn parsed<T, E>(
        &self,
        attribute: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        self.check(attribute, parse(self.text(attribute)?))
    }

    /// As [`Self::parsed`], where the attribute may be absent.
    pub(crate) fn optional_parsed<T, E>(
        &self,
        attribute: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        self.optional_text(attribute)?
            .map(|value| self.check(attribute, parse(value)))
            .transpose()
    }

    /// Tells which attribute a constructor refused, and not why: its error may repeat the value.
    pub(crate) fn check<T, E>(&self, attribute: &'static str, result: Result<T, E>) -> Result<T, StoreError> {
        result.map_err(|_| self.unreadable(LogText::from(attribute).with("is not what it should be")))
    }

    pub(crate) fn unreadable(&self, detail: LogText) -> StoreError {
        StoreError::unreadable(self.operation, detail)
    }

    fn optional<'a, T>(
        &'a self,
        attribute: &'static str,
        take: impl FnOnce(&'a AttributeValue) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        match self.item.get(attribute) {
            None => Ok(None),
            Some(value) => match take(value) {
                Some(taken) => Ok(Some(taken)),
                None => Err(self.unreadable(
                    LogText::from("attribute")
                        .with(attribute)
                        .with("is of another kind"),
                )),
            },
        }
    }

    fn missing(&self, attribute: &'static str) -> StoreError {
        self.unreadable(LogText::from("attribute").with(attribute).with("is missing"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_schema_is_refused_and_an_unknown_attribute_is_not() {
        let item = Written::new("a").text("from_the_future", "x").number("n", 3_u32);
        let fields = Fields::of("reading", item.into_item()).unwrap();
        assert_eq!(fields.number::<u32>("n").unwrap(), 3);
        assert_eq!(fields.optional_text("absent").unwrap(), None);
        let newer = Written::new("a").number("schema", SCHEMA + 1);
        assert!(matches!(
            Fields::of("reading", newer.into_item()),
            Err(StoreError::Unreadable { .. })
        ));
        assert!(matches!(
            Fields::of("reading", key("a")),
            Err(StoreError::Unreadable { .. })
        ));
    }

    #[test]
    fn what_is_wrong_is_named_but_not_shown() {
        let fields = Fields::of("reading", Written::new("a").text("n", "secret").into_item()).unwrap();
        let wrong = fields.number::<u32>("n").unwrap_err().to_string();
        assert!(wrong.contains('n') && !wrong.contains("secret"), "{wrong}");
        assert!(fields.text("absent").unwrap_err().to_string().contains("absent"));
    }

    #[test]
    fn an_item_is_past_from_its_ttl_on() {
        let ttl: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let fields = Fields::of("reading", Written::new("a").ttl(ttl).into_item()).unwrap();
        assert!(
            !fields
                .is_expired("2026-11-21T09:59:59.9Z".parse().unwrap())
                .unwrap()
        );
        assert!(fields.is_expired(ttl).unwrap());
    }
}
