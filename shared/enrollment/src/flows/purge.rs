//! Purge of expired records (`docs/contract.md#purge`): the record of a card is deleted `retention_days` after its
//! cancellation, and with the customer's last card everything that is stored of the customer. The current
//! `retention_days` of the program apply.
//!
//! Tests: `shared/enrollment/tests/flows/purge.rs` over the model of the stores,
//! `shared/platform/tests/storage/purging.rs` on real stores, `tests/flows/tests/flows/purges.rs` for the function,
//! `tests/crash` for purges among other calls.

use std::collections::BTreeSet;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::confirmation::ConfirmationId;
use crate::identifiers::{ClientId, IntentId, ProgramId};
use crate::intent::CardState;
use crate::log::{error, info};
use crate::ports::{
    ClientIndex, Clients, Cursor, CustomerKey, Purges, Record, RecordedCard, RecordedIntent, Removal,
    StoreError,
};
use crate::status::Status;
use crate::time::later;

/// Time after which a run begins nothing new. Work that has begun takes seconds.
pub const RUN_LIMIT: SignedDuration = SignedDuration::from_secs(90);
/// Customers that are purged at the same time.
const AT_ONCE: usize = 32;
/// Cards of a program on one page of the list.
const LISTED_AT_ONCE: usize = 500;
/// Clients that are read at the same time.
const CLIENTS_AT_ONCE: usize = 16;
/// Programs that are processed at the same time. Each queries all its shards concurrently.
const PROGRAMS_AT_ONCE: usize = 8;

/// Ports of a purge.
pub struct Purge<'a> {
    /// Ids of all clients.
    pub client_index: &'a dyn ClientIndex,
    /// Set-ups of the clients, for `retention_days`.
    pub clients: &'a dyn Clients,
    /// Records.
    pub purges: &'a dyn Purges,
    /// Clock.
    pub clock: &'a dyn Clock,
}

/// Result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PurgeReport {
    /// Customers that were deleted.
    pub customers: usize,
    /// Cards that were deleted while their customer stays.
    pub cards: usize,
    /// Expired customers whose purge was deferred, because of an open intent, a session or a due confirmation.
    pub deferred: usize,
    /// Confirmations that were deleted undelivered. The audit trail names them.
    pub undelivered: usize,
    /// Whether the run ended before it had processed everything, or a part failed. The next run resumes it.
    pub is_cut_short: bool,
}

impl PurgeReport {
    fn fail(&mut self, client: &ClientId, error: &StoreError) {
        error!(error, client, "purge failed");
        self.is_cut_short = true;
    }

    fn add(&mut self, done: Done) {
        match done {
            Done::Customer { undelivered } => {
                self.customers += 1;
                self.undelivered += undelivered;
            }
            Done::Cards { cards, undelivered } => {
                self.cards += cards;
                self.undelivered += undelivered;
            }
            Done::Deferred => self.deferred += 1,
            Done::Failed(client, error) => self.fail(&client, &error),
            Done::OutOfTime => self.is_cut_short = true,
            Done::Nothing => {}
        }
    }
}

/// Retention of one program.
#[derive(Clone)]
struct Retention {
    client: ClientId,
    program: ProgramId,
    days: u16,
}

/// Entry of the list of expired customers, or the reason for which the list ends.
enum Found {
    /// Customer who may have a card that was cancelled by `until`.
    Customer {
        client: ClientId,
        key: CustomerKey,
        until: Timestamp,
    },
    Failed(ClientId, StoreError),
    OutOfTime,
}

/// Result for one customer, with the number of confirmations that were deleted undelivered.
enum Done {
    Customer { undelivered: usize },
    Cards { cards: usize, undelivered: usize },
    Deferred,
    Failed(ClientId, StoreError),
    OutOfTime,
    Nothing,
}

