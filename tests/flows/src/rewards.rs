//! Mastercard stand-in: its accounts, and the faults that it shall show.

use http::Request;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call;
use crate::card::Card;
use crate::mrs_admin::{address, read};

pub use crate::mrs_admin::{Account, accounts};

/// Card number with a fault.
#[derive(Debug, Clone, Deserialize)]
pub struct TestCard {
    /// All digits.
    pub number: String,
    /// Fault of the number.
    pub what: String,
}

/// Account of an enrolled card.
pub fn account(ranac: &str) -> Account {
    accounts()
        .into_iter()
        .find(|account| account.ranac == ranac)
        .expect("MRS holds it")
}

/// Whether MRS has a card under this RANAC that is not cancelled.
pub fn is_active(ranac: &str) -> bool {
    account(ranac).status != "CANCELLED"
}

/// Cancels a card at MRS without the product.
pub fn cancel(ranac: &str) {
    let body = json!({"status": "CANCELLED"}).to_string();
    let answer = call::post_json(&address(&format!("/accounts/{ranac}/status")), &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Accounts that MRS has made for a card since the test made it.
pub fn accounts_of(card: &Card) -> Vec<Account> {
    let mut accounts = accounts();
    accounts.retain(|account| account.place > card.accounts_before && account.last4 == card.last4());
    accounts
}

/// Card numbers with a fault.
pub fn test_cards() -> Vec<TestCard> {
    read("/cards")
}

/// Fault ordered at the stand-in. Dropping it cancels the order.
#[derive(Debug)]
#[must_use]
pub struct Faults {
    ids: Vec<u64>,
}

impl Faults {
    /// Orders a fault for the next calls about this card.
    pub fn about(card: &Card, orders: &[Value]) -> Self {
        Self::naming("card", &card.number, orders)
    }

    /// Orders a fault for the next calls about the batch with this `externalBatchId`.
    pub fn about_batch(id: &str, orders: &[Value]) -> Self {
        Self::naming("batch", id, orders)
    }

    fn naming(member: &str, value: &str, orders: &[Value]) -> Self {
        let about_it = |order: &Value| {
            let mut order = order.clone();
            order[member] = value.into();
            ordered(&order)
        };
        Self {
            ids: orders.iter().map(about_it).collect(),
        }
    }

    /// Orders a fault for the next call about any card, for a test that runs alone.
    pub fn of_anyone(order: &Value) -> Self {
        Self {
            ids: vec![ordered(order)],
        }
    }

    /// Orders that were not served as often as ordered.
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

/// Places an order and gives its number.
fn ordered(order: &Value) -> u64 {
    let answer = call::post_json(&address("/faults"), &order.to_string());
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_u64().expect("an order has a number")
}
