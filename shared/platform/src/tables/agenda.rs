//! The sparse index by which due work is found: an item that wants something done carries `agenda` (what, and a shard)
//! and `agenda_at` (when); without them it is not in the index. The index lags: the item itself decides.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use enrollment::identifiers::{ClientId, ProgramId};
use enrollment::ports::StoreError;
use jiff::Timestamp;
use tracing::error;

use super::item::{self, Fields, Item};
use crate::aws::describe;

/// The name of the index, in every table that has one.
pub(crate) const INDEX: &str = "agenda";
/// One partition of an index takes a thousand writes a second.
const SHARDS: u8 = 4;

/// What wants to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// An intent to look after.
    Unsettled,
    /// A confirmation to send.
    Due,
    /// A confirmation that an operator has to decide about. There are few: one shard.
    Parked,
    /// A card that has left this program of this client; the time is that of its cancellation. When it goes depends on the
    /// X of the day, so each program has a list of its own.
    Cancelled(&'a ClientId, &'a ProgramId),
}

impl Kind<'_> {
    /// The value of `agenda` for an item of that name: letters of it choose the shard.
    pub(crate) fn of(self, name: &str) -> AttributeValue {
        let sum = name.bytes().fold(0_u8, u8::wrapping_add);
        item::text(self.shard(sum % self.shards()))
    }

    pub(crate) fn shards(self) -> u8 {
        if self == Self::Parked { 1 } else { SHARDS }
    }

    pub(crate) fn shard(self, shard: u8) -> String {
        match self {
            Self::Unsettled => format!("unsettled#{shard}"),
            Self::Due => format!("due#{shard}"),
            Self::Parked => format!("parked#{shard}"),
            Self::Cancelled(client, program) => format!("cancelled#{client}#{program}#{shard}"),
        }
    }
}

/// What of a kind is due by `until`, the oldest first: `limit` at the most. `read` gets the key and what the index
/// projects. An entry that can't be read is told to the log and keeps no other from its turn.
pub(crate) async fn list<T>(
    dynamodb: &Client,
    table: &str,
    operation: &'static str,
    kind: Kind<'_>,
    until: Timestamp,
    limit: usize,
    read: impl Fn(&Fields) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let read = |entry| {
        let fields = Fields::of(operation, entry)?;
        Ok::<_, StoreError>((fields.time("agenda_at")?, read(&fields)?))
    };
    let mut entries = Vec::new();
    for shard in 0..kind.shards() {
        for entry in shard_entries(dynamodb, table, operation, kind.shard(shard), until, limit).await? {
            match read(entry) {
                Ok(entry) => entries.push(entry),
                Err(error) => error!(%error, "an entry of the agenda is left out"),
            }
        }
    }
    entries.sort_by_key(|(at, _)| *at);
    entries.truncate(limit);
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

async fn shard_entries(
    dynamodb: &Client,
    table: &str,
    operation: &'static str,
    shard: String,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<Item>, StoreError> {
    let mut entries = Vec::new();
    let mut start = None;
    loop {
        let answer = dynamodb
            .query()
            .table_name(table)
            .index_name(INDEX)
            .key_condition_expression("agenda = :shard AND agenda_at <= :until")
            .expression_attribute_values(":shard", item::text(shard.as_str()))
            .expression_attribute_values(":until", item::millis(until))
            .limit(i32::try_from(limit - entries.len()).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| StoreError::Unavailable {
                operation,
                detail: describe(&error),
            })?;
        entries.extend(answer.items.unwrap_or_default());
        start = answer.last_evaluated_key;
        if start.is_none() || entries.len() >= limit {
            return Ok(entries);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spread_over_the_shards_and_parked_ones_are_not() {
        let shards: std::collections::BTreeSet<String> = (0..64)
            .map(|number| Kind::Due.of(&format!("msg_{number}")).as_s().unwrap().clone())
            .collect();
        assert_eq!(shards.len(), usize::from(SHARDS));
        assert!(shards.contains("due#0"));
        assert_eq!(Kind::Parked.of("msg_3"), item::text("parked#0"));
    }
}
