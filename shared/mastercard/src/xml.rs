//! XML as far as a SOAP client needs it: a writer that escapes, and a reader that turns untrusted bytes into a small
//! tree or an error.

mod encoding;
mod read;
mod write;

pub(crate) use encoding::decode;
pub(crate) use read::{Element, parse};
pub(crate) use write::Writer;

/// Whether XML 1.0 allows a character (§2.2, `Char`).
pub(crate) fn is_xml_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}
