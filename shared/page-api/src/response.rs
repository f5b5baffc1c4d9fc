//! Responses: the headers that all have in common, and JSON bodies.

use enrollment::reason::Reason;
use lambda_http::http::response::Builder;
use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Response};
use serde::Serialize;

/// Media type of answers and events.
pub(crate) const JSON: &str = "application/json";

/// Response with a JSON body.
pub(crate) fn json(status: StatusCode, media_type: &'static str, body: &impl Serialize) -> Response<Body> {
    match serde_json::to_string(body) {
        Ok(text) => finish(base(status, media_type), text),
        Err(_) => finish(base(StatusCode::INTERNAL_SERVER_ERROR, media_type), "{}".into()),
    }
}

/// Builder with the headers that all responses have in common.
pub(crate) fn base(status: StatusCode, media_type: &'static str) -> Builder {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, media_type)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::REFERRER_POLICY, "no-referrer")
}

/// Adds the reason to a response. It stands beside the event, whose members are those of the widget document
/// (`docs/sources.md#widget`).
pub(crate) fn with_reason(builder: Builder, reason: Option<Reason>) -> Builder {
    match reason {
        Some(reason) => builder.header("ending-reason", reason.as_str()),
        None => builder,
    }
}

/// Response of a builder. Its names and values are fixed or checked, so the builder refuses nothing.
pub(crate) fn finish(builder: Builder, body: String) -> Response<Body> {
    builder
        .body(Body::from(body))
        .unwrap_or_else(|_| Response::new(Body::Empty))
}
