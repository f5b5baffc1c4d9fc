//! Invariants: page, tables, MRS and confirmations agree.

mod cards;
mod final_state;
mod page;
mod purge;

use std::collections::{BTreeMap, BTreeSet};

use engine::Item;
use enrollment::action::ActionCode;
use enrollment::ending::Ending;
use enrollment::identifiers::SessionId;
use enrollment::intent::{ANSWER_DEADLINE, Intent};
use enrollment::status::{MrsCode, Status};

use crate::fixture::Fixture;
use crate::observations::{Seen, ShownEnding};
use crate::receiver::Received;
use crate::scenario::Scenario;
use crate::schedule::Fault;

use final_state::FinalState;
pub(crate) use final_state::time;
use final_state::{number, text};
pub(crate) use page::of_page;

/// Violated invariants of a finished run.
pub(crate) async fn of(fixture: &Fixture<'_>, scenario: &Scenario, faults: &[Fault]) -> Vec<String> {
    let final_state = FinalState::of(fixture, scenario).await;
    let mut wrong = final_state.outcomes(&fixture.observations.seen());
    wrong.extend(final_state.cards(fixture));
    for visit in &fixture.visits {
        wrong.extend(final_state.session(visit.session.id));
    }
    wrong.extend(final_state.confirmations(&fixture.receiver.received()));
    wrong.extend(final_state.purge(fixture));
    let left = final_state.on_agenda.iter();
    wrong.extend(left.map(|left| format!("left on the agenda: {left}")));
    let ends: Vec<_> = final_state.ended().map(|(_, ending)| ending.status).collect();
    if faults.is_empty() && ends != scenario.ends {
        wrong.push(format!("undisturbed, it ended in {ends:?}"));
    }
    wrong
}

