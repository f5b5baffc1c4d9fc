//! Intents that settlement has not finished.

use anyhow::Result;
use enrollment::clock::Clock as _;
use enrollment::flows::sweep::UNKNOWN_FOR_LONG;
use enrollment::intent::Intent;
use enrollment::ports::{DueIntents as _, Intents as _};
use enrollment::time::later;
use jiff::Timestamp;
use platform::SystemClock;
use platform::operator::Stack;

/// Prints a line for each intent, without personal data.
pub(crate) async fn list(stack: &Stack, all: bool, limit: usize) -> Result<()> {
    let enrollments = stack.adapters.enrollments();
    let now = SystemClock.now();
    let mut count = 0;
    for unsettled in enrollments.due_intents(Timestamp::MAX, limit).await? {
        let intent = match enrollments.intent(unsettled.id).await {
            Ok(Some(intent)) => intent,
            Ok(None) => continue,
            // An unreadable intent does not keep the others from being listed.
            Err(cause) => {
                eprintln!(
                    "enrollctl: intent {} can't be read: {cause}",
                    unsettled.id.to_hex()
                );
                continue;
            }
        };
        if all || is_unknown_for_long(&intent, now) {
            println!("{}", line(&intent));
            count += 1;
        }
    }
    if count == 0 {
        println!(
            "{}",
            if all {
                "no intent is unsettled"
            } else {
                "no intent has been unknown at Mastercard for a day"
            }
        );
    }
    Ok(())
}

fn is_unknown_for_long(intent: &Intent, now: Timestamp) -> bool {
    let since = intent.inquiry.unknown_since;
    since.is_some_and(|since| now >= later(since, UNKNOWN_FOR_LONG))
}

fn line(intent: &Intent) -> String {
    let state = match intent.outcome() {
        None => "open",
        Some(outcome) => outcome.status.as_str(),
    };
    let unknown = match intent.inquiry.unknown_since {
        Some(since) => format!("unknown since {since:.0}"),
        None => "MRS answers".to_owned(),
    };
    format!(
        "{}  client {}  program {}  action {}  {state}  begun {:.0}  {unknown}  incident {}",
        intent.id.to_hex(),
        intent.client,
        intent.program,
        intent.action.as_str(),
        intent.created_at,
        intent.incident
    )
}
