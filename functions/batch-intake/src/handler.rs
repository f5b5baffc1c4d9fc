//! Routes of issuers' back ends (`docs/contract.md#batch-enrollment`): a batch, its results, and the life-cycle of cards.

use enrollment::digital_card::DigitalCard;
use enrollment::flows::batch::accept::AcceptBatch;
use enrollment::flows::batch::read::ReadBatch;
use enrollment::flows::call::ApiCall;
use enrollment::flows::digital_cards::delete::DeleteDigitalCards;
use enrollment::flows::digital_cards::read::ReadDigitalCard;
use enrollment::identifiers::IncidentId;
use enrollment::token::CalledRequest;
use lambda_http::http::{HeaderMap, Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use platform::gateway::{self, response};
use platform::metrics::Metrics;

use crate::refusal::Refusal;

const BATCHES: &str = "/company/enroll_batch";
const CARDS: &str = "/company/enrolled_cards";
const CONSUMERS: &str = "/company/enrolled_consumers";

/// Flows of the function.
pub(crate) struct Flows<'a> {
    pub(crate) accept: AcceptBatch<'a>,
    pub(crate) read: ReadBatch<'a>,
    pub(crate) read_card: ReadDigitalCard<'a>,
    pub(crate) delete_cards: DeleteDigitalCards<'a>,
}

/// Route of a request, with the id of its path.
#[derive(Debug, PartialEq, Eq)]
enum Route<'a> {
    SendBatch,
    ReadBatch(&'a str),
    ReadCard(&'a str),
    DeleteCard(&'a str),
    DeleteConsumer(&'a str),
}

/// Answers a request, and counts it.
pub(crate) async fn handle(
    flows: &Flows<'_>,
    metrics: &Metrics,
    incident: IncidentId,
    request: &Request,
) -> Response<Body> {
    let path = gateway::route(request);
    let (operation, answer) = match Route::of(request.method(), &path) {
        Ok(route) => (
            route.operation(),
            flows.answer(&route, &path, &incident, request).await,
        ),
        Err(refusal) => ("none", Err(refusal)),
    };
    metrics.batch_call(operation, answer.as_ref().map_or_else(Refusal::class, |_| "ok"));
    answer.unwrap_or_else(|refusal| refusal.response(&incident))
}

impl Flows<'_> {
    async fn answer(
        &self,
        route: &Route<'_>,
        path: &str,
        incident: &IncidentId,
        request: &Request,
    ) -> Result<Response<Body>, Refusal> {
        let token = bearer(request.headers()).ok_or(Refusal::NoToken)?;
        let call = ApiCall {
            token: Some(token),
            request: CalledRequest {
                method: request.method().as_str(),
                path,
                body: request.body(),
            },
        };
        match route {
            Route::SendBatch => {
                let batch = self.accept.accept(call, incident.clone()).await?;
                Ok(shown(StatusCode::ACCEPTED, batch.acceptance_json()))
            }
            Route::ReadBatch(id) => {
                let batch = self.read.read(call, id).await?.ok_or(Refusal::NotFound)?;
                Ok(shown(StatusCode::OK, batch.to_json()))
            }
            Route::ReadCard(id) => {
                let card = self.read_card.read(call, id).await?.ok_or(Refusal::NotFound)?;
                Ok(shown(StatusCode::OK, card.to_json()))
            }
            Route::DeleteCard(id) => {
                let card = self.delete_cards.delete_card(call, id).await?;
                let card = card.ok_or(Refusal::NotFound)?;
                Ok(shown(StatusCode::ACCEPTED, card.to_json()))
            }
            Route::DeleteConsumer(id) => {
                let cards = self.delete_cards.delete_consumer(call, id).await?;
                if cards.is_empty() {
                    return Err(Refusal::NotFound);
                }
                Ok(shown(StatusCode::ACCEPTED, all_to_json(&cards)))
            }
        }
    }
}

impl<'a> Route<'a> {
    fn of(method: &Method, path: &'a str) -> Result<Self, Refusal> {
        if path == BATCHES {
            return allowed(method, "POST", || Self::SendBatch);
        }
        let id_below = |parent: &str| {
            let id = path.strip_prefix(parent)?.strip_prefix('/')?;
            (!id.is_empty() && !id.contains('/')).then_some(id)
        };
        if let Some(id) = id_below(BATCHES) {
            allowed(method, "GET", || Self::ReadBatch(id))
        } else if let Some(id) = id_below(CARDS) {
            match method.as_str() {
                "GET" => Ok(Self::ReadCard(id)),
                "DELETE" => Ok(Self::DeleteCard(id)),
                _ => Err(Refusal::Method("GET, DELETE")),
            }
        } else if let Some(id) = id_below(CONSUMERS) {
            allowed(method, "DELETE", || Self::DeleteConsumer(id))
        } else {
            Err(Refusal::NotFound)
        }
    }

    /// Word for the metric.
    fn operation(&self) -> &'static str {
        match self {
            Self::SendBatch => "send_batch",
            Self::ReadBatch(_) => "read_batch",
            Self::ReadCard(_) => "read_card",
            Self::DeleteCard(_) => "delete_card",
            Self::DeleteConsumer(_) => "delete_consumer",
        }
    }
}

fn allowed<'a>(
    method: &Method,
    only: &'static str,
    route: impl FnOnce() -> Route<'a>,
) -> Result<Route<'a>, Refusal> {
    if method.as_str() == only {
        Ok(route())
    } else {
        Err(Refusal::Method(only))
    }
}

