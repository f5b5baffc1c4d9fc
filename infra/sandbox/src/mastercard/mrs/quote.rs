//! Values that a fault repeats, as XML validators do: whatever the caller sent, and the card number behind the pair, in the
//! groupings and scripts of digits that a search for twelve digits in a row does not find.

use std::fmt;

use http::HeaderValue;
use zeroize::Zeroizing;

use super::xml::{self, Element};

/// From this many digits a value is also written in groups and in other scripts.
const NUMBER_DIGITS: usize = 12;

/// Separators of groups of four: a space, a dash, a dot, a no-break space, a narrow one.
const SEPARATORS: [char; 5] = [' ', '-', '.', '\u{a0}', '\u{202f}'];

/// The zeros of other scripts: Arabic-Indic, Persian, Devanagari, Bengali, Thai, full-width.
const ZEROS: [u32; 6] = [0x0660, 0x06f0, 0x0966, 0x09e6, 0x0e50, 0xff10];

/// The values; none where nothing is to be quoted.
#[derive(Default)]
pub(crate) struct Quotes(Vec<Zeroizing<String>>);

impl Quotes {
    /// Collects what a message says, and this card number.
    pub(crate) fn of(message: &[u8], card: Option<&str>) -> Self {
        let mut values = Vec::new();
        if let Ok(root) = xml::read(message) {
            collect(&root, &mut values);
        }
        values.extend(card.map(|card| Zeroizing::new(card.to_owned())));
        let numbers: Vec<_> = values.iter().flat_map(|value| spellings(value)).collect();
        values.extend(numbers);
        Self(values)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|value| value.as_str())
    }

    /// The last number in ASCII digits: the card's, where there is one.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let number = self.iter().filter(|value| is_number(value)).last()?;
        HeaderValue::from_str(number).ok()
    }
}

/// As a validator puts it.
impl fmt::Display for Quotes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for value in self.iter() {
            write!(
                formatter,
                "cvc-pattern-valid: Value '{value}' is not facet-valid. "
            )?;
        }
        Ok(())
    }
}

fn collect(element: &Element, values: &mut Vec<Zeroizing<String>>) {
    let text = element.text.trim();
    if !text.is_empty() {
        values.push(Zeroizing::new(text.to_owned()));
    }
    for child in &element.children {
        collect(child, values);
    }
}

fn is_number(value: &str) -> bool {
    value.len() >= NUMBER_DIGITS && value.bytes().all(|byte| byte.is_ascii_digit())
}

fn spellings(number: &str) -> Vec<Zeroizing<String>> {
    if !is_number(number) {
        return Vec::new();
    }
    let grouped = SEPARATORS.iter().map(|separator| {
        let mut grouped = String::new();
        for (place, digit) in number.chars().enumerate() {
            if place > 0 && place % 4 == 0 {
                grouped.push(*separator);
            }
            grouped.push(digit);
        }
        Zeroizing::new(grouped)
    });
    let in_scripts = ZEROS.iter().map(|zero| {
        let digits = number
            .bytes()
            .filter_map(|digit| char::from_u32(zero + u32::from(digit - b'0')));
        Zeroizing::new(digits.collect())
    });
    grouped.chain(in_scripts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_quoted_in_groups_and_scripts() {
        let message = "<a><b>Erika</b><c/><d>5234000000090123</d></a>".as_bytes();
        let quotes = Quotes::of(message, Some("5234000000000007"));
        let all: Vec<_> = quotes.iter().collect();
        for expected in [
            "Erika",
            "5234000000090123",
            "5234 0000 0009 0123",
            "5234-0000-0000-0007",
            "5234\u{a0}0000\u{a0}0000\u{a0}0007",
            "٥٢٣٤٠٠٠٠٠٠٠٠٠٠٠٧",
            "５２３４０００００００００００７",
        ] {
            assert!(all.contains(&expected), "{expected} in {all:?}");
        }
        assert_eq!(all.len(), 3 + 2 * (SEPARATORS.len() + ZEROS.len()));
        assert_eq!(quotes.header().unwrap(), "5234000000000007");
        assert_eq!(Quotes::default().to_string(), "");
    }
}
