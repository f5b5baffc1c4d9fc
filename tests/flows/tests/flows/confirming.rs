//! What the partner's back end shall be told is stored with the outcome: once, sealed, and only where it was asked for.

use enrollment::identifiers::{IdempotencyKey, IntentId, SessionToken};
use flows::card::Card;
use flows::local_aws::{Settings, scan, stands_in};
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::stack::Stack;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn an_outcome_is_confirmed_once_however_often_it_is_asked_for() {
    let partner = Partner::demo();
    let page = with_address(&partner);
    let failed = page.submission(&Card::numbered("5234000000001450"));
    assert_eq!(page.settle(&failed).json()["status"], "ERROR_ENROLLMENT");
    let enrolled = page.submission(&Card::fresh());
    assert_eq!(page.settle(&enrolled).json()["status"], "SUCCESS_ENROLLMENT");
    for submission in [&failed, &enrolled] {
        page.submit(submission);
    }
    page.describe();

    let items = confirmations();
    for (submission, status) in [(&failed, "ERROR_ENROLLMENT"), (&enrolled, "SUCCESS_ENROLLMENT")] {
        let id = confirmation_id(&page, submission, status);
        let found: Vec<_> = items.iter().filter(|item| stands_in(item, &id)).collect();
        assert_eq!(found.len(), 1, "{status}");
        assert_eq!(found[0]["client"]["S"], partner.client);
        assert_eq!(found[0]["attempts"]["N"], "0");
    }
    let opposite = confirmation_id(&page, &failed, "SUCCESS_ENROLLMENT");
    assert!(!items.iter().any(|item| stands_in(item, &opposite)));
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_confirmation_is_sealed() {
    let partner = Partner::demo();
    let page = with_address(&partner);
    let submission = page.submission(&Card::fresh());
    let event = page.settle(&submission).json();
    let id = confirmation_id(&page, &submission, "SUCCESS_ENROLLMENT");
    let item = confirmations()
        .into_iter()
        .find(|item| stands_in(item, &id))
        .expect("it is there");
    for secret in [
        &*Stack::here().demo.confirmation_url,
        &partner.customer,
        event["ranac"].as_str().unwrap(),
    ] {
        assert!(!stands_in(&item, secret), "{secret} stands in {item}");
    }
    assert!(
        !stands_in(&item, "SUCCESS_ENROLLMENT"),
        "the body is sealed as a whole: {item}"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn without_an_address_nothing_is_confirmed() {
    let page = Page::new();
    let failed = page.submission(&Card::numbered("5234000000001450"));
    page.settle(&failed);
    let enrolled = page.submission(&Card::fresh());
    assert_eq!(page.settle(&enrolled).json()["status"], "SUCCESS_ENROLLMENT");
    let items = confirmations();
    for (submission, status) in [(&failed, "ERROR_ENROLLMENT"), (&enrolled, "SUCCESS_ENROLLMENT")] {
        let id = confirmation_id(&page, submission, status);
        assert!(!items.iter().any(|item| stands_in(item, &id)), "{status}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_refusal_before_mrs_is_asked_is_told_by_the_event_alone() {
    let partner = Partner::like_demo_but(|client| {
        for program in &mut client.programs {
            program.max_cards = 1;
        }
    });
    let enrolled = with_address(&partner);
    assert_eq!(
        enrolled.enrol(&Card::fresh()).json()["status"],
        "SUCCESS_ENROLLMENT"
    );
    let page = with_address(&partner);
    let refused = page.submission(&Card::fresh());
    assert_eq!(page.settle(&refused).json()["status"], "ERROR_ENROLLMENT");
    let of_client = |item: &Value| item["client"]["S"] == partner.client;
    assert_eq!(
        confirmations().iter().filter(|item| of_client(item)).count(),
        1,
        "that of the success"
    );
}

fn with_address(partner: &Partner) -> Page {
    Page::of(&partner.open(&json!({"confirmationUrl": Stack::here().demo.confirmation_url})))
}

fn confirmations() -> Vec<Value> {
    scan(&Settings::read().confirmations_table)
}

/// `webhook-id`, which stays the same over retries: made from the intent, which is made from session and key, and from
/// the status.
fn confirmation_id(page: &Page, submission: &Submission, status: &str) -> String {
    let session = SessionToken::parse(&page.session).unwrap().id();
    let intent = IntentId::derive(session, &IdempotencyKey::parse(&submission.key).unwrap());
    let hash = Sha256::digest(format!("{}{status}", intent.to_hex()));
    format!("msg_{}", &hex::encode(hash)[..32])
}
