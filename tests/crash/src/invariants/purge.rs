//! Invariants of a purge: the customer's last card takes all records along, another card its own alone.

use enrollment::intent::CardState;

use super::final_state::FinalState;
use crate::fixture::{Fixture, start};

impl FinalState<'_> {
    pub(super) fn purge(&self, fixture: &Fixture<'_>) -> Vec<String> {
        if !self.scenario.is_purged {
            return Vec::new();
        }
        let mut wrong = Vec::new();
        let active = self.cards.iter().filter(|card| card.state == CardState::Active);
        for card in active {
            if !self.intents.contains_key(&card.id.to_hex()) {
                wrong.push("a card has lost the intent that enrolled it".to_owned());
            }
        }
        // A session that was opened after the purge belongs to a new customer.
        let newcomers: Vec<String> = fixture
            .visits
            .iter()
            .zip(self.scenario.tabs)
            .filter(|(_, tab)| tab.comes > jiff::SignedDuration::from_hours(24))
            .map(|(visit, _)| visit.session.id.to_hex())
            .collect();
        if self.cards.is_empty() {
            let mut left: Vec<String> = self.left(&newcomers);
            if newcomers.is_empty() {
                left.extend(self.customer.as_ref().map(|_| "the customer".to_owned()));
                left.extend((self.limits > 0).then(|| "a counter".to_owned()));
            }
            if !left.is_empty() {
                wrong.push(format!("the last card is gone, and there is still {left:?}"));
            }
        }
        wrong
    }

    /// Records that the purge left.
    fn left(&self, newcomers: &[String]) -> Vec<String> {
        let is_old = |session: &str| !newcomers.iter().any(|newcomer| newcomer == session);
        let sessions = self.sessions.keys().filter(|session| is_old(session));
        let mut left: Vec<String> = sessions.map(|session| format!("session {session}")).collect();
        let intents = self
            .stored
            .iter()
            .filter(|intent| intent.created_at < start() || is_old(&intent.session.to_hex()));
        left.extend(intents.map(|intent| format!("intent {}", intent.id.to_hex())));
        let of_new: Vec<String> = self
            .stored
            .iter()
            .filter(|intent| !is_old(&intent.session.to_hex()))
            .filter_map(|intent| Some(format!("confirmation#{}", intent.confirmation()?.id.as_str())))
            .collect();
        let confirmations = self
            .confirmations
            .iter()
            .map(|item| super::text(item, "pk").to_owned());
        left.extend(confirmations.filter(|name| !of_new.contains(name)));
        left
    }
}
