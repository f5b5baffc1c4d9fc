//! The JSON inside a batch's JWE. `docs/batches.md` of the product describes it; the names are those of the sibling
//! specification's card object. **Assumption** as a whole: the issuers' specification is not public.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Dialect;
use crate::card_number::CardNumber;

/// Most cards in a batch (`docs/sources.md#issuer-enrollment`).
const MAX_CARDS: usize = 250;

/// Consumers and cards, in the order of the document.
pub(super) struct Content(pub(super) Vec<Consumer>);

/// Consumer with its cards.
pub(super) struct Consumer {
    pub(super) external_consumer_id: String,
    pub(super) cards: Vec<Card>,
}

/// Card of a consumer.
pub(super) struct Card {
    pub(super) external_card_id: String,
    /// Absent where the number is none.
    pub(super) number: Option<CardNumber>,
    pub(super) last_four: String,
    pub(super) is_expired: bool,
}

/// Fault of a document: its place, and the reason of an error's detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContentFault {
    pub(super) source: String,
    pub(super) reason: &'static str,
}

impl Content {
    /// Parses a document; `year` and `month` judge expiry dates. Returns every fault.
    pub(super) fn parse(
        plain: &[u8],
        dialect: Dialect,
        today: (u32, u32),
    ) -> Result<Self, Vec<ContentFault>> {
        let mut reader = Reader {
            faults: Vec::new(),
            dialect,
            today,
            card_ids: Vec::new(),
        };
        let Ok(document) = serde_json::from_slice::<Value>(plain) else {
            return Err(vec![fault("enrollmentData", "CORRUPT_DATA")]);
        };
        let consumers = reader.list(document.get("consumers"), "consumers");
        let consumers: Vec<Consumer> = consumers
            .iter()
            .enumerate()
            .filter_map(|(at, consumer)| reader.consumer(consumer, &format!("consumers[{at}]")))
            .collect();
        let cards: usize = consumers.iter().map(|consumer| consumer.cards.len()).sum();
        if cards > MAX_CARDS {
            reader.faults.push(fault("consumers", "INVALID_VALUE"));
        }
        if reader.faults.is_empty() {
            Ok(Self(consumers))
        } else {
            Err(reader.faults)
        }
    }
}

struct Reader {
    faults: Vec<ContentFault>,
    dialect: Dialect,
    today: (u32, u32),
    card_ids: Vec<String>,
}

impl Reader {
    fn list<'a>(&mut self, value: Option<&'a Value>, place: &str) -> &'a [Value] {
        match value {
            Some(Value::Array(items)) if !items.is_empty() => items,
            _ => {
                self.faults.push(fault(place, "CANNOT_BE_NULL"));
                &[]
            }
        }
    }

    fn text(&mut self, object: &Map<String, Value>, name: &str, place: &str) -> Option<String> {
        match object.get(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text.clone()),
            None | Some(Value::Null) => {
                self.faults
                    .push(fault(&format!("{place}.{name}"), "CANNOT_BE_NULL"));
                None
            }
            Some(_) => {
                self.faults
                    .push(fault(&format!("{place}.{name}"), "INVALID_FORMAT"));
                None
            }
        }
    }

    fn consumer(&mut self, value: &Value, place: &str) -> Option<Consumer> {
        let Some(object) = value.as_object() else {
            self.faults.push(fault(place, "INVALID_FORMAT"));
            return None;
        };
        let id = self.text(object, "externalConsumerId", place);
        self.identity(object, place);
        let cards_place = format!("{place}.cards");
        let cards = self.list(object.get("cards"), &cards_place);
        let cards = cards
            .iter()
            .enumerate()
            .filter_map(|(at, card)| self.card(card, &format!("{cards_place}[{at}]")))
            .collect();
        Some(Consumer {
            external_consumer_id: id?,
            cards,
        })
    }

    /// An e-mail address or a mobile number with its country code identifies a consumer.
    fn identity(&mut self, consumer: &Map<String, Value>, place: &str) {
        let email = consumer.get("consumerIdentity").map(|identity| {
            identity["identityType"] == "EMAIL_ADDRESS"
                && identity["identityValue"]
                    .as_str()
                    .is_some_and(|value| value.contains('@'))
        });
        let mobile = consumer.get("mobileNumber").map(|number| {
            let is_number = |name: &str| {
                number[name]
                    .as_str()
                    .is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
            };
            is_number("countryCode") && is_number("phoneNumber")
        });
        match (email, mobile) {
            (None, None) => self
                .faults
                .push(fault(&format!("{place}.consumerIdentity"), "CANNOT_BE_NULL")),
            (Some(false), _) => self
                .faults
                .push(fault(&format!("{place}.consumerIdentity"), "INVALID_FORMAT")),
            (_, Some(false)) => self
                .faults
                .push(fault(&format!("{place}.mobileNumber"), "INVALID_FORMAT")),
            _ => {}
        }
    }

    fn card(&mut self, value: &Value, place: &str) -> Option<Card> {
        let Some(object) = value.as_object() else {
            self.faults.push(fault(place, "INVALID_FORMAT"));
            return None;
        };
        let name = match self.dialect {
            Dialect::Legacy => "externalCardId",
            Dialect::Successor => "externalCredentialId",
        };
        let id = self.text(object, name, place)?;
        if self.card_ids.contains(&id) {
            self.faults
                .push(fault(&format!("{place}.{name}"), "ALREADY_EXISTS"));
        }
        self.card_ids.push(id.clone());
        let digits = self
            .text(object, "primaryAccountNumber", place)
            .map(Zeroizing::new)?;
        let is_expired = self.expiry(object, place)?;
        let last_four = digits
            .get(digits.len().saturating_sub(4)..)
            .unwrap_or_default()
            .to_owned();
        Some(Card {
            external_card_id: id,
            last_four,
            number: CardNumber::parse(digits),
            is_expired,
        })
    }

    fn expiry(&mut self, card: &Map<String, Value>, place: &str) -> Option<bool> {
        let month = self.text(card, "panExpirationMonth", place)?;
        let year = self.text(card, "panExpirationYear", place)?;
        let number =
            |text: &str, length: usize| (text.len() == length).then(|| text.parse::<u32>().ok()).flatten();
        match (number(&year, 4), number(&month, 2)) {
            (Some(year), Some(month)) if (1..=12).contains(&month) => Some((year, month) < self.today),
            _ => {
                self.faults
                    .push(fault(&format!("{place}.panExpirationMonth"), "INVALID_FORMAT"));
                None
            }
        }
    }
}

fn fault(source: &str, reason: &'static str) -> ContentFault {
    ContentFault {
        source: source.to_owned(),
        reason,
    }
}
