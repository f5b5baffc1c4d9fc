//! Languages of a client's texts, and requested languages.

mod cldr;
mod direction;
mod requested;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::identifiers::Malformed;

pub use direction::Direction;
pub use requested::RequestedLanguage;

/// Language of a set of texts, perhaps with a script or region (RFC 5646 §2.1), kept as `pl`, `en_US`, `zh_Hant_TW` (the
/// spelling of `docs/sources.md#widget`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

impl Language {
    /// Accepts `-` and `_`, in any case.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        const MALFORMED: Malformed = Malformed::new("language", "must look like 'en', 'en_US' or 'en-US'");
        let mut parts = text.split(['-', '_']);
        let alphabetic = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
        let language = parts.next().unwrap_or_default();
        if !matches!(language.len(), 2 | 3) || !alphabetic(language) {
            return Err(MALFORMED);
        }
        let mut tag = language.to_ascii_lowercase();
        let mut next = parts.next();
        if let Some(script) = next.filter(|part| part.len() == 4 && alphabetic(part)) {
            tag.push('_');
            tag.push_str(&script[..1].to_ascii_uppercase());
            tag.push_str(&script[1..].to_ascii_lowercase());
            next = parts.next();
        }
        if let Some(region) = next {
            let numeric = region.len() == 3 && region.bytes().all(|byte| byte.is_ascii_digit());
            if !(numeric || region.len() == 2 && alphabetic(region)) {
                return Err(MALFORMED);
            }
            tag.push('_');
            tag.push_str(&region.to_ascii_uppercase());
        }
        if parts.next().is_some() {
            Err(MALFORMED)
        } else {
            Ok(Self(tag))
        }
    }

    /// Returns English, the language that every text has.
    pub fn english() -> Self {
        Self("en".to_owned())
    }

    /// Returns the tag with an underscore, as the widget document writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the tag with a hyphen, as HTML and HTTP write it.
    pub fn to_bcp47(&self) -> String {
        self.0.replace('_', "-")
    }

    /// Returns the writing direction.
    pub fn direction(&self) -> Direction {
        Direction::of(&self.0)
    }

    /// Returns the language alone: `en` of `en_US`.
    pub fn primary(&self) -> &str {
        self.0.split('_').next().unwrap_or_default()
    }
}

impl TryFrom<String> for Language {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        Self::parse(&text)
    }
}

impl From<Language> for String {
    fn from(language: Language) -> String {
        language.0
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_separators_and_any_case_are_one_language() {
        for (written, kept) in [
            ("en_US", "en_US"),
            ("en-us", "en_US"),
            ("PL", "pl"),
            ("zh-hant-tw", "zh_Hant_TW"),
            ("es_419", "es_419"),
        ] {
            assert_eq!(Language::parse(written).unwrap().as_str(), kept);
        }
        assert_eq!(Language::parse("en_US").unwrap().to_bcp47(), "en-US");
    }

    #[test]
    fn a_malformed_language_is_refused() {
        for text in [
            "", "e", "english", "en_", "en__US", "en_USA", "en_US_x", "../etc", "en US", "1n",
        ] {
            assert!(Language::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics_and_is_stable(text in "\\PC{0,20}") {
            if let Ok(language) = Language::parse(&text) {
                prop_assert_eq!(Language::parse(language.as_str()).unwrap(), language);
            }
        }
    }
}
