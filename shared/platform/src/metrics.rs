//! Metrics as lines of JSON in `CloudWatch`'s embedded metric format: Lambda's log is all the transport they need.
//!
//! Namespace `CardEnrolment`; every metric has the dimension `Stack`, the stack's name. Nothing in them names a client or customer.
//!
//! | metric | unit | further dimensions | counts |
//! | --- | --- | --- | --- |
//! | `WidgetOpenings` | Count | `Status` (`OPENED` or the refusal) | answers of `widget-init` |
//! | `EnrolmentOutcomes` | Count | `Status` | outcomes stored; MRS's code is a property `StatusCode` |
//! | `MrsCalls` | Count | `Operation`, `Outcome` | calls to MRS |
//! | `MrsLatency` | Milliseconds | `Operation`, `Outcome` | how long they took |
//! | `Confirmations` | Count | `Outcome` (`delivered`, `retry`, `waiting`, `parked`, `not-due`, `claim-lost`: sent again, whatever the receiver answered) | runs over a confirmation |
//! | `OldestOpenCase` | Seconds | | at each sweep, the age of the oldest intent without an outcome |
//! | `UnsettledIntents` | Count | | at each sweep, intents that want to be looked after again |
//! | `UnknownForADay` | Count | | at each sweep, intents of which MRS's answers have proved nothing for a day, as far as it asked |
//! | `OldestDueConfirmation` | Seconds | | at each sweep, how long the oldest one has been due |
//! | `PurgedCustomers`, `PurgedCards` | Count | | at each purge, customers of whom nothing is left, and cards whose customer stays |
//! | `PurgesHeldBack` | Count | | at each purge, customers that are past their date and had to wait |
//! | `PurgedUndelivered` | Count | | at each purge, confirmations that no receiver ever had and that went with their record: the audit trail names them |
//! | `PurgesCutShort` | Count | | 1 where a purge ended before it had seen everything |
//! | `PolicyViolations` | Count | `Directive`, `Blocked` (`self`, `inline`, `eval`, `data`, `blob`, `registered`, `other`) | violations of the page's policy that browsers report |
//! | `ClientCertificateDaysLeft` | None | | days until the client certificate for Mastercard ends; by each process of `settle` once an hour, and with new connections |
//! | `Refusals` | Count | `Reason` (`limit`, `suspended`, `used`, `card_limit`, `no_card`, `card_gone`, `denied`: client, signature or function do not fit) | openings that were denied, and submissions that were refused before MRS was asked |

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use enrollment::flows::confirm::Confirmed;
use enrollment::flows::purge::Purged;
use enrollment::flows::sweep::{Swept, Woken};
use enrollment::ports::Clock;
use enrollment::reason::Reason;
use enrollment::status::{MrsCode, Status};
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "CardEnrolment";

/// Writes metrics.
#[derive(Clone)]
pub struct Metrics {
    /// `None`: nobody listens.
    stack: Option<String>,
    clock: Arc<dyn Clock>,
}

