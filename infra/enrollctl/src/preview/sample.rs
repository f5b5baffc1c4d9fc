//! Sample answers to the page's calls, in the shapes of `shared/page-api`.

use anyhow::{Context as _, Result};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use enrollment::action::ActionCode;
use enrollment::client::{Client, Program};
use serde_json::{Value, json};

use super::states::{Answer, Form};

/// Incident id of failures.
const INCIDENT: &str = "7K2M-9QXA-3F5D";
/// Endings of the cards on file.
const LAST_FOURS: [&str; 3] = ["0123", "4567", "8901"];

/// Sample data of one client.
pub(super) struct Samples {
    fields: Value,
    terms: Option<Value>,
    privacy: Option<Value>,
    ranges: Value,
    designs: Vec<Option<String>>,
    key: Value,
    /// A number that the form accepts.
    pub(super) number: String,
}

/// Response to a call.
#[derive(Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Value,
}

impl Samples {
    pub(super) fn of(client: &Client) -> Result<Self> {
        let ranges: Vec<_> = client
            .programs
            .iter()
            .flat_map(|program: &Program| &program.bin_ranges)
            .collect();
        let first = ranges.first().map_or("5204740", |range| range.from());
        Ok(Self {
            fields: serde_json::to_value(client.fields)?,
            terms: client.terms.as_ref().map(serde_json::to_value).transpose()?,
            privacy: client.privacy.as_ref().map(serde_json::to_value).transpose()?,
            designs: ranges.iter().map(|range| range.design_code.clone()).collect(),
            number: number_from(first),
            ranges: ranges
                .iter()
                .map(|range| json!({"from": range.from(), "to": range.to()}))
                .collect(),
            key: encryption_key()?,
        })
    }

    /// Form of an action. `now` is in Unix seconds.
    pub(super) fn form(&self, action: ActionCode, form: Form, now: i64) -> Value {
        let mut body = json!({
            "action": action.as_str(),
            "attemptsLeft": form.attempts_left,
            "expiresAt": now + form.seconds_left,
            "extensionsLeft": form.extensions_left,
        });
        if form.cards > 0 {
            body["cards"] = LAST_FOURS
                .iter()
                .take(form.cards)
                .enumerate()
                .map(|(index, last4)| self.card(index, last4))
                .collect();
        }
        if action == ActionCode::OptOut {
            return body;
        }
        let mut fields = self.fields.clone();
        if action == ActionCode::Replace {
            // Consents belong to the enrollment.
            fields["terms"] = "hidden".into();
            fields["privacy"] = "hidden".into();
        }
        for (name, document) in [("terms", &self.terms), ("privacy", &self.privacy)] {
            if let Some(document) = document.as_ref().filter(|_| fields[name] != "hidden") {
                body[name] = document.clone();
            }
        }
        body["fields"] = fields;
        body["binRanges"] = self.ranges.clone();
        body["encryptionKey"] = self.key.clone();
        body
    }

    fn card(&self, index: usize, last4: &str) -> Value {
        let first4 = self.number.get(..4).unwrap_or_default();
        let mut card = json!({"id": format!("{index:0>64}"), "masked": format!("{first4} XXXX XXXX {last4}"), "last4": last4});
        let design = self
            .designs
            .get(index % self.designs.len().max(1))
            .cloned()
            .flatten();
        if let Some(design) = design {
            card["designCode"] = design.into();
        }
        card
    }

    /// Answer to a call; `None` for no answer at all. The last four digits are those of the card in question.
    pub(super) fn answer(&self, action: ActionCode, answer: Answer) -> Option<Sample> {
        let (success, error) = statuses(action);
        let sample = |status: u16, body: Value| Sample {
            status,
            headers: vec![("incident-id", INCIDENT.to_owned())],
            body,
        };
        let last4 = match action {
            ActionCode::OptOut => LAST_FOURS[0],
            _ => self
                .number
                .get(self.number.len().saturating_sub(4)..)
                .unwrap_or_default(),
        };
        Some(match answer {
            Answer::Success => sample(
                200,
                json!({"status": success, "parentId": "sample", "last4": last4}),
            ),
            Answer::Failure(code, attempts_left, reason) => {
                let mut body = json!({"status": error});
                if let Some(code) = code {
                    body["statusCode"] = code.into();
                }
                sample(200, body)
                    .with("attempts-left", &attempts_left.to_string())
                    .with_reason(reason)
            }
            Answer::Expired(reason) => sample(401, json!({"status": "TOKEN_EXPIRED"})).with_reason(reason),
            Answer::Open => sample(202, json!({})).with("retry-after", "2"),
            Answer::Unavailable => sample(
                503,
                json!({"status": 503, "title": "Try again in a moment.", "incident": INCIDENT}),
            ),
            Answer::Field(pointer) => sample(
                400,
                json!({"status": 400, "title": "The submission breaks rules.", "incident": INCIDENT,
                    "errors": [{"pointer": pointer, "detail": "sample"}]}),
            ),
            Answer::Silence => return None,
        })
    }

