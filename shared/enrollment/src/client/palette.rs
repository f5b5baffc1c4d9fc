//! Colors of the page and their contrast (WCAG 2.2).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

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

/// The stylesheet's own palette in light surroundings. A test of widget-page compares it with the stylesheet.
pub const LIGHT: [(&str, Color); 9] = [
    ("accent", Color::new(0x1f, 0x4e, 0xd8)),
    ("accent-text", Color::WHITE),
    ("background", Color::new(0xf3, 0xf4, 0xf7)),
    ("surface", Color::WHITE),
    ("text", Color::INK),
    ("muted", Color::new(0x5a, 0x63, 0x72)),
    ("border", Color::new(0x86, 0x8e, 0x9b)),
    ("error", Color::new(0xb3, 0x26, 0x1e)),
    ("success", Color::new(0x0b, 0x7a, 0x43)),
];

/// The stylesheet's own palette in dark surroundings.
pub const DARK: [(&str, Color); 9] = [
    ("accent", Color::new(0x8f, 0xb0, 0xff)),
    ("accent-text", Color::new(0x0b, 0x15, 0x30)),
    ("background", Color::new(0x0f, 0x12, 0x17)),
    ("surface", Color::new(0x1a, 0x1e, 0x26)),
    ("text", Color::new(0xf2, 0xf4, 0xf8)),
    ("muted", Color::new(0xa7, 0xb0, 0xbf)),
    ("border", Color::new(0x70, 0x7a, 0x8a)),
    ("error", Color::new(0xff, 0x9a, 0x8f)),
    ("success", Color::new(0x5f, 0xd3, 0x94)),
];

/// Pairs of foreground and background with the contrast that they need, in tenths: 4.5 for text (success criterion 1.4.3),
/// 3 for the border of a field (1.4.11).
const PAIRS: [(&str, &str, u32); 8] = [
    ("text", "surface", 45),
    ("text", "background", 45),
    ("muted", "surface", 45),
    ("muted", "background", 45),
    ("error", "surface", 45),
    ("success", "surface", 45),
    ("accent-text", "accent", 45),
    ("border", "surface", 30),
];

/// Two colors of a palette with too little contrast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LowContrast {
    /// Name of the foreground color.
    pub front: &'static str,
    /// Name of the background color.
    pub back: &'static str,
    /// Their contrast, 1 to 21.
    pub contrast: f64,
    /// Contrast that is needed.
    pub needed: f64,
}

impl Color {
    /// White.
    pub const WHITE: Self = Self::new(255, 255, 255);
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

    /// Returns white, or the dark text color where white would be unreadable on this color.
    #[must_use]
    pub fn readable_text(self) -> Self {
        if self.contrast(Self::WHITE) >= 4.5 {
            Self::WHITE
        } else {
            Self::INK
        }
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

    /// Whether the page keeps to the palette in dark surroundings too. With nothing but an accent it does not: the
    /// stylesheet's dark palette suits any accent.
    pub fn fixes_scheme(&self) -> bool {
        self.0.keys().any(|name| !name.as_str().starts_with("accent"))
    }
}

impl fmt::Display for LowContrast {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            front,
            back,
            contrast,
            needed,
        } = self;
        // Rounded down: 4.49 must not read as 4.5.
        let shown = (contrast * 100.0).floor() / 100.0;
        write!(
            formatter,
            "'{front}' on '{back}' has a contrast of {shown}; WCAG 2.2 requires {needed}"
        )
    }
}

/// Returns the pairs that a client's colors make unreadable, with the stylesheet's own colors where the client sets none.
pub fn low_contrast_pairs(colors: &Palette) -> Vec<LowContrast> {
    let set = |name: &str| colors.color(name);
    let schemes: &[_] = if colors.fixes_scheme() {
        &[&LIGHT]
    } else {
        &[&LIGHT, &DARK]
    };
    let mut found: Vec<LowContrast> = Vec::new();
    for scheme in schemes {
        let own = |wanted: &str| {
            scheme
                .iter()
                .find_map(|(name, color)| (*name == wanted).then_some(*color))
        };
        let color = |name: &str| {
            let on_accent = || {
                set("accent")
                    .filter(|_| name == "accent-text")
                    .map(Color::readable_text)
            };
            set(name).or_else(on_accent).or_else(|| own(name))
        };
        for (front, back, tenths) in PAIRS {
            let needed = f64::from(tenths) / 10.0;
            let Some(contrast) = color(front)
                .zip(color(back))
                .map(|(front, back)| front.contrast(back))
            else {
                continue;
            };
            let is_own = set(front).is_none() && set(back).is_none();
            let is_known = found
                .iter()
                .any(|other| (other.front, other.back) == (front, back));
            if contrast < needed && !is_own && !is_known {
                found.push(LowContrast {
                    front,
                    back,
                    contrast,
                    needed,
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(set: &[(&str, &str)]) -> Vec<String> {
        let found = low_contrast_pairs(&Palette::parse(set.iter().copied()).unwrap());
        found
            .iter()
            .map(|pair| format!("{} on {}", pair.front, pair.back))
            .collect()
    }

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
    fn unreadable_pairs_are_found() {
        assert_eq!(pairs(&[]), Vec::<String>::new());
        assert_eq!(pairs(&[("accent", "#ffd400")]), Vec::<String>::new());
        assert_eq!(
            pairs(&[("accent", "#ffd400"), ("accent-text", "#fff")]),
            ["accent-text on accent"]
        );
        assert_eq!(
            pairs(&[("text", "#ccc"), ("surface", "#fff")]),
            ["text on surface", "text on background"]
        );
        // The stylesheet's own text stays dark on it.
        assert_eq!(
            pairs(&[("surface", "#123")]),
            [
                "text on surface",
                "muted on surface",
                "error on surface",
                "success on surface",
            ]
        );
        assert_eq!(pairs(&[("border", "#eee")]), ["border on surface"]);
        // White is readable on the accent of light surroundings, and not on that of dark ones.
        assert_eq!(pairs(&[("accent-text", "#fff")]), ["accent-text on accent"]);
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

    #[test]
    fn contrast_is_not_rounded_up() {
        let colors = Palette::parse([("text", "#777")]).unwrap();
        let told = low_contrast_pairs(&colors)[0].to_string();
        assert!(told.contains("4.47; WCAG 2.2 requires 4.5"), "{told}");
    }
}
