//! Untrusted values in types that keep them out of logs: a text is never shown, a code and a correlation id only in a
//! form that can't identify a person.

use std::fmt;

use zeroize::Zeroizing;

/// Bytes that are kept of a text. A fault of MRS with its additional details has fewer.
const MAX_BYTES: usize = 2048;

/// Longest code that is shown, in characters.
const MAX_CODE_CHARS: usize = 64;

/// Number of digits in a row from which a code could quote a number about a person.
const SUSPICIOUS_DIGITS_IN_CODE: usize = 4;

/// Number of digits in a row from which a correlation id could be a card number.
const SUSPICIOUS_DIGITS_IN_ID: usize = 13;

/// Untrusted text, such as a fault's description: its first 2048 bytes, wiped when dropped.
///
/// It may quote the request, so it has no `Display`, and its `Debug` shows only the length. [`ForeignText::expose`] is
/// for code that seals it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ForeignText(Zeroizing<String>);

impl ForeignText {
    /// Keeps the start of a text.
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        let end = text.floor_char_boundary(MAX_BYTES);
        Self(Zeroizing::new(text[..end].to_owned()))
    }

    /// Returns the text. It must not be logged or shown to a caller.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for ForeignText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ForeignText({} bytes)", self.0.len())
    }
}

/// Untrusted code, kept only if it looks like one: `[A-Z][A-Z0-9_-]{0,63}` without four digits in a row.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ForeignCode(Option<String>);

impl ForeignCode {
    /// Trims white space and control characters from a text, and keeps it if it looks like a code.
    pub fn new(text: &str) -> Self {
        let code = trim(text);
        Self(is_code(code).then(|| code.to_owned()))
    }

    /// As [`ForeignCode::new`], for a value that may also be one of some known words.
    pub(crate) fn or_known(text: &str, known: &[&str]) -> Self {
        let code = trim(text);
        if known.contains(&code) {
            Self(Some(code.to_owned()))
        } else {
            Self::new(code)
        }
    }

    /// Returns the code, or `None` if the value does not look like one.
    pub fn as_str(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for ForeignCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str().unwrap_or("[not shown]"))
    }
}

impl fmt::Debug for ForeignCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ForeignCode({self})")
    }
}

/// Mastercard's id of a call, by which its support finds it: a UUID, or 8 to 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrelationId(String);

impl CorrelationId {
    /// Returns `None` if the text is not such an id, or has thirteen decimal digits in a row, which could be a card
    /// number.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        ((is_uuid(text) || is_hex(text)) && longest_run_of_digits(text) < SUSPICIOUS_DIGITS_IN_ID)
            .then(|| Self(text.to_owned()))
    }

    /// Returns the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || character.is_control())
}

fn is_code(text: &str) -> bool {
    text.len() <= MAX_CODE_CHARS
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'))
        && longest_run_of_digits(text) < SUSPICIOUS_DIGITS_IN_CODE
}

fn is_hex(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_uuid(text: &str) -> bool {
    let mut groups = text.split('-');
    let fits = [8, 4, 4, 4, 12].into_iter().all(|length| {
        groups
            .next()
            .is_some_and(|group| group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
    });
    fits && groups.next().is_none()
}

fn longest_run_of_digits(text: &str) -> usize {
    text.split(|character: char| !character.is_ascii_digit())
        .map(str::len)
        .max()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_shows_only_its_length() {
        let text = ForeignText::new(" Value 'Erika' is not facet-valid ");
        assert_eq!(format!("{text:?}"), "ForeignText(32 bytes)");
        assert_eq!(text.expose(), "Value 'Erika' is not facet-valid");
        assert!(!text.is_empty() && ForeignText::default().is_empty());
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let text = ForeignText::new(&format!("a{}", "ä".repeat(5000)));
        assert_eq!(text.expose().len(), MAX_BYTES - 1);
    }

    #[test]
    fn code_is_shown_only_in_its_form() {
        let longest = format!("A{}", "B".repeat(63));
        for code in ["A", "INVALID_CLIENT_CERT", "E-123", &longest] {
            assert_eq!(ForeignCode::new(code).as_str(), Some(code));
        }
        assert_eq!(ForeignCode::new("\u{7f} TIMEOUT\n").as_str(), Some("TIMEOUT"));
        for other in [
            "",
            "_A",
            "1A",
            "Gateway",
            "Erika",
            "A B",
            "E1234",
            "CARD_5234_0",
            "ÄRGER",
            &format!("A{longest}"),
        ] {
            let code = ForeignCode::new(other);
            assert_eq!(code.as_str(), None, "{other}");
            assert_eq!(code.to_string(), "[not shown]");
        }
        assert_eq!(
            ForeignCode::or_known("Gateway", &["Gateway"]).as_str(),
            Some("Gateway")
        );
    }

    #[test]
    fn correlation_id_is_a_uuid_or_hexadecimal() {
        for id in [
            "624deea6-b709-470c-8c39-4b5511281492",
            "624DEEA6-B709-470C-8C39-4B5511281492",
            "0123abcd",
            "12345678",
            &"a".repeat(64),
        ] {
            assert_eq!(
                CorrelationId::parse(id).as_ref().map(CorrelationId::as_str),
                Some(id)
            );
        }
        for other in [
            "",
            "0123abc",
            "erika@example.test",
            "0123abcg",
            "5234000000090123",
            "5234-0000-0009-0123",
            "624deea6-b709-470c-8c39-4b551128149",
            "624deea6-b709-470c-8c39-4b5511281492-0",
            &"a".repeat(65),
        ] {
            assert_eq!(CorrelationId::parse(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_does_not_panic(text in "\\PC{0,100}") {
            prop_assert!(ForeignText::new(&text.repeat(30)).expose().len() <= MAX_BYTES);
            let code = ForeignCode::new(&text);
            prop_assert!(code.as_str().is_none_or(is_code));
            let id = CorrelationId::parse(&text);
            prop_assert!(id.is_none_or(|id| id.as_str().len() <= 64));
        }
    }
}
