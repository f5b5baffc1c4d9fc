//! Changes past the rules, by which a test makes MRS differ from the product's records.

use serde::Deserialize;

use super::account_table::{Account, Status};
use super::accounts::{Accounts, is_ranac};
use super::dialect::Dialect;

/// An account that nobody enrolled.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AddedAccount {
    bank_customer_number: String,
    /// Last four digits: all that MRS reports of a card.
    last4: String,
    /// The first of the programs where absent.
    program: Option<String>,
    /// A random one where absent.
    ranac: Option<String>,
    #[serde(default = "good_standing")]
    status: Status,
    /// The vocabulary of answers about it.
    #[serde(default = "document")]
    dialect: Dialect,
}

/// A status to set.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewStatus {
    pub(crate) status: Status,
}

/// Reason for which such a change is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum OverrideError {
    #[error("there is no account of this RANAC")]
    Unknown,
    #[error("bankCustomerNumber must be 1 to 30 characters")]
    BankCustomerNumber,
    #[error("last4 must be four digits")]
    Last4,
    #[error("ranac must be 20 to 30 digits")]
    Ranac,
    #[error("there is no such program")]
    Program,
    #[error("the RANAC is another account's")]
    RanacTaken,
    #[error("another account has this card meanwhile")]
    CardTaken,
    #[error("the stand-in is full: POST /reset empties it")]
    Full,
}

fn good_standing() -> Status {
    Status::GoodStanding
}

fn document() -> Dialect {
    Dialect::Document
}

