//! Runs that nobody interrupts.

use std::fs;
use std::time::Duration;

use crate::issuer::{Issuer, row, rows, run};
use crate::service::{Behavior, Service, later_key_list};

#[test]
fn every_card_is_submitted_once_and_has_its_result() {
    let service = Service::start(Behavior::default());
    let issuer = Issuer::new(&service);
    issuer.write(&rows(1200));
    let ran = run(issuer.submit(&[]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("1,200 accepted, 0 failed, 0 unknown, 0 to come"),
        "{}",
        ran.stderr
    );
    let cards = service.cards();
    assert_eq!(cards.len(), 1200);
    assert!(cards.values().all(|count| *count == 1));
    assert_eq!(service.received().violations, [""; 0]);
    let expected: Vec<String> = (0..1200)
        .map(|serial| {
            format!(
                "{},consumer-{},card-{serial},accepted,,,,",
                serial + 2,
                serial / 2
            )
        })
        .collect();
    assert_eq!(issuer.results(), expected);
    // Nothing of the ciphertext is kept.
    let left: Vec<_> = issuer
        .files()
        .into_iter()
        .filter(|file| file.extension().is_some_and(|end| end == "journal"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn mastercard_receives_what_the_file_has() {
    let service = Service::start(Behavior::default());
    let issuer = Issuer::new(&service);
    issuer.write(&[row("anna", "anna-1", 1), row("eva", "eva-1", 2)]);
    assert_eq!(run(issuer.submit(&[])).code, Some(0));
    let received = service.received();
    let batch = received.batches.values().next().unwrap();
    let consumer = &batch.content["consumers"][0];
    let card = &consumer["cards"][0];
    assert_eq!(
        (
            consumer["consumerIdentity"]["identityValue"].as_str(),
            card["panExpirationMonth"].as_str()
        ),
        (Some("person1@example.com"), Some("02"))
    );
    assert_eq!(card["primaryAccountNumber"], crate::issuer::number(1));
}

#[test]
fn results_have_reason_advice_and_sibling() {
    let service = Service::start(Behavior {
        questions: 1,
        ..Behavior::default()
    });
    let issuer = Issuer::new(&service);
    let ids = ["a-ok", "b-never", "c-after", "d-fallen", "e-unknown", "f-missing"];
    let rows: Vec<String> = (0..)
        .zip(ids)
        .map(|(serial, id)| row(&format!("c{serial}"), id, serial))
        .collect();
    issuer.write(&rows);
    let ran = run(issuer.submit(&[]));
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert_eq!(
        issuer.results(),
        [
            "2,c0,a-ok,accepted,,,,",
            "3,c1,b-never,failed,ISSUER_DECLINE,never,,",
            "4,c2,c-after,failed,PAN_INELIGIBLE,after,2027-03-01,",
            "5,c3,d-fallen,failed,PROFILE_INCOMPLETE,now,,other-never",
            "6,c4,e-unknown,unknown,,,,",
            "7,c5,f-missing,unknown,NOT_ANSWERED,,,",
        ]
    );
}

#[cfg(unix)]
#[test]
fn results_are_their_owners() {
    use std::os::unix::fs::PermissionsExt as _;
    let service = Service::start(Behavior::default());
    let issuer = Issuer::new(&service);
    issuer.write(&[row("anna", "anna-1", 1)]);
    // What an earlier version left.
    let path = issuer.path("cards.results.csv");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(run(issuer.submit(&[])).code, Some(0));
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn lost_answers_and_throttling_change_nothing() {
    let service = Service::start(Behavior {
        lose_every: 7,
        throttle_every: 5,
        questions: 1,
        ..Behavior::default()
    });
    let issuer = Issuer::new(&service);
    issuer.write(&rows(2000));
    let ran = run(issuer.submit(&["--parallel", "3"]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let cards = service.cards();
    assert!(cards.len() == 2000 && cards.values().all(|count| *count == 1));
    let received = service.received();
    assert!(received.repeats > 0);
    assert_eq!(received.violations, [""; 0]);
}

#[test]
fn file_with_faults_is_not_submitted() {
    let service = Service::start(Behavior::default());
    let issuer = Issuer::new(&service);
    let mut all = rows(600);
    all[400] = all[400].replace("5204740", "5204741");
    issuer.write(&all);
    let ran = run(issuer.submit(&[]));
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr
            .contains("cards.csv: line 402, column 3 (primaryAccountNumber): fails the check digit"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("1 fault; nothing was submitted"),
        "{}",
        ran.stderr
    );
    assert_eq!(service.received().requests, 0);
}

#[test]
fn check_needs_neither_keys_nor_service() {
    let service = Service::start(Behavior::default());
    let issuer = Issuer::new(&service);
    issuer.write(&rows(10));
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_enrollctl"));
    command
        .args(["batch", "submit", "--check"])
        .arg(issuer.path("cards.csv"));
    let ran = run(command);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("10 cards of 5 consumers, no faults"),
        "{}",
        ran.stderr
    );
}

#[test]
fn refusal_is_told_with_its_faults_and_can_be_resumed() {
    let service = Service::start(Behavior {
        refusal: Some(400),
        ..Behavior::default()
    });
    let issuer = Issuer::new(&service);
    issuer.write(&rows(10));
    let ran = run(issuer.submit(&[]));
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr
            .contains("the service answered 400 Bad Request: Refused\n  /manifest: is wrong"),
        "{}",
        ran.stderr
    );
    let id = ran.stderr.find("batch ").map(|at| &ran.stderr[at..]);
    assert!(
        id.is_some_and(|id| id.contains(" (between lines 2 and 11): the service")),
        "{}",
        ran.stderr
    );
    service.behave(Behavior {
        refusal: Some(404),
        ..Behavior::default()
    });
    let ran = run(issuer.submit(&[]));
    assert!(
        ran.code == Some(1) && ran.stderr.contains("check --url"),
        "{}",
        ran.stderr
    );
    service.behave(Behavior::default());
    assert_eq!(run(issuer.submit(&[])).code, Some(0));
}

#[test]
fn reason_of_the_batch_is_that_of_cards_without_one() {
    let service = Service::start(Behavior {
        reason: Some("MAXIMUM_AGE_REACHED"),
        ..Behavior::default()
    });
    let issuer = Issuer::new(&service);
    let ids = ["a-ok", "b-never", "c-unknown", "d-missing"];
    let rows: Vec<String> = (0..)
        .zip(ids)
        .map(|(serial, id)| row(&format!("c{serial}"), id, serial))
        .collect();
    issuer.write(&rows);
    assert_eq!(run(issuer.submit(&[])).code, Some(3));
    assert_eq!(
        issuer.results(),
        [
            "2,c0,a-ok,accepted,,,,",
            "3,c1,b-never,failed,ISSUER_DECLINE,never,,",
            "4,c2,c-unknown,unknown,MAXIMUM_AGE_REACHED,,,",
            "5,c3,d-missing,unknown,MAXIMUM_AGE_REACHED,,,",
        ]
    );
}

#[test]
fn run_keeps_its_key_when_mastercard_has_another() {
    let service = Service::start(Behavior::default());
    let issuer = Issuer::new(&service);
    issuer.write(&rows(10));
    assert_eq!(run(issuer.submit(&["--no-wait"])).code, Some(4));
    fs::write(issuer.path("keys.json"), later_key_list()).unwrap();
    let ran = run(issuer.submit(&["--fingerprint", &"00".repeat(32)]));
    assert!(
        ran.code == Some(1) && ran.stderr.contains("another key"),
        "{}",
        ran.stderr
    );
    let ran = run(issuer.submit(&[]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(service.received().batches.len(), 1);
}

#[test]
fn not_found_once_gives_no_result_up() {
    let service = Service::start(Behavior::default());
    let issuer = Issuer::new(&service);
    issuer.write(&rows(10));
    assert_eq!(run(issuer.submit(&["--no-wait"])).code, Some(4));
    let of_service =
        r#"{"type":"about:blank","title":"There is nothing of that id.","status":404,"incident":"8F3A"}"#;
    let of_gateway = r#"{"message":"Not Found"}"#;
    for (body, told) in [
        (of_service, "the service does not know the batch"),
        (of_gateway, "an answer that is not the service's"),
    ] {
        service.behave(Behavior {
            not_found: Some(body),
            ..Behavior::default()
        });
        let status = run(issuer.about("status", true, &[]));
        assert!(
            status.code == Some(4)
                && status.stdout.contains("0 unknown, 10 to come")
                && status.stderr.contains(told),
            "{} {}",
            status.stdout,
            status.stderr
        );
    }
    service.behave(Behavior::default());
    assert_eq!(run(issuer.about("status", true, &[])).code, Some(0));
}

#[test]
fn results_come_later_with_no_wait() {
    let service = Service::start(Behavior::default());
    let issuer = Issuer::new(&service);
    issuer.write(&rows(600));
    let ran = run(issuer.submit(&["--no-wait"]));
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    let status = run(issuer.about("status", false, &[]));
    assert_eq!(
        (status.code, status.stdout.as_str()),
        (
            Some(4),
            "600 cards: 600 submitted; results: 0 accepted, 0 failed, 0 unknown, 600 to come\n"
        )
    );
    let results = run(issuer.about("results", true, &["--wait"]));
    assert_eq!(results.code, Some(0), "{}", results.stderr);
    assert_eq!(results.stdout.lines().count(), 601);
    assert_eq!(run(issuer.about("status", true, &[])).code, Some(0));
}

#[test]
fn changed_file_and_changed_options_are_refused() {
    let service = Service::start(Behavior::default());
    let issuer = Issuer::new(&service);
    issuer.write(&rows(600));
    assert_eq!(run(issuer.submit(&["--no-wait"])).code, Some(4));
    let ran = run(issuer.submit(&["--range-digits", "6"]));
    assert!(
        ran.code == Some(1) && ran.stderr.contains("another --range-digits"),
        "{}",
        ran.stderr
    );
    let ran = run(issuer.submit(&["--window", "501"]));
    assert!(
        ran.code == Some(1) && ran.stderr.contains("another --window"),
        "{}",
        ran.stderr
    );
    issuer.write(&rows(602));
    let ran = run(issuer.submit(&[]));
    assert!(
        ran.code == Some(1) && ran.stderr.contains("is not the one that this run was begun with"),
        "{}",
        ran.stderr
    );
    assert_eq!(service.cards().len(), 600);
}

#[test]
fn same_file_from_another_folder_is_not_submitted_twice() {
    let service = Service::start(Behavior::default());
    let issuer = Issuer::new(&service);
    issuer.write(&rows(600));
    assert_eq!(run(issuer.submit(&[])).code, Some(0));
    fs::rename(issuer.path("state"), issuer.path("lost")).unwrap();
    let ran = run(issuer.submit(&[]));
    assert!(
        ran.code == Some(1) && ran.stderr.contains("submitted from another state folder"),
        "{}",
        ran.stderr
    );
    assert!(service.cards().values().all(|count| *count == 1));
    // Once more on purpose, in a folder of its own.
    fs::remove_dir_all(issuer.path("state")).unwrap();
    assert_eq!(run(issuer.submit(&["--run", "again"])).code, Some(0));
    assert!(service.cards().values().all(|count| *count == 2));
}

#[test]
fn key_is_pinned_by_its_fingerprint() {
    let service = Service::start(Behavior::default());
    let issuer = Issuer::new(&service);
    issuer.write(&rows(2));
    let ran = run(issuer.submit(&["--fingerprint", &"00".repeat(32)]));
    assert!(
        ran.code == Some(1) && ran.stderr.contains("fingerprint"),
        "{}",
        ran.stderr
    );
    assert_eq!(service.received().batches.len(), 0);
}

#[test]
fn two_processes_do_not_share_a_folder() {
    let service = Service::start(Behavior {
        delay: Duration::from_secs(2),
        ..Behavior::default()
    });
    let issuer = Issuer::new(&service);
    issuer.write(&rows(2));
    let mut first = issuer
        .submit(&[])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while service.received().requests == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let second = run(issuer.submit(&[]));
    assert!(
        second.stderr.contains("another enrollctl works with"),
        "{}",
        second.stderr
    );
    assert!(first.wait().unwrap().success());
}
