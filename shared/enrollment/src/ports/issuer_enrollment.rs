//! Mastercard's Issuer Enrollment API.

use async_trait::async_trait;
use jiff::SignedDuration;

use crate::batch::{
    BatchAnswer, EncryptedEnrollmentData, ExternalBatchId, FlowId, MastercardBatchId, ReasonCode,
    SrcDigitalCardId, Submission,
};
use crate::identifiers::IncidentId;
use crate::log::{LogText, by_display};

/// Batch to send.
#[derive(Debug, Clone, Copy)]
pub struct BatchSubmission<'a> {
    /// `srcClientId`.
    pub src_client_id: &'a str,
    /// `serviceId`.
    pub service_id: &'a str,
    /// `externalBatchId`. Mastercard is assumed to take it as idempotency key: see
    /// [`flows::batch::submit`](crate::flows::batch::submit).
    pub external_id: &'a ExternalBatchId,
    /// Flow id of the first answer about the batch, where there was one.
    pub flow: Option<&'a FlowId>,
    /// JWE, passed on unchanged.
    pub data: &'a EncryptedEnrollmentData,
    /// Incident id under which Mastercard's correlation ids are logged.
    pub incident: &'a IncidentId,
}

/// Acknowledgment of a batch (HTTP 202).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgment {
    /// `batchId`.
    pub batch: MastercardBatchId,
    /// `X-Src-Cx-Flow-Id`, where the answer had it.
    pub flow: Option<FlowId>,
}

/// Question about a batch.
#[derive(Debug, Clone, Copy)]
pub struct BatchQuery<'a> {
    /// `srcClientId`.
    pub src_client_id: &'a str,
    /// `serviceId`.
    pub service_id: &'a str,
    /// Acknowledgment that is asked about; its flow id is sent.
    pub submission: &'a Submission,
    /// Incident id of the batch.
    pub incident: &'a IncidentId,
}

/// Card to delete.
#[derive(Debug, Clone, Copy)]
pub struct CardDeletion<'a> {
    /// `srcClientId`.
    pub src_client_id: &'a str,
    /// `serviceId`.
    pub service_id: &'a str,
    /// Card.
    pub card: &'a SrcDigitalCardId,
    /// Flow id of the batch that enrolled it.
    pub flow: Option<&'a FlowId>,
}

/// Failure of a call to the Issuer Enrollment API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerEnrollmentError {
    /// The request certainly never reached Mastercard.
    #[error("Mastercard was not reached: {0}")]
    NotSent(LogText),
    /// Mastercard did not process the request, and it may be repeated: HTTP 429, 503, or an error marked as recoverable.
    #[error("Mastercard wants the call repeated: {reason}")]
    Repeatable {
        /// Reason; [`ReasonCode::unspecified`] where there is none.
        reason: ReasonCode,
        /// `Retry-After`.
        retry_after: Option<SignedDuration>,
        /// Whether Mastercard throttles (429): then no other call is made meanwhile either.
        is_throttled: bool,
        /// `X-Src-Cx-Flow-Id`, where the answer had it.
        flow: Option<FlowId>,
    },
    /// Mastercard knows no such batch or card (HTTP 404 of the application, not of a gateway).
    #[error("Mastercard does not know it")]
    NotFound,
    /// Mastercard refused the request for good.
    #[error("Mastercard refused: {reason}")]
    Refused {
        /// Reason; [`ReasonCode::unspecified`] where there is none.
        reason: ReasonCode,
        /// HTTP status.
        http_status: u16,
    },
    /// The result is unknown: Mastercard may have processed the request.
    #[error("Mastercard gave no usable answer: {detail}")]
    Unknown {
        /// Reason.
        detail: LogText,
        /// `Retry-After`.
        retry_after: Option<SignedDuration>,
        /// `X-Src-Cx-Flow-Id`, where there was an answer that had it.
        flow: Option<FlowId>,
    },
}

by_display!(IssuerEnrollmentError);

impl IssuerEnrollmentError {
    /// No answer came.
    pub fn unanswered(detail: impl Into<LogText>) -> Self {
        Self::Unknown {
            detail: detail.into(),
            retry_after: None,
            flow: None,
        }
    }

    /// Returns the flow id of the answer, where the call is to be repeated.
    pub fn flow(&self) -> Option<&FlowId> {
        match self {
            Self::Repeatable { flow, .. } | Self::Unknown { flow, .. } => flow.as_ref(),
            Self::NotSent(_) | Self::NotFound | Self::Refused { .. } => None,
        }
    }

    /// Returns the wait that Mastercard asked for.
    pub fn retry_after(&self) -> Option<SignedDuration> {
        match self {
            Self::Repeatable { retry_after, .. } | Self::Unknown { retry_after, .. } => *retry_after,
            Self::NotSent(_) | Self::NotFound | Self::Refused { .. } => None,
        }
    }
}

/// Mastercard's Issuer Enrollment API. Each call ends within 10 s, and before its function does.
#[async_trait]
pub trait IssuerEnrollment: Send + Sync {
    /// Sends a batch.
    async fn submit(&self, batch: BatchSubmission<'_>) -> Result<Acknowledgment, IssuerEnrollmentError>;
    /// Asks about a batch.
    async fn status(&self, query: BatchQuery<'_>) -> Result<BatchAnswer, IssuerEnrollmentError>;
    /// Deletes a card.
    async fn delete_card(&self, card: CardDeletion<'_>) -> Result<(), IssuerEnrollmentError>;
}
