//! Placeholders of texts: `{client}` and `{program}`, which the server fills in, and others, which the page fills in.

use std::collections::BTreeSet;

use serde_json::Value;

/// Placeholders that any text may have.
const NAMES: [&str; 2] = ["client", "program"];

/// U+2068 FIRST STRONG ISOLATE.
const ISOLATE: char = '\u{2068}';
/// U+2069 POP DIRECTIONAL ISOLATE.
const POP_ISOLATE: char = '\u{2069}';

/// Fault of one text's placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PlaceholderError {
    /// A placeholder that the text can't have.
    Unknown(String),
    /// A brace without its other half.
    SingleBrace,
}

/// Returns the names of the placeholders, `{minutes}` as `minutes`.
///
/// # Errors
/// A brace that belongs to none.
pub(super) fn placeholders(text: &str) -> Result<BTreeSet<&str>, PlaceholderError> {
    let mut found = BTreeSet::new();
    let mut rest = text;
    while let Some(start) = rest.find(['{', '}']) {
        let inner = rest[start..].strip_prefix('{');
        let inner = inner.ok_or(PlaceholderError::SingleBrace)?;
        let end = inner.find(['{', '}']).ok_or(PlaceholderError::SingleBrace)?;
        rest = inner[end..]
            .strip_prefix('}')
            .ok_or(PlaceholderError::SingleBrace)?;
        found.insert(&inner[..end]);
    }
    Ok(found)
}

/// Returns the names of the placeholders that a text, or any form of a plural, has.
pub(super) fn of(texts: &Value) -> BTreeSet<&str> {
    match texts {
        Value::String(text) => placeholders(text).unwrap_or_default(),
        Value::Object(forms) => forms.values().flat_map(of).collect(),
        _ => BTreeSet::new(),
    }
}

/// Returns the placeholders that the text at `path` may have. The program's name can't contain itself.
pub(super) fn allowed<'a>(path: &str, english: &BTreeSet<&'a str>) -> impl Iterator<Item = &'a str> {
    let names = if path == super::PROGRAM {
        &NAMES[..1]
    } else {
        &NAMES
    };
    let of_page = english.iter().filter(|name| !NAMES.contains(name));
    names
        .iter()
        .chain(of_page)
        .copied()
        .collect::<Vec<_>>()
        .into_iter()
}

/// Checks the placeholders of the text at `path`, whose English has the placeholders `english`.
///
/// # Errors
/// The first placeholder that the text can't have.
pub(super) fn check(text: &str, path: &str, english: &BTreeSet<&str>) -> Result<(), PlaceholderError> {
    let mut found = placeholders(text)?.into_iter();
    match found.find(|name| !allowed(path, english).any(|allowed| allowed == *name)) {
        Some(name) => Err(PlaceholderError::Unknown(name.to_owned())),
        None => Ok(()),
    }
}

/// Returns `text` with `{client}` and `{program}` replaced. In a text of mixed directions a name is isolated, so that it keeps
/// its own direction and leaves that of the text alone (Unicode Standard Annex 9 §2.4).
pub(super) fn filled(text: &str, client: &str, program: &str, is_right_to_left: bool) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        filled.push_str(&rest[..start]);
        rest = &rest[start..];
        let name = [("{client}", client), ("{program}", program)];
        let name = name.iter().find(|(placeholder, _)| rest.starts_with(placeholder));
        if let Some((placeholder, name)) = name {
            rest = &rest[placeholder.len()..];
            if is_right_to_left || has_right_to_left(name) {
                filled.extend([ISOLATE]);
                filled.push_str(name);
                filled.extend([POP_ISOLATE]);
            } else {
                filled.push_str(name);
            }
        } else {
            filled.push('{');
            rest = &rest[1..];
        }
    }
    filled + rest
}

/// Whether the text has letters of Hebrew, Arabic or another script of the blocks for right-to-left scripts.
fn has_right_to_left(text: &str) -> bool {
    text.chars().any(
        |letter| matches!(letter, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_between_braces_are_found() {
        let found = placeholders("{client}: {minutes} min, {minutes}").unwrap();
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["client", "minutes"]);
        assert!(placeholders("no braces").unwrap().is_empty());
    }

    #[test]
    fn a_brace_without_its_other_half_is_refused() {
        for text in ["{", "}", "a {client", "client}", "{{client}}", "{a{b}"] {
            assert_eq!(placeholders(text), Err(PlaceholderError::SingleBrace), "{text}");
        }
    }

    #[test]
    fn only_known_placeholders_are_accepted() {
        let english = BTreeSet::from(["minutes"]);
        assert_eq!(check("{minutes} {client} {program}", "a", &english), Ok(()));
        for (text, name) in [
            ("{ client }", " client "),
            ("{klient}", "klient"),
            ("{}", ""),
            ("{count}", "count"),
        ] {
            assert_eq!(
                check(text, "a", &english),
                Err(PlaceholderError::Unknown(name.into())),
                "{text}"
            );
        }
    }

    #[test]
    fn the_program_can_name_the_client_but_not_itself() {
        let none = BTreeSet::new();
        assert_eq!(check("{client} Gold", "register.header", &none), Ok(()));
        assert!(check("{program} Gold", "register.header", &none).is_err());
    }

    #[test]
    fn names_are_filled_in_once() {
        assert_eq!(
            filled("{program} of {client}, {minutes}", "{program}", "Gold", false),
            "Gold of {program}, {minutes}"
        );
    }

    #[test]
    fn names_in_another_direction_are_isolated() {
        assert_eq!(
            filled("إلى {client}.", "Demo Bank", "", true),
            "إلى \u{2068}Demo Bank\u{2069}."
        );
        assert_eq!(
            filled("Back to {client}.", "בנק", "", false),
            "Back to \u{2068}בנק\u{2069}."
        );
    }
}
