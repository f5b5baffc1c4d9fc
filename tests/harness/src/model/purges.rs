//! Customers' records: which are past their retention, and their deletion.

use async_trait::async_trait;
use enrollment::confirmation::ConfirmationId;
use enrollment::delivery::MAX_AGE;
use enrollment::flows::purge::{confirmations_of, intents_of, undelivered_of};
use enrollment::identifiers::{ClientId, IntentId, ProgramId};
use enrollment::intent::CardState;
use enrollment::ports::{
    ConfirmationState, Cursor, CustomerKey, Page, Purges, Record, RecordedCard, RecordedConfirmation,
    RecordedSession, Removal, StoreError,
};
use enrollment::time::later;
use jiff::Timestamp;

use super::{Model, State, StoredIntent, TTL_MARGIN, card_ttl, customer_key, ttl};

#[async_trait]
impl Purges for Model {
    async fn expired(
        &self,
        client: &ClientId,
        program: &ProgramId,
        until: Timestamp,
        from: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page<CustomerKey>, StoreError> {
        let state = self.state();
        let mut listed: Vec<(String, &CustomerKey)> = state
            .customers
            .iter()
            .flat_map(|(key, customer)| customer.cards.values().map(move |card| (key, card)))
            .filter(|(_, stored)| stored.client == *client && stored.program == *program)
            .filter_map(|(key, stored)| match stored.card.state {
                CardState::Cancelled { at } if at <= until => {
                    let place = format!("{:020} {}", at.as_millisecond(), stored.card.id.to_hex());
                    Some((place, key))
                }
                _ => None,
            })
            .filter(|(place, _)| from.is_none_or(|from| *place > from.0))
            .collect();
        listed.sort_unstable();
        let next = (listed.len() > limit).then(|| Cursor(listed[limit.max(1) - 1].0.clone()));
        let entries = listed.into_iter().take(limit.max(1));
        Ok(Page {
            entries: entries.map(|(_, key)| key.clone()).collect(),
            next,
        })
    }

    async fn record(&self, client: &ClientId, key: &CustomerKey) -> Result<Option<Record>, StoreError> {
        Ok(self.state().record(client, key))
    }

    async fn remove(&self, record: &Record, removal: &Removal) -> Result<bool, StoreError> {
        let (mut state, now) = (self.state(), self.now());
        Ok(match removal {
            Removal::Everything => state.remove_everything(record, Some(now)),
            Removal::Erasure => state.remove_everything(record, None),
            Removal::Cards(cards) => state.remove_cards(record, cards, now),
        })
    }

    async fn refresh_ttls(
        &self,
        client: &ClientId,
        program: &ProgramId,
        retention_days: u16,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let (mut state, now) = (self.state(), self.now());
        if now >= until {
            return Ok(false);
        }
        state.refresh_ttls(client, program, retention_days, now);
        Ok(true)
    }
}

impl State {
    fn record(&self, client: &ClientId, key: &CustomerKey) -> Option<Record> {
        let customer = self.customers.get(key);
        let cards: Vec<RecordedCard> = customer
            .into_iter()
            .flat_map(|customer| customer.cards.values())
            .map(|stored| RecordedCard {
                id: stored.card.id,
                state: stored.card.state,
                locked_by: stored.locked_by,
            })
            .collect();
        let intents = self.intents.values().filter(|stored| stored.owner == *key);
        let confirmations = self.confirmations.values().filter(|stored| stored.owner == *key);
        let sessions = self.sessions.values().filter(|stored| {
            let session = &stored.session;
            customer_key(&session.client, &session.program, &session.customer) == *key
        });
        let mut record = Record {
            key: key.clone(),
            client: client.clone(),
            count: self.count(key),
            cards,
            intents: intents.map(StoredIntent::recorded).collect(),
            confirmations: confirmations.map(super::StoredConfirmation::recorded).collect(),
            sessions: sessions
                .map(|stored| RecordedSession {
                    id: stored.session.id,
                    expires_at: stored.session.expires_at,
                })
                .collect(),
        };
        record.cards.sort_by_key(|card| card.id.to_hex());
        record.intents.sort_by_key(|intent| intent.id.to_hex());
        record.confirmations.sort_by(|a, b| a.id.cmp(&b.id));
        let is_empty = customer.is_none()
            && record.intents.is_empty()
            && record.confirmations.is_empty()
            && record.sessions.is_empty();
        (!is_empty).then_some(record)
    }

