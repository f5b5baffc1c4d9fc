//! Sweep of the batches: wakes stored work whose message was lost, found by its due time and never by scanning.
//!
//! Tests: `shared/enrollment/tests/flows/batch_sweep.rs` over the model of the stores.

use jiff::{SignedDuration, Timestamp};

use crate::batch::{BatchId, BatchWork};
use crate::clock::Clock;
use crate::identifiers::ClientId;
use crate::ports::{Batches, DigitalCards, StoreError, Wakeups, Work};

/// Limit of batches, and of deletions, of one sweep.
const MAX_WORK: usize = 1000;
/// Work that is woken by one call.
const WAKE_BATCH: usize = 100;

/// Ports of a sweep.
pub struct SweepBatches<'a> {
    /// Batches.
    pub batches: &'a dyn Batches,
    /// Life-cycle records.
    pub digital_cards: &'a dyn DigitalCards,
    /// Wake-ups.
    pub wakeups: &'a dyn Wakeups,
    /// Clock.
    pub clock: &'a dyn Clock,
}

/// Result of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchSweepReport {
    /// Batches and deletions for which a wake-up was sent.
    pub woken: usize,
    /// Batches without an end.
    pub unfinished: usize,
    /// Longest time for which a batch without an end has been due and no work was done, whether no process took it or each one
    /// failed.
    pub longest_overdue: SignedDuration,
    /// Age of the oldest batch without an end.
    pub oldest_unfinished: SignedDuration,
    /// Age of the oldest request for a deletion that Mastercard has yet to agree to.
    pub oldest_deletion: SignedDuration,
}

impl SweepBatches<'_> {
    /// Wakes all work that is due.
    ///
    /// # Errors
    /// If the store or a queue fails. A failed wake-up does not prevent the others.
    pub async fn sweep(&self) -> Result<BatchSweepReport, StoreError> {
        let now = self.clock.now();
        let mut report = BatchSweepReport::default();
        let batches = self.batches.due(Timestamp::MAX, MAX_WORK).await?;
        let deletions = self.digital_cards.due_deletions(Timestamp::MAX, MAX_WORK).await?;
        let age = |since: Timestamp| now.duration_since(since).max(SignedDuration::ZERO);
        let open = batches.iter().filter(|due| due.work != BatchWork::DiscardContent);
        report.unfinished = open.clone().count();
        report.oldest_unfinished = open
            .clone()
            .map(|due| age(due.accepted_at))
            .max()
            .unwrap_or_default();
        report.longest_overdue = open.map(|due| age(due.due_since)).max().unwrap_or_default();
        let requests = deletions.iter().map(|due| age(due.requested_at));
        report.oldest_deletion = requests.max().unwrap_or_default();

        let of_work = |is_wanted: fn(BatchWork) -> bool| -> Vec<(BatchId, ClientId)> {
            batches
                .iter()
                .filter(|due| due.due_at <= now && is_wanted(due.work))
                .map(|due| (due.id, due.client.clone()))
                .collect()
        };
        let submissions = of_work(|work| work == BatchWork::Submit);
        let polls = of_work(|work| work != BatchWork::Submit);
        let deletions: Vec<_> = deletions
            .into_iter()
            .filter(|due| due.due_at <= now)
            .map(|due| (due.key, due.client))
            .collect();
        let work = submissions
            .chunks(WAKE_BATCH)
            .map(|due| (Work::BatchSubmissions(due), due.len()))
            .chain(
                polls
                    .chunks(WAKE_BATCH)
                    .map(|due| (Work::BatchPolls(due), due.len())),
            )
            .chain(
                deletions
                    .chunks(WAKE_BATCH)
                    .map(|due| (Work::Deletions(due), due.len())),
            );
        let mut failed = None;
        for (work, count) in work {
            match self.wakeups.wake(work, SignedDuration::ZERO).await {
                Ok(()) => report.woken += count,
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(report), Err)
    }
}
