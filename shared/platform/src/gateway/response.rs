//! Responses of the functions behind the gateway: the headers that all have in common, JSON bodies, problem details.

use enrollment::identifiers::IncidentId;
use lambda_http::http::response::Builder;
use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Response};
use serde::Serialize;

/// Media type of answers and events.
pub const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";

/// Problem details of RFC 9457.
#[derive(Debug, Serialize)]
pub struct Problem<'a, E> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
    incident: &'a IncidentId,
    #[serde(skip_serializing_if = "<[E]>::is_empty")]
    errors: &'a [E],
}

impl<'a, E> Problem<'a, E> {
    /// Problem with its errors, each by JSON pointer. `title` is for people, and says nothing of internals.
    pub fn new(status: StatusCode, title: &'a str, incident: &'a IncidentId, errors: &'a [E]) -> Self {
        Self {
            kind: "about:blank",
            title,
            status: status.as_u16(),
            code: None,
            detail: None,
            incident,
            errors,
        }
    }

    /// Adds a word of a closed list for programs.
    #[must_use]
    pub fn with_code(self, code: &'static str) -> Self {
        Self {
            code: Some(code),
            ..self
        }
    }

    /// Adds what exactly is wrong, in words of this code.
    #[must_use]
    pub fn with_detail(self, detail: &'static str) -> Self {
        Self {
            detail: Some(detail),
            ..self
        }
    }
}

/// Response with problem details.
pub fn problem<E: Serialize>(problem: &Problem<'_, E>) -> Response<Body> {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json(status, PROBLEM, problem)
}

/// Response with a JSON body.
pub fn json(status: StatusCode, media_type: &'static str, body: &impl Serialize) -> Response<Body> {
    match serde_json::to_string(body) {
        Ok(text) => finish(base(status, media_type), text),
        Err(_) => finish(base(StatusCode::INTERNAL_SERVER_ERROR, media_type), "{}".into()),
    }
}

/// Builder with the headers that all responses have in common.
pub fn base(status: StatusCode, media_type: &'static str) -> Builder {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, media_type)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::REFERRER_POLICY, "no-referrer")
}

/// Response of a builder. Its names and values are fixed or checked, so the builder refuses nothing.
pub fn finish(builder: Builder, body: String) -> Response<Body> {
    builder
        .body(Body::from(body))
        .unwrap_or_else(|_| Response::new(Body::Empty))
}
