//! A partner's receiver in memory.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use engine::TestClock;
use enrollment::confirmation::Confirmation;
use enrollment::delivery::{ATTEMPT_LIMIT, DeliveryResult};
use enrollment::ports::Receivers;
use jiff::{SignedDuration, Timestamp};

const QUICK: SignedDuration = SignedDuration::from_millis(200);

/// What it does with a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It takes it and says so.
    Takes,
    /// It takes it and never answers.
    TakesItAndHangs,
    /// It answers so.
    Says(u16),
    /// It wants to be left alone for a time.
    Busy(SignedDuration),
}

/// Its answers one after the other, and the one that it gives ever after.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FaultProfile {
    /// One each.
    pub(crate) first: &'static [Answer],
    /// Ever after.
    pub(crate) then: Answer,
}

impl FaultProfile {
    /// The same answer to all.
    pub(crate) const fn always(answer: Answer) -> Self {
        Self {
            first: &[],
            then: answer,
        }
    }
}

/// What came to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// `webhook-id`.
    pub(crate) id: String,
    /// The body.
    pub(crate) body: String,
    /// Whether it took it, be it that nobody heard of that.
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
