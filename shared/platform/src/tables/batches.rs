//! The ports `Batches` and `BatchRecords` over `DynamoDB`: one item for each batch.
//!
//! `agenda_at` of an open batch is the time from which it is due, or the end of the lease that a process has on it; `due_since`
//! is the time from which it was due before leases. Each write
//! leaves a random `ticket`: where a condition does not hold, it tells a write whose answer was lost, and which the SDK sends
//! again, from another's.

mod faults;
mod item_of;
mod records;

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{Put, ReturnValue};
use enrollment::batch::{Batch, BatchId, BatchResult, BatchStage, BatchWork, CONTENT_KEPT};
use enrollment::clock::Clock;
use enrollment::identifiers::ClientId;
use enrollment::ports::{Acceptance, Batches, DueBatch, LeaseEnd, StoreError};
use enrollment::randomness::Randomness;
use enrollment::time::later;
use jiff::Timestamp;

use super::confirmations::{self, Owner};
use super::due_index::{self, Kind};
use super::item::{self, Fields};
use super::transaction::{IntoWrite as _, built, transact};
use super::update::ItemUpdate;
use crate::aws::where_it_held;
use crate::vault::Vault;

#[cfg(feature = "operator")]
pub use faults::BatchIncident;

/// The `batches` table, with the confirmations and the audit trail that its transactions write.
pub struct DynamoBatches {
    dynamodb: Client,
    tables: BatchTables,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

/// Physical names of the tables that [`DynamoBatches`] writes.
#[derive(Debug, Clone)]
pub struct BatchTables {
    /// Batches.
    pub batches: String,
    /// Confirmations to partners.
    pub confirmations: String,
    /// Table with the audit trail.
    pub enrollments: String,
}

impl DynamoBatches {
    /// Batches in the tables of these names.
    pub fn new(
        dynamodb: Client,
        tables: BatchTables,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self {
            dynamodb,
            tables,
            vault,
            clock,
            randomness,
        }
    }

    async fn read(&self, operation: &'static str, id: BatchId) -> Result<Option<Fields>, StoreError> {
        let key = item::key(&primary_key(id));
        item::read(&self.dynamodb, &self.tables.batches, operation, key).await
    }

    /// The item, where it was last written under this ticket.
    async fn written_under(
        &self,
        operation: &'static str,
        id: BatchId,
        ticket: &str,
    ) -> Result<Option<Fields>, StoreError> {
        let found = self.read(operation, id).await?;
        match found {
            Some(fields) if fields.optional_text("ticket")? == Some(ticket) => Ok(Some(fields)),
            _ => Ok(None),
        }
    }

    fn ticket(&self) -> String {
        let mut ticket = [0; 16];
        self.randomness.fill(&mut ticket);
        hex::encode(ticket)
    }

    /// Update of the item that leaves a ticket.
    fn change(&self, id: BatchId, ticket: &str) -> ItemUpdate {
        ItemUpdate::new(&self.tables.batches, item::key(&primary_key(id)))
            .set("ticket = :ticket")
            .value(":ticket", item::text(ticket))
    }

    /// Update that counts only under the lease until `lease`.
    fn under_lease(&self, id: BatchId, ticket: &str, lease: Timestamp) -> ItemUpdate {
        self.change(id, ticket)
            .when("agenda_at = :lease AND #stage <> :final")
            .value(":lease", item::millis(lease))
            .value(":final", item::text(item_of::FINAL))
    }
}

#[async_trait]
impl Batches for DynamoBatches {
    async fn accept(&self, batch: &Batch) -> Result<Acceptance, StoreError> {
        const OPERATION: &str = "storing a batch";
        let ticket = self.ticket();
        let item = item_of::written(&self.vault, OPERATION, batch, &ticket).await?;
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.tables.batches)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        let is_stored = where_it_held(put)
            .map_err(|detail| StoreError::unavailable(OPERATION, detail))?
            .is_some();
        if is_stored {
            return Ok(Acceptance::Created);
        }
        let Some(fields) = self.read(OPERATION, batch.id).await? else {
            return Err(StoreError::unavailable(
                OPERATION,
                "the batch under its id is deleted at this moment",
            ));
        };
        if fields.optional_text("ticket")? == Some(ticket.as_str()) {
            return Ok(Acceptance::Created);
        }
        let existing = item_of::read(&self.vault, batch.id, &fields).await?;
        Ok(Acceptance::Existing(Box::new(existing)))
    }

    async fn batch(&self, id: BatchId) -> Result<Option<Batch>, StoreError> {
        match self.read("reading a batch", id).await? {
            Some(fields) => item_of::read(&self.vault, id, &fields).await.map(Some),
            None => Ok(None),
        }
    }

    async fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<DueBatch>, StoreError> {
        const OPERATION: &str = "listing due batches";
        let due = |fields: &Fields| {
            let known = |text: &str| BatchWork::from_text(text).ok_or("work that this release does not know");
            Ok(DueBatch {
                id: id_of(fields)?,
                client: fields.parsed("client", ClientId::parse)?,
                work: fields.parsed("work", known)?,
                accepted_at: fields.time("accepted_at")?,
                due_at: fields.time("agenda_at")?,
                due_since: fields.time("due_since")?,
            })
        };
        let table = &self.tables.batches;
        due_index::list(
            &self.dynamodb,
            table,
            OPERATION,
            Kind::DueBatch,
            until,
            limit,
            due,
        )
        .await
    }

