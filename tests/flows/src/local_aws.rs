//! Local AWS, accessed without the product: tables, queues and logs, and functions on a schedule.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use http::Request;
use platform::aws::Aws;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call;
use crate::stack::Stack;

/// Part of the name of a function that a test deployed.
const COPY: &str = "copy";
/// Time limit of a call, longer than any function may run.
const LONGEST_RUN: Duration = Duration::from_mins(3);

/// Names of resources, as the template's outputs have them.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Settings {
    /// Table of set-ups.
    pub clients_table: String,
    /// Table of sessions and used tokens.
    pub sessions_table: String,
    /// Table of intents, customers and cards.
    pub enrollments_table: String,
    /// Table of confirmations.
    pub confirmations_table: String,
    /// Table of counters.
    pub limits_table: String,
    /// Table of wrapped data keys.
    pub keys_table: String,
    /// Table of batches.
    pub batches_table: String,
    /// Table of digital cards.
    pub digital_cards_table: String,
    /// Key that wraps the data keys.
    pub kms_key_id: String,
    /// Queue of the settlement.
    pub settle_queue_url: String,
    /// Queue of the deliveries.
    pub confirm_queue_url: String,
}

impl Settings {
    /// Reads the secret of the local stack.
    pub fn read() -> Self {
        let answer = aws(
            "secretsmanager.GetSecretValue",
            &json!({"SecretId": "card-enrollment/local/settings"}),
        );
        serde_json::from_str(answer["SecretString"].as_str().expect("a secret of text")).expect("names")
    }

    /// All tables.
    pub fn tables(&self) -> [&str; 8] {
        [
            &self.clients_table,
            &self.sessions_table,
            &self.enrollments_table,
            &self.confirmations_table,
            &self.limits_table,
            &self.keys_table,
            &self.batches_table,
            &self.digital_cards_table,
        ]
    }
}

/// Calls an operation of a service that speaks JSON.
pub fn aws(target: &str, body: &Value) -> Value {
    let service = match target.split(['.', '_']).next().unwrap_or_default() {
        "DynamoDB" => "dynamodb",
        "Logs" => "logs",
        other => other,
    };
    let request = Request::post(&Stack::here().endpoints.aws)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .header("authorization", authorization(service));
    let answer = call::send(request.body(body.to_string().into_bytes()).expect("a request"));
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    answer.json()
}

/// Calls the function of this name in the template, as its schedule does, and waits for its end.
pub fn invoke(function: &str) {
    invoke_with(function, "{}");
}

/// Calls the function of this name in the template with an event, and returns its answer.
pub fn invoke_with(function: &str, event: &str) -> Value {
    let configuration = configuration(function);
    let name = configuration["FunctionName"].as_str().expect("a name");
    call_function(name, event)
}

/// Copy of a deployed function with other settings. Dropping it deletes it.
pub struct FunctionCopy {
    name: String,
}

impl FunctionCopy {
    /// Deploys the function of this name in the template, with `variables` added to its own or in their place.
    pub fn of(function: &str, variables: &[(&str, &str)]) -> Self {
        let original = configuration(function);
        let original_name = original["FunctionName"].as_str().expect("a name");
        let code = lambda(Request::get(functions(&format!("/{original_name}"))), Vec::new()).json();
        let location = code.pointer("/Code/Location").and_then(Value::as_str);
        let archive = call::get(location.expect("where its code is")).bytes;
        let mut environment = original["Environment"].clone();
        for (variable, value) in variables {
            environment["Variables"][*variable] = (*value).into();
        }
        // Named as an included stack names it, so that its calls count as the function's.
        let name = format!("local-Copies-{function}-{COPY}{}", crate::card::random_hex(6));
        let body = json!({
            "FunctionName": name, "Role": original["Role"], "Runtime": original["Runtime"], "Handler": original["Handler"],
            "Architectures": original["Architectures"], "Timeout": original["Timeout"],
            "MemorySize": original["MemorySize"], "LoggingConfig": original["LoggingConfig"],
            "Environment": environment, "Code": {"ZipFile": STANDARD.encode(archive)},
        });
        let created = lambda(Request::post(functions("")), body.to_string().into_bytes());
        assert_eq!(created.status, 201, "{}", created.text());
        Self { name }
    }

    /// Calls it and gives its answer.
    pub fn call(&self, event: &Value) -> Value {
        call_function(&self.name, &event.to_string())
    }
}

impl Drop for FunctionCopy {
    fn drop(&mut self) {
        lambda(Request::delete(functions(&format!("/{}", self.name))), Vec::new());
    }
}

fn call_function(name: &str, event: &str) -> Value {
    let request = Request::post(functions(&format!("/{name}/invocations")));
    let request = request.header("authorization", authorization("lambda"));
    let request = request.body(event.into()).expect("an address");
    let answer = call::send_patiently(request, LONGEST_RUN);
    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    let failure = answer.optional_header("x-amz-function-error");
    assert_eq!(failure, None, "{name}: {}", answer.text());
    answer.json()
}

