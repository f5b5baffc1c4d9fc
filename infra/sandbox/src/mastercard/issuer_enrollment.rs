//! The Issuer Enrollment API (Click to Pay): batches of cards, their status, the deletion of one card; and the key lists.
//!
//! A call passes these steps: its OAuth signature ([`oauth`]), a fault on demand if one is due, the rules ([`rules`]). It
//! shares no code with the product's client, signer or encryption. Assumptions about the real one are marked where they are
//! made; the README lists them.

mod answer;
mod batches;
mod content;
mod encryption;
mod oauth;
mod rules;
mod service;
mod test_cards;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use self::batches::{BatchView, CardView};
pub(crate) use self::service::router;
pub(crate) use self::test_cards::{ISSUER_CARDS, IssuerCard};

use self::batches::Batches;
use self::encryption::EncryptionKey;
use self::oauth::Verifier;
use crate::clock::Clock;
use crate::faults::FaultQueue;

/// File with Mastercard's private key for batches; the API is served only where it is there.
pub(crate) const ENCRYPTION_KEY_FILE: &str = "issuer-encryption.key.pem";
/// File with the public half of the OAuth key.
pub(crate) const SIGNING_KEY_FILE: &str = "issuer-signing.pub.pem";

/// Consumer key of the one project that the stand-in knows.
pub const CONSUMER_KEY: &str =
    "SandboxClient0000000000000000000000000000000000x!SandboxKey00000000000000000000000000000000000000x";

/// Key id of Mastercard's public key in the key lists, in the form of the real one.
pub const KEY_ID: &str = "20260401120000-local-fpan-encryption-src-mastercard-int";

/// State, keys and settings of the API.
pub(crate) struct IssuerEnrollment {
    pub(crate) faults: Arc<FaultQueue>,
    key: EncryptionKey,
    verifier: Verifier,
    clock: Clock,
    batches: Mutex<Batches>,
    settings: Mutex<IssuerSettings>,
}

/// Settings that the admin listener changes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct IssuerSettings {
    /// Time for which a batch is in progress.
    pub(crate) work_ms: u64,
    pub(crate) dialect: Dialect,
    pub(crate) wrapping: Wrapping,
    /// Calls a second beyond which all are answered 429; 0 for any number.
    pub(crate) calls_per_second: u32,
}

/// Names of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dialect {
    Legacy,
    Successor,
}

/// Form of an error of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Wrapping {
    /// `{"status",…}`
    Bare,
    /// `{"error":{"status",…}}`
    Error,
}

/// Agreement with an issuer about tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Immediate,
    AtFirstCheckout,
    PreProvisioned,
}

/// Issuer that the stand-in knows.
pub(crate) struct Issuer {
    pub(crate) src_client_id: &'static str,
    pub(crate) service_id: &'static str,
    pub(crate) mode: Mode,
}

const SERVICE_ID: &str = "SRC-DEMO#01";

/// One issuer for each mode.
pub(crate) const ISSUERS: [Issuer; 3] = [
    Issuer {
        src_client_id: "0a1b2c3d-0000-4000-8000-000000000001",
        service_id: SERVICE_ID,
        mode: Mode::Immediate,
    },
    Issuer {
        src_client_id: "0a1b2c3d-0000-4000-8000-000000000002",
        service_id: SERVICE_ID,
        mode: Mode::AtFirstCheckout,
    },
    Issuer {
        src_client_id: "0a1b2c3d-0000-4000-8000-000000000003",
        service_id: SERVICE_ID,
        mode: Mode::PreProvisioned,
    },
];

/// Account ranges of every issuer.
pub(crate) const RANGES: [(&str, &str); 2] = [("523400", "523499"), ("541234", "541234")];

/// Reason for which the API can't be served. The text names the file.
#[derive(Debug, thiserror::Error)]
pub enum IssuerKeyError {
    /// A file is absent, or is not what its name says.
    #[error("{0} is not an RSA key in PEM")]
    Key(std::path::PathBuf),
}

impl Default for IssuerSettings {
    fn default() -> Self {
        Self {
            work_ms: 2_000,
            dialect: Dialect::Legacy,
            wrapping: Wrapping::Bare,
            calls_per_second: 0,
        }
    }
}

impl IssuerEnrollment {
    /// Reads the keys; `None` where the folder has none of them.
    pub(crate) fn new(
        pki: &Path,
        faults: Arc<FaultQueue>,
        clock: Clock,
    ) -> Result<Option<Self>, IssuerKeyError> {
        let (private, public) = (pki.join(ENCRYPTION_KEY_FILE), pki.join(SIGNING_KEY_FILE));
        if !private.is_file() && !public.is_file() {
            return Ok(None);
        }
        let read =
            |file: &Path| std::fs::read_to_string(file).map_err(|_| IssuerKeyError::Key(file.to_owned()));
        let key = EncryptionKey::from_pem(&read(&private)?).map_err(|_| IssuerKeyError::Key(private))?;
        let verifier = Verifier::from_pem(&read(&public)?).map_err(|_| IssuerKeyError::Key(public))?;
        Ok(Some(Self {
            faults,
            key,
            verifier,
            clock,
            batches: Mutex::default(),
            settings: Mutex::default(),
        }))
    }

    /// Mastercard's public key for batches, as the key list has it.
    pub(crate) fn public_key(&self) -> rsa::RsaPublicKey {
        self.key.public_key()
    }

    pub(crate) fn settings(&self) -> IssuerSettings {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, settings: IssuerSettings) {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = settings;
    }

    pub(crate) fn batch_views(&self) -> Vec<BatchView> {
        self.batches().views()
    }

    pub(crate) fn card_views(&self) -> Vec<CardView> {
        self.batches().card_views()
    }

    /// Ends the work on all batches at once.
    pub(crate) fn finish(&self) {
        self.batches().finish();
    }

    pub(crate) fn reset(&self) {
        *self.batches() = Batches::default();
        self.set(IssuerSettings::default());
    }

    fn work(&self) -> Duration {
        Duration::from_millis(self.settings().work_ms)
    }

    fn batches(&self) -> MutexGuard<'_, Batches> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
