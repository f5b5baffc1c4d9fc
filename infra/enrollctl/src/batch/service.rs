//! The service's interface for batches, as an issuer calls it (`docs/contract.md#batch-enrollment`).

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result};
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enrollment::clock::Clock;
use enrollment::randomness::Randomness;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use platform::{SystemClock, SystemRandomness};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

/// Lifetime of a token. One is signed for each request.
const TOKEN_SECONDS: i64 = 300;
/// Time for one request. A request that took longer is repeated.
const REQUEST_TIME: Duration = Duration::from_mins(1);
/// Largest answer that is read: 250 cards with the longest ids and reasons take 100 KB.
const MAX_ANSWER: usize = 1024 * 1024;
/// Longest wait that `Retry-After` may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(1);

/// The service, and what signs tokens for it.
pub(crate) struct Service {
    http: reqwest::Client,
    url: String,
    client: String,
    key: EncodingKey,
    key_id: Option<String>,
}

/// Answer to a batch that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Submitted {
    /// 202, and the batch's id.
    Accepted(String),
    Problem(Problem),
}

/// Answer to a question for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Polled {
    /// Not final yet.
    InProgress(Option<Duration>),
    /// Final, with its results.
    Final(Results),
    Problem(Problem),
}

/// Results of a batch as the service tells them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Results {
    pub(crate) cards: Vec<CardAnswer>,
    /// Reason of the batch, which holds for a card that is not accepted and has none of its own; empty where there is none.
    pub(crate) reason: String,
}

/// Result of one card as the service tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CardAnswer {
    pub(crate) consumer: String,
    pub(crate) card: String,
    pub(crate) status: CardStatus,
    pub(crate) reason: String,
    pub(crate) retry: String,
    pub(crate) retry_after: String,
    pub(crate) sibling: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CardStatus {
    Accepted,
    Failed,
    Unknown,
}

impl CardStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// Reason for which a request did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// Repeating the same request later makes sense: no answer, 408, 425, 429, 5xx.
    Passing {
        after: Option<Duration>,
        /// Whether the service throttles (429).
        is_throttled: bool,
        told: String,
    },
    /// The service itself does not know the batch.
    NotFound,
    /// The service has another batch under this id.
    Conflict,
    /// The request will not succeed: the sentence says why.
    Lasting(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passing { told, .. } | Self::Lasting(told) => formatter.write_str(told),
            Self::NotFound => formatter.write_str("the service does not know the batch"),
            Self::Conflict => formatter.write_str(
                "the service has another batch under this id: this file was submitted from another state folder; \
                 resume with that one, or choose a --run label to submit its cards once more",
            ),
        }
    }
}

impl Service {
    /// Prepares calls. `key` is the issuer's private key in PEM.
    pub(crate) fn new(url: &str, client: &str, key: &[u8], key_id: Option<String>) -> Result<Self> {
        Ok(Self {
            http: http_client()?,
            url: url.trim_end_matches('/').to_owned(),
            client: client.to_owned(),
            key: EncodingKey::from_rsa_pem(key).context("is not an RSA private key in PEM")?,
            key_id,
        })
    }

    /// Sends a batch.
    pub(crate) async fn submit(&self, external_id: &str, body: Vec<u8>) -> Submitted {
        let url = format!("{}/company/enroll_batch", self.url);
        let answer = match self.answer(Method::POST, &url, body).await {
            Ok(answer) => answer,
            Err(problem) => return Submitted::Problem(problem),
        };
        match serde_json::from_slice::<Acceptance>(&answer.body) {
            Ok(accepted) if accepted.external_batch_id == external_id && is_id(&accepted.batch_id) => {
                Submitted::Accepted(accepted.batch_id)
            }
            _ => Submitted::Problem(answer.unreadable()),
        }
    }