impl Purge<'_> {
    /// Deletes expired records, as long as there is time. Deleted records are not found again, so the next run resumes one that
    /// was interrupted. Programs are processed concurrently: the time of a run that finds nothing does not grow with their
    /// number until there are more than [`PROGRAMS_AT_ONCE`].
    ///
    /// # Errors
    /// If the clients can't be listed. A client or customer that fails does not prevent the others.
    pub async fn run(&self) -> Result<PurgeReport, StoreError> {
        let ends = later(self.clock.now(), RUN_LIMIT);
        let mut purged = PurgeReport::default();
        let retentions = self.retentions(&mut purged).await?;
        {
            let mut purge = stream::iter(retentions.clone())
                .map(|retention| self.list_expired(retention, ends))
                .flatten_unordered(PROGRAMS_AT_ONCE)
                .map(|found| self.purge(found, ends))
                .buffer_unordered(AT_ONCE);
            while let Some(done) = purge.next().await {
                purged.add(done);
            }
        }
        // In the remaining time, since no record waits for it.
        let mut refreshes = stream::iter(retentions)
            .map(|retention| self.refresh_ttls(retention, ends))
            .buffer_unordered(PROGRAMS_AT_ONCE);
        while let Some(done) = refreshes.next().await {
            purged.add(done);
        }
        Ok(purged)
    }

    /// Retention of every program that has or had cards. A client that can't be read is reported and left out.
    async fn retentions(&self, purged: &mut PurgeReport) -> Result<Vec<Retention>, StoreError> {
        let mut retentions = Vec::new();
        let mut clients = stream::iter(self.client_index.clients().await?)
            .map(|id| async move {
                let client = self.clients.by_id(&id).await;
                (id, client)
            })
            .buffered(CLIENTS_AT_ONCE);
        while let Some((id, client)) = clients.next().await {
            match client {
                Ok(Some(client)) => {
                    let of_program = |(program, days): (&ProgramId, u16)| Retention {
                        client: id.clone(),
                        program: program.clone(),
                        days,
                    };
                    retentions.extend(client.retentions().map(of_program));
                }
                Ok(None) => {}
                Err(error) => purged.fail(&id, &error),
            }
        }
        Ok(retentions)
    }

    /// Lists the customers of one program who may have an expired card, each once.
    fn list_expired(&self, retention: Retention, ends: Timestamp) -> BoxStream<'_, Found> {
        let until = expired_before(self.clock.now(), retention.days);
        let start = Some(Listing::default());
        let pages = stream::unfold(start, move |listing| {
            let retention = retention.clone();
            async move { self.page(&retention, until, ends, listing?).await }
        });
        pages.flat_map(stream::iter).boxed()
    }

    async fn page(
        &self,
        Retention { client, program, .. }: &Retention,
        until: Timestamp,
        ends: Timestamp,
        Listing { from, mut seen }: Listing,
    ) -> Option<(Vec<Found>, Option<Listing>)> {
        if self.clock.now() >= ends {
            return Some((vec![Found::OutOfTime], None));
        }
        let listed = self
            .purges
            .expired(client, program, until, from.as_ref(), LISTED_AT_ONCE)
            .await;
        let page = match listed {
            Ok(page) => page,
            Err(error) => return Some((vec![Found::Failed(client.clone(), error)], None)),
        };
        let new = |key: &CustomerKey| seen.insert(key.clone());
        let found = page.entries.into_iter().filter(new).map(|key| Found::Customer {
            client: client.clone(),
            key,
            until,
        });
        let found = found.collect();
        let next = page.next.map(|from| Listing {
            from: Some(from),
            seen,
        });
        Some((found, next))
    }

    async fn purge(&self, found: Found, ends: Timestamp) -> Done {
        match found {
            Found::Customer { client, key, until } if self.clock.now() < ends => self
                .customer(&client, &key, until)
                .await
                .unwrap_or_else(|error| Done::Failed(client, error)),
            Found::Customer { .. } | Found::OutOfTime => Done::OutOfTime,
            Found::Failed(client, error) => Done::Failed(client, error),
        }
    }

    async fn refresh_ttls(
        &self,
        Retention {
            client,
            program,
            days,
        }: Retention,
        ends: Timestamp,
    ) -> Done {
        match self.purges.refresh_ttls(&client, &program, days, ends).await {
            Ok(true) => Done::Nothing,
            Ok(false) => Done::OutOfTime,
            Err(error) => Done::Failed(client, error),
        }
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
        let removal = match decide(&record, until, self.clock.now()) {
            PurgeDecision::Nothing => return Ok(Done::Nothing),
            PurgeDecision::Deferred => return Ok(Done::Deferred),
            PurgeDecision::Remove(removal) => removal,
        };
        if !self.purges.remove(&record, &removal).await? {
            // The record changed at this moment, by a submission or a settlement.
            return Ok(Done::Deferred);
        }
        Ok(match removal {
            Removal::Everything | Removal::Erasure => {
                info!(
                    client,
                    cards = record.cards.len(),
                    intents = record.intents.len(),
                    confirmations = record.confirmations.len(),
                    "customer purged"
                );
                let undelivered = record.confirmations.iter();
                Done::Customer {
                    undelivered: undelivered.filter(|one| one.is_undelivered()).count(),
                }
            }
            Removal::Cards(cards) => {
                let undelivered: BTreeSet<&ConfirmationId> = cards
                    .iter()
                    .flat_map(|card| undelivered_of(&record, *card))
                    .collect();
                Done::Cards {
                    cards: cards.len(),
                    undelivered: undelivered.len(),
                }
            }
        })
    }
}

