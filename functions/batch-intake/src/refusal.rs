//! Refusals of a call, and the one table from refusal to response.

use enrollment::batch::{BatchFault, MAX_BODY};
use enrollment::flows::batch::accept::AcceptError;
use enrollment::flows::call::CallError;
use enrollment::identifiers::IncidentId;
use enrollment::log::{LogText, error, info};
use enrollment::ports::StoreError;
use enrollment::status::Status;
use enrollment::token::TokenError;
use lambda_http::http::{HeaderName, HeaderValue, StatusCode, header};
use lambda_http::{Body, Response};
use platform::gateway::response::{self, Problem};
use serde::Serialize;

/// Time after which a call that the store prevented is worth repeating, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");
/// Time after which a call is worth repeating whose id waits for the hourly purge, in seconds.
const RETRY_AFTER_PURGE: HeaderValue = HeaderValue::from_static("600");

/// Refusal of a call. [`Refusal::response`] is the one table from here to HTTP.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The route has no such method. The allowed ones, as the header `Allow` has them.
    #[error("method not allowed")]
    Method(&'static str),
    /// The request has no token.
    #[error("no token")]
    NoToken,
    /// There is no such route, or nothing of the caller's under this id.
    #[error("not found")]
    NotFound,
    /// The flow refused the call.
    #[error("{0}")]
    Accept(AcceptError),
}

impl From<AcceptError> for Refusal {
    fn from(error: AcceptError) -> Self {
        Self::Accept(error)
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        Self::Accept(error.into())
    }
}

/// Fault in one member of a batch. It names the member and the rule and never repeats the value.
#[derive(Serialize)]
struct FaultView<'a> {
    pointer: &'a str,
    detail: &'static str,
}

impl Refusal {
    /// Word for the metric.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Method(_) => "method",
            Self::NoToken | Self::Accept(AcceptError::Token(_)) => "token",
            Self::NotFound => "not_found",
            Self::Accept(AcceptError::TooLarge) => "too_large",
            Self::Accept(AcceptError::Faults(_)) => "faults",
            Self::Accept(AcceptError::Conflict) => "conflict",
            Self::Accept(AcceptError::Expired) => "expired",
            Self::Accept(AcceptError::Store(_)) => "fault",
        }
    }

    /// Logs the refusal under the incident id, and gives the response, which says nothing of internals.
    pub(crate) fn response(&self, incident: &IncidentId) -> Response<Body> {
        self.log();
        match self {
            Self::Method(allowed) => {
                let title = format!("Use {}.", allowed.replace(", ", " or "));
                let refused = refused(StatusCode::METHOD_NOT_ALLOWED, &title, incident);
                with(refused, header::ALLOW, HeaderValue::from_static(allowed))
            }
            Self::NoToken => token_refused(
                TokenError::InvalidParameters("no token"),
                StatusCode::UNAUTHORIZED,
                incident,
            ),
            Self::NotFound => refused(StatusCode::NOT_FOUND, "There is nothing of that id.", incident),
            Self::Accept(AcceptError::TooLarge) => {
                let title = format!("The body may have {MAX_BODY} bytes.");
                refused(StatusCode::PAYLOAD_TOO_LARGE, &title, incident)
            }
            Self::Accept(AcceptError::Token(error)) => token_refused(*error, token_status(*error), incident),
            Self::Accept(AcceptError::Faults(faults)) => {
                let title = "The batch breaks rules. Nothing of it is kept.";
                let views: Vec<FaultView<'_>> = faults.iter().map(FaultView::of).collect();
                let problem = Problem::new(StatusCode::BAD_REQUEST, title, incident, &views);
                response::problem(&problem)
            }
            Self::Accept(AcceptError::Conflict) => refused(
                StatusCode::CONFLICT,
                "This externalBatchId was used for another body.",
                incident,
            ),
            Self::Accept(AcceptError::Expired) => {
                let title = "The earlier batch of this externalBatchId is being deleted.";
                let refused = refused(StatusCode::SERVICE_UNAVAILABLE, title, incident);
                with(refused, header::RETRY_AFTER, RETRY_AFTER_PURGE)
            }
            Self::Accept(AcceptError::Store(_)) => {
                let title = "Try again in a moment.";
                let refused = refused(StatusCode::SERVICE_UNAVAILABLE, title, incident);
                with(refused, header::RETRY_AFTER, RETRY_AFTER)
            }
        }
    }

    fn log(&self) {
        match self {
            Self::Accept(AcceptError::Store(cause)) => log_failure(cause),
            Self::Accept(AcceptError::Token(cause)) => {
                info!(reason = cause, "token refused");
            }
            Self::Accept(AcceptError::Faults(faults)) => {
                let first = faults.first().map(|fault| LogText::from(fault.kind.message()));
                info!(faults = faults.len(), first, "batch refused");
            }
            Self::Method(_) | Self::NoToken | Self::NotFound | Self::Accept(_) => {
                info!(reason = self.class(), "request refused");
            }
        }
    }
}

