#![doc = include_str!("../README.md")]

mod handler;

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
    let mastercard = adapters.mastercard();
    let rewards = adapters
        .rewards(mastercard.clone())
        .keeping_faults(adapters.enrollments());
    let (clock, metrics) = (adapters.clock(), adapters.metrics());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Trigger>| {
        let rewards = rewards.until(platform::ends_at(event.context.deadline));
        let sweep = Sweep {
            settlement: Settlement {
                intents: &enrollments,
                leases: &enrollments,
                customers: &enrollments,
                rewards: &rewards,
                clients: &clients,
                wakeups: &wakeups,
                clock: &*clock,
            },
            due_intents: &enrollments,
            confirmations: &confirmations,
        };
        let answer = handler::handle(&sweep, &mastercard, &metrics, event.payload).await;
        answer.map_err(Error::from)
    }))
    .await
}
