use async_trait::async_trait;
use enrollment::identifiers::{ClientId, CustomerId, IntentId, ProgramId, Ranac};
use enrollment::intent::{CardCount, Customer, Intent};
use enrollment::ports::{
    Begun, Customers, DueIntents, Finished, Intents, Leases, StoreError, Turn, Unsettled,
};
use jiff::Timestamp;

use super::{Model, customer_key};

#[async_trait]
impl Intents for Model {
    async fn intent(&self, id: IntentId) -> Result<Option<Intent>, StoreError> {
        Ok(self.state().intent(id, self.now()))
    }

    async fn begin(&self, intent: &Intent, count: CardCount, failures: u32) -> Result<Begun, StoreError> {
        Ok(self.state().begin(intent, count, failures))
    }

    async fn finish(&self, intent: &Intent) -> Result<Finished, StoreError> {
        self.state().finish(intent)
    }

    async fn leftover_gone(&self, intent: &Intent, at: Timestamp) -> Result<(), StoreError> {
        self.state().end_cleanup(intent, at);
        Ok(())
    }
}

#[async_trait]
impl Leases for Model {
    async fn take(
        &self,
        id: IntentId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Intent>, StoreError> {
        Ok(self.state().acquire(id, now, until))
    }

    async fn release(&self, id: IntentId, until: Timestamp, turn: Turn) -> Result<bool, StoreError> {
        Ok(self.state().release(id, until, turn))
    }

    async fn note_present(&self, intent: &Intent, ranacs: &[Ranac]) -> Result<(), StoreError> {
        self.state().note_present(intent.id, ranacs)
    }
}

#[async_trait]
impl DueIntents for Model {
    async fn unsettled(&self, until: Timestamp, limit: usize) -> Result<Vec<Unsettled>, StoreError> {
        Ok(self.state().due_intents(until, limit))
    }

    async fn look_again(&self, id: IntentId, at: Timestamp) -> Result<(), StoreError> {
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
