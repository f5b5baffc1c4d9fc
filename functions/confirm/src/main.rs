#![doc = include_str!("../README.md")]

mod handler;

use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use enrollment::flows::deliver::Delivery;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let platform = platform::start(env!("CARGO_CRATE_NAME"))?;
    let (clients, confirmations) = (platform.clients(), platform.confirmations());
    let receivers = platform.receivers(&Arc::new(platform.secrets()))?;
    let wakeups = platform.wakeups();
    let (clock, randomness, metrics) = (platform.clock(), platform.randomness(), platform.metrics());
    let answer = Arc::new(async move |event: SqsEvent| {
        let delivery = Delivery {
            confirmations: &confirmations,
            receivers: &receivers,
            clients: &clients,
            wakeups: &wakeups,
            clock: &*clock,
            randomness: &*randomness,
        };
        handler::handle(&delivery, &metrics, event).await
    });
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        let answer = Arc::clone(&answer);
        async move { Ok::<_, Error>(answer(event.payload).await) }
    }))
    .await
}
