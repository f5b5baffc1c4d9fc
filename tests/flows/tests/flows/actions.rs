//! Sessions are for one action: at the address of another they do nothing, and the answer names their action.

use enrollment::action::ActionCode;
use flows::card::{Card, random_hex};
use flows::card_on_file::CardOnFile;
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::rewards;
use serde_json::json;

const ACTIONS: [ActionCode; 3] = [ActionCode::Enroll, ActionCode::Replace, ActionCode::OptOut];

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn wrong_address_names_the_session_action() {
    let partner = Partner::demo();
    let old = CardOnFile::fresh(&partner);
    let new = Card::fresh();
    let replacement = Page::replacing(&partner).replacement(&old, &new).body;
    let mut enrollment = replacement.clone();
    enrollment.as_object_mut().unwrap().remove("oldCard");
    let body_for = |action| match action {
        ActionCode::Enroll => enrollment.clone(),
        ActionCode::Replace => replacement.clone(),
        ActionCode::OptOut => json!({"oldCard": old.id}),
    };
    for action in ACTIONS {
        let page = Page::opened(&partner, action, &json!({}));
        for address in ACTIONS.into_iter().filter(|address| *address != action) {
            let strange = page.at_address_of(address);
            let submission = Submission {
                key: random_hex(16),
                body: body_for(address),
            };
            for answer in [strange.describe(), strange.submit(&submission)] {
                assert_eq!(
                    (answer.status, answer.json()),
                    (403, json!({"status": "ACCESS_DENIED"})),
                    "{action:?} at {address:?}"
                );
                assert_eq!(answer.header("session-action"), action.as_str());
                assert_eq!(answer.header("cache-control"), "no-store");
            }
        }
        let own = page.describe();
        assert_eq!((own.status, &own.json()["attemptsLeft"]), (200, &json!(5)));
        assert_eq!(own.optional_header("session-action"), None);
    }
    assert!(old.is_active());
    assert_eq!(rewards::accounts_of(&new), []);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn unknown_session_learns_no_action() {
    for action in ACTIONS {
        let unknown = Page {
            session: "A".repeat(43),
            action,
        };
        let answer = unknown.describe();
        assert_eq!(
            (answer.status, answer.json()),
            (401, json!({"status": "TOKEN_EXPIRED"}))
        );
        assert_eq!(answer.optional_header("session-action"), None);
    }
}
