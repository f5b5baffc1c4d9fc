//! Parts of a translation that are valid but probably not intended.

use std::fmt;

use serde_json::Value;

use super::{BuiltIn, Categories, Texts, at, built_in, placeholders, plurals};
use crate::language::Language;

/// Warning about a translation: a sentence that continues the name of its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TranslationWarning {
    /// Texts that customers read in another language.
    Missing {
        /// Their paths.
        paths: Vec<String>,
        /// Number of texts that the page has.
        all: usize,
    },
    /// A text without a placeholder that its English has.
    NoPlaceholder {
        /// Path of the text.
        path: String,
        /// The placeholder.
        name: String,
    },
    /// A plural without forms that its language needs; numbers that need them have the form `other`.
    NoForms {
        /// Path of the plural.
        path: String,
        /// The missing forms.
        forms: Vec<&'static str>,
    },
    /// A form that no number has in the language.
    UnusedForm {
        /// Path of the form.
        path: String,
    },
    /// A text that earlier releases had.
    Retired(&'static str),
}

impl fmt::Display for TranslationWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { paths, all } => write!(
                formatter,
                "has {} of {all} texts; the others are shown in the default language or in English; missing: {}",
                all - paths.len(),
                paths.join(", ")
            ),
            Self::NoPlaceholder { path, name } => {
                write!(formatter, "has '{path}' without the placeholder {{{name}}}")
            }
            Self::NoForms { path, forms } => write!(
                formatter,
                "has '{path}' without {}, which the language needs; such numbers have the form 'other'",
                forms.join(", ")
            ),
            Self::Retired(path) => write!(formatter, "has '{path}', which the page no longer has"),
            Self::UnusedForm { path } => {
                write!(
                    formatter,
                    "has '{path}', a form that no number has in the language"
                )
            }
        }
    }
}

/// Returns the warnings about a translation, which has passed [`super::read_translation`]. `layers` are the other
/// translations in its language.
pub fn review(language: &Language, translation: &Value, layers: &[&Value]) -> Vec<TranslationWarning> {
    let mut warnings = Vec::new();
    let built_in = BuiltIn::find(language).map(BuiltIn::texts);
    let layers: Vec<_> = [translation]
        .into_iter()
        .chain(layers.iter().copied())
        .chain(built_in)
        .collect();
    let paths = Texts::missing(&layers);
    if !paths.is_empty() {
        let all = Texts::paths().len();
        warnings.push(TranslationWarning::Missing { paths, all });
    }
    let english = built_in::english();
    let is_retired = |path: &&str| at(english, path).is_none() && at(translation, path).is_some();
    let retired = super::RETIRED.into_iter().filter(is_retired);
    warnings.extend(retired.map(TranslationWarning::Retired));
    warnings.extend(compare(english, language, translation));
    warnings
}

/// Compares each text of a translation with the English one.
fn compare(english: &Value, language: &Language, translation: &Value) -> Vec<TranslationWarning> {
    let mut paths = Vec::new();
    super::collect(english, "", &mut paths);
    let mut warnings = Vec::new();
    for path in paths {
        let (Some(shape), Some(text)) = (at(english, &path), at(translation, &path)) else {
            continue;
        };
        if let Some(forms) = plurals::forms(shape).and_then(|_| plurals::forms(text)) {
            review_forms(language, &path, forms, &mut warnings);
        }
        review_placeholders(shape, text, &path, &mut warnings);
    }
    warnings
}

fn review_forms(
    language: &Language,
    path: &str,
    forms: &serde_json::Map<String, Value>,
    warnings: &mut Vec<TranslationWarning>,
) {
    let Some(categories) = Categories::of(language) else {
        return;
    };
    let missing: Vec<_> = categories
        .needed()
        .filter(|category| !forms.contains_key(*category))
        .collect();
    if !missing.is_empty() {
        let path = path.to_owned();
        warnings.push(TranslationWarning::NoForms { path, forms: missing });
    }
    for category in forms.keys().filter(|category| !categories.has(category)) {
        let path = format!("{path}.{category}");
        warnings.push(TranslationWarning::UnusedForm { path });
    }
}

/// Warns of placeholders that the English has and the translation has not. A form for one number, or for none or two, may
/// name it in words.
fn review_placeholders(english: &Value, text: &Value, path: &str, warnings: &mut Vec<TranslationWarning>) {
    let texts = match text {
        Value::Object(forms) => forms
            .iter()
            .filter(|(category, _)| !["zero", "one", "two"].contains(&category.as_str()))
            .map(|(category, form)| (format!("{path}.{category}"), form))
            .collect(),
        text => vec![(path.to_owned(), text)],
    };
    let is_blank = |text: &Value| text.as_str().is_some_and(|text| text.trim().is_empty());
    for (path, text) in texts.into_iter().filter(|(_, text)| !is_blank(text)) {
        let own = placeholders::of(text);
        let missing = placeholders::of(english.get("other").unwrap_or(english));
        for name in missing.into_iter().filter(|name| !own.contains(name)) {
            let (path, name) = (path.clone(), name.to_owned());
            warnings.push(TranslationWarning::NoPlaceholder { path, name });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(tag: &str, translation: &Value) -> Vec<String> {
        let english =
            json!({"info": {"one": "one minute", "other": "{minutes} minutes"}, "join": "Join {program}"});
        let warnings = compare(&english, &Language::parse(tag).unwrap(), translation);
        warnings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn missing_placeholders_are_named() {
        let own = json!({"info": {"one": "minuta", "few": "{minutes}", "many": "{minutes}", "other": "x"}, "join": "Dołącz"});
        assert_eq!(
            told("pl", &own),
            [
                "has 'info.other' without the placeholder {minutes}",
                "has 'join' without the placeholder {program}",
            ]
        );
        assert_eq!(
            told("pl", &json!({"info": "Zaraz"})),
            ["has 'info' without the placeholder {minutes}"]
        );
    }

    #[test]
    fn forms_are_compared_with_the_language() {
        let own = json!({"info": {"one": "{minutes}", "two": "{minutes}", "other": "{minutes}"}});
        assert_eq!(
            told("pl", &own),
            [
                "has 'info' without few, many, which the language needs; such numbers have the form 'other'",
                "has 'info.two', a form that no number has in the language",
            ]
        );
        assert_eq!(told("he", &own), Vec::<String>::new());
        assert_eq!(told("qaa", &own), Vec::<String>::new());
    }

    #[test]
    fn a_partial_translation_is_told() {
        let lithuanian = Language::parse("lt").unwrap();
        let own = json!({"read_more": "Daugiau"});
        let all = Texts::paths().len();
        let told = review(&lithuanian, &own, &[]);
        assert!(
            told[0]
                .to_string()
                .starts_with(&format!("has 1 of {all} texts; ")),
            "{told:?}"
        );
        assert_eq!(review(&lithuanian, &own, &[Texts::english().as_json()]), []);
        assert_eq!(review(&Language::parse("en_GB").unwrap(), &own, &[]), []);
    }
}
