//! Origins that may embed the widget.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// Origin of an embedding page (`https://bank.example`, `http://localhost:8701`): scheme, host and port, without a
/// character that has a meaning in a Content-Security-Policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// Text that is not an origin as browsers write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is http(s)://host[:port], in lower case, without a path")]
pub struct OriginError;

impl Origin {
    /// Checks the syntax alone.
    ///
    /// # Errors
    /// On wildcards, `null` and everything else that could leave its directive, such as a `;`.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let authority = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or(OriginError)?;
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:[]".contains(&byte);
        if authority.is_empty() || authority.starts_with(':') || !authority.bytes().all(plain) {
            return Err(OriginError);
        }
        Ok(Self(text.to_owned()))
    }

    /// Checks what a client may register: an origin exactly as browsers serialize it, https, or http on localhost.
    ///
    /// # Errors
    /// On any other text.
    pub fn registrable(text: &str) -> Result<Self, OriginError> {
        let url = Url::parse(text).map_err(|_| OriginError)?;
        let is_serialized = has_plain_host(&url) && url.origin().ascii_serialization() == text;
        let is_secure =
            url.scheme() == "https" || url.scheme() == "http" && url.host_str() == Some("localhost");
        if is_serialized && is_secure {
            Self::parse(text)
        } else {
            Err(OriginError)
        }
    }

    /// Returns the origin as a browser writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        Self::parse(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether the host is an IP address or a name of letters, digits, hyphens, underscores and dots. Other characters of an
/// address have a meaning in the page's header: `*` any host, `;` the end of a directive (CSP 3 §2.2).
pub(super) fn has_plain_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browser_spelling_is_accepted() {
        for origin in [
            "https://bank.example",
            "http://localhost:8701",
            "https://xn--bcher-kva.example",
            "http://[::1]:80",
        ] {
            assert_eq!(Origin::parse(origin).unwrap().as_str(), origin);
        }
    }

    #[test]
    fn text_that_could_leave_the_directive_is_refused() {
        for text in [
            "",
            "*",
            "null",
            "https:",
            "https://",
            "https://:80",
            "bank.example",
            "https://*.bank.example",
            "https://bank.example/",
            "https://bank.example; script-src *",
            "https://a https://b",
            "https://a,b",
            "https://Bank.example",
            "https://bank.example\r\nX: y",
            "javascript://bank",
        ] {
            assert_eq!(Origin::parse(text), Err(OriginError), "{text:?}");
        }
    }

    #[test]
    fn stored_origin_is_checked() {
        let read = |stored: &str| serde_json::from_str::<Origin>(stored);
        assert!(read(r#""https://bank.example""#).is_ok());
        assert!(read(r#""https://bank.example; script-src *""#).is_err());
    }
}
