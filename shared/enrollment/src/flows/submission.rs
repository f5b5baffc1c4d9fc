//! Submissions of the page, checked against the program before anything is done (`docs/contract.md#form` and
//! `docs/contract.md#actions`): one parser and one set of checks for each action.
//!
//! A body is parsed first ([`UncheckedSubmission`]), since the old card that it names decides which records are read. Its
//! values are checked after that ([`Submission`]).

mod consents;
mod new_card;

use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::action::ActionCode;
use crate::client::{Client, Field, Fields, Program};
use crate::encoding;
use crate::identifiers::IntentId;
use crate::language::Language;

use new_card::NewCardBody;
pub use new_card::NewCardForm;

/// Size limit of a body, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// Pointer to the card that leaves the program.
const OLD_CARD: &str = "/oldCard";

/// Checked submission. `C` is the card that leaves the program: its id as submitted, or the card once it was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Submission<C = IntentId> {
    /// Enrolls a card.
    Enroll(NewCardForm),
    /// Replaces a card by a new one.
    Replace {
        /// Card to enroll.
        new_card: NewCardForm,
        /// Card to cancel.
        old_card: C,
    },
    /// Takes a card out of the program.
    OptOut {
        /// Card to cancel.
        old_card: C,
    },
}

impl<C> Submission<C> {
    /// Card to enroll; `None` for an opt-out.
    pub fn new_card(&self) -> Option<&NewCardForm> {
        match self {
            Self::Enroll(new_card) | Self::Replace { new_card, .. } => Some(new_card),
            Self::OptOut { .. } => None,
        }
    }

    /// Card to cancel; `None` for an enrollment.
    pub fn old_card(&self) -> Option<&C> {
        match self {
            Self::Enroll(_) => None,
            Self::Replace { old_card, .. } | Self::OptOut { old_card } => Some(old_card),
        }
    }

    /// Exchanges the old card for the result of `find`, which an enrollment does not call.
    ///
    /// # Errors
    /// Those of `find`.
    pub fn find_old_card<D, E>(self, find: impl FnOnce(C) -> Result<D, E>) -> Result<Submission<D>, E> {
        Ok(match self {
            Self::Enroll(new_card) => Submission::Enroll(new_card),
            Self::Replace { new_card, old_card } => Submission::Replace {
                new_card,
                old_card: find(old_card)?,
            },
            Self::OptOut { old_card } => Submission::OptOut {
                old_card: find(old_card)?,
            },
        })
    }
}

/// Error in one field of a submission. It names the field and the rule and never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the field.
    pub pointer: &'static str,
    /// Rule that the field breaks.
    pub detail: &'static str,
}

impl FieldError {
    fn new(pointer: &'static str, detail: &'static str) -> Self {
        Self { pointer, detail }
    }

    /// Error of an old card that is not the customer's. An id that can't be one gets the same error.
    pub(super) fn unknown_old_card() -> Self {
        Self::new(OLD_CARD, "is none of the cards to choose from")
    }
}

/// Set-up, language and time that a submission is checked against.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Client of the session.
    pub client: &'a Client,
    /// Program of the session.
    pub program: &'a Program,
    /// Language of the page, for the evidence of consents.
    pub language: &'a Language,
    /// Time of the submission.
    pub now: Timestamp,
}

/// Parsed body of a submission. Its values are not checked yet.
pub struct UncheckedSubmission(Body);

