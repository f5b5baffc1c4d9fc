//! Metrics as lines of JSON in `CloudWatch`'s embedded metric format: Lambda's log is all the transport they need.
//!
//! Namespace `CardEnrollment`; every metric has the dimension `Stack`, the stack's name. Nothing in them names a client or
//! customer. `docs/metrics.md` lists them all, with their alarms; the crate `tests/alarms` checks the list. A metric whose
//! name ends in `Faults` is written each time, as 1 or 0: its sum counts the faults, its number of samples the cases.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use enrollment::clock::Clock;
use enrollment::flows::deliver::DeliveryReport;
use enrollment::flows::purge::PurgeReport;
use enrollment::flows::sweep::{SweepReport, WakeReport};
use enrollment::reason::Reason;
use enrollment::status::{MrsCode, Status};
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "CardEnrollment";

/// Takes a line, without its end.
type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// Writes metrics.
#[derive(Clone)]
pub struct Metrics {
    /// Name of the stack.
    stack: String,
    clock: Arc<dyn Clock>,
    /// `None`: nobody listens.
    sink: Option<Sink>,
}

/// Metrics of one line that have the same dimensions.
struct Group<'a> {
    /// Sets of dimensions beside `Stack`. `CloudWatch` stores each metric once for each set.
    sets: &'a [&'a [(&'static str, &'a str)]],
    /// Name, unit, value.
    metrics: &'a [(&'static str, &'static str, f64)],
}

/// One call to a system of Mastercard, as metrics describe it.
#[derive(Debug, Clone, Copy)]
pub struct MastercardCall {
    /// Mastercard's name of the operation.
    pub operation: &'static str,
    /// One word, such as `ok`, `fault`, `unknown` or `invalid_client_cert`.
    pub outcome: &'static str,
    /// Whether Mastercard did not do its part, or could not be asked: not an answer about the card.
    pub is_fault: bool,
    /// Time that the call took.
    pub took: Duration,
}

impl Metrics {
    /// Metrics of the stack of that name, on the standard output.
    pub fn new(stack: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self::into_sink(stack, clock, |line| {
            // As with the log: there is nowhere to complain.
            drop(writeln!(std::io::stdout().lock(), "{line}"));
        })
    }

    /// Metrics of the stack of that name, line by line to a function.
    pub fn into_sink(
        stack: impl Into<String>,
        clock: Arc<dyn Clock>,
        sink: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        Self {
            stack: stack.into(),
            clock,
            sink: Some(Arc::new(sink)),
        }
    }

    /// For a program whose output is not Lambda's log: it writes nothing.
    pub fn unheard(clock: Arc<dyn Clock>) -> Self {
        Self {
            stack: String::new(),
            clock,
            sink: None,
        }
    }

    /// The widget was opened, or refused with a status.
    pub fn widget_opening(&self, refused: Option<Status>) {
        let status = refused.map_or("OPENED", Status::as_str);
        // Refusals have statuses of their own: this one says that the store failed.
        let fault = flag(refused == Some(Status::ErrorEnrollment));
        self.write(&[
            Group {
                sets: &[&[("Status", status)]],
                metrics: &[("WidgetOpenings", "Count", 1.0)],
            },
            Group {
                sets: &[&[]],
                metrics: &[("OpeningFaults", "Count", fault)],
            },
        ]);
    }

    /// Something was refused before MRS was asked: for that reason, or because client, signature or function do not fit.
    pub fn refusal(&self, reason: Option<Reason>) {
        let reason = reason.map_or("denied", Reason::as_str);
        self.count(&[("Reason", reason)], "Refusals", 1.0);
    }

    /// An enrollment, replacement or opt-out has its outcome.
    pub fn outcome(&self, status: Status, code: Option<MrsCode>) {
        let fault = flag(code == Some(MrsCode::SERVER_ERROR));
        let mut line = self.line(&[
            Group {
                sets: &[&[("Status", status.as_str())]],
                metrics: &[("EnrollmentOutcomes", "Count", 1.0)],
            },
            Group {
                sets: &[&[]],
                metrics: &[("OutcomeFaults", "Count", fault)],
            },
        ]);
        if let Some(code) = code {
            // A property to search for: as a dimension it would be a metric for each code.
            line.insert("StatusCode".into(), code.0.into());
        }
        self.send(line);
    }

    /// MRS was called, or would have been.
    pub fn mrs_call(&self, call: MastercardCall) {
        let kind = [("Outcome", call.outcome)];
        let of_fault: [&[(&str, &str)]; 2] = [&[], &kind];
        let sets = if call.is_fault { &of_fault } else { &of_fault[..1] };
        let latency = call.took.as_secs_f64() * 1000.0;
        self.write(&[
            Group {
                sets: &[&[("Operation", call.operation), kind[0]]],
                metrics: &[
                    ("MrsCalls", "Count", 1.0),
                    ("MrsLatency", "Milliseconds", latency),
                ],
            },
            Group {
                sets,
                metrics: &[("MrsFaults", "Count", flag(call.is_fault))],
            },
        ]);
    }

    /// A confirmation was dealt with.
    pub fn confirmation(&self, confirmed: DeliveryReport) {
        self.count(&[("Outcome", confirmed.as_str())], "Confirmations", 1.0);
        if let DeliveryReport::Parked(reason) = confirmed {
            self.count(&[("Reason", reason.as_str())], "ParkedConfirmations", 1.0);
        }
    }

