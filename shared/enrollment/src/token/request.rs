//! Request body that contains a token (`docs/sources.md#widget`, "Widget Initialization").

use serde_json::Value;

use super::TokenError;
use crate::encoding;
use crate::json::object_without_duplicates;

/// Row 1, first half: the token of a body that is a JSON object with one `initializeWebsiteToken`. Members that we do
/// not know are left alone, and so is a byte-order mark before it.
pub fn of_request(body: &[u8]) -> Result<String, TokenError> {
    match object_without_duplicates(encoding::without_mark(body))
        .and_then(|mut body| body.remove("initializeWebsiteToken"))
    {
        Some(Value::String(token)) => Ok(token),
        _ => Err(TokenError::InvalidParameters(
            "body is not JSON with one initializeWebsiteToken",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_is_json_with_one_token() {
        for body in [
            r#"{"initializeWebsiteToken":"a.b.c"}"#,
            r#"{"initializeWebsiteToken":"a.b.c","more":1}"#,
            "\u{feff}{\"initializeWebsiteToken\":\"a.b.c\"}\r\n",
        ] {
            assert_eq!(of_request(body.as_bytes()).as_deref(), Ok("a.b.c"), "{body}");
        }
        for body in [
            "",
            "a.b.c",
            "\u{feff}",
            "\u{feff}\u{feff}{\"initializeWebsiteToken\":\"a.b.c\"}",
            "[]",
            "{}",
            r#"["a.b.c"]"#,
            r#"{"initializeWebsiteToken":7}"#,
            r#"{"initializeWebsiteToken":["a.b.c"]}"#,
            r#"{"initializeWebsiteToken":"a.b.c","initializeWebsiteToken":"d.e.f"}"#,
        ] {
            assert!(of_request(body.as_bytes()).is_err(), "{body}");
        }
    }
}
