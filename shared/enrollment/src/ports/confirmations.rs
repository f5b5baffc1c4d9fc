//! Confirmations to send, and the state of their receivers.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store_error::StoreError;
use crate::confirmation::{Confirmation, ConfirmationId};
use crate::delivery::{Destination, LEASE, Parked};
use crate::identifiers::ClientId;
use crate::time::later;

/// Confirmation that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueConfirmation {
    /// Id of the confirmation.
    pub id: ConfirmationId,
    /// Client that receives it.
    pub client: ClientId,
    /// Time since which it is due.
    pub since: Timestamp,
}

/// Right of one run to send a confirmation, for a limited time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Confirmation to send.
    pub confirmation: Confirmation,
    /// Random id of the claim. It tells repeated writes of this claim from writes of another.
    pub ticket: String,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Time at which the outcome was stored, or at which an operator replayed the confirmation.
    pub waiting_since: Timestamp,
    /// Time at which the claim expires.
    pub until: Timestamp,
}

impl Claim {
    /// Time at which it was claimed.
    pub fn claimed_at(&self) -> Timestamp {
        later(self.until, -LEASE)
    }
}

/// Result of a write that counts only while its claim lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimWrite {
    /// It is stored.
    Stored,
    /// Nothing was changed: the claim was over, or an operator replayed or dropped the confirmation meanwhile.
    ClaimLost,
}

/// Confirmations to send, and the state of their receivers.
///
/// Writes of a claim (`delivered`, `retry`, `wait`, `park`) take effect only while the claim lasts. A late one changes
/// nothing and returns [`ClaimWrite::ClaimLost`].
#[async_trait]
pub trait Confirmations: Send + Sync {
    /// Those that are due at `now`, at most `limit`, shared out among the clients: each client's oldest first, then each
    /// client's second, and so on, so that a backlog of one client hides nobody else's.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<DueConfirmation>, StoreError>;
    /// Takes a confirmation that is due at `now`, until `until`, and counts the attempt, once even where the store is asked
    /// twice because an answer was lost. `None` where it is not due, or not there.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] of one that can't be read, which is parked then. Where the store, or the key that opens
    /// it, can't be had at the moment it is given back without an attempt.
    async fn claim(
        &self,
        id: &ConfirmationId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Claim>, StoreError>;
    /// It was delivered: address and body are forgotten.
    async fn delivered(&self, claim: &Claim, at: Timestamp) -> Result<ClaimWrite, StoreError>;
    /// The attempt failed; the next is due at `due`. `failure` is one word, such as `timeout` or `http_502`.
    async fn retry(&self, claim: &Claim, due: Timestamp, failure: &str) -> Result<ClaimWrite, StoreError>;
    /// No attempt was made, and none counts; it is due at `due`.
    async fn wait(&self, claim: &Claim, due: Timestamp) -> Result<ClaimWrite, StoreError>;
    /// It is not tried any more by itself. Without a `failure` no attempt was made, and none counts.
    async fn park(
        &self,
        claim: &Claim,
        reason: Parked,
        failure: Option<&str>,
        at: Timestamp,
    ) -> Result<ClaimWrite, StoreError>;
    /// Reads the state of a client's receiver, by [`Confirmation::destination`].
    async fn destination(&self, client: &ClientId, destination: &str) -> Result<Destination, StoreError>;
    /// Stores a new state of a receiver over that of `state.version`. False where that is not the state any more.
    async fn update_destination(
        &self,
        client: &ClientId,
        destination: &str,
        state: &Destination,
    ) -> Result<bool, StoreError>;
}
