//! The address that a stack is reached under.

use std::fmt;

use url::Url;

/// Public base address of a stack (`https://cards.example.com/rewards`), without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicBaseUrl {
    address: String,
    path: BasePath,
}

/// Path of a public base address: empty, or `/rewards` for `https://cards.example.com/rewards`. It precedes every path that
/// a page names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BasePath(String);

/// Address that nothing can be served under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the public base address must be http(s)://host[:port][/path] without a query or unusual characters in its path"
)]
pub struct PublicBaseUrlError;

impl PublicBaseUrl {
    /// Reads an address; slashes at its end are dropped.
    ///
    /// # Errors
    /// On other schemes than http and https, a query or fragment, and a path that [`BasePath::of`] refuses.
    pub fn parse(text: &str) -> Result<Self, PublicBaseUrlError> {
        let url = Url::parse(text).map_err(|_| PublicBaseUrlError)?;
        if url.query().is_some() || url.fragment().is_some() || url.host_str().is_none() {
            return Err(PublicBaseUrlError);
        }
        let address = text.trim_end_matches('/').to_owned();
        let path = BasePath::of(&address)?;
        Ok(Self { address, path })
    }

    /// Returns the whole address.
    pub fn as_str(&self) -> &str {
        &self.address
    }

    /// Returns scheme, host and port, as they are written.
    pub fn origin(&self) -> &str {
        self.address
            .strip_suffix(self.path.as_str())
            .unwrap_or(&self.address)
    }

    /// Returns the path.
    pub fn path(&self) -> &BasePath {
        &self.path
    }
}

impl fmt::Display for PublicBaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.address)
    }
}

impl BasePath {
    /// Takes the path of an address, without a slash at its end.
    ///
    /// # Errors
    /// On a path with anything beside unreserved characters (RFC 3986 §2.3) and slashes: it ends up in headers and markup.
    pub fn of(address: &str) -> Result<Self, PublicBaseUrlError> {
        let (scheme, rest) = address.split_once("://").ok_or(PublicBaseUrlError)?;
        if !matches!(scheme, "http" | "https") {
            return Err(PublicBaseUrlError);
        }
        let path = rest
            .find('/')
            .map_or("", |start| &rest[start..])
            .trim_end_matches('/');
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        if !path.bytes().all(is_plain) || path.contains("//") {
            return Err(PublicBaseUrlError);
        }
        Ok(Self(path.to_owned()))
    }

    /// Returns the path: empty, or beginning with a slash and not ending with one.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailing_slash_is_dropped() {
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
    fn unusual_characters_are_refused() {
        for address in [
            "enroll.example",
            "ftp://x/",
            "https://x/a?b",
            "https://x/a;b",
            "https://x/\"a",
            "https://x//a",
            "https://x/ä",
        ] {
            assert_eq!(BasePath::of(address), Err(PublicBaseUrlError), "{address}");
        }
    }
}
