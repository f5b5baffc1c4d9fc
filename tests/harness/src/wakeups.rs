//! Wake-ups that are recorded and never arrive.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use enrollment::batch::BatchId;
use enrollment::confirmation::ConfirmationId;
use enrollment::digital_card::DigitalCardKey;
use enrollment::identifiers::IntentId;
use enrollment::ports::{StoreError, Wakeups, Work};
use jiff::SignedDuration;

/// Wake-ups that would have been sent. Tests call the flows themselves.
#[derive(Debug, Default)]
pub struct RecordedWakeups(Mutex<Recorded>);

#[derive(Debug, Default)]
struct Recorded {
    intents: Vec<(IntentId, SignedDuration)>,
    confirmations: Vec<(ConfirmationId, SignedDuration)>,
    submissions: Vec<(BatchId, SignedDuration)>,
    polls: Vec<(BatchId, SignedDuration)>,
    deletions: Vec<(DigitalCardKey, SignedDuration)>,
    is_failing: bool,
}

impl RecordedWakeups {
    /// The waits of intents' wake-ups since the last call.
    pub fn take_waits(&self) -> Vec<SignedDuration> {
        let intents = self.take_intents();
        intents.into_iter().map(|(_, after)| after).collect()
    }

    /// Intents that were to be woken since the last call, and after how long.
    pub fn take_intents(&self) -> Vec<(IntentId, SignedDuration)> {
        std::mem::take(&mut self.lock().intents)
    }

    /// Confirmations that were to be sent since the last call, and after how long.
    pub fn take_confirmations(&self) -> Vec<(ConfirmationId, SignedDuration)> {
        std::mem::take(&mut self.lock().confirmations)
    }

    /// Batches that were to be submitted since the last call, and after how long.
    pub fn take_submissions(&self) -> Vec<(BatchId, SignedDuration)> {
        std::mem::take(&mut self.lock().submissions)
    }

    /// Batches that were to be polled since the last call, and after how long.
    pub fn take_polls(&self) -> Vec<(BatchId, SignedDuration)> {
        std::mem::take(&mut self.lock().polls)
    }

    /// Cards that were to be deleted since the last call, and after how long.
    pub fn take_deletions(&self) -> Vec<(DigitalCardKey, SignedDuration)> {
        std::mem::take(&mut self.lock().deletions)
    }

    /// Wake-ups fail from now on. They are recorded all the same.
    pub fn fail(&self) {
        self.lock().is_failing = true;
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recorded {
    fn result(&self) -> Result<(), StoreError> {
        if self.is_failing {
            return Err(StoreError::unavailable("sending a wake-up", "the queue is down"));
        }
        Ok(())
    }
}

#[async_trait]
impl Wakeups for RecordedWakeups {
    async fn wake(&self, work: Work<'_>, after: SignedDuration) -> Result<(), StoreError> {
        match work {
            Work::Intent(intent) => {
                let mut recorded = self.lock();
                recorded.intents.push((intent, after));
                recorded.result()
            }
            Work::Confirmations(confirmations) => {
                let mut recorded = self.lock();
                let sent = confirmations.iter().map(|(id, _)| (id.clone(), after));
                recorded.confirmations.extend(sent);
                recorded.result()
            }
            Work::BatchSubmissions(batches) => {
                let mut recorded = self.lock();
                let sent = batches.iter().map(|(id, _)| (*id, after));
                recorded.submissions.extend(sent);
                recorded.result()
            }
            Work::BatchPolls(batches) => {
                let mut recorded = self.lock();
                let sent = batches.iter().map(|(id, _)| (*id, after));
                recorded.polls.extend(sent);
                recorded.result()
            }
            Work::Deletions(cards) => {
                let mut recorded = self.lock();
                let sent = cards.iter().map(|(key, _)| (key.clone(), after));
                recorded.deletions.extend(sent);
                recorded.result()
            }
        }
    }
}
