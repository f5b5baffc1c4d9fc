//! The port `BatchRecords`: purge, export and erasure of batches.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, ReturnValue};
use enrollment::batch::{Batch, BatchId, ExternalConsumerId};
use enrollment::confirmation::ConfirmationId;
use enrollment::identifiers::ClientId;
use enrollment::log::error;
use enrollment::ports::{
    BatchRecords, ConfirmationState, Cursor, EndedBatch, Page, RecordedConfirmation, StoreError,
};
use jiff::Timestamp;

use super::{DynamoBatches, id_of, item_of, primary_key};
use crate::aws::describe;
use crate::tables::audit::{self, AuditLine, Trail};
use crate::tables::batch::Batch as BatchRead;
use crate::tables::confirmations;
use crate::tables::item::{self, Fields, Item};
use crate::tables::places;
use crate::tables::transaction::{IntoWrite as _, TRIES, built, transact, wait};

/// Index of a client's batches by the time of their acceptance.
const BY_CLIENT: &str = "client";
const REMOVING: &str = "deleting a batch";
const REDACTING: &str = "removing a consumer from a batch";

/// One page of the index.
struct Listed {
    entries: Vec<Item>,
    next: Option<Item>,
}

#[async_trait]
impl BatchRecords for DynamoBatches {
    async fn ended(
        &self,
        client: &ClientId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<EndedBatch>, StoreError> {
        const OPERATION: &str = "listing ended batches";
        let start = from.map(|cursor| places::read(OPERATION, cursor)).transpose()?;
        // A batch ends after its acceptance, so the index by acceptance has all of them.
        let listed = self
            .of_client(OPERATION, client, Some(until), start, Some(limit))
            .await?;
        let mut entries = Vec::new();
        for entry in listed.entries {
            match self.ended_batch(OPERATION, client, entry, until).await {
                Ok(batch) => entries.extend(batch),
                // It must not hide the others.
                Err(error @ StoreError::Unreadable { .. }) => {
                    error!(error, client, "ended batch not readable");
                }
                Err(error) => return Err(error),
            }
        }
        entries.sort_by_key(|batch| batch.ended_at);
        Ok(Page {
            entries,
            next: listed
                .next
                .as_ref()
                .map(|key| places::written(OPERATION, key))
                .transpose()?,
        })
    }

    async fn remove(&self, batch: &EndedBatch) -> Result<bool, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.tables.batches)
            .set_key(Some(item::key(&primary_key(batch.id))))
            .condition_expression("attribute_not_exists(pk) OR (ended_at = :ended_at AND has_content = :no)")
            .expression_attribute_values(":ended_at", item::millis(batch.ended_at))
            .expression_attribute_values(":no", item::flag(false))
            .build();
        let mut writes = vec![built(REMOVING, delete)?.into_write()];
        if let Some(confirmation) = &batch.confirmation {
            writes.push(self.delete_confirmation(confirmation)?);
            if confirmation.is_undelivered() {
                let line = AuditLine {
                    at: self.clock.now(),
                    action: "purge undelivered".into(),
                    by: "purge".into(),
                    reference: "retention".into(),
                    program: None,
                    records: format!("undelivered confirmations: {}", confirmation.id),
                };
                let put = audit::put(
                    &self.tables.enrollments,
                    Trail::Client(&batch.client),
                    &line,
                    &*self.randomness,
                )?;
                writes.push(put.into_write());
            }
        }
        let transacted = transact(&self.dynamodb, &*self.randomness, REMOVING, writes).await?;
        Ok(!transacted.refuses_any())
    }

    async fn batches_of(
        &self,
        client: &ClientId,
        consumer: &ExternalConsumerId,
    ) -> Result<Vec<Batch>, StoreError> {
        const OPERATION: &str = "reading a client's batches";
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let listed = self.of_client(OPERATION, client, None, start, None).await?;
            let id = |entry: Item| id_of(&Fields::of(OPERATION, entry)?);
            let ids = listed
                .entries
                .into_iter()
                .map(id)
                .collect::<Result<Vec<_>, _>>()?;
            let key = |id: &BatchId| (self.tables.batches.as_str(), item::key(&primary_key(*id)));
            let keys: Vec<_> = ids.iter().map(key).collect();
            for (id, fields) in ids.iter().zip(self.batch_read(OPERATION).read_all(&keys).await?) {
                let Some(fields) = fields else { continue };
                let batch = item_of::read(&self.vault, *id, &fields).await?;
                if batch.names(consumer) {
                    found.push(batch);
                }
            }
            start = listed.next;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    async fn redact(&self, id: BatchId, consumer: &ExternalConsumerId) -> Result<bool, StoreError> {
        for attempt in 1..=TRIES {
            let Some(fields) = self.read(REDACTING, id).await? else {
                return Ok(false);
            };
            let batch = item_of::read(&self.vault, id, &fields).await?;
            if batch.result().is_none() || !batch.names(consumer) {
                // Its own write is done where the answer was lost and others wrote meanwhile.
                return Ok(attempt > 1);
            }
            if self
                .store_redacted(&batch.without(consumer), fields.text("ticket")?)
                .await?
            {
                return Ok(true);
            }
            tokio::time::sleep(wait(attempt, &*self.randomness)).await;
        }
        Err(StoreError::unavailable(
            REDACTING,
            "others change the batch all the time",
        ))
    }
}