impl FinalState<'_> {
    /// Checks that each intent has one outcome, and that the page got that one.
    fn outcomes(&self, seen: &Seen) -> Vec<String> {
        let mut wrong = Vec::new();
        let decided: BTreeMap<_, _> = self
            .decided
            .iter()
            .map(|intent| (intent.id.to_hex(), intent))
            .collect();
        let outcome = |id: &str| decided.get(id).and_then(|intent| intent.ending());
        if decided.len() < self.decided.len() {
            wrong.push("an outcome was stored twice".to_owned());
        }
        for intent in &self.stored {
            match intent.ending() {
                None => wrong.push("an intent has no outcome".to_owned()),
                stored if stored != outcome(&intent.id.to_hex()) => {
                    wrong.push(format!(
                        "stored: {stored:?}, when it was decided: {:?}",
                        intent.outcome()
                    ));
                }
                Some(_) => {}
            }
        }
        if !self.scenario.is_purged && self.stored.len() != decided.len() {
            let stored = self.stored.len();
            wrong.push(format!(
                "{stored} intents are stored, {} were decided",
                decided.len()
            ));
        }
        for (id, ending) in &seen.outcomes {
            let outcome = outcome(&id.to_hex());
            if outcome.as_ref() != Some(ending) {
                wrong.push(format!("seen: {ending:?}; stored: {outcome:?}"));
            }
        }
        for (id, shown) in &seen.answers {
            let agrees = match decided.get(&id.to_hex()) {
                Some(intent) => may_be_shown(intent, shown),
                None => is_refused(shown),
            };
            if !agrees {
                wrong.push(format!(
                    "{shown:?} was answered; decided: {:?}",
                    outcome(&id.to_hex())
                ));
            }
        }
        for (session, shown) in &seen.descriptions {
            let mut intents = self.decided.iter().filter(|intent| intent.session == *session);
            if !(intents.any(|intent| may_be_shown(intent, shown)) || is_refused(shown)) {
                wrong.push(format!("{shown:?} was shown, and no outcome says so"));
            }
        }
        wrong
    }

    /// Checks that a session's attempts are closed and its failures counted.
    fn session(&self, id: SessionId) -> Vec<String> {
        let Some(session) = self.sessions.get(&id.to_hex()) else {
            let is_purged = self.scenario.is_purged && !self.has_intents_of(id);
            let gone = format!("the session {} is gone", id.to_hex());
            return (!is_purged).then_some(gone).into_iter().collect();
        };
        let endings = self.ended().filter(|(intent, _)| intent.session == id);
        let (successes, failures): (Vec<_>, Vec<_>) =
            endings.partition(|(_, ending)| ending.status.is_success());
        let is_finished = session["finished"].as_bool() == Ok(&true);
        let is_right = !session.contains_key("open_attempt")
            && is_finished != successes.is_empty()
            && usize::try_from(number(session, "failures")) == Ok(failures.len());
        if is_right {
            return Vec::new();
        }
        vec![format!(
            "{} successes, {} failures, and the session is {session:?}",
            successes.len(),
            failures.len()
        )]
    }

    /// Checks that each outcome has one confirmation, which says the same and reached its receiver.
    fn confirmations(&self, received: &[Received]) -> Vec<String> {
        let mut wrong = Vec::new();
        let confirmed = |(intent, ending): (&Intent, Ending)| {
            let confirmation = intent.confirmation()?;
            Some((confirmation.id.as_str().to_owned(), ending.to_json()))
        };
        let due: BTreeMap<String, String> = self.ended().filter_map(confirmed).collect();
        if self.scenario.is_confirmed && due.len() != self.ended().count() {
            wrong.push("an outcome has no confirmation of its own".to_owned());
        }
        let stored: BTreeMap<&str, &Item> = self
            .confirmations
            .iter()
            .map(|stored| (text(stored, "pk").trim_start_matches("confirmation#"), stored))
            .collect();
        // The purge deletes them with their records.
        let lost = due.keys().filter(|id| !stored.contains_key(id.as_str())).count();
        let unfounded = stored.keys().filter(|id| !due.contains_key(**id)).count();
        if unfounded > 0 || lost > 0 && !self.scenario.is_purged {
            wrong.push(format!(
                "confirmations stored: {:?}; the outcomes give {due:?}",
                stored.keys()
            ));
        }
        let mut by_id = BTreeMap::<&str, Vec<&Received>>::new();
        for post in received {
            by_id.entry(&post.id).or_default().push(post);
        }
        for (id, posts) in &by_id {
            if posts.iter().any(|post| due.get(*id) != Some(&post.body)) {
                wrong.push(format!(
                    "{id} was posted with another body than {:?}",
                    due.get(*id)
                ));
            }
        }
        for id in due.keys() {
            let posts = by_id.get(id.as_str());
            let was_taken = posts.is_some_and(|posts| posts.iter().any(|post| post.was_taken));
            let ended = stored.get(id.as_str()).map(|stored| match text(stored, "state") {
                "parked" => text(stored, "reason"),
                other => other,
            });
            let (expected, taken) = match self.scenario.parks {
                Some(parked) => (parked.as_str(), false),
                None => ("delivered", true),
            };
            if posts.is_none() || ended.is_some_and(|ended| ended != expected) || was_taken != taken {
                wrong.push(format!("{id} is {ended:?}, taken by its receiver: {was_taken}"));
            }
        }
        wrong
    }

    /// Numbers and RANACs of the cards that are active by the outcomes.
    fn active_by_outcomes(&self) -> BTreeSet<(String, String)> {
        let successes = || {
            self.decided_endings()
                .filter(|(_, ending)| ending.status.is_success())
        };
        let gone: BTreeSet<String> = successes()
            .filter_map(|(intent, _)| Some(intent.old_card.as_ref()?.id.to_hex()))
            .collect();
        successes()
            .filter(|(intent, _)| intent.action != ActionCode::OptOut && !gone.contains(&intent.id.to_hex()))
            .map(|(intent, ending)| {
                let ranac = ending.ranac.map(|ranac| ranac.expose().to_owned());
                (
                    intent.bank_customer_number.expose().to_owned(),
                    ranac.unwrap_or_default(),
                )
            })
            .collect()
    }
}

/// Whether a page may have got an ending: the outcome, or for an opt-out that was still open after a minute, the error.
fn may_be_shown(intent: &Intent, shown: &ShownEnding) -> bool {
    let outcome = intent.ending();
    let is_interim = intent.action == ActionCode::OptOut
        && (shown.ending.status, shown.ending.code) == (Status::ErrorRemoval, Some(MrsCode::SERVER_ERROR))
        && shown.attempts_left == 0
        && shown.at >= intent.created_at + ANSWER_DEADLINE
        && intent
            .outcome()
            .is_some_and(|outcome| outcome.at >= shown.asked_at);
    outcome.as_ref() == Some(&shown.ending) || is_interim
}

/// Whether a page was refused for want of a card, before MRS was asked.
fn is_refused(shown: &ShownEnding) -> bool {
    matches!(
        shown.ending.status,
        Status::ErrorReplacement | Status::ErrorRemoval
    ) && shown.ending.code.is_none()
        && shown.ending.ranac.is_none()
}
