//! Data keys without KMS.

use async_trait::async_trait;
use enrollment::randomness::Randomness as _;
use platform::SystemRandomness;
use platform::vault::{DataKey, GeneratedKey, KeyName, KeyWrapper, VaultError};

/// "Wraps" a data key by writing its name in front of it: for tests that ask for many keys and nothing of KMS.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalWrapper;

#[async_trait]
impl KeyWrapper for LocalWrapper {
    async fn generate(&self, name: &KeyName) -> Result<GeneratedKey, VaultError> {
        let mut key = [0; 32];
        SystemRandomness.fill(&mut key);
        Ok(GeneratedKey {
            key: DataKey::new(&key).expect("a data key has 32 bytes"),
            wrapped: [name.to_string().as_bytes(), &key].concat(),
        })
    }

    async fn unwrap(&self, name: &KeyName, wrapped: &[u8]) -> Result<DataKey, VaultError> {
        wrapped
            .strip_prefix(name.to_string().as_bytes())
            .and_then(DataKey::new)
            .ok_or_else(|| VaultError::DamagedKey(name.clone()))
    }
}
