//! Settlement, which otherwise comes when it is due.

use serde_json::json;

use crate::local_aws::{Settings, aws};

/// Has an intent looked after at once, instead of when it is due.
pub fn wake(intent: &str) {
    let message = json!({"intent": intent}).to_string();
    let queue = Settings::read().settle_queue_url;
    aws(
        "AmazonSQS.SendMessage",
        &json!({"QueueUrl": queue, "MessageBody": message}),
    );
}
