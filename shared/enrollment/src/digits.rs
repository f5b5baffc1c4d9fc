//! Decimal digits of every script.

/// Zeros of Unicode 17, general category Nd: each is followed by its script's nine other digits.
/// `char::to_digit` knows ASCII only, and `char::is_numeric` takes fractions and Roman numerals. The page has the same
/// table (`functions/widget-page/page/src/digits.js`), and a test there compares both.
const ZEROS: [u32; 77] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50,
    0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40,
    0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x1_04A0, 0x1_0D30, 0x1_0D40,
    0x1_1066, 0x1_10F0, 0x1_1136, 0x1_11D0, 0x1_12F0, 0x1_1450, 0x1_14D0, 0x1_1650, 0x1_16C0, 0x1_16D0,
    0x1_16DA, 0x1_1730, 0x1_18E0, 0x1_1950, 0x1_1BF0, 0x1_1C50, 0x1_1D50, 0x1_1DA0, 0x1_1DE0, 0x1_1F50,
    0x1_6130, 0x1_6A60, 0x1_6AC0, 0x1_6B50, 0x1_6D70, 0x1_CCF0, 0x1_D7CE, 0x1_D7D8, 0x1_D7E2, 0x1_D7EC,
    0x1_D7F6, 0x1_E140, 0x1_E2F0, 0x1_E4F0, 0x1_E5F1, 0x1_E950, 0x1_FBF0,
];

/// Returns the value of a decimal digit of any script, 0 to 9.
pub fn value(character: char) -> Option<u8> {
    let code = u32::from(character);
    let zero = ZEROS[..ZEROS.partition_point(|zero| *zero <= code)].last()?;
    u8::try_from(code - zero).ok().filter(|value| *value < 10)
}

/// Returns the digits of a text in order, each 0 to 9; other characters are skipped.
pub fn of(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.chars().filter_map(value)
}

/// Whether the check digit is right (ISO/IEC 7812-1, annex B).
pub fn pass_luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(*digit) * if place % 2 == 1 { 2 } else { 1 };
            if value > 9 { value - 9 } else { value }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether a text contains a card number: 13 to 19 digits in a row that pass Luhn and begin as Mastercard's or Maestro's
/// numbers do. A single `.`, `_`, `-` or blank between two digits does not interrupt the row.
pub fn has_card_number(text: &str) -> bool {
    let mut row: Vec<u8> = Vec::new();
    let mut is_after_separator = false;
    for character in text.chars() {
        match value(character) {
            Some(digit) => {
                row.push(digit);
                is_after_separator = false;
            }
            None if matches!(character, '.' | '_' | '-' | ' ') && !row.is_empty() && !is_after_separator => {
                is_after_separator = true;
            }
            None => {
                if is_card_number(&row) {
                    return true;
                }
                row.clear();
                is_after_separator = false;
            }
        }
    }
    is_card_number(&row)
}

/// Whether these are all the digits of a card number of Mastercard or Maestro.
fn is_card_number(digits: &[u8]) -> bool {
    if !(13..=19).contains(&digits.len()) || !pass_luhn(digits) {
        return false;
    }
    let prefix = digits
        .iter()
        .take(6)
        .fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    // Mastercard: 222100-272099 and 51-55. Maestro: 50, 56-58 and 6.
    matches!(prefix, 222_100..=272_099 | 500_000..=589_999 | 600_000..=699_999)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_any_script_have_their_value() {
        for text in [
            "0123456789",
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "０１２３４５６７８９",
            "०१२३४५६७८९",
            "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡",
        ] {
            assert_eq!(
                of(text).collect::<Vec<_>>(),
                (0..10).collect::<Vec<_>>(),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_decimal_digit_has_no_value() {
        for character in ['/', ':', 'a', '²', '½', '①', 'Ⅷ', '一', '\u{10FFFF}', '\0'] {
            assert_eq!(value(character), None, "{character:?}");
        }
    }

    #[test]
    fn zeros_are_in_order_and_apart() {
        assert!(ZEROS.windows(2).all(|pair| pair[1] - pair[0] >= 10));
    }

    #[test]
    fn a_check_digit_is_checked() {
        let digits = |text| of(text).collect::<Vec<_>>();
        assert!(pass_luhn(&digits("5234 0000 0000 0106")));
        assert!(!pass_luhn(&digits("5234 0000 0000 0107")));
    }

    #[test]
    fn card_number_is_found_in_a_text() {
        for text in [
            "5234000000000106",
            "card-5234000000000106-x",
            "5234-0000-0000-0106",
            "5234.0000_0000 0106",
            "2223003122003222",
            "6304000000000000",
            "5018000000007",
            "id５２３４００００００００0106",
        ] {
            assert!(has_card_number(text), "{text}");
        }
    }

    #[test]
    fn other_digits_are_no_card_number() {
        for text in [
            "",
            "5234000000000107",
            "4111111111111111",
            "378282246310005",
            "523400000106",
            "52340000000001065234",
            "5234--0000-0000-0106",
            "5234a000000000106",
            "2026-11-30",
            "0f8fad5b-d9cb-469f-a165-70867728950e",
        ] {
            assert!(!has_card_number(text), "{text}");
        }
    }
}
