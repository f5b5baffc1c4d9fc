//! The Mastercard stand-in, seen from behind: what it holds, and what shall go wrong in it.

use std::fs::File;

use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call;
use crate::card::Card;
use crate::settlement;
use crate::stack::Stack;

/// An account that MRS holds.
#[derive(Debug, Clone, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Counts up.
    #[serde(rename = "accountId")]
    pub place: usize,
    /// What the product calls it.
    pub bank_customer_number: String,
    /// What MRS calls it.
    pub ranac: String,
    /// Its program.
    pub program: String,
    /// Last four digits.
    pub last4: String,
    /// `NEW`, `CANCELLED`, …
    pub status: String,
}

/// A number that makes something happen.
#[derive(Debug, Clone, Deserialize)]
pub struct TestCard {
    /// All digits.
    pub number: String,
    /// What happens.
    pub what: String,
}

/// All that MRS holds.
pub fn accounts() -> Vec<Account> {
    read("/accounts")
}

/// The highest id of an account; accounts that were taken away leave gaps below it.
pub(crate) fn last_account() -> usize {
    accounts()
        .iter()
        .map(|account| account.place)
        .max()
        .unwrap_or_default()
}

/// The account of a card that was enrolled.
pub fn account(ranac: &str) -> Account {
    accounts()
        .into_iter()
        .find(|account| account.ranac == ranac)
        .expect("MRS holds it")
}

/// Whether MRS holds a card that is not cancelled under this RANAC.
pub fn is_active(ranac: &str) -> bool {
    account(ranac).status != "CANCELLED"
}

/// Cancels a card at MRS, past the product.
pub fn cancel(ranac: &str) {
    let body = json!({"status": "CANCELLED"}).to_string();
    let answer = call::post_json(&address(&format!("/accounts/{ranac}/status")), &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// What MRS has come to hold for a card since the test made it.
pub fn accounts_of(card: &Card) -> Vec<Account> {
    let mut accounts = accounts();
    accounts.retain(|account| account.place > card.accounts_before && account.last4 == card.last4());
    accounts
}

/// The numbers that make something happen.
pub fn test_cards() -> Vec<TestCard> {
    read("/cards")
}

/// The stand-in takes orders for "the next call of this operation", whoever makes it: so a test that orders a fault has
/// MRS to itself until it was served, over all threads and processes that test this stack.
#[derive(Debug)]
pub struct Turn {
    file: File,
    orders: bool,
}

impl Turn {
    /// To call MRS without a fault, at the same time as others do.
    pub fn shared() -> Self {
        let (gate, file) = files();
        file.lock_shared().expect("a file can be locked");
        drop(gate);
        Self { file, orders: false }
    }

    /// To call MRS alone, with these faults.
    pub fn disturbed(orders: &[Value]) -> Self {
        let (gate, file) = files();
        file.lock().expect("a file can be locked");
        drop(gate);
        let turn = Self { file, orders: true };
        clear();
        if orders
            .iter()
            .any(|order| order["operation"] == "updateCustomerAccount")
        {
            settlement::wait_until_cards_are_gone();
        }
        for order in orders {
            let answer = call::post_json(&address("/faults"), &order.to_string());
            assert_eq!(answer.status, 201, "{order}: {}", answer.text());
        }
        turn
    }

    /// The orders that nobody has run into.
    pub fn unserved(&self) -> Vec<Value> {
        if self.orders { read("/faults") } else { Vec::new() }
    }

    /// Takes the orders back that nobody has run into. MRS stays this test's own.
    pub fn hears_again(&self) {
        if self.orders {
            clear();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.orders && !std::thread::panicking() {
            clear();
        }
        // Closing it would do the same, later than the next one could begin.
        self.file.unlock().ok();
    }
}

/// Who waits for a turn holds the gate, so that those who come later wait behind it.
fn files() -> (File, File) {
    let open = |name: &str| {
        let place = Stack::here().file(name);
        File::options()
            .create(true)
            .append(true)
            .open(place)
            .expect("the stack's folder can be written")
    };
    let gate = open("flows.gate");
    gate.lock().expect("a file can be locked");
    (gate, open("flows.turn"))
}

fn clear() {
    let request = Request::delete(address("/faults"))
        .body(Vec::new())
        .expect("an address");
    assert_eq!(call::send(request).status, 204);
}

fn read<T: serde::de::DeserializeOwned>(path: &str) -> T {
    let answer = call::get(&address(path));
    assert_eq!(answer.status, 200, "{path}");
    serde_json::from_slice(&answer.bytes).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn address(path: &str) -> String {
    format!("{}{path}", Stack::here().endpoints.admin)
}
