//! Plural categories of languages (CLDR), from a table that `plurals.mjs` writes.

use serde_json::{Map, Value};

use crate::language::Language;

const TABLE: &str = include_str!("plurals.txt");

/// Plural categories of CLDR. `other` is the one that every language has.
pub const CATEGORIES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// Plural categories of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Categories {
    needed: &'static str,
    further: &'static str,
}

impl Categories {
    /// Returns the categories of a language; `None` for a language that CLDR has no rules for.
    pub fn of(language: &Language) -> Option<Self> {
        let has = |languages: &str| languages.split(' ').any(|code| code == language.primary());
        TABLE.lines().find_map(|line| {
            let (categories, _) = line.split_once(": ").filter(|(_, languages)| has(languages))?;
            let (needed, further) = categories.split_once(" + ").unwrap_or((categories, ""));
            Some(Self { needed, further })
        })
    }

    /// Returns the categories that whole numbers from 0 to 1000 have, and `other`.
    pub fn needed(self) -> impl Iterator<Item = &'static str> {
        self.needed.split(' ')
    }

    /// Whether any number has the category.
    pub fn has(self, category: &str) -> bool {
        self.needed
            .split(' ')
            .chain(self.further.split(' '))
            .any(|own| own == category)
    }
}

/// Returns the forms of a plural group: an object with no keys but [`CATEGORIES`], among them `other`.
pub(super) fn forms(value: &Value) -> Option<&Map<String, Value>> {
    let forms = value.as_object()?;
    let is_category = |key: &String| CATEGORIES.contains(&key.as_str());
    (forms.contains_key("other") && forms.keys().all(is_category)).then_some(forms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needed(tag: &str) -> Vec<&'static str> {
        let language = Language::parse(tag).unwrap();
        Categories::of(&language)
            .map(|categories| categories.needed().collect())
            .unwrap_or_default()
    }

    // https://www.unicode.org/cldr/charts/48/supplemental/language_plural_rules.html
    #[test]
    fn categories_are_those_of_the_cldr_chart() {
        assert_eq!(needed("en"), ["one", "other"]);
        assert_eq!(needed("pl"), ["one", "few", "many", "other"]);
        assert_eq!(needed("cs_CZ"), ["one", "few", "other"]);
        assert_eq!(needed("ar"), CATEGORIES);
        assert_eq!(needed("ro"), ["one", "few", "other"]);
        assert_eq!(needed("he"), ["one", "two", "other"]);
        assert_eq!(needed("zh_Hant"), ["other"]);
        assert_eq!(needed("qaa"), Vec::<&str>::new());
    }

    #[test]
    fn fractions_and_millions_have_further_categories() {
        let has = |tag: &str, category| {
            Categories::of(&Language::parse(tag).unwrap())
                .unwrap()
                .has(category)
        };
        assert!(has("cs", "many"));
        assert!(has("fr", "many"));
        assert!(!has("en", "few"));
        assert!(!has("ja", "one"));
    }

    #[test]
    fn an_object_without_other_is_no_group() {
        let is_group = |json| forms(&json).is_some();
        assert!(is_group(serde_json::json!({"one": "a", "other": "b"})));
        assert!(!is_group(serde_json::json!({"one": "a"})));
        assert!(!is_group(serde_json::json!({"title": "a", "other": "b"})));
        assert!(!is_group(serde_json::json!("other")));
    }
}
