//! Messages of the queue. Their batches are submitted concurrently, so that none waits for another's call.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use enrollment::batch::BatchId;
use enrollment::flows::batch::submit::SubmitBatch;
use enrollment::identifiers::Malformed;
use enrollment::log::by_display;
use enrollment::ports::StoreError;
use platform::issuer::MastercardIssuerEnrollment;
use platform::metrics::Metrics;
use platform::queues::{self, BatchSubmitMessage};

/// Submits the batches that are due. The answer names the messages that return to the queue: malformed ones, and those whose
/// batch the store could not be asked for.
pub(crate) async fn handle(
    submission: &SubmitBatch<'_>,
    issuer_enrollment: &MastercardIssuerEnrollment,
    metrics: &Metrics,
    event: SqsEvent,
) -> SqsBatchResponse {
    let submit = async |message: BatchSubmitMessage| {
        let id = BatchId::parse(&message.batch).map_err(MessageError::Message)?;
        let of_batch = SubmitBatch {
            issuer_enrollment: &issuer_enrollment.for_batch(id),
            ..*submission
        };
        let submitted = of_batch.submit(id).await;
        metrics.batch_submission(submitted.inspect_err(|error| metrics.batch_failure(error))?);
        Ok::<_, MessageError>(())
    };
    queues::each(event, submit).await
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
