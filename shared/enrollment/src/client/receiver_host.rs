//! Hosts that may receive confirmations.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::origin::has_plain_host;

/// Host, and port where it is not 443, of a client's receiver: `partner.example`, `partner.example:8443`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ReceiverHost {
    host: String,
    port: Option<u16>,
}

/// Text that is not a host of an https address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a receiver is a host like partner.example, or host:port where the port is not 443")]
pub struct ReceiverHostError;

impl ReceiverHost {
    /// # Errors
    /// On everything that is not `host` or `host:port` exactly as in an address, and on port 443.
    pub fn parse(text: &str) -> Result<Self, ReceiverHostError> {
        let url = Url::parse(&format!("https://{text}/")).map_err(|_| ReceiverHostError)?;
        if !has_plain_host(&url) {
            return Err(ReceiverHostError);
        }
        let receiver = Self {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port(),
        };
        if receiver.to_string() == text {
            Ok(receiver)
        } else {
            Err(ReceiverHostError)
        }
    }

    /// Whether an https address has this host and port.
    pub fn matches(&self, url: &Url) -> bool {
        url.host_str() == Some(&self.host) && url.port() == self.port
    }
}

impl fmt::Display for ReceiverHost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.host)?;
        match self.port {
            Some(port) => write!(formatter, ":{port}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for ReceiverHost {
    type Error = ReceiverHostError;

    fn try_from(text: String) -> Result<Self, ReceiverHostError> {
        Self::parse(&text)
    }
}

impl From<ReceiverHost> for String {
    fn from(host: ReceiverHost) -> Self {
        host.to_string()
    }
}
