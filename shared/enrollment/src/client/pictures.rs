//! A client's pictures, checked before they are stored (`docs/sources.md#widget`, "Widget Customization &
//! Localization").

pub mod renditions;

use std::io::Cursor;

/// Largest picture accepted: 4 MB.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Accepted heights of a logo, in pixels. A small file can contain a picture of a gigabyte, which every browser would have to
/// unpack.
pub const LOGO_HEIGHTS: std::ops::RangeInclusive<u32> = 100..=1080;

/// Accepted sides of an icon, in pixels.
pub const FAVICON_SIDES: std::ops::RangeInclusive<u32> = 32..=1024;

/// Accepted widths of a card's picture, in pixels.
pub const CARD_WIDTHS: std::ops::RangeInclusive<u32> = 160..=2048;

/// Memory limit of decoding, in bytes: a few rows, and the chunks around the pixels.
const MAX_MEMORY: usize = 16 * 1024 * 1024;

/// First bytes of other formats.
const OTHER_FORMATS: [(&[u8], &str); 6] = [
    (b"\xff\xd8\xff", "a JPEG"),
    (b"GIF8", "a GIF"),
    (b"RIFF", "a WebP"),
    (b"BM", "a BMP"),
    (b"<", "an SVG"),
    (b"%PDF", "a PDF"),
];

/// Use of a picture; each has its own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// PNG, 21:9, at least 100 px high, with alpha.
    Logo,
    /// PNG, 1920×1080.
    Background,
    /// PNG, square, see [`FAVICON_SIDES`].
    Favicon,
    /// PNG in the shape of a card, see [`CARD_WIDTHS`].
    CardArt,
}

/// Refusal of a picture, as a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Larger than [`MAX_BYTES`].
    #[error("is {bytes} bytes; the most is {MAX_BYTES}")]
    TooLarge {
        /// Size of the file.
        bytes: usize,
    },
    /// A picture of another format.
    #[error("is {0}, not a PNG")]
    OtherFormat(&'static str),
    /// Not a PNG that can be decoded to its end.
    #[error("is not a readable PNG: it is damaged or breaks off ({0})")]
    NotPng(String),
    /// An APNG.
    #[error("is animated; a still picture is needed")]
    Animated,
    /// A logo of another shape.
    #[error("is {width}×{height}; a logo must be 21:9, for example 420×180")]
    NotWide {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// A logo that is too small or too large.
    #[error("is {height} px high; a logo must be {min} to {max} px high", min = LOGO_HEIGHTS.start(), max = LOGO_HEIGHTS.end())]
    Height {
        /// In pixels.
        height: u32,
    },
    /// A logo without a transparent background.
    #[error("has no alpha channel; a logo needs a transparent background")]
    Opaque,
    /// An icon of another shape or size.
    #[error(
        "is {width}×{height}; an icon must be square, {min} to {max} px",
        min = FAVICON_SIDES.start(),
        max = FAVICON_SIDES.end()
    )]
    NotIcon {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// A card's picture of another shape or size.
    #[error(
        "is {width}×{height}; a card must be 85.6:54, like 428×270, and {min} to {max} px wide",
        min = CARD_WIDTHS.start(),
        max = CARD_WIDTHS.end()
    )]
    NotCard {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// A background of another size.
    #[error("is {width}×{height}; a background must be 1920×1080")]
    NotFullHd {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
}

/// Checks a picture's bytes against the rules of its use.
pub fn check(picture: Picture, bytes: &[u8]) -> Result<(), PictureError> {
    if bytes.len() > MAX_BYTES {
        return Err(PictureError::TooLarge { bytes: bytes.len() });
    }
    if let Some((_, format)) = OTHER_FORMATS.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Err(PictureError::OtherFormat(format));
    }
    let unreadable = |error: png::DecodingError| PictureError::NotPng(error.to_string());
    let mut decoder = png::Decoder::new_with_options(Cursor::new(bytes), every_checksum());
    decoder.set_limits(png::Limits { bytes: MAX_MEMORY });
    let mut reader = decoder.read_info().map_err(unreadable)?;
    check_header(picture, reader.info())?;
    // Rows are decoded one at a time: a picture that lies about its content is found without holding it whole.
    while reader.next_row().map_err(unreadable)?.is_some() {}
    reader.finish().map_err(unreadable)
}

