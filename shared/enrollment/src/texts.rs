//! The page's texts: a client's translations over the built-in languages (the JSON of `docs/sources.md#widget`, extended by the
//! keys of `docs/translations.md`).

mod built_in;
mod placeholders;
mod plurals;
mod review;
mod translation;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::language::{Direction, Language, RequestedLanguage};

pub use built_in::BuiltIn;
pub use plurals::{CATEGORIES, Categories};
pub use review::{TranslationWarning, review};
pub use translation::{TranslationError, read as read_translation};

/// Path of the program's name, the placeholder `{program}`.
const PROGRAM: &str = "register.header";

/// Paths of texts that earlier releases had. A translation may still have them.
const RETIRED: [&str; 1] = ["error.one_try_left"];

/// Texts by their nested keys, with the language of those that another language supplies.
#[derive(Debug, Clone, PartialEq)]
pub struct Texts {
    merged: Value,
    language: Language,
    fallbacks: BTreeMap<String, Language>,
}

/// Texts of one language, as far as its author wrote them.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// Language of the texts.
    pub language: &'a Language,
    /// The texts by their nested keys.
    pub texts: &'a Value,
    /// Whether they are a client's own. Its name of the program counts before a built-in one of any language.
    pub is_of_client: bool,
}

impl<'a> Layer<'a> {
    /// A built-in language.
    pub fn built_in(built_in: &'static BuiltIn) -> Self {
        Self {
            language: &built_in.language,
            texts: built_in.texts(),
            is_of_client: false,
        }
    }

    /// A client's translation.
    pub fn of_client(language: &'a Language, texts: &'a Value) -> Self {
        Self {
            language,
            texts,
            is_of_client: true,
        }
    }
}

impl Texts {
    /// Returns the built-in English texts.
    pub fn english() -> Self {
        let english = BuiltIn::all().first();
        let language = english.map(|english| english.language.clone());
        Self::merged(&language.unwrap_or_else(Language::english), &[])
    }

