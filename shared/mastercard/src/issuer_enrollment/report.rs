//! Status of a batch and the results of its cards.

use std::fmt;

use crate::foreign::{ForeignCode, ForeignText};

/// Answer to a status request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchReport {
    /// Status of the batch.
    pub status: BatchStatus,
    /// Cards that the answer mentions, in its order. It may leave some out, repeat some, and name foreign ones: the
    /// caller compares them with its own.
    pub cards: Vec<CardReport>,
    /// Error of the batch as a whole, if the answer has one.
    pub problem: Option<CardProblem>,
}

/// Status of a batch. Only the named final ones end it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchStatus {
    /// `IN_PROGRESS`: ask again later.
    InProgress,
    /// `COMPLETED_SUCCESSFULLY`: final.
    CompletedSuccessfully,
    /// `COMPLETED_WITH_ERRORS`: final, some cards failed.
    CompletedWithErrors,
    /// `FAILED`: final, the batch as a whole failed.
    Failed,
    /// Value that is not known. It does not end the batch.
    Other(ForeignCode),
}

/// Result of one card.
#[derive(Clone, PartialEq, Eq)]
pub struct CardReport {
    /// The issuer's id of the card, if the answer has a usable one.
    pub external_card_id: Option<String>,
    /// The issuer's id of the consumer.
    pub external_consumer_id: Option<String>,
    /// Mastercard's id of the card. Life-cycle calls need it.
    pub src_digital_card_id: Option<String>,
    /// Mastercard's id of the consumer.
    pub src_consumer_id: Option<String>,
    /// Outcome.
    pub outcome: CardOutcome,
}

/// Outcome of one card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CardOutcome {
    /// The answer states success, and nothing in it contradicts that.
    Succeeded,
    /// The answer states a failure.
    Failed(CardProblem),
    /// The answer states neither, or both.
    Unknown,
}

/// Error of one card, or of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardProblem {
    /// Reasons, the most specific first, such as `PAN_INELIGIBLE`. May be empty.
    pub reasons: Vec<ForeignCode>,
    /// HTTP status inside the error, if any.
    pub status: Option<u16>,
    /// Texts of the error. They may quote the request.
    pub text: ForeignText,
}

impl BatchStatus {
    /// Whether the batch has ended.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::CompletedSuccessfully | Self::CompletedWithErrors | Self::Failed
        )
    }
}

/// Omits the ids.
impl fmt::Debug for CardReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CardReport")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