    /// The half of a sweep that wakes confirmations has ended.
    pub fn wake(&self, woken: &WakeReport) {
        let oldest = woken.oldest_due.as_secs_f64();
        self.measure(&[("OldestDueConfirmation", "Seconds", oldest)]);
    }

    /// The half of a sweep that looks after intents has ended.
    pub fn sweep(&self, swept: &SweepReport) {
        #[expect(clippy::cast_precision_loss, reason = "a count of a thousand at the most")]
        let [unsettled, unknown] = [swept.unsettled, swept.unknown_for_long].map(|count| count as f64);
        self.measure(&[
            ("OldestOpenCase", "Seconds", swept.oldest_open.as_secs_f64()),
            ("UnsettledIntents", "Count", unsettled),
            ("UnknownForADay", "Count", unknown),
        ]);
    }

    /// A run of the purge has ended.
    pub fn purge(&self, purged: &PurgeReport) {
        #[expect(clippy::cast_precision_loss, reason = "counts of what one run can do")]
        let count = |count: usize| count as f64;
        self.measure(&[
            ("PurgedCustomers", "Count", count(purged.customers)),
            ("PurgedCards", "Count", count(purged.cards)),
            ("PurgesHeldBack", "Count", count(purged.deferred)),
            ("PurgedUndelivered", "Count", count(purged.undelivered)),
            ("PurgesCutShort", "Count", flag(purged.is_cut_short)),
        ]);
    }

    /// A browser reports a violation of the page's policy. Both words are of closed lists.
    pub fn policy_violation(&self, directive: &'static str, blocked: &'static str) {
        let dimensions = [("Directive", directive), ("Blocked", blocked)];
        self.count(&dimensions, "PolicyViolations", 1.0);
    }

    /// How long the client certificate for Mastercard is valid yet. Below 30 it wants a new one.
    pub fn certificate_expiry(&self, left: Duration) {
        let days = left.as_secs_f64() / 86_400.0;
        self.measure(&[("ClientCertificateDaysLeft", "None", days)]);
    }

    /// The secret for card numbers holds a key that the deployment does not allow.
    pub fn card_key_refused(&self) {
        self.count(&[], "CardKeyRefused", 1.0);
    }

    fn count(&self, dimensions: &[(&'static str, &str)], name: &'static str, value: f64) {
        self.write(&[Group {
            sets: &[dimensions],
            metrics: &[(name, "Count", value)],
        }]);
    }

    /// Metrics of the stack as a whole.
    fn measure(&self, metrics: &[(&'static str, &'static str, f64)]) {
        self.write(&[Group {
            sets: &[&[]],
            metrics,
        }]);
    }

    fn write(&self, groups: &[Group<'_>]) {
        self.send(self.line(groups));
    }

    fn send(&self, line: Map<String, Value>) {
        if let Some(sink) = &self.sink {
            sink(&Value::Object(line).to_string());
        }
    }

    fn line(&self, groups: &[Group<'_>]) -> Map<String, Value> {
        let directives: Vec<Value> = groups.iter().map(Group::directive).collect();
        let metadata = json!({
            "Timestamp": self.clock.now().as_millisecond(),
            "CloudWatchMetrics": directives,
        });
        let mut line = Map::from_iter([
            ("_aws".to_owned(), metadata),
            ("Stack".to_owned(), self.stack.as_str().into()),
        ]);
        for group in groups {
            let dimensions = group.sets.iter().flat_map(|set| set.iter());
            line.extend(dimensions.map(|(name, value)| ((*name).to_owned(), (*value).into())));
            let values = group.metrics.iter();
            line.extend(values.map(|(name, _, value)| ((*name).to_owned(), (*value).into())));
        }
        line
    }
}

impl Group<'_> {
    fn directive(&self) -> Value {
        let sets = self.sets.iter().map(|set| {
            let names = std::iter::once("Stack").chain(set.iter().map(|(name, _)| *name));
            names.collect::<Vec<_>>()
        });
        let definitions = self
            .metrics
            .iter()
            .map(|(name, unit, _)| json!({"Name": name, "Unit": unit}));
        json!({
            "Namespace": NAMESPACE,
            "Dimensions": sets.collect::<Vec<_>>(),
            "Metrics": definitions.collect::<Vec<_>>(),
        })
    }
}

fn flag(is_set: bool) -> f64 {
    f64::from(u8::from(is_set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn a_line_is_of_the_embedded_metric_format() {
        let metrics = Metrics::new("cards", Arc::new(ManualClock::default()));
        let line = metrics.line(&[
            Group {
                sets: &[&[("Operation", "enroll")]],
                metrics: &[("MrsLatency", "Milliseconds", 12.5)],
            },
            Group {
                sets: &[&[], &[("Outcome", "unknown")]],
                metrics: &[("MrsFaults", "Count", 1.0)],
            },
        ]);
        let expected = json!({
            "_aws": {
                "Timestamp": 1_795_255_200_000_i64,
                "CloudWatchMetrics": [
                    {
                        "Namespace": "CardEnrollment",
                        "Dimensions": [["Stack", "Operation"]],
                        "Metrics": [{"Name": "MrsLatency", "Unit": "Milliseconds"}],
                    },
                    {
                        "Namespace": "CardEnrollment",
                        "Dimensions": [["Stack"], ["Stack", "Outcome"]],
                        "Metrics": [{"Name": "MrsFaults", "Unit": "Count"}],
                    },
                ],
            },
            "Stack": "cards",
            "Operation": "enroll",
            "MrsLatency": 12.5,
            "Outcome": "unknown",
            "MrsFaults": 1.0,
        });
        assert_eq!(Value::Object(line), expected);
    }
}
