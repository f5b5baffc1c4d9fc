//! The page's script, stylesheet and icon, built into the function (`page/dist`, see docs/adr/0003-page-bundle.md).

/// One file that a page loads, under a name that changes with its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// `widget.<16 hexadecimal digits of its SHA-256>.js`, the last segment of its address.
    pub name: &'static str,
    /// Value of the header `Content-Type`.
    pub content_type: &'static str,
    /// Content of the file.
    pub bytes: &'static [u8],
    /// `sha384-…`, value of the attribute `integrity` (Subresource Integrity).
    pub integrity: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/parts.rs"));

/// Returns the part of this name (`/widget/assets/{name}`). Names of earlier releases are unknown: an open page has already
/// loaded its parts.
pub fn find(name: &str) -> Option<Part> {
    [SCRIPT, STYLE, ICON].into_iter().find(|part| part.name == name)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha384};

    use super::*;

    #[test]
    fn every_part_is_found_by_its_name() {
        for part in [SCRIPT, STYLE, ICON] {
            assert_eq!(find(part.name), Some(part));
        }
    }

    #[test]
    fn an_unknown_or_unhashed_name_is_none() {
        for name in [
            "",
            "widget.js",
            "widget.0000000000000000.js",
            "../page.html",
            &SCRIPT.name[1..],
        ] {
            assert_eq!(find(name), None, "{name}");
        }
    }

    #[test]
    fn the_integrity_value_is_that_of_the_bytes_served() {
        for part in [SCRIPT, STYLE, ICON] {
            let computed = format!("sha384-{}", STANDARD.encode(Sha384::digest(part.bytes)));
            assert_eq!(part.integrity, computed, "{}", part.name);
        }
    }

    #[test]
    fn a_name_carries_a_hash_and_its_extension() {
        let segments: Vec<_> = SCRIPT.name.split('.').collect();
        assert!(matches!(segments[..], ["widget", hash, "js"] if hash.len() == 16));
    }

    #[test]
    fn the_script_needs_no_unsafe_csp_source() {
        let script = std::str::from_utf8(SCRIPT.bytes).unwrap();
        for forbidden in [
            "eval(",
            "new Function",
            "innerHTML",
            "document.write",
            "//# sourceMappingURL",
        ] {
            assert!(!script.contains(forbidden), "{forbidden}");
        }
    }
}
