//! Errors of Mastercard's API gateway: `{Source, ReasonCode, Description, Recoverable, Details}`, in three shapes.
//! Unknown members are ignored, as Mastercard asks of its clients.

use std::fmt;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::foreign::{ForeignCode, ForeignText};

/// Systems whose names do not look like a code.
const KNOWN_ORIGINS: [&str; 2] = ["Gateway", "user-management"];

/// Text that the edge sends as HTML, with status 400, to a caller without a client certificate.
const NO_CERTIFICATE: &[u8] = b"No required SSL certificate was sent";

/// Error of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayError {
    /// System that raised the error (`Source`), such as `Gateway`.
    pub origin: ForeignCode,
    /// Reason.
    pub reason: GatewayReason,
    /// Explanation for people (`Description`). Origin and code come before it if they can't be shown by themselves.
    pub text: ForeignText,
    /// Whether the same call may succeed later, if the gateway says so.
    pub recoverable: bool,
}

/// `ReasonCode`. The named ones tell an operator what to repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayReason {
    /// `INVALID_CLIENT_CERT`: the mTLS certificate is missing, expired, or not of this project
    /// (`docs/sources.md#mutual-tls`).
    InvalidClientCert,
    /// `AUTHENTICATION_FAILED`: the OAuth signature, consumer key or signing key.
    AuthenticationFailed,
    /// `INVALID_BODY_HASH`: the bytes sent are not the bytes signed.
    InvalidBodyHash,
    /// Any other code.
    Other(ForeignCode),
}

/// Parses the gateway's errors from the body of an answer, in any of the shapes `{"Errors":{"Error":[{…}]}}`,
/// `{"Errors":[{"Error":{…}}]}` and `{…}`.
///
/// Returns all errors, at least one, or `None` if the body is something else.
pub fn parse(body: &[u8]) -> Option<Vec<GatewayError>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let errors: Vec<GatewayError> = match serde_json::from_slice(body).ok()? {
        Shape::Wrapped { errors } => errors
            .into_iter()
            .flat_map(|wrapper| wrapper.error)
            .map(GatewayError::from)
            .collect(),
        Shape::Flat(error) => vec![error.into()],
    };
    (!errors.is_empty()).then_some(errors)
}

/// Whether the body of an answer with status 400 is the page of the edge in front of Mastercard's hosts for a caller
/// without a client certificate: HTML with the text "No required SSL certificate was sent".
pub fn says_no_client_certificate(body: &[u8]) -> bool {
    body.windows(NO_CERTIFICATE.len())
        .any(|part| part == NO_CERTIFICATE)
}

impl GatewayReason {
    /// Whether the gateway refused the *caller*, before it looked at the request.
    pub fn refuses_the_caller(&self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// Returns the code as Mastercard writes it, or `None` if the value does not look like a code.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::InvalidClientCert => Some("INVALID_CLIENT_CERT"),
            Self::AuthenticationFailed => Some("AUTHENTICATION_FAILED"),
            Self::InvalidBodyHash => Some("INVALID_BODY_HASH"),
            Self::Other(code) => code.as_str(),
        }
    }
}

impl From<&str> for GatewayReason {
    fn from(code: &str) -> Self {
        // Cleaned first: what is shown as a code is taken for it.
        let code = ForeignCode::new(code);
        match code.as_str() {
            Some("INVALID_CLIENT_CERT") => Self::InvalidClientCert,
            Some("AUTHENTICATION_FAILED") => Self::AuthenticationFailed,
            Some("INVALID_BODY_HASH") => Self::InvalidBodyHash,
            _ => Self::Other(code),
        }
    }
}

impl fmt::Display for GatewayReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code().unwrap_or("[code not shown]"))
    }
}

impl fmt::Display for GatewayError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} from {}", self.reason, self.origin)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Shape {
    Wrapped {
        #[serde(rename = "Errors")]
        errors: OneOrMany<Wrapper>,
    },
    Flat(Wire),
}

#[derive(Deserialize)]
struct Wrapper {
    #[serde(rename = "Error")]
    error: OneOrMany<Wire>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

/// Members of an error. `Details` is not read, since it may repeat the request.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    #[serde(default)]
    source: Option<String>,
    reason_code: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    recoverable: serde_json::Value,
}

impl<T> IntoIterator for OneOrMany<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        match self {
            Self::Many(items) => items,
            Self::One(item) => vec![item],
        }
        .into_iter()
    }
}

