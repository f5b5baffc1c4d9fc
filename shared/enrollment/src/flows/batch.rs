//! Batches: accepted, submitted, polled, read (`docs/contract.md#batch-enrollment`).

pub mod accept;
pub mod poll;
pub mod purge;
pub mod read;
mod record;
pub mod submit;
pub mod sweep;

use jiff::SignedDuration;

use crate::batch::{Batch, BatchId};
use crate::identifiers::ClientId;
use crate::log::warn;
use crate::ports::{Wakeups, Work};
use crate::randomness::Randomness;

pub use record::RecordResults;

/// Wakes work that the sweep finds too, where the wake-up fails.
async fn wake(wakeups: &dyn Wakeups, work: Work<'_>, after: SignedDuration) {
    if let Err(error) = wakeups.wake(work, after).await {
        warn!(error, "wake-up failed, the sweep resumes the work");
    }
}

fn named(batch: &Batch) -> [(BatchId, ClientId); 1] {
    [(batch.id, batch.client.clone())]
}

/// A random duration below `longest`.
pub(super) fn jitter(randomness: &dyn Randomness, longest: SignedDuration) -> SignedDuration {
    let mut bytes = [0; 4];
    randomness.fill(&mut bytes);
    let share = f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0);
    SignedDuration::try_from_secs_f64(longest.as_secs_f64() * share).unwrap_or_default()
}
