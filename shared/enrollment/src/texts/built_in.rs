//! Built-in languages: one file each, `texts/<tag>.json`.

use std::sync::{LazyLock, OnceLock};

use serde_json::Value;

use crate::language::{Language, RequestedLanguage};

/// Tags of the languages, and whether their texts are reviewed. A language that is not is offered only where a client lists
/// it.
const LANGUAGES: [(&str, bool); 15] = [
    ("en", true),
    ("pl", true),
    ("de", true),
    ("ar", true),
    ("fr", true),
    ("es", true),
    ("zh_Hant", true),
    ("cs", false),
    ("ro", false),
    ("it", false),
    ("pt", false),
    ("nl", false),
    ("he", false),
    ("ja", false),
    ("zh_Hans", false),
];

/// Returns the file of a language. It is apart from [`LANGUAGES`], so that a function that needs no texts does not contain
/// them.
fn source(tag: &str) -> &'static str {
    match tag {
        "en" => include_str!("en.json"),
        "pl" => include_str!("pl.json"),
        "de" => include_str!("de.json"),
        "ar" => include_str!("ar.json"),
        "fr" => include_str!("fr.json"),
        "es" => include_str!("es.json"),
        "zh_Hant" => include_str!("zh_Hant.json"),
        "cs" => include_str!("cs.json"),
        "ro" => include_str!("ro.json"),
        "it" => include_str!("it.json"),
        "pt" => include_str!("pt.json"),
        "nl" => include_str!("nl.json"),
        "he" => include_str!("he.json"),
        "ja" => include_str!("ja.json"),
        "zh_Hans" => include_str!("zh_Hans.json"),
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
    /// Whether the texts are reviewed.
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
    use crate::texts::{Texts, review};

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
    fn every_file_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/texts");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| {
                Some(
                    entry
                        .unwrap()
                        .file_name()
                        .to_str()?
                        .strip_suffix(".json")?
                        .to_owned(),
                )
            })
            .collect();
        files.sort_unstable();
        let mut listed = LANGUAGES.map(|(tag, _)| tag);
        listed.sort_unstable();
        assert_eq!(files, listed);
    }

    /// Differences between a built-in language and English.
    fn faults(tag: &str, source: &str) -> Vec<String> {
        let texts = match crate::texts::read_translation(source.as_bytes()) {
            Ok(texts) => texts,
            Err(faults) => return faults.iter().map(ToString::to_string).collect(),
        };
        let missing = Texts::missing(&[&texts])
            .into_iter()
            .map(|path| format!("lacks '{path}'"));
        let language = Language::parse(tag).unwrap();
        let warnings = review(&language, &texts, &[Texts::english().as_json()]);
        missing.chain(warnings.iter().map(ToString::to_string)).collect()
    }

    #[test]
    fn every_language_has_the_keys_of_english() {
        for (tag, _) in LANGUAGES {
            assert_eq!(faults(tag, source(tag)), Vec::<String>::new(), "{tag}");
        }
    }

    #[test]
    fn a_language_that_differs_from_english_is_told() {
        let mut texts: Value = serde_json::from_str(source("en")).unwrap();
        texts["read_more"].take();
        texts["success"]["titel"] = "x".into();
        let told = faults("en", &texts.to_string());
        assert!(told[0].starts_with("has 'read_more' without a text"), "{told:?}");
        assert_eq!(told[1], "has 'success.titel', which is not a text of the page");
        let mut texts: Value = serde_json::from_str(source("en")).unwrap();
        texts.as_object_mut().unwrap().remove("read_more");
        texts["register"]["tittle"] = "x".into();
        texts["expiring"]["info"] = serde_json::json!({"other": "x"});
        assert_eq!(
            faults("en", &texts.to_string()),
            [
                "lacks 'read_more'",
                "has 'expiring.info' without one, which the language needs; such numbers have the form 'other'",
                "has 'expiring.info.other' without the placeholder {minutes}",
            ]
        );
    }

    #[test]
    fn regions_find_the_texts_of_their_language() {
        let found = |tag: &str| {
            let found = BuiltIn::find(&Language::parse(tag).unwrap());
            found.map(|built_in| built_in.language.to_string())
        };
        for (tag, language) in [
            ("en_GB", "en"),
            ("de_AT", "de"),
            ("zh_TW", "zh_Hant"),
            ("zh", "zh_Hans"),
            ("pt_PT", "pt"),
        ] {
            assert_eq!(found(tag).as_deref(), Some(language), "{tag}");
        }
        assert_eq!(found("sw"), None);
    }
}
