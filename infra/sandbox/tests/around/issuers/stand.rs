//! A stand-in, with a client and an encryptor for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use mastercard::OAuth1Scheme;
use mastercard::http::{HttpClient, HttpSettings, Trust};
use mastercard::issuer_enrollment::{
    BatchReport, BatchSubmission, CardOutcome, CardReport, Dialect, Exchange, FlowId, IssuerEnrollmentClient,
    SubmittedBatch,
};
use mastercard::jwe::{ContentEncryption, Encryptor, KeyName};
use mastercard::jwks::KeyList;
use mastercard::keys::PrivateKey;
use mastercard::oauth1::{Signer, Stamp};
use reqwest::Method;
use sandbox::{CONSUMER_KEY, Clock, KEY_ID};
use serde_json::{Value, json};

use crate::fixture::Around;
use crate::mastercard::admin;

pub(super) const NOW: u64 = 1_793_000_000;
pub(super) const IMMEDIATE: &str = "0a1b2c3d-0000-4000-8000-000000000001";
pub(super) const AT_FIRST_CHECKOUT: &str = "0a1b2c3d-0000-4000-8000-000000000002";
pub(super) const PRE_PROVISIONED: &str = "0a1b2c3d-0000-4000-8000-000000000003";

pub(super) struct Stand {
    pub(super) around: Around,
    pub(super) client: IssuerEnrollmentClient,
    pub(super) encryptor: Encryptor,
}

impl Stand {
    pub(super) async fn new() -> Self {
        Self::before("http://127.0.0.1:9").await
    }

    /// A stand-in whose demo partner calls this product.
    pub(super) async fn before(product: &str) -> Self {
        let around = Around::start_with("http://127.0.0.1:9", product, Clock::standing_at(NOW)).await;
        let stand = Self {
            client: client(&around, CONSUMER_KEY, NOW, None),
            encryptor: encryptor(&around, ContentEncryption::A128Gcm).await,
            around,
        };
        stand
            .admin(Method::PUT, "/issuers/settings", json!({"workMs": 0}))
            .await;
        stand
    }

    pub(super) async fn admin(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = admin(&self.around, method, path, Some(body)).await;
        assert!((200..300).contains(&status), "{answer}");
        answer
    }

    pub(super) async fn order(&self, mut order: Value, operation: &str) {
        order["operation"] = operation.into();
        self.admin(Method::POST, "/faults", order).await;
    }

    pub(super) fn data(&self, consumers: &[(&str, &[(&str, &str)])]) -> String {
        self.encryptor
            .encrypt(content(consumers, "externalCardId").to_string().as_bytes())
            .unwrap()
    }

    pub(super) async fn submit(&self, id: &str, issuer: &str, data: &str) -> Exchange<SubmittedBatch> {
        self.client.submit(&submission(id, issuer, data), None).await
    }

    /// Submits a batch and returns its report.
    pub(super) async fn report(
        &self,
        id: &str,
        issuer: &str,
        consumers: &[(&str, &[(&str, &str)])],
    ) -> BatchReport {
        let (batch_id, flow) = self.submitted(id, issuer, consumers).await;
        self.client.status(&batch_id, Some(&flow)).await.result.unwrap()
    }

    pub(super) async fn submitted(
        &self,
        id: &str,
        issuer: &str,
        consumers: &[(&str, &[(&str, &str)])],
    ) -> (String, FlowId) {
        let exchange = self.submit(id, issuer, &self.data(consumers)).await;
        (exchange.result.unwrap().batch_id, exchange.flow.unwrap())
    }
}

pub(super) fn submission<'a>(id: &'a str, issuer: &'a str, data: &'a str) -> BatchSubmission<'a> {
    BatchSubmission {
        external_batch_id: id,
        src_client_id: issuer,
        service_id: "SRC-DEMO#01",
        enrollment_data: data,
    }
}

/// A client with this clock; its nonces count from 0, or are all the same.
pub(super) fn client(
    around: &Around,
    consumer_key: &str,
    now: u64,
    nonce: Option<u8>,
) -> IssuerEnrollmentClient {
    let http = HttpClient::new(&HttpSettings {
        trust: Trust::only_pem(around.authority_pem()).unwrap(),
        ..HttpSettings::default()
    });
    let key = PrivateKey::from_pem(Around::signing_key()).unwrap();
    let count = AtomicU8::new(0);
    let stamp = move || {
        let next = nonce.unwrap_or_else(|| count.fetch_add(1, Ordering::SeqCst));
        let mut random = [next % 50; 16];
        random[0] = next / 50;
        Stamp::from_random(random, now)
    };
    let scheme = OAuth1Scheme::new(Signer::new(consumer_key, key).unwrap(), stamp);
    let base = format!(
        "https://localhost:{}/src/api/digital/payments",
        around.at().mastercard.port()
    );
    IssuerEnrollmentClient::new(http.unwrap(), &base, Dialect::Legacy, Arc::new(scheme)).unwrap()
}

/// The key comes from the key list, without a client certificate.
pub(super) async fn encryptor(around: &Around, encryption: ContentEncryption) -> Encryptor {
    let address = format!(
        "https://localhost:{}/keys/mcs/fpanEncryption",
        around.at().mastercard.port()
    );
    let list = around
        .client(None)
        .get(address)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let list = KeyList::parse(&list).unwrap();
    let key = list.encryption_key(KEY_ID).unwrap();
    Encryptor::new(key, KeyName::kid(KEY_ID), encryption, None).unwrap()
}

pub(super) fn content(consumers: &[(&str, &[(&str, &str)])], card_id: &str) -> Value {
    let consumers: Vec<Value> = consumers
        .iter()
        .map(|(consumer, cards)| {
            let cards: Vec<Value> = cards
                .iter()
                .map(|(id, number)| {
                    json!({card_id: id, "primaryAccountNumber": number, "panExpirationMonth": "12",
                        "panExpirationYear": "2030"})
                })
                .collect();
            json!({"externalConsumerId": consumer, "cards": cards, "firstName": "Erika", "lastName": "Mustermann",
                "consumerIdentity": {"identityType": "EMAIL_ADDRESS", "identityValue": "erika@example.com"},
                "countryCode": "DE", "languageCode": "de"})
        })
        .collect();
    json!({ "consumers": consumers })
}

pub(super) fn of<'a>(report: &'a BatchReport, card: &str) -> Vec<&'a CardReport> {
    let is_it = |report: &&CardReport| report.external_card_id.as_deref() == Some(card);
    report.cards.iter().filter(is_it).collect()
}

pub(super) fn outcome(report: &BatchReport, card: &str) -> String {
    match of(report, card)[..] {
        [] => "left out".to_owned(),
        [card] => match &card.outcome {
            CardOutcome::Succeeded => "succeeded".to_owned(),
            CardOutcome::Failed(problem) => problem
                .reasons
                .first()
                .map_or("failed".to_owned(), ToString::to_string),
            CardOutcome::Unknown => "unknown".to_owned(),
        },
        _ => "repeated".to_owned(),
    }
}

pub(super) const TWO: &[(&str, &[(&str, &str)])] = &[
    ("p-1", &[("c-1", "5234000100000006")]),
    ("p-2", &[("c-2", "5234000100000204")]),
];
