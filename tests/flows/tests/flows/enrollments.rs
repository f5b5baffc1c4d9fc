//! `/widget/api/enroll`: a card is enrolled or declined, and repeats of a submission get the first answer.

use std::thread;

use flows::card::{Card, random_hex};
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::rewards;
use flows::stack::Stack;
use serde_json::{Value, json};

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn success_event_is_that_of_the_source_document() {
    let partner = Partner::demo();
    let page = Page::of(&partner.open(&json!({})));
    let card = Card::fresh();
    let answer = page.enroll(&card);

    let held = rewards::accounts_of(&card);
    assert_eq!(held.len(), 1);
    assert_eq!((&*held[0].status, &*held[0].program), ("NEW", &*partner.program));
    assert_eq!(held[0].bank_customer_number.len(), 30);
    let mut event = json!({
        "status": "SUCCESS_ENROLLMENT", "parentId": partner.customer, "ranac": held[0].ranac,
        "bin": card.bin(), "last4": card.last4()
    });
    if let Some(design) = card.design_code() {
        event["designCode"] = design.into();
    }
    assert_eq!(answer.json(), event);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("attempts-left"), "0");
    assert_eq!(answer.header("incident-id").len(), 14);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn form_says_nothing_of_the_customer() {
    let partner = Partner::demo();
    let page = Page::of(&partner.open(&json!({})));
    let answer = page.describe();
    assert_eq!(answer.header("cache-control"), "no-store");
    let form = answer.json();
    let ranges: Vec<Value> = Stack::here()
        .program()
        .bin_ranges
        .iter()
        .map(|range| json!({"from": range.from, "to": range.to}))
        .collect();
    assert_eq!(form["binRanges"], Value::Array(ranges));
    assert_eq!(form["encryptionKey"]["reference"], "119009");
    assert_eq!(form["attemptsLeft"], 5);
    let left = form["expiresAt"].as_i64().unwrap() - flows::time::now();
    assert!((850..=900).contains(&left), "15 minutes: {left} s");
    assert!(!answer.text().contains(&partner.customer));
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn encryption_key_matches_its_fingerprint() {
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};

    let key = &Page::new().form()["encryptionKey"];
    let spki = base64::engine::general_purpose::STANDARD
        .decode(key["spki"].as_str().unwrap())
        .unwrap();
    assert_eq!(
        key["fingerprint"].as_str().unwrap().to_lowercase(),
        hex::encode(Sha256::digest(&spki))
    );
    let pem = Stack::here().text("pki/rewards.pub.pem");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    assert_eq!(
        key["spki"], body,
        "the public half of what the stand-in decrypts with"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_card_of_somebody_else_is_declined() {
    let card = Card::fresh();
    assert_eq!(Page::new().enroll(&card).json()["status"], "SUCCESS_ENROLLMENT");
    let event = Page::new().enroll(&card).json();
    assert_eq!(
        (&event["status"], &event["statusCode"]),
        (&json!("ERROR_ENROLLMENT"), &json!("-45"))
    );
    assert_eq!(rewards::accounts_of(&card).len(), 1);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn another_card_enrolls_after_a_declined_one() {
    let page = Page::new();
    let declined = page.enroll(&Card::numbered("5234000000001450"));
    assert_eq!(declined.json()["status"], "ERROR_ENROLLMENT");
    assert_eq!(page.form()["attemptsLeft"], 4);
    assert_eq!(page.enroll(&Card::fresh()).json()["status"], "SUCCESS_ENROLLMENT");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn repeat_gets_the_first_answer_without_mrs() {
    let page = Page::new();
    let card = Card::fresh();
    let submission = page.submission(&card);
    let first = page.settle(&submission);
    assert_eq!(first.json()["status"], "SUCCESS_ENROLLMENT");
    for _ in 0..2 {
        let repeat = page.submit_without_asking(&submission, &card, "enroll");
        assert_eq!(repeat.json(), first.json());
        assert_eq!(repeat.header("incident-id"), first.header("incident-id"));
    }
    assert_eq!(rewards::accounts_of(&card).len(), 1);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn repeat_of_a_failure_counts_once() {
    let page = Page::new();
    let submission = page.submission(&Card::numbered("5234000000001526"));
    let first = page.settle(&submission);
    assert_eq!(first.json()["statusCode"], "-52");
    for _ in 0..6 {
        let repeat = page.submit(&submission);
        assert_eq!(repeat.json(), first.json());
        assert_eq!(repeat.header("incident-id"), first.header("incident-id"));
        assert_eq!(repeat.header("attempts-left"), "4");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn eight_concurrent_repeats_enroll_one_card() {
    let page = Page::new();
    let card = Card::fresh();
    let submission = page.submission(&card);
    let answers: Vec<_> = thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| page.settle(&submission))).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let held = rewards::accounts_of(&card);
    assert_eq!(held.len(), 1);
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json(), answers[0].json());
        assert_eq!(answer.json()["ranac"], held[0].ranac);
        assert_eq!(answer.header("incident-id"), answers[0].header("incident-id"));
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn concurrent_cards_in_one_session_enroll_one() {
    let page = Page::new();
    let cards = [Card::fresh(), Card::fresh()];
    let submissions = cards.each_ref().map(|card| page.submission(card));
    let statuses: Vec<u16> = thread::scope(|scope| {
        let calls: Vec<_> = submissions
            .iter()
            .map(|submission| scope.spawn(|| page.settle(submission).status))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let held: usize = cards.iter().map(|card| rewards::accounts_of(card).len()).sum();
    assert_eq!(held, 1);
    // 409 where the other was open, 401 where it had ended already.
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        1,
        "{statuses:?}"
    );
    assert!(
        statuses.iter().all(|status| [200, 401, 409].contains(status)),
        "{statuses:?}"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_key_that_came_with_another_body_is_refused() {
    let page = Page::new();
    let first = page.submission(&Card::numbered("5234000000001450"));
    let answer = page.settle(&first);
    let card = Card::fresh();
    let other = Submission {
        key: first.key.clone(),
        ..page.submission(&card)
    };
    let refused = page.submit(&other);
    assert_eq!(refused.status, 422);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(rewards::accounts_of(&card), []);
    assert_eq!(page.submit(&first).json(), answer.json(), "the first one stands");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn key_belongs_to_one_session() {
    let key = random_hex(16);
    for _ in 0..2 {
        let page = Page::new();
        let submission = Submission {
            key: key.clone(),
            ..page.submission(&Card::fresh())
        };
        assert_eq!(page.settle(&submission).json()["status"], "SUCCESS_ENROLLMENT");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn finished_session_shows_its_success_only() {
    let page = Page::new();
    let further = page.submission(&Card::fresh());
    let answer = page.enroll(&Card::fresh());
    let reloaded = page.describe();
    assert_eq!((reloaded.status, reloaded.json()), (200, answer.json()));
    assert_eq!(reloaded.header("incident-id"), answer.header("incident-id"));
    assert_eq!(reloaded.header("attempts-left"), "0");
    let refused = page.submit(&further);
    assert_eq!(
        (refused.status, refused.json()),
        (401, json!({"status": "TOKEN_EXPIRED"}))
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn five_failures_end_a_session() {
    let page = Page::new();
    let further = page.submission(&Card::fresh());
    for left in ["4", "3", "2", "1", "0"] {
        assert_eq!(
            page.enroll(&Card::numbered("5234000000001450"))
                .header("attempts-left"),
            left
        );
    }
    let refused = page.submit(&further);
    assert_eq!(
        (refused.status, refused.json()),
        (401, json!({"status": "TOKEN_EXPIRED"}))
    );
    let reloaded = page.describe();
    assert_eq!(
        (reloaded.status, &reloaded.json()["statusCode"]),
        (200, &json!("-45")),
        "the last failure is shown"
    );
    assert_eq!(reloaded.header("attempts-left"), "0");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_session_for_something_else_enrolls_nothing() {
    let partner = Partner::like_demo_but(|client| {
        for program in &mut client.programs {
            program.opt_out = true;
        }
    });
    let page = Page::of(&partner.open(&json!({"actionCode": "C"})));
    let for_enrollment = Page::of(&partner.open(&json!({})));
    let card = Card::fresh();
    let submission = for_enrollment.submission(&card);
    for answer in [page.describe(), page.submit(&submission)] {
        assert_eq!(
            (answer.status, answer.json()),
            (403, json!({"status": "ACCESS_DENIED"}))
        );
    }
    assert_eq!(rewards::accounts_of(&card), []);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn what_a_customer_tells_of_themselves_is_taken() {
    let partner = Partner::like_demo_but(|client| {
        use enrollment::client::Field;
        client.fields.first_name = Field::Required;
        client.fields.last_name = Field::Optional;
        client.fields.email = Field::Required;
    });
    let page = Page::of(&partner.open(&json!({})));
    let mut submission = page.submission(&Card::fresh());
    // XML's own characters, and some beyond ASCII: they go to MRS in a SOAP message.
    submission.body["firstName"] = "<Zoë> & \"Ann\" ]]>".into();
    submission.body["lastName"] = "Ō'Brien-Šimić 李".into();
    submission.body["email"] = "zoe+rewards@example.com".into();
    assert_eq!(page.settle(&submission).json()["status"], "SUCCESS_ENROLLMENT");
}
