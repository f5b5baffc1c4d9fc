//! What was seen of outcomes while a run went on: by any read, any write that took, any answer to the page.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use enrollment::confirmation::ConfirmationId;
use enrollment::ending::Ending;
use enrollment::flows::submit::SubmitResponse;
use enrollment::identifiers::{IntentId, SessionId};
use enrollment::intent::Intent;
use enrollment::ports::Claim;
use jiff::Timestamp;

use crate::client;
use crate::injection::Role;

/// Everything in the order in which it was seen.
#[derive(Default)]
pub(crate) struct Observations(Mutex<Seen>);

#[derive(Default, Clone)]
pub(crate) struct Seen {
    /// Intents with an outcome, as they were read or stored.
    pub(crate) outcomes: Vec<(IntentId, Ending)>,
    /// Intents as they were when their outcome was stored.
    pub(crate) finished: Vec<Intent>,
    /// What the page was told of the submission under one key.
    pub(crate) answers: Vec<(IntentId, Told)>,
    /// What the page of a session was told when it was opened.
    pub(crate) descriptions: Vec<(SessionId, Told)>,
    /// Claims that nothing was told of yet, each with the end of its time.
    claims: Vec<(ConfirmationId, u32, Timestamp)>,
    /// By number, the processes that asked MRS about it, in turn.
    askers: BTreeMap<String, Vec<(usize, Role)>>,
    /// What must not be, as it happened.
    pub(crate) wrong: Vec<String>,
}

/// An end that a page was told.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// What it shows.
    pub(crate) ending: Ending,
    pub(crate) attempts_left: u32,
    /// When the page asked.
    pub(crate) asked_at: Timestamp,
    /// When it was told.
    pub(crate) at: Timestamp,
}

impl Told {
    /// `None`: the answer was no end.
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

    pub(crate) fn intent(&self, intent: &Intent) {
        if let Some(ending) = intent.ending() {
            self.change(|seen| seen.outcomes.push((intent.id, ending)));
        }
    }

    pub(crate) fn answer(&self, intent: IntentId, told: Told) {
        self.change(|seen| seen.answers.push((intent, told)));
    }

    pub(crate) fn description(&self, session: SessionId, told: Told) {
        self.change(|seen| seen.descriptions.push((session, told)));
    }

    /// Whoever asks about a card is done with it before another one does. Under a customer's id there are other intents.
    pub(crate) fn asks(&self, number: &str, process: (usize, Role)) {
        if number == client::customer().expose() {
            return;
        }
        self.change(|seen| {
            let askers = seen.askers.entry(number.to_owned()).or_default();
            if askers.last() == Some(&process) {
                return;
            }
            if askers.contains(&process) {
                seen.wrong
                    .push("two asked MRS about one card at the same time".to_owned());
            }
            askers.push(process);
        });
    }

    /// Of two who have a confirmation at the same time, one has no right to it.
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

    /// Whoever told what became of it has it no longer.
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
