//! The port `Purges`: expired records, and their deletion.

use std::collections::{BTreeSet, HashSet};

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, ReturnValue, TransactWriteItem};
use enrollment::confirmation::ConfirmationId;
use enrollment::delivery::MAX_AGE;
use enrollment::flows::purge::{confirmations_of, intents_of, undelivered_of};
use enrollment::identifiers::{ClientId, IntentId, ProgramId};
use enrollment::intent::CardCount;
use enrollment::log::error;
use enrollment::ports::{
    Cursor, CustomerKey, Page, Purges, Record, RecordedCard, RecordedIntent, RecordedSession, Removal,
    StoreError,
};
use enrollment::status::Status;
use enrollment::time::later;
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::customers::{card_id, card_state, count};
use super::{CARD, CUSTOMER, DynamoEnrollments, TTL_MARGIN, card_sort_key, card_ttl, intent_item_key, state};
use crate::aws::describe;
use crate::tables::audit::{self, AuditLine, Trail};
use crate::tables::customers::{self, owned};
use crate::tables::due_index::{self, Kind};
use crate::tables::item::{self, Fields, Item, Written};
use crate::tables::transaction::{IntoWrite as _, built, transact};
use crate::tables::update::ItemUpdate;
use crate::tables::{confirmations, limits, sessions};

/// As many as one transaction takes.
const MOST_WRITES: usize = 100;
/// Cards that were cancelled so long before the last dating began are looked at again: the index lags, and clocks differ.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// Cards of a shard that are dated at once.
const REFRESHED_AT_ONCE: usize = 4;
const REMOVING: &str = "deleting expired records";
const REFRESHING: &str = "dating cancelled cards";

