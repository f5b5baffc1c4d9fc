#![doc = include_str!("../README.md")]

mod handler;

use aws_lambda_events::sqs::SqsEvent;
use enrollment::flows::deliver::Delivery;
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let function = platform::start(env!("CARGO_CRATE_NAME"))?;
    let adapters = &function.adapters;
    let (clients, confirmations) = (adapters.clients(), adapters.confirmations());
    let private_hosts = function.settings.dangerous_private_confirmation_hosts.clone();
    let receivers = adapters.receivers(private_hosts)?;
    let wakeups = adapters.wakeups();
    let (clock, randomness, metrics) = (adapters.clock(), adapters.randomness(), adapters.metrics());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let delivery = Delivery {
            confirmations: &confirmations,
            receivers: &receivers,
            clients: &clients,
            wakeups: &wakeups,
            clock: &*clock,
            randomness: &*randomness,
        };
        Ok::<_, Error>(handler::handle(&delivery, &metrics, event.payload).await)
    }))
    .await
}
