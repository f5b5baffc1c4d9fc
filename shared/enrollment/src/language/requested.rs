//! Requested languages, in the spellings of phones, operating systems and programs.

use oxilangtag::LanguageTag;

use super::Language;
use super::cldr::Subtags;

/// Longest language tag, in bytes.
const MAX_LENGTH: usize = 256;

/// Modifiers of POSIX locales that name a script.
const POSIX_SCRIPTS: [(&str, &str); 5] = [
    ("latin", "Latn"),
    ("iqtelif", "Latn"),
    ("cyrillic", "Cyrl"),
    ("devanagari", "Deva"),
    ("arabic", "Arab"),
];

/// Whole tags that stand for another: of .NET, and those that RFC 5646 §2.2.8 keeps ("grandfathered").
const OLD_TAGS: [(&str, &str); 10] = [
    ("zh-chs", "zh-Hans"),
    ("zh-cht", "zh-Hant"),
    ("no-bok", "nb"),
    ("no-nyn", "nn"),
    ("en-gb-oed", "en-GB"),
    ("zh-guoyu", "zh"),
    ("zh-hakka", "zh-hak"),
    ("zh-min", "zh"),
    ("zh-min-nan", "zh-nan"),
    ("zh-xiang", "zh-hsn"),
];

/// A request for a language, reduced to what chooses among texts: language, script and region.
///
/// Any BCP 47 tag is read, `_` as `-`, and the spellings of POSIX (`de_DE.UTF-8@euro`), Java (`zh_TW_#Hant`) and Apple
/// (`zh-Hans_CN`). Variants, extensions and private use choose nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedLanguage {
    canonical: Subtags,
    likely: Subtags,
}

impl RequestedLanguage {
    /// Reads a request; `None` for text that names no language.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
        if text.len() > MAX_LENGTH || !text.is_ascii() {
            return None;
        }
        let tag = hyphenated(text);
        let old = OLD_TAGS.iter().find(|(old, _)| tag.eq_ignore_ascii_case(old));
        let tag = longest_tag(old.map_or(tag.as_str(), |(_, now)| now))?;
        Some(Self::of(&tag))
    }

    /// The language out of `offered` that answers the request: RFC 4647 §3.4 look-up of the likely subtags, so that a
    /// script is never exchanged for another.
    pub fn choose<'a>(&self, offered: impl Iterator<Item = &'a Language>) -> Option<&'a Language> {
        let offered: Vec<_> = offered.map(|language| (language, Self::from(language))).collect();
        let same = |matches: &dyn Fn(&Self) -> bool| {
            let found = offered
                .iter()
                .find(|(_, other)| self.has_same_script(other) && matches(other));
            found.map(|(language, _)| *language)
        };
        same(&|other| other.canonical.region == self.canonical.region)
            .or_else(|| same(&|other| other.likely.region == self.likely.region))
            .or_else(|| same(&|other| other.canonical.region.is_none()))
    }

    /// Whether both are one language in one script, of any region: `de_AT` and `de`, `zh_TW` and `zh_Hant`.
    pub fn has_same_script(&self, other: &Self) -> bool {
        (&other.likely.language, &other.likely.script) == (&self.likely.language, &self.likely.script)
    }

    /// Whether both are spellings of one language: `iw` and `he`, `zh_TW` and `zh_Hant_TW`, `sr` and `sr_Cyrl`.
    pub fn is_same(&self, other: &Self) -> bool {
        let parts = |one: &Self| {
            let Subtags { language, script, .. } = one.likely.clone();
            (language, script, one.canonical.region.clone())
        };
        parts(self) == parts(other)
    }

    fn of(tag: &LanguageTag<String>) -> Self {
        let subtags = |language: &str, script: Option<&str>, region: Option<&str>| {
            Subtags {
                language: language.to_ascii_lowercase(),
                script: script.map(title_case),
                region: region.map(str::to_ascii_uppercase),
            }
            .canonical()
        };
        let mut canonical = subtags(tag.primary_language(), tag.script(), tag.region());
        // `zh-yue` is Chinese as Cantonese is written.
        if let (None, Some(extended)) = (tag.script(), tag.extended_language()) {
            canonical.script = subtags(extended, None, tag.region()).maximized().script;
        }
        Self {
            likely: canonical.maximized(),
            canonical,
        }
    }
}

impl From<&Language> for RequestedLanguage {
    fn from(language: &Language) -> Self {
        let mut canonical = Subtags {
            language: language.primary().to_owned(),
            script: None,
            region: None,
        };
        for subtag in language.as_str().split('_').skip(1) {
            let place = if subtag.len() == 4 {
                &mut canonical.script
            } else {
                &mut canonical.region
            };
            *place = Some(subtag.to_owned());
        }
        let canonical = canonical.canonical();
        Self {
            likely: canonical.maximized(),
            canonical,
        }
    }
}

