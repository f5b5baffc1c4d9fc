//! Export of all that is stored of a consumer whom an issuer enrolled.
//!
//! Tests: `shared/enrollment/tests/flows/digital_cards.rs` over the model of the stores.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::batch::{Batch, ExternalConsumerId, SrcConsumerId};
use crate::digital_card::{DigitalCard, DigitalCardState};
use crate::identifiers::ClientId;
use crate::ports::{BatchRecords, DigitalCards, StoreError};

/// Ports of an export.
pub struct ExportConsumer<'a> {
    /// Life-cycle records.
    pub digital_cards: &'a dyn DigitalCards,
    /// Rows of batches.
    pub batch_records: &'a dyn BatchRecords,
}

/// All that is stored of a consumer.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumerRecord {
    /// Consumer.
    pub consumer: ExternalConsumerId,
    /// Cards, in any state.
    pub cards: Vec<DigitalCard>,
    /// Batches that name the consumer, in any stage. They name other consumers too.
    pub batches: Vec<Batch>,
}

impl ExportConsumer<'_> {
    /// Reads all that is stored of a consumer; `None` where nothing is. Reads all the client's batches.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn read(
        &self,
        client: &ClientId,
        consumer: &ExternalConsumerId,
    ) -> Result<Option<ConsumerRecord>, StoreError> {
        let cards = self.digital_cards.cards_of(client, consumer).await?;
        let batches = self.batch_records.batches_of(client, consumer).await?;
        let record = ConsumerRecord {
            consumer: consumer.clone(),
            cards,
            batches,
        };
        Ok((!record.is_empty()).then_some(record))
    }
}

impl ConsumerRecord {
    /// Returns the unexpired part, which may be shown (`docs/contract.md#purge`), whether or not the purge has deleted the
    /// rest; `None` where all of it is expired. `until` is that of [`expired_before`](crate::flows::purge::expired_before).
    pub fn unexpired(mut self, until: Timestamp) -> Option<Self> {
        self.cards
            .retain(|card| !matches!(card.state, DigitalCardState::Deleted { at } if at <= until));
        self.batches
            .retain(|batch| batch.result().is_none_or(|result| result.at > until));
        (!self.is_empty()).then_some(self)
    }

    fn is_empty(&self) -> bool {
        self.cards.is_empty() && self.batches.is_empty()
    }

    /// Returns the record as JSON, with Mastercard's ids, and of each batch the consumer's part alone.
    pub fn to_json(&self) -> Value {
        let cards = self.cards.iter().map(|card| {
            let mut value = parsed(&card.to_json());
            value["srcDigitalCardId"] = card.src_digital_card.expose().into();
            if let Some(id) = &card.src_consumer {
                value["srcConsumerId"] = SrcConsumerId::expose(id).into();
            }
            value
        });
        let batches = self.batches.iter().map(|batch| {
            let mut value = parsed(&batch.to_json());
            for count in ["accepted", "failed", "unknown"] {
                // Of all the batch's consumers.
                value.as_object_mut().map(|members| members.remove(count));
            }
            if let Some(profiles) = value["profiles"].as_array_mut() {
                profiles.retain(|profile| profile["externalConsumerId"] == self.consumer.as_str());
            }
            value
        });
        json!({
            "externalConsumerId": self.consumer.as_str(),
            "cards": cards.collect::<Vec<_>>(),
            "batches": batches.collect::<Vec<_>>(),
        })
    }
}

fn parsed(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}
