//! The port `DigitalCards` over `DynamoDB`: one item for each card, under a blind index of the client's id of it.
//!
//! `agenda_at` of a card with a due deletion is the time from which it is due, or the end of a lease. As in `batches`, each
//! write leaves a random `ticket`.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::ReturnValue;
use enrollment::batch::{
    BatchId, ExternalCardId, ExternalConsumerId, FlowId, SrcConsumerId, SrcDigitalCardId,
};
use enrollment::digital_card::{DigitalCard, DigitalCardKey, DigitalCardState, SupersededId};
use enrollment::identifiers::ClientId;
use enrollment::log::error;
use enrollment::ports::{Cursor, DigitalCards, DueDeletion, Page, StoreError};
use enrollment::randomness::Randomness;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::batch::Batch as BatchRead;
use super::customers::{OWNER, owned};
use super::due_index::{self, Kind};
use super::item::{self, Fields, Item, Written};
use super::places;
use super::sealing::Sealing;
use super::transaction::{TRIES, wait};
use super::update::ItemUpdate;
use crate::aws::{describe, where_it_held};
use crate::vault::{Purpose, Vault};

/// Cards of a batch that are written at once.
const WRITTEN_AT_ONCE: usize = 16;
/// Values of `state`.
const ENROLLED: &str = "enrolled";
const PENDING: &str = "deletion_pending";
const DELETED: &str = "deleted";

/// The `digital_cards` table.
pub struct DynamoDigitalCards {
    dynamodb: Client,
    table: String,
    vault: Arc<Vault>,
    randomness: Arc<dyn Randomness>,
}

/// Sealed ids of a card.
#[derive(Serialize, Deserialize)]
struct Ids {
    card: ExternalCardId,
    consumer: ExternalConsumerId,
    src_digital_card: SrcDigitalCardId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    src_consumer: Option<SrcConsumerId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    superseded: Vec<SupersededId>,
}

