use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use thiserror::Error;

use super::{problem, report::CardProblem};
use crate::{
    application_error::EncryptionKeyProblem,
    failure::{NotSent, Unknown},
    foreign::{ForeignCode, ForeignText},
    gateway::{self, GatewayError, GatewayReason},
    http::{
        Answer, SendError,
        header::{DATE, HeaderMap, HeaderName, RETRY_AFTER},
    },
};

/// Reasons of the service for which the same call may succeed later.
const RECOVERABLE: [&str; 9] = [
    "UNAVAILABLE",
    "RESOURCE_EXHAUSTED",
    "ABORTED",
    "DEADLINE_EXCEEDED",
    "INTERNAL",
    "INTERNAL_SERVER_ERROR",
    "UNEXPECTED_ERROR",
    "LOCKED",
    "NO_RESPONSE_FROM_ISSUER",
];

/// Reasons of the service that are about the caller, not about the request.
const CALLER_REFUSED: [&str; 2] = ["UNAUTHENTICATED", "AUTHENTICATION_FAILED"];

/// Text of an error (status 403) about the caller's signature.
const SIGNATURE_REFUSED: &str = "OAuth Signature parameter failed verification";

/// Longest delay that is read from `Retry-After`: one day. A longer one is a mistake of the other side.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

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

impl IssuerEnrollmentError {
    /// Whether the call may have been carried out: its outcome is unknown, or the service reports an error of its own.
    pub fn leaves_outcome_open(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.status >= 500,
            Self::Throttled { .. } | Self::NotSent(_) => false,
            Self::Unknown { .. } => true,
        }
    }

    /// Time to wait before the same call, if the answer has one.
    pub fn retry_after(&self) -> Option<RetryAfter> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            Self::Throttled { retry_after } | Self::Unknown { retry_after, .. } => *retry_after,
            Self::NotSent(_) => None,
        }
    }

    /// Text of the other side about the error, if any. It has to be sealed and must not be logged.
    pub fn foreign_text(&self) -> Option<&ForeignText> {
        let text = match self {
            Self::Refused(refusal) => &refusal.text,
            Self::NotSent(NotSent::Gateway(error))
            | Self::Unknown {
                reason: Unknown::Gateway(error),
                ..
            } => &error.text,
            Self::Throttled { .. } | Self::NotSent(_) | Self::Unknown { .. } => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// Kind of error as one word for logs and metrics.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Throttled { .. } => "throttled",
            Self::NotSent(NotSent::NoClientCertificate) => "invalid_client_cert",
            Self::NotSent(NotSent::Gateway(error)) => match error.reason {
                GatewayReason::InvalidClientCert => "invalid_client_cert",
                GatewayReason::AuthenticationFailed => "authentication_failed",
                GatewayReason::InvalidBodyHash => "invalid_body_hash",
                GatewayReason::Other(_) => "refused_by_gateway",
            },
            Self::NotSent(_) => "not_sent",
            Self::Unknown { .. } => "unknown",
        }
    }
}

impl Refusal {
    /// Whether the service says that it has no such batch or card.
    pub fn says_not_found(&self) -> bool {
        self.status == 404 && self.has_reason(&["NOT_FOUND"])
    }

    /// Whether the service says that it has this batch already.
    pub fn says_already_exists(&self) -> bool {
        self.has_reason(&["ALREADY_EXISTS"])
    }

    /// Problem with the key that the payload was encrypted under, if that is why it was refused.
    pub fn encryption_key_problem(&self) -> Option<EncryptionKeyProblem> {
        EncryptionKeyProblem::of(self.status, self.reasons())
    }

    fn reasons(&self) -> impl Iterator<Item = &ForeignCode> {
        std::iter::once(&self.reason).chain(&self.details)
    }

    fn has_reason(&self, known: &[&str]) -> bool {
        self.reasons()
            .any(|code| code.as_str().is_some_and(|code| known.contains(&code)))
    }
}

impl From<SendError> for IssuerEnrollmentError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotSent(reason) => Self::NotSent(reason),
            SendError::Unknown(reason) => unknown(reason),
        }
    }
}

