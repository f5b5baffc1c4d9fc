//! Whether page, table, MRS and confirmations agree.

use std::collections::{BTreeMap, BTreeSet};

use engine::Item;
use enrollment::ending::Ending;
use enrollment::flows::describe::Description;
use enrollment::flows::submit::{NotSubmitted, Submitted};
use enrollment::identifiers::{IntentId, Ranac};
use enrollment::intent::Intent;
use enrollment::ports::Enrolments as _;
use enrollment::session::MAX_FAILURES;
use jiff::Timestamp;

use crate::observed::Seen;
use crate::plan::Fault;
use crate::receiver::Received;
use crate::scenario::Scenario;
use crate::stage::Stage;

/// What must not be, of a run that has its end.
pub(crate) async fn of(stage: &Stage<'_>, scenario: &Scenario, faults: &[Fault]) -> Vec<String> {
    let evidence = Evidence::of(stage).await;
    let mut wrong = evidence.outcomes(&stage.observed.seen());
    wrong.extend(evidence.mrs(stage));
    wrong.extend(evidence.customer_and_session());
    wrong.extend(evidence.confirmations(&stage.receiver.received(), scenario));
    wrong.extend(
        evidence
            .on_agenda
            .iter()
            .map(|left| format!("left on the agenda: {left}")),
    );
    let ends: Vec<_> = evidence.endings().map(|(_, ending)| ending.status).collect();
    if faults.is_empty() && ends != scenario.ends {
        wrong.push(format!("undisturbed, it ended in {ends:?}"));
    }
    wrong
}

/// Whether the page, opened again when all is decided, shows what was decided.
pub(crate) async fn of_page(stage: &Stage<'_>, shown: &Result<Description, NotSubmitted>) -> Option<String> {
    let evidence = Evidence::of(stage).await;
    let success = evidence.endings().find(|(_, ending)| ending.status.is_success());
    let failures = evidence.endings().count() - usize::from(success.is_some());
    let agrees = match (shown, success) {
        (Ok(Description::Attempt(Submitted::Ended { ending, .. })), Some((_, success))) => *ending == success,
        (Ok(Description::Form(form)), None) => {
            form.attempts_left as usize + failures == MAX_FAILURES as usize
        }
        _ => false,
    };
    let shown = match shown {
        Ok(Description::Attempt(attempt)) => format!("{attempt:?}"),
        Ok(Description::Form(form)) => format!("the form with {} attempts left", form.attempts_left),
        Err(error) => error.to_string(),
    };
    (!agrees).then(|| format!("after {failures} failures, opened again, the page shows {shown}"))
}

/// A time of an item.
pub(crate) fn time(item: &Item, attribute: &str) -> Timestamp {
    Timestamp::from_millisecond(number(item, attribute)).expect("a time")
}

fn number(item: &Item, attribute: &str) -> i64 {
    let digits = item[attribute].as_n().expect("a number");
    digits.parse().expect("a number")
}

fn text<'a>(item: &'a Item, attribute: &str) -> &'a str {
    item[attribute].as_s().expect("a text")
}

/// What is stored.
struct Evidence {
    /// In the order in which they were begun.
    intents: Vec<Intent>,
    cards: usize,
    customer: Option<Item>,
    session: Item,
    confirmations: Vec<Item>,
    /// What still wants something done; what is parked does not.
    on_agenda: Vec<String>,
}

impl Evidence {
    async fn of(stage: &Stage<'_>) -> Self {
        let tables = &stage.world.tables;
        let mut evidence = Self {
            intents: Vec::new(),
            cards: 0,
            customer: None,
            session: stage.world.item(&tables.sessions, "session#").await,
            confirmations: Vec::new(),
            on_agenda: Vec::new(),
        };
        for item in stage.world.scan(&tables.enrolments).await {
            evidence.note_agenda(&item);
            match (text(&item, "pk"), text(&item, "sk")) {
                (pk, "intent") => {
                    let id = pk
                        .strip_prefix("intent#")
                        .and_then(|hex| IntentId::from_hex(hex).ok());
                    let read = stage.reader.intent(id.expect("a name")).await;
                    evidence.intents.extend(read.expect("it can be read"));
                }
                (_, "customer") => evidence.customer = Some(item),
                _ => evidence.cards += 1,
            }
        }
        evidence.intents.sort_by_key(|intent| intent.created_at);
        for item in stage.world.scan(&tables.confirmations).await {
            evidence.note_agenda(&item);
            if text(&item, "pk").starts_with("confirmation#") {
                evidence.confirmations.push(item);
            }
        }
        evidence
    }

    fn note_agenda(&mut self, item: &Item) {
        let agenda = item.get("agenda").and_then(|agenda| agenda.as_s().ok());
        if agenda.is_some_and(|agenda| !agenda.starts_with("parked#")) {
            self.on_agenda.push(text(item, "pk").to_owned());
        }
    }

    fn endings(&self) -> impl Iterator<Item = (&Intent, Ending)> {
        self.intents
            .iter()
            .filter_map(|intent| Some((intent, intent.ending()?)))
    }

