//! Field-level encryption as Mastercard's client-encryption libraries do it: parts of a JSON payload are replaced by
//! their ciphertext and by what is needed to decrypt it.
//!
//! The content is encrypted by AES under a fresh key, the key by RSA-OAEP. [`Names`] says what the members are called,
//! [`PathMapping`] which parts of a payload are encrypted and where the result goes. Beside the ciphertext, the values
//! stand in the payload or in HTTP header fields.
//!
//! AES-CBC does not authenticate: a changed ciphertext may decrypt to something else. Where the receiver supports it,
//! use AES-GCM.

mod decrypt;
mod digits;
mod encrypt;
mod fields;
mod json_path;
mod names;
#[cfg(test)]
mod tests;

use thiserror::Error;

pub use decrypt::{AcceptedModes, DecryptedPayload, Decryptor, DecryptorSettings, MissingHash};
pub use digits::keeps_its_digits;
pub use encrypt::{EncryptedPayload, Encryptor, EncryptorSettings};
pub use fields::{Cipher, Encoding, OaepHash};
pub use json_path::{JsonPath, PathMapping};
pub use names::Names;

/// Reason for which a payload can't be encrypted or decrypted.
///
/// All failures of key and content are the one value [`FieldEncryptionError::Decryption`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FieldEncryptionError {
    /// A path is not `$`, or `$.` with names between points and at most one `[*]`.
    #[error("not a path: expected names between points after `$`, and at most one [*]")]
    Path,
    /// The two paths of a mapping have their `[*]` at different places.
    #[error("both paths of a mapping need the same [*]")]
    Wildcards,
    /// The value at a path, or above it, is not an object.
    #[error("expected an object at {path}")]
    NotAnObject {
        /// Path, from the caller's own configuration.
        path: String,
    },
    /// The value before a `[*]` is not a list.
    #[error("expected a list before [*] in {path}")]
    NotAList {
        /// Path, from the caller's own configuration.
        path: String,
    },
    /// The object into which a result goes does not exist.
    #[error("nothing at the parent of {path}")]
    NoParent {
        /// Path, from the caller's own configuration.
        path: String,
    },
    /// A member or header field is missing.
    #[error("`{name}` is missing")]
    Missing {
        /// Configured name.
        name: String,
    },
    /// A member or header field is not text in the configured encoding, or has a wrong length.
    #[error("`{name}` is not text in the configured encoding, or has a wrong length")]
    Value {
        /// Configured name.
        name: String,
    },
    /// The hash function of OAEP is not SHA-256 or SHA-512.
    #[error("the hash function of OAEP is not SHA-256 or SHA-512")]
    Hash,
    /// The mode of the cipher is neither CBC nor GCM, or a tag came with CBC.
    #[error("the mode of the cipher is not CBC or GCM, or does not fit the other members")]
    Mode,
    /// The payload is encrypted in a mode that the settings do not accept.
    #[error("the mode of the cipher is not one that is accepted here")]
    UnacceptedMode,
    /// The settings have no name for a value that the cipher needs.
    #[error("AES-GCM needs names for mode, tag and additional data")]
    GcmNames,
    /// Values in header fields are shared by all parts, and AES-GCM must not encrypt two under one key and nonce.
    #[error("AES-GCM in header fields encrypts one part only")]
    SharedNonce,
    /// The payload was made for another key, or was changed.
    #[error("the payload can't be decrypted with this key")]
    Decryption,
    /// The key can't encrypt.
    #[error("encryption failed")]
    Encryption,
}
