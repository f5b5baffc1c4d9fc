//! Base64 (RFC 4648 §4 and §5), padded or not.

use super::{Piece, SHORTEST};

/// Characters of [`SHORTEST`] bytes.
const SHORTEST_RUN: usize = (SHORTEST * 4).div_ceil(3);
/// Characters without a meaning inside a run: line breaks as they are and as JSON escapes them, and JSON's
/// escape of the slash.
const MEANINGLESS: [&[u8]; 5] = [b"\r", b"\n", b"\\r", b"\\n", b"\\"];

/// Every run of characters of either alphabet, read from each of its first four: what stands before the encoded text, a
/// path say, may be written in the same characters.
pub(super) fn take_off(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if value(bytes[at]).is_none() {
            at += 1;
            continue;
        }
        let (run, end) = run(bytes, at);
        if run.len() >= SHORTEST_RUN {
            pieces.extend((0..4).map(|skipped| Piece {
                at,
                content: decode(&run[skipped..]),
            }));
        }
        at = end;
    }
    pieces
}

/// The run that begins here, and where it ends.
fn run(bytes: &[u8], start: usize) -> (Vec<u8>, usize) {
    let mut run = Vec::new();
    let mut at = start;
    while at < bytes.len() {
        if let Some(value) = value(bytes[at]) {
            run.push(value);
            at += 1;
            continue;
        }
        let rest = &bytes[at..];
        match MEANINGLESS.iter().find(|mark| rest.starts_with(mark)) {
            Some(mark) => at += mark.len(),
            None => break,
        }
    }
    (run, at)
}

/// Bits that are left over at the end are padding, or the text was cut there.
fn decode(run: &[u8]) -> Vec<u8> {
    let bytes_of = |four: &[u8]| {
        let bits = four.iter().enumerate().fold(0, |bits, (place, value)| {
            bits | u32::from(*value) << (18 - 6 * place)
        });
        let [_, bytes @ ..] = bits.to_be_bytes();
        bytes.into_iter().take(four.len() * 6 / 8)
    };
    run.chunks(4).flat_map(bytes_of).collect()
}

fn value(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'a'..=b'z' => Some(character - b'a' + 26),
        b'0'..=b'9' => Some(character - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}
