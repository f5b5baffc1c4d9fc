//! Model of the queues: a message is delivered when it is due, and again where its delivery failed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine::TestClock;
use enrollment::batch::BatchId;
use enrollment::clock::Clock as _;
use enrollment::confirmation::ConfirmationId;
use enrollment::digital_card::DigitalCardKey;
use enrollment::identifiers::IntentId;
use enrollment::ports::{StoreError, Wakeups, Work};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

/// Values of `template.yaml`.
const VISIBILITY_TIMEOUT: SignedDuration = SignedDuration::from_secs(150);
const MAX_RECEIVES: u32 = 5;
/// Longest delay of SQS.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_mins(15);
/// Time between the two deliveries of a message of a disorderly queue.
const SECOND_COPY: SignedDuration = SignedDuration::from_secs(40);

/// Subject of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Intent(IntentId),
    Confirmation(ConfirmationId),
    BatchSubmission(BatchId),
    BatchPoll(BatchId),
    Deletion(DigitalCardKey),
}

/// Message of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Time of its delivery.
    pub(crate) at: Timestamp,
    /// Subject.
    pub(crate) named: Named,
    receives: u32,
}

pub(crate) struct Queues {
    clock: Arc<TestClock>,
    messages: Mutex<Vec<Message>>,
    is_disorderly: AtomicBool,
}

impl Queues {
    pub(crate) fn new(clock: Arc<TestClock>) -> Self {
        Self {
            clock,
            messages: Mutex::default(),
            is_disorderly: AtomicBool::new(false),
        }
    }

    /// Delivers every message twice from now on, and of those that are due the newest first.
    pub(crate) fn be_disorderly(&self) {
        self.is_disorderly.store(true, Ordering::Relaxed);
    }

    /// Time of the next delivery.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.messages().iter().map(|message| message.at).min()
    }

    /// Removes the next message.
    pub(crate) fn take(&self) -> Option<Message> {
        let mut messages = self.messages();
        let places = 0..messages.len();
        let next = if self.is_disorderly.load(Ordering::Relaxed) {
            let now = self.clock.now();
            let due = places.filter(|place| messages[*place].at <= now);
            due.max_by_key(|place| messages[*place].at)
        } else {
            places.min_by_key(|place| messages[*place].at)
        };
        Some(messages.remove(next?))
    }

    /// Returns a message whose delivery failed. After too many receives it leaves for the dead-letter queue.
    pub(crate) fn put_back(&self, mut message: Message) {
        message.receives += 1;
        message.at = later(message.at, VISIBILITY_TIMEOUT);
        if message.receives < MAX_RECEIVES {
            self.messages().push(message);
        }
    }

    fn push(&self, named: Named, after: SignedDuration) {
        // Whole seconds, rounded up.
        let seconds = after.as_secs() + i64::from(after.subsec_nanos() > 0);
        let delay = SignedDuration::from_secs(seconds.max(0)).min(LONGEST_DELAY);
        let at = later(self.clock.now(), delay);
        let message = Message {
            at,
            named,
            receives: 0,
        };
        if self.is_disorderly.load(Ordering::Relaxed) {
            self.messages().push(Message {
                at: later(at, SECOND_COPY),
                ..message.clone()
            });
        }
        self.messages().push(message);
    }

    fn messages(&self) -> MutexGuard<'_, Vec<Message>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Wakeups for Queues {
    async fn wake(&self, work: Work<'_>, after: SignedDuration) -> Result<(), StoreError> {
        match work {
            Work::Intent(intent) => {
                self.push(Named::Intent(intent), after);
                Ok(())
            }
            Work::Confirmations(confirmations) => {
                for (confirmation, _) in confirmations {
                    self.push(Named::Confirmation(confirmation.clone()), after);
                }
                Ok(())
            }
            Work::BatchSubmissions(batches) => {
                for (batch, _) in batches {
                    self.push(Named::BatchSubmission(*batch), after);
                }
                Ok(())
            }
            Work::BatchPolls(batches) => {
                for (batch, _) in batches {
                    self.push(Named::BatchPoll(*batch), after);
                }
                Ok(())
            }
            Work::Deletions(cards) => {
                for (card, _) in cards {
                    self.push(Named::Deletion(card.clone()), after);
                }
                Ok(())
            }
        }
    }
}
