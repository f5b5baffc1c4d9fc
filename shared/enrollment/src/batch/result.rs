//! Results of a batch.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::foreign::{ReasonCode, SrcConsumerId, SrcDigitalCardId};
use super::identifiers::ExternalCardId;
use super::stage::Submission;
use crate::log::by_display;
use crate::status::Status;

/// Advice about a card that failed (`docs/contract.md#retry-advice`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAdvice {
    /// Mastercard will not take the card.
    Never,
    /// The card may be sent again at once, in another batch.
    Now,
    /// The card may be sent again from this day on (UTC).
    After(Date),
}

/// Result of one card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardResult {
    /// Mastercard has it.
    Accepted {
        /// Mastercard's id of the card. A card that is tokenized only at the first checkout may have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        src_digital_card: Option<SrcDigitalCardId>,
        /// Mastercard's id of the consumer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        src_consumer: Option<SrcConsumerId>,
    },
    /// Mastercard does not have it.
    Failed {
        /// Reason.
        reason: ReasonCode,
        /// Advice.
        retry: RetryAdvice,
        /// Card of the same profile that failed of itself, where this one failed because of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sibling: Option<ExternalCardId>,
    },
    /// Nobody said.
    Unknown,
}

/// Reason of an `ERROR_BATCH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchReason {
    /// Mastercard refused the batch as a whole.
    Refused(ReasonCode),
    /// The batch reached its maximum age without a final answer.
    Expired,
    /// The final answer leaves a card out, contradicts itself, or names an id that is not the batch's.
    NotAccountedFor,
    /// The stored JWE was gone before it could be sent.
    ContentLost,
}

impl std::fmt::Display for BatchReason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

by_display!(BatchReason);

impl BatchReason {
    /// Returns the word of the results (`docs/contract.md#batch-results`).
    pub fn as_str(&self) -> &str {
        match self {
            Self::Refused(code) => code.as_str(),
            Self::Expired => "MAXIMUM_AGE_REACHED",
            Self::NotAccountedFor => "NOT_ACCOUNTED_FOR",
            Self::ContentLost => "CONTENT_LOST",
        }
    }
}

/// Final result of a batch. A batch has one, ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchResult {
    /// [`Status::SuccessBatch`] where every card has a final answer, failures among them; [`Status::ErrorBatch`] otherwise.
    pub status: Status,
    /// Reason of an error.
    pub reason: Option<BatchReason>,
    /// Result of each card, in the order of the manifest.
    pub cards: Vec<CardResult>,
    /// Time at which it was stored.
    pub at: Timestamp,
    /// Whether the JWE is still to be deleted.
    pub has_content: bool,
    /// Mastercard's acknowledgment, where there was one.
    pub submission: Option<Submission>,
}

/// Numbers of cards by result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Accepted.
    pub accepted: usize,
    /// Failed.
    pub failed: usize,
    /// Unknown.
    pub unknown: usize,
}

impl BatchResult {
    /// Counts the cards by result.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for card in &self.cards {
            match card {
                CardResult::Accepted { .. } => counts.accepted += 1,
                CardResult::Failed { .. } => counts.failed += 1,
                CardResult::Unknown => counts.unknown += 1,
            }
        }
        counts
    }
}
