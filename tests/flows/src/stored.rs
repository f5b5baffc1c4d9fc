//! What the product has stored of a customer: the raw items, found by names that a test can derive.

use enrollment::identifiers::SessionToken;
use serde_json::{Map, Value, json};

use crate::local_aws::{Settings, aws, scan};
use crate::page::{Page, Submission};

/// The item of an intent.
pub fn intent(page: &Page, submission: &Submission) -> Option<Value> {
    let table = Settings::read().enrollments_table;
    item(&table, &intent_key(&page.intent(submission)))
}

/// The key of the customer that an intent belongs to: under it, and in every `owner`, lies what is stored of them.
pub fn owner(intent: &Value) -> &str {
    intent["owner"]["S"].as_str().expect("an intent has an owner")
}

/// The item with the customer's counts and consents.
pub fn customer(owner: &str) -> Option<Value> {
    let key = json!({"pk": {"S": owner}, "sk": {"S": "customer"}});
    item(&Settings::read().enrollments_table, &key)
}

/// The item of a card, which has the name of the intent that enrolled it.
pub fn card(owner: &str, id: &str) -> Option<Value> {
    item(&Settings::read().enrollments_table, &card_key(owner, id))
}

/// The key of a card's item.
pub fn card_key(owner: &str, id: &str) -> Value {
    json!({"pk": {"S": owner}, "sk": {"S": format!("card#{id}")}})
}

/// The key of an intent's item.
pub fn intent_key(id: &str) -> Value {
    json!({"pk": {"S": format!("intent#{id}")}, "sk": {"S": "intent"}})
}

/// The item of a confirmation.
pub fn confirmation(id: &str) -> Option<Value> {
    let key = json!({"pk": {"S": format!("confirmation#{id}")}});
    item(&Settings::read().confirmations_table, &key)
}

/// What a client's confirmations are: those of every customer.
pub fn confirmations_of(client: &str) -> Vec<Value> {
    let mut items = scan(&Settings::read().confirmations_table);
    items.retain(|item| item["client"]["S"] == client);
    items
}

/// The key of a session's item.
pub fn session_key(page: &Page) -> Value {
    let session = SessionToken::parse(&page.session).expect("a session");
    json!({"pk": {"S": format!("session#{}", session.id().to_hex())}})
}

/// Lets a session end at that time, in Unix seconds.
pub fn end_session(page: &Page, at: i64) {
    rewrite(
        &Settings::read().sessions_table,
        &session_key(page),
        &[("expires_at", at * 1000)],
    );
}

/// An item as it was last written.
pub fn item(table: &str, key: &Value) -> Option<Value> {
    let query = json!({"TableName": table, "Key": key, "ConsistentRead": true});
    aws("DynamoDB_20120810.GetItem", &query).get("Item").cloned()
}

/// Gives numbers of an item, which must be there, other values: the clock of the stack is the machine's, so what shall be
/// old is made older.
pub fn rewrite(table: &str, key: &Value, numbers: &[(&str, i64)]) {
    let (mut names, mut values, mut sets) = (Map::new(), Map::new(), Vec::new());
    for (place, (attribute, number)) in numbers.iter().enumerate() {
        names.insert(format!("#{place}"), json!(attribute));
        values.insert(format!(":{place}"), json!({"N": number.to_string()}));
        sets.push(format!("#{place} = :{place}"));
    }
    aws(
        "DynamoDB_20120810.UpdateItem",
        &json!({
            "TableName": table, "Key": key, "UpdateExpression": format!("SET {}", sets.join(", ")),
            "ConditionExpression": "attribute_exists(pk)", "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values
        }),
    );
}
