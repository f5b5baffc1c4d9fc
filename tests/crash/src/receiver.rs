//! Model of a partner's receiver.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use engine::TestClock;
use enrollment::confirmation::Confirmation;
use enrollment::delivery::{ATTEMPT_LIMIT, DeliveryResult};
use enrollment::ports::Receivers;
use jiff::{SignedDuration, Timestamp};

const QUICK: SignedDuration = SignedDuration::from_millis(200);

/// Behavior for one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Takes the confirmation.
    Takes,
    /// Takes the confirmation, and does not answer.
    TakesItAndHangs,
    /// Answers with an HTTP status.
    Says(u16),
    /// Answers with 429 and a `Retry-After`.
    Busy(SignedDuration),
}

/// Fault profile of a receiver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FaultProfile {
    /// Behavior for the first deliveries, one each.
    pub(crate) first: &'static [Answer],
    /// Behavior for later deliveries.
    pub(crate) then: Answer,
}

impl FaultProfile {
    /// The same behavior for every delivery.
    pub(crate) const fn always(answer: Answer) -> Self {
        Self {
            first: &[],
            then: answer,
        }
    }
}

/// Received delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// `webhook-id`.
    pub(crate) id: String,
    /// The body.
    pub(crate) body: String,
    /// Whether the receiver took it, with or without an answer.
    pub(crate) was_taken: bool,
}

pub(crate) struct Receiver {
    clock: Arc<TestClock>,
    profile: FaultProfile,
    received: Mutex<Vec<Received>>,
}

impl Receiver {
    pub(crate) fn new(clock: Arc<TestClock>, profile: FaultProfile) -> Self {
        Self {
            clock,
            profile,
            received: Mutex::default(),
        }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[async_trait]
impl Receivers for Receiver {
    async fn post(&self, confirmation: &Confirmation, _now: Timestamp) -> DeliveryResult {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let scripted = self.profile.first.get(received.len()).copied();
        let answer = scripted.unwrap_or(self.profile.then);
        received.push(Received {
            id: confirmation.id.as_str().to_owned(),
            body: confirmation.body.clone(),
            was_taken: matches!(answer, Answer::Takes | Answer::TakesItAndHangs),
        });
        self.clock.advance(QUICK);
        let answered = |status, retry_after| DeliveryResult::Answered { status, retry_after };
        match answer {
            Answer::Takes => answered(200, None),
            Answer::Says(status) => answered(status, None),
            Answer::Busy(wait) => answered(429, Some(wait)),
            Answer::TakesItAndHangs => {
                self.clock.advance(ATTEMPT_LIMIT);
                DeliveryResult::Failed("timeout_answer")
            }
        }
    }
}
