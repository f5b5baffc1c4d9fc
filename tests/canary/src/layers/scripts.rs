//! Digits of other scripts, in UTF-8: `５２３４`, `٥٢٣٤`, `५२३४`.

use enrollment::digits;

use super::{Piece, SHORTEST};

/// Every text that has enough digits of other scripts in it, with ASCII's in their place.
pub(super) fn take_off(bytes: &[u8]) -> Vec<Piece> {
    if bytes.is_ascii() {
        return Vec::new();
    }
    let mut pieces = Vec::new();
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        let text = chunk.valid();
        if let Some(piece) = of_text(text, at) {
            pieces.push(piece);
        }
        at += text.len() + chunk.invalid().len();
    }
    pieces
}

fn of_text(text: &str, at: usize) -> Option<Piece> {
    let foreign = |character: &char| !character.is_ascii() && digits::value(*character).is_some();
    let first = text.find(|character| foreign(&character))?;
    if text.chars().filter(foreign).count() < SHORTEST / 4 {
        return None;
    }
    let plain = |character: char| match digits::value(character) {
        Some(digit) => char::from(b'0' + digit),
        None => character,
    };
    // Digits of two scripts may be mixed: what stands before the first is looked at too.
    Some(Piece {
        at: at + first,
        content: text.chars().map(plain).collect::<String>().into_bytes(),
    })
}
