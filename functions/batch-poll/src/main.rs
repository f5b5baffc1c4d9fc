#![doc = include_str!("../README.md")]

mod handler;

use enrollment::flows::batch::poll::PollBatch;
use enrollment::flows::batch::sweep::SweepBatches;
use enrollment::flows::digital_cards::settle::SettleDeletion;
use lambda_runtime::{Error, LambdaEvent, service_fn};

use handler::{Flows, Trigger};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let function = platform::start(env!("CARGO_CRATE_NAME"))?;
    let adapters = &function.adapters;
    let (batches, contents) = (adapters.batches(), adapters.batch_contents());
    let digital_cards = adapters.digital_cards();
    let connection = adapters.issuer_connection();
    let issuer_enrollment = adapters
        .issuer_enrollment(connection.clone())
        .keeping_faults(adapters.batches());
    let (pacing, wakeups) = (adapters.pacing(), adapters.wakeups());
    let (clock, randomness, metrics) = (adapters.clock(), adapters.randomness(), adapters.metrics());
    let serves_issuers = function.settings.stack.issuer.base_url.is_some();
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Trigger>| {
        let issuer_enrollment = issuer_enrollment.until(platform::ends_at(event.context.deadline));
        let flows = Flows {
            poll: PollBatch {
                batches: &batches,
                contents: &contents,
                digital_cards: &digital_cards,
                issuer_enrollment: &issuer_enrollment,
                pacing: &pacing,
                wakeups: &wakeups,
                clock: &*clock,
                randomness: &*randomness,
            },
            deletion: SettleDeletion {
                digital_cards: &digital_cards,
                issuer_enrollment: &issuer_enrollment,
                pacing: &pacing,
                clock: &*clock,
                randomness: &*randomness,
            },
            sweep: SweepBatches {
                batches: &batches,
                digital_cards: &digital_cards,
                wakeups: &wakeups,
                clock: &*clock,
            },
            issuer_enrollment: &issuer_enrollment,
            connection: serves_issuers.then_some(&connection),
        };
        let answer = handler::handle(&flows, &metrics, event.payload).await;
        answer.map_err(Error::from)
    }))
    .await
}
