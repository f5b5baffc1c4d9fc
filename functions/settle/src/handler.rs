//! Triggers of the function: schedules, which sweep, and the queue, which names intents.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use enrollment::flows::sweep::Sweep;
use enrollment::identifiers::IntentId;
use enrollment::log::{by_display, error, info};
use enrollment::ports::StoreError;
use platform::connection::MastercardConnection;
use platform::metrics::Metrics;
use platform::queues::{self, SettleMessage};
use serde::Deserialize;

/// Event of a call.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Trigger {
    /// Messages of the queue.
    Queue(SqsEvent),
    /// Schedule of one half of the sweep.
    Half {
        /// Half to sweep.
        sweep: Half,
    },
    /// Anything else, such as a schedule without an input: both halves are swept, one after the other.
    Schedule(serde::de::IgnoredAny),
}

/// Half of the sweep. Each has its own schedule, and so a call and a time limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Half {
    /// Due confirmations.
    Confirmations,
    /// Intents with an open outcome, or with cleanup left at MRS.
    Intents,
}

/// Processes an event. The answer to the queue names the messages that return to it.
pub(crate) async fn handle(
    sweep: &Sweep<'_>,
    mastercard: &MastercardConnection,
    metrics: &Metrics,
    trigger: Trigger,
) -> Result<Option<SqsBatchResponse>, StoreError> {
    match trigger {
        Trigger::Half {
            sweep: Half::Confirmations,
        } => wake(sweep, metrics).await.map(|()| None),
        Trigger::Half { sweep: Half::Intents } => {
            report(mastercard).await;
            resume(sweep, metrics).await.map(|()| None)
        }
        Trigger::Schedule(_) => {
            // The quick half comes first. A half that fails does not prevent the other.
            let woken = wake(sweep, metrics).await;
            report(mastercard).await;
            resume(sweep, metrics).await?;
            woken.map(|()| None)
        }
        Trigger::Queue(event) => {
            let settle = async |message: SettleMessage| {
                let intent = IntentId::from_hex(&message.intent).map_err(MessageError::Message)?;
                sweep.resume_intent(intent).await.map_err(MessageError::from)
            };
            Ok(Some(queues::each(event, settle).await))
        }
    }
}

/// Reports the expiry of the client certificate, even while nobody connects. A failure does not prevent the sweep.
async fn report(mastercard: &MastercardConnection) {
    if let Err(error) = mastercard.report_certificate().await {
        error!(error, "client certificate not readable");
    }
}

async fn wake(sweep: &Sweep<'_>, metrics: &Metrics) -> Result<(), StoreError> {
    let report = sweep.wake_deliveries().await?;
    metrics.wake(&report);
    info!(
        woken = report.woken,
        oldest_due = report.oldest_due.as_secs(),
        "due confirmations woken"
    );
    Ok(())
}

async fn resume(sweep: &Sweep<'_>, metrics: &Metrics) -> Result<(), StoreError> {
    let report = sweep.resume_intents().await?;
    metrics.sweep(&report);
    info!(
        resumed = report.resumed,
        unsettled = report.unsettled,
        "sweep finished"
    );
    Ok(())
}

/// Reason for which a message returns to the queue.
#[derive(Debug, thiserror::Error)]
enum MessageError {
    #[error(transparent)]
    Message(enrollment::identifiers::Malformed),
    #[error(transparent)]
    Store(#[from] StoreError),
}

by_display!(MessageError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_triggers_are_told_apart() {
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
        for (event, half) in [
            (
                include_str!("../../../events/settle/sweep-confirmations.json"),
                Half::Confirmations,
            ),
            (
                include_str!("../../../events/settle/sweep-intents.json"),
                Half::Intents,
            ),
        ] {
            let Trigger::Half { sweep } = serde_json::from_str(event).unwrap() else {
                panic!("it names a half");
            };
            assert_eq!(sweep, half);
        }
    }

    #[test]
    fn each_half_of_the_sweep_has_a_schedule() {
        let template = include_str!("../../../infra/pages.yaml");
        for half in ["confirmations", "intents"] {
            let input = format!(r#"Input: '{{"sweep": "{half}"}}'"#);
            assert_eq!(template.matches(&input).count(), 1, "{input}");
        }
    }
}
