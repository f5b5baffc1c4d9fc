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
