//! The partner's receiver of confirmations: checks their signature and keeps them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::response::Response;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use standardwebhooks::{HEADER_WEBHOOK_ID, Webhook, WebhookError};

use super::demo::DemoFolder;
use super::mask::mask;
use crate::clock::Clock;
use crate::faults::{self, Answer, Effect, FaultBook, Operation, Subject};

const MAX_KEPT: usize = 50_000;
const MAX_BODY: usize = 16 * 1024;

/// The confirmations that came, oldest first.
#[derive(Default)]
pub(crate) struct Received(Mutex<Kept>);

/// The `webhook-id`s that came before, whatever was answered.
#[derive(Default)]
pub(crate) struct Attempted(Mutex<HashSet<String>>);

impl Attempted {
    /// Notes an attempt; whether it is the first of its id.
    fn is_first(&self, id: String) -> bool {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.len() == MAX_KEPT {
            ids.clear();
        }
        ids.insert(id)
    }
}

#[derive(Default)]
struct Kept {
    entries: VecDeque<Confirmation>,
    /// The number of the first entry in `entries`: places shift when old ones go.
    first: usize,
    /// Verified ones by `webhook-id`.
    by_id: HashMap<String, usize>,
}

/// One confirmation, however often it came.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Confirmation {
    pub(crate) id: Option<String>,
    pub(crate) received_at: String,
    pub(crate) last_received_at: String,
    pub(crate) verified: bool,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// How often this id came with a good signature.
    pub(crate) attempts: u32,
    pub(crate) body: Value,
}

/// What the receiver needs.
pub(crate) struct Receiver {
    pub(crate) received: Arc<Received>,
    pub(crate) attempted: Attempted,
    pub(crate) demo: DemoFolder,
    pub(crate) faults: Arc<FaultBook>,
    pub(crate) clock: Clock,
}

impl Received {
    /// The last `count`, oldest first.
    pub(crate) fn last(&self, count: usize) -> Vec<Confirmation> {
        let kept = self.kept();
        kept.entries
            .iter()
            .skip(kept.entries.len().saturating_sub(count))
            .cloned()
            .collect()
    }

    pub(crate) fn clear(&self) {
        *self.kept() = Kept::default();
    }

    fn keep(&self, confirmation: Confirmation) {
        let mut kept = self.kept();
        let kept = &mut *kept;
        let id = confirmation.id.clone().filter(|_| confirmation.verified);
        if let Some(place) = id.as_ref().and_then(|id| kept.by_id.get(id)) {
            if let Some(earlier) = kept.entries.get_mut(place - kept.first) {
                earlier.attempts += 1;
                earlier.last_received_at = confirmation.received_at;
                earlier.body = confirmation.body;
            }
            return;
        }
        if let Some(id) = id {
            kept.by_id.insert(id, kept.first + kept.entries.len());
        }
        kept.entries.push_back(confirmation);
        if kept.entries.len() > MAX_KEPT {
            if let Some(gone) = kept
                .entries
                .pop_front()
                .filter(|gone| gone.verified)
                .and_then(|gone| gone.id)
            {
                kept.by_id.remove(&gone);
            }
            kept.first += 1;
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `POST /confirmations`, with anything behind it.
pub(crate) fn router(receiver: Arc<Receiver>) -> Router {
    Router::new()
        .route("/confirmations", post(receive))
        .route("/confirmations/{*rest}", post(receive))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(receiver)
}

/// What a `confirmationUrl` may ask of the receiver: it takes the confirmation, and answers something else than 200.
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
    let mut answer = faults::disturb(effect, work, |code| {
        plain(StatusCode::INTERNAL_SERVER_ERROR, &code.to_string())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn confirmation(id: &str, verified: bool, body: Value) -> Confirmation {
        let at = "2026-11-01T00:00:00Z".to_owned();
        Confirmation {
            id: Some(id.to_owned()),
            received_at: at.clone(),
            last_received_at: at,
            verified,
            reason: None,
            attempts: 1,
            body,
        }
    }

    #[test]
    fn the_same_id_is_one_confirmation_that_came_twice() {
        let received = Received::default();
        received.keep(confirmation("a", true, json!(1)));
        received.keep(confirmation("b", true, json!(2)));
        received.keep(confirmation("a", true, json!(1)));
        received.keep(confirmation("a", false, json!("forged")));
        let attempts: Vec<u32> = received.last(10).iter().map(|c| c.attempts).collect();
        assert_eq!(attempts, [2, 1, 1]);
        assert_eq!(received.last(1)[0].body, json!("forged"));
    }

    #[test]
    fn an_id_comes_for_the_first_time_once() {
        let attempted = Attempted::default();
        let first = |id: &str| attempted.is_first(id.to_owned());
        assert_eq!([first("a"), first("b"), first("a")], [true, true, false]);
    }

    #[test]
    fn only_so_many_are_kept() {
        let received = Received::default();
        for n in 0..MAX_KEPT + 5 {
            received.keep(confirmation(&n.to_string(), true, json!(n)));
        }
        let all = received.last(usize::MAX);
        assert_eq!(all.len(), MAX_KEPT);
        assert_eq!(all[0].body, json!(5));
        received.keep(confirmation("7", true, json!(7)));
        assert_eq!(received.last(usize::MAX)[2].attempts, 2);
    }
}
