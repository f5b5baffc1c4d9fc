//! The service as an issuer sees it, on loopback: checks tokens, decrypts batches as Mastercard would, misbehaves on demand.

use std::collections::{BTreeMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use mastercard::jwe::Decryptor;
use mastercard::jwks::{KeyList, ListedKey};
use mastercard::keys::{PrivateKey, PublicKey};
use serde_json::{Value, json};

pub(crate) const CLIENT: &str = "issuer";
pub(crate) const KID: &str = "test-fpan-encryption";
const PUBLIC_KEY: &str = include_str!("../../../../shared/enrollment/src/testing/public-key.pem");

/// A service of a test. It ends with the test's process.
#[derive(Clone)]
pub(crate) struct Service {
    address: SocketAddr,
    state: Arc<Mutex<Received>>,
}

/// Faults and delays.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Behavior {
    /// Every so many requests, the work is done and the answer is lost.
    pub(crate) lose_every: u64,
    /// Every so many requests are refused with 429 and `Retry-After: 0`.
    pub(crate) throttle_every: u64,
    /// Questions for a batch that are answered `IN_PROGRESS`.
    pub(crate) questions: u64,
    /// Time that each request takes.
    pub(crate) delay: Duration,
    /// Answer to every POST.
    pub(crate) refusal: Option<u16>,
    /// Body of the 404 that every question is answered with.
    pub(crate) not_found: Option<&'static str>,
    /// Reason of the batch in final answers.
    pub(crate) reason: Option<&'static str>,
    /// Whether cards are counted only, and results have none of them.
    pub(crate) forgets: bool,
}

/// Content of the service.
#[derive(Default)]
pub(crate) struct Received {
    pub(crate) behavior: Behavior,
    pub(crate) requests: u64,
    /// Batches by external id.
    pub(crate) batches: BTreeMap<String, Batch>,
    /// Cards of all batches, where they are only counted.
    pub(crate) cards: u64,
    /// Number of POSTs with a body that was there already.
    pub(crate) repeats: u64,
    /// Sentences about what a client must not do.
    pub(crate) violations: Vec<String>,
    tokens: HashSet<String>,
    decryptor: Option<Decryptor>,
}

pub(crate) struct Batch {
    pub(crate) id: String,
    hash: Vec<u8>,
    pub(crate) manifest: Value,
    pub(crate) content: Value,
    questions: u64,
}

impl Service {
    pub(crate) fn start(behavior: Behavior) -> Self {
        let key = PrivateKey::from_pem(include_str!(
            "../../../../shared/enrollment/src/testing/private-key.pem"
        ))
        .unwrap();
        let received = Received {
            behavior,
            decryptor: Some(Decryptor::new(&key).unwrap()),
            ..Received::default()
        };
        let state = Arc::new(Mutex::new(received));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let service = Self {
            address: listener.local_addr().unwrap(),
            state,
        };
        let router = Router::new()
            .route("/base/company/enroll_batch", post(submit))
            .route("/base/company/enroll_batch/{id}", get(poll))
            .layer(axum::extract::DefaultBodyLimit::max(512 * 1024))
            .with_state(service.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        service
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/base", self.address)
    }

    pub(crate) fn received(&self) -> MutexGuard<'_, Received> {
        self.state.lock().unwrap()
    }

    pub(crate) fn behave(&self, behavior: Behavior) {
        self.received().behavior = behavior;
    }

    /// Number of times that each card is in a batch, by its id.
    pub(crate) fn cards(&self) -> BTreeMap<String, usize> {
        let mut cards = BTreeMap::new();
        for batch in self.received().batches.values() {
            for card in of_manifest(&batch.manifest) {
                *cards.entry(card).or_default() += 1;
            }
        }
        cards
    }

