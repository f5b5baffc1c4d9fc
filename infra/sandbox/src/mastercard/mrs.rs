//! MRS: its customer service and its diagnostic service, in SOAP 1.1.
//!
//! A call passes these steps: envelope and names ([`request`]), a fault on demand if one is due, the rules ([`accounts`]).
//! Assumptions about the real one are marked where they are made; the README lists them.

mod account_table;
mod accounts;
mod answer;
mod card_key;
mod content;
mod dialect;
mod overrides;
mod pair;
mod program;
mod quote;
mod refusal;
mod request;
mod service;
mod soap;
mod state;
mod test_cards;
mod xml;

use std::sync::Arc;

use tokio::sync::Mutex;

pub use self::dialect::Dialect;
pub use self::program::{BinRange, MrsSettings, Program, SettingsError};
pub use self::state::StateError;

pub(crate) use self::account_table::{Account, Status};
pub(crate) use self::overrides::{AddedAccount, NewStatus, OverrideError};
pub(crate) use self::pair::PairKey;
pub(crate) use self::state::StateFile;
pub(crate) use self::test_cards::{TEST_CARDS, TestCard};

pub(crate) use self::service::router;

use self::accounts::Accounts;
use crate::faults::FaultQueue;

/// The stand-in's state and keys.
pub(crate) struct Mrs {
    pub(crate) faults: Arc<FaultQueue>,
    accounts: Accounts,
    key: PairKey,
    kept: Option<Kept>,
}

/// File that keeps the state, and the version that was written last.
struct Kept {
    file: Arc<StateFile>,
    version: Arc<Mutex<u64>>,
}

impl Mrs {
    /// Resumes from the state in `file`.
    pub(crate) fn new(
        settings: MrsSettings,
        key: PairKey,
        faults: Arc<FaultQueue>,
        file: Option<StateFile>,
    ) -> Result<Self, StateError> {
        let state = file.as_ref().map(StateFile::read).transpose()?.flatten();
        let accounts = Accounts::new(settings, state);
        if let Some(file) = &file {
            // A place that can't be written is told at the start.
            file.write(accounts.card_key(), accounts.all())?;
        }
        let kept = file.map(|file| Kept {
            file: Arc::new(file),
            version: Arc::default(),
        });
        Ok(Self {
            faults,
            accounts,
            key,
            kept,
        })
    }

    pub(crate) fn accounts(&self) -> Vec<Account> {
        self.accounts.all()
    }

    pub(crate) async fn reset(self: &Arc<Self>) {
        self.accounts.clear();
        self.faults.clear();
        self.keep().await;
    }

    pub(crate) async fn put(self: &Arc<Self>, stray: AddedAccount) -> Result<Account, OverrideError> {
        let put = self.accounts.put(stray)?;
        self.keep().await;
        Ok(put)
    }

    pub(crate) async fn set_status(
        self: &Arc<Self>,
        ranac: &str,
        status: Status,
    ) -> Result<Account, OverrideError> {
        let account = self.accounts.set_status(ranac, status)?;
        self.keep().await;
        Ok(account)
    }

    pub(crate) async fn remove(self: &Arc<Self>, ranac: &str) -> Result<(), OverrideError> {
        self.accounts.remove(ranac)?;
        self.keep().await;
        Ok(())
    }

    /// Returns once the file, if there is one, has the present accounts. One caller writes at a time, for all who wait
    /// meanwhile.
    async fn keep(self: &Arc<Self>) {
        let Some(kept) = &self.kept else { return };
        let wanted = self.accounts.version();
        let mut written = Arc::clone(&kept.version).lock_owned().await;
        if *written >= wanted {
            return;
        }
        let (mrs, file) = (Arc::clone(self), Arc::clone(&kept.file));
        // The lock goes along: a caller that leaves does not let a second writer in.
        let writing = tokio::task::spawn_blocking(move || {
            let (version, accounts) = mrs.accounts.snapshot();
            file.write(mrs.accounts.card_key(), accounts)?;
            *written = version;
            Ok::<_, StateError>(())
        });
        if let Ok(Err(error)) = writing.await {
            tracing::error!(%error, "state of MRS not stored");
        }
    }
}

#[cfg(test)]
mod tests;
