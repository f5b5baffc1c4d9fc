//! The accounts themselves, and the ways of finding one.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::card_key::CardDigest;
use super::dialect::Dialect;

/// One account, without its card number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    #[serde(rename = "accountId")]
    pub(crate) id: usize,
    pub(crate) customer_id: usize,
    pub(crate) bank_customer_number: String,
    pub(crate) ranac: String,
    pub(crate) program: String,
    pub(crate) product_code: String,
    pub(crate) last4: String,
    pub(crate) status: Status,
    /// Answers about an account come in the vocabulary that it was enrolled in.
    pub(crate) dialect: Dialect,
    /// None where a test put the account in: nobody knows its number.
    #[serde(skip)]
    pub(crate) card: Option<CardDigest>,
}

/// Status of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    New,
    GoodStanding,
    Cancelled,
}

/// All accounts, oldest first.
#[derive(Default)]
pub(crate) struct AccountTable {
    accounts: Vec<Account>,
    by_ranac: HashMap<String, usize>,
    by_customer: HashMap<String, Vec<usize>>,
    /// Active accounts only.
    by_card: HashMap<CardDigest, usize>,
    /// Ids count up, and none is given twice.
    last_id: usize,
    /// Counts the changes.
    version: u64,
}

impl AccountTable {
    pub(crate) fn of(accounts: Vec<Account>) -> Self {
        let mut table = Self::default();
        for account in accounts {
            table.index(&account, table.accounts.len());
            table.accounts.push(account);
        }
        table
    }

    pub(crate) fn all(&self) -> &[Account] {
        &self.accounts
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn by_ranac(&self, ranac: &str) -> Option<&Account> {
        self.by_ranac.get(ranac).map(|place| &self.accounts[*place])
    }

    /// A customer's accounts, oldest first.
    pub(crate) fn of_customer(&self, bank_customer_number: &str) -> impl Iterator<Item = &Account> {
        let places = self.by_customer.get(bank_customer_number);
        places.into_iter().flatten().map(|place| &self.accounts[*place])
    }

    /// Whether an active account has this card.
    pub(crate) fn has_active(&self, card: &CardDigest) -> bool {
        self.by_card.contains_key(card)
    }

    /// Adds an account under numbers of its own: those that it came with do not count.
    pub(crate) fn add(&mut self, mut account: Account) -> &Account {
        account.id = self.last_id + 1;
        account.customer_id = self
            .of_customer(&account.bank_customer_number)
            .next()
            .map_or(account.id, |earlier| earlier.customer_id);
        let place = self.accounts.len();
        self.index(&account, place);
        self.accounts.push(account);
        self.version += 1;
        &self.accounts[place]
    }

    /// Sets the status of an account. None where there is no such account.
    pub(crate) fn set_status(&mut self, ranac: &str, status: Status) -> Option<&Account> {
        let place = *self.by_ranac.get(ranac)?;
        let account = &mut self.accounts[place];
        account.status = status;
        match account.card {
            Some(card) if status == Status::Cancelled => {
                self.by_card.remove(&card);
            }
            Some(card) => {
                self.by_card.insert(card, place);
            }
            None => {}
        }
        self.version += 1;
        Some(&self.accounts[place])
    }

    /// Removes an account. Returns whether it was there.
    pub(crate) fn remove(&mut self, ranac: &str) -> bool {
        let Some(place) = self.by_ranac.get(ranac).copied() else {
            return false;
        };
        let mut accounts = std::mem::take(&mut self.accounts);
        accounts.remove(place);
        *self = Self {
            last_id: self.last_id,
            version: self.version + 1,
            ..Self::of(accounts)
        };
        true
    }

    pub(crate) fn clear(&mut self) {
        *self = Self {
            version: self.version + 1,
            ..Self::default()
        };
    }

    fn index(&mut self, account: &Account, place: usize) {
        self.last_id = self.last_id.max(account.id);
        self.by_ranac.insert(account.ranac.clone(), place);
        self.by_customer
            .entry(account.bank_customer_number.clone())
            .or_default()
            .push(place);
        if let Some(card) = account.card
            && account.status != Status::Cancelled
        {
            self.by_card.insert(card, place);
        }
    }
}

impl Status {
    /// The status as a value of `accountStatusDesc`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::GoodStanding => "GOOD_STANDING",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The status as a value of `accountStatusId`.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::New | Self::GoodStanding => 1,
            Self::Cancelled => 3,
        }
    }
}
