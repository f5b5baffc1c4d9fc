//! State at the end of a run.

use std::collections::BTreeMap;

use engine::Item;
use enrollment::ending::Ending;
use enrollment::identifiers::{IntentId, SessionId};
use enrollment::intent::{Card, Intent};
use enrollment::ports::{Customers as _, Intents as _};
use jiff::Timestamp;

use crate::client;
use crate::fixture::{Fixture, start};
use crate::scenario::Scenario;

/// Stored items and concluded intents.
pub(super) struct FinalState<'a> {
    pub(super) scenario: &'a Scenario,
    /// Intents as they were concluded, oldest first.
    pub(super) decided: Vec<Intent>,
    pub(super) stored: Vec<Intent>,
    /// Items of intents by id.
    pub(super) intents: BTreeMap<String, Item>,
    pub(super) cards: Vec<Card>,
    /// Items of cards by id.
    pub(super) card_items: BTreeMap<String, Item>,
    pub(super) customer: Option<Item>,
    /// Items of sessions by id.
    pub(super) sessions: BTreeMap<String, Item>,
    pub(super) confirmations: Vec<Item>,
    /// Number of the customer's counters.
    pub(super) limits: usize,
    /// Keys of items with work left, parked confirmations and cards for the purge excepted.
    pub(super) on_agenda: Vec<String>,
}

impl<'a> FinalState<'a> {
    pub(super) async fn of(fixture: &Fixture<'_>, scenario: &'a Scenario) -> Self {
        let tables = &fixture.world.tables;
        let (id, program, customer) = (
            client::id(),
            client::program(scenario.program),
            client::customer(),
        );
        let read = fixture.reader.customer(&id, &program, &customer).await;
        let mut final_state = Self {
            scenario,
            decided: fixture.before.clone(),
            stored: Vec::new(),
            intents: BTreeMap::new(),
            cards: read.expect("it can be read").cards,
            card_items: BTreeMap::new(),
            customer: None,
            sessions: BTreeMap::new(),
            confirmations: Vec::new(),
            limits: 0,
            on_agenda: Vec::new(),
        };
        final_state.decided.extend(fixture.observations.seen().finished);
        final_state.decided.sort_by_key(|intent| intent.created_at);
        for item in fixture.world.scan(&tables.enrollments).await {
            final_state.note_agenda(&item);
            let (pk, sk) = (text(&item, "pk").to_owned(), text(&item, "sk").to_owned());
            if let Some(hex) = pk.strip_prefix("intent#") {
                let id = IntentId::from_hex(hex).expect("a name");
                let read = fixture.reader.intent(id).await;
                final_state.stored.extend(read.expect("it can be read"));
                final_state.intents.insert(hex.to_owned(), item);
            } else if sk == "customer" {
                final_state.customer = Some(item);
            } else if let Some(hex) = sk.strip_prefix("card#") {
                final_state.card_items.insert(hex.to_owned(), item);
            }
        }
        for item in fixture.world.scan(&tables.sessions).await {
            let name = text(&item, "pk").strip_prefix("session#").map(str::to_owned);
            final_state.sessions.extend(name.map(|name| (name, item)));
        }
        for item in fixture.world.scan(&tables.confirmations).await {
            final_state.note_agenda(&item);
            if text(&item, "pk").starts_with("confirmation#") {
                final_state.confirmations.push(item);
            }
        }
        let limits = fixture.world.scan(&tables.limits).await;
        let of_customer = limits
            .iter()
            .filter(|item| text(item, "pk").starts_with("customer#"));
        final_state.limits = of_customer.count();
        final_state
    }

    fn note_agenda(&mut self, item: &Item) {
        let agenda = item.get("agenda").and_then(|agenda| agenda.as_s().ok());
        if agenda.is_some_and(|agenda| !agenda.starts_with("parked#") && !agenda.starts_with("cancelled#")) {
            self.on_agenda.push(text(item, "pk").to_owned());
        }
    }

    /// Concluded intents and their endings, those before the run included.
    pub(super) fn decided_endings(&self) -> impl Iterator<Item = (&Intent, Ending)> {
        self.decided
            .iter()
            .filter_map(|intent| Some((intent, intent.ending()?)))
    }

    /// Intents that were concluded in the run, and their endings.
    pub(super) fn ended(&self) -> impl Iterator<Item = (&Intent, Ending)> {
        self.decided_endings()
            .filter(|(intent, _)| intent.created_at >= start())
    }

    /// Whether an intent of a session is stored.
    pub(super) fn has_intents_of(&self, session: SessionId) -> bool {
        self.stored.iter().any(|intent| intent.session == session)
    }
}

/// Time attribute of an item.
pub(crate) fn time(item: &Item, attribute: &str) -> Timestamp {
    Timestamp::from_millisecond(number(item, attribute)).expect("a time")
}

pub(super) fn number(item: &Item, attribute: &str) -> i64 {
    let digits = item[attribute].as_n().expect("a number");
    digits.parse().expect("a number")
}

pub(super) fn text<'i>(item: &'i Item, attribute: &str) -> &'i str {
    item[attribute].as_s().expect("a text")
}
