use std::{error::Error, io, iter::successors};

use rustls::{AlertDescription, CertificateError};
use thiserror::Error;

/// Why an attempt got no answer. No variant carries an address, a URL, a header or what the other side sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Failure {
    /// Refused here; nothing was sent, nothing connected to.
    #[error(transparent)]
    Blocked(#[from] Blocked),
    /// A header can't be carried by HTTP.
    #[error("the request can't be written")]
    Request,
    /// The name has no address, or its servers didn't answer.
    #[error("the name can't be resolved")]
    Lookup,
    /// No address took the connection.
    #[error("no connection")]
    Connect,
    /// There is no trusted TLS connection.
    #[error(transparent)]
    Tls(#[from] TlsFailure),
    /// The time was up in this stage. From [`Stage::Answer`] on the request may have been received.
    #[error("no answer in time: {0}")]
    Timeout(Stage),
    /// What came back begins with no status line of HTTP. The request may have been received.
    #[error("the answer isn't HTTP")]
    NotHttp,
    /// The connection broke before a status line was there. The request may have been received.
    #[error("the connection broke before the answer")]
    Connection,
}

/// Why a URL isn't posted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Blocked {
    /// Not `https`.
    #[error("the URL isn't https")]
    Scheme,
    /// The URL holds a user name or a password.
    #[error("the URL holds credentials")]
    Credentials,
    /// The host is, or resolves to, an address that isn't public.
    #[error("the host isn't on the public internet")]
    Address,
}

/// The part of TLS that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TlsFailure {
    /// The certificate, or one of its chain, has expired.
    #[error("the certificate has expired")]
    Expired,
    /// The certificate, or one of its chain, isn't valid yet.
    #[error("the certificate isn't valid yet")]
    NotYetValid,
    /// The certificate is for other names than the URL's host.
    #[error("the certificate is for another name")]
    WrongName,
    /// The server sent its own certificate alone, which was issued by an authority that isn't trusted itself: most
    /// likely the intermediate certificates are missing from its configuration.
    #[error("the server sent no intermediate certificate")]
    MissingIntermediate,
    /// The chain ends at no trusted authority, or the certificate is self-signed.
    #[error("the certificate's issuer isn't trusted")]
    UnknownIssuer,
    /// The certificate is unfit in another way: its encoding, signature, purpose or a critical extension.
    #[error("the certificate is unfit")]
    Certificate,
    /// There is no common version, cipher suite or application protocol, or the server doesn't speak TLS.
    #[error("no common protocol")]
    Protocol,
    /// The server ended the handshake: by an alert, such as one that asks for a client certificate, or by closing
    /// the connection.
    #[error("the server ended the handshake")]
    Refused,
}

/// The stages of an attempt, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Stage {
    /// Resolving the name.
    #[error("resolving the name")]
    Lookup,
    /// Connecting by TCP.
    #[error("connecting")]
    Connect,
    /// The TLS handshake.
    #[error("the TLS handshake")]
    Tls,
    /// Sending the request and waiting for the answer's status line.
    #[error("waiting for the answer")]
    Answer,
}

impl Failure {
    /// A short name for statistics and logs, which stays the same over versions.
    pub fn class(self) -> &'static str {
        match self {
            Self::Blocked(Blocked::Scheme) => "blocked_scheme",
            Self::Blocked(Blocked::Credentials) => "blocked_credentials",
            Self::Blocked(Blocked::Address) => "blocked_address",
            Self::Request => "request",
            Self::Lookup => "lookup",
            Self::Connect => "connect",
            Self::Tls(TlsFailure::Expired) => "tls_expired",
            Self::Tls(TlsFailure::NotYetValid) => "tls_not_yet_valid",
            Self::Tls(TlsFailure::WrongName) => "tls_wrong_name",
            Self::Tls(TlsFailure::MissingIntermediate) => "tls_missing_intermediate",
            Self::Tls(TlsFailure::UnknownIssuer) => "tls_unknown_issuer",
            Self::Tls(TlsFailure::Certificate) => "tls_certificate",
            Self::Tls(TlsFailure::Protocol) => "tls_protocol",
            Self::Tls(TlsFailure::Refused) => "tls_refused",
            Self::Timeout(Stage::Lookup) => "timeout_lookup",
            Self::Timeout(Stage::Connect) => "timeout_connect",
            Self::Timeout(Stage::Tls) => "timeout_tls",
            Self::Timeout(Stage::Answer) => "timeout_answer",
            Self::NotHttp => "not_http",
            Self::Connection => "connection",
        }
    }

    /// The failure of an exchange over an established connection. Under TLS 1.3 a server's refusal of the handshake
    /// arrives only here.
    pub(super) fn of_exchange(error: &hyper::Error) -> Self {
        if let Some(tls) = cause::<rustls::Error>(error) {
            match TlsFailure::of(tls) {
                // A damaged record after the handshake is a broken connection.
                refused @ TlsFailure::Refused => refused.into(),
                _ => Self::Connection,
            }
        } else if error.is_parse() {
            Self::NotHttp
        } else {
            Self::Connection
        }
    }
}

impl TlsFailure {
    /// The failure of a handshake. Without an error of the TLS library the connection ended during the handshake.
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

/// Whether an exchange failed by HTTP/2 itself: the answer breaks the protocol, or the server asks for HTTP/1.1 (RFC 9113 §7).
pub(super) fn is_of_http_2(error: &hyper::Error) -> bool {
    cause::<h2::Error>(error)
        .is_some_and(|error| error.is_library() || error.reason() == Some(h2::Reason::HTTP_1_1_REQUIRED))
}

/// The first cause of a type.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    successors(error.source(), |error| beneath(*error)).find_map(|error| error.downcast_ref())
}

/// `io::Error` leaves the error that it wraps out of `source`, and TLS errors come wrapped twice.
fn beneath<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
