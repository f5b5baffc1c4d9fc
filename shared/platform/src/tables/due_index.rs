//! Sparse index of due work. An item with work left carries `agenda` (the kind of work, and a shard) and `agenda_at` (the
//! time); without them it is not in the index. The index lags: the item itself decides.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use enrollment::identifiers::{ClientId, ProgramId};
use enrollment::log::error;
use enrollment::ports::StoreError;
use futures_util::future::try_join_all;
use jiff::Timestamp;

use super::item::{self, Fields, Item};
use crate::aws::describe;

/// The name of the index, in every table that has one.
pub(crate) const INDEX: &str = "agenda";
/// One partition of an index takes a thousand writes a second.
const SHARDS: u8 = 4;

/// Kind of due work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind<'a> {
    /// An intent to settle or to clean up after.
    DueIntent,
    /// A confirmation to send.
    Due,
    /// A parked confirmation, which an operator decides about. There are few: one shard.
    Parked,
    /// A batch with work left.
    DueBatch,
    /// A digital card with a deletion that Mastercard has yet to agree to.
    DueDeletion,
    /// A deleted digital card of a client, by the time of its deletion. One shard: deletions keep to the agreed rate.
    DeletedCard(&'a ClientId),
    /// A cancelled card of a client's program, by the time of its cancellation. Its end depends on the program's retention,
    /// so each program has a list of its own.
    Cancelled(&'a ClientId, &'a ProgramId),
}

impl Kind<'_> {
    /// The value of `agenda` for an item of that name: letters of it choose the shard.
    pub(crate) fn of(self, name: &str) -> AttributeValue {
        let sum = name.bytes().fold(0_u8, u8::wrapping_add);
        item::text(self.shard(sum % self.shards()))
    }

    pub(crate) fn shards(self) -> u8 {
        match self {
            Self::Parked | Self::DeletedCard(_) => 1,
            _ => SHARDS,
        }
    }

    pub(crate) fn shard(self, shard: u8) -> String {
        match self {
            Self::DueIntent => format!("due_intent#{shard}"),
            Self::Due => format!("due#{shard}"),
            Self::Parked => format!("parked#{shard}"),
            Self::DueBatch => format!("due_batch#{shard}"),
            Self::DueDeletion => format!("due_deletion#{shard}"),
            Self::DeletedCard(client) => format!("deleted_card#{client}#{shard}"),
            Self::Cancelled(client, program) => format!("cancelled#{client}#{program}#{shard}"),
        }
    }
}

