//! Outcomes: stored once, whoever comes first, and confirmed. Nothing here asks MRS, so that the page's calls may use it.

use jiff::SignedDuration;

use crate::action::ActionCode;
use crate::clock::Clock;
use crate::intent::{Intent, Outcome};
use crate::log::{info, warn};
use crate::ports::{Finished, Intents, StoreError, Wakeups};

/// What deciding needs.
#[derive(Clone, Copy)]
pub struct Decision<'a> {
    /// Intents.
    pub intents: &'a dyn Intents,
    /// For the outcome's confirmation.
    pub wakeups: &'a dyn Wakeups,
    /// The time.
    pub clock: &'a dyn Clock,
}

impl Decision<'_> {
    /// Gives an open enrollment that is past its deadline its outcome. That decides, not who looks when: what MRS says
    /// afterwards changes nothing, and what it holds is cancelled there.
    ///
    /// # Errors
    /// Where the store fails.
    pub async fn decide(&self, intent: Intent) -> Result<Intent, StoreError> {
        let now = self.clock.now();
        if intent.outcome.is_some() || intent.action == ActionCode::OptOut || now < intent.deadline() {
            return Ok(intent);
        }
        let outcome = Outcome::unsettled(intent.action, now);
        self.finish(intent, outcome).await
    }

    /// Stores an outcome. Where another run was first, its outcome is the one, and the intent as stored is given.
    pub(super) async fn finish(&self, mut intent: Intent, outcome: Outcome) -> Result<Intent, StoreError> {
        let status = outcome.status;
        let code = outcome.code;
        intent.outcome = Some(outcome);
        if self.intents.finish(&intent).await? == Finished::Now {
            info!(
                client = intent.client,
                program = intent.program,
                status = status.as_str(),
                code,
                meaning = code.and_then(crate::status::MrsCode::meaning),
                incident = intent.incident,
                "intent has its outcome"
            );
            self.tell(&intent).await;
            return Ok(intent);
        }
        match self.intents.intent(intent.id).await? {
            Some(stored) if stored.outcome.is_some() => Ok(stored),
            _ => Err(StoreError::Unreadable {
                operation: "settle",
                detail: "an intent that had its outcome has lost it".into(),
            }),
        }
    }

    /// The confirmation was stored with the outcome; here only its sender is woken.
    async fn tell(&self, intent: &Intent) {
        let Some(confirmation) = intent.confirmation() else {
            return;
        };
        let due = [(confirmation.id, confirmation.client)];
        if let Err(error) = self.wakeups.confirm(&due, SignedDuration::ZERO).await {
            warn!(error, "a confirmation is left to the sweep");
        }
    }
}
