//! Built-in languages: one file each, `texts/<tag>.json`.

use std::sync::{LazyLock, OnceLock};

use serde_json::Value;

use crate::language::{Language, RequestedLanguage};

/// Tags of the languages, and whether speakers have reviewed the texts. A language that is not reviewed is offered only
/// where a client lists it.
const LANGUAGES: [(&str, bool); 1] = [("en", true)];

/// Returns the file of a language. It is apart from [`LANGUAGES`], so that a function that needs no texts does not contain
/// them.
fn source(tag: &str) -> &'static str {
    match tag {
        "en" => include_str!("en.json"),
        _ => "{}",
    }
}

static BUILT_IN: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
    let built_in = |(tag, is_reviewed): (&str, bool)| {
        Some(BuiltIn {
            language: Language::parse(tag).ok()?,
            is_reviewed,
            texts: OnceLock::new(),
        })
    };
    LANGUAGES.into_iter().filter_map(built_in).collect()
});

/// A language whose texts are part of the product.
#[derive(Debug)]
pub struct BuiltIn {
    /// The language.
    pub language: Language,
    /// Whether speakers have reviewed the texts.
    pub is_reviewed: bool,
    texts: OnceLock<Value>,
}

impl BuiltIn {
    /// Returns all built-in languages, English first.
    pub fn all() -> &'static [Self] {
        &BUILT_IN
    }

    /// Returns the built-in language that a reader of `language` can read: `de` for `de_AT`, `zh_Hant` for `zh_TW`.
    pub fn find(language: &Language) -> Option<&'static Self> {
        let wanted = RequestedLanguage::from(language);
        let chosen = wanted.choose(BUILT_IN.iter().map(|built_in| &built_in.language))?;
        BUILT_IN.iter().find(|built_in| built_in.language == *chosen)
    }

    /// Returns the file, whose texts have the order of the page.
    pub fn source(&self) -> &'static str {
        source(self.language.as_str())
    }

    /// Returns the texts, parsed at the first call.
    pub fn texts(&self) -> &Value {
        self.texts
            .get_or_init(|| serde_json::from_str(self.source()).unwrap_or_default())
    }
}

/// Returns the English texts, which have every key.
pub(super) fn english() -> &'static Value {
    static NONE: Value = Value::Null;
    BUILT_IN.first().map_or(&NONE, BuiltIn::texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_language_has_a_file() {
        assert_eq!(BuiltIn::all().len(), LANGUAGES.len());
        assert_eq!(BuiltIn::all()[0].language.as_str(), "en");
        for (built_in, (tag, _)) in BuiltIn::all().iter().zip(LANGUAGES) {
            assert_eq!(built_in.language.as_str(), tag);
            assert!(!built_in.texts().as_object().unwrap().is_empty(), "{tag}");
        }
    }

    #[test]
    fn regions_find_the_texts_of_their_language() {
        let found = |tag: &str| {
            let found = BuiltIn::find(&Language::parse(tag).unwrap());
            found.map(|built_in| built_in.language.to_string())
        };
        assert_eq!(found("en_GB").as_deref(), Some("en"));
        assert_eq!(found("sw"), None);
    }
}