impl<'a> FaultView<'a> {
    fn of(fault: &'a BatchFault) -> Self {
        Self {
            pointer: &fault.pointer,
            detail: fault.kind.message(),
        }
    }
}

fn log_failure(cause: &StoreError) {
    error!(error = cause, "request failed");
}

fn token_status(error: TokenError) -> StatusCode {
    match error.status() {
        Status::TokenExpired => StatusCode::UNAUTHORIZED,
        Status::AccessDenied => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// Response to a refused token: the word that an opening has for it, and the claim that is wrong. Whether a client exists is
/// not told.
fn token_refused(error: TokenError, status: StatusCode, incident: &IncidentId) -> Response<Body> {
    let title = match error {
        TokenError::TokenExpired => "The token has expired.",
        TokenError::InvalidParameters(_) => "The request needs a token that is made for it.",
        _ => "The token does not allow this.",
    };
    let mut problem =
        Problem::<FaultView<'_>>::new(status, title, incident, &[]).with_code(error.status().as_str());
    if let TokenError::InvalidParameters(detail) = error {
        problem = problem.with_detail(detail);
    }
    let refused = response::problem(&problem);
    if status == StatusCode::UNAUTHORIZED {
        with(
            refused,
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer"),
        )
    } else {
        refused
    }
}

fn refused(status: StatusCode, title: &str, incident: &IncidentId) -> Response<Body> {
    response::problem(&Problem::<FaultView<'_>>::new(status, title, incident, &[]))
}

fn with(mut response: Response<Body>, name: HeaderName, value: HeaderValue) -> Response<Body> {
    response.headers_mut().insert(name, value);
    response
}

#[cfg(test)]
mod tests {
    use enrollment::batch::FaultKind;
    use enrollment::randomness::Randomness;
    use serde_json::Value;

    use super::*;

    struct Zeros;
    impl Randomness for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    fn answered(refusal: &Refusal) -> (Response<Body>, Value) {
        let response = refusal.response(&IncidentId::random(&Zeros));
        let Body::Text(text) = response.body() else {
            panic!("a body of text")
        };
        let body = serde_json::from_str(text).unwrap();
        (response, body)
    }

    #[test]
    fn each_refusal_has_its_status_and_no_internals() {
        let store = StoreError::unavailable("reading a batch", "table arn:aws:… throttled");
        let token = |error| AcceptError::Token(error).into();
        let cases = [
            (Refusal::Method("GET"), 405, Value::Null),
            (Refusal::NotFound, 404, Value::Null),
            (AcceptError::TooLarge.into(), 413, Value::Null),
            (AcceptError::Faults(Vec::new()).into(), 400, Value::Null),
            (AcceptError::Conflict.into(), 409, Value::Null),
            (AcceptError::Expired.into(), 503, Value::Null),
            (AcceptError::Store(store).into(), 503, Value::Null),
            (token(TokenError::TokenExpired), 401, "TOKEN_EXPIRED".into()),
            (
                token(TokenError::InvalidParameters("htu")),
                400,
                "INVALID_PARAMETERS".into(),
            ),
            (Refusal::NoToken, 401, "INVALID_PARAMETERS".into()),
            (
                token(TokenError::AccessDenied("unknown client")),
                403,
                "ACCESS_DENIED".into(),
            ),
            (token(TokenError::Used), 403, "ACCESS_DENIED".into()),
        ];
        for (refusal, status, code) in cases {
            let (response, body) = answered(&refusal);
            assert_eq!(response.status().as_u16(), status, "{refusal}");
            assert_eq!(
                (&body["status"], &body["code"]),
                (&status.into(), &code),
                "{refusal}"
            );
            assert_eq!(response.headers()["cache-control"], "no-store");
            assert_eq!(response.headers()["content-type"], "application/problem+json");
            let text = body.to_string();
            assert!(!text.contains("arn:") && !text.contains("unknown"), "{text}");
        }
    }

    #[test]
    fn every_fault_has_its_pointer() {
        let fault = |pointer: &str, kind| BatchFault {
            pointer: pointer.to_owned(),
            kind,
        };
        let faults = vec![
            fault("/externalBatchId", FaultKind::Missing),
            fault("/manifest/profiles/3/cards/0", FaultKind::CardNumber),
        ];
        let (_, body) = answered(&AcceptError::Faults(faults).into());
        assert_eq!(
            body["errors"],
            serde_json::json!([
                {"pointer": "/externalBatchId", "detail": "is missing"},
                {"pointer": "/manifest/profiles/3/cards/0", "detail": "must not contain a card number"},
            ])
        );
    }

    #[test]
    fn large_body_is_told_the_figure() {
        let (_, body) = answered(&AcceptError::TooLarge.into());
        assert!(body["title"].as_str().unwrap().contains("524288"), "{body}");
    }
}
