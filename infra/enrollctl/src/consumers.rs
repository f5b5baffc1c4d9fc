//! Records of a person whom an issuer enrolled by batches. The person is found by the same id, as `externalConsumerId`.

use anyhow::Result;
use enrollment::batch::ExternalConsumerId;
use enrollment::client::Client;
use enrollment::clock::Clock as _;
use enrollment::flows::digital_cards::erase::{ConsumerErasureError, DeletedIds, EraseConsumer};
use enrollment::flows::digital_cards::export::{ConsumerRecord, ExportConsumer};
use enrollment::identifiers::{ClientId, CustomerId};
use platform::operator::Stack;
use platform::tables::{DynamoBatches, DynamoDigitalCards};

/// Calls to Mastercard that may be waited for in one erasure.
const WAITS: usize = 600;

/// Stores of a client's consumers.
pub(crate) struct Consumers {
    batches: DynamoBatches,
    digital_cards: DynamoDigitalCards,
    consumer: Option<ExternalConsumerId>,
}

impl Consumers {
    /// Stores of `client`, asked about the consumer with the id of `customer`. Where the client never was an issuer, or the id
    /// has not the form of a consumer's, there is nobody to find.
    pub(crate) fn of(stack: &Stack, client: &Client, customer: &CustomerId) -> Self {
        let was_issuer = client.issuer_retention_days().is_some();
        Self {
            batches: stack.adapters.batches(),
            digital_cards: stack.adapters.digital_cards(),
            consumer: ExternalConsumerId::parse(customer.expose())
                .ok()
                .filter(|_| was_issuer),
        }
    }

    /// Reads all that is stored of the consumer.
    pub(crate) async fn record(&self, client: &ClientId) -> Result<Option<ConsumerRecord>> {
        let Some(consumer) = &self.consumer else {
            return Ok(None);
        };
        let export = ExportConsumer {
            digital_cards: &self.digital_cards,
            batch_records: &self.batches,
        };
        Ok(export.read(client, consumer).await?)
    }

    /// Erases all that is stored of the consumer, and gives a summary. It waits for the agreed rate of calls.
    pub(crate) async fn erase(
        &self,
        stack: &Stack,
        client: &ClientId,
        record: &ConsumerRecord,
        delete_enrolled: bool,
    ) -> Result<String, ConsumerErasureError> {
        let adapters = &stack.adapters;
        let mastercard = adapters.issuer_enrollment(adapters.issuer_connection());
        let flow = EraseConsumer {
            digital_cards: &self.digital_cards,
            batches: &self.batches,
            batch_records: &self.batches,
            contents: &adapters.batch_contents(),
            issuer_enrollment: &mastercard,
            pacing: &adapters.pacing(),
            clock: &platform::SystemClock,
            deleted: DeletedIds::default(),
        };
        let mut waits = 0;
        loop {
            match flow.erase(client, &record.consumer, delete_enrolled).await {
                // The flow reports on its last run alone. Everything that was there at the beginning is deleted now.
                Ok(_) => return Ok(counts(record)),
                Err(ConsumerErasureError::NotBefore(at)) if waits < WAITS => {
                    let wait = at.duration_since(platform::SystemClock.now());
                    tokio::time::sleep(wait.try_into().unwrap_or_default()).await;
                    waits += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Numbers of a consumer's records.
pub(crate) fn counts(record: &ConsumerRecord) -> String {
    format!(
        "enrolled cards {}, batches {}",
        record.cards.len(),
        record.batches.len()
    )
}

/// Prints a consumer's records, without personal data.
pub(crate) fn print(record: &ConsumerRecord) {
    println!("batches");
    for card in &record.cards {
        println!(
            "  card         {}  since {}",
            card.state.as_str(),
            card.enrolled_at
        );
    }
    for batch in &record.batches {
        let status = batch
            .result()
            .map_or("IN_PROGRESS", |result| result.status.as_str());
        println!(
            "  batch        {}  {status}  incident {}",
            batch.accepted_at, batch.incident
        );
    }
}

/// Adds an advice to an error.
pub(crate) fn explained(error: ConsumerErasureError) -> anyhow::Error {
    let advice = match error {
        ConsumerErasureError::EnrolledCards(_) => {
            "nothing was erased; use --opt-out to have Mastercard delete them first"
        }
        ConsumerErasureError::OpenBatch => "nothing was erased; try again when the batch has ended",
        ConsumerErasureError::NotDeleted(_)
        | ConsumerErasureError::NotBefore(_)
        | ConsumerErasureError::Store(_) => "erasure is incomplete; try again",
        ConsumerErasureError::Nobody => "nothing was erased",
    };
    anyhow::Error::new(error).context(advice)
}
