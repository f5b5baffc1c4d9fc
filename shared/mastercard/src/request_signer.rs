//! Port for the scheme that authenticates a REST call. OAuth 1.0a with body hash is Mastercard's scheme today; OAuth 2.0
//! is announced.

use thiserror::Error;
use zeroize::Zeroizing;

use crate::http::{Method, Url};

/// Scheme that authenticates a REST call by its `Authorization` header.
///
/// The client serializes a request once, passes the bytes here, and sends the same bytes. An implementation brings its
/// own clock and its own source of nonces, and gives each call a fresh nonce, also when the same call is repeated.
pub trait RequestSigner: Send + Sync {
    /// Returns the value of the `Authorization` header for one request. An empty body is the empty slice.
    ///
    /// The value authenticates the caller: it must not be logged.
    fn authorization(
        &self,
        method: &Method,
        url: &Url,
        body: &[u8],
    ) -> Result<Zeroizing<String>, SigningError>;
}

/// Error of a signer, such as a key that can't sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the request can't be signed")]
pub struct SigningError;
