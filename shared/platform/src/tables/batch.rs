//! Several items of any tables, read by one call.
//!
//! `DynamoDB` may leave keys out of an answer (a partition is busy, the answer has 16 MB) and names them. Such a key says
//! nothing about its item: it is asked for again, and after some tries the whole read fails. It is never taken for absent.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use enrollment::log::LogText;
use enrollment::ports::StoreError;
use enrollment::randomness::Randomness;

use super::item::{Fields, Item};
use super::transaction::{TRIES, wait};
use crate::aws::describe;

/// As many keys as one call takes.
const KEYS_AT_ONCE: usize = 100;

/// The table and the key of an item.
pub(crate) type Key<'a> = (&'a str, Item);

/// A read of several items.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub(crate) dynamodb: &'a Client,
    pub(crate) randomness: &'a dyn Randomness,
    pub(crate) operation: &'static str,
}

impl Batch<'_> {
    /// The items of the keys, in their order, each as it was last written; `None` where there is no such item. A key may
    /// be named once only.
    pub(crate) async fn read<const N: usize>(
        self,
        keys: [Key<'_>; N],
    ) -> Result<[Option<Fields>; N], StoreError> {
        let found = self.read_all(&keys).await?;
        // There is one for each key.
        found
            .try_into()
            .map_err(|_| self.failed("an item is missing in the answer".into()))
    }

    /// The same, of any number of keys: each hundred of them takes a call.
    pub(crate) async fn read_all(self, keys: &[Key<'_>]) -> Result<Vec<Option<Fields>>, StoreError> {
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS_AT_ONCE) {
            let mut pending = Pending::new(keys);
            let mut attempt = 0;
            while !pending.is_empty() {
                if attempt == TRIES {
                    return Err(self.failed("the tables are too busy".into()));
                }
                if attempt > 0 {
                    tokio::time::sleep(wait(attempt, self.randomness)).await;
                }
                attempt += 1;
                let answer = self
                    .dynamodb
                    .batch_get_item()
                    .set_request_items(Some(self.asked(&pending)?))
                    .send()
                    .await;
                pending.take(answer.map_err(|error| self.failed(describe(&error)))?);
            }
            for item in pending.found {
                found.push(item.map(|item| Fields::of(self.operation, item)).transpose()?);
            }
        }
        Ok(found)
    }

    fn asked(self, pending: &Pending<'_>) -> Result<HashMap<String, KeysAndAttributes>, StoreError> {
        let mut by_table: HashMap<String, Vec<Item>> = HashMap::new();
        for (table, key) in pending.left.iter().filter_map(|index| pending.keys.get(*index)) {
            by_table.entry((*table).to_owned()).or_default().push(key.clone());
        }
        let consistent = |(table, keys)| {
            let asked = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                // Of each table: what is decided by it must be decided by the last word.
                .consistent_read(true)
                .build();
            let asked = asked.map_err(|_| self.failed("the request could not be made".into()))?;
            Ok((table, asked))
        };
        by_table.into_iter().map(consistent).collect()
    }

    fn failed(self, detail: LogText) -> StoreError {
        StoreError::unavailable(self.operation, detail)
    }
}

/// The keys of one call, and what is known of their items.
struct Pending<'a> {
    keys: &'a [Key<'a>],
    /// In the order of the keys.
    found: Vec<Option<Item>>,
    /// The keys that no answer has told anything of.
    left: Vec<usize>,
}

impl<'a> Pending<'a> {
    fn new(keys: &'a [Key<'a>]) -> Self {
        Self {
            keys,
            found: vec![None; keys.len()],
            left: (0..keys.len()).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// An answer to the keys that are left.
    fn take(&mut self, answer: BatchGetItemOutput) {
        let unprocessed = answer.unprocessed_keys.unwrap_or_default();
        let mut items = answer.responses.unwrap_or_default();
        let left = std::mem::take(&mut self.left);
        for index in left {
            let (Some((table, key)), Some(found)) = (self.keys.get(index), self.found.get_mut(index)) else {
                continue;
            };
            if let Some(items) = items.get_mut(*table)
                && let Some(place) = items.iter().position(|item| is_of_key(item, key))
            {
                *found = Some(items.swap_remove(place));
            } else if unprocessed
                .get(*table)
                .is_some_and(|unprocessed| unprocessed.keys.contains(key))
            {
                self.left.push(index);
            }
        }
    }
}

fn is_of_key(item: &Item, key: &Item) -> bool {
    key.iter().all(|(name, value)| item.get(name) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::item::{Written, key, key_pair};

    fn unprocessed(keys: Vec<Item>) -> KeysAndAttributes {
        KeysAndAttributes::builder().set_keys(Some(keys)).build().unwrap()
    }

    #[test]
    fn an_unprocessed_key_is_asked_for_again_and_not_absent() {
        let keys = [("a", key("1")), ("a", key("2")), ("b", key_pair("1", "x"))];
        let mut pending = Pending::new(&keys);
        let first = BatchGetItemOutput::builder()
            .responses("a", vec![Written::new("1").into_item()])
            .unprocessed_keys("b", unprocessed(vec![key_pair("1", "x")]));
        pending.take(first.build());
        assert_eq!(pending.left, [2], "the second one of a is known to be absent");
        assert_eq!(pending.found[0], Some(Written::new("1").into_item()));

        let item = Written::with_sort_key("1", "x").into_item();
        let second = BatchGetItemOutput::builder().responses("b", vec![item.clone()]);
        pending.take(second.build());
        assert!(pending.is_empty());
        assert_eq!(pending.found[1], None);
        assert_eq!(pending.found[2], Some(item));
    }

    #[test]
    fn items_are_given_in_the_order_of_their_keys() {
        let keys = [
            ("a", key_pair("1", "x")),
            ("b", key("1")),
            ("a", key_pair("1", "y")),
        ];
        let mut pending = Pending::new(&keys);
        let answer = BatchGetItemOutput::builder()
            .responses(
                "a",
                vec![
                    Written::with_sort_key("1", "y").into_item(),
                    Written::with_sort_key("1", "x").into_item(),
                ],
            )
            .responses("b", Vec::new());
        pending.take(answer.build());
        let sort_key = |index: usize| pending.found[index].as_ref().map(|item| item["sk"].clone());
        assert_eq!(sort_key(0), Some(keys[0].1["sk"].clone()));
        assert_eq!(pending.found[1], None);
        assert_eq!(sort_key(2), Some(keys[2].1["sk"].clone()));
    }
}
