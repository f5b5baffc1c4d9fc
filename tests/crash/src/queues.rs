//! The two queues in memory: a message comes when its time is there, and again where it was not dealt with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use engine::TestClock;
use enrollment::clock::Clock as _;
use enrollment::confirmation::ConfirmationId;
use enrollment::identifiers::IntentId;
use enrollment::ports::{StoreError, Wakeups, Work};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

/// As `template.yaml` has them.
const VISIBILITY_TIMEOUT: SignedDuration = SignedDuration::from_secs(150);
const MAX_RECEIVES: u32 = 5;
/// The longest delay that SQS knows.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_mins(15);

/// What a message names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Named {
    Intent(IntentId),
    Confirmation(ConfirmationId),
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// When it comes.
    pub(crate) at: Timestamp,
    /// What it names.
    pub(crate) named: Named,
    receives: u32,
}

pub(crate) struct Queues {
    clock: Arc<TestClock>,
    messages: Mutex<Vec<Message>>,
}

impl Queues {
    pub(crate) fn new(clock: Arc<TestClock>) -> Self {
        Self {
            clock,
            messages: Mutex::default(),
        }
    }

    /// When the next message comes.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.messages().iter().map(|message| message.at).min()
    }

    /// Takes the next message out.
    pub(crate) fn take(&self) -> Option<Message> {
        let mut messages = self.messages();
        let next = (0..messages.len()).min_by_key(|place| messages[*place].at)?;
        Some(messages.remove(next))
    }

    /// Puts a message back that was not dealt with. After too many times it ends in the dead-letter queue.
    pub(crate) fn put_back(&self, mut message: Message) {
        message.receives += 1;
        message.at = later(message.at, VISIBILITY_TIMEOUT);
        if message.receives < MAX_RECEIVES {
            self.messages().push(message);
        }
    }

    fn push(&self, named: Named, after: SignedDuration) {
        // Whole seconds, rather too late than too soon.
        let seconds = after.as_secs() + i64::from(after.subsec_nanos() > 0);
        let delay = SignedDuration::from_secs(seconds.max(0)).min(LONGEST_DELAY);
        let at = later(self.clock.now(), delay);
        self.messages().push(Message {
            at,
            named,
            receives: 0,
        });
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
        }
    }
}
