//! Evaluation of a final answer: what it says about each card of a batch.

use std::collections::HashMap;

use jiff::Timestamp;

use super::answer::{AnswerStatus, BatchAnswer, ItemOutcome};
use super::foreign::ReasonCode;
use super::identifiers::ExternalCardId;
use super::reasons::retry_advice;
use super::result::{BatchReason, BatchResult, CardResult, RetryAdvice};
use super::{Batch, Profile};
use crate::client::Tokenization;
use crate::status::Status;

/// What follows from a final answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Result of the batch.
    pub result: BatchResult,
    /// Records of the answer that name no card of the batch.
    pub foreign_ids: usize,
}

/// Evaluates an answer; `None` where it is not final. What an answer does not say is not known:
///
/// - a card that is left out, or about which two records disagree, is unknown;
/// - a card that succeeded is accepted, except that in the mode `immediate` it must have its `srcDigitalCardId`;
/// - in the mode `immediate` a card that failed without a reason of its own, or succeeded without an id, beside a card of the
///   same profile that failed of itself, fell with its profile;
/// - where the batch failed as a whole, what no record tells of has failed with it.
pub fn evaluate(batch: &Batch, answer: &BatchAnswer, now: Timestamp) -> Option<Evaluation> {
    let whole = match &answer.status {
        AnswerStatus::InProgress | AnswerStatus::Unknown => return None,
        AnswerStatus::Completed => None,
        AnswerStatus::Failed { reason, http_status } => {
            Some((reason, retry_advice(reason, *http_status, now)))
        }
    };
    let records = Records::of(batch, answer);
    let mut cards = Vec::with_capacity(batch.manifest.card_count());
    for profile in &batch.manifest.profiles {
        cards.extend(of_profile(
            batch.issuer.tokenization,
            profile,
            &records,
            whole,
            now,
        ));
    }
    let is_accounted_for =
        records.foreign == 0 && !cards.iter().any(|card| matches!(card, CardResult::Unknown));
    let reason = match whole {
        Some((reason, _)) => Some(BatchReason::Refused(reason.clone())),
        None => (!is_accounted_for).then_some(BatchReason::NotAccountedFor),
    };
    Some(Evaluation {
        result: BatchResult {
            status: if reason.is_none() {
                Status::SuccessBatch
            } else {
                Status::ErrorBatch
            },
            reason,
            cards,
            at: now,
            has_content: true,
            submission: batch.submission().cloned(),
        },
        foreign_ids: records.foreign,
    })
}

/// Records of an answer by card. `None` where two records of a card disagree.
struct Records<'a> {
    by_card: HashMap<&'a str, Option<&'a ItemOutcome>>,
    foreign: usize,
}

impl<'a> Records<'a> {
    fn of(batch: &'a Batch, answer: &'a BatchAnswer) -> Self {
        let mut by_card: HashMap<&str, Option<&ItemOutcome>> = HashMap::new();
        let ours: std::collections::HashSet<&str> =
            batch.manifest.cards().map(|(_, card)| card.as_str()).collect();
        let mut foreign = 0;
        for item in &answer.items {
            match item.card.as_deref().filter(|card| ours.contains(card)) {
                None => foreign += 1,
                Some(card) => {
                    by_card
                        .entry(card)
                        .and_modify(|first| {
                            if *first != Some(&item.outcome) {
                                *first = None;
                            }
                        })
                        .or_insert(Some(&item.outcome));
                }
            }
        }
        Self { by_card, foreign }
    }

    fn get(&self, card: &ExternalCardId) -> Record<'a> {
        match self.by_card.get(card.as_str()) {
            None => Record::Missing,
            Some(None) => Record::Contradictory,
            Some(Some(outcome)) => Record::Told(outcome),
        }
    }
}

#[derive(Clone, Copy)]
enum Record<'a> {
    Missing,
    Contradictory,
    Told(&'a ItemOutcome),
}

fn of_profile(
    mode: Tokenization,
    profile: &Profile,
    records: &Records<'_>,
    whole: Option<(&ReasonCode, RetryAdvice)>,
    now: Timestamp,
) -> Vec<CardResult> {
    let is_immediate = mode == Tokenization::Immediate;
    let culprit = profile.cards.iter().find(|card| {
        matches!(
            records.get(card),
            Record::Told(ItemOutcome::Failed { reason: Some(_), .. })
        )
    });
    let culprit = culprit.filter(|_| is_immediate);
    let fallen = |sibling: &ExternalCardId| CardResult::Failed {
        reason: ReasonCode::profile_incomplete(),
        retry: RetryAdvice::Now,
        sibling: Some(sibling.clone()),
    };
    let result = |card: &ExternalCardId| match (records.get(card), culprit) {
        (Record::Told(ItemOutcome::Failed { reason: None, .. }), Some(sibling)) => fallen(sibling),
        (
            Record::Told(ItemOutcome::Succeeded {
                src_digital_card: None,
                ..
            }),
            sibling,
        ) if is_immediate => sibling.map_or(CardResult::Unknown, fallen),
        (
            Record::Told(ItemOutcome::Succeeded {
                src_digital_card,
                src_consumer,
            }),
            _,
        ) => CardResult::Accepted {
            src_digital_card: src_digital_card.clone(),
            src_consumer: src_consumer.clone(),
        },
        (Record::Told(ItemOutcome::Failed { reason, http_status }), _) => {
            let reason = reason.clone().unwrap_or_else(ReasonCode::unspecified);
            CardResult::Failed {
                retry: retry_advice(&reason, *http_status, now),
                reason,
                sibling: None,
            }
        }
        (Record::Missing | Record::Told(ItemOutcome::Unknown), _) => match whole {
            Some((reason, retry)) => CardResult::Failed {
                reason: reason.clone(),
                retry,
                sibling: None,
            },
            None => CardResult::Unknown,
        },
        (Record::Contradictory, _) => CardResult::Unknown,
    };
    profile.cards.iter().map(result).collect()
}
