//! State file of MRS: its accounts outlive the program.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::account_table::Account;
use super::card_key::CardKey;

/// The form of the file that this release writes, and the only one that it reads.
const VERSION: u32 = 1;

/// Path of the state file.
pub(crate) struct StateFile(PathBuf);

/// Content of the state file.
pub(crate) struct State {
    pub(crate) card_key: CardKey,
    pub(crate) accounts: Vec<Account>,
}

/// Reason for which the state can't be used. The text names the file, never its content.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is there and can't be read.
    #[error("{file} can't be read: {source}", file = file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// It is something else, or another release's.
    #[error("{file} is not a state that this release wrote; delete it to begin anew", file = file.display())]
    Form {
        /// The file.
        file: PathBuf,
    },
    /// It can't be written.
    #[error("{file} can't be written: {source}", file = file.display())]
    Write {
        /// The file.
        file: PathBuf,
        /// Cause.
        source: io::Error,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    version: u32,
    card_key: String,
    accounts: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    account: Account,
    /// The digest of its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<String>,
}

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Reads the state; `None` where no file was written yet.
    pub(crate) fn read(&self) -> Result<Option<State>, StateError> {
        let content = match fs::read(&self.0) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let file = self.0.clone();
                return Err(StateError::Read { file, source });
            }
        };
        let state = serde_json::from_slice(&content).ok().and_then(State::of);
        state
            .map(Some)
            .ok_or_else(|| StateError::Form { file: self.0.clone() })
    }

    /// Writes all of it or nothing: a draft takes the file's place. That is for a program that ends, not for a machine
    /// that does.
    pub(crate) fn write(&self, card_key: &CardKey, accounts: Vec<Account>) -> Result<(), StateError> {
        let written = Written {
            version: VERSION,
            card_key: hex::encode(card_key.bytes()),
            accounts: accounts.into_iter().map(Entry::of).collect(),
        };
        let failed = |source| StateError::Write {
            file: self.0.clone(),
            source,
        };
        let content = serde_json::to_vec(&written).map_err(|error| failed(error.into()))?;
        self.replace(&content).map_err(failed)
    }

    fn replace(&self, content: &[u8]) -> io::Result<()> {
        let mut draft = self.0.clone().into_os_string();
        draft.push(".new");
        // One that a dead process left behind may be open to others.
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)?
            .write_all(content)?;
        fs::rename(&draft, &self.0)
    }
}

impl State {
    fn of(written: Written) -> Option<Self> {
        let Written {
            version,
            card_key,
            accounts,
        } = written;
        let accounts = accounts.into_iter().map(Entry::account);
        Some(Self {
            card_key: CardKey::new(digest(&card_key)?),
            accounts: accounts.collect::<Option<_>>()?,
        })
        .filter(|_| version == VERSION)
    }
}

impl Entry {
    fn of(account: Account) -> Self {
        Self {
            card: account.card.map(hex::encode),
            account,
        }
    }

    fn account(self) -> Option<Account> {
        let card = match self.card {
            Some(text) => Some(digest(&text)?),
            None => None,
        };
        Some(Account { card, ..self.account })
    }
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::account_table::Status;
    use super::super::dialect::Dialect;
    use super::*;

    fn file(name: &str) -> StateFile {
        StateFile::new(std::env::temp_dir().join(format!("sandbox-{name}-{}", std::process::id())))
    }

    fn account(card: Option<[u8; 32]>) -> Account {
        Account {
            id: 1,
            customer_id: 1,
            bank_customer_number: "c".to_owned(),
            ranac: "0".repeat(20),
            program: "10765".to_owned(),
            product_code: "MRSDEMO".to_owned(),
            last4: "0123".to_owned(),
            status: Status::Cancelled,
            dialect: Dialect::Wsdl,
            card,
        }
    }

    #[test]
    fn state_is_read_back_and_is_private_to_its_owner() {
        let file = file("state");
        assert!(file.read().unwrap().is_none());
        let accounts = vec![account(Some([7; 32])), account(None)];
        for _ in 0..2 {
            file.write(&CardKey::new([3; 32]), accounts.clone()).unwrap();
        }
        let state = file.read().unwrap().unwrap();
        assert_eq!((state.accounts, state.card_key.bytes()), (accounts, &[3; 32]));
        let mode = fs::metadata(&file.0).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_file(&file.0).unwrap();
    }

    #[test]
    fn file_of_another_program_or_release_is_kept() {
        let file = file("form");
        let newer = r#"{"version":2,"cardKey":"KEY","accounts":[]}"#.replace("KEY", &"00".repeat(32));
        let short = r#"{"version":1,"cardKey":"00","accounts":[]}"#.to_owned();
        for content in ["", "{}", &newer, &short] {
            fs::write(&file.0, content).unwrap();
            let refused = file.read().err().unwrap();
            assert!(matches!(refused, StateError::Form { .. }), "{content}: {refused}");
        }
        fs::write(&file.0, newer.replace("\"version\":2", "\"version\":1")).unwrap();
        assert!(file.read().unwrap().is_some());
        fs::remove_file(&file.0).unwrap();
    }
}
