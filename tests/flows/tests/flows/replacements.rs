//! `/widget/api/replace`: the list of cards, the new card in place of the chosen one, and never fewer cards than before.

use std::thread;

use enrollment::action::ActionCode;
use enrollment::client::Program;
use enrollment::status::Status;
use flows::call::Answer;
use flows::card::{Card, random_hex};
use flows::card_on_file::CardOnFile;
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::receiver;
use flows::rewards::{self, Faults};
use flows::stack::Stack;
use flows::time::eventually;
use flows::{settlement, stored};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Time limit of a settlement: the sweep comes within a minute where the wake-up was lost.
const PATIENCE: SignedDuration = SignedDuration::from_secs(90);

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn cards_are_listed_masked_by_enrollment_order() {
    let partner = Partner::demo();
    let cards = [
        CardOnFile::enrolled(&partner, Card::in_range("541234")),
        CardOnFile::fresh(&partner),
        CardOnFile::fresh(&partner),
    ];
    let answer = Page::replacing(&partner).describe();
    assert_eq!(answer.header("cache-control"), "no-store");
    let form = answer.json();
    assert_eq!(form["action"], "R");
    assert_eq!(form["cards"], json!(cards.each_ref().map(CardOnFile::listed)));
    assert_eq!(form["cards"][0]["designCode"], "Classic");
    assert_eq!(form["attemptsLeft"], 5);
    assert_eq!(form["encryptionKey"]["reference"], "119009");
    assert!(
        form["binRanges"]
            .as_array()
            .is_some_and(|ranges| !ranges.is_empty())
    );
    // Who replaces a card has consented when it was enrolled.
    assert_eq!(
        form["fields"],
        json!({
            "firstName": "optional", "lastName": "optional", "email": "optional", "terms": "hidden", "privacy": "hidden"
        })
    );
    assert_eq!((form.get("terms"), form.get("privacy")), (None, None));
    for secret in [&partner.customer, &cards[0].ranac, &cards[0].card.number] {
        assert!(!answer.text().contains(secret.as_str()), "{}", answer.text());
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn last4_of_the_token_narrows_the_list() {
    let partner = Partner::demo();
    let [_, named, _] = [(); 3].map(|()| CardOnFile::fresh(&partner));
    let page = naming(&partner, named.card.last4());
    assert_eq!(page.offered(), [named.id]);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn session_without_cards_ends_without_confirmation() {
    let partner = Partner::like_demo_but(|_| {});
    let none_yet = with_address(&partner.with_another_customer());
    let card = CardOnFile::fresh(&partner);
    let of_no_card = naming(&partner, &another_last4(&card));
    let had_one = partner.with_another_customer();
    let only = CardOnFile::fresh(&had_one);
    opt_out(&had_one, &only);
    let none_left = with_address(&had_one);
    for page in [none_yet, of_no_card, none_left] {
        for _ in 0..2 {
            let answer = page.describe();
            assert_eq!(answer.status, 200, "{}", answer.text());
            let event = answer.json();
            assert_eq!(event["status"], "ERROR_REPLACEMENT");
            assert_eq!(
                members(&event),
                ["parentId", "status"],
                "no code: MRS was not asked"
            );
            assert_eq!(answer.header("attempts-left"), "0");
            assert_eq!(answer.header("incident-id").len(), 14);
        }
    }
    assert_eq!(stored::confirmations_of(&partner.client), Vec::<Value>::new());
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn page_partner_mrs_and_table_agree() {
    let partner = Partner::demo();
    let [old, other] = [(); 2].map(|()| CardOnFile::fresh(&partner));
    let page = with_address(&partner);
    let new = Card::fresh();
    let submission = page.replacement(&old, &new);
    let answer = page.settle(&submission);

    let held = rewards::accounts_of(&new);
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].status, "NEW");
    assert_eq!(
        answer.json(),
        json!({
            "status": "SUCCESS_REPLACEMENT", "parentId": partner.customer, "ranac": held[0].ranac,
            "designCode": "Gold", "bin": new.bin(), "last4": new.last4()
        })
    );
    assert_eq!(answer.header("attempts-left"), "0");
    let told = receiver::wait_for(&page.confirmation(&submission, Status::SuccessReplacement), 1);
    assert!(told.verified);
    assert_eq!(told.body, answer.json(), "page and partner are told the same");

    let intent = stored::intent(&page, &submission).expect("an intent");
    let owner = stored::owner(&intent);
    let gone = eventually("the old card to be cancelled", PATIENCE, || {
        stored::card(owner, &old.id).filter(|card| card["state"]["S"] == "cancelled")
    });
    assert!(!old.is_active());
    for dated in ["cancelled_at", "agenda_at", "ttl"] {
        assert!(gone.get(dated).is_some(), "it has its {dated}: {gone}");
    }
    let in_its_place = stored::card(owner, &page.intent(&submission)).expect("the new card");
    assert_eq!(in_its_place["state"]["S"], "active");
    let counts = stored::customer(owner).expect("the customer");
    for (count, value) in [("active", "2"), ("pending", "0"), ("changing", "0")] {
        assert_eq!(counts[count]["N"], value, "{count}: {counts}");
    }
    assert!(other.is_active());
    assert_eq!(
        Page::replacing(&partner).offered(),
        [other.id, page.intent(&submission)]
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn repeat_gets_the_first_answer_without_mrs() {
    let partner = Partner::demo();
    let old = CardOnFile::fresh(&partner);
    let page = Page::replacing(&partner);
    let new = Card::fresh();
    let submission = page.replacement(&old, &new);
    let first = page.settle(&submission);
    assert_eq!(first.json()["status"], "SUCCESS_REPLACEMENT");
    let repeat = page.submit_without_asking(&submission, &new, "enroll");
    assert_eq!((repeat.status, repeat.json()), (200, first.json()));
    assert_eq!(repeat.header("incident-id"), first.header("incident-id"));
    assert_eq!(rewards::accounts_of(&new).len(), 1);
    assert_eq!(page.describe().json(), first.json(), "a reload shows it again");
    let further = Submission {
        key: random_hex(16),
        ..submission
    };
    assert_eq!(
        page.submit(&further).status,
        401,
        "the session has had its success"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn foreign_card_is_refused() {
    let partner = Partner::demo();
    let [own, other] = [(); 2].map(|()| CardOnFile::fresh(&partner));
    let somebody_else_s = CardOnFile::fresh(&partner.with_another_customer());
    let page = naming(&partner, own.card.last4());
    let new = Card::fresh();
    let good = page.replacement(&own, &new);
    for (what, chosen) in [
        ("another customer's", json!(somebody_else_s.id)),
        ("nobody's", json!(random_hex(32))),
        ("one that the token does not offer", json!(other.id)),
        ("no name", json!("the first one")),
        ("an empty name", json!("")),
        ("none", Value::Null),
    ] {
        let answer = page.submit(&choosing(&good, &chosen));
        assert_refused(&answer, "/oldCard", what);
    }
    assert_eq!(rewards::accounts_of(&new), []);
    assert_eq!(page.form()["attemptsLeft"], 5);
    assert!(somebody_else_s.is_active() && other.is_active());
    // So it was each time the chosen card that was refused.
    assert_eq!(page.settle(&good).json()["status"], "SUCCESS_REPLACEMENT");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_consent_that_is_not_asked_for_is_refused() {
    let partner = Partner::demo();
    let old = CardOnFile::fresh(&partner);
    let page = Page::replacing(&partner);
    let mut submission = page.replacement(&old, &Card::fresh());
    submission.body["consents"] = json!([{"document": "terms", "version": "2026-01"}]);
    assert_refused(&page.submit(&submission), "/consents", "a consent");
    assert!(old.is_active());
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn vanished_card_is_an_error_and_another_can_be_chosen() {
    let partner = Partner::demo();
    let [gone, stays] = [(); 2].map(|()| CardOnFile::fresh(&partner));
    let page = with_address(&partner);
    let new = Card::fresh();
    let submission = page.replacement(&gone, &new);
    opt_out(&partner, &gone);
    let answer = page.settle(&submission);
    assert_eq!(
        answer.json(),
        json!({"status": "ERROR_REPLACEMENT", "parentId": partner.customer})
    );
    assert_eq!(answer.header("attempts-left"), "5");
    assert_eq!(rewards::accounts_of(&new), [], "MRS was not asked");
    let id = page.confirmation(&submission, Status::ErrorReplacement);
    assert!(stored::confirmation(&id).is_none(), "nor is the partner told");
    assert_eq!(page.offered(), [&*stays.id], "the list is a new one");
    let again = page.settle(&page.replacement(&stays, &new));
    assert_eq!(again.json()["status"], "SUCCESS_REPLACEMENT");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn one_of_two_tabs_wins() {
    for _ in 0..3 {
        let partner = Partner::demo();
        let old = CardOnFile::fresh(&partner);
        let tabs = [(); 2].map(|()| Tab::on(&partner, &old));
        let events = at_once(&tabs);
        let won = events
            .iter()
            .filter(|event| event["status"] == "SUCCESS_REPLACEMENT");
        assert_eq!(won.count(), 1, "{events:?}");
        let lost = json!({"status": "ERROR_REPLACEMENT", "parentId": partner.customer});
        assert!(events.contains(&lost), "{events:?}");
        assert_cards_in_the_end(&partner, 1, &[&old], &tabs);
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn two_tabs_at_once_on_different_cards_both_win() {
    let partner = Partner::demo();
    let old = [(); 2].map(|()| CardOnFile::fresh(&partner));
    let tabs = old.each_ref().map(|old| Tab::on(&partner, old));
    for event in at_once(&tabs) {
        assert_eq!(event["status"], "SUCCESS_REPLACEMENT", "{event}");
    }
    assert_cards_in_the_end(&partner, 2, &old.each_ref(), &tabs);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn same_number_is_declined_and_the_card_stays() {
    let partner = Partner::demo();
    let old = CardOnFile::fresh(&partner);
    let page = Page::replacing(&partner);
    let answer = page.settle(&page.replacement(&old, &old.card));
    assert_eq!(
        answer.json(),
        json!({
            "status": "ERROR_REPLACEMENT", "statusCode": "-45", "parentId": partner.customer,
            "bin": old.card.bin(), "last4": old.card.last4()
        })
    );
    assert_eq!(answer.header("attempts-left"), "4");
    assert!(old.is_active());
    assert_eq!(rewards::accounts_of(&old.card).len(), 1);
    assert_eq!(page.offered(), [&*old.id]);
    let again = page.settle(&page.replacement(&old, &Card::fresh()));
    assert_eq!(again.json()["status"], "SUCCESS_REPLACEMENT");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn card_limit_allows_replacements() {
    let partner = with_program(|program| program.max_cards = 2);
    let open = || Page::of(&partner.open(&json!({})));
    let mut opened_before = [(); 3]
        .map(|()| open())
        .into_iter()
        .map(|page| {
            let submission = page.submission(&Card::fresh());
            (page, submission)
        })
        .collect::<Vec<_>>();
    let [old, _] = [(); 2].map(|()| CardOnFile::fresh(&partner));
    let refused = json!({"status": "ERROR_ENROLLMENT", "parentId": partner.customer});
    // Whoever opens the page now is told before a number is typed; an earlier page is refused at its submission.
    let mut enrolling = || {
        assert_eq!(open().describe().json(), refused);
        let (page, submission) = opened_before.pop().expect("a page");
        page.settle(&submission).json()
    };
    assert_eq!(enrolling(), refused);
    let page = Page::replacing(&partner);
    let event = page.settle(&page.replacement(&old, &Card::fresh())).json();
    assert_eq!(event["status"], "SUCCESS_REPLACEMENT");
    assert_eq!(enrolling(), refused, "there are as many as before");
    eventually("the old card to be cancelled", PATIENCE, || {
        (!old.is_active()).then_some(())
    });
    assert_eq!(enrolling(), refused);
    assert_eq!(Page::replacing(&partner).offered().len(), 2);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn success_while_mrs_can_not_cancel_the_old_card() {
    let partner = Partner::demo();
    let old = CardOnFile::fresh(&partner);
    let page = with_address(&partner);
    let new = Card::fresh();
    let submission = page.replacement(&old, &new);
    let order = json!({"operation": "updateCustomerAccount", "fault": "http500-before", "count": 1000});
    let faults = Faults::about(&old.card, &[order]);
    let answer = page.submit(&submission);
    assert_eq!(answer.status, 200, "at once: {}", answer.text());
    assert_eq!(answer.json()["status"], "SUCCESS_REPLACEMENT");
    let told = receiver::wait_for(&page.confirmation(&submission, Status::SuccessReplacement), 1);
    assert_eq!(told.body, answer.json(), "nor does the partner wait");

    eventually("settlement to ask MRS", PATIENCE, || {
        let left = faults.unserved();
        left.iter().any(|order| order["count"] != 1000).then_some(())
    });
    let intent = stored::intent(&page, &submission).expect("an intent");
    let owner = stored::owner(&intent);
    assert!(old.is_active());
    assert_eq!(
        stored::card(owner, &old.id).expect("it")["state"]["S"],
        "pending_cancellation"
    );
    let cards = Page::opened(&partner, ActionCode::OptOut, &json!({})).describe();
    let cards = cards.json()["cards"].clone();
    assert_eq!(
        cards.as_array().map(Vec::len),
        Some(1),
        "one that goes is not offered: {cards}"
    );

    drop(faults);
    settlement::wake(&page.intent(&submission));
    eventually("the old card to be cancelled", PATIENCE, || {
        (!old.is_active()).then_some(())
    });
    let gone = eventually("the cancellation to be stored", PATIENCE, || {
        stored::card(owner, &old.id).filter(|card| card["state"]["S"] == "cancelled")
    });
    assert!(gone.get("cancelled_at").is_some(), "{gone}");
    assert_eq!(page.submit(&submission).json(), answer.json());
    assert_eq!(active_accounts(&[&old], &[&new]), 1);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn lost_answer_replaces_once() {
    let partner = Partner::demo();
    let old = CardOnFile::fresh(&partner);
    let page = Page::replacing(&partner);
    let new = Card::fresh();
    let submission = page.replacement(&old, &new);
    page.submit_disturbed(
        &submission,
        &new,
        &[json!({"operation": "enroll", "fault": "cut-after"})],
    );
    let event = page.settle(&submission).json();
    assert_eq!(event["status"], "SUCCESS_REPLACEMENT", "{event}");
    let held = rewards::accounts_of(&new);
    assert_eq!(held.len(), 1);
    assert_eq!(event["ranac"], held[0].ranac);
    eventually("the old card to be cancelled", PATIENCE, || {
        (!old.is_active()).then_some(())
    });
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn replaced_card_can_be_enrolled_anew_only() {
    let partner = Partner::demo();
    let old = CardOnFile::fresh(&partner);
    let page = Page::replacing(&partner);
    let new = Card::fresh();
    let event = page.settle(&page.replacement(&old, &new)).json();
    assert_eq!(event["status"], "SUCCESS_REPLACEMENT");
    eventually("the old card to be cancelled", PATIENCE, || {
        (!old.is_active()).then_some(())
    });
    let again = Page::replacing(&partner);
    let answer = again.settle(&again.replacement(&old, &Card::fresh()));
    assert_eq!(
        answer.json(),
        json!({"status": "ERROR_REPLACEMENT", "parentId": partner.customer})
    );
    let back = CardOnFile::enrolled(&partner, old.card.clone());
    assert_ne!(back.ranac, old.ranac);
    assert_eq!(again.offered().len(), 2);
}

/// Tab in which a card is about to be replaced.
struct Tab {
    page: Page,
    new: Card,
    submission: Submission,
}

impl Tab {
    fn on(partner: &Partner, old: &CardOnFile) -> Self {
        let page = Page::replacing(partner);
        let new = Card::fresh();
        let submission = page.replacement(old, &new);
        Self {
            page,
            new,
            submission,
        }
    }
}

fn at_once(tabs: &[Tab; 2]) -> [Value; 2] {
    thread::scope(|scope| {
        let calls = tabs
            .each_ref()
            .map(|tab| scope.spawn(|| tab.page.settle(&tab.submission).json()));
        calls.map(|call| call.join().unwrap())
    })
}

/// Asserts that MRS and the list of cards agree once the settlement has finished.
fn assert_cards_in_the_end(partner: &Partner, left: usize, old: &[&CardOnFile], tabs: &[Tab]) {
    let new: Vec<&Card> = tabs.iter().map(|tab| &tab.new).collect();
    eventually("the old cards to be cancelled", PATIENCE, || {
        old.iter().all(|old| !old.is_active()).then_some(())
    });
    assert_eq!(active_accounts(old, &new), left);
    let offered = Page::replacing(partner).offered();
    assert_eq!(offered.len(), left, "{offered:?}");
}

fn active_accounts(old: &[&CardOnFile], new: &[&Card]) -> usize {
    let of_new = new.iter().flat_map(|card| rewards::accounts_of(card));
    let is_active = |account: &rewards::Account| account.status != "CANCELLED";
    old.iter().filter(|old| old.is_active()).count() + of_new.filter(is_active).count()
}

fn opt_out(partner: &Partner, card: &CardOnFile) {
    let page = Page::opting_out(partner);
    let event = page.settle(&Submission::opt_out(card)).json();
    assert_eq!(event["status"], "SUCCESS_REMOVAL", "{event}");
}

fn naming(partner: &Partner, last4: &str) -> Page {
    let address = &Stack::here().demo.confirmation_url;
    let claims = json!({"last4": last4, "confirmationUrl": address});
    Page::opened(partner, ActionCode::Replace, &claims)
}

fn with_address(partner: &Partner) -> Page {
    let address = &Stack::here().demo.confirmation_url;
    Page::opened(partner, ActionCode::Replace, &json!({"confirmationUrl": address}))
}

fn with_program(change: impl Fn(&mut Program)) -> Partner {
    Partner::like_demo_but(|client| client.programs.iter_mut().for_each(change))
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

fn assert_refused(answer: &Answer, pointer: &str, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{what}"
    );
    assert_eq!(answer.json()["errors"][0]["pointer"], pointer, "{what}");
}

fn members(event: &Value) -> Vec<&str> {
    event
        .as_object()
        .expect("an event")
        .keys()
        .map(String::as_str)
        .collect()
}
