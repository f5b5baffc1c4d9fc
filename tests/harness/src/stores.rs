//! The stores behind the ports, and where a test gets them.

use std::sync::Arc;

use async_trait::async_trait;
use enrollment::client::Client;
use enrollment::ports::{
    ClientIndex, Clients, Confirmations, CustomerRecords, Customers, DueIntents, Intents, Leases, Limits,
    Purges, Sessions, SubmissionRecords,
};
use serde_json::Value;

use crate::clock::TestClock;
use crate::model::Model;

/// The stores of one client, each behind its port.
pub struct Stores {
    /// Set-ups.
    pub clients: Arc<dyn Clients>,
    /// Sessions and used tokens.
    pub sessions: Arc<dyn Sessions>,
    /// Batched reads of a submission.
    pub records: Arc<dyn SubmissionRecords>,
    /// Counters of attempts.
    pub limits: Arc<dyn Limits>,
    /// Intents.
    pub intents: Arc<dyn Intents>,
    /// Leases on intents.
    pub leases: Arc<dyn Leases>,
    /// Intents that have work left.
    pub due_intents: Arc<dyn DueIntents>,
    /// Customers' cards.
    pub customers: Arc<dyn Customers>,
    /// Confirmations to send.
    pub confirmations: Arc<dyn Confirmations>,
    /// All clients.
    pub client_index: Arc<dyn ClientIndex>,
    /// Records past their retention.
    pub purges: Arc<dyn Purges>,
    /// Operator's work on customer records.
    pub customer_records: Arc<dyn CustomerRecords>,
    /// Stored facts that no port shows.
    pub inspection: Arc<dyn Inspection>,
}

/// Reads what no port shows.
#[async_trait]
pub trait Inspection: Send + Sync {
    /// Bodies of all stored confirmations that have one.
    async fn confirmation_bodies(&self) -> Vec<Value>;
}

/// Makes stores: the model, or tables of a test's own in an engine.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Empty stores in which one client is set up.
    async fn stores(&self, client: &Client, clock: &Arc<TestClock>) -> Stores;
}

/// Stores in memory.
pub struct InMemory;

#[async_trait]
impl Backend for InMemory {
    async fn stores(&self, client: &Client, clock: &Arc<TestClock>) -> Stores {
        let model = Model::new(clock.clone());
        model.set_up(client.clone());
        Stores::of_model(Arc::new(model))
    }
}

impl Stores {
    /// All ports over one model.
    pub fn of_model(model: Arc<Model>) -> Self {
        Self {
            clients: model.clone(),
            sessions: model.clone(),
            records: model.clone(),
            limits: model.clone(),
            intents: model.clone(),
            leases: model.clone(),
            due_intents: model.clone(),
            customers: model.clone(),
            confirmations: model.clone(),
            client_index: model.clone(),
            purges: model.clone(),
            customer_records: model.clone(),
            inspection: model,
        }
    }
}

#[async_trait]
impl Inspection for Model {
    async fn confirmation_bodies(&self) -> Vec<Value> {
        self.bodies()
    }
}
