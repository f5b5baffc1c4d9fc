//! A valid token in a body that is not JSON with one token.

use serde_json::{Value, json};

use super::Forgery;
use super::victim::Victim;

const STATUS: &str = "INVALID_PARAMETERS";

pub(super) fn all(victim: &Victim) -> Vec<Forgery> {
    let token = victim.token(&json!({}));
    let other = victim.token(&json!({}));
    let body = json!({"initializeWebsiteToken": token}).to_string();
    let member = |value: Value| json!({"initializeWebsiteToken": value}).to_string();
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    [
        ("no body", String::new()),
        ("the token alone", token.clone()),
        ("the token as JSON", json!(token).to_string()),
        ("a form", format!("initializeWebsiteToken={token}")),
        ("the token in an array", json!([token]).to_string()),
        ("an array around the body", format!("[{body}]")),
        ("an array of tokens", member(json!([token]))),
        ("an object of tokens", member(json!({"token": token}))),
        ("null", member(Value::Null)),
        ("a number", member(json!(7))),
        ("an empty text", member(json!(""))),
        (
            "deep arrays for a token",
            format!(r#"{{"initializeWebsiteToken":{deep}}}"#),
        ),
        (
            "two tokens",
            format!(r#"{{"initializeWebsiteToken":"{token}","initializeWebsiteToken":"{other}"}}"#),
        ),
        (
            "one token twice",
            format!(r#"{{"initializeWebsiteToken":"{token}","initializeWebsiteToken":"{token}"}}"#),
        ),
        (
            "two tokens, one name escaped",
            format!(r#"{{"initializeWebsiteToken":"{token}","\u0069nitializeWebsiteToken":"{other}"}}"#),
        ),
        (
            "another name",
            json!({"InitializeWebsiteToken": token}).to_string(),
        ),
        ("another body behind it", format!("{body}{body}")),
        ("a comma too many", body.replace('}', ",}")),
        ("two byte-order marks", format!("\u{feff}\u{feff}{body}")),
        ("a byte-order mark behind it", format!("{body}\u{feff}")),
        ("cut off", body[..body.len() - 1].to_owned()),
        (
            "half a surrogate pair",
            format!(r#"{{"initializeWebsiteToken":"{token}\ud800"}}"#),
        ),
        ("JWS JSON serialization, as an object", member(serialized(&token))),
        (
            "JWS JSON serialization, as text",
            member(json!(serialized(&token).to_string())),
        ),
    ]
    .map(|(what, body)| Forgery::of_body(format!("body: {what}"), body, STATUS))
    .into()
}

/// RFC 7515 §7.2.2.
fn serialized(token: &str) -> Value {
    let parts: Vec<&str> = token.split('.').collect();
    json!({"protected": parts[0], "payload": parts[1], "signature": parts[2]})
}
