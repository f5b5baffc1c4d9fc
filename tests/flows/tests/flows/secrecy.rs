//! Secrets are in no table and no log, in any encoding.

use flows::card::Card;
use flows::local_aws::{Settings, log_lines, scan, stands_in};
use flows::page::Page;
use flows::partner::{Partner, Redirect};
use flows::rewards;
use flows::stack::Stack;
use flows::time::{eventually, now_in_milliseconds};
use jiff::SignedDuration;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Enrollment with all its secrets.
struct Enrollment {
    incident: String,
    session: String,
    secrets: Vec<(&'static str, String)>,
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn nothing_personal_stands_in_a_table_in_clear() {
    let Enrollment {
        incident,
        session,
        secrets,
    } = enrollment();
    let settings = Settings::read();
    let tables: Vec<(&str, Vec<Value>)> = settings.tables().map(|table| (table, scan(table))).into();
    let stands = |secret: &str| -> Vec<&str> {
        let in_table = |items: &[Value]| items.iter().any(|item| stands_in(item, secret));
        tables
            .iter()
            .filter(|(_, items)| in_table(items))
            .map(|(table, _)| *table)
            .collect()
    };
    // What may be seen is seen: these are the right tables.
    assert_eq!(stands(&incident), [&settings.enrollments_table]);
    assert!(stands(&hex::encode(Sha256::digest(&session))).contains(&&*settings.sessions_table));
    for (name, secret) in secrets {
        assert_eq!(stands(&secret), <[&str; 0]>::default(), "{name}");
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn nothing_personal_is_logged() {
    let from = now_in_milliseconds() - 1000;
    let Enrollment {
        incident, secrets, ..
    } = enrollment();
    let lines = eventually(
        "the enrollment's line in the log",
        SignedDuration::from_secs(20),
        || {
            let lines = log_lines(from);
            lines.iter().any(|line| line.contains(&incident)).then_some(lines)
        },
    );
    let files = ["logs/ministack.log", "logs/sandbox.log"].map(|file| Stack::here().text(file));
    for (name, secret) in secrets {
        let found = lines
            .iter()
            .find(|line| stands_in(&Value::String((*line).clone()), &secret));
        assert_eq!(found, None, "{name}");
        assert!(
            !files.iter().any(|file| file.contains(&secret)),
            "{name} stands in a file of the stack's logs"
        );
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn refusal_is_logged_by_pointers_and_incident() {
    let from = now_in_milliseconds() - 1000;
    let page = Page::new();
    let card = Card::fresh();
    let mut submission = page.submission(&card);
    submission.body["bin"] = card.number.clone().into();
    let answer = page.submit(&submission);
    assert_eq!(answer.status, 400);
    let incident = answer.json()["incident"].as_str().unwrap().to_owned();
    let lines = eventually(
        "the refusal's line in the log",
        SignedDuration::from_secs(20),
        || {
            let mut lines = log_lines(from);
            lines.retain(|line| line.contains(&incident));
            lines.iter().any(|line| line.contains("/bin")).then_some(lines)
        },
    );
    assert!(!lines.iter().any(|line| line.contains(&card.number)));
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn log_line_is_json_with_the_incident() {
    let from = now_in_milliseconds() - 1000;
    let redirect = Partner::demo().open(&json!({"programId": "99999"}));
    let incident = redirect.failure().1.to_owned();
    let line = eventually(
        "the refusal's line in the log",
        SignedDuration::from_secs(20),
        || log_lines(from).into_iter().find(|line| line.contains(&incident)),
    );
    let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert_eq!(line["incident"], *incident, "{line}");
    assert_eq!(line["client"], Partner::demo().client, "{line}");
}

fn enrollment() -> Enrollment {
    let partner = Partner::demo();
    // An address of its own: that of other tests stands nowhere either, but this one is known to.
    let address = format!("{}/{}", Stack::here().demo.confirmation_url, partner.customer);
    let token = partner.token(&json!({"confirmationUrl": address}));
    let page = Page::of(&Redirect::of_token(&token));
    let card = Card::fresh();
    let mut submission = page.submission(&card);
    let email = format!("{}@example.com", partner.customer);
    submission.body["email"] = email.clone().into();
    let answer = page.settle(&submission);
    let event = answer.json();
    assert_eq!(event["status"], "SUCCESS_ENROLLMENT", "{event}");
    let held = rewards::accounts_of(&card);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Enrollment {
        incident: answer.header("incident-id").to_owned(),
        session: page.session.clone(),
        secrets: vec![
            ("session", page.session),
            ("token", token),
            ("customer id", partner.customer),
            ("confirmation address", address),
            ("e-mail address", email),
            ("card number", card.number.clone()),
            ("pair's key", text(&submission.body["card"]["key"])),
            ("pair's data", text(&submission.body["card"]["data"])),
            ("RANAC", held[0].ranac.clone()),
            ("bank customer number", held[0].bank_customer_number.clone()),
        ],
    }
}
