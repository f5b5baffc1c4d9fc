//! Records of page, tables, MRS and partner after the run, and their comparison.

use std::collections::{BTreeMap, BTreeSet};

use flows::call;
use flows::local_aws::{Settings, scan};
use flows::rewards::{self, Account};
use flows::stack::Stack;
use flows::time::{Stopwatch, pause};
use jiff::SignedDuration;
use serde_json::Value;

use super::customers::{Customers, PageResult};

/// All records of one client.
pub(crate) struct Records {
    /// Its intents, customers and cards.
    enrollments: Vec<Value>,
    /// Its confirmations, in the table.
    stored: Vec<Value>,
    /// Confirmations that its partner received, by customer: id and body of each.
    pub(crate) confirmations: BTreeMap<String, Vec<(String, Value)>>,
    /// RANACs of the accounts that are new at MRS since the run began, and not cancelled.
    active: BTreeSet<String>,
}

/// RANACs of the accounts at MRS that are not cancelled.
pub(crate) fn active_at_mrs() -> BTreeSet<String> {
    rewards::accounts()
        .into_iter()
        .filter(|account: &Account| account.status != "CANCELLED")
        .map(|account| account.ranac)
        .collect()
}

impl Records {
    /// Waits until no outcome is open, no confirmation is due, and MRS has no account of a failed enrollment.
    pub(crate) fn when_settled(customers: &Customers, sessions: usize, patience: SignedDuration) -> Self {
        let watch = Stopwatch::start();
        loop {
            let records = Self::of(&customers.partner.client, &customers.active_before);
            let open = records
                .intents()
                .filter(|intent| intent.get("status").is_none())
                .count();
            let due = records
                .stored
                .iter()
                .filter(|item| item["state"]["S"] == "due")
                .count();
            let cards = records.cards().count();
            if open == 0 && due == 0 && records.stored.len() == sessions && records.active.len() == cards {
                return records;
            }
            assert!(
                watch.passed() < patience,
                "after {patience:#} {open} outcomes are open, {} of {sessions} confirmations stored, {due} due, and MRS \
                 holds {} cards where the tables have {cards}",
                records.stored.len(),
                records.active.len()
            );
            pause(1000);
        }
    }

    fn of(client: &str, active_before: &BTreeSet<String>) -> Self {
        let settings = Settings::read();
        let of_client = |item: &Value| item["client"]["S"] == client || of_customer_of(client, item);
        let of_table = |table: &str| -> Vec<Value> {
            let mut items = scan(table);
            items.retain(of_client);
            items
        };
        let stored = of_table(&settings.confirmations_table);
        let ids: BTreeSet<&str> = stored
            .iter()
            .filter_map(|item| item["pk"]["S"].as_str()?.strip_prefix("confirmation#"))
            .collect();
        let mut confirmations: BTreeMap<String, Vec<(String, Value)>> = BTreeMap::new();
        for (id, body) in received() {
            if ids.contains(&*id) {
                let customer = body["parentId"].as_str().expect("a customer").to_owned();
                confirmations.entry(customer).or_default().push((id, body));
            }
        }
        let enrollments = of_table(&settings.enrollments_table);
        let active = &active_at_mrs() - active_before;
        Self {
            enrollments,
            stored: stored.into_iter().filter(is_confirmation).collect(),
            confirmations,
            active,
        }
    }

    /// Each session has one intent with one outcome; page, table, MRS and partner agree on it.
    pub(crate) fn check(&self, results: &[PageResult]) {
        assert_eq!(self.intents().count(), results.len(), "one intent a session");
        assert_eq!(self.stored.len(), results.len(), "one confirmation an outcome");
        for item in &self.stored {
            assert_eq!(item["state"]["S"], "delivered", "{item}");
        }
        let mut enrolled = BTreeSet::new();
        for one in results {
            let confirmations = self
                .confirmations
                .get(&one.customer)
                .map_or(&[][..], Vec::as_slice);
            let [(_, body)] = confirmations else {
                panic!("{} received {confirmations:?}", one.customer);
            };
            if let Some(event) = &one.event {
                assert_eq!(event, body, "page and partner agree");
            }
            if body["status"] == "SUCCESS_ENROLLMENT" {
                let ranac = body["ranac"].as_str().expect("a RANAC").to_owned();
                assert!(enrolled.insert(ranac), "reported once: {body}");
            }
        }
        assert_eq!(self.cards().count(), enrolled.len(), "one card a success");
        let succeeded = self
            .intents()
            .filter(|intent| intent["status"]["S"] == "SUCCESS_ENROLLMENT");
        assert_eq!(succeeded.count(), enrolled.len(), "table and partner agree");
        assert_eq!(
            self.active, enrolled,
            "MRS has the accounts that were confirmed, and no others"
        );
        for customer in self
            .enrollments
            .iter()
            .filter(|item| sort_key(item) == "customer")
        {
            assert_eq!(customer["pending"]["N"], "0", "{customer}");
        }
    }

    fn cards(&self) -> impl Iterator<Item = &Value> {
        self.enrollments
            .iter()
            .filter(|item| sort_key(item).starts_with("card#"))
    }

    fn intents(&self) -> impl Iterator<Item = &Value> {
        self.enrollments.iter().filter(|item| sort_key(item) == "intent")
    }
}

fn sort_key(item: &Value) -> &str {
    item["sk"]["S"].as_str().unwrap_or_default()
}

fn is_confirmation(item: &Value) -> bool {
    item["pk"]["S"]
        .as_str()
        .is_some_and(|pk| pk.starts_with("confirmation#"))
}

fn of_customer_of(client: &str, item: &Value) -> bool {
    let start = format!("customer#{client}#");
    item["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with(&start))
}

/// Confirmations that the demo partner received, over all clients: id and body.
fn received() -> Vec<(String, Value)> {
    let address = format!("{}/received?last=50000", Stack::here().endpoints.partner);
    let list = call::get(&address).json();
    let verified = |entry: &&Value| entry["verified"] == true;
    let entry = |entry: &Value| {
        (
            entry["id"].as_str().expect("an id").to_owned(),
            entry["body"].clone(),
        )
    };
    list.as_array()
        .expect("a list")
        .iter()
        .filter(verified)
        .map(entry)
        .collect()
}
