//! A translation's file: JSON of the widget document (`docs/sources.md#widget`), checked against the texts that the
//! page has.

use serde_json::Value;

use super::placeholders::{self, PlaceholderError};
use super::{built_in, joined, plurals};
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
    /// A plural without the form that every language has.
    #[error("has '{0}' without its form 'other'")]
    NoOther(String),
    /// A form that no language has.
    #[error("has '{path}', but forms of a plural are {}", super::CATEGORIES.join(", "))]
    UnknownForm {
        /// Path of the form.
        path: String,
    },
    /// A placeholder that the text can't have.
    #[error("has '{path}' with the placeholder {{{name}}}; {known}")]
    UnknownPlaceholder {
        /// Path of the text.
        path: String,
        /// The placeholder.
        name: String,
        /// The placeholders that the text may have.
        known: String,
    },
    /// A brace that belongs to no placeholder.
    #[error("has '{0}' with a brace that belongs to no placeholder")]
    SingleBrace(String),
}

/// Reads a translation's file. Members that begin with `_` are notes for the translator, such as the English, and are dropped.
///
/// # Errors
/// All faults of the file.
pub fn read(file: &[u8]) -> Result<Value, Vec<TranslationError>> {
    let text = encoding::text(file).map_err(|error| vec![error.into()])?;
    let mut translation = json::without_duplicates(text.as_bytes())
        .map_err(|error| vec![TranslationError::Json(error.to_string())])?;
    if !translation.is_object() {
        return Err(vec![TranslationError::NotObject]);
    }
    drop_notes(&mut translation);
    let mut faults = Vec::new();
    check(built_in::english(), &translation, "", &mut faults);
    if faults.is_empty() {
        Ok(translation)
    } else {
        Err(faults)
    }
}

fn drop_notes(texts: &mut Value) {
    if let Value::Object(members) = texts {
        members.retain(|key, _| !key.starts_with('_'));
        members.values_mut().for_each(drop_notes);
    }
}

/// Adds the faults at and below `path`, whose English is `english`.
fn check(english: &Value, given: &Value, path: &str, faults: &mut Vec<TranslationError>) {
    if plurals::forms(english).is_some() {
        return check_plural(english, given, path, faults);
    }
    match (english, given) {
        (_, Value::Null) => faults.push(TranslationError::Null(path.to_owned())),
        (Value::Object(english), Value::Object(given)) => {
            for (key, value) in given {
                let path = joined(path, key);
                match english.get(key) {
                    Some(english) => check(english, value, &path, faults),
                    None if super::RETIRED.contains(&path.as_str()) => {}
                    None if value.is_null() => faults.push(TranslationError::Null(path)),
                    None => faults.push(TranslationError::Unknown(path)),
                }
            }
        }
        (Value::String(_), Value::String(text)) => check_placeholders(english, text, path, faults),
        _ => faults.push(TranslationError::Unknown(path.to_owned())),
    }
}

/// Adds the faults of a plural: an object of forms, or a text as its only form.
fn check_plural(english: &Value, given: &Value, path: &str, faults: &mut Vec<TranslationError>) {
    let forms = match given {
        Value::String(text) => return check_placeholders(english, text, path, faults),
        Value::Object(forms) => forms,
        Value::Null => return faults.push(TranslationError::Null(path.to_owned())),
        _ => return faults.push(TranslationError::Unknown(path.to_owned())),
    };
    if !forms.contains_key("other") {
        faults.push(TranslationError::NoOther(path.to_owned()));
    }
    for (category, form) in forms {
        let path = joined(path, category);
        match form {
            _ if !super::CATEGORIES.contains(&category.as_str()) => {
                faults.push(TranslationError::UnknownForm { path });
            }
            Value::String(text) => check_placeholders(english, text, &path, faults),
            Value::Null => faults.push(TranslationError::Null(path)),
            _ => faults.push(TranslationError::Unknown(path)),
        }
    }
}

fn check_placeholders(english: &Value, text: &str, path: &str, faults: &mut Vec<TranslationError>) {
    let known = placeholders::of(english);
    match placeholders::check(text, path, &known) {
        Ok(()) => {}
        Err(PlaceholderError::SingleBrace) => faults.push(TranslationError::SingleBrace(path.to_owned())),
        Err(PlaceholderError::Unknown(name)) => {
            let known = placeholders::allowed(path, &known)
                .map(|name| format!("{{{name}}}"))
                .collect::<Vec<_>>();
            faults.push(TranslationError::UnknownPlaceholder {
                path: path.to_owned(),
                name,
                known: format!("known here: {}", known.join(", ")),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
    fn texts_of_earlier_releases_are_accepted() {
        assert!(read(br#"{"error": {"one_try_left": "x"}}"#).is_ok());
        let earlier = json!({"info": "two minutes"});
        assert_eq!(compared(&earlier), Vec::<String>::new());
    }

    /// Faults of a translation of a few texts.
    fn compared(translation: &Value) -> Vec<String> {
        let form = json!({"one": "{minutes} minute", "other": "{minutes} minutes"});
        let english = json!({"info": form, "soon": form, "extended": form, "read_more": "Read more",
            "register": {"header": "Rewards", "tittle": "Join"}});
        let mut faults = Vec::new();
        check(&english, translation, "", &mut faults);
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn notes_are_dropped() {
        let file = br#"{"_read_more": "Read more", "read_more": "", "register": {"_confirm": "Add card", "confirm": "a"}}"#;
        assert_eq!(
            read(file).unwrap(),
            json!({"read_more": "", "register": {"confirm": "a"}})
        );
    }

    #[test]
    fn faults_of_plurals_are_told() {
        let own = json!({"info": {"one": "a", "dual": "b"}, "soon": {"other": null}, "extended": 5});
        assert_eq!(
            compared(&own),
            [
                "has 'extended', which is not a text of the page",
                "has 'info' without its form 'other'",
                "has 'info.dual', but forms of a plural are zero, one, two, few, many, other",
                "has 'soon.other' without a text (null); leave it out or translate it",
            ]
        );
    }

    #[test]
    fn placeholders_that_a_text_cannot_have_are_told() {
        let own = json!({"read_more": "{minutes}", "info": {"other": "{minutes} {minuty}"}, "soon": "{",
            "register": {"header": "{program}", "tittle": "{client} {program}"}});
        assert_eq!(
            compared(&own),
            [
                "has 'info.other' with the placeholder {minuty}; known here: {client}, {program}, {minutes}",
                "has 'read_more' with the placeholder {minutes}; known here: {client}, {program}",
                "has 'register.header' with the placeholder {program}; known here: {client}",
                "has 'soon' with a brace that belongs to no placeholder",
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
