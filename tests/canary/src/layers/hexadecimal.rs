//! Hexadecimal: in one piece, as dumps group it, or as a list of `0x35`.

use super::{Piece, SHORTEST};

/// Marks between two bytes, at most: `, 0x` has a comma and a blank.
const MOST_MARKS: usize = 3;

/// Every run of pairs of digits. A pair is part of one run only, but both halves of a run of digits are tried: what stands
/// before the text may end in a digit too.
pub(super) fn take_off(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut seen = vec![false; bytes.len()];
    for start in 0..bytes.len() {
        if !bytes[start].is_ascii_hexdigit() {
            continue;
        }
        let mut content = Vec::new();
        let mut at = start;
        while let Some(byte) = pair(bytes, at).filter(|_| !seen[at]) {
            seen[at] = true;
            content.push(byte);
            at = after_separator(bytes, at + 2);
        }
        if content.len() >= SHORTEST {
            pieces.push(Piece { at: start, content });
        }
    }
    pieces
}

fn pair(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    u8::try_from(digit(at)? * 16 + digit(at + 1)?).ok()
}

fn after_separator(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at.min(bytes.len())..];
    let is_mark = |byte: &&u8| matches!(byte, b' ' | b',' | b':' | b'-' | b'\n');
    let marks = rest.iter().take(MOST_MARKS).take_while(is_mark).count();
    let prefix = if rest[marks..].starts_with(b"0x") { 2 } else { 0 };
    at + marks + prefix
}
