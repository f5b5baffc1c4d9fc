//! SQS: wakes the functions that go on with stored work. Messages carry names only.

use async_trait::async_trait;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use enrollment::confirmation::ConfirmationId;
use enrollment::identifiers::{ClientId, IntentId};
use enrollment::log::{LogText, Loggable, error};
use enrollment::ports::{StoreError, Wakeups};
use futures_util::future::join_all;
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use crate::aws::{describe, service_code};

/// As many messages as one call takes.
const BATCH: usize = 10;
/// The longest delay that SQS knows, in seconds.
const LONGEST_DELAY: i32 = 900;

/// Where the queues are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueUrls {
    /// For intents.
    pub settle: String,
    /// For confirmations.
    pub confirm: String,
}

/// The message that names an intent to look after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettleMessage {
    /// [`IntentId`], hexadecimal.
    pub intent: String,
}

/// The message that names a confirmation to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmMessage {
    /// [`ConfirmationId`].
    pub confirmation: String,
}

/// The port `Wakeups` over two queues.
pub struct SqsWakeups {
    sqs: Client,
    urls: QueueUrls,
}

impl SqsWakeups {
    /// Over the queues at `urls`.
    pub fn new(sqs: Client, urls: QueueUrls) -> Self {
        Self { sqs, urls }
    }

    async fn send_batch(
        &self,
        batch: &[(ConfirmationId, ClientId)],
        after: SignedDuration,
    ) -> Result<(), LogText> {
        let entry = |(place, (id, client)): (usize, &(ConfirmationId, ClientId))| {
            let message = ConfirmMessage {
                confirmation: id.as_str().to_owned(),
            };
            SendMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .message_body(body(&message))
                .delay_seconds(delay(after))
                // A fair queue: one client's backlog does not hold up the others.
                .message_group_id(client.as_str())
                .build()
                .map_err(|_| LogText::from("a message lacks something that SQS requires"))
        };
        let entries: Vec<_> = batch.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
        let answer = self
            .sqs
            .send_message_batch()
            .queue_url(&self.urls.confirm)
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
    async fn settle(&self, intent: IntentId, after: SignedDuration) -> Result<(), StoreError> {
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

    async fn confirm(
        &self,
        confirmations: &[(ConfirmationId, ClientId)],
        after: SignedDuration,
    ) -> Result<(), StoreError> {
        // Side by side, and a batch that fails keeps no other from being sent.
        let batches = confirmations.chunks(BATCH);
        let sent = join_all(batches.map(|batch| self.send_batch(batch, after))).await;
        sent.into_iter()
            .collect::<Result<(), LogText>>()
            .map_err(|detail| unavailable("waking the sender of confirmations", detail))
    }
}

/// Gives each message of a delivery to `handle`, all of them at once. The answer names those that failed, and only
/// those come again; what keeps failing ends in the dead-letter queue.
pub async fn each<M: DeserializeOwned, E: Loggable + std::fmt::Display>(
    event: SqsEvent,
    handle: impl AsyncFn(M) -> Result<(), E>,
) -> SqsBatchResponse {
    let outcomes = event.records.into_iter().map(async |message| {
        let taken = match serde_json::from_str(message.body.as_deref().unwrap_or_default()) {
            Ok(named) => handle(named).await.map_err(LogText::of),
            // Its text stays out of the log: whoever wrote it is not known.
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
            "a message has to come again"
        );
        answer.add_failure(id);
    }
    answer
}

/// What is wrong with a text of JSON, without the parser's words, which quote it.
fn json_fault(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        Category::Io => "reading failed",
        Category::Syntax => "it is no JSON",
        Category::Data => "it has another shape",
        Category::Eof => "it ends too early",
    }
}

fn body<T: Serialize>(message: &T) -> String {
    // Two texts and a name: there is nothing in them that can't be written.
    serde_json::to_string(message).unwrap_or_default()
}

/// Whole seconds, rather too late than too soon.
fn delay(after: SignedDuration) -> i32 {
    let seconds = after.as_secs() + i64::from(after.subsec_nanos() > 0);
    i32::try_from(seconds).map_or(LONGEST_DELAY, |seconds| seconds.clamp(0, LONGEST_DELAY))
}

fn unavailable(operation: &'static str, detail: LogText) -> StoreError {
    StoreError::Unavailable { operation, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_whole_seconds_and_no_longer_than_sqs_takes() {
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
    fn a_message_holds_a_name_and_nothing_else() {
        let message = ConfirmMessage {
            confirmation: "msg_0".into(),
        };
        assert_eq!(body(&message), r#"{"confirmation":"msg_0"}"#);
        let message = SettleMessage { intent: "0f".into() };
        assert_eq!(body(&message), r#"{"intent":"0f"}"#);
    }
}
