//! Life-cycle record of an enrolled card (`docs/contract.md#life-cycle`): ids only.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::batch::{
    Batch, BatchId, CardResult, ExternalCardId, ExternalConsumerId, FlowId, SrcConsumerId, SrcDigitalCardId,
};
use crate::client::Issuer;
use crate::identifiers::ClientId;

/// Duration of a lease on a deletion: longer than a function may run.
pub const DELETION_LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Key that a life-cycle record is stored under. It does not show the card's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DigitalCardKey(pub String);

/// Record of one enrolled card, unique for each client and [`ExternalCardId`].
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::struct_field_names,
    reason = "`src_digital_card` is Mastercard's word"
)]
pub struct DigitalCard {
    /// Client that enrolled it.
    pub client: ClientId,
    /// Client's id of the card.
    pub card: ExternalCardId,
    /// Client's id of the consumer.
    pub consumer: ExternalConsumerId,
    /// Mastercard's id of the card.
    pub src_digital_card: SrcDigitalCardId,
    /// Mastercard's id of the consumer.
    pub src_consumer: Option<SrcConsumerId>,
    /// `srcClientId` under which it was enrolled.
    pub src_client_id: String,
    /// `serviceId` under which it was enrolled.
    pub service_id: String,
    /// Flow id of the batch.
    pub flow: Option<FlowId>,
    /// Batch that enrolled it.
    pub batch: BatchId,
    /// Acceptance of that batch. Of two batches that enrolled the card, the one that was accepted later decides.
    pub batch_accepted_at: Timestamp,
    /// Time of the batch's end.
    pub enrolled_at: Timestamp,
    /// State.
    pub state: DigitalCardState,
    /// Mastercard's ids whose deletion was requested before a later success gave the card another. They are deleted too.
    pub superseded: Vec<SupersededId>,
}

/// Mastercard's id of a card that a later success has replaced, and that is still to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupersededId {
    /// Mastercard's id.
    pub id: SrcDigitalCardId,
    /// Flow id of the batch that gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<FlowId>,
}

/// State of an enrolled card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigitalCardState {
    /// Mastercard has it.
    Enrolled,
    /// The client has asked for its deletion, and Mastercard has yet to agree.
    DeletionPending {
        /// Time of the request.
        requested_at: Timestamp,
    },
    /// Mastercard has deleted it.
    Deleted {
        /// Time at which Mastercard agreed.
        at: Timestamp,
    },
}

impl DigitalCardState {
    /// Returns the word of the answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enrolled => "enrolled",
            Self::DeletionPending { .. } => "deletion_pending",
            Self::Deleted { .. } => "deleted",
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'a> {
    external_card_id: &'a str,
    external_consumer_id: &'a str,
    status: &'static str,
    batch_id: String,
    enrolled_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

impl DigitalCard {
    /// Returns the records of a batch's accepted cards that have a `srcDigitalCardId`. Without that id nothing can be asked
    /// of Mastercard about a card.
    pub fn of_batch(batch: &Batch) -> Vec<Self> {
        let Some(result) = batch.result() else {
            return Vec::new();
        };
        let Issuer {
            src_client_id,
            service_id,
            ..
        } = &batch.issuer;
        let record =
            |((profile, card), outcome): ((&crate::batch::Profile, &ExternalCardId), &CardResult)| {
                let CardResult::Accepted {
                    src_digital_card: Some(src_digital_card),
                    src_consumer,
                } = outcome
                else {
                    return None;
                };
                Some(Self {
                    client: batch.client.clone(),
                    card: card.clone(),
                    consumer: profile.consumer.clone(),
                    src_digital_card: src_digital_card.clone(),
                    src_consumer: src_consumer.clone(),
                    src_client_id: src_client_id.clone(),
                    service_id: service_id.clone(),
                    flow: batch.flow().cloned(),
                    batch: batch.id,
                    batch_accepted_at: batch.accepted_at,
                    enrolled_at: result.at,
                    state: DigitalCardState::Enrolled,
                    superseded: Vec::new(),
                })
            };
        batch
            .manifest
            .cards()
            .zip(&result.cards)
            .filter_map(record)
            .collect()
    }

    /// Returns the record after a later success is stored over an earlier one; `None` where `stored` is of a batch that was
    /// accepted later, or of the same batch: then it stays. A deletion that was requested for another id of Mastercard goes
    /// on; one of the same id is void, since the client has enrolled the card again.
    #[must_use]
    pub fn over(&self, stored: &Self) -> Option<Self> {
        if (stored.batch_accepted_at, stored.batch) >= (self.batch_accepted_at, self.batch) {
            return None;
        }
        let mut superseded = stored.superseded.clone();
        if matches!(stored.state, DigitalCardState::DeletionPending { .. }) {
            superseded.push(SupersededId {
                id: stored.src_digital_card.clone(),
                flow: stored.flow.clone(),
            });
        }
        superseded.retain(|superseded| superseded.id != self.src_digital_card);
        Some(Self {
            superseded,
            ..self.clone()
        })
    }

    /// Returns the flow id that goes with a call about one of the card's ids: that of the batch which gave the id, since another
    /// flow's might be answered by the wrong site.
    pub fn flow_of(&self, id: &SrcDigitalCardId) -> Option<&FlowId> {
        if *id == self.src_digital_card {
            return self.flow.as_ref();
        }
        let superseded = self.superseded.iter().find(|superseded| superseded.id == *id);
        superseded?.flow.as_ref()
    }

    /// Whether Mastercard is to be asked to delete something.
    pub fn has_due_deletion(&self) -> bool {
        self.deletion_requested_at().is_some()
    }

    /// Returns the time since which Mastercard is to be asked to delete something; `None` where it is not.
    pub fn deletion_requested_at(&self) -> Option<Timestamp> {
        match self.state {
            DigitalCardState::DeletionPending { requested_at } => Some(requested_at),
            _ if !self.superseded.is_empty() => Some(self.enrolled_at),
            _ => None,
        }
    }

    /// Returns the JSON that `GET /company/enrolled_cards/{externalCardId}` answers.
    pub fn to_json(&self) -> String {
        let view = View {
            external_card_id: self.card.as_str(),
            external_consumer_id: self.consumer.as_str(),
            status: self.state.as_str(),
            batch_id: self.batch.to_hex(),
            enrolled_at: self.enrolled_at.to_string(),
            deleted_at: match self.state {
                DigitalCardState::Deleted { at } => Some(at.to_string()),
                _ => None,
            },
        };
        // A structure of texts has no way to fail to serialize.
        serde_json::to_string(&view).unwrap_or_default()
    }
}
