//! Batch of the queue. Its confirmations are sent concurrently, so that none waits for another's receiver.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use enrollment::confirmation::ConfirmationId;
use enrollment::flows::deliver::Delivery;
use enrollment::identifiers::Malformed;
use enrollment::log::by_display;
use enrollment::ports::StoreError;
use platform::metrics::Metrics;
use platform::queues::{self, ConfirmMessage};

/// Sends the confirmations that are due. The answer names the messages that return to the queue: malformed ones, and those
/// whose confirmation the store could not be asked for.
pub(crate) async fn handle(delivery: &Delivery<'_>, metrics: &Metrics, event: SqsEvent) -> SqsBatchResponse {
    let confirm = async |message: ConfirmMessage| {
        let id = ConfirmationId::parse(&message.confirmation).map_err(MessageError::Message)?;
        let report = delivery.confirm(&id).await?;
        metrics.confirmation(report);
        Ok::<_, MessageError>(())
    };
    queues::each(event, confirm).await
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
