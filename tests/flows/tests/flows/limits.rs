//! Card limit of a customer, and attempt limits.

use std::thread;

use enrollment::client::Program;
use flows::card::Card;
use flows::page::Page;
use flows::partner::Partner;
use flows::rewards;
use flows::stack::Stack;
use serde_json::{Value, json};

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn card_limit_of_the_program_holds() {
    let partner = Partner::demo();
    let most = Stack::here().program().max_cards;
    let card = Card::fresh();
    let opened_before = Page::of(&partner.open(&json!({})));
    let submission = opened_before.submission(&card);
    for _ in 0..most {
        let page = Page::of(&partner.open(&json!({})));
        assert_eq!(page.enroll(&Card::fresh()).json()["status"], "SUCCESS_ENROLLMENT");
    }
    // Whoever opens the page now is told before a number is typed.
    let told = Page::of(&partner.open(&json!({}))).describe();
    for answer in [told, opened_before.settle(&submission)] {
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.json(),
            refused(&partner),
            "without a code: MRS was not asked"
        );
        assert_eq!(answer.header("ending-reason"), "card_limit");
        assert_eq!(answer.header("attempts-left"), "0");
    }
    assert_eq!(rewards::accounts_of(&card), []);

    let another = Page::of(&partner.with_another_customer().open(&json!({})));
    assert_eq!(
        another.enroll(&card).json()["status"],
        "SUCCESS_ENROLLMENT",
        "the limit is each customer's own"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn card_limit_holds_against_two_sessions() {
    let partner = with_program(|program| program.max_cards = 1);
    for _ in 0..3 {
        let partner = partner.with_another_customer();
        let attempts: Vec<_> = (0..2)
            .map(|_| {
                let page = Page::of(&partner.open(&json!({})));
                let card = Card::fresh();
                (page.submission(&card), page, card)
            })
            .collect();
        let events: Vec<Value> = thread::scope(|scope| {
            let calls: Vec<_> = attempts
                .iter()
                .map(|(submission, page, _)| scope.spawn(|| page.settle(submission).json()))
                .collect();
            calls.into_iter().map(|call| call.join().unwrap()).collect()
        });
        let held: usize = attempts
            .iter()
            .map(|(_, _, card)| rewards::accounts_of(card).len())
            .sum();
        assert_eq!(held, 1, "{events:?}");
        let enrolled = events
            .iter()
            .filter(|event| event["status"] == "SUCCESS_ENROLLMENT")
            .count();
        assert_eq!(enrolled, 1, "{events:?}");
        assert!(events.contains(&refused(&partner)), "{events:?}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn declined_card_takes_no_place() {
    let partner = with_program(|program| program.max_cards = 1);
    let page = Page::of(&partner.open(&json!({})));
    for _ in 0..2 {
        assert_eq!(
            page.enroll(&Card::numbered("5234000000001526")).json()["statusCode"],
            "-52"
        );
    }
    assert_eq!(page.enroll(&Card::fresh()).json()["status"], "SUCCESS_ENROLLMENT");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn customer_attempts_are_limited_over_sessions() {
    let most = Stack::here().program().attempts_per_customer_per_hour;
    let partner = Partner::demo();
    let last = Page::of(&partner.open(&json!({})));
    let mut made = 0;
    while made < most {
        let page = Page::of(&partner.open(&json!({})));
        for _ in 0..5.min(most - made) {
            assert_eq!(
                page.enroll(&Card::numbered("5234000000001450")).json()["statusCode"],
                "-45"
            );
            made += 1;
        }
    }
    let card = Card::fresh();
    let answer = last.enroll(&card);
    assert_eq!(
        answer.json(),
        json!({"status": "ACCESS_DENIED", "parentId": partner.customer})
    );
    assert_eq!(answer.header("attempts-left"), "0");
    assert_eq!(answer.header("ending-reason"), "limit");
    assert_eq!(rewards::accounts_of(&card), []);

    let redirect = partner.open(&json!({}));
    assert_eq!(redirect.failure().0, "ACCESS_DENIED", "nor is the widget opened");
    assert_eq!(redirect.reason(), Some("limit"));
    assert_eq!(partner.with_another_customer().open(&json!({})).status, "OPENED");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn client_attempts_are_limited_over_customers() {
    let partner = with_program(|program| program.attempts_per_client_per_hour = 3);
    let last = Page::of(&partner.with_another_customer().open(&json!({})));
    for _ in 0..3 {
        let page = Page::of(&partner.with_another_customer().open(&json!({})));
        assert_eq!(
            page.enroll(&Card::numbered("5234000000001450")).json()["statusCode"],
            "-45"
        );
    }
    assert_eq!(last.enroll(&Card::fresh()).json()["status"], "ACCESS_DENIED");
    assert_eq!(
        partner.with_another_customer().open(&json!({})).failure().0,
        "ACCESS_DENIED"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn refusals_and_repeats_count_as_no_attempt() {
    let partner = with_program(|program| program.attempts_per_customer_per_hour = 2);
    let page = Page::of(&partner.open(&json!({})));
    let declined = page.submission(&Card::numbered("5234000000001450"));
    assert_eq!(page.settle(&declined).json()["statusCode"], "-45");
    for _ in 0..3 {
        let outside = page.submission(&Card::in_range("555555"));
        assert_eq!(page.submit(&outside).status, 400);
        assert_eq!(page.submit(&declined).json()["statusCode"], "-45");
    }
    assert_eq!(
        page.enroll(&Card::fresh()).json()["status"],
        "SUCCESS_ENROLLMENT",
        "this is the second one"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn customer_id_that_mrs_refuses_is_invalid() {
    let partner = with_program(|program| {
        program.bank_customer_number = enrollment::client::BankCustomerNumberKind::CustomerId;
    });
    let long = "c".repeat(31);
    assert_eq!(
        partner.open(&json!({"sub": long})).failure().0,
        "INVALID_PARAMETERS"
    );

    let customer = &partner.customer[..30];
    let card = Card::fresh();
    let page = Page::of(&partner.open(&json!({"sub": customer})));
    assert_eq!(page.enroll(&card).json()["status"], "SUCCESS_ENROLLMENT");
    assert_eq!(rewards::accounts_of(&card)[0].bank_customer_number, customer);

    let again = Page::of(&partner.open(&json!({"sub": customer})));
    assert_eq!(
        again.enroll(&Card::fresh()).json()["statusCode"],
        "-50",
        "MRS knows one card of each customer"
    );
}

fn with_program(change: impl Fn(&mut Program)) -> Partner {
    Partner::like_demo_but(|client| client.programs.iter_mut().for_each(change))
}

/// Asserts a refusal before MRS was asked.
fn refused(partner: &Partner) -> Value {
    json!({"status": "ERROR_ENROLLMENT", "parentId": partner.customer})
}
