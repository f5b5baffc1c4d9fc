//! Invariants of cards: MRS, table, counts and the purge's list agree.

use std::collections::BTreeSet;

use engine::Item;
use enrollment::action::ActionCode;
use enrollment::ending::Ending;
use enrollment::intent::{Card, CardState, Intent};
use enrollment::time::later;
use jiff::{SignedDuration, Timestamp};

use super::final_state::{FinalState, number, text, time};
use crate::client;
use crate::fixture::Fixture;

/// Time by which a cancelled card outlives its retention where no purge deletes it (`platform::tables`).
const TTL_MARGIN: SignedDuration = SignedDuration::from_hours(7 * 24);

impl FinalState<'_> {
    pub(super) fn cards(&self, fixture: &Fixture<'_>) -> Vec<String> {
        let mut wrong = self.mrs(fixture);
        for card in &self.cards {
            let name = card.id.to_hex();
            if let Some(fault) = self.fault_of(card, &self.card_items[&name]) {
                wrong.push(format!("the card {name} {fault}: {:?}", self.card_items[&name]));
            }
        }
        let enrolled = |(intent, ending): &(&Intent, Ending)| {
            ending.status.is_success() && intent.action != ActionCode::OptOut
        };
        let enrolled = self.decided_endings().filter(enrolled).count();
        if !self.scenario.is_purged && self.cards.len() != enrolled {
            wrong.push(format!(
                "{enrolled} cards were enrolled, {} are there",
                self.cards.len()
            ));
        }
        wrong.extend(self.names_of_old_cards());
        wrong.extend(self.counts());
        wrong
    }

    /// Checks that MRS, the table and the outcomes have the same active cards.
    fn mrs(&self, fixture: &Fixture<'_>) -> Vec<String> {
        let mut wrong = Vec::new();
        let accounts = fixture.mrs.accounts().into_iter();
        let held: BTreeSet<_> = accounts
            .filter(|account| account.is_active)
            .map(|account| (account.number, account.ranac))
            .collect();
        let active = self.cards.iter().filter(|card| card.state == CardState::Active);
        let active: BTreeSet<_> = active
            .map(|card| {
                let number = card.bank_customer_number.expose().to_owned();
                (number, card.ranac.expose().to_owned())
            })
            .collect();
        let decided = self.active_by_outcomes();
        if held != active || active != decided {
            wrong.push(format!(
                "MRS holds {held:?}, the table has {active:?}, the outcomes say {decided:?}"
            ));
        }
        for (number, asked) in fixture.mrs.asked() {
            let of_number = |intent: &&Intent| {
                intent.action != ActionCode::OptOut && intent.bank_customer_number.expose() == number
            };
            let intents = self.decided.iter().filter(of_number).count();
            if asked > intents {
                wrong.push(format!(
                    "MRS was asked to enroll {asked} times for {intents} intents"
                ));
            }
        }
        wrong
    }

    fn fault_of(&self, card: &Card, item: &Item) -> Option<String> {
        match card.state {
            CardState::Active => ["agenda", "agenda_at", "ttl", "locked_by", "cancelled_at"]
                .into_iter()
                .find(|attribute| item.contains_key(*attribute))
                .map(|attribute| format!("is active, with {attribute}")),
            CardState::Locked | CardState::PendingCancellation => Some("is neither in nor out".to_owned()),
            CardState::Cancelled { .. } if self.scenario.is_purged => {
                Some("is past its date and still there".to_owned())
            }
            CardState::Cancelled { at } => self.fault_of_cancelled(card, item, at),
        }
    }

    /// Checks that the purge finds a cancelled card, and that it expires with the intent that enrolled it.
    fn fault_of_cancelled(&self, card: &Card, item: &Item, at: Timestamp) -> Option<String> {
        let program = client::program(self.scenario.program);
        let list = format!("cancelled#{}#{program}#", client::id());
        if !item.contains_key("agenda") || !text(item, "agenda").starts_with(&list) {
            return Some("is cancelled, and the purge does not know".to_owned());
        }
        let ttl = self.gone_by(at).as_second();
        let has_ttl = |item: &Item| item.contains_key("ttl") && number(item, "ttl") == ttl;
        if time(item, "agenda_at") != at || !has_ttl(item) {
            return Some(format!("is cancelled at {at}, with other times"));
        }
        let intent = self.intents.get(&card.id.to_hex());
        (!intent.is_some_and(has_ttl)).then(|| "does not take its intent along".to_owned())
    }

    fn gone_by(&self, cancelled_at: Timestamp) -> Timestamp {
        let retention_days = i64::from(client::retention_days(self.scenario.program));
        later(
            later(cancelled_at, SignedDuration::from_hours(24 * retention_days)),
            TTL_MARGIN,
        )
    }

    /// Checks that a settled replacement has no names of its old card.
    fn names_of_old_cards(&self) -> Vec<String> {
        let replacements = self
            .stored
            .iter()
            .filter(|intent| intent.action == ActionCode::Replace);
        let kept = replacements.filter(|intent| {
            let item = &self.intents[&intent.id.to_hex()];
            item.contains_key("old_ranac") || item.contains_key("old_number")
        });
        kept.map(|intent| format!("{} still names its old card", intent.id.to_hex()))
            .collect()
    }

    fn counts(&self) -> Vec<String> {
        let active = self.cards.iter().filter(|card| card.state == CardState::Active);
        let active = i64::try_from(active.count()).expect("a few");
        let Some(customer) = &self.customer else {
            let missing = "there are cards and no customer".to_owned();
            return (!self.cards.is_empty()).then_some(missing).into_iter().collect();
        };
        let mut wrong = Vec::new();
        let counts = ["active", "pending", "changing"].map(|count| number(customer, count));
        if counts != [active, 0, 0] {
            wrong.push(format!("{active} active cards, and the customer is {customer:?}"));
        }
        let ttl = customer.contains_key("ttl").then(|| number(customer, "ttl"));
        let last = self.card_items.values().filter(|card| card.contains_key("ttl"));
        let last = last.map(|card| number(card, "ttl")).max();
        let is_dated = if active > 0 {
            ttl.is_none()
        } else {
            ttl.is_some() && ttl >= last
        };
        if !is_dated {
            wrong.push(format!(
                "{active} active cards, the last of the others kept until {last:?}, the customer until {ttl:?}"
            ));
        }
        wrong.extend(self.consents(customer));
        wrong
    }

    /// Checks that the consents of successful intents are stored.
    fn consents(&self, customer: &Item) -> Option<String> {
        let kept = customer.get("consents").and_then(|consents| consents.as_l().ok());
        let kept: BTreeSet<String> = kept
            .into_iter()
            .flatten()
            .filter_map(|consent| consent.as_s().ok().cloned())
            .collect();
        let given_to = |intents: &[Intent]| -> BTreeSet<String> {
            let successes = intents.iter().filter(|intent| {
                intent
                    .outcome()
                    .is_some_and(|outcome| outcome.status.is_success())
            });
            successes
                .flat_map(|intent| &intent.consents)
                .map(|consent| serde_json::to_string(consent).expect("plain texts"))
                .collect()
        };
        let (given, of_kept_intents) = (given_to(&self.decided), given_to(&self.stored));
        let agrees = if self.scenario.is_purged {
            kept.is_subset(&given) && kept.is_superset(&of_kept_intents)
        } else {
            kept == given
        };
        (!agrees).then(|| format!("consents given: {given:?}; kept: {kept:?}"))
    }
}
