//! Forged tokens: each is refused with the status of the first check that it fails (`docs/contract.md#token-checks`), opens no
//! session, and is not repeated in the answer.

mod bodies;
mod claims;
mod encodings;
mod signatures;
mod victim;

use std::thread;

use flows::local_aws::{Settings, scan};
use flows::partner::{Partner, Redirect};
use serde_json::{Value, json};

use victim::Victim;

/// Body to post, with the expected status.
struct Forgery {
    what: String,
    body: String,
    status: &'static str,
}

impl Forgery {
    fn of_token(what: impl Into<String>, token: &str, status: &'static str) -> Self {
        Self::of_body(what, json!({"initializeWebsiteToken": token}).to_string(), status)
    }

    fn of_body(what: impl Into<String>, body: impl Into<String>, status: &'static str) -> Self {
        Self {
            what: what.into(),
            body: body.into(),
            status,
        }
    }

    /// Returns what is wrong with the answer, if anything.
    fn fault(&self) -> Option<String> {
        let answer = flows::partner::initialize(&self.body);
        let redirect = Redirect::of_answer(&answer);
        if redirect.status != self.status {
            return Some(format!(
                "{}: {} where {} is right",
                self.what, redirect.status, self.status
            ));
        }
        // The address contains the status, an incident id, and nothing else.
        redirect.failure();
        let mut told: Vec<String> = answer
            .headers
            .values()
            .filter_map(|value| value.to_str().ok().map(str::to_owned))
            .collect();
        told.push(answer.text().to_owned());
        let repeats = self
            .pieces()
            .any(|piece| told.iter().any(|text| text.contains(piece)));
        repeats.then(|| format!("{}: the answer repeats a part of it", self.what))
    }

    /// Returns the parts of the body that are long enough to be recognized.
    fn pieces(&self) -> impl Iterator<Item = &str> {
        let belongs = |character: char| character.is_ascii_alphanumeric() || "-_+/".contains(character);
        self.body
            .split(move |character| !belongs(character))
            .filter(|piece| piece.len() >= 16)
    }
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn forged_token_is_refused_by_the_first_failed_check() {
    let victim = Victim::new();
    let used = victim.token(&json!({}));
    assert_eq!(Redirect::of_token(&used).status, "OPENED", "the real one does");
    let kinds = [
        bodies::all(&victim),
        encodings::all(&victim),
        signatures::all(&victim),
        claims::all(&victim),
        vec![Forgery::of_token("used before", &used, "ACCESS_DENIED")],
    ];
    let forgeries: Vec<Forgery> = kinds.into_iter().flatten().collect();
    let faults: Vec<String> = forgeries.iter().filter_map(Forgery::fault).collect();
    assert!(
        faults.is_empty(),
        "{} of {}:\n{}",
        faults.len(),
        forgeries.len(),
        faults.join("\n")
    );
    assert!(forgeries.len() >= 50, "{} forged tokens", forgeries.len());
    println!("{} forged tokens", forgeries.len());

    assert_eq!(sessions_of(&victim.partner), 1, "that of the real token");
    assert_eq!(sessions_of(&victim.neighbor), 0);
    assert_eq!(
        Redirect::of_token(&victim.token(&json!({}))).status,
        "OPENED",
        "and the next real one does"
    );
}

#[test]
#[ignore = "needs the local stack: cargo xtask test --only flows"]
fn concurrent_use_of_a_token_opens_one_session() {
    let victim = Victim::new();
    for round in 1..=5 {
        let token = victim.token(&json!({}));
        let mut statuses: Vec<String> = thread::scope(|scope| {
            let posts = [(); 2].map(|()| scope.spawn(|| Redirect::of_token(&token).status));
            posts.map(|post| post.join().unwrap()).into()
        });
        statuses.sort();
        assert_eq!(statuses, ["ACCESS_DENIED", "OPENED"]);
        assert_eq!(sessions_of(&victim.partner), round);
    }
}

fn sessions_of(partner: &Partner) -> usize {
    let is_session = |item: &&Value| {
        item["pk"]["S"]
            .as_str()
            .is_some_and(|key| key.starts_with("session#"))
    };
    scan(&Settings::read().sessions_table)
        .iter()
        .filter(is_session)
        .filter(|item| item["client"]["S"] == partner.client)
        .count()
}
