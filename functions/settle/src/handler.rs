//! Two triggers: the schedules, which sweep, and the queue, which names intents.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use enrollment::flows::sweep::Sweep;
use enrollment::identifiers::IntentId;
use enrollment::log::{by_display, error, info};
use enrollment::ports::StoreError;
use platform::connection::MastercardConnection;
use platform::metrics::Metrics;
use platform::queues::{self, SettleMessage};
use serde::Deserialize;

/// What the function is called with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Trigger {
    /// Messages of the queue.
    Queue(SqsEvent),
    /// A schedule that names its half of the sweep.
    Half {
        /// Which half.
        sweep: Half,
    },
    /// Anything else, such as a schedule without an input: both halves, one after the other.
    Schedule(serde::de::IgnoredAny),
}

/// A half of the sweep. Each has a schedule, and so a call and a time of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Half {
    /// Due confirmations.
    Confirmations,
    /// Intents without an outcome, and what MRS may still hold.
    Intents,
}

/// Does what the trigger asks for. The answer to a queue names the messages that have to come again.
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
            look_after(sweep, metrics).await.map(|()| None)
        }
        Trigger::Schedule(_) => {
            // The quick half first, and neither waits for the other to be well.
            let woken = wake(sweep, metrics).await;
            report(mastercard).await;
            look_after(sweep, metrics).await?;
            woken.map(|()| None)
        }
        Trigger::Queue(event) => {
            let settle = async |message: SettleMessage| {
                let intent = IntentId::from_hex(&message.intent).map_err(Refused::Message)?;
                sweep.settle(intent).await.map_err(Refused::from)
            };
            Ok(Some(queues::each(event, settle).await))
        }
    }
}

/// Reports the end of the client certificate although nobody connects. It keeps no case from its turn.
async fn report(mastercard: &MastercardConnection) {
    if let Err(error) = mastercard.report_certificate().await {
        error!(error, "the client certificate can't be read");
    }
}

async fn wake(sweep: &Sweep<'_>, metrics: &Metrics) -> Result<(), StoreError> {
    let woken = sweep.wake().await?;
    metrics.wake(&woken);
    info!(
        woken = woken.woken,
        oldest_due = woken.oldest_due.as_secs(),
        "due confirmations woken"
    );
    Ok(())
}

async fn look_after(sweep: &Sweep<'_>, metrics: &Metrics) -> Result<(), StoreError> {
    let swept = sweep.look_after().await?;
    metrics.sweep(&swept);
    info!(
        looked_after = swept.looked_after,
        unsettled = swept.unsettled,
        "swept"
    );
    Ok(())
}

/// Why a message has to come again.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Message(enrollment::identifiers::Malformed),
    #[error(transparent)]
    Store(#[from] StoreError),
}

by_display!(Refused);

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
        let template = include_str!("../../../template.yaml");
        for half in ["confirmations", "intents"] {
            let input = format!(r#"Input: '{{"sweep": "{half}"}}'"#);
            assert_eq!(template.matches(&input).count(), 1, "{input}");
        }
    }
}
