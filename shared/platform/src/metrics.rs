//! Metrics as lines of JSON in `CloudWatch`'s embedded metric format, written to the function's log.
//!
//! Every metric has the namespace `CardEnrollment` and the dimension `Stack`, the stack's name. No metric identifies a
//! client or customer. `docs/metrics.md` lists all metrics with their alarms; the crate `tests/alarms` checks the list.
//! A metric whose name ends in `Faults` is written for every case, as 1 or 0: its sum counts the faults, its number of
//! samples the cases.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use enrollment::clock::Clock;
use enrollment::flows::batch::poll::PollReport;
use enrollment::flows::batch::purge::BatchPurgeReport;
use enrollment::flows::batch::submit::SubmitReport;
use enrollment::flows::batch::sweep::BatchSweepReport;
use enrollment::flows::deliver::DeliveryReport;
use enrollment::flows::digital_cards::settle::DeletionReport;
use enrollment::flows::purge::PurgeReport;
use enrollment::flows::sweep::{SweepReport, WakeReport};
use enrollment::ports::StoreError;
use enrollment::reason::Reason;
use enrollment::status::{MrsCode, Status};
use serde_json::{Map, Value, json};

const NAMESPACE: &str = "CardEnrollment";

/// Receives a line, without its newline.
type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// Writes metrics.
#[derive(Clone)]
pub struct Metrics {
    /// Name of the stack.
    stack: String,
    clock: Arc<dyn Clock>,
    /// `None` where metrics are disabled.
    sink: Option<Sink>,
}

/// Metrics of one line with the same dimensions.
struct Group<'a> {
    /// Sets of dimensions beside `Stack`. `CloudWatch` stores each metric once per set.
    sets: &'a [&'a [(&'static str, &'a str)]],
    /// Name, unit, value.
    metrics: &'a [(&'static str, &'static str, f64)],
}

/// One call to a system of Mastercard, as metrics describe it.
#[derive(Debug, Clone, Copy)]
pub struct MastercardCall {
    /// Mastercard's name of the operation.
    pub operation: &'static str,
    /// Result in one word, such as `ok`, `fault`, `unknown` or `invalid_client_cert`.
    pub outcome: &'static str,
    /// Whether Mastercard did not do its part, or could not be asked: not an answer about the card.
    pub is_fault: bool,
    /// Duration of the call.
    pub took: Duration,
}

impl Metrics {
    /// Metrics of a stack, written to the standard output.
    pub fn new(stack: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self::into_sink(stack, clock, |line| {
            // As with the log, a failed write can't be reported anywhere.
            drop(writeln!(std::io::stdout().lock(), "{line}"));
        })
    }

    /// Metrics of a stack, written line by line to `sink`.
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

    /// Metrics that are not written, for a program whose output is not Lambda's log.
    pub fn disabled(clock: Arc<dyn Clock>) -> Self {
        Self {
            stack: String::new(),
            clock,
            sink: None,
        }
    }

