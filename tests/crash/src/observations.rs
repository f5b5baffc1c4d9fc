//! Observations of a run: outcomes in reads, writes and answers to the page.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use enrollment::batch::Batch;
use enrollment::confirmation::ConfirmationId;
use enrollment::ending::Ending;
use enrollment::flows::submit::SubmitResponse;
use enrollment::identifiers::{IntentId, SessionId};
use enrollment::intent::Intent;
use enrollment::ports::Claim;
use jiff::Timestamp;

use crate::client;
use crate::injection::Role;

/// Observations in their order.
#[derive(Default)]
pub(crate) struct Observations(Mutex<Seen>);

#[derive(Default, Clone)]
pub(crate) struct Seen {
    /// Endings of intents, as they were read or stored.
    pub(crate) outcomes: Vec<(IntentId, Ending)>,
    /// Intents as they were concluded.
    pub(crate) finished: Vec<Intent>,
    /// Answers to submissions.
    pub(crate) answers: Vec<(IntentId, ShownEnding)>,
    /// Descriptions of sessions.
    pub(crate) descriptions: Vec<(SessionId, ShownEnding)>,
    /// Open claims of confirmations, with their ends.
    claims: Vec<(ConfirmationId, u32, Timestamp)>,
    /// Processes that asked MRS about a number, in their order.
    callers: BTreeMap<String, Vec<(usize, Role)>>,
    /// Batches as they ended, once for each time that an end was stored.
    pub(crate) ended_batches: Vec<Batch>,
    /// Violated invariants.
    pub(crate) wrong: Vec<String>,
}

/// Ending that a page got.
#[derive(Debug, Clone)]
pub(crate) struct ShownEnding {
    /// Ending on the page.
    pub(crate) ending: Ending,
    pub(crate) attempts_left: u32,
    /// Time of the request.
    pub(crate) asked_at: Timestamp,
    /// Time of the answer.
    pub(crate) at: Timestamp,
}

impl ShownEnding {
    /// The ending of an answer; `None` while the outcome is open.
    pub(crate) fn of(answer: &SubmitResponse, asked_at: Timestamp, at: Timestamp) -> Option<Self> {
        match answer {
            SubmitResponse::Ended {
                ending,
                attempts_left,
                ..
            } => Some(Self {
                ending: ending.clone(),
                attempts_left: *attempts_left,
                asked_at,
                at,
            }),
            SubmitResponse::Open => None,
        }
    }
}

impl Observations {
    pub(crate) fn finished(&self, intent: &Intent) {
        self.intent(intent);
        self.change(|seen| seen.finished.push(intent.clone()));
    }

    pub(crate) fn batch_ended(&self, batch: &Batch) {
        self.change(|seen| seen.ended_batches.push(batch.clone()));
    }

    pub(crate) fn intent(&self, intent: &Intent) {
        if let Some(ending) = intent.ending() {
            self.change(|seen| seen.outcomes.push((intent.id, ending)));
        }
    }

    pub(crate) fn answer(&self, intent: IntentId, shown: ShownEnding) {
        self.change(|seen| seen.answers.push((intent, shown)));
    }

    pub(crate) fn description(&self, session: SessionId, shown: ShownEnding) {
        self.change(|seen| seen.descriptions.push((session, shown)));
    }

    /// Checks that no two processes ask Mastercard about one card, or about one batch, at once. Under a customer's id there
    /// are several intents.
    pub(crate) fn asks(&self, number: &str, process: (usize, Role)) {
        if number == client::customer().expose() {
            return;
        }
        self.change(|seen| {
            let callers = seen.callers.entry(number.to_owned()).or_default();
            if callers.last() == Some(&process) {
                return;
            }
            if callers.contains(&process) {
                seen.wrong
                    .push("two asked Mastercard about one thing at the same time".to_owned());
            }
            callers.push(process);
        });
    }

    /// Checks that no two runs have a confirmation claimed at once.
    pub(crate) fn claim(&self, claim: &Claim, now: Timestamp) {
        let id = &claim.confirmation.id;
        self.change(|seen| {
            if seen
                .claims
                .iter()
                .any(|(held, _, until)| held == id && now < *until)
            {
                seen.wrong
                    .push(format!("{id} was claimed while another run had it"));
            }
            seen.claims.push((id.clone(), claim.attempt, claim.until));
        });
    }

    /// Closes a claim.
    pub(crate) fn give_up(&self, claim: &Claim) {
        let id = &claim.confirmation.id;
        self.change(|seen| {
            seen.claims
                .retain(|(held, attempt, _)| held != id || *attempt != claim.attempt);
        });
    }

    pub(crate) fn wrong(&self, what: String) {
        self.change(|seen| seen.wrong.push(what));
    }

    pub(crate) fn seen(&self) -> Seen {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
