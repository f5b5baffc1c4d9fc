//! `/widget/api/cancel`: a card leaves the program, at MRS first, and an opt-out is never given up.

use std::thread;

use enrollment::action::ActionCode;
use enrollment::status::Status;
use flows::call::Answer;
use flows::card::{Card, random_hex};
use flows::card_on_file::CardOnFile;
use flows::local_aws::Settings;
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::receiver;
use flows::rewards::{self, Faults};
use flows::stack::Stack;
use flows::time::{eventually, now_in_milliseconds};
use flows::{settlement, stored};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Time limit of a settlement: the sweep comes within a minute where the wake-up was lost.
const PATIENCE: SignedDuration = SignedDuration::from_secs(90);

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn cards_are_listed_without_a_form() {
    let partner = Partner::demo();
    let cards = [(); 3].map(|()| CardOnFile::fresh(&partner));
    let page = Page::opting_out(&partner);
    let answer = page.describe();
    assert_eq!(answer.header("cache-control"), "no-store");
    let mut choice = answer.json();
    let expires_at = choice["expiresAt"].take();
    assert!(expires_at.is_i64(), "{expires_at}");
    assert_eq!(
        choice,
        json!({
            "action": "C", "cards": cards.each_ref().map(CardOnFile::listed), "attemptsLeft": 5, "expiresAt": null,
            "extensionsLeft": 10
        })
    );
    let named = naming(&partner, cards[1].card.last4());
    assert_eq!(
        named.offered(),
        [cards[1].id.clone()],
        "last4 of the token narrows it"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn session_without_cards_ends_without_confirmation() {
    let partner = Partner::like_demo_but(|_| {});
    let none_yet = with_address(&partner.with_another_customer());
    let only = CardOnFile::fresh(&partner);
    let of_no_card = naming(&partner, &another_last4(&only));
    let for_later = Page::opting_out(&partner);
    let removed = for_later.settle(&Submission::opt_out(&only)).json();
    assert_eq!(removed["status"], "SUCCESS_REMOVAL", "{removed}");
    let none_left = with_address(&partner);
    for page in [none_yet, of_no_card, none_left] {
        let answer = page.describe();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let event = answer.json();
        assert_eq!(event["status"], "ERROR_REMOVAL");
        assert_eq!(event.as_object().unwrap().len(), 2, "without a code: {event}");
        assert!(event["parentId"].is_string());
        assert_eq!(answer.header("attempts-left"), "0");
    }
    assert_eq!(stored::confirmations_of(&partner.client), Vec::<Value>::new());
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn page_partner_mrs_and_table_agree() {
    let partner = Partner::demo();
    let [old, other] = [(); 2].map(|()| CardOnFile::fresh(&partner));
    let page = with_address(&partner);
    let submission = Submission::opt_out(&old);
    let answer = page.settle(&submission);
    let event = removed(&partner, &old);
    assert_eq!(answer.json(), event);
    assert_eq!(answer.header("attempts-left"), "0");
    assert_eq!(answer.header("incident-id").len(), 14);
    assert!(!old.is_active(), "MRS came first");
    let told = receiver::wait_for(&page.confirmation(&submission, Status::SuccessRemoval), 1);
    assert!(told.verified);
    assert_eq!(told.body, event, "page and partner are told the same");

    let intent = stored::intent(&page, &submission).expect("an intent");
    let owner = stored::owner(&intent);
    let gone = stored::card(owner, &old.id).expect("it is kept for X days");
    assert_eq!(gone["state"]["S"], "cancelled");
    for dated in ["cancelled_at", "agenda_at", "ttl"] {
        assert!(gone.get(dated).is_some(), "it has its {dated}: {gone}");
    }
    let counts = stored::customer(owner).expect("the customer");
    for (count, value) in [("active", "1"), ("pending", "0"), ("changing", "0")] {
        assert_eq!(counts[count]["N"], value, "{count}: {counts}");
    }
    assert!(other.is_active());
    assert_eq!(page.describe().json(), event, "a reload shows it again");
    assert_eq!(Page::opting_out(&partner).offered(), [other.id]);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn repeat_gets_the_first_answer_without_mrs() {
    let partner = Partner::demo();
    let [old, other] = [(); 2].map(|()| CardOnFile::fresh(&partner));
    let page = Page::opting_out(&partner);
    let submission = Submission::opt_out(&old);
    let first = page.settle(&submission);
    assert_eq!(first.json(), removed(&partner, &old));
    let repeat = page.submit_without_asking(&submission, &old.card, "updateCustomerAccount");
    assert_eq!((repeat.status, repeat.json()), (200, first.json()));
    assert_eq!(repeat.header("incident-id"), first.header("incident-id"));
    let another_body = choosing(&submission, &json!(other.id));
    let reused = Submission {
        key: submission.key,
        ..another_body
    };
    assert_eq!(page.submit(&reused).status, 422);
    assert_eq!(
        page.submit(&Submission::opt_out(&other)).status,
        401,
        "one session, one card"
    );
    assert!(other.is_active());
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn foreign_card_is_refused() {
    let partner = Partner::demo();
    let [own, other] = [(); 2].map(|()| CardOnFile::fresh(&partner));
    let somebody_else_s = CardOnFile::fresh(&partner.with_another_customer());
    let another_client_s = CardOnFile::fresh(&Partner::like_demo_but(|_| {}));
    let page = naming(&partner, own.card.last4());
    let good = Submission::opt_out(&own);
    for (what, chosen) in [
        ("another customer's", json!(somebody_else_s.id)),
        ("another client's", json!(another_client_s.id)),
        ("nobody's", json!(random_hex(32))),
        ("one that the token does not offer", json!(other.id)),
        ("no name", json!("../x")),
        ("an empty name", json!("")),
    ] {
        let answer = page.submit(&choosing(&good, &chosen));
        assert_refused(&answer, what);
        assert_eq!(answer.json()["errors"][0]["pointer"], "/oldCard", "{what}");
    }
    for (what, body) in [
        ("nothing", json!({})),
        ("a list", json!([own.id])),
        ("a number", json!({"oldCard": 7})),
        (
            "more than is asked for",
            json!({"oldCard": own.id, "bin": "523400"}),
        ),
    ] {
        let key = random_hex(16);
        assert_refused(&page.submit(&Submission { key, body }), what);
    }
    for card in [&own, &other, &somebody_else_s, &another_client_s] {
        assert!(card.is_active());
    }
    assert_eq!(page.form()["attemptsLeft"], 5);
    assert_eq!(page.settle(&good).json()["status"], "SUCCESS_REMOVAL");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn vanished_card_is_an_error_and_another_can_be_chosen() {
    let partner = Partner::demo();
    let [gone, stays] = [(); 2].map(|()| CardOnFile::fresh(&partner));
    let page = with_address(&partner);
    let submission = Submission::opt_out(&gone);
    let elsewhere = Page::opting_out(&partner);
    elsewhere.settle(&Submission::opt_out(&gone));
    let answer = page.settle(&submission);
    assert_eq!(answer.json(), lost(&partner));
    assert_eq!(answer.header("attempts-left"), "5");
    let id = page.confirmation(&submission, Status::ErrorRemoval);
    assert!(stored::confirmation(&id).is_none(), "MRS was not asked");
    assert_eq!(page.offered(), [&*stays.id], "the list is a new one");
    let again = page.settle(&Submission::opt_out(&stays)).json();
    assert_eq!(again, removed(&partner, &stays));
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn two_tabs_win_once_per_card() {
    for _ in 0..3 {
        let partner = Partner::demo();
        let cards = [(); 3].map(|()| CardOnFile::fresh(&partner));
        let [contested, first, second] = &cards;
        let events = at_once(&[contested, contested].map(|card| tab(&partner, card)));
        let won = removed(&partner, contested);
        assert!(
            events == [won.clone(), lost(&partner)] || events == [lost(&partner), won],
            "{events:?}"
        );
        let events = at_once(&[first, second].map(|card| tab(&partner, card)));
        assert_eq!(events, [removed(&partner, first), removed(&partner, second)]);
        assert!(!cards.iter().any(CardOnFile::is_active));
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn concurrent_replacement_and_opt_out_do_not_both_win() {
    for _ in 0..3 {
        let partner = Partner::demo();
        let card = CardOnFile::fresh(&partner);
        let replacing = Page::replacing(&partner);
        let new = Card::fresh();
        let replacement = replacing.replacement(&card, &new);
        let events = at_once(&[(replacing, replacement), tab(&partner, &card)]);
        let statuses = events.each_ref().map(|event| event["status"].as_str().unwrap());
        eventually("the card to be cancelled", PATIENCE, || {
            (!card.is_active()).then_some(())
        });
        let left = match statuses {
            ["SUCCESS_REPLACEMENT", "ERROR_REMOVAL"] => 1,
            ["ERROR_REPLACEMENT", "SUCCESS_REMOVAL"] => 0,
            _ => panic!("{statuses:?}"),
        };
        assert_eq!(rewards::accounts_of(&new).len(), left, "{statuses:?}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn late_answer_is_open_and_then_a_success() {
    let partner = Partner::demo();
    let card = CardOnFile::fresh(&partner);
    let page = with_address(&partner);
    let submission = Submission::opt_out(&card);
    let order = json!({"operation": "updateCustomerAccount", "fault": "slow-after", "delayMs": 12_000});
    assert_open(&page.submit_disturbed(&submission, &card.card, &[order]));
    assert_eq!(page.settle(&submission).json(), removed(&partner, &card));
    let told = receiver::wait_for(&page.confirmation(&submission, Status::SuccessRemoval), 1);
    assert_eq!(told.body, removed(&partner, &card));
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn lost_call_is_resumed_without_the_page() {
    let partner = Partner::demo();
    let card = CardOnFile::fresh(&partner);
    let page = with_address(&partner);
    let submission = Submission::opt_out(&card);
    let order = json!({"operation": "updateCustomerAccount", "fault": "cut-before"});
    assert_open(&page.submit_disturbed(&submission, &card.card, &[order]));
    let told = receiver::wait_for(&page.confirmation(&submission, Status::SuccessRemoval), 1);
    assert_eq!(told.body, removed(&partner, &card));
    assert!(!card.is_active());
    assert_eq!(
        page.describe().json(),
        told.body,
        "a page that comes back later is told the same"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn timeout_is_reported_then_completed() {
    let partner = Partner::demo();
    let card = CardOnFile::fresh(&partner);
    let page = with_address(&partner);
    let submission = Submission::opt_out(&card);
    let elsewhere = Page::opting_out(&partner);
    let order = json!({"operation": "updateCustomerAccount", "fault": "http500-before", "count": 1000});
    let faults = Faults::about(&card.card, &[order]);
    assert_open(&page.submit(&submission));
    let held = elsewhere.submit(&Submission::opt_out(&card));
    assert_eq!(
        held.json(),
        lost(&partner),
        "it is no other session's to take meanwhile"
    );

    let minute_ago = now_in_milliseconds() - 60_000;
    let key = stored::intent_key(&page.intent(&submission));
    stored::rewrite(
        &Settings::read().enrollments_table,
        &key,
        &[("created_at", minute_ago)],
    );
    let mut event = removed(&partner, &card);
    event["status"] = "ERROR_REMOVAL".into();
    event["statusCode"] = "-1001".into();
    event.as_object_mut().unwrap().remove("designCode");
    for answer in [page.submit(&submission), page.describe()] {
        assert_eq!((answer.status, answer.json()), (200, event.clone()));
        assert_eq!(answer.header("attempts-left"), "0");
    }
    assert!(card.is_active());
    for status in [Status::ErrorRemoval, Status::SuccessRemoval] {
        let id = page.confirmation(&submission, status);
        assert!(
            stored::confirmation(&id).is_none(),
            "it is not the outcome: {status:?}"
        );
    }

    drop(faults);
    settlement::wake(&page.intent(&submission));
    let told = receiver::wait_for(&page.confirmation(&submission, Status::SuccessRemoval), 1);
    assert_eq!(told.body, removed(&partner, &card));
    assert!(!card.is_active());
    assert_eq!(
        page.describe().json(),
        told.body,
        "whoever looks again is told so"
    );
    let id = page.confirmation(&submission, Status::ErrorRemoval);
    assert!(
        stored::confirmation(&id).is_none(),
        "one outcome, one confirmation"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn decline_counts_only_while_mrs_has_the_card() {
    let partner = Partner::demo();
    let [held, gone] = [(); 2].map(|()| CardOnFile::fresh(&partner));
    let decline = json!({"operation": "updateCustomerAccount", "fault": "code-before", "code": -10});
    let page = Page::opting_out(&partner);
    let declined = page.submit_disturbed(
        &Submission::opt_out(&held),
        &held.card,
        std::slice::from_ref(&decline),
    );
    assert_eq!(declined.json()["statusCode"], "-10");
    assert!(held.is_active());
    // As an earlier call would leave it whose answer was lost.
    rewards::cancel(&gone.ranac);
    let answer = page.submit_disturbed(&Submission::opt_out(&gone), &gone.card, &[decline]);
    assert_eq!(answer.json(), removed(&partner, &gone));
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn declines_keep_the_card_and_five_end_the_session() {
    let partner = Partner::demo();
    let card = CardOnFile::fresh(&partner);
    let page = Page::opting_out(&partner);
    let attempts = [(); 5].map(|()| Submission::opt_out(&card));
    let decline = json!({
        "operation": "updateCustomerAccount", "fault": "code-before", "code": -10, "count": attempts.len()
    });
    let faults = Faults::about(&card.card, &[decline]);
    for (attempt, left) in attempts.iter().zip(["4", "3", "2", "1", "0"]) {
        let answer = page.submit(attempt);
        assert_eq!(answer.json()["status"], "ERROR_REMOVAL", "{}", answer.text());
        assert_eq!(answer.header("attempts-left"), left);
    }
    drop(faults);
    assert_eq!(page.submit(&Submission::opt_out(&card)).status, 401);
    assert!(card.is_active());
    let anew = Page::opting_out(&partner);
    assert_eq!(anew.offered(), [&*card.id]);
    assert_eq!(
        anew.settle(&Submission::opt_out(&card)).json(),
        removed(&partner, &card)
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn opted_out_card_can_be_enrolled_again() {
    let partner = Partner::demo();
    let card = CardOnFile::fresh(&partner);
    let page = Page::opting_out(&partner);
    assert_eq!(
        page.settle(&Submission::opt_out(&card)).json(),
        removed(&partner, &card)
    );
    let back = CardOnFile::enrolled(&partner, card.card.clone());
    assert!(back.is_active());
    assert_ne!((&back.id, &back.ranac), (&card.id, &card.ranac));
    assert_eq!(Page::opting_out(&partner).offered(), [back.id]);
}

fn tab(partner: &Partner, card: &CardOnFile) -> (Page, Submission) {
    let page = Page::opting_out(partner);
    let submission = Submission::opt_out(card);
    (page, submission)
}

fn at_once(tabs: &[(Page, Submission); 2]) -> [Value; 2] {
    thread::scope(|scope| {
        let calls = tabs
            .each_ref()
            .map(|(page, submission)| scope.spawn(|| page.settle(submission).json()));
        calls.map(|call| call.join().unwrap())
    })
}

/// Answer about a card that has left the program.
fn removed(partner: &Partner, card: &CardOnFile) -> Value {
    let mut event = json!({
        "status": "SUCCESS_REMOVAL", "parentId": partner.customer, "ranac": card.ranac,
        "bin": card.card.bin(), "last4": card.card.last4()
    });
    if let Some(design) = card.card.design_code() {
        event["designCode"] = design.into();
    }
    event
}

/// Answer where another tab was first.
fn lost(partner: &Partner) -> Value {
    json!({"status": "ERROR_REMOVAL", "parentId": partner.customer})
}

fn naming(partner: &Partner, last4: &str) -> Page {
    let address = &Stack::here().demo.confirmation_url;
    let claims = json!({"last4": last4, "confirmationUrl": address});
    Page::opened(partner, ActionCode::OptOut, &claims)
}

fn with_address(partner: &Partner) -> Page {
    let address = &Stack::here().demo.confirmation_url;
    Page::opened(partner, ActionCode::OptOut, &json!({"confirmationUrl": address}))
}

/// Four digits in which the card does not end.
fn another_last4(card: &CardOnFile) -> String {
    let digits: u32 = card.card.last4().parse().unwrap();
    format!("{:04}", (digits + 1) % 10_000)
}

/// Same submission for another card, under a new key.
fn choosing(submission: &Submission, old_card: &Value) -> Submission {
    let mut body = submission.body.clone();
    body["oldCard"] = old_card.clone();
    Submission {
        key: random_hex(16),
        body,
    }
}

fn assert_refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{what}"
    );
}

fn assert_open(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.json()),
        (202, json!({})),
        "{}",
        answer.text()
    );
}
