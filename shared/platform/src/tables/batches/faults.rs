//! Last fault text that Mastercard wrote about a batch: sealed on the batch's item, and deleted with it.

use aws_sdk_dynamodb::types::ReturnValue;
use enrollment::batch::BatchId;
use enrollment::identifiers::ClientId;
use enrollment::ports::StoreError;
use zeroize::Zeroizing;

use super::{DynamoBatches, item_of, primary_key};
use crate::tables::FaultNote;
use crate::tables::item;
use crate::tables::update::ItemUpdate;

const NOTING: &str = "noting what Mastercard wrote";
const FAULT: &str = "last_fault";

impl DynamoBatches {
    /// Keeps what was written about a batch, in place of what was kept before. A batch that is gone keeps nothing, and one that
    /// is final nothing new: an erasure may have removed what there was.
    pub async fn note_fault(&self, id: BatchId, note: &FaultNote) -> Result<(), StoreError> {
        let Some(fields) = self.read(NOTING, id).await? else {
            return Ok(());
        };
        let client = fields.parsed("client", ClientId::parse)?;
        let pk = primary_key(id);
        let json = serde_json::to_string(note)
            .map(Zeroizing::new)
            .map_err(|_| StoreError::unavailable(NOTING, "it can't be written as JSON"))?;
        let sealing = item_of::sealing(&self.vault, NOTING, &client, &pk);
        let sealed = sealing.seal(FAULT, &json).await?;
        // Neither a lease nor the ticket of another write is touched.
        ItemUpdate::new(&self.tables.batches, item::key(&pk))
            .set("last_fault = :fault")
            .when("attribute_exists(pk) AND #stage <> :final")
            .value(":fault", sealed)
            .value(":final", item::text(item_of::FINAL))
            .send(&self.dynamodb, NOTING, ReturnValue::None)
            .await
            .map(drop)
    }
}

#[cfg(feature = "operator")]
mod operator {
    use enrollment::batch::Batch;
    use enrollment::identifiers::IncidentId;

    use super::{DynamoBatches, FAULT, FaultNote, StoreError, item_of, primary_key};
    use crate::aws::describe;
    use crate::tables::audit::Permit;
    use crate::tables::batches::id_of;
    use crate::tables::item::{self, Fields};

    const FINDING: &str = "finding an incident";

    /// Incident of a batch, and whether there is more to show.
    pub struct BatchIncident {
        /// Batch.
        pub batch: Batch,
        /// Whether something that Mastercard wrote is kept.
        pub has_fault: bool,
    }

    impl DynamoBatches {
        /// Finds the batch that an incident id was given for. A scan: nothing else knows incidents, and nobody waits for an
        /// operator's search.
        pub async fn incident(&self, id: &IncidentId) -> Result<Option<BatchIncident>, StoreError> {
            let mut start = None;
            loop {
                let answer = self
                    .dynamodb
                    .scan()
                    .table_name(&self.tables.batches)
                    .filter_expression("incident = :incident")
                    .expression_attribute_values(":incident", item::text(id.as_str()))
                    .set_exclusive_start_key(start)
                    .send()
                    .await
                    .map_err(|error| StoreError::unavailable(FINDING, describe(&error)))?;
                if let Some(found) = answer.items.unwrap_or_default().into_iter().next() {
                    let fields = Fields::of(FINDING, found)?;
                    return Ok(Some(BatchIncident {
                        has_fault: fields.optional_bytes(FAULT)?.is_some(),
                        batch: item_of::read(&self.vault, id_of(&fields)?, &fields).await?,
                    }));
                }
                start = answer.last_evaluated_key;
                if start.is_none() {
                    return Ok(None);
                }
            }
        }

        /// Unseals the last fault text about a batch.
        pub async fn reveal_fault(&self, _: &Permit, batch: &Batch) -> Result<Option<FaultNote>, StoreError> {
            let Some(fields) = self.read(FINDING, batch.id).await? else {
                return Ok(None);
            };
            let pk = primary_key(batch.id);
            item_of::sealing(&self.vault, FINDING, &batch.client, &pk)
                .open_optional(&fields, FAULT, |json| serde_json::from_str(json))
                .await
        }
    }
}

#[cfg(feature = "operator")]
pub use operator::BatchIncident;
