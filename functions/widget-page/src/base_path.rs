//! Where this service begins on its host.

/// The path of the public base address: empty, or `/test` for `https://host.example/test`. It goes before every path
/// that the page names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BasePath(String);

/// The public base address is not an address that a page can be served under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the public base address must be http(s)://host[:port][/path] without a query or unusual characters in its path"
)]
pub struct UnusableBase;

impl BasePath {
    /// The path of `public_base_url`, without a slash at its end.
    ///
    /// # Errors
    /// Where the path holds anything beside unreserved characters (RFC 3986 §2.3) and slashes: it ends up in headers
    /// and markup.
    pub fn of(public_base_url: &str) -> Result<Self, UnusableBase> {
        let (scheme, rest) = public_base_url.split_once("://").ok_or(UnusableBase)?;
        if !matches!(scheme, "http" | "https") {
            return Err(UnusableBase);
        }
        let path = rest
            .find('/')
            .map_or("", |start| &rest[start..])
            .trim_end_matches('/');
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if !path.bytes().all(plain) || path.contains("//") {
            return Err(UnusableBase);
        }
        Ok(Self(path.to_owned()))
    }

    /// Empty, or beginning with a slash and not ending with one.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_taken_without_its_last_slash() {
        for (address, path) in [
            ("http://localhost:8700", ""),
            ("https://enroll.example/", ""),
            (
                "https://abc.execute-api.eu-central-1.amazonaws.com/test/",
                "/test",
            ),
            ("https://enroll.example/a/b", "/a/b"),
        ] {
            assert_eq!(BasePath::of(address).unwrap().as_str(), path);
        }
    }

    #[test]
    fn what_could_leave_a_header_or_an_attribute_is_refused() {
        for address in [
            "enroll.example",
            "ftp://x/",
            "https://x/a?b",
            "https://x/a;b",
            "https://x/\"a",
            "https://x//a",
            "https://x/ä",
        ] {
            assert_eq!(BasePath::of(address), Err(UnusableBase), "{address}");
        }
    }
}
