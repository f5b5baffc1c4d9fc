#![doc = include_str!("../README.md")]

mod handler;

use std::sync::Arc;

use aws_lambda_events::sqs::SqsEvent;
use enrollment::flows::deliver::Delivery;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let function = platform::start(env!("CARGO_CRATE_NAME"))?;
    let adapters = &function.adapters;
    let (clients, confirmations) = (adapters.clients(), adapters.confirmations());
    let receivers = adapters.receivers(function.settings.dangerous_private_confirmation_hosts.clone())?;
    let wakeups = adapters.wakeups();
    let (clock, randomness, metrics) = (adapters.clock(), adapters.randomness(), adapters.metrics());
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
