//! Sessions, intents and clients to store.

use enrollment::action::ActionCode;
use enrollment::client::Client;
use enrollment::identifiers::{
    BankCustomerNumber, Bin, ClientId, CustomerId, IdempotencyKey, IncidentId, IntentId, Last4, ProgramId,
    SessionToken,
};
use enrollment::intent::{Consent, ConsentDocument, Inquiry, Intent, Stage};
use enrollment::language::Language;
use enrollment::randomness::Randomness;
use enrollment::session::{LIFETIME, Session, UsedToken};
use jiff::{SignedDuration, Timestamp};
use platform::SystemRandomness;
use url::Url;

pub(crate) const CUSTOMER: &str = "maria-7-5d7703f9";
pub(crate) const RANAC: &str = "03643782610476418733";
pub(crate) const CONFIRMATION_URL: &str = "https://api.bank.example/confirmations/hidden-path";
pub(crate) const RETURN_URL: &str = "com.bank.app://return/hidden-return?customer=7";

pub(crate) fn client_id() -> ClientId {
    ClientId::parse("demo").unwrap()
}

pub(crate) fn program_id() -> ProgramId {
    ProgramId::parse("10765").unwrap()
}

pub(crate) fn customer_id() -> CustomerId {
    CustomerId::parse(CUSTOMER).unwrap()
}

pub(crate) fn session(now: Timestamp) -> Session {
    Session {
        id: SessionToken::random(&SystemRandomness).id(),
        client: client_id(),
        program: program_id(),
        action: ActionCode::Enroll,
        customer: customer_id(),
        language: Language::parse("en_US").unwrap(),
        confirmation_url: Some(Url::parse(CONFIRMATION_URL).unwrap()),
        return_url: Some(Url::parse(RETURN_URL).unwrap()),
        last4: Some(Last4::parse("0123").unwrap()),
        opened_at: now,
        expires_at: now + LIFETIME,
        extensions: 0,
        failures: 0,
        open_attempt: None,
        last_attempt: None,
        finished: false,
    }
}

/// The name of an attempt.
pub(crate) fn attempt(number: usize) -> IntentId {
    let key = IdempotencyKey::parse(&format!("attempt-{number:010}")).unwrap();
    IntentId::derive(SessionToken::random(&SameEachTime).id(), &key)
}

struct SameEachTime;

impl Randomness for SameEachTime {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

pub(crate) fn used_token(now: Timestamp) -> UsedToken {
    let mut digest = [0; 32];
    SystemRandomness.fill(&mut digest);
    UsedToken {
        digest,
        until: now + SignedDuration::from_mins(11),
    }
}

pub(crate) fn intent(session: &Session, attempt: u32, now: Timestamp) -> Intent {
    let key = IdempotencyKey::parse(&format!("attempt-{attempt:010}")).unwrap();
    Intent {
        id: IntentId::derive(session.id, &key),
        session: session.id,
        client: session.client.clone(),
        program: session.program.clone(),
        action: session.action,
        customer: session.customer.clone(),
        bank_customer_number: BankCustomerNumber::random(&SystemRandomness),
        bin: Bin::parse("523400").unwrap(),
        last4: Last4::parse("0123").unwrap(),
        design_code: Some("Gold".into()),
        old_card: None,
        consents: vec![Consent {
            document: ConsentDocument::Terms,
            version: "2026-01".into(),
            language: session.language.clone(),
            at: now,
        }],
        confirmation_url: session.confirmation_url.clone(),
        fingerprint: [7; 32],
        incident: IncidentId::random(&SystemRandomness),
        created_at: now,
        inquiry: Inquiry::default(),
        stage: Stage::Open { since: now },
    }
}

pub(crate) fn client(id: &str, slug: &str, name: &str) -> Client {
    serde_json::from_value(serde_json::json!({
        "id": id, "slug": slug, "name": name, "status": "active", "keys": [], "default_language": "en",
        "translations": {}, "terms": null, "privacy": null, "fields": {},
        "look": {"logo": null, "background": null, "colors": {}},
        "embed_origins": [], "confirmation_hosts": [], "programs": []
    }))
    .unwrap()
}
