//! Errors of a call, and the one table from error to response.

use enrollment::ending::Ending;
use enrollment::flows::extend::ExtendError;
use enrollment::flows::submission::FieldError;
use enrollment::flows::submit::SubmitError;
use enrollment::identifiers::{IncidentId, Malformed};
use enrollment::log::{LogText, by_display, error, info};
use enrollment::reason::Reason;
use enrollment::status::Status;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use url::Url;

use crate::response::{self, JSON, Problem, WithReturn};

/// Error of a call. [`ApiError::response`] is the one table from here to HTTP.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The method is neither GET nor POST.
    #[error("method not allowed")]
    Method,
    /// `Idempotency-Key` is missing or malformed.
    #[error("{0}")]
    IdempotencyKey(Malformed),
    /// The body is not `application/json`.
    #[error("content type is not JSON")]
    ContentType,
    /// The body is larger than a submission can be.
    #[error("body too large")]
    TooLarge,
    /// The session was extended as often as it may be.
    #[error("session was extended as often as it may be")]
    ExtensionsUsedUp,
    /// The session has expired, and names an address for the way back.
    #[error("session is expired")]
    Expired {
        /// Address to which the page sends the customer back.
        return_url: Url,
    },
    /// The flow refused the call.
    #[error(transparent)]
    Flow(#[from] SubmitError),
}

by_display!(ApiError);

impl From<ExtendError> for ApiError {
    fn from(error: ExtendError) -> Self {
        match error {
            ExtendError::Session(error) => Self::Flow(error),
            ExtendError::Exhausted => Self::ExtensionsUsedUp,
        }
    }
}

impl ApiError {
    /// Logs the error under the incident id, and gives the response, which says nothing of internals.
    pub(crate) fn response(&self, incident: &IncidentId) -> Response<Body> {
        self.log();
        let none: &[FieldError] = &[];
        let (status, title, errors) = match self {
            Self::Flow(SubmitError::SessionEnded) => {
                return event(StatusCode::UNAUTHORIZED, Status::TokenExpired, incident, None);
            }
            Self::Expired { return_url } => {
                let body = Ending::bare(Status::TokenExpired);
                let builder =
                    response::base(StatusCode::UNAUTHORIZED, JSON).header("incident-id", incident.as_str());
                return response::finish(builder, WithReturn::new(&body, Some(return_url)).to_json());
            }
            Self::Flow(SubmitError::Suspended) => {
                let reason = Some(Reason::Suspended);
                return event(StatusCode::UNAUTHORIZED, Status::TokenExpired, incident, reason);
            }
            Self::Flow(SubmitError::WrongAction(action)) => {
                // The page can't know for which action its session was opened.
                let builder = response::base(StatusCode::FORBIDDEN, JSON)
                    .header("incident-id", incident.as_str())
                    .header("session-action", action.as_str());
                return response::finish(builder, Ending::bare(Status::AccessDenied).to_json());
            }
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "Use GET or POST.", none),
            Self::IdempotencyKey(_) => (
                StatusCode::BAD_REQUEST,
                "Idempotency-Key must be 16 to 64 printable characters.",
                none,
            ),
            Self::ContentType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be application/json.",
                none,
            ),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large.", none),
            Self::Flow(SubmitError::Invalid(errors)) => (
                StatusCode::BAD_REQUEST,
                "The submission breaks rules.",
                errors.as_slice(),
            ),
            Self::Flow(SubmitError::AttemptOpen) => (
                StatusCode::CONFLICT,
                "Another attempt of this session is open.",
                none,
            ),
            Self::ExtensionsUsedUp => (
                StatusCode::CONFLICT,
                "The session was extended as often as it may be.",
                none,
            ),
            Self::Flow(SubmitError::KeyReused) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "This Idempotency-Key was used for another submission.",
                none,
            ),
            Self::Flow(SubmitError::Store(_)) => {
                (StatusCode::SERVICE_UNAVAILABLE, "Try again in a moment.", none)
            }
        };
        response::problem(&Problem::new(status, title, incident, errors))
    }

    fn log(&self) {
        match self {
            Self::Flow(SubmitError::Store(cause)) => error!(error = cause, "request failed"),
            Self::Flow(SubmitError::Invalid(errors)) => {
                info!(pointers = pointers(errors), reason = self, "request refused");
            }
            _ => info!(reason = self, "request refused"),
        }
    }
}

/// Pointers of the errors for the log. They come from the rules and never from the request.
fn pointers(errors: &[FieldError]) -> Option<LogText> {
    let mut pointers = errors.iter().map(|error| error.pointer);
    let first = LogText::from(pointers.next()?);
    Some(pointers.fold(first, LogText::with))
}

fn event(status: StatusCode, event: Status, incident: &IncidentId, reason: Option<Reason>) -> Response<Body> {
    let builder = response::base(status, JSON).header("incident-id", incident.as_str());
    response::finish(
        response::with_reason(builder, reason),
        Ending::bare(event).to_json(),
    )
}

#[cfg(test)]
mod tests {
    use enrollment::action::ActionCode;
    use enrollment::ports::StoreError;
    use enrollment::randomness::Randomness;

    use super::*;

    struct Zeros;
    impl Randomness for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn malformed() -> Malformed {
        enrollment::identifiers::IdempotencyKey::parse("").unwrap_err()
    }

    #[test]
    fn each_error_has_its_status_and_no_internals() {
        let incident = IncidentId::random(&Zeros);
        let store = StoreError::unavailable("find session", "table arn:aws:… throttled");
        let cases = [
            (ApiError::Method, 405),
            (ApiError::IdempotencyKey(malformed()), 400),
            (ApiError::ContentType, 415),
            (ApiError::TooLarge, 413),
            (SubmitError::SessionEnded.into(), 401),
            (SubmitError::Suspended.into(), 401),
            (ApiError::ExtensionsUsedUp, 409),
            (SubmitError::WrongAction(ActionCode::Replace).into(), 403),
            (SubmitError::Invalid(vec![]).into(), 400),
            (SubmitError::AttemptOpen.into(), 409),
            (SubmitError::KeyReused.into(), 422),
            (SubmitError::Store(store).into(), 503),
        ];
        for (refused, status) in cases {
            let response = refused.response(&incident);
            assert_eq!(response.status().as_u16(), status, "{refused}");
            assert_eq!(response.headers()["cache-control"], "no-store");
            let Body::Text(text) = response.body() else {
                panic!("a body of text")
            };
            assert!(!text.contains("arn:"), "{text}");
        }
    }

    #[test]
    fn a_session_for_another_action_says_which() {
        let refused: ApiError = SubmitError::WrongAction(ActionCode::OptOut).into();
        let response = refused.response(&IncidentId::random(&Zeros));
        assert_eq!(response.headers()["session-action"], "C");
    }
}
