//! Every status and every MRS code of the widget document (`docs/sources.md#widget`), as page and partner get it.
//! The browser tests check the text for the customer.

use enrollment::action::ActionCode;
use enrollment::status::Status;
use flows::card::Card;
use flows::card_on_file::CardOnFile;
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::receiver;
use flows::rewards::{self, Faults};
use flows::stack::Stack;
use flows::time::now;
use serde_json::{Value, json};

/// Codes of the widget document without 0, and an unknown one.
const CODES: [&str; 14] = [
    "-1", "-5", "-10", "-32", "-44", "-45", "-46", "-47", "-48", "-50", "-52", "-85", "-1001", "-199",
];
/// Number of failures that ends a session.
const FAILURES: usize = 5;

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn every_status_of_source_document_001_is_told() {
    let partner = Partner::demo();
    let refused = |claims: Value| json!({"status": partner.open(&claims).failure().0});
    let [replaced, removed, stays] = [(); 3].map(|()| CardOnFile::fresh(&partner));
    let page = |action| Page::opened(&partner, action, &json!({}));
    let declined = || Card::numbered("5234000000001526");

    let enrolling = page(ActionCode::Enroll);
    let replacing = page(ActionCode::Replace);
    let opting_out = page(ActionCode::OptOut);
    let decline = json!({"operation": "updateCustomerAccount", "fault": "code-before", "code": -10});
    let told = [
        ("ACCESS_DENIED", refused(json!({"programId": "99999"}))),
        (
            "TOKEN_EXPIRED",
            refused(json!({"iat": now() - 400, "exp": now() - 90})),
        ),
        ("INVALID_PARAMETERS", refused(json!({"sub": null}))),
        ("ERROR_ENROLLMENT", enrolling.enroll(&declined()).json()),
        ("SUCCESS_ENROLLMENT", enrolling.enroll(&Card::fresh()).json()),
        (
            "ERROR_REPLACEMENT",
            replacing
                .settle(&replacing.replacement(&replaced, &declined()))
                .json(),
        ),
        (
            "SUCCESS_REPLACEMENT",
            replacing
                .settle(&replacing.replacement(&replaced, &Card::fresh()))
                .json(),
        ),
        (
            "ERROR_REMOVAL",
            opting_out
                .submit_disturbed(&Submission::opt_out(&stays), &stays.card, &[decline])
                .json(),
        ),
        (
            "SUCCESS_REMOVAL",
            opting_out.settle(&Submission::opt_out(&removed)).json(),
        ),
    ];
    for (status, event) in told {
        assert_eq!(event["status"], status, "{event}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn enrollment_reports_every_code() {
    let partner = Partner::demo();
    let mut told = Vec::new();
    for codes in CODES.chunks(FAILURES) {
        let page = with_address(&partner, ActionCode::Enroll);
        for (code, left) in codes.iter().zip(["4", "3", "2", "1", "0"]) {
            let card = declined_with(code);
            let submission = page.submission(&card);
            let answer = page.settle(&submission);
            let event = json!({
                "status": "ERROR_ENROLLMENT", "statusCode": code, "parentId": partner.customer,
                "bin": card.bin(), "last4": card.last4()
            });
            assert_eq!(answer.json(), event);
            assert_eq!(answer.header("attempts-left"), left, "{code}");
            assert_eq!(answer.header("incident-id").len(), 14);
            told.push((page.confirmation(&submission, Status::ErrorEnrollment), event));
        }
    }
    assert_confirmed(&told);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn replacement_reports_every_code_and_keeps_the_card() {
    let partner = Partner::demo();
    let old = CardOnFile::fresh(&partner);
    let mut told = Vec::new();
    for codes in CODES.chunks(FAILURES) {
        let page = with_address(&partner, ActionCode::Replace);
        for (code, left) in codes.iter().zip(["4", "3", "2", "1", "0"]) {
            let card = declined_with(code);
            let submission = page.replacement(&old, &card);
            let answer = page.settle(&submission);
            let event = json!({
                "status": "ERROR_REPLACEMENT", "statusCode": code, "parentId": partner.customer,
                "bin": card.bin(), "last4": card.last4()
            });
            assert_eq!(answer.json(), event);
            assert_eq!(answer.header("attempts-left"), left, "{code}");
            told.push((page.confirmation(&submission, Status::ErrorReplacement), event));
        }
    }
    assert!(old.is_active());
    assert_eq!(Page::replacing(&partner).offered(), [old.id]);
    assert_confirmed(&told);
}

/// MRS has the card each time, so its code is the outcome, except for -1001, which is no answer to an opt-out.
#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn opt_out_reports_every_code_but_minus_1001() {
    let partner = Partner::demo();
    let card = CardOnFile::fresh(&partner);
    let codes: Vec<&str> = CODES.into_iter().filter(|code| *code != "-1001").collect();
    let attempts: Vec<(&str, Page, Submission)> = codes
        .chunks(FAILURES)
        .flat_map(|codes| {
            let page = with_address(&partner, ActionCode::OptOut);
            codes.iter().map(move |code| (*code, page.clone()))
        })
        .map(|(code, page)| (code, page.clone(), Submission::opt_out(&card)))
        .collect();
    let orders: Vec<Value> = codes.iter().map(|code| declining(code)).collect();
    let mut told = Vec::new();
    let faults = Faults::about(&card.card, &orders);
    for (code, page, submission) in &attempts {
        let event = json!({
            "status": "ERROR_REMOVAL", "statusCode": code, "parentId": partner.customer, "ranac": card.ranac,
            "bin": card.card.bin(), "last4": card.card.last4()
        });
        assert_eq!(page.submit(submission).json(), event);
        told.push((page.confirmation(submission, Status::ErrorRemoval), event));
    }
    assert_eq!(faults.unserved(), Vec::<Value>::new());
    assert!(card.is_active());
    assert_confirmed(&told);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn minus_1001_is_no_answer_to_an_opt_out() {
    let partner = Partner::demo();
    let card = CardOnFile::fresh(&partner);
    let page = with_address(&partner, ActionCode::OptOut);
    let submission = Submission::opt_out(&card);
    let open = page.submit_disturbed(&submission, &card.card, &[declining("-1001")]);
    assert_eq!(open.status, 202, "{}", open.text());
    let event = page.settle(&submission).json();
    assert_eq!(event["status"], "SUCCESS_REMOVAL", "{event}");
    assert_confirmed(&[(page.confirmation(&submission, Status::SuccessRemoval), event)]);
}

fn declining(code: &str) -> Value {
    let code: i32 = code.parse().unwrap();
    json!({"operation": "updateCustomerAccount", "fault": "code-before", "code": code})
}

/// Card number that the stand-in declines with this code: "-44 Invalid …". Numbers that it enrolls nevertheless are left
/// out.
fn declined_with(code: &str) -> Card {
    let is_meant =
        |what: &str| what.split([' ', ',']).next() == Some(code) && !what.contains("yet it is enrolled");
    let card = rewards::test_cards()
        .into_iter()
        .find(|card| is_meant(&card.what));
    Card::numbered(
        &card
            .unwrap_or_else(|| panic!("the stand-in has no card for {code}"))
            .number,
    )
}

fn with_address(partner: &Partner, action: ActionCode) -> Page {
    let address = &Stack::here().demo.confirmation_url;
    Page::opened(partner, action, &json!({"confirmationUrl": address}))
}

fn assert_confirmed(told: &[(String, Value)]) {
    for (id, event) in told {
        let received = receiver::wait_for(id, 1);
        assert!(received.verified, "{event}");
        assert_eq!(received.body, *event, "page and partner are told the same");
    }
}
