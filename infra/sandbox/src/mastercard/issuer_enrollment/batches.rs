//! The batches that were submitted, and the cards that came of them.

use std::collections::HashMap;
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use serde::Serialize;
use tokio::time::Instant;

use crate::faults::ServiceError;

/// Most batches that are kept; the oldest go first.
const MAX_BATCHES: usize = 20_000;

/// All that the stand-in keeps.
#[derive(Default)]
pub(super) struct Batches {
    by_id: HashMap<String, Batch>,
    /// Ids in the order of arrival.
    order: Vec<String>,
    /// Batch by issuer and the issuer's id.
    ///
    /// **Assumption** that the product relies on when an answer was lost: an issuer's `externalBatchId` names one batch for
    /// good. The same content gets the same answer, other content is refused.
    by_external_id: HashMap<(String, String), String>,
    cards: HashMap<String, DigitalCard>,
    calls: (u64, u32),
}

/// One batch.
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
pub(super) struct Batch {
    pub(super) batch_id: String,
    pub(super) external_batch_id: String,
    pub(super) src_client_id: String,
    pub(super) flow_id: String,
    pub(super) digest: [u8; 32],
    pub(super) started: Instant,
    pub(super) started_at: String,
    pub(super) ready: Instant,
    pub(super) submissions: u32,
    pub(super) polls: u32,
    pub(super) records: Vec<Record>,
}

/// Result of one card.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) external_consumer_id: String,
    pub(super) external_card_id: String,
    pub(super) last_four: String,
    pub(super) src_digital_card_id: Option<String>,
    pub(super) src_consumer_id: Option<String>,
    pub(super) outcome: Outcome,
    pub(super) company: Company,
}

/// Records beside this one in the final answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Company {
    Nothing,
    /// The same record again.
    Itself,
    /// The record of a card that nobody sent.
    Foreign,
}

/// Statement of the final answer about a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    Failure(Option<ServiceError>),
    LeftOut,
    Unstated,
    Contradictory(ServiceError),
}

/// Card in a consumer's profile.
struct DigitalCard {
    src_client_id: String,
    external_card_id: String,
    is_deleted: bool,
    deletions: u32,
}

/// A batch as the admin listener shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BatchView {
    batch_id: String,
    external_batch_id: String,
    src_client_id: String,
    /// Number of submissions, repeats included.
    submissions: u32,
    /// Number of status requests.
    polls: u32,
    is_final: bool,
    cards: Vec<RecordView>,
}

/// A record as the admin listener shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecordView {
    external_consumer_id: String,
    external_card_id: String,
    last4: String,
    src_digital_card_id: Option<String>,
    outcome: &'static str,
}

/// A digital card as the admin listener shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CardView {
    src_digital_card_id: String,
    src_client_id: String,
    external_card_id: String,
    is_deleted: bool,
    /// Number of deletions that were asked for.
    deletions: u32,
}

/// Result of asking for a deletion.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Deletion {
    Done,
    NotFound,
}

impl Batches {
    pub(super) fn get_mut(&mut self, batch_id: &str) -> Option<&mut Batch> {
        self.by_id.get_mut(batch_id)
    }

    pub(super) fn by_external_id(
        &mut self,
        src_client_id: &str,
        external_batch_id: &str,
    ) -> Option<&mut Batch> {
        let key = (src_client_id.to_owned(), external_batch_id.to_owned());
        let id = self.by_external_id.get(&key)?;
        self.by_id.get_mut(id)
    }

    pub(super) fn add(&mut self, batch: Batch) {
        if self.order.len() >= MAX_BATCHES {
            let oldest = self.order.remove(0);
            if let Some(batch) = self.by_id.remove(&oldest) {
                self.by_external_id
                    .remove(&(batch.src_client_id, batch.external_batch_id));
            }
        }
        for record in &batch.records {
            if let Some(id) = &record.src_digital_card_id {
                self.cards.insert(
                    id.clone(),
                    DigitalCard {
                        src_client_id: batch.src_client_id.clone(),
                        external_card_id: record.external_card_id.clone(),
                        is_deleted: false,
                        deletions: 0,
                    },
                );
            }
        }
        let key = (batch.src_client_id.clone(), batch.external_batch_id.clone());
        self.by_external_id.insert(key, batch.batch_id.clone());
        self.order.push(batch.batch_id.clone());
        self.by_id.insert(batch.batch_id.clone(), batch);
    }

