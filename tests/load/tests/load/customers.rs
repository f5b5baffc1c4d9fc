//! Customers of a client of the test's own: each opens one session and enrolls one card; some close the browser while the
//! outcome is open.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use flows::call::{self, Answer};
use flows::card::{Card, random_hex};
use flows::partner::Partner;
use flows::stack::Stack;
use flows::time::{Stopwatch, pause};
use http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::fault_profile::FaultProfile;
use super::records::active_at_mrs;

/// One customer in so many closes the browser at the first 202.
const IMPATIENT: usize = 3;
/// Limit of a session: longer than a page waits, as the machine is busy with others.
const PATIENCE: SignedDuration = SignedDuration::from_mins(3);

/// All customers of the run.
pub(crate) struct Customers {
    /// Client of the customers.
    pub(crate) partner: Partner,
    /// Form of a real session, from which the submissions are made.
    form: Value,
    /// RANACs of the accounts that were active at MRS before the run.
    pub(crate) active_before: BTreeSet<String>,
    seed: u64,
}

/// Result that a page showed to one customer.
#[derive(Debug)]
pub(crate) struct PageResult {
    pub(crate) customer: String,
    /// The event; none where the browser was closed before.
    pub(crate) event: Option<Value>,
}

impl Customers {
    pub(crate) fn new(seed: u64) -> Self {
        let partner = Partner::like_demo_but(|client| {
            for program in &mut client.programs {
                program.attempts_per_client_per_hour = 1_000_000;
            }
        });
        Self {
            form: form(&open(&partner)),
            active_before: active_at_mrs(),
            partner,
            seed,
        }
    }

    /// Runs the sessions of these numbers, some at once. Returns what the pages showed.
    pub(crate) fn run(
        &self,
        sessions: Range<usize>,
        at_once: usize,
        profile: Option<&FaultProfile>,
    ) -> Vec<PageResult> {
        let next = AtomicUsize::new(sessions.start);
        let results = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        if number >= sessions.end {
                            return;
                        }
                        if let Some(profile) = profile {
                            profile.start_session();
                        }
                        let one = self.session(number);
                        results.lock().unwrap().push(one);
                    }
                });
            }
        });
        results.into_inner().unwrap()
    }

    fn session(&self, number: usize) -> PageResult {
        let partner = self.partner.with_another_customer();
        let session = open(&partner);
        let submission = self.submission(number);
        let key = random_hex(16);
        let impatient = number.is_multiple_of(IMPATIENT);
        let watch = Stopwatch::start();
        let event = loop {
            let answer = submit(&session, &key, &submission);
            match answer.status {
                200 => break Some(answer.json()),
                202 if impatient => break None,
                // 503: a fault of ours or of the gateway, which the page meets by repeating the call.
                202 | 409 | 500..=599 => {}
                _ => panic!("{}: {}", answer.status, answer.text()),
            }
            assert!(watch.passed() < PATIENCE, "no outcome after {PATIENCE:#}");
            pause(2000);
        };
        PageResult {
            customer: partner.customer,
            event,
        }
    }

    fn submission(&self, number: usize) -> Value {
        let card = self.card(number);
        let required = |document: &&str| self.form["fields"][*document] == "required";
        let consents: Vec<Value> = ["terms", "privacy"]
            .iter()
            .filter(|document| required(document))
            .map(|document| json!({"document": document, "version": self.form[*document]["version"]}))
            .collect();
        let spki = self.form["encryptionKey"]["spki"].as_str().expect("a key");
        json!({
            "card": card.encrypted_under(spki), "bin": card.bin(), "last4": card.last4(), "consents": consents,
        })
    }

    /// Another number for each session of the run, in the demo program's first range.
    fn card(&self, number: usize) -> Card {
        let bin = &Stack::here().program().bin_ranges[0].from[..6];
        let start = u64::try_from(number)
            .unwrap()
            .wrapping_add(self.seed.wrapping_mul(10_000))
            % 1_000_000_000;
        Card::completed(&format!("{bin}{start:09}"))
    }
}

/// Number of pages by the result that they showed.
pub(crate) fn summary(results: &[PageResult]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for one in results {
        let shown = match &one.event {
            None => "browser closed".to_owned(),
            Some(event) => format!("{} {}", event["status"], event["statusCode"]).replace(" null", ""),
        };
        *counts.entry(shown).or_default() += 1;
    }
    format!("{counts:?}")
}

/// Opens a session. A back end that gets a fault instead of a redirect retries with a fresh token.
fn open(partner: &Partner) -> String {
    let address = format!("{}/company/non_auth_initialize", Stack::here().endpoints.api);
    let claims = json!({"confirmationUrl": Stack::here().demo.confirmation_url});
    let watch = Stopwatch::start();
    loop {
        let body = json!({"initializeWebsiteToken": partner.token(&claims)});
        let answer = call::post_json(&address, &body.to_string());
        if answer.status == 302 && answer.header("enrollment-status") == "OPENED" {
            let (_, session) = answer.header("location").split_once('#').expect("a session");
            return session.to_owned();
        }
        assert!(watch.passed() < PATIENCE, "{answer:?}");
        pause(500);
    }
}

fn form(session: &str) -> Value {
    let request = Request::get(address()).header("authorization", format!("Bearer {session}"));
    let answer = call::send(request.body(Vec::new()).expect("a request"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn submit(session: &str, key: &str, body: &Value) -> Answer {
    let request = Request::post(address())
        .header("authorization", format!("Bearer {session}"))
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    call::send(request.body(body.to_string().into_bytes()).expect("a request"))
}

fn address() -> String {
    format!("{}/widget/api/enroll", Stack::here().endpoints.api)
}