impl DynamoDigitalCards {
    /// Cards in the table of that physical name.
    pub fn new(
        dynamodb: Client,
        table: impl Into<String>,
        vault: Arc<Vault>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            dynamodb,
            table: table.into(),
            vault,
            randomness,
        }
    }

    /// `card#<client>#<blind index>`. A client's id has no `#`.
    async fn key(
        &self,
        operation: &'static str,
        client: &ClientId,
        card: &ExternalCardId,
    ) -> Result<DigitalCardKey, StoreError> {
        let index = self
            .blind_index(operation, client, "external_card", card.as_str())
            .await?;
        Ok(DigitalCardKey(format!("card#{client}#{index}")))
    }

    /// `consumer#<client>#<blind index>`.
    async fn owner(
        &self,
        operation: &'static str,
        client: &ClientId,
        consumer: &ExternalConsumerId,
    ) -> Result<String, StoreError> {
        let index = self
            .blind_index(operation, client, "external_consumer", consumer.as_str())
            .await?;
        Ok(format!("consumer#{client}#{index}"))
    }

    async fn blind_index(
        &self,
        operation: &'static str,
        client: &ClientId,
        field: &str,
        value: &str,
    ) -> Result<String, StoreError> {
        self.vault
            .blind_index(client, field, value)
            .await
            .map_err(|error| error.into_store_error(operation))
    }

    async fn fields(
        &self,
        operation: &'static str,
        key: &DigitalCardKey,
    ) -> Result<Option<Fields>, StoreError> {
        item::read(&self.dynamodb, &self.table, operation, item::key(&key.0)).await
    }

    /// Stores one record, or leaves the stored one, as [`DigitalCard::over`] says. `known` is the stored one as it was read.
    async fn record_one(
        &self,
        operation: &'static str,
        card: &DigitalCard,
        key: &DigitalCardKey,
        mut known: Option<Fields>,
    ) -> Result<(), StoreError> {
        for attempt in 1..=TRIES {
            let (record, version) = match &known {
                None => (card.clone(), 0),
                Some(fields) => match card.over(&self.read(key, fields).await?) {
                    Some(record) => (record, fields.number("version")?),
                    None => return Ok(()),
                },
            };
            if self.put(operation, key, &record, version).await? {
                return Ok(());
            }
            tokio::time::sleep(wait(attempt, &*self.randomness)).await;
            known = self.fields(operation, key).await?;
        }
        Err(StoreError::unavailable(
            operation,
            "others change the card all the time",
        ))
    }

    /// Stores a record over the one of `version`, or where there is none. False where that is not so any more.
    async fn put(
        &self,
        operation: &'static str,
        key: &DigitalCardKey,
        card: &DigitalCard,
        version: u64,
    ) -> Result<bool, StoreError> {
        let item = self.written(operation, key, card, version + 1).await?;
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item));
        let put = if version == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("#version = :version")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", item::number(version))
        };
        where_it_held(put.send().await)
            .map(|stored| stored.is_some())
            .map_err(|detail| StoreError::unavailable(operation, detail))
    }

    async fn written(
        &self,
        operation: &'static str,
        key: &DigitalCardKey,
        card: &DigitalCard,
        version: u64,
    ) -> Result<Item, StoreError> {
        let mut item = Written::new(&key.0)
            .text(OWNER, self.owner(operation, &card.client, &card.consumer).await?)
            .text("client", card.client.as_str())
            .set("ids", self.sealed_ids(operation, key, card).await?)
            .text("src_client_id", card.src_client_id.as_str())
            .text("service_id", card.service_id.as_str())
            .set_optional("flow", card.flow.as_ref().map(|flow| item::text(flow.expose())))
            .text("batch", card.batch.to_hex())
            .millis("batch_accepted_at", card.batch_accepted_at)
            .millis("enrolled_at", card.enrolled_at)
            .number("version", version)
            .text("state", card.state.as_str());
        item = match card.state {
            DigitalCardState::Enrolled | DigitalCardState::DeletionPending { .. } => item,
            DigitalCardState::Deleted { at } => item.millis("deleted_at", at),
        };
        if let Some(requested_at) = card.deletion_requested_at() {
            item = item
                .millis("requested_at", requested_at)
                .set("agenda", Kind::DueDeletion.of(&key.0))
                .millis("agenda_at", card.enrolled_at);
        }
        Ok(item.into_item())
    }

    async fn sealed_ids(
        &self,
        operation: &'static str,
        key: &DigitalCardKey,
        card: &DigitalCard,
    ) -> Result<aws_sdk_dynamodb::types::AttributeValue, StoreError> {
        let ids = Ids {
            card: card.card.clone(),
            consumer: card.consumer.clone(),
            src_digital_card: card.src_digital_card.clone(),
            src_consumer: card.src_consumer.clone(),
            superseded: card.superseded.clone(),
        };
        let json = serde_json::to_string(&ids)
            .map_err(|_| StoreError::unavailable(operation, "it can't be written as JSON"))?;
        self.sealing(operation, &card.client, key)
            .seal("ids", &json)
            .await
    }

    async fn read(&self, key: &DigitalCardKey, fields: &Fields) -> Result<DigitalCard, StoreError> {
        let client = fields.parsed("client", ClientId::parse)?;
        let ids: Ids = self
            .sealing(fields.operation(), &client, key)
            .open(fields, "ids", |json| serde_json::from_str(json))
            .await?;
        Ok(DigitalCard {
            card: ids.card,
            consumer: ids.consumer,
            src_digital_card: ids.src_digital_card,
            src_consumer: ids.src_consumer,
            superseded: ids.superseded,
            src_client_id: fields.text("src_client_id")?.to_owned(),
            service_id: fields.text("service_id")?.to_owned(),
            flow: fields.optional_parsed("flow", FlowId::parse)?,
            batch: fields.parsed("batch", BatchId::parse)?,
            batch_accepted_at: fields.time("batch_accepted_at")?,
            enrolled_at: fields.time("enrolled_at")?,
            state: match fields.text("state")? {
                ENROLLED => DigitalCardState::Enrolled,
                PENDING => DigitalCardState::DeletionPending {
                    requested_at: fields.time("requested_at")?,
                },
                DELETED => DigitalCardState::Deleted {
                    at: fields.time("deleted_at")?,
                },
                _ => return Err(fields.unreadable("a state that this release does not know".into())),
            },
            client: client.clone(),
        })
    }

    fn sealing<'a>(
        &'a self,
        operation: &'static str,
        client: &'a ClientId,
        key: &'a DigitalCardKey,
    ) -> Sealing<'a> {
        Sealing {
            vault: &self.vault,
            operation,
            client,
            purpose: Purpose::DigitalCard,
            table: "digital_cards",
            pk: &key.0,
            sk: "",
        }
    }

    fn ticket(&self) -> String {
        let mut ticket = [0; 16];
        self.randomness.fill(&mut ticket);
        hex::encode(ticket)
    }

    /// Update of an item that counts as a change of it and leaves a ticket.
    fn change(&self, key: &DigitalCardKey, ticket: &str) -> ItemUpdate {
        ItemUpdate::new(&self.table, item::key(&key.0))
            .set("ticket = :ticket, #version = #version + :one")
            .value(":ticket", item::text(ticket))
            .value(":one", item::number(1))
    }

    /// The item, where it was last written under this ticket.
    async fn written_under(
        &self,
        operation: &'static str,
        key: &DigitalCardKey,
        ticket: &str,
    ) -> Result<Option<Fields>, StoreError> {
        match self.fields(operation, key).await? {
            Some(fields) if fields.optional_text("ticket")? == Some(ticket) => Ok(Some(fields)),
            _ => Ok(None),
        }
    }

    fn batch_read(&self, operation: &'static str) -> BatchRead<'_> {
        BatchRead {
            dynamodb: &self.dynamodb,
            randomness: &*self.randomness,
            operation,
        }
    }
}

