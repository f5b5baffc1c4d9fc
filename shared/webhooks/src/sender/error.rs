use std::{error::Error, io, iter::successors};

use rustls::{AlertDescription, CertificateError};
use thiserror::Error;

/// Reason for which an attempt got no answer. No variant contains an address, a URL, a header or text of the other
/// side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    /// The URL was refused before anything was sent.
    #[error(transparent)]
    Blocked(#[from] BlockedUrl),
    /// A header is not allowed by HTTP.
    #[error("the request has an invalid header")]
    Request,
    /// The name has no address, or its name servers did not answer.
    #[error("the name can't be resolved")]
    Lookup,
    /// No address accepted the connection.
    #[error("no connection")]
    Connect,
    /// TLS failed, or the certificate is not trusted.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The time limit passed in this stage. From [`SendStage::Answer`] on the receiver may have the request.
    #[error("no answer in time: {0}")]
    Timeout(SendStage),
    /// The answer does not start with a status line of HTTP. The receiver may have the request.
    #[error("the answer isn't HTTP")]
    NotHttp,
    /// The connection broke before the status line was complete. The receiver may have the request.
    #[error("the connection broke before the answer")]
    Connection,
}

/// Reason for which a URL is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BlockedUrl {
    /// The scheme is not `https`.
    #[error("the URL isn't https")]
    Scheme,
    /// The URL has a user name or a password.
    #[error("the URL has credentials")]
    Credentials,
    /// The host is, or resolves to, an address that is not public.
    #[error("the host isn't on the public internet")]
    Address,
}

/// Reason for which TLS failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TlsError {
    /// The certificate, or one of its chain, has expired.
    #[error("the certificate has expired")]
    Expired,
    /// The certificate, or one of its chain, is not valid yet.
    #[error("the certificate isn't valid yet")]
    NotYetValid,
    /// The certificate is for other names than the host of the URL.
    #[error("the certificate is for another name")]
    WrongName,
    /// The server sent only its own certificate, whose issuer is not a trusted authority. Most likely the intermediate
    /// certificates are missing from its configuration.
    #[error("the server sent no intermediate certificate")]
    MissingIntermediate,
    /// The chain does not end at a trusted authority, or the certificate is self-signed.
    #[error("the certificate's issuer isn't trusted")]
    UnknownIssuer,
    /// The certificate is invalid for another reason: its encoding, signature, purpose or a critical extension.
    #[error("the certificate is invalid")]
    Certificate,
    /// There is no common version, cipher suite or application protocol, or the server does not speak TLS.
    #[error("no common protocol")]
    Protocol,
    /// The server ended the handshake: by an alert, such as one that asks for a client certificate, or by closing the
    /// connection.
    #[error("the server ended the handshake")]
    Refused,
}

/// Stages of an attempt, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendStage {
    /// Name resolution.
    #[error("resolving the name")]
    Lookup,
    /// TCP connection.
    #[error("connecting")]
    Connect,
    /// TLS handshake.
    #[error("the TLS handshake")]
    Tls,
    /// Request, and the answer up to its status line.
    #[error("waiting for the answer")]
    Answer,
}

impl SendError {
    /// Short name for statistics and logs. It stays the same over versions.
    pub fn class(self) -> &'static str {
        match self {
            Self::Blocked(BlockedUrl::Scheme) => "blocked_scheme",
            Self::Blocked(BlockedUrl::Credentials) => "blocked_credentials",
            Self::Blocked(BlockedUrl::Address) => "blocked_address",
            Self::Request => "request",
            Self::Lookup => "lookup",
            Self::Connect => "connect",
            Self::Tls(TlsError::Expired) => "tls_expired",
            Self::Tls(TlsError::NotYetValid) => "tls_not_yet_valid",
            Self::Tls(TlsError::WrongName) => "tls_wrong_name",
            Self::Tls(TlsError::MissingIntermediate) => "tls_missing_intermediate",
            Self::Tls(TlsError::UnknownIssuer) => "tls_unknown_issuer",
            Self::Tls(TlsError::Certificate) => "tls_certificate",
            Self::Tls(TlsError::Protocol) => "tls_protocol",
            Self::Tls(TlsError::Refused) => "tls_refused",
            Self::Timeout(SendStage::Lookup) => "timeout_lookup",
            Self::Timeout(SendStage::Connect) => "timeout_connect",
            Self::Timeout(SendStage::Tls) => "timeout_tls",
            Self::Timeout(SendStage::Answer) => "timeout_answer",
            Self::NotHttp => "not_http",
            Self::Connection => "connection",
        }
    }

    /// Classifies the failure of an exchange over an established connection. Under TLS 1.3 the server's refusal of the
    /// handshake arrives here.
    pub(super) fn of_exchange(error: &hyper::Error) -> Self {
        if let Some(tls) = cause::<rustls::Error>(error) {
            match TlsError::of(tls) {
                // A damaged record after the handshake is a broken connection.
                refused @ TlsError::Refused => refused.into(),
                _ => Self::Connection,
            }
        } else if error.is_parse() {
            Self::NotHttp
        } else {
            Self::Connection
        }
    }
}

impl TlsError {
    /// Classifies the failure of a handshake. Without an error of the TLS library, the connection ended during the
    /// handshake.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        let wrapped = error.get_ref().map(|error| error as &(dyn Error + 'static));
        let tls = wrapped.and_then(|error| {
            error
                .downcast_ref::<rustls::Error>()
                .or_else(|| cause::<rustls::Error>(error))
        });
        tls.map_or(Self::Refused, Self::of)
    }

    fn of(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(error) => Self::of_certificate(error),
            rustls::Error::NoCertificatesPresented | rustls::Error::UnsupportedNameType => Self::Certificate,
            rustls::Error::AlertReceived(alert) => match alert {
                AlertDescription::ProtocolVersion
                | AlertDescription::InsufficientSecurity
                | AlertDescription::NoApplicationProtocol => Self::Protocol,
                AlertDescription::UnrecognisedName => Self::WrongName,
                _ => Self::Refused,
            },
            _ => Self::Protocol,
        }
    }

    fn of_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName
            }
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::Other(error) => *error.0.downcast_ref().unwrap_or(&Self::Certificate),
            _ => Self::Certificate,
        }
    }
}

/// Whether HTTP/2 itself failed: the answer breaks the protocol, or the server asks for HTTP/1.1 (RFC 9113 §7).
pub(super) fn is_of_http_2(error: &hyper::Error) -> bool {
    cause::<h2::Error>(error)
        .is_some_and(|error| error.is_library() || error.reason() == Some(h2::Reason::HTTP_1_1_REQUIRED))
}

/// Finds the first cause of this type.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    successors(error.source(), |error| beneath(*error)).find_map(|error| error.downcast_ref())
}

/// Next cause of an error. `io::Error` omits the error that it wraps from `source`, and TLS errors are wrapped twice.
fn beneath<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
