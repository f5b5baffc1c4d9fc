//! Envelope encryption of personal data in the tables (`docs/contract.md#sealing`). `docs/envelope.md` describes the
//! bytes, with test vectors.
//!
//! A data key belongs to one client, one purpose and one period (a month in UTC). KMS makes and wraps it; the `keys`
//! table stores the wrapped form. Each sealed value has a key of its own, derived from the data key and a fresh salt.

mod blind_index;
mod data_keys;
mod format;
mod kms;
mod names;
mod stored_keys;

use std::sync::Arc;

use enrollment::clock::Clock;
use enrollment::identifiers::ClientId;
use enrollment::log::{LogText, by_display};
use enrollment::ports::StoreError;
use enrollment::randomness::Randomness;
use jiff::SignedDuration;
use zeroize::Zeroizing;

use data_keys::DataKeys;
pub use data_keys::{DataKey, GeneratedKey, KeyWrapper, WrappedKeys};
pub use format::Location;
pub use kms::KmsKeyWrapper;
pub use names::{KeyName, Period, Purpose};
pub use stored_keys::DynamoWrappedKeys;

/// Seals and opens values, and makes blind indexes.
pub struct Vault {
    keys: DataKeys,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

/// Lifetime and number of the unwrapped data keys in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCaching {
    /// Lifetime of a cached key. Then KMS is called again, so a key that was disabled there stops working here.
    pub max_age: SignedDuration,
    /// Number of cached keys. Above it the least recently used key is wiped.
    pub max_count: usize,
}

impl Default for KeyCaching {
    fn default() -> Self {
        Self {
            max_age: SignedDuration::from_hours(1),
            max_count: 1000,
        }
    }
}

/// Error of the vault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The bytes are not a sealed value.
    #[error("not a sealed value: {0}")]
    Malformed(&'static str),
    /// The value has a format that this release does not know.
    #[error("sealed in format {0}, which this release does not know")]
    UnknownFormat(u8),
    /// No data key has this name.
    #[error("no data key {0}")]
    UnknownKey(KeyName),
    /// The bytes were changed, or belong to another place, client or purpose.
    #[error("the authentication tag does not match")]
    Forged,
    /// The wrapped key does not unwrap to a key.
    #[error("the wrapped key {0} is damaged")]
    DamagedKey(KeyName),
    /// KMS or the `keys` table is not available.
    #[error("{operation} failed: {detail}")]
    Unavailable {
        /// Operation that failed.
        operation: &'static str,
        /// Cause of the failure.
        detail: LogText,
    },
}

// Keys are named by client, purpose and month.
by_display!(VaultError);

impl VaultError {
    /// Converts into the error of the ports.
    pub fn into_store_error(self, operation: &'static str) -> StoreError {
        match self {
            Self::Unavailable {
                operation: inner,
                detail,
            } => StoreError::unavailable(operation, LogText::from(inner).because(detail)),
            damaged => StoreError::unreadable(operation, LogText::of(damaged)),
        }
    }
}

impl Vault {
    /// Vault over stored wrapped keys and the service that unwraps them.
    pub fn new(
        wrapper: Arc<dyn KeyWrapper>,
        stored: Arc<dyn WrappedKeys>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
        caching: KeyCaching,
    ) -> Self {
        Self {
            keys: DataKeys::new(wrapper, stored, Arc::clone(&clock), caching),
            clock,
            randomness,
        }
    }

    /// Seals `plain` for one attribute of one item, under the client's key of the current month.
    pub async fn seal(
        &self,
        client: &ClientId,
        purpose: Purpose,
        location: Location<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let name = KeyName::new(client, purpose, Period::month_of(self.clock.now()));
        let key = self.keys.current(&name).await?;
        let mut salt = [0; format::SALT_LENGTH];
        let mut nonce = [0; format::NONCE_LENGTH];
        self.randomness.fill(&mut salt);
        self.randomness.fill(&mut nonce);
        format::seal(&key, &name, location, salt, nonce, plain)
    }

    /// Opens a value that [`Self::seal`] made for the same client, purpose and place, in this month or an earlier one.
    pub async fn open(
        &self,
        client: &ClientId,
        purpose: Purpose,
        location: Location<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let parts = format::Parts::read(sealed)?;
        let name = KeyName::new(client, purpose, parts.period.clone());
        let key = self.keys.existing(&name).await?;
        format::open(&key, &name, location, &parts)
    }

    /// Returns a keyed hash (64 hexadecimal digits) by which an item is found without storing its name. `field` is the
    /// logical field, such as `customer`. Equal values of two clients or two fields have different hashes.
    pub async fn blind_index(
        &self,
        client: &ClientId,
        field: &str,
        value: &str,
    ) -> Result<String, VaultError> {
        let name = KeyName::new(client, Purpose::BlindIndex, Period::blind_index());
        let key = self.keys.current(&name).await?;
        Ok(blind_index::of(&key, &name, field, value))
    }
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