impl DynamoBatches {
    /// Stores manifest and results of a redacted batch. False where it was written since `read_ticket` was read.
    async fn store_redacted(&self, batch: &Batch, read_ticket: &str) -> Result<bool, StoreError> {
        let Some(result) = batch.result() else {
            return Ok(false);
        };
        let (manifest, results) = item_of::resealed(&self.vault, REDACTING, batch, result).await?;
        let ticket = self.ticket();
        let stored = self
            .change(batch.id, &ticket)
            .set("manifest = :manifest, results = :results")
            // It may quote the consumer.
            .remove("last_fault")
            .when("ticket = :read_ticket")
            .value(":manifest", manifest)
            .value(":results", results)
            .value(":read_ticket", item::text(read_ticket))
            .send(&self.dynamodb, REDACTING, ReturnValue::None)
            .await?;
        Ok(stored.is_some() || self.written_under(REDACTING, batch.id, &ticket).await?.is_some())
    }

    /// A page of the batches of a client that were accepted by `until`, earliest first.
    async fn of_client(
        &self,
        operation: &'static str,
        client: &ClientId,
        until: Option<Timestamp>,
        start: Option<Item>,
        limit: Option<usize>,
    ) -> Result<Listed, StoreError> {
        let condition = match until {
            Some(_) => "#client = :client AND accepted_at <= :until",
            None => "#client = :client",
        };
        let until = until.map(|until| (":until".to_owned(), item::millis(until)));
        let values: HashMap<String, AttributeValue> = until
            .into_iter()
            .chain([(":client".to_owned(), item::text(client.as_str()))])
            .collect();
        let answer = self
            .dynamodb
            .query()
            .table_name(&self.tables.batches)
            .index_name(BY_CLIENT)
            .key_condition_expression(condition)
            .expression_attribute_names("#client", "client")
            .set_expression_attribute_values(Some(values))
            .set_limit(limit.and_then(|limit| i32::try_from(limit).ok()))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| StoreError::unavailable(operation, describe(&error)))?;
        Ok(Listed {
            entries: answer.items.unwrap_or_default(),
            next: answer.last_evaluated_key,
        })
    }

    /// A batch of the index that ended by `until`, with its confirmation, as both are stored; `None` where it did not, or is
    /// gone.
    async fn ended_batch(
        &self,
        operation: &'static str,
        client: &ClientId,
        entry: Item,
        until: Timestamp,
    ) -> Result<Option<EndedBatch>, StoreError> {
        let entry = Fields::of(operation, entry)?;
        let ended_at = entry.optional_time("ended_at")?.filter(|at| *at <= until);
        let Some(ended_at) = ended_at else {
            return Ok(None);
        };
        let id = id_of(&entry)?;
        let Some(fields) = self.read(operation, id).await? else {
            return Ok(None);
        };
        let confirmation = match fields.optional_parsed("confirmation", ConfirmationId::parse)? {
            Some(id) => {
                let key = item::key(&confirmations::primary_key(&id));
                let table = &self.tables.confirmations;
                let found = item::read(&self.dynamodb, table, operation, key).await?;
                found.as_ref().map(confirmations::recorded).transpose()?
            }
            None => None,
        };
        Ok(Some(EndedBatch {
            id,
            client: client.clone(),
            ended_at,
            confirmation,
        }))
    }

    /// Deletes a confirmation that is as it was read.
    fn delete_confirmation(
        &self,
        confirmation: &RecordedConfirmation,
    ) -> Result<aws_sdk_dynamodb::types::TransactWriteItem, StoreError> {
        let state = match confirmation.state {
            ConfirmationState::Due { .. } => confirmations::DUE,
            ConfirmationState::Parked => confirmations::PARKED,
            ConfirmationState::Delivered => confirmations::DELIVERED,
        };
        let delete = Delete::builder()
            .table_name(&self.tables.confirmations)
            .set_key(Some(item::key(&confirmations::primary_key(&confirmation.id))))
            .condition_expression("attribute_not_exists(pk) OR #state = :state")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":state", item::text(state))
            .build();
        Ok(built(REMOVING, delete)?.into_write())
    }

    fn batch_read(&self, operation: &'static str) -> BatchRead<'_> {
        BatchRead {
            dynamodb: &self.dynamodb,
            randomness: &*self.randomness,
            operation,
        }
    }
}
