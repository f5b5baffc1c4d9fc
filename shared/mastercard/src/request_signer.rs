//! Port for the scheme that authenticates a REST call. OAuth 1.0a with body hash is Mastercard's scheme today; OAuth 2.0
//! is announced.

use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    http::{Method, Url},
    oauth1,
};

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

/// OAuth 1.0a as a scheme: a signer, and a source of stamps (the caller's clock and random bytes).
pub struct OAuth1Scheme<S> {
    signer: oauth1::Signer,
    stamp: S,
}

impl<S: Fn() -> oauth1::Stamp + Send + Sync> OAuth1Scheme<S> {
    /// Takes a signer, and a function that returns a fresh stamp at each call.
    pub fn new(signer: oauth1::Signer, stamp: S) -> Self {
        Self { signer, stamp }
    }
}

impl<S: Fn() -> oauth1::Stamp + Send + Sync> RequestSigner for OAuth1Scheme<S> {
    fn authorization(
        &self,
        method: &Method,
        url: &Url,
        body: &[u8],
    ) -> Result<Zeroizing<String>, SigningError> {
        let authorization = self
            .signer
            .authorization(method.as_str(), url, body, &(self.stamp)())
            .map_err(|_| SigningError)?;
        Ok(Zeroizing::new(authorization.as_str().to_owned()))
    }
}
