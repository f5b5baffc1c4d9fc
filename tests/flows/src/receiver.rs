//! The demo partner's receiver of confirmations, seen from behind.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

use crate::call;
use crate::stack::Stack;
use crate::time::eventually;

/// Longer than the sweep's minute: a wake-up may be lost.
const PATIENCE: SignedDuration = SignedDuration::from_secs(90);

/// What came under one id.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Received {
    /// `webhook-id`.
    pub id: Option<String>,
    /// Whether its signature was good.
    pub verified: bool,
    /// How often it came.
    pub attempts: u32,
    /// What it said.
    pub body: Value,
}

/// All that came, the last thousand of it.
pub fn received() -> Vec<Received> {
    let address = format!("{}/received?last=1000", Stack::here().endpoints.partner);
    serde_json::from_value(call::get(&address).json()).expect("a list of confirmations")
}

/// What came under an id, once it came at least so often.
pub fn wait_for(id: &str, attempts: u32) -> Received {
    eventually("the confirmation at the partner's", PATIENCE, || {
        received()
            .into_iter()
            .find(|received| received.id.as_deref() == Some(id) && received.attempts >= attempts)
    })
}
