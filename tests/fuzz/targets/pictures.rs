//! A client's pictures.

#![no_main]

use std::ops::RangeInclusive;

use enrollment::client::pictures::{CARD_WIDTHS, FAVICON_SIDES, MAX_BYTES, Picture, check};
use libfuzzer_sys::fuzz_target;

/// A PNG's signature; its first chunk is the header, which begins with width and height (PNG §11.2.1).
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

fuzz_target!(|bytes: &[u8]| {
    for picture in [
        Picture::Logo,
        Picture::Background,
        Picture::Favicon,
        Picture::CardArt,
    ] {
        match check(picture, bytes) {
            Ok(()) => {
                assert!(bytes.len() <= MAX_BYTES && bytes.starts_with(SIGNATURE));
                let side = |at: usize| {
                    bytes[at..at + 4]
                        .iter()
                        .fold(0, |side, byte| side << 8 | u64::from(*byte))
                };
                let (width, height) = (side(16), side(20));
                match picture {
                    Picture::Logo => assert!(height >= 100 && (width * 9).abs_diff(height * 21) <= 15),
                    Picture::Background => assert_eq!((width, height), (1920, 1080)),
                    Picture::Favicon => {
                        assert!(width == height && sides(&FAVICON_SIDES).contains(&width));
                    }
                    Picture::CardArt => {
                        assert!(width > height && sides(&CARD_WIDTHS).contains(&width));
                    }
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
});

fn sides(range: &RangeInclusive<u32>) -> RangeInclusive<u64> {
    u64::from(*range.start())..=u64::from(*range.end())
}
