//! The page's texts: built-in English under a client's translations (the JSON of `docs/sources.md#widget`).

mod translation;

use std::sync::LazyLock;

use serde_json::Value;

pub use translation::{TranslationError, read as read_translation};

/// Texts by their nested keys. A text that a translation lacks comes from the layer below.
#[derive(Debug, Clone, PartialEq)]
pub struct Texts(Value);

static BUILT_IN: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("texts/en.json")).unwrap_or_default());

impl Texts {
    /// Returns the built-in English texts.
    pub fn built_in() -> Self {
        Self(BUILT_IN.clone())
    }

    /// Returns the texts of `translation` over these ones.
    #[must_use]
    pub fn under(mut self, translation: &Value) -> Self {
        lay_over(&mut self.0, translation);
        self
    }

    /// Returns the text at a dotted path, `register.userData.card_number`; empty where there is none.
    pub fn text(&self, path: &str) -> &str {
        path.split('.')
            .try_fold(&self.0, |value, key| value.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Returns all texts, for the page's data block.
    pub fn as_json(&self) -> &Value {
        &self.0
    }

    /// Returns the dotted paths of all texts, in order.
    pub fn paths() -> Vec<String> {
        let mut paths = Vec::new();
        collect(&BUILT_IN, "", &mut paths);
        paths
    }

    /// Returns the dotted paths of the texts that are in no translation of `layers`.
    pub fn missing(layers: &[&Value]) -> Vec<String> {
        let has = |layer: &Value, path: &str| {
            let text = path.split('.').try_fold(layer, |value, key| value.get(key));
            text.and_then(Value::as_str)
                .is_some_and(|text| !text.trim().is_empty())
        };
        let mut paths = Self::paths();
        paths.retain(|path| !layers.iter().any(|layer| has(layer, path)));
        paths
    }

    /// Returns the dotted paths of members of `translation` that are unknown or unusable.
    pub fn unknown_keys(translation: &Value) -> Vec<String> {
        let mut found = Vec::new();
        compare(&BUILT_IN, translation, "", &mut found);
        found
    }
}

/// Only texts that the built-in English has are accepted, and only as texts: a translation cannot change the shape.
fn lay_over(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in below.iter_mut() {
                if let Some(translated) = above.get(key) {
                    lay_over(value, translated);
                }
            }
        }
        (Value::String(below), Value::String(above)) if !above.trim().is_empty() => below.clone_from(above),
        _ => {}
    }
}

fn collect(texts: &Value, path: &str, found: &mut Vec<String>) {
    match texts {
        Value::Object(members) => {
            for (key, value) in members {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                collect(value, &path, found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

fn compare(known: &Value, given: &Value, path: &str, found: &mut Vec<String>) {
    match (known, given) {
        (Value::Object(known), Value::Object(given)) => {
            for (key, value) in given {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                match known.get(key) {
                    Some(below) => compare(below, value, &path, found),
                    None => found.push(path),
                }
            }
        }
        (Value::String(_), Value::String(_)) => {}
        _ => found.push(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_missing_key_shows_the_english_below() {
        let texts = Texts::built_in().under(&json!({"register": {"confirm": "Potwierdź"}}));
        assert_eq!(texts.text("register.confirm"), "Potwierdź");
        assert_eq!(
            texts.text("success.title"),
            Texts::built_in().text("success.title")
        );
        assert!(!texts.text("success.title").is_empty());
    }

    #[test]
    fn every_key_of_source_document_001_is_known() {
        let example = json!({
            "register": {"header": "x", "tittle": "x", "accept_terms": "x", "optional": "x", "confirm": "x",
                "userData": {"card_number": "x", "first_name": "x", "last_name": "x", "email": "x"}},
            "error": {"title": "x", "info_first_part": "x", "info_second_part": "x"},
            "success": {"title": "x", "info": "x"},
            "read_more": "x"
        });
        assert_eq!(Texts::unknown_keys(&example), Vec::<String>::new());
    }

    #[test]
    fn a_translation_cannot_change_the_shape() {
        let texts =
            Texts::built_in().under(&json!({"register": "flat", "success": {"title": {"a": 1}}, "new": "x"}));
        assert_eq!(texts, Texts::built_in());
        assert_eq!(
            Texts::unknown_keys(&json!({"register": "flat", "new": "x", "success": {"title": 3}})),
            ["new", "register", "success.title"]
        );
    }

    #[test]
    fn texts_that_no_layer_has_are_missing() {
        assert_eq!(
            Texts::missing(&[Texts::built_in().as_json()]),
            Vec::<String>::new()
        );
        assert_eq!(Texts::missing(&[]), Texts::paths());
        let blank = json!({"read_more": " ", "error": {"title": "Błąd"}});
        let more = json!({"success": {"title": "Sukces"}});
        let missing = Texts::missing(&[&blank, &more]);
        assert_eq!(missing.len(), Texts::paths().len() - 2);
        assert!(missing.contains(&"read_more".to_owned()));
    }
}
