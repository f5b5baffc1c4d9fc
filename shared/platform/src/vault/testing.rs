//! Keys in memory, for the vault's own tests.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};

use super::{DataKey, GeneratedKey, KeyName, KeyWrapper, VaultError, WrappedKeys};

/// Wraps a key by writing client and purpose beside it, and counts its calls.
#[derive(Default)]
pub(crate) struct InMemoryWrapper {
    pub(crate) calls: AtomicUsize,
}

impl InMemoryWrapper {
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn context(name: &KeyName) -> Vec<u8> {
    digest(
        &SHA256,
        format!("{}|{}", name.client, name.purpose.as_str()).as_bytes(),
    )
    .as_ref()
    .to_vec()
}

#[async_trait]
impl KeyWrapper for InMemoryWrapper {
    async fn generate(&self, name: &KeyName) -> Result<GeneratedKey, VaultError> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let key = digest(&SHA256, format!("{name}|{number}").as_bytes());
        let wrapped = [context(name), key.as_ref().to_vec()].concat();
        Ok(GeneratedKey {
            key: DataKey::new(key.as_ref()).unwrap(),
            wrapped,
        })
    }

    async fn unwrap(&self, name: &KeyName, wrapped: &[u8]) -> Result<DataKey, VaultError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let key = wrapped.strip_prefix(context(name).as_slice());
        key.and_then(DataKey::new)
            .ok_or_else(|| VaultError::DamagedKey(name.clone()))
    }
}

/// Keys by name. The first `misses` reads find nothing although the key is stored, as in a process that loses a race.
#[derive(Default)]
pub(crate) struct InMemoryKeys {
    keys: Mutex<HashMap<String, Vec<u8>>>,
    pub(crate) misses: AtomicUsize,
}

#[async_trait]
impl WrappedKeys for InMemoryKeys {
    async fn find(&self, name: &KeyName) -> Result<Option<Vec<u8>>, VaultError> {
        let missed = self
            .misses
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok();
        Ok(self
            .keys
            .lock()
            .unwrap()
            .get(&name.to_string())
            .filter(|_| !missed)
            .cloned())
    }

    async fn insert(&self, name: &KeyName, wrapped: &[u8]) -> Result<bool, VaultError> {
        let mut keys = self.keys.lock().unwrap();
        if keys.contains_key(&name.to_string()) {
            return Ok(false);
        }
        keys.insert(name.to_string(), wrapped.to_vec());
        Ok(true)
    }
}
