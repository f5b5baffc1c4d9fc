//! What the partner's back end is to be told (`docs/contract.md#confirmations`). Written in the transaction of the
//! outcome.

use std::fmt;

use sha2::{Digest as _, Sha256};
use url::Url;

use crate::ending::Ending;
use crate::identifiers::{ClientId, IntentId, Malformed};
use crate::status::Status;

/// What Standard Webhooks calls `webhook-id`: one outcome has one, over all its retries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConfirmationId(String);

impl ConfirmationId {
    /// Made from the intent and what is told of it: the same outcome has the same id, whoever stores it.
    pub fn derive(intent: IntentId, status: Status) -> Self {
        let mut hash = Sha256::new();
        hash.update(intent.to_hex());
        hash.update(status.as_str());
        Self(format!("msg_{}", &hex::encode(hash.finalize())[..32]))
    }

    /// `msg_` and 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let is_hex = |digits: &str| {
            digits.len() == 32
                && digits
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        if text.strip_prefix("msg_").is_some_and(is_hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "confirmation id",
                "must be 'msg_' and 32 hexadecimal digits",
            ))
        }
    }

    /// As the partner sees it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConfirmationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One confirmation to send. Its id stays the same over retries, and one outcome has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// `webhook-id`.
    pub id: ConfirmationId,
    /// Whom it is for.
    pub client: ClientId,
    /// Where it goes.
    pub url: Url,
    /// The JSON body of the widget document (`docs/sources.md#widget`).
    pub body: String,
}

impl Confirmation {
    /// The confirmation of an intent's ending.
    pub fn of(intent: IntentId, client: ClientId, url: Url, ending: &Ending) -> Self {
        Self {
            id: ConfirmationId::derive(intent, ending.status),
            client,
            url,
            body: ending.to_json(),
        }
    }

    /// `host:port` of the receiver: what a hanging receiver holds up, and nothing else.
    pub fn destination(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        format!("{host}:{}", self.url.port_or_known_default().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifiers::{IdempotencyKey, SessionToken};
    use crate::testing::Seeded;

    #[test]
    fn a_confirmation_id_is_made_of_intent_and_status() {
        let key = IdempotencyKey::parse("0123456789abcdef").unwrap();
        let intent = IntentId::derive(SessionToken::random(&Seeded::new(6)).id(), &key);
        let id = ConfirmationId::derive(intent, Status::SuccessEnrollment);
        assert_eq!(ConfirmationId::parse(id.as_str()).unwrap(), id);
        assert_ne!(ConfirmationId::derive(intent, Status::ErrorEnrollment), id);
        for text in [
            "msg_",
            "msg_0123456789ABCDEF0123456789ABCDEF",
            &id.as_str()[1..],
            "x",
        ] {
            assert!(ConfirmationId::parse(text).is_err(), "{text}");
        }
    }
}
