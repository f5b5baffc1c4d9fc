//! A client as an issuer: its settings for batch enrollment (`docs/contract.md#issuers`).

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Longest maximum age of a batch, in hours: 30 days. The bucket of the JWEs deletes what is older than 45 days.
pub const MAX_AGE_HOURS: u16 = 720;

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

/// Issuer settings as a client file writes them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenIssuer {
    src_client_id: String,
    #[serde(default = "default_service")]
    service_id: String,
    tokenization: Tokenization,
    #[serde(default = "default_poll_interval")]
    poll_interval_seconds: u32,
    #[serde(default = "default_max_age")]
    max_age_hours: u16,
    #[serde(default = "default_retention")]
    retention_days: u16,
}

/// Mastercard's name of Secure Remote Commerce, which its examples use.
fn default_service() -> String {
    "SRC".to_owned()
}

fn default_poll_interval() -> u32 {
    300
}

fn default_max_age() -> u16 {
    72
}

fn default_retention() -> u16 {
    super::DEFAULT_RETENTION_DAYS
}

impl WrittenIssuer {
    /// Returns the settings, with the faults of each: name of the setting, and the rule.
    pub(super) fn check(self) -> (Issuer, Vec<(&'static str, &'static str)>) {
        let mut faults = Vec::new();
        let mut check = |is_right: bool, name: &'static str, rule: &'static str| {
            if !is_right {
                faults.push((name, rule));
            }
        };
        let is_id =
            |text: &str| (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        let id_rule = "must be 1 to 64 printable ASCII characters without a space";
        check(is_id(&self.src_client_id), "src_client_id", id_rule);
        check(is_id(&self.service_id), "service_id", id_rule);
        check(
            (1..=86_400).contains(&self.poll_interval_seconds),
            "poll_interval_seconds",
            "must be 1 to 86400",
        );
        check(
            (1..=MAX_AGE_HOURS).contains(&self.max_age_hours),
            "max_age_hours",
            "must be 1 to 720",
        );
        check(
            self.poll_interval_seconds < 3600 * u32::from(self.max_age_hours),
            "max_age_hours",
            "must be longer than poll_interval_seconds",
        );
        check(
            (1..=3650).contains(&self.retention_days),
            "retention_days",
            "must be 1 to 3650",
        );
        let issuer = Issuer {
            src_client_id: self.src_client_id,
            service_id: self.service_id,
            tokenization: self.tokenization,
            poll_interval_seconds: self.poll_interval_seconds,
            max_age_hours: self.max_age_hours,
            retention_days: self.retention_days,
        };
        (issuer, faults)
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
