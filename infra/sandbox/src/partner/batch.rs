//! A batch as an issuer's back end sends it: the sample file read, encrypted for Mastercard, and submitted with a token of
//! its own. No code of the product or of its tool is used.

use std::time::Duration;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rsa::rand_core::OsRng;
use rsa::{Oaep, RsaPublicKey};
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::Partner;
use super::demo::DemoError;
use crate::mastercard::issuer_enrollment::KEY_ID;

const PATIENCE: Duration = Duration::from_secs(30);

/// Address of the batches below the product's.
const PATH: &str = "/company/enroll_batch";

/// Answer of the product.
#[derive(Serialize)]
pub(super) struct BatchAnswer {
    status: u16,
    /// JSON, or text where it is none.
    body: Value,
}

/// Reason for which the sample can't be sent, or the product not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum BatchError {
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error("batch.csv: {0}")]
    Sample(&'static str),
    #[error("the stand-in serves no Issuer Enrollment API: its keys are absent")]
    NoKey,
    #[error("the batch can't be encrypted")]
    Encryption,
    #[error("the product does not answer")]
    Away,
}

/// Line of the sample, as the page shows it.
#[derive(Serialize, Clone)]
#[serde(rename_all = "camelCase")]
pub(super) struct SampleCard {
    pub(super) external_consumer_id: String,
    pub(super) external_card_id: String,
    /// `•••• ` and the last four digits.
    pub(super) number: String,
}

impl Partner {
    /// Submits the sample as a new batch.
    pub(super) async fn submit_sample(&self) -> Result<BatchAnswer, BatchError> {
        let key = self.batch_key.as_ref().ok_or(BatchError::NoKey)?;
        let rows = rows(&self.demo.text("batch.csv")?)?;
        let content = content(&rows);
        let mut id = [0; 8];
        SystemRandom::new()
            .fill(&mut id)
            .map_err(|_| BatchError::Encryption)?;
        let mut body = json!({
            "externalBatchId": format!("sample-{}", hex::encode(id)),
            "encryptedEnrollmentData": encrypt(key, content.to_string().as_bytes())?,
            "manifest": {"profiles": manifest(&rows)},
        });
        if let Some(url) = self.demo.read()?.confirmation_url {
            body["confirmationUrl"] = json!(url);
        }
        self.call(Method::POST, PATH, body.to_string().into_bytes()).await
    }

    /// Asks the product for a batch.
    pub(super) async fn batch(&self, batch_id: &str) -> Result<BatchAnswer, BatchError> {
        if batch_id.is_empty()
            || !batch_id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return Err(BatchError::Sample("no such batch"));
        }
        self.call(Method::GET, &format!("{PATH}/{batch_id}"), Vec::new())
            .await
    }

    pub(super) fn sample(&self) -> Result<Vec<SampleCard>, BatchError> {
        let card = |row: &Map<String, Value>| SampleCard {
            external_consumer_id: text(row, "externalConsumerId"),
            external_card_id: text(row, "externalCardId"),
            number: format!(
                "•••• {}",
                text(row, "primaryAccountNumber")
                    .chars()
                    .rev()
                    .take(4)
                    .collect::<Vec<_>>()
                    .iter()
                    .rev()
                    .collect::<String>()
            ),
        };
        Ok(rows(&self.demo.text("batch.csv")?)?.iter().map(card).collect())
    }

    /// Calls the product with a token for this request (`actionCode` B).
    async fn call(&self, method: Method, path: &str, body: Vec<u8>) -> Result<BatchAnswer, BatchError> {
        let url = format!("{}{path}", self.initializer.base());
        let mut claims = Map::new();
        for (name, value) in [
            ("sub", Value::Null),
            ("programId", Value::Null),
            ("confirmationUrl", Value::Null),
            ("actionCode", json!("B")),
            ("htm", json!(method.as_str())),
            ("htu", json!(url)),
        ] {
            claims.insert(name.to_owned(), value);
        }
        if !body.is_empty() {
            claims.insert(
                "bodyHash".to_owned(),
                json!(STANDARD.encode(Sha256::digest(&body))),
            );
        }
        let token = self.demo.sign(self.clock.seconds(), &claims)?;
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .body(Body::from(body))
            .map_err(|_| BatchError::Away)?;
        let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
        let answer = timeout(PATIENCE, client.request(request)).await;
        let answer = answer
            .map_err(|_| BatchError::Away)?
            .map_err(|_| BatchError::Away)?;
        let status = answer.status().as_u16();
        let bytes = answer
            .into_body()
            .collect()
            .await
            .map_err(|_| BatchError::Away)?
            .to_bytes();
        tracing::info!(status, "the product was asked about a batch");
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
        Ok(BatchAnswer { status, body })
    }
}

/// The lines of a file of comma-separated values, by the names of its first line (RFC 4180).
fn rows(file: &str) -> Result<Vec<Map<String, Value>>, BatchError> {
    let mut lines = file
        .trim_start_matches('\u{feff}')
        .lines()
        .filter(|line| !line.trim().is_empty());
    let names = fields(lines.next().ok_or(BatchError::Sample("is empty"))?);
    lines
        .map(|line| {
            let values = fields(line);
            if values.len() != names.len() {
                return Err(BatchError::Sample(
                    "a line has another number of fields than the first",
                ));
            }
            Ok(names
                .iter()
                .cloned()
                .zip(values.into_iter().map(Value::String))
                .collect())
        })
        .collect()
}

fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    for character in line.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            other => {
                if let Some(field) = fields.last_mut() {
                    field.push(other);
                }
            }
        }
    }
    fields
}

