//! A batch as an item, and back.

use aws_sdk_dynamodb::types::AttributeValue;
use enrollment::batch::{
    Batch, BatchId, BatchReason, BatchResult, BatchStage, BatchWork, BodyHash, ExternalBatchId, FlowId,
    MastercardBatchId, Submission,
};
use enrollment::identifiers::{ClientId, IncidentId};
use enrollment::ports::StoreError;
use enrollment::status::Status;
use serde::Serialize;
use url::Url;

use super::primary_key;
use crate::tables::due_index::Kind;
use crate::tables::item::{self, Fields, Item, Written};
use crate::tables::sealing::Sealing;
use crate::tables::update::ItemUpdate;
use crate::vault::{Purpose, Vault};

/// Values of `stage`.
const ACCEPTED: &str = "accepted";
const SUBMITTING: &str = "submitting";
const SUBMITTED: &str = "submitted";
pub(super) const FINAL: &str = "final";

/// Item of a new batch, which is due at once.
pub(super) async fn written(
    vault: &Vault,
    operation: &'static str,
    batch: &Batch,
    ticket: &str,
) -> Result<Item, StoreError> {
    let pk = primary_key(batch.id);
    let sealing = sealing(vault, operation, &batch.client, &pk);
    let url = batch.confirmation_url.as_ref().map(Url::as_str);
    let item = Written::new(&pk)
        .text("client", batch.client.as_str())
        .text("external_id", batch.external_id.as_str())
        .text("body_hash", batch.body_hash.to_hex())
        .text("issuer", json(operation, &batch.issuer)?)
        .text("incident", batch.incident.as_str())
        .millis("accepted_at", batch.accepted_at)
        .set(
            "manifest",
            sealing
                .seal("manifest", &json(operation, &batch.manifest)?)
                .await?,
        )
        .set_optional(
            "confirmation_url",
            sealing.seal_optional("confirmation_url", url).await?,
        )
        .text("stage", ACCEPTED)
        .text("work", BatchWork::Submit.as_str())
        .set("agenda", Kind::DueBatch.of(&pk))
        .millis("agenda_at", batch.accepted_at)
        .millis("due_since", batch.accepted_at)
        .text("ticket", ticket);
    Ok(item.into_item())
}

/// Batch of an item.
pub(super) async fn read(vault: &Vault, id: BatchId, fields: &Fields) -> Result<Batch, StoreError> {
    let pk = primary_key(id);
    let client = fields.parsed("client", ClientId::parse)?;
    let sealing = sealing(vault, fields.operation(), &client, &pk);
    Ok(Batch {
        id,
        external_id: fields.parsed("external_id", ExternalBatchId::parse)?,
        body_hash: fields.parsed("body_hash", BodyHash::from_hex)?,
        manifest: sealing
            .open(fields, "manifest", |json| serde_json::from_str(json))
            .await?,
        confirmation_url: sealing
            .open_optional(fields, "confirmation_url", Url::parse)
            .await?,
        issuer: fields.parsed("issuer", |json| serde_json::from_str(json))?,
        incident: fields.parsed("incident", IncidentId::parse)?,
        accepted_at: fields.time("accepted_at")?,
        stage: stage(&sealing, fields).await?,
        client: client.clone(),
    })
}

async fn stage(sealing: &Sealing<'_>, fields: &Fields) -> Result<BatchStage, StoreError> {
    Ok(match fields.text("stage")? {
        ACCEPTED => BatchStage::Accepted,
        SUBMITTING => BatchStage::Submitting {
            attempts: fields.number("attempts")?,
            has_unanswered_call: fields.flag("has_unanswered_call")?,
            flow: fields.optional_parsed("flow", FlowId::parse)?,
        },
        SUBMITTED => match submission(fields)? {
            Some(submission) => BatchStage::Submitted(submission),
            None => return Err(fields.unreadable("a submitted batch without an acknowledgment".into())),
        },
        FINAL => BatchStage::Final(BatchResult {
            status: fields.parsed("status", |text| {
                Status::from_text(text).ok_or("a status that this release does not know")
            })?,
            reason: fields.optional_parsed("reason", |json| serde_json::from_str::<BatchReason>(json))?,
            cards: sealing
                .open(fields, "results", |json| serde_json::from_str(json))
                .await?,
            at: fields.time("ended_at")?,
            has_content: fields.flag("has_content")?,
            submission: submission(fields)?,
        }),
        _ => return Err(fields.unreadable("a stage that this release does not know".into())),
    })
}

