//! Unwrapped data keys: made, looked up, cached, wiped.

use std::sync::Arc;

use async_trait::async_trait;
use enrollment::clock::Clock;
use zeroize::Zeroizing;

use super::{KeyCaching, KeyName, VaultError};
use crate::aged_cache::AgedCache;

/// Unwrapped data key of 256 bits. It is wiped when its last user drops it.
#[derive(Clone)]
pub struct DataKey(Arc<Zeroizing<[u8; 32]>>);

impl DataKey {
    /// Returns `None` unless there are 32 bytes.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0_u8; 32]);
        if bytes.len() != key.len() {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(Arc::new(key)))
    }

    pub(super) fn expose(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("DataKey(…)")
    }
}

/// New data key in both forms.
#[derive(Debug)]
pub struct GeneratedKey {
    /// Unwrapped, for use.
    pub key: DataKey,
    /// Wrapped, for the table.
    pub wrapped: Vec<u8>,
}

/// Service that makes and unwraps data keys: KMS.
#[async_trait]
pub trait KeyWrapper: Send + Sync {
    /// Makes a data key whose wrapped form is bound to the name's client and purpose.
    async fn generate(&self, name: &KeyName) -> Result<GeneratedKey, VaultError>;
    /// Unwraps a data key. Client and purpose of the name have to be those that it was made for.
    async fn unwrap(&self, name: &KeyName, wrapped: &[u8]) -> Result<DataKey, VaultError>;
}

/// Store of wrapped keys: the `keys` table.
#[async_trait]
pub trait WrappedKeys: Send + Sync {
    /// Returns the wrapped key of that name. The read is consistent.
    async fn find(&self, name: &KeyName) -> Result<Option<Vec<u8>>, VaultError>;
    /// Stores a key unless there is one of that name, and returns whether it did.
    async fn insert(&self, name: &KeyName, wrapped: &[u8]) -> Result<bool, VaultError>;
}

pub(super) struct DataKeys {
    wrapper: Arc<dyn KeyWrapper>,
    stored: Arc<dyn WrappedKeys>,
    unwrapped: AgedCache<KeyName, DataKey>,
}

impl DataKeys {
    pub(super) fn new(
        wrapper: Arc<dyn KeyWrapper>,
        stored: Arc<dyn WrappedKeys>,
        clock: Arc<dyn Clock>,
        caching: KeyCaching,
    ) -> Self {
        Self {
            wrapper,
            stored,
            unwrapped: AgedCache::new(clock, caching.max_age, caching.max_count),
        }
    }

    /// Returns the key of that name, and makes it if there is none.
    pub(super) async fn current(&self, name: &KeyName) -> Result<DataKey, VaultError> {
        self.unwrapped.get_or_load(name, self.find_or_make(name)).await
    }

    /// Returns the existing key of that name. Opening a value never makes a key.
    pub(super) async fn existing(&self, name: &KeyName) -> Result<DataKey, VaultError> {
        let load = async {
            match self.stored.find(name).await? {
                Some(wrapped) => self.wrapper.unwrap(name, &wrapped).await,
                None => Err(VaultError::UnknownKey(name.clone())),
            }
        };
        self.unwrapped.get_or_load(name, load).await
    }

    async fn find_or_make(&self, name: &KeyName) -> Result<DataKey, VaultError> {
        if let Some(wrapped) = self.stored.find(name).await? {
            return self.wrapper.unwrap(name, &wrapped).await;
        }
        let generated = self.wrapper.generate(name).await?;
        if self.stored.insert(name, &generated.wrapped).await? {
            return Ok(generated.key);
        }
        // Another process stored its key first. That one is used; ours has sealed nothing.
        let wrapped = self
            .stored
            .find(name)
            .await?
            .ok_or_else(|| VaultError::UnknownKey(name.clone()))?;
        self.wrapper.unwrap(name, &wrapped).await
    }
}
