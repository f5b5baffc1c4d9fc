//! Answers of MRS in the shapes of other SOAP stacks: readable ones are understood, and an unreadable one proves nothing.

use std::thread;

use enrollment::action::ActionCode;
use enrollment::status::Status;
use flows::card::Card;
use flows::card_on_file::CardOnFile;
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::rewards::{self, Faults};
use flows::stack::Stack;
use flows::time::pause;
use flows::{settlement, stored};
use serde_json::{Value, json};

/// Readable shapes (infra/sandbox/README.md).
const READ: [&str; 24] = [
    "soap-1.2",
    "qualified-fault",
    "customer-error",
    "bare-error",
    "own-error",
    "fault200",
    "fault400",
    "other-prefixes",
    "header-block",
    "unqualified",
    "wrapped",
    "decorated",
    "utf8-name",
    "byte-order-mark",
    "utf-16",
    "utf-16be",
    "iso-8859-1",
    "charset",
    "windows-1252",
    "gzip",
    "deflate",
    "raw-deflate",
    "mtom",
    "no-close-notify",
];

/// Unreadable shapes of a look-up.
const UNREADABLE: [&str; 10] = [
    "unknown-element",
    "unknown-namespace",
    "nested-twice",
    "unknown-encoding",
    "two-parts",
    "bomb",
    "document-type",
    "empty-body",
    "html",
    "accepted",
];

/// Wake-ups of the settlement while look-ups are unreadable.
const WAKE_UPS: usize = 3;

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn success_is_told_at_once_in_every_shape() {
    in_every(&READ, |shape| {
        let page = Page::new();
        let card = Card::fresh();
        let submission = page.submission(&card);
        let order = json!({"operation": "enroll", "fault": "shaped", "shape": shape});
        let answer = page.submit_disturbed(&submission, &card, &[order]);
        assert_eq!(answer.status, 200, "{shape}: {}", answer.text());
        let event = answer.json();
        assert_eq!(event["status"], "SUCCESS_ENROLLMENT", "{shape}: {event}");
        let held = rewards::accounts_of(&card);
        assert_eq!(held.len(), 1, "{shape}");
        assert_eq!(event["ranac"], held[0].ranac.as_str(), "{shape}");
    });
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn minus_45_is_told_at_once_in_every_shape() {
    in_every(&READ, |shape| {
        let page = Page::new();
        let card = Card::fresh();
        let submission = page.submission(&card);
        let order = json!({"operation": "enroll", "fault": "code-before", "code": -45, "shape": shape});
        let answer = page.submit_disturbed(&submission, &card, &[order]);
        assert_eq!(answer.status, 200, "{shape}: {}", answer.text());
        let event = answer.json();
        assert_eq!(event["status"], "ERROR_ENROLLMENT", "{shape}: {event}");
        assert_eq!(event["statusCode"], "-45", "{shape}: {event}");
        assert_eq!(rewards::accounts_of(&card), [], "{shape}");
    });
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn an_opt_out_is_told_at_once_in_every_shape() {
    in_every(&READ, |shape| {
        let partner = Partner::demo();
        let card = CardOnFile::fresh(&partner);
        let page = Page::opting_out(&partner);
        let order = json!({"operation": "updateCustomerAccount", "fault": "shaped", "shape": shape});
        let answer = page.submit_disturbed(&Submission::opt_out(&card), &card.card, &[order]);
        assert_eq!(answer.status, 200, "{shape}: {}", answer.text());
        assert_eq!(answer.json()["status"], "SUCCESS_REMOVAL", "{shape}");
        assert!(!card.is_active(), "{shape}");
    });
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn look_up_finds_an_enrollment_in_every_shape() {
    in_every(&READ, |shape| {
        let page = Page::new();
        let card = Card::fresh();
        let submission = page.submission(&card);
        let orders = [
            json!({"operation": "enroll", "fault": "cut-after"}),
            json!({"operation": "getCustomerAccounts", "fault": "shaped", "shape": shape}),
        ];
        let faults = Faults::about(&card, &orders);
        let event = page.settle(&submission).json();
        assert_eq!(event["status"], "SUCCESS_ENROLLMENT", "{shape}: {event}");
        assert_eq!(faults.unserved(), Vec::<Value>::new(), "{shape}");
        assert_eq!(rewards::accounts_of(&card).len(), 1, "{shape}");
    });
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn unreadable_look_up_ends_no_opt_out() {
    in_every(&UNREADABLE, |shape| {
        let partner = Partner::demo();
        let card = CardOnFile::fresh(&partner);
        let page = Page::opened(
            &partner,
            ActionCode::OptOut,
            &json!({"confirmationUrl": Stack::here().demo.confirmation_url}),
        );
        let submission = Submission::opt_out(&card);
        let declined =
            json!({"operation": "updateCustomerAccount", "fault": "code-before", "code": -10, "count": 1000});
        let unread =
            json!({"operation": "getCustomerAccounts", "fault": "shaped", "shape": shape, "count": 1000});
        let faults = Faults::about(&card.card, &[declined, unread]);
        let told = page.submit(&submission);
        assert_not_removed(&told.json(), shape);
        for _ in 0..WAKE_UPS {
            settlement::wake(&page.intent(&submission));
            pause(4000);
            assert_not_removed(&page.describe().json(), shape);
        }
        assert!(card.is_active(), "{shape}");
        let id = page.confirmation(&submission, Status::SuccessRemoval);
        assert!(stored::confirmation(&id).is_none(), "{shape}");

        // What MRS does say decides, as soon as it can be read; after a minute the event says that it is not known yet.
        drop(faults);
        let event = page.settle(&submission).json();
        if event["statusCode"] != "-1001" {
            let removed = event["status"] == "SUCCESS_REMOVAL";
            assert_ne!(removed, card.is_active(), "{shape}: {event}");
        }
    });
}

fn assert_not_removed(event: &Value, shape: &str) {
    assert_ne!(event["status"], "SUCCESS_REMOVAL", "{shape}: {event}");
}

/// Shows the same for each shape, several at a time.
fn in_every(shapes: &[&str], show: impl Fn(&str) + Sync) {
    for some in shapes.chunks(6) {
        thread::scope(|scope| {
            for shape in some {
                scope.spawn(|| show(shape));
            }
        });
    }
}
