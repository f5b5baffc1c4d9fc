//! Planted numbers: in a file, an item, a line of a log, and a message, each in another encoding.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flows::local_aws::aws;
use flows::person;
use flows::stack::Stack;
use flows::time::now_in_milliseconds;
use serde_json::{Value, json};

use crate::tests::Trace;

/// In the form of Mastercard's stand-in.
const CARD_ID: &str = "0123456789abcdef012345000000000000US";

/// Planted traces, deleted on drop.
pub(crate) struct Planted {
    name: String,
    masked: String,
    file: PathBuf,
    queue: String,
}

impl Planted {
    /// Plants it in a file, a table, a log group and a queue of this name.
    pub(crate) fn new(name: &str, number: &str) -> Self {
        let queue = aws("AmazonSQS.CreateQueue", &json!({"QueueName": name}));
        let group = json!({"logGroupName": name});
        aws("Logs_20140328.CreateLogGroup", &group);
        let stream = json!({"logGroupName": name, "logStreamName": "planted"});
        aws("Logs_20140328.CreateLogStream", &stream);
        let planted = Self {
            name: name.to_owned(),
            masked: format!("{}******{}", &number[..6], &number[12..]),
            file: Stack::here().file(&format!("state/tmp/{name}")),
            queue: queue["QueueUrl"].as_str().expect("an address").to_owned(),
        };
        let groups: Vec<&str> = [0, 4, 8, 12].map(|at| &number[at..at + 4]).into();
        let grouped = groups.join("\u{a0}");
        fs::write(&planted.file, format!("%PDF {grouped}")).expect("the stack's folder can be written");
        planted.plant_item(&STANDARD.encode(json!({"note": number}).to_string()));
        planted.plant_line(&json!({"message": format!("card: {:?}", number.as_bytes())}));
        let full_width: String = number
            .bytes()
            .filter_map(|digit| char::from_u32(0xFF10 + u32::from(digit - b'0')))
            .collect();
        let fault = format!(
            "Value '{} {} {} {full_width}' is not facet-valid",
            person::FIRST_NAME,
            person::EMAIL,
            person::CONFIRMATION
        );
        planted.plant_line(&json!({"message": fault}));
        let inner = URL_SAFE_NO_PAD.encode(hex::encode(number));
        let message = json!({"QueueUrl": planted.queue, "MessageBody": format!("job {inner} of customer-0123456789abcdef, {CARD_ID}")});
        aws("AmazonSQS.SendMessage", &message);
        planted
    }

    /// Places at which the number must be found, with its last layers.
    pub(crate) fn places(&self) -> [(String, &str); 4] {
        let Self { name, file, .. } = self;
        [
            (file.to_string_lossy().into_owned(), "at byte 5"),
            (format!("table {name}"), "in base64"),
            ("log groups".to_owned(), "in bytes in decimal"),
            (format!("queue {name}"), "in base64 in hexadecimal"),
        ]
    }

    /// Places at which a person must be found, with the kind of word.
    pub(crate) fn persons(&self) -> [(String, &str); 6] {
        let Self { name, .. } = self;
        [
            (format!("table {name}"), "a last name"),
            ("log groups".to_owned(), "a first name"),
            ("log groups".to_owned(), "an e-mail address"),
            ("log groups".to_owned(), "a confirmation's address"),
            (format!("queue {name}"), "a customer's id"),
            (format!("queue {name}"), "a srcDigitalCardId"),
        ]
    }

    pub(crate) fn masked(&self) -> &str {
        &self.masked
    }

    pub(crate) fn may_be_in(&self, trace: &Trace) -> bool {
        trace.place.contains(&self.name) || self.in_log(trace)
    }

    pub(crate) fn in_log(&self, trace: &Trace) -> bool {
        let line = String::from_utf8_lossy(&trace.content);
        trace.place.starts_with("log groups") && line.contains(&self.name)
    }

    fn plant_item(&self, binary: &str) {
        aws(
            "DynamoDB_20120810.CreateTable",
            &json!({
                "TableName": self.name, "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]
            }),
        );
        let item = json!({"pk": {"S": "planted"}, "sealed": {"B": binary}, "name": {"S": person::LAST_NAME}});
        aws(
            "DynamoDB_20120810.PutItem",
            &json!({"TableName": self.name, "Item": item}),
        );
    }

    fn plant_line(&self, line: &Value) {
        let mut line = line.clone();
        line["planted"] = self.name.clone().into();
        let place = json!({"logGroupName": self.name, "logStreamName": "planted"});
        let mut events = place;
        events["logEvents"] = json!([{"timestamp": now_in_milliseconds(), "message": line.to_string()}]);
        aws("Logs_20140328.PutLogEvents", &events);
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        // After a panic all of it may not be there, and a second panic would hide the first.
        let clear = || {
            aws("AmazonSQS.DeleteQueue", &json!({"QueueUrl": self.queue}));
            aws(
                "Logs_20140328.DeleteLogGroup",
                &json!({"logGroupName": self.name}),
            );
            aws("DynamoDB_20120810.DeleteTable", &json!({"TableName": self.name}));
        };
        fs::remove_file(&self.file).ok();
        let cleared = std::panic::catch_unwind(std::panic::AssertUnwindSafe(clear));
        assert!(
            cleared.is_ok() || std::thread::panicking(),
            "a planted number was left behind"
        );
    }
}
