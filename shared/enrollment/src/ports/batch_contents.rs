//! JWEs of batches.

use async_trait::async_trait;

use super::store_error::StoreError;
use crate::batch::{BatchId, BodyHash, EncryptedEnrollmentData};
use crate::identifiers::ClientId;

/// Name of a stored JWE. Two requests that claim the same batch with different bodies have different names, so that neither
/// overwrites the other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentName<'a> {
    /// Client that sent it.
    pub client: &'a ClientId,
    /// Its batch.
    pub batch: BatchId,
    /// SHA-256 of the request's body.
    pub body_hash: BodyHash,
}

/// JWEs of batches, each as one object.
#[async_trait]
pub trait BatchContents: Send + Sync {
    /// Stores a JWE. A repeated call changes nothing.
    async fn put(&self, name: ContentName<'_>, data: &EncryptedEnrollmentData) -> Result<(), StoreError>;
    /// Reads a JWE; `None` where it is not there.
    async fn get(&self, name: ContentName<'_>) -> Result<Option<EncryptedEnrollmentData>, StoreError>;
    /// Deletes a JWE. A repeated call changes nothing.
    async fn delete(&self, name: ContentName<'_>) -> Result<(), StoreError>;
}
