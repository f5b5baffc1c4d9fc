//! What settlement still has to do at MRS. It asks MRS when it likes, and takes no turn.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::local_aws::{Settings, aws, scan};
use crate::time::eventually;

/// Longer than a function may run.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// Has an intent looked after at once, instead of when it is due.
pub fn wake(intent: &str) {
    let message = json!({"intent": intent}).to_string();
    let queue = Settings::read().settle_queue_url;
    aws(
        "AmazonSQS.SendMessage",
        &json!({"QueueUrl": queue, "MessageBody": message}),
    );
}

/// Waits until no replacement and no opt-out has a card that MRS has still to cancel.
pub(crate) fn wait_until_cards_are_gone() {
    let table = Settings::read().enrolments_table;
    let woken = std::cell::RefCell::new(BTreeSet::new());
    eventually("cancelled cards of other tests", PATIENCE, || {
        let items = scan(&table);
        let waiting: Vec<&str> = items.iter().filter_map(waiting_to_cancel).collect();
        for intent in &waiting {
            if woken.borrow_mut().insert((*intent).to_owned()) {
                wake(intent);
            }
        }
        waiting.is_empty().then_some(())
    });
}

/// The intent that an item is, where it has a card to be cancelled.
fn waiting_to_cancel(item: &Value) -> Option<&str> {
    let intent = item["pk"]["S"].as_str()?.strip_prefix("intent#")?;
    let takes_a_card_out = ["R", "C"].iter().any(|action| item["action"]["S"] == *action);
    let may_go_on = item.get("status").is_none() || item["status"]["S"] == "SUCCESS_REPLACEMENT";
    let is_unsettled = item.get("agenda").is_some();
    (takes_a_card_out && may_go_on && is_unsettled).then_some(intent)
}
