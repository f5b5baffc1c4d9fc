//! Wake-ups of functions that resume stored work.

use async_trait::async_trait;
use jiff::SignedDuration;

use super::store_error::StoreError;
use crate::confirmation::ConfirmationId;
use crate::identifiers::{ClientId, IntentId};

/// Stored work to resume. Each kind has a queue and a function of its own.
#[derive(Debug, Clone, Copy)]
pub enum Work<'a> {
    /// An intent to settle or to clean up after.
    Intent(IntentId),
    /// Confirmations to send, each with its client.
    Confirmations(&'a [(ConfirmationId, ClientId)]),
}

/// Wake-ups of functions that resume stored work.
///
/// A wake-up may be lost, late or doubled: the stored state decides what is done, and the sweep finds work that no function
/// was woken for.
#[async_trait]
pub trait Wakeups: Send + Sync {
    /// Has the work resumed after a delay.
    async fn wake(&self, work: Work<'_>, after: SignedDuration) -> Result<(), StoreError>;
}
