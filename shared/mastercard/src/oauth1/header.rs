use thiserror::Error;

/// OAuth parameters of a header `Authorization: OAuth …`, with values as the header has them.
#[derive(Clone, PartialEq, Eq)]
pub struct Header {
    parameters: Vec<(String, String)>,
}

/// Reason for which a header is not one of OAuth 1.0a with a body hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// The header does not begin with the scheme `OAuth`.
    #[error("the header has another scheme than OAuth")]
    Scheme,
    /// A parameter is not `name="value"`.
    #[error("the header has a parameter that is not `name=\"value\"`")]
    Syntax,
    /// A parameter occurs twice.
    #[error("the header has {0} twice")]
    Repeated(&'static str),
    /// A parameter is missing.
    #[error("the header lacks {0}")]
    Missing(&'static str),
    /// A parameter is neither `realm` nor one of OAuth. It would take the place of one that was in a query.
    #[error("the header has a parameter that is neither realm nor one of OAuth")]
    Foreign,
    /// A value has an `&` that is not encoded. It would take the place of several parameters.
    #[error("the header has a value with an `&` that is not encoded")]
    Ampersand,
    /// The value of a parameter can't be used.
    #[error("the header has an unusable {0}")]
    Unusable(&'static str),
}

/// Parameters that a header must have.
const REQUIRED: [&str; 6] = [
    "oauth_consumer_key",
    "oauth_nonce",
    "oauth_timestamp",
    "oauth_signature_method",
    "oauth_body_hash",
    "oauth_signature",
];

impl Header {
    /// Parses the value of a header `Authorization`, with any order of parameters and white space after commas.
    pub fn parse(value: &str) -> Result<Self, HeaderError> {
        let (scheme, rest) = value
            .trim()
            .split_once(|character: char| character.is_ascii_whitespace())
            .ok_or(HeaderError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("OAuth") {
            return Err(HeaderError::Scheme);
        }
        let mut parameters = Vec::new();
        for part in rest.split(',') {
            let (name, quoted) = part.trim().split_once('=').ok_or(HeaderError::Syntax)?;
            let value = quoted
                .trim()
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
                .ok_or(HeaderError::Syntax)?;
            let name = name.trim();
            if name != "realm" {
                if !is_of_oauth(name) {
                    return Err(HeaderError::Foreign);
                }
                if value.contains('&') {
                    return Err(HeaderError::Ampersand);
                }
            }
            parameters.push((name.to_owned(), value.to_owned()));
        }
        let header = Self { parameters };
        for name in REQUIRED {
            match header.all(name).count() {
                0 => return Err(HeaderError::Missing(name)),
                1 => {}
                _ => return Err(HeaderError::Repeated(name)),
            }
        }
        if header.get("oauth_timestamp").parse::<u64>().is_err() {
            return Err(HeaderError::Unusable("oauth_timestamp"));
        }
        if header.all("oauth_version").any(|version| version != "1.0") {
            return Err(HeaderError::Unusable("oauth_version"));
        }
        Ok(header)
    }

    /// Consumer key, decoded.
    pub fn consumer_key(&self) -> String {
        super::base_string::percent_decode(self.get("oauth_consumer_key"))
    }

    /// Nonce.
    pub fn nonce(&self) -> &str {
        self.get("oauth_nonce")
    }

    /// Time of the request, in UNIX seconds.
    pub fn timestamp(&self) -> u64 {
        self.get("oauth_timestamp").parse().unwrap_or_default()
    }

    /// Value of a parameter, as the header has it; empty if it is missing.
    pub fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    /// All parameters, in the order of the header.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Parameters that belong into the base string, with values as the header has them.
    pub fn signed_parameters(&self) -> Vec<(&str, &str)> {
        self.parameters()
            .filter(|(name, _)| !matches!(*name, "oauth_signature" | "realm"))
            .collect()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.parameters()
            .filter(move |(found, _)| *found == name)
            .map(|(_, value)| value)
    }
}

/// Whether a name is one that RFC 5849 reserves.
fn is_of_oauth(name: &str) -> bool {
    name.strip_prefix("oauth_").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}

/// Omits the values.
impl std::fmt::Debug for Header {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.parameters().map(|(name, _)| name).collect();
        formatter.debug_tuple("Header").field(&names).finish()
    }
}