/// Place where the list of one program continues, and the customers listed before.
#[derive(Default)]
struct Listing {
    from: Option<Cursor>,
    seen: BTreeSet<CustomerKey>,
}

/// Time by which a card must have been cancelled to be expired at `now`.
pub fn expired_before(now: Timestamp, retention_days: u16) -> Timestamp {
    later(now, -SignedDuration::from_hours(24 * i64::from(retention_days)))
}

/// Unexpired part of a record, which may be shown (`docs/contract.md#purge`), whether or not the purge has deleted the
/// rest; `None` where all of it is expired. `until` is that of [`expired_before`].
pub fn unexpired(mut record: Record, until: Timestamp, now: Timestamp) -> Option<Record> {
    let expired: Vec<IntentId> = match decide(&record, until, now) {
        PurgeDecision::Remove(Removal::Everything) => return None,
        _ => expired_cards(&record, until).collect(),
    };
    let hidden_intents: Vec<RecordedIntent> = expired
        .iter()
        .flat_map(|card| intents_of(&record, *card))
        .filter(|intent| intent.is_settled)
        .copied()
        .collect();
    record.cards.retain(|card| !expired.contains(&card.id));
    let hidden_confirmations: Vec<ConfirmationId> = expired
        .iter()
        .flat_map(|card| confirmations_of(&record, *card))
        .collect();
    record.intents.retain(|intent| !hidden_intents.contains(intent));
    record
        .confirmations
        .retain(|confirmation| !hidden_confirmations.contains(&confirmation.id));
    Some(record)
}

/// Whether a confirmation is expired together with its record, deleted or not. `until` is that of [`expired_before`].
pub fn is_expired(record: Option<Record>, id: &ConfirmationId, until: Timestamp, now: Timestamp) -> bool {
    let Some(record) = record.and_then(|record| unexpired(record, until, now)) else {
        return true;
    };
    let has_card = |id: IntentId| record.cards.iter().any(|card| card.id == id);
    let found = record.confirmations.iter().find(|found| found.id == *id);
    // Its card may be deleted a moment before it.
    found.is_none_or(|found| found.card.is_some_and(|card| !has_card(card)))
}

/// Decision about a record: the part of it that is deleted now.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PurgeDecision {
    Nothing,
    Deferred,
    Remove(Removal),
}

