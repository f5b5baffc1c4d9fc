//! Admin interface of the Mastercard stand-in.

use serde::Deserialize;

use crate::call;
use crate::stack::Stack;

/// Account at MRS.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Serial number.
    #[serde(rename = "accountId")]
    pub place: usize,
    /// Bank customer number.
    pub bank_customer_number: String,
    /// RANAC.
    pub ranac: String,
    /// Program.
    pub program: String,
    /// Last four digits.
    pub last4: String,
    /// Status: `NEW`, `CANCELLED`, …
    pub status: String,
}

/// All accounts at MRS.
pub fn accounts() -> Vec<Account> {
    read("/accounts")
}

/// Highest serial number. Accounts that were taken away leave gaps below it.
pub(crate) fn last_account() -> usize {
    accounts()
        .iter()
        .map(|account| account.place)
        .max()
        .unwrap_or_default()
}

/// Content of an admin address.
pub(crate) fn read<T: serde::de::DeserializeOwned>(path: &str) -> T {
    let answer = call::get(&address(path));
    assert_eq!(answer.status, 200, "{path}");
    serde_json::from_slice(&answer.bytes).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Admin address of a path.
pub(crate) fn address(path: &str) -> String {
    format!("{}{path}", Stack::here().endpoints.admin)
}
