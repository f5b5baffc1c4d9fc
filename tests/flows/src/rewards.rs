//! The Mastercard stand-in, seen from behind: what it holds, and what shall go wrong in it.

use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call;
use crate::card::Card;
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

/// What shall go wrong at the stand-in; taken back when dropped.
#[derive(Debug)]
#[must_use]
pub struct Faults {
    ids: Vec<u64>,
}

impl Faults {
    /// The next calls about this card go wrong, those about others don't.
    pub fn about(card: &Card, orders: &[Value]) -> Self {
        let about_it = |order: &Value| {
            let mut order = order.clone();
            order["card"] = card.number.as_str().into();
            ordered(&order)
        };
        Self {
            ids: orders.iter().map(about_it).collect(),
        }
    }

    /// A call goes wrong, whoever calls next: for a test that has the stand-in to itself.
    pub fn of_anyone(order: &Value) -> Self {
        Self {
            ids: vec![ordered(order)],
        }
    }

    /// The orders that nobody has run into, or not as often as they say.
    pub fn unserved(&self) -> Vec<Value> {
        let mut open: Vec<Value> = read("/faults");
        open.retain(|order| order["id"].as_u64().is_some_and(|id| self.ids.contains(&id)));
        open
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return; // A second panic would hide the first.
        }
        for id in &self.ids {
            let request = Request::delete(address(&format!("/faults/{id}"))).body(Vec::new());
            let status = call::send(request.expect("an address")).status;
            assert!([204, 404].contains(&status), "{status}");
        }
    }
}

/// Gives the number of the order.
fn ordered(order: &Value) -> u64 {
    let answer = call::post_json(&address("/faults"), &order.to_string());
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_u64().expect("an order has a number")
}

fn read<T: serde::de::DeserializeOwned>(path: &str) -> T {
    let answer = call::get(&address(path));
    assert_eq!(answer.status, 200, "{path}");
    serde_json::from_slice(&answer.bytes).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn address(path: &str) -> String {
    format!("{}{path}", Stack::here().endpoints.admin)
}
