//! Faults at Mastercard and at the partner: ordered from the sandbox, one for every twentieth session.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use flows::rewards::Faults;
use serde_json::{Value, json};

/// One of so many sessions is disturbed: 5 %.
const EVERY: usize = 20;

/// Orders faults as sessions start, and deletes the unserved orders on drop.
pub(crate) struct FaultProfile {
    started: AtomicUsize,
    offset: usize,
    ordered: Mutex<BTreeMap<String, usize>>,
    faults: Mutex<Vec<Faults>>,
    /// Whether one confirmation may meet several faults: then it is due again after minutes.
    may_repeat: bool,
}

impl FaultProfile {
    /// Profile for a run of so many sessions; `seed` chooses the first fault. Unless they `may_repeat`, a confirmation meets one
    /// fault at most, at its first attempt, and is due again after 5 s.
    pub(crate) fn new(sessions: usize, seed: u64, may_repeat: bool) -> Self {
        assert!(sessions >= EVERY, "too few sessions for any fault");
        Self {
            started: AtomicUsize::new(0),
            offset: usize::try_from(seed % 1000).expect("a small number"),
            ordered: Mutex::default(),
            faults: Mutex::default(),
            may_repeat,
        }
    }

    /// Counts a session. Every twentieth orders a fault for the next call of its operation.
    pub(crate) fn start_session(&self) {
        let number = self.started.fetch_add(1, Ordering::SeqCst);
        if !number.is_multiple_of(EVERY) {
            return;
        }
        let mut faults = faults();
        let place = (number / EVERY + self.offset) % faults.len();
        let mut fault = faults.swap_remove(place);
        if fault["operation"] == "confirmation" && !self.may_repeat {
            fault["firstAttempt"] = true.into();
        }
        self.faults.lock().unwrap().push(Faults::of_anyone(&fault));
        let name = ["operation", "fault", "shape"]
            .iter()
            .filter_map(|member| fault[member].as_str())
            .collect::<Vec<_>>()
            .join(" ");
        *self.ordered.lock().unwrap().entry(name).or_default() += 1;
    }

    pub(crate) fn summary(&self) -> String {
        format!("{:?}", self.ordered.lock().unwrap())
    }
}

/// MRS slow beyond its 8 s, cut, failing inside; a look-up that fails or is not understood; answers and refusals as other
/// SOAP stacks write them; a receiver that fails, or takes it and is not heard.
fn faults() -> Vec<Value> {
    vec![
        json!({"operation": "enroll", "fault": "slow-after", "delayMs": 10_000}),
        json!({"operation": "enroll", "fault": "cut-before"}),
        json!({"operation": "enroll", "fault": "code-before", "code": -1001}),
        json!({"operation": "confirmation", "fault": "http500-before"}),
        json!({"operation": "enroll", "fault": "cut-after"}),
        json!({"operation": "enroll", "fault": "slow-before", "delayMs": 12_000}),
        json!({"operation": "enroll", "fault": "code-after", "code": -1001}),
        json!({"operation": "getCustomerAccounts", "fault": "http500-before"}),
        json!({"operation": "enroll", "fault": "malformed-after"}),
        json!({"operation": "confirmation", "fault": "cut-after"}),
        json!({"operation": "enroll", "fault": "shaped", "shape": "soap-1.2"}),
        json!({"operation": "enroll", "fault": "shaped", "shape": "gzip"}),
        json!({"operation": "enroll", "fault": "shaped", "shape": "mtom"}),
        json!({"operation": "enroll", "fault": "shaped", "shape": "utf-16"}),
        json!({"operation": "enroll", "fault": "shaped", "shape": "no-close-notify"}),
        json!({"operation": "enroll", "fault": "shaped", "shape": "html"}),
        json!({"operation": "enroll", "fault": "code-before", "code": -45, "shape": "qualified-fault"}),
        json!({"operation": "enroll", "fault": "code-before", "code": -45, "shape": "bare-error", "quote": true}),
        json!({"operation": "enroll", "fault": "code-before", "code": -52, "shape": "no-code"}),
        json!({"operation": "getCustomerAccounts", "fault": "shaped", "shape": "unknown-element"}),
    ]
}