/// Checks all checksums: browsers differ in the damage that they tolerate.
fn every_checksum() -> png::DecodeOptions {
    let mut options = png::DecodeOptions::default();
    options.set_ignore_checksums(false);
    options.set_skip_ancillary_crc_failures(false);
    options
}

fn check_header(picture: Picture, info: &png::Info<'_>) -> Result<(), PictureError> {
    let (width, height) = info.size();
    let alpha = info.trns.is_some()
        || matches!(
            info.color_type,
            png::ColorType::Rgba | png::ColorType::GrayscaleAlpha
        );
    match picture {
        // Sides are whole pixels: half a pixel of rounding either way is still 21:9.
        Picture::Logo if (u64::from(width) * 9).abs_diff(u64::from(height) * 21) > 15 => {
            Err(PictureError::NotWide { width, height })
        }
        Picture::Logo if !LOGO_HEIGHTS.contains(&height) => Err(PictureError::Height { height }),
        Picture::Logo if !alpha => Err(PictureError::Opaque),
        Picture::Background if (width, height) != (1920, 1080) => {
            Err(PictureError::NotFullHd { width, height })
        }
        Picture::Favicon if width != height || !FAVICON_SIDES.contains(&width) => {
            Err(PictureError::NotIcon { width, height })
        }
        Picture::CardArt if !is_card(width, height) || !CARD_WIDTHS.contains(&width) => {
            Err(PictureError::NotCard { width, height })
        }
        _ if info.animation_control.is_some() => Err(PictureError::Animated),
        _ => Ok(()),
    }
}

