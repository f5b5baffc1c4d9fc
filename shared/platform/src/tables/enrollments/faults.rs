//! Last fault text that Mastercard wrote about an intent: sealed on the intent's item, and deleted with it.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use enrollment::identifiers::{ClientId, IntentId};
use enrollment::ports::StoreError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{DynamoEnrollments, INTENT, intent_item_key, intent_key};
use crate::tables::update::ItemUpdate;

const NOTING: &str = "noting what Mastercard wrote";
const FAULT: &str = "last_fault";

/// Foreign text with what is known of the call. It may name a person, so it has neither `Debug` nor `Display`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct FaultNote {
    /// Time at which it was received.
    #[zeroize(skip)]
    pub at: Timestamp,
    /// Of which call, such as `enroll`.
    pub operation: String,
    /// The kind of answer, in one word of ours.
    pub outcome: String,
    /// Mastercard's id of the call, to ask its support about.
    pub correlation: Option<String>,
    /// The text, of 2 KB at the most.
    pub text: String,
}

impl DynamoEnrollments {
    /// Keeps what was written about an intent, in place of what was kept before. An intent that is gone keeps nothing.
    pub async fn note_fault(
        &self,
        client: &ClientId,
        intent: IntentId,
        note: &FaultNote,
    ) -> Result<(), StoreError> {
        let pk = intent_key(intent);
        let sealing = self.sealing(NOTING, client, &pk, INTENT);
        let json = serde_json::to_string(note)
            .map_err(|_| StoreError::unavailable(NOTING, "it can't be written as JSON"))?;
        let sealed: AttributeValue = sealing.seal(FAULT, &zeroize::Zeroizing::new(json)).await?;
        let update = ItemUpdate::new(&self.tables.enrollments, intent_item_key(intent))
            .set("last_fault = :fault")
            .when("attribute_exists(pk)")
            .value(":fault", sealed)
            .send(&self.dynamodb, NOTING, ReturnValue::None)
            .await;
        update.map(drop)
    }
}

#[cfg(feature = "operator")]
mod operator {
    use enrollment::identifiers::IncidentId;
    use enrollment::intent::Intent;

    use super::{ClientId, DynamoEnrollments, FAULT, FaultNote, INTENT, IntentId, StoreError, intent_key};
    use crate::aws::describe;
    use crate::tables::audit::Permit;
    use crate::tables::item::{self, Fields};

    const FINDING: &str = "finding an incident";

    /// An incident, and whether there is more to show.
    pub struct Incident {
        /// The intent.
        pub intent: Intent,
        /// Whether something that Mastercard wrote is kept.
        pub has_fault: bool,
    }

    impl DynamoEnrollments {
        /// The intent that an incident id was given for. A scan: nothing else knows incidents, and nobody waits for an
        /// operator's search.
        pub async fn incident(&self, id: &IncidentId) -> Result<Option<Incident>, StoreError> {
            let mut start = None;
            loop {
                let answer = self
                    .dynamodb
                    .scan()
                    .table_name(&self.tables.enrollments)
                    .filter_expression("sk = :intent AND incident = :incident")
                    .expression_attribute_values(":intent", item::text(INTENT))
                    .expression_attribute_values(":incident", item::text(id.as_str()))
                    .set_exclusive_start_key(start)
                    .send()
                    .await
                    .map_err(|error| StoreError::unavailable(FINDING, describe(&error)))?;
                for found in answer.items.unwrap_or_default() {
                    let fields = Fields::of(FINDING, found)?;
                    let id = fields.parsed("pk", |pk| {
                        IntentId::from_hex(pk.rsplit('#').next().unwrap_or_default())
                    })?;
                    if !fields.is_expired(self.clock.now())? {
                        return Ok(Some(Incident {
                            has_fault: fields.optional_bytes(FAULT)?.is_some(),
                            intent: self.read(id, &fields).await?,
                        }));
                    }
                }
                start = answer.last_evaluated_key;
                if start.is_none() {
                    return Ok(None);
                }
            }
        }

        /// Unseals the last fault text about an intent. It may name a person.
        pub async fn reveal_fault(
            &self,
            _: &Permit,
            client: &ClientId,
            intent: IntentId,
        ) -> Result<Option<FaultNote>, StoreError> {
            let pk = intent_key(intent);
            let Some(fields) = self.item(FINDING, &pk, INTENT).await? else {
                return Ok(None);
            };
            self.sealing(FINDING, client, &pk, INTENT)
                .open_optional(&fields, FAULT, |json| serde_json::from_str(json))
                .await
        }
    }
}

#[cfg(feature = "operator")]
pub use operator::Incident;
