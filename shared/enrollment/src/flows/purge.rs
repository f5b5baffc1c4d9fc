//! The purge: X days after its cancellation a card's record goes, and with the customer's last card all that is stored of
//! the customer (behaviour §4, §6). What is due is reckoned from the cancellation and from the X of today.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use crate::identifiers::{ClientId, ConfirmationId, IntentId, ProgramId};
use crate::intent::CardState;
use crate::log::{error, info};
use crate::ports::{
    Clients, Clock, Cursor, CustomerKey, Purges, Record, RecordedCard, RecordedIntent, Register, Removal,
    StoreError,
};
use crate::status::Status;
use crate::time::later;

/// A run begins nothing new after this; what it has begun takes seconds.
pub const RUN_LIMIT: SignedDuration = SignedDuration::from_secs(90);
/// How many customers are purged at once.
const AT_ONCE: usize = 32;
/// How many cards are listed at once.
const LISTED_AT_ONCE: usize = 500;

/// What a purge needs.
pub struct Purging<'a> {
    /// Whose records.
    pub register: &'a dyn Register,
    /// For X.
    pub clients: &'a dyn Clients,
    /// The records.
    pub purges: &'a dyn Purges,
    /// The time.
    pub clock: &'a dyn Clock,
}

/// What a run did and left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Purged {
    /// Customers of whom nothing is left.
    pub customers: usize,
    /// Cards that went while their customer stayed.
    pub cards: usize,
    /// Customers that are past their date and were held back, by what is unsettled or under way.
    pub held_back: usize,
    /// Whether the run ended before it had seen all that is due, or failed at some of it: the next goes on.
    pub is_cut_short: bool,
}

impl Purged {
    fn fail(&mut self, client: &ClientId, error: &StoreError) {
        error!(error, client, "records can't be purged");
        self.is_cut_short = true;
    }
}

/// What became of one customer.
enum Done {
    Customer,
    Cards(usize),
    HeldBack,
    Failed(StoreError),
    Nothing,
}

