//! What the partner's back end is to be told (behaviour §5). Written in the transaction of the outcome.

use sha2::{Digest as _, Sha256};
use url::Url;

use crate::ending::Ending;
use crate::identifiers::{ClientId, IntentId};

/// One confirmation to send. Its id stays the same over retries, and one outcome has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// `webhook-id`: `msg_` and 32 hexadecimal digits, made from intent and status.
    pub id: String,
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
        let mut hash = Sha256::new();
        hash.update(intent.to_hex());
        hash.update(ending.status.as_str());
        let id = format!("msg_{}", &hex::encode(hash.finalize())[..32]);
        Self {
            id,
            client,
            url,
            body: ending.to_json(),
        }
    }
}
