#![doc = include_str!("../README.md")]

mod handler;
mod refusal;

use enrollment::flows::batch::accept::AcceptBatch;
use enrollment::flows::batch::read::ReadBatch;
use enrollment::flows::call::Authentication;
use enrollment::flows::digital_cards::delete::DeleteDigitalCards;
use enrollment::flows::digital_cards::read::ReadDigitalCard;
use enrollment::identifiers::IncidentId;
use enrollment::log::{self, Instrument as _};
use enrollment::token::TokenRules;
use lambda_http::{Error, Request, service_fn};

use handler::Flows;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let function = platform::start(env!("CARGO_CRATE_NAME"))?;
    let adapters = &function.adapters;
    let (clients, sessions, wakeups) = (adapters.clients(), adapters.sessions(), adapters.wakeups());
    let (batches, contents) = (adapters.batches(), adapters.batch_contents());
    let digital_cards = adapters.digital_cards();
    let (clock, randomness, metrics) = (adapters.clock(), adapters.randomness(), adapters.metrics());
    let max_lifetime = function.settings.token_max_lifetime;
    let issuer = &function.settings.stack.issuer;
    let public_base = function.public_base();
    lambda_http::run(service_fn(async |request: Request| {
        let base = public_base.of(&request)?;
        let authentication = Authentication {
            clients: &clients,
            clock: &*clock,
            rules: TokenRules {
                max_lifetime,
                audience: base.as_str(),
            },
            serves_issuers: issuer.base_url.is_some(),
        };
        let flows = Flows {
            accept: AcceptBatch {
                authentication,
                batches: &batches,
                contents: &contents,
                wakeups: &wakeups,
                key_ids: &issuer.key_ids,
            },
            read: ReadBatch {
                authentication,
                batches: &batches,
            },
            read_card: ReadDigitalCard {
                authentication,
                digital_cards: &digital_cards,
            },
            delete_cards: DeleteDigitalCards {
                authentication,
                digital_cards: &digital_cards,
                used_tokens: &sessions,
                wakeups: &wakeups,
            },
        };
        let incident = IncidentId::random(&*randomness);
        let span = log::request(&incident);
        let answer = handler::handle(&flows, &metrics, incident, &request);
        Ok::<_, Error>(answer.instrument(span).await)
    }))
    .await
}
