//! Operator's access to customers' records.

use async_trait::async_trait;
use jiff::Timestamp;

use super::listing::{Cursor, Page};
use super::record::CustomerKey;
use super::store_error::StoreError;
use crate::identifiers::{ClientId, CustomerId, IntentId, Last4, ProgramId};
use crate::intent::{Card, Customer};

/// Entry in the list of all records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A customer, of this program.
    Customer(ProgramId, CustomerKey),
    /// A failed intent.
    Failed(IntentId),
}

/// Operator's access to customers' records.
#[async_trait]
pub trait CustomerRecords: Send + Sync {
    /// Computes the key of a customer, whether or not the customer is stored.
    async fn key(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<CustomerKey, StoreError>;
    /// Lists all customers and failed intents of a client, a page at a time. Scans the whole table.
    async fn entries(&self, client: &ClientId, from: Option<&Cursor>) -> Result<Page<Entry>, StoreError>;
    /// Reads a customer by key.
    async fn by_key(&self, client: &ClientId, key: &CustomerKey) -> Result<Customer, StoreError>;
    /// Marks an active card as cancelled at `at`, where MRS no longer lists it. Returns false where it is not active.
    async fn mark_cancelled(
        &self,
        customer: (&ClientId, &ProgramId, &CustomerKey),
        card: &Card,
        retention_days: u16,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Sets the last four digits of a card to those that MRS lists.
    async fn set_last4(&self, key: &CustomerKey, card: IntentId, last4: Last4) -> Result<(), StoreError>;
}
