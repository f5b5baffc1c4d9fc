use std::time::Duration;

use thiserror::Error;

use crate::{
    failure::{NotSent, Unknown},
    foreign::{ForeignCode, ForeignText},
};

/// Error of a call. The kinds are decisions: end the batch, wait, try again, ask before repeating.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IssuerEnrollmentError {
    /// Mastercard refused the request and explains why.
    #[error("Mastercard refused the request: {0}")]
    Refused(Refusal),
    /// 429: the agreed rate is exceeded. The call was not carried out.
    #[error("Mastercard asks for fewer calls")]
    Throttled {
        /// `Retry-After` of the answer.
        retry_after: Option<RetryAfter>,
    },
    /// The call certainly did not reach the service: no connection, or the gateway refused the caller.
    #[error("the call did not reach the service: {0}")]
    NotSent(NotSent),
    /// The call may have been carried out, or the answer does not say what became of it.
    #[error("unknown whether the call was carried out: {reason}")]
    Unknown {
        /// Reason.
        reason: Unknown,
        /// `Retry-After` of the answer, if any.
        retry_after: Option<RetryAfter>,
    },
}

/// Explained refusal of a request: a readable error of the service or of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Reason of the error, such as `INVALID_ARGUMENT`.
    pub reason: ForeignCode,
    /// Reasons of its details, such as `PAN_INELIGIBLE`, in the answer's order.
    pub details: Vec<ForeignCode>,
    /// Texts of the error. They may quote the request.
    pub text: ForeignText,
    /// Whether the same call may succeed later.
    pub is_recoverable: bool,
    /// `Retry-After` of the answer, if any.
    pub retry_after: Option<RetryAfter>,
}

/// Value of `Retry-After` (RFC 9110 §10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Delay after the answer.
    Delay(Duration),
    /// Point in time, in UNIX seconds.
    At(u64),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} with HTTP status {}", self.reason, self.status)
    }
}

impl RetryAfter {
    /// Delay from `now` (UNIX seconds) on. A point in the past is no delay.
    pub fn delay(self, now: u64) -> Duration {
        match self {
            Self::Delay(delay) => delay,
            Self::At(time) => Duration::from_secs(time.saturating_sub(now)),
        }
    }
}
