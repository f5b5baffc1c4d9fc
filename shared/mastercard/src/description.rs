use std::fmt;

/// Characters kept of a text that Mastercard sent; its gateway documents the same limit.
const MAX_CHARS: usize = 256;

/// From this many digits in a row a number could be a card number, so it is not kept.
const SUSPICIOUS_DIGITS: usize = 12;

/// A text that came from outside, made fit for a log: at most 256 characters, no control characters, and no run
/// of twelve or more digits, since a description may repeat the card or customer number that it complains about.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    /// Takes any text and keeps what may be shown.
    pub fn new(text: &str) -> Self {
        let mut kept = String::new();
        let mut digits = String::new();
        for character in text.trim().chars().map(printable).take(MAX_CHARS) {
            if character.is_ascii_digit() {
                digits.push(character);
            } else {
                flush(&mut kept, &mut digits);
                kept.push(character);
            }
        }
        flush(&mut kept, &mut digits);
        Self(kept)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Description {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

fn printable(character: char) -> char {
    if character.is_control() { ' ' } else { character }
}

fn flush(kept: &mut String, digits: &mut String) {
    if digits.len() >= SUSPICIOUS_DIGITS {
        kept.push_str("[digits]");
    } else {
        kept.push_str(digits);
    }
    digits.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(
            Description::new(&"ä".repeat(1000)).as_str().chars().count(),
            MAX_CHARS
        );
    }

    #[test]
    fn a_number_that_could_be_a_card_is_not_repeated() {
        assert_eq!(
            Description::new("card 5234001234567890 refused").as_str(),
            "card [digits] refused"
        );
        assert_eq!(Description::new("5234001234567890").as_str(), "[digits]");
        assert_eq!(Description::new("code 119009").as_str(), "code 119009");
    }

    #[test]
    fn a_line_break_cannot_forge_a_log_line() {
        assert_eq!(Description::new("one\r\ntwo").as_str(), "one  two");
    }
}
