//! Headers of the page's responses beside those that all functions have in common.

use enrollment::reason::Reason;
use lambda_http::http::response::Builder;

pub(crate) use platform::gateway::response::{JSON, Problem, base, finish, json, problem};

/// Adds the reason to a response. It stands beside the event, whose members are those of the widget document
/// (`docs/sources.md#widget`).
pub(crate) fn with_reason(builder: Builder, reason: Option<Reason>) -> Builder {
    match reason {
        Some(reason) => builder.header("ending-reason", reason.as_str()),
        None => builder,
    }
}
