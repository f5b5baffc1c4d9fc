//! Envelope encryption of what is personal in the tables (`docs/contract.md#sealing`). The bytes are described, with
//! test vectors, in `docs/envelope.md`.
//!
//! A data key belongs to one client, one purpose and one period (a month in UTC). KMS makes it and wraps it; the wrapped
//! form lies in the `keys` table. Each sealed value has a key of its own, derived from the data key and a fresh salt.

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
pub use format::Place;
pub use kms::KmsKeyWrapper;
pub use names::{KeyName, Period, Purpose};
pub use stored_keys::DynamoWrappedKeys;

/// Seals and opens values, and makes blind indexes.
pub struct Vault {
    keys: DataKeys,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
}

/// How long and how many unwrapped data keys are held in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCaching {
    /// After this time KMS is asked again, so that a key that was disabled there stops working here.
    pub max_age: SignedDuration,
    /// Beyond this count the key used longest ago is wiped.
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

/// Why a value can't be sealed, opened or indexed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The bytes are not a sealed value.
    #[error("not a sealed value: {0}")]
    Malformed(&'static str),
    /// It was sealed in a format that this release does not know.
    #[error("sealed in format {0}, which this release does not know")]
    UnknownFormat(u8),
    /// There is no data key of that name.
    #[error("no data key {0}")]
    UnknownKey(KeyName),
    /// The bytes were changed, or belong to another place, client or purpose.
    #[error("the authentication tag does not match")]
    Forged,
    /// The wrapped key did not unwrap to a key.
    #[error("the wrapped key {0} is damaged")]
    DamagedKey(KeyName),
    /// KMS or the table of keys did not do its work.
    #[error("{operation} failed: {detail}")]
    Unavailable {
        /// What was tried.
        operation: &'static str,
        /// What came back.
        detail: LogText,
    },
}

// Keys are named by client, purpose and month.
by_display!(VaultError);

impl VaultError {
    /// As the ports tell it.
    pub fn into_store_error(self, operation: &'static str) -> StoreError {
        match self {
            Self::Unavailable {
                operation: inner,
                detail,
            } => StoreError::Unavailable {
                operation,
                detail: LogText::from(inner).because(detail),
            },
            damaged => StoreError::Unreadable {
                operation,
                detail: LogText::of(damaged),
            },
        }
    }
}

impl Vault {
    /// A vault over wrapped keys and who can unwrap them.
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

    /// Seals `plain` for one attribute of one item, under the client's key of the running month.
    pub async fn seal(
        &self,
        client: &ClientId,
        purpose: Purpose,
        place: Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let name = KeyName::new(client, purpose, Period::month_of(self.clock.now()));
        let key = self.keys.current(&name).await?;
        let mut salt = [0; format::SALT_LENGTH];
        let mut nonce = [0; format::NONCE_LENGTH];
        self.randomness.fill(&mut salt);
        self.randomness.fill(&mut nonce);
        format::seal(&key, &name, place, salt, nonce, plain)
    }

    /// Opens what [`Self::seal`] made for the same client, purpose and place, in this month or an earlier one.
    pub async fn open(
        &self,
        client: &ClientId,
        purpose: Purpose,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let parts = format::Parts::read(sealed)?;
        let name = KeyName::new(client, purpose, parts.period.clone());
        let key = self.keys.existing(&name).await?;
        format::open(&key, &name, place, &parts)
    }

    /// A keyed hash by which an item is found without its name being stored: 64 hexadecimal digits. `field` is the
    /// logical field, such as `customer`; equal values of two clients or two fields have different indexes.
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
