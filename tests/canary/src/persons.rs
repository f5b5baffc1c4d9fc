//! Persons of the tests: names and e-mail addresses that no other text has, and the ids that every suite makes for a new
//! customer.

/// Words about the tests' customers (`flows::person`). The case of ASCII's letters makes no difference.
const WORDS: [(&str, &str); 4] = [
    ("a first name", "zoë-kanarienvogel"),
    ("a last name", "o'brien-Šimićević"),
    ("an e-mail address", "zoe.kanarie@example.com"),
    ("a confirmation's address", "zoe-kanarie-confirmation"),
];
/// Start of a customer's id. At least [`ID_DIGITS`] random hexadecimal digits follow.
const ID: &[u8] = b"customer-";
const ID_DIGITS: usize = 16;
/// End of every `srcDigitalCardId` of Mastercard's stand-in. Random hexadecimal digits are before it.
const CARD_ID_END: &[u8] = b"000000000000US";
const CARD_ID_DIGITS: usize = 22;

/// Words and ids in `bytes`: where, and what kind.
pub(crate) fn of(bytes: &[u8]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in 0..bytes.len() {
        let rest = &bytes[at..];
        for (kind, word) in WORDS {
            if begins_with(rest, word) {
                found.push((at, kind.to_owned()));
            }
        }
        if is_id(rest) {
            found.push((at, "a customer's id".to_owned()));
        }
        if is_card_id(rest) {
            found.push((at, "a srcDigitalCardId".to_owned()));
        }
    }
    found
}

/// Whatever the case of ASCII's letters.
fn begins_with(bytes: &[u8], word: &str) -> bool {
    bytes
        .get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
}

fn is_card_id(bytes: &[u8]) -> bool {
    bytes.get(..CARD_ID_DIGITS).is_some_and(|digits| {
        bytes[CARD_ID_DIGITS..].starts_with(CARD_ID_END) && digits.iter().all(u8::is_ascii_hexdigit)
    })
}

fn is_id(bytes: &[u8]) -> bool {
    bytes.strip_prefix(ID).is_some_and(|digits| {
        digits.len() >= ID_DIGITS && digits[..ID_DIGITS].iter().all(u8::is_ascii_hexdigit)
    })
}
