//! Smaller versions of a client's pictures, made when its file is applied.

use std::io::Cursor;

use png::{BitDepth, ColorType, Compression, Decoder, Encoder, Transformations};

use super::PictureError;

/// Pixels of a picture, each as red, green, blue and alpha.
struct Pixels {
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

/// Sum of the pixels under one pixel of the smaller picture: colors weighted by alpha, so that what is transparent leaves no
/// edge of its color.
#[derive(Default)]
struct Sum {
    colors: [f64; 3],
    alpha: f64,
    area: f64,
}

/// Returns the picture in each of these widths that is below its own, as PNG. A version that is no smaller as a file is left
/// out. The picture must have been checked.
///
/// # Errors
/// If the picture cannot be decoded.
pub fn in_widths(png: &[u8], widths: &[u32]) -> Result<Vec<(u32, Vec<u8>)>, PictureError> {
    let pixels = decoded(png)?;
    let mut versions = Vec::new();
    for width in widths.iter().filter(|width| **width < pixels.width) {
        let height = scaled(pixels.height, *width, pixels.width);
        let version = encoded(&resized(&pixels, *width, height))?;
        if version.len() < png.len() {
            versions.push((*width, version));
        }
    }
    Ok(versions)
}

/// Returns the width of a picture in pixels.
///
/// # Errors
/// If its header cannot be read.
pub fn width(png: &[u8]) -> Result<u32, PictureError> {
    let reader = Decoder::new(Cursor::new(png)).read_info();
    let reader = reader.map_err(|error| PictureError::NotPng(error.to_string()))?;
    Ok(reader.info().width)
}

/// Returns the picture within a transparent square, as PNG.
///
/// # Errors
/// If the picture cannot be decoded.
pub fn within_square(png: &[u8], side: u32) -> Result<Vec<u8>, PictureError> {
    let pixels = decoded(png)?;
    let (width, height) = if pixels.width >= pixels.height {
        (side, scaled(pixels.height, side, pixels.width))
    } else {
        (scaled(pixels.width, side, pixels.height), side)
    };
    let small = resized(&pixels, width, height);
    let mut square = Pixels {
        width: side,
        height: side,
        bytes: vec![0; 4 * side as usize * side as usize],
    };
    let (left, top) = ((side - width) / 2, (side - height) / 2);
    for row in 0..height {
        let from = 4 * (row * width) as usize;
        let to = 4 * ((top + row) * side + left) as usize;
        let length = 4 * width as usize;
        square.bytes[to..to + length].copy_from_slice(&small.bytes[from..from + length]);
    }
    encoded(&square)
}

/// `length` in the proportion of `part` to `whole`, at least one pixel.
fn scaled(length: u32, part: u32, whole: u32) -> u32 {
    let scaled = (u64::from(length) * u64::from(part) + u64::from(whole) / 2) / u64::from(whole.max(1));
    u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
}

fn decoded(png: &[u8]) -> Result<Pixels, PictureError> {
    let unreadable = |error: png::DecodingError| PictureError::NotPng(error.to_string());
    let mut decoder = Decoder::new(Cursor::new(png));
    decoder.set_transformations(Transformations::normalize_to_color8() | Transformations::ALPHA);
    let mut reader = decoder.read_info().map_err(unreadable)?;
    let size = reader.output_buffer_size().unwrap_or_default();
    let mut bytes = vec![0; size];
    let frame = reader.next_frame(&mut bytes).map_err(unreadable)?;
    bytes.truncate(frame.buffer_size());
    let bytes = match frame.color_type {
        ColorType::Rgba => bytes,
        ColorType::GrayscaleAlpha => bytes
            .chunks_exact(2)
            .flat_map(|pixel| [pixel[0], pixel[0], pixel[0], pixel[1]])
            .collect(),
        other => return Err(PictureError::NotPng(format!("{other:?} without alpha"))),
    };
    Ok(Pixels {
        width: frame.width,
        height: frame.height,
        bytes,
    })
}

fn encoded(pixels: &Pixels) -> Result<Vec<u8>, PictureError> {
    let is_opaque = pixels.bytes.chunks_exact(4).all(|pixel| pixel[3] == u8::MAX);
    let unwritable = |error: png::EncodingError| PictureError::NotPng(error.to_string());
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, pixels.width, pixels.height);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    let colors: Vec<u8> = if is_opaque {
        encoder.set_color(ColorType::Rgb);
        pixels
            .bytes
            .chunks_exact(4)
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect()
    } else {
        encoder.set_color(ColorType::Rgba);
        pixels.bytes.clone()
    };
    let mut writer = encoder.write_header().map_err(unwritable)?;
    writer.write_image_data(&colors).map_err(unwritable)?;
    writer.finish().map_err(unwritable)?;
    Ok(bytes)
}

/// Averages the area under each pixel of the smaller picture.
fn resized(pixels: &Pixels, width: u32, height: u32) -> Pixels {
    let mut bytes = Vec::with_capacity(4 * width as usize * height as usize);
    for row in 0..height {
        let rows = covered(row, height, pixels.height);
        for column in 0..width {
            let mut sum = Sum::default();
            for (from_row, row_share) in rows.clone() {
                for (from_column, column_share) in covered(column, width, pixels.width) {
                    sum.add(pixels.pixel(from_column, from_row), row_share * column_share);
                }
            }
            bytes.extend(sum.average());
        }
    }
    Pixels { width, height, bytes }
}