    /// Asks for a batch.
    pub(crate) async fn poll(&self, batch_id: &str) -> Polled {
        let url = format!("{}/company/enroll_batch/{batch_id}", self.url);
        let answer = match self.answer(Method::GET, &url, Vec::new()).await {
            Ok(answer) => answer,
            Err(problem) => return Polled::Problem(problem),
        };
        match serde_json::from_slice::<View>(&answer.body) {
            Ok(view) if view.batch_id != batch_id => Polled::Problem(answer.unreadable()),
            Ok(view) if view.is_final() => Polled::Final(view.results()),
            Ok(_) => Polled::InProgress(answer.retry_after),
            Err(_) => Polled::Problem(answer.unreadable()),
        }
    }

    async fn answer(&self, method: Method, url: &str, body: Vec<u8>) -> Result<Answer, Problem> {
        let token = self
            .token(&method, url, &body)
            .map_err(|error| Problem::Lasting(format!("no token can be signed: {error:#}")))?;
        let mut request = self.http.request(method.clone(), url).bearer_auth(token);
        if method == Method::POST {
            request = request.header("content-type", "application/json").body(body);
        }
        let no_answer = |error: reqwest::Error| Problem::Passing {
            after: None,
            is_throttled: false,
            told: format!("no answer: {}", innermost(&error)),
        };
        let mut response = request.send().await.map_err(no_answer)?;
        let (status, retry_after) = (response.status(), retry_after(response.headers()));
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(no_answer)? {
            if body.len() + piece.len() > MAX_ANSWER {
                return Err(Problem::Lasting(format!(
                    "{status} with more than 1 MB of answer"
                )));
            }
            body.extend_from_slice(&piece);
        }
        Answer {
            status,
            retry_after,
            body,
        }
        .checked(&method)
    }

    fn token(&self, method: &Method, url: &str, body: &[u8]) -> Result<String> {
        let now = SystemClock.now().as_second();
        let mut id = [0; 16];
        SystemRandomness.fill(&mut id);
        let claims = json!({
            "iss": self.client,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "jti": hex::encode(id),
            "actionCode": "B",
            "htm": method.as_str(),
            "htu": url,
            "bodyHash": STANDARD.encode(digest(&SHA256, body)),
        });
        let header = Header {
            kid: self.key_id.clone(),
            ..Header::new(Algorithm::RS256)
        };
        Ok(jsonwebtoken::encode(&header, &claims, &self.key)?)
    }
}

struct Answer {
    status: StatusCode,
    retry_after: Option<Duration>,
    body: Vec<u8>,
}

impl Answer {
    fn checked(self, method: &Method) -> Result<Self, Problem> {
        let status = self.status;
        let passing = [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_EARLY,
            StatusCode::TOO_MANY_REQUESTS,
        ];
        if status.is_success() {
            Ok(self)
        } else if status.is_server_error() || passing.contains(&status) {
            Err(self.passing(self.told()))
        } else if status == StatusCode::NOT_FOUND && *method == Method::POST {
            Err(Problem::Lasting(format!(
                "nothing takes batches at this address, check --url: {}",
                self.told()
            )))
        } else if status == StatusCode::NOT_FOUND && self.is_not_found_of_service() {
            Err(Problem::NotFound)
        } else if status == StatusCode::NOT_FOUND {
            Err(self.unreadable())
        } else if status == StatusCode::CONFLICT {
            Err(Problem::Conflict)
        } else {
            Err(Problem::Lasting(self.told()))
        }
    }

    /// A 2xx or 404 whose body is something else: perhaps a proxy's page, so that a repeat may help.
    fn unreadable(&self) -> Problem {
        self.passing(format!(
            "{} with an answer that is not the service's",
            self.status
        ))
    }

    fn passing(&self, told: String) -> Problem {
        Problem::Passing {
            after: self.retry_after,
            is_throttled: self.status == StatusCode::TOO_MANY_REQUESTS,
            told,
        }
    }

