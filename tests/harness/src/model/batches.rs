//! Batches, their JWEs, and their rows for purge and erasure.

use async_trait::async_trait;
use enrollment::batch::{
    Batch, BatchId, BatchStage, BatchWork, CONTENT_KEPT, EncryptedEnrollmentData, ExternalConsumerId,
};
use enrollment::identifiers::ClientId;
use enrollment::ports::{
    Acceptance, BatchContents, BatchRecords, Batches, ContentName, Cursor, CustomerKey, DueBatch, EndedBatch,
    LeaseEnd, Page, StoreError,
};
use enrollment::time::later;
use jiff::Timestamp;

use super::{Model, State, unavailable};

/// A batch as it is stored.
pub(super) struct StoredBatch {
    batch: Batch,
    /// `None` once nothing is left to do.
    due_at: Option<Timestamp>,
    due_since: Timestamp,
    lease_until: Option<Timestamp>,
}

impl State {
    /// The batch under a lease that still is the caller's.
    fn leased(&mut self, id: BatchId, lease: Timestamp) -> Option<&mut StoredBatch> {
        let stored = self.batches.get_mut(&id)?;
        (stored.lease_until == Some(lease)).then_some(stored)
    }

    fn finish_batch(&mut self, batch: &Batch, lease: Timestamp) -> bool {
        let is_repeated = |stored: &StoredBatch| stored.batch.stage == batch.stage;
        if self.batches.get(&batch.id).is_some_and(is_repeated) {
            return true;
        }
        let Some(result) = batch.result() else {
            return false;
        };
        let Some(stored) = self.leased(batch.id, lease) else {
            return false;
        };
        stored.batch.stage = batch.stage.clone();
        stored.lease_until = None;
        stored.due_since = later(result.at, CONTENT_KEPT);
        stored.due_at = Some(stored.due_since);
        if let Some(confirmation) = batch.confirmation() {
            let owner = CustomerKey(format!("batch#{}", batch.id));
            self.store_confirmation(&confirmation, &owner, None, result.at);
        }
        true
    }

    fn ended(&self, batch: &Batch) -> Option<EndedBatch> {
        let result = batch.result()?;
        let confirmation = batch.confirmation();
        let confirmation = confirmation.and_then(|confirmation| self.confirmations.get(&confirmation.id));
        Some(EndedBatch {
            id: batch.id,
            client: batch.client.clone(),
            ended_at: result.at,
            confirmation: confirmation.map(super::StoredConfirmation::recorded),
        })
    }
}

fn content_key(name: ContentName<'_>) -> String {
    format!("{}/{}/{}", name.client, name.batch, name.body_hash.to_hex())
}

#[async_trait]
impl Batches for Model {
    async fn accept(&self, batch: &Batch) -> Result<Acceptance, StoreError> {
        let mut state = self.state();
        if let Some(stored) = state.batches.get(&batch.id) {
            return Ok(Acceptance::Existing(Box::new(stored.batch.clone())));
        }
        let stored = StoredBatch {
            batch: batch.clone(),
            due_at: Some(batch.accepted_at),
            due_since: batch.accepted_at,
            lease_until: None,
        };
        state.batches.insert(batch.id, stored);
        Ok(Acceptance::Created)
    }

    async fn batch(&self, id: BatchId) -> Result<Option<Batch>, StoreError> {
        let state = self.state();
        Ok(state.batches.get(&id).map(|stored| stored.batch.clone()))
    }

    async fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<DueBatch>, StoreError> {
        let state = self.state();
        let due = state.batches.values().filter_map(|stored| {
            let due_at = stored.due_at.filter(|at| *at <= until)?;
            Some(DueBatch {
                id: stored.batch.id,
                client: stored.batch.client.clone(),
                work: stored.batch.work()?,
                accepted_at: stored.batch.accepted_at,
                due_at,
                due_since: stored.due_since,
            })
        });
        let mut due: Vec<DueBatch> = due.collect();
        due.sort_by_key(|due| (due.due_at, due.id));
        due.truncate(limit);
        Ok(due)
    }

