#![doc = include_str!("../README.md")]

mod handler;

use enrollment::flows::open::OpenSession;
use enrollment::identifiers::IncidentId;
use enrollment::log::{self, Instrument as _};
use enrollment::status::Status;
use enrollment::token::TokenRules;
use lambda_http::{Error, Request, service_fn};

use crate::handler::WidgetAddress;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let function = platform::start(env!("CARGO_CRATE_NAME"))?;
    let adapters = &function.adapters;
    let (clients, sessions, limits) = (adapters.clients(), adapters.sessions(), adapters.limits());
    let (clock, randomness, metrics) = (adapters.clock(), adapters.randomness(), adapters.metrics());
    let max_lifetime = function.settings.token_max_lifetime;
    let public_base = function.public_base();
    lambda_http::run(service_fn(async |request: Request| {
        let address = WidgetAddress {
            public_base_url: public_base.of(&request)?,
        };
        let open_session = OpenSession {
            clients: &clients,
            sessions: &sessions,
            limits: &limits,
            clock: &*clock,
            randomness: &*randomness,
            token_rules: TokenRules {
                max_lifetime,
                audience: address.public_base_url.as_str(),
            },
        };
        let incident = IncidentId::random(&*randomness);
        let span = log::request(&incident);
        let (response, refused) = handler::handle(&open_session, &address, &incident, &request)
            .instrument(span)
            .await;
        metrics.widget_opening(refused.map(|(status, _)| status));
        if let Some((Status::AccessDenied, reason)) = refused {
            metrics.refusal(reason);
        }
        Ok::<_, Error>(response)
    }))
    .await
}
