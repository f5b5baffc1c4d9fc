//! Wires the function; what it serves is the library's.

use std::sync::Arc;

use enrollment::identifiers::IncidentId;
use enrollment::log::{self, Instrument as _};
use lambda_http::{Error, Request, service_fn};
use widget_page::base_path::BasePath;
use widget_page::csp_report::PolicyReports;
use widget_page::handler::Serving;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let platform = platform::start(env!("CARGO_CRATE_NAME"))?;
    let (clients, pictures) = (platform.clients(), platform.pictures());
    let randomness = platform.randomness();
    let public_base = platform.public_base();
    let reports = PolicyReports::new(platform.metrics());
    let clock = platform.clock();
    let answer = Arc::new(async move |request: Request| {
        let span = log::request(&IncidentId::random(&*randomness));
        let public_base_url = public_base.of(&request)?;
        let serving = Serving {
            clients: &clients,
            pictures: &pictures,
            base: &BasePath::of(&public_base_url)?,
            public_base_url: &public_base_url,
            reports: &reports,
            clock: &*clock,
        };
        Ok::<_, Error>(serving.handle(&request).instrument(span).await)
    });
    lambda_http::run(service_fn(|request| {
        let answer = Arc::clone(&answer);
        async move { answer(request).await }
    }))
    .await
}
