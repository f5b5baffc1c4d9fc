//! Wake-ups of functions that resume stored work.

use async_trait::async_trait;
use jiff::SignedDuration;

use super::store_error::StoreError;
use crate::confirmation::ConfirmationId;
use crate::identifiers::{ClientId, IntentId};

/// Wakes what goes on with work that is stored. A call may be lost, come late or twice: what is stored decides, and the
/// sweep finds what nobody was woken for.
#[async_trait]
pub trait Wakeups: Send + Sync {
    /// Has an intent looked after.
    async fn settle(&self, intent: IntentId, after: SignedDuration) -> Result<(), StoreError>;
    /// Has confirmations sent.
    async fn confirm(
        &self,
        confirmations: &[(ConfirmationId, ClientId)],
        after: SignedDuration,
    ) -> Result<(), StoreError>;
}