    /// Takes the fault of this request, if it is its turn.
    async fn fault(&self) -> (Option<Response>, bool) {
        let (behavior, number) = {
            let mut received = self.received();
            received.requests += 1;
            (received.behavior, received.requests)
        };
        tokio::time::sleep(behavior.delay).await;
        let is_turn = |every: u64| every > 0 && number.is_multiple_of(every);
        let throttled = is_turn(behavior.throttle_every)
            .then(|| (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "0")]).into_response());
        (throttled, is_turn(behavior.lose_every))
    }

    fn check_token(&self, headers: &HeaderMap, method: &str, path: &str, body: &[u8]) {
        let mut received = self.received();
        let violation = token_violation(
            headers,
            method,
            &format!("{}{path}", self.url()),
            body,
            &mut received.tokens,
        );
        received.violations.extend(violation);
    }
}

fn token_violation(
    headers: &HeaderMap,
    method: &str,
    url: &str,
    body: &[u8],
    tokens: &mut HashSet<String>,
) -> Option<String> {
    let token = headers
        .get("authorization")?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")?;
    if !tokens.insert(token.to_owned()) {
        return Some("a token came twice".into());
    }
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_required_spec_claims(&["exp", "iss"]);
    validation.set_issuer(&[CLIENT]);
    let key = DecodingKey::from_rsa_pem(PUBLIC_KEY.as_bytes()).unwrap();
    let claims = match jsonwebtoken::decode::<Value>(token, &key, &validation) {
        Ok(decoded) => decoded.claims,
        Err(error) => return Some(format!("token: {error}")),
    };
    let expected = json!({
        "htm": method,
        "htu": url,
        "actionCode": "B",
        "bodyHash": STANDARD.encode(digest(&SHA256, body)),
    });
    let expected = expected.as_object().unwrap();
    let wrong = expected
        .iter()
        .find(|(name, value)| claims.get(name) != Some(value));
    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    match wrong {
        Some((name, _)) => Some(format!("claim {name} is wrong")),
        None if lifetime > 600 => Some("the token lives too long".into()),
        None => None,
    }
}

