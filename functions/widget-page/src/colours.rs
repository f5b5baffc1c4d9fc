//! A client's colours, as values of the stylesheet's `--enrol-…` variables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use enrollment::client::file::COLOURS;
use enrollment::client::palette::{Colour, ColourError, fixes_scheme};

/// Not a colour that a client may set, or not a name of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// The value.
    #[error(transparent)]
    Value(#[from] ColourError),
    /// The name.
    #[error("the page has no colour of this name")]
    Name,
}

/// What of its palette a client sets; the stylesheet has the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Colours(Vec<(&'static str, Colour)>);

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
            set.push(("accent-text", accent.readable_text()));
        }
        Ok(Self(set))
    }

    /// Whether the page keeps to this palette in dark surroundings too. With nothing but an accent it does not: the
    /// stylesheet's dark palette goes with any accent.
    pub fn fixes_scheme(&self) -> bool {
        fixes_scheme(self.0.iter().map(|(name, _)| *name))
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
    use enrollment::client::palette::{DARK, LIGHT};

    use super::*;

    fn colours(set: &[(&str, &str)]) -> Result<Colours, Unusable> {
        Colours::new(
            &set.iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    #[test]
    fn nothing_but_a_colour_gets_into_the_stylesheet() {
        for value in ["red", "#ffff", "#fff}*{display:none", "url(//evil)"] {
            assert_eq!(
                colours(&[("text", value)]),
                Err(Unusable::Value(ColourError)),
                "{value}"
            );
        }
    }

    #[test]
    fn a_name_that_the_stylesheet_lacks_is_refused() {
        assert_eq!(colours(&[("accent}", "#fff")]), Err(Unusable::Name));
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

    /// What `enrollctl client apply` computes contrasts with.
    #[test]
    fn contrast_is_checked_with_the_palettes_of_the_stylesheet() {
        let css = std::str::from_utf8(crate::parts::STYLE.bytes).unwrap();
        let values = |name: &str| -> Vec<Colour> {
            css.split(&format!("--enrol-{name}:"))
                .skip(1)
                .filter_map(|rest| rest.split([';', '}']).next())
                .map(|value| Colour::parse(value.trim()).unwrap())
                .collect()
        };
        for (light, dark) in LIGHT.iter().zip(&DARK) {
            assert_eq!(values(light.0), [light.1, dark.1], "{}", light.0);
        }
        assert_eq!(LIGHT.map(|(name, _)| name), COLOURS);
        assert_eq!(DARK.map(|(name, _)| name), COLOURS);
    }
}