#[async_trait]
impl Purges for DynamoEnrollments {
    async fn expired(
        &self,
        client: &ClientId,
        program: &ProgramId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<CustomerKey>, StoreError> {
        const OPERATION: &str = "listing cancelled cards";
        let kind = Kind::Cancelled(client, program);
        let places = from.map(|cursor| Place::read(OPERATION, cursor)).transpose()?;
        let places = places.unwrap_or_else(|| (0..kind.shards()).map(Place::start).collect());
        let range = (Timestamp::UNIX_EPOCH, until);
        let limit = limit.div_ceil(places.len().max(1));
        let shards = places.into_iter().map(async |Place { shard, behind }| {
            let start = behind.map(Entry::into_key);
            let listed = self
                .cancelled(OPERATION, kind.shard(shard), range, start, Some(limit))
                .await?;
            Ok((shard, listed))
        });
        let mut entries = Vec::new();
        let mut next = Vec::new();
        for (shard, listed) in try_join_all(shards).await? {
            for fields in listed.entries {
                entries.push((
                    fields.time("agenda_at")?,
                    CustomerKey(fields.text("pk")?.to_owned()),
                ));
            }
            let behind = listed.next.as_ref().and_then(Entry::of);
            next.extend(behind.map(|entry| Place {
                shard,
                behind: Some(entry),
            }));
        }
        entries.sort_by_key(|(cancelled_at, _)| *cancelled_at);
        Ok(Page {
            entries: entries.into_iter().map(|(_, key)| key).collect(),
            next: (!next.is_empty())
                .then(|| Place::written(OPERATION, &next))
                .transpose()?,
        })
    }

    async fn record(&self, client: &ClientId, key: &CustomerKey) -> Result<Option<Record>, StoreError> {
        const OPERATION: &str = "reading a customer's records";
        let mut record = Record {
            key: key.clone(),
            client: client.clone(),
            count: CardCount::default(),
            cards: Vec::new(),
            intents: Vec::new(),
            confirmations: Vec::new(),
            sessions: Vec::new(),
        };
        for fields in self.partition(OPERATION, &key.0).await? {
            match fields.text("sk")? {
                CUSTOMER => record.count = count(&fields)?,
                sk if sk.starts_with(CARD) => record.cards.push(RecordedCard {
                    id: card_id(&fields)?,
                    state: card_state(&fields)?,
                    locked_by: fields.optional_parsed("locked_by", IntentId::from_hex)?,
                }),
                // Of a newer release, which has to purge it.
                _ => {}
            }
        }
        let Self { dynamodb, tables, .. } = self;
        let owner = key.0.as_str();
        let indexed;
        (record.intents, indexed, record.sessions) = tokio::try_join!(
            owned(dynamodb, &tables.enrollments, OPERATION, owner, intent),
            owned(
                dynamodb,
                &tables.confirmations,
                OPERATION,
                owner,
                confirmations::id_of
            ),
            owned(dynamodb, &tables.sessions, OPERATION, owner, session),
        )?;
        self.add_intents_of_cards(OPERATION, &mut record).await?;
        let named = record.intents.iter().filter_map(RecordedIntent::confirmation);
        let ids: BTreeSet<ConfirmationId> = indexed.into_iter().chain(named).collect();
        let key = |id| {
            let key = item::key(&confirmations::primary_key(id));
            (tables.confirmations.as_str(), key)
        };
        let keys: Vec<_> = ids.iter().map(key).collect();
        for fields in self.batch(OPERATION).read_all(&keys).await?.into_iter().flatten() {
            record.confirmations.push(confirmations::recorded(&fields)?);
        }
        let is_empty = record.count.version == 0
            && record.cards.is_empty()
            && record.intents.is_empty()
            && record.confirmations.is_empty()
            && record.sessions.is_empty();
        Ok((!is_empty).then_some(record))
    }

    async fn remove(&self, record: &Record, removal: &Removal) -> Result<bool, StoreError> {
        match removal {
            Removal::Everything => self.remove_everything(record, true).await,
            Removal::Erasure => self.remove_everything(record, false).await,
            Removal::Cards(cards) => self.remove_cards(record, cards).await,
        }
    }

    async fn refresh_ttls(
        &self,
        client: &ClientId,
        program: &ProgramId,
        retention_days: u16,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let marker = Marker::key(client, program);
        let from = match self.item(REFRESHING, &marker, Marker::SORT_KEY).await? {
            Some(fields) if fields.number::<u16>("retention_days")? == retention_days => {
                later(fields.time("dated_until")?, -OVERLAP)
            }
            _ => Timestamp::UNIX_EPOCH,
        };
        let kind = Kind::Cancelled(client, program);
        let shards = (0..kind.shards()).map(async |shard| {
            self.refresh_shard(kind.shard(shard), (from, now), retention_days, until)
                .await
        });
        if try_join_all(shards).await?.contains(&false) {
            return Ok(false);
        }
        let written = Written::with_sort_key(&marker, Marker::SORT_KEY)
            .number("retention_days", retention_days)
            .millis("dated_until", now);
        self.dynamodb
            .put_item()
            .table_name(&self.tables.enrollments)
            .set_item(Some(written.into_item()))
            .send()
            .await
            .map_err(|error| StoreError::unavailable(REFRESHING, describe(&error)))?;
        Ok(true)
    }
}

impl DynamoEnrollments {
    /// Adds the intents that the cards name, enrollment and removal, where the lagging index does not name them yet.
    async fn add_intents_of_cards(
        &self,
        operation: &'static str,
        record: &mut Record,
    ) -> Result<(), StoreError> {
        let known: HashSet<IntentId> = record.intents.iter().map(|intent| intent.id).collect();
        let named = record
            .cards
            .iter()
            .flat_map(|card| [Some(card.id), card.locked_by])
            .flatten();
        let missing: HashSet<IntentId> = named.filter(|id| !known.contains(id)).collect();
        let key = |id| (self.tables.enrollments.as_str(), intent_item_key(id));
        let keys: Vec<_> = missing.into_iter().map(key).collect();
        for fields in self.batch(operation).read_all(&keys).await?.into_iter().flatten() {
            record.intents.push(intent(&fields)?);
        }
        Ok(())
    }

