//! Headers of the page's responses beside those that all functions have in common.

use enrollment::reason::Reason;
use lambda_http::http::response::Builder;
use serde::Serialize;
use url::Url;

pub(crate) use platform::gateway::response::{JSON, Problem, base, finish, json, problem};

/// Body with the address to which the page sends the customer back. The page takes the member for itself: it is in no event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WithReturn<'a, T> {
    #[serde(flatten)]
    body: &'a T,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_url: Option<&'a str>,
}

impl<'a, T: Serialize> WithReturn<'a, T> {
    pub(crate) fn new(body: &'a T, return_url: Option<&'a Url>) -> Self {
        Self {
            body,
            return_url: return_url.map(Url::as_str),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        // Unwrap safety: text and numbers under names have no way to fail to serialize.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Adds the reason to a response. It stands beside the event, whose members are those of the widget document
/// (`docs/sources.md#widget`).
pub(crate) fn with_reason(builder: Builder, reason: Option<Reason>) -> Builder {
    match reason {
        Some(reason) => builder.header("ending-reason", reason.as_str()),
        None => builder,
    }
}
