//! Every color of a page, in light and in dark surroundings, and their contrast (WCAG 2.2).

use std::fmt;

use super::{COLORS, Color, Palette};

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

/// Contrast of the accent with the surface, in tenths. WCAG does not require it of a button with a text; a derived palette has
/// it, and a client is warned.
const ACCENT_ON_SURFACE: (&str, &str, u32) = ("accent", "surface", 30);

/// Surroundings of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Light surroundings.
    Light,
    /// Dark surroundings.
    Dark,
}

/// Two colors of a palette with too little contrast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LowContrast {
    /// Surroundings in which they meet.
    pub scheme: Scheme,
    /// Name of the foreground color.
    pub front: &'static str,
    /// Name of the background color.
    pub back: &'static str,
    /// Their contrast, 1 to 21.
    pub contrast: f64,
    /// Contrast that is needed.
    pub needed: f64,
}

/// Every color of a page in one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletePalette([Color; COLORS.len()]);

/// Every color of a page in both schemes: what the client sets, over a palette that is derived from it, over the stylesheet's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palettes {
    /// In light surroundings.
    pub light: CompletePalette,
    /// In dark surroundings.
    pub dark: CompletePalette,
}

impl CompletePalette {
    /// Returns a color; the name is one of [`COLORS`].
    pub fn color(&self, name: &str) -> Color {
        COLORS
            .iter()
            .zip(self.0)
            .find_map(|(known, color)| (*known == name).then_some(color))
            .unwrap_or(Color::INK)
    }

    /// Returns all colors by their names, in the order of [`COLORS`].
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Color)> {
        COLORS.into_iter().zip(self.0)
    }

    fn of(color: impl Fn(&'static str) -> Color) -> Self {
        Self(COLORS.map(color))
    }

    fn low_contrast_pairs(
        &self,
        scheme: Scheme,
        pairs: &[(&'static str, &'static str, u32)],
    ) -> impl Iterator<Item = LowContrast> {
        let pairs = pairs.iter().map(move |(front, back, tenths)| LowContrast {
            scheme,
            front,
            back,
            contrast: self.color(front).contrast(self.color(back)),
            needed: f64::from(*tenths) / 10.0,
        });
        pairs.filter(|pair| pair.contrast < pair.needed)
    }
}

impl Palettes {
    /// Completes a client's palettes.
    pub fn of(light: &Palette, dark: &Palette) -> Self {
        let complete = complete_light(light);
        let dark = derive_dark(light, &complete, dark);
        Self {
            light: complete,
            dark,
        }
    }

    /// Returns the pairs that are unreadable or hard to see (WCAG 2.2, success criteria 1.4.3 and 1.4.11).
    pub fn low_contrast_pairs(&self) -> Vec<LowContrast> {
        self.both(&PAIRS)
    }

    /// Returns the schemes in which the button's edge is hard to see. WCAG asks for its text alone.
    pub fn faint_accents(&self) -> Vec<LowContrast> {
        self.both(&[ACCENT_ON_SURFACE])
    }

    fn both(&self, pairs: &[(&'static str, &'static str, u32)]) -> Vec<LowContrast> {
        let light = self.light.low_contrast_pairs(Scheme::Light, pairs);
        light
            .chain(self.dark.low_contrast_pairs(Scheme::Dark, pairs))
            .collect()
    }
}

/// The client's colors over the stylesheet's, with a readable text on an accent that comes without one.
fn complete_light(set: &Palette) -> CompletePalette {
    CompletePalette::of(|name| {
        set.color(name)
            .or_else(|| readable_on_accent(name, set))
            .unwrap_or_else(|| own(&LIGHT, name))
    })
}

