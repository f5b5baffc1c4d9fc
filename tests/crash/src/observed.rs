//! What was seen of outcomes while a run went on: by any read, any write that took, any answer to the page.

use std::sync::{Mutex, PoisonError};

use enrollment::ending::Ending;
use enrollment::identifiers::{ConfirmationId, IntentId};
use enrollment::intent::Intent;
use enrollment::ports::Claim;
use jiff::Timestamp;

/// Everything in the order in which it was seen.
#[derive(Default)]
pub(crate) struct Observed(Mutex<Seen>);

#[derive(Default, Clone)]
pub(crate) struct Seen {
    /// Intents with an outcome, as they were read or stored.
    pub(crate) outcomes: Vec<(IntentId, Ending)>,
    /// What the page was told of the submission under one key.
    pub(crate) answers: Vec<(IntentId, Ending)>,
    /// What the page was told when it was opened.
    pub(crate) descriptions: Vec<Ending>,
    /// Claims that nothing was told of yet, each with the end of its time.
    claims: Vec<(ConfirmationId, u32, Timestamp)>,
    /// What must not be, as it happened.
    pub(crate) wrong: Vec<String>,
}

impl Observed {
    pub(crate) fn intent(&self, intent: &Intent) {
        if let Some(ending) = intent.ending() {
            self.change(|seen| seen.outcomes.push((intent.id, ending)));
        }
    }

    pub(crate) fn answer(&self, intent: IntentId, ending: &Ending) {
        self.change(|seen| seen.answers.push((intent, ending.clone())));
    }

    pub(crate) fn description(&self, ending: &Ending) {
        self.change(|seen| seen.descriptions.push(ending.clone()));
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
