#![doc = include_str!("../README.md")]

mod handler;

use std::sync::Arc;

use enrollment::flows::purge::Purge;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let function = platform::start(env!("CARGO_CRATE_NAME"))?;
    let adapters = &function.adapters;
    let (clients, enrollments) = (adapters.clients(), adapters.enrollments());
    let (clock, metrics) = (adapters.clock(), adapters.metrics());
    let answer = Arc::new(async move || {
        let purge = Purge {
            register: &clients,
            clients: &clients,
            purges: &enrollments,
            clock: &*clock,
        };
        handler::handle(&purge, &metrics).await
    });
    // Nothing in the schedule's event is needed.
    lambda_runtime::run(service_fn(|_: LambdaEvent<IgnoredAny>| {
        let answer = Arc::clone(&answer);
        async move { answer().await.map_err(Error::from) }
    }))
    .await
}
