//! The metrics as the product's own code writes them: in `CloudWatch`'s format, listed in `docs/metrics.md`, and all that an
//! alarm reads among them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alarms::alarm::{self, Alarm, OWN, Read};
use alarms::emitted::{self, Datum};
use enrollment::delivery::Parked;
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
use jiff::Timestamp;
use mastercard::gateway::{GatewayError, GatewayReason};
use mastercard::issuer_enrollment::IssuerEnrollmentError;
use mastercard::mrs::MrsError;
use mastercard::{ForeignCode, ForeignText, NotSent};
use platform::SystemClock;
use platform::metrics::{MastercardCall, Metrics};

const STACK: &str = "cards";
const DOCUMENT: &str = include_str!("../../../../docs/metrics.md");

/// Outcomes of calls that were never made or cut off: words of `platform::connection::CallError`. A test of
/// `platform::rewards` shows the metric of one that was not ready.
const NOT_ASKED: [&str; 3] = ["unready", "no_time", "cut"];
const REASONS: [Reason; 7] = [
    Reason::Limit,
    Reason::Suspended,
    Reason::Used,
    Reason::CardLimit,
    Reason::NoCard,
    Reason::CardGone,
    Reason::LastTry,
];
const PARKED: [Parked; 5] = [
    Parked::Exhausted,
    Parked::Gone,
    Parked::NotRegistered,
    Parked::TooOld,
    Parked::Unreadable,
];

/// Metrics that `write` writes, as `CloudWatch` takes them out of the lines.
fn written(write: impl FnOnce(&Metrics)) -> Vec<Datum> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&lines);
    let sink = move |line: &str| into.lock().unwrap().push(line.to_owned());
    write(&Metrics::into_sink(STACK, Arc::new(SystemClock), sink));
    let lines = lines.lock().unwrap();
    assert!(!lines.is_empty());
    lines
        .iter()
        .flat_map(|line| emitted::metrics(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// Everything that can be written, with each word that an alarm reads.
fn everything() -> Vec<Datum> {
    written(|metrics| {
        for status in [None, Some(Status::AccessDenied), Some(Status::ErrorEnrollment)] {
            metrics.widget_opening(status);
        }
        metrics.refusal(None);
        for reason in REASONS {
            metrics.refusal(Some(reason));
        }
        metrics.outcome(Status::SuccessEnrollment, None);
        metrics.outcome(Status::ErrorRemoval, Some(MrsCode::SERVER_ERROR));
        for operation in ["enroll", "getCustomerAccounts", "updateCustomerAccount"] {
            mrs_calls(metrics, operation);
        }
        issuer_calls(metrics);
        metrics.batch_call("send_batch", "ok");
        metrics.batch_call("read_card", "fault");
        for report in [SubmitReport::Submitted, SubmitReport::Postponed] {
            metrics.batch_submission(report);
        }
        for report in [PollReport::Postponed, PollReport::Ended { foreign_ids: 1 }] {
            metrics.batch_poll(report);
        }
        metrics.batch_failure(&StoreError::unreadable("reading a batch", "a changed value"));
        metrics.card_deletion(DeletionReport::Deleted);
        metrics.batch_sweep(&BatchSweepReport::default());
        metrics.batch_purge(&BatchPurgeReport::default());
        let later = Timestamp::now();
        for confirmed in [
            DeliveryReport::Delivered,
            DeliveryReport::Retry(later),
            DeliveryReport::Waiting(later),
            DeliveryReport::NotDue,
            DeliveryReport::ClaimLost,
        ] {
            metrics.confirmation(confirmed);
        }
        for reason in PARKED {
            metrics.confirmation(DeliveryReport::Parked(reason));
        }
        metrics.wake(&WakeReport::default());
        metrics.sweep(&SweepReport::default());
        metrics.purge(&PurgeReport::default());
        metrics.policy_violation("script-src", "inline");
        metrics.card_key_refused();
        metrics.certificate_expiry(Duration::from_hours(24 * 31));
    })
}

fn issuer_calls(metrics: &Metrics) {
    for operation in ["submitBatch", "batchStatus", "deleteCard"] {
        let call = |outcome, is_fault| MastercardCall {
            operation,
            outcome,
            is_fault,
            took: Duration::from_millis(120),
        };
        for outcome in ["ok", "refused", "throttled"] {
            metrics.issuer_call(call(outcome, false));
        }
        let refused = [
            GatewayReason::InvalidClientCert,
            GatewayReason::AuthenticationFailed,
            GatewayReason::InvalidBodyHash,
            GatewayReason::Other(ForeignCode::default()),
        ];
        let errors = refused.map(|reason| IssuerEnrollmentError::NotSent(NotSent::Gateway(refusal(reason))));
        let classes = errors.iter().map(IssuerEnrollmentError::class);
        for outcome in classes.chain(["unknown", "not_sent"]).chain(NOT_ASKED) {
            metrics.issuer_call(call(outcome, true));
        }
    }
}

fn mrs_calls(metrics: &Metrics, operation: &'static str) {
    let call = |outcome, is_fault| MastercardCall {
        operation,
        outcome,
        is_fault,
        took: Duration::from_millis(120),
    };
    metrics.mrs_call(call("ok", false));
    metrics.mrs_call(call("fault", false));
    let refused = [
        GatewayReason::InvalidClientCert,
        GatewayReason::AuthenticationFailed,
        GatewayReason::InvalidBodyHash,
        GatewayReason::Other(ForeignCode::default()),
    ];
    let errors = refused.map(|reason| MrsError::from(NotSent::Gateway(refusal(reason))));
    let classes = errors.iter().map(MrsError::class);
    for outcome in classes.chain(["fault", "unknown", "not_sent"]).chain(NOT_ASKED) {
        metrics.mrs_call(call(outcome, true));
    }
}

fn refusal(reason: GatewayReason) -> GatewayError {
    GatewayError {
        origin: ForeignCode::default(),
        reason,
        text: ForeignText::default(),
        recoverable: false,
    }
}

/// Name, unit and names of the dimensions beside `Stack`.
type Row = (String, String, BTreeSet<String>);

fn row(datum: &Datum) -> Row {
    let mut dimensions: BTreeSet<String> = datum.dimensions.keys().cloned().collect();
    assert!(dimensions.remove("Stack"), "{datum:?}");
    (datum.name.clone(), datum.unit.clone(), dimensions)
}

/// The rows of the document's table, with the alarms that each names.
fn documented() -> BTreeMap<Row, BTreeSet<String>> {
    let words = |cell: &str| -> BTreeSet<String> {
        let words = cell
            .split(',')
            .map(|word| word.trim().trim_matches('`').to_owned());
        words.filter(|word| !word.is_empty()).collect()
    };
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", name, unit, dimensions, _written, alarms, ""] = &cells[..] else {
            panic!("{line}");
        };
        let name = name.trim_matches('`').to_owned();
        ((name, (*unit).to_owned(), words(dimensions)), words(alarms))
    };
    let lines = DOCUMENT.lines().filter(|line| line.starts_with("| `"));
    lines.map(row).collect()
}

