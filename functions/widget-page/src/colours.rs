//! A client's colours, as values of the stylesheet's `--enrol-…` variables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use enrollment::client::file::COLOURS;

/// A colour of a strict syntax: `#rgb` or `#rrggbb`. Nothing else is ever written into the page's stylesheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    red: u8,
    green: u8,
    blue: u8,
}

/// Not a colour that a client may set, or not a name of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The value.
    #[error("a colour is written #rgb or #rrggbb")]
    Value,
    /// The name.
    #[error("the page has no colour of this name")]
    Name,
}

/// What of its palette a client sets; the stylesheet has the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Colours(Vec<(&'static str, Colour)>);

impl Colour {
    /// White.
    pub const WHITE: Self = Self {
        red: 255,
        green: 255,
        blue: 255,
    };
    /// The stylesheet's own text colour.
    pub const INK: Self = Self {
        red: 0x14,
        green: 0x18,
        blue: 0x1f,
    };

    /// # Errors
    /// On everything but `#` and three or six hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        let digits = text.strip_prefix('#').ok_or(Unusable::Value)?;
        let channel = |at: usize| {
            let (from, to, factor) = if digits.len() == 3 {
                (at, at + 1, 17)
            } else {
                (2 * at, 2 * at + 2, 1)
            };
            u8::from_str_radix(&digits[from..to], 16)
                .map(|value| value * factor)
                .map_err(|_| Unusable::Value)
        };
        if !matches!(digits.len(), 3 | 6) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Unusable::Value);
        }
        Ok(Self {
            red: channel(0)?,
            green: channel(1)?,
            blue: channel(2)?,
        })
    }

    /// WCAG 2.2, "contrast ratio": 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
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

impl Colours {
    /// A client's colours by their short name (`accent`). Where the accent comes without a colour for the text on it,
    /// that is white, or dark if white could not be read.
    ///
    /// # Errors
    /// On the first name or value that is not one; `enrollctl client apply` has refused it before.
    pub fn new(colours: &BTreeMap<String, String>) -> Result<Self, Unusable> {
        let mut set = Vec::with_capacity(colours.len() + 1);
        for (name, value) in colours {
            let name = COLOURS
                .into_iter()
                .find(|known| known == name)
                .ok_or(Unusable::Name)?;
            set.push((name, Colour::parse(value)?));
        }
        let of = |wanted| {
            set.iter()
                .find_map(|&(name, colour)| (name == wanted).then_some(colour))
        };
        if let (Some(accent), None) = (of("accent"), of("accent-text")) {
            // WCAG 2.2, success criterion 1.4.3.
            let readable = accent.contrast(Colour::WHITE) >= 4.5;
            set.push(("accent-text", if readable { Colour::WHITE } else { Colour::INK }));
        }
        Ok(Self(set))
    }

    /// Whether the page keeps to this palette in dark surroundings too. With nothing but an accent it does not: the
    /// stylesheet's dark palette goes with any accent.
    pub fn fixes_scheme(&self) -> bool {
        self.0.iter().any(|(name, _)| !name.starts_with("accent"))
    }

    /// A rule for the page's `<style>`; nothing where no colour is set.
    pub fn style(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        // Stronger than the stylesheet's `:root:not([data-scheme="fixed"])`.
        let mut rule = String::from(":root:root:root{");
        for (name, Colour { red, green, blue }) in &self.0 {
            // Writing to a string cannot fail.
            let _ = write!(rule, "--enrol-{name}:#{red:02x}{green:02x}{blue:02x};");
        }
        rule.push('}');
        Some(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colours(set: &[(&str, &str)]) -> Result<Colours, Unusable> {
        Colours::new(
            &set.iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    #[test]
    fn three_and_six_digits_are_the_same_colour() {
        assert_eq!(Colour::parse("#fA0"), Colour::parse("#ffaa00"));
    }

    #[test]
    fn nothing_but_a_colour_gets_into_the_stylesheet() {
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
            assert_eq!(Colour::parse(value), Err(Unusable::Value), "{value}");
        }
    }

    #[test]
    fn a_name_that_the_stylesheet_lacks_is_refused() {
        assert_eq!(colours(&[("accent}", "#fff")]), Err(Unusable::Name));
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((Colour::WHITE.contrast(Colour::parse("#000").unwrap()) - 21.0).abs() < 1e-9);
        assert!((Colour::parse("#767676").unwrap().contrast(Colour::WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn the_text_on_the_accent_can_be_read() {
        let style = |accent| colours(&[("accent", accent)]).unwrap().style().unwrap();
        assert_eq!(
            style("#cf4500"),
            ":root:root:root{--enrol-accent:#cf4500;--enrol-accent-text:#ffffff;}"
        );
        assert_eq!(
            style("#ffd400"),
            ":root:root:root{--enrol-accent:#ffd400;--enrol-accent-text:#14181f;}"
        );
    }

    #[test]
    fn a_client_s_own_text_on_the_accent_is_kept() {
        let style = colours(&[("accent", "#ffd400"), ("accent-text", "#333")])
            .unwrap()
            .style()
            .unwrap();
        assert_eq!(
            style,
            ":root:root:root{--enrol-accent:#ffd400;--enrol-accent-text:#333333;}"
        );
    }

    #[test]
    fn an_accent_goes_with_the_dark_palette_and_a_palette_does_not() {
        assert!(!colours(&[("accent", "#cf4500")]).unwrap().fixes_scheme());
        assert!(
            colours(&[("accent", "#cf4500"), ("surface", "#fff")])
                .unwrap()
                .fixes_scheme()
        );
    }

    #[test]
    fn without_colours_there_is_no_style() {
        assert_eq!(Colours::default().style(), None);
    }

    #[test]
    fn the_stylesheet_has_every_colour() {
        let css = std::str::from_utf8(crate::parts::STYLE.bytes).unwrap();
        for name in COLOURS {
            assert!(css.contains(&format!("--enrol-{name}:")), "{name}");
        }
    }
}
