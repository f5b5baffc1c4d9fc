//! A client as an issuer: its settings for batch enrollment (`docs/contract.md#issuers`).

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Settings of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    /// Mastercard's id of the issuer (`srcClientId`).
    pub src_client_id: String,
    /// Mastercard's id of the service (`serviceId`).
    pub service_id: String,
    /// Time at which cards are tokenized, as agreed with Mastercard.
    pub tokenization: Tokenization,
    /// Seconds between two polls of a batch, as agreed with Mastercard.
    pub poll_interval_seconds: u32,
    /// Hours from a batch's acceptance to its end, where Mastercard gave no final answer.
    pub max_age_hours: u16,
    /// Days from a batch's end, or a card's deletion, to the deletion of its records.
    pub retention_days: u16,
}

impl Issuer {
    /// Returns the time between two polls.
    pub fn poll_interval(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.poll_interval_seconds))
    }

    /// Returns the time from a batch's end, or a card's deletion, to the deletion of its records.
    pub fn retention(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.retention_days))
    }

    /// Returns the longest time from a batch's acceptance to its end.
    pub fn max_age(&self) -> SignedDuration {
        SignedDuration::from_hours(i64::from(self.max_age_hours))
    }
}

/// Time at which cards are tokenized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tokenization {
    /// At once: a profile exists only if all its cards were tokenized.
    Immediate,
    /// At the consumer's first checkout.
    AtFirstCheckout,
    /// Before anyone asks for it, into the segregated directory.
    PreProvisioned,
}
