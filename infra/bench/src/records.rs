//! CPU time of sealing and opening a stored value, as a warm function does it: its data key is in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use enrollment::identifiers::ClientId;
use platform::vault::{
    DataKey, GeneratedKey, KeyCaching, KeyName, KeyWrapper, Location, Purpose, Vault, VaultError, WrappedKeys,
};
use platform::{SystemClock, SystemRandomness};

use crate::cpu_time;

/// Lengths of plaintexts, in bytes: a customer's id, and the results of a batch.
const LENGTHS: [usize; 2] = [32, 32 * 1024];

/// Measures both operations at both lengths.
pub(crate) fn measure() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let vault = Vault::new(
        Arc::new(OneKey),
        Arc::new(InMemory::default()),
        Arc::new(SystemClock),
        Arc::new(SystemRandomness),
        KeyCaching::default(),
    );
    let client = ClientId::parse("bench")?;
    let location = Location {
        table: "enrollments",
        pk: "intent#00000000-0000-4000-8000-000000000000",
        sk: "intent",
        attribute: "customer",
    };
    println!("\nStored values under a data key in memory, CPU time on one core; not judged");
    println!("{:<44}{:>10}{:>10}", "", "seal us", "open us");
    for length in LENGTHS {
        let plain = vec![b'x'; length];
        let seal = || runtime.block_on(vault.seal(&client, Purpose::Enrollment, location, &plain));
        let sealed = seal()?;
        let sealing = cpu_time::of(|| {
            std::hint::black_box(seal()?);
            Ok(())
        })?;
        let opening = cpu_time::of(|| {
            let opened = runtime.block_on(vault.open(&client, Purpose::Enrollment, location, &sealed))?;
            std::hint::black_box(opened);
            Ok(())
        })?;
        println!(
            "{:<44}{:>10.1}{:>10.1}",
            format!("{length} bytes"),
            sealing.as_secs_f64() * 1e6,
            opening.as_secs_f64() * 1e6
        );
    }
    Ok(())
}

/// One data key in place of KMS, which a warm function does not call.
struct OneKey;

#[async_trait]
impl KeyWrapper for OneKey {
    async fn generate(&self, name: &KeyName) -> Result<GeneratedKey, VaultError> {
        Ok(GeneratedKey {
            key: self.unwrap(name, &[]).await?,
            wrapped: Vec::new(),
        })
    }

    async fn unwrap(&self, name: &KeyName, _wrapped: &[u8]) -> Result<DataKey, VaultError> {
        DataKey::new(&[7; 32])
            .context("32 bytes")
            .map_err(|_| VaultError::DamagedKey(name.clone()))
    }
}

/// Wrapped keys in memory in place of the table.
#[derive(Default)]
struct InMemory(Mutex<HashMap<String, Vec<u8>>>);

#[async_trait]
impl WrappedKeys for InMemory {
    async fn find(&self, name: &KeyName) -> Result<Option<Vec<u8>>, VaultError> {
        let keys = self.0.lock().map_err(|_| VaultError::UnknownKey(name.clone()))?;
        Ok(keys.get(&name.to_string()).cloned())
    }

    async fn insert(&self, name: &KeyName, wrapped: &[u8]) -> Result<bool, VaultError> {
        let mut keys = self.0.lock().map_err(|_| VaultError::UnknownKey(name.clone()))?;
        Ok(keys.insert(name.to_string(), wrapped.to_vec()).is_none())
    }
}
