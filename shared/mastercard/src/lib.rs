#![doc = include_str!("../README.md")]
#![cfg_attr(
    any(feature = "issuer-enrollment", feature = "mrs"),
    expect(
        clippy::disallowed_macros,
        reason = "this crate does not know the product's own macros; its errors display closed words only"
    )
)]

pub mod application_error;
#[cfg(any(feature = "field-encryption", feature = "jwe"))]
#[cfg_attr(
    not(all(feature = "field-encryption", feature = "jwe")),
    expect(dead_code, reason = "each of the two protocols uses a part")
)]
mod content_cipher;
#[cfg(any(feature = "field-encryption", feature = "jwe"))]
#[cfg_attr(
    not(feature = "field-encryption"),
    expect(dead_code, reason = "JWE uses a part")
)]
mod content_key;
#[cfg(feature = "http")]
mod failure;
#[cfg(feature = "field-encryption")]
pub mod field_encryption;
mod foreign;
pub mod gateway;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "issuer-enrollment")]
pub mod issuer_enrollment;
mod json;
#[cfg(feature = "jwe")]
pub mod jwe;
pub mod jwks;
pub mod keys;
#[cfg(feature = "mrs")]
pub mod mrs;
#[cfg(feature = "oauth1")]
pub mod oauth1;
#[cfg(feature = "issuer-enrollment")]
mod request_signer;
mod x509;
#[cfg(feature = "mrs")]
mod xml;

#[cfg(feature = "http")]
pub use failure::{ConnectionFailure, NotSent, Unknown};
pub use foreign::{CorrelationId, ForeignCode, ForeignText};
#[cfg(feature = "issuer-enrollment")]
pub use request_signer::{OAuth1Scheme, RequestSigner, SigningError};