    /// Counts an opening of the widget, or its refusal with a status.
    pub fn widget_opening(&self, refused: Option<Status>) {
        let status = refused.map_or("OPENED", Status::as_str);
        // Refusals have other statuses: this one means that the store failed.
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

    /// Counts a refusal before MRS was called: its reason, or `None` where client, signature or function do not match.
    pub fn refusal(&self, reason: Option<Reason>) {
        let reason = reason.map_or("denied", Reason::as_str);
        self.count(&[("Reason", reason)], "Refusals", 1.0);
    }

    /// Counts the outcome of an enrollment, replacement or opt-out.
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
            // A property, to be searched for. As a dimension each code would be a metric of its own.
            line.insert("StatusCode".into(), code.0.into());
        }
        self.send(line);
    }

    /// Measures a call to MRS, made or prevented.
    pub fn mrs_call(&self, call: MastercardCall) {
        self.mastercard_call(["MrsCalls", "MrsLatency", "MrsFaults"], call);
    }

    /// Measures a call to the Issuer Enrollment API, made or prevented.
    pub fn issuer_call(&self, call: MastercardCall) {
        self.mastercard_call(["IssuerCalls", "IssuerLatency", "IssuerFaults"], call);
    }

    fn mastercard_call(&self, [calls, latency, faults]: [&'static str; 3], call: MastercardCall) {
        let kind = [("Outcome", call.outcome)];
        let of_fault: [&[(&str, &str)]; 2] = [&[], &kind];
        let sets = if call.is_fault { &of_fault } else { &of_fault[..1] };
        let took = call.took.as_secs_f64() * 1000.0;
        self.write(&[
            Group {
                sets: &[&[("Operation", call.operation), kind[0]]],
                metrics: &[(calls, "Count", 1.0), (latency, "Milliseconds", took)],
            },
            Group {
                sets,
                metrics: &[(faults, "Count", flag(call.is_fault))],
            },
        ]);
    }

    /// Counts a delivery attempt of a confirmation.
    pub fn confirmation(&self, confirmed: DeliveryReport) {
        self.count(&[("Outcome", confirmed.as_str())], "Confirmations", 1.0);
        if let DeliveryReport::Parked(reason) = confirmed {
            self.count(&[("Reason", reason.as_str())], "ParkedConfirmations", 1.0);
        }
    }

    /// Measures the half of a sweep that wakes due confirmations.
    pub fn wake(&self, woken: &WakeReport) {
        let oldest = woken.oldest_due.as_secs_f64();
        self.measure(&[("OldestDueConfirmation", "Seconds", oldest)]);
    }

    /// Measures the half of a sweep that resumes due intents.
    pub fn sweep(&self, swept: &SweepReport) {
        #[expect(clippy::cast_precision_loss, reason = "a count of a thousand at the most")]
        let [unsettled, unknown] = [swept.unsettled, swept.unknown_for_long].map(|count| count as f64);
        self.measure(&[
            ("OldestOpenIntent", "Seconds", swept.oldest_open.as_secs_f64()),
            ("DueIntents", "Count", unsettled),
            ("UnknownForADay", "Count", unknown),
        ]);
    }

    /// Counts a call of an issuer's back end, by operation and outcome: `ok`, `fault` where the store failed, or the kind of
    /// refusal.
    pub fn batch_call(&self, operation: &'static str, outcome: &'static str) {
        self.write(&[
            Group {
                sets: &[&[("Operation", operation), ("Outcome", outcome)]],
                metrics: &[("BatchCalls", "Count", 1.0)],
            },
            Group {
                sets: &[&[]],
                metrics: &[("BatchCallFaults", "Count", flag(outcome == "fault"))],
            },
        ]);
    }

    /// Counts a try to submit a batch.
    pub fn batch_submission(&self, report: SubmitReport) {
        let outcome = match report {
            SubmitReport::NotDue => "not-due",
            SubmitReport::Submitted => "submitted",
            SubmitReport::Postponed => "postponed",
            SubmitReport::Ended => "ended",
        };
        self.count(&[("Outcome", outcome)], "BatchSubmissions", 1.0);
    }

    /// Counts a poll of a batch, and the ids of a final answer that are not the batch's.
    pub fn batch_poll(&self, report: PollReport) {
        let outcome = match report {
            PollReport::NotDue => "not-due",
            PollReport::Postponed => "postponed",
            PollReport::Ended { .. } => "ended",
            PollReport::ContentDiscarded => "content-discarded",
        };
        self.count(&[("Outcome", outcome)], "BatchPolls", 1.0);
        if let PollReport::Ended { foreign_ids } = report {
            #[expect(clippy::cast_precision_loss, reason = "a count of one answer")]
            self.measure(&[("ForeignBatchIds", "Count", foreign_ids as f64)]);
        }
    }

    /// Counts a try to work on a batch whose stored data can't be read. Other failures of the store count elsewhere.
    pub fn batch_failure(&self, error: &StoreError) {
        if let StoreError::Unreadable { .. } = error {
            self.count(&[], "UnreadableBatches", 1.0);
        }
    }

    /// Counts a try to delete a digital card at Mastercard.
    pub fn card_deletion(&self, report: DeletionReport) {
        let outcome = match report {
            DeletionReport::NotDue => "not-due",
            DeletionReport::Deleted => "deleted",
            DeletionReport::Postponed => "postponed",
        };
        self.count(&[("Outcome", outcome)], "CardDeletions", 1.0);
    }

    /// Measures a sweep of the batches.
    pub fn batch_sweep(&self, swept: &BatchSweepReport) {
        #[expect(clippy::cast_precision_loss, reason = "a count of a thousand at the most")]
        let unfinished = swept.unfinished as f64;
        self.measure(&[
            ("UnfinishedBatches", "Count", unfinished),
            (
                "OldestUnfinishedBatch",
                "Seconds",
                swept.oldest_unfinished.as_secs_f64(),
            ),
            (
                "LongestOverdueBatch",
                "Seconds",
                swept.longest_overdue.as_secs_f64(),
            ),
            (
                "OldestPendingDeletion",
                "Seconds",
                swept.oldest_deletion.as_secs_f64(),
            ),
        ]);
    }

    /// Measures a run of the purge.
    pub fn purge(&self, purged: &PurgeReport) {
        #[expect(clippy::cast_precision_loss, reason = "counts of what one run can do")]
        let count = |count: usize| count as f64;
        self.measure(&[
            ("PurgedCustomers", "Count", count(purged.customers)),
            ("PurgedCards", "Count", count(purged.cards)),
            ("PurgesDeferred", "Count", count(purged.deferred)),
            ("PurgedUndelivered", "Count", count(purged.undelivered)),
            ("PurgesIncomplete", "Count", flag(purged.is_cut_short)),
        ]);
    }

    /// Counts what a purge of batches did. Deferred, undelivered and incomplete ones count together with those of customers.
    pub fn batch_purge(&self, purged: &BatchPurgeReport) {
        #[expect(clippy::cast_precision_loss, reason = "counts of what one run can do")]
        let count = |count: usize| count as f64;
        self.measure(&[
            ("PurgedBatches", "Count", count(purged.batches)),
            ("PurgedDigitalCards", "Count", count(purged.cards)),
            ("PurgesDeferred", "Count", count(purged.deferred)),
            ("PurgedUndelivered", "Count", count(purged.undelivered)),
            ("PurgesIncomplete", "Count", flag(purged.is_cut_short)),
        ]);
    }

    /// Counts a browser's report that the page's policy was violated. Both words are from closed lists.
    pub fn policy_violation(&self, directive: &'static str, blocked: &'static str) {
        let dimensions = [("Directive", directive), ("Blocked", blocked)];
        self.count(&dimensions, "PolicyViolations", 1.0);
    }

    /// Reports the remaining lifetime of the client certificate for Mastercard. Below 30 days it has to be renewed.
    pub fn certificate_expiry(&self, left: Duration) {
        let days = left.as_secs_f64() / 86_400.0;
        self.measure(&[("ClientCertificateDaysLeft", "None", days)]);
    }

    /// Counts a read of a card key that the deployment does not allow.
    pub fn card_key_refused(&self) {
        self.count(&[], "CardKeyRefused", 1.0);
    }

    fn count(&self, dimensions: &[(&'static str, &str)], name: &'static str, value: f64) {
        self.write(&[Group {
            sets: &[dimensions],
            metrics: &[(name, "Count", value)],
        }]);
    }

    /// Writes metrics of the stack as a whole.
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
    fn line_has_the_embedded_metric_format() {
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
