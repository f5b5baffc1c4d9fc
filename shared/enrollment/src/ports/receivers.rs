//! Partners' receivers of confirmations.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::confirmation::Confirmation;
use crate::delivery::DeliveryResult;

/// Partners' receivers. Each call ends within [`crate::delivery::ATTEMPT_LIMIT`].
#[async_trait]
pub trait Receivers: Send + Sync {
    /// Signs a confirmation and posts it once.
    async fn post(&self, confirmation: &Confirmation, now: Timestamp) -> DeliveryResult;
}