    /// All in one transaction, conditional on the customer's version. What is more than that takes goes before, in such an
    /// order that as long as the customer is there, a card is too, by which the next run finds it. Where `is_purge`, it
    /// waits for what is still to be sent, and names what goes undelivered.
    async fn remove_everything(&self, record: &Record, is_purge: bool) -> Result<bool, StoreError> {
        let mut writes = Vec::new();
        if is_purge {
            let undelivered = record.confirmations.iter().filter(|one| one.is_undelivered());
            writes.extend(self.name_undelivered(record, undelivered.map(|one| &one.id))?);
        }
        for confirmation in &record.confirmations {
            writes.push(self.delete_confirmation(&confirmation.id, is_purge)?);
        }
        for session in &record.sessions {
            writes.push(delete(
                &self.tables.sessions,
                item::key(&sessions::primary_key(session.id)),
                None,
            )?);
        }
        for intent in &record.intents {
            writes.push(self.delete_settled_intent(intent.id)?);
        }
        writes.extend(limits::deletions(&self.tables.limits, REMOVING, &record.key)?);
        for card in &record.cards {
            let key = item::key_pair(&record.key.0, &card_sort_key(card.id));
            writes.push(delete(&self.tables.enrollments, key, None)?);
        }
        let mut version = record.count.version;
        if writes.len() >= MOST_WRITES && version > 0 {
            // The first of several transactions has to be refused, too, where the customer has changed.
            let passed = vec![self.pass_version(record, version)?];
            let transacted = transact(&self.dynamodb, &*self.randomness, REMOVING, passed).await?;
            if transacted.refuses_any() {
                return Ok(false);
            }
            version += 1;
        }
        writes.push(self.delete_customer(record, version)?);
        for chunk in writes.rchunks(MOST_WRITES).rev() {
            let transacted = transact(&self.dynamodb, &*self.randomness, REMOVING, chunk.to_vec()).await?;
            if transacted.refuses_any() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Each card in a transaction of its own, which changes the customer's version: nobody counts on a card that goes. What
    /// is more than that takes goes before; as long as the card is there, the next run finds it.
    async fn remove_cards(&self, record: &Record, cards: &[IntentId]) -> Result<bool, StoreError> {
        let mut version = record.count.version;
        for card in cards {
            let mut writes = Vec::new();
            writes.extend(self.name_undelivered(record, undelivered_of(record, *card))?);
            for confirmation in confirmations_of(record, *card) {
                writes.push(self.delete_confirmation(&confirmation, true)?);
            }
            for intent in intents_of(record, *card) {
                writes.push(self.delete_settled_intent(intent.id)?);
            }
            writes.push(self.delete_cancelled_card(record, *card)?);
            for chunk in writes.chunks(MOST_WRITES - 1) {
                let mut writes = vec![self.pass_version(record, version)?];
                writes.extend_from_slice(chunk);
                let transacted = transact(&self.dynamodb, &*self.randomness, REMOVING, writes).await?;
                if transacted.refuses_any() {
                    return Ok(false);
                }
                version += 1;
            }
        }
        Ok(true)
    }

    fn delete_customer(&self, record: &Record, version: u64) -> Result<TransactWriteItem, StoreError> {
        let key = item::key_pair(&record.key.0, CUSTOMER);
        let condition = match version {
            0 => Condition {
                expression: "attribute_not_exists(pk)",
                names: &[],
                values: Vec::new(),
            },
            version => Condition {
                expression: "#version = :version",
                names: &[("#version", "version")],
                values: vec![(":version", item::number(version))],
            },
        };
        delete(&self.tables.enrollments, key, Some(condition))
    }

    fn delete_cancelled_card(
        &self,
        record: &Record,
        card: IntentId,
    ) -> Result<TransactWriteItem, StoreError> {
        let key = item::key_pair(&record.key.0, &card_sort_key(card));
        let condition = Condition {
            expression: "#state = :cancelled",
            names: &[("#state", "state")],
            values: vec![(":cancelled", item::text(state::CANCELLED))],
        };
        delete(&self.tables.enrollments, key, Some(condition))
    }

    fn delete_settled_intent(&self, id: IntentId) -> Result<TransactWriteItem, StoreError> {
        let condition = Condition {
            expression: "attribute_not_exists(pk) OR attribute_exists(#status) AND attribute_not_exists(agenda)",
            names: &[("#status", "status")],
            values: Vec::new(),
        };
        delete(&self.tables.enrollments, intent_item_key(id), Some(condition))
    }

    /// One that became due again since the record was read, by an operator's replay, holds a purge back too.
    fn delete_confirmation(
        &self,
        id: &ConfirmationId,
        is_purge: bool,
    ) -> Result<TransactWriteItem, StoreError> {
        let key = item::key(&confirmations::primary_key(id));
        let condition = Condition {
            expression: "attribute_not_exists(pk) OR #state <> :due OR outcome_at <= :old \
                         OR attribute_not_exists(outcome_at) AND waiting_since <= :old",
            names: &[("#state", "state")],
            values: vec![
                (":due", item::text(confirmations::DUE)),
                (":old", item::millis(later(self.clock.now(), -MAX_AGE))),
            ],
        };
        delete(&self.tables.confirmations, key, is_purge.then_some(condition))
    }

    /// A line of the audit trail with the names of confirmations, which say nothing of a person; none where there are none.
    fn name_undelivered<'a>(
        &self,
        record: &Record,
        undelivered: impl Iterator<Item = &'a ConfirmationId>,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let names: Vec<&str> = undelivered.map(ConfirmationId::as_str).collect();
        if names.is_empty() {
            return Ok(None);
        }
        let line = AuditLine {
            at: self.clock.now(),
            action: "purge undelivered".into(),
            by: "purge".into(),
            reference: "retention".into(),
            program: customers::program_of(&record.client, &record.key),
            records: format!("undelivered confirmations: {}", names.join(" ")),
        };
        let put = audit::put(
            &self.tables.enrollments,
            Trail::Client(&record.client),
            &line,
            &*self.randomness,
        )?;
        Ok(Some(put.into_write()))
    }

    fn pass_version(&self, record: &Record, version: u64) -> Result<TransactWriteItem, StoreError> {
        ItemUpdate::new(&self.tables.enrollments, item::key_pair(&record.key.0, CUSTOMER))
            .set("#version = #version + :one")
            .when("#version = :version")
            .value(":one", item::number(1))
            .value(":version", item::number(version))
            .into_write(REMOVING)
    }

    /// The cards of one shard that were cancelled in a range of time, both ends included, the oldest first.
    async fn cancelled(
        &self,
        operation: &'static str,
        shard: String,
        (from, until): (Timestamp, Timestamp),
        start: Option<Item>,
        limit: Option<usize>,
    ) -> Result<Listed, StoreError> {
        let answer = self
            .dynamodb
            .query()
            .table_name(&self.tables.enrollments)
            .index_name(due_index::INDEX)
            .key_condition_expression("agenda = :shard AND agenda_at BETWEEN :from AND :until")
            .expression_attribute_values(":shard", item::text(shard))
            .expression_attribute_values(":from", item::millis(from))
            .expression_attribute_values(":until", item::millis(until))
            .set_limit(limit.and_then(|limit| i32::try_from(limit).ok()))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| StoreError::unavailable(operation, describe(&error)))?;
        let mut entries = Vec::new();
        for entry in answer.items.unwrap_or_default() {
            // One that can't be read keeps no other from its turn.
            match Fields::of(operation, entry) {
                Ok(fields) => entries.push(fields),
                Err(error) => error!(error, "cancelled card not readable"),
            }
        }
        Ok(Listed {
            entries,
            next: answer.last_evaluated_key,
        })
    }

