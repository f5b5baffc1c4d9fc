//! The API over HTTP: checks a caller, serves what is ordered, applies the rules, and writes the answer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::Value;

use super::IssuerEnrollment;
use super::answer::{FLOW_ID, Writer, in_chunks, unauthenticated};
use super::rules::{DeletionQuery, Refused, Submission};
use crate::faults::{self, Answer, Effect, Form, Operation, RetryAfter, Subject, plain};

/// The product passes on 512 KB at most; the rest of a request is short.
const MAX_BODY: usize = 1024 * 1024;

/// Path of the API below the listener, as of the real one.
const BASE: &str = "/src/api/digital/payments";

/// Paths of the API and of the key lists. The lists need neither a signature nor a certificate.
pub(crate) fn router(api: Arc<IssuerEnrollment>) -> Router {
    Router::new()
        .route(&format!("{BASE}/cards/batch"), post(submit))
        .route(&format!("{BASE}/cards/batch/{{batch_id}}"), get(status))
        .route(&format!("{BASE}/cards/{{card_id}}"), delete(delete_card))
        .route("/keys", get(keys))
        .route("/keys/mcs/fpanEncryption", get(keys))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(api)
}

async fn keys(State(api): State<Arc<IssuerEnrollment>>) -> Json<Value> {
    Json(api.key.list())
}

/// A call, as it came.
struct Call {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

async fn submit(
    State(api): State<Arc<IssuerEnrollment>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let submission = serde_json::from_slice::<Submission>(&body);
    let batch = submission
        .as_ref()
        .ok()
        .map(|submission| submission.external_batch_id.clone());
    let call = Call {
        method: Method::POST,
        uri,
        headers,
        body,
    };
    run(
        api,
        Operation::SubmitBatch,
        call,
        batch,
        move |api, writer| match submission {
            Ok(submission) => match api.submit(&submission) {
                Ok((batch_id, flow_id)) => {
                    writer.submitted(&batch_id, &submission.external_batch_id, &flow_id)
                }
                Err(refused) => writer.refused(&refused),
            },
            Err(_) => writer.refused(&plain(400, "INVALID_ARGUMENT").into()),
        },
    )
    .await
}

async fn status(
    State(api): State<Arc<IssuerEnrollment>>,
    uri: Uri,
    Path(batch_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let batch = api
        .batches()
        .get_mut(&batch_id)
        .map(|batch| batch.external_batch_id.clone());
    let flow = headers
        .get(FLOW_ID)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let call = Call {
        method: Method::GET,
        uri,
        headers,
        body,
    };
    run(api, Operation::BatchStatus, call, batch, move |api, writer| {
        let mut batches = api.batches();
        // A call without the flow of its batch may meet a site that does not have it yet: "site replication errors".
        let found = batches
            .get_mut(&batch_id)
            .filter(|batch| flow.as_deref() == Some(batch.flow_id.as_str()));
        match found {
            Some(batch) => {
                batch.polls += 1;
                writer.status(batch)
            }
            None => writer.refused(&plain(404, "NOT_FOUND").into()),
        }
    })
    .await
}

async fn delete_card(
    State(api): State<Arc<IssuerEnrollment>>,
    uri: Uri,
    Path(card_id): Path<String>,
    query: Result<Query<DeletionQuery>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let batch = api.batches().external_card_id(&card_id).map(str::to_owned);
    let call = Call {
        method: Method::DELETE,
        uri,
        headers,
        body,
    };
    run(api, Operation::DeleteCard, call, batch, move |api, writer| {
        let deleted = match query {
            Ok(Query(query)) => api.delete(&card_id, &query),
            Err(_) => Err(Refused::from(plain(400, "INVALID_ARGUMENT"))),
        };
        match deleted {
            Ok(()) => writer.deleted(),
            Err(refused) => writer.refused(&refused),
        }
    })
    .await
}

/// Checks the caller and the rate, then works, disturbed by the fault that is due. `batch` is the batch that the call is
/// about, for a deletion the issuer's id of the card.
async fn run(
    api: Arc<IssuerEnrollment>,
    operation: Operation,
    call: Call,
    batch: Option<String>,
    work: impl FnOnce(&IssuerEnrollment, Writer) -> Answer + Send + 'static,
) -> Response {
    let now = api.clock.seconds();
    let Call {
        method,
        uri,
        headers,
        body,
    } = call;
    if let Err(refused) = api.verifier.check(&method, &uri, &headers, &body, now) {
        tracing::info!(?operation, reason = refused.reason, "a caller was refused");
        return unauthenticated(refused.reason, &refused.description).into_response();
    }
    if method == Method::POST && !is_json(&headers) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let settings = api.settings();
    let plain_writer = Writer { settings, form: None };
    let is_over = api.batches().is_over(now, settings.calls_per_second);
    if is_over {
        tracing::info!(?operation, "one call too many in this second");
        let wait = RetryAfter {
            seconds: 1,
            as_date: false,
        };
        return plain_writer.throttled(Some(wait), now).into_response();
    }
    let effect = due(&api, operation, batch.as_deref());
    if let Some(effect) = effect {
        tracing::info!(?operation, fault = ?effect.kind, form = ?effect.form, "a fault on demand");
    }
    let form = effect.and_then(|effect| effect.form);
    // A task of its own: what was begun is finished, whether or not the caller waits for it.
    let done = tokio::spawn(answer(api, effect, Writer { settings, form }, now, work));
    let response = done
        .await
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    if form == Some(Form::Chunked) {
        in_chunks(response)
    } else {
        response
    }
}

fn due(api: &IssuerEnrollment, operation: Operation, batch: Option<&str>) -> Option<Effect> {
    let subject = Subject {
        batch,
        ..Subject::NONE
    };
    api.faults.due(operation, &subject)
}

async fn answer(
    api: Arc<IssuerEnrollment>,
    effect: Option<Effect>,
    writer: Writer,
    now: u64,
    work: impl FnOnce(&IssuerEnrollment, Writer) -> Answer + Send,
) -> Response {
    let work = async {
        let answer = work(&api, writer);
        tracing::info!(
            status = answer.status.as_u16(),
            "the issuer enrollment API did its work"
        );
        answer
    };
    let refuse = |refusal| match refusal {
        faults::Refusal::Throttled(wait) => writer.throttled(wait, now),
        faults::Refusal::Service(error, wait) => writer.ordered(error, wait, now),
        faults::Refusal::Gateway(reason) => unauthenticated(reason, "The gateway refuses the call."),
        faults::Refusal::Code(_) => writer.refused(&plain(500, "UNEXPECTED_ERROR").into()),
    };
    faults::disturb(effect, work, refuse).await
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    content_type
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
