//! What a run left behind.

use std::collections::BTreeMap;

use engine::Item;
use enrollment::ending::Ending;
use enrollment::identifiers::{IntentId, SessionId};
use enrollment::intent::{Card, Intent};
use enrollment::ports::{Customers as _, Intents as _};
use jiff::Timestamp;

use crate::client;
use crate::scenario::Scenario;
use crate::stage::{Stage, start};

/// What is stored, and what was decided.
pub(super) struct Evidence<'a> {
    pub(super) scenario: &'a Scenario,
    /// Every intent that got its outcome, as it was then, in the order in which they were begun.
    pub(super) decided: Vec<Intent>,
    pub(super) stored: Vec<Intent>,
    /// Items of intents, by their names.
    pub(super) intents: BTreeMap<String, Item>,
    pub(super) cards: Vec<Card>,
    /// Items of cards, by their names.
    pub(super) card_items: BTreeMap<String, Item>,
    pub(super) customer: Option<Item>,
    /// By their names.
    pub(super) sessions: BTreeMap<String, Item>,
    pub(super) confirmations: Vec<Item>,
    /// Counters under the customer's key.
    pub(super) limits: usize,
    /// What still wants something done; what is parked, or waits for the purge, does not.
    pub(super) on_agenda: Vec<String>,
}

impl<'a> Evidence<'a> {
    pub(super) async fn of(stage: &Stage<'_>, scenario: &'a Scenario) -> Self {
        let tables = &stage.world.tables;
        let (id, program, customer) = (
            client::id(),
            client::program(scenario.program),
            client::customer(),
        );
        let read = stage.reader.customer(&id, &program, &customer).await;
        let mut evidence = Self {
            scenario,
            decided: stage.before.clone(),
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
        evidence.decided.extend(stage.observed.seen().finished);
        evidence.decided.sort_by_key(|intent| intent.created_at);
        for item in stage.world.scan(&tables.enrollments).await {
            evidence.note_agenda(&item);
            let (pk, sk) = (text(&item, "pk").to_owned(), text(&item, "sk").to_owned());
            if let Some(hex) = pk.strip_prefix("intent#") {
                let id = IntentId::from_hex(hex).expect("a name");
                let read = stage.reader.intent(id).await;
                evidence.stored.extend(read.expect("it can be read"));
                evidence.intents.insert(hex.to_owned(), item);
            } else if sk == "customer" {
                evidence.customer = Some(item);
            } else if let Some(hex) = sk.strip_prefix("card#") {
                evidence.card_items.insert(hex.to_owned(), item);
            }
        }
        for item in stage.world.scan(&tables.sessions).await {
            let name = text(&item, "pk").strip_prefix("session#").map(str::to_owned);
            evidence.sessions.extend(name.map(|name| (name, item)));
        }
        for item in stage.world.scan(&tables.confirmations).await {
            evidence.note_agenda(&item);
            if text(&item, "pk").starts_with("confirmation#") {
                evidence.confirmations.push(item);
            }
        }
        let limits = stage.world.scan(&tables.limits).await;
        let of_customer = limits
            .iter()
            .filter(|item| text(item, "pk").starts_with("customer#"));
        evidence.limits = of_customer.count();
        evidence
    }

    fn note_agenda(&mut self, item: &Item) {
        let agenda = item.get("agenda").and_then(|agenda| agenda.as_s().ok());
        if agenda.is_some_and(|agenda| !agenda.starts_with("parked#") && !agenda.starts_with("cancelled#")) {
            self.on_agenda.push(text(item, "pk").to_owned());
        }
    }

    /// All that was decided, before the run and in it.
    pub(super) fn decided_endings(&self) -> impl Iterator<Item = (&Intent, Ending)> {
        self.decided
            .iter()
            .filter_map(|intent| Some((intent, intent.ending()?)))
    }

    /// What was decided in the run.
    pub(super) fn ended(&self) -> impl Iterator<Item = (&Intent, Ending)> {
        self.decided_endings()
            .filter(|(intent, _)| intent.created_at >= start())
    }

    /// Whether an intent of a session is stored.
    pub(super) fn has_intents_of(&self, session: SessionId) -> bool {
        self.stored.iter().any(|intent| intent.session == session)
    }
}

/// A time of an item.
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
