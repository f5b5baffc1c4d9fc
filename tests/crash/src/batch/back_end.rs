//! Back end of an issuer: its requests, their tokens, and the repetition of calls without an answer.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use enrollment::flows::call::ApiCall;
use enrollment::time::later;
use enrollment::token::CalledRequest;
use harness::Seeded;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::scenario::{Act, BatchContent, Step};
use crate::client;
use crate::fixture::start;

/// Public base address.
pub(crate) const BASE: &str = "https://cards.example/base";
/// Name of Mastercard's key that every JWE names.
pub(crate) const KEY_ID: &str = "test-key";
/// Pause before a call without an answer is repeated.
const PAUSE: SignedDuration = SignedDuration::from_secs(20);
/// Private half of the client's key.
const PRIVATE_KEY: &str = include_str!("../../../../shared/enrollment/src/testing/private-key.pem");

/// Back end with the steps that are left.
pub(crate) struct BackEnd {
    steps: &'static [Step],
    not_before: Timestamp,
}

impl BackEnd {
    pub(crate) fn new(steps: &'static [Step]) -> Self {
        Self {
            steps,
            not_before: start(),
        }
    }

    /// Next call and its time; `None` once all are answered.
    pub(crate) fn next(&self) -> Option<(Timestamp, Act)> {
        let step = self.steps.first()?;
        Some((later(start(), step.at).max(self.not_before), step.act))
    }

    /// Notes the answer to the next call, or that there was none.
    pub(crate) fn called(&mut self, is_answered: bool, now: Timestamp) {
        if is_answered {
            self.steps = &self.steps[1..];
        } else {
            self.not_before = later(now, PAUSE);
        }
    }
}

/// One HTTP request with its token.
pub(crate) struct Request {
    method: &'static str,
    path: String,
    body: Vec<u8>,
    token: String,
}

impl Request {
    /// Request with a token of its own, issued at `now`.
    pub(crate) fn new(
        action: &str,
        method: &'static str,
        path: String,
        body: Vec<u8>,
        (now, randomness): (Timestamp, &Seeded),
    ) -> Self {
        let now = now.as_second();
        let mut claims = json!({
            "iss": client::id().as_str(), "actionCode": action, "iat": now, "exp": now + 600, "htm": method,
            "htu": format!("{BASE}{path}"), "jti": randomness.below(usize::MAX >> 33),
        });
        if !body.is_empty() {
            claims["bodyHash"] = STANDARD.encode(Sha256::digest(&body)).into();
        }
        Self {
            method,
            path,
            body,
            token: signed(&claims),
        }
    }

    pub(crate) fn call(&self) -> ApiCall<'_> {
        ApiCall {
            token: Some(&self.token),
            request: CalledRequest {
                method: self.method,
                path: &self.path,
                body: &self.body,
            },
        }
    }
}

fn signed(claims: &Value) -> String {
    let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", segment(&json!({"alg": "RS256"})), segment(claims));
    let key = EncodingKey::from_rsa_pem(PRIVATE_KEY.as_bytes()).expect("a key");
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::RS256);
    format!("{signed}.{}", signature.expect("a signature"))
}

/// JWE of a batch. Nothing here decrypts it.
pub(crate) fn data(content: &BatchContent) -> String {
    let header = json!({"kid": KEY_ID, "alg": "RSA-OAEP-256", "enc": "A128GCM"});
    let segment = |length: usize| URL_SAFE_NO_PAD.encode(vec![content.filling; length]);
    format!(
        "{}.{}.{}.{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        segment(256),
        segment(12),
        segment(40),
        segment(16)
    )
}

/// Body of the request for a batch.
pub(crate) fn body(content: &BatchContent) -> Vec<u8> {
    let profile = |(consumer, cards): &(&str, &[&str])| {
        let cards: Vec<Value> = cards.iter().map(|card| json!({"externalCardId": card})).collect();
        json!({"externalConsumerId": consumer, "cards": cards})
    };
    let profiles: Vec<Value> = content.profiles.iter().map(profile).collect();
    let body = json!({
        "externalBatchId": content.external_id,
        "encryptedEnrollmentData": data(content),
        "manifest": {"profiles": profiles},
        "confirmationUrl": client::confirmation_url().as_str(),
    });
    body.to_string().into_bytes()
}
