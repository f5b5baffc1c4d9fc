#![doc = include_str!("../README.md")]

mod handler;

use enrollment::flows::batch::purge::PurgeBatches;
use enrollment::flows::purge::Purge;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let function = platform::start(env!("CARGO_CRATE_NAME"))?;
    let adapters = &function.adapters;
    let (clients, enrollments) = (adapters.clients(), adapters.enrollments());
    let (batches, digital_cards) = (adapters.batches(), adapters.digital_cards());
    let (clock, metrics) = (adapters.clock(), adapters.metrics());
    // The event of the schedule is not used.
    lambda_runtime::run(service_fn(async |_: LambdaEvent<IgnoredAny>| {
        let purge = Purge {
            client_index: &clients,
            clients: &clients,
            purges: &enrollments,
            clock: &*clock,
        };
        let purge_batches = PurgeBatches {
            client_index: &clients,
            clients: &clients,
            batch_records: &batches,
            digital_cards: &digital_cards,
            clock: &*clock,
        };
        handler::handle(&purge, &purge_batches, &metrics)
            .await
            .map_err(Error::from)
    }))
    .await
}
