//! Stages of a batch. It moves from each to a later one only.

use jiff::Timestamp;

use super::foreign::{FlowId, MastercardBatchId};
use super::result::BatchResult;
use crate::log::by_display;

/// Stage of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum BatchStage {
    /// No call was made.
    Accepted,
    /// At least one call was begun, and none is known to have been taken.
    Submitting {
        /// Calls that were begun. Stored before each.
        attempts: u32,
        /// Whether the outcome of a call is unknown: Mastercard may have the batch.
        has_unanswered_call: bool,
        /// Flow id of the first answer, where it had one.
        flow: Option<FlowId>,
    },
    /// Mastercard has the batch and works.
    Submitted(Submission),
    /// The result is known, or nobody will ever know it.
    Final(BatchResult),
}

/// Mastercard's acknowledgment of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Mastercard's id of the batch.
    pub batch: MastercardBatchId,
    /// Flow id of the first answer, where it had one.
    pub flow: Option<FlowId>,
    /// Time of the acknowledgment.
    pub at: Timestamp,
    /// Polls that were made.
    pub polls: u32,
}

/// Kind of work that is left for a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchWork {
    /// It is to be sent to Mastercard.
    Submit,
    /// Mastercard is to be asked for its results.
    Poll,
    /// Its JWE is to be deleted.
    DiscardContent,
}

impl BatchWork {
    /// Returns the stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Poll => "poll",
            Self::DiscardContent => "discard_content",
        }
    }

    /// Returns the kind of a stored word.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Submit, Self::Poll, Self::DiscardContent]
            .into_iter()
            .find(|work| work.as_str() == text)
    }
}

impl std::fmt::Display for BatchWork {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

by_display!(BatchWork);

impl BatchStage {
    /// Returns the kind of work that is left; `None` where nothing is.
    pub fn work(&self) -> Option<BatchWork> {
        match self {
            Self::Accepted | Self::Submitting { .. } => Some(BatchWork::Submit),
            Self::Submitted(_) => Some(BatchWork::Poll),
            Self::Final(result) => result.has_content.then_some(BatchWork::DiscardContent),
        }
    }

    /// Returns the word of the results.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Submitting { .. } => "submitting",
            Self::Submitted(_) => "submitted",
            Self::Final(_) => "final",
        }
    }
}
