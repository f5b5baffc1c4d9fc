//! Client, programs, customer and submissions.

use std::collections::BTreeMap;

use enrollment::action::ActionCode;
use enrollment::client::{
    BankCustomerNumberKind, BinRange, Client, ClientStatus, Document, DocumentContent, Field, Fields, Issuer,
    Look, Program, ReceiverHost, Tokenization, VerificationKey,
};
use enrollment::identifiers::{ClientId, CustomerId, IdempotencyKey, IntentId, Last4, ProgramId, Slug};
use enrollment::language::Language;
use serde_json::json;
use url::Url;

use crate::scenario::Kind;

/// Version of the terms to which an enrollment consents.
const VERSION: &str = "2027-03";
/// Key of the client's tokens.
const PUBLIC_KEY: &str = include_str!("../../../shared/enrollment/src/testing/public-key.pem");
/// Last four digits that the page submits.
const LAST4: &str = "0123";

pub(crate) fn id() -> ClientId {
    ClientId::parse("bank").expect("an id")
}

pub(crate) fn customer() -> CustomerId {
    CustomerId::parse("customer-5d7703f9").expect("an id")
}

/// [`LAST4`], parsed.
pub(crate) fn last4() -> Last4 {
    Last4::parse(LAST4).expect("four digits")
}

pub(crate) fn confirmation_url() -> Url {
    Url::parse("https://bank.example/confirmations").expect("an address")
}

/// Program of a kind.
pub(crate) fn program(kind: Kind) -> ProgramId {
    let id = match kind {
        Kind::Usual => "10765",
        Kind::NumberOfCustomer => "20765",
        Kind::KeptForADay => "30765",
    };
    ProgramId::parse(id).expect("an id")
}

/// Retention of a program, in days.
pub(crate) fn retention_days(kind: Kind) -> u16 {
    if kind == Kind::KeptForADay { 1 } else { 30 }
}

/// Client with all programs.
pub(crate) fn client() -> Client {
    let kinds = [Kind::Usual, Kind::NumberOfCustomer, Kind::KeptForADay];
    Client {
        id: id(),
        slug: Slug::parse("bank").expect("a slug"),
        name: "Bank".into(),
        institution_name: None,
        status: ClientStatus::Active,
        keys: vec![VerificationKey {
            id: "2027-03".into(),
            pem: PUBLIC_KEY.into(),
            not_after: None,
        }],
        default_language: Language::parse("en").expect("a language"),
        languages: None,
        translations: BTreeMap::new(),
        terms: Some(Document {
            version: VERSION.into(),
            content: DocumentContent::Text("Terms".into()),
        }),
        privacy: None,
        fields: Fields {
            terms: Field::Required,
            ..Fields::default()
        },
        look: Look::default(),
        embed_origins: Vec::new(),
        confirmation_hosts: vec![ReceiverHost::parse("bank.example").expect("a host")],
        return_targets: Vec::new(),
        home_url: None,
        programs: kinds.map(of_kind).into(),
        retired_programs: Vec::new(),
        issuer: Some(issuer()),
        retired_issuer_retention_days: None,
    }
}

/// Settings as an issuer: polled every five minutes, for two hours.
fn issuer() -> Issuer {
    Issuer {
        src_client_id: "bank-src".into(),
        service_id: "SRC".into(),
        tokenization: Tokenization::Immediate,
        poll_interval_seconds: 300,
        max_age_hours: 2,
        retention_days: 30,
    }
}

fn of_kind(kind: Kind) -> Program {
    Program {
        id: program(kind),
        member_ica: 1234,
        bank_product_code: "MRSDEMO".into(),
        bin_ranges: vec![
            BinRange::parse("523400", "523499")
                .expect("a range")
                .with_design_code(Some("Gold".into())),
        ],
        designs: BTreeMap::new(),
        bank_customer_number: if kind == Kind::NumberOfCustomer {
            BankCustomerNumberKind::CustomerId
        } else {
            BankCustomerNumberKind::PerCard
        },
        retention_days: retention_days(kind),
        replacement: kind != Kind::NumberOfCustomer,
        opt_out: true,
        max_cards: 2,
        attempts_per_customer_per_hour: 20,
        attempts_per_client_per_hour: 100,
    }
}

/// Body of a submission. A card of the same number has the same ciphertext each time; nothing here decrypts it.
pub(crate) fn submission(action: ActionCode, card: usize, old_card: Option<IntentId>) -> String {
    let old_card = old_card.map(IntentId::to_hex);
    let pair = json!({"key": "BwcH".repeat(86), "data": format!("{card:04}{}", "BwcH".repeat(14))});
    let body = match action {
        ActionCode::Enroll => json!({
            "card": pair, "bin": "523400", "last4": LAST4,
            "consents": [{"document": "terms", "version": VERSION}],
        }),
        ActionCode::Replace => {
            json!({"card": pair, "bin": "523400", "last4": LAST4, "oldCard": old_card})
        }
        ActionCode::OptOut => json!({"oldCard": old_card}),
    };
    body.to_string()
}

/// Idempotency key of a submission.
pub(crate) fn key(submission: u32) -> IdempotencyKey {
    IdempotencyKey::parse(&format!("submission-{submission:08}")).expect("a key")
}