/// Token of the one `Authorization` header, if its scheme is `Bearer` (RFC 6750 §2.1; a scheme has no case).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("Bearer")
        .then_some(token.trim())
        .filter(|token| !token.is_empty())
}

fn shown(status: StatusCode, json: String) -> Response<Body> {
    response::finish(response::base(status, response::JSON), json)
}

/// `{"cards": [...]}`, each card as it is shown by itself.
fn all_to_json(cards: &[DigitalCard]) -> String {
    let cards: Vec<String> = cards.iter().map(DigitalCard::to_json).collect();
    format!(r#"{{"cards":[{}]}}"#, cards.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn bearer_token_is_of_one_header() {
        for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c ", " Bearer a.b.c"] {
            assert_eq!(bearer(&headers(&[value])), Some("a.b.c"), "{value}");
        }
        for values in [
            &[][..],
            &["Bearer"],
            &["Bearer "],
            &["Basic YTpi"],
            &["a.b.c"],
            &["Bearer a.b.c", "Bearer d.e.f"],
        ] {
            assert_eq!(bearer(&headers(values)), None, "{values:?}");
        }
    }

    #[test]
    fn routes_have_one_id() {
        let route = |method: &str, path| Route::of(&method.parse().unwrap(), path);
        assert_eq!(route("POST", "/company/enroll_batch").unwrap(), Route::SendBatch);
        let read = route("GET", "/company/enroll_batch/0f").unwrap();
        assert_eq!(read, Route::ReadBatch("0f"));
        let card = "/company/enrolled_cards/c.1";
        assert_eq!(route("GET", card).unwrap(), Route::ReadCard("c.1"));
        assert_eq!(route("DELETE", card).unwrap(), Route::DeleteCard("c.1"));
        let consumer = "/company/enrolled_consumers/p-1";
        assert_eq!(route("DELETE", consumer).unwrap(), Route::DeleteConsumer("p-1"));
        for (method, path) in [
            ("GET", "/company/enroll_batch"),
            ("POST", "/company/enroll_batch/0f"),
            ("PUT", card),
            ("GET", consumer),
        ] {
            assert!(
                matches!(route(method, path), Err(Refusal::Method(_))),
                "{method} {path}"
            );
        }
        for path in [
            "/company/enrolled_cards",
            "/company/enrolled_cards/",
            "/company/enrolled_cards/a/b",
            "/x",
        ] {
            assert!(matches!(route("GET", path), Err(Refusal::NotFound)), "{path}");
        }
    }
}
