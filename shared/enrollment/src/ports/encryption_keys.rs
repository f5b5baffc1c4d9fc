//! Mastercard's public key, which the page encrypts card numbers under.

use async_trait::async_trait;

use super::store_error::StoreError;

/// The key that the page encrypts a card number under.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct EncryptionKey {
    /// Mastercard's name of it: 119009 (test), 122744 (production).
    pub reference: String,
    /// `SubjectPublicKeyInfo`, DER, base64.
    pub spki: String,
    /// SHA-256 of the DER, hexadecimal.
    pub fingerprint: String,
}

/// Source of the configured key.
#[async_trait]
pub trait EncryptionKeys: Send + Sync {
    /// Reads the current key.
    async fn current(&self) -> Result<EncryptionKey, StoreError>;
}