enum Body {
    Enroll(NewCardBody),
    Replace(NewCardBody),
    OptOut(OptOutBody),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct OptOutBody {
    old_card: String,
}

impl UncheckedSubmission {
    /// Parses the body of a submission for `action`.
    ///
    /// # Errors
    /// One error without a pointer: the body is too long, or not the JSON object of a submission.
    pub fn parse(action: ActionCode, body: &[u8]) -> Result<Self, Vec<FieldError>> {
        if body.len() > MAX_BYTES {
            return Err(vec![FieldError::new("", "is too long")]);
        }
        let body = encoding::without_mark(body);
        let malformed = || vec![FieldError::new("", "must be the JSON object of a submission")];
        // serde also accepts an array of the members for a struct.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(malformed());
        }
        let parsed = match action {
            ActionCode::Enroll => serde_json::from_slice(body).map(Body::Enroll),
            ActionCode::Replace => serde_json::from_slice(body).map(Body::Replace),
            ActionCode::OptOut => serde_json::from_slice(body).map(Body::OptOut),
        };
        parsed.map(Self).map_err(|_| malformed())
    }

    /// Old card that the body names, to be read together with the other records of the submission.
    pub fn old_card(&self) -> Option<IntentId> {
        let named = match &self.0 {
            Body::Enroll(_) => None,
            Body::Replace(body) => body.old_card.as_deref(),
            Body::OptOut(body) => Some(body.old_card.as_str()),
        };
        named.and_then(|named| IntentId::from_hex(named).ok())
    }

    /// Checks the values. Whether the old card is the customer's is not known here.
    ///
    /// # Errors
    /// All errors that were found.
    pub fn check(self, rules: Rules<'_>) -> Result<Submission, Vec<FieldError>> {
        match self.0 {
            Body::Enroll(body) => enrollment(body, rules),
            Body::Replace(body) => replacement(body, rules),
            Body::OptOut(body) => opt_out(&body),
        }
    }
}

fn enrollment(mut body: NewCardBody, rules: Rules<'_>) -> Result<Submission, Vec<FieldError>> {
    let mut errors = Vec::new();
    let old_card = body.old_card.take();
    let new_card = body.check(ActionCode::Enroll, rules, &mut errors);
    if old_card.is_some() {
        errors.push(FieldError::new(OLD_CARD, "is not asked for"));
    }
    match new_card {
        Some(new_card) if errors.is_empty() => Ok(Submission::Enroll(new_card)),
        _ => Err(errors),
    }
}

fn replacement(mut body: NewCardBody, rules: Rules<'_>) -> Result<Submission, Vec<FieldError>> {
    let mut errors = Vec::new();
    let old_card = match body.old_card.take() {
        Some(named) => IntentId::from_hex(&named).map_err(|_| FieldError::unknown_old_card()),
        None => Err(FieldError::new(OLD_CARD, "is required")),
    };
    let new_card = body.check(ActionCode::Replace, rules, &mut errors);
    match (new_card, old_card) {
        (Some(new_card), Ok(old_card)) if errors.is_empty() => Ok(Submission::Replace { new_card, old_card }),
        (_, old_card) => {
            errors.extend(old_card.err());
            Err(errors)
        }
    }
}

fn opt_out(body: &OptOutBody) -> Result<Submission, Vec<FieldError>> {
    match IntentId::from_hex(&body.old_card) {
        Ok(old_card) => Ok(Submission::OptOut { old_card }),
        Err(_) => Err(vec![FieldError::unknown_old_card()]),
    }
}

