#![doc = include_str!("../README.md")]

mod handler;

use std::sync::Arc;

use enrollment::flows::settle::Settlement;
use enrollment::flows::sweep::Sweep;
use lambda_runtime::{Error, LambdaEvent, service_fn};

use handler::Trigger;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let function = platform::start(env!("CARGO_CRATE_NAME"))?;
    let adapters = &function.adapters;
    let (clients, enrollments) = (adapters.clients(), adapters.enrollments());
    let (confirmations, wakeups) = (adapters.confirmations(), adapters.wakeups());
    let rewards = adapters.rewards().noting(adapters.enrollments());
    let (clock, metrics) = (adapters.clock(), adapters.metrics());
    let answer = Arc::new(async move |trigger: Trigger, context: lambda_runtime::Context| {
        let rewards = rewards.until(platform::ends_at(context.deadline));
        let sweep = Sweep {
            settlement: Settlement {
                enrollments: &enrollments,
                rewards: &rewards,
                clients: &clients,
                wakeups: &wakeups,
                clock: &*clock,
            },
            confirmations: &confirmations,
        };
        handler::handle(&sweep, &rewards, &metrics, trigger).await
    });
    lambda_runtime::run(service_fn(|event: LambdaEvent<Trigger>| {
        let answer = Arc::clone(&answer);
        async move { answer(event.payload, event.context).await.map_err(Error::from) }
    }))
    .await
}