impl Purging<'_> {
    /// Deletes what is past its date, for as long as a run lasts. What is deleted is not found again, so a run that was cut
    /// off, or killed, is gone on with by the next.
    ///
    /// # Errors
    /// Where the clients can't be listed. One client or customer that fails keeps no other from its turn.
    pub async fn run(&self) -> Result<Purged, StoreError> {
        let ends = later(self.clock.now(), RUN_LIMIT);
        let mut purged = Purged::default();
        let mut programs = Vec::new();
        for id in self.register.clients().await? {
            match self.clients.by_id(&id).await {
                Ok(Some(client)) => programs.extend(
                    client
                        .retentions()
                        .map(|(program, days)| (id.clone(), program.clone(), days)),
                ),
                Ok(None) => {}
                Err(error) => purged.fail(&id, &error),
            }
        }
        for (client, program, retention_days) in &programs {
            let run = self.program(client, program, *retention_days, ends, &mut purged);
            if let Err(error) = run.await {
                purged.fail(client, &error);
            }
        }
        // With the time that is left: nobody's records wait for it.
        for (client, program, retention_days) in &programs {
            match self.purges.date(client, program, *retention_days, ends).await {
                Ok(done) => purged.is_cut_short |= !done,
                Err(error) => purged.fail(client, &error),
            }
        }
        Ok(purged)
    }

    async fn program(
        &self,
        client: &ClientId,
        program: &ProgramId,
        retention_days: u16,
        ends: Timestamp,
        purged: &mut Purged,
    ) -> Result<(), StoreError> {
        let until = past_from(self.clock.now(), retention_days);
        let mut seen = BTreeSet::new();
        let mut from: Option<Cursor> = None;
        loop {
            if self.clock.now() >= ends {
                purged.is_cut_short = true;
                return Ok(());
            }
            let page = self
                .purges
                .past(client, program, until, from.as_ref(), LISTED_AT_ONCE)
                .await?;
            let customers: Vec<CustomerKey> = page
                .entries
                .into_iter()
                .filter(|key| seen.insert(key.clone()))
                .collect();
            let in_time = |_: &CustomerKey| std::future::ready(self.clock.now() < ends);
            let count = customers.len();
            let done: Vec<Done> = stream::iter(customers)
                .take_while(in_time)
                .map(|key| self.customer_or_later(client, key, until))
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            purged.is_cut_short |= done.len() < count;
            for done in done {
                match done {
                    Done::Customer => purged.customers += 1,
                    Done::Cards(cards) => purged.cards += cards,
                    Done::HeldBack => purged.held_back += 1,
                    Done::Failed(error) => purged.fail(client, &error),
                    Done::Nothing => {}
                }
            }
            from = page.next;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    async fn customer_or_later(&self, client: &ClientId, key: CustomerKey, until: Timestamp) -> Done {
        self.customer(client, &key, until)
            .await
            .unwrap_or_else(Done::Failed)
    }

    async fn customer(
        &self,
        client: &ClientId,
        key: &CustomerKey,
        until: Timestamp,
    ) -> Result<Done, StoreError> {
        let Some(record) = self.purges.record(client, key).await? else {
            return Ok(Done::Nothing);
        };
        let removal = match due(&record, until, self.clock.now()) {
            Due::Nothing => return Ok(Done::Nothing),
            Due::HeldBack => return Ok(Done::HeldBack),
            Due::Now(removal) => removal,
        };
        if !self.purges.remove(&record, &removal).await? {
            // Somebody enrols, or looks after an intent, at this very moment.
            return Ok(Done::HeldBack);
        }
        Ok(match removal {
            Removal::Everything => {
                info!(
                    client,
                    cards = record.cards.len(),
                    intents = record.intents.len(),
                    confirmations = record.confirmations.len(),
                    "a customer is purged"
                );
                Done::Customer
            }
            Removal::Cards(cards) => Done::Cards(cards.len()),
        })
    }
}

/// Cards cancelled by this time are past their date.
pub fn past_from(now: Timestamp, retention_days: u16) -> Timestamp {
    later(now, -SignedDuration::from_hours(24 * i64::from(retention_days)))
}

/// What may still be shown of a record: not what is past its date (`until`, by [`past_from`]), deleted or not (behaviour §6).
/// `None` where that is nothing.
pub fn unexpired(mut record: Record, until: Timestamp, now: Timestamp) -> Option<Record> {
    let past: Vec<IntentId> = match due(&record, until, now) {
        Due::Now(Removal::Everything) => return None,
        _ => past_cards(&record, until).collect(),
    };
    let gone: Vec<RecordedIntent> = past
        .iter()
        .flat_map(|card| intents_of(&record, *card))
        .filter(|intent| intent.is_settled)
        .copied()
        .collect();
    record.cards.retain(|card| !past.contains(&card.id));
    let told: Vec<ConfirmationId> = past
        .iter()
        .flat_map(|card| confirmations_of(&record, *card))
        .collect();
    record.intents.retain(|intent| !gone.contains(intent));
    record
        .confirmations
        .retain(|confirmation| !told.contains(&confirmation.id));
    Some(record)
}

/// What of a record is due.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Due {
    Nothing,
    HeldBack,
    Now(Removal),
}

/// A card goes when it is past its date and no intent that touches it is unsettled. With the last cards goes everything,
/// unless something of the customer is unsettled or under way: then they wait for it, since they are what the customer is
/// found by.
fn due(record: &Record, until: Timestamp, now: Timestamp) -> Due {
    let past: Vec<IntentId> = past_cards(record, until).collect();
    if past.is_empty() {
        return Due::Nothing;
    }
    if past.len() == record.cards.len() {
        let is_alive = record.sessions.iter().any(|session| now < session.expires_at);
        return if is_quiet(record) && !is_alive {
            Due::Now(Removal::Everything)
        } else {
            Due::HeldBack
        };
    }
    let touches =
        |intent: &RecordedIntent, card: IntentId| intent.id == card || intent.old_card == Some(card);
    let is_free = |card: &IntentId| {
        let mut touching = record.intents.iter().filter(|intent| touches(intent, *card));
        touching.all(|intent| intent.is_settled)
    };
    let free: Vec<IntentId> = past.into_iter().filter(is_free).collect();
    if free.is_empty() {
        Due::HeldBack
    } else {
        Due::Now(Removal::Cards(free))
    }
}

