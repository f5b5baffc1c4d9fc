//! What the page submits, checked against the program before anything is done (`docs/contract.md#form` and
//! `docs/contract.md#actions`).

use jiff::Timestamp;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::action::ActionCode;
use crate::client::{Client, Document, Field, Fields, Program};
use crate::digits;
use crate::encoding;
use crate::identifiers::{Bin, IntentId, Last4};
use crate::intent::{Consent, ConsentDocument};
use crate::language::Language;
use crate::ports::{EncryptedNumber, Person};

/// The largest body that is read, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// One fault of a submission, by JSON pointer (RFC 6901). It names the rule and never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Fault {
    /// Where.
    pub pointer: &'static str,
    /// What is wrong.
    pub detail: &'static str,
}

/// Where a body names the card that goes.
pub(super) const OLD_CARD: &str = "/oldCard";

/// What a body asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The card to enroll, for an enrollment or a replacement.
    pub card: Option<Submission>,
    /// The card that goes, for a replacement or an opt-out.
    pub old_card: Option<IntentId>,
}

/// A card that may be sent to MRS.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The pair, unreadable here.
    pub number: EncryptedNumber,
    /// First six digits, the browser's claim.
    pub bin: Bin,
    /// Last four digits, the browser's claim.
    pub last4: Last4,
    /// Passed on to MRS.
    pub person: Person,
    /// Evidence.
    pub consents: Vec<Consent>,
    /// The card's visual design.
    pub design_code: Option<String>,
}

/// SHA-256 of the body as it came: what tells a repeat from another submission under the same key.
pub fn fingerprint(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// A body that has the form of a submission; nothing in it is checked yet.
pub struct Parsed(Form);

enum Form {
    /// An enrollment or a replacement.
    Card(Wire),
    OptOut(WireOptOut),
}

impl Parsed {
    /// Parses a body.
    ///
    /// # Errors
    /// The one fault: it is too long, or not the object of a submission.
    pub fn of(body: &[u8], action: ActionCode) -> Result<Self, Vec<Fault>> {
        if body.len() > MAX_BYTES {
            return Err(vec![fault("", "is too long")]);
        }
        let body = encoding::without_mark(body);
        let malformed = || vec![fault("", "must be the JSON object of a submission")];
        // serde takes a list of the members for the object, too.
        if body.trim_ascii_start().first() != Some(&b'{') {
            return Err(malformed());
        }
        let form = match action {
            ActionCode::OptOut => serde_json::from_slice(body).map(Form::OptOut),
            ActionCode::Enroll | ActionCode::Replace => serde_json::from_slice(body).map(Form::Card),
        };
        form.map(Self).map_err(|_| malformed())
    }

    /// The card that it names as the one that is to go, for reading it beforehand.
    pub fn named_card(&self) -> Option<IntentId> {
        let named = match &self.0 {
            Form::Card(wire) => wire.old_card.as_deref(),
            Form::OptOut(wire) => Some(wire.old_card.as_str()),
        };
        named.and_then(|named| IntentId::from_hex(named).ok())
    }

    /// Checks it against the program. Whose card the old one is, is not known here.
    ///
    /// # Errors
    /// Every fault that was found.
    pub fn check(
        self,
        action: ActionCode,
        client: &Client,
        program: &Program,
        language: &Language,
        now: Timestamp,
    ) -> Result<Asked, Vec<Fault>> {
        match self.0 {
            Form::Card(wire) => wire.check(action, client, program, language, now),
            Form::OptOut(wire) => {
                let mut faults = Vec::new();
                let old_card = old_card(action, Some(&wire.old_card), &mut faults);
                if faults.is_empty() {
                    Ok(Asked { card: None, old_card })
                } else {
                    Err(faults)
                }
            }
        }
    }
}

/// Reads and checks a body. Whose card the old one is, is not known here.
///
/// # Errors
/// Every fault that was found.
pub fn read(
    body: &[u8],
    action: ActionCode,
    client: &Client,
    program: &Program,
    language: &Language,
    now: Timestamp,
) -> Result<Asked, Vec<Fault>> {
    Parsed::of(body, action)?.check(action, client, program, language, now)
}

/// What is asked for beside the number. Who replaces a card has consented when it was enrolled; names and e-mail are
/// MRS's for each card, and not stored here.
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    card: WirePair,
    bin: String,
    last4: String,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    #[serde(default)]
    consents: Vec<WireConsent>,
    old_card: Option<String>,
}

