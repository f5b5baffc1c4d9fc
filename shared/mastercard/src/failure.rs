use std::{error::Error as StdError, io};

use rustls::{AlertDescription, CertificateError};
use thiserror::Error;

use crate::{foreign::ForeignText, gateway::GatewayError};

/// Reason for which a call was certainly not carried out. It may be repeated or given up without asking.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotSent {
    /// A value is not allowed in a request: it is empty, too long, or has characters that XML does not allow.
    #[error("the field {0} can't be sent: empty, too long or with forbidden characters")]
    InvalidField(&'static str),
    /// There was no connection: name resolution, TCP or the TLS handshake failed before the first byte of the request
    /// was written.
    #[error("no connection: {0}")]
    Connect(ConnectionFailure),
    /// Mastercard's gateway refused the caller, so the call did not reach the service.
    #[error("the gateway refused the call: {0}")]
    Gateway(GatewayError),
    /// Mastercard's edge refused the connection for lack of a client certificate.
    #[error("the edge requires a client certificate")]
    NoClientCertificate,
}

/// Reason for which a call may have been carried out. Ask before repeating it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unknown {
    /// The time limit of the call passed.
    #[error("no answer in time")]
    Timeout,
    /// The connection ended after the request, or a part of it, was written. Under TLS 1.3 this includes a refused
    /// client certificate, since the server checks it after the client has sent its request.
    #[error("the connection ended before the answer: {0}")]
    Connection(ConnectionFailure),
    /// The body of the answer is longer than the limit, in bytes.
    #[error("the answer is longer than {0} bytes")]
    AnswerTooLong(usize),
    /// The HTTP status is an error, and the body does not explain it. Includes redirects, which are never followed.
    #[error("HTTP status {0} without a readable answer")]
    Status(u16),
    /// The answer breaks the protocol. The text describes the fault in its form, never its content.
    #[error("the answer can't be read: {0}")]
    Malformed(&'static str),
    /// A SOAP fault without a readable code of the service; its texts.
    #[error("fault without a code")]
    FaultWithoutCode(ForeignText),
    /// The gateway reports an error that leaves open whether the service received the call.
    #[error("gateway error: {0}")]
    Gateway(GatewayError),
}

/// Reason for which a connection failed, in closed words. The messages of the resolver, the socket and the TLS library
/// may quote what the other side sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConnectionFailure {
    /// The time limit for connecting passed.
    #[error("timed out")]
    Timeout,
    /// The host name has no address, or the resolver did not answer.
    #[error("the name can't be resolved")]
    NameResolution,
    /// The host refuses connections to this port.
    #[error("refused")]
    Refused,
    /// The network has no route to the host.
    #[error("unreachable")]
    Unreachable,
    /// The connection was reset by the other side or by a system in between.
    #[error("reset")]
    Reset,
    /// The other side closed the connection before its answer, or its part of the handshake, was complete.
    #[error("closed early")]
    Closed,
    /// The other side ended TLS with this alert (name as in RFC 8446 §6).
    #[error("TLS alert {0}")]
    Alert(&'static str),
    /// The server's certificate has expired.
    #[error("the server's certificate has expired")]
    CertificateExpired,
    /// The server's certificate is not valid yet.
    #[error("the server's certificate is not valid yet")]
    CertificateNotYetValid,
    /// The server's certificate has another name.
    #[error("the server's certificate is for another name")]
    CertificateName,
    /// The issuer of the server's certificate, or of one above it, is not trusted. A missing intermediate certificate
    /// looks the same.
    #[error("the server's certificate has an unknown issuer")]
    CertificateIssuer,
    /// The server's certificate is invalid for another reason.
    #[error("the server's certificate is not acceptable")]
    Certificate,
    /// TLS failed for another reason, such as no common version.
    #[error("TLS failed")]
    Tls,
    /// The answer is not HTTP, or its framing contradicts itself.
    #[error("not HTTP")]
    Http,
    /// Any other reason.
    #[error("unknown cause")]
    Other,
}

impl ConnectionFailure {
    /// Finds the reason in a chain of errors.
    pub(crate) fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Timeout;
        }
        if error.is_dns() {
            return Self::NameResolution;
        }
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
        let mut found = Self::Other;
        while let Some(error) = cause {
            // The cause below says more than the one above, if it is one that is known.
            if let Some(failure) = Self::of_one(error) {
                found = failure;
            }
            cause = error.source();
        }
        found
    }

    fn of_one(error: &(dyn StdError + 'static)) -> Option<Self> {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(Self::of_tls(error));
        }
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            return if error.is_parse() {
                Some(Self::Http)
            } else if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
                Some(Self::Closed)
            } else {
                None
            };
        }
        let error = error.downcast_ref::<io::Error>()?;
        // `source` of an `io::Error` skips the error that it was made of, which may be such an error again.
        let inner = error.get_ref().and_then(|inner| Self::of_one(inner));
        Some(inner.unwrap_or_else(|| Self::of_io(error.kind())))
    }

    fn of_io(kind: io::ErrorKind) -> Self {
        match kind {
            io::ErrorKind::TimedOut => Self::Timeout,
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
                Self::Reset
            }
            io::ErrorKind::UnexpectedEof => Self::Closed,
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable => Self::Unreachable,
            _ => Self::Other,
        }
    }

    fn of_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::AlertReceived(alert) => Self::Alert(alert_name(*alert)),
            rustls::Error::InvalidCertificate(problem) => match problem {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    Self::CertificateExpired
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Self::CertificateNotYetValid
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    Self::CertificateName
                }
                CertificateError::UnknownIssuer => Self::CertificateIssuer,
                _ => Self::Certificate,
            },
            _ => Self::Tls,
        }
    }
}

/// Returns the name of an alert in RFC 8446 §6. Alerts of older versions of TLS are `other`.
fn alert_name(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::CloseNotify => "close_notify",
        AlertDescription::UnexpectedMessage => "unexpected_message",
        AlertDescription::BadRecordMac => "bad_record_mac",
        AlertDescription::RecordOverflow => "record_overflow",
        AlertDescription::HandshakeFailure => "handshake_failure",
        AlertDescription::BadCertificate => "bad_certificate",
        AlertDescription::UnsupportedCertificate => "unsupported_certificate",
        AlertDescription::CertificateRevoked => "certificate_revoked",
        AlertDescription::CertificateExpired => "certificate_expired",
        AlertDescription::CertificateUnknown => "certificate_unknown",
        AlertDescription::IllegalParameter => "illegal_parameter",
        AlertDescription::UnknownCA => "unknown_ca",
        AlertDescription::AccessDenied => "access_denied",
        AlertDescription::DecodeError => "decode_error",
        AlertDescription::DecryptError => "decrypt_error",
        AlertDescription::ProtocolVersion => "protocol_version",
        AlertDescription::InsufficientSecurity => "insufficient_security",
        AlertDescription::InternalError => "internal_error",
        AlertDescription::InappropriateFallback => "inappropriate_fallback",
        AlertDescription::UserCanceled => "user_canceled",
        AlertDescription::MissingExtension => "missing_extension",
        AlertDescription::UnsupportedExtension => "unsupported_extension",
        AlertDescription::UnrecognisedName => "unrecognized_name",
        AlertDescription::BadCertificateStatusResponse => "bad_certificate_status_response",
        AlertDescription::UnknownPSKIdentity => "unknown_psk_identity",
        AlertDescription::CertificateRequired => "certificate_required",
        AlertDescription::NoApplicationProtocol => "no_application_protocol",
        _ => "other",
    }
}
