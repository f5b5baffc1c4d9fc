//! A client's pictures, checked before they are stored (source document 001, "Widget Customization & Localization").

use std::io::Cursor;

/// The largest picture taken: 4 MB.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// What a picture is for; each has its own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// PNG, 21:9, at least 100 px high, with alpha.
    Logo,
    /// PNG, 1920×1080.
    Background,
}

/// Why a picture is refused: a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// Larger than [`MAX_BYTES`].
    #[error("is {bytes} bytes; the most is {MAX_BYTES}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not a PNG that can be decoded to its end.
    #[error("is not a readable PNG ({0})")]
    NotPng(String),
    /// A logo of another shape.
    #[error("is {width}×{height}; a logo must be 21:9, for example 420×180")]
    NotWide {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// A logo that is too small.
    #[error("is {height} px high; a logo must be at least 100 px high")]
    TooLow {
        /// In pixels.
        height: u32,
    },
    /// A logo without a transparent background.
    #[error("has no alpha channel; a logo needs a transparent background")]
    Opaque,
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
    let unreadable = |error: png::DecodingError| PictureError::NotPng(error.to_string());
    let mut reader = png::Decoder::new(Cursor::new(bytes))
        .read_info()
        .map_err(unreadable)?;
    let (width, height) = reader.info().size();
    let alpha = reader.info().trns.is_some()
        || matches!(
            reader.info().color_type,
            png::ColorType::Rgba | png::ColorType::GrayscaleAlpha
        );
    match picture {
        // Sides are whole pixels: half a pixel of rounding either way is still 21:9.
        Picture::Logo if (u64::from(width) * 9).abs_diff(u64::from(height) * 21) > 15 => {
            return Err(PictureError::NotWide { width, height });
        }
        Picture::Logo if height < 100 => return Err(PictureError::TooLow { height }),
        Picture::Logo if !alpha => return Err(PictureError::Opaque),
        Picture::Background if (width, height) != (1920, 1080) => {
            return Err(PictureError::NotFullHd { width, height });
        }
        Picture::Logo | Picture::Background => {}
    }
    // Rows are decoded one at a time: a picture that lies about its content is found without holding it whole.
    while reader.next_row().map_err(unreadable)?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, colour: png::ColorType) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(colour);
        let data = vec![0_u8; width as usize * height as usize * colour.samples()];
        encoder.write_header().unwrap().write_image_data(&data).unwrap();
        bytes
    }

    #[test]
    fn a_logo_is_wide_high_enough_and_transparent() {
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
            Err(PictureError::TooLow { height: 90 })
        );
        assert_eq!(
            check(Picture::Logo, &png(420, 180, png::ColorType::Rgb)),
            Err(PictureError::Opaque)
        );
    }

    #[test]
    fn a_background_is_full_hd() {
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
    fn what_is_no_png_or_breaks_off_is_refused() {
        assert!(matches!(
            check(Picture::Logo, b"GIF89a"),
            Err(PictureError::NotPng(_))
        ));
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
}
