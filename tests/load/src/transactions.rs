//! The transactions that the functions sent: which items each of them touched, and how it was answered.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Error of an engine where two transactions met over an item.
const CONFLICT: &str = "TransactionConflict";

/// One call of `TransactWriteItems`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Table and key of each item that it writes or checks.
    pub items: BTreeSet<String>,
    /// The codes of an answer that it was canceled, without `None`.
    pub canceled: Vec<String>,
}

impl Transaction {
    /// Reads a request and its answer. `None` where the request is no transaction.
    pub(crate) fn read(request: &[u8], answer: &[u8]) -> Option<Self> {
        let request: Value = serde_json::from_slice(request).ok()?;
        let actions = request["TransactItems"].as_array()?;
        let items = actions.iter().filter_map(item).collect();
        let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
        let reasons = answer["CancellationReasons"].as_array();
        let codes = reasons
            .into_iter()
            .flatten()
            .filter_map(|reason| reason["Code"].as_str());
        Some(Self {
            items,
            canceled: codes.filter(|code| *code != "None").map(str::to_owned).collect(),
        })
    }

    /// Whether it was canceled because another transaction touched one of its items at the same time.
    pub fn met_another(&self) -> bool {
        self.canceled.iter().any(|code| code == CONFLICT)
    }
}

/// Table, partition key and sort key of the item of one action.
fn item(action: &Value) -> Option<String> {
    let of = |kind: &str| action.get(kind).map(|action| (action, &action["Key"]));
    let (action, key) = of("Update")
        .or_else(|| of("Delete"))
        .or_else(|| of("ConditionCheck"))
        .or_else(|| action.get("Put").map(|put| (put, &put["Item"])))?;
    let text = |name: &str| key[name]["S"].as_str();
    Some(format!(
        "{} {} {}",
        action["TableName"].as_str()?,
        text("pk")?,
        text("sk").unwrap_or_default()
    ))
}

/// The customers that share an item with another one, directly or over items that stand in one transaction: what one of them
/// does can cancel what the other does. Empty where every item in a transaction belongs to one customer.
pub fn sharing(transactions: &[Transaction]) -> BTreeSet<String> {
    let mut groups = Groups::default();
    for transaction in transactions {
        let mut items = transaction.items.iter();
        if let Some(first) = items.next() {
            items.for_each(|item| groups.join(first, item));
        }
    }
    let mut customers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in transactions.iter().flat_map(|transaction| &transaction.items) {
        let is_customer = |part: &&str| part.starts_with("customer#");
        if let Some(customer) = item.split(' ').find(is_customer) {
            let of_group = customers.entry(groups.root(item)).or_default();
            of_group.insert(customer.to_owned());
        }
    }
    let shared = customers.into_values().filter(|group| group.len() > 1);
    shared.flatten().collect()
}

/// Items that stand in one transaction, or in transactions which have an item in common: each knows one other of its group.
#[derive(Default)]
struct Groups(BTreeMap<String, String>);

impl Groups {
    fn root(&self, item: &str) -> String {
        let mut item = item;
        while let Some(next) = self.0.get(item) {
            item = next;
        }
        item.to_owned()
    }

    fn join(&mut self, one: &str, other: &str) {
        let (one, other) = (self.root(one), self.root(other));
        if one != other {
            self.0.insert(other, one);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn transaction(items: &[&str]) -> Transaction {
        Transaction {
            items: items.iter().map(|item| format!("table {item} ")).collect(),
            canceled: Vec::new(),
        }
    }

    #[test]
    fn items_and_reasons_are_read_from_the_wire() {
        let request = json!({"TransactItems": [
            {"Put": {"TableName": "t", "Item": {"pk": {"S": "session#1"}, "ttl": {"N": "1"}}}},
            {"Update": {"TableName": "t", "Key": {"pk": {"S": "customer#a"}, "sk": {"S": "customer"}}}},
            {"ConditionCheck": {"TableName": "u", "Key": {"pk": {"S": "x"}}}},
        ]});
        let answer = json!({"__type": "…#TransactionCanceledException", "CancellationReasons": [
            {"Code": "None"}, {"Code": "TransactionConflict"}, {"Code": "ConditionalCheckFailed"},
        ]});
        let read = Transaction::read(request.to_string().as_bytes(), answer.to_string().as_bytes()).unwrap();
        let expected = ["t customer#a customer", "t session#1 ", "u x "];
        assert_eq!(read.items, expected.map(str::to_owned).into());
        assert_eq!(read.canceled, ["TransactionConflict", "ConditionalCheckFailed"]);
        assert!(read.met_another());
        assert_eq!(Transaction::read(b"{}", b"{}"), None);
        let good = Transaction::read(request.to_string().as_bytes(), b"{}").unwrap();
        assert!(!good.met_another());
    }

    #[test]
    fn an_item_of_two_customers_is_found_over_their_other_items() {
        let apart = [
            transaction(&["session#1", "token#1"]),
            transaction(&["session#1", "customer#a", "intent#1"]),
            transaction(&["session#2", "customer#b", "intent#2"]),
        ];
        assert_eq!(sharing(&apart), BTreeSet::new());
        let counter = [
            transaction(&["session#1", "attempts#client"]),
            transaction(&["session#1", "customer#a"]),
            transaction(&["session#2", "attempts#client"]),
            transaction(&["session#2", "customer#b"]),
            transaction(&["session#3", "customer#c"]),
        ];
        let both = ["customer#a", "customer#b"].map(str::to_owned);
        assert_eq!(sharing(&counter), both.into());
    }
}
