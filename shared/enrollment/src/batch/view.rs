//! JSON about a batch: the answer of GET, and the confirmation's body.

use serde::Serialize;

use super::result::{BatchResult, CardResult, Counts, RetryAdvice};
use super::{Batch, BatchReason, Profile};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    batch_id: String,
    external_batch_id: &'a str,
    status: &'static str,
    stage: &'static str,
    accepted_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(flatten)]
    counts: Option<Counts>,
    profiles: Vec<ProfileView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProfileView<'a> {
    external_consumer_id: &'a str,
    cards: Vec<CardView<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CardView<'a> {
    external_card_id: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sibling: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Acceptance<'a> {
    batch_id: String,
    external_batch_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ConfirmationBody<'a> {
    status: &'static str,
    batch_id: String,
    external_batch_id: &'a str,
    #[serde(flatten)]
    counts: Counts,
}

/// `{batchId, externalBatchId}`.
pub(super) fn acceptance(batch: &Batch) -> String {
    json(&Acceptance {
        batch_id: batch.id.to_hex(),
        external_batch_id: batch.external_id.as_str(),
    })
}

/// `{status, batchId, externalBatchId, accepted, failed, unknown}`.
pub(super) fn confirmation(batch: &Batch, result: &BatchResult) -> String {
    json(&ConfirmationBody {
        status: result.status.as_str(),
        batch_id: batch.id.to_hex(),
        external_batch_id: batch.external_id.as_str(),
        counts: result.counts(),
    })
}

/// Status, counts, and each card with its result; without results as long as the batch is in progress.
pub(super) fn of(batch: &Batch) -> String {
    let result = batch.result();
    let mut cards = result.map(|result| result.cards.iter());
    let profiles = batch
        .manifest
        .profiles
        .iter()
        .map(|profile| profile_view(profile, &mut cards))
        .collect();
    json(&View {
        batch_id: batch.id.to_hex(),
        external_batch_id: batch.external_id.as_str(),
        status: result.map_or("IN_PROGRESS", |result| result.status.as_str()),
        stage: batch.stage.as_str(),
        accepted_at: seconds(batch.accepted_at),
        finished_at: result.map(|result| seconds(result.at)),
        reason: result.and_then(|result| result.reason.as_ref().map(BatchReason::as_str)),
        counts: result.map(BatchResult::counts),
        profiles,
    })
}

fn profile_view<'a>(
    profile: &'a Profile,
    results: &mut Option<std::slice::Iter<'a, CardResult>>,
) -> ProfileView<'a> {
    let cards = profile.cards.iter().map(|card| {
        let result = results.as_mut().and_then(Iterator::next);
        card_view(card.as_str(), result, results.is_some())
    });
    ProfileView {
        external_consumer_id: profile.consumer.as_str(),
        cards: cards.collect(),
    }
}

fn card_view<'a>(external_card_id: &'a str, result: Option<&'a CardResult>, is_final: bool) -> CardView<'a> {
    let mut view = CardView {
        external_card_id,
        status: "pending",
        reason: None,
        retry: None,
        retry_after: None,
        sibling: None,
    };
    match result {
        None if !is_final => {}
        Some(CardResult::Accepted { .. }) => view.status = "accepted",
        Some(CardResult::Failed {
            reason,
            retry,
            sibling,
        }) => {
            view.status = "failed";
            view.reason = Some(reason.as_str());
            view.sibling = sibling.as_ref().map(super::ExternalCardId::as_str);
            view.retry = Some(match retry {
                RetryAdvice::Never => "never",
                RetryAdvice::Now => "now",
                RetryAdvice::After(date) => {
                    view.retry_after = Some(date.to_string());
                    "after"
                }
            });
        }
        Some(CardResult::Unknown) | None => view.status = "unknown",
    }
    view
}

/// RFC 3339 in whole seconds.
fn seconds(time: jiff::Timestamp) -> String {
    jiff::Timestamp::from_second(time.as_second())
        .unwrap_or(time)
        .to_string()
}

