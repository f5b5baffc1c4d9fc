//! Runs that are killed, and what they leave on disk.

use std::collections::HashSet;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

use enrollment::randomness::Randomness as _;
use platform::SystemRandomness;

use crate::issuer::{Issuer, number, row, rows, run};
use crate::service::{Behavior, Service};

/// Kills in `cargo xtask test`; `ENROLLCTL_KILLS` is another number, for `cargo xtask soak`.
const KILLS: u32 = 50;
const CARDS: u32 = 6000;

fn kills() -> u32 {
    std::env::var("ENROLLCTL_KILLS").map_or(KILLS, |number| number.parse().unwrap())
}

/// A random number below a bound. A run that fails prints what it did.
fn below(bound: u64) -> u64 {
    let mut bytes = [0; 8];
    SystemRandomness.fill(&mut bytes);
    u64::from_be_bytes(bytes) % bound
}

/// Cuts something off the end of a journal, as a power failure does: of what was appended, never of what was synced.
fn cut_a_journal(issuer: &Issuer) {
    for file in issuer.files() {
        if file.extension().is_none_or(|end| end != "journal") {
            continue;
        }
        let whole = fs::read(&file).unwrap();
        let appended = whole
            .windows(9)
            .rposition(|head| head[8] == b'A' && head[3] == 0 && head[2] == 0);
        if let Some(start) = appended.filter(|start| whole.len() - start < 100) {
            let kept = start + usize::try_from(below((whole.len() - start) as u64)).unwrap();
            fs::write(&file, &whole[..kept]).unwrap();
        }
    }
}

#[test]
fn killed_runs_lose_no_card_and_double_none() {
    let service = Service::start(Behavior {
        lose_every: 11,
        throttle_every: 13,
        delay: Duration::from_millis(5),
        ..Behavior::default()
    });
    let issuer = Issuer::new(&service);
    let rows = rows(CARDS);
    issuer.write(&rows);
    let (mut killed, mut kills_left) = (0, kills());
    while kills_left > 0 {
        kills_left -= 1;
        let mut process = issuer.submit(&[]).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(below(900)));
        if process.try_wait().unwrap().is_none() {
            process.kill().unwrap();
            killed += 1;
        }
        process.wait().unwrap();
        assert_nothing_in_clear(&issuer, &rows);
        if below(3) == 0 {
            cut_a_journal(&issuer);
        }
        // A run that is done begins anew, so that every kill meets one that works.
        if issuer.path("cards.results.csv").exists() {
            assert_complete(&service, &issuer);
            service.received().batches.clear();
            fs::remove_dir_all(issuer.path("state")).unwrap();
            fs::remove_file(issuer.path("cards.results.csv")).unwrap();
        }
    }
    assert!(killed >= kills() / 2, "{killed} kills only");
    let ran = run(issuer.submit(&[]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_complete(&service, &issuer);
}

fn assert_complete(service: &Service, issuer: &Issuer) {
    let cards = service.cards();
    assert_eq!(cards.len(), CARDS as usize);
    assert!(cards.values().all(|count| *count == 1));
    assert_eq!(service.received().violations, [""; 0]);
    let expected: Vec<String> = (0..CARDS)
        .map(|serial| {
            format!(
                "{},consumer-{},card-{serial},accepted,,,,",
                serial + 2,
                serial / 2
            )
        })
        .collect();
    assert!(
        issuer.results() == expected,
        "results are missing, doubled or out of order"
    );
}

/// Looks for numbers, addresses and names of the rows in every file but the card file.
fn assert_nothing_in_clear(issuer: &Issuer, rows: &[String]) {
    let mut secrets = HashSet::new();
    for row in rows {
        secrets.extend(row.split(',').skip(2).filter(|value| value.len() > 6));
    }
    for file in issuer.files() {
        let Ok(content) = fs::read(&file) else { continue };
        for (at, length) in found(&content, &secrets) {
            panic_with(&file, at, length);
        }
    }
}

/// Places of the secrets in a content. All secrets begin with a digit or a capital or small letter, so words are enough.
fn found(content: &[u8], secrets: &HashSet<&str>) -> Vec<(usize, usize)> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'.');
    let mut places = Vec::new();
    let mut at = 0;
    while at < content.len() {
        let length = content[at..].iter().take_while(|byte| is_word(byte)).count();
        let word = std::str::from_utf8(&content[at..at + length]).unwrap();
        if secrets.contains(word) {
            places.push((at, length));
        }
        at += length + 1;
    }
    places
}

#[expect(clippy::panic, reason = "a test that can't go on must end")]
fn panic_with(file: &std::path::Path, at: usize, length: usize) {
    panic!("{} has {length} bytes of a row at {at}", file.display());
}

#[test]
fn search_finds_what_is_in_clear() {
    let service = Service::start(Behavior::default());
    let issuer = Issuer::new(&service);
    let rows = [row("anna", "anna-1", 7)];
    issuer.write(&rows);
    for secret in [number(7), "person7@example.com".to_owned(), "Surname7".to_owned()] {
        let mut content = b"\x00\xff{\"x\":\"".to_vec();
        content.extend_from_slice(secret.as_bytes());
        content.extend_from_slice(b"\"}\x80");
        let values: HashSet<&str> = rows[0]
            .split(',')
            .skip(2)
            .filter(|value| value.len() > 6)
            .collect();
        assert_eq!(found(&content, &values).len(), 1, "{secret}");
    }
}