    /// Whether a 404 has the service's own body. A gateway, a proxy or a wrong address answers 404 too, and says nothing of a batch.
    fn is_not_found_of_service(&self) -> bool {
        let problem = serde_json::from_slice::<ProblemBody>(&self.body);
        problem.is_ok_and(|problem| {
            problem.status == Some(404) && problem.title.is_some() && problem.incident.is_some()
        })
    }

    /// Status, the problem's words, and its faults by pointer.
    fn told(&self) -> String {
        let mut told = format!("the service answered {}", self.status);
        let Ok(problem) = serde_json::from_slice::<ProblemBody>(&self.body) else {
            return told;
        };
        for text in [problem.code, problem.title, problem.detail]
            .into_iter()
            .flatten()
        {
            told.push_str(": ");
            told.push_str(&printable(&text));
        }
        for fault in problem.errors.iter().take(20) {
            told.push_str("\n  ");
            told.push_str(&printable(&format!("{}: {}", fault.pointer, fault.detail)));
        }
        told
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Acceptance {
    batch_id: String,
    external_batch_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct View {
    batch_id: String,
    status: String,
    reason: Option<String>,
    #[serde(default)]
    profiles: Vec<ProfileView>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProfileView {
    external_consumer_id: String,
    #[serde(default)]
    cards: Vec<CardView>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CardView {
    external_card_id: String,
    status: String,
    reason: Option<String>,
    retry: Option<String>,
    retry_after: Option<String>,
    sibling: Option<String>,
}

#[derive(Deserialize)]
struct ProblemBody {
    status: Option<u16>,
    incident: Option<String>,
    code: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<FaultBody>,
}

/// Fault of a request: JSON pointer and rule.
#[derive(Deserialize)]
struct FaultBody {
    #[serde(default)]
    pointer: String,
    #[serde(default)]
    detail: String,
}

impl View {
    fn is_final(&self) -> bool {
        matches!(self.status.as_str(), "SUCCESS_BATCH" | "ERROR_BATCH")
    }

    fn results(self) -> Results {
        let reason = plain(self.reason);
        let of_profile = |profile: ProfileView| {
            let consumer = profile.external_consumer_id;
            let of_card = move |card: CardView| CardAnswer {
                consumer: consumer.clone(),
                card: card.external_card_id,
                // A word that is not known says nothing about the card.
                status: match card.status.as_str() {
                    "accepted" => CardStatus::Accepted,
                    "failed" => CardStatus::Failed,
                    _ => CardStatus::Unknown,
                },
                reason: plain(card.reason),
                retry: plain(card.retry),
                retry_after: plain(card.retry_after),
                sibling: plain(card.sibling),
            };
            profile.cards.into_iter().map(of_card)
        };
        Results {
            cards: self.profiles.into_iter().flat_map(of_profile).collect(),
            reason,
        }
    }
}

/// A word for the result file: one that has other characters than ids have is replaced, so that no value leaves its column.
fn plain(text: Option<String>) -> String {
    match text {
        None => String::new(),
        Some(text) if is_id(&text) => text,
        Some(_) => "OTHER".to_owned(),
    }
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Text of the service for a terminal: at most 300 characters, none that controls it.
fn printable(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .take(300)
        .collect()
}

/// Reads `Retry-After`: seconds or a date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = text.parse().map(Duration::from_secs).ok();
    let wait = seconds.or_else(|| {
        let then = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Some(Duration::try_from(then.duration_since(SystemClock.now())).unwrap_or_default())
    })?;
    Some(wait.min(MAX_RETRY_AFTER))
}

/// The cause that says most, without the address.
fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "time-out".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Client for the service.
fn http_client() -> Result<reqwest::Client> {
    // Set already is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    #[expect(
        clippy::disallowed_methods,
        reason = "on the issuer's machine: its proxy and its roots are right here"
    )]
    let builder = reqwest::Client::builder();
    Ok(builder
        .redirect(reqwest::redirect::Policy::none())
        .timeout(REQUEST_TIME)
        .build()?)
}