/// A tag out of the spellings of POSIX, Java and Apple.
fn hyphenated(text: &str) -> String {
    // POSIX.1-2017 §8.2: language[_territory][.codeset][@modifier].
    let (text, modifier) = text.split_once('@').unwrap_or((text, ""));
    let (text, _) = text.split_once('.').unwrap_or((text, ""));
    let script = POSIX_SCRIPTS
        .iter()
        .find(|(name, _)| modifier.eq_ignore_ascii_case(name));
    // java.util.Locale: language_country_variant_#script_extensions, where parts may be empty.
    let (text, java) = text.split_once('#').unwrap_or((text, ""));
    let java_script = java.split(['_', '-']).next().filter(|part| part.len() == 4);
    let script = script.map(|(_, script)| *script).or(java_script);
    let mut subtags: Vec<&str> = text.split(['_', '-']).collect();
    // An empty language stays: nothing else names one.
    let is_named = |index: usize, subtag: &str| index == 0 || !subtag.is_empty();
    let mut index = 0;
    subtags.retain(|subtag| {
        index += 1;
        is_named(index - 1, subtag)
    });
    if let Some(script) = script {
        subtags.insert(1, script);
    }
    subtags.join("-")
}

/// The longest beginning of `text` that is a tag: `th-TH-TH` has no BCP 47 meaning beyond `th-TH`.
fn longest_tag(text: &str) -> Option<LanguageTag<String>> {
    let mut rest = text;
    loop {
        if let Ok(tag) = LanguageTag::parse(rest.to_owned()) {
            return Some(tag);
        }
        (rest, _) = rest.rsplit_once('-')?;
    }
}

