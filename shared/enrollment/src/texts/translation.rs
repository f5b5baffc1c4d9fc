//! A translation's file: JSON of the widget document (`docs/sources.md#widget`), checked against the texts that the
//! page has.

use serde_json::Value;

use super::Texts;
use crate::encoding::{self, EncodingError};
use crate::json;

/// One fault of a translation's file: a sentence that continues the file's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TranslationError {
    /// Bytes that are no text.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// Text that is no JSON, a duplicate member, or nesting that is too deep.
    #[error("can't be read as JSON: {0}")]
    Json(String),
    /// JSON that is no object.
    #[error("must be a JSON object")]
    NotObject,
    /// A text that is `null`; some translators' tools write untranslated texts this way.
    #[error("has '{0}' without a text (null); leave it out or translate it")]
    Null(String),
    /// A member that the page does not have, or that is no text.
    #[error("has '{0}', which is not a text of the page")]
    Unknown(String),
}

/// Reads a translation's file.
///
/// # Errors
/// All faults of the file.
pub fn read(file: &[u8]) -> Result<Value, Vec<TranslationError>> {
    let text = encoding::text(file).map_err(|error| vec![error.into()])?;
    let translation = json::without_duplicates(text.as_bytes())
        .map_err(|error| vec![TranslationError::Json(error.to_string())])?;
    if !translation.is_object() {
        return Err(vec![TranslationError::NotObject]);
    }
    let faults: Vec<TranslationError> = Texts::unknown_keys(&translation)
        .into_iter()
        .map(|path| match at(&translation, &path) {
            Some(Value::Null) => TranslationError::Null(path),
            _ => TranslationError::Unknown(path),
        })
        .collect();
    if faults.is_empty() {
        Ok(translation)
    } else {
        Err(faults)
    }
}

fn at<'a>(translation: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(translation, |value, key| value.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(file: &[u8]) -> Vec<String> {
        read(file).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_of_a_windows_editor_is_read() {
        let json = "{\r\n \"read_more\": \"Więcej\"\r\n}\r\n";
        let utf_16: Vec<u8> = "\u{feff}"
            .encode_utf16()
            .chain(json.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        let marked = format!("\u{feff}{json}");
        for file in [json.as_bytes(), marked.as_bytes(), &utf_16] {
            assert_eq!(read(file).unwrap()["read_more"], "Więcej");
        }
    }

    #[test]
    fn members_that_are_twice_null_or_unknown_are_told() {
        let twice = told(br#"{"read_more": "a", "error": {}, "read_more": "b"}"#);
        assert!(
            twice[0].contains("'read_more' comes twice at line 1"),
            "{twice:?}"
        );
        assert!(told(br#"{"error": {"title": "a", "title": "a"}}"#)[0].contains("'title' comes twice"));
        let found =
            told(br#"{"read_more": null, "error": {"title": null, "info": 7}, "success": null, "x": null}"#);
        assert_eq!(
            found,
            [
                "has 'error.info', which is not a text of the page",
                "has 'error.title' without a text (null); leave it out or translate it",
                "has 'read_more' without a text (null); leave it out or translate it",
                "has 'success' without a text (null); leave it out or translate it",
                "has 'x' without a text (null); leave it out or translate it",
            ]
        );
    }

    #[test]
    fn what_is_no_object_or_nests_without_end_is_told() {
        let deep = [&b"{\"error\":"[..], &b"[".repeat(200), &b"]".repeat(200), b"}"].concat();
        for file in [&deep[..], b"", b"{", b"{\"read_more\": \"a\",}"] {
            assert!(
                told(file)[0].starts_with("can't be read as JSON: "),
                "{:?}",
                told(file)
            );
        }
        assert_eq!(told(b"[]"), ["must be a JSON object"]);
        assert_eq!(told(b"null"), ["must be a JSON object"]);
        assert!(told(b"{\"read_more\": \"Gr\xf6\xdfe\"}")[0].contains("is not UTF-8"));
    }
}
