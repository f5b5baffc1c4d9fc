//! JSON objects without duplicate members (RFC 7519 §4 lets a parser refuse duplicates; two parsers that keep different ones
//! would disagree on what was signed).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::map::{Entry, Map};

/// Returns the object, or `None` for anything else. Depth is bounded by `serde_json` (128).
pub(crate) fn object_without_duplicates(bytes: &[u8]) -> Option<Map<String, Value>> {
    match without_duplicates(bytes) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// Reads any value. The error names a duplicate member and its place, for the author of the file.
pub(crate) fn without_duplicates(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice(bytes).map(|Strict(value)| value)
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON without duplicate members")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(element)) = elements.next_element()? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            match object.entry(name) {
                Entry::Occupied(first) => {
                    return Err(A::Error::custom(format_args!("'{}' comes twice", first.key())));
                }
                Entry::Vacant(place) => {
                    place.insert(value);
                }
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_member_that_comes_twice_is_refused_at_any_depth() {
        assert!(object_without_duplicates(br#"{"a":1,"b":{"c":[{"d":1}]}}"#).is_some());
        assert!(object_without_duplicates(br#"{"a":1,"a":1}"#).is_none());
        assert!(object_without_duplicates(br#"{"b":{"c":[{"d":1,"d":2}]}}"#).is_none());
        assert!(object_without_duplicates(br#"{"a":1,"\u0061":1}"#).is_none());
        assert!(object_without_duplicates(b"[1]").is_none());
        assert!(object_without_duplicates(br#"{"a":1} x"#).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(object) = object_without_duplicates(&bytes) {
                prop_assert_eq!(Value::Object(object), serde_json::from_slice::<Value>(&bytes).unwrap());
            }
        }
    }
}