    /// Whether a purge at `now` may delete a confirmation: an operator may have replayed it since the record was read.
    fn may_purge(&self, id: &ConfirmationId, now: Timestamp) -> bool {
        self.confirmations
            .get(id)
            .is_none_or(|stored| match stored.recorded().state {
                ConfirmationState::Due { outcome_at } => outcome_at <= later(now, -MAX_AGE),
                ConfirmationState::Parked | ConfirmationState::Delivered => true,
            })
    }

    fn is_settled(&self, id: IntentId) -> bool {
        self.intents
            .get(&id)
            .is_none_or(|stored| stored.recorded().is_settled)
    }

    /// For a purge at that time; else for an erasure, which waits for no confirmation.
    fn remove_everything(&mut self, record: &Record, purged_at: Option<Timestamp>) -> bool {
        let is_unchanged = self.count(&record.key).version == record.count.version
            && record.intents.iter().all(|intent| self.is_settled(intent.id));
        let may_go = |one: &RecordedConfirmation| purged_at.is_none_or(|now| self.may_purge(&one.id, now));
        if !is_unchanged || !record.confirmations.iter().all(may_go) {
            return false;
        }
        if purged_at.is_some() {
            let undelivered = record.confirmations.iter().filter(|one| one.is_undelivered());
            self.undelivered.extend(undelivered.map(|one| one.id.clone()));
        }
        for confirmation in &record.confirmations {
            self.confirmations.remove(&confirmation.id);
        }
        for session in &record.sessions {
            self.sessions.remove(&session.id);
        }
        for intent in &record.intents {
            self.intents.remove(&intent.id);
        }
        self.counters.remove(&record.key.0);
        self.customers.remove(&record.key);
        true
    }

    /// Card by card while nobody else changes the customer: each deletion increases its version.
    fn remove_cards(&mut self, record: &Record, cards: &[IntentId], now: Timestamp) -> bool {
        (record.count.version..)
            .zip(cards)
            .all(|(version, card)| self.remove_card(record, *card, version, now))
    }

    fn remove_card(&mut self, record: &Record, card: IntentId, version: u64, now: Timestamp) -> bool {
        let confirmations = confirmations_of(record, card);
        let intents: Vec<IntentId> = intents_of(record, card).map(|intent| intent.id).collect();
        let is_cancelled = self
            .stored_card(&record.key, card)
            .is_some_and(|stored| matches!(stored.card.state, CardState::Cancelled { .. }));
        // Version 0 is that of a customer who is not stored.
        let is_unchanged = version > 0 && self.count(&record.key).version == version;
        let may_go = is_unchanged
            && is_cancelled
            && confirmations.iter().all(|id| self.may_purge(id, now))
            && intents.iter().all(|id| self.is_settled(*id));
        let Some(customer) = self.customers.get_mut(&record.key).filter(|_| may_go) else {
            return false;
        };
        customer.version += 1;
        customer.cards.remove(&card);
        self.undelivered.extend(undelivered_of(record, card).cloned());
        for id in &confirmations {
            self.confirmations.remove(id);
        }
        for id in &intents {
            self.intents.remove(id);
        }
        true
    }

    fn refresh_ttls(&mut self, client: &ClientId, program: &ProgramId, retention_days: u16, now: Timestamp) {
        let soonest = ttl(later(now, TTL_MARGIN));
        let mut intents = Vec::new();
        for customer in self.customers.values_mut() {
            for stored in customer.cards.values_mut() {
                let CardState::Cancelled { at } = stored.card.state else {
                    continue;
                };
                if stored.client != *client || stored.program != *program {
                    continue;
                }
                let ttl = card_ttl(at, retention_days).max(soonest);
                stored.ttl = Some(ttl);
                // The customer expires with the last card: later, never earlier than it was.
                customer.ttl = customer.ttl.map(|kept| kept.max(ttl));
                intents.push((stored.card.id, stored.locked_by, ttl));
            }
        }
        for (enrolled_by, removed_by, ttl) in intents {
            self.expire_enrollment(enrolled_by, ttl);
            let opt_out = removed_by.and_then(|id| self.intents.get_mut(&id));
            if let Some(opt_out) = opt_out.filter(|stored| stored.is_removal()) {
                opt_out.ttl = Some(ttl);
            }
        }
    }
}