#[async_trait]
impl DigitalCards for DynamoDigitalCards {
    async fn record(&self, cards: &[DigitalCard]) -> Result<(), StoreError> {
        const OPERATION: &str = "storing enrolled cards";
        let mut keys = Vec::with_capacity(cards.len());
        for card in cards {
            keys.push(self.key(OPERATION, &card.client, &card.card).await?);
        }
        let stored: Vec<_> = keys
            .iter()
            .map(|key| (self.table.as_str(), item::key(&key.0)))
            .collect();
        let known = self.batch_read(OPERATION).read_all(&stored).await?;
        let mut writes = Vec::with_capacity(cards.len());
        for ((card, key), known) in cards.iter().zip(&keys).zip(known) {
            writes.push(self.record_one(OPERATION, card, key, known));
        }
        stream::iter(writes)
            .buffer_unordered(WRITTEN_AT_ONCE)
            .try_collect::<()>()
            .await
    }

    async fn card(
        &self,
        client: &ClientId,
        card: &ExternalCardId,
    ) -> Result<Option<DigitalCard>, StoreError> {
        const OPERATION: &str = "reading an enrolled card";
        let key = self.key(OPERATION, client, card).await?;
        match self.fields(OPERATION, &key).await? {
            Some(fields) => self.read(&key, &fields).await.map(Some),
            None => Ok(None),
        }
    }

    async fn cards_of(
        &self,
        client: &ClientId,
        consumer: &ExternalConsumerId,
    ) -> Result<Vec<DigitalCard>, StoreError> {
        const OPERATION: &str = "reading a consumer's cards";
        let owner = self.owner(OPERATION, client, consumer).await?;
        let keys = owned(&self.dynamodb, &self.table, OPERATION, &owner, key_of).await?;
        let items: Vec<_> = keys
            .iter()
            .map(|key| (self.table.as_str(), item::key(&key.0)))
            .collect();
        let found = self.batch_read(OPERATION).read_all(&items).await?;
        let mut cards = Vec::with_capacity(keys.len());
        for (key, fields) in keys.iter().zip(found) {
            // A later batch may have given the card to another consumer.
            if let Some(fields) = fields.filter(|fields| fields.text(OWNER).is_ok_and(|of| of == owner)) {
                cards.push(self.read(key, &fields).await?);
            }
        }
        Ok(cards)
    }

    async fn request_deletion(
        &self,
        client: &ClientId,
        card: &ExternalCardId,
        at: Timestamp,
    ) -> Result<Option<(DigitalCardKey, DigitalCard)>, StoreError> {
        const OPERATION: &str = "requesting a deletion";
        let key = self.key(OPERATION, client, card).await?;
        let ticket = self.ticket();
        let update = self
            .change(&key, &ticket)
            .set("#state = :pending, requested_at = :at, agenda = :agenda, agenda_at = :at")
            .when("#state = :enrolled")
            .when_schema_is_known()
            .value(":pending", item::text(PENDING))
            .value(":enrolled", item::text(ENROLLED))
            .value(":agenda", Kind::DueDeletion.of(&key.0))
            .value(":at", item::millis(at));
        let fields = match update
            .send(&self.dynamodb, OPERATION, ReturnValue::AllNew)
            .await?
        {
            Some(changed) => Some(Fields::of(OPERATION, changed)?),
            None => self.fields(OPERATION, &key).await?,
        };
        match fields {
            Some(fields) => {
                let card = self.read(&key, &fields).await?;
                Ok(Some((key, card)))
            }
            None => Ok(None),
        }
    }

    async fn due_deletions(&self, until: Timestamp, limit: usize) -> Result<Vec<DueDeletion>, StoreError> {
        const OPERATION: &str = "listing due deletions";
        let due = |fields: &Fields| {
            let due_at = fields.time("agenda_at")?;
            Ok(DueDeletion {
                key: key_of(fields)?,
                client: fields.parsed("client", ClientId::parse)?,
                // Earlier releases stored none for a superseded id of an enrolled card.
                requested_at: fields.optional_time("requested_at")?.unwrap_or(due_at),
                due_at,
            })
        };
        let kind = Kind::DueDeletion;
        due_index::list(&self.dynamodb, &self.table, OPERATION, kind, until, limit, due).await
    }

