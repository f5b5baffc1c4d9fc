//! A partner's receiver that a test scripts.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use enrollment::confirmation::Confirmation;
use enrollment::delivery::DeliveryResult;
use enrollment::ports::Receivers;
use jiff::{SignedDuration, Timestamp};

use crate::clock::TestClock;

/// Answers deliveries as a test says, and with 200 after that.
pub struct ScriptedReceiver {
    clock: Arc<TestClock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: VecDeque<DeliveryResult>,
    takes: SignedDuration,
    received: Vec<Confirmation>,
}

impl ScriptedReceiver {
    /// Takes every confirmation.
    pub fn new(clock: Arc<TestClock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Answers the next deliveries so.
    pub fn answers(&self, answers: impl IntoIterator<Item = DeliveryResult>) {
        self.state().answers.extend(answers);
    }

    /// Sets how long every delivery takes.
    pub fn takes(&self, duration: SignedDuration) {
        self.state().takes = duration;
    }

    /// Deliveries since the last call.
    pub fn received(&self) -> Vec<Confirmation> {
        std::mem::take(&mut self.state().received)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer of that HTTP status.
pub fn answered(status: u16) -> DeliveryResult {
    DeliveryResult::Answered {
        status,
        retry_after: None,
    }
}

#[async_trait]
impl Receivers for ScriptedReceiver {
    async fn post(&self, confirmation: &Confirmation, _now: Timestamp) -> DeliveryResult {
        let mut state = self.state();
        state.received.push(confirmation.clone());
        self.clock.advance(state.takes);
        state.answers.pop_front().unwrap_or(answered(200))
    }
}
