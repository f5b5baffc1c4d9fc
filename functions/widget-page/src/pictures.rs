//! Addresses of a client's pictures, as the page's markup needs them.

use std::fmt::Write as _;

use enrollment::client::Look;

/// Widest logo in the page, in CSS pixels.
pub const LOGO_SIZES: &str = "131px";

/// The background covers the page, whatever its shape.
pub const BACKDROP_SIZES: &str = "max(100vw,178vh)";

/// Picture with its smaller versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Address of the smallest version that is wide enough, or of the picture.
    pub src: String,
    /// Value of `srcset`; empty where there is one version only.
    pub srcset: String,
}

impl Image {
    /// Picture of a look. `folder` is the address of the client's pictures. A browser without `srcset` takes the version next to
    /// `fallback` pixels.
    pub fn of(look: &Look, hash: &str, folder: &str, fallback: u32) -> Self {
        let address = |hash: &str| format!("{folder}/{hash}.png");
        let versions = look.renditions_of(hash);
        let src = versions
            .iter()
            .find(|version| version.width >= fallback)
            .map_or_else(|| address(hash), |version| address(&version.hash));
        let mut srcset = String::new();
        for version in versions {
            let comma = if srcset.is_empty() { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(srcset, "{comma}{} {}w", address(&version.hash), version.width);
        }
        Self { src, srcset }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use enrollment::client::Rendition;

    use super::*;

    #[test]
    fn widths_are_listed_in_order() {
        let version = |hash: &str, width| Rendition {
            hash: hash.into(),
            width,
        };
        let look = Look {
            renditions: BTreeMap::from([(
                "a".into(),
                vec![version("b", 140), version("c", 280), version("a", 840)],
            )]),
            ..Look::default()
        };
        let image = Image::of(&look, "a", "/p", 200);
        assert_eq!(image.src, "/p/c.png");
        assert_eq!(image.srcset, "/p/b.png 140w, /p/c.png 280w, /p/a.png 840w");
        let alone = Image::of(&look, "x", "/p", 200);
        assert_eq!((alone.src.as_str(), alone.srcset.as_str()), ("/p/x.png", ""));
    }
}
