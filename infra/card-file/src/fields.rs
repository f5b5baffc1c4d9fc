//! Rules of single values. Values come without blanks around them.

use crate::fault::FaultKind;
use crate::numbers::{has_card_number, is_of_mastercard, passes_luhn};

/// Longest id, in characters (docs/contract.md).
const MAX_ID: usize = 64;
/// Longest national number; E.164 allows 15 digits with the country calling code.
const MAX_NATIONAL_NUMBER: usize = 14;
/// Longest e-mail address (RFC 5321 §4.5.3.1.3).
pub(crate) const MAX_EMAIL_ADDRESS: usize = 254;
/// Longest name, line of an address or city, in characters.
pub(crate) const MAX_TEXT: usize = 100;
/// Longest postal code, in characters.
pub(crate) const MAX_POSTAL_CODE: usize = 16;

/// Digits of a card number. Wiped with the value.
pub(crate) struct CardNumber {
    digits: zeroize::Zeroizing<[u8; 19]>,
    length: usize,
}

impl CardNumber {
    /// Reads 12 to 19 digits; blanks and hyphens between them are dropped.
    pub(crate) fn read(value: &[u8]) -> Result<Self, FaultKind> {
        let mut number = Self {
            digits: zeroize::Zeroizing::new([0; 19]),
            length: 0,
        };
        for byte in value {
            match byte {
                b'0'..=b'9' if number.length == number.digits.len() => return Err(FaultKind::NumberLength),
                b'0'..=b'9' => {
                    number.digits[number.length] = *byte;
                    number.length += 1;
                }
                b' ' | b'-' => {}
                _ if is_scientific(value) => return Err(FaultKind::ScientificNotation),
                _ => return Err(FaultKind::NotDigits),
            }
        }
        match number.as_bytes() {
            digits if digits.len() < 12 => Err(FaultKind::NumberLength),
            digits if !passes_luhn(digits) => Err(FaultKind::CheckDigit),
            digits if !is_of_mastercard(digits) => Err(FaultKind::OtherNetwork),
            _ => Ok(number),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.digits[..self.length]
    }

    /// First digits, as the number of an account range.
    pub(crate) fn account_range(&self, digits: usize) -> u64 {
        self.as_bytes()[..digits.min(self.length)]
            .iter()
            .fold(0, |range, digit| range * 10 + u64::from(digit - b'0'))
    }
}

/// `5.20474E+15`, also with a decimal comma.
fn is_scientific(value: &[u8]) -> bool {
    let Some(at) = value.iter().position(|byte| matches!(byte, b'E' | b'e')) else {
        return false;
    };
    let (mantissa, exponent) = (&value[..at], &value[at + 1..]);
    let exponent = exponent.strip_prefix(b"+").unwrap_or(exponent);
    !mantissa.is_empty()
        && mantissa
            .iter()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','))
        && !exponent.is_empty()
        && exponent.iter().all(u8::is_ascii_digit)
}

/// Checks an id of a card or a consumer.
pub(crate) fn id(value: &[u8]) -> Result<(), FaultKind> {
    match value {
        [] => Err(FaultKind::Empty),
        _ if value.len() > MAX_ID => Err(FaultKind::TooLong(MAX_ID)),
        _ if !value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')) =>
        {
            Err(FaultKind::IdCharacters)
        }
        b"." | b".." => Err(FaultKind::IdCharacters),
        _ if has_card_number(value) => Err(FaultKind::IdIsCardNumber),
        _ => Ok(()),
    }
}

/// Reads a month: two digits.
pub(crate) fn month(value: &[u8]) -> Result<[u8; 2], FaultKind> {
    match value {
        [] => Err(FaultKind::Empty),
        [month @ b'1'..=b'9'] | [b'0', month @ b'1'..=b'9'] => Ok([b'0', *month]),
        [b'1', month @ b'0'..=b'2'] => Ok([b'1', *month]),
        _ => Err(FaultKind::Month),
    }
}

/// Reads a year of this century: four digits.
pub(crate) fn year(value: &[u8]) -> Result<[u8; 4], FaultKind> {
    match value {
        [] => Err(FaultKind::Empty),
        [b'2', b'0', tens, ones] | [tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit() => {
            Ok([b'2', b'0', *tens, *ones])
        }
        _ => Err(FaultKind::Year),
    }
}

/// Checks a text of at most `limit` characters without control characters.
pub(crate) fn text(value: &[u8], limit: usize) -> Result<&str, FaultKind> {
    let text = std::str::from_utf8(value).map_err(|_| FaultKind::NotUtf8)?;
    if text.len() > limit && text.chars().count() > limit {
        return Err(FaultKind::TooLong(limit));
    }
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f)
        || (!text.is_ascii() && text.chars().any(char::is_control))
    {
        return Err(FaultKind::ControlCharacter);
    }
    Ok(text)
}

/// Checks the form of an e-mail address: something on both sides of one `@`, no blanks.
pub(crate) fn email_address(value: &[u8]) -> Result<(), FaultKind> {
    let address = text(value, MAX_EMAIL_ADDRESS)?;
    match address.split_once('@') {
        Some((local, domain))
            if !local.is_empty()
                && !domain.contains('@')
                && domain.split('.').all(|label| !label.is_empty())
                && !address.contains(char::is_whitespace) =>
        {
            Ok(())
        }
        _ => Err(FaultKind::EmailAddress),
    }
}

/// Checks a country calling code (ITU-T E.164): one to three digits.
pub(crate) fn calling_code(value: &[u8]) -> Result<(), FaultKind> {
    let is_code = (1..=3).contains(&value.len()) && value.iter().all(u8::is_ascii_digit) && value[0] != b'0';
    is_code.then_some(()).ok_or(FaultKind::PhoneNumber)
}

/// Checks a national number: 4 to 14 digits. A leading zero stays, since some countries' numbers have one.
pub(crate) fn national_number(value: &[u8]) -> Result<(), FaultKind> {
    let is_number = (4..=MAX_NATIONAL_NUMBER).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    is_number.then_some(()).ok_or(FaultKind::PhoneNumber)
}

/// Checks a country code of two capital letters.
pub(crate) fn country(value: &[u8]) -> Result<(), FaultKind> {
    let is_country = value.len() == 2 && value.iter().all(u8::is_ascii_uppercase);
    is_country.then_some(()).ok_or(FaultKind::CountryCode)
}

/// Checks a language code of two small letters.
pub(crate) fn language(value: &[u8]) -> Result<(), FaultKind> {
    let is_language = value.len() == 2 && value.iter().all(u8::is_ascii_lowercase);
    is_language.then_some(()).ok_or(FaultKind::LanguageCode)
}

#[cfg(test)]
mod tests {
    use enrollment::batch::ExternalCardId;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn ids_are_those_that_the_service_accepts(
            text in "[5-6][0-9._-]{12,22}|[a-z]{0,3}5204[0-9]{9,15}|[A-Za-z0-9._ -]{0,66}|[.]{1,3}",
        ) {
            let is_accepted = ExternalCardId::parse(&text).is_ok();
            prop_assert_eq!(id(text.as_bytes()).is_ok(), is_accepted, "{}", text);
        }

        #[test]
        fn no_value_makes_a_rule_panic(value in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (id(&value), month(&value), year(&value), email_address(&value));
            let _ = (country(&value), language(&value), calling_code(&value), national_number(&value));
            let _ = CardNumber::read(&value).map(|number| number.account_range(8));
        }
    }
}
