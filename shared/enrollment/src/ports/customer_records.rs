//! Operator's access to customers' records.

use async_trait::async_trait;
use jiff::Timestamp;

use super::listing::{Cursor, Page};
use super::record::CustomerKey;
use super::store_error::StoreError;
use crate::identifiers::{ClientId, CustomerId, IntentId, Last4, ProgramId};
use crate::intent::{Card, Customer};

/// What a ledger has an entry of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A customer, of this program.
    Customer(ProgramId, CustomerKey),
    /// An intent that came to nothing.
    Failed(IntentId),
}

/// What an operator does with records, beside the flows.
#[async_trait]
pub trait CustomerRecords: Send + Sync {
    /// Under what key a customer is stored, if at all.
    async fn key(
        &self,
        client: &ClientId,
        program: &ProgramId,
        customer: &CustomerId,
    ) -> Result<CustomerKey, StoreError>;
    /// All of a client's customers and failed intents, a part at a time. It goes through the whole table.
    async fn entries(&self, client: &ClientId, from: Option<&Cursor>) -> Result<Page<Entry>, StoreError>;
    /// A customer by key.
    async fn by_key(&self, client: &ClientId, key: &CustomerKey) -> Result<Customer, StoreError>;
    /// Notes that MRS holds an active card no longer: it is cancelled from `at` on. False where it is not active any more.
    async fn mark_cancelled(
        &self,
        customer: (&ClientId, &ProgramId, &CustomerKey),
        card: &Card,
        retention_days: u16,
        at: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Notes MRS's own last four digits of a card.
    async fn set_last4(&self, key: &CustomerKey, card: IntentId, last4: Last4) -> Result<(), StoreError>;
}