    /// Each intent has one outcome, which was never another, and which the page was told.
    fn outcomes(&self, seen: &Seen) -> Vec<String> {
        let mut wrong = Vec::new();
        let stored: BTreeMap<_, _> = self
            .endings()
            .map(|(intent, ending)| (intent.id.to_hex(), ending))
            .collect();
        if stored.len() < self.intents.len() {
            wrong.push("an intent has no outcome".to_owned());
        }
        let told = [("seen", &seen.outcomes), ("told to the page", &seen.answers)];
        for (how, endings) in told {
            for (id, ending) in endings {
                let outcome = stored.get(&id.to_hex());
                if outcome != Some(ending) {
                    wrong.push(format!("{how}: {ending:?}; stored: {outcome:?}"));
                }
            }
        }
        for shown in &seen.descriptions {
            if !stored.values().any(|ending| ending == shown) {
                wrong.push(format!("shown: {shown:?}; stored: {stored:?}"));
            }
        }
        wrong
    }

    /// MRS has an active card for each success, under the RANAC that was told, and none else.
    fn mrs(&self, stage: &Stage) -> Vec<String> {
        let mut wrong = Vec::new();
        let active: BTreeSet<_> = stage
            .mrs
            .accounts()
            .into_iter()
            .filter(|account| account.is_active)
            .map(|account| (account.number, account.ranac))
            .collect();
        let successes = self.endings().filter(|(_, ending)| ending.status.is_success());
        let told: BTreeSet<_> = successes
            .map(|(intent, ending)| {
                let ranac = ending.ranac.as_ref().map(Ranac::expose).unwrap_or_default();
                (intent.bank_customer_number.expose().to_owned(), ranac.to_owned())
            })
            .collect();
        if active != told {
            wrong.push(format!("MRS holds {active:?}, told was {told:?}"));
        }
        for (number, asked) in stage.mrs.asked() {
            let of_number = |intent: &&Intent| intent.bank_customer_number.expose() == number;
            let intents = self.intents.iter().filter(of_number).count();
            if asked > intents {
                wrong.push(format!(
                    "MRS was asked to enrol {asked} times for {intents} intents"
                ));
            }
        }
        wrong
    }

    fn customer_and_session(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let successes = self
            .endings()
            .filter(|(_, ending)| ending.status.is_success())
            .count();
        let failures = self.intents.len() - successes;
        let counts = self.customer.as_ref().map_or((0, 0), |customer| {
            (number(customer, "active"), number(customer, "pending"))
        });
        if counts != (i64::try_from(successes).expect("a few"), 0) || self.cards != successes {
            wrong.push(format!(
                "{successes} successes, {} cards, (active, pending) = {counts:?}",
                self.cards
            ));
        }
        let is_finished = self.session["finished"].as_bool() == Ok(&true);
        let failed = number(&self.session, "failures");
        if self.session.contains_key("open_attempt")
            || is_finished != (successes > 0)
            || failed != i64::try_from(failures).expect("a few")
        {
            wrong.push(format!(
                "{successes} successes, {failures} failures, and the session is {:?}",
                self.session
            ));
        }
        wrong
    }

    /// Each outcome has one confirmation, under one id, which says what the outcome says, and came to its receiver.
    fn confirmations(&self, received: &[Received], scenario: &Scenario) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut bodies: Vec<String> = Vec::new();
        if scenario.is_confirmed {
            bodies.extend(self.endings().map(|(_, ending)| ending.to_json()));
        }
        if self.confirmations.len() != bodies.len() {
            let (stored, due) = (self.confirmations.len(), bodies.len());
            wrong.push(format!("{stored} confirmations are stored for {due} outcomes"));
        }
        let ids: BTreeSet<_> = self
            .confirmations
            .iter()
            .map(|stored| text(stored, "pk").trim_start_matches("confirmation#").to_owned())
            .collect();
        let given: BTreeSet<_> = self
            .intents
            .iter()
            .filter_map(|intent| Some(intent.confirmation()?.id.as_str().to_owned()))
            .collect();
        if ids != given {
            wrong.push(format!("stored: {ids:?}; the outcomes give {given:?}"));
        }
        let mut by_id = BTreeMap::<&str, Vec<&Received>>::new();
        for post in received {
            by_id.entry(&post.id).or_default().push(post);
        }
        let mut told = Vec::new();
        for (id, posts) in &by_id {
            if posts.iter().any(|post| post.body != posts[0].body) {
                wrong.push(format!("{id} came with different bodies"));
            }
            told.push(posts[0].body.clone());
        }
        bodies.sort();
        told.sort();
        if bodies != told {
            wrong.push(format!("outcomes: {bodies:?}; received: {told:?}"));
        }
        for stored in &self.confirmations {
            let id = text(stored, "pk").trim_start_matches("confirmation#");
            let was_taken = by_id
                .get(id)
                .is_some_and(|posts| posts.iter().any(|post| post.was_taken));
            let ended = match text(stored, "state") {
                "delivered" => "delivered",
                "parked" => text(stored, "reason"),
                other => other,
            };
            let (expected, taken) = match scenario.parks {
                Some(parked) => (parked.as_str(), false),
                None => ("delivered", true),
            };
            if (ended, was_taken) != (expected, taken) {
                wrong.push(format!("{id} is {ended}, taken by its receiver: {was_taken}"));
            }
        }
        wrong
    }
}
