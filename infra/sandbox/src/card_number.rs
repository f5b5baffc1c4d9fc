//! A card number, for as long as it takes to judge it.

use zeroize::Zeroizing;

/// The digits of a card. No `Debug`, `Display`, `PartialEq` or `Serialize`; wiped when dropped.
pub(crate) struct CardNumber(Zeroizing<String>);

impl CardNumber {
    /// 12 to 19 digits that pass Luhn's check (ISO/IEC 7812-1); anything else is no card number.
    pub(crate) fn parse(digits: Zeroizing<String>) -> Option<Self> {
        let plausible = (12..=19).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        (plausible && passes_luhn(&digits)).then_some(Self(digits))
    }

    pub(crate) fn digits(&self) -> &str {
        &self.0
    }

    pub(crate) fn last_four(&self) -> &str {
        &self.0[self.0.len() - 4..]
    }

    /// Whether the number starts with something between `from` and `to`, which are equally long.
    pub(crate) fn is_between(&self, from: &str, to: &str) -> bool {
        self.0
            .get(..from.len())
            .is_some_and(|start| from <= start && start <= to)
    }
}

/// Luhn's check of a string of digits.
pub(crate) fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .map(|byte| u32::from(byte - b'0'))
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(digits: &str) -> Option<CardNumber> {
        CardNumber::parse(Zeroizing::new(digits.to_owned()))
    }

    #[test]
    fn a_number_must_be_digits_of_the_right_length_that_pass_luhn() {
        assert!(parse("5234000000090123").is_some());
        for bad in [
            "5234000000090124",
            "",
            "0",
            "523400000009012x",
            "52340000 00090123",
            "52340000000901230000",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn ranges_include_both_ends() {
        let number = parse("5234000000090123").unwrap();
        assert!(number.is_between("523400", "523499"));
        assert!(number.is_between("523300", "523400"));
        assert!(!number.is_between("523401", "523499"));
        assert!(number.is_between("52340000000", "52340000000"));
        assert_eq!(number.last_four(), "0123");
    }
}