/// Whether a picture has the shape of an ID-1 card (ISO/IEC 7810: 85.60 × 53.98 mm), with 2 % of tolerance.
fn is_card(width: u32, height: u32) -> bool {
    let (across, down) = (u64::from(width) * 5398, u64::from(height) * 8560);
    across.abs_diff(down) * 50 <= down
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, color: png::ColorType) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        let data = vec![0_u8; width as usize * height as usize * color.samples()];
        encoder.write_header().unwrap().write_image_data(&data).unwrap();
        bytes
    }

    #[test]
    fn logo_has_shape_height_and_alpha() {
        assert_eq!(check(Picture::Logo, &png(420, 180, png::ColorType::Rgba)), Ok(()));
        assert_eq!(check(Picture::Logo, &png(234, 100, png::ColorType::Rgba)), Ok(()));
        assert_eq!(
            check(Picture::Logo, &png(400, 180, png::ColorType::Rgba)),
            Err(PictureError::NotWide {
                width: 400,
                height: 180
            })
        );
        assert_eq!(
            check(Picture::Logo, &png(210, 90, png::ColorType::Rgba)),
            Err(PictureError::Height { height: 90 })
        );
        assert_eq!(
            check(Picture::Logo, &png(420, 180, png::ColorType::Rgb)),
            Err(PictureError::Opaque)
        );
    }

    #[test]
    fn background_is_full_hd() {
        assert_eq!(
            check(Picture::Background, &png(1920, 1080, png::ColorType::Grayscale)),
            Ok(())
        );
        assert_eq!(
            check(Picture::Background, &png(1080, 1920, png::ColorType::Grayscale)),
            Err(PictureError::NotFullHd {
                width: 1080,
                height: 1920
            })
        );
    }

    #[test]
    fn icon_is_square_and_card_has_its_shape() {
        let opaque = |width, height| png(width, height, png::ColorType::Rgb);
        assert_eq!(check(Picture::Favicon, &opaque(32, 32)), Ok(()));
        for (width, height) in [(31, 31), (64, 63), (1025, 1025)] {
            let refused = check(Picture::Favicon, &opaque(width, height));
            assert_eq!(refused, Err(PictureError::NotIcon { width, height }));
        }
        for (width, height) in [(428, 270), (1536, 969), (160, 101)] {
            assert_eq!(check(Picture::CardArt, &opaque(width, height)), Ok(()), "{width}");
        }
        for (width, height) in [(270, 428), (300, 200), (100, 63), (159, 100)] {
            let refused = check(Picture::CardArt, &opaque(width, height));
            assert_eq!(refused, Err(PictureError::NotCard { width, height }));
        }
    }

    #[test]
    fn other_format_or_damage_is_refused() {
        for (start, format) in [
            (&b"GIF89a"[..], "a GIF"),
            (b"\xff\xd8\xff\xe0", "a JPEG"),
            (b"<svg", "an SVG"),
        ] {
            assert_eq!(
                check(Picture::Logo, start),
                Err(PictureError::OtherFormat(format))
            );
        }
        for bytes in [&b""[..], b"logo", b"\x89PNG\r\n\x1a\n", b"\x89PNG\n\x1a\n"] {
            assert!(matches!(
                check(Picture::Logo, bytes),
                Err(PictureError::NotPng(_))
            ));
        }
        let whole = png(420, 180, png::ColorType::Rgba);
        assert!(matches!(
            check(Picture::Logo, &whole[..whole.len() / 2]),
            Err(PictureError::NotPng(_))
        ));
        assert!(matches!(
            check(Picture::Logo, &vec![0; MAX_BYTES + 1]),
            Err(PictureError::TooLarge { .. })
        ));
    }

    /// A logo of so many pixels, all of them transparent, as its bytes would be on disk: a few kilobytes.
    fn sparse_logo(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::One);
        encoder.set_compression(png::Compression::Fastest);
        encoder.set_palette(vec![0; 6]);
        encoder.set_trns(vec![0; 2]);
        let mut writer = encoder.write_header().unwrap();
        let mut stream = writer.stream_writer().unwrap();
        let row = vec![0_u8; width.div_ceil(8) as usize];
        for _ in 0..height {
            std::io::Write::write_all(&mut stream, &row).unwrap();
        }
        stream.finish().unwrap();
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn small_file_of_huge_picture_is_refused() {
        let huge = sparse_logo(42_000, 18_000);
        assert!(huge.len() < MAX_BYTES / 2, "{} bytes", huge.len());
        assert_eq!(
            check(Picture::Logo, &huge),
            Err(PictureError::Height { height: 18_000 })
        );
        assert_eq!(check(Picture::Logo, &sparse_logo(2520, 1080)), Ok(()));
    }

    #[test]
    fn animation_is_refused() {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 420, 180);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_animated(2, 0).unwrap();
        let mut writer = encoder.write_header().unwrap();
        let frame = vec![0_u8; 420 * 180 * 4];
        writer.write_image_data(&frame).unwrap();
        writer.write_image_data(&frame).unwrap();
        writer.finish().unwrap();
        assert_eq!(check(Picture::Logo, &bytes), Err(PictureError::Animated));
    }

    #[test]
    fn every_damage_is_found() {
        let whole = png(234, 100, png::ColorType::Rgba);
        for cut in [1, 4, 12, 13, 20] {
            let result = check(Picture::Logo, &whole[..whole.len() - cut]);
            assert!(
                matches!(result, Err(PictureError::NotPng(_))),
                "without {cut} bytes: {result:?}"
            );
        }
        // Behind the signature and the header: the first chunk of data with its length, name, content and checksum.
        for at in 33..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            assert!(
                check(Picture::Logo, &damaged).is_err(),
                "byte {at} of {}",
                whole.len()
            );
        }
    }
}
