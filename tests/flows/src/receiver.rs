//! Receiver of the demo partner, by its admin interface.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

use crate::call;
use crate::stack::Stack;
use crate::time::eventually;

/// Time limit of a delivery, longer than the sweep's minute, since a wake-up may be lost.
const PATIENCE: SignedDuration = SignedDuration::from_secs(90);

/// Confirmation as received.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    /// `webhook-id`.
    pub id: Option<String>,
    /// Whether its signature was valid.
    pub verified: bool,
    /// Number of deliveries.
    pub attempts: u32,
    /// Body.
    pub body: Value,
}

/// Last thousand confirmations.
pub fn received() -> Vec<Received> {
    let address = format!("{}/received?last=1000", Stack::here().endpoints.partner);
    serde_json::from_value(call::get(&address).json()).expect("a list of confirmations")
}

/// Confirmation of an id, once it was delivered at least that often.
pub fn wait_for(id: &str, attempts: u32) -> Received {
    eventually("the confirmation at the partner's", PATIENCE, || {
        received()
            .into_iter()
            .find(|received| received.id.as_deref() == Some(id) && received.attempts >= attempts)
    })
}