/// The client's dark colors; the others are derived from the light palette, until contrast holds with the darker surfaces. A
/// palette that is dark in light surroundings too stays as it is.
fn derive_dark(set: &Palette, light: &CompletePalette, dark: &Palette) -> CompletePalette {
    if dark.is_empty() && light.color("text").luminance() > light.color("surface").luminance() {
        return light.clone();
    }
    // A hint of the client's own paper.
    let paper = |name: &'static str| {
        dark.color(name).unwrap_or_else(|| match set.color(name) {
            Some(color) => own(&DARK, name).mixed(color, 5),
            None => own(&DARK, name),
        })
    };
    let (surface, background) = (paper("surface"), paper("background"));
    let lightened = |name: &'static str, needed: f64| {
        let start = set.color(name).unwrap_or_else(|| own(&DARK, name));
        let backs = [surface, background];
        dark.color(name)
            .unwrap_or_else(|| start.lightened(&backs, needed))
    };
    let accent = lightened("accent", 3.0);
    let accent_text = dark.color("accent-text").unwrap_or_else(|| {
        let kept = set
            .color("accent-text")
            .filter(|_| dark.color("accent").is_none());
        kept.filter(|text| text.contrast(accent) >= 4.5)
            .unwrap_or_else(|| match set.color("accent").or(dark.color("accent")) {
                Some(_) => accent.readable_text(),
                None => own(&DARK, "accent-text"),
            })
    });
    CompletePalette::of(|name| match name {
        "accent" => accent,
        "accent-text" => accent_text,
        "surface" => surface,
        "background" => background,
        // More than WCAG asks of a text: the stylesheet's own palette has as much.
        "text" => lightened(name, 12.0),
        "border" => lightened(name, 3.0),
        _ => lightened(name, 6.0),
    })
}

fn readable_on_accent(name: &str, set: &Palette) -> Option<Color> {
    let accent = set.color("accent").filter(|_| name == "accent-text");
    accent.map(Color::readable_text)
}

fn own(palette: &[(&str, Color); COLORS.len()], name: &str) -> Color {
    palette
        .iter()
        .find_map(|(known, color)| (*known == name).then_some(*color))
        .unwrap_or(Color::INK)
}

