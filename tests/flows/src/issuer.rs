//! Back end of an issuer: encrypts cards for Mastercard, signs its calls, reads results.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enrollment::client::Client;
use http::Request;
use jiff::SignedDuration;
use mastercard::jwe::{ContentEncryption, Encryptor, KeyName};
use mastercard::keys::PublicKey;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::call::{self, Answer};
use crate::card::random_hex;
use crate::partner::{self, Partner};
use crate::person;
use crate::stack::Stack;
use crate::time::{eventually, now};

/// Time limit of a batch, longer than the sweep's minute, since a wake-up may be lost.
const PATIENCE: SignedDuration = SignedDuration::from_secs(150);

/// Issuer under a client id of its own.
#[derive(Debug, Clone)]
pub struct Issuer {
    client: String,
}

/// Batch of one consumer for each list of outcomes, with ids that nobody used before.
#[derive(Debug, Clone)]
pub struct Batch {
    /// `externalBatchId`.
    pub id: String,
    /// Outcomes of the cards of each consumer, by the names of `demo.json`.
    pub consumers: Vec<Vec<&'static str>>,
}

impl Issuer {
    /// Demo client.
    pub fn demo() -> Self {
        Self::of(&Partner::demo())
    }

    /// Copy of the demo client with `changes`.
    pub fn like_demo_but(changes: impl FnOnce(&mut Client)) -> Self {
        Self::of(&Partner::like_demo_but(changes))
    }

    fn of(partner: &Partner) -> Self {
        Self {
            client: partner.client.clone(),
        }
    }

    /// Token of a call with `changes`: members replace the defaults, and `null` removes one.
    pub fn token(&self, action: &str, method: &str, path: &str, body: &[u8], changes: &Value) -> String {
        let now = now();
        let mut claims = json!({
            "iss": self.client, "iat": now, "exp": now + 300, "jti": random_hex(8),
            "actionCode": action, "htm": method, "htu": address(path),
        });
        if !body.is_empty() {
            claims["bodyHash"] = STANDARD.encode(Sha256::digest(body)).into();
        }
        for (name, value) in changes.as_object().expect("an object of claims") {
            claims[name] = value.clone();
        }
        let members = claims.as_object_mut().expect("an object of claims");
        members.retain(|_, value| !value.is_null());
        partner::sign(&claims)
    }

    /// Makes a call with a token of its own.
    pub fn call(&self, action: &str, method: &str, path: &str, body: &[u8]) -> Answer {
        let token = self.token(action, method, path, body, &json!({}));
        call_with(&token, method, path, body)
    }

    /// Sends the body of a batch.
    pub fn send(&self, body: &[u8]) -> Answer {
        self.call("B", "POST", "enroll_batch", body)
    }

    /// Sends a batch, and gives the id that it got.
    pub fn accepted(&self, batch: &Batch) -> String {
        let answer = self.send(&batch.body());
        assert_eq!(answer.status, 202, "{}", answer.text());
        let told = answer.json();
        assert_eq!(told["externalBatchId"], batch.id.as_str());
        told["batchId"].as_str().expect("an id").to_owned()
    }

    /// Reads a batch until it is final.
    pub fn result(&self, batch_id: &str) -> Value {
        eventually("the end of a batch", PATIENCE, || {
            let answer = self.call("B", "GET", &format!("enroll_batch/{batch_id}"), b"");
            assert_eq!(answer.status, 200, "{}", answer.text());
            Some(answer.json()).filter(|told| told["status"] != "IN_PROGRESS")
        })
    }
}

/// Address of a path below `/company`.
pub fn address(path: &str) -> String {
    format!("{}/company/{path}", Stack::here().endpoints.api)
}

/// Makes a call with a given token.
pub fn call_with(token: &str, method: &str, path: &str, body: &[u8]) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(address(path))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    call::send(request.body(body.to_vec()).expect("a request"))
}

impl Batch {
    /// Batch of these consumers.
    pub fn of(consumers: &[&[&'static str]]) -> Self {
        Self {
            id: format!("flows-{}", random_hex(8)),
            consumers: consumers.iter().map(|cards| cards.to_vec()).collect(),
        }
    }

    /// `externalConsumerId` of the consumer at a place, in the form of the customers' ids that the canary searches for.
    pub fn consumer_id(&self, place: usize) -> String {
        let digits = self.id.trim_start_matches("flows-");
        format!("customer-{digits}.{place}")
    }

    /// `externalCardId` of the card with this outcome.
    pub fn card_id(&self, outcome: &str) -> String {
        format!("{}.{outcome}", self.id)
    }

    /// Manifest.
    pub fn profiles(&self) -> Value {
        let profile = |(place, cards): (usize, &Vec<&str>)| {
            let cards = cards
                .iter()
                .map(|outcome| json!({"externalCardId": self.card_id(outcome)}));
            json!({
                "externalConsumerId": self.consumer_id(place),
                "cards": cards.collect::<Vec<_>>(),
            })
        };
        self.consumers.iter().enumerate().map(profile).collect()
    }

    /// Request as JSON. Each call encrypts anew.
    pub fn request(&self) -> Value {
        json!({
            "externalBatchId": self.id,
            "encryptedEnrollmentData": encrypted(&self.content()),
            "manifest": {"profiles": self.profiles()},
            "confirmationUrl": Stack::here().demo.confirmation_url,
        })
    }

    /// Request as bytes.
    pub fn body(&self) -> Vec<u8> {
        self.request().to_string().into_bytes()
    }

    /// JSON inside the JWE (`docs/batches.md`).
    fn content(&self) -> Value {
        let numbers = &Stack::here().demo.issuer.cards;
        let consumer = |(place, cards): (usize, &Vec<&str>)| {
            let card = |outcome: &&str| {
                json!({
                    "externalCardId": self.card_id(outcome),
                    "primaryAccountNumber": numbers[*outcome],
                    "panExpirationMonth": "12", "panExpirationYear": "2035",
                })
            };
            json!({
                "externalConsumerId": self.consumer_id(place),
                "consumerIdentity": {
                    "identityType": "EMAIL_ADDRESS",
                    "identityValue": format!("{}.{}", random_hex(4), person::EMAIL),
                },
                "firstName": person::FIRST_NAME, "lastName": person::LAST_NAME, "countryCode": "DE", "languageCode": "de",
                "cards": cards.iter().map(card).collect::<Vec<_>>(),
            })
        };
        json!({"consumers": self.consumers.iter().enumerate().map(consumer).collect::<Vec<_>>()})
    }
}

/// Compact JWE for Mastercard.
fn encrypted(content: &Value) -> String {
    let stack = Stack::here();
    let key = PublicKey::from_pem(&stack.text("pki/issuer-encryption.pub.pem")).expect("a public key");
    let name = KeyName::kid(stack.demo.issuer.key_id.as_str());
    let encryptor = Encryptor::new(&key, name, ContentEncryption::A128Gcm, None).expect("a key of 2048 bits");
    encryptor
        .encrypt(content.to_string().as_bytes())
        .expect("a short text")
}