/// Pixels of the larger side (`whole` long) under pixel `at` of the smaller one (`part` long), each with its covered share, in
/// parts of `part`. Sides of pictures are some thousand pixels: their product fits.
fn covered(at: u32, part: u32, whole: u32) -> impl Iterator<Item = (u32, f64)> + Clone {
    let (start, end) = (at * whole, (at + 1) * whole);
    (start / part..end.div_ceil(part)).map(move |pixel| {
        let share = ((pixel + 1) * part).min(end) - (pixel * part).max(start);
        (pixel, f64::from(share))
    })
}

impl Pixels {
    fn pixel(&self, column: u32, row: u32) -> [u8; 4] {
        let at = 4 * (row as usize * self.width as usize + column as usize);
        let pixel = self.bytes.get(at..at + 4);
        pixel.and_then(|pixel| pixel.try_into().ok()).unwrap_or_default()
    }
}

impl Sum {
    fn add(&mut self, [red, green, blue, alpha]: [u8; 4], share: f64) {
        let weight = f64::from(alpha) * share;
        for (sum, channel) in self.colors.iter_mut().zip([red, green, blue]) {
            *sum += f64::from(channel) * weight;
        }
        self.alpha += weight;
        self.area += share;
    }

    fn average(&self) -> [u8; 4] {
        let color = |sum: f64| {
            if self.alpha > 0.0 {
                rounded(sum / self.alpha)
            } else {
                0
            }
        };
        let [red, green, blue] = self.colors;
        [
            color(red),
            color(green),
            color(blue),
            rounded(self.alpha / self.area.max(f64::MIN_POSITIVE)),
        ]
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of a byte just before"
)]
fn rounded(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, color: ColorType, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        bytes
    }

    /// Colors that no filter makes small.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    #[test]
    fn picture_comes_in_smaller_widths() {
        let original = png(420, 180, ColorType::Rgba, &noise(420 * 180 * 4));
        let versions = in_widths(&original, &[140, 280, 420, 840]).unwrap();
        let widths: Vec<u32> = versions.iter().map(|(width, _)| *width).collect();
        assert_eq!(widths, [140, 280]);
        assert_eq!(width(&original).unwrap(), 420);
        for (width, version) in &versions {
            let pixels = decoded(version).unwrap();
            assert_eq!((pixels.width, pixels.height), (*width, width * 3 / 7));
            assert!(version.len() < original.len());
        }
    }

    #[test]
    fn version_that_is_no_smaller_is_left_out() {
        let flat = png(420, 180, ColorType::Rgba, &vec![0; 420 * 180 * 4]);
        let versions = in_widths(&flat, &[419]).unwrap();
        assert!(versions.iter().all(|(_, version)| version.len() < flat.len()));
    }

    #[test]
    fn areas_are_averaged() {
        let checkered: Vec<u8> = (0..16)
            .flat_map(|pixel| {
                if (pixel + pixel / 4) % 2 == 0 {
                    [0; 3]
                } else {
                    [200; 3]
                }
            })
            .collect();
        let pixels = decoded(&png(4, 4, ColorType::Rgb, &checkered)).unwrap();
        let half = resized(&pixels, 2, 2);
        assert_eq!(half.bytes, [100, 100, 100, 255].repeat(4));
        // A third pixel in the middle belongs to both neighbors by half.
        let row = decoded(&png(3, 1, ColorType::Grayscale, &[0, 90, 180])).unwrap();
        assert_eq!(resized(&row, 2, 1).bytes, [30, 30, 30, 255, 150, 150, 150, 255]);
    }

    #[test]
    fn transparent_pixels_leave_no_color() {
        let half = [255, 0, 0, 255, 0, 255, 0, 0];
        let pixels = decoded(&png(2, 1, ColorType::Rgba, &half)).unwrap();
        assert_eq!(resized(&pixels, 1, 1).bytes, [255, 0, 0, 128]);
    }

    #[test]
    fn logo_is_centered_in_a_square() {
        let wide = png(4, 2, ColorType::Rgba, &[9, 9, 9, 255].repeat(8));
        let square = decoded(&within_square(&wide, 4).unwrap()).unwrap();
        assert_eq!((square.width, square.height), (4, 4));
        let alphas: Vec<u8> = square.bytes.chunks_exact(4).map(|pixel| pixel[3]).collect();
        assert_eq!(alphas, [[0; 4], [255; 4], [255; 4], [0; 4]].concat());
    }

    #[test]
    fn palette_gray_and_deep_pictures_are_read() {
        for (color, depth, data) in [
            (ColorType::Grayscale, BitDepth::One, vec![0b1010_0000]),
            (ColorType::Rgb, BitDepth::Sixteen, vec![255; 3 * 6]),
            (ColorType::GrayscaleAlpha, BitDepth::Eight, vec![7; 3 * 2]),
        ] {
            let mut bytes = Vec::new();
            let mut encoder = Encoder::new(&mut bytes, 3, 1);
            encoder.set_color(color);
            encoder.set_depth(depth);
            encoder.write_header().unwrap().write_image_data(&data).unwrap();
            let pixels = decoded(&bytes).unwrap();
            assert_eq!(pixels.bytes.len(), 12, "{color:?}");
        }
    }
}
