//! What the page does with a session: gets its form, encrypts a card, submits it, repeats what is open.

use http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::call::{self, Answer};
use crate::card::{Card, random_hex};
use crate::partner::{Partner, Redirect};
use crate::rewards::Turn;
use crate::stack::Stack;
use crate::time::{Stopwatch, pause};

/// The 60 s of a deadline and some.
const PATIENCE: SignedDuration = SignedDuration::from_secs(90);

/// The page of one session.
#[derive(Debug, Clone)]
pub struct Page {
    /// What stood in the fragment.
    pub session: String,
}

/// One attempt: key and body, made once.
#[derive(Debug, Clone)]
pub struct Submission {
    /// `Idempotency-Key`.
    pub key: String,
    /// The body.
    pub body: Value,
}

impl Page {
    /// Opens the page of a new customer of the demo client.
    pub fn new() -> Self {
        Self::of(&Partner::demo().open(&json!({})))
    }

    /// The page that a token was answered with.
    pub fn of(redirect: &Redirect) -> Self {
        Self {
            session: redirect.session().to_owned(),
        }
    }

    /// What there is to show.
    pub fn describe(&self) -> Answer {
        let _turn = Turn::shared();
        call::send(
            self.request(Request::get(api()))
                .body(Vec::new())
                .expect("a request"),
        )
    }

    /// The form, which must be there.
    pub fn form(&self) -> Value {
        let answer = self.describe();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let form = answer.json();
        assert_eq!(form["action"], "N", "{form}");
        form
    }

    /// What a customer submits who fills in what must be filled.
    pub fn submission(&self, card: &Card) -> Submission {
        let form = self.form();
        let documents = ["terms", "privacy"]
            .into_iter()
            .filter(|document| form["fields"][*document] == "required");
        let consents: Vec<_> = documents
            .map(|document| json!({"document": document, "version": form[document]["version"]}))
            .collect();
        let mut body = json!({
            "card": card.encrypted_under(form["encryptionKey"]["spki"].as_str().expect("a key")),
            "bin": card.bin(), "last4": card.last4(), "consents": consents
        });
        let samples = [
            ("firstName", "Zoë"),
            ("lastName", "O'Brien-Šimić"),
            ("email", "zoe@example.com"),
        ];
        for (field, sample) in samples
            .into_iter()
            .filter(|(field, _)| form["fields"][*field] == "required")
        {
            body[field] = sample.into();
        }
        Submission {
            key: random_hex(16),
            body,
        }
    }

    /// Submits once.
    pub fn submit(&self, submission: &Submission) -> Answer {
        let _turn = Turn::shared();
        self.send(submission)
    }

    /// Submits once, while MRS has these faults for it, all of which must have been served by then.
    pub fn submit_disturbed(&self, submission: &Submission, orders: &[Value]) -> Answer {
        let turn = Turn::disturbed(orders);
        let answer = self.send(submission);
        assert_eq!(
            turn.unserved(),
            Vec::<Value>::new(),
            "MRS was asked less often than expected: {}",
            answer.text()
        );
        answer
    }

    /// Submits once, while MRS has a fault for it that must not be met: gives the orders that are left.
    pub fn submit_expecting_no_call(&self, submission: &Submission, order: &Value) -> (Answer, usize) {
        let turn = Turn::disturbed(std::slice::from_ref(order));
        (self.send(submission), turn.unserved().len())
    }

    /// Submits and repeats while the outcome is open.
    pub fn settle(&self, submission: &Submission) -> Answer {
        let watch = Stopwatch::start();
        loop {
            let answer = self.submit(submission);
            if answer.status != 202 {
                return answer;
            }
            assert!(
                watch.passed() < PATIENCE,
                "the outcome is still open after {PATIENCE:#}"
            );
            assert_eq!(answer.json(), json!({}));
            pause(answer.header("retry-after").parse::<u64>().expect("seconds") * 1000);
        }
    }

    /// Enrols a card and gives the answer with the event.
    pub fn enrol(&self, card: &Card) -> Answer {
        let answer = self.settle(&self.submission(card));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }

    /// Submits with a header or body of the test's own: members of `changes` replace header fields, `None` takes one
    /// away.
    pub fn submit_raw(&self, changes: &[(&str, Option<&str>)], body: &[u8]) -> Answer {
        let _turn = Turn::shared();
        let session = format!("Bearer {}", self.session);
        let key = random_hex(16);
        let defaults = [
            ("authorization", &*session),
            ("content-type", "application/json"),
            ("idempotency-key", &*key),
        ];
        let mut request = Request::post(api());
        for (name, value) in defaults {
            let replaced = changes.iter().find(|(replaced, _)| *replaced == name);
            if let Some(value) = replaced.map_or(Some(value), |(_, value)| *value) {
                request = request.header(name, value);
            }
        }
        call::send(request.body(body.to_vec()).expect("a request"))
    }

    fn send(&self, submission: &Submission) -> Answer {
        let request = self.request(Request::post(api()));
        let request = request
            .header("content-type", "application/json")
            .header("idempotency-key", &submission.key);
        call::send(
            request
                .body(submission.body.to_string().into_bytes())
                .expect("a request"),
        )
    }

    fn request(&self, builder: http::request::Builder) -> http::request::Builder {
        builder
            .header("authorization", format!("Bearer {}", self.session))
            .header("accept", "application/json")
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::new()
    }
}

fn api() -> String {
    format!("{}/widget/api/enroll", Stack::here().endpoints.api)
}
