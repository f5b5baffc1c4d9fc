//! Key that pages encrypt card numbers under. It is stored in a secret and has to be allowed by the deployment, so
//! write access to the secret alone can't redirect card numbers to a foreign key.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use enrollment::log::LogText;
use enrollment::ports::{EncryptionKey, EncryptionKeys, StoreError};

use crate::metrics::Metrics;
use crate::secrets::{ENCRYPTION, Secrets};

/// Fingerprints of the keys that pages may encrypt under: SHA-256 of the `SubjectPublicKeyInfo` DER in lower-case
/// hexadecimal. Two while a key is rotated. An empty list allows no key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardKeyFingerprints(Vec<String>);

/// Text that is not a list of fingerprints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a list of SHA-256 fingerprints, 64 hexadecimal digits each, separated by commas")]
pub struct FingerprintsError;

impl CardKeyFingerprints {
    /// Whether pages may encrypt under the key with this fingerprint.
    pub fn allow(&self, fingerprint: &str) -> bool {
        self.0
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(fingerprint))
    }
}

impl FromStr for CardKeyFingerprints {
    type Err = FingerprintsError;

    fn from_str(text: &str) -> Result<Self, FingerprintsError> {
        let is_fingerprint =
            |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let fingerprint = |text: &str| {
            let text = text.trim();
            is_fingerprint(text)
                .then(|| text.to_ascii_lowercase())
                .ok_or(FingerprintsError)
        };
        text.split(',')
            .map(fingerprint)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl fmt::Display for CardKeyFingerprints {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join(","))
    }
}

/// Port [`EncryptionKeys`] of a deployed function.
pub struct CardKeys {
    secrets: Arc<Secrets>,
    allowed: CardKeyFingerprints,
    metrics: Metrics,
}

impl CardKeys {
    /// Key of `secrets`, if `allowed` has its fingerprint. Refused keys are counted in `metrics`.
    pub fn new(secrets: Arc<Secrets>, allowed: CardKeyFingerprints, metrics: Metrics) -> Self {
        Self {
            secrets,
            allowed,
            metrics,
        }
    }
}

#[async_trait]
impl EncryptionKeys for CardKeys {
    async fn current(&self) -> Result<EncryptionKey, StoreError> {
        let key = self.secrets.encryption_key().await?;
        if self.allowed.allow(&key.fingerprint) {
            return Ok(key);
        }
        self.metrics.card_key_refused();
        Err(StoreError::unreadable(
            "choosing the key for card numbers",
            LogText::from(ENCRYPTION).because(LogText::from("its key is none of CardKeyFingerprints")),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const OTHER: &str = "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde0";

    #[test]
    fn only_listed_fingerprints_are_allowed() {
        let both: CardKeyFingerprints = format!("{}, {OTHER}", ONE.to_uppercase()).parse().unwrap();
        assert!(both.allow(ONE) && both.allow(OTHER));
        assert_eq!(both.to_string(), format!("{ONE},{OTHER}"));
        let one: CardKeyFingerprints = ONE.parse().unwrap();
        assert!(one.allow(ONE) && !one.allow(OTHER) && !one.allow(""));
        assert!(!CardKeyFingerprints::default().allow(ONE));
    }

    #[test]
    fn other_text_is_refused() {
        for wrong in [
            "",
            ",",
            "abc",
            &ONE[1..],
            &format!("{ONE},"),
            &ONE.replace('a', "g"),
        ] {
            assert_eq!(
                wrong.parse::<CardKeyFingerprints>(),
                Err(FingerprintsError),
                "{wrong}"
            );
        }
    }
}