    pub(super) fn delete_card(&mut self, src_client_id: &str, id: &str) -> Deletion {
        match self
            .cards
            .get_mut(id)
            .filter(|card| card.src_client_id == src_client_id)
        {
            None => Deletion::NotFound,
            Some(card) => {
                card.deletions += 1;
                if std::mem::replace(&mut card.is_deleted, true) {
                    Deletion::NotFound
                } else {
                    Deletion::Done
                }
            }
        }
    }

    pub(super) fn external_card_id(&self, id: &str) -> Option<&str> {
        self.cards.get(id).map(|card| card.external_card_id.as_str())
    }

    /// Counts a call of this second; whether it is one too many.
    pub(super) fn is_over(&mut self, second: u64, limit: u32) -> bool {
        if self.calls.0 != second {
            self.calls = (second, 0);
        }
        self.calls.1 += 1;
        limit > 0 && self.calls.1 > limit
    }

    pub(super) fn finish(&mut self) {
        let now = Instant::now();
        for batch in self.by_id.values_mut() {
            batch.ready = batch.ready.min(now);
        }
    }

    pub(super) fn views(&self) -> Vec<BatchView> {
        let batches = self.order.iter().filter_map(|id| self.by_id.get(id));
        batches.map(Batch::view).collect()
    }

    pub(super) fn card_views(&self) -> Vec<CardView> {
        let mut views: Vec<CardView> = self
            .cards
            .iter()
            .map(|(id, card)| CardView {
                src_digital_card_id: id.clone(),
                src_client_id: card.src_client_id.clone(),
                external_card_id: card.external_card_id.clone(),
                is_deleted: card.is_deleted,
                deletions: card.deletions,
            })
            .collect();
        views.sort_by(|one, other| one.src_digital_card_id.cmp(&other.src_digital_card_id));
        views
    }
}

impl Batch {
    pub(super) fn is_final(&self) -> bool {
        Instant::now() >= self.ready
    }

    pub(super) fn worked(&self) -> Duration {
        self.ready.duration_since(self.started)
    }

    fn view(&self) -> BatchView {
        let cards = self.records.iter().map(|record| RecordView {
            external_consumer_id: record.external_consumer_id.clone(),
            external_card_id: record.external_card_id.clone(),
            last4: record.last_four.clone(),
            src_digital_card_id: record.src_digital_card_id.clone(),
            outcome: match record.outcome {
                Outcome::Success => "success",
                Outcome::Failure(_) => "failure",
                Outcome::LeftOut | Outcome::Unstated | Outcome::Contradictory(_) => "unknown",
            },
        });
        BatchView {
            batch_id: self.batch_id.clone(),
            external_batch_id: self.external_batch_id.clone(),
            src_client_id: self.src_client_id.clone(),
            submissions: self.submissions,
            polls: self.polls,
            is_final: self.is_final(),
            cards: cards.collect(),
        }
    }
}

/// A random UUID.
pub(super) fn uuid() -> String {
    let mut bytes = [0; 16];
    // Zeros would be told apart by nobody; the generator does not fail on this machine.
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let groups = [
        &bytes[..4],
        &bytes[4..6],
        &bytes[6..8],
        &bytes[8..10],
        &bytes[10..],
    ];
    groups.map(hex::encode).join("-")
}

/// A flow id in the form of the sibling specification's example.
pub(super) fn flow_id() -> String {
    let id = uuid();
    format!("{}.{id}", &id[..8]).to_uppercase()
}

/// A digital card's id in the form of the sibling specification's example: 22 characters, zeros, a region.
pub(super) fn digital_card_id() -> String {
    format!("{}000000000000US", &uuid().replace('-', "")[..22])
}
