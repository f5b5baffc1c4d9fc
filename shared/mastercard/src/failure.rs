use thiserror::Error;

use crate::{description::Description, gateway::GatewayError};

/// The call certainly did nothing at the other end: it may be made again, or given up, without asking.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotSent {
    /// A value can't be put into a request: empty, too long, or with characters that XML cannot carry.
    #[error("the field {0} can't be sent: empty, too long or with forbidden characters")]
    InvalidField(&'static str),
    /// No connection: name resolution, TCP or the TLS handshake failed before any byte of the request was written.
    #[error("no connection (timed out: {timed_out}): {detail}")]
    Connect {
        /// The limit for connecting passed.
        timed_out: bool,
        /// The innermost cause, from the resolver, the socket or the TLS library.
        detail: Description,
    },
    /// Mastercard's gateway refused the caller, so the service behind it never saw the call.
    #[error("the gateway refused the call: {0}")]
    Gateway(GatewayError),
    /// Mastercard's edge refused the connection since no client certificate came with it.
    #[error("the edge asks for a client certificate and saw none")]
    NoClientCertificate,
}

/// The call was, or may have been, carried out, and nothing readable says which: ask before making it again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unknown {
    /// The time for the whole call passed.
    #[error("no answer in time")]
    Timeout,
    /// The connection ended after the request, or a part of it, was written. With TLS 1.3 a refused client
    /// certificate looks like this too: the server checks it when the client has sent its request already.
    #[error("the connection ended before the answer: {0}")]
    Connection(Description),
    /// The answer's body was longer than the limit, in bytes.
    #[error("the answer is longer than {0} bytes")]
    AnswerTooLong(usize),
    /// An HTTP status without an answer that explains it; redirects, which are never followed, are among them.
    #[error("HTTP status {0} without a readable answer")]
    Status(u16),
    /// The answer is not what the protocol allows; the text says what was wrong with its form, never what it held.
    #[error("the answer can't be read: {0}")]
    Malformed(&'static str),
    /// A SOAP fault without a code of the service; its `faultstring`.
    #[error("a fault without a code: {0}")]
    FaultWithoutCode(Description),
    /// The gateway reports an error that doesn't say whether the service behind it saw the call.
    #[error("the gateway reports: {0}")]
    Gateway(GatewayError),
}
