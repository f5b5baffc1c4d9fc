//! Compressed data.

use std::io::Read as _;

use flate2::read::{GzDecoder, ZlibDecoder};

use super::Piece;

/// Of what comes out, at most: more than anything in a run is long.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Everything that begins like gzip with DEFLATE (RFC 1952 §2.3).
pub(super) fn gzip(bytes: &[u8]) -> Vec<Piece> {
    every(bytes, |rest| {
        rest.starts_with(&[0x1f, 0x8b, 8])
            .then(|| up_to_an_error(GzDecoder::new(rest)))
    })
}

/// Everything that begins like zlib with a window of 32 KiB (RFC 1950 §2.2).
pub(super) fn zlib(bytes: &[u8]) -> Vec<Piece> {
    every(bytes, |rest| {
        matches!(rest, [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..]).then(|| up_to_an_error(ZlibDecoder::new(rest)))
    })
}

fn every(bytes: &[u8], unpack: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Vec<Piece> {
    let piece = |at: usize| {
        let content = unpack(&bytes[at..])?;
        Some(Piece { at, content })
    };
    (0..bytes.len())
        .filter_map(piece)
        .filter(|piece| !piece.content.is_empty())
        .collect()
}

/// Decompresses up to the first error: broken or truncated data is searched as far as possible.
fn up_to_an_error(compressed: impl std::io::Read) -> Vec<u8> {
    let mut content = Vec::new();
    compressed.take(LONGEST).read_to_end(&mut content).ok();
    content
}