fn title_case(script: &str) -> String {
    let script = script.to_ascii_lowercase();
    let (first, rest) = script.split_at_checked(1).unwrap_or_default();
    first.to_ascii_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Language that a client with texts in these languages shows for a request; `None` for its default.
    fn chosen(asked: &str, offered: &[&str]) -> Option<String> {
        let offered: Vec<_> = offered.iter().map(|tag| Language::parse(tag).unwrap()).collect();
        let chosen = RequestedLanguage::parse(asked)?.choose(offered.iter())?;
        Some(chosen.to_string())
    }

    #[test]
    fn bcp_47_tags_find_their_language() {
        for (asked, offered) in [
            ("es-u-ms-metric", "es"),
            ("de-CH-1996", "de"),
            ("sl-rozaj-biske-1994", "sl"),
            ("zh-cmn-Hans-CN", "zh_Hans"),
            ("en-US-x-private", "en"),
            ("en-US-u-va-posix-x-a-b", "en_US"),
            ("es-419", "es"),
            ("de-DE-u-co-phonebk", "de_DE"),
            ("en-GB-oed", "en_GB"),
            ("EN-latn-us", "en_US"),
            ("deu", "de"),
            ("ger-AT", "de"),
            ("sgn-ase", "sgn"),
            ("zh-min-nan", "zh"),
        ] {
            assert_eq!(
                chosen(asked, &["fr", offered]).as_deref(),
                Some(offered),
                "{asked}"
            );
        }
    }

    #[test]
    fn other_spellings_find_their_language() {
        for (asked, offered) in [
            ("en_US", "en_US"),
            ("de_DE.UTF-8@euro", "de"),
            ("pl.ISO8859-2", "pl"),
            ("sr_RS@latin", "sr_Latn"),
            ("sr_RS.utf8@Cyrillic", "sr"),
            ("zh_TW@collation=stroke", "zh_Hant"),
            ("zh_TW_#Hant", "zh_Hant"),
            ("zh__#Hans", "zh_Hans"),
            ("sr_ME_#Latn_u-nu-latn", "sr_Latn"),
            ("th_TH_TH_#u-nu-thai", "th"),
            ("en_US_WIN", "en_US"),
            ("de__POSIX", "de"),
            ("zh-Hans_CN", "zh_Hans"),
            ("zh-CHT", "zh_Hant"),
            ("zh-CHS", "zh_Hans"),
            (" fr-CA\r\n", "fr"),
            ("\u{feff}fr", "fr"),
        ] {
            assert_eq!(
                chosen(asked, &["it", offered]).as_deref(),
                Some(offered),
                "{asked}"
            );
        }
    }

    #[test]
    fn retired_codes_mean_what_replaced_them() {
        for (old, new) in [
            ("iw", "he"),
            ("iw-IL", "he"),
            ("in_ID", "id"),
            ("no", "nb"),
            ("no-NO", "nb_NO"),
            ("ji", "yi"),
            ("jw", "jv"),
            ("mo", "ro"),
            ("tl-PH", "fil"),
            ("sh", "sr_Latn"),
            ("cmn-TW", "zh_Hant"),
            ("no-bok", "nb"),
            ("no-nyn", "nn"),
            ("en-UK", "en_GB"),
        ] {
            assert_eq!(chosen(old, &["it", new]).as_deref(), Some(new), "{old}");
        }
        for (asked, retired) in [("he", "iw"), ("id-ID", "in"), ("nb", "no"), ("nb-NO", "no_NO")] {
            assert_eq!(
                chosen(asked, &["it", retired]).as_deref(),
                Some(retired),
                "{asked}"
            );
        }
    }

    #[test]
    fn likely_subtags_come_first() {
        for (asked, offered, found) in [
            ("zh-TW", &["zh_Hant"][..], Some("zh_Hant")),
            ("zh-Hant-TW", &["zh_Hant"], Some("zh_Hant")),
            ("zh-HK", &["zh", "zh_Hant"], Some("zh_Hant")),
            ("zh-yue", &["zh", "zh_Hant"], Some("zh_Hant")),
            ("zh", &["zh_Hant", "zh_Hans"], Some("zh_Hans")),
            ("zh-Hant", &["zh_TW"], Some("zh_TW")),
            ("zh-SG", &["zh"], Some("zh")),
            ("sr-Latn-RS", &["sr", "sr_Latn"], Some("sr_Latn")),
            ("sr-RS", &["sr_Latn", "sr_Cyrl"], Some("sr_Cyrl")),
            ("sr-ME", &["sr_Cyrl", "sr_Latn"], Some("sr_Latn")),
            ("pt", &["pt_PT", "pt_BR"], Some("pt_BR")),
            ("pt-BR", &["pt", "pt_BR"], Some("pt_BR")),
            ("pt", &["pt_BR", "pt"], Some("pt")),
            ("en-US", &["en_GB", "en"], Some("en")),
        ] {
            assert_eq!(chosen(asked, offered).as_deref(), found, "{asked} of {offered:?}");
        }
    }

    #[test]
    fn neither_a_script_nor_a_region_is_exchanged() {
        for (asked, offered) in [
            ("zh-TW", &["zh"][..]),
            ("zh-Hant", &["zh_Hans", "zh_CN", "zh"]),
            ("zh", &["zh_Hant", "zh_TW"]),
            ("zh-CN", &["zh_TW"]),
            ("sr-Latn", &["sr", "sr_Cyrl"]),
            ("sr", &["sr_Latn"]),
            ("pa-PK", &["pa"]),
            ("uz-Cyrl", &["uz"]),
            ("az-Arab-IR", &["az"]),
            ("pt-PT", &["pt_BR"]),
            ("pt-AO", &["pt_BR", "pt_PT"]),
            ("nn", &["nb"]),
            ("en", &["de"]),
        ] {
            assert_eq!(chosen(asked, offered), None, "{asked} of {offered:?}");
        }
    }

    #[test]
    fn text_that_is_no_tag_finds_nothing() {
        let long = "en-".to_owned() + &"x-".repeat(200);
        for asked in [
            "",
            " ",
            "_US",
            "C",
            "POSIX",
            "C.UTF-8",
            "english",
            "en US",
            "../en",
            "e\u{0}n",
            "\u{435}n",
            "x-en",
            "i-klingon",
            "und",
            "*",
            "123",
            "[object Object]",
            &long,
        ] {
            assert_eq!(chosen(asked, &["en", "de"]), None, "{asked:?}");
        }
    }

    #[test]
    fn two_spellings_of_one_language_are_recognized() {
        let tag = |text: &str| RequestedLanguage::from(&Language::parse(text).unwrap());
        for (one, other, same) in [
            ("iw", "he", true),
            ("no", "nb", true),
            ("zh_TW", "zh_Hant_TW", true),
            ("zh", "zh_Hans", true),
            ("sr", "sr_Cyrl", true),
            ("deu", "de", true),
            ("pt", "pt_BR", false),
            ("en", "en_US", false),
            ("zh_Hant", "zh_Hans", false),
            ("zh_Hant", "zh_TW", false),
        ] {
            assert_eq!(tag(one).is_same(&tag(other)), same, "{one} and {other}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-zA-Z0-9_@#. -]{0,30}|\\PC{0,30}") {
            let offered = [Language::parse("en").unwrap(), Language::parse("zh_Hant").unwrap()];
            if let Some(requested) = RequestedLanguage::parse(&text) {
                prop_assert!(requested.choose(offered.iter()).is_none_or(|found| offered.contains(found)));
            }
        }
    }
}
