//! Triggers of the function: the schedule, which sweeps, and the queue, which names batches and digital cards.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use enrollment::batch::BatchId;
use enrollment::digital_card::DigitalCardKey;
use enrollment::flows::batch::poll::PollBatch;
use enrollment::flows::batch::sweep::SweepBatches;
use enrollment::flows::digital_cards::settle::SettleDeletion;
use enrollment::identifiers::Malformed;
use enrollment::log::{by_display, error, info};
use enrollment::ports::StoreError;
use platform::issuer::{IssuerConnection, MastercardIssuerEnrollment};
use platform::metrics::Metrics;
use platform::queues::{self, BatchPollMessage};
use serde::Deserialize;

/// Event of a call.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Trigger {
    /// Messages of the queue.
    Queue(SqsEvent),
    /// Anything else: the schedule.
    Schedule(serde::de::IgnoredAny),
}

/// Flows of the function.
pub(crate) struct Flows<'a> {
    pub(crate) poll: PollBatch<'a>,
    pub(crate) deletion: SettleDeletion<'a>,
    pub(crate) sweep: SweepBatches<'a>,
    /// Mastercard, which keeps its words about a batch with the batch.
    pub(crate) issuer_enrollment: &'a MastercardIssuerEnrollment,
    /// Connection whose client certificate is reported; `None` where the deployment serves no issuers.
    pub(crate) connection: Option<&'a IssuerConnection>,
}

/// Processes an event. The answer to the queue names the messages that return to it.
pub(crate) async fn handle(
    flows: &Flows<'_>,
    metrics: &Metrics,
    trigger: Trigger,
) -> Result<Option<SqsBatchResponse>, StoreError> {
    match trigger {
        Trigger::Queue(event) => {
            let resume = async |message: BatchPollMessage| flows.resume(metrics, message).await;
            Ok(Some(queues::each(event, resume).await))
        }
        Trigger::Schedule(_) => {
            report_certificate(flows.connection).await;
            let report = flows.sweep.sweep().await?;
            metrics.batch_sweep(&report);
            info!(
                woken = report.woken,
                unfinished = report.unfinished,
                longest_overdue = report.longest_overdue.as_secs(),
                oldest_deletion = report.oldest_deletion.as_secs(),
                "sweep of batches finished"
            );
            Ok(None)
        }
    }
}

impl Flows<'_> {
    async fn resume(&self, metrics: &Metrics, message: BatchPollMessage) -> Result<(), MessageError> {
        match message {
            BatchPollMessage::Batch(id) => {
                let id = BatchId::parse(&id).map_err(MessageError::Message)?;
                let of_batch = PollBatch {
                    issuer_enrollment: &self.issuer_enrollment.for_batch(id),
                    ..self.poll
                };
                let polled = of_batch.poll(id).await;
                metrics.batch_poll(polled.inspect_err(|error| metrics.batch_failure(error))?);
            }
            BatchPollMessage::Card(key) => {
                let report = self.deletion.settle(&DigitalCardKey(key)).await?;
                metrics.card_deletion(report);
            }
        }
        Ok(())
    }
}

/// Reports the expiry of the client certificate, even while nobody connects. A failure does not prevent the sweep.
async fn report_certificate(connection: Option<&IssuerConnection>) {
    if let Some(connection) = connection
        && let Err(error) = connection.report_certificate().await
    {
        error!(error, "credentials for the Issuer Enrollment API not readable");
    }
}

/// Reason for which a message returns to the queue.
#[derive(Debug, thiserror::Error)]
enum MessageError {
    #[error(transparent)]
    Message(Malformed),
    #[error(transparent)]
    Store(#[from] StoreError),
}

by_display!(MessageError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queue_and_schedule_are_told_apart() {
        for (event, messages) in [
            (include_str!("../../../events/batch-poll/batch-and-card.json"), 2),
            (include_str!("../../../events/batch-poll/queue-poison.json"), 1),
        ] {
            let Trigger::Queue(event) = serde_json::from_str(event).unwrap() else {
                panic!("it has records");
            };
            assert_eq!(event.records.len(), messages);
        }
        let schedule = include_str!("../../../events/batch-poll/schedule.json");
        assert!(matches!(
            serde_json::from_str(schedule).unwrap(),
            Trigger::Schedule(_)
        ));
    }
}
