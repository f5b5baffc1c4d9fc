use std::fmt;

use url::Url;

use super::base_string::{
    Order, QueryRule, assemble, base_uri, parameter_string, percent_decode, percent_encode,
};

/// Difference between the base string that a caller signed and the acceptable one, found by trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deviation {
    /// The caller signed the query as it is written, although parts of it are encoded.
    QueryAsWritten,
    /// The caller decoded and encoded a query that has no escapes.
    QueryEncoded,
    /// The caller took a plus sign in an encoded query for itself instead of a space.
    LiteralPlus,
    /// The caller did not sign the query.
    QueryUnsigned,
    /// The caller sorted the parameters as joined texts, so that a name came after another that begins with it.
    JoinedOrder,
    /// The caller percent-encoded consumer key or body hash in the header, and signed the decoded values.
    EncodedHeader,
    /// The caller percent-encoded consumer key and body hash in the base string, but not in the header.
    EncodedParameters,
    /// The caller signed another method.
    Method(&'static str),
    /// The caller signed an address with the scheme `http`.
    Http,
    /// The caller signed an address with the default port.
    DefaultPort,
    /// The caller signed an address without a path, or with another slash at its end.
    Slash,
    /// The caller signed the decoded path.
    DecodedPath,
}

/// Methods that are tried.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];

impl Deviation {
    /// All base strings with one deviation, most likely ones first.
    pub(super) fn all(method: &str, url: &Url, signed: &[(&str, &str)]) -> Vec<(Self, String)> {
        let address = base_uri(url);
        let plain = parameter_string(url.query(), signed, QueryRule::default(), Order::default());
        let query = |rule| {
            let parameters = parameter_string(url.query(), signed, rule, Order::default());
            assemble(method, &address, &parameters)
        };
        let changed = |change: fn(&str) -> String| {
            let values: Vec<(&str, String)> = signed
                .iter()
                .map(|(name, value)| (*name, change(value)))
                .collect();
            let signed: Vec<(&str, &str)> = values
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let parameters = parameter_string(url.query(), &signed, QueryRule::default(), Order::default());
            assemble(method, &address, &parameters)
        };
        let joined = parameter_string(url.query(), signed, QueryRule::default(), Order::Joined);
        let mut all = vec![
            (Self::QueryAsWritten, query(QueryRule::AsWritten)),
            (Self::JoinedOrder, assemble(method, &address, &joined)),
            (Self::QueryEncoded, query(QueryRule::Encoded)),
            (Self::LiteralPlus, query(QueryRule::LiteralPlus)),
            (Self::QueryUnsigned, query(QueryRule::Unsigned)),
            (Self::EncodedHeader, changed(percent_decode)),
            (
                Self::EncodedParameters,
                changed(|value| percent_encode(value.as_bytes())),
            ),
        ];
        all.extend(METHODS.map(|other| (Self::Method(other), assemble(other, &address, &plain))));
        all.extend(
            other_addresses(url, &address)
                .into_iter()
                .map(|(deviation, address)| (deviation, assemble(method, &address, &plain))),
        );
        all
    }

    /// Whether an official signer makes such base strings, and no other request has the same one.
    pub(super) fn is_acceptable(self) -> bool {
        matches!(self, Self::QueryAsWritten | Self::JoinedOrder)
    }
}

/// Spellings of the address that differ from the acceptable one.
fn other_addresses(url: &Url, address: &str) -> Vec<(Deviation, String)> {
    let path = url.path();
    let start = address.strip_suffix(path).unwrap_or(address);
    let slash = path
        .strip_suffix('/')
        .map_or_else(|| format!("{path}/"), str::to_owned);
    let mut all = vec![
        (Deviation::Http, address.replacen("https://", "http://", 1)),
        (Deviation::Slash, format!("{start}{slash}")),
        (Deviation::DecodedPath, format!("{start}{}", percent_decode(path))),
    ];
    if url.port().is_none() {
        let port = url.port_or_known_default().unwrap_or_default();
        all.push((Deviation::DefaultPort, format!("{start}:{port}{path}")));
    }
    all
}

impl fmt::Display for Deviation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::QueryAsWritten => "the query was signed as it is written, although parts of it are encoded",
            Self::QueryEncoded => "a query without escapes was encoded before it was signed",
            Self::LiteralPlus => "a plus sign in an encoded query was signed as %2B instead of %20",
            Self::QueryUnsigned => "the query was not signed",
            Self::JoinedOrder => "the parameters were sorted as `name=value` instead of by name",
            Self::EncodedHeader => {
                "consumer key or body hash is percent-encoded in the header, but was signed decoded"
            }
            Self::EncodedParameters => {
                "consumer key and body hash were percent-encoded before they were signed"
            }
            Self::Method(method) => return write!(formatter, "the method {method} was signed"),
            Self::Http => "an address with http was signed",
            Self::DefaultPort => "an address with the default port was signed",
            Self::Slash => "the path was signed with another slash at its end",
            Self::DecodedPath => "the decoded path was signed",
        };
        formatter.write_str(text)
    }
}
