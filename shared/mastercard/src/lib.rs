#![doc = include_str!("../README.md")]
#![expect(
    clippy::disallowed_macros,
    reason = "this crate does not know the product's own macros; its errors display closed words only"
)]

pub mod application_error;
mod content_cipher;
mod content_key;
mod failure;
pub mod field_encryption;
mod foreign;
pub mod gateway;
pub mod http;
pub mod issuer_enrollment;
mod json;
pub mod jwe;
pub mod jwks;
pub mod keys;
pub mod mrs;
pub mod oauth1;
mod request_signer;
mod x509;
mod xml;

pub use failure::{ConnectionFailure, NotSent, Unknown};
pub use foreign::{CorrelationId, ForeignCode, ForeignText};
pub use request_signer::{OAuth1Scheme, RequestSigner, SigningError};
