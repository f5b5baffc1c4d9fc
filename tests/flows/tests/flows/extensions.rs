//! `POST /widget/api/{enroll|replace|cancel}/extension`: more time for customers who need it.

use enrollment::action::ActionCode;
use enrollment::client::ClientStatus;
use flows::card::Card;
use flows::card_on_file::CardOnFile;
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::stored;
use flows::time::now;
use serde_json::json;

/// Card number that MRS declines with -52.
const DECLINED: &str = "5234000000001526";

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn each_action_gets_15_more_minutes() {
    let partner = Partner::demo();
    let card = CardOnFile::fresh(&partner);
    for action in [ActionCode::Enroll, ActionCode::Replace, ActionCode::OptOut] {
        let page = Page::opened(&partner, action, &json!({}));
        stored::end_session(&page, now() + 60);
        assert_eq!(page.form()["extensionsLeft"], 10);

        let answer = page.extend();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(
            answer.optional_header("date").is_some(),
            "the end is told by the server's clock"
        );
        let extension = answer.json();
        let left = extension["expiresAt"].as_i64().unwrap() - now();
        assert!((880..=900).contains(&left), "{left} s");
        assert_eq!(extension["extensionsLeft"], 9);
        let form = page.form();
        assert_eq!(
            (&form["expiresAt"], &form["extensionsLeft"], &form["attemptsLeft"]),
            (&extension["expiresAt"], &json!(9), &json!(5))
        );
    }
    let page = Page::opting_out(&partner);
    page.extend();
    let event = page.settle(&Submission::opt_out(&card)).json();
    assert_eq!(event["status"], "SUCCESS_REMOVAL", "{event}");
    assert_eq!(page.extend().status, 401, "after its success a session is over");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_session_is_extended_ten_times() {
    let page = Page::new();
    let mut end = 0;
    for left in (0..10).rev() {
        let extension = page.extend().json();
        assert_eq!(extension["extensionsLeft"], left, "{extension}");
        end = extension["expiresAt"].as_i64().unwrap();
    }
    let refused = page.extend();
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert_eq!(page.form()["expiresAt"], end, "the session is alive as before");
    assert_eq!(page.form()["extensionsLeft"], 0);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn an_extension_changes_no_failures() {
    let page = Page::new();
    for left in [4, 3, 2, 1, 0] {
        assert_eq!(page.extend().status, 200);
        let answer = page.enroll(&Card::numbered(DECLINED));
        assert_eq!(answer.header("attempts-left"), left.to_string());
        let reason = (left == 0).then_some("last_try");
        assert_eq!(answer.optional_header("ending-reason"), reason);
    }
    assert_eq!(page.extend().status, 401, "a session that is used up is over");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn ended_or_other_session_is_not_extended() {
    let over = Page::new();
    stored::end_session(&over, now());
    let unknown = Page {
        session: "A".repeat(43),
        action: ActionCode::Enroll,
    };
    for page in [over, unknown] {
        let answer = page.extend();
        assert_eq!(
            (answer.status, answer.json()),
            (401, json!({"status": "TOKEN_EXPIRED"}))
        );
    }
    let elsewhere = Page::new().at_address_of(ActionCode::Replace).extend();
    assert_eq!((elsewhere.status, elsewhere.header("session-action")), (403, "N"));
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_suspended_client_extends_nothing() {
    let partner = Partner::like_demo_but(|_| {});
    let page = Page::of(&partner.open(&json!({})));
    partner.change(|client| client.status = ClientStatus::Suspended);
    let answer = page.extend();
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert_eq!(answer.header("ending-reason"), "suspended");
    let told = page.describe();
    assert_eq!((told.status, told.header("ending-reason")), (401, "suspended"));
    assert_eq!(told.json(), json!({"status": "TOKEN_EXPIRED"}));
}
