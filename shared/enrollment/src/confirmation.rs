//! What the partner's back end is to be told (behaviour §5). Written in the transaction of the outcome.

use url::Url;

use crate::ending::Ending;
use crate::identifiers::{ClientId, ConfirmationId, IntentId};

/// One confirmation to send. Its id stays the same over retries, and one outcome has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// `webhook-id`.
    pub id: ConfirmationId,
    /// Whom it is for.
    pub client: ClientId,
    /// Where it goes.
    pub url: Url,
    /// The JSON body of source document 001.
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
