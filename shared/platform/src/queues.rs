//! SQS queues that wake the functions which resume stored work. Messages carry ids only.

use async_trait::async_trait;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use enrollment::batch::BatchId;
use enrollment::confirmation::ConfirmationId;
use enrollment::digital_card::DigitalCardKey;
use enrollment::identifiers::ClientId;
use enrollment::log::{LogText, Loggable, error};
use enrollment::ports::{StoreError, Wakeups, Work};
use futures_util::future::join_all;
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use crate::aws::{describe, service_code};

/// Number of messages that one call may send.
const BATCH: usize = 10;
/// Longest delay of a message in SQS, in seconds.
const LONGEST_DELAY: i32 = 900;

/// Addresses of the queues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrls {
    /// Queue of the function `settle`: intents.
    pub settle: String,
    /// Queue of the function `confirm`: confirmations.
    pub confirm: String,
    /// Queue of the function `batch-submit`: batches to send to Mastercard.
    pub batch_submit: String,
    /// Queue of the function `batch-poll`: batches to ask Mastercard for, and deletions of digital cards.
    pub batch_poll: String,
}

/// Message that names an intent to settle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettleMessage {
    /// [`enrollment::identifiers::IntentId`], hexadecimal.
    pub intent: String,
}

/// Message that names a confirmation to deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmMessage {
    /// [`ConfirmationId`].
    pub confirmation: String,
}

/// Message that names a batch to send to Mastercard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSubmitMessage {
    /// [`BatchId`], hexadecimal.
    pub batch: String,
}

/// Message that names what to ask Mastercard about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchPollMessage {
    /// A batch to poll, or whose content is to be deleted: [`BatchId`], hexadecimal.
    Batch(String),
    /// A digital card to delete: [`DigitalCardKey`].
    Card(String),
}

/// Port `Wakeups` over a queue for each function.
pub struct SqsWakeups {
    sqs: Client,
    urls: QueueUrls,
}

impl SqsWakeups {
    /// Port over the queues at `urls`.
    pub fn new(sqs: Client, urls: QueueUrls) -> Self {
        Self { sqs, urls }
    }

    /// Sends a message for each piece of work, ten a call. The calls run concurrently: a failed one does not stop the others.
    async fn send_all<W: Sync, M: Serialize>(
        &self,
        queue: &str,
        work: &[(W, ClientId)],
        message: impl Fn(&W) -> M + Sync,
        after: SignedDuration,
    ) -> Result<(), LogText> {
        let batches = work.chunks(BATCH);
        let sent = join_all(batches.map(|batch| self.send_batch(queue, batch, &message, after))).await;
        sent.into_iter().collect()
    }

