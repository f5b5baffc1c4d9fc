//! One run.

use enrollment::flows::purge::Purging;
use enrollment::log::info;
use enrollment::ports::StoreError;
use platform::metrics::Metrics;

/// Purges for as long as a run lasts, and tells what it did.
pub(crate) async fn handle(purging: &Purging<'_>, metrics: &Metrics) -> Result<(), StoreError> {
    let purged = purging.run().await?;
    metrics.purge(&purged);
    info!(
        customers = purged.customers,
        cards = purged.cards,
        held_back = purged.held_back,
        is_cut_short = purged.is_cut_short,
        "purged"
    );
    Ok(())
}
