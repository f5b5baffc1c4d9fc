use async_trait::async_trait;
use enrollment::identifiers::{ClientId, CustomerId, IntentId, ProgramId, Ranac};
use enrollment::intent::{CardCount, Customer, Intent};
use enrollment::ports::{
    BeginError, Customers, DueIntent, DueIntents, Intents, Leases, Put, Reschedule, StoreError,
};
use jiff::Timestamp;

use super::{Model, customer_key};

#[async_trait]
impl Intents for Model {
    async fn intent(&self, id: IntentId) -> Result<Option<Intent>, StoreError> {
        Ok(self.state().intent(id, self.now()))
    }

    async fn begin(
        &self,
        intent: &Intent,
        count: CardCount,
        failures: u32,
    ) -> Result<Result<Put, BeginError>, StoreError> {
        Ok(self.state().begin(intent, count, failures))
    }

    async fn finish(&self, intent: &Intent) -> Result<Put, StoreError> {
        self.state().finish(intent)
    }

    async fn complete_cleanup(&self, intent: &Intent, at: Timestamp) -> Result<(), StoreError> {
        self.state().end_cleanup(intent, at);
        Ok(())
    }
}

#[async_trait]
impl Leases for Model {
    async fn acquire(
        &self,
        id: IntentId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Intent>, StoreError> {
        Ok(self.state().acquire(id, now, until))
    }

    async fn release(
        &self,
        id: IntentId,
        until: Timestamp,
        reschedule: Reschedule,
    ) -> Result<bool, StoreError> {
        Ok(self.state().release(id, until, reschedule))
    }

    async fn record_present(&self, intent: &Intent, ranacs: &[Ranac]) -> Result<(), StoreError> {
        self.state().record_present(intent.id, ranacs)
    }
}

#[async_trait]
impl DueIntents for Model {
    async fn due_intents(&self, until: Timestamp, limit: usize) -> Result<Vec<DueIntent>, StoreError> {
        Ok(self.state().due_intents(until, limit))
    }

    async fn reschedule(&self, id: IntentId, at: Timestamp) -> Result<(), StoreError> {
        self.state().reschedule(id, at);
        Ok(())
    }
}

#[async_trait]
impl Customers for Model {
    async fn card_count(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<CardCount, StoreError> {
        Ok(self.state().count(&customer_key(client, program, customer)))
    }

    async fn customer(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<Customer, StoreError> {
        let key = customer_key(client, program, customer);
        Ok(self.state().customer(&key, self.now()))
    }
}
