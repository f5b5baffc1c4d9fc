//! UTF-16 of either byte order: Latin characters are every other byte, and zeros are between them.

use super::{Piece, SHORTEST};

/// Every run of Latin characters with a zero between any two. In the other byte order the zero before the first is no
/// part of it; the rest is the same.
pub(super) fn take_off(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        if bytes.get(start + 1) != Some(&0) {
            start += 1;
            continue;
        }
        let pairs = bytes[start..].chunks(2);
        let content: Vec<u8> = pairs
            .scan(true, |goes_on, pair| {
                let here = *goes_on && is_character(pair[0]);
                *goes_on = here && pair.get(1) == Some(&0);
                here.then_some(pair[0])
            })
            .collect();
        let length = content.len();
        if length >= SHORTEST {
            pieces.push(Piece { at: start, content });
        }
        start += (2 * length).saturating_sub(1).max(1);
    }
    pieces
}

fn is_character(byte: u8) -> bool {
    byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0xa0)
}