async fn submit(State(service): State<Service>, headers: HeaderMap, body: Bytes) -> Response {
    service.check_token(&headers, "POST", "/company/enroll_batch", &body);
    let (throttled, is_lost) = service.fault().await;
    if let Some(throttled) = throttled {
        return throttled;
    }
    let answer = accept(&mut service.received(), &body);
    if is_lost {
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    answer
}

fn accept(received: &mut Received, body: &[u8]) -> Response {
    if let Some(status) = received.behavior.refusal {
        let problem = json!({"title": "Refused", "errors": [{"pointer": "/manifest", "detail": "is wrong"}]});
        return (StatusCode::from_u16(status).unwrap(), axum::Json(problem)).into_response();
    }
    let request: Value = serde_json::from_slice(body).unwrap();
    let external_id = request["externalBatchId"].as_str().unwrap().to_owned();
    if received.behavior.forgets {
        received.cards += of_manifest(&request["manifest"]).len() as u64;
        return accepted(&external_id, &external_id);
    }
    let hash = digest(&SHA256, body).as_ref().to_vec();
    if let Some(batch) = received.batches.get(&external_id) {
        if batch.hash != hash {
            return StatusCode::CONFLICT.into_response();
        }
        let answer = accepted(&batch.id, &external_id);
        received.repeats += 1;
        return answer;
    }
    let jwe = request["encryptedEnrollmentData"].as_str().unwrap();
    let plain = received.decryptor.as_ref().unwrap().decrypt(jwe).unwrap();
    let content: Value = serde_json::from_slice(&plain).unwrap();
    let manifest = request["manifest"].clone();
    let ids = of_manifest(&manifest);
    if ids != of_content(&content) || ids.len() > 250 || ids.is_empty() {
        received.violations.push("manifest and content differ".into());
    }
    let id = format!("b{:08x}", received.batches.len());
    let answer = accepted(&id, &external_id);
    received.batches.insert(
        external_id,
        Batch {
            id,
            hash,
            manifest,
            content,
            questions: 0,
        },
    );
    answer
}

fn accepted(id: &str, external_id: &str) -> Response {
    let body = json!({"batchId": id, "externalBatchId": external_id});
    (StatusCode::ACCEPTED, axum::Json(body)).into_response()
}

async fn poll(State(service): State<Service>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    service.check_token(&headers, "GET", &format!("/company/enroll_batch/{id}"), b"");
    let (throttled, is_lost) = service.fault().await;
    if let Some(throttled) = throttled {
        return throttled;
    }
    if is_lost {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let mut received = service.received();
    if let Some(body) = received.behavior.not_found {
        return (StatusCode::NOT_FOUND, body).into_response();
    }
    if received.behavior.forgets {
        return axum::Json(json!({"batchId": id, "externalBatchId": id, "status": "ERROR_BATCH"}))
            .into_response();
    }
    let Behavior {
        questions, reason, ..
    } = received.behavior;
    let Some((external_id, batch)) = received.batches.iter_mut().find(|(_, batch)| batch.id == id) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    batch.questions += 1;
    let is_final = batch.questions > questions;
    let mut answer = json!({
        "batchId": id,
        "externalBatchId": external_id,
        "status": match reason {
            _ if !is_final => "IN_PROGRESS",
            Some(_) => "ERROR_BATCH",
            None => "SUCCESS_BATCH",
        },
        "profiles": results(&batch.manifest, is_final),
    });
    if let Some(reason) = reason {
        answer["reason"] = json!(reason);
    }
    axum::Json(answer).into_response()
}

/// Results by the card's id: what follows its last hyphen decides.
fn results(manifest: &Value, is_final: bool) -> Vec<Value> {
    let result = |id: &str| match id.rsplit('-').next() {
        _ if !is_final => json!({"externalCardId": id, "status": "pending"}),
        Some("never") => {
            json!({"externalCardId": id, "status": "failed", "reason": "ISSUER_DECLINE", "retry": "never"})
        }
        Some("after") => {
            json!({"externalCardId": id, "status": "failed", "reason": "PAN_INELIGIBLE", "retry": "after",
            "retryAfter": "2027-03-01"})
        }
        Some("fallen") => json!({"externalCardId": id, "status": "failed", "reason": "PROFILE_INCOMPLETE",
            "retry": "now", "sibling": "other-never"}),
        Some("unknown") => json!({"externalCardId": id, "status": "unknown"}),
        _ => json!({"externalCardId": id, "status": "accepted"}),
    };
    let of_profile = |profile: &Value| {
        let cards = profile["cards"].as_array().unwrap().iter();
        // A card that ends in "missing" is left out.
        let cards = cards
            .map(|card| card["externalCardId"].as_str().unwrap())
            .filter(|id| !id.ends_with("-missing"));
        json!({"externalConsumerId": profile["externalConsumerId"], "cards": cards.map(result).collect::<Vec<_>>()})
    };
    let profiles = manifest["profiles"].as_array().unwrap();
    // In an order of its own.
    profiles.iter().rev().map(of_profile).collect()
}

/// Mastercard's key list after the right key was replaced.
pub(crate) fn later_key_list() -> String {
    let other = PrivateKey::generate(2048).unwrap().public_key().clone();
    let list = KeyList::new(vec![ListedKey::for_encryption("later", other)]);
    list.to_json().to_string()
}

/// Mastercard's key list, with another key beside the right one.
pub(crate) fn key_list() -> String {
    let key = PublicKey::from_pem(PUBLIC_KEY).unwrap();
    let other = PrivateKey::generate(2048).unwrap().public_key().clone();
    let list = KeyList::new(vec![
        ListedKey::for_encryption("other", other),
        ListedKey::for_encryption(KID, key),
    ]);
    list.to_json().to_string()
}

fn of_manifest(manifest: &Value) -> Vec<String> {
    cards(&manifest["profiles"])
}

fn of_content(content: &Value) -> Vec<String> {
    cards(&content["consumers"])
}

fn cards(profiles: &Value) -> Vec<String> {
    let profiles = profiles.as_array().unwrap();
    let cards = profiles
        .iter()
        .flat_map(|profile| profile["cards"].as_array().unwrap());
    cards
        .map(|card| card["externalCardId"].as_str().unwrap().to_owned())
        .collect()
}