/// Reads an answer that is no success: its status is an error, or its body is an error in place of the result.
///
/// `document` is its JSON, if it has some.
pub(super) fn read(answer: &Answer, document: Option<&Value>) -> IssuerEnrollmentError {
    let retry_after = retry_after(&answer.headers);
    if answer.status == 429 {
        return IssuerEnrollmentError::Throttled { retry_after };
    }
    let is_readable = answer.status >= 400 || (200..300).contains(&answer.status);
    let problem = document.filter(|_| is_readable).and_then(problem::of_document);
    let errors = document
        .and_then(|document| gateway::parse(document.to_string().as_bytes()))
        .unwrap_or_default();
    if let Some(error) = errors.iter().find(|error| error.reason.refuses_the_caller()) {
        return IssuerEnrollmentError::NotSent(NotSent::Gateway(error.clone()));
    }
    if answer.status == 400 && problem.is_none() && says_no_certificate(answer) {
        return IssuerEnrollmentError::NotSent(NotSent::NoClientCertificate);
    }
    match (problem, errors.into_iter().next()) {
        // The gateway had no answer in time, or failed itself.
        (_, Some(error)) if answer.status >= 500 => IssuerEnrollmentError::Unknown {
            reason: Unknown::Gateway(error),
            retry_after,
        },
        (Some(_), _) if answer.status == 408 => IssuerEnrollmentError::Unknown {
            reason: Unknown::Status(408),
            retry_after,
        },
        (Some(problem), error) => {
            let is_recoverable = error.is_some_and(|error| error.recoverable);
            refusal(answer.status, problem, is_recoverable, retry_after)
        }
        (None, _) => IssuerEnrollmentError::Unknown {
            reason: Unknown::Status(answer.status),
            retry_after,
        },
    }
}

/// Returns an error of the form of an answer.
pub(super) fn malformed(problem: &'static str) -> IssuerEnrollmentError {
    unknown(Unknown::Malformed(problem))
}

fn unknown(reason: Unknown) -> IssuerEnrollmentError {
    IssuerEnrollmentError::Unknown {
        reason,
        retry_after: None,
    }
}

fn refusal(
    status: u16,
    problem: CardProblem,
    is_recoverable: bool,
    retry_after: Option<RetryAfter>,
) -> IssuerEnrollmentError {
    let has = |known: &[&str]| {
        let mut codes = problem.reasons.iter().filter_map(ForeignCode::as_str);
        codes.any(|code| known.contains(&code))
    };
    let is_about_signature = status == 403 && problem.text.expose().contains(SIGNATURE_REFUSED);
    if status == 401 || has(&CALLER_REFUSED) || is_about_signature {
        return IssuerEnrollmentError::NotSent(NotSent::Gateway(GatewayError {
            origin: ForeignCode::default(),
            reason: GatewayReason::AuthenticationFailed,
            text: problem.text,
            recoverable: false,
        }));
    }
    let is_recoverable = is_recoverable || status >= 500 || has(&RECOVERABLE);
    let mut codes = problem.reasons;
    // The reason of the error follows those of its details.
    let reason = codes.pop().unwrap_or_default();
    IssuerEnrollmentError::Refused(Refusal {
        status,
        reason,
        details: codes,
        text: problem.text,
        is_recoverable,
        retry_after,
    })
}

fn says_no_certificate(answer: &Answer) -> bool {
    answer
        .content()
        .is_ok_and(|content| gateway::says_no_client_certificate(&content))
}

/// Parses `Retry-After`: seconds, or a date. A date is compared with the answer's own `Date`, so that a clock that is
/// wrong on either side does not count.
fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.parse().unwrap_or(u64::MAX);
        return Some(RetryAfter::Delay(
            Duration::from_secs(seconds).min(MAX_RETRY_AFTER),
        ));
    }
    let date = |name: HeaderName| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok();
    let time: SystemTime = date(RETRY_AFTER)?;
    match date(DATE) {
        Some(sent) => {
            let delay = time.duration_since(sent).unwrap_or_default();
            Some(RetryAfter::Delay(delay.min(MAX_RETRY_AFTER)))
        }
        None => Some(RetryAfter::At(time.duration_since(UNIX_EPOCH).ok()?.as_secs())),
    }
}
