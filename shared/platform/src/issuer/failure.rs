//! Failures of calls to the Issuer Enrollment API, as the port has them.

use enrollment::batch::{FlowId, ReasonCode};
use enrollment::log::LogText;
use enrollment::ports::IssuerEnrollmentError;
use jiff::{SignedDuration, Timestamp};
use mastercard::NotSent;
use mastercard::application_error::EncryptionKeyProblem;
use mastercard::issuer_enrollment::{self as api, Exchange, Refusal, RetryAfter};

use super::answer::first_code;
use crate::connection::{CallError, ClosedError, OutOfTime, ProtocolError, log_text};
use crate::tables::FaultNote;

/// Name of the operation that carries an encrypted payload.
pub(super) const SUBMISSION: &str = "submitBatch";

/// HTTP status of a service that takes no requests at the moment.
const UNAVAILABLE: u16 = 503;

impl ClosedError for api::IssuerEnrollmentError {}

impl ProtocolError for api::IssuerEnrollmentError {
    fn class(&self) -> &'static str {
        self.class()
    }

    fn is_fault(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.status >= 500,
            // The rate is a setting of this deployment.
            Self::Throttled { .. } => false,
            Self::NotSent(_) | Self::Unknown { .. } => true,
        }
    }

    fn refuses_credentials(&self) -> bool {
        match self {
            Self::NotSent(NotSent::NoClientCertificate) => true,
            Self::NotSent(NotSent::Gateway(error)) => error.reason.refuses_the_caller(),
            _ => false,
        }
    }
}

/// Failure of a call of an operation that ended at `now`. `flow` is of its first answer.
pub(super) fn of_call(
    operation: &str,
    error: CallError<api::IssuerEnrollmentError>,
    flow: Option<FlowId>,
    now: Timestamp,
) -> IssuerEnrollmentError {
    match error {
        CallError::Protocol(api::IssuerEnrollmentError::Refused(refusal)) if operation == SUBMISSION => {
            of_submission(&refusal, flow, now)
        }
        CallError::Protocol(error) => of_answer(error, flow, now),
        CallError::NotReady(detail) => IssuerEnrollmentError::NotSent(detail),
        CallError::OutOfTime(OutOfTime::NotSent) => {
            IssuerEnrollmentError::NotSent("the function has no time left".into())
        }
        CallError::OutOfTime(OutOfTime::Interrupted) => IssuerEnrollmentError::Unknown {
            detail: "no answer before the function ends".into(),
            retry_after: None,
            flow,
        },
    }
}

/// Words of Mastercard about a failed call; `None` where there are none.
pub(super) fn words<T>(operation: &str, exchange: &Exchange<T>, at: Timestamp) -> Option<FaultNote> {
    let error = exchange.result.as_ref().err()?;
    let text = error.foreign_text().filter(|text| !text.is_empty());
    let correlation = exchange.correlation.as_ref();
    (text.is_some() || correlation.is_some()).then(|| FaultNote {
        at,
        operation: operation.to_owned(),
        outcome: error.class().to_owned(),
        correlation: correlation.map(|id| id.as_str().to_owned()),
        text: text.map(|text| text.expose().to_owned()).unwrap_or_default(),
    })
}

fn of_answer(
    error: api::IssuerEnrollmentError,
    flow: Option<FlowId>,
    now: Timestamp,
) -> IssuerEnrollmentError {
    match error {
        api::IssuerEnrollmentError::Refused(refusal) if refusal.says_not_found() => {
            IssuerEnrollmentError::NotFound
        }
        api::IssuerEnrollmentError::Refused(refusal) => of_refusal(&refusal, flow, now),
        api::IssuerEnrollmentError::Throttled { retry_after } => IssuerEnrollmentError::Repeatable {
            reason: ReasonCode::unspecified(),
            retry_after: delay(retry_after, now),
            is_throttled: true,
            flow,
        },
        api::IssuerEnrollmentError::NotSent(reason) => IssuerEnrollmentError::NotSent(log_text(reason)),
        api::IssuerEnrollmentError::Unknown { reason, retry_after } => IssuerEnrollmentError::Unknown {
            detail: log_text(reason),
            retry_after: delay(retry_after, now),
            flow,
        },
    }
}

/// Refusal of a batch. A refused encryption key has a reason of its own: Mastercard's word, such as `EXPIRED`, does not
/// say of what.
fn of_submission(refusal: &Refusal, flow: Option<FlowId>, now: Timestamp) -> IssuerEnrollmentError {
    let reason = match refusal.encryption_key_problem() {
        Some(EncryptionKeyProblem::Expired) => "ENCRYPTION_KEY_EXPIRED",
        Some(EncryptionKeyProblem::MultipleFound) => "ENCRYPTION_KEY_MULTIPLE_FOUND",
        Some(EncryptionKeyProblem::NotFound) => "ENCRYPTION_KEY_NOT_FOUND",
        None => return of_answer(api::IssuerEnrollmentError::Refused(refusal.clone()), flow, now),
    };
    IssuerEnrollmentError::Refused {
        reason: ReasonCode::of(reason),
        http_status: refusal.status,
    }
}

