//! Section `[look]` of a client file, and the looks of cards.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::FileReader;
use crate::client::look::{MAX_RADIUS, NotListedError};
use crate::client::palette::{Color, ColorName, Palette, Palettes, Scheme};
use crate::client::pictures::{self, Picture, renditions};
use crate::client::{BinRange, Design, Look, Rendition};

/// Widths of a logo that is shown 131 CSS pixels wide at the most, on screens of one to three pixels for each.
const LOGO_WIDTHS: [u32; 3] = [140, 280, 420];

/// Widths of a background beside its own.
const BACKGROUND_WIDTHS: [u32; 2] = [640, 1280];

/// Width of a card in a list, on screens of several pixels for each CSS pixel.
const CARD_WIDTH: u32 = 240;

/// Side of the page's icon.
const FAVICON_SIDE: u32 = 96;

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WrittenLook {
    logo: Option<String>,
    logo_dark: Option<String>,
    background: Option<String>,
    favicon: Option<String>,
    theme: Option<String>,
    font: Option<String>,
    density: Option<String>,
    radius: Option<i64>,
    mastercard_mark: Option<bool>,
    colors: BTreeMap<String, String>,
    dark_colors: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenDesign {
    picture: Option<String>,
    color: Option<String>,
}

impl FileReader<'_> {
    pub(super) fn look(&mut self, written: &WrittenLook) -> Look {
        let colors = self.palette("look.colors", &written.colors);
        let dark_colors = self.palette("look.dark_colors", &written.dark_colors);
        self.check_contrast(&colors, &dark_colors);
        let radius = written.radius.and_then(|radius| {
            let radius = u8::try_from(radius).ok().filter(|radius| *radius <= MAX_RADIUS);
            if radius.is_none() {
                self.fault("look.radius", &format!("must be 0 to {MAX_RADIUS}, in pixels"));
            }
            radius
        });
        let mut look = Look {
            colors,
            dark_colors,
            radius,
            theme: self.listed("look.theme", written.theme.as_deref()),
            font: self.listed("look.font", written.font.as_deref()),
            density: self.listed("look.density", written.density.as_deref()),
            hides_mastercard: written.mastercard_mark == Some(false),
            ..Look::default()
        };
        look.logo = self.picture("look.logo", Picture::Logo, written.logo.as_deref(), &mut look);
        look.logo_dark = self.picture(
            "look.logo_dark",
            Picture::Logo,
            written.logo_dark.as_deref(),
            &mut look,
        );
        look.background = self.picture(
            "look.background",
            Picture::Background,
            written.background.as_deref(),
            &mut look,
        );
        look.favicon = self.favicon(written.favicon.as_deref(), look.logo.as_deref());
        look
    }

    /// A picture with its smaller versions.
    fn picture(
        &mut self,
        place: &str,
        picture: Picture,
        file: Option<&str>,
        look: &mut Look,
    ) -> Option<String> {
        let bytes = self.checked(place, picture, file?)?;
        let widths: &[u32] = match picture {
            Picture::Background => &BACKGROUND_WIDTHS,
            _ => &LOGO_WIDTHS,
        };
        let mut versions = self.smaller(place, &bytes, widths);
        let width = self.take(place, renditions::width(&bytes))?;
        let name = self.keep(bytes);
        if !versions.is_empty() {
            versions.push(Rendition {
                hash: name.clone(),
                width,
            });
            look.renditions.insert(name.clone(), versions);
        }
        Some(name)
    }

    /// The client's own icon, or its logo within a square.
    fn favicon(&mut self, file: Option<&str>, logo: Option<&str>) -> Option<String> {
        const PLACE: &str = "look.favicon";
        if let Some(file) = file {
            let bytes = self.checked(PLACE, Picture::Favicon, file)?;
            return Some(self.smallest(PLACE, bytes, FAVICON_SIDE));
        }
        let logo = self.pictures.get(logo?)?;
        match renditions::within_square(logo, FAVICON_SIDE) {
            Ok(icon) => Some(self.keep(icon)),
            Err(error) => {
                self.fault("look.logo", &error.to_string());
                None
            }
        }
    }

    pub(super) fn designs(
        &mut self,
        place: &str,
        written: &BTreeMap<String, WrittenDesign>,
        ranges: &[BinRange],
    ) -> BTreeMap<String, Design> {
        let mut designs = BTreeMap::new();
        for (code, design) in written {
            let place = format!("{place}.designs.{code}");
            if !ranges
                .iter()
                .any(|range| range.design_code.as_ref() == Some(code))
            {
                self.fault(&place, "is a design code that no BIN range has");
            }
            let design = match (&design.picture, &design.color) {
                (Some(file), None) => self
                    .checked(&place, Picture::CardArt, file)
                    .map(|bytes| Design::Picture(self.smallest(&place, bytes, CARD_WIDTH))),
                (None, Some(color)) => self.color(&place, color).map(Design::Color),
                _ => {
                    self.fault(&place, "needs either 'picture' or 'color'");
                    None
                }
            };
            designs.extend(design.map(|design| (code.clone(), design)));
        }
        designs
    }

    fn palette(&mut self, place: &str, written: &BTreeMap<String, String>) -> Palette {
        let mut colors = Palette::default();
        for (name, value) in written {
            let place = format!("{place}.{name}");
            let name = self.take(&place, ColorName::parse(name));
            let color = self.color(&place, value);
            if let (Some(name), Some(color)) = (name, color) {
                colors.set(name, color);
            }
        }
        colors
    }

    fn color(&mut self, place: &str, value: &str) -> Option<Color> {
        let color = Color::parse(value).ok();
        if color.is_none() {
            self.fault(place, "must be a color like #cf4500");
        }
        color
    }

    /// The page conforms to WCAG 2.2 AA: a palette that would break that is refused.
    fn check_contrast(&mut self, colors: &Palette, dark_colors: &Palette) {
        let place = |scheme| match scheme {
            Scheme::Light => "look.colors",
            Scheme::Dark => "look.dark_colors",
        };
        let palettes = Palettes::of(colors, dark_colors);
        for pair in palettes.low_contrast_pairs() {
            self.fault(place(pair.scheme), &pair.to_string());
        }
        for pair in palettes.faint_accents() {
            let message = format!(
                "'accent' on 'surface' has a contrast of {:.1}: the edge of the button is hard to see below 3",
                pair.contrast
            );
            self.warn(place(pair.scheme), &message);
        }
    }

    /// A word of a closed list; the default where it is missing or wrong.
    fn listed<T: FromStr<Err = NotListedError> + Default>(&mut self, place: &str, word: Option<&str>) -> T {
        word.and_then(|word| self.take(place, word.parse()))
            .unwrap_or_default()
    }

    fn checked(&mut self, place: &str, picture: Picture, file: &str) -> Option<Vec<u8>> {
        let bytes = self.content(place, file)?;
        self.take(place, pictures::check(picture, &bytes))?;
        Some(bytes)
    }

    /// Keeps a picture under the hash of its content, and returns that.
    fn keep(&mut self, bytes: Vec<u8>) -> String {
        let name = hex::encode(Sha256::digest(&bytes));
        self.pictures.insert(name.clone(), bytes);
        name
    }

    /// Keeps smaller versions of a picture.
    fn smaller(&mut self, place: &str, bytes: &[u8], widths: &[u32]) -> Vec<Rendition> {
        let versions = self.take(place, renditions::in_widths(bytes, widths));
        versions
            .unwrap_or_default()
            .into_iter()
            .map(|(width, version)| Rendition {
                hash: self.keep(version),
                width,
            })
            .collect()
    }

    /// Keeps a picture in this width, or as it is where that is no smaller.
    fn smallest(&mut self, place: &str, bytes: Vec<u8>, width: u32) -> String {
        match self.smaller(place, &bytes, &[width]).pop() {
            Some(rendition) => rendition.hash,
            None => self.keep(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ClientSetup, read};
    use crate::client::{Density, Design, Font, Theme};
    use crate::testing::PUBLIC_KEY_PEM;

    const GOOD: &str = r##"
        id = "demo"
        slug = "demo"
        name = "Demo Bank"
        default_language = "en"
        [[keys]]
        id = "2026"
        file = "public.pem"
        [look]
        logo = "logo.png"
        theme = "dark"
        font = "serif"
        density = "compact"
        radius = 4
        mastercard_mark = false
        [look.colors]
        accent = "#cf4500"
        [[programs]]
        id = "10765"
        member_ica = 1234
        bank_product_code = "MRSDEMO"
        [programs.designs.Gold]
        color = "#c9a227"
        [programs.designs.Blue]
        picture = "card.png"
        [[programs.bin_ranges]]
        from = "523400"
        to = "523499"
        design_code = "Gold"
        [[programs.bin_ranges]]
        from = "541234"
        to = "541234"
        design_code = "Blue"
    "##;

    /// Opaque or not, with colors that no filter makes small.
    fn png(width: u32, height: u32, color: png::ColorType) -> Vec<u8> {
        let mut state = 1_u32;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        });
        let data: Vec<u8> = noise
            .take(width as usize * height as usize * color.samples())
            .collect();
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        encoder.write_header().unwrap().write_image_data(&data).unwrap();
        bytes
    }

    fn open(file: &str) -> std::io::Result<Vec<u8>> {
        match file {
            "public.pem" => Ok(PUBLIC_KEY_PEM.into()),
            "logo.png" => Ok(png(427, 183, png::ColorType::Rgba)),
            "small.png" => Ok(png(234, 100, png::ColorType::Rgba)),
            "icon.png" => Ok(png(128, 128, png::ColorType::Rgb)),
            "card.png" => Ok(png(254, 160, png::ColorType::Rgb)),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    }

    fn set_up(toml: &str) -> ClientSetup {
        read(toml, &open).unwrap()
    }

    fn faults(toml: &str) -> Vec<String> {
        let faults = read(toml, &open).err().unwrap_or_default();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn look_is_read_and_stored() {
        let client = set_up(GOOD).client;
        let look = &client.look;
        assert_eq!(
            (
                look.theme,
                look.font,
                look.density,
                look.radius,
                look.hides_mastercard
            ),
            (Theme::Dark, Font::Serif, Density::Compact, Some(4), true)
        );
        let stored = serde_json::to_string(&client).unwrap();
        assert_eq!(
            serde_json::from_str::<crate::client::Client>(&stored).unwrap(),
            client
        );
    }

    #[test]
    fn pictures_come_in_widths_and_are_kept_once() {
        let setup = set_up(GOOD);
        let look = &setup.client.look;
        let logo = look.logo.as_deref().unwrap();
        let widths: Vec<u32> = look.renditions_of(logo).iter().map(|one| one.width).collect();
        assert_eq!(widths, [140, 280, 420, 427]);
        for hash in look.pictures() {
            assert!(setup.pictures.contains_key(hash) && setup.client.has_picture(hash));
        }
        // Logo, three widths, icon, card.
        assert_eq!(setup.pictures.len(), 6);
        assert_eq!(set_up(GOOD), setup, "the same file gives the same pictures");

        let small = set_up(&GOOD.replace("logo.png", "small.png")).client.look;
        let logo = small.logo.as_deref().unwrap();
        assert_eq!(
            small.renditions_of(logo).len(),
            2,
            "none is wider than the original"
        );
    }

    #[test]
    fn icon_is_the_own_one_or_made_of_the_logo() {
        let from_logo = set_up(GOOD).client.look.favicon.unwrap();
        let named = GOOD.replace("theme =", "favicon = \"icon.png\"\ntheme =");
        let own = set_up(&named);
        let icon = own.client.look.favicon.unwrap();
        assert_ne!(icon, from_logo);
        assert!(own.pictures[&icon].len() < png(128, 128, png::ColorType::Rgb).len());
        let without = set_up(&GOOD.replace("logo = \"logo.png\"", "")).client.look;
        assert_eq!((without.logo, without.favicon), (None, None));
        let wide = GOOD.replace("theme =", "favicon = \"logo.png\"\ntheme =");
        assert!(faults(&wide)[0].starts_with("look.favicon: is 427×183"));
    }

    #[test]
    fn design_has_a_picture_or_a_color() {
        let client = set_up(GOOD).client;
        let designs = &client.programs[0].designs;
        assert!(matches!(designs["Gold"], Design::Color(color) if color.to_string() == "#c9a227"));
        assert!(matches!(&designs["Blue"], Design::Picture(hash) if client.has_picture(hash)));
        assert!(!client.has_picture(&"0".repeat(64)));
        for (before, after, fault) in [
            (
                "designs.Gold",
                "designs.Silver",
                "programs[0].designs.Silver: is a design code that no",
            ),
            (
                "\"#c9a227\"",
                "\"gold\"",
                "programs[0].designs.Gold: must be a color",
            ),
            (
                "picture = \"card.png\"",
                "",
                "programs[0].designs.Blue: needs either",
            ),
            ("card.png", "icon.png", "programs[0].designs.Blue: is 128×128"),
        ] {
            let faults = faults(&GOOD.replace(before, after));
            assert!(faults.len() == 1 && faults[0].starts_with(fault), "{faults:?}");
        }
    }

    #[test]
    fn word_of_no_list_is_refused() {
        for (before, after, fault) in [
            ("\"dark\"", "\"night\"", "look.theme: must be auto, light or dark"),
            (
                "\"serif\"",
                "\"Comic Sans\"",
                "look.font: must be system, humanist",
            ),
            (
                "\"compact\"",
                "\"dense\"",
                "look.density: must be comfortable or compact",
            ),
            (
                "radius = 4",
                "radius = 25",
                "look.radius: must be 0 to 24, in pixels",
            ),
            (
                "radius = 4",
                "radius = -1",
                "look.radius: must be 0 to 24, in pixels",
            ),
        ] {
            let faults = faults(&GOOD.replace(before, after));
            assert!(faults.len() == 1 && faults[0].starts_with(fault), "{faults:?}");
        }
    }

    #[test]
    fn unreadable_colors_are_refused() {
        let colors = |lines: &str| GOOD.replace("accent = \"#cf4500\"", lines);
        assert_eq!(
            faults(&colors("accent = \"#ffd400\"\naccent-text = \"#fff\"")),
            [
                "look.colors: 'accent-text' on 'accent' has a contrast of 1.43 in light surroundings; WCAG 2.2 requires 4.5"
            ]
        );
        let dark = faults(&colors("[look.dark_colors]\nsurface = \"#ddd\""));
        assert!(
            dark[0].starts_with("look.dark_colors: 'text' on 'surface'"),
            "{dark:?}"
        );
        let faint = set_up(&colors("accent = \"#ffd400\"")).warnings;
        assert_eq!(faint[0].place, "look.colors");
        assert!(faint[0].message.contains("the edge of the button"), "{faint:?}");
        let clear = set_up(&colors("accent = \"#cf4500\"")).warnings;
        assert_eq!(clear, []);
    }
}
