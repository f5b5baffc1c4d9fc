#![doc = include_str!("../README.md")]

mod answer;
mod error;
mod handler;
mod response;

use std::sync::Arc;

use enrollment::action::ActionCode;
use enrollment::flows::describe::Describe;
use enrollment::flows::extend::ExtendSession;
use enrollment::flows::submit::Submit;
use enrollment::identifiers::IncidentId;
use enrollment::log::{self, Instrument as _};
use lambda_http::{Error, Request, RequestExt as _, service_fn};

use handler::Flows;

/// Runs the function `name`, for sessions that were opened for `action`, until Lambda ends it.
///
/// # Errors
/// If the settings are not complete, or Lambda can't be reached.
pub async fn run(action: ActionCode, name: &'static str) -> Result<(), Error> {
    let function = platform::start(name)?;
    let adapters = &function.adapters;
    let (clients, sessions) = (Arc::new(adapters.clients()), adapters.sessions());
    let (records, limits) = (adapters.submission_records(&clients), adapters.limits());
    let (clock, randomness) = (adapters.clock(), adapters.randomness());
    let enrollments = adapters.enrollments();
    let rewards = adapters
        .rewards(adapters.mastercard())
        .keeping_faults(adapters.enrollments());
    let keys = adapters.card_keys();
    let (wakeups, metrics) = (adapters.wakeups(), adapters.metrics());
    lambda_http::run(service_fn(async |request: Request| {
        let deadline = request
            .lambda_context_ref()
            .map_or(u64::MAX, |context| context.deadline);
        let rewards = rewards.until(platform::ends_at(deadline));
        let describe = Describe {
            action,
            clients: &*clients,
            sessions: &sessions,
            intents: &enrollments,
            customers: &enrollments,
            wakeups: &wakeups,
            keys: &keys,
            clock: &*clock,
        };
        let submit = Submit {
            action,
            clients: &*clients,
            sessions: &sessions,
            records: &records,
            limits: &limits,
            intents: &enrollments,
            leases: &enrollments,
            customers: &enrollments,
            rewards: &rewards,
            wakeups: &wakeups,
            clock: &*clock,
            randomness: &*randomness,
        };
        let extend = ExtendSession {
            action,
            clients: &*clients,
            sessions: &sessions,
            clock: &*clock,
        };
        let incident = IncidentId::random(&*randomness);
        let span = log::request(&incident);
        let flows = Flows {
            describe,
            submit,
            extend,
        };
        let answer = handler::handle(&flows, &metrics, &incident, &request);
        Ok::<_, Error>(answer.instrument(span).await)
    }))
    .await
}
