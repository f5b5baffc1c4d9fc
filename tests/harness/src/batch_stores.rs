//! The stores of batches, and where a test gets them.

use std::sync::Arc;

use async_trait::async_trait;
use enrollment::client::Client;
use enrollment::ports::{
    BatchContents, BatchRecords, Batches, ClientIndex, Clients, Confirmations, DigitalCards, Pacing,
    UsedTokens,
};

use crate::clock::TestClock;
use crate::model::Model;
use crate::stores::{InMemory, Inspection};

/// The stores of one issuer, each behind its port.
pub struct BatchStores {
    /// Set-ups.
    pub clients: Arc<dyn Clients>,
    /// All clients.
    pub client_index: Arc<dyn ClientIndex>,
    /// Batches.
    pub batches: Arc<dyn Batches>,
    /// Rows of batches, for purge and erasure.
    pub batch_records: Arc<dyn BatchRecords>,
    /// JWEs.
    pub contents: Arc<dyn BatchContents>,
    /// Life-cycle records.
    pub digital_cards: Arc<dyn DigitalCards>,
    /// Tokens that were used.
    pub used_tokens: Arc<dyn UsedTokens>,
    /// Agreed rate of calls.
    pub pacing: Arc<dyn Pacing>,
    /// Confirmations to send.
    pub confirmations: Arc<dyn Confirmations>,
    /// Stored facts that no port shows.
    pub inspection: Arc<dyn Inspection>,
}

/// Makes stores: the model, or tables of a test's own in an engine.
#[async_trait]
pub trait BatchBackend: Send + Sync {
    /// Empty stores in which one client is set up, with an agreed rate of calls a second.
    async fn batch_stores(&self, client: &Client, clock: &Arc<TestClock>, rate: u32) -> BatchStores;
}

#[async_trait]
impl BatchBackend for InMemory {
    async fn batch_stores(&self, client: &Client, clock: &Arc<TestClock>, rate: u32) -> BatchStores {
        let model = Model::new(clock.clone());
        model.set_up(client.clone());
        model.set_rate(rate);
        BatchStores::of_model(Arc::new(model))
    }
}

impl BatchStores {
    /// All ports over one model.
    pub fn of_model(model: Arc<Model>) -> Self {
        Self {
            clients: model.clone(),
            client_index: model.clone(),
            batches: model.clone(),
            batch_records: model.clone(),
            contents: model.clone(),
            digital_cards: model.clone(),
            used_tokens: model.clone(),
            pacing: model.clone(),
            confirmations: model.clone(),
            inspection: model,
        }
    }
}