/// SHA-256 of a body as received. It distinguishes a repeat from another submission under the same idempotency key.
pub fn fingerprint(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// Fields that `action` asks for beside the card number. A replacement asks for no consents: they were given at the
/// enrollment. It asks for names and e-mail address again, since MRS has them for each card and they are not stored here.
pub fn fields(client: &Client, action: ActionCode) -> Fields {
    match action {
        ActionCode::Enroll => client.fields,
        ActionCode::Replace | ActionCode::OptOut => Fields {
            terms: Field::Hidden,
            privacy: Field::Hidden,
            ..client.fields
        },
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::client::{Document, DocumentContent};
    use crate::testing;

    fn client() -> Client {
        let mut client = testing::client();
        client.fields = Fields {
            first_name: Field::Required,
            email: Field::Optional,
            terms: Field::Required,
            ..Fields::default()
        };
        client.terms = Some(Document {
            version: "3".into(),
            content: DocumentContent::Text("…".into()),
        });
        client
    }

    fn good() -> Value {
        let base64 = |length| base64::engine::general_purpose::STANDARD.encode(vec![7_u8; length]);
        json!({
            "card": {"key": base64(256), "data": base64(44)}, "bin": "523412", "last4": "0106",
            "firstName": "Zoë", "consents": [{"document": "terms", "version": "3"}]
        })
    }

    fn check(body: &Value) -> Result<NewCardForm, Vec<FieldError>> {
        check_for(ActionCode::Enroll, body).map(|submission| submission.new_card().unwrap().clone())
    }

    fn check_for(action: ActionCode, body: &Value) -> Result<Submission, Vec<FieldError>> {
        read_text_for(action, &body.to_string())
    }

    fn read_text(body: &str) -> Result<Submission, Vec<FieldError>> {
        read_text_for(ActionCode::Enroll, body)
    }

    fn read_text_for(action: ActionCode, body: &str) -> Result<Submission, Vec<FieldError>> {
        let client = client();
        let language = Language::parse("en").unwrap();
        read(action, body.as_bytes(), &client, &language)
    }

    fn read(
        action: ActionCode,
        body: &[u8],
        client: &Client,
        language: &Language,
    ) -> Result<Submission, Vec<FieldError>> {
        UncheckedSubmission::parse(action, body)?.check(Rules {
            client,
            program: &client.programs[0],
            language,
            now: Timestamp::UNIX_EPOCH,
        })
    }

    #[test]
    fn valid_submission_has_its_evidence() {
        let submission = check(&good()).unwrap();
        assert_eq!(submission.design_code.as_deref(), Some("Gold"));
        assert_eq!(submission.person.first_name.as_deref(), Some("Zoë"));
        assert_eq!(submission.consents.len(), 1);
        assert_eq!(submission.consents[0].version, "3");
    }

    #[test]
    fn error_has_its_pointer_and_no_value() {
        let cases = [
            ("/card/key", json!("5234001234567890"), "/card/key"),
            ("/card/data", json!("5234001234567890"), "/card/data"),
            ("/bin", json!("999999"), "/bin"),
            ("/bin", json!("52341"), "/bin"),
            ("/last4", json!("01066"), "/last4"),
            ("/firstName", json!("  "), "/firstName"),
            ("/firstName", json!("5234 0012 3456 7890"), "/firstName"),
            ("/firstName", json!("x".repeat(101)), "/firstName"),
            ("/consents", json!([]), "/consents"),
            ("/consents/0/version", json!("2"), "/consents"),
            ("/consents/0/document", json!("privacy"), "/consents"),
        ];
        for (place, value, pointer) in cases {
            let mut body = good();
            *body.pointer_mut(place).unwrap() = value.clone();
            let faults = check(&body).expect_err(place);
            assert!(
                faults.iter().any(|fault| fault.pointer == pointer),
                "{place}: {faults:?}"
            );
            let told = serde_json::to_string(&faults).unwrap();
            assert!(
                value
                    .as_str()
                    .is_none_or(|value| value.trim().is_empty() || !told.contains(value)),
                "{told}"
            );
        }
    }

    #[test]
    fn card_number_in_another_field_is_refused() {
        let zeros = ['0', '٠', '۰', '０', '०', '๐', '𝟎', '\u{1FBF0}'];
        for zero in zeros {
            let number: String = "5234000000000106"
                .chars()
                .filter_map(|digit| char::from_u32(u32::from(zero) + digit.to_digit(10)?))
                .collect();
            let mut body = good();
            body["firstName"] = json!(format!("Zoë {number}"));
            body["email"] = json!(format!("zoe-{number}@example.com"));
            assert_eq!(pointers(&body), ["/firstName", "/email"], "{zero}");
        }
        for grouped in [
            "5234 0000 0000 0106",
            "5234-0000/0000.0106",
            "5a2b3c4d0e0f0g0h0i0j0k0l",
        ] {
            let mut body = good();
            body["firstName"] = json!(grouped);
            assert_eq!(pointers(&body), ["/firstName"], "{grouped}");
        }
    }

    #[test]
    fn other_digits_are_accepted() {
        for email in [
            "8613812345678@mail.example",
            "5234000000000107@mail.example",
            "zoe1815@mail.example",
        ] {
            let mut body = good();
            body["firstName"] = json!("Zoë 12345678901");
            body["email"] = json!(email);
            assert_eq!(pointers(&body), [""; 0], "{email}");
        }
    }

    #[test]
    fn characters_outside_xml_are_refused() {
        for character in [
            '\u{7}',
            '\t',
            '\u{85}',
            '\u{FFFE}',
            '\u{FFFF}',
            '\u{FDD0}',
            '\u{1FFFE}',
        ] {
            let mut body = good();
            body["firstName"] = json!(format!("Z{character}oë"));
            assert_eq!(pointers(&body), ["/firstName"], "{character:?}");
        }
        let halved = good().to_string().replace("Zoë", "Zo\\ud835");
        assert_eq!(read_text(&halved).unwrap_err()[0].pointer, "");
    }

    fn pointers(body: &Value) -> Vec<&'static str> {
        check(body)
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|fault| fault.pointer)
            .collect()
    }

    #[test]
    fn unexpected_field_is_refused() {
        let mut body = good();
        body["lastName"] = json!("Smith");
        assert_eq!(check(&body).unwrap_err()[0].pointer, "/lastName");
        let mut body = good();
        body["cvc"] = json!("123");
        assert!(check(&body).is_err());
        let mut body = good();
        body["email"] = json!("nobody");
        assert_eq!(check(&body).unwrap_err()[0].pointer, "/email");
    }

    #[test]
    fn replacement_has_an_old_card_and_no_consents() {
        let card = "ab".repeat(32);
        let mut body = good();
        assert_eq!(check_for(ActionCode::Replace, &body).unwrap_err().len(), 2);
        body["consents"] = json!([]);
        body["oldCard"] = json!(card);
        let asked = check_for(ActionCode::Replace, &body).unwrap();
        assert_eq!(asked.old_card().copied().map(IntentId::to_hex), Some(card));
        assert_eq!(asked.new_card().unwrap().consents, []);
        body["oldCard"] = json!("5234");
        assert_eq!(
            check_for(ActionCode::Replace, &body).unwrap_err(),
            [FieldError::unknown_old_card()]
        );
        body["consents"] = good()["consents"].clone();
        assert!(
            check(&body)
                .unwrap_err()
                .contains(&FieldError::new(OLD_CARD, "is not asked for"))
        );
    }

    #[test]
    fn opt_out_has_the_card_and_nothing_else() {
        let card = "0f".repeat(32);
        let asked = check_for(ActionCode::OptOut, &json!({"oldCard": card})).unwrap();
        assert_eq!(
            asked.old_card().copied().map(IntentId::to_hex),
            Some(card.clone())
        );
        assert_eq!(asked.new_card(), None);
        for refused in [
            json!({}),
            json!({"oldCard": 1}),
            json!({"oldCard": card, "bin": "523412"}),
            json!([card]),
        ] {
            assert_eq!(
                check_for(ActionCode::OptOut, &refused).unwrap_err()[0].pointer,
                ""
            );
        }
        assert_eq!(
            check_for(ActionCode::OptOut, &json!({"oldCard": "x"})).unwrap_err(),
            [FieldError::unknown_old_card()]
        );
    }

    proptest! {
        #[test]
        fn any_body_is_accepted_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let client = client();
            let language = Language::parse("en").unwrap();
            for action in [ActionCode::Enroll, ActionCode::Replace, ActionCode::OptOut] {
                let _ = read(action, &bytes, &client, &language);
            }
        }
    }
}