fn past_cards(record: &Record, until: Timestamp) -> impl Iterator<Item = IntentId> {
    let is_past =
        move |card: &&RecordedCard| matches!(card.state, CardState::Cancelled { at } if at <= until);
    record.cards.iter().filter(is_past).map(|card| card.id)
}

/// Whether nothing of the customer is open, and nothing is left to be cancelled at MRS.
pub(super) fn is_quiet(record: &Record) -> bool {
    record.count.pending + record.count.changing == 0 && record.intents.iter().all(|intent| intent.is_settled)
}

/// The intents that go with a card: the one that enrolled it, and those that were to take it out. One that replaced it is
/// also that of the new card, and stays.
pub fn intents_of(record: &Record, card: IntentId) -> impl Iterator<Item = &RecordedIntent> {
    record.intents.iter().filter(move |intent| {
        intent.id == card
            || intent.old_card == Some(card) && intent.status != Some(Status::SuccessReplacement)
    })
}

/// The confirmations that go with a card: those that name it, and those of its intents, which were stored before they did or
/// which no index shows yet.
pub fn confirmations_of(record: &Record, card: IntentId) -> BTreeSet<ConfirmationId> {
    let naming = record
        .confirmations
        .iter()
        .filter(|confirmation| confirmation.card == Some(card))
        .map(|confirmation| confirmation.id.clone());
    naming
        .chain(intents_of(record, card).filter_map(RecordedIntent::confirmation))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifiers::{IdempotencyKey, SessionToken};
    use crate::intent::CardCount;
    use crate::ports::{RecordedConfirmation, RecordedSession};
    use crate::testing::{self, Seeded};

    const NOW: &str = "2026-11-21T10:00:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn days_ago(days: i64) -> Timestamp {
        later(now(), -SignedDuration::from_hours(24 * days))
    }

    fn intent_id(number: u64) -> IntentId {
        let session = SessionToken::random(&Seeded::new(number)).id();
        IntentId::derive(session, &IdempotencyKey::parse("key-of-sixteen-ch").unwrap())
    }

    fn card(number: u64, state: CardState) -> RecordedCard {
        RecordedCard {
            id: intent_id(number),
            state,
        }
    }

    fn intent(number: u64) -> RecordedIntent {
        RecordedIntent {
            id: intent_id(number),
            old_card: None,
            status: Some(Status::SuccessEnrollment),
            is_settled: true,
        }
    }

    fn record(cards: Vec<RecordedCard>) -> Record {
        Record {
            key: CustomerKey("customer#x".into()),
            client: testing::client().id,
            count: CardCount::default(),
            intents: cards
                .iter()
                .map(|card| RecordedIntent {
                    id: card.id,
                    ..intent(0)
                })
                .collect(),
            cards,
            confirmations: Vec::new(),
            sessions: Vec::new(),
        }
    }

    fn cancelled(days: i64) -> CardState {
        CardState::Cancelled { at: days_ago(days) }
    }

    fn due_of(record: &Record) -> Due {
        due(record, past_from(now(), 30), now())
    }

    #[test]
    fn a_card_goes_thirty_days_after_its_cancellation_and_not_a_moment_earlier() {
        assert_eq!(
            due_of(&record(vec![card(1, cancelled(30))])),
            Due::Now(Removal::Everything)
        );
        let at = later(days_ago(30), SignedDuration::from_millis(1));
        let early = record(vec![card(1, CardState::Cancelled { at })]);
        assert_eq!(due_of(&early), Due::Nothing);
        for state in [CardState::Active, CardState::Held, CardState::Leaving] {
            assert_eq!(due_of(&record(vec![card(1, state)])), Due::Nothing);
        }
    }

    #[test]
    fn the_customer_stays_with_a_card_that_stays() {
        let record = record(vec![
            card(1, cancelled(31)),
            card(2, CardState::Active),
            card(3, cancelled(2)),
        ]);
        assert_eq!(due_of(&record), Due::Now(Removal::Cards(vec![intent_id(1)])));
    }

    #[test]
    fn what_is_unsettled_or_under_way_holds_the_last_card_back() {
        let base = record(vec![card(1, cancelled(40))]);
        let mut pending = base.clone();
        pending.count.pending = 1;
        let mut changing = base.clone();
        changing.count.changing = 1;
        let mut leftover = base.clone();
        leftover.intents.push(RecordedIntent {
            status: Some(Status::ErrorEnrollment),
            is_settled: false,
            ..intent(7)
        });
        let mut visited = base.clone();
        visited.sessions.push(RecordedSession {
            id: SessionToken::random(&Seeded::new(1)).id(),
            expires_at: later(now(), SignedDuration::from_secs(1)),
        });
        for held in [pending, changing, leftover, visited.clone()] {
            assert_eq!(due_of(&held), Due::HeldBack, "{held:?}");
        }
        visited.sessions[0].expires_at = now();
        assert_eq!(due_of(&visited), Due::Now(Removal::Everything));
    }

    #[test]
    fn an_unsettled_intent_holds_back_the_card_that_it_touches_and_no_other() {
        let mut record = record(vec![
            card(1, cancelled(40)),
            card(2, cancelled(40)),
            card(3, CardState::Active),
        ]);
        record.intents.push(RecordedIntent {
            old_card: Some(intent_id(1)),
            is_settled: false,
            status: None,
            ..intent(9)
        });
        assert_eq!(due_of(&record), Due::Now(Removal::Cards(vec![intent_id(2)])));
        record.cards.remove(1);
        assert_eq!(due_of(&record), Due::HeldBack);
    }

    #[test]
    fn with_a_card_goes_what_took_it_out_but_not_the_card_that_replaced_it() {
        let mut record = record(vec![card(1, cancelled(40)), card(2, CardState::Active)]);
        record.intents[1].old_card = Some(intent_id(1));
        record.intents[1].status = Some(Status::SuccessReplacement);
        record.intents.push(RecordedIntent {
            old_card: Some(intent_id(1)),
            status: Some(Status::ErrorRemoval),
            ..intent(3)
        });
        let going: Vec<IntentId> = intents_of(&record, intent_id(1))
            .map(|intent| intent.id)
            .collect();
        assert_eq!(going, [intent_id(1), intent_id(3)]);
    }

    #[test]
    fn what_is_past_its_date_is_not_shown_though_it_is_there() {
        let mut record = record(vec![card(1, cancelled(40)), card(2, CardState::Active)]);
        record.intents.push(RecordedIntent {
            old_card: Some(intent_id(1)),
            status: Some(Status::SuccessRemoval),
            ..intent(3)
        });
        record.confirmations = record
            .intents
            .iter()
            .filter_map(RecordedIntent::confirmation)
            .map(|id| RecordedConfirmation { id, card: None })
            .collect();
        // Its intent is gone.
        record.confirmations.push(RecordedConfirmation {
            id: ConfirmationId::derive(intent_id(9), Status::ErrorRemoval),
            card: Some(intent_id(1)),
        });
        let until = past_from(now(), 30);
        let shown = unexpired(record.clone(), until, now()).unwrap();
        assert_eq!(shown.cards, record.cards[1..]);
        assert_eq!(shown.intents, record.intents[1..2]);
        assert_eq!(shown.confirmations, record.confirmations[1..2]);
        let fresh = past_from(now(), 60);
        assert_eq!(unexpired(record.clone(), fresh, now()), Some(record.clone()));

        record.cards.truncate(1);
        assert_eq!(unexpired(record.clone(), until, now()), None);
        // What holds the purge back is still to be seen.
        record.intents.push(RecordedIntent {
            status: None,
            is_settled: false,
            ..intent(4)
        });
        let held = unexpired(record, until, now()).unwrap();
        assert!(held.cards.is_empty());
        assert_eq!(held.intents.len(), 2);
    }
}
