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

/// Result of a batch by its final answer.
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
    let has_own_reason = |outcome: &ItemOutcome| {
        let ItemOutcome::Failed { reason, .. } = outcome else {
            return false;
        };
        reason
            .as_ref()
            .is_some_and(|reason| *reason != ReasonCode::profile_incomplete())
    };
    let culprit = profile
        .cards
        .iter()
        .find(|card| matches!(records.get(card), Record::Told(outcome) if has_own_reason(outcome)));
    let culprit = culprit.filter(|_| is_immediate);
    let fallen = |sibling: &ExternalCardId| CardResult::Failed {
        reason: ReasonCode::profile_incomplete(),
        retry: RetryAdvice::Now,
        sibling: Some(sibling.clone()),
    };
    let result = |card: &ExternalCardId| match (records.get(card), culprit) {
        (Record::Told(outcome @ ItemOutcome::Failed { .. }), Some(sibling)) if !has_own_reason(outcome) => {
            fallen(sibling)
        }
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::batch::{AnswerItem, Counts, SrcDigitalCardId};
    use crate::testing;

    const PROFILES: &[(&str, &[&str])] = &[("p1", &["a", "b"]), ("p2", &["c"])];

    fn item(card: &str, outcome: ItemOutcome) -> AnswerItem {
        AnswerItem {
            card: Some(card.to_owned()),
            outcome,
        }
    }

    fn enrolled(card: &str) -> AnswerItem {
        let src_digital_card = SrcDigitalCardId::parse(&format!("src-{card}")).ok();
        item(
            card,
            ItemOutcome::Succeeded {
                src_digital_card,
                src_consumer: None,
            },
        )
    }

    fn without_id(card: &str) -> AnswerItem {
        item(
            card,
            ItemOutcome::Succeeded {
                src_digital_card: None,
                src_consumer: None,
            },
        )
    }

    fn failed(card: &str, reason: Option<&str>) -> AnswerItem {
        item(
            card,
            ItemOutcome::Failed {
                reason: reason.map(ReasonCode::of),
                http_status: None,
            },
        )
    }

    fn evaluated(mode: Tokenization, status: AnswerStatus, items: Vec<AnswerItem>) -> Evaluation {
        let mut batch = testing::batch(PROFILES);
        batch.issuer.tokenization = mode;
        let answer = BatchAnswer {
            status,
            items,
            flow: None,
        };
        evaluate(&batch, &answer, Timestamp::UNIX_EPOCH).unwrap()
    }

    /// Each card as a word: its reason, or what it is.
    fn words(evaluation: &Evaluation) -> Vec<String> {
        let word = |card: &CardResult| match card {
            CardResult::Accepted { src_digital_card, .. } => src_digital_card
                .as_ref()
                .map_or("accepted", |id| id.expose())
                .to_owned(),
            CardResult::Failed { reason, sibling, .. } => match sibling {
                Some(sibling) => format!("{reason} {}", sibling.as_str()),
                None => reason.to_string(),
            },
            CardResult::Unknown => "unknown".to_owned(),
        };
        evaluation.result.cards.iter().map(word).collect()
    }

    fn immediate(items: Vec<AnswerItem>) -> Evaluation {
        evaluated(Tokenization::Immediate, AnswerStatus::Completed, items)
    }

    #[test]
    fn results_follow_the_manifest_whatever_the_order() {
        let told = immediate(vec![
            failed("c", Some("PAN_INELIGIBLE")),
            enrolled("b"),
            enrolled("a"),
        ]);
        assert_eq!(words(&told), ["src-a", "src-b", "PAN_INELIGIBLE"]);
        assert_eq!(
            told.result.status,
            Status::SuccessBatch,
            "failures are final answers"
        );
        assert_eq!(told.result.reason, None);
        let counts = Counts {
            accepted: 2,
            failed: 1,
            unknown: 0,
        };
        assert_eq!(told.result.counts(), counts);
    }

    #[test]
    fn card_falls_with_its_profile() {
        for fallen in [
            failed("b", None),
            failed("b", Some("PROFILE_INCOMPLETE")),
            without_id("b"),
        ] {
            let told = immediate(vec![failed("a", Some("ISSUER_DECLINED")), fallen, enrolled("c")]);
            assert_eq!(words(&told), ["ISSUER_DECLINED", "PROFILE_INCOMPLETE a", "src-c"]);
            assert_eq!(told.result.status, Status::SuccessBatch);
            let CardResult::Failed { retry, .. } = &told.result.cards[1] else {
                panic!("it failed");
            };
            assert_eq!(*retry, RetryAdvice::Now);
        }
    }

    #[test]
    fn card_falls_with_its_profile_in_immediate_mode_alone() {
        for mode in [Tokenization::AtFirstCheckout, Tokenization::PreProvisioned] {
            let items = vec![
                failed("a", Some("ISSUER_DECLINED")),
                failed("b", None),
                without_id("c"),
            ];
            let told = evaluated(mode, AnswerStatus::Completed, items);
            assert_eq!(words(&told), ["ISSUER_DECLINED", "UNSPECIFIED", "accepted"]);
            assert_eq!(told.result.status, Status::SuccessBatch);
        }
    }

    #[test]
    fn own_reason_or_id_outranks_the_profile() {
        let items = vec![
            failed("a", Some("ISSUER_DECLINED")),
            failed("b", Some("SUSPENDED_CARD")),
            enrolled("c"),
        ];
        assert_eq!(
            words(&immediate(items)),
            ["ISSUER_DECLINED", "SUSPENDED_CARD", "src-c"]
        );
        let items = vec![failed("a", Some("ISSUER_DECLINED")), enrolled("b"), enrolled("c")];
        assert_eq!(words(&immediate(items)), ["ISSUER_DECLINED", "src-b", "src-c"]);
    }

    #[test]
    fn unclear_card_is_unknown() {
        let cases = [
            (vec![enrolled("a"), enrolled("c")], "left out"),
            (
                vec![enrolled("a"), item("b", ItemOutcome::Unknown), enrolled("c")],
                "no status",
            ),
            (
                vec![enrolled("a"), without_id("b"), enrolled("c")],
                "tokenized without an id",
            ),
            (
                vec![enrolled("a"), enrolled("b"), failed("b", None), enrolled("c")],
                "contradictory",
            ),
        ];
        for (items, case) in cases {
            let told = immediate(items);
            assert_eq!(words(&told), ["src-a", "unknown", "src-c"], "{case}");
            assert_eq!(told.result.status, Status::ErrorBatch, "{case}");
            assert_eq!(told.result.reason, Some(BatchReason::NotAccountedFor), "{case}");
        }
    }

    #[test]
    fn card_left_out_beside_a_failed_one_is_unknown() {
        let told = immediate(vec![failed("a", Some("ISSUER_DECLINED")), enrolled("c")]);
        assert_eq!(words(&told), ["ISSUER_DECLINED", "unknown", "src-c"]);
    }

    #[test]
    fn same_record_twice_counts_once() {
        let told = immediate(vec![enrolled("a"), enrolled("b"), enrolled("b"), enrolled("c")]);
        assert_eq!(told.result.status, Status::SuccessBatch);
        assert_eq!(told.foreign_ids, 0);
    }

    #[test]
    fn foreign_id_is_counted_and_makes_an_error() {
        let nameless = AnswerItem {
            card: None,
            outcome: ItemOutcome::Unknown,
        };
        let told = immediate(vec![
            enrolled("a"),
            enrolled("b"),
            enrolled("c"),
            enrolled("d"),
            nameless,
        ]);
        assert_eq!(words(&told), ["src-a", "src-b", "src-c"]);
        assert_eq!(told.foreign_ids, 2);
        assert_eq!(told.result.status, Status::ErrorBatch);
        assert_eq!(told.result.reason, Some(BatchReason::NotAccountedFor));
    }

    #[test]
    fn refusal_of_the_batch_is_the_reason_of_each_card() {
        let status = AnswerStatus::Failed {
            reason: ReasonCode::of("UNAVAILABLE"),
            http_status: None,
        };
        let told = evaluated(Tokenization::Immediate, status, vec![enrolled("a")]);
        assert_eq!(words(&told), ["src-a", "UNAVAILABLE", "UNAVAILABLE"]);
        assert_eq!(told.result.status, Status::ErrorBatch);
        assert_eq!(
            told.result.reason,
            Some(BatchReason::Refused(ReasonCode::of("UNAVAILABLE")))
        );
    }

    #[test]
    fn answer_that_is_not_final_gives_nothing() {
        let batch = testing::batch(PROFILES);
        for status in [AnswerStatus::InProgress, AnswerStatus::Unknown] {
            let answer = BatchAnswer {
                status,
                items: vec![enrolled("a"), enrolled("b"), enrolled("c")],
                flow: None,
            };
            assert_eq!(evaluate(&batch, &answer, Timestamp::UNIX_EPOCH), None);
        }
        let empty = immediate(Vec::new());
        assert_eq!(words(&empty), ["unknown", "unknown", "unknown"]);
        assert_eq!(empty.result.status, Status::ErrorBatch);
    }
}
