//! A list of bytes in decimal: `[53, 50, 51, …]`, as Rust's `Debug` and JavaScript write them.

use super::{Piece, SHORTEST};

/// Every list, with what stands between two numbers: commas, blanks and line breaks.
pub(super) fn take_off(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        let mut content = Vec::new();
        while let Some((byte, length)) = number(&bytes[at..]) {
            content.push(byte);
            at += length;
            at += separator(&bytes[at..]);
        }
        if content.len() >= SHORTEST {
            pieces.push(Piece { at: start, content });
        }
        // Past a longer number, not into it.
        at += bytes[at..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        at = at.max(start + 1);
    }
    pieces
}

/// A number that fits into a byte, and how long it is.
fn number(bytes: &[u8]) -> Option<(u8, usize)> {
    let length = bytes
        .iter()
        .take(4)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let text = std::str::from_utf8(&bytes[..length]).ok()?;
    Some((text.parse().ok()?, length))
}

fn separator(bytes: &[u8]) -> usize {
    let is_mark = |byte: &&u8| matches!(byte, b',' | b' ' | b'\n');
    // A list of one number in a line is indented.
    bytes.iter().take(40).take_while(is_mark).count()
}
