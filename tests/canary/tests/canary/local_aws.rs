//! Content of the local AWS: items, log lines, messages, secrets. Its objects are among the files of the run.

use flows::call;
use flows::local_aws::{aws, log_lines, scan};
use flows::stack::Stack;
use serde_json::{Value, json};

use crate::tests::Trace;

pub(crate) fn traces() -> Vec<Trace> {
    let mut traces = items();
    traces.extend(log());
    traces.extend(messages());
    traces.extend(secrets());
    traces
}

/// Of all tables, those included that no setting names.
fn items() -> Vec<Trace> {
    let mut traces = Vec::new();
    for table in list("DynamoDB_20120810.ListTables", "TableNames") {
        let table = text(&table);
        for (place, item) in scan(table).iter().enumerate() {
            traces.push(trace(format!("table {table}, item {place}"), item));
        }
    }
    traces
}

/// Lines of all log groups.
pub(crate) fn log() -> Vec<Trace> {
    let lines = log_lines(0).into_iter().enumerate();
    lines
        .map(|(place, line)| Trace {
            place: format!("log groups, line {place}"),
            content: line.into_bytes(),
        })
        .collect()
}

/// As the local AWS itself shows them: those that somebody has received and not yet deleted too, and without receiving
/// them, which would count.
fn messages() -> Vec<Trace> {
    let queues = list("AmazonSQS.ListQueues", "QueueUrls");
    let answer = call::get(&format!(
        "{}/_ministack/sqs/messages",
        Stack::here().endpoints.aws
    ));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let shown = answer.json();
    // account → Region → queue → messages
    let regions = members(&shown["messages"]).flat_map(|(_, regions)| members(regions));
    let shown: Vec<_> = regions.flat_map(|(_, queues)| members(queues)).collect();
    for queue in &queues {
        let is_it = |(shown, _): &(&str, _)| name_of(shown) == name_of(text(queue));
        assert!(shown.iter().any(is_it), "{queue}");
    }
    let mut traces = Vec::new();
    for (queue, messages) in shown {
        for message in messages.as_array().expect("messages") {
            let place = format!(
                "queue {}, message {}",
                name_of(queue),
                text(&message["MessageId"])
            );
            traces.push(trace(place, message));
        }
    }
    traces
}

/// The last part of a queue's address; the host in it depends on who asks.
fn name_of(queue: &str) -> &str {
    queue.rsplit('/').next().unwrap_or(queue)
}

fn secrets() -> Vec<Trace> {
    list("secretsmanager.ListSecrets", "SecretList")
        .iter()
        .map(|secret| {
            let value = aws(
                "secretsmanager.GetSecretValue",
                &json!({"SecretId": secret["ARN"]}),
            );
            trace(format!("secret {}", text(&secret["Name"])), &value)
        })
        .collect()
}

/// Every text in it by itself, so that JSON's escapes are none of its own, and the whole as JSON.
fn trace(place: String, value: &Value) -> Trace {
    let mut content = value.to_string();
    texts(value, &mut content);
    Trace {
        place,
        content: content.into_bytes(),
    }
}

fn texts(value: &Value, all: &mut String) {
    match value {
        Value::Object(members) => members.values().for_each(|value| texts(value, all)),
        Value::Array(values) => values.iter().for_each(|value| texts(value, all)),
        Value::String(text) => {
            all.push('\0');
            all.push_str(text);
        }
        _ => {}
    }
}

/// All of something, page by page.
fn list(target: &str, member: &str) -> Vec<Value> {
    // What an answer says of the next page, and what asks for it.
    let next = [
        ("NextToken", "NextToken"),
        ("LastEvaluatedTableName", "ExclusiveStartTableName"),
    ];
    let mut all = Vec::new();
    let mut page = json!({});
    loop {
        let answer = aws(target, &page);
        // SQS leaves an empty list out.
        all.extend(answer[member].as_array().cloned().unwrap_or_default());
        let more = next.iter().find(|(said, _)| answer[said].is_string());
        let Some((said, asked)) = more else {
            return all;
        };
        page = json!({*asked: answer[said]});
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let members = value.as_object().expect("an object");
    members.iter().map(|(name, value)| (name.as_str(), value))
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
