//! One delivery of the queue: its confirmations are sent side by side, so that none waits for another's receiver.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use enrollment::confirmation::ConfirmationId;
use enrollment::flows::deliver::Delivery;
use enrollment::identifiers::Malformed;
use enrollment::log::by_display;
use enrollment::ports::StoreError;
use platform::metrics::Metrics;
use platform::queues::{self, ConfirmMessage};

/// Sends what is named and due. The answer names the messages that have to come again: those that can't be read, and
/// those whose confirmation the store could not be asked about.
pub(crate) async fn handle(delivery: &Delivery<'_>, metrics: &Metrics, event: SqsEvent) -> SqsBatchResponse {
    let confirm = async |message: ConfirmMessage| {
        let id = ConfirmationId::parse(&message.confirmation).map_err(Refused::Message)?;
        let confirmed = delivery.confirm(&id).await?;
        metrics.confirmation(confirmed);
        Ok::<_, Refused>(())
    };
    queues::each(event, confirm).await
}

/// Why a message has to come again.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Message(Malformed),
    #[error(transparent)]
    Store(#[from] StoreError),
}

by_display!(Refused);