fn json(view: &impl Serialize) -> String {
    // A structure of texts and numbers has no way to fail to serialize.
    serde_json::to_string(view).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::batch::{BatchStage, ExternalCardId, ExternalConsumerId, ReasonCode};
    use crate::status::Status;
    use crate::testing;

    const PROFILES: &[(&str, &[&str])] = &[("p1", &["a", "b"]), ("p2", &["c", "d"])];

    fn ended() -> Batch {
        let failed = |reason: &str, retry, sibling: Option<&str>| CardResult::Failed {
            reason: ReasonCode::of(reason),
            retry,
            sibling: sibling.map(|card| ExternalCardId::parse(card).unwrap()),
        };
        let after = RetryAdvice::After("2027-02-28".parse().unwrap());
        let mut batch = testing::batch(PROFILES);
        batch.stage = BatchStage::Final(BatchResult {
            status: Status::ErrorBatch,
            reason: Some(BatchReason::NotAccountedFor),
            cards: vec![
                failed("PAN_INELIGIBLE", after, None),
                failed("PROFILE_INCOMPLETE", RetryAdvice::Now, Some("a")),
                CardResult::Accepted {
                    src_digital_card: None,
                    src_consumer: None,
                },
                CardResult::Unknown,
            ],
            at: "2026-11-30T10:00:00.5Z".parse().unwrap(),
            has_content: true,
            submission: None,
        });
        batch
    }

    fn parsed(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn batch_in_progress_has_no_results() {
        let batch = testing::batch(&[("p1", &["a"])]);
        let expected = json!({
            "batchId": batch.id.to_hex(), "externalBatchId": "batch-1", "status": "IN_PROGRESS",
            "stage": "accepted", "acceptedAt": "1970-01-01T00:00:00Z",
            "profiles": [{"externalConsumerId": "p1", "cards": [{"externalCardId": "a", "status": "pending"}]}]
        });
        assert_eq!(parsed(&batch.to_json()), expected);
        let accepted = json!({"batchId": batch.id.to_hex(), "externalBatchId": "batch-1"});
        assert_eq!(parsed(&batch.acceptance_json()), accepted);
        assert_eq!(batch.confirmation(), None);
    }

    #[test]
    fn results_have_reason_and_advice() {
        let batch = ended();
        let expected = json!({
            "batchId": batch.id.to_hex(), "externalBatchId": "batch-1", "status": "ERROR_BATCH",
            "stage": "final", "acceptedAt": "1970-01-01T00:00:00Z", "finishedAt": "2026-11-30T10:00:00Z",
            "reason": "NOT_ACCOUNTED_FOR", "accepted": 1, "failed": 2, "unknown": 1,
            "profiles": [
                {"externalConsumerId": "p1", "cards": [
                    {"externalCardId": "a", "status": "failed", "reason": "PAN_INELIGIBLE", "retry": "after",
                     "retryAfter": "2027-02-28"},
                    {"externalCardId": "b", "status": "failed", "reason": "PROFILE_INCOMPLETE", "retry": "now",
                     "sibling": "a"}
                ]},
                {"externalConsumerId": "p2", "cards": [
                    {"externalCardId": "c", "status": "accepted"},
                    {"externalCardId": "d", "status": "unknown"}
                ]}
            ]
        });
        assert_eq!(parsed(&batch.to_json()), expected);
    }

    #[test]
    fn confirmation_counts_the_cards() {
        let batch = ended();
        let confirmation = batch.confirmation().unwrap();
        let id = batch.id.to_hex();
        assert_eq!(
            confirmation.body,
            format!(
                r#"{{"status":"ERROR_BATCH","batchId":"{id}","externalBatchId":"batch-1","accepted":1,"failed":2,"unknown":1}}"#
            )
        );
        let mut later = batch.clone();
        later.accepted_at = "2027-01-01T00:00:00Z".parse().unwrap();
        assert_ne!(
            later.confirmation().unwrap().id,
            confirmation.id,
            "another batch under a used id"
        );
        let silent = Batch {
            confirmation_url: None,
            ..batch
        };
        assert_eq!(silent.confirmation(), None);
    }

    #[test]
    fn consumer_is_taken_out_with_its_cards() {
        let rest = ended().without(&ExternalConsumerId::parse("p1").unwrap());
        let json = rest.to_json();
        assert!(!json.contains("p1") && !json.contains("PAN_INELIGIBLE"), "{json}");
        assert_eq!(parsed(&json)["profiles"][0]["cards"][0]["status"], "accepted");
        assert_eq!(rest.result().unwrap().cards.len(), 2);
    }
}