    /// Answer to a customer who stays longer.
    pub(super) fn extension(form: Form, now: i64) -> Sample {
        let Some(left) = form.extensions_left.checked_sub(1) else {
            return Sample {
                status: 409,
                headers: Vec::new(),
                body: json!({"status": 409, "title": "The session was extended as often as it may be."}),
            };
        };
        Sample {
            status: 200,
            headers: Vec::new(),
            body: json!({"expiresAt": now + 900, "extensionsLeft": left}),
        }
    }
}

impl Sample {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn with_reason(self, reason: Option<&str>) -> Self {
        match reason {
            Some(reason) => self.with("ending-reason", reason),
            None => self,
        }
    }
}

/// Statuses of success and failure.
fn statuses(action: ActionCode) -> (&'static str, &'static str) {
    match action {
        ActionCode::Enroll => ("SUCCESS_ENROLLMENT", "ERROR_ENROLLMENT"),
        ActionCode::Replace => ("SUCCESS_REPLACEMENT", "ERROR_REPLACEMENT"),
        ActionCode::OptOut => ("SUCCESS_REMOVAL", "ERROR_REMOVAL"),
    }
}

/// Path of an action below the API's.
pub(super) fn path(action: ActionCode) -> &'static str {
    match action {
        ActionCode::Enroll => "enroll",
        ActionCode::Replace => "replace",
        ActionCode::OptOut => "cancel",
    }
}

/// A number of 16 digits that begins as given and has the check digit of ISO/IEC 7812-1.
fn number_from(beginning: &str) -> String {
    let mut digits: Vec<u32> = beginning.chars().filter_map(|digit| digit.to_digit(10)).collect();
    digits.resize(15, 0);
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| match (index % 2, digit * 2) {
            (0, double @ 10..) => double - 9,
            (0, double) => double,
            _ => *digit,
        })
        .sum();
    digits.push((10 - sum % 10) % 10);
    digits
        .into_iter()
        .filter_map(|digit| char::from_digit(digit, 10))
        .collect()
}

/// A key of this run alone, so that nobody can decrypt what is typed into a preview.
fn encryption_key() -> Result<Value> {
    let unable = "can't generate an RSA key";
    let pair = KeyPair::generate(KeySize::Rsa2048).context(unable)?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().context(unable)?;
    let spki = public.as_ref();
    Ok(json!({
        "reference": "preview",
        "spki": STANDARD.encode(spki),
        "fingerprint": hex::encode(digest(&SHA256, spki)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_number_begins_with_the_range_and_passes_luhn() {
        // Mastercard's published test number begins so.
        assert_eq!(number_from("520474000000100"), "5204740000001002");
        assert_eq!(number_from("52340050"), "5234005000000006");
        assert!(number_from("523400").starts_with("523400"));
    }

    #[test]
    fn failure_names_code_tries_and_reason() {
        let samples = Samples {
            fields: json!({}),
            terms: None,
            privacy: None,
            ranges: json!([]),
            designs: Vec::new(),
            key: json!({}),
            number: number_from("523400"),
        };
        let failure = Answer::Failure(Some("-44"), 0, Some("last_try"));
        let sample = samples.answer(ActionCode::Replace, failure).unwrap();
        assert_eq!(
            sample.body,
            json!({"status": "ERROR_REPLACEMENT", "statusCode": "-44"})
        );
        assert!(sample.headers.contains(&("ending-reason", "last_try".to_owned())));
        assert!(sample.headers.contains(&("attempts-left", "0".to_owned())));
        assert_eq!(samples.answer(ActionCode::Enroll, Answer::Silence), None);
    }
}