fn own_reads() -> Vec<(String, Read)> {
    let reads = |alarm: Alarm| {
        let own = alarm
            .reads()
            .into_iter()
            .filter(|(_, read)| read.namespace == OWN);
        own.map(move |(_, read)| (alarm.name.clone(), read))
            .collect::<Vec<_>>()
    };
    alarm::all().into_iter().flat_map(reads).collect()
}

#[test]
fn every_alarm_metric_is_written() {
    let written = everything();
    for (alarm, read) in own_reads() {
        let mut dimensions = read.dimensions.clone();
        let stack = dimensions.insert("Stack".to_owned(), STACK.to_owned());
        assert_eq!(stack.as_deref(), Some("${Stack}"), "{alarm}");
        let is_written = written.iter().any(|datum| {
            datum.namespace == read.namespace && datum.name == read.name && datum.dimensions == dimensions
        });
        assert!(is_written, "{alarm} reads what nothing writes: {read:?}");
    }
}

#[test]
fn document_lists_every_metric() {
    let written: BTreeSet<Row> = everything().iter().map(row).collect();
    let documented: BTreeSet<Row> = documented().into_keys().collect();
    assert_eq!(documented, written);
}

#[test]
fn document_lists_the_alarms_of_each_metric() {
    let mut read: BTreeMap<(String, BTreeSet<String>), BTreeSet<String>> = BTreeMap::new();
    for (alarm, metric) in own_reads() {
        let mut dimensions: BTreeSet<String> = metric.dimensions.into_keys().collect();
        dimensions.remove("Stack");
        read.entry((metric.name, dimensions)).or_default().insert(alarm);
    }
    for ((name, _, dimensions), alarms) in documented() {
        let reading = read.remove(&(name.clone(), dimensions)).unwrap_or_default();
        assert_eq!(alarms, reading, "{name}");
    }
    assert_eq!(read, BTreeMap::new(), "not in the document");
}

/// A metric that an alarm divides by its number of samples must be written each time.
#[test]
fn case_without_fault_is_a_sample() {
    let value = |name: &str, data: &[Datum]| {
        let of_stack = |datum: &&Datum| datum.name == name && datum.dimensions.len() == 1;
        let found: Vec<String> = data
            .iter()
            .filter(of_stack)
            .map(|datum| datum.value.to_string())
            .collect();
        found.join(" and ")
    };
    for (status, fault) in [
        (None, "0"),
        (Some(Status::TokenExpired), "0"),
        (Some(Status::AccessDenied), "0"),
        (Some(Status::ErrorEnrollment), "1"),
    ] {
        let data = written(|metrics| metrics.widget_opening(status));
        assert_eq!(value("OpeningFaults", &data), fault, "{status:?}");
    }
    for (code, fault) in [
        (None, "0"),
        (Some(MrsCode(-45)), "0"),
        (Some(MrsCode(-1001)), "1"),
    ] {
        let data = written(|metrics| metrics.outcome(Status::ErrorEnrollment, code));
        assert_eq!(value("OutcomeFaults", &data), fault, "{code:?}");
    }
    for (is_fault, fault) in [(false, "0"), (true, "1")] {
        let call = MastercardCall {
            operation: "enroll",
            outcome: "fault",
            is_fault,
            took: Duration::ZERO,
        };
        let data = written(|metrics| metrics.mrs_call(call));
        assert_eq!(value("MrsFaults", &data), fault);
    }
}
