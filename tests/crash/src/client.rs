//! The client, its programs, its customer and what the page submits.

use std::collections::BTreeMap;

use enrollment::client::{BankCustomerNumberKind, BinRange, Client, ClientStatus, Fields, Look, Program};
use enrollment::identifiers::{ClientId, CustomerId, IdempotencyKey, ProgramId, Slug};
use enrollment::language::Language;
use serde_json::json;
use url::Url;

use crate::scenario::Number;

pub(crate) fn id() -> ClientId {
    ClientId::parse("bank").expect("an id")
}

pub(crate) fn customer() -> CustomerId {
    CustomerId::parse("customer-5d7703f9").expect("an id")
}

pub(crate) fn confirmation_url() -> Url {
    Url::parse("https://bank.example/confirmations").expect("an address")
}

/// The program in which a customer is that to MRS.
pub(crate) fn program(number: Number) -> ProgramId {
    let id = match number {
        Number::PerCard => "10765",
        Number::OfCustomer => "20765",
    };
    ProgramId::parse(id).expect("an id")
}

/// Both programs.
pub(crate) fn client() -> Client {
    Client {
        id: id(),
        slug: Slug::parse("bank").expect("a slug"),
        name: "Bank".into(),
        status: ClientStatus::Active,
        keys: Vec::new(),
        default_language: Language::parse("en").expect("a language"),
        translations: BTreeMap::new(),
        terms: None,
        privacy: None,
        fields: Fields::default(),
        look: Look::default(),
        embed_origins: Vec::new(),
        confirmation_hosts: vec!["bank.example".into()],
        programs: vec![
            in_program(Number::PerCard, BankCustomerNumberKind::PerCard),
            in_program(Number::OfCustomer, BankCustomerNumberKind::CustomerId),
        ],
    }
}

fn in_program(number: Number, kind: BankCustomerNumberKind) -> Program {
    Program {
        id: program(number),
        member_ica: 1234,
        bank_product_code: "MRSDEMO".into(),
        bin_ranges: vec![BinRange {
            from: "523400".into(),
            to: "523499".into(),
            design_code: Some("Gold".into()),
        }],
        bank_customer_number: kind,
        retention_days: 30,
        replacement: false,
        opt_out: false,
        max_cards: 2,
        attempts_per_customer_per_hour: 20,
        attempts_per_client_per_hour: 100,
    }
}

/// A pair that nobody reads here, for the same card each time.
pub(crate) fn submission() -> String {
    let (key, data) = ("BwcH".repeat(86), "BwcH".repeat(15));
    json!({"card": {"key": key, "data": data}, "bin": "523400", "last4": "0123"}).to_string()
}

/// The key of the page's submission of that number.
pub(crate) fn key(submission: u32) -> IdempotencyKey {
    IdempotencyKey::parse(&format!("submission-{submission:08}")).expect("a key")
}
