//! One run.

use enrollment::flows::purge::Purge;
use enrollment::log::info;
use enrollment::ports::StoreError;
use platform::metrics::Metrics;

/// Purges for as long as a run lasts, and tells what it did.
pub(crate) async fn handle(purge: &Purge<'_>, metrics: &Metrics) -> Result<(), StoreError> {
    let purged = purge.run().await?;
    metrics.purge(&purged);
    info!(
        customers = purged.customers,
        cards = purged.cards,
        deferred = purged.deferred,
        is_cut_short = purged.is_cut_short,
        "purged"
    );
    Ok(())
}
