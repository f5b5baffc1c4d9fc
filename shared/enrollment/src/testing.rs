//! Fixtures of the unit tests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

use crate::action::ActionCode;
use crate::batch::{
    Batch, BatchId, BatchStage, BodyHash, ExternalBatchId, ExternalCardId, ExternalConsumerId, Manifest,
    Profile,
};
use crate::client::{
    BankCustomerNumberKind, BinRange, Client, ClientStatus, Field, Fields, Issuer, Look, Origin, Program,
    ReceiverHost, ReturnTarget, Tokenization, VerificationKey,
};
use crate::identifiers::{ClientId, CustomerId, IncidentId, ProgramId, SessionToken, Slug};
use crate::language::Language;
use crate::randomness::Randomness;
use crate::session::{self, Session};
use crate::time::later;

/// Public half of `testing/private-key.pem`.
pub(crate) const PUBLIC_KEY_PEM: &str = include_str!("testing/public-key.pem");
/// Key that signs tokens in tests only.
pub(crate) const PRIVATE_KEY_PEM: &str = include_str!("testing/private-key.pem");
/// Another client's key.
pub(crate) const OTHER_PRIVATE_KEY_PEM: &str = include_str!("testing/other-private-key.pem");
/// Key of 1024 bits.
pub(crate) const SHORT_PUBLIC_KEY_PEM: &str = include_str!("testing/short-public-key.pem");

/// Deterministic generator: splitmix64.
pub(crate) struct Seeded(AtomicU64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Randomness for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = z.to_le_bytes()[3];
        }
    }
}

/// Session that was just opened.
pub(crate) fn session() -> Session {
    let opened_at = Timestamp::UNIX_EPOCH;
    Session {
        id: SessionToken::random(&Seeded::new(1)).id(),
        client: ClientId::parse("demo").unwrap(),
        program: ProgramId::parse("10765").unwrap(),
        action: ActionCode::Enroll,
        customer: CustomerId::parse("customer-1").unwrap(),
        language: Language::parse("en").unwrap(),
        confirmation_url: None,
        return_url: None,
        last4: None,
        opened_at,
        expires_at: later(opened_at, session::LIFETIME),
        extensions: 0,
        failures: 0,
        open_attempt: None,
        last_attempt: None,
        finished: false,
    }
}

/// A client with one program.
pub(crate) fn client() -> Client {
    Client {
        id: ClientId::parse("demo").unwrap(),
        slug: Slug::parse("demo-bank").unwrap(),
        name: "Demo Bank".into(),
        institution_name: None,
        status: ClientStatus::Active,
        keys: vec![VerificationKey {
            id: "2026-11".into(),
            pem: PUBLIC_KEY_PEM.into(),
            not_after: None,
        }],
        default_language: Language::parse("en").unwrap(),
        languages: None,
        translations: BTreeMap::new(),
        terms: None,
        privacy: None,
        fields: Fields {
            first_name: Field::Optional,
            ..Fields::default()
        },
        look: Look::default(),
        embed_origins: vec![Origin::parse("https://www.bank.example").unwrap()],
        confirmation_hosts: vec![ReceiverHost::parse("api.bank.example").unwrap()],
        return_targets: ["https://www.bank.example", "com.bank.app:"]
            .map(|target| ReturnTarget::parse(target).unwrap())
            .to_vec(),
        home_url: None,
        retired_programs: Vec::new(),
        issuer: None,
        retired_issuer_retention_days: None,
        programs: vec![Program {
            id: ProgramId::parse("10765").unwrap(),
            member_ica: 1234,
            bank_product_code: "MRSDEMO".into(),
            bin_ranges: vec![
                BinRange::parse("523400", "523499")
                    .unwrap()
                    .with_design_code(Some("Gold".into())),
            ],
            designs: BTreeMap::new(),
            bank_customer_number: BankCustomerNumberKind::PerCard,
            retention_days: 30,
            replacement: false,
            opt_out: false,
            max_cards: 2,
            attempts_per_customer_per_hour: 20,
            attempts_per_client_per_hour: 10_000,
        }],
    }
}

/// A batch that was just accepted. `profiles` names each consumer with its cards.
pub(crate) fn batch(profiles: &[(&str, &[&str])]) -> Batch {
    let client = ClientId::parse("demo").unwrap();
    let external_id = ExternalBatchId::parse("batch-1").unwrap();
    let profile = |(consumer, cards): &(&str, &[&str])| Profile {
        consumer: ExternalConsumerId::parse(consumer).unwrap(),
        cards: cards
            .iter()
            .map(|card| ExternalCardId::parse(card).unwrap())
            .collect(),
    };
    Batch {
        id: BatchId::derive(&client, &external_id),
        client,
        external_id,
        body_hash: BodyHash::of(b"body"),
        manifest: Manifest {
            profiles: profiles.iter().map(profile).collect(),
        },
        confirmation_url: Some("https://api.bank.example/batches".parse().unwrap()),
        issuer: Issuer {
            src_client_id: "bank-src".into(),
            service_id: "SRC".into(),
            tokenization: Tokenization::Immediate,
            poll_interval_seconds: 300,
            max_age_hours: 72,
            retention_days: 30,
        },
        incident: IncidentId::random(&Seeded::new(2)),
        accepted_at: Timestamp::UNIX_EPOCH,
        stage: BatchStage::Accepted,
    }
}