    async fn acquire(
        &self,
        id: BatchId,
        work: BatchWork,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Batch>, StoreError> {
        let mut state = self.state();
        let Some(stored) = state.batches.get_mut(&id) else {
            return Ok(None);
        };
        let is_due = stored.due_at.is_some_and(|at| at <= now);
        if !is_due || stored.batch.work() != Some(work) {
            return Ok(None);
        }
        stored.due_at = Some(until);
        stored.lease_until = Some(until);
        Ok(Some(stored.batch.clone()))
    }

    async fn update(&self, batch: &Batch, lease: Timestamp, end: LeaseEnd) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Some(stored) = state.leased(batch.id, lease) else {
            return Ok(false);
        };
        if batch.result().is_some() {
            return Err(unavailable("storing a batch's stage", "the batch is final"));
        }
        stored.batch.stage = batch.stage.clone();
        if let LeaseEnd::Released(at) = end {
            stored.due_at = Some(at);
            stored.due_since = at;
            stored.lease_until = None;
        }
        Ok(true)
    }

    async fn finish(&self, batch: &Batch, lease: Timestamp) -> Result<bool, StoreError> {
        Ok(self.state().finish_batch(batch, lease))
    }

    async fn content_discarded(&self, id: BatchId) -> Result<(), StoreError> {
        if let Some(stored) = self.state().batches.get_mut(&id)
            && let BatchStage::Final(result) = &mut stored.batch.stage
        {
            result.has_content = false;
            stored.due_at = None;
            stored.lease_until = None;
        }
        Ok(())
    }

    async fn postpone(&self, id: BatchId, at: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        let due_at = state
            .batches
            .get_mut(&id)
            .and_then(|stored| stored.due_at.as_mut());
        if let Some(due_at) = due_at {
            *due_at = at;
        }
        Ok(())
    }
}

#[async_trait]
impl BatchRecords for Model {
    async fn ended(
        &self,
        client: &ClientId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<EndedBatch>, StoreError> {
        let state = self.state();
        let ended = state
            .batches
            .values()
            .filter_map(|stored| state.ended(&stored.batch));
        let ended = ended.filter(|ended| ended.client == *client && ended.ended_at <= until);
        let mut ended: Vec<EndedBatch> = ended.collect();
        ended.sort_by_key(|ended| (ended.ended_at, ended.id));
        let key = |ended: &EndedBatch| (ended.ended_at, ended.id.to_hex());
        Ok(super::page(ended, key, from, limit))
    }

    async fn remove(&self, batch: &EndedBatch) -> Result<bool, StoreError> {
        let mut state = self.state();
        let stored = state.batches.get(&batch.id);
        if stored.and_then(|stored| state.ended(&stored.batch)).as_ref() != Some(batch) {
            return Ok(false);
        }
        let result = stored.and_then(|stored| stored.batch.result());
        if result.is_some_and(|result| result.has_content) {
            return Ok(false);
        }
        state.batches.remove(&batch.id);
        if let Some(confirmation) = &batch.confirmation {
            state.confirmations.remove(&confirmation.id);
            if confirmation.is_undelivered() {
                state.undelivered.push(confirmation.id.clone());
            }
        }
        Ok(true)
    }

    async fn batches_of(
        &self,
        client: &ClientId,
        consumer: &ExternalConsumerId,
    ) -> Result<Vec<Batch>, StoreError> {
        let state = self.state();
        let batches = state.batches.values().map(|stored| &stored.batch);
        let named = batches.filter(|batch| batch.client == *client && batch.names(consumer));
        Ok(named.cloned().collect())
    }

    async fn redact(&self, id: BatchId, consumer: &ExternalConsumerId) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Some(stored) = state.batches.get_mut(&id) else {
            return Ok(false);
        };
        if stored.batch.result().is_none() || !stored.batch.names(consumer) {
            return Ok(false);
        }
        stored.batch = stored.batch.without(consumer);
        Ok(true)
    }
}

#[async_trait]
impl BatchContents for Model {
    async fn put(&self, name: ContentName<'_>, data: &EncryptedEnrollmentData) -> Result<(), StoreError> {
        self.state().contents.insert(content_key(name), data.clone());
        Ok(())
    }

    async fn get(&self, name: ContentName<'_>) -> Result<Option<EncryptedEnrollmentData>, StoreError> {
        Ok(self.state().contents.get(&content_key(name)).cloned())
    }

    async fn delete(&self, name: ContentName<'_>) -> Result<(), StoreError> {
        self.state().contents.remove(&content_key(name));
        Ok(())
    }
}

impl Model {
    /// Number of stored JWEs.
    pub fn content_count(&self) -> usize {
        self.state().contents.len()
    }
}
