//! JSON of consumers and cards inside the JWE (docs/batches.md). The names stand here only.

use crate::columns::Column;

/// Name of a card's id in Mastercard's two dialects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardIdName {
    /// `externalCardId`, of Issuer Enrollment.
    ExternalCardId,
    /// `externalCredentialId`, of its successor, the Credential Directory APIs.
    ExternalCredentialId,
}

impl CardIdName {
    /// The member's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExternalCardId => "externalCardId",
            Self::ExternalCredentialId => "externalCredentialId",
        }
    }
}

/// Beginning of the content, before the first profile.
pub(crate) const OPENING: &[u8] = br#"{"consumers":["#;
/// End of the content, after the last profile.
pub(crate) const CLOSING: &[u8] = b"]}";
/// Between a consumer's members and its cards.
pub(crate) const CARDS_OPENING: &[u8] = br#","cards":["#;
/// After a profile's last card.
pub(crate) const CARDS_CLOSING: &[u8] = b"]}";
/// Beginning of a profile; its id follows.
pub(crate) const CONSUMER_OPENING: &[u8] = br#"{"externalConsumerId":""#;

/// Members of a consumer, after its id.
pub(crate) const CONSUMER_GROUPS: [Group; 4] = [
    Group {
        opening: br#","consumerIdentity":{"identityType":"EMAIL_ADDRESS""#,
        members: &[(Column::EmailAddress, "identityValue")],
        closing: b"}",
    },
    Group {
        opening: br#","mobileNumber":{"#,
        members: &[
            (Column::MobileCountryCode, "countryCode"),
            (Column::MobilePhoneNumber, "phoneNumber"),
        ],
        closing: b"}",
    },
    Group {
        opening: b"",
        members: &[(Column::FirstName, "firstName"), (Column::LastName, "lastName")],
        closing: b"",
    },
    Group {
        opening: b"",
        members: &[
            (Column::CountryCode, "countryCode"),
            (Column::LanguageCode, "languageCode"),
        ],
        closing: b"",
    },
];

/// Members of a card, after its number and its expiry.
pub(crate) const CARD_GROUPS: [Group; 2] = [
    Group {
        opening: b"",
        members: &[(Column::CardholderFullName, "cardholderFullName")],
        closing: b"",
    },
    Group {
        opening: br#","billingAddress":{"#,
        members: &[
            (Column::AddressLine1, "line1"),
            (Column::AddressLine2, "line2"),
            (Column::AddressLine3, "line3"),
            (Column::AddressCity, "city"),
            (Column::AddressState, "state"),
            (Column::AddressCountryCode, "countryCode"),
            (Column::AddressPostalCode, "zip"),
        ],
        closing: b"}",
    },
];

/// Members that stand together; absent where all of them are.
pub(crate) struct Group {
    pub(crate) opening: &'static [u8],
    pub(crate) members: &'static [(Column, &'static str)],
    pub(crate) closing: &'static [u8],
}

/// Writes a member of an object, with a comma unless it is the first.
pub(crate) fn write_member(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":\"");
    write_escaped(out, value);
    out.push(b'"');
}

/// Writes a text as the inside of a JSON string. It has no control characters.
fn write_escaped(out: &mut Vec<u8>, text: &[u8]) {
    if !text.iter().any(|byte| matches!(byte, b'"' | b'\\')) {
        return out.extend_from_slice(text);
    }
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
}
