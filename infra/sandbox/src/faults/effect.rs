//! Effects of faults.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::form::Form;
use super::service_error::ServiceError;
use super::shape::Shape;

/// Longer than the 8 s that the product gives a call to MRS.
pub(super) const DEFAULT_DELAY: Duration = Duration::from_secs(12);

/// One way of going wrong. "Before" is before the work, which is then left out unless the fault is merely slow; "after" is
/// after the work was done for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Waits, then does the work and answers. The work is done even if the caller has left.
    SlowBefore,
    /// Does the work, waits, then answers.
    SlowAfter,
    /// Cuts the connection instead of doing the work.
    CutBefore,
    /// Does the work, then cuts the connection instead of answering.
    CutAfter,
    /// Answers HTTP 500 instead of doing the work.
    Http500Before,
    /// Does the work, then answers HTTP 500.
    Http500After,
    /// Does the work, then answers with half of the document.
    MalformedAfter,
    /// Answers a fault with a code instead of doing the work.
    CodeBefore,
    /// Does the work, then answers a fault with a code.
    CodeAfter,
    /// Does the work and answers, in the shape that the order names.
    Shaped,
    /// Answers 429 instead of doing the work.
    Throttled,
    /// Answers an error of the service instead of doing the work.
    Refused,
    /// Mastercard's gateway refuses the client certificate instead of passing the call on.
    InvalidClientCert,
    /// It refuses the signature.
    AuthenticationFailed,
    /// It refuses the hash of the body.
    InvalidBodyHash,
}

/// A way of going wrong with its measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) kind: Kind,
    pub(crate) delay: Duration,
    pub(crate) code: i32,
    /// Shape of the answer; the usual one where absent.
    pub(crate) shape: Option<Shape>,
    /// Whether a refusal repeats what the caller sent.
    pub(crate) quote: bool,
    /// Form of an answer of the Issuer Enrollment API.
    pub(crate) form: Option<Form>,
    /// `Retry-After` of a throttled or refused call.
    pub(crate) retry_after: Option<RetryAfter>,
    /// Error of a refused call.
    pub(crate) error: Option<ServiceError>,
}

/// `Retry-After`, in seconds from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RetryAfter {
    pub(crate) seconds: u32,
    /// Whether it is written as a date.
    pub(crate) as_date: bool,
}

impl Effect {
    pub(crate) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            delay: DEFAULT_DELAY,
            code: -1001,
            shape: None,
            quote: false,
            form: None,
            retry_after: None,
            error: None,
        }
    }

    pub(crate) const fn slow(kind: Kind, delay: Duration) -> Self {
        Self {
            delay,
            ..Self::new(kind)
        }
    }

    pub(crate) const fn with_code(kind: Kind, code: i32) -> Self {
        Self {
            code,
            ..Self::new(kind)
        }
    }
}
