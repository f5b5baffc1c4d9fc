//! Decision of an outcome: stored once, whoever is first, and confirmed. Nothing here calls MRS, so the page's calls may use
//! it.
//!
//! Tests: `tests/harness/src/settlement` for deadlines and repeats, `tests/crash` for races,
//! `shared/platform/tests/storage` for what an outcome writes.

use jiff::SignedDuration;

use crate::action::ActionCode;
use crate::clock::Clock;
use crate::intent::{Conclusion, Intent};
use crate::log::{info, warn};
use crate::ports::{Intents, Put, StoreError, Wakeups, Work};

/// Ports of a decision.
#[derive(Clone, Copy)]
pub struct Decision<'a> {
    /// Intents.
    pub intents: &'a dyn Intents,
    /// Wake-ups for confirmations.
    pub wakeups: &'a dyn Wakeups,
    /// Clock.
    pub clock: &'a dyn Clock,
}

impl Decision<'_> {
    /// Concludes an enrollment or a replacement whose deadline has passed. The deadline decides, and not the time of this
    /// call: a later answer of MRS changes nothing, and a card that MRS enrolled by then is cancelled there.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn decide(&self, intent: Intent) -> Result<Intent, StoreError> {
        let now = self.clock.now();
        if intent.action == ActionCode::OptOut || !intent.is_overdue(now) {
            return Ok(intent);
        }
        let conclusion = Conclusion::undetermined(intent.action, now);
        self.finish(intent, conclusion).await
    }

    /// Stores a conclusion. Where another run was first, its outcome stands, and the intent is given as it is stored.
    pub(super) async fn finish(
        &self,
        mut intent: Intent,
        conclusion: Conclusion,
    ) -> Result<Intent, StoreError> {
        let (status, code) = (conclusion.outcome.status, conclusion.outcome.code);
        intent.conclude(conclusion);
        if self.intents.finish(&intent).await? == Put::Created {
            info!(
                client = intent.client,
                program = intent.program,
                status = status.as_str(),
                code,
                meaning = code.and_then(crate::status::MrsCode::meaning),
                incident = intent.incident,
                "outcome stored"
            );
            self.wake_delivery(&intent).await;
            return Ok(intent);
        }
        match self.intents.intent(intent.id).await? {
            Some(stored) if !stored.is_open() => Ok(stored),
            _ => Err(StoreError::unreadable(
                "concluding an intent",
                "the stored outcome is missing",
            )),
        }
    }

    /// Wakes the delivery of the confirmation, which was stored with the outcome.
    async fn wake_delivery(&self, intent: &Intent) {
        let Some(confirmation) = intent.confirmation() else {
            return;
        };
        let due = [(confirmation.id, confirmation.client)];
        if let Err(error) = self
            .wakeups
            .wake(Work::Confirmations(&due), SignedDuration::ZERO)
            .await
        {
            warn!(error, "wake-up of a confirmation failed, the sweep sends it");
        }
    }
}
