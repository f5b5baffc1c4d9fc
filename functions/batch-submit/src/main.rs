#![doc = include_str!("../README.md")]

mod handler;

use aws_lambda_events::sqs::SqsEvent;
use enrollment::flows::batch::submit::SubmitBatch;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let function = platform::start(env!("CARGO_CRATE_NAME"))?;
    let adapters = &function.adapters;
    let (batches, contents) = (adapters.batches(), adapters.batch_contents());
    let issuer_enrollment = adapters
        .issuer_enrollment(adapters.issuer_connection())
        .keeping_faults(adapters.batches());
    let (pacing, wakeups) = (adapters.pacing(), adapters.wakeups());
    let (clock, randomness, metrics) = (adapters.clock(), adapters.randomness(), adapters.metrics());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let issuer_enrollment = issuer_enrollment.until(platform::ends_at(event.context.deadline));
        let submission = SubmitBatch {
            batches: &batches,
            contents: &contents,
            issuer_enrollment: &issuer_enrollment,
            pacing: &pacing,
            wakeups: &wakeups,
            clock: &*clock,
            randomness: &*randomness,
        };
        Ok::<_, Error>(handler::handle(&submission, &issuer_enrollment, &metrics, event.payload).await)
    }))
    .await
}
