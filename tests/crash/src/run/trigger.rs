//! Triggers of a run and their results.

use enrollment::flows::describe::Description;
use enrollment::flows::submit::{SubmitError, SubmitResponse};
use enrollment::ports::StoreError;

use crate::browser::Act;
use crate::queues::{Message, Named};
use crate::scenario::{
    ANOTHER_TAB, CONFIRMING, OF_ISSUERS, OPENING, PURGE, SECOND_OPENING, SECOND_SUBMISSION, SETTLING,
    SUBMISSION, SWEEP,
};

/// Trigger.
pub(super) enum Trigger {
    Tab(usize, Act),
    Message(Message),
    Sweep,
    Purge,
}

impl Trigger {
    /// Name under which its points are listed.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Tab(0, Act::Submit(_)) => SUBMISSION,
            Self::Tab(0, _) => OPENING,
            Self::Tab(_, Act::Submit(_)) => SECOND_SUBMISSION,
            Self::Tab(..) => SECOND_OPENING,
            Self::Message(message) => match message.named {
                Named::Intent(_) => SETTLING,
                Named::Confirmation(_) => CONFIRMING,
                Named::BatchSubmission(_) | Named::BatchPoll(_) | Named::Deletion(_) => OF_ISSUERS,
            },
            Self::Sweep => SWEEP,
            Self::Purge => PURGE,
        }
    }
}

/// Next trigger. A message is still in its queue.
#[derive(Clone, Copy)]
pub(super) enum Next {
    Tab(usize, Act),
    Message,
    Sweep,
    Purge,
}

/// Actor that runs beside a delivery.
#[derive(Clone, Copy)]
pub(super) enum ConcurrentActor {
    Tab(usize),
    Sweep,
    Purge,
}

impl ConcurrentActor {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tab(_) => ANOTHER_TAB,
            Self::Sweep => SWEEP,
            Self::Purge => PURGE,
        }
    }
}

/// Result of a trigger.
pub(super) enum TriggerResult {
    Entered,
    Opened(Result<Description, SubmitError>),
    SubmitResponse(Result<SubmitResponse, SubmitError>),
    Done(Result<(), StoreError>),
}