    /// Dates the cards of one shard that were cancelled in a range of time. False where `until` came first.
    async fn refresh_shard(
        &self,
        shard: String,
        range: (Timestamp, Timestamp),
        retention_days: u16,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut start = None;
        loop {
            if self.clock.now() >= until {
                return Ok(false);
            }
            let listed = self
                .cancelled(REFRESHING, shard.clone(), range, start, None)
                .await?;
            stream::iter(listed.entries)
                .map(|fields| self.refresh_card(fields, retention_days))
                .buffer_unordered(REFRESHED_AT_ONCE)
                .try_collect::<()>()
                .await?;
            start = listed.next;
            if start.is_none() {
                return Ok(true);
            }
        }
    }

    /// Sets the `ttl` of a card, of the intent that enrolled it, of its opt-out, and of the customer. The customer's `ttl`,
    /// which is that of the last card, only moves to a later time.
    async fn refresh_card(&self, fields: Fields, retention_days: u16) -> Result<(), StoreError> {
        // A card that newly counts as long expired is left to the purge, which may have to defer it.
        let soonest = later(self.clock.now(), TTL_MARGIN);
        let ttl = card_ttl(fields.time("agenda_at")?, retention_days).max(soonest);
        // Whole seconds are stored.
        if fields
            .ttl()?
            .is_some_and(|dated| dated.as_second() == ttl.as_second())
        {
            return Ok(());
        }
        let pk = fields.text("pk")?;
        let key = item::key_pair(pk, fields.text("sk")?);
        self.set_ttl(
            intent_item_key(card_id(&fields)?),
            "attribute_exists(pk) AND attribute_not_exists(agenda)",
            &[],
            ttl,
        )
        .await?;
        if let Some(by) = fields.optional_parsed("locked_by", IntentId::from_hex)? {
            let opt_out = [("status", Status::SuccessRemoval.as_str())];
            self.set_ttl(intent_item_key(by), "#status = :status", &opt_out, ttl)
                .await?;
        }
        let customer = item::key_pair(pk, CUSTOMER);
        self.set_ttl(customer, "#ttl < :ttl", &[], ttl).await?;
        // The card comes last: until then the next run finds it again.
        let cancelled = [("state", state::CANCELLED)];
        self.set_ttl(key, "#state = :state", &cancelled, ttl).await
    }

