//! Card numbers as digits.

/// First six digits of the demo program's cards (infra/local/demo/client.toml), both ends included.
const RANGES: [(&[u8], &[u8]); 2] = [(b"523400", b"523499"), (b"541234", b"541234")];
/// The tests' card of no program.
const OF_NO_PROGRAM: &[u8; LENGTH] = b"5555555555554444";
const LENGTH: usize = 16;
/// Digits in one piece, as on a card, one by one.
const GROUPS: [usize; 3] = [LENGTH, 4, 1];
/// Separators that people, forms and programs put between groups; the last ones are spaces and
/// dashes of typography, and the no-break space in UTF-8 and Latin-1.
const SEPARATORS: [&[u8]; 16] = [
    b" ",
    b"-",
    b"+",
    b".",
    b",",
    b"_",
    b"/",
    b"\t",
    b"\n",
    "\u{2007}".as_bytes(),
    "\u{2009}".as_bytes(),
    "\u{2011}".as_bytes(),
    "\u{2013}".as_bytes(),
    "\u{202f}".as_bytes(),
    "\u{a0}".as_bytes(),
    b"\xa0",
];

/// A card number in some bytes.
pub(crate) struct Number {
    /// Of its first digit.
    pub(crate) at: usize,
    /// First six and last four digits.
    pub(crate) masked: String,
}

/// The card numbers that stand in `bytes` as digits.
pub(crate) fn of(bytes: &[u8]) -> impl Iterator<Item = Number> {
    // Every card of the tests is a Mastercard's: one comparison for most bytes.
    let starts = (0..bytes.len()).filter(|at| bytes[*at] == b'5' && !continues_a_number(&bytes[..*at]));
    starts.filter_map(|at| {
        let digits = GROUPS
            .into_iter()
            .filter_map(|size| digits(&bytes[at..], size))
            .find(is_card)?;
        Some(Number {
            at,
            masked: masked(&digits),
        })
    })
}

/// Whether what follows is not the start of a number, but its middle or its fraction.
fn continues_a_number(before: &[u8]) -> bool {
    match before {
        [.., digit, b'.'] => digit.is_ascii_digit(),
        [.., last] => last.is_ascii_digit(),
        [] => false,
    }
}

/// Sixteen digits in groups of `size`, and none after them.
fn digits(mut bytes: &[u8], size: usize) -> Option<[u8; LENGTH]> {
    let mut digits = [0; LENGTH];
    for (place, group) in digits.chunks_mut(size).enumerate() {
        if place > 0 {
            bytes = SEPARATORS
                .iter()
                .find_map(|separator| bytes.strip_prefix(*separator))?;
        }
        let (here, rest) = bytes.split_at_checked(size)?;
        if !here.iter().all(u8::is_ascii_digit) {
            return None;
        }
        group.copy_from_slice(here);
        bytes = rest;
    }
    (!bytes.first().is_some_and(u8::is_ascii_digit)).then_some(digits)
}

fn is_card(digits: &[u8; LENGTH]) -> bool {
    let in_range = RANGES
        .iter()
        .any(|(from, to)| (*from..=*to).contains(&&digits[..from.len()]));
    (in_range || digits == OF_NO_PROGRAM) && passes_luhn(digits)
}

/// ISO/IEC 7812-1, annex B.
fn passes_luhn(digits: &[u8; LENGTH]) -> bool {
    let value = |(place, digit): (usize, &u8)| {
        let value = u32::from(digit - b'0') * if place.is_multiple_of(2) { 2 } else { 1 };
        value / 10 + value % 10
    };
    digits
        .iter()
        .enumerate()
        .map(value)
        .sum::<u32>()
        .is_multiple_of(10)
}

fn masked(digits: &[u8; LENGTH]) -> String {
    let text = |digits: &[u8]| digits.iter().copied().map(char::from).collect::<String>();
    format!("{}******{}", text(&digits[..6]), text(&digits[LENGTH - 4..]))
}
