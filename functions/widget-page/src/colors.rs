//! A client's colors, as values of the stylesheet's `--enroll-…` variables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use enrollment::client::file::COLORS;
use enrollment::client::palette::{Color, ColorError, fixes_scheme};

/// Not a color that a client may set, or not a name of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The value.
    #[error(transparent)]
    Value(#[from] ColorError),
    /// The name.
    #[error("the page has no color of this name")]
    Name,
}

/// What of its palette a client sets; the stylesheet has the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Colors(Vec<(&'static str, Color)>);

impl Colors {
    /// A client's colors by their short name (`accent`). Where the accent comes without a color for the text on it,
    /// that is white, or dark if white could not be read.
    ///
    /// # Errors
    /// On the first name or value that is not one; `enrollctl client apply` has refused it before.
    pub fn new(colors: &BTreeMap<String, String>) -> Result<Self, Unusable> {
        let mut set = Vec::with_capacity(colors.len() + 1);
        for (name, value) in colors {
            let name = COLORS
                .into_iter()
                .find(|known| known == name)
                .ok_or(Unusable::Name)?;
            set.push((name, Color::parse(value)?));
        }
        let of = |wanted| {
            set.iter()
                .find_map(|&(name, color)| (name == wanted).then_some(color))
        };
        if let (Some(accent), None) = (of("accent"), of("accent-text")) {
            set.push(("accent-text", accent.readable_text()));
        }
        Ok(Self(set))
    }

    /// Whether the page keeps to this palette in dark surroundings too. With nothing but an accent it does not: the
    /// stylesheet's dark palette goes with any accent.
    pub fn fixes_scheme(&self) -> bool {
        fixes_scheme(self.0.iter().map(|(name, _)| *name))
    }

    /// A rule for the page's `<style>`; nothing where no color is set.
    pub fn style(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        // Stronger than the stylesheet's `:root:not([data-scheme="fixed"])`.
        let mut rule = String::from(":root:root:root{");
        for (name, Color { red, green, blue }) in &self.0 {
            // Writing to a string cannot fail.
            let _ = write!(rule, "--enroll-{name}:#{red:02x}{green:02x}{blue:02x};");
        }
        rule.push('}');
        Some(rule)
    }
}

#[cfg(test)]
mod tests {
    use enrollment::client::palette::{DARK, LIGHT};

    use super::*;

    fn colors(set: &[(&str, &str)]) -> Result<Colors, Unusable> {
        Colors::new(
            &set.iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    #[test]
    fn nothing_but_a_color_gets_into_the_stylesheet() {
        for value in ["red", "#ffff", "#fff}*{display:none", "url(//evil)"] {
            assert_eq!(
                colors(&[("text", value)]),
                Err(Unusable::Value(ColorError)),
                "{value}"
            );
        }
    }

    #[test]
    fn a_name_that_the_stylesheet_lacks_is_refused() {
        assert_eq!(colors(&[("accent}", "#fff")]), Err(Unusable::Name));
    }

    #[test]
    fn the_text_on_the_accent_can_be_read() {
        let style = |accent| colors(&[("accent", accent)]).unwrap().style().unwrap();
        assert_eq!(
            style("#cf4500"),
            ":root:root:root{--enroll-accent:#cf4500;--enroll-accent-text:#ffffff;}"
        );
        assert_eq!(
            style("#ffd400"),
            ":root:root:root{--enroll-accent:#ffd400;--enroll-accent-text:#14181f;}"
        );
    }

    #[test]
    fn a_client_s_own_text_on_the_accent_is_kept() {
        let style = colors(&[("accent", "#ffd400"), ("accent-text", "#333")])
            .unwrap()
            .style()
            .unwrap();
        assert_eq!(
            style,
            ":root:root:root{--enroll-accent:#ffd400;--enroll-accent-text:#333333;}"
        );
    }

    #[test]
    fn an_accent_goes_with_the_dark_palette_and_a_palette_does_not() {
        assert!(!colors(&[("accent", "#cf4500")]).unwrap().fixes_scheme());
        assert!(
            colors(&[("accent", "#cf4500"), ("surface", "#fff")])
                .unwrap()
                .fixes_scheme()
        );
    }

    #[test]
    fn without_colors_there_is_no_style() {
        assert_eq!(Colors::default().style(), None);
    }

    /// What `enrollctl client apply` computes contrasts with.
    #[test]
    fn contrast_is_checked_with_the_palettes_of_the_stylesheet() {
        let css = std::str::from_utf8(crate::parts::STYLE.bytes).unwrap();
        let values = |name: &str| -> Vec<Color> {
            css.split(&format!("--enroll-{name}:"))
                .skip(1)
                .filter_map(|rest| rest.split([';', '}']).next())
                .map(|value| Color::parse(value.trim()).unwrap())
                .collect()
        };
        for (light, dark) in LIGHT.iter().zip(&DARK) {
            assert_eq!(values(light.0), [light.1, dark.1], "{}", light.0);
        }
        assert_eq!(LIGHT.map(|(name, _)| name), COLORS);
        assert_eq!(DARK.map(|(name, _)| name), COLORS);
    }
}