    async fn set_ttl(
        &self,
        key: Item,
        condition: &str,
        equal: &[(&str, &str)],
        ttl: Timestamp,
    ) -> Result<(), StoreError> {
        let mut update = ItemUpdate::new(&self.tables.enrollments, key)
            .set("#ttl = :ttl")
            .when(condition)
            .value(":ttl", item::seconds(ttl));
        for (attribute, value) in equal {
            update = update.value(format!(":{attribute}"), item::text(*value));
        }
        update
            .send(&self.dynamodb, REFRESHING, ReturnValue::None)
            .await
            .map(drop)
    }
}

/// Entries of the index.
struct Listed {
    entries: Vec<Fields>,
    next: Option<Item>,
}

/// Item with the `retention_days` that the `ttl` of a program's cancelled cards follows, and up to which cancellation.
struct Marker;

impl Marker {
    const SORT_KEY: &'static str = "retention";

    fn key(client: &ClientId, program: &ProgramId) -> String {
        format!("retention#{client}#{program}")
    }
}

/// Place where the list of one shard's cancelled cards continues: its start, or behind an entry. A cursor has one for each shard
/// that is not at its end.
#[derive(Serialize, Deserialize)]
struct Place {
    shard: u8,
    behind: Option<Entry>,
}

/// The key of an entry of the index.
#[derive(Serialize, Deserialize)]
struct Entry {
    agenda: String,
    agenda_at: String,
    pk: String,
    sk: String,
}

impl Place {
    fn start(shard: u8) -> Self {
        Self { shard, behind: None }
    }

    fn read(operation: &'static str, cursor: &Cursor) -> Result<Vec<Self>, StoreError> {
        serde_json::from_str(&cursor.0)
            .map_err(|_| StoreError::unreadable(operation, "no place to go on from"))
    }

    fn written(operation: &'static str, places: &[Self]) -> Result<Cursor, StoreError> {
        serde_json::to_string(places)
            .map(Cursor)
            .map_err(|_| StoreError::unavailable(operation, "the place can't be written as JSON"))
    }
}

impl Entry {
    fn of(key: &Item) -> Option<Self> {
        let text = |attribute: &str| key.get(attribute)?.as_s().ok().cloned();
        Some(Self {
            agenda: text("agenda")?,
            agenda_at: key.get("agenda_at")?.as_n().ok()?.clone(),
            pk: text("pk")?,
            sk: text("sk")?,
        })
    }

    fn into_key(self) -> Item {
        let mut key = item::key_pair(&self.pk, &self.sk);
        key.insert("agenda".to_owned(), item::text(self.agenda));
        key.insert("agenda_at".to_owned(), AttributeValue::N(self.agenda_at));
        key
    }
}

/// Condition of a deletion.
struct Condition {
    expression: &'static str,
    names: &'static [(&'static str, &'static str)],
    values: Vec<(&'static str, AttributeValue)>,
}

fn delete(table: &str, key: Item, condition: Option<Condition>) -> Result<TransactWriteItem, StoreError> {
    let mut delete = Delete::builder().table_name(table).set_key(Some(key));
    if let Some(condition) = condition {
        delete = delete.condition_expression(condition.expression);
        for (placeholder, name) in condition.names {
            delete = delete.expression_attribute_names(*placeholder, *name);
        }
        for (placeholder, value) in condition.values {
            delete = delete.expression_attribute_values(placeholder, value);
        }
    }
    Ok(built(REMOVING, delete.build())?.into_write())
}

fn intent(fields: &Fields) -> Result<RecordedIntent, StoreError> {
    let known = |text: &str| Status::from_text(text).ok_or("a status that this release does not know");
    let status = fields.optional_parsed("status", known)?;
    Ok(RecordedIntent {
        id: fields.parsed("pk", |pk| {
            IntentId::from_hex(pk.strip_prefix("intent#").unwrap_or_default())
        })?,
        old_card: fields.optional_parsed("old_card", IntentId::from_hex)?,
        status,
        is_settled: status.is_some() && fields.optional_text("agenda")?.is_none(),
    })
}

fn session(fields: &Fields) -> Result<RecordedSession, StoreError> {
    Ok(RecordedSession {
        id: sessions::id_of(fields)?,
        expires_at: fields.time("expires_at")?,
    })
}
