//! Rate of calls that Mastercard has agreed to.

use async_trait::async_trait;
use jiff::Timestamp;

use super::store_error::StoreError;

/// Permission for one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// The call may be made now. It counts, whether or not it is made.
    Granted,
    /// No call may be made before this time. Nothing was counted or reserved.
    NotBefore(Timestamp),
}

/// Token bucket of the environment, shared by all processes: calls to Mastercard never exceed the agreed rate.
#[async_trait]
pub trait Pacing: Send + Sync {
    /// Takes a token at `now`.
    async fn take(&self, now: Timestamp) -> Result<Permit, StoreError>;
    /// Gives no token before `until`: Mastercard throttles. An earlier time than a stored one changes nothing.
    async fn pause(&self, until: Timestamp) -> Result<(), StoreError>;
}
