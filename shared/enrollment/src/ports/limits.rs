//! Counters against card testing.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store_error::StoreError;
use crate::identifiers::{ClientId, CustomerId, IntentId, ProgramId};
use crate::limits::{Attempts, Counters};

/// Customer and client for whom attempts are counted.
#[derive(Debug, Clone, Copy)]
pub struct CounterKey<'a> {
    /// The client.
    pub client: &'a ClientId,
    /// The program.
    pub program: &'a ProgramId,
    /// The customer.
    pub customer: &'a CustomerId,
}

/// Counters against card testing, over sessions (`docs/contract.md#card-testing-limits`). The window slides: no sixty
/// minutes have more attempts than a limit allows, wherever they begin ([`crate::limits`]).
#[async_trait]
pub trait Limits: Send + Sync {
    /// The counters as they are stored, in one call of the store.
    async fn counters(&self, counted: CounterKey<'_>) -> Result<Counters, StoreError>;
    /// Counts an attempt and gives the counts *without* it. An attempt that is counted again within a minute, because an
    /// answer was lost on the way, counts once. `known` are the counters as they were read a moment ago: one call of the
    /// store for each, and more only where they have changed since in what decides how to count.
    async fn count(
        &self,
        counted: CounterKey<'_>,
        known: &Counters,
        attempt: IntentId,
        now: Timestamp,
    ) -> Result<Attempts, StoreError>;
}
