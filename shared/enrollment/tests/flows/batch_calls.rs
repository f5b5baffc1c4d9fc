//! Tokens and requests of an issuer's back end.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use enrollment::client::{Client, VerificationKey};
use enrollment::clock::Clock as _;
use enrollment::flows::call::ApiCall;
use enrollment::token::CalledRequest;
use harness::{BASE, BatchFixture, Model};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

pub(crate) const PRIVATE_KEY: &str = include_str!("../../src/testing/private-key.pem");
pub(crate) const OTHER_PRIVATE_KEY: &str = include_str!("../../src/testing/other-private-key.pem");
const PUBLIC_KEY: &str = include_str!("../../src/testing/public-key.pem");

/// An issuer whose tokens are signed with [`PRIVATE_KEY`].
pub(crate) fn fixture_with(change: impl FnOnce(&mut Client)) -> (BatchFixture, Arc<Model>) {
    BatchFixture::on_model(|client| {
        client.keys = vec![VerificationKey {
            id: "2027-03".into(),
            pem: PUBLIC_KEY.into(),
            not_after: None,
        }];
        change(client);
    })
}

pub(crate) fn fixture() -> (BatchFixture, Arc<Model>) {
    fixture_with(|_| {})
}

pub(crate) fn sign(claims: &Value, key: &str) -> String {
    let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", segment(&json!({"alg": "RS256"})), segment(claims));
    let key = EncodingKey::from_rsa_pem(key.as_bytes()).unwrap();
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::RS256).unwrap();
    format!("{signed}.{signature}")
}

/// One HTTP request with its claims.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    pub(crate) claims: Value,
}

impl Request {
    pub(crate) fn new(
        fixture: &BatchFixture,
        action: &str,
        method: &'static str,
        path: &str,
        body: &[u8],
    ) -> Self {
        let now = fixture.clock.now().as_second();
        let mut claims = json!({
            "iss": "bank", "actionCode": action, "iat": now, "exp": now + 600, "htm": method,
            "htu": format!("{BASE}{path}"), "jti": fixture.randomness.below(usize::MAX >> 33)
        });
        if !body.is_empty() {
            claims["bodyHash"] = STANDARD.encode(Sha256::digest(body)).into();
        }
        Self {
            method,
            path: path.to_owned(),
            body: body.to_vec(),
            claims,
        }
    }

    pub(crate) fn post(fixture: &BatchFixture, body: &Value) -> Self {
        let body = body.to_string();
        Self::new(fixture, "B", "POST", "/company/enroll_batch", body.as_bytes())
    }

    pub(crate) fn token(&self) -> String {
        sign(&self.claims, PRIVATE_KEY)
    }

    pub(crate) fn call<'a>(&'a self, token: &'a str) -> ApiCall<'a> {
        ApiCall {
            token: Some(token),
            request: CalledRequest {
                method: self.method,
                path: &self.path,
                body: &self.body,
            },
        }
    }
}

/// The body of a batch with two profiles.
pub(crate) fn body(external_id: &str) -> Value {
    let segment = |length: usize| URL_SAFE_NO_PAD.encode(vec![7_u8; length]);
    let header = URL_SAFE_NO_PAD.encode(r#"{"kid":"test-key","alg":"RSA-OAEP-256","enc":"A128GCM"}"#);
    json!({
        "externalBatchId": external_id,
        "encryptedEnrollmentData":
            format!("{header}.{}.{}.{}.{}", segment(256), segment(12), segment(40), segment(16)),
        "manifest": {"profiles": [
            {"externalConsumerId": "p1", "cards": [{"externalCardId": "a"}, {"externalCardId": "b"}]},
            {"externalConsumerId": "p2", "cards": [{"externalCardId": "c"}]}
        ]},
        "confirmationUrl": "https://bank.example/batches"
    })
}
