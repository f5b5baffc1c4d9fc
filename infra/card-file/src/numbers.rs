//! Card numbers: check digit and network.

/// Whether the check digit is right (ISO/IEC 7812-1, annex B). Takes ASCII digits.
pub(crate) fn passes_luhn(digits: &[u8]) -> bool {
    const DOUBLED: [u8; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let mut sum = 0u32;
    for (place, digit) in digits.iter().rev().enumerate() {
        let value = digit.wrapping_sub(b'0') % 10;
        sum += u32::from(if place % 2 == 1 {
            DOUBLED[usize::from(value)]
        } else {
            value
        });
    }
    sum.is_multiple_of(10)
}

/// Whether a number begins as Mastercard's (51–55, 2221–2720) or Maestro's (50, 56–58, 6) do. Takes ASCII digits.
pub(crate) fn is_of_mastercard(digits: &[u8]) -> bool {
    let Some(first) = digits.first_chunk::<4>() else {
        return false;
    };
    let first = first.iter().fold(0u32, |number, digit| {
        number * 10 + u32::from(digit.wrapping_sub(b'0'))
    });
    matches!(first, 2221..=2720 | 5000..=5899 | 6000..=6999)
}

/// Whether an id contains a card number, by the service's rule: 13 to 19 digits in a row, with single `.`, `_` or `-` between
/// them at most, a right check digit, and a range of Mastercard or Maestro.
pub(crate) fn has_card_number(id: &[u8]) -> bool {
    if id.iter().filter(|byte| byte.is_ascii_digit()).count() < 13 {
        return false;
    }
    let mut row = Vec::with_capacity(id.len());
    let mut is_after_separator = false;
    for byte in id {
        match byte {
            b'0'..=b'9' => {
                row.push(*byte);
                is_after_separator = false;
            }
            b'.' | b'_' | b'-' if !row.is_empty() && !is_after_separator => is_after_separator = true,
            _ if is_card_number(&row) => return true,
            _ => {
                row.clear();
                is_after_separator = false;
            }
        }
    }
    is_card_number(&row)
}

fn is_card_number(digits: &[u8]) -> bool {
    (13..=19).contains(&digits.len()) && is_of_mastercard(digits) && passes_luhn(digits)
}
