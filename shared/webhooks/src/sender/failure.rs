use std::{error::Error, io, iter::successors};

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
    /// The certificate isn't believed, or there is no common version of TLS.
    #[error("no trusted TLS connection")]
    Tls,
    /// The time was up before the answer's head was there. The request may have been received.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke, or what came back wasn't HTTP. The request may have been received.
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
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Connection => "connection",
        }
    }

    pub(super) fn of(error: &reqwest::Error) -> Self {
        if let Some(blocked) = cause::<Blocked>(error) {
            (*blocked).into()
        } else if error.is_builder() {
            Self::Request
        } else if error.is_timeout() {
            Self::Timeout
        } else if error.is_dns() {
            Self::Lookup
        } else if cause::<rustls::Error>(error).is_some() {
            Self::Tls
        } else if error.is_connect() {
            Self::Connect
        } else {
            Self::Connection
        }
    }
}

/// The first cause of a type.
fn cause<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    successors(error.source(), |error| beneath(*error)).find_map(|error| error.downcast_ref())
}

/// `io::Error` leaves the error that it wraps out of `source`, and TLS errors come wrapped twice.
fn beneath<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
