//! Settlement on demand.

use serde_json::json;

use crate::local_aws::{Settings, aws};
use crate::stored;
use crate::time::now_in_milliseconds;

/// Resumes an intent at once, before it is due.
pub fn wake(intent: &str) {
    let now = now_in_milliseconds();
    let turn = [("agenda_at", now), ("lease_until", now)];
    stored::rewrite(
        &Settings::read().enrollments_table,
        &stored::intent_key(intent),
        &turn,
    );
    let message = json!({"intent": intent}).to_string();
    let queue = Settings::read().settle_queue_url;
    aws(
        "AmazonSQS.SendMessage",
        &json!({"QueueUrl": queue, "MessageBody": message}),
    );
}
