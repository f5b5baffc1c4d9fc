//! Characters behind escapes: of URLs, JSON, program text, HTML.

use super::Piece;

/// Start of an escape, base of its number, and number of its digits; before a semicolon, any number of them.
const ESCAPES: [(&[u8], u32, Digits); 6] = [
    (b"%", 16, Digits::Exactly(2)),
    (b"\\x", 16, Digits::Exactly(2)),
    (b"\\u00", 16, Digits::Exactly(2)),
    (b"&#x", 16, Digits::ToSemicolon),
    (b"&#X", 16, Digits::ToSemicolon),
    (b"&#", 10, Digits::ToSemicolon),
];

#[derive(Clone, Copy)]
enum Digits {
    Exactly(usize),
    ToSemicolon,
}

/// Every word that has an escape in it, with all of them replaced: a number may be escaped in part.
pub(super) fn take_off(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    for word in bytes.split(|byte| byte.is_ascii_whitespace() || *byte == b'"') {
        pieces.extend(without_escapes(word).map(|content| Piece { at, content }));
        at += word.len() + 1;
    }
    pieces
}

fn without_escapes(word: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let mut at = 0;
    while at < word.len() {
        let (byte, length) = escape(&word[at..]).unwrap_or((word[at], 1));
        content.push(byte);
        at += length;
    }
    (content.len() < word.len()).then_some(content)
}

/// The byte that is escaped here, and the length of the escape.
fn escape(bytes: &[u8]) -> Option<(u8, usize)> {
    if !matches!(bytes.first(), Some(b'%' | b'\\' | b'&')) {
        return None;
    }
    ESCAPES.iter().find_map(|(start, base, digits)| {
        let rest = bytes.strip_prefix(*start)?;
        let (count, end) = match digits {
            Digits::Exactly(count) => (*count, *count),
            Digits::ToSemicolon => {
                let count = rest.iter().take(5).position(|byte| *byte == b';')?;
                (count, count + 1)
            }
        };
        let text = std::str::from_utf8(rest.get(..count)?).ok()?;
        Some((u8::from_str_radix(text, *base).ok()?, start.len() + end))
    })
}