impl Wire {
    fn check(
        self,
        action: ActionCode,
        client: &Client,
        program: &Program,
        language: &Language,
        now: Timestamp,
    ) -> Result<Asked, Vec<Fault>> {
        let mut faults = Vec::new();
        let number = EncryptedNumber {
            key: self.card.key,
            data: self.card.data,
        };
        check_base64(&number.key, "/card/key", 256..=1024, &mut faults);
        // 12 bytes of IV, 12 to 19 digits, 16 bytes of tag; the assumed cipher may change within reason.
        check_base64(&number.data, "/card/data", 24..=1024, &mut faults);
        let bin = Bin::parse(&self.bin)
            .map_err(|_| faults.push(fault("/bin", "must be exactly six digits")))
            .ok();
        let last4 = Last4::parse(&self.last4)
            .map_err(|_| faults.push(fault("/last4", "must be exactly four digits")))
            .ok();
        let range = bin.and_then(|bin| program.range_of(bin));
        if bin.is_some() && range.is_none() {
            faults.push(fault("/bin", "does not belong to the program"));
        }
        let fields = client.fields;
        let person = Person {
            first_name: text(self.first_name, fields.first_name, "/firstName", 100, &mut faults),
            last_name: text(self.last_name, fields.last_name, "/lastName", 100, &mut faults),
            email: text(self.email, fields.email, "/email", 254, &mut faults),
        };
        for (value, pointer) in [
            (&person.first_name, "/firstName"),
            (&person.last_name, "/lastName"),
            (&person.email, "/email"),
        ] {
            if value.as_deref().is_some_and(looks_like_a_card_number) {
                faults.push(fault(pointer, "must not be a card number"));
            }
        }
        if person
            .email
            .as_deref()
            .is_some_and(|email| !looks_like_an_address(email))
        {
            faults.push(fault("/email", "must be an e-mail address"));
        }
        let documents = Documents::of(client, action);
        let consents = documents.consents(&self.consents, language, now, &mut faults);
        let old_card = old_card(action, self.old_card.as_deref(), &mut faults);
        match (bin, last4) {
            (Some(bin), Some(last4)) if faults.is_empty() => Ok(Asked {
                card: Some(Submission {
                    number,
                    bin,
                    last4,
                    person,
                    consents,
                    design_code: range.and_then(|range| range.design_code.clone()),
                }),
                old_card,
            }),
            _ => Err(faults),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WireOptOut {
    old_card: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePair {
    key: String,
    data: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WireConsent {
    document: ConsentDocument,
    version: String,
}

/// The pair is passed on unchanged, so only its alphabet and size are looked at: a card number in clear (digits alone)
/// is far too short to pass.
fn check_base64(
    text: &str,
    pointer: &'static str,
    bytes: std::ops::RangeInclusive<usize>,
    faults: &mut Vec<Fault>,
) {
    use base64::Engine as _;
    let decoded = base64::engine::general_purpose::STANDARD.decode(text).ok();
    if !decoded.is_some_and(|decoded| bytes.contains(&decoded.len())) {
        faults.push(fault(pointer, "must be the base64 text that the page made"));
    }
}

fn text(
    value: Option<String>,
    field: Field,
    pointer: &'static str,
    longest: usize,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    let value = value
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty());
    match (&value, field) {
        (Some(_), Field::Hidden) => faults.push(fault(pointer, "is not asked for")),
        (None, Field::Required) => faults.push(fault(pointer, "is required")),
        (Some(value), _) if value.chars().count() > longest => faults.push(fault(pointer, "is too long")),
        (Some(value), _)
            if value
                .chars()
                .any(|character| character.is_control() || is_noncharacter(character)) =>
        {
            faults.push(fault(pointer, "must not hold control characters"));
        }
        _ => {}
    }
    value
}

/// U+FFFE and its like, which Unicode keeps free and XML has no place for.
fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    code & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&code)
}

/// A card number in the wrong field, which must not go on from here. Twelve digits or more, of any script and with anything
/// between them, are no name. An e-mail address may hold as many, a telephone number for instance: what stands between its
/// letters must be a card number by first (ISO/IEC 7812-1: 2 to 6), last (check digit) and count of digits.
/// The page stops the same (`functions/widget-page/page/src/misplaced.js`).
fn looks_like_a_card_number(value: &str) -> bool {
    if !value.contains('@') {
        return digits::of(value).count() >= 12;
    }
    value
        .split(|character: char| character == '@' || character.is_alphabetic())
        .map(|between| digits::of(between).collect::<Vec<_>>())
        .any(|digits| {
            (13..=19).contains(&digits.len())
                && digits.first().is_some_and(|first| (2..=6).contains(first))
                && digits::pass_luhn(&digits)
        })
}

/// One `@` with something on both sides; whether mail arrives there is MRS's to find out.
fn looks_like_an_address(email: &str) -> bool {
    email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.len() >= 3
            && !domain.contains('@')
            && !email.contains(char::is_whitespace)
    })
}

fn old_card(action: ActionCode, given: Option<&str>, faults: &mut Vec<Fault>) -> Option<IntentId> {
    let is_asked = action != ActionCode::Enroll;
    match given {
        None if is_asked => faults.push(fault(OLD_CARD, "is required")),
        Some(_) if !is_asked => faults.push(fault(OLD_CARD, "is not asked for")),
        Some(text) => match IntentId::from_hex(text) {
            Ok(id) => return Some(id),
            Err(_) => faults.push(not_the_customers()),
        },
        None => {}
    }
    None
}

/// The same for what can't be a card and for what is another customer's.
pub(super) fn not_the_customers() -> Fault {
    fault(OLD_CARD, "is none of the cards to choose from")
}

