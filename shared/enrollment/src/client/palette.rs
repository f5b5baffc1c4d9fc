//! Colors of the page.

mod complete;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

pub use complete::{CompletePalette, DARK, LIGHT, LowContrast, Palettes, Scheme};

/// Names of the page's color variables (`--enroll-…`) that a client may set; the stylesheet says what each is for.
pub const COLORS: [&str; 9] = [
    "accent",
    "accent-text",
    "background",
    "surface",
    "text",
    "muted",
    "border",
    "error",
    "success",
];

/// One of [`COLORS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ColorName(&'static str);

/// A color, written `#rgb` or `#rrggbb`. Nothing else ever gets into the page's stylesheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Color {
    /// 0 to 255.
    pub red: u8,
    /// 0 to 255.
    pub green: u8,
    /// 0 to 255.
    pub blue: u8,
}

/// Text that is not `#rgb` or `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a color is written #rgb or #rrggbb")]
pub struct ColorError;

/// Text that is none of [`COLORS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a color of the page; they are {}", COLORS.join(", "))]
pub struct ColorNameError;

/// Name or value of a palette that can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PaletteError {
    /// The value.
    #[error(transparent)]
    Value(#[from] ColorError),
    /// The name.
    #[error("the page has no color of this name")]
    Name,
}

/// Colors that a client sets, by name; the stylesheet has the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Palette(BTreeMap<ColorName, Color>);

impl Color {
    /// White.
    pub const WHITE: Self = Self::new(255, 255, 255);
    /// Black.
    pub const BLACK: Self = Self::new(0, 0, 0);
    /// The stylesheet's own text color.
    pub const INK: Self = Self::new(0x14, 0x18, 0x1f);

    const fn new(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue }
    }

    /// # Errors
    /// On everything but `#` and three or six hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, ColorError> {
        let digits = text.strip_prefix('#').ok_or(ColorError)?;
        if !matches!(digits.len(), 3 | 6) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(ColorError);
        }
        let channel = |at: usize| {
            let (from, to, factor) = if digits.len() == 3 {
                (at, at + 1, 17)
            } else {
                (2 * at, 2 * at + 2, 1)
            };
            u8::from_str_radix(&digits[from..to], 16)
                .map(|value| value * factor)
                .map_err(|_| ColorError)
        };
        Ok(Self::new(channel(0)?, channel(1)?, channel(2)?))
    }

    /// WCAG 2.2, "contrast ratio": 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// Returns white, the dark text color or black: the first that is readable on this color. One of them always is.
    #[must_use]
    pub fn readable_text(self) -> Self {
        [Self::WHITE, Self::INK]
            .into_iter()
            .find(|text| self.contrast(*text) >= 4.5)
            .unwrap_or(Self::BLACK)
    }

    /// Returns this color with `parts` of 64 of another.
    fn mixed(self, other: Self, parts: u8) -> Self {
        let channel = |own: u8, other: u8| {
            let sum = u32::from(own) * u32::from(64 - parts) + u32::from(other) * u32::from(parts);
            u8::try_from((sum + 32) / 64).unwrap_or(u8::MAX)
        };
        Self::new(
            channel(self.red, other.red),
            channel(self.green, other.green),
            channel(self.blue, other.blue),
        )
    }

    /// Returns the darkest color between this one and white that has the contrast `needed` on all of `backs`; white where none
    /// has.
    fn lightened(self, backs: &[Self], needed: f64) -> Self {
        (0..=64)
            .map(|parts| self.mixed(Self::WHITE, parts))
            .find(|color| backs.iter().all(|back| color.contrast(*back) >= needed))
            .unwrap_or(Self::WHITE)
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { red, green, blue } = self;
        write!(formatter, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl TryFrom<String> for Color {
    type Error = ColorError;

    fn try_from(text: String) -> Result<Self, ColorError> {
        Self::parse(&text)
    }
}

impl From<Color> for String {
    fn from(color: Color) -> Self {
        color.to_string()
    }
}

impl ColorName {
    /// # Errors
    /// On a name that the page has no color for.
    pub fn parse(text: &str) -> Result<Self, ColorNameError> {
        let known = COLORS.into_iter().find(|known| *known == text);
        known.map(Self).ok_or(ColorNameError)
    }

    /// Returns the short name of the CSS variable: `accent` for `--enroll-accent`.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl<'de> Deserialize<'de> for ColorName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Palette {
    /// Reads colors by their short names.
    ///
    /// # Errors
    /// On the first name or value that is not one.
    pub fn parse<'a>(colors: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, PaletteError> {
        let mut palette = Self::default();
        for (name, value) in colors {
            let name = ColorName::parse(name).map_err(|_| PaletteError::Name)?;
            palette.set(name, Color::parse(value)?);
        }
        Ok(palette)
    }

    /// Sets a color.
    pub fn set(&mut self, name: ColorName, color: Color) {
        self.0.insert(name, color);
    }

    /// Returns the color of this name, where the client sets it.
    pub fn color(&self, name: &str) -> Option<Color> {
        self.iter()
            .find_map(|(set, color)| (set.as_str() == name).then_some(color))
    }

    /// Returns all colors that the client sets, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (ColorName, Color)> {
        self.0.iter().map(|(name, color)| (*name, *color))
    }

    /// Whether no color is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_equal_six() {
        assert_eq!(Color::parse("#fA0"), Color::parse("#ffaa00"));
    }

    #[test]
    fn other_text_is_refused() {
        for value in [
            "",
            "#",
            "red",
            "#ff",
            "#ffff",
            "#fffff",
            "#gggggg",
            "cf4500",
            "#cf4500;",
            "#fff}*{display:none",
            "url(//evil)",
            "#ééé",
            "#+1+1+1",
            " #fff",
        ] {
            assert_eq!(Color::parse(value), Err(ColorError), "{value}");
        }
    }

    #[test]
    fn contrast_follows_wcag() {
        assert!((Color::WHITE.contrast(Color::parse("#000").unwrap()) - 21.0).abs() < 1e-9);
        assert!((Color::parse("#767676").unwrap().contrast(Color::WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn stored_palette_is_checked() {
        let read = |stored: &str| serde_json::from_str::<Palette>(stored);
        assert!(read(r##"{"accent":"#cf4500"}"##).is_ok());
        for stored in [
            r##"{"accent}":"#fff"}"##,
            r#"{"text":"red"}"#,
            r##"{"text":"#fff}*{display:none"}"##,
        ] {
            assert!(read(stored).is_err(), "{stored}");
        }
    }
}
