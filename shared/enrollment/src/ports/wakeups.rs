//! Wake-ups of functions that resume stored work.

use async_trait::async_trait;
use jiff::SignedDuration;

use super::store_error::StoreError;
use crate::batch::BatchId;
use crate::confirmation::ConfirmationId;
use crate::digital_card::DigitalCardKey;
use crate::identifiers::{ClientId, IntentId};

/// Stored work to resume. Intents, confirmations, submissions and polls each have a queue and a function of their own.
#[derive(Debug, Clone, Copy)]
pub enum Work<'a> {
    /// An intent to settle or to clean up after.
    Intent(IntentId),
    /// Confirmations to send, each with its client.
    Confirmations(&'a [(ConfirmationId, ClientId)]),
    /// Batches to send to Mastercard, each with its client.
    BatchSubmissions(&'a [(BatchId, ClientId)]),
    /// Batches to ask Mastercard about, or whose JWE is to be deleted, each with its client.
    BatchPolls(&'a [(BatchId, ClientId)]),
    /// Cards to delete at Mastercard, each with its client. The queue is that of the polls.
    Deletions(&'a [(DigitalCardKey, ClientId)]),
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
