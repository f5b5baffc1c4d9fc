//! Writing direction of a language.

/// Value of HTML's `dir` attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Left to right, as English.
    LeftToRight,
    /// Right to left, as Arabic.
    RightToLeft,
}

/// Primary languages whose usual script runs from right to left.
const RIGHT_TO_LEFT: [&str; 11] = ["ar", "ckb", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"];
/// Scripts that run from right to left (ISO 15924); any other script in a tag means left to right.
const RIGHT_TO_LEFT_SCRIPTS: [&str; 6] = ["adlm", "arab", "hebr", "rohg", "syrc", "thaa"];

impl Direction {
    /// Returns the direction of a language tag, `ar_EG` or `ar-EG`; a script subtag (`az-Arab`) takes precedence over the
    /// language.
    pub fn of(language: &str) -> Self {
        let tag = language.to_ascii_lowercase();
        let mut subtags = tag.split(['-', '_']);
        let primary = subtags.next().unwrap_or_default();
        let right_to_left = subtags
            .find(|subtag| subtag.len() == 4 && subtag.bytes().all(|byte| byte.is_ascii_alphabetic()))
            .map_or_else(
                || RIGHT_TO_LEFT.contains(&primary),
                |script| RIGHT_TO_LEFT_SCRIPTS.contains(&script),
            );
        if right_to_left {
            Self::RightToLeft
        } else {
            Self::LeftToRight
        }
    }

    /// Returns `ltr` or `rtl`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_decides_unless_the_tag_names_a_script() {
        for (tag, direction) in [
            ("en_US", "ltr"),
            ("pl", "ltr"),
            ("ar_EG", "rtl"),
            ("he-IL", "rtl"),
            ("ur", "rtl"),
            ("az-Arab", "rtl"),
            ("ku-Latn-TR", "ltr"),
            ("", "ltr"),
        ] {
            assert_eq!(Direction::of(tag).as_str(), direction, "{tag}");
        }
    }
}
