//! Run of the purge.

use enrollment::flows::purge::Purge;
use enrollment::log::info;
use enrollment::ports::StoreError;
use platform::metrics::Metrics;

/// Purges expired records, and reports the result.
pub(crate) async fn handle(purge: &Purge<'_>, metrics: &Metrics) -> Result<(), StoreError> {
    let report = purge.run().await?;
    metrics.purge(&report);
    info!(
        customers = report.customers,
        cards = report.cards,
        deferred = report.deferred,
        is_cut_short = report.is_cut_short,
        "purge finished"
    );
    Ok(())
}
