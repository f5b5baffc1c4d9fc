//! Mastercard's answer about a batch, whichever way it comes: polled today, perhaps pushed one day.

use super::foreign::{FlowId, ReasonCode, SrcConsumerId, SrcDigitalCardId};

/// Answer about a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchAnswer {
    /// Status of the batch.
    pub status: AnswerStatus,
    /// Records of cards, in any order. Only those of a final answer are read.
    pub items: Vec<AnswerItem>,
    /// `X-Src-Cx-Flow-Id`, where the answer had it.
    pub flow: Option<FlowId>,
}

impl BatchAnswer {
    /// Whether Mastercard is done with the batch.
    pub fn is_final(&self) -> bool {
        matches!(self.status, AnswerStatus::Completed | AnswerStatus::Failed { .. })
    }
}

/// Status of a batch at Mastercard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerStatus {
    /// Mastercard works.
    InProgress,
    /// Mastercard is done.
    Completed,
    /// Mastercard refused the batch as a whole.
    Failed {
        /// Reason; [`ReasonCode::unspecified`] where the answer has none.
        reason: ReasonCode,
        /// HTTP status that stands beside the reason, where one does.
        http_status: Option<u16>,
    },
    /// A status that is not known, or none. It says nothing.
    Unknown,
}

/// Record of one card.
#[derive(Clone, PartialEq, Eq)]
pub struct AnswerItem {
    /// Card as the answer names it; `None` where it names none.
    pub card: Option<String>,
    /// Result.
    pub outcome: ItemOutcome,
}

impl std::fmt::Debug for AnswerItem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("AnswerItem")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// Result of a card as Mastercard says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemOutcome {
    /// The card is enrolled.
    Succeeded {
        /// Mastercard's id of the card, where it gave one.
        src_digital_card: Option<SrcDigitalCardId>,
        /// Mastercard's id of the consumer, where it gave one.
        src_consumer: Option<SrcConsumerId>,
    },
    /// The card is not enrolled.
    Failed {
        /// Reason that Mastercard gave; `None` where it gave none.
        reason: Option<ReasonCode>,
        /// HTTP status that stands beside the reason, where one does.
        http_status: Option<u16>,
    },
    /// A status that is not known, or none. It says nothing.
    Unknown,
}
