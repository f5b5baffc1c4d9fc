//! Clients, sessions and submissions.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enrollment::action::ActionCode;
use enrollment::client::{
    BankCustomerNumberKind, BinRange, Client, ClientStatus, Fields, Look, Program, ReceiverHost,
};
use enrollment::flows::submit::SubmitResponse;
use enrollment::identifiers::{ClientId, CustomerId, IdempotencyKey, ProgramId, SessionToken, Slug};
use enrollment::language::Language;
use enrollment::ports::{EncryptionKey, EncryptionKeys, StoreError};
use enrollment::randomness::Randomness;
use enrollment::session::{self, Session};
use enrollment::time::later;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::seeded::Seeded;

/// Start of every test that has a clock of its own.
pub fn start() -> Timestamp {
    "2027-03-14T15:09:26Z".parse().unwrap()
}

/// A session that was opened at `now`.
pub fn session_at(now: Timestamp) -> Session {
    Session {
        id: SessionToken::random(&Seeded::new(0x5e55)).id(),
        client: ClientId::parse("bank").unwrap(),
        program: ProgramId::parse("10765").unwrap(),
        action: ActionCode::Enroll,
        customer: CustomerId::parse("customer-1").unwrap(),
        language: Language::parse("en").unwrap(),
        confirmation_url: None,
        return_url: None,
        last4: None,
        opened_at: now,
        expires_at: later(now, session::LIFETIME),
        extensions: 0,
        failures: 0,
        open_attempt: None,
        last_attempt: None,
        finished: false,
    }
}

/// A client with one program, which allows every action and is far from its limits.
pub fn settlement_client() -> Client {
    Client {
        id: ClientId::parse("bank").unwrap(),
        slug: Slug::parse("bank").unwrap(),
        name: "Bank".into(),
        institution_name: None,
        status: ClientStatus::Active,
        keys: Vec::new(),
        default_language: Language::parse("en").unwrap(),
        languages: None,
        translations: BTreeMap::new(),
        terms: None,
        privacy: None,
        fields: Fields::default(),
        look: Look::default(),
        embed_origins: Vec::new(),
        confirmation_hosts: vec![ReceiverHost::parse("bank.example").unwrap()],
        return_targets: Vec::new(),
        home_url: None,
        retired_programs: Vec::new(),
        issuer: None,
        retired_issuer_retention_days: None,
        programs: vec![Program {
            id: ProgramId::parse("10765").unwrap(),
            member_ica: 1234,
            bank_product_code: "MRSDEMO".into(),
            bin_ranges: vec![BinRange::parse("523400", "523499").unwrap()],
            designs: BTreeMap::new(),
            bank_customer_number: BankCustomerNumberKind::PerCard,
            retention_days: 30,
            replacement: true,
            opt_out: true,
            max_cards: 5,
            attempts_per_customer_per_hour: 100,
            attempts_per_client_per_hour: 100,
        }],
    }
}

/// The key of a submission: the name, filled up to the least length.
pub fn idempotency_key(name: &str) -> IdempotencyKey {
    IdempotencyKey::parse(&format!("{name:-<16}")).unwrap()
}

/// A submission of a new card, whose number only Mastercard could read.
pub fn enrollment() -> Value {
    let [key, data] = [256, 44].map(|length| STANDARD.encode(vec![7_u8; length]));
    json!({"card": {"key": key, "data": data}, "bin": "523400", "last4": "0123"})
}

/// An encryption key that nothing is encrypted under.
pub struct Key;

#[async_trait]
impl EncryptionKeys for Key {
    async fn current(&self) -> Result<EncryptionKey, StoreError> {
        Ok(EncryptionKey {
            reference: "119009".into(),
            spki: String::new(),
            fingerprint: String::new(),
        })
    }
}

/// A ciphertext that no other submission has.
pub fn ciphertext(randomness: &dyn Randomness) -> String {
    let mut bytes = [0; 44];
    randomness.fill(&mut bytes);
    STANDARD.encode(bytes)
}

/// Whether a submission succeeded.
pub fn is_success(response: &SubmitResponse) -> bool {
    matches!(response, SubmitResponse::Ended { ending, .. } if ending.status.is_success())
}