fn submission(fields: &Fields) -> Result<Option<Submission>, StoreError> {
    let Some(batch) = fields.optional_parsed("mastercard_batch", MastercardBatchId::parse)? else {
        return Ok(None);
    };
    Ok(Some(Submission {
        batch,
        flow: fields.optional_parsed("flow", FlowId::parse)?,
        at: fields.time("submitted_at")?,
        polls: fields.number("polls")?,
    }))
}

/// Adds a stage to an update; `None` for a final one.
pub(super) fn set_stage(update: ItemUpdate, stage: &BatchStage) -> Option<ItemUpdate> {
    let (update, name) = match stage {
        BatchStage::Accepted => (update, ACCEPTED),
        BatchStage::Submitting {
            attempts,
            has_unanswered_call,
            flow,
        } => {
            let update = set_flow(update, flow.as_ref())
                .set("attempts = :attempts, has_unanswered_call = :unanswered")
                .value(":attempts", item::number(*attempts))
                .value(":unanswered", item::flag(*has_unanswered_call));
            (update, SUBMITTING)
        }
        BatchStage::Submitted(submission) => (set_submission(update, submission), SUBMITTED),
        BatchStage::Final(_) => return None,
    };
    let work = stage.work()?;
    Some(
        update
            .set("#stage = :stage, #work = :work")
            .value(":stage", item::text(name))
            .value(":work", item::text(work.as_str())),
    )
}

fn set_submission(update: ItemUpdate, submission: &Submission) -> ItemUpdate {
    let update = update
        .set("mastercard_batch = :batch, submitted_at = :submitted_at, polls = :polls")
        .value(":batch", item::text(submission.batch.expose()))
        .value(":submitted_at", item::millis(submission.at))
        .value(":polls", item::number(submission.polls));
    set_flow(update, submission.flow.as_ref())
}

fn set_flow(update: ItemUpdate, flow: Option<&FlowId>) -> ItemUpdate {
    match flow {
        Some(flow) => update
            .set("flow = :flow")
            .value(":flow", item::text(flow.expose())),
        None => update.remove("flow"),
    }
}

/// Adds the end of a batch to an update.
pub(super) async fn set_end(
    vault: &Vault,
    operation: &'static str,
    update: ItemUpdate,
    batch: &Batch,
    result: &BatchResult,
) -> Result<ItemUpdate, StoreError> {
    let pk = primary_key(batch.id);
    let sealing = sealing(vault, operation, &batch.client, &pk);
    let results = sealing.seal("results", &json(operation, &result.cards)?).await?;
    let mut update = match &result.submission {
        Some(submission) => set_submission(update, submission),
        None => update,
    }
    .set("#stage = :final, #status = :status, results = :results, ended_at = :ended_at")
    .set("has_content = :has_content")
    .value(":status", item::text(result.status.as_str()))
    .value(":results", results)
    .value(":ended_at", item::millis(result.at))
    .value(":has_content", item::flag(result.has_content));
    if let Some(reason) = &result.reason {
        update = update
            .set("reason = :reason")
            .value(":reason", item::text(json(operation, reason)?));
    }
    if let Some(confirmation) = batch.confirmation() {
        update = update
            .set("confirmation = :confirmation")
            .value(":confirmation", item::text(confirmation.id.as_str()));
    }
    Ok(update)
}

/// Sealed manifest and results of a final batch.
pub(super) async fn resealed(
    vault: &Vault,
    operation: &'static str,
    batch: &Batch,
    result: &BatchResult,
) -> Result<(AttributeValue, AttributeValue), StoreError> {
    let pk = primary_key(batch.id);
    let sealing = sealing(vault, operation, &batch.client, &pk);
    let manifest = sealing
        .seal("manifest", &json(operation, &batch.manifest)?)
        .await?;
    let results = sealing.seal("results", &json(operation, &result.cards)?).await?;
    Ok((manifest, results))
}

fn json(operation: &'static str, value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|_| StoreError::unavailable(operation, "it can't be written as JSON"))
}

pub(super) fn sealing<'a>(
    vault: &'a Vault,
    operation: &'static str,
    client: &'a ClientId,
    pk: &'a str,
) -> Sealing<'a> {
    Sealing {
        vault,
        operation,
        client,
        purpose: Purpose::Batch,
        table: "batches",
        pk,
        sk: "",
    }
}
