//! Wiring of the function; the library has the logic.

use enrollment::identifiers::IncidentId;
use enrollment::log::{self, Instrument as _};
use lambda_http::{Error, Request, service_fn};
use widget_page::csp_report::PolicyReports;
use widget_page::handler::PageServer;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let function = platform::start(env!("CARGO_CRATE_NAME"))?;
    let adapters = &function.adapters;
    let (clients, pictures) = (adapters.clients(), adapters.pictures());
    let randomness = adapters.randomness();
    let public_base = function.public_base();
    let reports = PolicyReports::new(adapters.metrics());
    let clock = adapters.clock();
    lambda_http::run(service_fn(async |request: Request| {
        let span = log::request(&IncidentId::random(&*randomness));
        let public_base_url = public_base.of(&request)?;
        let server = PageServer {
            clients: &clients,
            pictures: &pictures,
            public_base_url: &public_base_url,
            reports: &reports,
            clock: &*clock,
        };
        Ok::<_, Error>(server.handle(&request).instrument(span).await)
    }))
    .await
}