    async fn acquire(
        &self,
        id: BatchId,
        work: BatchWork,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Batch>, StoreError> {
        const OPERATION: &str = "acquiring a batch";
        let ticket = self.ticket();
        let update = self
            .change(id, &ticket)
            .set("agenda_at = :until")
            .when("#work = :work AND agenda_at <= :now")
            .when_schema_is_known()
            .value(":until", item::millis(until))
            .value(":work", item::text(work.as_str()))
            .value(":now", item::millis(now));
        let acquired = match update
            .send(&self.dynamodb, OPERATION, ReturnValue::AllNew)
            .await?
        {
            Some(acquired) => Some(Fields::of(OPERATION, acquired)?),
            None => match self.written_under(OPERATION, id, &ticket).await {
                // One of a newer release, which resumes it.
                Err(StoreError::Unreadable { .. }) => None,
                found => found?,
            },
        };
        match acquired {
            Some(fields) => item_of::read(&self.vault, id, &fields).await.map(Some),
            None => Ok(None),
        }
    }

    async fn update(&self, batch: &Batch, lease: Timestamp, end: LeaseEnd) -> Result<bool, StoreError> {
        const OPERATION: &str = "storing a batch's stage";
        let ticket = self.ticket();
        let mut update = item_of::set_stage(self.under_lease(batch.id, &ticket, lease), &batch.stage)
            .ok_or_else(|| StoreError::unavailable(OPERATION, "a final stage is stored by the end"))?;
        if let LeaseEnd::Released(due) = end {
            update = update
                .set("agenda_at = :due, due_since = :due")
                .value(":due", item::millis(due));
        }
        let is_stored = update
            .send(&self.dynamodb, OPERATION, ReturnValue::None)
            .await?
            .is_some();
        Ok(is_stored || self.written_under(OPERATION, batch.id, &ticket).await?.is_some())
    }

    async fn finish(&self, batch: &Batch, lease: Timestamp) -> Result<bool, StoreError> {
        const OPERATION: &str = "storing a batch's end";
        let BatchStage::Final(result) = &batch.stage else {
            return Err(StoreError::unavailable(OPERATION, "the batch is not final"));
        };
        let confirmation = batch.confirmation();
        let ticket = self.ticket();
        let mut update = item_of::set_end(
            &self.vault,
            OPERATION,
            self.under_lease(batch.id, &ticket, lease),
            batch,
            result,
        )
        .await?;
        update = if result.has_content {
            update
                .set("#work = :work, agenda_at = :discard, due_since = :discard")
                .value(":work", item::text(BatchWork::DiscardContent.as_str()))
                .value(":discard", item::millis(later(result.at, CONTENT_KEPT)))
        } else {
            update.remove("#work, agenda, agenda_at, due_since")
        };
        let mut writes = vec![update.into_write(OPERATION)?];
        if let Some(confirmation) = &confirmation {
            let owner = Owner {
                customer: &primary_key(batch.id),
                card: None,
            };
            let item = confirmations::written(&self.vault, OPERATION, confirmation, owner, result.at).await?;
            let put = Put::builder()
                .table_name(&self.tables.confirmations)
                .set_item(Some(item))
                .build();
            writes.push(built(OPERATION, put)?.into_write());
        }
        let transacted = transact(&self.dynamodb, &*self.randomness, OPERATION, writes).await?;
        if !transacted.refuses_any() {
            return Ok(true);
        }
        // Stored by this call, whose answer was lost, or by an earlier one of the same end.
        let Some(fields) = self.read(OPERATION, batch.id).await? else {
            return Ok(false);
        };
        let stored = item_of::read(&self.vault, batch.id, &fields).await?;
        Ok(stored.result().is_some_and(|stored| same_end(stored, result)))
    }

    async fn content_discarded(&self, id: BatchId) -> Result<(), StoreError> {
        let ticket = self.ticket();
        self.change(id, &ticket)
            .set("has_content = :no")
            .remove("#work, agenda, agenda_at, due_since")
            .when("#stage = :final")
            .value(":final", item::text(item_of::FINAL))
            .value(":no", item::flag(false))
            .send(&self.dynamodb, "noting a deleted content", ReturnValue::None)
            .await
            .map(drop)
    }

    async fn postpone(&self, id: BatchId, at: Timestamp) -> Result<(), StoreError> {
        let ticket = self.ticket();
        self.change(id, &ticket)
            .set("agenda_at = :at")
            .when("attribute_exists(agenda)")
            .value(":at", item::millis(at))
            .send(&self.dynamodb, "postponing a batch", ReturnValue::None)
            .await
            .map(drop)
    }
}

/// Whether two results are one, whether or not the JWE was deleted meanwhile.
fn same_end(stored: &BatchResult, result: &BatchResult) -> bool {
    let stored = BatchResult {
        has_content: result.has_content,
        ..stored.clone()
    };
    stored == *result
}

pub(super) fn primary_key(id: BatchId) -> String {
    format!("batch#{id}")
}

/// Id of the batch that an item of another table belongs to; `None` where its owner is no batch.
#[cfg(feature = "operator")]
pub(super) fn id_of_key(owner: &str) -> Option<BatchId> {
    BatchId::parse(owner.strip_prefix("batch#")?).ok()
}

/// Id of the batch of an item.
fn id_of(fields: &Fields) -> Result<BatchId, StoreError> {
    fields.parsed("pk", |pk| {
        BatchId::parse(pk.strip_prefix("batch#").unwrap_or_default())
    })
}
