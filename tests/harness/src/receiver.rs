//! A partner's receiver that a test scripts.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use enrollment::confirmation::Confirmation;
use enrollment::delivery::DeliveryResult;
use enrollment::ports::Receivers;
use jiff::Timestamp;

/// Answers deliveries as a test says, and with 200 after that.
#[derive(Default)]
pub struct ScriptedReceiver {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    answers: VecDeque<DeliveryResult>,
    received: Vec<Confirmation>,
}

impl ScriptedReceiver {
    /// Answers the next deliveries so.
    pub fn answers(&self, answers: impl IntoIterator<Item = DeliveryResult>) {
        self.state().answers.extend(answers);
    }

    /// Deliveries since the last call.
    pub fn take_received(&self) -> Vec<Confirmation> {
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
        state.answers.pop_front().unwrap_or(answered(200))
    }
}
