//! Form of a new card, for an enrollment or a replacement.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::consents::{self, ConsentBody};
use super::{FieldError, Rules};
use crate::action::ActionCode;
use crate::client::Field;
use crate::digits;
use crate::identifiers::{Bin, Last4};
use crate::intent::Consent;
use crate::ports::{EncryptedNumber, Person};

/// Card that may be sent to MRS.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCardForm {
    /// Encrypted card number, unreadable here.
    pub number: EncryptedNumber,
    /// First six digits, as the browser gave them.
    pub bin: Bin,
    /// Last four digits, as the browser gave them.
    pub last4: Last4,
    /// Cardholder, passed on to MRS and not stored.
    pub person: Person,
    /// Evidence of the consents.
    pub consents: Vec<Consent>,
    /// Visual design of the card.
    pub design_code: Option<String>,
}

/// Body of an enrollment or a replacement, as received.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewCardBody {
    card: EncryptedNumberBody,
    bin: String,
    last4: String,
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
    #[serde(default)]
    consents: Vec<ConsentBody>,
    pub(super) old_card: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EncryptedNumberBody {
    key: String,
    data: String,
}

impl NewCardBody {
    /// Checks everything but the old card. `None` where a part of the form can't be read; its error is among `errors` then.
    pub(super) fn check(
        self,
        action: ActionCode,
        rules: Rules<'_>,
        errors: &mut Vec<FieldError>,
    ) -> Option<NewCardForm> {
        let number = EncryptedNumber {
            key: self.card.key,
            data: self.card.data,
        };
        check_base64(&number.key, "/card/key", 256..=1024, errors);
        // 12 bytes of IV, 12 to 19 digits, 16 bytes of tag; the assumed cipher may change within reason.
        check_base64(&number.data, "/card/data", 24..=1024, errors);
        let bin = Bin::parse(&self.bin)
            .map_err(|_| errors.push(FieldError::new("/bin", "must be exactly six digits")))
            .ok();
        let last4 = Last4::parse(&self.last4)
            .map_err(|_| errors.push(FieldError::new("/last4", "must be exactly four digits")))
            .ok();
        let range = bin.and_then(|bin| rules.program.range_of(bin));
        if bin.is_some() && range.is_none() {
            errors.push(FieldError::new("/bin", "does not belong to the program"));
        }
        let fields = rules.client.fields;
        let person = Person {
            first_name: text(self.first_name, fields.first_name, "/firstName", 100, errors),
            last_name: text(self.last_name, fields.last_name, "/lastName", 100, errors),
            email: text(self.email, fields.email, "/email", 254, errors),
        };
        check_person(&person, errors);
        let consents = consents::check(&self.consents, action, rules, errors);
        Some(NewCardForm {
            number,
            bin: bin?,
            last4: last4?,
            person,
            consents,
            design_code: range.and_then(|range| range.design_code.clone()),
        })
    }
}

/// Checks alphabet and size of a part of the encrypted number, which is passed on unchanged. A card number in clear (digits
/// alone) is far too short to pass.
fn check_base64(
    text: &str,
    pointer: &'static str,
    bytes: RangeInclusive<usize>,
    errors: &mut Vec<FieldError>,
) {
    let decoded = STANDARD.decode(text).ok();
    if !decoded.is_some_and(|decoded| bytes.contains(&decoded.len())) {
        errors.push(FieldError::new(
            pointer,
            "must be the base64 text that the page made",
        ));
    }
}

/// Checks presence, length and characters of a text, and trims it.
fn text(
    value: Option<String>,
    field: Field,
    pointer: &'static str,
    max_length: usize,
    errors: &mut Vec<FieldError>,
) -> Option<String> {
    let value = value
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty());
    let is_refused = |character: char| character.is_control() || is_noncharacter(character);
    let detail = match (&value, field) {
        (Some(_), Field::Hidden) => Some("is not asked for"),
        (None, Field::Required) => Some("is required"),
        (Some(value), _) if value.chars().count() > max_length => Some("is too long"),
        (Some(value), _) if value.chars().any(is_refused) => Some("must not hold control characters"),
        _ => None,
    };
    errors.extend(detail.map(|detail| FieldError::new(pointer, detail)));
    value
}

/// U+FFFE and the other noncharacters of Unicode, which XML can't represent.
fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    code & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&code)
}

fn check_person(person: &Person, errors: &mut Vec<FieldError>) {
    for (value, pointer) in [
        (&person.first_name, "/firstName"),
        (&person.last_name, "/lastName"),
        (&person.email, "/email"),
    ] {
        if value.as_deref().is_some_and(looks_like_a_card_number) {
            errors.push(FieldError::new(pointer, "must not be a card number"));
        }
    }
    let email = person.email.as_deref();
    if email.is_some_and(|email| !looks_like_an_address(email)) {
        errors.push(FieldError::new("/email", "must be an e-mail address"));
    }
}

/// Detects a card number in the wrong field, which must not leave this process. Twelve digits or more, of any script and
/// with anything between them, are no name. An e-mail address may hold as many, a telephone number for instance: the digits
/// between its letters must be a card number by first digit (ISO/IEC 7812-1: 2 to 6), check digit and length.
/// The page applies the same rule (`functions/widget-page/page/src/misplaced.js`).
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

/// Requires one `@` with something on both sides. Whether mail arrives there is for MRS to find out.
fn looks_like_an_address(email: &str) -> bool {
    email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.len() >= 3
            && !domain.contains('@')
            && !email.contains(char::is_whitespace)
    })
}