impl From<Wire> for GatewayError {
    fn from(wire: Wire) -> Self {
        let source = wire.source.unwrap_or_default();
        let origin = ForeignCode::or_known(&source, &KNOWN_ORIGINS);
        let reason = GatewayReason::from(wire.reason_code.as_str());
        let mut text = Zeroizing::new(String::new());
        for (hidden, value) in [
            (origin.as_str().is_none(), source.as_str()),
            (reason.code().is_none(), wire.reason_code.as_str()),
            (true, wire.description.as_deref().unwrap_or_default()),
        ] {
            if hidden && !value.trim().is_empty() {
                text.push_str(value.trim());
                text.push('\n');
            }
        }
        Self {
            origin,
            reason,
            text: ForeignText::new(&text),
            recoverable: is_true(&wire.recoverable),
        }
    }
}

/// Parses a boolean. A gateway that converts XML to JSON writes it as a string.
fn is_true(value: &serde_json::Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str() == Some("true"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_under_errors_is_read() {
        let errors = parse(include_bytes!("../tests/fixtures/gateway-list.json")).unwrap();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].reason, GatewayReason::AuthenticationFailed);
        assert_eq!(errors[0].origin.as_str(), Some("Gateway"));
        assert!(!errors[0].recoverable);
    }

    #[test]
    fn byte_order_mark_is_skipped() {
        let body = b"\xef\xbb\xbf{\"ReasonCode\":\"X\"}";
        assert_eq!(parse(body).unwrap()[0].reason.code(), Some("X"));
    }

    #[test]
    fn code_is_matched_in_its_shown_form() {
        for code in ["\u{7f}INVALID_BODY_HASH\u{7f}", " INVALID_BODY_HASH\n"] {
            assert_eq!(
                GatewayReason::from(code),
                GatewayReason::InvalidBodyHash,
                "{code:?}"
            );
        }
    }

    #[test]
    fn page_of_the_edge_is_recognized() {
        // As nginx writes it.
        let page = b"<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n<body>\r\n\
            <center><h1>400 Bad Request</h1></center>\r\n<center>No required SSL certificate was sent</center>\r\n</body></html>";
        assert!(says_no_client_certificate(page));
        assert!(!says_no_client_certificate(
            b"<html><title>400 Bad Request</title></html>"
        ));
        assert_eq!(parse(page), None);
    }

    #[test]
    fn list_of_wrapped_errors_is_read() {
        let errors = parse(include_bytes!("../tests/fixtures/gateway-wrapped.json")).unwrap();
        assert_eq!(errors.len(), 2);
        assert_eq!(errors[0].reason, GatewayReason::InvalidBodyHash);
        assert_eq!(errors[1].reason.code(), Some("INVALID_FIELD_FORMAT"));
        assert!(errors[1].recoverable);
    }

    #[test]
    fn bare_error_with_new_members_is_read() {
        let errors = parse(include_bytes!("../tests/fixtures/gateway-flat.json")).unwrap();
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].reason, GatewayReason::InvalidClientCert);
        assert!(errors[0].reason.refuses_the_caller());
        assert_eq!(errors[0].to_string(), "INVALID_CLIENT_CERT from Gateway");
        assert_eq!(
            errors[0].text.expose(),
            "The client certificate is invalid or missing from the request."
        );
    }

    #[test]
    fn recoverable_is_false_unless_true() {
        for (value, expected) in [
            ("true", true),
            (r#""true""#, true),
            ("false", false),
            ("null", false),
            ("1", false),
        ] {
            let body = format!(r#"{{"ReasonCode":"X","Recoverable":{value}}}"#);
            assert_eq!(
                parse(body.as_bytes()).unwrap()[0].recoverable,
                expected,
                "{value}"
            );
        }
        assert!(!parse(br#"{"ReasonCode":"X"}"#).unwrap()[0].recoverable);
    }

    #[test]
    fn quoted_request_is_not_shown() {
        let body = br#"{"Source":"Erika","ReasonCode":"bad 5234 0012","Description":"Erika has card 5234001234567890","Details":"5234001234567890"}"#;
        let error = &parse(body).unwrap()[0];
        let shown = format!("{error:?} {error}");
        for quoted in ["Erika", "5234", "bad"] {
            assert!(!shown.contains(quoted), "{shown}");
        }
        assert_eq!(error.reason.code(), None);
        assert_eq!(
            error.text.expose(),
            "Erika\nbad 5234 0012\nErika has card 5234001234567890"
        );
    }

    #[test]
    fn other_bodies_are_no_gateway_error() {
        for body in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"Errors":{}}"#,
            r#"{"Errors":[]}"#,
            "<html/>",
            r#"{"ReasonCode":1}"#,
        ] {
            assert_eq!(parse(body.as_bytes()), None, "{body}");
        }
    }
}
