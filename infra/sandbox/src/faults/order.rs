//! Orders of faults, as the admin listener takes them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::effect::{DEFAULT_DELAY, Effect, Kind, RetryAfter};
use super::form::Form;
use super::service_error::ServiceError;
use super::shape::Shape;
use crate::card_number::CardNumber;

/// Most orders that are open at a time.
pub(super) const MAX_ORDERS: usize = 100;
const MAX_COUNT: u32 = 1_000_000;
const MAX_DELAY: Duration = Duration::from_mins(10);

/// Operation for which a fault can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Operation {
    /// MRS.
    Enroll,
    /// MRS.
    UpdateCustomerAccount,
    /// MRS.
    GetCustomerAccounts,
    /// MRS's diagnostic service.
    DoEcho,
    /// The Issuer Enrollment API.
    SubmitBatch,
    /// The Issuer Enrollment API.
    BatchStatus,
    /// The Issuer Enrollment API.
    DeleteCard,
    /// The demo partner's receiver.
    Confirmation,
}

impl Operation {
    fn is_of_issuers(self) -> bool {
        matches!(self, Self::SubmitBatch | Self::BatchStatus | Self::DeleteCard)
    }

    fn is_of_mrs(self) -> bool {
        !self.is_of_issuers() && self != Self::Confirmation
    }
}

/// An order: the next `count` calls of an operation go wrong; those about one card, where it names one.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Order {
    /// All digits.
    #[serde(default, skip_serializing)]
    card: Option<String>,
    pub(super) operation: Operation,
    fault: Kind,
    #[serde(default = "one")]
    pub(super) count: u32,
    /// For the slow ones; 12 s where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    /// For those with a code; -1001 where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i32>,
    /// Shape of the answer; for MRS only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shape: Option<Shape>,
    /// Whether a refusal repeats what the caller sent, in each of its texts; for MRS only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    quote: bool,
    /// Whether only first attempts at a confirmation fail, so that no confirmation meets two such orders.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) first_attempt: bool,
    /// `externalBatchId` of the only batch that is meant; for the Issuer Enrollment API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) batch: Option<String>,
    /// Form of the answer; for the Issuer Enrollment API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    form: Option<Form>,
    /// Seconds, for a throttled or refused call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
    /// Whether `Retry-After` is a date.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    as_date: bool,
    /// Reason of a refused call, of the error or of its detail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Reason for which an order is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum OrderError {
    #[error("count must be from 1 to {MAX_COUNT}")]
    Count,
    #[error("delayMs must be at most {} and goes with a slow fault", MAX_DELAY.as_millis())]
    Delay,
    #[error("code goes with a fault that has one, for MRS only")]
    Code,
    #[error("card must be a card number, and goes with an operation of MRS that is about one")]
    Card,
    #[error("shape and quote go with an answer of MRS that is sent whole; `shaped` wants a shape or quote")]
    Shape,
    #[error(
        "form, batch, retryAfter and reason go with the Issuer Enrollment API; `refused` wants a reason that its README lists"
    )]
    Issuer,
    #[error("firstAttempt goes with a confirmation")]
    FirstAttempt,
    #[error("the gateway stands before MRS only")]
    Gateway,
    #[error("there are {MAX_ORDERS} orders already: DELETE /faults clears them")]
    Full,
}

impl Order {
    /// Returns the card that it names, which the order itself does not keep.
    pub(super) fn check(&mut self) -> Result<Option<CardNumber>, OrderError> {
        let slow = matches!(self.fault, Kind::SlowBefore | Kind::SlowAfter);
        let coded = matches!(self.fault, Kind::CodeBefore | Kind::CodeAfter);
        if !(1..=MAX_COUNT).contains(&self.count) {
            return Err(OrderError::Count);
        }
        if self
            .delay_ms
            .is_some_and(|delay| !slow || Duration::from_millis(delay) > MAX_DELAY)
        {
            return Err(OrderError::Delay);
        }
        if (self.code.is_some() && !coded) || (coded && !self.operation.is_of_mrs()) {
            return Err(OrderError::Code);
        }
        let is_gateway = matches!(
            self.fault,
            Kind::InvalidClientCert | Kind::AuthenticationFailed | Kind::InvalidBodyHash
        );
        if is_gateway && self.operation == Operation::Confirmation {
            return Err(OrderError::Gateway);
        }
        let answers_whole = slow || coded || self.fault == Kind::Shaped;
        self.check_issuer()?;
        let shaped = self.shape.is_some() || self.quote;
        if (shaped && (!answers_whole || !self.operation.is_of_mrs()))
            || (self.fault == Kind::Shaped && !shaped && self.form.is_none())
        {
            return Err(OrderError::Shape);
        }
        if self.first_attempt && self.operation != Operation::Confirmation {
            return Err(OrderError::FirstAttempt);
        }
        let Some(digits) = self.card.take() else {
            return Ok(None);
        };
        if self.operation == Operation::DoEcho || !self.operation.is_of_mrs() {
            return Err(OrderError::Card);
        }
        CardNumber::parse(Zeroizing::new(digits))
            .map(Some)
            .ok_or(OrderError::Card)
    }

    /// Checks the members that are for the Issuer Enrollment API alone.
    fn check_issuer(&self) -> Result<(), OrderError> {
        let refuses = matches!(self.fault, Kind::Throttled | Kind::Refused);
        let is_used = refuses || self.form.is_some() || self.batch.is_some() || self.reason.is_some();
        let is_valid = (self.operation.is_of_issuers() || !is_used)
            && (refuses || self.retry_after.is_none())
            && (!self.as_date || self.retry_after.is_some())
            && (self.reason.is_some() == (self.fault == Kind::Refused))
            && self
                .reason
                .as_deref()
                .is_none_or(|reason| ServiceError::find(reason).is_some());
        if is_valid { Ok(()) } else { Err(OrderError::Issuer) }
    }

    pub(super) fn effect(&self) -> Effect {
        Effect {
            kind: self.fault,
            delay: self.delay_ms.map_or(DEFAULT_DELAY, Duration::from_millis),
            code: self.code.unwrap_or(-1001),
            shape: self.shape,
            quote: self.quote,
            form: self.form,
            retry_after: self.retry_after.map(|seconds| RetryAfter {
                seconds,
                as_date: self.as_date,
            }),
            error: self.reason.as_deref().and_then(ServiceError::find),
        }
    }
}

fn one() -> u32 {
    1
}