fn of_refusal(refusal: &Refusal, flow: Option<FlowId>, now: Timestamp) -> IssuerEnrollmentError {
    // The details say more than the reason above them.
    let codes = refusal.details.iter().chain([&refusal.reason]);
    let reason = first_code(codes).unwrap_or_else(ReasonCode::unspecified);
    let was_not_processed = refusal.status < 500 || refusal.status == UNAVAILABLE;
    if !refusal.is_recoverable {
        IssuerEnrollmentError::Refused {
            reason,
            http_status: refusal.status,
        }
    } else if was_not_processed {
        IssuerEnrollmentError::Repeatable {
            reason,
            retry_after: delay(refusal.retry_after, now),
            is_throttled: false,
            flow,
        }
    } else {
        IssuerEnrollmentError::Unknown {
            detail: LogText::numbered("http_", refusal.status).because(reason),
            retry_after: delay(refusal.retry_after, now),
            flow,
        }
    }
}

fn delay(retry_after: Option<RetryAfter>, now: Timestamp) -> Option<SignedDuration> {
    let now = u64::try_from(now.as_second()).unwrap_or_default();
    let delay = retry_after?.delay(now);
    Some(SignedDuration::try_from(delay).unwrap_or(SignedDuration::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mastercard::{ForeignCode, ForeignText, Unknown};

    use super::*;

    fn flow() -> Option<FlowId> {
        FlowId::parse("flow-1").ok()
    }

    fn refused(status: u16, reason: &str, is_recoverable: bool) -> IssuerEnrollmentError {
        let refusal = Refusal {
            status,
            reason: ForeignCode::new(reason),
            details: Vec::new(),
            text: ForeignText::default(),
            is_recoverable,
            retry_after: Some(RetryAfter::Delay(Duration::from_secs(7))),
        };
        of_answer(
            api::IssuerEnrollmentError::Refused(refusal),
            flow(),
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn refusal_is_final_unless_recoverable() {
        assert!(matches!(
            refused(400, "INVALID_ARGUMENT", false),
            IssuerEnrollmentError::Refused { http_status: 400, .. }
        ));
        let unavailable = refused(503, "UNAVAILABLE", true);
        assert!(
            matches!(
                unavailable,
                IssuerEnrollmentError::Repeatable {
                    retry_after: Some(delay),
                    is_throttled: false,
                    ..
                } if delay == SignedDuration::from_secs(7)
            ),
            "{unavailable:?}"
        );
        // The service may have done its work before it failed.
        let failed = refused(500, "INTERNAL", true);
        assert!(matches!(failed, IssuerEnrollmentError::Unknown { .. }));
        for error in [unavailable, failed] {
            assert_eq!(error.retry_after(), Some(SignedDuration::from_secs(7)));
            assert_eq!(error.flow(), flow().as_ref());
        }
        assert_eq!(refused(404, "NOT_FOUND", false), IssuerEnrollmentError::NotFound);
        assert!(matches!(
            refused(404, "[html]", false),
            IssuerEnrollmentError::Refused { http_status: 404, .. }
        ));
    }

    #[test]
    fn refused_encryption_key_has_a_reason_of_its_own() {
        for (status, reason, detail, expected) in [
            (403, "PERMISSION_DENIED", "EXPIRED", "ENCRYPTION_KEY_EXPIRED"),
            (403, "PERMISSION_DENIED", "NOT_FOUND", "ENCRYPTION_KEY_NOT_FOUND"),
            (
                403,
                "PERMISSION_DENIED",
                "MULTIPLE_FOUND",
                "ENCRYPTION_KEY_MULTIPLE_FOUND",
            ),
            // An expired card.
            (400, "INVALID_ARGUMENT", "EXPIRED", "EXPIRED"),
        ] {
            let refusal = Refusal {
                status,
                reason: ForeignCode::new(reason),
                details: vec![ForeignCode::new(detail)],
                text: ForeignText::default(),
                is_recoverable: false,
                retry_after: None,
            };
            let expected = IssuerEnrollmentError::Refused {
                reason: ReasonCode::of(expected),
                http_status: status,
            };
            assert_eq!(
                of_submission(&refusal, None, Timestamp::UNIX_EPOCH),
                expected,
                "{detail}"
            );
        }
    }

    #[test]
    fn interrupted_call_is_unknown() {
        let interrupted = of_call(
            SUBMISSION,
            CallError::OutOfTime(OutOfTime::Interrupted),
            None,
            Timestamp::UNIX_EPOCH,
        );
        assert!(matches!(interrupted, IssuerEnrollmentError::Unknown { .. }));
        let unknown = api::IssuerEnrollmentError::Unknown {
            reason: Unknown::Timeout,
            retry_after: Some(RetryAfter::Delay(Duration::from_secs(9))),
        };
        assert!(unknown.is_fault());
        let unknown = of_answer(unknown, flow(), Timestamp::UNIX_EPOCH);
        assert!(matches!(unknown, IssuerEnrollmentError::Unknown { .. }));
        assert_eq!(unknown.retry_after(), Some(SignedDuration::from_secs(9)));
        assert_eq!(unknown.flow(), flow().as_ref());
    }
}
