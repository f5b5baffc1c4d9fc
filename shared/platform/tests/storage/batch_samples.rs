//! Batches and digital cards to store.

use enrollment::batch::{
    Batch, BatchId, BatchStage, BodyHash, CardResult, ExternalBatchId, ExternalCardId, ExternalConsumerId,
    Manifest, MastercardBatchId, Profile, SrcConsumerId, SrcDigitalCardId,
};
use enrollment::client::{Issuer, Tokenization};
use enrollment::digital_card::{DigitalCard, DigitalCardState};
use enrollment::identifiers::IncidentId;
use jiff::Timestamp;
use platform::SystemRandomness;
use url::Url;

use crate::samples::{CONFIRMATION_URL, client_id};

/// Batch of so many profiles with one card each.
pub(crate) fn batch(name: &str, cards: usize, now: Timestamp) -> Batch {
    let external_id = ExternalBatchId::parse(name).unwrap();
    let profile = |number| Profile {
        consumer: consumer(number),
        cards: vec![card(number)],
    };
    Batch {
        id: BatchId::derive(&client_id(), &external_id),
        client: client_id(),
        external_id,
        body_hash: BodyHash::of(name.as_bytes()),
        manifest: Manifest {
            profiles: (1..=cards).map(profile).collect(),
        },
        confirmation_url: Some(Url::parse(CONFIRMATION_URL).unwrap()),
        issuer: issuer(),
        incident: IncidentId::random(&SystemRandomness),
        accepted_at: now,
        stage: BatchStage::Accepted,
    }
}

pub(crate) fn issuer() -> Issuer {
    Issuer {
        src_client_id: "8e7d5c8c-0c2e-4a4e-9b0c-3f2a1d0e9f8b".into(),
        service_id: "SRC".into(),
        tokenization: Tokenization::Immediate,
        poll_interval_seconds: 60,
        max_age_hours: 24,
        retention_days: 30,
    }
}

/// Longest id that a client may give, with the number at its end.
pub(crate) fn consumer(number: usize) -> ExternalConsumerId {
    ExternalConsumerId::parse(&format!("{}{number:04}", "consumer-".repeat(6) + "abcdef")).unwrap()
}

pub(crate) fn card(number: usize) -> ExternalCardId {
    ExternalCardId::parse(&format!("{}{number:04}", "card-".repeat(12))).unwrap()
}

pub(crate) fn mastercard_batch() -> MastercardBatchId {
    MastercardBatchId::parse("f1f225ed-0000-4000-8000-000000000001").unwrap()
}

pub(crate) fn digital_card_id(text: &str) -> SrcDigitalCardId {
    SrcDigitalCardId::parse(text).unwrap()
}

pub(crate) fn accepted_card(number: usize) -> CardResult {
    CardResult::Accepted {
        src_digital_card: Some(digital_card_id(&format!("digital-{number}"))),
        src_consumer: Some(SrcConsumerId::parse("digital-consumer").unwrap()),
    }
}

/// Record of a card that a batch enrolled.
pub(crate) fn digital_card(number: usize, batch: &Batch) -> DigitalCard {
    DigitalCard {
        client: client_id(),
        card: card(number),
        consumer: consumer(1),
        src_digital_card: digital_card_id(&format!("digital-{number}-{}", batch.external_id.as_str())),
        src_consumer: Some(SrcConsumerId::parse("digital-consumer").unwrap()),
        src_client_id: batch.issuer.src_client_id.clone(),
        service_id: batch.issuer.service_id.clone(),
        flow: None,
        batch: batch.id,
        batch_accepted_at: batch.accepted_at,
        enrolled_at: batch.accepted_at,
        state: DigitalCardState::Enrolled,
        superseded: Vec::new(),
    }
}
