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
use crate::clock::Clock;
use crate::identifiers::ClientId;
use crate::log::warn;
use crate::ports::{Batches, StoreError, Wakeups, Work};
use crate::randomness::Randomness;
use crate::time::later;

pub use record::RecordResults;

/// Shortest pause of all calls where Mastercard throttles.
const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// Longest pause of all calls where Mastercard throttles.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);
/// Time by which an unreadable batch is postponed.
const UNREADABLE_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// Wakes work that the sweep finds too, where the wake-up fails.
async fn wake(wakeups: &dyn Wakeups, work: Work<'_>, after: SignedDuration) {
    if let Err(error) = wakeups.wake(work, after).await {
        warn!(error, "wake-up failed, the sweep resumes the work");
    }
}

fn named(batch: &Batch) -> [(BatchId, ClientId); 1] {
    [(batch.id, batch.client.clone())]
}

/// Pause of all calls where Mastercard throttles: what it asks for, within limits. A longer wait is that of the batch alone.
pub(super) fn shared_pause(retry_after: Option<SignedDuration>) -> SignedDuration {
    retry_after
        .unwrap_or(SHORTEST_PAUSE)
        .clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

/// Postpones a batch that can't be read, so that the sweep does not wake it every minute.
async fn postpone_unreadable<T: Sync>(
    batches: &dyn Batches,
    clock: &dyn Clock,
    id: BatchId,
    result: &Result<T, StoreError>,
) {
    let Err(StoreError::Unreadable { .. }) = result else {
        return;
    };
    let again = later(clock.now(), UNREADABLE_WAIT);
    if let Err(error) = batches.postpone(id, again).await {
        warn!(error, batch = id, "unreadable batch not postponed");
    }
}

/// A random duration below `longest`.
pub(super) fn jitter(randomness: &dyn Randomness, longest: SignedDuration) -> SignedDuration {
    let mut bytes = [0; 4];
    randomness.fill(&mut bytes);
    let share = f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0);
    SignedDuration::try_from_secs_f64(longest.as_secs_f64() * share).unwrap_or_default()
}
