use std::borrow::Cow;

use encoding_rs::Encoding;
use serde_json::Value;

use super::parse;
use crate::http::Answer;

/// Longest id, in characters.
const MAX_ID_CHARS: usize = 256;

/// Returns the JSON document of an answer, or `None` if the body is empty. An error describes the fault in the form.
pub(crate) fn document(answer: &Answer) -> Result<Option<Value>, &'static str> {
    let content = answer.content()?;
    let document = answer.document(&content)?;
    if document.bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    let text = decode(document.bytes, document.charset.as_deref())?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    parse(&text).map(Some)
}

/// Decodes a body: by its byte-order mark, else as UTF-8 (RFC 8259 §8.1), else by the declared charset. A charset of two
/// bytes per character is believed first, since such text is valid UTF-8 with zeros in it.
fn decode<'a>(bytes: &'a [u8], charset: Option<&str>) -> Result<Cow<'a, str>, &'static str> {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return encoding
            .decode_without_bom_handling_and_without_replacement(&bytes[length..])
            .ok_or("text that is not in its encoding");
    }
    let declared = charset.and_then(|label| Encoding::for_label(label.trim().as_bytes()));
    let is_wide = declared.is_some_and(|encoding| !encoding.is_ascii_compatible());
    match std::str::from_utf8(bytes) {
        Ok(text) if !is_wide => Ok(Cow::Borrowed(text)),
        _ => declared
            .and_then(|encoding| encoding.decode_without_bom_handling_and_without_replacement(bytes))
            .ok_or("text that is not in its encoding"),
    }
}

/// Returns an id: text of visible ASCII characters that begins with a letter or a digit, or a whole number.
pub(crate) fn id(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        _ => return None,
    };
    is_id(&text).then_some(text)
}

/// Whether a text may be an id. Such a text is a path segment of its own: it is neither empty nor made of dots.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() <= MAX_ID_CHARS
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

    use super::*;

    fn read(content_type: Option<&'static str>, body: &[u8]) -> Result<Option<Value>, &'static str> {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        document(&Answer {
            status: 200,
            headers,
            body: body.to_vec(),
        })
    }

    fn utf_16_le(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn encodings_are_decoded() {
        let expected = Ok(Some(serde_json::json!({"a": "ä"})));
        let text = r#"{"a":"ä"}"#;
        let marked = |bom: &[u8], bytes: Vec<u8>| [bom, &bytes].concat();
        for (content_type, body) in [
            (None, text.as_bytes().to_vec()),
            (
                Some("application/json;charset=\"UTF-8\""),
                text.as_bytes().to_vec(),
            ),
            (Some("text/plain; charset=ISO-8859-1"), text.as_bytes().to_vec()),
            (
                Some("application/json; charset=ISO-8859-1"),
                b"{\"a\":\"\xe4\"}".to_vec(),
            ),
            (Some("application/json"), marked(b"\xef\xbb\xbf", text.into())),
            (None, marked(b"\xff\xfe", utf_16_le(text))),
            (Some("application/json; charset=utf-16le"), utf_16_le(text)),
            (
                Some("application/json; charset=nonsense"),
                text.as_bytes().to_vec(),
            ),
        ] {
            assert_eq!(read(content_type, &body), expected, "{content_type:?}");
        }
    }

    #[test]
    fn empty_body_is_no_document() {
        for body in [&b""[..], b" \r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"] {
            assert_eq!(read(None, body), Ok(None));
        }
    }

    #[test]
    fn other_bodies_are_refused() {
        for body in [&b"<html/>"[..], b"{", b"{} {}", b"{\"a\":\"\xe4\"}", b"NaN"] {
            assert!(read(Some("application/json"), body).is_err());
        }
    }

    #[test]
    fn member_twice_is_refused_unless_equal() {
        assert!(parse(r#"{"a":1,"a":2}"#).is_err());
        assert!(parse(r#"[{"b":{"a":"x","a":null}}]"#).is_err());
        assert_eq!(parse(r#"{"a":1,"a":1}"#), Ok(serde_json::json!({"a": 1})));
    }

    #[test]
    fn id_is_text_or_a_whole_number() {
        let id = |text: &str| id(&parse(text).unwrap());
        assert_eq!(id("\" c-1 \""), Some("c-1".to_owned()));
        assert_eq!(id("12"), Some("12".to_owned()));
        for other in [
            "null", "true", "1.5", "-1", "\"\"", "\"..\"", "\"/x\"", "\"a b\"", "\"ä\"", "{}", "[1]",
        ] {
            assert_eq!(id(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(None, &body);
        }

        #[test]
        fn deep_nesting_is_refused(depth in 200_usize..2000) {
            prop_assert!(parse(&"[".repeat(depth)).is_err());
        }
    }
}
