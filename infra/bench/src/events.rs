//! Events for the functions, as API Gateway sends them.

use std::sync::LazyLock;

use flows::partner::Partner;
use serde_json::{Value, json};

/// A session that no function finds.
static UNKNOWN_SESSION: LazyLock<String> = LazyLock::new(|| "A".repeat(43));

/// A browser loads the widget's page.
pub(crate) fn page() -> Value {
    event("GET", "/widget/demo/", &[], "")
}

/// A partner opens an enrollment for a customer whom nobody has seen before.
pub(crate) fn opening() -> Value {
    initialize(&Partner::demo().with_another_customer().token(&json!({})))
}

/// The page of an unknown session asks for its form.
pub(crate) fn unknown_session(function: &str) -> Value {
    describe(function, &UNKNOWN_SESSION)
}

pub(crate) fn initialize(token: &str) -> Value {
    event(
        "POST",
        "/company/non_auth_initialize",
        &[("content-type", "application/json")],
        &json!({"initializeWebsiteToken": token}).to_string(),
    )
}

/// The page asks for its form.
pub(crate) fn describe(function: &str, session: &str) -> Value {
    event(
        "GET",
        &format!("/widget/api/{function}"),
        &[("authorization", &format!("Bearer {session}"))],
        "",
    )
}

/// An event of API Gateway's REST API.
pub(crate) fn event(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Value {
    let headers: Value = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
        .collect();
    json!({
        "resource": path, "path": path, "httpMethod": method, "headers": headers, "body": body,
        "multiValueHeaders": {}, "isBase64Encoded": false,
        "requestContext": {"stage": "live", "path": path, "httpMethod": method, "requestId": "bench", "identity": {}}
    })
}
