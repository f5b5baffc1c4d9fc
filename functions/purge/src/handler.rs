//! Run of the purge.

use enrollment::flows::batch::purge::PurgeBatches;
use enrollment::flows::purge::Purge;
use enrollment::log::info;
use enrollment::ports::StoreError;
use platform::metrics::Metrics;

/// Purges expired records of customers and of batches at the same time, and reports the results. A failure of one does not
/// prevent the other.
pub(crate) async fn handle(
    purge: &Purge<'_>,
    purge_batches: &PurgeBatches<'_>,
    metrics: &Metrics,
) -> Result<(), StoreError> {
    let (customers, batches) = tokio::join!(purge.run(), purge_batches.run());
    if let Ok(report) = &customers {
        metrics.purge(report);
        info!(
            customers = report.customers,
            cards = report.cards,
            deferred = report.deferred,
            is_cut_short = report.is_cut_short,
            "purge finished"
        );
    }
    let report = batches?;
    metrics.batch_purge(&report);
    info!(
        batches = report.batches,
        cards = report.cards,
        deferred = report.deferred,
        is_cut_short = report.is_cut_short,
        "purge of batches finished"
    );
    customers.map(drop)
}
