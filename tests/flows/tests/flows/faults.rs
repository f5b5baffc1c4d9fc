//! Faults of MRS: an intent has one outcome nevertheless, on which page, table and MRS agree.

use flows::call::Answer;
use flows::card::Card;
use flows::page::{Page, Submission};
use flows::rewards::{self, Faults};
use flows::time::{Stopwatch, eventually};
use jiff::SignedDuration;
use serde_json::{Value, json};

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_connection_cut_after_the_work_is_a_success() {
    assert_enrolled_once(&[json!({"operation": "enroll", "fault": "cut-after"})]);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn an_error_500_after_the_work_is_a_success() {
    assert_enrolled_once(&[json!({"operation": "enroll", "fault": "http500-after"})]);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn unreadable_answer_after_the_work_succeeds() {
    assert_enrolled_once(&[json!({"operation": "enroll", "fault": "malformed-after"})]);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn minus_1001_after_the_work_is_a_success() {
    assert_enrolled_once(&[json!({"operation": "enroll", "fault": "code-after", "code": -1001})]);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn late_answer_succeeds() {
    let watch = Stopwatch::start();
    assert_enrolled_once(&[json!({"operation": "enroll", "fault": "slow-after", "delayMs": 12_000})]);
    assert!(watch.passed().as_secs() >= 8, "a call to MRS has 8 s");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn unclear_outcome_is_open_until_mrs_answers() {
    let page = Page::new();
    let card = Card::fresh();
    let submission = page.submission(&card);
    let first = page.submit_disturbed(
        &submission,
        &card,
        &[
            json!({"operation": "enroll", "fault": "cut-after"}),
            json!({"operation": "getCustomerAccounts", "fault": "http500-before"}),
        ],
    );
    assert_open(&first);
    assert_enrolled(&page, &submission, &card);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_card_that_mrs_enrolls_late_is_a_success() {
    let page = Page::new();
    let card = Card::fresh();
    let submission = page.submission(&card);
    // It is enrolled 12 s after it was sent; by then the call was given up, and MRS has said that it knows nothing.
    let first = page.submit_disturbed(
        &submission,
        &card,
        &[json!({"operation": "enroll", "fault": "slow-before", "delayMs": 12_000})],
    );
    assert_open(&first);
    assert_eq!(rewards::accounts_of(&card), []);
    assert_open(&page.describe());
    assert_enrolled(&page, &submission, &card);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn page_does_not_change_the_query_schedule() {
    let page = Page::new();
    let card = Card::fresh();
    let submission = page.submission(&card);
    let cut = Faults::about(&card, &[json!({"operation": "enroll", "fault": "cut-after"})]);
    let order = json!({"operation": "getCustomerAccounts", "fault": "http500-before", "count": 1000});
    let look_ups = Faults::about(&card, &[order]);
    let asked = || {
        let left = look_ups.unserved();
        1000 - left[0]["count"].as_u64().expect("a count")
    };
    let watch = Stopwatch::start();
    assert_open(&page.submit(&submission));
    assert_eq!(asked(), 1, "by the request that begins it");
    for _ in 0..30 {
        assert_open(&page.describe());
        assert_open(&page.submit(&submission));
    }
    let due = |passed: SignedDuration| {
        let times = [0, 5, 10, 20, 40, 60].map(SignedDuration::from_secs);
        times.iter().filter(|time| **time <= passed).count() as u64
    };
    let counted = asked();
    assert!(
        counted <= due(watch.passed()),
        "{counted} after {:#}",
        watch.passed()
    );
    eventually(
        "the first asker to be woken",
        SignedDuration::from_secs(12),
        || (asked() > 1).then_some(()),
    );
    let counted = asked();
    assert!(
        counted <= due(watch.passed()),
        "{counted} after {:#}",
        watch.passed()
    );
    drop((cut, look_ups));
    assert_enrolled(&page, &submission, &card);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn minus_1001_without_work_is_a_failure_at_once() {
    let page = Page::new();
    let card = Card::fresh();
    let submission = page.submission(&card);
    let answer = page.submit_disturbed(
        &submission,
        &card,
        &[json!({"operation": "enroll", "fault": "code-before", "code": -1001})],
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["statusCode"], "-1001");
    assert_eq!(answer.header("attempts-left"), "4");
    assert_eq!(rewards::accounts_of(&card), []);
    assert_eq!(
        page.enroll(&card).json()["status"],
        "SUCCESS_ENROLLMENT",
        "another try is another intent"
    );
}

/// Slow test, since it waits for the deadline.
#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn missing_answer_fails_after_sixty_seconds() {
    let page = Page::new();
    let card = Card::fresh();
    let submission = page.submission(&card);
    let other = page.submission(&Card::fresh());
    let watch = Stopwatch::start();
    assert_open(&page.submit_disturbed(
        &submission,
        &card,
        &[json!({"operation": "enroll", "fault": "cut-before"})],
    ));

    let busy = page.submit(&other);
    assert_eq!(busy.status, 409, "one attempt at a time: {}", busy.text());
    assert_eq!(busy.header("content-type"), "application/problem+json");
    assert_open(&page.describe());

    let answer = page.settle(&submission);
    let passed = watch.passed().as_secs();
    assert!((59..80).contains(&passed), "{passed} s");
    let event = answer.json();
    assert_eq!(
        (&event["status"], &event["statusCode"]),
        (&json!("ERROR_ENROLLMENT"), &json!("-1001"))
    );
    assert_eq!(event.get("ranac"), None);
    assert_eq!(answer.header("attempts-left"), "4");
    assert_eq!(page.submit(&submission).json(), event, "a repeat gets the same");
    assert_eq!(rewards::accounts_of(&card), []);
    assert_eq!(
        page.settle(&other).json()["status"],
        "SUCCESS_ENROLLMENT",
        "the session goes on"
    );
}

/// Submits a card that MRS enrolls although its answer is useless.
fn assert_enrolled_once(orders: &[Value]) {
    let page = Page::new();
    let card = Card::fresh();
    let submission = page.submission(&card);
    let first = page.submit_disturbed(&submission, &card, orders);
    assert!(
        [200, 202].contains(&first.status),
        "{}: {}",
        first.status,
        first.text()
    );
    assert_enrolled(&page, &submission, &card);
}

fn assert_enrolled(page: &Page, submission: &Submission, card: &Card) {
    let event = page.settle(submission).json();
    assert_eq!(event["status"], "SUCCESS_ENROLLMENT", "{event}");
    assert_eq!(event.get("statusCode"), None, "{event}");
    let held = rewards::accounts_of(card);
    assert_eq!(held.len(), 1, "MRS was asked to enroll once: {held:?}");
    assert_eq!(
        (&event["ranac"], &*held[0].status),
        (&json!(held[0].ranac), "NEW")
    );
    assert_eq!(page.describe().json(), event);
}

fn assert_open(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.json()),
        (202, json!({})),
        "{}",
        answer.text()
    );
    let seconds: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=10).contains(&seconds));
    assert_eq!(answer.header("cache-control"), "no-store");
}
