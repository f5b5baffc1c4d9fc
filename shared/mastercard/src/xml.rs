//! The little XML that a SOAP client needs: a writer that escapes, and a reader that takes bytes from the network,
//! decodes them and gives a small tree or an error.

mod encoding;
mod read;
mod write;

pub(crate) use encoding::decode;
pub(crate) use read::{Element, parse};
pub(crate) use write::Writer;

/// What XML 1.0 §2.2 calls `Char`.
pub(crate) fn is_xml_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}
