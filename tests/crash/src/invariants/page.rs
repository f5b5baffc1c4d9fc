//! Invariants of a page that is opened again at the end: it shows the outcome.

use std::collections::BTreeSet;

use enrollment::action::ActionCode;
use enrollment::clock::Clock as _;
use enrollment::flows::describe::{Choice, Description};
use enrollment::flows::submit::{SubmitError, SubmitResponse};
use enrollment::intent::CardState;
use enrollment::session::MAX_FAILURES;

use super::final_state::FinalState;
use super::is_refused;
use crate::fixture::Fixture;
use crate::observations::ShownEnding;
use crate::scenario::Scenario;

/// Violated invariant of a page.
pub(crate) async fn of_page(
    fixture: &Fixture<'_>,
    scenario: &Scenario,
    tab: usize,
    shown: &Result<Description, SubmitError>,
) -> Option<String> {
    let final_state = FinalState::of(fixture, scenario).await;
    let session = &fixture.visits[tab].session;
    let of_session = || {
        final_state
            .ended()
            .filter(|(intent, _)| intent.session == session.id)
    };
    let success = of_session().find(|(_, ending)| ending.status.is_success());
    let failures = of_session().count() - usize::from(success.is_some());
    let now = fixture.clock.now();
    let agrees = match (shown, success) {
        (Ok(Description::Attempt(SubmitResponse::Ended { ending, .. })), Some((_, success))) => {
            *ending == success
        }
        (Ok(Description::Form(form)), None) => final_state.offers(session.action, &form.choice, failures),
        (Ok(Description::OptOut(choice)), None) => final_state.offers(session.action, choice, failures),
        // No card is left to replace or opt out.
        (Ok(Description::Attempt(refused)), None) => {
            session.action != ActionCode::Enroll
                && final_state.active().is_empty()
                && ShownEnding::of(refused, now, now).is_some_and(|shown| is_refused(&shown))
        }
        _ => false,
    };
    (!agrees).then(|| format!("after {failures} failures, opened again, the page shows {shown:?}"))
}

impl FinalState<'_> {
    /// Whether the page offers exactly the active cards.
    fn offers(&self, action: ActionCode, choice: &Choice, failures: usize) -> bool {
        let offered: BTreeSet<String> = choice.cards.iter().map(|card| card.id.to_hex()).collect();
        let expected = if action == ActionCode::Enroll {
            BTreeSet::new()
        } else {
            self.active()
        };
        choice.attempts_left as usize + failures == MAX_FAILURES as usize && offered == expected
    }

    fn active(&self) -> BTreeSet<String> {
        let active = self.cards.iter().filter(|card| card.state == CardState::Active);
        active.map(|card| card.id.to_hex()).collect()
    }
}
