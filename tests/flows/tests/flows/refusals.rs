//! Submissions that are refused before MRS is asked: by their session, their form and their fields.

use enrollment::client::Field;
use flows::call::Answer;
use flows::card::{Card, random_hex};
use flows::local_aws::Settings;
use flows::page::{Page, Submission};
use flows::partner::Partner;
use flows::rewards;
use flows::stored;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn an_unknown_or_garbled_session_has_expired() {
    let good = Page::new();
    let submission = good.submission(&Card::fresh());
    let garbled = [
        random_hex(16),
        "x".repeat(43),
        format!("{}=", good.session),
        good.session[1..].to_owned(),
    ];
    for session in garbled.into_iter().chain([base64url_of_zeros(), String::new()]) {
        let page = Page {
            session: session.clone(),
            ..good.clone()
        };
        for answer in [page.describe(), page.submit(&submission)] {
            assert_expired(&answer, &session);
        }
    }
    let body = submission.body.to_string();
    for authorization in [
        None,
        Some(&*good.session),
        Some(&*format!("Basic {}", good.session)),
        Some("Bearer"),
    ] {
        assert_expired(
            &good.submit_raw(&[("authorization", authorization)], body.as_bytes()),
            "the wrong scheme",
        );
    }
    assert_eq!(good.form()["attemptsLeft"], 5);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_session_expires() {
    let page = Page::new();
    let card = Card::fresh();
    let submission = page.submission(&card);
    let key = json!({"pk": {"S": format!("session#{}", hex::encode(Sha256::digest(&page.session)))}});
    let past = flows::time::now_in_milliseconds() - 1000;
    stored::rewrite(&Settings::read().sessions_table, &key, &[("expires_at", past)]);
    for answer in [page.describe(), page.submit(&submission)] {
        assert_expired(&answer, "an expired session");
    }
    assert_eq!(rewards::accounts_of(&card), []);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn an_idempotency_key_must_be_there_and_be_one() {
    let page = Page::new();
    let card = Card::fresh();
    let body = page.submission(&card).body.to_string();
    let long = "k".repeat(65);
    for key in [
        None,
        Some(""),
        Some("too-short"),
        Some(&*long),
        Some("0123456789 abcdef"),
    ] {
        let answer = page.submit_raw(&[("idempotency-key", key)], body.as_bytes());
        assert_problem(&answer, 400, &format!("{key:?}"));
    }
    assert_untouched(&page, &card);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_body_of_another_type_is_refused() {
    let page = Page::new();
    let card = Card::fresh();
    let body = page.submission(&card).body.to_string();
    for media_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
    ] {
        let answer = page.submit_raw(&[("content-type", media_type)], body.as_bytes());
        assert_problem(&answer, 415, &format!("{media_type:?}"));
    }
    assert_untouched(&page, &card);
    let accepted = page.submit_raw(
        &[("content-type", Some("Application/JSON; charset=utf-8"))],
        body.as_bytes(),
    );
    assert!([200, 202].contains(&accepted.status), "{}", accepted.text());
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_body_that_is_too_large_is_refused() {
    let page = Page::new();
    let card = Card::fresh();
    let mut submission = page.submission(&card);
    submission.body["firstName"] = "x".repeat(17 * 1024).into();
    assert_problem(&page.submit(&submission), 413, "17 KiB");
    assert_untouched(&page, &card);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn a_body_that_is_no_submission_is_refused() {
    let page = Page::new();
    let card = Card::fresh();
    let good = page.submission(&card).body.to_string();
    let cut = &good[..good.len() - 1];
    let unknown = format!("{cut},\"cvc\":\"737\"}}");
    let twice = format!("{cut},\"bin\":\"523400\"}}");
    let latin: Vec<u8> = [cut.as_bytes(), b",\"firstName\":\"Zo\xeb\"}"].concat();
    let bodies: [&[u8]; 9] = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\"\"",
        cut.as_bytes(),
        unknown.as_bytes(),
        twice.as_bytes(),
        &latin,
    ];
    for body in bodies {
        let answer = page.submit_raw(&[], body);
        assert_problem(&answer, 400, &String::from_utf8_lossy(body));
        assert!(!answer.text().contains("737"));
    }
    assert_untouched(&page, &card);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn errors_have_pointers_and_no_values() {
    let partner = Partner::like_demo_but(|client| {
        client.fields.first_name = Field::Required;
        client.fields.last_name = Field::Optional;
        client.fields.email = Field::Optional;
        client.fields.terms = Field::Required;
        client.fields.privacy = Field::Required;
    });
    let page = Page::of(&partner.open(&json!({})));
    let card = Card::fresh();
    let good = page.submission(&card);
    let number = json!(card.number);
    let cases = [
        ("/card/key", number.clone(), "/card/key"),
        ("/card/key", json!("not base64 !"), "/card/key"),
        ("/card/key", json!(""), "/card/key"),
        ("/card/data", number.clone(), "/card/data"),
        ("/card/data", json!("QUJD".repeat(2000)), "/card/data"),
        ("/bin", json!("52340"), "/bin"),
        ("/bin", json!("52340a"), "/bin"),
        ("/bin", number.clone(), "/bin"),
        ("/bin", json!("411111"), "/bin"),
        ("/last4", json!("123"), "/last4"),
        ("/last4", number.clone(), "/last4"),
        ("/last4", json!("12é4"), "/last4"),
        ("/firstName", json!("   "), "/firstName"),
        ("/firstName", number.clone(), "/firstName"),
        ("/firstName", json!("n".repeat(101)), "/firstName"),
        ("/firstName", json!("Zoe\u{7}Zoe"), "/firstName"),
        ("/lastName", json!("5234 0000 0009 0123"), "/lastName"),
        ("/email", json!("nobody-at-home"), "/email"),
        ("/email", json!("a@b@example.com"), "/email"),
        (
            "/email",
            json!(format!("{}@example.com", "m".repeat(250))),
            "/email",
        ),
        ("/consents", json!([]), "/consents"),
        ("/consents/0/version", json!("1999-12"), "/consents"),
    ];
    for (place, value, pointer) in cases {
        let mut submission = Submission {
            key: random_hex(16),
            ..good.clone()
        };
        set(&mut submission.body, place, value.clone());
        let answer = page.submit(&submission);
        assert_problem(&answer, 400, &format!("{place} = {value}"));
        assert_eq!(
            pointers(&answer),
            [pointer].repeat(pointers(&answer).len()),
            "{place} = {value}"
        );
        assert!(!pointers(&answer).is_empty(), "{place} = {value}");
        let told = value.as_str().map(str::trim).filter(|text| text.len() > 3);
        assert!(
            told.is_none_or(|text| !answer.text().contains(text)),
            "{}",
            answer.text()
        );
    }
    let mut two_faults = Submission {
        key: random_hex(16),
        ..good.clone()
    };
    set(&mut two_faults.body, "/bin", json!("1"));
    set(&mut two_faults.body, "/last4", json!("1"));
    assert_eq!(
        pointers(&page.submit(&two_faults)),
        ["/bin", "/last4"],
        "all faults at once"
    );
    assert_untouched(&page, &card);
    // So it was each time the change that was refused.
    assert_eq!(page.settle(&good).json()["status"], "SUCCESS_ENROLLMENT");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn card_outside_the_program_is_not_sent() {
    let page = Page::new();
    let card = Card::in_range("555555");
    let answer = page.submit(&page.submission(&card));
    assert_problem(&answer, 400, "a BIN of no program");
    assert_eq!(pointers(&answer), ["/bin"]);
    assert_untouched(&page, &card);
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn claimed_bin_does_not_decide_the_program() {
    let page = Page::new();
    let card = Card::in_range("555555");
    let mut submission = page.submission(&card);
    submission.body["bin"] = Card::fresh().bin().into();
    let event = page.settle(&submission).json();
    assert_eq!(
        event["statusCode"], "-52",
        "first six digits are the browser's claim; MRS reads the number: {event}"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn what_is_not_asked_for_is_refused() {
    let partner = Partner::like_demo_but(|client| {
        client.fields.first_name = Field::Hidden;
        client.fields.privacy = Field::Hidden;
    });
    let page = Page::of(&partner.open(&json!({})));
    let form = page.form();
    assert_eq!(
        (&form["fields"]["firstName"], form.get("privacy")),
        (&json!("hidden"), None)
    );
    let card = Card::fresh();
    let good = page.submission(&card);
    let mut named = Submission {
        key: random_hex(16),
        ..good.clone()
    };
    named.body["firstName"] = "Zoë".into();
    assert_eq!(pointers(&page.submit(&named)), ["/firstName"]);
    let mut consented = Submission {
        key: random_hex(16),
        ..good.clone()
    };
    consented.body["consents"]
        .as_array_mut()
        .unwrap()
        .push(json!({"document": "privacy", "version": "2026-01"}));
    assert_eq!(pointers(&page.submit(&consented)), ["/consents"]);
    assert_untouched(&page, &card);
    assert_eq!(page.settle(&good).json()["status"], "SUCCESS_ENROLLMENT");
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn changed_document_needs_new_consent() {
    let page = Page::new();
    let card = Card::fresh();
    let mut submission = page.submission(&card);
    let consents = submission.body["consents"].as_array_mut().unwrap();
    assert!(!consents.is_empty(), "the demo client asks for a consent");
    for consent in consents {
        consent["version"] = "2025-12".into();
    }
    let answer = page.submit(&submission);
    assert_problem(&answer, 400, "a former version");
    assert!(
        pointers(&answer).iter().all(|pointer| pointer == "/consents"),
        "{}",
        answer.text()
    );
    assert_untouched(&page, &card);
}

fn assert_expired(answer: &Answer, what: &str) {
    assert_eq!(
        (answer.status, answer.json()),
        (401, json!({"status": "TOKEN_EXPIRED"})),
        "{what}"
    );
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// Problem details of RFC 9457 with an incident.
fn assert_problem(answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    assert_eq!(
        answer.header("content-type"),
        "application/problem+json",
        "{what}"
    );
    assert_eq!(answer.header("cache-control"), "no-store", "{what}");
    let problem = answer.json();
    assert_eq!(problem["status"], status, "{what}");
    assert_eq!(problem["incident"].as_str().map(str::len), Some(14), "{what}");
    assert!(
        problem["title"].as_str().is_some_and(|title| !title.is_empty()),
        "{what}"
    );
}

/// Asserts that nothing was counted and nothing enrolled.
fn assert_untouched(page: &Page, card: &Card) {
    assert_eq!(page.form()["attemptsLeft"], 5);
    assert_eq!(rewards::accounts_of(card), []);
}

fn pointers(answer: &Answer) -> Vec<String> {
    let problem = answer.json();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|error| error["pointer"].as_str().unwrap().to_owned())
        .collect()
}

fn set(body: &mut Value, place: &str, value: Value) {
    let (parent, member) = place.rsplit_once('/').unwrap();
    body.pointer_mut(parent).unwrap()[member] = value;
}

fn base64url_of_zeros() -> String {
    "A".repeat(43)
}
