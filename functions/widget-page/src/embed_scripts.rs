//! Released versions of embed.js and its types, built into the function (docs/adr/0042-embed-script.md).

/// One file of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbedScript {
    /// `1.0.0`, a segment of its address.
    pub version: &'static str,
    /// `embed.js` or `embed.d.ts`, the last segment of its address.
    pub name: &'static str,
    /// Value of the header `Content-Type`.
    pub content_type: &'static str,
    /// Content of the file.
    pub bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/embed_scripts.rs"));

/// Returns a file of a released version (`/widget/embed/{version}/{name}`).
pub fn find(version: &str, name: &str) -> Option<EmbedScript> {
    RELEASED
        .iter()
        .copied()
        .find(|script| script.version == version && script.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha384};

    use super::*;

    const README: &str = include_str!("../embed/README.md");

    /// Integrity value of each file, by version and name.
    type Integrity = BTreeMap<String, BTreeMap<String, String>>;

    fn listed() -> Integrity {
        serde_json::from_str(include_str!("../embed/released.json")).unwrap()
    }

    #[test]
    fn every_version_is_served_as_it_was_released() {
        let mut served = Integrity::new();
        for script in RELEASED {
            let integrity = format!("sha384-{}", STANDARD.encode(Sha384::digest(script.bytes)));
            let version = served.entry(script.version.to_owned()).or_default();
            version.insert(script.name.to_owned(), integrity);
        }
        assert_eq!(served, listed());
        assert!(served.contains_key("1.0.0"));
    }

    #[test]
    fn readme_prints_each_version_and_its_integrity() {
        for (version, files) in listed() {
            let script = files.get("embed.js").unwrap();
            assert!(
                README.contains(&format!("| `{version}` | `{script}` |")),
                "{version}"
            );
        }
    }

    #[test]
    fn example_of_the_readme_has_the_integrity_of_its_version() {
        let (_, example) = README.split_once("/widget/embed/").unwrap();
        let (version, rest) = example.split_once("/embed.js\"").unwrap();
        let (_, rest) = rest.split_once("integrity=\"").unwrap();
        let (integrity, _) = rest.split_once('"').unwrap();
        assert_eq!(
            listed()
                .get(version)
                .and_then(|files| files.get("embed.js"))
                .map(String::as_str),
            Some(integrity)
        );
    }

    #[test]
    fn readme_has_the_example_that_is_compiled() {
        assert!(README.contains(include_str!("../../../docs/examples/react/AddCard.tsx")));
    }

    #[test]
    fn unknown_version_or_name_is_none() {
        for (version, name) in [
            ("0.0.0", "embed.js"),
            ("1.0.0", "embed.mjs"),
            ("1.0.0", ""),
            ("..", "released.json"),
        ] {
            assert_eq!(find(version, name), None, "{version}/{name}");
        }
    }

    #[test]
    fn script_needs_no_unsafe_source() {
        for script in RELEASED.iter().filter(|script| script.name == "embed.js") {
            let text = std::str::from_utf8(script.bytes).unwrap();
            for forbidden in [
                "eval(",
                "new Function",
                "innerHTML",
                "document.write",
                "setAttribute(\"style\"",
            ] {
                assert!(!text.contains(forbidden), "{forbidden}");
            }
        }
    }
}