/// Decides what to delete. A card is deleted when it is expired, no intent of it is unsettled and no confirmation of it is due.
/// The last cards are deleted together with everything else of the customer. They wait while an intent is unsettled, a session
/// is alive or a confirmation is due, since the customer is found by them.
fn decide(record: &Record, until: Timestamp, now: Timestamp) -> PurgeDecision {
    let expired: Vec<IntentId> = expired_cards(record, until).collect();
    if expired.is_empty() {
        return PurgeDecision::Nothing;
    }
    if expired.len() == record.cards.len() {
        let has_session = record.sessions.iter().any(|session| now < session.expires_at);
        let has_no_due_confirmation = !record.confirmations.iter().any(|one| one.defers_purge(now));
        return if is_settled_record(record) && !has_session && has_no_due_confirmation {
            PurgeDecision::Remove(Removal::Everything)
        } else {
            PurgeDecision::Deferred
        };
    }
    let concerns =
        |intent: &RecordedIntent, card: IntentId| intent.id == card || intent.old_card == Some(card);
    let is_deletable = |card: &IntentId| {
        let mut intents = record.intents.iter().filter(|intent| concerns(intent, *card));
        let ids = confirmations_of(record, *card);
        let mut confirmations = record.confirmations.iter().filter(|one| ids.contains(&one.id));
        intents.all(|intent| intent.is_settled) && confirmations.all(|one| !one.defers_purge(now))
    };
    let deletable: Vec<IntentId> = expired.into_iter().filter(is_deletable).collect();
    if deletable.is_empty() {
        PurgeDecision::Deferred
    } else {
        PurgeDecision::Remove(Removal::Cards(deletable))
    }
}

fn expired_cards(record: &Record, until: Timestamp) -> impl Iterator<Item = IntentId> {
    let is_expired =
        move |card: &&RecordedCard| matches!(card.state, CardState::Cancelled { at } if at <= until);
    record.cards.iter().filter(is_expired).map(|card| card.id)
}

/// Whether the customer has no open intent, and every stored intent is settled: ended, and without cleanup.
pub(super) fn is_settled_record(record: &Record) -> bool {
    record.count.pending + record.count.changing == 0 && record.intents.iter().all(|intent| intent.is_settled)
}

/// Intents that are deleted with a card: the one that enrolled it, and those that were to cancel it. An
/// intent that replaced it is also that of the new card, and stays.
pub fn intents_of(record: &Record, card: IntentId) -> impl Iterator<Item = &RecordedIntent> {
    record.intents.iter().filter(move |intent| {
        intent.id == card
            || intent.old_card == Some(card) && intent.status != Some(Status::SuccessReplacement)
    })
}

/// Confirmations that are deleted with a card: those that name it, and those of its intents, which may be missing from the
/// index.
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

