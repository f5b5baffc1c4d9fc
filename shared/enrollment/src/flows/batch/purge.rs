//! Purge of batches and of deleted cards (`docs/contract.md#purge`): a batch is deleted `retention_days` after its end, a
//! card's record `retention_days` after its deletion. The issuer's current `retention_days` apply.
//!
//! Tests: `shared/enrollment/tests/flows/batch_purge.rs` over the model of the stores.

use jiff::Timestamp;

use crate::clock::Clock;
use crate::flows::purge::{RUN_LIMIT, expired_before};
use crate::identifiers::ClientId;
use crate::log::{error, info};
use crate::ports::{
    BatchRecords, ClientIndex, Clients, DigitalCards, EndedBatch, RecordedConfirmation, StoreError,
};
use crate::time::later;

/// Batches, or cards, of a client on one page of the list.
const LISTED_AT_ONCE: usize = 100;

/// Ports of a purge.
pub struct PurgeBatches<'a> {
    /// Ids of all clients.
    pub client_index: &'a dyn ClientIndex,
    /// Set-ups of the clients, for `retention_days`.
    pub clients: &'a dyn Clients,
    /// Rows of batches.
    pub batch_records: &'a dyn BatchRecords,
    /// Life-cycle records.
    pub digital_cards: &'a dyn DigitalCards,
    /// Clock.
    pub clock: &'a dyn Clock,
}

/// Result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchPurgeReport {
    /// Batches that were deleted.
    pub batches: usize,
    /// Records of cards that were deleted.
    pub cards: usize,
    /// Batches whose purge waits for a due confirmation, or for the deletion of their JWE.
    pub deferred: usize,
    /// Confirmations that were deleted undelivered. The audit trail names them.
    pub undelivered: usize,
    /// Whether the run ended before it had processed everything, or a part failed. The next run resumes it.
    pub is_cut_short: bool,
}

impl PurgeBatches<'_> {
    /// Deletes expired records, as long as there is time. Deleted records are not found again, so the next run resumes one
    /// that was interrupted.
    ///
    /// # Errors
    /// If the clients can't be listed. A client or a record that fails does not prevent the others.
    pub async fn run(&self) -> Result<BatchPurgeReport, StoreError> {
        let ends = later(self.clock.now(), RUN_LIMIT);
        let mut report = BatchPurgeReport::default();
        for client in self.client_index.clients().await? {
            if let Err(error) = self.client(&client, ends, &mut report).await {
                error!(error, client, "purge of batches failed");
                report.is_cut_short = true;
            }
        }
        Ok(report)
    }

    async fn client(
        &self,
        id: &ClientId,
        ends: Timestamp,
        report: &mut BatchPurgeReport,
    ) -> Result<(), StoreError> {
        let client = self.clients.by_id(id).await?;
        let Some(days) = client.and_then(|client| client.issuer_retention_days()) else {
            return Ok(());
        };
        let now = self.clock.now();
        let until = expired_before(now, days);
        let batches = self.batches(id, until, ends, report).await;
        let cards = self.cards(id, until, ends, report).await;
        batches.and(cards)
    }

    async fn batches(
        &self,
        client: &ClientId,
        until: Timestamp,
        ends: Timestamp,
        report: &mut BatchPurgeReport,
    ) -> Result<(), StoreError> {
        let mut from = None;
        loop {
            let listed = self
                .batch_records
                .ended(client, until, from.as_ref(), LISTED_AT_ONCE);
            let page = listed.await?;
            for batch in &page.entries {
                if self.clock.now() >= ends {
                    report.is_cut_short = true;
                    return Ok(());
                }
                if let Err(error) = self.batch(batch, report).await {
                    error!(error, client, batch = batch.id, "batch not purged");
                    report.is_cut_short = true;
                }
            }
            match page.next {
                Some(next) => from = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn batch(&self, batch: &EndedBatch, report: &mut BatchPurgeReport) -> Result<(), StoreError> {
        let now = self.clock.now();
        let confirmation = batch.confirmation.as_ref();
        let is_due = confirmation.is_some_and(|confirmation| confirmation.defers_purge(now));
        if is_due || !self.batch_records.remove(batch).await? {
            report.deferred += 1;
            return Ok(());
        }
        info!(client = batch.client, batch = batch.id, "batch purged");
        report.batches += 1;
        report.undelivered += usize::from(confirmation.is_some_and(RecordedConfirmation::is_undelivered));
        Ok(())
    }

    async fn cards(
        &self,
        client: &ClientId,
        until: Timestamp,
        ends: Timestamp,
        report: &mut BatchPurgeReport,
    ) -> Result<(), StoreError> {
        let mut from = None;
        loop {
            let listed = self
                .digital_cards
                .deleted(client, until, from.as_ref(), LISTED_AT_ONCE);
            let page = listed.await?;
            for key in &page.entries {
                if self.clock.now() >= ends {
                    report.is_cut_short = true;
                    return Ok(());
                }
                match self.digital_cards.remove(key, until).await {
                    Ok(is_removed) => report.cards += usize::from(is_removed),
                    Err(error) => {
                        error!(error, client, "record of a card not purged");
                        report.is_cut_short = true;
                    }
                }
            }
            match page.next {
                Some(next) => from = Some(next),
                None => return Ok(()),
            }
        }
    }
}