impl Metrics {
    /// Metrics of the stack of that name.
    pub fn new(stack: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            stack: Some(stack.into()),
            clock,
        }
    }

    /// For a program whose output is not Lambda's log: it writes nothing.
    pub fn unheard(clock: Arc<dyn Clock>) -> Self {
        Self { stack: None, clock }
    }

    /// The widget was opened, or refused with a status.
    pub fn widget_opening(&self, refused: Option<Status>) {
        let status = refused.map_or("OPENED", Status::as_str);
        self.write(&self.line(&[("Status", status)], &[("WidgetOpenings", "Count", 1.0)]));
    }

    /// Something was refused before MRS was asked: for that reason, or because client, signature or function do not fit.
    pub fn refusal(&self, reason: Option<Reason>) {
        let reason = reason.map_or("denied", Reason::as_str);
        self.write(&self.line(&[("Reason", reason)], &[("Refusals", "Count", 1.0)]));
    }

    /// An enrolment has its outcome.
    pub fn enrolment_outcome(&self, status: Status, code: Option<MrsCode>) {
        let mut line = self.line(
            &[("Status", status.as_str())],
            &[("EnrolmentOutcomes", "Count", 1.0)],
        );
        if let Some(code) = code {
            line.insert("StatusCode".into(), code.0.into());
        }
        self.write(&line);
    }

    /// MRS was asked. `outcome` is one word, such as `ok`, `declined`, `unreachable` or `unknown`.
    pub fn mrs_call(&self, operation: &'static str, outcome: &'static str, took: Duration) {
        let dimensions = [("Operation", operation), ("Outcome", outcome)];
        let latency = took.as_secs_f64() * 1000.0;
        let metrics = [
            ("MrsCalls", "Count", 1.0),
            ("MrsLatency", "Milliseconds", latency),
        ];
        self.write(&self.line(&dimensions, &metrics));
    }

    /// A confirmation was dealt with.
    pub fn confirmation(&self, confirmed: Confirmed) {
        let dimensions = [("Outcome", confirmed.as_str())];
        self.write(&self.line(&dimensions, &[("Confirmations", "Count", 1.0)]));
    }

    /// The half of a sweep that wakes confirmations has ended.
    pub fn wake(&self, woken: &Woken) {
        let oldest = woken.oldest_due.as_secs_f64();
        self.write(&self.line(&[], &[("OldestDueConfirmation", "Seconds", oldest)]));
    }

    /// The half of a sweep that looks after intents has ended.
    pub fn sweep(&self, swept: &Swept) {
        #[expect(clippy::cast_precision_loss, reason = "a count of a thousand at the most")]
        let [unsettled, unknown] = [swept.unsettled, swept.unknown_for_long].map(|count| count as f64);
        let metrics = [
            ("OldestOpenCase", "Seconds", swept.oldest_open.as_secs_f64()),
            ("UnsettledIntents", "Count", unsettled),
            ("UnknownForADay", "Count", unknown),
        ];
        self.write(&self.line(&[], &metrics));
    }

    /// A run of the purge has ended.
    pub fn purge(&self, purged: &Purged) {
        #[expect(clippy::cast_precision_loss, reason = "counts of what one run can do")]
        let count = |count: usize| count as f64;
        let metrics = [
            ("PurgedCustomers", "Count", count(purged.customers)),
            ("PurgedCards", "Count", count(purged.cards)),
            ("PurgesHeldBack", "Count", count(purged.held_back)),
            ("PurgedUndelivered", "Count", count(purged.undelivered)),
            (
                "PurgesCutShort",
                "Count",
                f64::from(u8::from(purged.is_cut_short)),
            ),
        ];
        self.write(&self.line(&[], &metrics));
    }

    /// A browser reports a violation of the page's policy. Both words are of closed lists.
    pub fn policy_violation(&self, directive: &'static str, blocked: &'static str) {
        let dimensions = [("Directive", directive), ("Blocked", blocked)];
        self.write(&self.line(&dimensions, &[("PolicyViolations", "Count", 1.0)]));
    }

    /// How long the client certificate for Mastercard is valid yet. Below 30 it wants a new one.
    pub fn certificate_expiry(&self, left: Duration) {
        let days = left.as_secs_f64() / 86_400.0;
        self.write(&self.line(&[], &[("ClientCertificateDaysLeft", "None", days)]));
    }

    fn line(&self, dimensions: &[(&str, &str)], metrics: &[(&str, &str, f64)]) -> Map<String, Value> {
        let names: Vec<&str> = std::iter::once("Stack")
            .chain(dimensions.iter().map(|(name, _)| *name))
            .collect();
        let definitions: Vec<Value> = metrics
            .iter()
            .map(|(name, unit, _)| json!({"Name": name, "Unit": unit}))
            .collect();
        let directive = json!({
            "Timestamp": self.clock.now().as_millisecond(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [names], "Metrics": definitions}],
        });
        let mut line = Map::from_iter([
            ("_aws".to_owned(), directive),
            ("Stack".to_owned(), self.stack.as_deref().into()),
        ]);
        line.extend(
            dimensions
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).into())),
        );
        line.extend(
            metrics
                .iter()
                .map(|(name, _, value)| ((*name).to_owned(), (*value).into())),
        );
        line
    }

    fn write(&self, line: &Map<String, Value>) {
        if self.stack.is_none() {
            return;
        }
        let text = serde_json::to_string(line).unwrap_or_default() + "\n";
        // As with the log: there is nowhere to complain.
        drop(std::io::stdout().lock().write_all(text.as_bytes()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_line_is_of_the_embedded_metric_format() {
        let metrics = Metrics::new("local", Arc::new(ManualClock::default()));
        let line = metrics.line(
            &[("Operation", "enroll")],
            &[("MrsLatency", "Milliseconds", 12.5)],
        );
        let expected = json!({
            "_aws": {
                "Timestamp": 1_795_255_200_000_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "CardEnrolment",
                    "Dimensions": [["Stack", "Operation"]],
                    "Metrics": [{"Name": "MrsLatency", "Unit": "Milliseconds"}],
                }],
            },
            "Stack": "local",
            "Operation": "enroll",
            "MrsLatency": 12.5,
        });
        assert_eq!(Value::Object(line), expected);
    }
}
