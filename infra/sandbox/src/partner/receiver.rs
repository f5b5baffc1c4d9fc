//! The partner's receiver of confirmations: checks their signature and keeps them.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::response::Response;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::json;
use standardwebhooks::{HEADER_WEBHOOK_ID, Webhook, WebhookError};

use super::confirmation_log::{AttemptLog, Confirmation, ConfirmationLog};
use super::demo::DemoFolder;
use super::mask::mask;
use crate::clock::Clock;
use crate::faults::{self, Answer, Effect, FaultQueue, Operation, Subject};

const MAX_BODY: usize = 16 * 1024;

/// State of the receiver.
pub(crate) struct Receiver {
    pub(crate) received: Arc<ConfirmationLog>,
    pub(crate) attempted: AttemptLog,
    pub(crate) demo: DemoFolder,
    pub(crate) faults: Arc<FaultQueue>,
    pub(crate) clock: Clock,
}

/// `POST /confirmations`, with anything behind it.
pub(crate) fn router(receiver: Arc<Receiver>) -> Router {
    Router::new()
        .route("/confirmations", post(receive))
        .route("/confirmations/{*rest}", post(receive))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(receiver)
}

/// Answer that a `confirmationUrl` requests by its query, instead of 200; the confirmation is accepted all the same.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wish {
    answer: Option<u16>,
    /// Seconds, or an HTTP date.
    retry_after: Option<String>,
}

async fn receive(
    State(receiver): State<Arc<Receiver>>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let effect = receiver.effect(&headers);
    let work = async { wish.answer_for(receiver.take(&headers, &body)) };
    let mut answer = faults::disturb(effect, work, |_| {
        plain(StatusCode::INTERNAL_SERVER_ERROR, "refused\n")
    })
    .await;
    if let Some(wait) = wish.retry_after.as_deref().and_then(|wait| wait.parse().ok()) {
        answer.headers_mut().insert(http::header::RETRY_AFTER, wait);
    }
    answer
}

impl Wish {
    fn answer_for(&self, honest: Answer) -> Answer {
        let wished = self.answer.and_then(|status| StatusCode::from_u16(status).ok());
        match wished {
            Some(status) if honest.status == StatusCode::OK => plain(status, "as the address wishes\n"),
            _ => honest,
        }
    }
}

impl Receiver {
    /// The fault that is due for this attempt.
    fn effect(&self, headers: &HeaderMap) -> Option<Effect> {
        let subject = Subject {
            is_first: id_of(headers).is_none_or(|id| self.attempted.is_first(id)),
            ..Subject::NONE
        };
        self.faults.due(Operation::Confirmation, &subject)
    }

    fn take(&self, headers: &HeaderMap, body: &[u8]) -> Answer {
        let checked = self.check(headers, body);
        let verified = checked.is_ok();
        let now = self.clock.rfc3339();
        let id = id_of(headers);
        let answer = match &checked {
            Ok(()) => {
                tracing::info!(id, "a confirmation was received");
                plain(StatusCode::OK, "received\n")
            }
            Err(reason) => {
                tracing::warn!(id, reason, "a confirmation was refused");
                plain(StatusCode::UNAUTHORIZED, "the signature is not good\n")
            }
        };
        let body = serde_json::from_slice(body).unwrap_or_else(|_| json!(String::from_utf8_lossy(body)));
        self.received.keep(Confirmation {
            id,
            received_at: now.clone(),
            last_received_at: now,
            verified,
            reason: checked.err(),
            attempts: 1,
            body: mask(body),
        });
        answer
    }

    /// The official library checks, so that sender and referee don't share a mistake. Its tolerance is 5 minutes.
    fn check(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
        let demo = self.demo.read().map_err(|error| error.to_string())?;
        let secret = demo
            .confirmation_secret
            .ok_or("demo.json has no confirmationSecret")?;
        // Standard Webhooks 1.0: a secret starts with whsec_; the library would take one without.
        if !secret.starts_with("whsec_") {
            return Err("confirmationSecret does not start with whsec_".to_owned());
        }
        let webhook = Webhook::new(&secret).map_err(|_| "confirmationSecret is not base64")?;
        webhook
            .verify(body, headers)
            .map_err(|error: WebhookError| error.to_string())
    }
}

fn id_of(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(HEADER_WEBHOOK_ID)?.to_str().ok()?;
    Some(id.chars().take(256).collect())
}

fn plain(status: StatusCode, body: &str) -> Answer {
    Answer::text(status, "text/plain; charset=utf-8", body.to_owned())
}
