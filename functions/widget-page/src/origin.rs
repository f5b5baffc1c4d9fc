//! Origins that may embed the page.

/// `https://bank.example`, `http://localhost:8701`: scheme, host and port, in a form that cannot leave the header
/// that it is put into.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct EmbedOrigin(String);

/// Not an origin as browsers write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is http(s)://host[:port], in lower case, without a path")]
pub struct NotAnOrigin;

impl EmbedOrigin {
    /// Takes what was checked when the client was applied; looks once more, because a `;` would begin another
    /// directive of the Content-Security-Policy.
    ///
    /// # Errors
    /// On everything that a browser would not serialize an origin to, wildcards and `null` among it.
    pub fn parse(text: &str) -> Result<Self, NotAnOrigin> {
        let authority = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or(NotAnOrigin)?;
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:[]".contains(&byte);
        if authority.is_empty() || authority.starts_with(':') || !authority.bytes().all(plain) {
            return Err(NotAnOrigin);
        }
        Ok(Self(text.to_owned()))
    }

    /// As a browser writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_taken_as_browsers_write_them() {
        for origin in [
            "https://bank.example",
            "http://localhost:8701",
            "https://xn--bcher-kva.example",
            "http://[::1]:80",
        ] {
            assert_eq!(EmbedOrigin::parse(origin).unwrap().as_str(), origin);
        }
    }

    #[test]
    fn nothing_can_leave_the_directive() {
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
            assert_eq!(EmbedOrigin::parse(text), Err(NotAnOrigin), "{text:?}");
        }
    }
}
