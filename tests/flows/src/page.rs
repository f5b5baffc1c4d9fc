//! Page of a session: reads the description, encrypts a card, submits, and repeats while the outcome is open.

use enrollment::action::ActionCode;
use enrollment::confirmation::ConfirmationId;
use enrollment::identifiers::{IdempotencyKey, IntentId, SessionToken};
use enrollment::status::Status;
use http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::call::{self, Answer};
use crate::card::{Card, random_hex};
use crate::card_on_file::CardOnFile;
use crate::partner::{Partner, Redirect};
use crate::person;
use crate::rewards::Faults;
use crate::stack::Stack;
use crate::time::{Stopwatch, pause};

/// Time limit of an outcome: the deadline of 60 s and a margin.
const PATIENCE: SignedDuration = SignedDuration::from_secs(90);

/// Page of one session.
#[derive(Debug, Clone)]
pub struct Page {
    /// Session token of the fragment.
    pub session: String,
    /// Action, whose address it calls.
    pub action: ActionCode,
}

/// Attempt: key and body, made once.
#[derive(Debug, Clone)]
pub struct Submission {
    /// `Idempotency-Key`.
    pub key: String,
    /// Body.
    pub body: Value,
}

impl Submission {
    /// Opt-out of a card.
    pub fn opt_out(old: &CardOnFile) -> Self {
        Self {
            key: random_hex(16),
            body: json!({"oldCard": old.id}),
        }
    }
}

impl Page {
    /// Opens the page of a new customer of the demo client.
    pub fn new() -> Self {
        Self::of(&Partner::demo().open(&json!({})))
    }

    /// Page to which the token of an enrollment redirects.
    pub fn of(redirect: &Redirect) -> Self {
        Self {
            session: redirect.session().to_owned(),
            action: ActionCode::Enroll,
        }
    }

    /// Page of the partner's customer for a replacement.
    pub fn replacing(partner: &Partner) -> Self {
        Self::opened(partner, ActionCode::Replace, &json!({}))
    }

    /// Page of the partner's customer for an opt-out.
    pub fn opting_out(partner: &Partner) -> Self {
        Self::opened(partner, ActionCode::OptOut, &json!({}))
    }

    /// Page of the partner's customer for an action, by a token with further claims.
    pub fn opened(partner: &Partner, action: ActionCode, claims: &Value) -> Self {
        let mut claims = claims.clone();
        claims["actionCode"] = action.as_str().into();
        Self {
            action,
            ..Self::of(&partner.open(&claims))
        }
    }

    /// Same session at the address of another action.
    #[must_use]
    pub fn at_address_of(&self, action: ActionCode) -> Self {
        Self {
            action,
            ..self.clone()
        }
    }

    /// Reads the description.
    pub fn describe(&self) -> Answer {
        call::send(
            self.request(Request::get(self.api()))
                .body(Vec::new())
                .expect("a request"),
        )
    }

    /// Extends the session.
    pub fn extend(&self) -> Answer {
        let request = self.request(Request::post(format!("{}/extension", self.api())));
        call::send(request.body(Vec::new()).expect("a request"))
    }

    /// Form or cards of the description, which must have them.
    pub fn form(&self) -> Value {
        let answer = self.describe();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let form = answer.json();
        assert_eq!(form["action"], self.action.as_str(), "{form}");
        form
    }

    /// Ids of the cards to choose from, in order.
    pub fn offered(&self) -> Vec<String> {
        let form = self.form();
        let cards = form["cards"].as_array().expect("cards to choose from");
        let name = |card: &Value| card["id"].as_str().expect("a name").to_owned();
        cards.iter().map(name).collect()
    }

    /// Replacement of a card by another.
    pub fn replacement(&self, old: &CardOnFile, new: &Card) -> Submission {
        let mut submission = self.submission(new);
        submission.body["oldCard"] = old.id.clone().into();
        submission
    }

    /// Id of a submission's intent, derived from session and key.
    pub fn intent(&self, submission: &Submission) -> String {
        self.intent_id(submission).to_hex()
    }

    /// `webhook-id` of a submission's confirmation.
    pub fn confirmation(&self, submission: &Submission, status: Status) -> String {
        let intent = self.intent_id(submission);
        ConfirmationId::derive(intent, status).as_str().to_owned()
    }

    fn intent_id(&self, submission: &Submission) -> IntentId {
        let session = SessionToken::parse(&self.session).expect("a session");
        let key = IdempotencyKey::parse(&submission.key).expect("a key");
        IntentId::derive(session.id(), &key)
    }

    /// Enrollment of a card with the required fields.
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
            ("firstName", person::FIRST_NAME),
            ("lastName", person::LAST_NAME),
            ("email", person::EMAIL),
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
        let request = self.request(Request::post(self.api()));
        let request = request
            .header("content-type", "application/json")
            .header("idempotency-key", &submission.key);
        call::send(
            request
                .body(submission.body.to_string().into_bytes())
                .expect("a request"),
        )
    }

    /// Submits once, while MRS has these faults for the card. All of them must be served.
    pub fn submit_disturbed(&self, submission: &Submission, card: &Card, orders: &[Value]) -> Answer {
        let faults = Faults::about(card, orders);
        let answer = self.submit(submission);
        assert_eq!(
            faults.unserved(),
            Vec::<Value>::new(),
            "MRS was asked less often than expected: {}",
            answer.text()
        );
        answer
    }

    /// Submits once. MRS must not get this call about the card meanwhile.
    pub fn submit_without_asking(&self, submission: &Submission, card: &Card, operation: &str) -> Answer {
        // Were it asked, this fault would be met.
        let order = json!({"operation": operation, "fault": "code-before", "code": -199});
        let faults = Faults::about(card, &[order]);
        let answer = self.submit(submission);
        assert_eq!(faults.unserved().len(), 1, "MRS was asked: {}", answer.text());
        answer
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

    /// Enrolls a card and gives the answer with the event.
    pub fn enroll(&self, card: &Card) -> Answer {
        let answer = self.settle(&self.submission(card));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    }

    /// Submits with a header or body of the test's own. Members of `changes` replace header fields, and `None` removes one.
    pub fn submit_raw(&self, changes: &[(&str, Option<&str>)], body: &[u8]) -> Answer {
        let session = format!("Bearer {}", self.session);
        let key = random_hex(16);
        let defaults = [
            ("authorization", &*session),
            ("content-type", "application/json"),
            ("idempotency-key", &*key),
        ];
        let mut request = Request::post(self.api());
        for (name, value) in defaults {
            let replaced = changes.iter().find(|(replaced, _)| *replaced == name);
            if let Some(value) = replaced.map_or(Some(value), |(_, value)| *value) {
                request = request.header(name, value);
            }
        }
        call::send(request.body(body.to_vec()).expect("a request"))
    }

    fn request(&self, builder: http::request::Builder) -> http::request::Builder {
        builder
            .header("authorization", format!("Bearer {}", self.session))
            .header("accept", "application/json")
    }

    fn api(&self) -> String {
        let name = match self.action {
            ActionCode::Enroll => "enroll",
            ActionCode::Replace => "replace",
            ActionCode::OptOut => "cancel",
        };
        format!("{}/widget/api/{name}", Stack::here().endpoints.api)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::new()
    }
}
