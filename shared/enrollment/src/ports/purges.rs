//! Deletion of records whose retention has ended.

use async_trait::async_trait;
use jiff::Timestamp;

use super::listing::{Cursor, Page};
use super::record::{CustomerKey, Record};
use super::store_error::StoreError;
use crate::identifiers::{ClientId, IntentId, ProgramId};

/// Part of a [`Record`] to delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// All of it, as its retention has ended. It must contain no confirmation that defers the purge.
    Everything,
    /// All of it, at the request of the person, whatever is still to be sent.
    Erasure,
    /// These cards with their intents and confirmations. The customer stays.
    Cards(Vec<IntentId>),
}

/// Records whose retention has ended.
#[async_trait]
pub trait Purges: Send + Sync {
    /// Customers with a card of the program that was cancelled by `until`, those of the oldest first within a page. One with
    /// several such cards may be named several times. At most about `limit`.
    async fn expired(
        &self,
        client: &ClientId,
        program: &ProgramId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<CustomerKey>, StoreError>;
    /// All that is stored of a customer; `None` where there is nothing. Intents and confirmations are found by an index
    /// that lags, and by what the customer's cards and intents themselves name.
    async fn record(&self, client: &ClientId, key: &CustomerKey) -> Result<Option<Record>, StoreError>;
    /// Deletes for good. False where the record is not as it was read any more: what was deleted by then was to go in any
    /// case, and what names the rest is still there. Except for an erasure, each confirmation that goes undelivered is named
    /// in the client's audit trail.
    async fn remove(&self, record: &Record, removal: &Removal) -> Result<bool, StoreError>;
    /// Brings the times to live of the program's cancelled cards in line with `retention`. It goes on where it stopped,
    /// and ends at the latest at `until`. True where all of them are in line.
    async fn refresh_ttls(
        &self,
        client: &ClientId,
        program: &ProgramId,
        retention_days: u16,
        until: Timestamp,
    ) -> Result<bool, StoreError>;
}
