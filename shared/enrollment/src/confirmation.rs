//! Confirmation of an outcome for the partner's back end (`docs/contract.md#confirmations`), stored in the transaction
//! of the outcome.

use std::fmt;

use sha2::{Digest as _, Sha256};
use url::Url;

use crate::batch::Batch;
use crate::ending::Ending;
use crate::identifiers::{ClientId, IntentId, Malformed};
use crate::status::Status;

/// Opaque id of the thing that a confirmation reports on. Each kind of thing has a conversion of its
/// own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectId(String);

impl From<IntentId> for SubjectId {
    fn from(intent: IntentId) -> Self {
        Self(intent.to_hex())
    }
}

impl From<&Batch> for SubjectId {
    /// The time of acceptance is part of it: an external batch id that is used again after its batch was purged is another
    /// subject.
    fn from(batch: &Batch) -> Self {
        Self(format!(
            "batch {} {}",
            batch.id.to_hex(),
            batch.accepted_at.as_millisecond()
        ))
    }
}

/// Id of a confirmation, the `webhook-id` of Standard Webhooks. It stays the same over all retries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConfirmationId(String);

impl ConfirmationId {
    /// Id of the confirmation of a subject's status. The same status of the same subject always has the same id.
    pub fn derive(subject: impl Into<SubjectId>, status: Status) -> Self {
        let mut hash = Sha256::new();
        hash.update(subject.into().0);
        hash.update(status.as_str());
        Self(format!("msg_{}", &hex::encode(hash.finalize())[..32]))
    }

    /// Parses `msg_` and 32 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`Malformed`] where it is anything else.
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

    /// Text of the id, as the partner sees it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConfirmationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Confirmation to be sent. An outcome has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// Id, the same over all retries.
    pub id: ConfirmationId,
    /// Client that receives it.
    pub client: ClientId,
    /// Address of the receiver.
    pub url: Url,
    /// JSON body: that of the widget document (`docs/sources.md#widget`), or that of a batch.
    pub body: String,
}

impl Confirmation {
    /// Confirmation of an intent's ending.
    pub fn of(subject: impl Into<SubjectId>, client: ClientId, url: Url, ending: &Ending) -> Self {
        Self::with_body(subject, client, url, ending.status, ending.to_json())
    }

    /// Confirmation of a status, with a body that says it.
    pub fn with_body(
        subject: impl Into<SubjectId>,
        client: ClientId,
        url: Url,
        status: Status,
        body: String,
    ) -> Self {
        Self {
            id: ConfirmationId::derive(subject, status),
            client,
            url,
            body,
        }
    }

    /// `host:port` of the receiver, for which failures are counted.
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
