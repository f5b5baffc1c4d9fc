//! JSON Web Encryption (RFC 7516) as Mastercard uses it: compact serialization, `RSA-OAEP-256`, AES-GCM.
//!
//! [`Encryptor`] writes A128GCM and A256GCM with initialization vectors of 12 bytes. [`Decryptor`] also reads
//! A192GCM, A128CBC-HS256 and vectors of 16 bytes, which Mastercard's own libraries write. Every tag is verified.
//! [`Header::parse`] reads the header without a key.

mod content_encryption;
mod decrypt;
mod encrypt;
mod header;
mod segment;
#[cfg(test)]
mod tests;

use thiserror::Error;

pub use content_encryption::ContentEncryption;
pub use decrypt::Decryptor;
pub use encrypt::Encryptor;
pub use header::{Header, KeyMember, KeyName};

/// Key management algorithm of every JWE here.
pub const ALGORITHM: &str = "RSA-OAEP-256";

/// Reason for which a JWE can't be written or read.
///
/// All failures of key and content are the one value [`JweError::Decryption`], whatever was wrong, so that an answer
/// helps nobody to guess a plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JweError {
    /// The text does not have five parts.
    #[error("expected a compact JWE: five parts with points between them")]
    Parts,
    /// A part contains other characters than base64url has, or is cut.
    #[error("a part of the JWE is not base64url")]
    Base64,
    /// The header is longer than 4096 characters.
    #[error("the JWE's header is longer than 4096 characters")]
    HeaderTooLong,
    /// The header is not a JSON object with the texts `alg` and `enc`, or has a member twice.
    #[error("the JWE's header is not a JSON object with `alg` and `enc`")]
    Header,
    /// `alg` is not `RSA-OAEP-256`.
    #[error("the JWE's `alg` is not RSA-OAEP-256")]
    Algorithm,
    /// `enc` is not supported.
    #[error("the JWE's `enc` is not supported")]
    ContentEncryption,
    /// The header demands an extension (`crit`). None is supported.
    #[error("the JWE's header demands extensions (`crit`)")]
    CriticalExtension,
    /// The content is compressed (`zip`), which is not supported.
    #[error("the JWE's content is compressed (`zip`)")]
    Compression,
    /// `kid` and `keyId` are both present and differ.
    #[error("the JWE's header names two keys")]
    TwoKeyNames,
    /// The key's name is empty or longer than 256 bytes.
    #[error("the key's name has to have 1 to 256 bytes")]
    KeyName,
    /// The initialization vector has another length than `enc` demands.
    #[error("the JWE's initialization vector has a length that its `enc` does not have")]
    InitializationVector,
    /// The authentication tag does not have 16 bytes.
    #[error("the JWE's authentication tag does not have 16 bytes")]
    Tag,
    /// The JWE was made for another key, or was changed.
    #[error("the JWE can't be decrypted with this key")]
    Decryption,
    /// The key can't encrypt, or the plaintext is too long.
    #[error("encryption failed")]
    Encryption,
}