/// Configuration of the function of this name in the template.
fn configuration(function: &str) -> Value {
    let list = lambda(Request::get(functions("/")), Vec::new()).json();
    let all = list["Functions"].as_array().expect("functions");
    all.iter()
        .find(|deployed| {
            let name = deployed["FunctionName"].as_str().unwrap_or_default();
            name.contains(&format!("-{function}-")) && !name.contains(COPY)
        })
        .cloned()
        .expect("a function of this name")
}

fn functions(path: &str) -> String {
    format!("{}/2015-03-31/functions{path}", Stack::here().endpoints.aws)
}

fn lambda(request: http::request::Builder, body: Vec<u8>) -> call::Answer {
    let request = request.header("authorization", authorization("lambda"));
    call::send(request.body(body).expect("an address"))
}

/// Address of the queue with this in its name.
pub fn queue_named(part: &str) -> String {
    queues()
        .into_iter()
        .find(|queue| queue.contains(part))
        .expect("a queue of that name")
}

/// Addresses of all queues.
pub fn queues() -> Vec<String> {
    let queues = aws("AmazonSQS.ListQueues", &json!({}));
    let addresses = queues["QueueUrls"].as_array().expect("queues");
    let address = |queue: &Value| queue.as_str().expect("an address").to_owned();
    addresses.iter().map(address).collect()
}

/// Messages that a queue would deliver now, some of them where there are many. They stay in it.
pub fn messages(queue: &str) -> Vec<Value> {
    let query = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0});
    let answer = aws("AmazonSQS.ReceiveMessage", &query);
    answer["Messages"].as_array().cloned().unwrap_or_default()
}

/// Credentials of the root user, whose signature the local AWS does not check.
fn authorization(service: &str) -> String {
    let credential = format!("test/20260101/eu-central-1/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0")
}

/// Clients of the SDK, for the product's own adapters.
pub fn sdk() -> Aws {
    Aws::from_variables(|name| {
        let value = match name {
            "AWS_ENDPOINT_URL" => &*Stack::here().endpoints.aws,
            "AWS_REGION" => "eu-central-1",
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => "test",
            _ => return None,
        };
        Some(value.to_owned())
    })
    .expect("all that it asks for")
}

/// All items of a table.
pub fn scan(table: &str) -> Vec<Value> {
    pages(
        "DynamoDB_20120810.Scan",
        &json!({"TableName": table, "ConsistentRead": true}),
        "Items",
        |answer| {
            answer
                .get("LastEvaluatedKey")
                .map(|key| ("ExclusiveStartKey", key.clone()))
        },
    )
}

/// Log lines of all functions since `from` (milliseconds since 1970).
pub fn log_lines(from: i64) -> Vec<String> {
    let token = |answer: &Value| answer.get("nextToken").map(|token| ("nextToken", token.clone()));
    let groups = pages("Logs_20140328.DescribeLogGroups", &json!({}), "logGroups", token);
    let mut lines = Vec::new();
    for group in groups {
        let query = json!({"logGroupName": group["logGroupName"], "startTime": from});
        let events = pages("Logs_20140328.FilterLogEvents", &query, "events", token);
        lines.extend(
            events
                .iter()
                .filter_map(|event| event["message"].as_str().map(str::to_owned)),
        );
    }
    lines
}

/// Whether `item` contains `secret`: as text, as bytes, in base64 of either alphabet or in hexadecimal.
pub fn stands_in(item: &Value, secret: &str) -> bool {
    match item {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains(secret) || stands_in(value, secret)),
        Value::Array(values) => values.iter().any(|value| stands_in(value, secret)),
        Value::String(text) => {
            let hidden = hex::encode(secret);
            let bytes = STANDARD.decode(text).unwrap_or_default();
            let in_bytes = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            let encodings = [
                STANDARD.encode(secret),
                STANDARD_NO_PAD.encode(secret),
                URL_SAFE.encode(secret),
                URL_SAFE_NO_PAD.encode(secret),
            ];
            in_bytes
                || text.contains(secret)
                || text.to_lowercase().contains(&hidden)
                || encodings.iter().any(|encoded| text.contains(encoded))
        }
        _ => false,
    }
}

/// Follows an operation's pages to their end.
fn pages(
    target: &str,
    query: &Value,
    member: &str,
    next: impl Fn(&Value) -> Option<(&'static str, Value)>,
) -> Vec<Value> {
    let mut query = query.clone();
    let mut found = Vec::new();
    loop {
        let mut answer = aws(target, &query);
        let more = next(&answer);
        match answer[member].take() {
            Value::Array(values) => found.extend(values),
            _ => panic!("{target} has no {member}"),
        }
        match more {
            Some((name, value)) => query[name] = value,
            None => return found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_however_it_is_written() {
        let secret = "customer-7";
        for item in [
            json!({"a": {"S": "x customer-7 y"}}),
            json!({"customer-7": {"S": ""}}),
            json!({"a": {"B": STANDARD.encode("xx customer-7 yy")}}),
            json!({"a": {"L": [{"S": URL_SAFE_NO_PAD.encode("customer-7")}]}}),
            json!({"a": {"S": "637573746F6D65722D37"}}),
        ] {
            assert!(stands_in(&item, secret), "{item}");
        }
        assert!(!stands_in(
            &json!({"a": {"S": "customer-8"}, "n": {"N": "7"}}),
            secret
        ));
    }
}
