//! Encodings that a card number can be wrapped in.

mod base64;
mod bytes_in_decimal;
mod compression;
mod escapes;
mod hexadecimal;
mod scripts;
mod utf16;

/// The shortest text that holds a card number.
const SHORTEST: usize = 16;

/// A way to write bytes as other bytes.
#[derive(Clone, Copy)]
pub(crate) struct Layer {
    /// For people.
    pub(crate) name: &'static str,
    /// Finds and decodes every piece in the bytes that is written this way.
    pub(crate) take_off: fn(&[u8]) -> Vec<Piece>,
}

/// Bytes that were written in other bytes.
pub(crate) struct Piece {
    /// Offset of its encoded form.
    pub(crate) at: usize,
    /// Decoded bytes.
    pub(crate) content: Vec<u8>,
}

pub(crate) const LAYERS: [Layer; 8] = [
    Layer {
        name: "base64",
        take_off: base64::take_off,
    },
    Layer {
        name: "hexadecimal",
        take_off: hexadecimal::take_off,
    },
    Layer {
        name: "escapes",
        take_off: escapes::take_off,
    },
    Layer {
        name: "bytes in decimal",
        take_off: bytes_in_decimal::take_off,
    },
    Layer {
        name: "UTF-16",
        take_off: utf16::take_off,
    },
    Layer {
        name: "digits of another script",
        take_off: scripts::take_off,
    },
    Layer {
        name: "gzip",
        take_off: compression::gzip,
    },
    Layer {
        name: "zlib",
        take_off: compression::zlib,
    },
];