impl Accounts {
    /// Adds an account. A customer may have several active ones that way.
    pub(crate) fn put(&self, stray: AddedAccount) -> Result<Account, OverrideError> {
        if !(1..=30).contains(&stray.bank_customer_number.chars().count()) {
            return Err(OverrideError::BankCustomerNumber);
        }
        if stray.last4.len() != 4 || !stray.last4.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(OverrideError::Last4);
        }
        let mut programs = self.settings.programs.iter();
        let program = match &stray.program {
            Some(id) => programs.find(|program| program.id == *id),
            None => programs.next(),
        };
        let program = program.ok_or(OverrideError::Program)?;
        let ranac = match stray.ranac {
            Some(ranac) if !is_ranac(&ranac) => return Err(OverrideError::Ranac),
            Some(ranac) => ranac,
            None => self.new_ranac().map_err(|_| OverrideError::Ranac)?,
        };
        let mut table = self.table();
        if table.by_ranac(&ranac).is_some() {
            return Err(OverrideError::RanacTaken);
        }
        if table.all().len() >= self.settings.max_accounts {
            return Err(OverrideError::Full);
        }
        let account = table.add(Account {
            id: 0,
            customer_id: 0,
            bank_customer_number: stray.bank_customer_number,
            ranac,
            program: program.id.clone(),
            product_code: program.bank_product_code.clone(),
            last4: stray.last4,
            status: stray.status,
            dialect: stray.dialect,
            card: None,
        });
        Ok(account.clone())
    }

    /// Sets a status, also one that no call could: a cancelled account may live again.
    pub(crate) fn set_status(&self, ranac: &str, status: Status) -> Result<Account, OverrideError> {
        let mut table = self.table();
        let account = table.by_ranac(ranac).ok_or(OverrideError::Unknown)?;
        let revives = account.status == Status::Cancelled && status != Status::Cancelled;
        if revives && account.card.is_some_and(|card| table.has_active(&card)) {
            return Err(OverrideError::CardTaken);
        }
        table
            .set_status(ranac, status)
            .cloned()
            .ok_or(OverrideError::Unknown)
    }

    /// Removes an account.
    pub(crate) fn remove(&self, ranac: &str) -> Result<(), OverrideError> {
        if self.table().remove(ranac) {
            Ok(())
        } else {
            Err(OverrideError::Unknown)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::program::MrsSettings;
    use super::super::refusal::Code;
    use super::super::request::{Lookup, Update};
    use super::*;

    const RANAC: &str = "03643782610476418733";

    fn accounts() -> Accounts {
        let settings = MrsSettings {
            max_accounts: 3,
            ..MrsSettings::default()
        };
        Accounts::new(settings, None)
    }

    fn stray(changes: &Value) -> AddedAccount {
        let mut stray = json!({"bankCustomerNumber": "c", "last4": "0123"});
        for (name, value) in changes.as_object().unwrap() {
            stray[name] = value.clone();
        }
        serde_json::from_value(stray).unwrap()
    }

    fn found(accounts: &Accounts) -> Vec<Status> {
        let lookup = Lookup {
            bank_customer_number: "c".to_owned(),
            ranac: None,
        };
        let found = accounts.find(&lookup).unwrap_or_default();
        found.iter().map(|account| account.status).collect()
    }

    #[test]
    fn added_account_is_found_changed_and_cancelled() {
        let accounts = accounts();
        let put = accounts.put(stray(&json!({"ranac": RANAC}))).unwrap();
        assert_eq!(
            (put.program.as_str(), put.status),
            ("10765", Status::GoodStanding)
        );
        let second = accounts.put(stray(&json!({"status": "NEW"}))).unwrap();
        assert_eq!(second.customer_id, put.customer_id);
        assert_eq!(found(&accounts), [Status::GoodStanding, Status::New]);
        let cancel = Update {
            dialect: Dialect::Document,
            ranac: RANAC.to_owned(),
            status: "CANCELLED".to_owned(),
        };
        accounts.update(&cancel).unwrap();
        assert_eq!(found(&accounts), [Status::Cancelled, Status::New]);
        accounts.set_status(RANAC, Status::GoodStanding).unwrap();
        accounts.remove(&second.ranac).unwrap();
        assert_eq!(found(&accounts), [Status::GoodStanding]);
    }

    #[test]
    fn removed_account_is_unknown() {
        let accounts = accounts();
        accounts.put(stray(&json!({"ranac": RANAC}))).unwrap();
        let other = accounts.put(stray(&json!({"bankCustomerNumber": "d"}))).unwrap();
        accounts.remove(RANAC).unwrap();
        assert_eq!(found(&accounts), []);
        let cancel = Update {
            dialect: Dialect::Document,
            ranac: RANAC.to_owned(),
            status: "CANCELLED".to_owned(),
        };
        assert_eq!(
            accounts.update(&cancel).unwrap_err().code,
            Code::ACCOUNT_DOES_NOT_EXIST
        );
        assert_eq!(accounts.remove(RANAC), Err(OverrideError::Unknown));
        // Places have shifted.
        let moved = accounts.set_status(&other.ranac, Status::Cancelled).unwrap();
        assert_eq!(moved.bank_customer_number, "d");
        accounts.remove(&other.ranac).unwrap();
        let next = accounts.put(stray(&json!({}))).unwrap();
        assert_eq!(next.id, 3, "no id is given twice");
    }

    #[test]
    fn impossible_account_is_refused() {
        let accounts = accounts();
        accounts.put(stray(&json!({"ranac": RANAC}))).unwrap();
        for (changes, why) in [
            (
                json!({"bankCustomerNumber": ""}),
                OverrideError::BankCustomerNumber,
            ),
            (json!({"last4": "12x4"}), OverrideError::Last4),
            (json!({"ranac": "1"}), OverrideError::Ranac),
            (json!({"ranac": RANAC}), OverrideError::RanacTaken),
            (json!({"program": "1"}), OverrideError::Program),
        ] {
            assert_eq!(accounts.put(stray(&changes)).err(), Some(why), "{changes}");
        }
        for _ in 0..2 {
            accounts.put(stray(&json!({}))).unwrap();
        }
        assert_eq!(accounts.put(stray(&json!({}))).err(), Some(OverrideError::Full));
        assert_eq!(
            accounts.set_status("1", Status::New).err(),
            Some(OverrideError::Unknown)
        );
    }
}