    async fn send_batch<W, M: Serialize>(
        &self,
        queue: &str,
        batch: &[(W, ClientId)],
        message: &impl Fn(&W) -> M,
        after: SignedDuration,
    ) -> Result<(), LogText> {
        let entry = |(place, (work, client)): (usize, &(W, ClientId))| {
            let message = message(work);
            SendMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .message_body(body(&message))
                .delay_seconds(delay(after))
                // In a fair queue one client's backlog does not delay the others' messages.
                .message_group_id(client.as_str())
                .build()
                .map_err(|_| LogText::from("a message lacks something that SQS requires"))
        };
        let entries: Vec<_> = batch.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
        let answer = self
            .sqs
            .send_message_batch()
            .queue_url(queue)
            .set_entries(Some(entries))
            .send()
            .await
            .map_err(|error| describe(&error))?;
        match answer.failed().first() {
            Some(failed) => Err(service_code(failed.code())),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl Wakeups for SqsWakeups {
    async fn wake(&self, work: Work<'_>, after: SignedDuration) -> Result<(), StoreError> {
        match work {
            Work::Intent(intent) => {
                let message = SettleMessage {
                    intent: intent.to_hex(),
                };
                self.sqs
                    .send_message()
                    .queue_url(&self.urls.settle)
                    .message_body(body(&message))
                    .delay_seconds(delay(after))
                    .send()
                    .await
                    .map(drop)
                    .map_err(|error| unavailable("waking settlement", describe(&error)))
            }
            Work::Confirmations(confirmations) => {
                let message = |id: &ConfirmationId| ConfirmMessage {
                    confirmation: id.as_str().to_owned(),
                };
                self.send_all(&self.urls.confirm, confirmations, message, after)
                    .await
                    .map_err(|detail| unavailable("waking the sender of confirmations", detail))
            }
            Work::BatchSubmissions(batches) => {
                let message = |id: &BatchId| BatchSubmitMessage { batch: id.to_hex() };
                self.send_all(&self.urls.batch_submit, batches, message, after)
                    .await
                    .map_err(|detail| unavailable("waking the submission of batches", detail))
            }
            Work::BatchPolls(batches) => {
                let message = |id: &BatchId| BatchPollMessage::Batch(id.to_hex());
                self.send_all(&self.urls.batch_poll, batches, message, after)
                    .await
                    .map_err(|detail| unavailable("waking the polling of batches", detail))
            }
            Work::Deletions(cards) => {
                let message = |key: &DigitalCardKey| BatchPollMessage::Card(key.0.clone());
                self.send_all(&self.urls.batch_poll, cards, message, after)
                    .await
                    .map_err(|detail| unavailable("waking the deletion of cards", detail))
            }
        }
    }
}

/// Runs `handle` on all messages of an event concurrently. The answer lists those that failed, so that SQS delivers
/// only them again; after the queue's limit they are moved to the dead-letter queue.
pub async fn each<M: DeserializeOwned, E: Loggable + std::fmt::Display>(
    event: SqsEvent,
    handle: impl AsyncFn(M) -> Result<(), E>,
) -> SqsBatchResponse {
    let outcomes = event.records.into_iter().map(async |message| {
        let taken = match serde_json::from_str(message.body.as_deref().unwrap_or_default()) {
            Ok(named) => handle(named).await.map_err(LogText::of),
            // The text is not logged, since its author is unknown.
            Err(error) => Err(LogText::from("it can't be read").because(json_fault(&error))),
        };
        let id = message.message_id.unwrap_or_default();
        taken.err().map(|error| (id, error))
    });
    let mut answer = SqsBatchResponse::default();
    for (id, error) in join_all(outcomes).await.into_iter().flatten() {
        error!(
            error,
            message_id = LogText::correlation(&id),
            "message returned to queue"
        );
        answer.add_failure(id);
    }
    answer
}

/// Kind of a JSON error, without the parser's message, which quotes its input.
fn json_fault(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        Category::Io => "reading failed",
        Category::Syntax => "it is no JSON",
        Category::Data => "it has another shape",
        Category::Eof => "it ends too early",
    }
}

fn body<T: Serialize>(message: &T) -> String {
    // Ids can always be serialized.
    serde_json::to_string(message).unwrap_or_default()
}

/// Rounds up to whole seconds, within the limits of SQS.
fn delay(after: SignedDuration) -> i32 {
    let seconds = after.as_secs() + i64::from(after.subsec_nanos() > 0);
    i32::try_from(seconds).map_or(LONGEST_DELAY, |seconds| seconds.clamp(0, LONGEST_DELAY))
}

fn unavailable(operation: &'static str, detail: LogText) -> StoreError {
    StoreError::unavailable(operation, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delay_is_whole_seconds_within_the_limit() {
        for (after, seconds) in [
            (0, 0),
            (1, 1),
            (999, 1),
            (1000, 1),
            (5400, 6),
            (-3000, 0),
            (i64::MAX, 900),
        ] {
            assert_eq!(delay(SignedDuration::from_millis(after)), seconds, "{after}");
        }
    }

    #[test]
    fn message_has_only_an_id() {
        let message = ConfirmMessage {
            confirmation: "msg_0".into(),
        };
        assert_eq!(body(&message), r#"{"confirmation":"msg_0"}"#);
        let message = BatchPollMessage::Card("card#a#0f".into());
        assert_eq!(body(&message), r#"{"card":"card#a#0f"}"#);
        let message = SettleMessage { intent: "0f".into() };
        assert_eq!(body(&message), r#"{"intent":"0f"}"#);
    }
}