    async fn acquire(
        &self,
        key: &DigitalCardKey,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<DigitalCard>, StoreError> {
        const OPERATION: &str = "acquiring a deletion";
        let ticket = self.ticket();
        let update = self
            .change(key, &ticket)
            .set("agenda_at = :until")
            .when("agenda = :agenda AND agenda_at <= :now")
            .when_schema_is_known()
            .value(":agenda", Kind::DueDeletion.of(&key.0))
            .value(":until", item::millis(until))
            .value(":now", item::millis(now));
        let acquired = match update
            .send(&self.dynamodb, OPERATION, ReturnValue::AllNew)
            .await?
        {
            Some(acquired) => Some(Fields::of(OPERATION, acquired)?),
            None => match self.written_under(OPERATION, key, &ticket).await {
                // One of a newer release, which resumes it.
                Err(StoreError::Unreadable { .. }) => None,
                found => found?,
            },
        };
        match acquired {
            Some(fields) => self.read(key, &fields).await.map(Some),
            None => Ok(None),
        }
    }

    async fn update(
        &self,
        card: &DigitalCard,
        lease: Timestamp,
        next: Timestamp,
    ) -> Result<bool, StoreError> {
        const OPERATION: &str = "storing a deletion";
        let key = self.key(OPERATION, &card.client, &card.card).await?;
        let ticket = self.ticket();
        let mut update = self
            .change(&key, &ticket)
            .set("#state = :state, ids = :ids")
            .when("agenda = :due AND agenda_at = :lease AND #batch = :batch")
            .value(":due", Kind::DueDeletion.of(&key.0))
            .value(":lease", item::millis(lease))
            .value(":batch", item::text(card.batch.to_hex()))
            .value(":state", item::text(card.state.as_str()))
            .value(":ids", self.sealed_ids(OPERATION, &key, card).await?);
        if let DigitalCardState::Deleted { at } = card.state {
            update = update
                .set("deleted_at = :deleted_at")
                .value(":deleted_at", item::millis(at));
        }
        update = match card.state {
            _ if card.has_due_deletion() => {
                update.set("agenda_at = :next").value(":next", item::millis(next))
            }
            DigitalCardState::Deleted { at } => update
                .set("agenda = :deleted, agenda_at = :at")
                .value(":deleted", Kind::DeletedCard(&card.client).of(&key.0))
                .value(":at", item::millis(at)),
            _ => update.remove("agenda, agenda_at"),
        };
        let is_stored = update
            .send(&self.dynamodb, OPERATION, ReturnValue::None)
            .await?
            .is_some();
        Ok(is_stored || self.written_under(OPERATION, &key, &ticket).await?.is_some())
    }

    async fn deleted(
        &self,
        client: &ClientId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<DigitalCardKey>, StoreError> {
        const OPERATION: &str = "listing deleted cards";
        let start = from.map(|cursor| places::read(OPERATION, cursor)).transpose()?;
        // Of one shard: deletions keep to the rate that is agreed with Mastercard.
        let answer = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .index_name(due_index::INDEX)
            .key_condition_expression("agenda = :shard AND agenda_at <= :until")
            .expression_attribute_values(":shard", item::text(Kind::DeletedCard(client).shard(0)))
            .expression_attribute_values(":until", item::millis(until))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| StoreError::unavailable(OPERATION, describe(&error)))?;
        let mut entries = Vec::new();
        for entry in answer.items.unwrap_or_default() {
            match Fields::of(OPERATION, entry).and_then(|fields| key_of(&fields)) {
                Ok(key) => entries.push(key),
                // It must not hide the others.
                Err(error) => error!(error, client, "deleted card not readable"),
            }
        }
        Ok(Page {
            entries,
            next: answer
                .last_evaluated_key
                .as_ref()
                .map(|key| places::written(OPERATION, key))
                .transpose()?,
        })
    }

    async fn remove(&self, key: &DigitalCardKey, until: Timestamp) -> Result<bool, StoreError> {
        const OPERATION: &str = "deleting a card's record";
        let deleted = self
            .dynamodb
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(item::key(&key.0)))
            .condition_expression("#state = :deleted AND deleted_at <= :until AND agenda_at = deleted_at")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":deleted", item::text(DELETED))
            .expression_attribute_values(":until", item::millis(until))
            .send()
            .await;
        where_it_held(deleted)
            .map(|deleted| deleted.is_some())
            .map_err(|detail| StoreError::unavailable(OPERATION, detail))
    }

    async fn erase(&self, client: &ClientId, card: &ExternalCardId) -> Result<bool, StoreError> {
        const OPERATION: &str = "erasing a card's record";
        let key = self.key(OPERATION, client, card).await?;
        let deleted = self
            .dynamodb
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(item::key(&key.0)))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| StoreError::unavailable(OPERATION, describe(&error)))?;
        Ok(deleted.attributes.is_some_and(|item| !item.is_empty()))
    }
}

/// Key of the card of an item.
fn key_of(fields: &Fields) -> Result<DigitalCardKey, StoreError> {
    fields.text("pk").map(|pk| DigitalCardKey(pk.to_owned()))
}
