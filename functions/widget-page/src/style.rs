//! A client's look, as values of the stylesheet's `--enroll-…` variables.

use std::fmt::Write as _;

use enrollment::client::palette::{COLORS, CompletePalette, DARK, LIGHT, Palettes};
use enrollment::client::{Density, Font, Look, Theme};

/// Stronger than the stylesheet's own rules for a theme.
const SELECTOR: &str = ":root:root:root";

/// Content of a page's `<style>`: what differs from the stylesheet, in the theme that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageStyle {
    css: String,
    has_one_palette: bool,
}

impl PageStyle {
    /// Style of a look. A page for light or for dark surroundings has the one palette; else the browser chooses.
    pub fn of(look: &Look, theme: Theme) -> Self {
        let palettes = Palettes::of(&look.colors, &look.dark_colors);
        let light = differing(&palettes.light, &LIGHT, &[]);
        // Whatever the rule for light surroundings sets would be there in dark ones too.
        let overridden: &[_] = if theme == Theme::Auto { &light } else { &[] };
        let dark = differing(&palettes.dark, &DARK, overridden);
        let mut general = settings(look);
        general.push_str(&declarations(if theme == Theme::Dark { &dark } else { &light }));
        let mut css = String::new();
        if !general.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(css, "{SELECTOR}{{{general}}}");
        }
        if theme == Theme::Auto && !dark.is_empty() {
            let dark = declarations(&dark);
            let _ = write!(css, "@media (prefers-color-scheme:dark){{{SELECTOR}{{{dark}}}}}");
        }
        Self {
            css,
            has_one_palette: palettes.light == palettes.dark,
        }
    }

    /// Returns the content; nothing where the stylesheet says all.
    pub fn css(&self) -> Option<&str> {
        Some(self.css.as_str()).filter(|css| !css.is_empty())
    }

    /// Whether the colors are the same in light and in dark surroundings.
    pub fn has_one_palette(&self) -> bool {
        self.has_one_palette
    }
}

/// A variable of a color and its value.
type Variable = (&'static str, String);

/// Colors that differ from the stylesheet's, and those that another rule sets.
fn differing(
    palette: &CompletePalette,
    own: &[(&str, enrollment::client::Color); COLORS.len()],
    overridden: &[Variable],
) -> Vec<Variable> {
    palette
        .iter()
        .zip(own)
        .filter(|((name, color), (_, own))| {
            color != own || overridden.iter().any(|(overridden, _)| overridden == name)
        })
        .map(|((name, color), _)| (name, color.to_string()))
        .collect()
}

fn declarations(variables: &[Variable]) -> String {
    variables.iter().fold(String::new(), |mut css, (name, value)| {
        let _ = write!(css, "--enroll-{name}:{value};");
        css
    })
}

/// Settings beside the colors, of closed lists each.
fn settings(look: &Look) -> String {
    let mut css = String::new();
    if look.font != Font::System {
        let _ = write!(css, "--enroll-font:{};", look.font.stack());
    }
    if let Some(radius) = look.radius {
        let _ = write!(css, "--enroll-radius:{radius}px;");
    }
    if look.density == Density::Compact {
        // Targets stay above 44 CSS pixels (WCAG 2.2 asks for 24).
        css.push_str("--enroll-control:2.75rem;--enroll-gap:.75rem;");
    }
    css
}

#[cfg(test)]
mod tests {
    use enrollment::client::palette::{Color, Palette};

    use super::*;

    fn palette(set: &[(&str, &str)]) -> Palette {
        Palette::parse(set.iter().copied()).unwrap()
    }

    fn style(look: &Look, theme: Theme) -> String {
        PageStyle::of(look, theme).css().unwrap_or_default().to_owned()
    }

    fn with_colors(set: &[(&str, &str)]) -> Look {
        Look {
            colors: palette(set),
            ..Look::default()
        }
    }

    #[test]
    fn empty_look_has_no_style() {
        for theme in Theme::ALL {
            assert_eq!(PageStyle::of(&Look::default(), *theme).css(), None);
        }
    }

    #[test]
    fn accent_comes_with_readable_text_in_both_schemes() {
        let look = with_colors(&[("accent", "#ffd400")]);
        assert_eq!(
            style(&look, Theme::Auto),
            ":root:root:root{--enroll-accent:#ffd400;--enroll-accent-text:#14181f;}\
             @media (prefers-color-scheme:dark){:root:root:root{--enroll-accent:#ffd400;--enroll-accent-text:#14181f;}}"
        );
        let both = ":root:root:root{--enroll-accent:#ffd400;--enroll-accent-text:#14181f;}";
        assert_eq!(style(&look, Theme::Light), both);
        assert_eq!(style(&look, Theme::Dark), both);
    }

    #[test]
    fn dark_accent_is_lightened_in_the_dark_only() {
        let look = with_colors(&[("accent", "#104756"), ("accent-text", "#fff")]);
        assert_eq!(
            style(&look, Theme::Light),
            ":root:root:root{--enroll-accent:#104756;}",
            "the text is the stylesheet's own"
        );
        let dark = style(&look, Theme::Dark);
        assert!(
            dark.contains("--enroll-accent:#") && !dark.contains("#104756"),
            "{dark}"
        );
        let auto = style(&look, Theme::Auto);
        assert!(
            auto.starts_with(":root:root:root{--enroll-accent:#104756;}@media"),
            "{auto}"
        );
    }

    #[test]
    fn rule_for_the_dark_overrides_all_of_the_light_one() {
        // Error in light surroundings is that of the stylesheet in dark ones.
        let own_dark = DARK[7].1.to_string();
        let look = Look {
            colors: palette(&[("error", "#a00")]),
            dark_colors: palette(&[("error", &own_dark)]),
            ..Look::default()
        };
        let auto = style(&look, Theme::Auto);
        assert!(
            auto.ends_with(&format!("{{--enroll-error:{own_dark};}}}}")),
            "{auto}"
        );
    }

    #[test]
    fn other_settings_are_of_closed_lists() {
        let look = Look {
            font: Font::Mono,
            density: Density::Compact,
            radius: Some(0),
            ..Look::default()
        };
        let css = style(&look, Theme::Dark);
        assert_eq!(
            css,
            format!(
                ":root:root:root{{--enroll-font:{};--enroll-radius:0px;--enroll-control:2.75rem;--enroll-gap:.75rem;}}",
                Font::Mono.stack()
            )
        );
    }

    /// The palettes are derived and checked with these values.
    #[test]
    fn stylesheet_has_the_palettes_of_the_domain() {
        let css = std::str::from_utf8(crate::parts::STYLE.bytes).unwrap();
        let values = |name: &str| -> Vec<Color> {
            css.split(&format!("--enroll-{name}:"))
                .skip(1)
                .filter_map(|rest| rest.split([';', '}']).next())
                .map(|value| Color::parse(value.trim()).unwrap())
                .collect()
        };
        for (light, dark) in LIGHT.iter().zip(&DARK) {
            // Dark surroundings, and a page that is dark in any.
            assert_eq!(values(light.0), [light.1, dark.1, dark.1], "{}", light.0);
        }
        assert_eq!(LIGHT.map(|(name, _)| name), COLORS);
        assert_eq!(DARK.map(|(name, _)| name), COLORS);
    }
}
