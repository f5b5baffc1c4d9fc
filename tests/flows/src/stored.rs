//! Stored items of a customer, found by keys that a test can derive.

use enrollment::identifiers::SessionToken;
use serde_json::{Map, Value, json};

use crate::local_aws::{Settings, aws, scan};
use crate::page::{Page, Submission};

/// Item of an intent.
pub fn intent(page: &Page, submission: &Submission) -> Option<Value> {
    let table = Settings::read().enrollments_table;
    item(&table, &intent_key(&page.intent(submission)))
}

/// Key of an intent's customer. The customer's items have it as their key or as `owner`.
pub fn owner(intent: &Value) -> &str {
    intent["owner"]["S"].as_str().expect("an intent has an owner")
}

/// Item with the customer's counts and consents.
pub fn customer(owner: &str) -> Option<Value> {
    let key = json!({"pk": {"S": owner}, "sk": {"S": "customer"}});
    item(&Settings::read().enrollments_table, &key)
}

/// Item of a card, which has the id of the intent that enrolled it.
pub fn card(owner: &str, id: &str) -> Option<Value> {
    item(&Settings::read().enrollments_table, &card_key(owner, id))
}

/// Key of a card's item.
pub fn card_key(owner: &str, id: &str) -> Value {
    json!({"pk": {"S": owner}, "sk": {"S": format!("card#{id}")}})
}

/// Key of an intent's item.
pub fn intent_key(id: &str) -> Value {
    json!({"pk": {"S": format!("intent#{id}")}, "sk": {"S": "intent"}})
}

/// Item of a confirmation.
pub fn confirmation(id: &str) -> Option<Value> {
    let key = json!({"pk": {"S": format!("confirmation#{id}")}});
    item(&Settings::read().confirmations_table, &key)
}

/// Items of all confirmations of a client.
pub fn confirmations_of(client: &str) -> Vec<Value> {
    let mut items = scan(&Settings::read().confirmations_table);
    items.retain(|item| item["client"]["S"] == client);
    items
}

/// Key of a session's item.
pub fn session_key(page: &Page) -> Value {
    let session = SessionToken::parse(&page.session).expect("a session");
    json!({"pk": {"S": format!("session#{}", session.id().to_hex())}})
}

/// Sets the end of a session, in Unix seconds.
pub fn end_session(page: &Page, at: i64) {
    rewrite(
        &Settings::read().sessions_table,
        &session_key(page),
        &[("expires_at", at * 1000)],
    );
}

/// Item as last written.
pub fn item(table: &str, key: &Value) -> Option<Value> {
    let query = json!({"TableName": table, "Key": key, "ConsistentRead": true});
    aws("DynamoDB_20120810.GetItem", &query).get("Item").cloned()
}

/// Changes numbers of an item, which must have them. The stack runs by the machine's clock, so records are made older
/// instead.
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
