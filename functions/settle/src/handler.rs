//! Two triggers: the schedule, which sweeps, and the queue, which names intents.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use enrollment::flows::sweep::Sweeping;
use enrollment::identifiers::IntentId;
use enrollment::ports::StoreError;
use platform::metrics::Metrics;
use platform::queues::{self, SettleMessage};
use serde::Deserialize;
use tracing::info;

/// What the function is called with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Trigger {
    /// Messages of the queue.
    Queue(SqsEvent),
    /// Anything else: the schedule. Nothing in its event is needed.
    Schedule(serde::de::IgnoredAny),
}

/// Does what the trigger asks for. The answer to a queue names the messages that have to come again.
pub(crate) async fn handle(
    sweeping: &Sweeping<'_>,
    metrics: &Metrics,
    trigger: Trigger,
) -> Result<Option<SqsBatchResponse>, StoreError> {
    match trigger {
        Trigger::Schedule(_) => {
            let swept = sweeping.sweep().await?;
            metrics.sweep(&swept);
            info!(
                woken = swept.woken,
                looked_after = swept.looked_after,
                unsettled = swept.unsettled,
                "swept"
            );
            Ok(None)
        }
        Trigger::Queue(event) => {
            let settle = async |message: SettleMessage| {
                let intent = IntentId::from_hex(&message.intent).map_err(Refused::Message)?;
                sweeping.settle(intent).await.map_err(Refused::from)
            };
            Ok(Some(queues::each(event, settle).await))
        }
    }
}

/// Why a message has to come again.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Message(enrollment::identifiers::Malformed),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_s_event_is_told_from_the_schedule_s() {
        let queue = include_str!("../../../events/settle/queue.json");
        let Trigger::Queue(event) = serde_json::from_str(queue).unwrap() else {
            panic!("it has records");
        };
        assert_eq!(event.records.len(), 1);
        let schedule = include_str!("../../../events/settle/schedule.json");
        assert!(matches!(
            serde_json::from_str(schedule).unwrap(),
            Trigger::Schedule(_)
        ));
    }
}
