//! A client's colors, as values of the stylesheet's `--enroll-…` variables.

use std::fmt::Write as _;

use enrollment::client::palette::{Color, Palette};

/// Colors of a page: what the client sets, and a readable text on its accent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Colors {
    set: Vec<(&'static str, Color)>,
    fixes_scheme: bool,
}

impl Colors {
    /// Takes a client's colors. Where the accent comes without a color for the text on it, that is white, or dark if white
    /// could not be read.
    pub fn of(palette: &Palette) -> Self {
        let mut set: Vec<_> = palette
            .iter()
            .map(|(name, color)| (name.as_str(), color))
            .collect();
        if let (Some(accent), None) = (palette.color("accent"), palette.color("accent-text")) {
            set.push(("accent-text", accent.readable_text()));
        }
        Self {
            set,
            fixes_scheme: palette.fixes_scheme(),
        }
    }

    /// Whether the page keeps to these colors in dark surroundings too ([`Palette::fixes_scheme`]).
    pub fn fixes_scheme(&self) -> bool {
        self.fixes_scheme
    }

    /// A rule for the page's `<style>`; nothing where no color is set.
    pub fn style(&self) -> Option<String> {
        if self.set.is_empty() {
            return None;
        }
        // Stronger than the stylesheet's `:root:not([data-scheme="fixed"])`.
        let mut rule = String::from(":root:root:root{");
        for (name, color) in &self.set {
            // Writing to a string cannot fail.
            let _ = write!(rule, "--enroll-{name}:{color};");
        }
        rule.push('}');
        Some(rule)
    }
}

#[cfg(test)]
mod tests {
    use enrollment::client::palette::{COLORS, ColorError, DARK, LIGHT, PaletteError};

    use super::*;

    fn colors(set: &[(&str, &str)]) -> Result<Colors, PaletteError> {
        Palette::parse(set.iter().copied()).map(|palette| Colors::of(&palette))
    }

    #[test]
    fn other_value_is_refused() {
        for value in ["red", "#ffff", "#fff}*{display:none", "url(//evil)"] {
            assert_eq!(
                colors(&[("text", value)]),
                Err(PaletteError::Value(ColorError)),
                "{value}"
            );
        }
    }

    #[test]
    fn unknown_name_is_refused() {
        assert_eq!(colors(&[("accent}", "#fff")]), Err(PaletteError::Name));
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
    fn own_accent_text_is_kept() {
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
    fn accent_alone_keeps_the_dark_palette() {
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

    /// `enrollctl client apply` computes contrasts with these palettes.
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