impl fmt::Display for LowContrast {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scheme,
            front,
            back,
            contrast,
            needed,
        } = self;
        let scheme = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        // Rounded down: 4.49 must not read as 4.5.
        let shown = (contrast * 100.0).floor() / 100.0;
        write!(
            formatter,
            "'{front}' on '{back}' has a contrast of {shown} in {scheme} surroundings; WCAG 2.2 requires {needed}"
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ColorName;
    use super::*;

    fn palette(set: &[(&str, &str)]) -> Palette {
        Palette::parse(set.iter().copied()).unwrap()
    }

    fn palettes(light: &[(&str, &str)], dark: &[(&str, &str)]) -> Palettes {
        Palettes::of(&palette(light), &palette(dark))
    }

    fn told(pairs: &[LowContrast]) -> Vec<String> {
        pairs
            .iter()
            .map(|pair| format!("{} on {}, {:?}", pair.front, pair.back, pair.scheme))
            .collect()
    }

    fn pairs(light: &[(&str, &str)]) -> Vec<String> {
        told(&palettes(light, &[]).low_contrast_pairs())
    }

    #[test]
    fn unreadable_pairs_are_found() {
        assert_eq!(pairs(&[]), Vec::<String>::new());
        assert_eq!(pairs(&[("accent", "#ffd400")]), Vec::<String>::new());
        assert_eq!(
            pairs(&[("accent", "#ffd400"), ("accent-text", "#fff")]),
            ["accent-text on accent, Light"]
        );
        assert_eq!(
            pairs(&[("text", "#ccc"), ("surface", "#fff")]),
            ["text on surface, Light", "text on background, Light"]
        );
        // The stylesheet's own text stays dark on it.
        assert_eq!(
            pairs(&[("surface", "#123")]),
            [
                "text on surface, Light",
                "muted on surface, Light",
                "error on surface, Light",
                "success on surface, Light",
            ]
        );
        assert_eq!(pairs(&[("border", "#eee")]), ["border on surface, Light"]);
        let dark = palettes(&[], &[("surface", "#eee"), ("muted", "#777")]);
        let found = told(&dark.low_contrast_pairs());
        assert!(found.contains(&"text on surface, Dark".to_owned()), "{found:?}");
    }

    #[test]
    fn dark_palette_is_the_own_one_without_colors() {
        let own = palettes(&[], &[]);
        assert!(own.light.iter().eq(LIGHT));
        assert!(own.dark.iter().eq(DARK));
    }

    #[test]
    fn accent_is_lightened_for_the_dark() {
        let demo = palettes(&[("accent", "#104756"), ("accent-text", "#ffffff")], &[]);
        let surface = demo.dark.color("surface");
        assert!(demo.light.color("accent").contrast(surface) < 1.7);
        let accent = demo.dark.color("accent");
        assert!((3.0..3.3).contains(&accent.contrast(surface)), "{accent}");
        let text = demo.dark.color("accent-text").contrast(accent);
        assert!((4.5..6.0).contains(&text), "{text}");
        // A light accent stays as it is.
        let bright = palettes(&[("accent", "#ffd400")], &[]).dark;
        assert_eq!(bright.color("accent").to_string(), "#ffd400");
        assert_eq!(bright.color("accent-text"), Color::INK);
    }

    #[test]
    fn given_dark_colors_are_kept() {
        let both = palettes(
            &[("accent", "#104756")],
            &[("accent", "#7fd1e8"), ("surface", "#102027")],
        );
        assert_eq!(both.dark.color("accent").to_string(), "#7fd1e8");
        assert_eq!(both.dark.color("surface").to_string(), "#102027");
        assert_eq!(both.light.color("accent").to_string(), "#104756");
        assert_eq!(both.low_contrast_pairs(), []);
    }

    #[test]
    fn palette_that_is_dark_stays_in_the_dark() {
        let night = [
            ("background", "#000"),
            ("surface", "#111"),
            ("text", "#fff"),
            ("muted", "#bbb"),
            ("border", "#888"),
            ("error", "#ff9a8f"),
            ("success", "#5fd394"),
        ];
        let both = palettes(&night, &[]);
        assert_eq!(both.light, both.dark);
        assert_eq!(both.low_contrast_pairs(), []);
    }

    #[test]
    fn faint_accent_is_told() {
        let yellow = palettes(&[("accent", "#ffd400")], &[]);
        assert_eq!(told(&yellow.faint_accents()), ["accent on surface, Light"]);
        assert_eq!(palettes(&[("accent", "#cf4500")], &[]).faint_accents(), []);
    }

    fn any_color() -> impl Strategy<Value = Color> {
        any::<[u8; 3]>().prop_map(|[red, green, blue]| Color::new(red, green, blue))
    }

    proptest! {
        #[test]
        fn any_accent_gives_readable_palettes(accent in any_color()) {
            let mut light = Palette::default();
            light.set(ColorName::parse("accent").unwrap(), accent);
            let both = Palettes::of(&light, &Palette::default());
            prop_assert_eq!(both.low_contrast_pairs(), []);
            let faint = both.faint_accents();
            prop_assert!(faint.iter().all(|pair| pair.scheme == Scheme::Light), "{:?}", faint);
        }

        #[test]
        fn readable_light_palette_gives_a_readable_dark_one(colors in proptest::array::uniform9(any_color())) {
            let mut light = Palette::default();
            for (name, color) in COLORS.iter().zip(colors) {
                light.set(ColorName::parse(name).unwrap(), color);
            }
            let found = Palettes::of(&light, &Palette::default()).low_contrast_pairs();
            let is_dark = |pair: &LowContrast| pair.scheme == Scheme::Dark;
            // A palette that is dark already stays as it is, with its faults.
            let stays = light.color("text").unwrap().luminance() > light.color("surface").unwrap().luminance();
            prop_assert!(stays || !found.iter().any(is_dark), "{:?}", found);
        }

        #[test]
        fn text_on_any_color_is_readable(color in any_color()) {
            prop_assert!(color.contrast(color.readable_text()) >= 4.5);
        }
    }

    #[test]
    fn contrast_is_not_rounded_up() {
        let told = palettes(&[("text", "#777")], &[]).low_contrast_pairs()[0].to_string();
        assert!(
            told.contains("4.47 in light surroundings; WCAG 2.2 requires 4.5"),
            "{told}"
        );
    }
}
