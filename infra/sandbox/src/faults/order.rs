//! Orders of faults, as the admin listener takes them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::effect::{DEFAULT_DELAY, Effect, Kind};
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
    /// The demo partner's receiver.
    Confirmation,
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
        if (self.code.is_some() && !coded) || (coded && self.operation == Operation::Confirmation) {
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
        let shaped = self.shape.is_some() || self.quote;
        if (shaped && (!answers_whole || self.operation == Operation::Confirmation))
            || (self.fault == Kind::Shaped && !shaped)
        {
            return Err(OrderError::Shape);
        }
        if self.first_attempt && self.operation != Operation::Confirmation {
            return Err(OrderError::FirstAttempt);
        }
        let Some(digits) = self.card.take() else {
            return Ok(None);
        };
        if matches!(self.operation, Operation::DoEcho | Operation::Confirmation) {
            return Err(OrderError::Card);
        }
        CardNumber::parse(Zeroizing::new(digits))
            .map(Some)
            .ok_or(OrderError::Card)
    }

    pub(super) fn effect(&self) -> Effect {
        Effect {
            kind: self.fault,
            delay: self.delay_ms.map_or(DEFAULT_DELAY, Duration::from_millis),
            code: self.code.unwrap_or(-1001),
            shape: self.shape,
            quote: self.quote,
        }
    }
}

fn one() -> u32 {
    1
}