/// Entries of a kind that are due by `until`, the oldest first: at most `limit` that can be read. `read` gets the key and the
/// attributes that the index projects. Entries that can't be read are reported to the log and use up nothing of the limit. The
/// shards are read side by side.
pub(crate) async fn list<T>(
    dynamodb: &Client,
    table: &str,
    operation: &'static str,
    kind: Kind<'_>,
    until: Timestamp,
    limit: usize,
    read: impl Fn(&Fields) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let shards = (0..kind.shards()).map(async |shard| {
        let mut listing = Listing::new(operation, &read);
        let mut pages = Pages::new(dynamodb, table, operation, kind.shard(shard), until);
        let mut listed = 0;
        while listed < limit
            && let Some(page) = pages.next(Some(limit - listed)).await?
        {
            listed += listing.add(page);
        }
        Ok(listing)
    });
    let mut entries = merged(try_join_all(shards).await?);
    entries.truncate(limit);
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

/// Entries that one listing reads of a shard at most, to find those of every party.
const READ_AT_MOST: usize = 25_000;

/// Entries as [`list`] gives them, but shared out among parties: each party's oldest entry, then each party's second …, so
/// that a long backlog of one party hides nobody else's entries. At most `limit`, out of the oldest 25,000 of each shard.
pub(crate) async fn list_in_turn<T, P: Ord>(
    dynamodb: &Client,
    table: &str,
    operation: &'static str,
    (kind, until): (Kind<'_>, Timestamp),
    limit: usize,
    read: impl Fn(&Fields) -> Result<T, StoreError>,
    party: impl Fn(&T) -> P,
) -> Result<Vec<T>, StoreError> {
    let shards = (0..kind.shards()).map(async |shard| {
        let mut listing = Listing::new(operation, &read);
        let mut pages = Pages::new(dynamodb, table, operation, kind.shard(shard), until);
        let mut seen = 0;
        while seen < READ_AT_MOST
            && let Some(page) = pages.next(None).await?
        {
            seen += page.len();
            listing.add(page);
        }
        Ok(listing)
    });
    let oldest_first = merged(try_join_all(shards).await?)
        .into_iter()
        .map(|(_, entry)| entry);
    Ok(in_turn(oldest_first, limit, party))
}

/// Takes the first entry of each party, then the second of each, and so on, up to `limit`. Parties come in the order of
/// their first entries.
fn in_turn<T, P: Ord>(entries: impl Iterator<Item = T>, limit: usize, party: impl Fn(&T) -> P) -> Vec<T> {
    let mut places: BTreeMap<P, usize> = BTreeMap::new();
    let mut ranked: Vec<(usize, T)> = entries
        .map(|entry| {
            let place = places.entry(party(&entry)).or_default();
            *place += 1;
            (*place, entry)
        })
        .collect();
    // Stable: within a round the oldest stays first.
    ranked.sort_by_key(|(place, _)| *place);
    ranked.truncate(limit);
    ranked.into_iter().map(|(_, entry)| entry).collect()
}

/// The entries of all shards, the oldest first. What can't be read is reported to the log in one line.
fn merged<T, R>(listings: Vec<Listing<T, R>>) -> Vec<(Timestamp, T)> {
    let mut entries = Vec::new();
    let mut unreadable = 0;
    let mut first_error = None;
    for listing in listings {
        entries.extend(listing.entries);
        unreadable += listing.unreadable;
        first_error = first_error.or(listing.first_error);
    }
    if let Some(first) = first_error {
        error!(error = first, entries = unreadable, "due entries not readable");
    }
    entries.sort_by_key(|(at, _)| *at);
    entries
}

/// Entries of one shard that were read, with their times.
struct Listing<T, R> {
    operation: &'static str,
    read: R,
    entries: Vec<(Timestamp, T)>,
    unreadable: usize,
    first_error: Option<StoreError>,
}

impl<T, R: Fn(&Fields) -> Result<T, StoreError>> Listing<T, R> {
    fn new(operation: &'static str, read: R) -> Self {
        Self {
            operation,
            read,
            entries: Vec::new(),
            unreadable: 0,
            first_error: None,
        }
    }

    /// Adds a page; gives how many of it could be read.
    fn add(&mut self, page: Vec<Item>) -> usize {
        let before = self.entries.len();
        for entry in page {
            match self.read(entry) {
                Ok(entry) => self.entries.push(entry),
                Err(error) => {
                    self.unreadable += 1;
                    self.first_error.get_or_insert(error);
                }
            }
        }
        self.entries.len() - before
    }

    fn read(&self, entry: Item) -> Result<(Timestamp, T), StoreError> {
        let fields = Fields::of(self.operation, entry)?;
        Ok((fields.time("agenda_at")?, (self.read)(&fields)?))
    }
}

/// The entries of one shard, page by page.
struct Pages<'a> {
    dynamodb: &'a Client,
    table: &'a str,
    operation: &'static str,
    shard: String,
    until: Timestamp,
    start: Option<Item>,
    is_at_end: bool,
}

impl<'a> Pages<'a> {
    fn new(
        dynamodb: &'a Client,
        table: &'a str,
        operation: &'static str,
        shard: String,
        until: Timestamp,
    ) -> Self {
        Self {
            dynamodb,
            table,
            operation,
            shard,
            until,
            start: None,
            is_at_end: false,
        }
    }

    /// The next page of at most `size` entries, or as many as an answer holds; `None` at the end.
    async fn next(&mut self, size: Option<usize>) -> Result<Option<Vec<Item>>, StoreError> {
        if self.is_at_end {
            return Ok(None);
        }
        let answer = self
            .dynamodb
            .query()
            .table_name(self.table)
            .index_name(INDEX)
            .key_condition_expression("agenda = :shard AND agenda_at <= :until")
            .expression_attribute_values(":shard", item::text(self.shard.as_str()))
            .expression_attribute_values(":until", item::millis(self.until))
            .set_limit(size.map(|size| i32::try_from(size).unwrap_or(i32::MAX)))
            .set_exclusive_start_key(self.start.take())
            .send()
            .await
            .map_err(|error| StoreError::unavailable(self.operation, describe(&error)))?;
        self.start = answer.last_evaluated_key;
        self.is_at_end = self.start.is_none();
        Ok(Some(answer.items.unwrap_or_default()))
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

    #[test]
    fn a_backlog_of_one_party_hides_nobody_else() {
        let entries = ["a1", "a2", "a3", "b1", "a4", "c1", "b2"];
        let taken = |limit| in_turn(entries.into_iter(), limit, |entry| entry.as_bytes()[0]);
        assert_eq!(taken(3), ["a1", "b1", "c1"]);
        assert_eq!(taken(5), ["a1", "b1", "c1", "a2", "b2"]);
        assert_eq!(taken(100), ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
        assert_eq!(taken(0), Vec::<&str>::new());
    }

    #[test]
    fn unreadable_entries_are_counted_apart() {
        let mut listing = Listing::new("listing", |fields: &Fields| {
            fields.text("name").map(str::to_owned)
        });
        let entry = |schema: u32| {
            let item = item::Written::new("x").number("schema", schema).text("name", "n");
            item.millis("agenda_at", Timestamp::UNIX_EPOCH).into_item()
        };
        assert_eq!(listing.add(vec![entry(item::SCHEMA), entry(item::SCHEMA + 1)]), 1);
        assert_eq!(listing.unreadable, 1);
        assert_eq!(merged(vec![listing]).len(), 1);
    }
}