/// What the customer may be asked to consent to.
struct Documents<'a> {
    fields: Fields,
    client: &'a Client,
}

impl<'a> Documents<'a> {
    fn of(client: &'a Client, action: ActionCode) -> Self {
        Self {
            fields: fields(client, action),
            client,
        }
    }

    fn consents(
        &self,
        given: &[WireConsent],
        language: &Language,
        now: Timestamp,
        faults: &mut Vec<Fault>,
    ) -> Vec<Consent> {
        let mut evidence = Vec::new();
        for (document, field, current) in [
            (ConsentDocument::Terms, self.fields.terms, &self.client.terms),
            (
                ConsentDocument::Privacy,
                self.fields.privacy,
                &self.client.privacy,
            ),
        ] {
            let mut of_document = given.iter().filter(|consent| consent.document == document);
            match (of_document.next(), field, current) {
                (None, Field::Required, _) => faults.push(fault("/consents", missing(document))),
                (Some(_), Field::Hidden, _) | (Some(_), _, None) => {
                    faults.push(fault("/consents", "is not asked for"));
                }
                (Some(consent), _, Some(Document { version, .. })) if consent.version != *version => {
                    faults.push(fault("/consents", "names a version that is not the current one"));
                }
                (Some(consent), ..) => evidence.push(Consent {
                    document,
                    version: consent.version.clone(),
                    language: language.clone(),
                    at: now,
                }),
                (None, ..) => {}
            }
            if of_document.next().is_some() {
                faults.push(fault("/consents", "names a document twice"));
            }
        }
        evidence
    }
}

fn missing(document: ConsentDocument) -> &'static str {
    match document {
        ConsentDocument::Terms => "lacks the consent to the terms",
        ConsentDocument::Privacy => "lacks the consent to the privacy notice",
    }
}

fn fault(pointer: &'static str, detail: &'static str) -> Fault {
    Fault { pointer, detail }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::client::DocumentContent;
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

    fn check(body: &Value) -> Result<Submission, Vec<Fault>> {
        check_for(ActionCode::Enroll, body).map(|asked| asked.card.unwrap())
    }

    fn check_for(action: ActionCode, body: &Value) -> Result<Asked, Vec<Fault>> {
        read_text_for(action, &body.to_string())
    }

    fn read_text(body: &str) -> Result<Asked, Vec<Fault>> {
        read_text_for(ActionCode::Enroll, body)
    }

    fn read_text_for(action: ActionCode, body: &str) -> Result<Asked, Vec<Fault>> {
        let client = client();
        let language = Language::parse("en").unwrap();
        read(
            body.as_bytes(),
            action,
            &client,
            &client.programs[0],
            &language,
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn a_good_submission_is_taken_with_its_evidence() {
        let submission = check(&good()).unwrap();
        assert_eq!(submission.design_code.as_deref(), Some("Gold"));
        assert_eq!(submission.person.first_name.as_deref(), Some("Zoë"));
        assert_eq!(submission.consents.len(), 1);
        assert_eq!(submission.consents[0].version, "3");
    }

    #[test]
    fn each_fault_is_told_by_its_pointer_and_without_its_value() {
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
    fn a_card_number_in_another_field_is_refused_in_any_script() {
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
    fn digits_that_are_no_card_number_are_taken() {
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
    fn characters_that_xml_has_no_place_for_are_refused() {
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
    fn a_field_that_is_not_asked_for_is_refused() {
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
    fn a_replacement_names_the_old_card_and_consents_to_nothing_again() {
        let card = "ab".repeat(32);
        let mut body = good();
        assert_eq!(check_for(ActionCode::Replace, &body).unwrap_err().len(), 2);
        body["consents"] = json!([]);
        body["oldCard"] = json!(card);
        let asked = check_for(ActionCode::Replace, &body).unwrap();
        assert_eq!(asked.old_card.map(IntentId::to_hex), Some(card));
        assert_eq!(asked.card.unwrap().consents, []);
        body["oldCard"] = json!("5234");
        assert_eq!(
            check_for(ActionCode::Replace, &body).unwrap_err(),
            [not_the_customers()]
        );
        body["consents"] = good()["consents"].clone();
        assert!(
            check(&body)
                .unwrap_err()
                .contains(&fault(OLD_CARD, "is not asked for"))
        );
    }

    #[test]
    fn an_opt_out_names_the_card_and_nothing_else() {
        let card = "0f".repeat(32);
        let asked = check_for(ActionCode::OptOut, &json!({"oldCard": card})).unwrap();
        assert_eq!(asked.old_card.map(IntentId::to_hex), Some(card.clone()));
        assert_eq!(asked.card, None);
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
            [not_the_customers()]
        );
    }

    proptest! {
        #[test]
        fn any_body_is_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let client = client();
            let language = Language::parse("en").unwrap();
            for action in [ActionCode::Enroll, ActionCode::Replace, ActionCode::OptOut] {
                let _ = read(&bytes, action, &client, &client.programs[0], &language, Timestamp::UNIX_EPOCH);
            }
        }
    }
}