    /// Returns the texts of a page in `language`: each from the first of `layers` that has it, else from built-in English.
    /// Only texts that built-in English has are accepted, and only as texts: no layer can change the shape.
    pub fn merged(language: &Language, layers: &[Layer<'_>]) -> Self {
        let english = BuiltIn::all().first().map(Layer::built_in);
        let layers: Vec<_> = layers.iter().copied().chain(english).collect();
        Self::shaped(built_in::english(), language, &layers)
    }

    /// Returns the texts whose keys `shape` has.
    fn shaped(shape: &Value, language: &Language, layers: &[Layer<'_>]) -> Self {
        let of_page = RequestedLanguage::from(language);
        let is_fallback =
            |layer: &Layer<'_>| !of_page.has_same_script(&RequestedLanguage::from(layer.language));
        let sources: Vec<_> = layers
            .iter()
            .map(|layer| Source {
                layer: *layer,
                is_fallback: is_fallback(layer),
                at: Some(layer.texts),
            })
            .collect();
        let mut fallbacks = BTreeMap::new();
        let merged = merge(shape, &sources, "", &mut fallbacks);
        Self {
            merged,
            language: language.clone(),
            fallbacks,
        }
    }

    /// Returns these texts with the names of client and program filled in. A page that belongs to no client has the program's
    /// name for both.
    #[must_use]
    pub fn named(mut self, client: Option<&str>) -> Self {
        let header = self.text(PROGRAM);
        let is_right_to_left = |path: &str| self.language_of(path).direction() == Direction::RightToLeft;
        let program = placeholders::filled(header, client.unwrap_or_default(), "", is_right_to_left(PROGRAM));
        let client = client.unwrap_or(&program);
        self.merged = each_text(&self.merged, "", &|path, text| {
            placeholders::filled(text, client, &program, is_right_to_left(path))
        });
        self
    }

    /// Returns the text at a dotted path, `register.userData.card_number`; empty where there is none.
    pub fn text(&self, path: &str) -> &str {
        at(&self.merged, path).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the language of the page.
    pub fn language(&self) -> &Language {
        &self.language
    }

    /// Returns the language of the text at a dotted path.
    pub fn language_of(&self, path: &str) -> &Language {
        self.fallbacks.get(path).unwrap_or(&self.language)
    }

    /// Returns the paths of the texts in other languages than the page's, by language.
    pub fn fallbacks(&self) -> BTreeMap<&Language, Vec<&str>> {
        let mut paths: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (path, language) in &self.fallbacks {
            paths.entry(language).or_default().push(path.as_str());
        }
        paths
    }

    /// Returns all texts, for the page's data block.
    pub fn as_json(&self) -> &Value {
        &self.merged
    }

    /// Returns the dotted paths of all texts, in order. The forms of a plural have one path.
    pub fn paths() -> Vec<String> {
        let mut paths = Vec::new();
        collect(built_in::english(), "", &mut paths);
        paths
    }

    /// Returns the dotted paths of the texts that are in none of `layers`.
    pub fn missing(layers: &[&Value]) -> Vec<String> {
        let english = built_in::english();
        let mut paths = Self::paths();
        paths.retain(|path| {
            let is_in = |layer: &&Value| {
                let (shape, text) = (at(english, path), at(layer, path));
                shape
                    .zip(text)
                    .and_then(|(shape, text)| usable(shape, text))
                    .is_some()
            };
            !layers.iter().any(is_in)
        });
        paths
    }
}

/// One layer in the course of [`merge`].
#[derive(Clone, Copy)]
struct Source<'a> {
    layer: Layer<'a>,
    is_fallback: bool,
    /// Its value at the path in question.
    at: Option<&'a Value>,
}

/// The texts at and below `path`, whose English is `shape`.
fn merge(
    shape: &Value,
    sources: &[Source<'_>],
    path: &str,
    fallbacks: &mut BTreeMap<String, Language>,
) -> Value {
    if let (Value::Object(members), None) = (shape, plurals::forms(shape)) {
        let merged = members.iter().map(|(key, shape)| {
            let below: Vec<_> = sources
                .iter()
                .map(|source| Source {
                    at: source.at.and_then(|value| value.get(key)),
                    ..*source
                })
                .collect();
            (key.clone(), merge(shape, &below, &joined(path, key), fallbacks))
        });
        return Value::Object(merged.collect());
    }
    let first = |of_client_only: bool| {
        let candidates = sources
            .iter()
            .filter(|source| source.layer.is_of_client || !of_client_only);
        let mut usable = candidates.filter_map(|source| Some((source, usable(shape, source.at?)?)));
        usable.next()
    };
    let own_name = if path == PROGRAM { first(true) } else { None };
    let Some((source, text)) = own_name.or_else(|| first(false)) else {
        return shape.clone();
    };
    if source.is_fallback {
        fallbacks.insert(path.to_owned(), source.layer.language.clone());
    }
    text
}

/// Returns a layer's text where it can stand for the English one: a text that is not blank, or forms of a plural. A text in
/// place of a plural is its only form: translations of earlier releases have such.
fn usable(english: &Value, text: &Value) -> Option<Value> {
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.trim().is_empty());
    let is_plural = plurals::forms(english).is_some();
    match text {
        Value::String(_) if is_text(text) => Some(if is_plural {
            Value::Object(Map::from_iter([("other".to_owned(), text.clone())]))
        } else {
            text.clone()
        }),
        Value::Object(_) if is_plural => plurals::forms(text)?.values().all(is_text).then(|| text.clone()),
        _ => None,
    }
}

/// Returns `texts` with each text replaced by the result of `change`, which takes path and text. Forms have their plural's
/// path.
fn each_text(texts: &Value, path: &str, change: &dyn Fn(&str, &str) -> String) -> Value {
    match texts {
        Value::String(text) => Value::String(change(path, text)),
        Value::Object(members) => {
            let is_plural = plurals::forms(texts).is_some();
            let changed = members.iter().map(|(key, value)| {
                let path = if is_plural {
                    path.to_owned()
                } else {
                    joined(path, key)
                };
                (key.clone(), each_text(value, &path, change))
            });
            Value::Object(changed.collect())
        }
        other => other.clone(),
    }
}

fn collect(texts: &Value, path: &str, found: &mut Vec<String>) {
    match texts {
        Value::Object(members) if plurals::forms(texts).is_none() => {
            for (key, value) in members {
                collect(value, &joined(path, key), found);
            }
        }
        _ => found.push(path.to_owned()),
    }
}

fn at<'a>(texts: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(texts, |value, key| value.get(key))
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

#[cfg(test)]
mod tests;
