//! The client's look: pictures, colors, and the closed lists of the other settings (`docs/contract.md#look`).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::palette::Palette;

/// Largest radius of a field's corners, in CSS pixels.
pub const MAX_RADIUS: u8 = 24;

/// Pictures (by the SHA-256 of their content), colors and the rest of the page's look.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Look {
    /// PNG, 21:9, at least 100 px high.
    pub logo: Option<String>,
    /// The same for dark surroundings; [`Self::logo`] on a light plate where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_dark: Option<String>,
    /// PNG, 1920×1080.
    pub background: Option<String>,
    /// PNG, square: the page's icon in the browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub favicon: Option<String>,
    /// Versions of the pictures above in several widths, the original last, by the name of the original.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub renditions: BTreeMap<String, Vec<Rendition>>,
    /// Values of the page's CSS variables in light surroundings.
    pub colors: Palette,
    /// Values in dark surroundings; the others are derived.
    #[serde(default, skip_serializing_if = "Palette::is_empty")]
    pub dark_colors: Palette,
    /// Theme of a page whose address names none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub theme: Theme,
    /// Font of the page.
    #[serde(default, skip_serializing_if = "is_default")]
    pub font: Font,
    /// Spacing of the page.
    #[serde(default, skip_serializing_if = "is_default")]
    pub density: Density,
    /// Radius of a field's corners in CSS pixels; the stylesheet's own where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub radius: Option<u8>,
    /// Whether the header has no Mastercard mark.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hides_mastercard: bool,
}

/// Version of a picture in one width, made when the client file was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// Hexadecimal SHA-256 of its content.
    pub hash: String,
    /// In pixels.
    pub width: u32,
}

impl Look {
    /// Returns the hashes of all pictures and of their versions, some of them twice.
    pub fn pictures(&self) -> impl Iterator<Item = &str> {
        let originals = [&self.logo, &self.logo_dark, &self.background, &self.favicon];
        let smaller = self.renditions.values().flatten();
        originals
            .into_iter()
            .flatten()
            .map(String::as_str)
            .chain(smaller.map(|rendition| rendition.hash.as_str()))
    }

    /// Returns the versions of a picture, the smallest first and the original last; none where it comes in one width only.
    pub fn renditions_of(&self, original: &str) -> &[Rendition] {
        self.renditions.get(original).map_or(&[], Vec::as_slice)
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Value that is none of a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be {0}")]
pub struct NotListedError(&'static str);

/// Closed list of words of a client file or an address.
macro_rules! closed_list {
    ($(#[$documentation:meta])* $name:ident, $words:literal { $($(#[$of_variant:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum $name {
            $($(#[$of_variant])* $variant),+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the word of the client file.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl FromStr for $name {
            type Err = NotListedError;

            fn from_str(text: &str) -> Result<Self, NotListedError> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(NotListedError($words)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

closed_list! {
    /// Surroundings that a page suits.
    Theme, "auto, light or dark" {
        /// Those of the device.
        #[default]
        Auto = "auto",
        /// Light ones.
        Light = "light",
        /// Dark ones.
        Dark = "dark",
    }
}

closed_list! {
    /// Whether a page brings its own frame. Only its address says so.
    Frame, "card or plain" {
        /// A sheet with logo and background.
        #[default]
        Card = "card",
        /// Transparent, without sheet, logo and background, for use inside a frame.
        Plain = "plain",
    }
}

closed_list! {
    /// Spacing of a page.
    Density, "comfortable or compact" {
        /// Room around fields and buttons.
        #[default]
        Comfortable = "comfortable",
        /// Less of it.
        Compact = "compact",
    }
}

closed_list! {
    /// Font of a page: fonts that devices have, in stacks. The page loads none.
    Font, "system, humanist, geometric, grotesque, rounded, serif or mono" {
        /// The device's own.
        #[default]
        System = "system",
        /// Like Seravek, Gill Sans or Calibri.
        Humanist = "humanist",
        /// Like Avenir or Montserrat.
        Geometric = "geometric",
        /// Like Helvetica or Arial.
        Grotesque = "grotesque",
        /// With round ends.
        Rounded = "rounded",
        /// Like Charter or Cambria.
        Serif = "serif",
        /// Of fixed width.
        Mono = "mono",
    }
}

impl Font {
    /// Returns the value of the CSS property `font-family`.
    pub fn stack(self) -> &'static str {
        match self {
            Self::System => r#"system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif"#,
            Self::Humanist => r#"Seravek,"Gill Sans Nova",Ubuntu,Calibri,"DejaVu Sans",system-ui,sans-serif"#,
            Self::Geometric => r#"Avenir,Montserrat,Corbel,"URW Gothic",system-ui,sans-serif"#,
            Self::Grotesque => r#""Helvetica Neue","Arial Nova","Nimbus Sans",Arial,Roboto,sans-serif"#,
            Self::Rounded => {
                r#"ui-rounded,"Hiragino Maru Gothic ProN",Quicksand,Nunito,"Arial Rounded MT Bold",system-ui,sans-serif"#
            }
            Self::Serif => r#"Charter,"Bitstream Charter","Sitka Text",Cambria,Georgia,"Noto Serif",serif"#,
            Self::Mono => {
                r#"ui-monospace,"Cascadia Code","SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace"#
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_word_is_read_and_written() {
        for theme in Theme::ALL {
            assert_eq!(theme.as_str().parse(), Ok(*theme));
            assert_eq!(serde_json::to_value(theme).unwrap(), theme.as_str());
        }
        for font in Font::ALL {
            assert_eq!(font.as_str().parse(), Ok(*font));
            assert_eq!(serde_json::to_value(font).unwrap(), font.as_str());
            // Nothing in it can end a declaration.
            assert!(!font.stack().contains([';', '}', '<', '\\']), "{font}");
        }
        for density in Density::ALL {
            assert_eq!(density.as_str().parse(), Ok(*density));
        }
        for word in ["", "Dark", "auto ", "inherit", "light;"] {
            assert_eq!(word.parse::<Theme>(), Err(NotListedError("auto, light or dark")));
            assert!(word.parse::<Font>().is_err() && word.parse::<Frame>().is_err());
        }
    }

    #[test]
    fn stored_look_of_an_earlier_build_is_read() {
        let read: Look =
            serde_json::from_str(r##"{"logo":"ab","background":null,"colors":{"accent":"#cf4500"}}"##)
                .unwrap();
        assert_eq!(read.pictures().collect::<Vec<_>>(), ["ab"]);
        assert_eq!((read.theme, read.radius), (Theme::Auto, None));
        let written = serde_json::to_string(&read).unwrap();
        assert_eq!(
            written,
            r##"{"logo":"ab","background":null,"colors":{"accent":"#cf4500"}}"##
        );
    }

    #[test]
    fn smaller_versions_are_pictures_too() {
        let rendition = Rendition {
            hash: "cd".into(),
            width: 140,
        };
        let look = Look {
            logo: Some("ab".into()),
            renditions: BTreeMap::from([("ab".into(), vec![rendition.clone()])]),
            ..Look::default()
        };
        assert_eq!(look.pictures().collect::<Vec<_>>(), ["ab", "cd"]);
        assert_eq!(look.renditions_of("ab"), [rendition]);
        assert_eq!(look.renditions_of("cd"), []);
    }
}