/// Undelivered confirmations that are deleted with a card.
pub fn undelivered_of(record: &Record, card: IntentId) -> impl Iterator<Item = &ConfirmationId> {
    let ids = confirmations_of(record, card);
    let undelivered = record.confirmations.iter().filter(|one| one.is_undelivered());
    undelivered.map(|one| &one.id).filter(move |id| ids.contains(*id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::MAX_AGE;
    use crate::identifiers::{IdempotencyKey, SessionToken};
    use crate::intent::CardCount;
    use crate::ports::{ConfirmationState, RecordedConfirmation, RecordedSession};
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
            locked_by: None,
        }
    }

    fn confirmation(of: IntentId, status: Status, state: ConfirmationState) -> RecordedConfirmation {
        RecordedConfirmation {
            id: ConfirmationId::derive(of, status),
            card: None,
            state,
        }
    }

    fn due_since(outcome_at: Timestamp) -> ConfirmationState {
        ConfirmationState::Due { outcome_at }
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

    fn decision_of(record: &Record) -> PurgeDecision {
        decide(record, expired_before(now(), 30), now())
    }

    #[test]
    fn card_expires_exactly_thirty_days_after_cancellation() {
        assert_eq!(
            decision_of(&record(vec![card(1, cancelled(30))])),
            PurgeDecision::Remove(Removal::Everything)
        );
        let at = later(days_ago(30), SignedDuration::from_millis(1));
        let early = record(vec![card(1, CardState::Cancelled { at })]);
        assert_eq!(decision_of(&early), PurgeDecision::Nothing);
        for state in [
            CardState::Active,
            CardState::Locked,
            CardState::PendingCancellation,
        ] {
            assert_eq!(decision_of(&record(vec![card(1, state)])), PurgeDecision::Nothing);
        }
    }

    #[test]
    fn customer_stays_with_an_unexpired_card() {
        let record = record(vec![
            card(1, cancelled(31)),
            card(2, CardState::Active),
            card(3, cancelled(2)),
        ]);
        assert_eq!(
            decision_of(&record),
            PurgeDecision::Remove(Removal::Cards(vec![intent_id(1)]))
        );
    }

    #[test]
    fn unsettled_work_or_a_session_defers_the_last_card() {
        let base = record(vec![card(1, cancelled(40))]);
        let mut pending = base.clone();
        pending.count.pending = 1;
        let mut changing = base.clone();
        changing.count.changing = 1;
        let mut needs_cleanup = base.clone();
        needs_cleanup.intents.push(RecordedIntent {
            status: Some(Status::ErrorEnrollment),
            is_settled: false,
            ..intent(7)
        });
        let mut visited = base.clone();
        visited.sessions.push(RecordedSession {
            id: SessionToken::random(&Seeded::new(1)).id(),
            expires_at: later(now(), SignedDuration::from_secs(1)),
        });
        for deferred in [pending, changing, needs_cleanup, visited.clone()] {
            assert_eq!(decision_of(&deferred), PurgeDecision::Deferred, "{deferred:?}");
        }
        visited.sessions[0].expires_at = now();
        assert_eq!(decision_of(&visited), PurgeDecision::Remove(Removal::Everything));
    }

    #[test]
    fn unsettled_intent_defers_its_own_card_only() {
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
        assert_eq!(
            decision_of(&record),
            PurgeDecision::Remove(Removal::Cards(vec![intent_id(2)]))
        );
        record.cards.remove(1);
        assert_eq!(decision_of(&record), PurgeDecision::Deferred);
    }

    #[test]
    fn due_confirmation_defers_for_96_hours() {
        // Today's attempt failed, and the customer's only card was cancelled long ago.
        let mut record = record(vec![card(1, cancelled(40))]);
        record.intents.push(RecordedIntent {
            status: Some(Status::ErrorEnrollment),
            ..intent(9)
        });
        let second = SignedDuration::from_secs(1);
        for (age, expected) in [
            (SignedDuration::ZERO, PurgeDecision::Deferred),
            (MAX_AGE - second, PurgeDecision::Deferred),
            (MAX_AGE, PurgeDecision::Remove(Removal::Everything)),
            (MAX_AGE + second, PurgeDecision::Remove(Removal::Everything)),
        ] {
            let state = due_since(later(now(), -age));
            record.confirmations = vec![confirmation(intent_id(9), Status::ErrorEnrollment, state)];
            assert_eq!(decision_of(&record), expected, "{age}");
        }
        for state in [ConfirmationState::Parked, ConfirmationState::Delivered] {
            record.confirmations = vec![confirmation(intent_id(9), Status::ErrorEnrollment, state)];
            assert_eq!(
                decision_of(&record),
                PurgeDecision::Remove(Removal::Everything),
                "{state:?}"
            );
        }
    }

    #[test]
    fn due_confirmation_defers_its_own_card_only() {
        let mut record = record(vec![
            card(1, cancelled(40)),
            card(2, cancelled(40)),
            card(3, CardState::Active),
        ]);
        record.intents.push(RecordedIntent {
            old_card: Some(intent_id(1)),
            status: Some(Status::SuccessRemoval),
            ..intent(9)
        });
        let due = due_since(later(now(), -SignedDuration::from_hours(95)));
        record.confirmations = vec![confirmation(intent_id(9), Status::SuccessRemoval, due)];
        assert_eq!(
            decision_of(&record),
            PurgeDecision::Remove(Removal::Cards(vec![intent_id(2)]))
        );
        record.confirmations[0].state = ConfirmationState::Parked;
        let cards = vec![intent_id(1), intent_id(2)];
        assert_eq!(decision_of(&record), PurgeDecision::Remove(Removal::Cards(cards)));
        let undelivered: Vec<_> = undelivered_of(&record, intent_id(1)).collect();
        assert_eq!(undelivered, [&record.confirmations[0].id]);
        assert_eq!(undelivered_of(&record, intent_id(2)).count(), 0);
    }

    #[test]
    fn confirmation_expires_with_its_record() {
        let mut record = record(vec![card(1, cancelled(30)), card(2, CardState::Active)]);
        let [first, second] = [1, 2].map(|number| {
            confirmation(
                intent_id(number),
                Status::SuccessEnrollment,
                ConfirmationState::Parked,
            )
        });
        record.confirmations = vec![first.clone(), second.clone()];
        let is_expired_at = |record: &Record, one: &RecordedConfirmation, at: Timestamp| {
            is_expired(Some(record.clone()), &one.id, expired_before(at, 30), at)
        };
        let moment = SignedDuration::from_millis(1);
        assert!(is_expired_at(&record, &first, now()));
        assert!(!is_expired_at(&record, &first, later(now(), -moment)));
        assert!(!is_expired_at(&record, &second, now()));
        record.confirmations[1].card = Some(intent_id(7));
        assert!(is_expired_at(&record, &second, now()), "its card is gone");
        assert!(is_expired(None, &first.id, expired_before(now(), 30), now()));
    }

    #[test]
    fn card_is_deleted_without_its_replacement() {
        let mut record = record(vec![card(1, cancelled(40)), card(2, CardState::Active)]);
        record.intents[1].old_card = Some(intent_id(1));
        record.intents[1].status = Some(Status::SuccessReplacement);
        record.intents.push(RecordedIntent {
            old_card: Some(intent_id(1)),
            status: Some(Status::ErrorRemoval),
            ..intent(3)
        });
        let deleted: Vec<IntentId> = intents_of(&record, intent_id(1))
            .map(|intent| intent.id)
            .collect();
        assert_eq!(deleted, [intent_id(1), intent_id(3)]);
    }

    #[test]
    fn expired_records_are_not_shown() {
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
            .map(|id| RecordedConfirmation {
                id,
                card: None,
                state: ConfirmationState::Delivered,
            })
            .collect();
        // Confirmation of a deleted intent.
        record.confirmations.push(RecordedConfirmation {
            id: ConfirmationId::derive(intent_id(9), Status::ErrorRemoval),
            card: Some(intent_id(1)),
            state: ConfirmationState::Parked,
        });
        let until = expired_before(now(), 30);
        let shown = unexpired(record.clone(), until, now()).unwrap();
        assert_eq!(shown.cards, record.cards[1..]);
        assert_eq!(shown.intents, record.intents[1..2]);
        assert_eq!(shown.confirmations, record.confirmations[1..2]);
        let fresh = expired_before(now(), 60);
        assert_eq!(unexpired(record.clone(), fresh, now()), Some(record.clone()));

        record.cards.truncate(1);
        assert_eq!(unexpired(record.clone(), until, now()), None);
        // An unsettled intent stays visible.
        record.intents.push(RecordedIntent {
            status: None,
            is_settled: false,
            ..intent(4)
        });
        let unexpired = unexpired(record, until, now()).unwrap();
        assert!(unexpired.cards.is_empty());
        assert_eq!(unexpired.intents.len(), 2);
    }
}