fn text(row: &Map<String, Value>, name: &str) -> String {
    row.get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// The JSON inside the JWE, as `docs/batches.md` of the product describes it.
fn content(rows: &[Map<String, Value>]) -> Value {
    let consumers = consumers(rows).into_iter().map(|(first, rows)| {
        let field = |name: &str| text(first, name);
        let cards: Vec<Value> = rows.iter().map(|row| card(row)).collect();
        let mut consumer = present([
            ("externalConsumerId", field("externalConsumerId")),
            ("firstName", field("firstName")),
            ("lastName", field("lastName")),
            ("countryCode", field("countryCode")),
            ("languageCode", field("languageCode")),
        ]);
        let email = field("emailAddress");
        if !email.is_empty() {
            let identity = json!({"identityType": "EMAIL_ADDRESS", "identityValue": email});
            consumer.insert("consumerIdentity".to_owned(), identity);
        }
        let mobile = field("mobilePhoneNumber");
        if !mobile.is_empty() {
            let number = json!({"countryCode": field("mobileCountryCode"), "phoneNumber": mobile});
            consumer.insert("mobileNumber".to_owned(), number);
        }
        consumer.insert("cards".to_owned(), json!(cards));
        Value::Object(consumer)
    });
    json!({ "consumers": consumers.collect::<Vec<_>>() })
}

fn card(row: &Map<String, Value>) -> Value {
    let field = |name: &str| text(row, name);
    let mut card = present([
        ("externalCardId", field("externalCardId")),
        ("primaryAccountNumber", field("primaryAccountNumber")),
        ("panExpirationMonth", field("panExpirationMonth")),
        ("panExpirationYear", field("panExpirationYear")),
        ("cardholderFullName", field("cardholderFullName")),
    ]);
    let address = present([
        ("line1", field("addressLine1")),
        ("city", field("addressCity")),
        ("zip", field("addressPostalCode")),
        ("countryCode", field("addressCountryCode")),
    ]);
    if !address.is_empty() {
        card.insert("billingAddress".to_owned(), Value::Object(address));
    }
    Value::Object(card)
}

/// The ids, without personal data: by them the product counts and reports results.
fn manifest(rows: &[Map<String, Value>]) -> Value {
    let profiles = consumers(rows).into_iter().map(|(first, rows)| {
        let cards: Vec<Value> = rows
            .iter()
            .map(|row| json!({"externalCardId": text(row, "externalCardId")}))
            .collect();
        json!({"externalConsumerId": text(first, "externalConsumerId"), "cards": cards})
    });
    profiles.collect()
}

type Row = Map<String, Value>;

/// Each consumer's first line and all of its lines, which stand together.
fn consumers(rows: &[Row]) -> Vec<(&Row, Vec<&Row>)> {
    let mut consumers: Vec<(&Row, Vec<&Row>)> = Vec::new();
    for row in rows {
        let id = row.get("externalConsumerId");
        match consumers.last_mut() {
            Some((first, rows)) if first.get("externalConsumerId") == id => rows.push(row),
            _ => consumers.push((row, vec![row])),
        }
    }
    consumers
}

fn present<const N: usize>(members: [(&str, String); N]) -> Map<String, Value> {
    members
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect()
}

/// Compact JWE with the header of Mastercard's examples: RSA-OAEP-256, A128GCM, no `cty`.
fn encrypt(key: &RsaPublicKey, plaintext: &[u8]) -> Result<String, BatchError> {
    let failed = |_| BatchError::Encryption;
    let (mut secret, mut iv) = ([0; 16], [0; 12]);
    let random = SystemRandom::new();
    random.fill(&mut secret).map_err(failed)?;
    random.fill(&mut iv).map_err(failed)?;
    let header = json!({"kid": KEY_ID, "alg": "RSA-OAEP-256", "enc": "A128GCM"});
    let header = URL_SAFE_NO_PAD.encode(header.to_string());
    let wrapped = key
        .encrypt(&mut OsRng, Oaep::new::<Sha256>(), &secret)
        .map_err(|_| BatchError::Encryption)?;
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &secret).map_err(failed)?);
    let mut data = plaintext.to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    let tag = cipher
        .seal_in_place_separate_tag(nonce, Aad::from(header.as_bytes()), &mut data)
        .map_err(failed)?;
    let parts = [wrapped.as_slice(), &iv, &data, tag.as_ref()].map(|part| URL_SAFE_NO_PAD.encode(part));
    Ok(format!("{header}.{}", parts.join(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../../local/demo/batch.csv");

    #[test]
    fn sample_becomes_content_and_manifest() {
        let rows = rows(SAMPLE).unwrap();
        let content = content(&rows);
        assert_eq!(content["consumers"].as_array().unwrap().len(), 5);
        assert_eq!(
            content["consumers"][1]["cards"][0]["billingAddress"]["line1"],
            "Dlouha 1, 2nd floor"
        );
        assert_eq!(content["consumers"][2]["cards"][1]["externalCardId"], "card-4");
        assert_eq!(content["consumers"][2]["mobileNumber"], Value::Null);
        let manifest = manifest(&rows);
        assert_eq!(
            manifest[4],
            json!({"externalConsumerId": "consumer-5",
            "cards": [{"externalCardId": "card-6"}, {"externalCardId": "card-7"}]})
        );
        assert!(!manifest.to_string().contains("523400"));
    }

    #[test]
    fn malformed_sample_is_refused() {
        for file in ["", "a,b\n1\n"] {
            assert!(rows(file).is_err());
        }
    }
}
