use std::str::FromStr;

use thiserror::Error;
use url::{Host, Url};

/// Host that may have addresses which are not public, on every port or on one: `localhost`, `localhost:8443`,
/// `127.0.0.1:8443`, `[::1]:8443`. It is compared with the host in a URL as text: `localhost` does not include
/// `127.0.0.1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateHost {
    host: Host,
    port: Option<u16>,
}

/// Text that is neither `host` nor `host:port`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a private host must be `host` or `host:port`")]
pub struct PrivateHostError;

impl PrivateHost {
    pub(super) fn covers(&self, url: &Url) -> bool {
        let same_host = url.host().is_some_and(|host| host.to_owned() == self.host);
        same_host
            && self
                .port
                .is_none_or(|port| url.port_or_known_default() == Some(port))
    }
}

impl FromStr for PrivateHost {
    type Err = PrivateHostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // To `url` an asterisk is a letter, and whoever writes one means more than a host.
        if text.contains('*') {
            return Err(PrivateHostError);
        }
        // The colons of an IPv6 address are within brackets.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        Ok(Self {
            host: Host::parse(host).map_err(|_| PrivateHostError)?,
            port: port.map(str::parse).transpose().map_err(|_| PrivateHostError)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_covers_only_itself() {
        for (entry, url, covered) in [
            ("localhost", "https://localhost/", true),
            ("localhost", "https://LOCALHOST:8443/x", true),
            ("localhost:8443", "https://localhost:8443/", true),
            ("localhost:8443", "https://localhost:8444/", false),
            ("localhost:8443", "https://localhost/", false),
            ("localhost:443", "https://localhost/", true),
            ("localhost", "https://127.0.0.1/", false),
            ("localhost", "https://localhost./", false),
            ("localhost", "https://localhost.example/", false),
            ("localhost", "https://www.localhost/", false),
            ("127.0.0.1", "https://2130706433/", true),
            ("127.0.0.1", "https://127.0.0.2/", false),
            ("127.0.0.1", "https://[::ffff:127.0.0.1]/", false),
            ("[::1]:8443", "https://[0:0::1]:8443/", true),
            ("[::1]", "https://[::1]:1/", true),
        ] {
            let host: PrivateHost = entry.parse().unwrap();
            assert_eq!(host.covers(&Url::parse(url).unwrap()), covered, "{entry} {url}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            ":8443",
            "localhost:",
            "localhost:x",
            "localhost:65536",
            "https://localhost",
            "a b",
            "*",
            "*.localhost",
            "::1",
            "10.0.0.0/8",
        ] {
            assert_eq!(text.parse::<PrivateHost>(), Err(PrivateHostError), "{text:?}");
        }
    }
}
